/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: the append-only record of every decision that the keep makes.
 *
 * A record is made inside the transaction of what it records: its exact bytes go into the
 * catalog's outbox, and from there, after the commit, into the log (trail.h) by a job on the
 * thread pool. It is durable with the commit: tell nobody that the act happened before
 * catalog_commit() has returned. What the log holds is noted in the catalog by a later tick, and
 * only then the outbox lets go of it. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_AUDIT_H
#define DROPKEEP_KEEP_AUDIT_H

#include <uv.h>

#include "daemon/keep/accounts.h"
#include "daemon/keep/record.h"
#include "daemon/keep/trail.h"

struct audit;
struct deed;
struct keep;

/* At init, inside a transaction: an empty log whose origin is fixed from here on. */
MUST_USE int audit_create(struct catalog *c, const struct keys *k, int state_fd,
			  const char *origin);

/* Whether the whole log, as far as the catalog knows of it, is what the catalog knows. Before
 * audit_open(), and changes nothing. Problems as of trail_verify(). */
MUST_USE int audit_verify(struct keep *keep, struct buf *problems);

/* Records that audit_open() has completed the log with. */
uint64_t audit_completed(const struct audit *a);

/* Open the log and complete it from the outbox, synchronously. E_INTEGRITY where log and
 * catalog contradict each other. */
MUST_USE int audit_open(struct keep *keep, struct audit **ret_audit);

/* Waits for nothing: no log job may be under way (audit_busy()). */
void audit_free(struct audit **a);
bool audit_busy(const struct audit *a);

/* For begin of a deed that reads the log: true while it lacks records that were committed when
 * the deed came. Then d is to be parked, and is restarted (deeds.h) when more are there; size,
 * 0 at first, is kept for the next time. */
bool audit_wait(struct audit *a, uint64_t *size, struct deed *d);

/* The log holds more than the catalog has noted. */
bool audit_lags_behind(const struct audit *a);

/* Add a record to the transaction at hand. An error must undo the act. Takes e->detail, also then.
 */
MUST_USE int audit_add(struct audit *a, const struct event *e);

/* The number that the next record gets, if none is undone before. */
uint64_t audit_next(const struct audit *a);

/* Undo what was added since the mark, with the savepoint that it belonged to. */
size_t audit_mark(const struct audit *a);
void audit_revert(struct audit *a, size_t mark);

MUST_USE int audit_before_commit(struct audit *a);
void audit_after_commit(struct audit *a);

/* What is durable in the log, its origin and verifier key. */
void audit_position(const struct audit *a, struct trail_mark *ret_mark);
const char *audit_origin(const struct audit *a);
const char *audit_key(const struct audit *a);

#endif
