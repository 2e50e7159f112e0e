/* SPDX-License-Identifier: Apache-2.0 */
/* keep_operator: one who speaks to the control socket of a live keep, in the same process. */
#ifndef DROPKEEP_TESTS_KEEP_OPERATOR_H
#define DROPKEEP_TESTS_KEEP_OPERATOR_H

#include <sys/un.h>

#include "keep_live.h"

/* A connection. */
struct peer {
	struct live *live;
	int fd;
	struct buf in;
	json_t *items, *last; /* the final line */
};

#define PEER CLEANUP(peer_done) struct peer

struct sockaddr_un address_of(const struct live *l);
struct peer connected(struct live *l);
void peer_done(struct peer *p);

/* Says it, whatever the other side takes of it; does not wait for more. */
void say(struct peer *p, struct view text);

/* The connection is at its end (arg: struct peer); hear() waits for that and takes the answer
 * apart. */
bool peer_has_ended(void *arg);
void hear(struct peer *p);
int code_of(const struct peer *p);

/* A connection that has said a line, and has heard the answer. */
struct peer said(struct live *l, const char *line);

/* A command that ends well; its result is borrowed from the peer. */
const json_t *result(struct live *l, struct peer *p, const char *command, const char *args);
void ok(struct live *l, const char *command, const char *args);
void refused(struct live *l, const char *command, const char *args, int code);

/* Members that must be there. */
json_int_t number(const json_t *o, const char *name);
const char *text(const json_t *o, const char *name);

#endif
