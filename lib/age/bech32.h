/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bech32: the text form of age's keys (BIP-173, without its limit of 90 characters, as
 * age.md, "Conventions", says).
 *
 * A text is HRP "1" DATA CHECKSUM, all in one case. Pure functions, any thread.
 * Nothing is repaired: mixed case, foreign characters, a wrong checksum, leftover bits and
 * anything longer than the caller has room for are refused.
 */
#ifndef DROPKEEP_AGE_BECH32_H
#define DROPKEEP_AGE_BECH32_H

#include "base/buf.h"

enum {
	AGE_BECH32_HRP_MAX = 83,   /* BIP-173: 1 to 83 characters */
	AGE_BECH32_TEXT_MAX = 4096 /* ours: the longest age key (hybrid) has fewer than 2100 */
};

/* The characters of a text of len bytes under an hrp of hrp_len, its NUL not counted. */
#define AGE_BECH32_TEXT(hrp_len, len) ((hrp_len) + 1 + ((len)*8 + 4) / 5 + 6)

/*
 * ret_text takes AGE_BECH32_TEXT(strlen(hrp), bytes.len) + 1 bytes. The text has the case of
 * the hrp (lower where that has no letters). E_INVALID for an hrp of mixed case, of foreign
 * characters or of impossible length, and for a text over AGE_BECH32_TEXT_MAX.
 */
MUST_USE int age_bech32_encode(const char *hrp, struct view bytes, char *ret_text);

/*
 * ret_hrp takes AGE_BECH32_HRP_MAX + 1 bytes and keeps the case of the text; ret_bytes takes
 * room bytes. E_INVALID for all that is not strictly bech32 or does not fit.
 */
MUST_USE int age_bech32_decode(struct view text, size_t room, char *ret_hrp, uint8_t *ret_bytes,
			       size_t *ret_len);

#endif
