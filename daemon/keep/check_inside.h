/* SPDX-License-Identifier: Apache-2.0 */
/* check_inside: what the files of check share. Nobody else includes this. */
#ifndef DROPKEEP_KEEP_CHECK_INSIDE_H
#define DROPKEEP_KEEP_CHECK_INSIDE_H

#include "daemon/keep/check.h"
#include "daemon/keep/keyring.h"
#include "daemon/keep/trail.h"

struct check {
	struct keep *keep;
	struct keyring ring;
	struct trail_mark log; /* as it stood at the beginning */
	struct catalog *reader;
	json_t *problems;
	bool deep;
	uint64_t blobs, bytes;
};

/* Where something is wrong. Members that do not apply are NULL; name stands for an id. */
struct found {
	const char *what;
	const uint8_t *blob, *object;
	const char *zone, *name;
};

/* Adds a problem, explained by this thread's error chain where text is NULL. */
void check_problem(struct check *k, struct found f, const char *text);
void check_problems(struct check *k, const char *what, struct view lines);

/* Each gives what it could not go on from. */
MUST_USE int check_uploads(struct check *k);
MUST_USE int check_keys(struct check *k);
MUST_USE int check_lost(struct check *k);

#endif
