/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "daemon/gate/put_inside.h"

struct slot *put_find(struct put *p, uint64_t index)
{
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		if (p->slot[i].state != SLOT_FREE && p->slot[i].index == index)
			return &p->slot[i];
	return NULL;
}

bool put_complete(const struct slot *s)
{
	return s->state == SLOT_OPEN && !s->loading && spans_have(&s->have, 0, CHUNK);
}

void put_release(struct slot *s)
{
	s->state = SLOT_FREE;
	spans_clear(&s->have);
}

/* The hash cursor can get there without any further byte from the client. */
static bool hashed_soon(const struct put *p, uint64_t index)
{
	return index < p->hashed || spans_run(&p->claimed, p->hashed) > index;
}

static bool may_give_way(const struct put *p, const struct slot *s)
{
	return s->state == SLOT_FIXED && !s->sealing && !s->hashing &&
	       spans_have(&p->sealed, s->index, s->index + 1) && !hashed_soon(p, s->index);
}

unsigned put_free_slots(const struct put *p)
{
	unsigned n = 0;

	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		const struct slot *s = &p->slot[i];
		n += s->state == SLOT_FREE || may_give_way(p, s);
	}
	return n;
}

/* Warm memory first. */
static struct slot *choose(struct put *p)
{
	struct slot *best = NULL;

	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		struct slot *s = &p->slot[i];
		if (s->state == SLOT_FREE && (!best || (s->data && !best->data)))
			best = s;
	}
	for (unsigned i = 0; !best && i < PUT_WINDOW; i++)
		if (may_give_way(p, &p->slot[i]))
			best = &p->slot[i];
	return best;
}

int put_take(struct put *p, uint64_t index, struct slot **ret_slot)
{
	struct slot *s = choose(p);

	if (!s)
		return E_AGAIN;
	if (!s->data) {
		int rc = buffer_take(&s->data);
		if (rc)
			return rc;
	}
	put_release(s);
	s->state = SLOT_OPEN;
	s->loading = s->sealing = s->hashing = false;
	s->index = index;
	*ret_slot = s;
	return 0;
}

/* --- the logical size --- */

static void crop_slot(struct slot *s, uint64_t size)
{
	uint64_t from = s->index * CHUNK;

	spans_crop(&s->have, size > from ? size - from : 0);
	if (s->have.count == 0 && !s->loading)
		put_release(s);
}

/*
 * What a shrink cut off stays, in case the client closes now (a partial keeps it). As soon as
 * the upload grows again it is gone, as in any file: only sealed chunks cannot change, and there
 * `present` says what counts.
 */
void put_settle_shrink(struct put *p)
{
	if (p->before == SIZE_UNKNOWN)
		return;
	p->before = SIZE_UNKNOWN;
	spans_crop(&p->present, p->size);
	spans_crop(&p->copy, p->size);
	spans_crop(&p->carry, p->size);
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		if (p->slot[i].state == SLOT_OPEN)
			crop_slot(&p->slot[i], p->size);
}

void put_drop_islands(struct put *p)
{
	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		struct slot *s = &p->slot[i];
		if (s->state == SLOT_OPEN && !s->loading &&
		    s->index * CHUNK >= spans_run(&p->present, 0))
			put_release(s);
	}
}

static void grow(struct put *p, uint64_t size)
{
	put_settle_shrink(p);
	p->size = size;
	p->shrunk = false;
}

int put_truncate(struct put *p, uint64_t size)
{
	if (p->rc)
		return put_error(p);
	if (size > AGE_PLAIN_MAX)
		return fail(E_LIMIT, "no file may have %llu bytes", (unsigned long long)size);
	if (size == p->size)
		return 0;
	p->declared = SIZE_UNKNOWN; /* the client has changed its mind */
	if (size > p->size) {
		grow(p, size);
		return 0;
	}
	if (p->before == SIZE_UNKNOWN)
		p->before = p->size;
	p->size = size;
	p->shrunk = true;
	return 0;
}

uint64_t put_size(const struct put *p)
{
	return p->size;
}

