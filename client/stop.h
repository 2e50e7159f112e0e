/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop: Ctrl-C and the wish to wait. One signal asks all work to end in good order; a second
 * one ends the program at once.
 */
#ifndef DROPKEEP_CLIENT_STOP_H
#define DROPKEEP_CLIENT_STOP_H

#include <stdbool.h>
#include <stdint.h>

enum { EXIT_INTERRUPTED = 130 };

/* SIGINT, SIGTERM and SIGHUP (unless it was ignored before) ask to stop; SIGPIPE is ignored. Once,
 * before any thread. */
void stop_setup(void);

bool stop_wanted(void);
void stop_want(void); /* for tests, and for work that fails as a whole */

/* Sleep, at most until somebody wants to stop. */
void stop_wait_ms(uint64_t ms);

#endif
