/* SPDX-License-Identifier: Apache-2.0 */
#include "client/work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/mem.h"
#include "client/progress.h"
#include "client/say.h"
#include "client/stop.h"

struct crew {
	const struct work *work;
	const struct session *first;
	atomic_size_t next, running;
	pthread_mutex_t lock;
	size_t failed, worst_item;
	int worst;
	struct err_kept said; /* by the only item there is */
};

int work_jobs(const struct call *call, uint64_t *ret_jobs)
{
	int rc = call_number(call, OPT_JOBS, 1, JOBS_MOST, ret_jobs);

	if (!rc && *ret_jobs == 0)
		rc = fail(E_USAGE, "--jobs wants one job at least");
	return rc;
}

static void note_failure(struct crew *c, size_t item, int rc)
{
	(void)pthread_mutex_lock(&c->lock);
	if (!c->failed++ || item < c->worst_item) {
		c->worst = rc;
		c->worst_item = item;
	}
	if (c->work->count == 1)
		err_keep(&c->said);
	else if (!stop_wanted())
		say_error(rc);
	(void)pthread_mutex_unlock(&c->lock);
	err_clear();
}

static void *work(void *arg)
{
	struct crew *c = arg;
	CLEANUP(session_free) struct session *s = NULL;
	int rc = session_another(c->first, &s);

	for (size_t i; !stop_wanted() && (i = atomic_fetch_add(&c->next, 1)) < c->work->count;) {
		int failed = rc ? rc : c->work->run(c->work->arg, s, i);
		if (failed)
			note_failure(c, i, failed);
		progress_file_done();
	}
	err_clear();
	atomic_fetch_sub(&c->running, 1);
	return NULL;
}

static int start(struct crew *c, pthread_t *thread, size_t n, size_t *ret_started)
{
	for (*ret_started = 0; *ret_started < n; ++*ret_started) {
		atomic_fetch_add(&c->running, 1);
		if (pthread_create(&thread[*ret_started], NULL, work, c) == 0)
			continue;
		atomic_fetch_sub(&c->running, 1);
		return *ret_started ? 0 : fail(E_NOMEM, "cannot start a thread");
	}
	return 0;
}

static int judge(struct crew *c)
{
	size_t count = c->work->count;

	if (!c->failed)
		return stop_wanted() && atomic_load(&c->next) < count ? fail(E_AGAIN, "interrupted")
								      : 0;
	if (count == 1) {
		err_bring_back(&c->said);
		return c->worst;
	}
	return fail(c->worst, "%zu of %zu failed", c->failed, count);
}

int work_run(const struct work *w, const struct session *s, uint64_t jobs)
{
	struct crew c = {.work = w, .first = s, .lock = PTHREAD_MUTEX_INITIALIZER};
	const struct timespec nap = {0, 20 * 1000000L};
	pthread_t thread[JOBS_MOST];
	size_t started = 0, n = jobs < w->count ? (size_t)jobs : w->count;
	int rc = start(&c, thread, n, &started);

	while (atomic_load(&c.running)) {
		progress_show();
		(void)nanosleep(&nap, NULL);
	}
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(thread[i], NULL);
	progress_end();
	if (!rc)
		rc = judge(&c);
	return rc;
}
