/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_asks: every ask of lib/wire/verbs.h as a list of values by the fields of messages.h, to
 * be spoilt one by one. It is written here, not by lib/wire, so that what no honest program can
 * write is written, too.
 */
#ifndef DROPKEEP_TESTS_HOSTILE_ASKS_H
#define DROPKEEP_TESTS_HOSTILE_ASKS_H

#include "hostile_kit.h"

enum { WISH_FIELDS = 10 };

enum field_kind {
	KIND_u8,
	KIND_u16,
	KIND_u32,
	KIND_u64,
	KIND_i64,
	KIND_bytes,
	KIND_hash,
};

struct field {
	enum field_kind kind;
	const char *name;
};

struct value {
	uint64_t n;        /* of integers */
	struct view bytes; /* borrowed from what does not go */
	uint32_t lie;      /* added to the length of bytes as it is written */
	uint8_t hash[WIRE_HASH];
};

/* An ask that would be answered with 0, if nobody spoils it. */
struct wish {
	const struct verb_row *row;
	uint64_t subject;
	const struct field *field;
	unsigned fields;
	struct value value[WISH_FIELDS];
};

/* Makes what it is about: a session, an upload, a download of the hostile gate. Fails the test for
 * a verb that has no wish here, and for one whose wish does not have its fields. */
void wish_make(struct siege *s, const struct verb_row *row, unsigned kind, struct wish *ret_wish);

/* In how many ways it may be said: AUTH in four. */
unsigned wish_kinds(const struct verb_row *row);

/* Its body. The caller frees. */
struct buf wish_body(const struct wish *w);

#endif
