/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access: who may do what where. Pure: grants and a path in, rights out; default deny.
 *
 * A path is a list of names below the zone (none: the zone itself). Rights at a path are the
 * union of all grants whose prefix covers it (whole names: "in" does not cover "incoming").
 * A path that lies on the way to a grant may be entered and listed, and shows only what
 * leads there. Ownership (DESIGN.md, "Own uploads") is added by tree.c, which knows who
 * made what.
 */
#ifndef DROPKEEP_KEEP_ACCESS_H
#define DROPKEEP_KEEP_ACCESS_H

#include <stdbool.h>

#include "base/buf.h"

enum { PATH_DEPTH_MAX = 64, PATH_BYTES_MAX = 4096 };

/* A path taken apart; names borrow from the text it came from. */
struct path {
	struct view zone; /* empty for "/" */
	struct view name[PATH_DEPTH_MAX];
	unsigned depth; /* names below the zone */
};

/* From "/ZONE/a/b". Refuses with a clear sentence (E_INVALID): not absolute, empty names, "."
 * and "..", invalid UTF-8, control characters, names over 255 bytes, too deep, too long. The
 * zone's name is checked like any other: one that cannot exist is for look-ups to miss. */
MUST_USE int path_parse(struct view text, struct path *ret_path);

/* ".receipts" may not be made by users. */
bool path_is_reserved(struct view name);

/* [a-z0-9][a-z0-9._-]{0,62} */
bool account_name_valid(struct view name);

struct grant {
	uint64_t zone; /* 0: all */
	char *prefix;  /* "incoming" or "a/b", "" for the whole zone; owned */
	uint8_t rights;
};

struct access {
	struct grant *grants;
	size_t count;
};

void access_done(struct access *a);
uint8_t access_rights(const struct access *a, uint64_t zone, const struct path *p, unsigned depth);
/* Whether the log of a zone may be read; zone 0: that of all, those to come included, and what is
 * in no zone. */
bool access_audits(const struct access *a, uint64_t zone);
/* Whether the path's first `depth` names lie on the way to (or at) some grant of more than
 * RIGHT_AUDIT, which opens no folder. */
bool access_leads(const struct access *a, uint64_t zone, const struct path *p, unsigned depth);

/* "lrw" <-> bits; none, unknown or repeated letters are E_INVALID. */
MUST_USE int rights_parse(const char *letters, uint8_t *ret_rights);
void rights_text(uint8_t rights, char ret_letters[8]);

#endif
