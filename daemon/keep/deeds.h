/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deeds: the keep's work, done in ticks. A deed is one thing that the keep decides: a gate's
 * ask, an operator's command, a chore of its own. Its row says what happens when:
 *
 *	begin      on the loop, at once: takes along what the pool will need
 *	prepare    on the thread pool, before: what must be read or synced first
 *	decide     in the tick, on the loop: reads and changes the catalog inside a SAVEPOINT,
 *	           adds audit records; touches nothing else, for it may be undone
 *	refused    in the tick, after decide failed and was undone: the record of the refusal
 *	settle     on the loop, after the commit: changes in memory; only where decide gave 0
 *	complete   on the thread pool, after that: files to make, open or remove
 *	finish     on the loop, always and last: answer, then free the deed
 *
 * A tick takes the deeds that wait (a bounded number), decides them all in one catalog
 * transaction, commits once, and only then anything is answered: the group commit. A commit
 * that fails ends the process, with nobody answered.
 *
 * rc and why carry the outcome from stage to stage: the first failure sticks, later stages
 * but finish are skipped.
 */
#ifndef DROPKEEP_KEEP_DEEDS_H
#define DROPKEEP_KEEP_DEEDS_H

#include <uv.h>

#include "base/err.h"

struct keep;
struct deeds;
struct deed;

/* The word of begin or decide that the deed must wait; somebody keeps it and lets it begin
 * again or be decided again. Nothing that decide changed stays. */
enum { DEED_PARKED = 1 };

struct deed_row {
	const char *name;
	int (*begin)(struct deed *d);
	int (*prepare)(struct deed *d);
	int (*decide)(struct deed *d);
	void (*refused)(struct deed *d);
	void (*settle)(struct deed *d);
	int (*complete)(struct deed *d);
	void (*finish)(struct deed *d);
};

enum { DEED_WHY = 256 };

struct deed {
	const struct deed_row *row;
	struct keep *keep;
	int rc;
	char why[DEED_WHY]; /* what a user may be told */
	struct deed *next;
	uv_work_t work;
};

MUST_USE int deeds_new(struct keep *keep, uv_loop_t *loop, struct deeds **ret_deeds);
/* None may be under way. Closes its handles; the memory goes in their close callback. */
void deeds_close(struct deeds *q);

/* Takes d, which is zeroed but for row and what its module keeps around it. */
void deeds_submit(struct deeds *q, struct deed *d);

/* After DEED_PARKED of decide: straight to the next tick, prepare is not run again. */
void deeds_resubmit(struct deeds *q, struct deed *d);

/* After DEED_PARKED of begin: as if it had just been submitted. */
void deeds_restart(struct deeds *q, struct deed *d);

/* Submitted and not yet finished; parked ones included. */
size_t deeds_under_way(const struct deeds *q);

/* Keep the outcome of a call: rc and the cause of this thread's error chain. Returns rc. */
int deed_note(struct deed *d, int rc);

#endif
