/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: a command line of dropkeep, taken apart by the tables of commands and options.
 *
 * Parsing is pure: nothing is opened, nothing is asked. All texts are borrowed from the
 * command line. Options may stand anywhere; behind "--" everything is an operand.
 */
#ifndef DROPKEEP_CLIENT_CALL_H
#define DROPKEEP_CLIENT_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum opt {
	OPT_PROFILE,
	OPT_JSON,
	OPT_QUIET,
	OPT_HELP,
	OPT_VERSION,
	OPT_FORCE,
	OPT_RECURSIVE,
	OPT_NAME,
	OPT_JOBS,
	OPT_LIMIT,
	OPT_RETRIES,
	OPT_DELETE_AFTER,
	OPT_IF_CHANGED,
	OPT_EXCLUDE,
	OPT_CONTINUE,
	OPT_OUTPUT,
	OPT_LONG,
	OPT_HUMAN,
	OPT_PARENTS,
	OPT_OFFLINE,
	OPT_KEY,
	OPT_COUNT
};

struct option_row {
	const char *letters; /* "rR"; "" where there is none */
	const char *name;    /* "recursive" */
	const char *value;   /* what it takes, as the help says it; NULL: nothing */
	const char *help;
};

struct call;

struct command {
	const char *words;    /* "receipt list" */
	const char *operands; /* as the help says them */
	const char *help;
	size_t least, most;      /* operands */
	const enum opt *options; /* beside those that all have; until OPT_COUNT */
	int (*run)(const struct call *call);
};

extern const struct option_row option_rows[OPT_COUNT];

/* Until one without words. */
extern const struct command commands[];

struct call {
	const struct command *command; /* NULL with help or version of the program */
	const char *option[OPT_COUNT]; /* NULL: not given; "" of one that takes no value */
	const char **exclude;          /* what --exclude said, each time */
	size_t excludes;
	const char **operand;
	size_t operands;
};

/* Whether every command takes it: --profile, --json, --quiet, --help, --version. */
bool option_is_common(enum opt o);

/* E_USAGE with a sentence that says where help is. argv[0] is passed over. */
MUST_USE int call_parse(int argc, char *const *argv, struct call *ret_call);
void call_done(struct call *c);

static inline bool call_has(const struct call *c, enum opt o)
{
	return c->option[o] != NULL;
}

/* A number within bounds, or fallback where the option was not given. E_USAGE. */
MUST_USE int call_number(const struct call *c, enum opt o, uint64_t fallback, uint64_t most,
			 uint64_t *ret_number);

/* To standard output: of one command, or (NULL) of the program. */
void call_help(const struct command *command);

#endif
