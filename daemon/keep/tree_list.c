/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tree.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/keep/tree_inside.h"

enum {
	PAGE_ROWS = 512, /* rows that one call may look at, seen or not */
	READ_ROWS = 32,  /* rows that are read at once */
};

/* ---- what one name shows ---- */

static int owner_name(struct tree *t, uint64_t owner, struct buf *names, struct view *ret_name)
{
	const struct principal *p = NULL;
	size_t start = names->len;
	int rc = owner ? accounts_principal(t->accounts, owner, &p) : 0;

	if (rc == E_GONE)
		rc = buf_printf(names, "#%" PRIu64, owner);
	else if (!rc)
		rc = buf_add_text(names, p ? p->row.name : "-");
	if (!rc)
		*ret_name = view_of(names->data + start, names->len - start);
	return rc;
}

/* Times that a client did not set are ours. */
static int64_t time_or(int64_t mtime_s, int64_t made_us)
{
	return mtime_s == TIME_UNKNOWN ? made_us / 1000000 : mtime_s;
}

/* What the principal may do with what is there, as DESIGN.md's "Own uploads" widens it: `w` on
 * a folder is to make things in it, on a file to put another content in its place. */
static uint8_t rights_shown(const struct spot *s)
{
	unsigned rights = s->rights;

	if (is_dir(s)) {
		rights |= RIGHT_LIST;
		if (s->own)
			rights |= RIGHT_MANAGE | RIGHT_DELETE;
		return (uint8_t)rights;
	}
	if (s->own)
		rights |= RIGHT_LIST | RIGHT_OVERWRITE | RIGHT_MANAGE | RIGHT_DELETE;
	if (s->own_upload)
		rights &= ~(unsigned)RIGHT_READ; /* not before it is finished */
	rights &= ~(unsigned)RIGHT_WRITE;
	if (rights & RIGHT_OVERWRITE)
		rights |= RIGHT_WRITE;
	return (uint8_t)rights;
}

int tree_attrs(struct tree *t, const struct spot *s, struct buf *names, struct attrs *ret_attrs)
{
	struct attrs a = {.kind = NODE_DIR, .rights = rights_shown(s)};
	uint64_t owner = s->node.owner;

	if (is_dir(s)) {
		a.mtime_s = time_or(s->node.mtime_s, s->node.made_us);
	} else if (s->own_upload) {
		a.kind = NODE_PARTIAL;
		a.size = s->upload.durable;
		a.mtime_s = time_or(s->upload.mtime_s, s->upload.touched_us);
		owner = s->upload.principal;
	} else {
		a.kind = NODE_FILE;
		a.size = s->version.size;
		a.mtime_s = time_or(s->version.mtime_s, s->version.made_us);
		owner = s->version.uploader;
	}
	a.owner = owner > UINT32_MAX ? UINT32_MAX : (uint32_t)owner;
	int rc = owner_name(t, owner, names, &a.owner_name);
	if (!rc)
		*ret_attrs = a;
	return rc;
}

const char tree_hash_purpose[] = "dropkeep content hash v1";

int tree_hash(struct tree *t, const struct spot *s, uint8_t ret_hash[WIRE_HASH], struct attrs *a)
{
	CLEANUP(secret_free) struct secret *hash = NULL;
	const struct version_row *v = &s->version;

	if (a->kind != NODE_FILE || !(s->rights & RIGHT_READ || s->own_version))
		return 0;
	int rc = keys_open(accounts_keys(t->accounts), zone_keys_data(s->zone->keys),
			   tree_hash_purpose, view_of(v->blob, sizeof v->blob),
			   view_of(v->sealed_hash, v->sealed_hash_len), &hash);
	if (!rc && secret_view(hash).len != WIRE_HASH)
		rc = fail(E_INTEGRITY, "a hash of another length");
	if (rc)
		return rc;
	memcpy(ret_hash, secret_view(hash).data, WIRE_HASH);
	a->sha256 = view_of(ret_hash, WIRE_HASH);
	return 0;
}

int tree_stat(struct tree *t, const struct principal *p, struct view path, struct buf *names,
	      struct attrs *ret_attrs)
{
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	return rc ? rc : tree_attrs(t, &s, names, ret_attrs);
}

/* ---- folders ---- */

/* A page being written. */
struct page {
	struct tree *t;
	const struct principal *p;
	struct writer *w;
	struct buf text; /* of one entry: its name, then its owner's */
	uint64_t cursor; /* the last row that is done with */
	bool hashes, full, end;
	size_t start; /* of w, to tell whether there is an entry at all */
};

static int add_entry(struct page *g, struct view name, const struct attrs *a)
{
	struct entry e = {.name = name,
			  .kind = a->kind,
			  .rights = a->rights,
			  .size = a->size,
			  .mtime_s = a->mtime_s,
			  .owner = a->owner,
			  .owner_name = a->owner_name,
			  .sha256 = a->sha256};
	size_t before = g->w->len;

	entry_write(g->w, &e);
	if (!g->w->full)
		return 0;
	if (before == g->start)
		return fail(E_LIMIT, "no room for even one entry");
	g->w->len = before;
	g->w->full = false;
	g->full = true;
	return 0;
}

