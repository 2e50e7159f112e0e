/* SPDX-License-Identifier: Apache-2.0 */
/*
 * job: one piece of work for the thread pool, embedded in what it works for.
 *
 * work runs on a thread of the pool and may touch only what was set aside for it; done runs
 * on the loop's thread afterwards, with the outcome in rc and text (the error's sentences
 * cannot stay in the chain of another thread). A job is started again only after its done.
 */
#ifndef DROPKEEP_GATE_JOB_H
#define DROPKEEP_GATE_JOB_H

#include <stdbool.h>
#include <uv.h>

struct job {
	uv_work_t work_req;
	int (*work)(struct job *j);
	void (*done)(struct job *j);
	void *owner;
	bool busy;
	int rc;
	char text[256];
};

void job_start(uv_loop_t *loop, struct job *j);

#endif
