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

#include "daemon/gate/keeper.h"
#include "daemon/gate/ssh_listener.h"
#include "daemon/gate/ssh_policy.h"

/* A session's place in its gate. */
struct place {
	struct place *prev, *next, *next_awake;
	bool awake;
};

struct gate {
	uint32_t magic;
	uv_loop_t loop;
	struct keeper *keeper;
	struct policy *policy; /* for new sessions */
	struct listeners listeners;

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

/* For sessions: one more, one less. */
void gate_add(struct gate *g, struct place *p);
void gate_drop(struct gate *g, struct place *p);

/* The session is driven before the loop waits again, never from inside this call. */
void gate_wake(struct gate *g, struct place *p);

#endif
