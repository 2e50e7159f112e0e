/* SPDX-License-Identifier: Apache-2.0 */
/*
 * puts: sealing leases: who seals which upload now, who waits for it, how much room it has.
 *
 * There is one lease per upload at a time. A newcomer of the same principal makes the keep
 * ask the old gate to let go (order YIELD); if that takes too long the lease is revoked: what
 * the old gate says of it from then on is refused, and the upload goes on in a new blob.
 * Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_PUTS_H
#define DROPKEEP_KEEP_PUTS_H

#include "daemon/keep/ask.h"

enum { YIELD_PATIENCE_MS = 5000 };

/* In decide: 0 when nobody has a lease on the upload; else DEED_PARKED, the ask comes back. */
MUST_USE int puts_wait(struct ask *a, uint64_t upload);

/* When a gate has just got its lease: it is to let go at once if somebody waits already. */
void puts_urge(struct put *p);

/* In settle, when a lease has ended: those who wait try again. */
void puts_wake(struct keep *keep, struct put *p);

/* Once a second: revoke leases whose gates let newcomers wait too long. */
void puts_watch(struct keep *keep, int64_t now_ms);

/* Take leases away from uploads that are gone (a zone was removed). */
void puts_revoke_zone(struct keep *keep, uint64_t zone);

/* Bytes of content that the disk may still take, and could in all: above the reserve, and less
 * what is promised to uploads that are under way. */
MUST_USE int puts_space(struct keep *keep, uint64_t *ret_free, uint64_t *ret_total);

/*
 * In decide: reserve room for an upload of `wanted` plaintext bytes, in steps where that is
 * possible; row->reserved and the zone's counter follow. Of them `held` need no more of the
 * disk: they are in the blob, or promised. A lease that begins may get less than the upload had
 * reserved, where the disk has become fuller. E_QUOTA, E_FULL.
 */
MUST_USE int puts_reserve(struct keep *keep, const struct zone *zone, struct upload_row *row,
			  uint64_t held, uint64_t wanted);

/* In decide, when nobody has a lease any more: what the upload had reserved ahead goes back to the
 * zone, but for what was declared. The row is the caller's to write. */
MUST_USE int puts_give_back(struct keep *keep, uint64_t zone, struct upload_row *row);

/* In decide: whether there is room for what the put's blob holds once more, in another. E_FULL. */
MUST_USE int puts_room_again(struct keep *keep, const struct put *p);

/* What remains of an upload when its lease ends otherwise than cleanly: nothing when nothing
 * of it is durable, else a row that another blob will continue from. */
MUST_USE int puts_leave(struct keep *keep, uint64_t upload);

/* In decide: the record of a lease's end otherwise than by its gate's word, and what remains. */
MUST_USE int put_lose(struct keep *keep, struct put *p, const char *event, int code,
		      const char *reason);

/*
 * A lease that cannot be given, or whose end could not be carried out, ends in a tick of its own:
 * recorded, with what remains of the upload; newcomers wait until then. `held`: the gate has it
 * still and will say its end, which then means nothing any more.
 */
void puts_abandon(struct keep *keep, struct put *p, int code, bool held);

/* In decide: the node's upload goes, with its blobs; a node without a version goes as well. */
MUST_USE int puts_discard(struct keep *keep, struct node_row *node);

#endif
