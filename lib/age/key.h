/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key: X25519 identities and recipients (age.md, "The X25519 recipient type").
 *
 * An identity is a secret of 32 bytes; whoever holds it opens what was sealed to its
 * recipient, which is a point of 32 bytes and no secret. As text they are
 * "AGE-SECRET-KEY-1…" in upper case and "age1…" in lower case, and nothing else is read.
 * Any thread.
 */
#ifndef DROPKEEP_AGE_KEY_H
#define DROPKEEP_AGE_KEY_H

#include "age/bech32.h"
#include "base/secret.h"

enum {
	AGE_KEY_SIZE = 32,
	/* Both with the terminating NUL. */
	AGE_IDENTITY_TEXT = AGE_BECH32_TEXT(15, AGE_KEY_SIZE) + 1,
	AGE_RECIPIENT_TEXT = AGE_BECH32_TEXT(3, AGE_KEY_SIZE) + 1
};

struct age_recipient {
	uint8_t bytes[AGE_KEY_SIZE];
};

MUST_USE int age_identity_new(struct secret **ret_identity);

/* From 32 bytes (the caller wipes its own) or from text: E_INVALID for anything else. */
MUST_USE int age_identity_from_bytes(struct view bytes, struct secret **ret_identity);
MUST_USE int age_identity_from_text(struct view text, struct secret **ret_identity);

/* The caller wipes ret_text. */
MUST_USE int age_identity_text(const struct secret *identity, char ret_text[AGE_IDENTITY_TEXT]);
MUST_USE int age_identity_recipient(const struct secret *identity,
				    struct age_recipient *ret_recipient);

/* E_INVALID also for a point of low order, to which nothing can be sealed. */
MUST_USE int age_recipient_from_text(struct view text, struct age_recipient *ret_recipient);
void age_recipient_text(const struct age_recipient *recipient, char ret_text[AGE_RECIPIENT_TEXT]);

/*
 * The identities of a file as `age-keygen` writes it: one a line (LF or CRLF), empty lines
 * and lines that begin with '#' passed over. E_INVALID names the line that is not one, and
 * is the answer for a file without any; E_LIMIT for more than room. The caller frees each.
 */
MUST_USE int age_identities_parse(struct view content, size_t room, struct secret **ret_identities,
				  size_t *ret_count);

#endif
