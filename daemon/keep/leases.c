/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/leases.h"

#include <stdlib.h>

#include "age/header.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/tiny.h"
#include "base/clock.h"
#include "base/mem.h"

struct lease_work {
	/* Decided. */
	struct keep *keep;
	struct zone_keys *zone_keys;
	struct upload_row row;
	bool fresh, bare;        /* bare: there is no blob yet */
	struct secret *file_key; /* of a fresh blob, drawn in the tick because the row pins it */
	uint8_t nonce[AGE_NONCE];
	struct age_recipient recipient[LEASE_RECIPIENTS];
	size_t recipients;
	struct buf content; /* of a tiny source: the age file */
	struct blob_pin pin, source_pin;
	uint64_t put; /* its number */
	/* Done. */
	struct sealed_blob blob, source;
	struct secret *plain; /* of the resume state below */
	bool tail_lost;       /* which cannot be read */
	struct buf begun;     /* plaintext of a tiny source, the tail of the state below */
	struct resume_state state;
};

static void work_free(void *work)
{
	struct lease_work *w = work;

	blob_unpin(&w->pin);
	blob_unpin(&w->source_pin);
	zone_keys_unref(&w->zone_keys);
	secret_free(&w->file_key);
	sealed_blob_done(&w->blob);
	sealed_blob_done(&w->source);
	secret_free(&w->plain);
	buf_done(&w->content);
	buf_wipe(&w->begun);
	free(w);
}

size_t lease_recipients(const struct keep *keep, const struct zone *zone,
			struct age_recipient ret_recipients[LEASE_RECIPIENTS])
{
	size_t count = 0;

	ret_recipients[count++] = *zone_keys_recipient(zone->keys);
	if (zone->row.recovery && keep->has_recovery)
		ret_recipients[count++] = keep->recovery;
	return count;
}

static struct lease_work *work_new(struct ask *a, const struct zone *zone, bool fresh)
{
	struct keep *keep = a->gate->keep;
	struct lease_work *w = mem_new(sizeof *w);

	w->keep = keep;
	w->zone_keys = zone_keys_ref(zone->keys);
	w->fresh = fresh;
	w->blob = w->source = SEALED_BLOB_NONE;
	w->recipients = lease_recipients(keep, zone, w->recipient);
	if (a->work)
		a->drop_work(a->work); /* of an earlier try, before the ask was parked */
	a->work = w;
	a->drop_work = work_free;
	return w;
}

static int draw_blob(struct lease_work *w, struct upload_row *row)
{
	int rc = random_bytes(row->blob, sizeof row->blob);

	if (!rc)
		rc = random_bytes(w->nonce, sizeof w->nonce);
	if (!rc)
		rc = age_file_key_new(&w->file_key);
	return rc ? rc : age_stream_pin(w->file_key, w->nonce, row->pin);
}

/* What the upload goes on from, if the catalog has it. */
static int take_content(struct lease_work *w)
{
	if (!w->row.has_source || !w->row.source_tiny)
		return 0;
	int rc = catalog_tiny_get(w->keep->catalog, w->row.source_blob, &w->content);
	return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost a file's content") : rc;
}

int lease_plan(struct ask *a, const struct zone *zone, struct upload_row *row, bool fresh)
{
	struct lease_work *w = work_new(a, zone, fresh);
	int rc = fresh ? draw_blob(w, row) : 0;

	w->row = *row;
	w->bare = fresh && a->frame.verb == VERB_PUT_OPEN && (!row->has_source || row->source_tiny);
	if (!rc)
		rc = take_content(w);
	/* From here on the key is in use again, so only a clean end lets it go on once more. What
	 * the last one left stands all the same, in the blob and in uploads/ID, until the gate has
	 * made more durable than that: if it dies, another blob goes on from there. */
	row->goes_on = false;
	if (fresh)
		row->clean = false;
	row->touched_us = clock_utc_us();
	if (!rc)
		rc = row->id ? catalog_upload_set(w->keep->catalog, row)
			     : catalog_upload_add(w->keep->catalog, row);
	w->row.id = row->id;
	memcpy(w->row.ticket, row->ticket, sizeof row->ticket);
	blob_pin(w->keep, row->blob, &w->pin);
	if (row->has_source)
		blob_pin(w->keep, row->source_blob, &w->source_pin);
	return rc;
}

int lease_continue(struct ask *a, const struct zone *zone, struct upload_row *row)
{
	struct keep *keep = a->gate->keep;

	/* Nothing of it stands, maybe not even the blob; or its prefix was not all re-sealed. */
	if (row->has_source || (!row->clean && row->durable < AGE_CHUNK)) {
		if (!row->has_source)
			row->durable = 0;
		int rc = catalog_doomed_add(keep->catalog, row->blob);
		return rc ? rc : lease_plan(a, zone, row, true);
	}
	row->has_source = true;
	row->source_finished = row->source_tiny = false;
	row->source_clean = row->clean;
	memcpy(row->source_blob, row->blob, sizeof row->source_blob);
	memcpy(row->source_pin, row->pin, sizeof row->source_pin);
	if (!row->clean)
		row->durable -= row->durable % AGE_CHUNK;
	row->prefix = row->source_size = row->durable;
	return lease_plan(a, zone, row, true);
}

int lease_store(struct ask *a, const struct zone *zone, const struct upload_row *row, struct put *p)
{
	struct lease_work *w = work_new(a, zone, true);
	struct view key = secret_view(p->file_key);

	w->row = *row;
	w->row.has_source = false; /* what it begins with, the gate has */
	w->put = p->number;
	memcpy(w->nonce, p->nonce, sizeof w->nonce);
	blob_pin(w->keep, row->blob, &w->pin);
	return secret_copy(key.data, key.len, &w->file_key);
}

