/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tree.h"

#include "daemon/keep/node.h"
#include "daemon/keep/tree_inside.h"

void change_of(const struct spot *s, struct change *ret_change)
{
	struct change c = {.zone = s->zone->row.id};

	memcpy(c.zone_name, s->zone->row.name, sizeof c.zone_name);
	memcpy(c.object, s->node.object, sizeof c.object);
	if (s->own_upload) {
		c.was_partial = true;
		c.size = s->upload.durable;
	} else if (s->node.version) {
		c.size = s->version.size;
	}
	*ret_change = c;
}

/* ---- what stands behind a file ---- */

/* Whether the upload at the version's node goes on from the version's blob. */
static int is_source(struct tree *t, const struct version_row *v, bool *ret_source)
{
	struct node_row node = {0};
	struct upload_row upload = {.has_source = false};
	int rc = catalog_node_by_id(t->catalog, v->node, &node);

	if (!rc && node.upload)
		rc = catalog_upload_by_id(t->catalog, node.upload, &upload);
	if (rc && rc != E_GONE)
		return rc;
	*ret_source = upload.has_source && memcmp(upload.source_blob, v->blob, ID_SIZE) == 0;
	return 0;
}

/* In the catalog it goes at once, a blob after the commit; one that is lost already hinders
 * nobody. */
static int drop_content(struct tree *t, const uint8_t blob[ID_SIZE], bool tiny)
{
	int rc =
	    tiny ? catalog_tiny_remove(t->catalog, blob) : catalog_doomed_add(t->catalog, blob);

	return rc == E_GONE ? 0 : rc;
}

/* Sizes are int64 in the catalog, so the deltas fit. */
int tree_drop_version(struct tree *t, uint64_t zone, uint64_t version)
{
	struct version_row v = {0};
	bool needed = false;
	int rc = catalog_version_by_id(t->catalog, version, &v);

	if (rc)
		return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost a file's version")
				    : rc;
	rc = is_source(t, &v, &needed);
	if (!rc && !needed)
		rc = drop_content(t, v.blob, v.tiny);
	if (!rc)
		rc = catalog_version_remove(t->catalog, v.id);
	if (!rc)
		rc = catalog_zone_account(t->catalog, zone, -(int64_t)v.size, 0, -1);
	return rc;
}

/* A finished source belongs to a version as long as there is one of that blob. */
int tree_drop_source(struct tree *t, const struct upload_row *upload)
{
	struct node_row node = {0};
	struct version_row v = {0};
	int rc = 0;

	if (!upload->has_source)
		return 0;
	if (upload->source_finished) {
		rc = catalog_node_by_id(t->catalog, upload->node, &node);
		if (!rc && node.version)
			rc = catalog_version_by_id(t->catalog, node.version, &v);
		if (rc && rc != E_GONE)
			return rc;
		if (v.id && memcmp(v.blob, upload->source_blob, ID_SIZE) == 0)
			return 0;
	}
	return drop_content(t, upload->source_blob, upload->source_tiny);
}

int tree_drop_upload(struct tree *t, uint64_t zone, uint64_t upload)
{
	struct upload_row u = {0};
	int rc = catalog_upload_by_id(t->catalog, upload, &u);

	if (rc)
		return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost an upload") : rc;
	rc = catalog_doomed_add(t->catalog, u.blob);
	if (!rc)
		rc = tree_drop_source(t, &u);
	if (!rc)
		rc = catalog_upload_remove(t->catalog, u.id);
	if (!rc)
		rc = catalog_zone_account(t->catalog, zone, 0, -(int64_t)u.reserved, 0);
	return rc;
}

/* ---- folders ---- */

static int may_make_dir(const struct spot *s)
{
	unsigned rights = s->rights | s->parent_rights;

	if (s->seen)
		return fail(E_EXISTS, "exists already");
	if (!s->zone)
		return fail(E_DENIED, "only an operator makes zones");
	if (path_is_reserved(s->path.name[s->path.depth - 1]))
		return fail(E_DENIED, "'.receipts' is reserved");
	if (!(rights & (RIGHT_WRITE | RIGHT_MANAGE)))
		return fail(E_DENIED, "you may not make folders here (right 'w' or 'm')");
	if (s->exists)
		return fail(E_TAKEN, "name is taken");
	return 0;
}

int tree_make_dir(struct tree *t, const struct principal *p, struct view path,
		  struct change *ret_change)
{
	struct spot s;
	int rc = tree_walk(t, p, path, true, &s);

