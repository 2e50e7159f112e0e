/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/puts.h"

#include <stdlib.h>

#include "age/stream.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"

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

int puts_space(struct keep *keep, uint64_t *ret_free, uint64_t *ret_total)
{
	uint64_t free_bytes = 0, total = 0, reserve = keep->settings->disk_reserve_bytes;
	int rc = blobs_space(keep->blobs, &free_bytes, &total);

	if (rc)
		return rc;
	*ret_free = free_bytes > reserve ? free_bytes - reserve : 0;
	*ret_total = total > reserve ? total - reserve : 0;
	return 0;
}

static uint64_t min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much more the zone's quota allows, beside what is used and reserved already. */
static uint64_t quota_left(const struct zone_row *z)
{
	uint64_t taken = z->used_bytes + z->reserved_bytes;

	if (!z->quota_bytes)
		return UINT64_MAX;
	return z->quota_bytes > taken ? z->quota_bytes - taken : 0;
}

int puts_reserve(struct keep *keep, const struct zone *zone, struct upload_row *row,
		 uint64_t wanted)
{
	uint64_t disk = 0, total, more;

	if (wanted <= row->reserved)
		return 0;
	if (wanted > AGE_PLAIN_MAX)
		return fail(E_LIMIT, "a file may not be that large");
	int rc = puts_space(keep, &disk, &total);
	if (rc)
		return rc;
	uint64_t needed = wanted - row->reserved, quota = quota_left(&zone->row);
	if (needed > quota)
		return fail(E_QUOTA, "the zone's quota is used up");
	if (needed > disk)
		return fail(E_FULL, "the server's disk is full");
	/* A step ahead, so that streams do not ask for each chunk; less where room is short. */
	more = row->declared == SIZE_UNKNOWN || wanted > row->declared
		   ? needed + step
		   : row->declared - row->reserved;
	more = min64(more, min64(quota, disk));
	if (more < needed)
		more = needed;
	row->reserved += more;
	return catalog_zone_account(keep->catalog, zone->row.id, 0, (int64_t)more, 0);
}

/* ---- an end that is not clean ---- */

/* Whether something of it can be continued. */
static bool stands(const struct upload_row *row)
{
	return row->durable || row->has_source;
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
	if (stands(&row)) {
		row.clean = false;
		row.touched_us = clock_utc_us();
		return catalog_upload_set(keep->catalog, &row);
	}
	rc = catalog_node_by_id(keep->catalog, row.node, &node);
	return rc ? rc : puts_discard(keep, &node);
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
