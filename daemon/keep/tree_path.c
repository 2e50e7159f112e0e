/* SPDX-License-Identifier: Apache-2.0 */
/* The way back: from a node to the path that users know it by. */
#include "daemon/keep/tree.h"

#include "base/mem.h"

static int prepend(struct buf *path, struct view name)
{
	CLEANUP(buf_done) struct buf longer = {0};
	int rc = buf_add_text(&longer, "/");

	if (!rc)
		rc = buf_add(&longer, name.data, name.len);
	if (!rc)
		rc = buf_add(&longer, path->data, path->len);
	if (rc)
		return rc;
	struct buf old = *path;
	*path = longer;
	longer = old;
	return 0;
}

int tree_path(struct tree *t, const struct zone *zone, const struct node_row *node, struct buf *out)
{
	struct node_row at = *node;
	int rc = 0;

	for (unsigned depth = 0; !rc && at.parent; depth++) {
		CLEANUP(buf_done) struct buf name = {0};
		if (depth > PATH_DEPTH_MAX)
			return fail(E_INTEGRITY, "folders that are nested in a circle");
		rc = zone_keys_open_name(zone->keys, at.parent, view_of(at.name, at.name_len),
					 &name);
		if (!rc)
			rc = prepend(out, view_buf(&name));
		if (!rc)
			rc = catalog_node_by_id(t->catalog, at.parent, &at);
	}
	return rc ? rc : prepend(out, view_text(zone->row.name));
}
