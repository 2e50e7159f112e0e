/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/deeds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/room.h"

enum { TICK_MAX = 512 };

struct list {
	struct deed *first, **end;
	size_t count;
};

struct deeds {
	struct keep *keep;
	uv_loop_t *loop;
	uv_idle_t idle; /* runs while deeds wait, so that the loop does not sleep */
	struct list waiting;
	size_t under_way;
};

static void list_add(struct list *l, struct deed *d)
{
	if (!l->first)
		l->end = &l->first;
	d->next = NULL;
	*l->end = d;
	l->end = &d->next;
	l->count++;
}

static struct deed *list_take(struct list *l)
{
	struct deed *d = l->first;

	if (d) {
		l->first = d->next;
		l->count--;
	}
	return d;
}

/* What happened inside is for the log, the cause for the user; they differ when the fault
 * is ours. */
int deed_note(struct deed *d, int rc)
{
	if (rc < 0) {
		if (rc == E_IO || rc == E_INTEGRITY || rc == E_NOMEM || rc == E_FULL) {
			log_warning("%s: %s", d->row->name, err_text());
			(void)snprintf(d->why, sizeof d->why, "%s", err_word(rc));
		} else {
			const char *cause = err_cause();
			(void)snprintf(d->why, sizeof d->why, "%s", *cause ? cause : err_word(rc));
		}
		d->rc = rc;
	}
	err_clear();
	return rc;
}

/* What the pool could not make durable, no later sync makes good: nobody is answered. */
static void check_store(struct keep *keep)
{
	if (keep->blobs && blobs_broken(keep->blobs))
		keep_die(keep, "sync the store's folders");
}

static void finish(struct deeds *q, struct deed *d)
{
	q->under_way--;
	d->row->finish(d);
}

static void on_completed(uv_work_t *work, int status)
{
	struct deed *d = work->data;

	(void)status; /* never cancelled */
	check_store(d->keep);
	finish(d->keep->deeds, d);
}

static void run_complete(uv_work_t *work)
{
	struct deed *d = work->data;

	(void)deed_note(d, d->row->complete(d));
}

static void pool(struct deeds *q, struct deed *d, uv_work_cb run, uv_after_work_cb done)
{
	d->work.data = d;
	int rc = uv_queue_work(q->loop, &d->work, run, done);
	assert(rc == 0); /* it fails only for a missing callback */
}

static void after_commit(struct deeds *q, struct deed *d)
{
	if (d->rc == 0 && d->row->settle)
		d->row->settle(d);
	if (d->rc == 0 && d->row->complete)
		pool(q, d, run_complete, on_completed);
	else
		finish(q, d);
}

static void must(struct keep *keep, int rc, const char *what)
{
	if (rc)
		keep_die(keep, what);
}

static void decide(struct deeds *q, struct deed *d, struct list *ret_decided)
{
	struct catalog *c = q->keep->catalog;
	size_t mark = audit_mark(q->keep->audit);

	must(q->keep, catalog_savepoint(c), "begin a savepoint");
	int rc = d->row->decide(d);
	if (rc == 0) {
		must(q->keep, catalog_release(c), "release a savepoint");
		list_add(ret_decided, d);
		return;
	}
	if (rc < 0)
		(void)deed_note(d, rc);
	must(q->keep, catalog_rollback_to(c), "undo a savepoint");
	audit_revert(q->keep->audit, mark);
	accounts_forget(q->keep->accounts);
	if (rc == DEED_PARKED)
		return;
	if (d->row->refused)
		d->row->refused(d);
	list_add(ret_decided, d);
}

static void tick(struct deeds *q)
{
	struct keep *keep = q->keep;
	struct list decided = {0};
	struct deed *d;

	room_check(keep);
	must(keep, catalog_begin(keep->catalog), "begin a transaction");
	for (unsigned n = 0; n < TICK_MAX && q->waiting.first; n++) {
		d = list_take(&q->waiting);
		if (d->rc == 0)
			decide(q, d, &decided);
		else
			list_add(&decided, d); /* its preparation failed */
	}
	must(keep, audit_before_commit(keep->audit), "write down what the log holds");
	must(keep, catalog_commit(keep->catalog), "commit");
	audit_after_commit(keep->audit);
	while ((d = list_take(&decided)))
		after_commit(q, d);
}

static void on_idle(uv_idle_t *idle)
{
	struct deeds *q = idle->data;

	if (q->waiting.first)
		tick(q);
	if (!q->waiting.first)
		(void)uv_idle_stop(idle);
}

static void enqueue(struct deeds *q, struct deed *d)
{
	list_add(&q->waiting, d);
	(void)uv_idle_start(&q->idle, on_idle);
}

static void run_prepare(uv_work_t *work)
{
	struct deed *d = work->data;

	(void)deed_note(d, d->row->prepare(d));
}

static void on_prepared(uv_work_t *work, int status)
{
	struct deed *d = work->data;

	(void)status;
	check_store(d->keep);
	enqueue(d->keep->deeds, d);
}

void deeds_restart(struct deeds *q, struct deed *d)
{
	if (d->row->begin && deed_note(d, d->row->begin(d)) == DEED_PARKED)
		return;
	if (d->row->prepare && d->rc == 0)
		pool(q, d, run_prepare, on_prepared);
	else
		enqueue(q, d);
}

void deeds_submit(struct deeds *q, struct deed *d)
{
	d->keep = q->keep;
	q->under_way++;
	deeds_restart(q, d);
}

void deeds_resubmit(struct deeds *q, struct deed *d)
{
	enqueue(q, d);
}

size_t deeds_under_way(const struct deeds *q)
{
	return q->under_way;
}

int deeds_new(struct keep *keep, uv_loop_t *loop, struct deeds **ret_deeds)
{
	struct deeds *q = mem_new(sizeof *q);

	q->keep = keep;
	q->loop = loop;
	q->idle.data = q;
	(void)uv_idle_init(loop, &q->idle);
	*ret_deeds = q;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void deeds_close(struct deeds *q)
{
	assert(q->under_way == 0);
	uv_close((uv_handle_t *)&q->idle, on_closed);
}
