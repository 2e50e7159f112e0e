/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiles: the tree of a log as hash tiles on disk (C2SP tlog-tiles), growing at its right
 * edge.
 *
 * The incomplete tiles at the right edge and those that were last used are in memory, with
 * all nodes between their levels, so appending is hashing and proofs of young leaves read
 * no file. Appended leaves reach files when the caller says write, and stable storage when
 * it says sync; a crash leaves at least the tree that was last synced. Which size that was,
 * and its root, the caller keeps (in a checkpoint): open names them.
 * A tile that is read back is checked against the level above it, so down from the root
 * that open has checked: altered tiles give E_INTEGRITY, never a false proof.
 *
 * A handle belongs to one thread. Others open their own on the same folder, at a size that
 * has been written, and append nothing.
 */
#ifndef DROPKEEP_TLOG_TILES_H
#define DROPKEEP_TLOG_TILES_H

#include "tlog/store.h"

struct tlog_tiles;

/*
 * The log's first `size` leaves. dir_fd is the folder that holds tile/ and must outlive the
 * handle; nothing needs to be there for size 0. E_INTEGRITY when tiles are missing or of the
 * wrong size, or when their root is not *root; root may be NULL, then the caller compares.
 *
 * Any size up to what was once written will do, so a log whose tail is in doubt is taken up
 * at a smaller size and grown again: tiles that agree stay as they are, others are replaced.
 * A log that shall grow is opened at a size that was synced: what another handle has written
 * and not synced, this one makes durable only when it is appended again.
 */
MUST_USE int tlog_tiles_open(int dir_fd, uint64_t size, const struct tlog_hash *root,
			     struct tlog_tiles **ret_tiles);

/* Writes and syncs nothing. */
void tlog_tiles_free(struct tlog_tiles **t);

/* Add n leaves, in memory alone: all of them, or none and an error (E_NOMEM, E_LIMIT). Full
 * tiles wait in memory, 32 bytes a leaf and as much for their nodes, until a write. */
MUST_USE int tlog_tiles_append(struct tlog_tiles *t, const struct tlog_hash *leaves, size_t n);

/* Write the files of the present size. Needed before others may read them, that is before
 * its checkpoint is given out. An error loses nothing; the same call may succeed later. */
MUST_USE int tlog_tiles_write(struct tlog_tiles *t);

/* Write and make durable. After an error of the sync itself every later write fails. */
MUST_USE int tlog_tiles_sync(struct tlog_tiles *t);

/* Write, and hand over what tlog_tiles_sync() would do next, for another thread: see
 * tlog_sync_run(). The present size is durable once that has returned 0. */
MUST_USE int tlog_tiles_take_sync(struct tlog_tiles *t, struct tlog_sync **ret_work);

uint64_t tlog_tiles_size(const struct tlog_tiles *t);
MUST_USE int tlog_tiles_root(struct tlog_tiles *t, struct tlog_hash *ret_root);

/* For tlog/tree, at any size up to the present one. Valid as long as t. */
struct tlog_source tlog_tiles_source(struct tlog_tiles *t);

/* tlog_prove_…() at any size up to the present one; E_INVALID beyond. */
MUST_USE int tlog_tiles_prove_inclusion(struct tlog_tiles *t, uint64_t index, uint64_t size,
					struct tlog_path *ret_path);
MUST_USE int tlog_tiles_prove_consistency(struct tlog_tiles *t, uint64_t old_size, uint64_t size,
					  struct tlog_path *ret_path);

#endif
