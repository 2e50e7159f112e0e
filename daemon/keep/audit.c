/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/audit.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/lines.h"
#include "daemon/keep/object_key.h"
#include "tlog/key.h"

static const char meta_origin[] = "log.origin";
static const char meta_noted[] = "log.noted";

enum { ORIGIN_MAX = 255 };

/* Lines, each with its newline, and where each ends. */
struct lines {
	struct buf text;
	struct buf ends; /* size_t each */
};

struct audit {
	struct keep *keep;
	struct trail *trail;
	char *origin, *node;
	uint64_t next_seq;
	struct lines open;      /* of the transaction at hand */
	struct lines committed; /* waiting for the log job */
	struct buf writing;     /* what the log job has */
	uv_work_t work;
	bool busy;
	int job_rc;
	char *job_error;
	struct deed *waiting; /* for the job that runs, perhaps for the one behind it */
	struct trail_mark at; /* durable in the log */
	uint64_t noted;       /* of that, what the catalog knows */
	uint64_t completed;   /* records that were missing at the start */
};

static size_t line_count(const struct lines *l)
{
	return l->ends.len / sizeof(size_t);
}

static size_t line_end(const struct lines *l, size_t i)
{
	size_t end;

	memcpy(&end, l->ends.data + i * sizeof end, sizeof end);
	return end;
}

static void lines_clear(struct lines *l)
{
	buf_clear(&l->text);
	buf_clear(&l->ends);
}

static int note(struct catalog *c, const struct trail_mark *m)
{
	uint8_t bytes[TRAIL_MARK_SIZE];

	trail_mark_write(m, bytes);
	return catalog_meta_set(c, meta_noted, view_of(bytes, sizeof bytes));
}

int audit_create(struct catalog *c, const struct keys *k, int state_fd, const char *origin)
{
	struct trail_mark empty = {0};

	if (strlen(origin) > ORIGIN_MAX)
		return fail(E_INVALID, "a log origin of more than %d bytes", ORIGIN_MAX);
	tlog_empty_root(&empty.root);
	int rc = catalog_meta_set(c, meta_origin, view_text(origin));
	if (!rc)
		rc = note(c, &empty);
	return rc ? rc : trail_create(state_fd, origin, keys_log(k));
}

/* ---- adding ---- */

/* The key of the object, or of its zone's root where there is no object. */
static int find_object_key(struct audit *a, const struct event *e, struct secret **ret_key)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	const struct zone *zone = NULL;
	struct node_row root;
	const uint8_t *object = e->object;

	if (!e->zone)
		return 0;
	int rc = accounts_zone_by_id(a->keep->accounts, e->zone, &zone);
	if (!rc && !object) {
		rc = catalog_node_by_id(a->keep->catalog, zone->row.root, &root);
		object = root.object;
	}
	if (!rc)
		rc = catalog_object_key(a->keep->catalog, object, &sealed);
	if (!rc)
		rc = object_key_open(a->keep->keys, zone->keys, object, view_buf(&sealed), ret_key);
	if (rc == E_GONE) { /* erased: the record stands without what the key would cover */
		err_clear();
		rc = 0;
	}
	return rc;
}

static int add_line(struct audit *a, const struct event *e)
{
	CLEANUP(secret_free) struct secret *object_key = NULL;
	size_t start = a->open.text.len;
	int rc = e->path.len || e->hash.len ? find_object_key(a, e, &object_key) : 0;
	struct record_frame f = {.seq = a->next_seq,
				 .time_us = clock_utc_us(),
				 .node = a->node,
				 .keys = a->keep->keys,
				 .object_key = object_key};

	if (!rc)
		rc = record_write(&f, e, &a->open.text);
	if (!rc && a->open.text.len - start > LINE_BYTES_MAX)
		rc = fail(E_LIMIT, "more than a record can hold");
	if (!rc)
		rc = catalog_outbox_add(
		    a->keep->catalog, a->next_seq,
		    view_of(a->open.text.data + start, a->open.text.len - start));
	if (!rc)
		rc = buf_add_text(&a->open.text, "\n");
	size_t end = a->open.text.len;
	if (!rc)
		rc = buf_add(&a->open.ends, &end, sizeof end);
	if (rc)
		a->open.text.len = start;
	else
		a->next_seq++;
	return rc;
}

int audit_add(struct audit *a, const struct event *e)
{
	struct event mine = *e;

	if (!mine.session && !mine.actor)
		mine.actor = "system";
	int rc = add_line(a, &mine);
	json_decref(mine.detail);
	return rc ? fail(rc, "add '%s' to the audit log", e->name) : 0;
}

uint64_t audit_next(const struct audit *a)
{
	return a->next_seq;
}

size_t audit_mark(const struct audit *a)
{
	return line_count(&a->open);
}

void audit_revert(struct audit *a, size_t mark)
{
	size_t undone = line_count(&a->open) - mark;

	a->next_seq -= undone;
	a->open.ends.len = mark * sizeof(size_t);
	a->open.text.len = mark ? line_end(&a->open, mark - 1) : 0;
}

int audit_before_commit(struct audit *a)
{
	if (a->noted == a->at.size)
		return 0;
	int rc = note(a->keep->catalog, &a->at);
	if (!rc)
		rc = catalog_outbox_clear(a->keep->catalog, a->at.size);
	return rc;
}

/* ---- the log job ---- */

static void run_job(uv_work_t *work)
{
	struct audit *a = work->data;

	a->job_rc = trail_append(a->trail, view_buf(&a->writing));
	if (a->job_rc)
		a->job_error = mem_text(err_text());
	err_clear();
}

static void start_job(struct audit *a);

