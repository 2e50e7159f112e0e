/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about uploads: from the lease to publication. */
#include "daemon/keep/leases.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/tiny.h"

/* ---- PUT_OPEN ---- */

/* An upload's node, which may have to be made, and its row, which may be there. */
struct opening {
	const struct principal *who;
	struct spot spot;
	struct node_row node;
	struct upload_row row;
	bool resumed;
};

/* A length that HTTP declares is what comes: where there is no room for it, none of it needs to.
 * SFTP's is a hint. */
static int check_promise(const struct ask *a, const struct opening *o)
{
	const struct session *s = ask_session(a);
	const struct zone_row *z = &o->spot.zone->row;
	uint64_t declared = o->row.declared, others = z->used_bytes + z->reserved_bytes;

	if (!s || strcmp(s->protocol, "https") != 0 || declared == SIZE_UNKNOWN || !z->quota_bytes)
		return 0;
	others -= o->row.reserved < others ? o->row.reserved : others;
	return declared <= z->quota_bytes && others <= z->quota_bytes - declared
		   ? 0
		   : fail(E_QUOTA, "the zone has no room for so much");
}

/* What stands at the name that is not to be continued goes; another upload begins. */
static int begin_upload(struct ask *a, struct opening *o)
{
	struct keep *keep = a->gate->keep;
	const struct ask_put_open *m = &a->m.put_open;
	int64_t now = clock_utc_us();
	bool append = o->node.version && !(m->flags & PUT_TRUNCATE);

	o->row = (struct upload_row){.node = o->node.id,
				     .principal = o->who->row.id,
				     .declared = m->declared,
				     .mtime_s = TIME_UNKNOWN,
				     .made_us = now,
				     .touched_us = now};
	if (append) {
		const struct version_row *v = &o->spot.version;
		o->row.has_source = o->row.source_finished = true;
		o->row.source_tiny = v->tiny;
		memcpy(o->row.source_blob, v->blob, sizeof v->blob);
		memcpy(o->row.source_pin, v->pin, sizeof v->pin);
		o->row.source_size = o->row.prefix = o->row.durable = v->size;
	}
	int rc = check_promise(a, o);
	if (!rc)
		rc = puts_reserve(keep, o->spot.zone, &o->row, 0, o->row.prefix + 1);
	if (!rc)
		rc = lease_plan(a, o->spot.zone, &o->row, true);
	if (rc)
		return rc;
	o->node.upload = o->row.id;
	return catalog_node_set(keep->catalog, &o->node);
}

static int declare(struct upload_row *row, uint64_t declared)
{
	if (declared == SIZE_UNKNOWN || declared == row->declared)
		return 0;
	if (row->declared != SIZE_UNKNOWN)
		return fail(E_CONFLICT, "the upload has another length");
	if (declared < row->durable)
		return fail(E_INVALID, "the upload is longer than that already");
	row->declared = declared;
	return 0;
}

static int resume_upload(struct ask *a, struct opening *o)
{
	struct keep *keep = a->gate->keep;

	o->resumed = true;
	o->row = o->spot.upload;
	uint64_t stored = o->row.goes_on ? o->row.durable : 0; /* else all of it is sealed again */
	int rc = declare(&o->row, a->m.put_open.declared);
	if (!rc)
		rc = check_promise(a, o);
	if (!rc)
		rc = puts_reserve(keep, o->spot.zone, &o->row, stored, o->row.durable + 1);
	if (rc)
		return rc;
	return o->row.clean && o->row.goes_on ? lease_plan(a, o->spot.zone, &o->row, false)
					      : lease_continue(a, o->spot.zone, &o->row);
}

/* Whether the finished version is one of those that the client names. */
static int check_match(struct ask *a, const struct opening *o)
{
	struct attrs shown = {.kind = NODE_FILE};
	uint8_t hash[WIRE_HASH];
	struct view match = a->m.put_open.match;
	int rc = tree_hash(&a->gate->keep->tree, &o->spot, hash, &shown);

	for (size_t i = 0; !rc && shown.sha256.len && i < match.len; i += WIRE_HASH)
		if (memcmp(match.data + i, hash, WIRE_HASH) == 0)
			return 0;
	return rc ? rc : fail(E_CONFLICT, "the file is another version");
}

