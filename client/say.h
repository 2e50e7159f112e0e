/* SPDX-License-Identifier: Apache-2.0 */
/*
 * say: all that comes out. Data and --json events go to standard output, notes, errors and
 * the progress line to standard error. From any thread; each line comes whole.
 */
#ifndef DROPKEEP_CLIENT_SAY_H
#define DROPKEEP_CLIENT_SAY_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"

struct say_style {
	bool json, quiet;
};

void say_setup(struct say_style style);
bool say_is_json(void);
bool say_is_quiet(void);

/* Whether a progress line may be drawn: standard error is a terminal that can go back. */
bool say_may_draw(void);

/* A line of data (without its newline). Made fit for a terminal by the caller: safe.h. */
void say_data(const char *format, ...) PRINTF(1, 2);

/* An event or an item, with --json; takes the object (NULL: out of memory, which is told). */
void say_json(json_t *object);

/* For people, unless --quiet. */
void say_note(const char *format, ...) PRINTF(1, 2);

/* The chain of errors of this thread as one line, and what may help; clears it. */
void say_error(int code);

/* Replace the progress line; "" takes it away. */
void say_progress(const char *line);

/* Whether all data came out: E_IO. */
MUST_USE int say_end(void);

#endif
