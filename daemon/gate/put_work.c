/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/gate/put_inside.h"

static void start(struct put *p, struct job *j, int (*work)(struct job *),
		  void (*done)(struct job *))
{
	j->owner = p;
	j->work = work;
	j->done = done;
	p->busy++;
	job_start(p->loop, j);
}

static struct put *ended(struct job *j)
{
	struct put *p = j->owner;

	p->busy--;
	return p;
}

/* What a read-back or a load says is final: bytes that were stored or authenticated once do not
 * come back as they were. */
static void judge(struct put *p, const struct job *j)
{
	if (j->rc)
		put_poison(p, j->rc, j->text);
}

/* --- storing --- */

static void settle_slot(struct put *p, struct slot *s)
{
	if (!s->sealing && !s->hashing && s->index < p->hashed)
		put_release(s);
}

static int store_work(struct job *j)
{
	struct store_job *w = CONTAINER_OF(j, struct store_job, job);
	const struct put *p = j->owner;
	int rc = 0;

	for (w->stored = 0; w->stored < w->count; w->stored++) {
		const struct slot *s = w->slot[w->stored];
		rc = payload_store(&p->blob, s->index, false, view_of(s->data, CHUNK), w->scratch);
		if (rc)
			break;
	}
	return rc;
}

static void store_done(struct job *j)
{
	struct store_job *w = CONTAINER_OF(j, struct store_job, job);
	struct put *p = ended(j);
	int rc = 0;

	/* A full disk spoils this chunk and no other. */
	if (j->rc)
		p->spoilt = true;
	if (j->rc == E_FULL)
		put_refuse(p, j->rc, j->text);
	else
		judge(p, j);
	if (w->stored)
		rc = spans_add(&p->sealed, w->slot[0]->index, w->slot[0]->index + w->stored);
	if (rc)
		put_poison(p, rc, err_cause());
	for (unsigned i = 0; i < w->count; i++) {
		w->slot[i]->sealing = false;
		settle_slot(p, w->slot[i]);
	}
	put_drive(p);
}

/* Behind a client that leaves only the contiguous beginning matters, and sealing anything else
 * would cost the clean resume. Chunks behind what is still to be copied do count: it will be. */
static bool sealable(const struct put *p, const struct slot *s)
{
	uint64_t end = (s->index + 1) * CHUNK;

	if (!put_complete(s))
		return false;
	if (p->end == END_PARTIAL || p->end == END_LEAVE)
		return end < p->size && end <= spans_run(&p->present, 0);
	return end < p->size || end < p->reach;
}

static const struct slot *first_sealable(const struct put *p)
{
	const struct slot *first = NULL;

	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		const struct slot *s = &p->slot[i];
		if ((!first || s->index < first->index) && sealable(p, s))
			first = s;
	}
	return first;
}

static bool stores_busy(const struct put *p)
{
	bool busy = false;

	for (unsigned i = 0; i < STORE_JOBS; i++)
		busy |= p->store[i].job.busy;
	return busy;
}

/* The one place where chunks are claimed: never twice under one lease. */
static int claim(struct put *p, struct store_job *w)
{
	uint64_t first = w->slot[0]->index;
	int rc = w->scratch ? 0 : buffer_take(&w->scratch);

	assert(!spans_meet(&p->claimed, first, first + w->count));
	if (!rc)
		rc = spans_add(&p->claimed, first, first + w->count);
	for (unsigned i = 0; !rc && i < w->count; i++) {
		w->slot[i]->state = SLOT_FIXED;
		w->slot[i]->sealing = true;
		spans_clear(&w->slot[i]->have);
	}
	return rc;
}

/* False when there was nothing to begin. A short run waits while another is stored: by then it
 * has become longer. */
