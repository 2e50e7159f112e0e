/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scripted_keep: the keep's end of the control socket, in a thread: takes one command, says
 * what the test told it to say, byte for byte, and hangs up.
 */
#ifndef DROPKEEP_TESTS_SCRIPTED_KEEP_H
#define DROPKEEP_TESTS_SCRIPTED_KEEP_H

#include <pthread.h>

#include "tests/unit/base_kit.h"

struct scripted_keep {
	struct kit_folder folder; /* the configuration and the socket */
	char config[128];
	int listener;
	pthread_t thread;
	const char *answer;
	size_t drip;      /* bytes at a time; 0: all at once */
	char asked[4096]; /* the command's line, valid after scripted_keep_end() */
};

struct scripted_keep scripted_keep_new(void);
void scripted_keep_done(struct scripted_keep *k);

/* One connection from now on is answered so. */
void scripted_keep_begin(struct scripted_keep *k, const char *answer, size_t drip);
void scripted_keep_end(struct scripted_keep *k);

#define KEEP CLEANUP(scripted_keep_done) struct scripted_keep

#endif
