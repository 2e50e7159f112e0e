/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trail: the audit log on disk: records, hash tiles, signed checkpoint.
 *
 *	log/records-NNNNNN.jsonl  the records, a line each, in order; a new file every 64 MiB
 *	log/tile/…                the tree (C2SP tlog-tiles), leaf = hash of a line without newline
 *	log/checkpoint            a signed note (C2SP tlog-checkpoint) over the tree's size and root
 *	log/key.vkey              the verifier key, as text
 *
 * One thread at a time (the one log job of the pool, or the start). What it holds may lag
 * behind the catalog, never lead it: trail_open() cuts off what is behind the mark that the
 * catalog remembers and appends the catalog's outbox, byte for byte the same.
 */
#ifndef DROPKEEP_KEEP_TRAIL_H
#define DROPKEEP_KEEP_TRAIL_H

#include "base/secret.h"
#include "tlog/tiles.h"

struct trail;

/* A position that is durable on disk. */
struct trail_mark {
	uint64_t size;  /* records */
	uint64_t file;  /* number of the newest records file */
	uint64_t bytes; /* in that file */
	struct tlog_hash root;
};

enum { TRAIL_MARK_SIZE = 3 * 8 + TLOG_HASH_SIZE };
void trail_mark_write(const struct trail_mark *m, uint8_t ret_bytes[TRAIL_MARK_SIZE]);
MUST_USE int trail_mark_read(struct view bytes, struct trail_mark *ret_mark);

/* Make an empty log. */
MUST_USE int trail_create(int state_fd, const char *origin, const struct secret *seed);

enum { TRAIL_FILE_MAX = 64 * 1024 * 1024 };

/*
 * pending: the lines that follow the mark, each with its newline, as the catalog has them: they
 * are made durable in the log. file_max: a records file that has grown so long gets a successor.
 * E_INTEGRITY, and nothing is changed, when the log on disk does not hold what mark says, when its
 * checkpoint is not one of this log, or when that covers other records than mark and pending:
 * somebody has changed the log, or taken it or the catalog back to an earlier state.
 */
MUST_USE int trail_open(int state_fd, const char *origin, const struct secret *seed,
			const struct trail_mark *mark, struct view pending, uint64_t file_max,
			struct trail **ret_trail);
void trail_free(struct trail **t);

/* Append lines (each with its newline) and make all durable, checkpoint last. After an
 * error the trail must not be used any more. */
MUST_USE int trail_append(struct trail *t, struct view lines);

void trail_mark(const struct trail *t, struct trail_mark *ret_mark);

/* Borrowed; the verifier key as text. */
const char *trail_key(const struct trail *t);

/*
 * Read records back: visit() per line (without its newline) in order, until it gives
 * non-zero, which is returned. Reads up to `mark` and nothing behind it. On any thread.
 */
MUST_USE int trail_read(int state_fd, const struct trail_mark *mark,
			int (*visit)(void *arg, uint64_t seq, struct view line), void *arg);

/* The same from record `from` on, which is looked for as in trail_find(). */
MUST_USE int trail_read_from(int state_fd, const struct trail_mark *mark, uint64_t from,
			     int (*visit)(void *arg, uint64_t seq, struct view line), void *arg);

/* Where the line of a record begins. E_GONE for one that is not there yet. */
struct trail_spot {
	uint64_t file, at;
};
MUST_USE int trail_locate(int log_fd, const struct trail_mark *mark, uint64_t seq,
			  struct trail_spot *ret_spot);

/* One record by its number, without its newline, appended. Looks for it by the numbers that lines
 * begin with, so it reads little. E_GONE for one that is not there yet; E_INTEGRITY. Any thread. */
MUST_USE int trail_find(int state_fd, const struct trail_mark *mark, uint64_t seq, struct buf *out);

/*
 * The proof that the log holds that record: appended, as tlog_proof_write() makes it, with extra.
 * Of the checkpoint that is there now, which may cover more than mark. Any thread.
 */
MUST_USE int trail_prove(int state_fd, uint64_t seq, struct view extra, struct buf *out);

/* For who verifies elsewhere, appended as C2SP tlog-tiles tells it: the checkpoint that is there
 * now, which may cover more than mark; a hash tile, which may be the beginning of a wider one; an
 * entry bundle, the `count` records from `first` on. E_GONE for what is not in the log up to mark.
 * Any thread. */
MUST_USE int trail_checkpoint(int state_fd, struct buf *out);
MUST_USE int trail_tile(int state_fd, const struct trail_mark *mark, const struct tlog_tile *tile,
			struct buf *out);
MUST_USE int trail_bundle(int state_fd, const struct trail_mark *mark, uint64_t first,
			  uint64_t count, struct buf *out);

/* Whether records up to mark, tiles and a valid checkpoint agree. Any thread. Problems as
 * lines of text, with file and record where these are known; 0 also when there are some. */
MUST_USE int trail_verify(int state_fd, const char *origin, const char *key,
			  const struct trail_mark *mark, struct buf *problems);

#endif