void lease_attach(struct ask *a, struct put *p)
{
	struct lease_work *w = a->work;

	p->bare = w->bare;
	memcpy(p->nonce, w->nonce, sizeof p->nonce);
	w->put = p->number;
	memcpy(p->blob, w->row.blob, sizeof p->blob);
	memcpy(p->pin, w->row.pin, sizeof p->pin);
	p->durable = w->row.durable;
	/* A fresh blob is empty, whatever stands of the upload. */
	put_promise(&w->keep->sessions, p, w->row.reserved, w->fresh ? 0 : w->row.durable);
}

/* A tiny file is what the upload begins with, as if it had been suspended there: there is nothing
 * to copy. The row has it as its source all the same, for only with a clean end, or when it is
 * published, the upload can do without. */
static int begin_with_tiny(struct lease_work *w)
{
	int rc = tiny_read(view_buf(&w->content), zone_keys_identity(w->zone_keys),
			   w->row.source_pin, &w->begun);

	if (!rc && w->begun.len != w->row.prefix)
		rc = fail(E_INTEGRITY, "a file whose content has another size");
	w->state.tail = view_buf(&w->begun);
	return rc;
}

static int load_state(struct lease_work *w, const uint8_t blob[ID_SIZE],
		      const struct sealed_blob *from)
{
	int rc = resume_load(w->keep->blobs, w->keep->keys, blob, from->file_key, w->row.durable,
			     &w->plain, &w->state);

	if (rc == E_GONE)
		rc = fail(E_INTEGRITY, "an upload's resume state is missing");
	w->tail_lost = rc == E_INTEGRITY;
	return rc;
}

/* Of what an earlier lease left, all but the end is in its blob. */
static int open_source(struct lease_work *w)
{
	if (!w->row.has_source)
		return 0;
	if (w->row.source_tiny)
		return begin_with_tiny(w);
	int rc = sealed_blob_open(w->keep->blobs, w->row.source_blob, false,
				  zone_keys_identity(w->zone_keys), w->row.source_pin, &w->source);

	return rc || !w->row.source_clean ? rc : load_state(w, w->row.source_blob, &w->source);
}

static int open_resumed(struct lease_work *w)
{
	int rc = sealed_blob_open(w->keep->blobs, w->row.blob, true,
				  zone_keys_identity(w->zone_keys), w->row.pin, &w->blob);

	return rc ? rc : load_state(w, w->row.blob, &w->blob);
}

int lease_complete(struct deed *d)
{
	struct lease_work *w = ask_of(d)->work;

	if (!w->fresh)
		return open_resumed(w);
	int rc = open_source(w);
	if (rc)
		return rc;
	return w->bare ? sealed_blob_keys(w->file_key, w->nonce, &w->blob)
		       : sealed_blob_make(d->keep->blobs, w->row.blob, w->file_key, w->nonce,
					  w->recipient, w->recipients, &w->blob);
}

/* ---- back on the loop ---- */

/* All of a short one may be its tail. */
static bool gives_source(const struct lease_work *w)
{
	return w->row.has_source && w->row.prefix > w->state.tail.len;
}

static void write_lease(struct ask *a, const struct put *p)
{
	const struct lease_work *w = a->work;
	struct lease m = {.put = p->number,
			  .bare = w->bare,
			  .blob_offset = w->blob.payload,
			  .size = w->row.durable,
			  .granted = p->granted,
			  .tail = w->state.tail,
			  .declared = w->row.declared};

	memcpy(m.ticket, w->row.ticket, sizeof m.ticket);
	memcpy(m.payload_key, w->blob.key, sizeof m.payload_key);
	if (!w->fresh) {
		m.sealed = w->state.sealed;
		m.digest = w->state.digest;
	}
	if (gives_source(w)) {
		m.prefix = w->row.prefix - w->state.tail.len;
		m.source_finished = w->row.source_finished;
		m.source_size = w->row.source_size;
		m.source_offset = w->source.payload;
		memcpy(m.source_key, w->source.key, sizeof m.source_key);
	}
	lease_write(ask_out(a, 512 + m.digest.len + m.tail.len), &m);
	wipe(&m, sizeof m);
}

static void hand_over(struct ask *a, struct put *p)
{
	struct lease_work *w = a->work;

	p->head = w->blob.payload;
	secret_free(&p->file_key);
	p->file_key = TAKE(w->blob.file_key);
	if (a->frame.verb == VERB_PUT_STORE) {
		struct answer_put_store m = {.blob_offset = w->blob.payload};
		answer_put_store_write(ask_out(a, 16), &m);
	} else {
		write_lease(a, p);
	}
	p->lent = true;
	if (w->blob.fd >= 0)
		a->fds[a->fd_count++] = TAKE_FD(w->blob.fd);
	if (gives_source(w))
		a->fds[a->fd_count++] = TAKE_FD(w->source.fd);
}

void lease_finish(struct deed *d)
{
	struct keep *keep = d->keep;
	struct ask *a = ask_of(d);
	struct lease_work *w = a->work;
	uint64_t number = w ? w->put : 0;
	struct put *p = slots_find(&keep->sessions.uploads, number);

	if (d->rc == 0 && (!p || p->revoked))
		(void)deed_note(d, fail(E_GONE, "this upload was taken over or removed"));
	if (d->rc == 0)
		hand_over(a, p);
	else if (p) { /* a gate knows a put of its own, one that was to be opened it never hears of
		       */
		p->tail_lost = w->tail_lost;
		puts_abandon(keep, p, d->rc, a->frame.verb != VERB_PUT_OPEN);
	}
	ask_finish(d);
	p = slots_find(&keep->sessions.uploads, number); /* sending may have ended its gate */
	if (p)
		puts_urge(p);
}
