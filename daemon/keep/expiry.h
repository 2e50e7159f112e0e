/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expiry: removing unfinished uploads that nobody has gone on with for [limits] upload_expiry.
 *
 * The time counts from what is in the catalog as the upload's last activity: its opening, each
 * report of durable bytes, and the end of its lease. One that somebody has a lease on does not
 * expire. Each is removed in a transaction with its record, its room given back; the sweep unlinks
 * its blobs (sweep.h). One a tick, so that nobody waits for it.
 *
 * Two brakes, for what is removed by mistake is lost: nothing is removed while the clock is not to
 * be believed (time_guard.h), until an operator confirms it; and within an hour only so many
 * uploads ([limits] expiry_cap), restarts included. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_EXPIRY_H
#define DROPKEEP_KEEP_EXPIRY_H

#include "base/err.h"
#include "daemon/keep/time_guard.h"

struct keep;

struct expiry {
	struct time_guard guard;
	bool loaded; /* the guard knows what the catalog does */
	bool busy;
	int64_t noted_us;      /* the wall time that the catalog has */
	int64_t not_before_ms; /* after a try that failed */
};

/* Now and then: looks at the clock, and begins to remove what has expired. */
void expiry_watch(struct keep *keep);

/* In decide, last: what the operator has confirmed. That the clock is right: activity that lies in
 * the future took place now; that so many uploads may go: an hour begins. */
MUST_USE int expiry_believe_clock(struct keep *keep);
MUST_USE int expiry_begin_hour(struct keep *keep);

#endif