static bool start_store(struct put *p)
{
	struct store_job *w = NULL;
	const struct slot *first = p->spoilt || p->hold ? NULL : first_sealable(p);
	struct slot *next;

	for (unsigned i = 0; i < STORE_JOBS; i++)
		if (!p->store[i].job.busy)
			w = &p->store[i];
	if (!w || !first)
		return false;
	if (p->bare) {
		put_ask_store(p);
		return false;
	}
	for (w->count = 0; w->count < STORE_BATCH; w->slot[w->count++] = next) {
		next = put_find(p, first->index + w->count);
		if (!next || !sealable(p, next))
			break;
	}
	if (w->count < STORE_BATCH && stores_busy(p))
		return false;
	int rc = claim(p, w);
	if (rc) {
		put_failed(p, rc);
		return false;
	}
	start(p, &w->job, store_work, store_done);
	return true;
}

/* --- hashing --- */

static int hash_work(struct job *j)
{
	struct hash_job *w = CONTAINER_OF(j, struct hash_job, job);
	struct put *p = j->owner;
	size_t len = 0;
	int rc = 0;

	for (unsigned i = 0; !rc && i < w->count; i++) {
		const uint8_t *data = w->scratch;
		if (w->slot[0])
			data = w->slot[i]->data;
		else
			rc = payload_fetch(&p->blob, w->first + i, w->scratch, &len);
		if (!rc)
			sha256_add(&p->hash, data, CHUNK);
	}
	return rc;
}

static void hash_done(struct job *j)
{
	struct hash_job *w = CONTAINER_OF(j, struct hash_job, job);
	struct put *p = ended(j);

	judge(p, j);
	for (unsigned i = 0; w->slot[0] && i < w->count; i++)
		w->slot[i]->hashing = false;
	p->hashed += w->count;
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		if (p->slot[i].state == SLOT_FIXED)
			settle_slot(p, &p->slot[i]);
	put_drive(p);
}

/* The run of chunks at the cursor: out of the window, else (they had to leave it) the blob. */
static unsigned next_to_hash(struct put *p, struct hash_job *w)
{
	unsigned n = 0;
	struct slot *s;

	w->first = p->hashed;
	w->slot[0] = NULL;
	for (; n < HASH_BATCH; n++) {
		s = put_find(p, p->hashed + n);
		if (!s || s->state != SLOT_FIXED)
			break;
		w->slot[n] = s;
		s->hashing = true;
	}
	if (n)
		return n;
	uint64_t stored = spans_run(&p->sealed, p->hashed) - p->hashed;
	return stored < STORE_BATCH ? (unsigned)stored : STORE_BATCH;
}

static void start_hash(struct put *p)
{
	struct hash_job *w = &p->hash_job;

	/* What is left unclean needs no digest. */
	if (w->job.busy || (p->end == END_LEAVE && !put_clean(p) && !put_copies_on(p)))
		return;
	w->count = next_to_hash(p, w);
	if (!w->count)
		return;
	int rc = w->slot[0] || w->scratch ? 0 : buffer_take(&w->scratch);
	if (rc) {
		put_failed(p, rc);
		return;
	}
	start(p, &w->job, hash_work, hash_done);
}

/* --- loading --- */

static int load_work(struct job *j)
{
	struct load_job *w = CONTAINER_OF(j, struct load_job, job);
	int rc = 0;

	for (unsigned i = 0; !rc && i < w->count; i++)
		rc = payload_fetch(w->from, w->item[i].index, w->item[i].into, &w->item[i].len);
	return rc;
}

/* What the client wrote over it meanwhile is not in w->bytes any more. */
static int merge(struct load_job *w, unsigned i)
{
	struct slot *s = w->item[i].slot;
	uint64_t base = s->index * CHUNK;
	int rc = 0;

	if (spans_meet(w->bytes, base + w->item[i].len, base + CHUNK))
		return fail(E_INTEGRITY, "the content to go on from is shorter than it should be");
	SPANS_EACH(piece, w->bytes, base, base + CHUNK)
	{
		size_t from = (size_t)(piece.from - base), to = (size_t)(piece.to - base);
		if (w->item[i].into != s->data)
			memcpy(s->data + from, w->item[i].into + from, to - from);
		if (!rc)
			rc = spans_add(&s->have, from, to);
	}
	return rc ? rc : spans_cut(w->bytes, base, base + CHUNK);
}

