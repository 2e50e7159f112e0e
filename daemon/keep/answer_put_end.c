/* SPDX-License-Identifier: Apache-2.0 */
/* The last words about a put: PUT_SUSPEND, PUT_FINISH, PUT_DROP. */
#include "daemon/keep/put_ask.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/tiny.h"

/* ---- PUT_SUSPEND ---- */

static int suspend_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_suspend *m = &a->m.put_suspend;
	const struct put_along *e = a->work;
	struct resume_state s = {.sealed = m->sealed, .digest = m->digest, .tail = m->tail};

	if (e->bare && (m->clean || m->durable))
		return fail(E_PROTOCOL, "something is left of an upload that has no blob");
	if (!m->clean)
		return put_ask_check_claim(d, m->durable);
	if (m->digest.len != SHA256_STATE_SIZE || m->tail.len > AGE_CHUNK ||
	    m->sealed > AGE_PLAIN_MAX / AGE_CHUNK || m->durable != m->sealed * AGE_CHUNK)
		return fail(E_PROTOCOL, "a suspended upload that contradicts itself");
	int rc = blobs_seal_off(d->keep->blobs, e->blob, e->head + m->sealed * AGE_SEALED_CHUNK);
	if (rc)
		return rc;
	if (resume_save(d->keep->blobs, d->keep->keys, e->blob, e->file_key, &s)) {
		log_failure("an upload goes on without its tail");
		a->m.put_suspend.clean = 0; /* what is sealed stands all the same */
	}
	return 0;
}

static int record_suspend(struct ask *a, const struct put *p, const struct zone *zone,
			  const struct upload_row *row)
{
	struct event e = put_ask_event(a, "upload.suspend", zone, p->object);
	char reason[SESSION_TEXT];

	view_to_text(a->m.put_suspend.reason, reason, sizeof reason);
	e.reason = reason;
	e.size = row->durable;
	e.resumed = p->resumed;
	e.duration_us = clock_utc_us() - p->opened_us;
	return audit_add(a->gate->keep->audit, &e);
}

static int put_suspend(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_suspend *m = &a->m.put_suspend;
	struct put *p;
	struct upload_row row;
	const struct zone *zone;
	uint64_t durable = m->clean ? m->durable + m->tail.len : m->durable;
	int rc = put_ask_load(a, &p, &row, &zone);

	if (!rc)
		rc = put_ask_check_size(&row, durable);
	if (!rc && m->clean) /* the client may have cut it off before the whole prefix was copied */
		rc = put_ask_forget_source(d->keep, &row);
	if (!rc && !m->clean)
		rc = put_ask_note_durable(d->keep, &row, durable);
	if (rc)
		return rc;
	if (m->clean)
		row.durable = durable;
	row.clean |= m->clean;
	row.goes_on = m->clean;
	row.stays |= m->stay;
	if (m->mtime_s != TIME_UNKNOWN)
		row.mtime_s = m->mtime_s;
	row.touched_us = clock_utc_us();
	rc = puts_give_back(d->keep, p->zone, &row);
	if (!rc)
		rc = catalog_upload_set(d->keep->catalog, &row);
	if (!rc)
		rc = record_suspend(a, p, zone, &row);
	if (!rc && !row.durable && !row.stays)
		rc = puts_leave(d->keep, row.id); /* nothing came: nothing is left */
	p->over = rc == 0;
	return rc;
}

const struct deed_row answer_put_suspend = {.name = "put_suspend",
					    .begin = put_ask_take_along,
					    .prepare = suspend_prepare,
					    .decide = put_suspend,
					    .refused = ask_refused,
					    .finish = put_ask_end_or_gate};

/* ---- PUT_FINISH ---- */

/* What is in the catalog has no writer and no name of its own to sync. */
static int finish_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_finish *m = &a->m.put_finish;
	struct put_along *e = a->work;
	uint64_t payload = 0;

	if (e->bare)
		return tiny_compose(e->file_key, e->nonce, e->recipient, e->recipients, m->content,
				    m->size, m->sha256, &e->file);
	if (m->content.len)
		return fail(E_PROTOCOL, "a content beside a blob");
	int rc = age_payload_size(m->size, &payload);
	return rc ? E_PROTOCOL
		  : blobs_seal_off(d->keep->blobs, e->blob, e->head - AGE_NONCE + payload);
}

/* The version that was there gives way, the upload becomes the version. */
static int publish(struct keep *keep, const struct zone *zone, const struct upload_row *row,
		   const struct version_row *version, struct node_row *node)
{
	uint64_t old = node->version;
	int rc = catalog_zone_account(keep->catalog, zone->row.id, (int64_t)version->size,
				      -(int64_t)row->reserved, 1);

	node->version = version->id;
	node->upload = 0;
	node->mtime_s = version->mtime_s;
	node->owner = version->uploader;
	if (!rc)
		rc = catalog_node_set(keep->catalog, node);
	if (!rc && old)
		rc = tree_drop_version(&keep->tree, zone->row.id, old);
	if (!rc)
		rc = catalog_upload_remove(keep->catalog, row->id);
	if (!rc && row->has_source)
		rc = tree_drop_source(&keep->tree, row);
	return rc;
}

