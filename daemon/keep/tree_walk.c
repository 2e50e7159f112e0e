/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tree.h"

#include "daemon/keep/node.h"
#include "daemon/keep/tree_inside.h"

int tree_missing(void)
{
	return fail(E_GONE, "no such file");
}

/* ---- what is seen ---- */

/* A row that another names must be there: its absence is no missing file. */
static int must_be_there(int rc, const char *what)
{
	return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost %s", what) : rc;
}

static int judge_file(struct tree *t, const struct principal *p, struct spot *s)
{
	int rc = 0;

	if (s->node.version) {
		rc = must_be_there(catalog_version_by_id(t->catalog, s->node.version, &s->version),
				   "a file's version");
		if (rc)
			return rc;
		s->own_version = s->version.uploader == p->row.id && s->rights & RIGHT_WRITE;
	}
	if (s->node.upload) {
		rc = must_be_there(catalog_upload_by_id(t->catalog, s->node.upload, &s->upload),
				   "an upload");
		if (rc)
			return rc;
		s->own_upload =
		    s->upload.principal == p->row.id && s->rights & (RIGHT_WRITE | RIGHT_OVERWRITE);
	}
	s->own = s->own_version || s->own_upload;
	s->seen = s->own || (s->node.version && s->rights & (RIGHT_LIST | RIGHT_READ));
	return 0;
}

int tree_judge(struct tree *t, const struct principal *p, struct spot *s)
{
	uint64_t zone = s->zone->row.id;

	s->rights = access_rights(&p->access, zone, &s->path, s->path.depth);
	s->leads = access_leads(&p->access, zone, &s->path, s->path.depth);
	s->own = s->own_version = s->own_upload = s->seen = false;
	if (!s->exists)
		return 0;
	if (!is_dir(s))
		return judge_file(t, p, s);
	s->own = s->node.owner == p->row.id && s->rights & RIGHT_WRITE;
	s->seen = s->own || s->leads || s->rights & (RIGHT_LIST | RIGHT_READ);
	return 0;
}

/* ---- the way ---- */

/* s is at a folder that is seen; its path has one name more than before. */
static int step(struct tree *t, const struct principal *p, struct spot *s)
{
	uint8_t sealed[SEALED_NAME_MAX];
	size_t len = 0;

	if (!is_dir(s))
		return fail(E_NOT_DIR, "not a folder");
	s->parent = s->node;
	s->parent_rights = s->rights;
	int rc = node_seal_name(s->zone->keys, s->parent.id, s->path.name[s->path.depth - 1],
				sealed, &len);
	if (rc)
		return rc;
	rc = catalog_node_child(t->catalog, s->parent.id, view_of(sealed, len), &s->node);
	s->exists = rc == 0;
	if (rc == E_GONE)
		s->node = (struct node_row){0};
	return rc && rc != E_GONE ? rc : tree_judge(t, p, s);
}

static int enter_zone(struct tree *t, const struct principal *p, struct spot *s)
{
	int rc = accounts_zone_by_name(t->accounts, s->path.zone, &s->zone);

	if (!rc && !access_leads(&p->access, s->zone->row.id, &s->path, 0)) {
		s->zone = NULL;
		rc = E_GONE;
	}
	if (rc)
		return rc == E_GONE ? 0 : rc;
	rc = must_be_there(catalog_node_by_id(t->catalog, s->zone->row.root, &s->node),
			   "a zone's folder");
	s->exists = true;
	return rc ? rc : tree_judge(t, p, s);
}

/* What a name that does not show itself is to the caller. */
static int end_unseen(struct spot *s, bool for_write)
{
	unsigned rights = s->rights | s->parent_rights;

	if (!for_write)
		return tree_missing();
	if (!(rights & (RIGHT_WRITE | RIGHT_MANAGE))) {
		s->exists = false;
		s->node = (struct node_row){0};
	}
	return 0;
}

int tree_walk(struct tree *t, const struct principal *p, struct view text, bool for_write,
	      struct spot *ret_spot)
{
	struct spot s = {.zone = NULL};
	int rc = path_parse(text, &s.path);
	unsigned depth = s.path.depth;

