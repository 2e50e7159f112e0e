/* SPDX-License-Identifier: Apache-2.0 */
/*
 * path: what a client calls a file becomes an absolute path without empty, "." and ".."
 * components. Purely lexical: there are no links here. ".." at the top stays at the top.
 * What a name may consist of is for the keep to say; only a NUL is refused here.
 */
#ifndef DROPKEEP_GATE_SFTP_PATH_H
#define DROPKEEP_GATE_SFTP_PATH_H

#include "base/buf.h"
#include "daemon/gate/limits.h"

struct path {
	size_t len;
	char text[PATH_LIMIT + 1]; /* with a NUL behind it */
};

/* A relative path begins at home, which is such a path itself; an empty one is home.
 * E_INVALID for one that is too long or holds a NUL. */
MUST_USE int path_resolve(struct view home, struct view path, struct path *ret_path);

static inline struct view path_view(const struct path *p)
{
	return view_of(p->text, p->len);
}

/* Whether path is dir or lies below it. */
bool path_is_below(struct view path, struct view dir);

#endif
