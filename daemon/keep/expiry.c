/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/expiry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/alerts.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/control.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/room.h"

enum {
	LOOKS_MAX = 64, /* rows that a tick looks at: most of them may be under a lease */
	RETRY_MS = 60000,
};
static const int64_t second_us = 1000000, note_us = INT64_C(60) * 1000000,
		     hour_us = INT64_C(3600) * 1000000;

/* The last wall time that was believed; when the hour of the cap began, and how many were removed
 * since. */
static const char meta_seen[] = "clock.seen", meta_hour[] = "expiry.hour",
		  meta_count[] = "expiry.count";

struct expire {
	struct deed deed;
	int64_t touched_us; /* the last one that was looked at */
	uint64_t id;
	bool found, removed, more;
	uint64_t count; /* by this deed, for the log */
};

static struct expire *expire_of(struct deed *d)
{
	return (struct expire *)(void *)d;
}

/* ---- the clock ---- */

static int read_number(struct keep *keep, const char *key, bool *ret_there, int64_t *ret_value)
{
	uint64_t value = 0;
	int rc = catalog_meta_get_u64(keep->catalog, key, &value);

	if (rc && rc != E_GONE)
		return rc;
	*ret_there = rc == 0;
	*ret_value = (int64_t)value;
	return 0;
}

/* What follows in memory does no harm if the tick's part is undone: it is read again. */
static int load(struct keep *keep)
{
	struct expiry *x = &keep->expiry;
	bool there = false;
	int64_t seen_us = 0;

	if (x->loaded)
		return 0;
	int rc = read_number(keep, meta_seen, &there, &seen_us);
	if (rc)
		return rc;
	if (there)
		time_guard_set(&x->guard, seen_us);
	x->noted_us = seen_us;
	x->loaded = true;
	return 0;
}

static int raise_clock(struct keep *keep, int64_t off_us)
{
	int64_t by_s = (off_us < 0 ? -off_us : off_us) / second_us;

	return alert_raise(keep, ALERT_CLOCK,
			   "the clock is %" PRId64 " d %" PRId64 " h %" PRId64
			   " min %s of where it should be: nothing is removed by its age until you "
			   "confirm that it is right",
			   by_s / 86400, by_s / 3600 % 24, by_s / 60 % 60,
			   off_us < 0 ? "behind" : "ahead");
}

/* At most once a minute, so that an idle service writes little: that much later a restart may find
 * the clock than it was. Not at all on a full disk: a commit that fails is the keep's end. */
static int note_clock(struct keep *keep, int64_t now_us)
{
	struct expiry *x = &keep->expiry;

	if (room_missing(keep->room) || (now_us - x->noted_us < note_us && now_us >= x->noted_us))
		return 0;
	int rc = catalog_meta_set_u64(keep->catalog, meta_seen, (uint64_t)now_us);
	if (!rc)
		x->noted_us = now_us;
	return rc;
}

/* ret_good: things may be removed by what this clock says. */
static int check_clock(struct keep *keep, int64_t now_us, bool *ret_good)
{
	struct time_limits limits = time_limits_of(keep->settings->upload_expiry_ms);
	bool stands = false;
	int64_t off_us = 0;
	int rc = load(keep);

	if (!rc)
		rc = alert_stands(keep, ALERT_CLOCK, &stands);
	if (rc || stands)
		return rc;
	if (!time_guard_believes(&keep->expiry.guard, &limits, now_us, clock_boot_us(), &off_us))
		return raise_clock(keep, off_us);
	*ret_good = true;
	return note_clock(keep, now_us);
}

int expiry_believe_clock(struct keep *keep)
{
	struct expiry *x = &keep->expiry;
	int64_t now_us = clock_utc_us();
	int rc = catalog_uploads_not_after(keep->catalog, now_us);

	if (!rc)
		rc = catalog_meta_set_u64(keep->catalog, meta_seen, (uint64_t)now_us);
	if (!rc) /* the old one may have begun at any time */
		rc = expiry_begin_hour(keep);
	if (rc)
		return rc;
	time_guard_set(&x->guard, now_us);
	x->noted_us = now_us;
	x->loaded = true;
	return 0;
}

/* ---- the cap ---- */

int expiry_begin_hour(struct keep *keep)
{
	int rc = catalog_meta_set_u64(keep->catalog, meta_hour, (uint64_t)clock_utc_us());

	return rc ? rc : catalog_meta_set_u64(keep->catalog, meta_count, 0);
}

/* Counts one that is to be removed, if that may be. An hour begins with the first that is removed
 * when the one before is over. */
static int count_one(struct keep *keep, int64_t now_us, bool *ret_may)
{
	int64_t begun_us = 0, count = 0;
	uint32_t cap = keep->settings->expiry_cap;
	bool there = false;
	int rc = read_number(keep, meta_hour, &there, &begun_us);

	if (!rc && (!there || now_us - begun_us >= hour_us))
		rc = expiry_begin_hour(keep);
	if (!rc)
		rc = read_number(keep, meta_count, &there, &count);
	if (rc)
		return rc;
	if (count >= cap)
		return alert_raise(keep, ALERT_EXPIRY_CAP,
				   "%" PRIu32 " expired uploads were removed within an hour, which "
				   "is the most that may be ([limits] expiry_cap): the others wait "
				   "for the next hour, or until you confirm this",
				   cap);
	*ret_may = true;
	return catalog_meta_set_u64(keep->catalog, meta_count, (uint64_t)count + 1);
}

