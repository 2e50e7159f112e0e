/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/puts.h"

#include <stdlib.h>

#include "age/stream.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/room.h"

static const uint64_t step = UINT64_C(64) << 20;

/* ---- waiting for a lease ---- */

int puts_wait(struct ask *a, uint64_t upload)
{
	struct keep *keep = a->gate->keep;
	struct put *p = sessions_put_of_upload(&keep->sessions, upload);

	if (!p)
		return 0;
	bool first = !p->waiting;
	a->parked_next = p->waiting;
	p->waiting = a;
	if (first)
		puts_urge(p);
	return DEED_PARKED;
}

void puts_urge(struct put *p)
{
	if (!p->waiting)
		return;
	p->yield_by_ms = clock_mono_ms() + YIELD_PATIENCE_MS;
	if (p->file_key) /* else the gate does not know of it yet */
		gate_order_yield(p->gate, p->number);
}

void puts_wake(struct keep *keep, struct put *p)
{
	struct ask *a = p->waiting;

	p->waiting = NULL;
	while (a) {
		struct ask *next = a->parked_next;
		a->parked_next = NULL;
		deeds_resubmit(keep->deeds, &a->deed);
		a = next;
	}
}

void puts_watch(struct keep *keep, int64_t now_ms)
{
	size_t cursor = 0;
	struct put *p;

	while ((p = slots_next(&keep->sessions.uploads, &cursor))) {
		if (!p->waiting || now_ms < p->yield_by_ms)
			continue;
		p->revoked = true;
		puts_wake(keep, p);
	}
}

void puts_revoke_zone(struct keep *keep, uint64_t zone)
{
	size_t cursor = 0;
	struct put *p;

	while ((p = slots_next(&keep->sessions.uploads, &cursor))) {
		if (p->zone != zone)
			continue;
		p->revoked = true;
		puts_wake(keep, p);
	}
}

