/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call: a command line of dropkeepctl, taken apart by the table of commands.
 *
 * Parsing is pure: nothing is opened but what a parameter names (a key file). What goes to
 * the keep is in `args`, a JSON object as doc/PROTOCOL.control.md wants it; what stays here
 * is in `local`.
 */
#ifndef DROPKEEP_CTL_CALL_H
#define DROPKEEP_CTL_CALL_H

#include <stdbool.h>

#include <jansson.h>

#include "base/err.h"

struct call;
struct param;

enum {
	PARAM_NEEDED = 1,
	PARAM_MANY = 2,  /* may be given again */
	PARAM_LOCAL = 4, /* for `local` */
	PARAM_LATER = 8, /* has a name, but is not in this version */
};

struct param {
	const char *name;   /* "--quota", or "NAME" of an operand */
	const char *value;  /* what an option takes, as the help says it; NULL: nothing */
	const char *member; /* of args or local */
	/* Text to a member of `into`; text is "" for an option that takes nothing. */
	int (*take)(json_t *into, const struct param *p, const char *text);
	unsigned flags;
	const char *help;
};

struct command {
	const char *words; /* "zone add" */
	const char *help;
	const struct param *params; /* until one without a name; NULL: none */
	const char *preset;         /* args to begin with, as JSON; NULL: {} */
	bool later;                 /* has a name, but is not in this version */

	/* What it does, if not to ask the keep: a code of base/err.h. */
	int (*run)(const struct call *call);

	/* Of an answer, for people: each item as it comes, or all of them and the result. */
	int (*show_item)(json_t *item);
	int (*show)(json_t *items, json_t *result);
	/* Whether the result is bad news: a code for the exit status. */
	int (*judge)(json_t *result);
};

/* Until one without words. */
extern const struct command commands[];

struct call {
	const struct command *command; /* NULL with help or version: of the program */
	json_t *args, *local;
	const char *config; /* borrowed from the command line; NULL: not given */
	bool json, help, version;
};

/* E_USAGE with a sentence that says where help is; E_UNSUPPORTED for what later versions
 * have. argv[0] is passed over. */
MUST_USE int call_parse(int argc, char *const *argv, struct call *ret_call);
void call_done(struct call *c);

/* Of local: NULL, 0 and false where it was not given. */
const char *call_text(const struct call *c, const char *member);
json_int_t call_number(const struct call *c, const char *member);
bool call_flag(const struct call *c, const char *member);

/* To standard output: of one command, or (NULL) of the program. */
void call_help(const struct command *command);

#endif