bool audit_wait(struct audit *a, uint64_t *size, struct deed *d)
{
	if (!*size)
		*size = a->next_seq - line_count(&a->open);
	if (*size <= a->at.size)
		return false;
	assert(a->busy); /* whose end restarts it */
	d->next = a->waiting;
	a->waiting = d;
	return true;
}

static void restart_waiting(struct audit *a)
{
	struct deed *waiting = TAKE(a->waiting);

	while (waiting) {
		struct deed *d = waiting;
		waiting = d->next;
		d->next = NULL;
		deeds_restart(a->keep->deeds, d);
	}
}

static void on_job_done(uv_work_t *work, int status)
{
	struct audit *a = work->data;

	(void)status;
	a->busy = false;
	if (a->job_rc) {
		log_error("audit log: %s", a->job_error);
		keep_die(a->keep, "write the audit log");
	}
	trail_mark(a->trail, &a->at);
	buf_clear(&a->writing);
	if (a->committed.text.len)
		start_job(a);
	restart_waiting(a);
}

static void start_job(struct audit *a)
{
	struct buf spare = a->writing;

	a->writing = a->committed.text;
	a->committed.text = spare;
	lines_clear(&a->committed);
	a->busy = true;
	a->work.data = a;
	int rc = uv_queue_work(&a->keep->loop, &a->work, run_job, on_job_done);
	assert(rc == 0);
}

void audit_after_commit(struct audit *a)
{
	a->noted = a->at.size;
	if (!a->open.text.len)
		return;
	if (buf_add(&a->committed.text, a->open.text.data, a->open.text.len))
		keep_die(a->keep, "queue records for the audit log");
	lines_clear(&a->open);
	if (!a->busy)
		start_job(a);
}

bool audit_busy(const struct audit *a)
{
	return a->busy;
}

bool audit_lags_behind(const struct audit *a)
{
	return a->noted != a->at.size;
}

/* ---- opening ---- */

/* What the outbox holds beyond the mark, and from which number on it holds nothing. */
static int read_outbox(struct catalog *c, uint64_t *seq, struct buf *out)
{
	int rc;

	while ((rc = catalog_outbox_get(c, *seq, out)) == 0) {
		rc = buf_add_text(out, "\n");
		if (rc)
			return rc;
		++*seq;
	}
	return rc == E_GONE ? 0 : rc;
}

static int read_meta(struct audit *a)
{
	CLEANUP(buf_done) struct buf origin = {0};
	CLEANUP(buf_done) struct buf noted = {0};
	int rc = catalog_meta_get(a->keep->catalog, meta_origin, &origin);

	if (!rc)
		rc = catalog_meta_get(a->keep->catalog, meta_noted, &noted);
	if (!rc)
		rc = trail_mark_read(view_buf(&noted), &a->at);
	if (rc)
		return fail(E_INTEGRITY, "the catalog does not know its audit log");
	a->origin = mem_text_n(origin.data, origin.len);
	return 0;
}

static int key_text(struct audit *a, struct buf *out)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *signer = NULL;
	int rc = tlog_signer_new(view_text(a->origin), keys_log(a->keep->keys), &signer);

	return rc ? rc : tlog_verifier_text(tlog_signer_verifier(signer), out);
}

int audit_verify(struct keep *keep, struct buf *problems)
{
	CLEANUP(audit_free) struct audit *a = mem_new(sizeof *a);
	CLEANUP(buf_done) struct buf key = {0};
	const char *text = NULL;

	a->keep = keep;
	int rc = read_meta(a);
	if (!rc)
		rc = key_text(a, &key);
	if (!rc)
		rc = buf_text(&key, &text);
	return rc ? rc : trail_verify(keep->state_fd, a->origin, text, &a->at, problems);
}

static char *host_name(void)
{
	char name[256] = "";

	if (gethostname(name, sizeof name - 1) < 0 || !*name)
		return mem_text("localhost");
	return mem_text(name);
}

int audit_open(struct keep *keep, struct audit **ret_audit)
{
	CLEANUP(audit_free) struct audit *a = mem_new(sizeof *a);
	CLEANUP(buf_done) struct buf pending = {0};

	a->keep = keep;
	a->node = host_name();
	int rc = read_meta(a);
	if (rc)
		return rc;
	a->noted = a->next_seq = a->at.size;
	rc = read_outbox(keep->catalog, &a->next_seq, &pending);
	if (!rc)
		rc = trail_open(keep->state_fd, a->origin, keys_log(keep->keys), &a->at,
				view_buf(&pending), TRAIL_FILE_MAX, &a->trail);
	if (rc)
		return rc;
	trail_mark(a->trail, &a->at);
	a->completed = a->at.size - a->noted;
	if (pending.len)
		log_info("audit log: completed with %llu records from the catalog",
			 (unsigned long long)a->completed);
	*ret_audit = TAKE(a);
	return 0;
}

void audit_free(struct audit **a)
{
	if (*a) {
		assert(!(*a)->busy);
		trail_free(&(*a)->trail);
		buf_done(&(*a)->open.text);
		buf_done(&(*a)->open.ends);
		buf_done(&(*a)->committed.text);
		buf_done(&(*a)->committed.ends);
		buf_done(&(*a)->writing);
		free((*a)->origin);
		free((*a)->node);
	}
	free(*a);
	*a = NULL;
}

uint64_t audit_completed(const struct audit *a)
{
	return a->completed;
}

void audit_position(const struct audit *a, struct trail_mark *ret_mark)
{
	*ret_mark = a->at;
}

const char *audit_origin(const struct audit *a)
{
	return a->origin;
}

const char *audit_key(const struct audit *a)
{
	return trail_key(a->trail);
}