/* What an earlier lease left in another blob is not at stake: it stays as it is, whatever comes of
 * this try to go on from it. */
static void judge_load(struct put *p, const struct load_job *w, int rc, const char *text)
{
	if (rc && w->from == &p->source && !p->source.finished)
		put_refuse(p, rc,
			   rc == E_INTEGRITY ? "what is stored of this upload is damaged: "
					       "send the file again as a whole"
					     : text);
	else if (rc)
		put_poison(p, rc, text);
}

static void load_done(struct job *j)
{
	struct load_job *w = CONTAINER_OF(j, struct load_job, job);
	struct put *p = ended(j);

	judge_load(p, w, j->rc, j->text);
	for (unsigned i = 0; i < w->count; i++) {
		struct slot *s = w->item[i].slot;
		int rc = j->rc ? 0 : merge(w, i);
		judge_load(p, w, rc, err_cause());
		if (w->item[i].into != s->data)
			buffer_give(&w->item[i].into);
		s->loading = false;
		if (s->have.count == 0)
			put_release(s);
	}
	err_clear();
	put_drive(p);
}

static int add_item(struct load_job *w, struct slot *s)
{
	uint8_t *into = s->data;
	int rc = s->have.count ? buffer_take(&into) : 0;

	if (rc)
		return rc;
	w->item[w->count].slot = s;
	w->item[w->count].index = s->index;
	w->item[w->count++].into = into;
	s->loading = true;
	return 0;
}

/* From the beginning on, as slots can be had. */
static int fill_in_order(struct put *p, struct load_job *w, unsigned leave)
{
	uint64_t end = p->size;
	int rc = 0;

	SPANS_EACH(piece, w->bytes, 0, end)
	{
		for (uint64_t i = piece.from / CHUNK; i * CHUNK < piece.to; i++) {
			struct slot *s = put_find(p, i);
			if (w->count == LOAD_BATCH || (!s && put_free_slots(p) <= leave))
				return 0;
			if (s && s->loading)
				continue; /* two pieces of one chunk */
			if (!s)
				rc = put_take(p, i, &s);
			if (!rc)
				rc = add_item(w, s);
			if (rc)
				return rc == E_AGAIN ? 0 : rc;
		}
	}
	return 0;
}

/* For slots that the client began and has left the longest ago: it may come back to the
 * others. */
static int fill_begun(struct put *p, struct load_job *w, unsigned most)
{
	int rc = 0;

	while (!rc && w->count < most) {
		struct slot *oldest = NULL;
		for (unsigned i = 0; i < PUT_WINDOW; i++) {
			struct slot *s = &p->slot[i];
			uint64_t from = s->index * CHUNK;
			if (s->state == SLOT_OPEN && !s->loading && from < p->size &&
			    spans_meet(w->bytes, from, from + CHUNK) &&
			    (!oldest || s->touched < oldest->touched))
				oldest = s;
		}
		if (!oldest)
			break;
		rc = add_item(w, oldest);
	}
	return rc;
}

void put_load(struct put *p, const struct payload *from, struct spans *bytes)
{
	struct load_job *w = &p->load;
	bool on = put_copies_on(p);
	bool must = p->rekey || p->end == END_PUBLISH || p->end == END_PARTIAL || on;
	int rc = 0;

	if (w->job.busy || (p->end == END_LEAVE && !on) || bytes->count == 0)
		return;
	w->from = from;
	w->bytes = bytes;
	w->count = 0;
	if (must || p->copy_now)
		rc = fill_in_order(p, w, must ? 0 : LOAD_LEAVES);
	if (!rc && w->count == 0 && (must || p->copy_now || p->starved))
		rc = fill_begun(p, w, must ? LOAD_BATCH : LOAD_STARVED);
	if (rc)
		put_failed(p, rc);
	if (w->count)
		start(p, &w->job, load_work, load_done);
}

/* --- comparing --- */

