/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "daemon/gate/put_inside.h"

bool put_may_rekey(const struct put *p)
{
	return p->rekeys < REKEYS_FREE || (p->rekeys < REKEYS_MAX && p->carried <= CARRY_MAX);
}

static int find_carry(struct put *p)
{
	int rc = 0;

	spans_clear(&p->carry);
	SPANS_EACH(run, &p->sealed, 0, NO_CHUNK)
	SPANS_EACH(piece, &p->present, run.from * CHUNK, run.to * CHUNK)
	if (!rc)
		rc = spans_add(&p->carry, piece.from, piece.to);
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		if (p->slot[i].state == SLOT_FIXED)
			put_release(&p->slot[i]);
	return rc;
}

/* It stays as it was: what was fetched is in the blob and claimed. */
static void forget_recalled(struct put *p)
{
	spans_clear(&p->carry);
	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		struct slot *s = &p->slot[i];
		if (s->state == SLOT_OPEN && spans_have(&p->claimed, s->index, s->index + 1))
			put_release(s);
	}
}

static bool carry_fits(const struct put *p)
{
	uint64_t chunks = 0;

	SPANS_EACH(piece, &p->carry, 0, NO_CHUNK)
	chunks += (piece.to - 1) / CHUNK - piece.from / CHUNK + 1;
	return chunks <= put_free_slots(p);
}

/*
 * What to tell the keep of the old blob, and what to bring over. The changed chunk ends what
 * may count after a crash, but for the very first, for then nothing would come back. A
 * beginning that is shorter than what the lease began with leaves the keep in doubt which of
 * the two is the file: the little that there is then goes through the window instead.
 */
static int plan(struct put *p)
{
	uint64_t changed = p->rekey_chunk == NO_CHUNK ? 0 : p->rekey_chunk * CHUNK;
	int rc = find_carry(p);

	p->durable = put_durable(p, put_stored_run(p));
	if (changed && changed >= p->prefix && changed < p->durable)
		p->durable = changed;
	p->recalling = p->carry.count && (!p->durable || p->durable < p->prefix);
	if (rc || !p->recalling || carry_fits(p))
		return rc;
	p->recalling = false;
	return p->durable ? 0
			  : fail(E_LIMIT, "stored bytes were changed before the beginning of the "
					  "file was there");
}

/* Re-keying 1: all that is under way comes to rest, an unfinished copy is completed. */
enum put_next put_at_settle(struct put *p)
{
	if (p->rc || (p->end && p->end != END_PUBLISH)) {
		p->rekey = false;
		return put_to(p, AT_FLOW);
	}
	if (spans_end(&p->copy) > p->size)
		put_settle_shrink(p); /* nothing brings over what has been cut off */
	put_pump(p);
	if (!put_idle(p))
		return NEXT_WAIT;
	if (p->copy.count) {
		put_refuse(p, E_LIMIT,
			   "writes too far apart: unfinished pieces of the file fill "
			   "all the room that an upload has");
		return put_to(p, AT_SETTLE);
	}
	int rc = plan(p);
	if (!rc)
		return put_to(p, AT_RECALL);
	put_failed(p, rc);
	forget_recalled(p);
	return put_to(p, AT_SETTLE);
}

/* Re-keying 2: fetch what has to go through the window. */
enum put_next put_at_recall(struct put *p)
{
	if (!p->rc && p->recalling && p->carry.count) {
		put_load(p, &p->blob, &p->carry);
		if (p->busy)
			return NEXT_WAIT;
		if (!p->rc)
			put_refuse(p, E_LIMIT, "stored bytes were changed too far apart");
	}
	p->recalling = false;
	if (!p->rc)
		return put_to(p, AT_PART);
	forget_recalled(p);
	return put_to(p, AT_SETTLE);
}

/* Re-keying 3: make durable what shall count, let go of the old blob. */
enum put_next put_at_part(struct put *p)
{
	put_part(p, false, true);
	return put_to(p, AT_PARTED);
}

static void on_rekeyed(void *arg, const struct answer *a)
{
	struct put *p = arg;
	struct lease l = {0};
	int rc = a->status;

	p->asking = false;
	if (rc) {
		CLEANUP(mem_free) char *text = put_sentence(a);
		put_refuse(p, rc, text);
	} else {
		rc = lease_read(a->body, &l);
		if (!rc)
			rc = put_adopt_again(p, &l, a);
		if (rc)
			put_failed(p, rc);
	}
	put_wipe_lease(&l);
	put_drive(p);
}

enum put_next put_at_parted(struct put *p)
{
	struct ask_put_rekey m = {.durable = p->durable};

	if (p->busy)
		return NEXT_WAIT;
	p->rekey = false;
	p->rekeys++;
	p->carried += p->durable;
	if (p->rc || (p->end && p->end != END_PUBLISH)) {
		p->spoilt = true; /* the blob is closed: it can only be left as it is */
		return put_to(p, AT_FLOW);
	}
	p->asking = true;
	(void)keeper_ask_put_rekey(p->keeper, p->number, &m, on_rekeyed, p);
	return put_to(p, AT_REKEYED);
}

enum put_next put_at_rekeyed(struct put *p)
{
	if (p->asking)
		return NEXT_WAIT;
	p->spoilt |= p->rc != 0;
	return put_to(p, AT_FLOW);
}
