/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyring: the keys of all zones as they are now, for a job on the thread pool that reads
 * much: queries of the log, deep checks. Made on the loop, read and freed anywhere.
 */
#ifndef DROPKEEP_KEEP_KEYRING_H
#define DROPKEEP_KEEP_KEYRING_H

#include "daemon/keep/accounts.h"

struct keyring_zone {
	uint64_t id, root;
	char name[ACCOUNT_MAX + 1];
	struct zone_keys *keys;
};

struct keyring {
	struct keyring_zone *zone;
	size_t count;
};

MUST_USE int keyring_make(struct catalog *c, struct accounts *a, struct keyring *ret_ring);
void keyring_done(struct keyring *r);
const struct keyring_zone *keyring_by_id(const struct keyring *r, uint64_t id);
const struct keyring_zone *keyring_by_name(const struct keyring *r, const char *name);

#endif