static bool chunk_differs(const struct check_job *w, uint64_t index)
{
	uint64_t base = index * CHUNK, end = w->offset + w->data.len;
	uint64_t from = w->offset > base ? w->offset : base;
	uint64_t to = end < base + CHUNK ? end : base + CHUNK;

	return memcmp(w->scratch + (from - base), w->data.data + (from - w->offset),
		      (size_t)(to - from)) != 0;
}

static int check_work(struct job *j)
{
	struct check_job *w = CONTAINER_OF(j, struct check_job, job);
	const struct put *p = j->owner;
	size_t len = 0;
	int rc = 0;

	SPANS_EACH(run, &w->chunks, 0, NO_CHUNK)
	for (uint64_t i = run.from; i < run.to; i++) {
		rc = payload_fetch(&p->blob, i, w->scratch, &len);
		if (rc)
			return rc;
		if (chunk_differs(w, i)) {
			w->differs = i;
			return 0;
		}
	}
	return rc;
}

static void check_done(struct job *j)
{
	struct check_job *w = CONTAINER_OF(j, struct check_job, job);
	struct put *p = ended(j);

	judge(p, j);
	w->known = j->rc == 0;
	put_drive(p);
}

int put_check(struct put *p, uint64_t offset, struct view data, const struct spans *chunks)
{
	struct check_job *w = &p->check;
	int rc = w->scratch ? 0 : buffer_take(&w->scratch);

	w->known = false;
	w->offset = offset;
	w->differs = NO_CHUNK;
	w->data.len = 0;
	spans_clear(&w->chunks);
	if (!rc)
		rc = buf_add(&w->data, data.data, data.len);
	SPANS_EACH(run, chunks, 0, NO_CHUNK)
	if (!rc)
		rc = spans_add(&w->chunks, run.from, run.to);
	if (!rc)
		start(p, &w->job, check_work, check_done);
	return rc;
}

/* --- syncing --- */

static int sync_work(struct job *j)
{
	const struct put *p = j->owner;

	return p->blob.fd < 0 ? 0 : sys_sync_data(p->blob.fd);
}

/* What is durable counts after a crash only as far as the keep knows of it. */
static bool is_told(const struct put *p)
{
	return p->rc || p->end || p->reported >= p->synced;
}

static void sync_done(struct job *j)
{
	struct sync_job *w = CONTAINER_OF(j, struct sync_job, job);
	struct put *p = ended(j);

	judge(p, j);
	if (!j->rc && w->chunks > p->synced)
		p->synced = w->chunks;
	p->sync_untold = w->asked && !is_told(p);
	if (w->asked && !p->sync_untold)
		put_synced(p);
	put_drive(p);
}

static void on_sync_due(uv_timer_t *timer)
{
	struct put *p = timer->data;

	p->sync_due = true;
	put_drive(p);
}

/* Whether what was stored has waited long enough, or is enough; else its time will come. The end
 * of a lease syncs by itself. */
static bool sync_is_due(struct put *p, uint64_t stored)
{
	uint64_t waiting = stored - p->synced;

	if (p->rc || p->end || !waiting)
		return false;
	if (p->sync_due || waiting >= STEP / CHUNK)
		return true;
	if (!uv_is_active((uv_handle_t *)&p->sync_timer))
		(void)uv_timer_start(&p->sync_timer, on_sync_due, SYNC_MS, 0);
	return false;
}

/* Now and then, so that a crash costs little; and where the owner asked, when all that is
 * complete has been stored (it writes nothing meanwhile). */
static void start_sync(struct put *p)
{
	struct sync_job *w = &p->sync;
	uint64_t stored = put_stored_run(p);
	bool asked = p->synced_done && !stores_busy(p) && (p->rc || !first_sealable(p)) &&
		     (!p->sync_untold || is_told(p));

	if (w->job.busy || (!asked && !sync_is_due(p, stored)))
		return;
	(void)uv_timer_stop(&p->sync_timer);
	p->sync_due = false;
	w->asked = asked;
	w->chunks = p->blob.fd < 0 ? 0 : stored;
	start(p, &w->job, sync_work, sync_done);
}

