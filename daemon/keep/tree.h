/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: folders and files as a principal may see and change them: access, ownership and
 * names together, on the catalog. All of it inside the caller's transaction; nothing here
 * touches blobs, gates or the log.
 *
 * What may not be seen is E_GONE ("no such file"), what may be seen but not done is
 * E_DENIED with a sentence that names the right or the way ("use incoming/").
 */
#ifndef DROPKEEP_KEEP_TREE_H
#define DROPKEEP_KEEP_TREE_H

#include "daemon/keep/accounts.h"
#include "wire/messages.h"

struct tree {
	struct catalog *catalog;
	struct accounts *accounts;
};

/* A path walked as far as it exists and may be seen. */
struct spot {
	struct path path;
	const struct zone *zone;  /* NULL at "/" */
	struct node_row node;     /* valid when exists */
	struct node_row parent;   /* valid when depth > 0 */
	bool exists;              /* false: the last name is missing, its parent is there */
	bool own;                 /* the node's version or upload is this principal's */
	uint8_t rights;           /* at the path, by grants */
	uint8_t parent_rights;
	bool leads;               /* on the way to a grant */
};

/* Walks text. E_GONE where a folder on the way is missing or hidden; a hidden last name
 * gives E_GONE as well, except that `for_write` gives exists=true, so that the caller can
 * say "name is taken" where the principal may write (DESIGN.md, "Own uploads"). */
MUST_USE int tree_walk(struct tree *t, const struct principal *p, struct view text, bool for_write,
		       struct spot *ret_spot);

/* owner_name of the result borrows from `names`, which the caller frees after use. */
MUST_USE int tree_stat(struct tree *t, const struct principal *p, struct view path, struct buf *names,
		       struct attrs *ret_attrs);

/* Appends entries (wire/messages.h) to w until it is full, the folder ends, or a bounded
 * number of rows has been looked at; the cursor as in FIELDS_answer_list. */
MUST_USE int tree_list(struct tree *t, const struct principal *p, struct view path, uint64_t cursor,
		       struct writer *w, uint64_t *ret_cursor, bool *ret_end);

/* What a change was about, for the audit record. */
struct change {
	uint64_t zone;
	char zone_name[ACCOUNT_MAX + 1];
	uint8_t object[ID_SIZE];
	uint64_t size;      /* of a removed or moved file */
	bool was_partial;   /* an upload in progress was removed, not a version */
	bool replaced;      /* a rename put an existing version aside */
};

MUST_USE int tree_make_dir(struct tree *t, const struct principal *p, struct view path, struct change *ret_change);
MUST_USE int tree_remove_dir(struct tree *t, const struct principal *p, struct view path, struct change *ret_change);
/* The caller has ended any lease of the upload before (see tree_upload_at). A partial of the
 * principal goes first, its published version with a second call. */
MUST_USE int tree_remove(struct tree *t, const struct principal *p, struct view path, struct change *ret_change);
MUST_USE int tree_rename(struct tree *t, const struct principal *p, struct view from, struct view to,
			 bool replace, struct change *ret_change);
MUST_USE int tree_set_attrs(struct tree *t, const struct principal *p, struct view path, int64_t mtime_s,
			    uint64_t size, struct change *ret_change);
MUST_USE int tree_space(struct tree *t, const struct principal *p, struct view path, uint64_t disk_total,
			uint64_t disk_free, struct answer_space *ret_space);

/* The number of the upload in progress at a path that is this principal's, 0 if none. */
MUST_USE int tree_upload_at(struct tree *t, const struct principal *p, struct view path, uint64_t *ret_upload);

/* Blob rows of a version or upload go to the doomed list, counters follow. */
MUST_USE int tree_drop_version(struct tree *t, uint64_t zone, uint64_t version);
MUST_USE int tree_drop_upload(struct tree *t, uint64_t zone, uint64_t upload);

#endif
