/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep: unlinking what the catalog's doomed list names, in the background.
 *
 * A blob that a deed has named and that the pool is about to make or to open stays on the list
 * until that is done (its pin): so who is told of a blob finds it, and one that is made too late
 * is not left without a row. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_SWEEP_H
#define DROPKEEP_KEEP_SWEEP_H

#include "daemon/keep/catalog.h"

struct keep;

/* Part of a deed's work: from its decision, in the tick, until the deed ends. */
struct blob_pin {
	struct keep *keep; /* NULL: it pins nothing */
	struct blob_pin *next;
	uint8_t blob[ID_SIZE];
};
void blob_pin(struct keep *keep, const uint8_t blob[ID_SIZE], struct blob_pin *pin);
void blob_unpin(struct blob_pin *pin); /* zeroed or unpinned: nothing happens */

void sweep_start(struct keep *keep);

#endif
