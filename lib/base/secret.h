/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret: key material. It lives in locked memory that core dumps leave out (OpenSSL's
 * secure heap), is wiped when freed, and is compared in constant time.
 *
 * secret_setup() once per process, before the first secret. Where memory cannot be locked
 * (RLIMIT_MEMLOCK) it still works and secret_locked() says so.
 */
#ifndef DROPKEEP_SECRET_H
#define DROPKEEP_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct secret; /* opaque; immutable once made, so it may be read from any thread */

MUST_USE int secret_setup(void);
bool secret_locked(void);

/* Copy len bytes (the caller wipes its own), or draw them at random. */
MUST_USE int secret_copy(const void *bytes, size_t len, struct secret **ret_secret);
MUST_USE int secret_random(size_t len, struct secret **ret_secret);

/* HKDF-SHA-256 (RFC 5869) of ikm with salt (may be empty) and info, len bytes. */
MUST_USE int secret_derive(struct view ikm, struct view salt, const char *info, size_t len,
			   struct secret **ret_secret);

struct view secret_view(const struct secret *s);

/* Wipe and free; NULL is allowed. For CLEANUP(secret_free). */
void secret_free(struct secret **s);

/* Overwrite in a way that the compiler keeps. */
void wipe(void *bytes, size_t len);

/* Random bytes for ids, salts and nonces. */
MUST_USE int random_bytes(void *bytes, size_t len);

/* Constant time for equal lengths. */
bool equal_secret(const void *a, const void *b, size_t len);

#endif
