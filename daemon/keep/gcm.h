/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcm: AES-256-GCM (NIST SP 800-38D) with a random nonce, over OpenSSL. What is sealed is the
 * nonce (12 bytes), the ciphertext (as long as the plaintext), the tag (16 bytes).
 *
 * Any thread. Nonces are random, so no key may seal more than 2^32 values; the rarest of ours
 * has one key a zone and purpose.
 */
#ifndef DROPKEEP_KEEP_GCM_H
#define DROPKEEP_KEEP_GCM_H

#include "base/secret.h"

enum { GCM_KEY = 32, GCM_NONCE = 12, GCM_TAG = 16, GCM_EXTRA = GCM_NONCE + GCM_TAG };

/* Appends to out. Texts and associated data (about) may be empty; over 2 GiB is E_LIMIT. */
MUST_USE int gcm_seal(const struct secret *key, struct view about, struct view plain,
		      struct buf *out);

/* E_INTEGRITY for anything that gcm_seal() did not make of these. */
MUST_USE int gcm_open(const struct secret *key, struct view about, struct view sealed,
		      struct secret **ret_plain);

#endif
