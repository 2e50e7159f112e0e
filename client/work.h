/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work: many files, some at a time: a thread and a connection for each job, while the
 * calling thread draws the progress.
 */
#ifndef DROPKEEP_CLIENT_WORK_H
#define DROPKEEP_CLIENT_WORK_H

#include "client/session.h"

enum { JOBS_MOST = 32 };

struct work {
	size_t count;
	/* One item, on any thread; its chain of errors is that thread's. */
	int (*run)(void *arg, struct session *s, size_t item);
	void *arg;
};

/*
 * All items, whatever becomes of each; none is begun once somebody wants to stop. Failures
 * are told as they happen, and counted in the sentence of the code that is returned: that of
 * the first item that failed.
 */
MUST_USE int work_run(const struct work *w, const struct session *s, uint64_t jobs);

/* --jobs, for session_open() and work_run(). */
MUST_USE int work_jobs(const struct call *call, uint64_t *ret_jobs);

#endif
