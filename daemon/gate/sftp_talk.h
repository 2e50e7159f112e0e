/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk: one SFTP conversation, from INIT to its end, on the loop's thread.
 *
 * It knows nothing of SSH: requests come in as bytes (talk_take), answers go out as bytes
 * (talk_give), and whoever carries them is told by `wake` when either may have more to do.
 * Answers may come out of order, as the protocol allows; requests on one handle keep theirs,
 * and questions to the keep are asked in the order of the requests.
 *
 * Nothing here grows with what a peer sends: a conversation that is full says so by leaving
 * input unused. The data of READs is fetched when it can be sent, not before.
 */
#ifndef DROPKEEP_GATE_SFTP_TALK_H
#define DROPKEEP_GATE_SFTP_TALK_H

#include <uv.h>

#include "daemon/gate/keeper.h"

struct talk;

/* Copied but for what it points to, which must outlive the talk. */
struct talk_env {
	uv_loop_t *loop;
	struct keeper *keeper;
	uint64_t session;
	const char *home, *name; /* of the principal, as the keep says them */
	unsigned *open_files;    /* shared by all talks of a session */
	unsigned open_files_max;
	void (*wake)(void *arg);
	void *arg;
};

struct talk *talk_new(const struct talk_env *env);

/*
 * The connection is gone or to be gone: uploads are suspended, downloads closed, each with
 * its own due words to the keep. done is called when all that is over, maybe at once; the
 * talk is freed then. talk_take() and talk_give() may not be called any more.
 */
void talk_end(struct talk *t, const char *reason, void (*done)(void *arg), void *arg);

/*
 * Requests, whole or in parts. *ret_used less than all: the talk is stalled, and the rest is
 * to be offered again (with nothing else before it) after the next wake; with nothing left
 * over as well, while talk_stalled(). E_PROTOCOL, E_NOMEM: the conversation cannot go on.
 */
MUST_USE int talk_take(struct talk *t, struct view in, size_t *ret_used);

enum talk_stall {
	TALK_FLOWS,
	TALK_STALL_ROOM, /* until uploads have stored something: the peer cannot help */
	TALK_STALL_TURN, /* until something under way has ended */
	TALK_STALL_PEER, /* until answers could be sent */
};
enum talk_stall talk_stalled(const struct talk *t);

/* Append what is ready to be sent, about OUT_FILL bytes at most. */
MUST_USE int talk_give(struct talk *t, struct buf *out);

/* No request is without its answer, no answer without having been given. */
bool talk_idle(const struct talk *t);

/* Whether it waits for something that is not the peer: then silence is not idleness. */
bool talk_busy(const struct talk *t);

unsigned talk_open_files(const struct talk *t);

#endif
