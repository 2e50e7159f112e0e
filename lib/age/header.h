/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header: the textual header of an age v1 file (age.md, "Header"), which wraps the file key
 * for one or more X25519 recipients.
 *
 *	age-encryption.org/v1
 *	-> X25519 SHARE
 *	BODY
 *	--- MAC
 *
 * Any thread; nothing here does input or output. Parsing is strict: whatever departs from the
 * grammar, or from what the X25519 stanza demands, is refused before any key is touched.
 * Stanzas of other types are checked for form and otherwise passed over.
 */
#ifndef DROPKEEP_AGE_HEADER_H
#define DROPKEEP_AGE_HEADER_H

#include "age/key.h"

enum {
	AGE_FILE_KEY = 16,
	AGE_HEADER_MAX = 64 * 1024, /* bytes; ours, age.md sets no limit */
	AGE_STANZAS_MAX = 256,      /* of all types; ours */
	AGE_MAC = 32,
	AGE_WRAPPED = AGE_FILE_KEY + 16
};

struct age_x25519_stanza {
	uint8_t share[AGE_KEY_SIZE];
	uint8_t body[AGE_WRAPPED];
};

struct age_header {
	size_t len;           /* of the whole header: the payload begins here */
	struct view mac_part; /* what the MAC covers; valid as long as the bytes that were parsed */
	uint8_t mac[AGE_MAC];
	unsigned stanza_count; /* of all types */
	unsigned x25519_count;
	struct age_x25519_stanza x25519[AGE_STANZAS_MAX];
};

/* A fresh file key. Never use one for two files. */
MUST_USE int age_file_key_new(struct secret **ret_file_key);

/*
 * Append a header that wraps file_key (16 bytes) for each of the recipients, at least one,
 * with fresh ephemeral secrets. E_INVALID for a recipient of low order, E_LIMIT for more than
 * AGE_STANZAS_MAX. Where it fails out is as it was.
 */
MUST_USE int age_header_write(const struct secret *file_key, const struct age_recipient *recipients,
			      size_t count, struct buf *out);

/*
 * Parse the header that bytes begin with; more may follow it.
 *	0          complete; ret_header->len of the bytes were it
 *	E_AGAIN    what is there is well-formed but not complete; no frame is pushed. At the
 *	           end of the input that means E_INVALID to the caller
 *	E_INVALID  malformed, of another version, ASCII armor, or over a limit
 * The answer for some bytes never changes when more bytes follow them, but for E_AGAIN.
 */
MUST_USE int age_header_parse(struct view bytes, struct age_header *ret_header);

/*
 * Try identity on every X25519 stanza, then check the MAC.
 *	E_DENIED     no stanza is for this identity
 *	E_INVALID    a share of low order (age.md: "MUST abort")
 *	E_INTEGRITY  a stanza opened, but the MAC is wrong: the header was tampered with
 */
MUST_USE int age_header_unwrap(const struct age_header *header, const struct secret *identity,
			       struct secret **ret_file_key);

/* The MAC alone, by who has the file key already: E_INTEGRITY where it is wrong. */
MUST_USE int age_header_verify(const struct age_header *header, const struct secret *file_key);

#endif