/* ---- one upload ---- */

/* Which of those that have expired is next: E_GONE. more: not all were looked at. */
static int find_one(struct expire *x, int64_t now_us, struct upload_row *ret_row)
{
	struct keep *keep = x->deed.keep;
	int64_t before_us = now_us - (int64_t)keep->settings->upload_expiry_ms * 1000;

	for (unsigned looks = 0; looks < LOOKS_MAX; looks++) {
		int rc = catalog_upload_idle_after(keep->catalog, x->touched_us, x->id, before_us,
						   ret_row);
		if (rc)
			return rc;
		x->touched_us = ret_row->touched_us;
		x->id = ret_row->id;
		if (!sessions_put_of_upload(&keep->sessions, ret_row->id))
			return 0;
	}
	x->more = true;
	return E_GONE;
}

static int lost(int rc, const char *what)
{
	return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost an upload's %s", what) : rc;
}

/* Whose it was; an owner who has gone is known by a number alone. */
static void owner_name(struct keep *keep, uint64_t principal, char *ret_name, size_t size)
{
	const struct principal *who = NULL;

	if (accounts_principal(keep->accounts, principal, &who) == 0)
		(void)snprintf(ret_name, size, "%s", who->row.name);
	else
		(void)snprintf(ret_name, size, "#%" PRIu64, principal);
	err_clear();
}

static int record(struct keep *keep, const struct zone *zone, const struct node_row *node,
		  const struct upload_row *row)
{
	CLEANUP(buf_done) struct buf path = {0};
	char owner[ACCOUNT_MAX + 1];
	int rc = tree_path(&keep->tree, zone, node, &path);

	if (rc)
		return rc;
	owner_name(keep, row->principal, owner, sizeof owner);
	struct event e =
	    EVENT(.name = "upload.expire", .actor = "system", .zone = zone->row.id,
		  .zone_name = zone->row.name, .object = node->object, .path = view_buf(&path),
		  .size = row->durable, .reason = "nobody went on with it");
	event_detail(&e,
		     json_pack("{s:s,s:o,s:I}", "user", owner, "last", json_time(row->touched_us),
			       "reserved", (json_int_t)row->reserved));
	return audit_add(keep->audit, &e);
}

static int remove_one(struct keep *keep, const struct upload_row *row)
{
	const struct zone *zone = NULL;
	struct node_row node;
	int rc = lost(catalog_node_by_id(keep->catalog, row->node, &node), "name");

	if (!rc && node.upload != row->id)
		rc = fail(E_INTEGRITY, "an upload that its name does not know");
	if (!rc)
		rc = lost(accounts_zone_by_id(keep->accounts, node.zone, &zone), "zone");
	if (!rc)
		rc = record(keep, zone, &node, row);
	return rc ? rc : puts_discard(keep, &node);
}

/* ---- the deed ---- */

static int expire_decide(struct deed *d)
{
	struct expire *x = expire_of(d);
	int64_t now_us = clock_utc_us();
	struct upload_row row;
	bool good = false, may = false;

	x->found = x->removed = x->more = false;
	int rc = check_clock(d->keep, now_us, &good);
	if (rc || !good)
		return rc;
	rc = find_one(x, now_us, &row);
	if (rc)
		return rc == E_GONE ? 0 : rc;
	x->found = true;
	rc = count_one(d->keep, now_us, &may);
	if (!rc && may)
		rc = remove_one(d->keep, &row);
	x->removed = !rc && may;
	return rc;
}

static void expire_settle(struct deed *d)
{
	struct expire *x = expire_of(d);

	x->count += x->removed;
	if (x->removed)
		sweep_start(d->keep);
}

static void expire_finish(struct deed *d);

static const struct deed_row expire_row = {
    .name = "expiry", .decide = expire_decide, .settle = expire_settle, .finish = expire_finish};

/* One whose rows contradict each other does not keep the others waiting; whatever failed is tried
 * again in a while. */
static void expire_finish(struct deed *d)
{
	struct expire *x = expire_of(d);
	struct keep *keep = d->keep;

	if (d->rc)
		keep->expiry.not_before_ms = clock_mono_ms() + RETRY_MS;
	bool passed_over = x->found && d->rc == E_INTEGRITY;
	if ((passed_over || x->removed || x->more) && !keep->stopping) {
		d->rc = 0;
		deeds_submit(keep->deeds, d);
		return;
	}
	if (x->count)
		log_info("%" PRIu64 " expired uploads were removed", x->count);
	keep->expiry.busy = false;
	free(x);
}

void expiry_watch(struct keep *keep)
{
	struct expiry *now = &keep->expiry;

	if (now->busy || clock_mono_ms() < now->not_before_ms)
		return;
	struct expire *x = mem_new(sizeof *x);
	x->deed.row = &expire_row;
	x->touched_us = INT64_MIN;
	now->busy = true;
	deeds_submit(keep->deeds, &x->deed);
}
