/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leases: giving a gate what it needs to seal one upload: a descriptor, a payload key, and
 * what stands already. The tick decides which blob it is and says so in the catalog; the pool
 * makes or opens it; only then the gate is answered.
 *
 * An upload that begins with nothing, or on a tiny file, gets a bare lease: a key without a blob.
 * Its blob is made when it outgrows one chunk (PUT_STORE); if it never does, it becomes a tiny
 * file itself and never has one.
 */
#ifndef DROPKEEP_KEEP_LEASES_H
#define DROPKEEP_KEEP_LEASES_H

#include "age/key.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/sealed_blob.h"

struct lease_work;

/*
 * In decide. row is an upload that nobody has a lease on (or the asker's own, for a rekey):
 *	fresh     a new blob under a new file key; row's blob, pin and clean change; the
 *	          prefix, where row has a source, is re-sealed from it
 *	else      the same blob and key go on from where a clean end of this run left it; row
 *	          stays clean, for that end holds until more is durable
 * The row is stored. The work belongs to the ask.
 */
MUST_USE int lease_plan(struct ask *a, const struct zone *zone, struct upload_row *row, bool fresh);

/* In decide: the blob of a bare lease is to be made. The row stays as it is. */
MUST_USE int lease_store(struct ask *a, const struct zone *zone, const struct upload_row *row,
			 struct put *p);

/* In decide: what an unclean end, or an earlier run of the keep, left becomes the source of a
 * fresh blob. */
MUST_USE int lease_continue(struct ask *a, const struct zone *zone, struct upload_row *row);

/* Stages of the asks that end in a lease. lease_settle: p is registered already. */
MUST_USE int lease_complete(struct deed *d);
void lease_attach(struct ask *a, struct put *p);
void lease_finish(struct deed *d);

/* For whom contents of a zone are sealed: at most LEASE_RECIPIENTS. Gives their number. */
enum { LEASE_RECIPIENTS = 2 };
size_t lease_recipients(const struct keep *keep, const struct zone *zone,
			struct age_recipient ret_recipients[LEASE_RECIPIENTS]);

#endif