/* ---- room ---- */

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t more(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Of bytes on the disk, those that content may have; the rest is for the chunks' tags. */
static uint64_t content(uint64_t bytes)
{
	return bytes - bytes / (AGE_CHUNK / AGE_TAG);
}

int puts_space(struct keep *keep, uint64_t *ret_free, uint64_t *ret_total)
{
	uint64_t free_bytes = 0, total = 0, reserve = keep->settings->disk_reserve_bytes;
	int rc = blobs_space(keep->blobs, &free_bytes, &total);

	if (rc)
		return rc;
	free_bytes = less(less(free_bytes, reserve), room_missing(keep->room));
	*ret_free = less(content(free_bytes), keep->sessions.promised);
	*ret_total = content(less(total, reserve));
	return 0;
}

/* What blobs hold is known from their gates, which tell it every 64 MiB; before that makes the
 * disk look full, ask the file system. */
static void recount(struct keep *keep)
{
	size_t cursor = 0;
	uint64_t taken = 0;
	struct put *p;

	while ((p = slots_next(&keep->sessions.uploads, &cursor)))
		if (blobs_taken(keep->blobs, p->blob, &taken) == 0 && content(taken) > p->stored)
			put_promise(&keep->sessions, p, p->granted, content(taken));
	err_clear(); /* one that is not there yet holds nothing */
}

/* At least `needed`, if there is so much. */
static int find_space(struct keep *keep, uint64_t needed, uint64_t *ret_free)
{
	uint64_t free_bytes = 0, total;
	int rc = puts_space(keep, &free_bytes, &total);

	if (!rc && free_bytes < needed) {
		recount(keep);
		rc = puts_space(keep, &free_bytes, &total);
	}
	if (!rc)
		*ret_free = free_bytes;
	return rc;
}

/* How much more the zone's quota allows, beside what is used and reserved already. */
static uint64_t quota_left(const struct zone_row *z)
{
	uint64_t taken = z->used_bytes + z->reserved_bytes;

	return z->quota_bytes ? less(z->quota_bytes, taken) : UINT64_MAX;
}

/* Whether all that was declared, these bytes and maybe more, can be had of so many. */
static bool declared_fits(const struct upload_row *row, uint64_t bytes, uint64_t most)
{
	return row->declared != SIZE_UNKNOWN && bytes <= row->declared && row->declared <= most;
}

/* As far as it was declared; else a step ahead, so that streams do not ask for each chunk, but
 * not all that is left of disk or quota: others may want to send something, too. */
static uint64_t reach(const struct upload_row *row, uint64_t wanted, uint64_t most)
{
	if (declared_fits(row, wanted, most))
		return row->declared;
	uint64_t end = wanted + min64(step, (most - wanted) / 4);
	return end > row->reserved ? end : row->reserved;
}

int puts_reserve(struct keep *keep, const struct zone *zone, struct upload_row *row, uint64_t held,
		 uint64_t wanted)
{
	uint64_t disk = 0;

	if (wanted > AGE_PLAIN_MAX)
		return fail(E_LIMIT, "a file may not be that large");
	int rc = find_space(keep, less(wanted, held), &disk);
	if (rc)
		return rc;
	uint64_t quota_most = more(row->reserved, quota_left(&zone->row));
	uint64_t disk_most = more(held, disk);
	if (wanted > quota_most)
		return fail(E_QUOTA, "the zone's quota is used up");
	if (wanted > disk_most)
		return fail(E_FULL, "the server's disk is full");
	uint64_t most = min64(quota_most, disk_most);
	uint64_t end = min64(reach(row, wanted, most), most);
	int64_t change = (int64_t)end - (int64_t)row->reserved;
	row->reserved = end;
	return catalog_zone_account(keep->catalog, zone->row.id, 0, change, 0);
}

int puts_give_back(struct keep *keep, uint64_t zone, struct upload_row *row)
{
	uint64_t needed =
	    declared_fits(row, row->durable, row->reserved) ? row->declared : row->durable;

	if (row->reserved <= needed)
		return 0;
	int64_t change = (int64_t)needed - (int64_t)row->reserved;
	row->reserved = needed;
	return catalog_zone_account(keep->catalog, zone, 0, change, 0);
}

int puts_room_again(struct keep *keep, const struct put *p)
{
	uint64_t disk = 0;
	int rc = find_space(keep, p->stored, &disk);

	if (!rc && p->stored > disk)
		rc = fail(E_FULL, "the server's disk is full");
	return rc;
}

/* ---- an end that is not clean ---- */

/* Whether something of it can be continued. */
static bool stands(const struct upload_row *row)
{
	return row->durable || row->has_source || row->stays;
}

/* What a clean end left is there but for its tail: that offset it has from now on. */
static int forget_tail(struct keep *keep, uint64_t upload)
{
	struct upload_row row;
	int rc = catalog_upload_by_id(keep->catalog, upload, &row);

	if (rc || !(row.clean || row.source_clean))
		return rc == E_GONE ? 0 : rc;
	row.clean = row.source_clean = false;
	row.durable = row.durable ? (row.durable - 1) / AGE_CHUNK * AGE_CHUNK : 0;
	if (row.has_source) {
		row.prefix = row.source_size = row.durable;
		if (!row.durable)
			rc = tree_drop_source(&keep->tree, &row);
		row.has_source = row.durable > 0;
	}
	return rc ? rc : catalog_upload_set(keep->catalog, &row);
}

int put_lose(struct keep *keep, struct put *p, const char *event, int code, const char *reason)
{
	const struct zone *zone = NULL;
	const struct principal *who = NULL;
	struct event e = EVENT(.name = event, .code = code, .object = p->object,
			       .session = slots_find(&keep->sessions.sessions, p->session),
			       .reason = reason, .size = p->durable, .resumed = p->resumed,
			       .duration_us = clock_utc_us() - p->opened_us);

	if (accounts_zone_by_id(keep->accounts, p->zone, &zone) == 0) {
		e.zone = zone->row.id;
		e.zone_name = zone->row.name;
	}
	if (!e.session && accounts_principal(keep->accounts, p->principal, &who) == 0)
		e.actor = who->row.name;
	err_clear();
	int rc = audit_add(keep->audit, &e);
	if (!rc && p->tail_lost)
		rc = forget_tail(keep, p->upload);
	if (!rc)
		rc = puts_leave(keep, p->upload);
	p->over = rc == 0;
	return rc;
}

struct abandon {
	struct deed deed;
	uint64_t put;
	int code;
	bool held;
};

static struct put *abandoned(struct deed *d)
{
	return slots_find(&d->keep->sessions.uploads, ((struct abandon *)(void *)d)->put);
}

static int abandon_decide(struct deed *d)
{
	struct put *p = abandoned(d);
	struct upload_row row;

	if (!p || p->over || p->revoked)
		return 0; /* its gate has ended, or the upload is somebody else's by now */
	int rc = catalog_upload_by_id(d->keep->catalog, p->upload, &row);
	if (rc && rc != E_GONE)
		return rc;
	return put_lose(d->keep, p, !rc && stands(&row) ? "upload.suspend" : "upload.abort",
			((struct abandon *)(void *)d)->code, NULL);
}

static void abandon_settle(struct deed *d)
{
	struct put *p = abandoned(d);

	if (!p)
		return;
	puts_wake(d->keep, p);
	if (((struct abandon *)(void *)d)->held)
		p->revoked = true;
	else
		put_free(&d->keep->sessions, p);
}

static void abandon_finish(struct deed *d)
{
	struct keep *keep = d->keep;

	if (d->rc)
		keep_die(keep, "put an upload aside");
	free(d);
	sweep_start(keep);
}

static const struct deed_row abandon_row = {.name = "put_abandon",
					    .decide = abandon_decide,
					    .settle = abandon_settle,
					    .finish = abandon_finish};

void puts_abandon(struct keep *keep, struct put *p, int code, bool held)
{
	struct abandon *a = mem_new(sizeof *a);

	a->deed.row = &abandon_row;
	a->put = p->number;
	a->code = code;
	a->held = held;
	deeds_submit(keep->deeds, &a->deed);
}

int puts_leave(struct keep *keep, uint64_t upload)
{
	struct upload_row row;
	struct node_row node;
	int rc = catalog_upload_by_id(keep->catalog, upload, &row);

	if (rc == E_GONE)
		return 0; /* removed meanwhile */
	if (rc)
		return rc;
	rc = catalog_node_by_id(keep->catalog, row.node, &node);
	if (rc)
		return rc;
	if (!stands(&row))
		return puts_discard(keep, &node);
	row.goes_on = false;
	row.touched_us = clock_utc_us();
	rc = puts_give_back(keep, node.zone, &row);
	return rc ? rc : catalog_upload_set(keep->catalog, &row);
}

int puts_discard(struct keep *keep, struct node_row *node)
{
	struct upload_row row;
	int rc = catalog_upload_by_id(keep->catalog, node->upload, &row);

	if (!rc)
		rc = tree_drop_source(&keep->tree, &row);
	if (!rc)
		rc = tree_drop_upload(&keep->tree, node->zone, node->upload);
	if (rc)
		return rc;
	node->upload = 0;
	return node->version ? catalog_node_set(keep->catalog, node)
			     : catalog_node_remove(keep->catalog, node->id);
}
