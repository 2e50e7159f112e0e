/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing: a folder as the server tells it (doc/PROTOCOL.https.md, "Listing").
 *
 * A listing with one entry that cannot be (a name with a slash, a control character, "..",
 * the same name twice) is refused as a whole: a server that sends it keeps no rule.
 */
#ifndef DROPKEEP_CLIENT_LISTING_H
#define DROPKEEP_CLIENT_LISTING_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/sha256.h"

enum entry_type { ENTRY_FILE, ENTRY_FOLDER, ENTRY_PARTIAL };

struct entry {
	char *name;
	int type; /* enum entry_type */
	uint64_t size;
	int64_t modified_s; /* since 1970; 0 where nothing was said */
	bool has_hash;
	uint8_t hash[SHA256_SIZE];
	char *owner, *rights; /* "" where nothing was said; unsafe texts */
};

struct listing {
	struct entry *entry; /* by name */
	size_t count;
};

/* E_PROTOCOL for anything else than a listing. */
MUST_USE int listing_parse(struct view json, struct listing *ret_listing);

const struct entry *listing_find(const struct listing *l, const char *name);

/* For CLEANUP. */
void listing_done(struct listing *l);

/* "2026-11-27T09:03:05Z", with or without a fraction; E_PROTOCOL. */
MUST_USE int moment_parse(const char *text, int64_t *ret_seconds);

#endif
