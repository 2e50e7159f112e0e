/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the writing side of a folder of hash tiles, and what makes it durable.
 *
 * Putting a tile writes a file and syncs nothing. What was put since the last time is
 * collected in a struct tlog_sync: a piece of work that may be run on another thread,
 * which syncs these files and the folders that lead to them, and then removes the partial
 * tiles that full ones have made superfluous. So a crash at any moment leaves every tile of
 * the size that was last synced. A file that is there is never written in place: one with
 * the same content stays, another is replaced.
 * tlog_store_put() is for the one thread that owns the store.
 */
#ifndef DROPKEEP_TLOG_STORE_H
#define DROPKEEP_TLOG_STORE_H

#include "tlog/tile.h"

struct tlog_store;
struct tlog_sync;

/* dir_fd, the folder that holds tile/ (made when needed), must outlive store and syncs. */
struct tlog_store *tlog_store_new(int dir_fd);
void tlog_store_free(struct tlog_store **s);

/* Write one tile. After an error nothing is lost; the same call may succeed later (E_FULL). */
MUST_USE int tlog_store_put(struct tlog_store *s, const struct tlog_tile *tile,
			    const struct tlog_hash *hashes);

/* Hand over the work since the last call; it may be empty. */
struct tlog_sync *tlog_store_take_sync(struct tlog_store *s);

/* Each once, on any thread, one at a time and in the order in which they were taken. After an
 * error nobody knows what is on disk: the store must not be used any more. */
MUST_USE int tlog_sync_run(struct tlog_sync *work);

/* Without a run, what was put stays and may not survive a crash. NULL is allowed. */
void tlog_sync_free(struct tlog_sync **work);

#endif
