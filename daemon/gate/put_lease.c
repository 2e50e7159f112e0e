/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/put_inside.h"

static bool lease_makes_sense(const struct lease *l)
{
	if (l->size > AGE_PLAIN_MAX || l->tail.len > CHUNK || l->tail.len > l->size ||
	    l->sealed > l->size / CHUNK)
		return false;
	if (l->sealed && l->digest.len != SHA256_STATE_SIZE)
		return false;
	if (l->bare && (l->prefix || l->sealed))
		return false;
	if (l->prefix)
		return l->size - l->tail.len == l->prefix && !l->sealed &&
		       (!l->tail.len || l->prefix % CHUNK == 0) && l->source_size >= l->prefix &&
		       l->source_size <= AGE_PLAIN_MAX;
	return l->size == l->sealed * CHUNK + l->tail.len;
}

static int take_blobs(struct put *p, const struct lease *l, const struct answer *a)
{
	bool wants_source = l->prefix || p->carry.count;
	struct view key = view_of(l->payload_key, WIRE_HASH);
	int rc = 0;

	p->bare = l->bare;
	if (p->bare)
		return payload_begin(key, &p->blob);
	if (a->fd_count < 1 || (wants_source && a->fd_count < 2))
		return fail(E_PROTOCOL, "a lease without its descriptors");
	rc = payload_open(&a->fds[0], l->blob_offset, key, &p->blob);
	if (rc || !wants_source)
		return rc;
	rc = payload_open(&a->fds[1], l->source_offset, view_of(l->source_key, WIRE_HASH),
			  &p->source);
	p->source.finished = l->source_finished != 0;
	p->source.size = l->source_size;
	return rc;
}

/* The chunks and the tail of a clean resume; the tail alone where the chunks must be brought from
 * another blob first. */
static int restore(struct put *p, const struct lease *l)
{
	struct slot *s = NULL;
	int rc = spans_add(&p->claimed, 0, l->sealed);

	if (!rc)
		rc = spans_add(&p->sealed, 0, l->sealed);
	if (!rc && l->sealed)
		rc = sha256_load(&p->hash, l->digest.data);
	if (!rc && sha256_count(&p->hash) != l->sealed * CHUNK)
		rc = fail(E_INTEGRITY, "the digest of the upload does not fit its chunks");
	if (!rc && l->tail.len)
		rc = put_take(p, l->prefix ? l->prefix / CHUNK : l->sealed, &s);
	if (!rc && s) {
		memcpy(s->data, l->tail.data, l->tail.len);
		rc = spans_add(&s->have, 0, l->tail.len);
	}
	return rc;
}

int put_adopt(struct put *p, const struct lease *l, const struct answer *a)
{
	p->number = l->put;
	memcpy(p->ticket, l->ticket, sizeof p->ticket);
	if (p->declared == SIZE_UNKNOWN)
		p->declared = l->declared;
	if (!lease_makes_sense(l))
		return fail(E_PROTOCOL, "a lease that makes no sense");
	int rc = spans_add(&p->present, 0, l->size);
	p->granted = l->granted;
	p->size = l->size;
	p->prefix = l->prefix;
	p->kept = l->bare || !l->tail.len ? 0 : l->size;
	p->hashed = p->synced = p->reported = l->sealed;
	if (!rc)
		rc = take_blobs(p, l, a);
	if (!rc)
		rc = spans_add(&p->copy, 0, l->prefix);
	return rc ? rc : restore(p, l);
}

/* The same upload under another key: nothing is sealed yet, all is to be copied. */
int put_adopt_again(struct put *p, const struct lease *l, const struct answer *a)
{
	spans_clear(&p->claimed);
	spans_clear(&p->sealed);
	p->hashed = p->synced = p->reported = 0;
	sha256_init(&p->hash);
	p->check.known = p->spoilt = false;
	/* Nothing is brought over or sealed before the change that it was all for. */
	p->copy_now = false;
	p->hold = !p->end && p->rekey_chunk != NO_CHUNK;
	if (l->put != p->number || l->bare)
		return fail(E_PROTOCOL, "a lease for another upload");
	if (l->granted > p->granted)
		p->granted = l->granted;
	p->prefix = l->prefix;
	p->kept = 0; /* the keep has been told */
	/* Another source than the old blob would bring other bytes, and authentic ones at that. */
	if (p->carry.count && l->prefix != p->durable)
		return fail(E_LIMIT, "stored bytes were changed that had not yet taken the old "
				     "content's place: send the file again as a whole");
	int rc = take_blobs(p, l, a);
	struct spans empty = p->copy; /* it has been copied before, or nothing was */
	p->copy = p->carry;
	p->carry = empty;
	return rc;
}

void put_wipe_lease(struct lease *l)
{
	wipe(l->payload_key, sizeof l->payload_key);
	wipe(l->source_key, sizeof l->source_key);
}
