/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny: contents of one chunk, which live in the catalog as whole age files instead of in a
 * blob. Runs on the thread pool; knows neither the catalog nor the store of blobs.
 *
 * Why they live there: doc/notes/0001-where-tiny-files-live.md.
 */
#ifndef DROPKEEP_KEEP_TINY_H
#define DROPKEEP_KEEP_TINY_H

#include "age/header.h"
#include "base/sha256.h"
#include "daemon/keep/sealed_blob.h"

/*
 * Append the file of a finished upload: header, nonce, and the one chunk that its gate sealed.
 * E_PROTOCOL unless that opens under the upload's key, as the last, to `size` bytes with this
 * hash: of what has no blob the keep believes nothing.
 */
MUST_USE int tiny_compose(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			  const struct age_recipient *recipients, size_t count, struct view chunk,
			  uint64_t size, const uint8_t sha256[SHA256_SIZE], struct buf *out);

/* Such a file as if it were a blob: a frozen file in memory. Errors as of sealed_blob_open(). */
MUST_USE int tiny_open(struct view file, const struct secret *identity, const uint8_t pin[AGE_PIN],
		       struct sealed_blob *ret_blob);

/* Its plaintext, appended; to be wiped. */
MUST_USE int tiny_read(struct view file, const struct secret *identity, const uint8_t pin[AGE_PIN],
		       struct buf *out);

#endif
