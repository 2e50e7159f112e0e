/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disk_story: what disk_keep's cases do with a keep, step by step, and how each step ended.
 *
 * A case is a process of its own (disk_acts.c): the keep and a gate of ours in it, on a state
 * directory that was copied for it, with the lab between them and the system. It writes how
 * its steps end into the journal, which a keep that dies leaves as it is. Afterwards another
 * process (disk_verify.c), without faults, compares that with what is there.
 *
 * All files have the same content, as far as they go: their sizes tell versions apart.
 */
#ifndef DROPKEEP_TESTS_DISK_STORY_H
#define DROPKEEP_TESTS_DISK_STORY_H

#include "keep_asks.h"

enum act {
	PUT,
	RENAME,
	MAKE_DIR,
	REMOVE,
	PART,         /* two chunks and a tail, and a clean end */
	PART_UNCLEAN, /* two chunks that are known to be durable */
	RESUME,
	EXPIRE /* whatever is unfinished */
};
enum { NAMES = 8, TAIL = 100, ABSENT = -1, FOLDER = -2 };

struct step {
	enum act act;
	unsigned name, to; /* into story_names */
	uint64_t size;
};

/* Steps 0 … story_break-1 are done by one keep, the others by the next. */
extern const struct step story[];
extern const unsigned story_break, story_end;
extern const char *const story_names[NAMES];

/* As the journal has it. A step that began and has no end was cut off. */
enum outcome { NOT_TRIED, DONE, REFUSED, CUT_OFF };

/* The keep of a case: what it needs beside the state directory is in dir, too. */
struct live story_live(const char *dir);
struct user story_user(const char *dir, const char *name);

/* Chunks of a lease that need not be sent again: in the blob, or in another one. */
uint64_t story_stands(const struct upload *u);

/* Bring chunks over from the source, which must be as the model has them. */
void story_reseal(struct upload *u, uint64_t chunks, int *ret_rc);

/* Steps first … end-1, then with `crash` SIGKILL. Exit statuses: 0; 3: the keep did not open,
 * with an error. */
int story_act(const char *dir, unsigned first, unsigned end, bool crash);

/* 0: all is as it must be. */
int story_verify(const char *dir);

#endif
