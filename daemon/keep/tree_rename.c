/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tree.h"

#include "daemon/keep/node.h"
#include "daemon/keep/tree_inside.h"

static int may_move(const struct principal *p, const struct spot *s)
{
	bool own = is_dir(s) ? s->own : s->node.version ? s->own_version : s->own_upload;

	if (s->path.depth == 0)
		return fail(E_DENIED, "only an operator renames zones");
	if (is_fixed(s))
		return fail(E_DENIED, "the folders of a zone stay as they are");
	if (!own && !(s->rights & RIGHT_MANAGE))
		return fail(E_DENIED, "you may not rename this (right 'm')");
	if (busy_with_another(p, s))
		return fail(E_TAKEN, "name is taken");
	return 0;
}

/* Names are byte-exact, so a path says where it is: below `of` when it begins like it. */
static bool is_below(const struct path *path, const struct path *of)
{
	if (path->depth <= of->depth)
		return false;
	for (unsigned i = 0; i < of->depth; i++)
		if (!view_equal(path->name[i], of->name[i]))
			return false;
	return true;
}

/* Whether there is a place of that name at all for what is at a. */
static int check_place(const struct principal *p, const struct spot *a, const struct spot *b)
{
	if (!b->zone || b->path.depth == 0)
		return b->seen ? fail(E_EXISTS, "exists already")
			       : fail(E_DENIED, "only an operator makes zones");
	if (a->zone->row.id != b->zone->row.id)
		return fail(E_DENIED,
			    "nothing moves from one zone to another: send it again there");
	if (is_below(&b->path, &a->path))
		return fail(E_INVALID, "a folder cannot move into itself");
	if (path_is_reserved(b->path.name[b->path.depth - 1]))
		return fail(E_DENIED, "'.receipts' is reserved");
	if (!is_dir(a) && b->path.depth == 1)
		return tree_refuse_straight(p, b);
	return 0;
}

/* What is not finished must not put aside what is: others would see the file vanish. */
static int may_put_aside(const struct principal *p, const struct spot *a, const struct spot *b,
			 bool replace)
{
	if (!replace || is_dir(a) || is_dir(b))
		return fail(E_EXISTS, "exists already");
	int rc = tree_may_replace(p, b);
	if (!rc && b->node.version && !a->node.version)
		rc = fail(E_UNFINISHED, "unfinished: resume or remove");
	return rc;
}

static int may_land(const struct principal *p, const struct spot *a, const struct spot *b,
		    bool replace)
{
	if (b->seen)
		return may_put_aside(p, a, b, replace);
	if (!(b->parent_rights & RIGHT_WRITE))
		return fail(E_DENIED, "you may not put anything there (right 'w')");
	if (b->exists)
		return fail(E_TAKEN, "name is taken");
	return 0;
}

static int put_aside(struct tree *t, const struct spot *b, struct change *change)
{
	uint64_t zone = b->zone->row.id;
	struct change gone = {0};
	int rc = 0;

	change_of(b, &gone);
	change->replaced = true;
	change->replaced_size = gone.size;
	memcpy(change->replaced_object, gone.object, sizeof gone.object);
	/* The upload first, which may hold on to the version's blob. */
	if (b->node.upload)
		rc = tree_drop_upload(t, zone, b->node.upload);
	if (!rc && b->node.version)
		rc = tree_drop_version(t, zone, b->node.version);
	return rc ? rc : catalog_node_remove(t->catalog, b->node.id);
}

static int move(struct tree *t, const struct spot *a, const struct spot *b, struct change *change)
{
	uint8_t sealed[SEALED_NAME_MAX];
	size_t len = 0;
	int rc = b->seen ? put_aside(t, b, change) : 0;

	if (!rc)
		rc = node_seal_name(b->zone->keys, b->parent.id, b->path.name[b->path.depth - 1],
				    sealed, &len);
	return rc ? rc
		  : catalog_node_move(t->catalog, a->node.id, b->parent.id, view_of(sealed, len));
}

int tree_rename(struct tree *t, const struct principal *p, struct view from, struct view to,
		bool replace, struct change *ret_change)
{
	struct change change = {0};
	struct spot a, b;
	int rc = tree_walk(t, p, from, false, &a);

	if (!rc)
		rc = may_move(p, &a);
	if (!rc)
		rc = tree_walk(t, p, to, true, &b);
	if (!rc)
		rc = check_place(p, &a, &b);
	if (rc)
		return rc;
	change_of(&a, &change);
	if (b.exists && b.node.id == a.node.id)
		rc = replace ? 0 : fail(E_EXISTS, "exists already");
	else if (!(rc = may_land(p, &a, &b, replace)))
		rc = move(t, &a, &b, &change);
	if (!rc)
		*ret_change = change;
	return rc;
}