void put_pump(struct put *p)
{
	if (!p->poisoned) {
		while (start_store(p))
			;
		start_hash(p);
		put_load(p, &p->source, &p->copy);
		put_grant(p);
	}
	start_sync(p);
}

/* --- the end of a lease --- */

static int part_work(struct job *j)
{
	struct part_job *w = CONTAINER_OF(j, struct part_job, job);
	struct put *p = j->owner;
	const uint8_t *data = w->last ? w->last->data : NULL;
	int rc = 0;

	if (w->store) {
		struct view last = view_of(data, w->last_len);
		w->store_rc = w->keep
				  ? payload_seal(&p->blob, w->last_index, true, last, w->scratch)
				  : payload_store(&p->blob, w->last_index, true, last, w->scratch);
		if (!w->store_rc && data)
			sha256_add(&p->hash, data, w->last_len);
	}
	if (w->sync)
		rc = sys_sync_data(p->blob.fd);
	payload_close(&p->blob);
	payload_close(&p->source);
	w->sync_rc = rc;
	return rc ? rc : w->store_rc;
}

static void part_done(struct job *j)
{
	struct part_job *w = CONTAINER_OF(j, struct part_job, job);
	struct put *p = ended(j);

	if (w->sync_rc || (j->rc && j->rc != E_FULL))
		put_poison(p, j->rc, j->text);
	else if (j->rc)
		put_refuse(p, j->rc, j->text);
	if (!w->sync_rc && w->sync)
		p->synced = put_stored_run(p);
	put_drive(p);
}

static int prepare_last(struct put *p, struct part_job *w)
{
	int rc = w->scratch ? 0 : buffer_take(&w->scratch);

	w->last_index = p->size ? (p->size - 1) / CHUNK : 0;
	w->last_len = (size_t)(p->size - w->last_index * CHUNK);
	w->last = p->size ? put_find(p, w->last_index) : NULL;
	assert(!spans_meet(&p->claimed, w->last_index, NO_CHUNK));
	assert(p->size == 0 || (w->last && spans_have(&w->last->have, 0, w->last_len)));
	return rc ? rc : spans_add(&p->claimed, w->last_index, w->last_index + 1);
}

void put_part(struct put *p, bool store, bool sync)
{
	struct part_job *w = &p->part;
	int rc = 0;

	w->last = NULL;
	w->store_rc = w->sync_rc = 0;
	if (store)
		rc = prepare_last(p, w);
	if (rc)
		put_failed(p, rc);
	w->store = store && !rc;
	w->keep = w->store && p->bare;
	w->sync = sync && p->blob.fd >= 0;
	start(p, &w->job, part_work, part_done);
}

/* --- memory --- */

static void give_scratch(struct put *p)
{
	for (unsigned i = 0; i < STORE_JOBS; i++)
		buffer_give(&p->store[i].scratch);
	buffer_give(&p->hash_job.scratch);
	buffer_give(&p->check.scratch);
	buffer_give(&p->part.scratch);
}

void put_rest(struct put *p)
{
	unsigned spares = 0;

	for (unsigned i = 0; i < PUT_WINDOW; i++)
		if (p->slot[i].state == SLOT_FREE && p->slot[i].data && ++spares > SPARES)
			buffer_give(&p->slot[i].data);
	if (!p->check.known)
		buf_wipe(&p->check.data);
	give_scratch(p);
}

void put_empty(struct put *p)
{
	for (unsigned i = 0; i < PUT_WINDOW; i++) {
		buffer_give(&p->slot[i].data);
		spans_done(&p->slot[i].have);
	}
	give_scratch(p);
	buf_wipe(&p->check.data);
	spans_done(&p->check.chunks);
	spans_done(&p->copy);
	spans_done(&p->carry);
	spans_done(&p->claimed);
	spans_done(&p->sealed);
	spans_done(&p->present);
	wipe(&p->hash, sizeof p->hash);
}
