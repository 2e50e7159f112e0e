/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed_blob: the keep's view of one blob: its age header, file key and payload key.
 * Runs on the thread pool; knows files, not the catalog.
 */
#ifndef DROPKEEP_KEEP_SEALED_BLOB_H
#define DROPKEEP_KEEP_SEALED_BLOB_H

#include "age/stream.h"
#include "daemon/keep/blobs.h"
#include "daemon/keep/keys.h"

struct sealed_blob {
	int fd;           /* -1 for a key alone */
	uint64_t payload; /* where its first chunk stands: behind header and nonce */
	struct secret *file_key;
	uint8_t key[AGE_PAYLOAD_KEY];
	uint8_t pin[AGE_PIN];
};

/* Empty: fd -1. For CLEANUP(sealed_blob_done), which wipes and closes. */
#define SEALED_BLOB_NONE ((struct sealed_blob){.fd = -1})
void sealed_blob_done(struct sealed_blob *b);

/* Keys and pin of a blob that is not made yet. */
MUST_USE int sealed_blob_keys(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			      struct sealed_blob *ret_blob);

/* Make a new blob under a file key and nonce that were drawn before, for these recipients. */
MUST_USE int sealed_blob_make(const struct blobs *store, const uint8_t id[BLOB_ID],
			      const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			      const struct age_recipient *recipients, size_t count,
			      struct sealed_blob *ret_blob);

/* Open one that is there; E_INTEGRITY unless it is the one that the catalog's pin means. */
MUST_USE int sealed_blob_open(const struct blobs *store, const uint8_t id[BLOB_ID], bool writable,
			      const struct secret *identity, const uint8_t pin[AGE_PIN],
			      struct sealed_blob *ret_blob);

/* The same for an open file; takes *fd also on failure. */
MUST_USE int sealed_blob_adopt(int *fd, const struct secret *identity, const uint8_t pin[AGE_PIN],
			       struct sealed_blob *ret_blob);

#endif
