/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs: where things of this program live (XDG Base Directory Specification 0.8): profiles
 * in the configuration, unfinished uploads in the state, receipts in the data directory.
 * All of them are this user's alone: 0700.
 */
#ifndef DROPKEEP_CLIENT_DIRS_H
#define DROPKEEP_CLIENT_DIRS_H

#include "base/err.h"

enum dirs_kind { DIRS_CONFIG, DIRS_STATE, DIRS_DATA };

/* The path, on the heap. E_CONFIG where there is neither the XDG variable nor HOME. */
MUST_USE int dirs_path(enum dirs_kind kind, const char *below, char **ret_path);

/* The same, and it is made, with all above it. Open, for openat(). */
MUST_USE int dirs_open(enum dirs_kind kind, const char *below, int *ret_fd);

/* mkdir -p, 0700. */
MUST_USE int dirs_make(const char *path);

#endif
