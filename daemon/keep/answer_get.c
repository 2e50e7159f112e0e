/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about downloads. The record of the opening is committed before the gate gets the
 * descriptor, so no byte leaves unrecorded. */
#include "daemon/keep/ask.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/tiny.h"

struct download_work {
	struct zone_keys *zone_keys;
	struct version_row version;
	struct attrs attrs;
	struct buf names;        /* what attrs.owner_name borrows from */
	uint8_t hash[WIRE_HASH]; /* and attrs.sha256 */
	struct buf content;      /* of a tiny version */
	uint64_t get;            /* its number */
	struct blob_pin pin;
	struct sealed_blob blob;
};

static void work_free(void *work)
{
	struct download_work *w = work;

	blob_unpin(&w->pin);
	zone_keys_unref(&w->zone_keys);
	buf_done(&w->names);
	buf_done(&w->content);
	sealed_blob_done(&w->blob);
	free(w);
}

static struct event get_event(const struct ask *a, const char *name, const struct get *g,
			      const struct zone *zone)
{
	struct event e = EVENT(.name = name, .session = ask_session(a), .zone = zone->row.id,
			       .zone_name = zone->row.name, .object = g->object, .size = g->size);

	return e;
}

static struct download_work *plan(struct ask *a, const struct spot *s)
{
	struct download_work *w = mem_new(sizeof *w);

	w->zone_keys = zone_keys_ref(s->zone->keys);
	w->version = s->version;
	w->blob = SEALED_BLOB_NONE;
	blob_pin(a->gate->keep, s->version.blob, &w->pin);
	a->work = w;
	a->drop_work = work_free;
	return w;
}

static int register_get(struct ask *a, const struct spot *s)
{
	struct sessions *all = &a->gate->keep->sessions;
	struct download_work *w = a->work;
	struct get *g = mem_new(sizeof *g);

	g->gate = a->gate;
	g->session = a->frame.subject;
	int rc = get_add(all, g);
	if (rc) {
		free(g);
		return rc;
	}
	g->node = s->node.id;
	g->zone = s->zone->row.id;
	memcpy(g->object, s->node.object, sizeof g->object);
	memcpy(g->blob, s->version.blob, sizeof g->blob);
	g->size = s->version.size;
	g->opened_us = clock_utc_us();
	w->get = g->number;
	return 0;
}

/* Lost or damaged, it fails when it is opened, as a blob would: behind the record. */
static int take_content(struct keep *keep, struct download_work *w)
{
	if (!w->version.tiny)
		return 0;
	int rc = catalog_tiny_get(keep->catalog, w->version.blob, &w->content);
	if (rc != E_GONE && rc != E_INTEGRITY)
		return rc;
	w->content.len = 0;
	err_clear();
	return 0;
}

static int get_open(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct spot *s = mem_new(sizeof *s);
	CLEANUP(mem_free) void *owned = s;
	const struct principal *p;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = ask_may_open(a);
	if (!rc)
		rc = tree_walk(&d->keep->tree, p, a->m.get_open.path, false, s);
	if (!rc)
		rc = tree_may_get(s);
	if (rc)
		return rc;
	struct download_work *w = plan(a, s);
	rc = tree_attrs(&d->keep->tree, s, &w->names, &w->attrs);
	if (!rc)
		rc = tree_hash(&d->keep->tree, s, w->hash, &w->attrs);
	if (!rc)
		rc = take_content(d->keep, w);
	if (rc)
		return rc;
	struct get shown = {.size = s->version.size};
	memcpy(shown.object, s->node.object, sizeof shown.object);
	struct event e = get_event(a, "download.open", &shown, s->zone);
	e.path = a->m.get_open.path;
	rc = audit_add(d->keep->audit, &e);
	return rc ? rc : register_get(a, s); /* last: in memory, so nothing may fail behind it */
}

static int get_complete(struct deed *d)
{
	struct download_work *w = ask_of(d)->work;
	const struct secret *identity = zone_keys_identity(w->zone_keys);
	char id[2 * ID_SIZE + 1];
	int rc = w->version.tiny
		     ? tiny_open(view_buf(&w->content), identity, w->version.pin, &w->blob)
		     : sealed_blob_open(d->keep->blobs, w->version.blob, false, identity,
					w->version.pin, &w->blob);

	hex_encode(w->version.blob, ID_SIZE, id);
	return rc ? fail(rc, "blob %s", id) : 0;
}

