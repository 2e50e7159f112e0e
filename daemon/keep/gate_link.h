/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_link: the keep's end of the link to one gate.
 *
 * A gate is asked nothing and told little; whatever it sends is checked against the table of
 * verbs before anybody looks at it. One that breaks the protocol, exceeds its credits or does
 * not read its answers is ended: its process killed, its link closed, and what it had open
 * recorded (gate_lost.c). Sending never waits; what waits to be sent is bounded, for an ask
 * counts against the credits until its answer has gone into the socket. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_GATE_LINK_H
#define DROPKEEP_KEEP_GATE_LINK_H

#include <uv.h>

#include "daemon/keep/flood.h"
#include "daemon/keep/session.h"
#include "wire/link.h"

struct keep;
struct packet; /* waiting to be sent */

enum {
	STALL_MAX_MS = 20000,  /* the link stays full */
	HELLO_MAX_MS = 60000,  /* from its start to its first word */
	LINGER_MAX_MS = 10000, /* from the end of its link to its own */
};

/* One gate; another one follows it in its place when it ends. */
struct gate {
	struct keep *keep;
	unsigned place; /* 0 … gates-1 */
	uv_process_t process;
	bool exited; /* reaped, or never started */
	uv_poll_t poll;
	int socket;
	uint8_t *memory; /* one packet */
	bool ready;      /* has said HELLO */
	bool ended;      /* its link is closed; what it still has under way goes nowhere */
	unsigned asks;   /* received, and their answers not yet sent */
	unsigned orders; /* waiting to be sent */
	bool greeting;   /* its HELLO is being answered */
	unsigned sessions, uploads, downloads; /* that are its own */
	struct flood notes, refusals;
	unsigned refs; /* asks, chores and handles that point here */
	struct packet *first, **last;
	int64_t stalled_since_ms;
	int64_t started_ms, closed_ms;
	char why[128]; /* it was ended */
};

/* A gate without process and link. The reference is the caller's. */
struct gate *gate_new(struct keep *keep, unsigned place);
void gate_ref(struct gate *g);
void gate_unref(struct gate *g);

/* Serve what comes over the socket, which is the gate's from now on. Once. */
void gate_attach(struct gate *g, int socket);

/* Take up to a bounded number of packets that wait; whether there may be more. */
bool gate_receive(struct gate *g);

/* Send what frame and body say, with descriptors, which are the gate's from now on. The ask
 * that an answer is for counts until it is sent. */
void gate_send(struct gate *g, const struct frame *f, int *fds, unsigned count);

void gate_order_end_session(struct gate *g, uint64_t session, const char *reason);
void gate_order_yield(struct gate *g, uint64_t put);
void gate_order_drain(struct gate *g, uint64_t deadline_ms);
void gate_order_configure(struct gate *g, struct view settings);

/* The link is closed, and what the gate had open ends. Closing twice is closing once. */
void gate_close(struct gate *g);

/* The gate broke the protocol, or does not drain its link: kill it. why goes to log and record. */
void gate_end(struct gate *g, const char *why);

/* Once a second: end a gate that is silent, does not read, or has closed its link and stays. */
void gate_watch(struct gate *g, int64_t now_ms);

#endif
