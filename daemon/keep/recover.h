/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover: the start of the keep is its recovery: what an earlier one left, in whatever moment it
 * ended, is taken up in one order (doc/ARCHITECTURE.md, "What a crash leaves").
 *
 * What could not be trusted stops the start, and nothing is served; what was only left lying about
 * is cleared up. Nothing that could be content is ever deleted here: it goes to lost+found.
 */
#ifndef DROPKEEP_KEEP_RECOVER_H
#define DROPKEEP_KEEP_RECOVER_H

#include <stdint.h>

#include "base/err.h"

struct keep;

/* What was found: the record `recovery` is made of it. */
struct recovery {
	uint64_t records; /* that the log lacked */
	uint64_t uploads; /* left cleanly, that go on under another key */
	uint64_t states;  /* resume states that no upload needs */
	uint64_t blobs;   /* that no row names */
};

/* Open the state directory: lock, keys, catalog, log, blobs; before anything else. */
MUST_USE int recover_state(struct keep *keep);

/*
 * The last part, beside the service: set aside the blobs that no row names, then record what was
 * found, if anything. A blob's row is committed before the blob is made and outlives it, so one
 * that has no row cannot get one any more: that is looked for again, in a tick, before it is moved.
 */
void recover_blobs(struct keep *keep);

#endif