/* What the client supposes of what stands there. Asked after its rights: a condition tells nobody
 * what they may not see. */
static int check_conditions(struct ask *a, const struct opening *o)
{
	const struct ask_put_open *m = &a->m.put_open;
	const struct spot *s = &o->spot;
	bool published = s->exists && s->seen && s->node.version;

	if (m->ticket.len &&
	    !(s->exists && s->own_upload && memcmp(m->ticket.data, s->upload.ticket, WIRE_ID) == 0))
		return fail(E_GONE, "there is no such upload");
	if ((m->flags & PUT_EXISTING || m->match.len) && !published)
		return fail(E_CONFLICT, "the file is not there");
	return m->match.len ? check_match(a, o) : 0;
}

static int open_at(struct ask *a, struct opening *o)
{
	struct keep *keep = a->gate->keep;
	uint8_t flags = a->m.put_open.flags;

	o->node = o->spot.node;
	if (!o->spot.exists) {
		int rc = tree_make_file(&keep->tree, o->who, &o->spot, &o->node);
		return rc ? rc : begin_upload(a, o);
	}
	if (!o->spot.own_upload)
		return begin_upload(a, o);
	int rc = puts_wait(a, o->node.upload);
	if (rc)
		return rc;
	if (!(flags & PUT_TRUNCATE))
		return resume_upload(a, o);
	/* The node stays, whatever else it has: only its upload begins anew. */
	rc = tree_drop_source(&keep->tree, &o->spot.upload);
	if (!rc)
		rc = tree_drop_upload(&keep->tree, o->node.zone, o->node.upload);
	o->node.upload = 0;
	return rc ? rc : begin_upload(a, o);
}

static int register_put(struct ask *a, const struct opening *o)
{
	struct keep *keep = a->gate->keep;
	struct put *p = mem_new(sizeof *p);

	p->gate = a->gate;
	p->session = a->frame.subject;
	int rc = put_add(&keep->sessions, p);
	if (rc) {
		free(p);
		return rc;
	}
	p->upload = o->row.id;
	p->node = o->node.id;
	p->zone = o->node.zone;
	p->principal = o->who->row.id;
	memcpy(p->object, o->node.object, sizeof p->object);
	p->resumed = o->resumed;
	p->opened_us = clock_utc_us();
	p->zone_keys = zone_keys_ref(o->spot.zone->keys);
	lease_attach(a, p);
	return 0;
}

