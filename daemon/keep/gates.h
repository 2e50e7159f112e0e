/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gates: the gate processes and the keep's ends of their links.
 *
 * A gate is started by fork and exec, asked nothing and told little; whatever it sends is
 * checked against the table of verbs before anybody looks at it. One that breaks the
 * protocol, exceeds its credits or does not read its answers is killed, recorded, and
 * started again after a pause that grows. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_GATES_H
#define DROPKEEP_KEEP_GATES_H

#include <uv.h>

#include "daemon/keep/session.h"
#include "wire/link.h"

struct keep;
struct gates;

enum { GATES_MAX = 64 };

struct packet; /* waiting to be sent */

/* One gate process; another one follows it in its place when it ends. */
struct gate {
	struct keep *keep;
	unsigned place; /* 0 … gates-1 */
	uv_process_t process;
	uv_poll_t poll;
	int socket;
	bool ready;  /* has said HELLO */
	bool ended;  /* its link is closed; what it still has under way goes nowhere */
	bool exited; /* reaped */
	unsigned handles_open;
	unsigned asks; /* received and not answered */
	unsigned refs; /* asks and chores that point here */
	struct packet *first, **last;
	int64_t stalled_since_ms;
	int64_t started_ms;
	char why[128]; /* it was ended */
};

MUST_USE int gates_new(struct keep *keep, struct gates **ret_gates);

/* Start all of them. */
MUST_USE int gates_start(struct gates *g);

/* Tell all to finish; `done` is called once when the last one is gone. */
void gates_drain(struct gates *g, uint64_t deadline_ms, void (*done)(struct keep *keep));
void gates_free(struct gates *g);

/* Tell all the new settings. */
void gates_configure(struct gates *g);

/* Send what frame and body say, with descriptors, which are the gate's from now on. */
void gate_send(struct gate *g, const struct frame *f, int *fds, unsigned count);

void gate_order_end_session(struct gate *g, uint64_t session, const char *reason);
void gate_order_yield(struct gate *g, uint64_t put);

/* The gate broke the protocol, or does not drain its link: kill it. why goes to log and record. */
void gate_end(struct gate *g, const char *why);

void gate_ref(struct gate *g);
void gate_unref(struct gate *g);

/* For status: place < gates_count(). */
struct gate_info {
	unsigned place, sessions, restarts;
	int pid; /* 0: being restarted */
};
unsigned gates_count(const struct gates *g);
void gates_info(const struct gates *g, unsigned place, struct gate_info *ret_info);
bool gates_serving(const struct gates *g); /* at least one is ready */

#endif
