/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/put_ask.h"

#include <stdlib.h>

#include "base/mem.h"

/* The session of an upload may have ended before it; its principal is recorded all the same. */
struct event put_ask_event(struct ask *a, const char *name, const struct zone *zone,
			   const uint8_t object[ID_SIZE])
{
	struct event e = EVENT(.name = name, .session = ask_session(a), .zone = zone->row.id,
			       .zone_name = zone->row.name, .object = object);
	const struct put *p = e.session ? NULL : ask_put(a);
	const struct principal *who = NULL;

	if (p && accounts_principal(a->gate->keep->accounts, p->principal, &who) == 0)
		e.actor = who->row.name;
	err_clear();
	return e;
}

int put_ask_load(struct ask *a, struct put **ret_put, struct upload_row *ret_row,
		 const struct zone **ret_zone)
{
	struct put *p = ask_put(a);

	if (!p || p->revoked || p->over)
		return fail(E_GONE, "this upload was taken over or removed");
	int rc = catalog_upload_by_id(a->gate->keep->catalog, p->upload, ret_row);
	if (!rc)
		rc = accounts_zone_by_id(a->gate->keep->accounts, p->zone, ret_zone);
	if (rc == E_GONE)
		return fail(E_GONE, "this upload was removed");
	if (!rc)
		*ret_put = p;
	return rc;
}

void put_ask_end(struct deed *d)
{
	struct put *p = ask_put(ask_of(d));

	if (p && d->rc) {
		puts_abandon(d->keep, p, d->rc, false);
	} else if (p) {
		puts_wake(d->keep, p);
		put_free(&d->keep->sessions, p);
	}
	sweep_start(d->keep);
	ask_finish(d);
}

void put_along_free(void *work)
{
	struct put_along *e = work;

	secret_free(&e->file_key);
	buf_done(&e->file);
	free(e);
}

int put_ask_take_blob(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct put *p = ask_put(a);

	if (!p || p->revoked)
		return fail(E_GONE, "this upload was taken over or removed");
	struct put_along *e = mem_new(sizeof *e);
	a->work = e;
	a->drop_work = put_along_free;
	memcpy(e->blob, p->blob, sizeof e->blob);
	e->head = p->head;
	e->resumed = p->resumed;
	e->bare = p->bare;
	return 0;
}

int put_ask_take_along(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct put *p = ask_put(a);
	const struct zone *zone = NULL;
	int rc = put_ask_take_blob(d);

	if (!rc)
		rc = accounts_zone_by_id(d->keep->accounts, p->zone, &zone);
	if (rc)
		return rc;
	struct put_along *e = a->work;
	memcpy(e->nonce, p->nonce, sizeof e->nonce);
	e->recipients = lease_recipients(d->keep, zone, e->recipient);
	struct view key = secret_view(p->file_key);
	return secret_copy(key.data, key.len, &e->file_key);
}

/* What a gate says is durable cannot lie beyond its blob's end, else whoever goes on from there
 * finds nothing. That it is what the client sent, and synced, is the gate's word; but a gate has
 * no way to sync the blob's name, without which power loss would take all of it. */
int put_ask_check_claim(struct deed *d, uint64_t durable)
{
	const struct put_along *e = ask_of(d)->work;
	uint64_t size = 0;
	if (e->bare && durable)
		return fail(E_PROTOCOL, "something durable of an upload that has no blob");
	int rc = durable ? blobs_size(d->keep->blobs, e->blob, &size) : 0;

	if (rc || !durable)
		return rc;
	if (durable > AGE_PLAIN_MAX || size < e->head + durable / AGE_CHUNK * AGE_SEALED_CHUNK)
		return fail(E_PROTOCOL, "an upload that is shorter than it is said to be");
	return blobs_sync_name(d->keep->blobs, e->blob);
}

int put_ask_check_size(const struct upload_row *row, uint64_t size)
{
	return size > row->reserved
		   ? fail(E_PROTOCOL, "an upload that is larger than what was granted")
		   : 0;
}

int put_ask_forget_source(struct keep *keep, struct upload_row *row)
{
	int rc = row->has_source ? tree_drop_source(&keep->tree, row) : 0;

	row->has_source = false;
	return rc;
}

/* Once the whole prefix stands in the new blob, nothing is left to fetch from the old one. */
int put_ask_note_durable(struct keep *keep, struct upload_row *row, uint64_t durable)
{
	if (row->has_source) {
		if (durable < row->prefix)
			return 0;
		int rc = put_ask_forget_source(keep, row);
		if (rc)
			return rc;
	}
	if (row->clean && durable <= row->durable)
		return 0; /* what the last clean end left is more */
	row->clean = false;
	row->durable = durable;
	return 0;
}

void put_ask_end_or_gate(struct deed *d)
{
	struct ask *a = ask_of(d);

	if (d->rc != E_PROTOCOL) {
		put_ask_end(d);
		return;
	}
	gate_end(a->gate, d->why);
	ask_finish(d);
}
