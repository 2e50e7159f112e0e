/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decrypt: opens an age v1 file that comes in sequence (a pipe, a download), in constant
 * memory: bytes in, plaintext out through a sink. For files with random access see reader.h.
 *
 * Chunks reach the sink as soon as each is authenticated, so that a file that is cut short or
 * altered further on has been handed out up to there: what the sink got counts only after
 * age_decrypt_end() has returned 0. Nothing reaches it before the header's MAC is verified.
 * One thread at a time. It does no input or output of its own.
 */
#ifndef DROPKEEP_AGE_DECRYPT_H
#define DROPKEEP_AGE_DECRYPT_H

#include "age/writer.h"

struct age_decrypt;

/*
 * Room for count identities, tried in turn; array, identities and ctx are borrowed. In ret's
 * life the results are sticky: after an error only age_decrypt_free() may follow.
 */
MUST_USE int age_decrypt_new(struct secret *const *identities, size_t count, age_sink sink,
			     void *ctx, struct age_decrypt **ret_decrypt);
void age_decrypt_free(struct age_decrypt **decrypt);

/*
 * Errors of the header: E_INVALID, E_DENIED (no identity fits), E_INTEGRITY (its MAC).
 * Of the payload: E_INTEGRITY. Of the sink: whatever it returned.
 */
MUST_USE int age_decrypt_add(struct age_decrypt *decrypt, struct view bytes);

/* The input is over. E_INVALID within header or nonce, E_INTEGRITY within the payload. */
MUST_USE int age_decrypt_end(struct age_decrypt *decrypt);

/* Whether the header was accepted: tells its E_INTEGRITY from the payload's. */
bool age_decrypt_in_payload(const struct age_decrypt *decrypt);

#endif
