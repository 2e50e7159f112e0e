/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resume: what a clean end leaves of an upload beside its blob: how far it is sealed, the running
 * digest, and the tail that is not. Runs on the thread pool; knows files, not the catalog.
 *
 * A state is written before the commit that makes it valid, while the one before is valid still.
 * So the file holds both, and how much of the upload is durable, which the catalog says, tells
 * which of them is meant. Layout: doc/FORMAT.store.md.
 */
#ifndef DROPKEEP_KEEP_RESUME_H
#define DROPKEEP_KEEP_RESUME_H

#include "base/sha256.h"
#include "daemon/keep/blobs.h"
#include "daemon/keep/keys.h"

/* messages.h, FIELDS_lease */
struct resume_state {
	uint64_t sealed;    /* chunks */
	struct view digest; /* SHA256_STATE_SIZE bytes */
	struct view tail;
};

/* Keeps the one before as well. */
MUST_USE int resume_save(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
			 const struct secret *file_key, const struct resume_state *s);

/* The state of so many bytes; E_GONE without any, E_INTEGRITY where what is there is another or
 * damaged. The views of ret_state borrow from ret_plain. */
MUST_USE int resume_load(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
			 const struct secret *file_key, uint64_t durable, struct secret **ret_plain,
			 struct resume_state *ret_state);

/* Whether it could be loaded, and all else in the file is whole, too. Gives its sealed chunks. */
MUST_USE int resume_check(const struct blobs *store, const struct keys *k,
			  const uint8_t id[BLOB_ID], const struct secret *file_key,
			  uint64_t durable, uint64_t *ret_sealed);

#endif
