/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: the process: its loop, its link to the keep, its listeners and its sessions.
 *
 * One per process, on the only thread that knows of it. It asks HELLO, serves what the keep
 * hands it, obeys the keep's orders, and ends when the keep says so or is gone.
 */
#ifndef DROPKEEP_GATE_GATE_H
#define DROPKEEP_GATE_GATE_H

#include <uv.h>

#include <openssl/ssl.h>

#include "daemon/gate/keeper.h"
#include "daemon/gate/ssh_listener.h"
#include "daemon/gate/ssh_policy.h"

struct place;

/* What a gate does with a connection, of whatever protocol. */
struct place_kind {
	void (*turn)(struct place *p);  /* its turn has come */
	void (*drain)(struct place *p); /* the gate drains: what has nothing open ends */
	void (*end)(struct place *p, const char *reason); /* soon; the first reason counts */
	uint64_t (*number)(const struct place *p);        /* of its session in the keep; 0: none */
};

/* A connection's place in its gate. */
struct place {
	const struct place_kind *kind;
	struct place *prev, *next, *next_awake;
	bool awake;
};

struct gate {
	uint32_t magic;
	uv_loop_t loop;
	struct keeper *keeper;
	struct policy *policy; /* for new sessions */
	SSL_CTX *tls;          /* for new connections; NULL: HTTPS is not served */
	uint32_t https_idle_ms, strangers;
	struct listeners listeners, https_listeners;

	struct place *sessions;
	unsigned session_count;
	struct place *awake; /* to be driven in the next turn of the loop */
	uv_idle_t turn;      /* active while somebody is awake */

	bool draining;
	uint64_t deadline_ms; /* of the drain, in the loop's time */
	uv_timer_t drain_timer;
	int exit_status;
};

/* Serve over link until told to stop or until the link breaks. Takes link. Returns the exit
 * status of the process. */
int gate_run(int link);

/* For connections: one more, one less. */
void gate_add(struct gate *g, struct place *p, const struct place_kind *kind);
void gate_drop(struct gate *g, struct place *p);

/* The connection is driven before the loop waits again, never from inside this call. */
void gate_wake(struct gate *g, struct place *p);

#endif
