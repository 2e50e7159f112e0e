/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_world: a real catalog with real keys in a directory of its own, users, and uploads as
 * the keep makes them, but without blobs. For the tests of accounts and tree.
 */
#ifndef DROPKEEP_TESTS_KEEP_WORLD_H
#define DROPKEEP_TESTS_KEEP_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka's macro hides the function of base/err.h */

#include "daemon/keep/tree.h"

struct world {
	char dir[64];
	int state_fd;
	struct keys *keys;
	struct catalog *catalog;
	struct tree tree;
	struct buf blobs; /* the ids of all that were made and are not yet unlinked */
};

/* Inside a transaction that is never committed. */
void world_open(struct world *w);
void world_close(struct world *w);

uint64_t world_zone(struct world *w, const char *name);

/* zone 0: all; role 0: a client without grants. */
uint64_t world_user(struct world *w, const char *name, enum role role, uint64_t zone);
void world_grant(struct world *w, const char *user, uint64_t zone, const char *prefix,
		 const char *letters);
const struct principal *world_who(struct world *w, const char *name);

/* Uploads as PUT_OPEN and PUT_FINISH make them, their blobs at random: the code of a refusal,
 * or 0. begin leaves a partial of `durable` bytes; with a version beside it, that is its
 * source, as after a reopen without TRUNC. finish publishes it with so many bytes. */
int world_begin(struct world *w, const char *user, const char *path, uint64_t durable);
int world_finish(struct world *w, const char *user, const char *path, uint64_t size);
int world_put(struct world *w, const char *user, const char *path, uint64_t size);
void world_mkdir(struct world *w, const char *user, const char *path);

struct zone_row world_zone_row(struct world *w, uint64_t zone);

/* Fails the test unless all rows agree with each other and every counter with its rows. */
void world_check(struct world *w);

/* All nodes, versions, uploads and counters as text, to see that nothing has changed. */
void world_dump(struct world *w, struct buf *out);

#endif
