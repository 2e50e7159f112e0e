/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source: a local file while it is sent: read in pieces, hashed once, and watched for
 * changes. A file that is written to meanwhile is not sent to its end.
 *
 * The hash follows the furthest byte that was read; going back and reading again, as after a
 * lost connection, hashes nothing twice.
 */
#ifndef DROPKEEP_CLIENT_SOURCE_H
#define DROPKEEP_CLIENT_SOURCE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/sha256.h"

struct source {
	int fd, dir; /* the file, and the folder that it was found in */
	char *path;
	const char *name; /* in that folder: the end of path */
	struct stat st;   /* as it was opened */
	uint64_t size;
	struct sha256 hash; /* of the first sha256_count() bytes */
};

/* A regular file; E_USAGE for what is none, E_GONE, E_DENIED. */
MUST_USE int source_open(const char *path, struct source *ret_source);

/* The same for what was found by walking a folder: only the first `named` bytes of the path were
 * said by the user, and no symbolic link is followed behind them: E_INTEGRITY. */
MUST_USE int source_open_found(const char *path, size_t named, struct source *ret_source);

/* Up to room bytes at offset. The last ones of the file come only if it is what it was when it
 * was opened: else E_INTEGRITY. Nothing is left out before offset: it is hashed first. */
MUST_USE int source_read(struct source *s, uint64_t offset, void *data, size_t room,
			 size_t *ret_len);

/* Hash up to there without sending. */
MUST_USE int source_hash_to(struct source *s, uint64_t offset);

/* E_INTEGRITY when the open file is not what it was. */
MUST_USE int source_check(struct source *s);

/* Remove the file, if its path still leads to what was read, that is as it was (E_INTEGRITY), and
 * nobody writes to it (E_TAKEN). */
MUST_USE int source_remove(struct source *s);

/* For CLEANUP. */
void source_done(struct source *s);

#endif
