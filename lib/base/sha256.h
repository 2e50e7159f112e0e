/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256: a running SHA-256 (FIPS 180-4) whose state can be written down and taken up again.
 *
 * EVP cannot export a running digest, so this one file uses OpenSSL's older SHA256_CTX.
 * The written state is portable: eight 32-bit words, the byte count, and the buffered tail.
 * For a digest in one go use sha256_of().
 */
#ifndef DROPKEEP_SHA256_H
#define DROPKEEP_SHA256_H

#include "base/buf.h"

enum {
	SHA256_SIZE = 32,
	SHA256_STATE_SIZE =
	    8 * 4 + 8 + 64, /* words, bytes so far (both big-endian), tail zero-padded */
};

struct sha256 {
	_Alignas(8) uint8_t ctx[128]; /* a SHA256_CTX */
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);
uint64_t sha256_count(const struct sha256 *h); /* bytes added so far */

/* The digest of what was added so far; h goes on unchanged. */
void sha256_now(const struct sha256 *h, uint8_t ret_digest[SHA256_SIZE]);

void sha256_save(const struct sha256 *h, uint8_t ret_state[SHA256_STATE_SIZE]);

/* E_INVALID for a state that sha256_save() cannot have written. */
MUST_USE int sha256_load(struct sha256 *h, const uint8_t state[SHA256_STATE_SIZE]);

void sha256_of(struct view bytes, uint8_t ret_digest[SHA256_SIZE]);

#endif