/* The session of an upload may have ended before it; its principal is recorded all the same. */
static struct event put_event(struct ask *a, const char *name, const struct zone *zone,
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

static int put_open(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct opening *o = mem_new(sizeof *o);
	CLEANUP(mem_free) void *owned = o;
	const struct ask_put_open *m = &a->m.put_open;
	int rc = ask_principal(a, &o->who);

	if (!rc)
		rc = ask_may_open(a);
	if (!rc)
		rc = tree_walk(&d->keep->tree, o->who, m->path, true, &o->spot);
	if (!rc)
		rc = tree_may_put(o->who, &o->spot, m->flags);
	if (!rc)
		rc = check_conditions(a, o);
	if (!rc)
		rc = open_at(a, o);
	if (rc)
		return rc;
	struct event e = put_event(a, o->resumed ? "upload.resume" : "upload.open", o->spot.zone,
				   o->node.object);
	e.path = m->path;
	e.resumed = o->resumed;
	if (o->row.durable)
		e.size = o->row.durable;
	rc = audit_add(d->keep->audit, &e);
	return rc ? rc : register_put(a, o); /* last: in memory, so nothing may fail behind it */
}

const struct deed_row answer_put_open = {.name = "put_open",
					 .decide = put_open,
					 .refused = ask_refused,
					 .complete = lease_complete,
					 .finish = lease_finish};

/* ---- what all asks about a put share ---- */

static int load_put(struct ask *a, struct put **ret_put, struct upload_row *ret_row,
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

/* After the last ask about a put, whatever came of it. */
static void end_put(struct deed *d)
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

/* What the pool needs of a put, which may be gone by then. */
struct along {
	uint8_t blob[ID_SIZE];
	uint64_t head;
	struct secret *file_key;
	bool resumed, bare;
	/* Of a bare one, to make a tiny file of. */
	uint8_t nonce[AGE_NONCE];
	struct age_recipient recipient[LEASE_RECIPIENTS];
	size_t recipients;
	struct buf file;
};

static void along_free(void *work)
{
	struct along *e = work;

	secret_free(&e->file_key);
	buf_done(&e->file);
	free(e);
}

static int take_blob(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct put *p = ask_put(a);

	if (!p || p->revoked)
		return fail(E_GONE, "this upload was taken over or removed");
	struct along *e = mem_new(sizeof *e);
	a->work = e;
	a->drop_work = along_free;
	memcpy(e->blob, p->blob, sizeof e->blob);
	e->head = p->head;
	e->resumed = p->resumed;
	e->bare = p->bare;
	return 0;
}

static int take_along(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct put *p = ask_put(a);
	const struct zone *zone = NULL;
	int rc = take_blob(d);

	if (!rc)
		rc = accounts_zone_by_id(d->keep->accounts, p->zone, &zone);
	if (rc)
		return rc;
	struct along *e = a->work;
	memcpy(e->nonce, p->nonce, sizeof e->nonce);
	e->recipients = lease_recipients(d->keep, zone, e->recipient);
	struct view key = secret_view(p->file_key);
	return secret_copy(key.data, key.len, &e->file_key);
}

/* What a gate says is durable cannot lie beyond its blob's end, else whoever goes on from there
 * finds nothing. That it is what the client sent, and synced, is the gate's word; but a gate has
 * no way to sync the blob's name, without which power loss would take all of it. */
static int check_claim(struct deed *d, uint64_t durable)
{
	const struct along *e = ask_of(d)->work;
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

static int within_grant(const struct upload_row *row, uint64_t size)
{
	return size > row->reserved
		   ? fail(E_PROTOCOL, "an upload that is larger than what was granted")
		   : 0;
}

/* ---- PUT_EXTEND ---- */

static int extend_prepare(struct deed *d)
{
	return check_claim(d, ask_of(d)->m.put_extend.durable);
}

/* A gate that contradicts itself is not believed again; its puts end with it. */
static void finish_claim(struct deed *d)
{
	struct ask *a = ask_of(d);

	if (d->rc == E_PROTOCOL)
		gate_end(a->gate, d->why);
	ask_finish(d);
}

static int forget_source(struct keep *keep, struct upload_row *row)
{
	int rc = row->has_source ? tree_drop_source(&keep->tree, row) : 0;

	row->has_source = false;
	return rc;
}

/* Once the whole prefix stands in the new blob, nothing is left to fetch from the old one. */
static int note_durable(struct keep *keep, struct upload_row *row, uint64_t durable)
{
	if (row->has_source) {
		if (durable < row->prefix)
			return 0;
		int rc = forget_source(keep, row);
		if (rc)
			return rc;
	}
	if (row->clean && durable <= row->durable)
		return 0; /* what the last clean end left is more */
	row->clean = false;
	row->durable = durable;
	return 0;
}

static int put_extend(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_extend *m = &a->m.put_extend;
	struct put *p;
	struct upload_row row;
	const struct zone *zone;
	int rc = load_put(a, &p, &row, &zone);

	if (!rc)
		rc = within_grant(&row, m->durable);
	if (!rc && m->wanted > row.reserved) /* what is reserved has its room */
		rc = puts_reserve(d->keep, zone, &row, row.reserved, m->wanted);
	if (!rc)
		rc = note_durable(d->keep, &row, m->durable);
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
					   .begin = take_blob,
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
	int rc = load_put(a, &p, &row, &zone);

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
	int rc = check_claim(d, a->m.put_rekey.durable);

	along_free(a->work); /* from here on the ask's work is a lease */
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
	int rc = load_put(a, &p, &row, &zone);

	if (!rc && p->bare)
		rc = fail(E_PROTOCOL, "another key for an upload that has no blob");
	if (!rc)
		rc = within_grant(&row, a->m.put_rekey.durable);
	if (!rc && p->rekeys >= REKEYS_MAX)
		rc = fail(E_LIMIT, "this upload has been overwritten too often");
	if (!rc)
		rc = puts_room_again(d->keep, p);
	if (!rc)
		rc = forget_source(d->keep, &row);
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
					  .begin = take_blob,
					  .prepare = rekey_prepare,
					  .decide = put_rekey,
					  .refused = ask_refused,
					  .settle = put_rekey_settle,
					  .complete = lease_complete,
					  .finish = finish_lease};

/* ---- PUT_SUSPEND ---- */

static int suspend_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_suspend *m = &a->m.put_suspend;
	const struct along *e = a->work;
	struct resume_state s = {.sealed = m->sealed, .digest = m->digest, .tail = m->tail};

	if (e->bare && (m->clean || m->durable))
		return fail(E_PROTOCOL, "something is left of an upload that has no blob");
	if (!m->clean)
		return check_claim(d, m->durable);
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
	struct event e = put_event(a, "upload.suspend", zone, p->object);
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
	int rc = load_put(a, &p, &row, &zone);

	if (!rc)
		rc = within_grant(&row, durable);
	if (!rc && m->clean) /* the client may have cut it off before the whole prefix was copied */
		rc = forget_source(d->keep, &row);
	if (!rc && !m->clean)
		rc = note_durable(d->keep, &row, durable);
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

/* A gate that contradicts itself is not believed again; the put ends with it. */
static void end_liar(struct deed *d)
{
	struct ask *a = ask_of(d);

	if (d->rc != E_PROTOCOL) {
		end_put(d);
		return;
	}
	gate_end(a->gate, d->why);
	ask_finish(d);
}

const struct deed_row answer_put_suspend = {.name = "put_suspend",
					    .begin = take_along,
					    .prepare = suspend_prepare,
					    .decide = put_suspend,
					    .refused = ask_refused,
					    .finish = end_liar};

/* ---- PUT_FINISH ---- */

/* What is in the catalog has no writer and no name of its own to sync. */
static int finish_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct ask_put_finish *m = &a->m.put_finish;
	struct along *e = a->work;
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
	struct event e = put_event(a, "upload.complete", zone, p->object);
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
	const struct along *e = a->work;
	struct put *p;
	struct upload_row row;
	struct version_row version;
	struct node_row node;
	const struct zone *zone;
	bool replaced = false;
	int rc = load_put(a, &p, &row, &zone);

	if (!rc)
		rc = within_grant(&row, m->size);
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
	const struct along *e = ask_of(d)->work;

	if (e->resumed && blobs_forget_state(d->keep->blobs, e->blob))
		log_failure("an upload's resume state stays");
	return 0;
}

const struct deed_row answer_put_finish = {.name = "put_finish",
					   .begin = take_along,
					   .prepare = finish_prepare,
					   .decide = put_finish,
					   .complete = finish_complete,
					   .refused = ask_refused,
					   .finish = end_liar};

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
	int rc = load_put(a, &p, &row, &zone);

	if (rc)
		return rc == E_GONE ? (err_clear(), 0) : rc;
	rc = catalog_node_by_id(d->keep->catalog, p->node, &node);
	if (rc)
		return rc;
	view_to_text(m->reason, reason, sizeof reason);
	struct event e = put_event(a, "upload.abort", zone, p->object);
	e.code = -(int)m->code; /* 0: its sender has given it up */
	e.reason = reason;
	rc = audit_add(d->keep->audit, &e);
	if (!rc)
		rc = puts_discard(d->keep, &node);
	p->over = rc == 0;
	return rc;
}

const struct deed_row answer_put_drop = {
    .name = "put_drop", .decide = put_drop, .refused = ask_refused, .finish = end_put};
