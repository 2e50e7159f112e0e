/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_kit: a loop, a keeper and the other end of its link, for tests of what asks the keep.
 * The test plays the keep: it takes each ask and answers it, in any order.
 */
#ifndef DROPKEEP_TESTS_GATE_KIT_H
#define DROPKEEP_TESTS_GATE_KIT_H

#include <uv.h>

#include "base_kit.h"
#include "daemon/gate/keeper.h"
#include "wire/link.h"

struct gate_kit {
	uv_loop_t loop;
	struct keeper *keeper;
	int keep; /* the keep's end */
	unsigned orders, broken;
	struct frame order; /* the last one; its body is gone */
	uint8_t packet[LINK_MAX], out[LINK_MAX];
};

void gate_kit_open(struct gate_kit *k);

/* Closes everything; the loop must end with nothing left over. */
void gate_kit_close(struct gate_kit *k);

/* Let the loop do what it can without waiting. */
void gate_kit_run(struct gate_kit *k);

/* The next ask, which must be this verb; its body is valid until the next call. */
struct frame gate_kit_take(struct gate_kit *k, enum verb verb);
bool gate_kit_silent(struct gate_kit *k); /* there is none */

/* Answer with a status and the keep's sentence, or with the body that w holds; then run. */
void gate_kit_refuse(struct gate_kit *k, const struct frame *ask, int status, const char *text);
void gate_kit_answer(struct gate_kit *k, const struct frame *ask, struct view body);
void gate_kit_send(struct gate_kit *k, const struct frame *f, const int *fds, unsigned count);

#endif