	if (!rc)
		rc = may_make_dir(&s);
	if (rc)
		return rc;
	s.node = (struct node_row){
	    .zone = s.zone->row.id, .parent = s.parent.id, .kind = NODE_DIR, .owner = p->row.id};
	rc = node_make(t->catalog, accounts_keys(t->accounts), s.zone->keys,
		       s.path.name[s.path.depth - 1], &s.node);
	if (!rc)
		change_of(&s, ret_change);
	return rc;
}

static int may_remove_dir(struct tree *t, const struct spot *s)
{
	struct node_row child;
	size_t count = 0;

	if (s->path.depth == 0)
		return fail(E_DENIED, "only an operator removes zones");
	if (!is_dir(s))
		return fail(E_NOT_DIR, "not a folder");
	if (is_fixed(s))
		return fail(E_DENIED, "the folders of a zone stay as they are");
	if (!s->own && !(s->rights & RIGHT_DELETE))
		return fail(E_DENIED, "you may not remove this folder (right 'd')");
	int rc = catalog_node_children(t->catalog, s->node.id, 0, &child, 1, &count);
	if (!rc && count)
		rc = fail(E_NOT_EMPTY, "folder is not empty");
	return rc;
}

int tree_remove_dir(struct tree *t, const struct principal *p, struct view path,
		    struct change *ret_change)
{
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	if (!rc)
		rc = may_remove_dir(t, &s);
	if (!rc)
		rc = catalog_node_remove(t->catalog, s.node.id);
	if (!rc)
		change_of(&s, ret_change);
	return rc;
}

/* ---- files ---- */

/* An own partial first; the version needs ownership or `d`. */
static int may_remove(const struct spot *s)
{
	if (is_dir(s))
		return fail(E_IS_DIR, "a folder, not a file");
	if (!s->own && !(s->rights & RIGHT_DELETE))
		return fail(E_DENIED, "you may not remove this (right 'd')");
	return 0;
}

/* The node goes when nothing is left at it. */
static int remove_from_node(struct tree *t, struct spot *s)
{
	uint64_t zone = s->zone->row.id;
	int rc;

	if (s->own_upload) {
		rc = tree_drop_upload(t, zone, s->node.upload);
		s->node.upload = 0;
	} else {
		rc = tree_drop_version(t, zone, s->node.version);
		s->node.version = 0;
	}
	if (rc)
		return rc;
	if (s->node.version || s->node.upload)
		return catalog_node_set(t->catalog, &s->node);
	return catalog_node_remove(t->catalog, s->node.id);
}

int tree_remove(struct tree *t, const struct principal *p, struct view path,
		struct change *ret_change)
{
	struct change change = {0};
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	if (!rc)
		rc = may_remove(&s);
	if (rc)
		return rc;
	change_of(&s, &change);
	rc = remove_from_node(t, &s);
	if (!rc)
		*ret_change = change;
	return rc;
}

int tree_upload_at(struct tree *t, const struct principal *p, struct view path,
		   uint64_t *ret_upload)
{
	struct spot s;
	int rc = tree_walk(t, p, path, true, &s);

	if (!rc)
		*ret_upload = s.own_upload ? s.node.upload : 0;
	return rc;
}

/* ---- attributes ---- */

static int may_set_attrs(const struct spot *s, uint64_t size)
{
	const unsigned need = is_dir(s) ? RIGHT_WRITE | RIGHT_MANAGE : RIGHT_OVERWRITE;
	uint64_t now = is_dir(s) ? 0 : s->own_upload ? s->upload.durable : s->version.size;

	if (s->path.depth == 0 || (!s->own && !(s->rights & need)))
		return fail(E_DENIED, "you may not change this");
	if (size != SIZE_UNKNOWN && size != now)
		return fail(E_UNSUPPORTED, "only an upload changes the size of a file");
	return 0;
}

static int set_mtime(struct tree *t, struct spot *s, int64_t mtime_s)
{
	if (s->own_upload) {
		s->upload.mtime_s = mtime_s;
		return catalog_upload_set(t->catalog, &s->upload);
	}
	if (!is_dir(s))
		return catalog_version_set_mtime(t->catalog, s->version.id, mtime_s);
	s->node.mtime_s = mtime_s;
	return catalog_node_set(t->catalog, &s->node);
}

int tree_set_attrs(struct tree *t, const struct principal *p, struct view path, int64_t mtime_s,
		   uint64_t size, struct change *ret_change)
{
	struct spot s;
	int rc = tree_walk(t, p, path, false, &s);

	if (!rc)
		rc = may_set_attrs(&s, size);
	if (!rc && mtime_s != TIME_UNKNOWN)
		rc = set_mtime(t, &s, mtime_s);
	if (!rc)
		change_of(&s, ret_change);
	return rc;
}
