/* SPDX-License-Identifier: Apache-2.0 */
/* The asks of a gate that has a lease: PUT_EXTEND, PUT_STORE, PUT_REKEY. */
#include "daemon/keep/put_ask.h"

#include "base/clock.h"

/* ---- PUT_EXTEND ---- */

static int extend_prepare(struct deed *d)
{
	return put_ask_check_claim(d, ask_of(d)->m.put_extend.durable);
}

/* A gate that contradicts itself is not believed again; its puts end with it. */
static void finish_claim(struct deed *d)
{
	struct ask *a = ask_of(d);

	if (d->rc == E_PROTOCOL)
		gate_end(a->gate, d->why);
	ask_finish(d);
}

static int put_extend(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_extend *m = &a->m.put_extend;
	struct put *p;
	struct upload_row row;
	const struct zone *zone;
	int rc = put_ask_load(a, &p, &row, &zone);

	if (!rc)
		rc = put_ask_check_size(&row, m->durable);
	if (!rc && m->wanted > row.reserved) /* what is reserved has its room */
		rc = puts_reserve(d->keep, zone, &row, row.reserved, m->wanted);
	if (!rc)
		rc = put_ask_note_durable(d->keep, &row, m->durable);
	row.touched_us = clock_utc_us();
	if (!rc)
		rc = catalog_upload_set(d->keep->catalog, &row);
	if (rc)
		return rc;
	struct answer_put_extend answer = {.granted = row.reserved};
	answer_put_extend_write(ask_out(a, 16), &answer);
	p->durable = m->durable;
	put_promise(&d->keep->sessions, p, row.reserved,
		    m->durable > p->stored ? m->durable : p->stored);
	return 0;
}

/* A refusal is not recorded: gates ask ahead of need. What comes of it is in the record of the
 * upload's end. */
const struct deed_row answer_put_extend = {.name = "put_extend",
					   .begin = put_ask_take_blob,
					   .prepare = extend_prepare,
					   .decide = put_extend,
					   .finish = finish_claim};

/* ---- PUT_STORE ---- */

static int put_store(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct put *p;
	struct upload_row row;
	const struct zone *zone;
	int rc = put_ask_load(a, &p, &row, &zone);

	if (!rc && !p->bare)
		rc = fail(E_PROTOCOL, "a blob for an upload that has one");
	return rc ? rc : lease_store(a, zone, &row, p);
}

/* Whether or not the blob can be made: an upload that was to have one never becomes a tiny file,
 * so that no blob can be there beside it. */
static void put_store_settle(struct deed *d)
{
	struct put *p = ask_put(ask_of(d));

	if (p)
		p->bare = false;
}

/* Of asks during which the gate may say nothing of the put. */
static void finish_lease(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct put *p = ask_put(a);

	if (d->rc == E_PROTOCOL)
		gate_end(a->gate, d->why);
	else if (p)
		p->lent = true; /* or what the gate had before, of which it must say the end */
	lease_finish(d);
}

const struct deed_row answer_put_store = {.name = "put_store",
					  .decide = put_store,
					  .refused = ask_refused,
					  .settle = put_store_settle,
					  .complete = lease_complete,
					  .finish = finish_lease};

/* ---- PUT_REKEY ---- */

enum { REKEYS_MAX = 128 }; /* the gate stops long before; a hostile one here */

static int rekey_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	int rc = put_ask_check_claim(d, a->m.put_rekey.durable);

	put_along_free(a->work); /* from here on the ask's work is a lease */
	a->work = NULL;
	return rc;
}

/* What the gate brings along stands in its blob or in its window: from an older source nothing
 * more is wanted, whether or not it was copied whole. */
static int put_rekey(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct put *p;
	struct upload_row row;
	const struct zone *zone;
	int rc = put_ask_load(a, &p, &row, &zone);

	if (!rc && p->bare)
		rc = fail(E_PROTOCOL, "another key for an upload that has no blob");
	if (!rc)
		rc = put_ask_check_size(&row, a->m.put_rekey.durable);
	if (!rc && p->rekeys >= REKEYS_MAX)
		rc = fail(E_LIMIT, "this upload has been overwritten too often");
	if (!rc)
		rc = puts_room_again(d->keep, p);
	if (!rc)
		rc = put_ask_forget_source(d->keep, &row);
	row.durable = a->m.put_rekey.durable;
	row.clean = false; /* other bytes have come for what an earlier end left */
	if (!rc)
		rc = lease_continue(a, zone, &row);
	if (!rc)
		lease_attach(a, p);
	return rc;
}

static void put_rekey_settle(struct deed *d)
{
	struct put *p = ask_put(ask_of(d));

	if (p)
		p->rekeys++;
}

const struct deed_row answer_put_rekey = {.name = "put_rekey",
					  .begin = put_ask_take_blob,
					  .prepare = rekey_prepare,
					  .decide = put_rekey,
					  .refused = ask_refused,
					  .settle = put_rekey_settle,
					  .complete = lease_complete,
					  .finish = finish_lease};
