/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gates: the gate processes: started by fork and exec, watched, and started again, after a
 * pause that grows, when they end. What they say is gate_link.h's. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_GATES_H
#define DROPKEEP_KEEP_GATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct keep;
struct gates;

enum { GATES_MAX = 64 };

MUST_USE int gates_new(struct keep *keep, struct gates **ret_gates);

/* Start all of them. */
MUST_USE int gates_start(struct gates *g);

/* Tell all to finish; `done` is called once when the last one is gone. */
void gates_drain(struct gates *g, uint64_t deadline_ms, void (*done)(struct keep *keep));
void gates_free(struct gates *g);

/* Tell all the new settings. */
void gates_configure(struct gates *g);

/* For status: place < gates_count(). */
struct gate_info {
	unsigned place, sessions, restarts;
	int pid; /* 0: being restarted */
};
unsigned gates_count(const struct gates *g);
void gates_info(const struct gates *g, unsigned place, struct gate_info *ret_info);
bool gates_serving(const struct gates *g); /* at least one is ready */

#endif
