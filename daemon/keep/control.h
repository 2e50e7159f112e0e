/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control: the operator's socket: one command a connection, as doc/PROTOCOL.control.md says.
 *
 * Each command is a deed: it changes the catalog and adds its audit record in one
 * transaction, and is answered after the commit. Only root and the keep's own user are heard.
 */
#ifndef DROPKEEP_KEEP_CONTROL_H
#define DROPKEEP_KEEP_CONTROL_H

#include <jansson.h>

#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/record.h"

struct control;
struct control_peer;

MUST_USE int control_new(struct keep *keep, struct control **ret_control);

/* No more connections and commands; those under way are answered. */
void control_stop(struct control *c);

/* None may be under way. Closes all; the memory goes in the close callbacks. */
void control_free(struct control *c);

struct command {
	struct deed deed;
	struct control_peer *peer;
	char actor[32]; /* "operator:UID" */
	json_t *args;
	json_t *items;    /* an array, made at the start */
	json_t *result;   /* an object, made at the start */
	uint64_t subject; /* what a later stage needs to know of an earlier one */
	void *work;       /* what stages hand on; owned */
	void (*drop_work)(void *work);
};

static inline struct command *command_of(struct deed *d)
{
	return (struct command *)(void *)d; /* the deed is its first member */
}

/* Adds the record of an administrative act; detail is taken. */
MUST_USE int command_record(struct command *c, const char *event, const struct zone_row *zone,
			    json_t *detail);

/* Where args do not fit the command. */
MUST_USE int command_usage(const json_error_t *e);

/* All rows end here: the answer goes out and the command is freed. */
void command_finish(struct deed *d);

/* Find by name, with a sentence that says what is missing. */
MUST_USE int command_zone(struct command *c, const char *name, const struct zone **ret_zone);
MUST_USE int command_user(struct command *c, const char *name, struct principal_row *ret_user);
/* "*" is 0. */
MUST_USE int command_zone_number(struct command *c, const char *name, uint64_t *ret_zone);

json_t *json_time(int64_t utc_us); /* null for 0 */

/* The user's credentials, or (0) all there are, appended to an array. user: its name, NULL for each
 * its own. */
MUST_USE int credentials_json(struct command *c, uint64_t principal, const char *user,
			      json_t *into);
json_t *credential_json(const char *user, const struct credential_row *r);

/* The table: name of the command, its row. */
struct command_entry {
	const char *name;
	const struct deed_row *row;
};
extern const struct command_entry commands_zone[], commands_user[], commands_credential[],
    commands_state[], commands_alerts[], commands_audit[];

/* In settle: tell the gates to end the sessions of a principal, or those that have an upload
 * or download open in a zone. */
void sessions_end_of(struct keep *keep, uint64_t principal, const char *reason);
void sessions_end_in_zone(struct keep *keep, uint64_t zone, const char *reason);

#endif
