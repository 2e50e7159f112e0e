/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about the log: LOG_FILE, LOG_QUERY. Both read on the thread pool, all that was committed
 * when they came, for which they wait, and are themselves recorded before anything leaves. Records
 * are read for one ask at a time: what gates' clients can make the keep read must leave the rest of
 * the pool to those who wait for their uploads. */
#include "daemon/keep/ask.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/log_query.h"
#include "daemon/keep/safe_json.h"

/* Where one may not look there is nothing (DESIGN.md, "Accounts and rights"). */
static int nothing_there(void)
{
	err_clear();
	return fail(E_GONE, "there is no such thing in the log");
}

/* ---- LOG_FILE ---- */

struct file {
	uint64_t seen; /* audit_wait()'s */
	struct trail_mark at;
	struct buf content;
	int fd;
};

static void file_free(void *work)
{
	struct file *f = work;

	buf_done(&f->content);
	sys_close(&f->fd);
	free(f);
}

static int file_allowed(const struct ask *a)
{
	const struct principal *p;
	int rc = ask_principal(a, &p);

	if (!rc && a->m.log_file.kind == LOG_ENTRIES && !access_audits(&p->access, 0))
		rc = nothing_there();
	return rc;
}

static int file_begin(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct file *f = a->work;
	int rc = f ? 0 : file_allowed(a);

	if (rc)
		return rc;
	if (!f) {
		a->work = f = mem_new(sizeof *f);
		a->drop_work = file_free;
		f->fd = -1;
	}
	if (a->m.log_file.kind == LOG_ENTRIES && !turns_take(&d->keep->log_turns, d))
		return DEED_PARKED;
	if (audit_wait(d->keep->audit, &f->seen, d))
		return DEED_PARKED;
	audit_position(d->keep->audit, &f->at);
	return 0;
}

static int file_read(const struct ask *a, struct file *f, int state_fd)
{
	const struct ask_log_file *m = &a->m.log_file;
	const struct tlog_tile tile = {m->level, m->index, m->width};

	switch (m->kind) {
	case LOG_CHECKPOINT:
		return trail_checkpoint(state_fd, &f->content);
	case LOG_TILE:
		return trail_tile(state_fd, &f->at, &tile, &f->content);
	default:
		return tlog_tile_exists(&tile, f->at.size)
			   ? trail_bundle(state_fd, &f->at, m->index * LOG_TILE_WIDTH, m->width,
					  &f->content)
			   : E_GONE;
	}
}

static int file_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct file *f = a->work;
	int rc = file_read(a, f, d->keep->state_fd);

	if (rc == E_GONE)
		return nothing_there();
	return rc ? rc : sys_frozen_file(view_buf(&f->content), &f->fd);
}

/* Entries each time; of checkpoint and tiles, which are read by the dozen, that a session has begun
 * to: its end has their number. */
static int file_record(const struct ask *a, struct session *s)
{
	const struct ask_log_file *m = &a->m.log_file;
	struct event e = EVENT(.name = "audit.tree", .session = s);

	if (m->kind == LOG_ENTRIES) {
		e.name = "audit.entries";
		event_detail(&e,
			     json_pack("{s:I,s:i}", "first", safe_count(m->index * LOG_TILE_WIDTH),
				       "count", (int)m->width));
		return audit_add(a->gate->keep->audit, &e);
	}
	int rc = s->tree_reads ? 0 : audit_add(a->gate->keep->audit, &e);
	if (!rc)
		s->tree_reads++;
	return rc;
}

static int log_file(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);
	int rc = s && !s->over ? file_allowed(a) : fail(E_GONE, "the session has ended");

	return rc ? rc : file_record(a, s);
}

static void file_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct file *f = a->work;

	turns_leave(&d->keep->log_turns, d->keep->deeds, d);
	if (!d->rc) {
		const struct answer_log_file m = {.size = f->content.len};
		answer_log_file_write(ask_out(a, 16), &m);
		a->fds[a->fd_count++] = TAKE_FD(f->fd);
	}
	ask_finish(d);
}

const struct deed_row answer_log_file = {.name = "log_file",
					 .begin = file_begin,
					 .prepare = file_prepare,
					 .decide = log_file,
					 .refused = ask_refused,
					 .finish = file_finish};

/* ---- LOG_QUERY ---- */

enum {
	PAGE_BYTES = 4 << 20, /* of lines; the last one may go beyond */
	SCAN_MAX = 100000,    /* records that are looked at for one page */
	ENOUGH = 1,
};

/* A zone whose log the asker may read. Names are given again: what was recorded before the zone was
 * made is not of this one. */
struct audited {
	uint64_t id;
	char name[ACCOUNT_MAX + 1], since[CLOCK_TEXT];
};

