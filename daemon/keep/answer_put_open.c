/* SPDX-License-Identifier: Apache-2.0 */
/* The ask that begins an upload or goes on with one: PUT_OPEN. */
#include "daemon/keep/put_ask.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

/* An upload's node, which may have to be made, and its row, which may be there. */
struct opening {
	const struct principal *who;
	struct spot spot;
	struct node_row node;
	struct upload_row row;
	bool resumed;
};

static bool is_https(const struct ask *a)
{
	const struct session *s = ask_session(a);

	return s && session_is_https(s);
}

/* A length that HTTP declares is what comes: where there is no room for it, none of it needs to.
 * SFTP's is a hint. */
static int check_promise(const struct ask *a, const struct opening *o)
{
	const struct zone_row *z = &o->spot.zone->row;
	uint64_t declared = o->row.declared, others = z->used_bytes + z->reserved_bytes;

	if (!is_https(a) || declared == SIZE_UNKNOWN || !z->quota_bytes)
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

/* What HTTP asks to be new may have been begun: an unfinished upload of one's own is no
 * representation (RFC 9110, section 13.1.2), and PUT gives it up. Over SFTP it is a file. */
static uint8_t flags_of(const struct ask *a, const struct spot *s)
{
	uint8_t flags = a->m.put_open.flags;
	bool begun = s->exists && s->own_upload && !s->node.version;

	return is_https(a) && begun ? flags & (uint8_t)~PUT_EXCLUSIVE : flags;
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
		rc = tree_may_put(o->who, &o->spot, flags_of(a, &o->spot));
	if (!rc)
		rc = check_conditions(a, o);
	if (!rc)
		rc = open_at(a, o);
	if (rc)
		return rc;
	struct event e = put_ask_event(a, o->resumed ? "upload.resume" : "upload.open",
				       o->spot.zone, o->node.object);
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
