/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_inside: what the files of tree share. Nobody else includes this.
 */
#ifndef DROPKEEP_KEEP_TREE_INSIDE_H
#define DROPKEEP_KEEP_TREE_INSIDE_H

#include "daemon/keep/tree.h"

/* The one answer for what is missing and what is hidden. */
MUST_USE int tree_missing(void);

/* Fills rights, leads, own…, seen, version and upload from path, zone and node. */
MUST_USE int tree_judge(struct tree *t, const struct principal *p, struct spot *s);

/* The refusal of a file straight in /ZONE. */
MUST_USE int tree_refuse_straight(const struct principal *p, const struct spot *s);

/* What is to be done to the file at a spot that is seen, so that p may put another in its
 * place: 0, E_TAKEN or E_DENIED. */
MUST_USE int tree_may_replace(const struct principal *p, const struct spot *s);

static inline bool is_dir(const struct spot *s)
{
	return s->node.kind == NODE_DIR;
}

/* A folder that came with its zone. */
static inline bool is_fixed(const struct spot *s)
{
	return s->path.depth == 1 && s->node.owner == 0;
}

static inline bool busy_with_another(const struct principal *p, const struct spot *s)
{
	return s->node.upload && s->upload.principal != p->row.id;
}

void change_of(const struct spot *s, struct change *ret_change);

#endif
