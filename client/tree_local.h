/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_local: what is to be sent: files, and folders with all that is in them.
 *
 * Symbolic links inside of folders, and what is neither file nor folder, are passed over with
 * a note; names that the server would refuse are errors before anything is sent.
 */
#ifndef DROPKEEP_CLIENT_TREE_LOCAL_H
#define DROPKEEP_CLIENT_TREE_LOCAL_H

#include <stdbool.h>

#include "client/place.h"

struct parcel {
	char *path;      /* here */
	size_t named;    /* so much of it was said by the user, the rest was found */
	struct place to; /* there */
	bool folder;
	uint64_t size;
};

struct parcels {
	struct parcel *item; /* a folder comes before what is in it */
	size_t count, room;
	uint64_t files, bytes;
};

/* Add one file or, with `recursive`, folder; `to` is where it shall be, name included. Names
 * that match a glob of exclude (fnmatch(3), the name alone) are passed over within folders. */
MUST_USE int tree_local_add(struct parcels *p, const char *path, const struct place *to,
			    bool recursive, const char *const *exclude, size_t excludes);

/* E_USAGE when two of them would have the same name there: the second would destroy the first.
 * Folders of one name become one. */
MUST_USE int parcels_check(const struct parcels *p);

/* For CLEANUP. */
void parcels_done(struct parcels *p);

/* Whether a name matches one of the globs. */
bool glob_any(const char *const *globs, size_t n, const char *name);

#endif