/* Grants of more than reading by name show what is there; the rest shows only what leads on
 * or is one's own. */
static bool is_listed(const struct spot *s)
{
	return s->seen && (s->own || s->rights & RIGHT_LIST || (s->leads && is_dir(s)));
}

/* at: the folder; on the way back it holds the child. */
static int add_child(struct page *g, struct spot *at, const struct node_row *row)
{
	CLEANUP(buf_done) struct buf name = {0};
	uint8_t hash[WIRE_HASH];
	struct attrs a = {0};
	int rc = zone_keys_open_name(at->zone->keys, row->parent, view_of(row->name, row->name_len),
				     &name);

	if (rc)
		return rc;
	at->node = *row;
	at->path.name[at->path.depth - 1] = view_buf(&name);
	rc = tree_judge(g->t, g->p, at);
	if (rc || !is_listed(at))
		return rc;
	buf_clear(&g->text);
	rc = tree_attrs(g->t, at, &g->text, &a);
	if (!rc && g->hashes)
		rc = tree_hash(g->t, at, hash, &a);
	return rc ? rc : add_entry(g, view_buf(&name), &a);
}

/* Children as spots one name deeper than the folder. */
static int list_folder(struct page *g, const struct spot *folder)
{
	struct node_row rows[READ_ROWS];
	struct spot child = *folder;
	uint64_t parent = folder->node.id;

	if (child.path.depth++ == PATH_DEPTH_MAX) {
		g->end = true; /* what may be there has no path */
		return 0;
	}
	for (unsigned seen = 0; seen < PAGE_ROWS && !g->end; seen += READ_ROWS) {
		size_t count = 0;
		int rc = catalog_node_children(g->t->catalog, parent, g->cursor, rows, READ_ROWS,
					       &count);
		for (size_t i = 0; !rc && i < count; i++) {
			rc = add_child(g, &child, &rows[i]);
			if (!rc && g->full)
				return 0;
			g->cursor = rows[i].id;
		}
		if (rc)
			return rc;
		g->end = count < READ_ROWS;
	}
	return 0;
}

/* ---- "/" ---- */

struct zone_line {
	uint64_t id;
	int64_t made_us;
	uint8_t rights;
	char name[ACCOUNT_MAX + 1];
};

struct zone_lines {
	const struct principal *p;
	uint64_t after;
	struct buf lines; /* an array of struct zone_line */
};

static int keep_zone(void *arg, const struct zone_row *row)
{
	static const struct path top;
	struct zone_lines *z = arg;
	struct zone_line line = {.id = row->id, .made_us = row->made_us};

	if (row->id <= z->after || !access_leads(&z->p->access, row->id, &top, 0))
		return 0;
	line.rights = access_rights(&z->p->access, row->id, &top, 0);
	memcpy(line.name, row->name, sizeof line.name);
	return buf_add(&z->lines, &line, sizeof line);
}

static int compare_zones(const void *a, const void *b)
{
	const struct zone_line *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static int list_zones(struct page *g)
{
	struct zone_lines z = {.p = g->p, .after = g->cursor};
	int rc = catalog_each_zone(g->t->catalog, keep_zone, &z);
	size_t count = z.lines.len / sizeof(struct zone_line);
	struct zone_line *line = (struct zone_line *)(void *)z.lines.data;

	if (count)
		qsort(line, count, sizeof *line, compare_zones);
	for (size_t i = 0; !rc && !g->full && i < count; i++) {
		struct attrs a = {.kind = NODE_DIR,
				  .rights = line[i].rights | RIGHT_LIST,
				  .mtime_s = line[i].made_us / 1000000,
				  .owner_name = view_text("-")};
		rc = add_entry(g, view_text(line[i].name), &a);
		if (!rc && !g->full)
			g->cursor = line[i].id;
	}
	g->end = !g->full;
	buf_done(&z.lines);
	return rc;
}

int tree_list(struct tree *t, const struct principal *p, struct view path, uint64_t cursor,
	      bool hashes, struct writer *w, uint64_t *ret_cursor, bool *ret_end)
{
	struct page g = {
	    .t = t, .p = p, .w = w, .cursor = cursor, .hashes = hashes, .start = w->len};
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	if (rc)
		return rc;
	if (!is_dir(&s))
		return fail(E_NOT_DIR, "not a folder");
	rc = s.zone ? list_folder(&g, &s) : list_zones(&g);
	buf_done(&g.text);
	if (rc)
		return rc;
	*ret_cursor = g.cursor;
	*ret_end = g.end;
	return 0;
}

/* ---- space ---- */

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* A quota may promise more than the disk has; free says what will really go in. */
int tree_space(struct tree *t, const struct principal *p, struct view path, uint64_t disk_total,
	       uint64_t disk_free, struct answer_space *ret_space)
{
	struct answer_space space = {.total = disk_total, .free = disk_free};
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	if (rc)
		return rc;
	if (s.zone) {
		const struct zone_row *z = &s.zone->row;
		uint64_t left = less(less(z->quota_bytes, z->used_bytes), z->reserved_bytes);
		space.files = z->files;
		if (z->quota_bytes) {
			space.total = z->quota_bytes;
			space.free = left < disk_free ? left : disk_free;
		}
	}
	*ret_space = space;
	return 0;
}