bool put_publishable(const struct put *p)
{
	return !p->shrunk && spans_have(&p->present, 0, p->size) &&
	       (p->declared == SIZE_UNKNOWN || p->size >= p->declared);
}

/* --- one write --- */

struct piece {
	uint64_t index;
	size_t from, len; /* within the chunk */
	const uint8_t *data;
};

static bool next_piece(struct piece *piece, uint64_t *offset, struct view *rest)
{
	if (rest->len == 0)
		return false;
	piece->index = *offset / CHUNK;
	piece->from = (size_t)(*offset % CHUNK);
	piece->len = CHUNK - piece->from < rest->len ? CHUNK - piece->from : rest->len;
	piece->data = rest->data;
	*offset += piece->len;
	rest->data += piece->len;
	rest->len -= piece->len;
	return true;
}

static int again(struct put *p)
{
	if (p->rc)
		return put_error(p);
	assert(!put_idle(p) || p->again); /* whoever waits must be woken */
	p->hungry = true;
	return E_AGAIN;
}

/* Other bytes came for a sealed chunk. */
static int want_rekey(struct put *p, uint64_t index)
{
	if (!put_may_rekey(p)) {
		put_refuse(p, E_LIMIT,
			   "bytes that were stored already have been changed too "
			   "often: send the file again as a whole");
		return put_error(p);
	}
	p->rekey = true;
	p->rekey_chunk = index;
	put_drive(p);
	return again(p);
}

struct look {
	bool known;          /* the check of this write has come back */
	unsigned fresh;      /* slots that it needs */
	struct spans unseen; /* sealed chunks that are not in the window */
	bool unknown;        /* some of them must be compared first */
};

static bool is_known(const struct put *p, const struct look *look, uint64_t index)
{
	return look->known && spans_have(&p->check.chunks, index, index + 1);
}

/* Whether it is of the tail that the lease began with, and has other bytes. After a crash the keep
 * would go on from those that it has, so it must hear of it before the client does. */
static bool changes_kept(const struct put *p, const struct slot *s, const struct piece *piece)
{
	uint64_t base = piece->index * CHUNK;

	if (base + piece->from >= p->kept || base + CHUNK < p->kept ||
	    spans_have(&p->claimed, piece->index, piece->index + 1))
		return false;
	size_t len = p->kept - base - piece->from < piece->len
			 ? (size_t)(p->kept - base - piece->from)
			 : piece->len;
	return !s || !spans_have(&s->have, piece->from, piece->from + len) ||
	       memcmp(s->data + piece->from, piece->data, len) != 0;
}

static int look_at(struct put *p, struct look *look, const struct piece *piece)
{
	uint64_t i = piece->index;
	const struct slot *s = put_find(p, i);

	if (changes_kept(p, s, piece))
		return want_rekey(p, i);
	if (s && s->state == SLOT_FIXED)
		return memcmp(s->data + piece->from, piece->data, piece->len) ? want_rekey(p, i)
									      : 0;
	if (s)
		return s->loading ? again(p) : 0;
	if (!spans_have(&p->claimed, i, i + 1)) {
		look->fresh++;
		return 0;
	}
	if (!is_known(p, look, i))
		look->unknown = true;
	else if (p->check.differs == i)
		return want_rekey(p, i);
	return spans_add(&look->unseen, i, i + 1);
}

static int look_over(struct put *p, struct look *look, uint64_t offset, struct view data)
{
	struct piece piece;
	int rc = 0;

	look->known = p->check.known && p->check.offset == offset &&
		      view_equal(view_buf(&p->check.data), data);
	for (uint64_t at = offset; !rc && next_piece(&piece, &at, &data);)
		rc = look_at(p, look, &piece);
	return rc;
}

/* Complete as soon as its bytes of the source have come. */
static bool will_complete(const struct put *p, const struct slot *s)
{
	uint64_t base = s->index * CHUNK, at = 0;

	SPANS_EACH(piece, &s->have, 0, CHUNK)
	{
		if (!spans_have(&p->copy, base + at, base + piece.from))
			return false;
		at = piece.to;
	}
	return spans_have(&p->copy, base + at, base + CHUNK);
}