static void get_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct download_work *w = a->work;
	struct get *g = w ? slots_find(&d->keep->sessions.downloads, w->get) : NULL;

	if (d->rc && g)
		get_fail(d->keep, g, d->rc);
	if (d->rc == 0 && g) {
		struct answer_get_open m = {.get = g->number,
					    .blob_offset = w->blob.payload,
					    .kind = w->attrs.kind,
					    .rights = w->attrs.rights,
					    .size = w->attrs.size,
					    .mtime_s = w->attrs.mtime_s,
					    .owner = w->attrs.owner,
					    .owner_name = w->attrs.owner_name,
					    .sha256 = w->attrs.sha256};
		memcpy(m.payload_key, w->blob.key, sizeof m.payload_key);
		answer_get_open_write(ask_out(a, 256 + m.owner_name.len), &m);
		a->fds[a->fd_count++] = TAKE_FD(w->blob.fd);
		g->lent = true;
		wipe(&m, sizeof m);
	} else if (d->rc == 0) {
		d->rc = E_GONE; /* its gate has ended meanwhile */
	}
	ask_finish(d);
}

const struct deed_row answer_get_open = {.name = "get_open",
					 .decide = get_open,
					 .refused = ask_refused,
					 .complete = get_complete,
					 .finish = get_finish};

/* ---- GET_CLOSE ---- */

int get_record_end(struct keep *keep, const struct get *g, int code, uint64_t bytes,
		   struct view ranges)
{
	const struct zone *zone = NULL;
	struct event e = EVENT(.name = code ? "download.abort" : "download.close", .code = code,
			       .session = slots_find(&keep->sessions.sessions, g->session),
			       .object = g->object, .size = g->size, .bytes = bytes,
			       .ranges = ranges, .duration_us = clock_utc_us() - g->opened_us);

	if (accounts_zone_by_id(keep->accounts, g->zone, &zone) == 0) {
		e.zone = zone->row.id;
		e.zone_name = zone->row.name;
	}
	err_clear();
	return audit_add(keep->audit, &e);
}

/* What a user hears of damage is one word; whoever looks after the disk needs to know where. */
static void report_damage(const struct get *g, int code)
{
	char id[2 * ID_SIZE + 1];

	hex_encode(g->blob, ID_SIZE, id);
	if (code == E_INTEGRITY || code == E_IO)
		log_error("blob %s: a download has met damage: %s", id, err_word(code));
}

/* In their order, apart from each other, and of this file. */
static bool are_ranges(struct view ranges, uint64_t size)
{
	struct reader in = reader_of(ranges);
	uint64_t behind = 0;

	if (ranges.len > GET_RANGES_MAX * 16 || ranges.len % 16)
		return false;
	while (in.left) {
		uint64_t first = read_u64(&in), end = read_u64(&in);
		if (first < behind || first >= end || end > size)
			return false;
		behind = end;
	}
	return true;
}

static int get_close(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_get_close *m = &a->m.get_close;
	struct get *g = ask_get(a);
	int code = -(int)m->code;

	if (!g)
		return 0;
	if (!are_ranges(m->ranges, g->size))
		return fail(E_PROTOCOL, "ranges that are none");
	int rc = get_record_end(d->keep, g, code, m->bytes, m->ranges);
	if (!rc)
		report_damage(g, code);
	g->over = rc == 0;
	return rc;
}

static void get_close_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct get *g = ask_get(a);

	if (d->rc == E_PROTOCOL)
		gate_end(a->gate, d->why); /* the download ends with it */
	else if (g && d->rc)
		get_fail(d->keep, g, d->rc);
	else if (g)
		get_free(&d->keep->sessions, g);
	ask_finish(d);
}

const struct deed_row answer_get_close = {
    .name = "get_close", .decide = get_close, .finish = get_close_finish};

/* ---- a download that could not begin: its opening is in the log, so its end must be ---- */

struct failure {
	struct deed deed;
	struct get *get; /* owned, out of the table */
	int code;
};

static int failure_decide(struct deed *d)
{
	const struct failure *f = (struct failure *)(void *)d;

	return get_record_end(d->keep, f->get, f->code, 0, view_of(NULL, 0));
}

static void failure_finish(struct deed *d)
{
	struct failure *f = (struct failure *)(void *)d;

	if (d->rc)
		keep_die(d->keep, "record a failed download");
	free(f->get);
	free(f);
}

static const struct deed_row failure_row = {
    .name = "get_fail", .decide = failure_decide, .finish = failure_finish};

void get_fail(struct keep *keep, struct get *g, int code)
{
	struct failure *f = mem_new(sizeof *f);

	f->deed.row = &failure_row;
	f->get = g;
	f->code = code;
	get_take(&keep->sessions, g);
	deeds_submit(keep->deeds, &f->deed);
}