struct query {
	uint64_t seen; /* audit_wait()'s */
	struct trail_mark at;
	struct log_opener opener;
	struct log_filter filter;
	char *text[5]; /* what it borrows from */
	bool all;      /* zones, and what is in none; else these: */
	struct audited *zone;
	size_t zones;
	uint64_t before, cursor, count, scanned;
	bool end;
	struct buf lines;
	int fd;
};

static void query_free(void *work)
{
	struct query *q = work;

	for (size_t i = 0; i < ARRAY_LEN(q->text); i++)
		free(q->text[i]);
	free(q->zone);
	log_opener_done(&q->opener);
	buf_wipe(&q->lines);
	sys_close(&q->fd);
	free(q);
}

static int take_text(struct view v, char **owned, const char **ret_text)
{
	if (v.len > LOG_FILTER_MAX || (v.len && memchr(v.data, '\0', v.len)))
		return fail(E_INVALID, "a filter that nothing can match");
	if (v.len)
		*ret_text = *owned = mem_text_n(v.data, v.len);
	return 0;
}

static int take_time(int64_t us, char ret_text[CLOCK_TEXT])
{
	if (us == TIME_UNKNOWN)
		return 0;
	if (us < 0 || us >= INT64_C(253402300800) * 1000000)
		return fail(E_INVALID, "a time that is not of the years 1970 to 9999");
	clock_text(us, ret_text);
	return 0;
}

static int take_filter(const struct ask_log_query *m, struct query *q)
{
	struct log_filter *f = &q->filter;
	int rc = take_time(m->since_us, f->since);

	if (!rc)
		rc = take_time(m->until_us, f->until);
	if (!rc)
		rc = take_text(m->zone, &q->text[0], &f->zone);
	if (!rc)
		rc = take_text(m->user, &q->text[1], &f->user);
	if (!rc)
		rc = take_text(m->event, &q->text[2], &f->event);
	if (!rc)
		rc = take_text(m->outcome, &q->text[3], &f->outcome);
	if (!rc)
		rc = take_text(m->object, &q->text[4], &f->object);
	return rc;
}

struct looking {
	struct query *q;
	const struct principal *p;
};

static int add_audited(void *arg, const struct zone_row *row)
{
	const struct looking *l = arg;
	struct query *q = l->q;

	if (!access_audits(&l->p->access, row->id))
		return 0;
	struct audited *grown = realloc(q->zone, (q->zones + 1) * sizeof *grown);
	if (!grown)
		return fail(E_NOMEM, "a list of %zu zones", q->zones + 1);
	q->zone = grown;
	struct audited *z = &q->zone[q->zones++];
	*z = (struct audited){.id = row->id};
	memcpy(z->name, row->name, sizeof z->name);
	clock_text(row->made_us, z->since);
	return 0;
}

static const struct audited *find_audited(const struct query *q, const char *name)
{
	for (size_t i = 0; i < q->zones; i++)
		if (strcmp(q->zone[i].name, name) == 0)
			return &q->zone[i];
	return NULL;
}

/* What may be seen: before anything is read, since reading costs. */
static int query_allowed(const struct ask *a, struct query *q)
{
	struct looking l = {q, NULL};
	int rc = ask_principal(a, &l.p);

	if (rc)
		return rc;
	q->all = access_audits(&l.p->access, 0);
	if (q->all)
		return 0;
	rc = catalog_each_zone(a->gate->keep->catalog, add_audited, &l);
	if (!rc && (!q->zones || (q->filter.zone && !find_audited(q, q->filter.zone))))
		rc = nothing_there();
	return rc;
}

/* The same when it has been read: it may have been taken away meanwhile. */
static int still_allowed(const struct ask *a, const struct query *q)
{
	const struct principal *p;
	const struct zone *zone;
	int rc = ask_principal(a, &p);

	if (!rc && q->all)
		return access_audits(&p->access, 0) ? 0 : nothing_there();
	for (size_t i = 0; !rc && i < q->zones; i++)
		if (!access_audits(&p->access, q->zone[i].id) ||
		    accounts_zone_by_id(a->gate->keep->accounts, q->zone[i].id, &zone))
			rc = nothing_there();
	return rc;
}

static int query_new(struct ask *a)
{
	const struct ask_log_query *m = &a->m.log_query;
	struct query *q = mem_new(sizeof *q);
	int rc = take_filter(m, q);

	q->fd = -1;
	q->before = m->before ? m->before : UINT64_MAX;
	q->cursor = m->from;
	a->work = q;
	a->drop_work = query_free;
	return rc ? rc : query_allowed(a, q);
}

static int query_begin(struct deed *d)
{
	struct ask *a = ask_of(d);
	int rc = a->work ? 0 : query_new(a);
	struct query *q = a->work;

	if (rc)
		return rc;
	if (!turns_take(&d->keep->log_turns, d) || audit_wait(d->keep->audit, &q->seen, d))
		return DEED_PARKED;
	audit_position(d->keep->audit, &q->at);
	if (q->before > q->at.size)
		q->before = q->at.size;
	return log_opener_make(d->keep, &q->opener);
}