static bool comes_free(const struct put *p, const struct slot *s)
{
	uint64_t limit = p->size > p->reach ? p->size : p->reach;

	if (s->state == SLOT_FIXED)
		return !may_give_way(p, s);
	return s->state == SLOT_OPEN && (s->index + 1) * CHUNK < limit && will_complete(p, s);
}

/* No slot for it now. Waiting helps only if enough of them will come free by themselves. */
static int wait_for_slots(struct put *p, unsigned fresh, uint64_t end)
{
	unsigned coming = put_free_slots(p);

	if (end > p->reach)
		p->reach = end; /* so that a chunk held back at the very end may go */
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		coming += comes_free(p, &p->slot[i]);
	p->starved = true;
	p->hold = false;
	put_pump(p);
	if (!p->rc && (coming < fresh || put_idle(p)))
		put_refuse(p, E_LIMIT,
			   "writes too far apart: unfinished pieces of the file fill "
			   "all the room that an upload has");
	return again(p);
}

static int place(struct put *p, const struct piece *piece)
{
	struct slot *s = put_find(p, piece->index);
	uint64_t at = piece->index * CHUNK + piece->from;
	int rc = 0;

	if (spans_have(&p->claimed, piece->index, piece->index + 1))
		return 0; /* the same bytes are there */
	if (!s)
		rc = put_take(p, piece->index, &s);
	if (!rc)
		rc = spans_add(&s->have, piece->from, piece->from + piece->len);
	if (!rc)
		rc = spans_cut(&p->copy, at, at + piece->len);
	if (rc)
		return rc;
	memcpy(s->data + piece->from, piece->data, piece->len);
	s->touched = ++p->writes;
	return 0;
}

static int place_all(struct put *p, uint64_t offset, struct view data)
{
	struct piece piece;
	int rc = spans_add(&p->present, offset, offset + data.len);

	for (uint64_t at = offset; !rc && next_piece(&piece, &at, &data);)
		rc = place(p, &piece);
	assert(rc != E_AGAIN); /* the slots were counted */
	return rc;
}

static int accept_write(struct put *p, uint64_t offset, struct view data)
{
	struct look look = {.unseen = spans_of(PUT_WRITE_MAX / CHUNK + 2)};
	int rc = look_over(p, &look, offset, data);

	if (!rc && look.unknown)
		rc = put_check(p, offset, data, &look.unseen);
	else if (!rc && look.fresh > put_free_slots(p))
		rc = wait_for_slots(p, look.fresh, offset + data.len);
	else if (!rc)
		rc = place_all(p, offset, data);
	if (!rc && look.unknown)
		rc = again(p);
	spans_done(&look.unseen);
	return rc;
}

static int write_now(struct put *p, uint64_t offset, struct view data)
{
	if (data.len > PUT_WRITE_MAX || offset > AGE_PLAIN_MAX - data.len)
		return fail(E_LIMIT, "no file may have %zu bytes at %llu", data.len,
			    (unsigned long long)offset);
	if (p->at != AT_FLOW || p->rekey || p->synced_done || p->check.job.busy)
		return again(p);

	uint64_t end = offset + data.len;
	if (!put_reserve(p, end))
		return again(p);
	if (end > p->size)
		put_settle_shrink(p);
	/* Bringing the old content over before the client has decided what it changes would
	 * seal bytes that it overwrites next; one that appends changes nothing there. */
	p->copy_now = offset >= spans_end(&p->copy);
	int rc = accept_write(p, offset, data);
	if (rc)
		return rc;
	if (end > p->size)
		grow(p, end);
	p->starved = p->hold = false;
	p->check.known = false;
	put_pump(p);
	return 0;
}

int put_write(struct put *p, uint64_t offset, struct view data)
{
	assert(p->end == END_NONE); /* a put that was closed or abandoned is not the caller's */
	if (p->rc)
		return put_error(p);
	if (data.len == 0)
		return 0;
	p->called = true;
	int rc = write_now(p, offset, data);
	p->called = false;
	if (!rc || rc == E_AGAIN)
		return rc;
	if (!p->rc)
		put_failed(p, rc);
	err_clear();
	return put_error(p);
}