static int make_version(struct keep *keep, const struct put *p, const struct ask_put_finish *m,
			const struct upload_row *row, struct view tiny, struct version_row *v)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	int64_t now = clock_utc_us();

	*v = (struct version_row){.node = p->node,
				  .tiny = tiny.len > 0,
				  .size = m->size,
				  .uploader = p->principal,
				  .made_us = now,
				  .has_ticket = true,
				  .record = audit_next(keep->audit)};

	memcpy(v->ticket, row->ticket, sizeof v->ticket);
	memcpy(v->blob, p->blob, sizeof v->blob);
	memcpy(v->pin, p->pin, sizeof v->pin);
	v->mtime_s = m->mtime_s != TIME_UNKNOWN     ? m->mtime_s
		     : row->mtime_s != TIME_UNKNOWN ? row->mtime_s
						    : now / 1000000;
	int rc = keys_seal(keep->keys, zone_keys_data(p->zone_keys), tree_hash_purpose,
			   view_of(v->blob, sizeof v->blob), view_of(m->sha256, sizeof m->sha256),
			   &sealed);
	if (!rc && sealed.len > sizeof v->sealed_hash)
		rc = fail(E_LIMIT, "a sealed hash that does not fit");
	if (rc)
		return rc;
	memcpy(v->sealed_hash, sealed.data, sealed.len);
	v->sealed_hash_len = sealed.len;
	rc = catalog_version_add(keep->catalog, v);
	return rc || !v->tiny ? rc : catalog_tiny_add(keep->catalog, v->blob, tiny);
}

static int record_finish(struct ask *a, const struct put *p, const struct zone *zone,
			 const struct node_row *node)
{
	CLEANUP(buf_done) struct buf path = {0};
	const struct ask_put_finish *m = &a->m.put_finish;
	struct event e = put_ask_event(a, "upload.complete", zone, p->object);
	int rc = tree_path(&a->gate->keep->tree, zone, node, &path);

	if (rc)
		return rc;
	e.path = view_buf(&path);
	e.size = m->size;
	e.hash = view_of(m->sha256, sizeof m->sha256);
	e.resumed = p->resumed;
	e.duration_us = clock_utc_us() - p->opened_us;
	return audit_add(a->gate->keep->audit, &e);
}

static int put_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_finish *m = &a->m.put_finish;
	const struct put_along *e = a->work;
	struct put *p;
	struct upload_row row;
	struct version_row version;
	struct node_row node;
	const struct zone *zone;
	bool replaced = false;
	int rc = put_ask_load(a, &p, &row, &zone);

	if (!rc)
		rc = put_ask_check_size(&row, m->size);
	if (!rc)
		rc = catalog_node_by_id(d->keep->catalog, p->node, &node);
	replaced = !rc && node.version;
	if (!rc)
		rc = make_version(d->keep, p, m, &row, view_buf(&e->file), &version);
	if (!rc)
		rc = publish(d->keep, zone, &row, &version, &node);
	if (!rc)
		rc = record_finish(a, p, zone, &node);
	if (rc)
		return rc;
	struct answer_put_finish answer = {.record = version.record, .replaced = replaced};
	answer_put_finish_write(ask_out(a, 16), &answer);
	p->over = true;
	return 0;
}

/* The upload is published whatever comes of this: a state that stays is litter, no error. */
static int finish_complete(struct deed *d)
{
	const struct put_along *e = ask_of(d)->work;

	if (e->resumed && blobs_forget_state(d->keep->blobs, e->blob))
		log_failure("an upload's resume state stays");
	return 0;
}

const struct deed_row answer_put_finish = {.name = "put_finish",
					   .begin = put_ask_take_along,
					   .prepare = finish_prepare,
					   .decide = put_finish,
					   .complete = finish_complete,
					   .refused = ask_refused,
					   .finish = put_ask_end_or_gate};

/* ---- PUT_DROP ---- */

static int put_drop(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_drop *m = &a->m.put_drop;
	struct put *p;
	struct upload_row row;
	struct node_row node;
	const struct zone *zone;
	char reason[SESSION_TEXT];
	int rc = put_ask_load(a, &p, &row, &zone);

	if (rc)
		return rc == E_GONE ? (err_clear(), 0) : rc;
	rc = catalog_node_by_id(d->keep->catalog, p->node, &node);
	if (rc)
		return rc;
	view_to_text(m->reason, reason, sizeof reason);
	struct event e = put_ask_event(a, "upload.abort", zone, p->object);
	e.code = -(int)m->code; /* 0: its sender has given it up */
	e.reason = reason;
	rc = audit_add(d->keep->audit, &e);
	if (!rc)
		rc = puts_discard(d->keep, &node);
	p->over = rc == 0;
	return rc;
}

const struct deed_row answer_put_drop = {
    .name = "put_drop", .decide = put_drop, .refused = ask_refused, .finish = put_ask_end};
