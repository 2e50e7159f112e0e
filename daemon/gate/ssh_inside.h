/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_inside: what the parts of session share, and nobody else includes.
 *
 *	ssh_session.c  the life of a connection: states, the socket, the clock, the end
 *	ssh_auth.c     who is it? asked of the keep
 *	ssh_channel.c  channels, bytes in and bytes out
 *	ssh_request.c  what a client may ask for: the sftp subsystem, and nothing else
 */
#ifndef DROPKEEP_GATE_SSH_INSIDE_H
#define DROPKEEP_GATE_SSH_INSIDE_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "daemon/gate/limits.h"
#include "daemon/gate/sftp_talk.h"
#include "daemon/gate/ssh_session.h"

enum session_at { AT_OPEN, AT_KEX, AT_AUTH, AT_SERVE, AT_LEAVE, AT_TOLD, AT_OVER };
enum next { NEXT_GO, NEXT_WAIT, NEXT_END };

struct channel {
	uint32_t magic;
	struct session *session;
	struct channel *next;
	ssh_channel ssh; /* NULL once libssh may have freed it */
	struct ssh_channel_callbacks_struct callbacks;
	struct talk *talk; /* NULL before the subsystem was asked for */
	size_t unread;     /* input left with libssh, because the talk is stalled */
	struct buf stash;  /* taken from there, but not used yet */
	size_t stash_used;
	struct buf out; /* frozen while it is being sent */
	size_t sent;
	bool eof, closed;          /* by the client: its input; the whole */
	bool finished, close_sent; /* by us */
};

struct session {
	uint32_t magic;
	struct gate *gate;
	struct place place;
	bool driving;
	enum session_at at;
	char *reason; /* set: it is to end */

	int fd; /* until libssh has it */
	struct peer peer;
	uint64_t number;
	struct ask *ask; /* SESSION_OPEN, AUTH or SESSION_CLOSE, under way */
	int open_rc;     /* of SESSION_OPEN */

	ssh_session ssh;
	ssh_event event;
	uv_poll_t poll;
	uv_timer_t timer;
	bool polling;     /* poll is initialized */
	unsigned handles; /* of libuv, not closed yet */
	int armed;        /* events that poll waits for */
	bool half_closed; /* the client will send nothing more; there may be unread bytes */

	/* copied from the policy */
	uint32_t auth_tries, idle_ms, open_files_max;

	/* authentication; `authenticated` is set in one place, by the keep's answer */
	bool authenticated, greeted;
	ssh_message held; /* waits for the keep's answer */
	bool held_signed;
	unsigned tries;
	char *home, *name;

	struct channel *channels;
	unsigned channel_count, talks; /* talks: not ended yet */
	unsigned open_files, notes;
	uint64_t bytes_in, bytes_out;
	uint64_t active_ms; /* when bytes moved last, in the loop's time */
};

/* ssh_session.c */
void session_wake(struct session *s);
void session_moved(struct session *s, uint64_t in, uint64_t out);
void session_note(struct session *s, bool refused, const char *text); /* to the log, bounded */
bool session_broken(struct session *s); /* libssh says so; then it is to end */
void session_authenticated(struct session *s, struct view home, struct view name);

/* ssh_auth.c */
enum next auth_drive(struct session *s);
void auth_done(struct session *s); /* forget what waits */

/* ssh_channel.c */
struct channel *chan_new(struct session *s, ssh_channel ssh);
void chan_start(struct channel *c); /* the sftp subsystem */
enum next channels_drive(struct session *s);
void channels_end(struct session *s);
bool channels_want_input(const struct session *s);
bool channels_busy(const struct session *s);
bool channels_quiet(const struct session *s); /* nothing open, nothing to say */
struct channel *chan_find(const struct session *s, ssh_channel ssh);

/* ssh_request.c; as libssh's message callback: 1 refuses, 0 has answered */
int request_on_message(ssh_session ssh, ssh_message message, void *arg);

#endif
