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

/* What sealed hashes of versions are sealed for (keys.h). */
extern const char tree_hash_purpose[];

struct tree {
	struct catalog *catalog;
	struct accounts *accounts;
};

/*
 * A path walked to its last name, and what the principal may see of what stands there.
 *
 * own: where a principal holds `w`, what they sent themselves and the folders they made; an upload
 * in progress is also its maker's own where they hold `o`. Nobody else ever sees one.
 */
struct spot {
	struct path path;        /* borrows from the text */
	const struct zone *zone; /* NULL at "/", and where for_write says below */
	struct node_row node;    /* valid when exists, but at "/", which has none */
	struct node_row parent;  /* valid when zone and depth > 0 */
	bool exists;             /* false: the last name is missing, its parent is there */
	bool seen;               /* it exists as far as the principal can tell */
	bool own;                /* a folder of theirs, own_version or own_upload */
	bool own_version;
	bool own_upload; /* then this is what the name shows: a partial */
	uint8_t rights;  /* at the path, by grants */
	uint8_t parent_rights;
	bool leads;                 /* on the way to a grant, or at one */
	struct version_row version; /* valid when node.version */
	struct upload_row upload;   /* valid when node.upload; may be another's */
};

/*
 * Walks text. What is missing or hidden is E_GONE with the same sentence; a file where a
 * folder is needed is E_NOT_DIR.
 *
 * for_write tells more of the last name: a missing one gives exists = false; so does a
 * hidden one, except where the principal holds `w` or `m`, which gives exists without seen ("name
 * is taken": DESIGN.md, "Own uploads"). "/NAME" without a zone that may be entered gives
 * exists = false and no zone.
 */
MUST_USE int tree_walk(struct tree *t, const struct principal *p, struct view text, bool for_write,
		       struct spot *ret_spot);

/* May p open an upload here? spot is of a walk for_write; flags: PUT_CREATE, PUT_EXCLUSIVE. A
 * partial of their own is resumed, so 0 also for that. */
MUST_USE int tree_may_put(const struct principal *p, const struct spot *s, uint8_t flags);

/* May p read the file here? E_UNFINISHED for a partial of their own. */
MUST_USE int tree_may_get(const struct spot *s);

/* A file's node for a new upload at a spot where tree_may_put() gave 0 and nothing exists. The
 * caller sets its upload with catalog_node_set(). */
MUST_USE int tree_make_file(struct tree *t, const struct principal *p, const struct spot *s,
			    struct node_row *ret_node);

/* What the name shows at a spot that is seen; owner_name borrows from names, which grows. An
 * owner who was removed is "#12", the system "-": neither is a name that a user can have. */
MUST_USE int tree_attrs(struct tree *t, const struct spot *s, struct buf *names,
			struct attrs *ret_attrs);

/*
 * SHA-256 of what the name shows at a spot that is seen, into ret_hash, which a->sha256 then
 * borrows from: of a finished file that the principal may read, or has sent. Others leave a as it
 * is: who may only see a name learns nothing of its content.
 */
MUST_USE int tree_hash(struct tree *t, const struct spot *s, uint8_t ret_hash[WIRE_HASH],
		       struct attrs *a);

/* Both in one, without a hash. owner_name of the result borrows from `names`, which the caller
 * frees after use. */
MUST_USE int tree_stat(struct tree *t, const struct principal *p, struct view path,
		       struct buf *names, struct attrs *ret_attrs);

/* Appends entries (wire/messages.h; hashes: with these) to w until it is full, the folder ends, or
 * a bounded number of rows has been looked at; the cursor as in FIELDS_answer_list. A page may be
 * empty without being the last. E_LIMIT when not even one entry has room. */
MUST_USE int tree_list(struct tree *t, const struct principal *p, struct view path, uint64_t cursor,
		       bool hashes, struct writer *w, uint64_t *ret_cursor, bool *ret_end);

/* What a change was about, for the audit record. */
struct change {
	uint64_t zone;
	char zone_name[ACCOUNT_MAX + 1];
	uint8_t object[ID_SIZE];
	uint64_t size;    /* of a removed or moved file */
	bool was_partial; /* it was an upload in progress, not a version */
	bool replaced;    /* a rename put what stood at its target aside: */
	uint8_t replaced_object[ID_SIZE];
	uint64_t replaced_size;
};

MUST_USE int tree_make_dir(struct tree *t, const struct principal *p, struct view path,
			   struct change *ret_change);
MUST_USE int tree_remove_dir(struct tree *t, const struct principal *p, struct view path,
			     struct change *ret_change);
/* The caller has ended any lease of the upload before (see tree_upload_at). A partial of the
 * principal goes first, its published version with a second call. */
MUST_USE int tree_remove(struct tree *t, const struct principal *p, struct view path,
			 struct change *ret_change);
/* The moved object keeps its id, the replaced one is gone. With replace the caller has ended the
 * lease of an own upload at `to` as well; that of one at `from` may go on. A rename onto
 * itself changes nothing and gives 0 with replace. */
MUST_USE int tree_rename(struct tree *t, const struct principal *p, struct view from,
			 struct view to, bool replace, struct change *ret_change);
MUST_USE int tree_set_attrs(struct tree *t, const struct principal *p, struct view path,
			    int64_t mtime_s, uint64_t size, struct change *ret_change);
MUST_USE int tree_space(struct tree *t, const struct principal *p, struct view path,
			uint64_t disk_total, uint64_t disk_free, struct answer_space *ret_space);

/* The number of the upload in progress at a path that is this principal's, 0 if none or if the
 * name is missing. Errors as of tree_walk(). */
MUST_USE int tree_upload_at(struct tree *t, const struct principal *p, struct view path,
			    uint64_t *ret_upload);

/*
 * Blobs of a version or upload go to the doomed list, the zone's counters (used_bytes and files
 * for each version, reserved_bytes for each upload) follow, the row goes. The node is the
 * caller's to set or remove, afterwards. A blob that the node's upload continues from stays
 * until tree_drop_source().
 *
 * A publication: add the new version and count it, set node.version and node.upload = 0, drop the
 * old version, remove the upload's row, drop its source.
 */
MUST_USE int tree_drop_version(struct tree *t, uint64_t zone, uint64_t version);
MUST_USE int tree_drop_upload(struct tree *t, uint64_t zone, uint64_t upload);

/* The blob that an upload continued from, unless the node's version still is that blob. */
MUST_USE int tree_drop_source(struct tree *t, const struct upload_row *upload);

/* "/ZONE/a/b" of a node of that zone, appended to out. */
MUST_USE int tree_path(struct tree *t, const struct zone *zone, const struct node_row *node,
		       struct buf *out);

#endif
