/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about folders and names. What they mean stands in tree.h. */
#include "daemon/keep/ask.h"

#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/puts.h"

enum { PAGE = 48 * 1024 };

static int stat_path(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct spot *s = mem_new(sizeof *s);
	CLEANUP(mem_free) void *owned = s;
	CLEANUP(buf_done) struct buf names = {0};
	uint8_t hash[WIRE_HASH];
	const struct principal *p;
	struct attrs attrs;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = tree_walk(&d->keep->tree, p, a->m.stat.path, false, s);
	if (!rc)
		rc = tree_attrs(&d->keep->tree, s, &names, &attrs);
	if (!rc)
		rc = tree_hash(&d->keep->tree, s, hash, &attrs);
	if (!rc)
		attrs_write(ask_out(a, 128 + WIRE_HASH + attrs.owner_name.len), &attrs);
	return rc;
}

const struct deed_row answer_stat = {
    .name = "stat", .decide = stat_path, .refused = ask_refused, .finish = ask_finish};

static int list(struct deed *d)
{
	struct ask *a = ask_of(d);
	CLEANUP(mem_free) uint8_t *page = mem_new(PAGE);
	struct writer w = writer_of(page, PAGE);
	const struct principal *p;
	struct answer_list m = {0};
	bool end = false;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = tree_list(&d->keep->tree, p, a->m.list.path, a->m.list.cursor,
			       a->m.list.hashes, &w, &m.cursor, &end);
	if (rc)
		return rc;
	m.end = end;
	m.entries = view_of(w.data, w.len);
	answer_list_write(ask_out(a, 32 + w.len), &m);
	return 0;
}

const struct deed_row answer_list = {
    .name = "list", .decide = list, .refused = ask_refused, .finish = ask_finish};

static int record_change(struct ask *a, const char *name, struct view path, struct view to,
			 const struct change *c)
{
	struct event e = ask_event(a, name, path);

	e.new_path = to;
	e.zone = c->zone;
	e.zone_name = c->zone_name;
	e.object = c->object;
	if (c->size)
		e.size = c->size;
	if (c->was_partial)
		e.reason = "an unfinished upload";
	return audit_add(a->deed.keep->audit, &e);
}

static int make_dir(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct change c = {0};
	struct view path = a->m.make_dir.path;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = tree_make_dir(&d->keep->tree, p, path, &c);
	return rc ? rc : record_change(a, "folder.make", path, view_of(NULL, 0), &c);
}

const struct deed_row answer_make_dir = {
    .name = "make_dir", .decide = make_dir, .refused = ask_refused, .finish = ask_finish};

static int remove_dir(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct change c = {0};
	struct view path = a->m.remove_dir.path;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = tree_remove_dir(&d->keep->tree, p, path, &c);
	return rc ? rc : record_change(a, "folder.remove", path, view_of(NULL, 0), &c);
}

const struct deed_row answer_remove_dir = {
    .name = "remove_dir", .decide = remove_dir, .refused = ask_refused, .finish = ask_finish};

/* An upload that is about to vanish may be under a lease: its gate is asked to let go
 * first, and the ask waits (puts_wait). */
static int wait_for_lease(struct ask *a, const struct principal *p, struct view path)
{
	uint64_t upload = 0;
	int rc = tree_upload_at(&a->deed.keep->tree, p, path, &upload);

	if (rc == E_GONE || rc == E_NOT_DIR || (!rc && !upload)) {
		err_clear();
		return 0;
	}
	return rc ? rc : puts_wait(a, upload);
}

static int remove_path(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct change c = {0};
	struct view path = a->m.remove.path;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = wait_for_lease(a, p, path);
	if (!rc)
		rc = tree_remove(&d->keep->tree, p, path, &c);
	return rc ? rc : record_change(a, "file.remove", path, view_of(NULL, 0), &c);
}

static void kick_sweep(struct deed *d)
{
	sweep_start(d->keep);
}

const struct deed_row answer_remove = {.name = "remove",
				       .decide = remove_path,
				       .refused = ask_refused,
				       .settle = kick_sweep,
				       .finish = ask_finish};

static int rename_path(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct change c = {0};
	struct view from = a->m.rename.from, to = a->m.rename.to;
	bool replace = a->m.rename.replace != 0;
	int rc = ask_principal(a, &p);

	if (!rc && replace)
		rc = wait_for_lease(a, p, to);
	if (!rc)
		rc = tree_rename(&d->keep->tree, p, from, to, replace, &c);
	if (!rc && c.replaced) {
		struct change replaced = {.zone = c.zone, .size = c.replaced_size};
		memcpy(replaced.zone_name, c.zone_name, sizeof replaced.zone_name);
		memcpy(replaced.object, c.replaced_object, sizeof replaced.object);
		rc = record_change(a, "file.replace", to, view_of(NULL, 0), &replaced);
	}
	return rc ? rc : record_change(a, "rename", from, to, &c);
}

const struct deed_row answer_rename = {.name = "rename",
				       .decide = rename_path,
				       .refused = ask_refused,
				       .settle = kick_sweep,
				       .finish = ask_finish};

/* Clients set times after each upload; a request that changes nothing leaves no record. */
static int set_attrs(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct change c = {0};
	const struct ask_set_attrs *m = &a->m.set_attrs;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = tree_set_attrs(&d->keep->tree, p, m->path, m->mtime_s, m->size, &c);
	if (rc || m->mtime_s == TIME_UNKNOWN)
		return rc;
	return record_change(a, "file.times", m->path, view_of(NULL, 0), &c);
}

const struct deed_row answer_set_attrs = {
    .name = "set_attrs", .decide = set_attrs, .refused = ask_refused, .finish = ask_finish};

static int space(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct principal *p;
	struct answer_space m = {0};
	uint64_t free_bytes = 0, total = 0;
	int rc = ask_principal(a, &p);

	if (!rc)
		rc = puts_space(d->keep, &free_bytes, &total);
	if (!rc)
		rc = tree_space(&d->keep->tree, p, a->m.space.path, total, free_bytes, &m);
	if (!rc)
		answer_space_write(ask_out(a, 64), &m);
	return rc;
}

const struct deed_row answer_space = {
    .name = "space", .decide = space, .refused = ask_refused, .finish = ask_finish};
