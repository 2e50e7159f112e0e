/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: a file that is being fetched: written under a temporary name in the folder where it
 * shall be, and renamed when it is whole.
 *
 * Nothing is ever written outside of the folder that was opened first, whatever names the
 * server says: each name is checked, folders on the way are opened one by one without following
 * symbolic links, and what is there is replaced only if it is a regular file and that was asked
 * for.
 */
#ifndef DROPKEEP_CLIENT_TARGET_H
#define DROPKEEP_CLIENT_TARGET_H

#include <stdbool.h>

#include "base/sha256.h"

enum target_there {
	TARGET_FREE,  /* nothing has that name */
	TARGET_EQUAL, /* a regular file with the same content */
	TARGET_OTHER, /* a regular file with another content */
};

struct target {
	int dir, fd; /* the folder; the temporary file, locked */
	char *name;
	char temporary[80];
	uint64_t have; /* bytes of it, hashed */
	struct sha256 hash;
};

/* Learn the umask, which cannot be asked for without changing it: before any thread. */
void target_setup(void);

/* Make the folders of path ("a/b", or ""), below root, and open the last. E_INTEGRITY for a
 * name that cannot be, E_NOT_DIR where something else than a folder is in the way. */
MUST_USE int target_folder(int root, const char *path, int *ret_dir);

/* What stands at name; E_INVALID where that is neither file nor nothing. */
MUST_USE int target_look(int dir, const char *name, uint64_t size, const uint8_t *hash,
			 enum target_there *ret_there);

/* Open the temporary file for content with this hash: new, or what an earlier run has left of
 * it, which then is hashed. Takes dir. E_TAKEN when another process is at it. */
MUST_USE int target_open(int dir, const char *name, const uint8_t hash[SHA256_SIZE], uint64_t size,
			 struct target *ret_target);

MUST_USE int target_write(struct target *t, const void *data, size_t len);
MUST_USE int target_restart(struct target *t); /* with nothing in it */

/* The hash must agree (else E_INTEGRITY, and the temporary file is gone); then synced, given
 * its time, and renamed; E_EXISTS unless replace where something has the name by now. */
MUST_USE int target_finish(struct target *t, const uint8_t hash[SHA256_SIZE], int64_t modified_s,
			   bool replace);

/* Remove the temporary file: nobody will go on with it. */
void target_abandon(struct target *t);

/* For CLEANUP: the temporary file stays, to go on with. */
void target_done(struct target *t);

#endif
