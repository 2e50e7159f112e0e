/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper: the gate's end of its link to the keep: asks go out, answers come back, orders
 * arrive. One per gate, on the loop's thread.
 *
 * Asks beyond LINK_CREDITS wait here in their order; nobody ever blocks. When the link
 * breaks, the gate has no reason to live: keeper tells its owner once and the gate exits.
 */
#ifndef DROPKEEP_GATE_KEEPER_H
#define DROPKEEP_GATE_KEEPER_H

#include <uv.h>

#include "wire/link.h"

struct keeper;
struct ask; /* one question under way */

/*
 * The answer. status: 0, then body is to be read with answer_x_read(); or a code of
 * base/err.h, then body is the keep's sentence for the user, as wire bytes. body is borrowed
 * for the call; descriptors in fds are the callee's from now on (take them with TAKE_FD; what is
 * left is closed behind it). The ask is freed after the call.
 */
struct answer {
	int status;
	struct view body;
	int *fds;
	unsigned fd_count;
};
typedef void keeper_answered(void *arg, const struct answer *a);

/* What a user may be told of an answer with a status: the keep's sentence, or the code's own
 * words. Valid until the next call. */
const char *answer_text(const struct answer *a);

struct keeper_events {
	void *arg;
	void (*on_order)(void *arg, const struct frame *order); /* body borrowed for the call */
	void (*on_broken)(void *arg);                           /* once; the link is closed */
};

/* Takes socket. */
MUST_USE int keeper_new(uv_loop_t *loop, int socket, const struct keeper_events *events,
			struct keeper **ret_keeper);

/* Asks under way are forgotten without a call. Freed in the loop's close callback. */
void keeper_close(struct keeper *k);

/*
 * Ask. body is copied. done is called once, never before keeper_ask() has returned, unless
 * ask_forget() comes first or the link breaks. done may be NULL when nobody cares.
 */
struct ask *keeper_ask(struct keeper *k, enum verb verb, uint64_t subject, struct view body,
		       keeper_answered *done, void *arg);

/* The answer is of no interest any more: its descriptors are closed unseen. For verbs that
 * open something (PUT_OPEN, GET_OPEN) the caller must wait and close instead. */
void ask_forget(struct ask *a);

/* The typed form: keeper_ask_x(k, subject, &message, done, arg). */
#define VERB(number, NAME, name, phase, fds)                                             \
	struct ask *keeper_ask_##name(struct keeper *k, uint64_t subject,                \
				      const struct ask_##name *m, keeper_answered *done, \
				      void *arg);
WIRE_ASKS(VERB)
#undef VERB

#endif
