/* SPDX-License-Identifier: Apache-2.0 */
/* The ask about an upload of one's own: UPLOAD. */
#include "daemon/keep/ask.h"

#include "age/stream.h"
#include "base/mem.h"
#include "daemon/keep/puts.h"

/* As long as the next lease will say that the upload is (leases.c). */
static uint64_t next_size(const struct upload_row *row)
{
	if (row->clean || row->has_source)
		return row->durable;
	return row->durable - row->durable % AGE_CHUNK;
}

static int64_t expiry(const struct keep *keep, const struct upload_row *row)
{
	return row->touched_us + (int64_t)keep->settings->upload_expiry_ms * 1000;
}

static int no_upload(void)
{
	return fail(E_GONE, "there is no such upload");
}

/* Where a node is now, as this principal may see it. */
static int walk_node(struct keep *keep, const struct principal *p, uint64_t id, struct buf *path,
		     struct spot *ret_spot)
{
	struct node_row node;
	const struct zone *zone = NULL;
	int rc = catalog_node_by_id(keep->catalog, id, &node);

	if (!rc)
		rc = accounts_zone_by_id(keep->accounts, node.zone, &zone);
	if (!rc)
		rc = tree_path(&keep->tree, zone, &node, path);
	if (!rc)
		rc = tree_walk(&keep->tree, p, view_buf(path), true, ret_spot);
	return rc;
}

static int answer_finished(struct ask *a, const struct principal *p,
			   const struct version_row *version)
{
	CLEANUP(buf_done) struct buf path = {0};
	struct spot *s = mem_new(sizeof *s);
	CLEANUP(mem_free) void *owned = s;
	struct attrs shown = {.kind = NODE_FILE};
	uint8_t hash[WIRE_HASH];
	int rc = walk_node(a->gate->keep, p, version->node, &path, s);

	if (!rc && !(s->exists && s->own_version && s->version.id == version->id))
		rc = no_upload();
	if (!rc)
		rc = tree_hash(&a->gate->keep->tree, s, hash, &shown);
	if (rc)
		return rc;
	struct answer_upload m = {.path = view_buf(&path),
				  .offset = version->size,
				  .declared = version->size,
				  .finished = 1,
				  .record = version->record,
				  .sha256 = shown.sha256};
	memcpy(m.ticket, version->ticket, sizeof m.ticket);
	answer_upload_write(ask_out(a, 128 + path.len), &m);
	return 0;
}

static int answer_unfinished(struct ask *a, const struct upload_row *row, struct view path)
{
	struct answer_upload m = {.path = path,
				  .offset = next_size(row),
				  .declared = row->declared,
				  .expires_us = expiry(a->gate->keep, row)};

	memcpy(m.ticket, row->ticket, sizeof m.ticket);
	answer_upload_write(ask_out(a, 128 + path.len), &m);
	return 0;
}

static int by_ticket(struct ask *a, const struct principal *p)
{
	struct keep *keep = a->gate->keep;
	const uint8_t *ticket = a->m.upload.ticket.data;
	CLEANUP(buf_done) struct buf path = {0};
	struct spot *s = mem_new(sizeof *s);
	CLEANUP(mem_free) void *owned = s;
	struct upload_row row;
	struct version_row version;
	int rc = catalog_upload_by_ticket(keep->catalog, ticket, &row);

	if (rc == E_GONE) {
		rc = catalog_version_by_ticket(keep->catalog, ticket, &version);
		return rc ? (rc == E_GONE ? no_upload() : rc) : answer_finished(a, p, &version);
	}
	if (!rc)
		rc = walk_node(keep, p, row.node, &path, s);
	if (!rc && !(s->exists && s->own_upload && s->upload.id == row.id))
		rc = no_upload();
	if (!rc)
		rc = puts_wait(a, row.id);
	return rc ? rc : answer_unfinished(a, &row, view_buf(&path));
}

static int by_path(struct ask *a, const struct principal *p)
{
	struct view path = a->m.upload.path;
	struct spot *s = mem_new(sizeof *s);
	CLEANUP(mem_free) void *owned = s;
	int rc = tree_walk(&a->gate->keep->tree, p, path, true, s);

	if (!rc && !(s->exists && s->own_upload))
		rc = no_upload();
	if (!rc)
		rc = puts_wait(a, s->upload.id);
	return rc ? rc : answer_unfinished(a, &s->upload, path);
}

static int upload(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	int rc = ask_principal(a, &p);

	if (rc)
		return rc;
	return a->m.upload.ticket.len ? by_ticket(a, p) : by_path(a, p);
}

const struct deed_row answer_upload = {
    .name = "upload", .decide = upload, .refused = ask_refused, .finish = ask_finish};
