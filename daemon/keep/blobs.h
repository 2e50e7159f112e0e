/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blobs: the store of sealed contents: blobs/ab/ID files that are made once, written by one
 * gate under one lease, and never changed after publication.
 *
 * Callable from any thread. Nothing else in the keep knows that blobs are local files;
 * nothing here knows what is in them. Names are ids in hexadecimal; ab is their first byte.
 */
#ifndef DROPKEEP_KEEP_BLOBS_H
#define DROPKEEP_KEEP_BLOBS_H

#include "base/sys.h"

enum { BLOB_ID = 16 };

struct blobs; /* immutable after opening, but for being broken */

/* Make DIR/blobs and its 256 folders, DIR/uploads, DIR/lost+found, all synced. */
MUST_USE int blobs_create(int state_fd);

/* check_writers: whether the file system must have leases; E_UNSUPPORTED when it has not. */
MUST_USE int blobs_open(int state_fd, bool check_writers, struct blobs **ret_blobs);
void blobs_free(struct blobs **b);

/* Make a blob that begins with `head`. The descriptor is open for reading and writing. */
MUST_USE int blobs_make(const struct blobs *b, const uint8_t id[BLOB_ID], struct view head,
			int *ret_fd);

/* E_GONE when there is no such blob. */
MUST_USE int blobs_read(const struct blobs *b, const uint8_t id[BLOB_ID], int *ret_fd);
MUST_USE int blobs_write(const struct blobs *b, const uint8_t id[BLOB_ID], int *ret_fd);
MUST_USE int blobs_size(const struct blobs *b, const uint8_t id[BLOB_ID], uint64_t *ret_size);

/* A folder could not be synced: no name in it can be promised any more, and nobody may go on who
 * promises them. */
bool blobs_broken(const struct blobs *b);

/* Make durable that it is there: its content is its writer's to sync, its name is the store's. */
MUST_USE int blobs_sync_name(struct blobs *b, const uint8_t id[BLOB_ID]);

/*
 * What publication demands: nobody can write to it any more (E_PROTOCOL: a writer is left),
 * its size is `size` (E_PROTOCOL otherwise), and its name is durable.
 */
MUST_USE int blobs_seal_off(struct blobs *b, const uint8_t id[BLOB_ID], uint64_t size);

/* Unlink and make that durable; one that is gone already is fine. */
MUST_USE int blobs_remove(struct blobs *b, const uint8_t id[BLOB_ID]);

/* The resume state of an upload that stands in blob id, in uploads/ID. */
MUST_USE int blobs_save_state(const struct blobs *b, const uint8_t id[BLOB_ID], struct view state);
MUST_USE int blobs_load_state(const struct blobs *b, const uint8_t id[BLOB_ID], struct buf *out);

/* The upload is finished: its state is of no use any more. None there is fine. */
MUST_USE int blobs_forget_state(const struct blobs *b, const uint8_t id[BLOB_ID]);

/* Bytes of the disk that a blob takes, as the file system counts: less than its size where it has
 * holes. E_GONE. */
MUST_USE int blobs_taken(const struct blobs *b, const uint8_t id[BLOB_ID], uint64_t *ret_bytes);

/* Room for blobs: free bytes and all bytes of the file system. */
MUST_USE int blobs_space(const struct blobs *b, uint64_t *ret_free, uint64_t *ret_total);

/* Walk all blobs: visit() per id until it gives non-zero, which is returned. E_INTEGRITY for a
 * file that is none of ours. */
MUST_USE int blobs_each(const struct blobs *b,
			int (*visit)(void *arg, const uint8_t id[BLOB_ID], uint64_t size),
			void *arg);

/* ---- recovery ---- */

/* The ids in one of the 256 folders, BLOB_ID bytes each, appended to out; strange: files that are
 * none of ours. */
enum { BLOBS_FOLDERS = 256 };
MUST_USE int blobs_list(const struct blobs *b, unsigned folder, struct buf *out,
			unsigned *ret_strange);

/* Move blobs (ids of one folder, as of blobs_list()), or the resume state of a blob, to lost+found,
 * over nothing that is there, and make that durable. What is gone is passed over. */
MUST_USE int blobs_set_aside(struct blobs *b, struct view ids, unsigned *ret_moved);
MUST_USE int blobs_set_state_aside(const struct blobs *b, const uint8_t id[BLOB_ID]);

/* Walk the resume states, as blobs_each() does; what a crash left half-made is removed first. */
MUST_USE int blobs_each_state(const struct blobs *b,
			      int (*visit)(void *arg, const uint8_t id[BLOB_ID]), void *arg);

/* What is in lost+found: visit() per name. */
MUST_USE int blobs_each_lost(const struct blobs *b, int (*visit)(void *arg, const char *name),
			     void *arg);

#endif