	if (rc)
		return rc;
	if (s.path.zone.len == 0) {
		s.exists = s.seen = s.leads = true;
		s.node.kind = NODE_DIR;
		*ret_spot = s;
		return 0;
	}
	s.path.depth = 0;
	rc = enter_zone(t, p, &s);
	while (!rc && s.seen && s.path.depth < depth) {
		s.path.depth++;
		rc = step(t, p, &s);
	}
	if (!rc && !s.seen)
		rc = s.path.depth < depth ? tree_missing() : end_unseen(&s, for_write);
	if (!rc)
		*ret_spot = s;
	return rc;
}

/* ---- what may be done with a file ---- */

/* Where a file belongs that somebody puts straight into /ZONE: the first of the zone's own
 * folders that takes it, beginning with the one that is meant for the role. */
int tree_refuse_straight(const struct principal *p, const struct spot *s)
{
	static const char *const folders[] = {"incoming", "deliverables"};
	bool client = p->row.role == ROLE_CLIENT;
	struct path at = {.depth = 1};

	for (int i = 0; i < 2; i++) {
		const char *folder = folders[client ? i : 1 - i];
		at.name[0] = view_text(folder);
		if (access_rights(&p->access, s->zone->row.id, &at, 1) & RIGHT_WRITE)
			return fail(E_DENIED, "files do not go straight into a zone: use %s/",
				    folder);
	}
	return fail(E_DENIED, "files do not go straight into a zone: use %s/",
		    folders[client ? 0 : 1]);
}

/* DESIGN.md, "Own uploads": a name that another principal holds is "taken", whether a grant
 * shows it or not; only one who may not write here at all hears of rights. */
static int refuse_taken(const struct spot *s)
{
	if ((s->rights | s->parent_rights) & RIGHT_WRITE)
		return fail(E_TAKEN, "name is taken");
	return fail(E_DENIED, "you may not put files here");
}

int tree_may_replace(const struct principal *p, const struct spot *s)
{
	bool own = s->own_version || (!s->node.version && s->own_upload);

	if ((!own && !(s->rights & RIGHT_OVERWRITE)) || busy_with_another(p, s))
		return refuse_taken(s);
	return 0;
}

static int may_create(const struct spot *s)
{
	if (!(s->parent_rights & RIGHT_WRITE))
		return fail(E_DENIED, "you may not put files here");
	return s->exists ? refuse_taken(s) : 0;
}

int tree_may_put(const struct principal *p, const struct spot *s, uint8_t flags)
{
	const struct path *path = &s->path;

	if (s->seen && is_dir(s))
		return fail(E_IS_DIR, "a folder has that name");
	if (!s->zone)
		return fail(E_DENIED, "files go into a zone: use /ZONE/%s/",
			    p->row.role == ROLE_CLIENT ? "incoming" : "deliverables");
	if (path->depth < 2)
		return tree_refuse_straight(p, s);
	if (!s->seen && !(flags & PUT_CREATE))
		return tree_missing();
	if (!s->seen && path_is_reserved(path->name[path->depth - 1]))
		return fail(E_DENIED, "'.receipts' is reserved");
	if (!s->seen)
		return may_create(s);
	if (flags & PUT_EXCLUSIVE)
		return fail(E_EXISTS, "exists already");
	return tree_may_replace(p, s);
}

int tree_may_get(const struct spot *s)
{
	if (!s->seen)
		return tree_missing();
	if (is_dir(s))
		return fail(E_IS_DIR, "a folder, not a file");
	if (s->own_upload)
		return fail(E_UNFINISHED, "unfinished: resume or remove");
	if (!(s->rights & RIGHT_READ))
		return fail(E_DENIED, "you may not read here (right 'r')");
	return 0;
}

int tree_make_file(struct tree *t, const struct principal *p, const struct spot *s,
		   struct node_row *ret_node)
{
	struct node_row row = {
	    .zone = s->zone->row.id, .parent = s->parent.id, .kind = NODE_FILE, .owner = p->row.id};
	int rc = node_make(t->catalog, accounts_keys(t->accounts), s->zone->keys,
			   s->path.name[s->path.depth - 1], &row);

	if (!rc)
		*ret_node = row;
	return rc;
}
