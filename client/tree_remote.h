/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_remote: what is to be fetched or listed: places with globs, folders with all that is in
 * them.
 */
#ifndef DROPKEEP_CLIENT_TREE_REMOTE_H
#define DROPKEEP_CLIENT_TREE_REMOTE_H

#include "client/place.h"
#include "client/session.h"

struct item {
	struct place from;
	char *to; /* where, below the target folder: "dir/sub/name"; checked names */
	bool folder;
	uint64_t size;
	int64_t modified_s;
	bool has_hash;
	uint8_t hash[SHA256_SIZE];
};

struct items {
	struct item *item; /* a folder comes before what is in it */
	size_t count, room;
	uint64_t files, bytes;
};

struct tree_options {
	bool recursive;
	const char *const *exclude;
	size_t excludes;
};

/* Add what a place means: a file; a folder with all in it (E_USAGE without recursive); what
 * its globs (*, ?, [ in any name) match, and E_GONE where that is nothing. Unfinished uploads
 * are passed over. */
MUST_USE int tree_remote_add(struct session *s, const struct place *p, const struct tree_options *o,
			     struct items *into);

/* For CLEANUP. */
void items_done(struct items *i);

#endif