static bool may_see(const struct query *q, const json_t *record)
{
	const struct audited *z = q->all ? NULL : find_audited(q, log_text(record, "zone"));

	return q->all || (z && strcmp(log_text(record, "time"), z->since) >= 0);
}

static int add_record(struct query *q, json_t *record)
{
	log_show(&q->opener, record);
	char *line = json_dumps(record, JSON_COMPACT | JSON_ENSURE_ASCII);
	int rc = line ? buf_add_text(&q->lines, line) : fail(E_NOMEM, "write a record");

	free(line);
	q->count++;
	return rc ? rc : buf_add_text(&q->lines, "\n");
}

struct page {
	struct query *q;
	uint32_t limit;
};

static int look_at(const struct page *page, uint64_t seq, struct view line)
{
	struct query *q = page->q;
	json_t *record = json_loadb((const char *)line.data, line.len, 0, NULL);
	int rc = 0;

	if (!record)
		return fail(E_INTEGRITY, "record %" PRIu64 " is not JSON", seq);
	if (log_filter_matches(&q->filter, record) && may_see(q, record))
		rc = q->count == page->limit ? ENOUGH : add_record(q, record);
	json_decref(record);
	return rc;
}

static int visit_record(void *arg, uint64_t seq, struct view line)
{
	const struct page *page = arg;
	struct query *q = page->q;

	q->cursor = seq;
	if (seq >= q->before) {
		q->end = true;
		return ENOUGH;
	}
	if (q->scanned++ == SCAN_MAX || q->lines.len >= PAGE_BYTES)
		return ENOUGH;
	return look_at(page, seq, line);
}

static int query_prepare(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct query *q = a->work;
	struct page page = {q, a->m.log_query.limit};
	int rc = log_opener_open(&q->opener);

	if (!rc)
		rc = trail_read_from(d->keep->state_fd, &q->at, q->cursor, visit_record, &page);
	log_opener_close(&q->opener);
	if (rc != ENOUGH) { /* it has come to the log's end, or failed */
		q->end = true;
		q->cursor = q->at.size;
	}
	if (rc == ENOUGH)
		rc = 0;
	return rc ? rc : sys_frozen_file(view_buf(&q->lines), &q->fd);
}

static json_t *text_or_none(const char *text)
{
	return text && *text ? safe_text(view_text(text)) : NULL;
}

static json_t *filter_json(const struct query *q)
{
	const struct log_filter *f = &q->filter;

	return json_pack("{s:o*,s:o*,s:o*,s:o*,s:o*,s:o*,s:o*}", "since", text_or_none(f->since),
			 "until", text_or_none(f->until), "zone", text_or_none(f->zone), "user",
			 text_or_none(f->user), "event", text_or_none(f->event), "outcome",
			 text_or_none(f->outcome), "object", text_or_none(f->object));
}

/* zones: of how many the asker may read the log, where these are not all. Which they are, the
 * records of grants say. */
static json_t *detail_json(const struct ask *a, const struct query *q)
{
	return json_pack("{s:o,s:o*,s:I,s:I}", "filter", filter_json(q), "zones",
			 q->all ? NULL : json_integer((json_int_t)q->zones), "from",
			 safe_count(a->m.log_query.from), "count", safe_count(q->count));
}

static int log_query(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct query *q = a->work;
	const struct session *s = ask_session(a);
	const struct zone *zone = NULL;
	struct event e = EVENT(.name = "audit.query", .session = s);
	int rc = s && !s->over ? still_allowed(a, q) : fail(E_GONE, "the session has ended");

	if (rc)
		return rc;
	if (q->filter.zone &&
	    !accounts_zone_by_name(d->keep->accounts, view_text(q->filter.zone), &zone)) {
		e.zone = zone->row.id;
		e.zone_name = zone->row.name;
	}
	err_clear();
	event_detail(&e, detail_json(a, q));
	return audit_add(d->keep->audit, &e);
}

static void query_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct query *q = a->work;

	turns_leave(&d->keep->log_turns, d->keep->deeds, d);
	if (!d->rc) {
		const struct answer_log_query m = {
		    .size = q->lines.len, .end = q->end, .cursor = q->cursor, .before = q->before};
		answer_log_query_write(ask_out(a, 32), &m);
		a->fds[a->fd_count++] = TAKE_FD(q->fd);
	}
	ask_finish(d);
}

const struct deed_row answer_log_query = {.name = "log_query",
					  .begin = query_begin,
					  .prepare = query_prepare,
					  .decide = log_query,
					  .refused = ask_refused,
					  .finish = query_finish};
