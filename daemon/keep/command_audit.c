/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about the log: verify and query. Both read on the thread pool, all that
 * was committed when they came, for which they wait, and are themselves recorded. */
#include "daemon/keep/control.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/check.h"
#include "daemon/keep/log_query.h"
#include "daemon/keep/safe_json.h"

/* ---- audit verify ---- */

struct verification {
	struct trail_mark at;
	struct buf problems, checkpoint;
};

static void verification_free(void *work)
{
	struct verification *v = work;

	buf_done(&v->problems);
	buf_done(&v->checkpoint);
	free(v);
}

static int verify_begin(struct deed *d)
{
	struct command *c = command_of(d);
	struct verification *v;
	json_error_t e;

	if (audit_wait(d->keep->audit, &c->subject, d))
		return DEED_PARKED;
	v = mem_new(sizeof *v);

	c->work = v;
	c->drop_work = verification_free;
	audit_position(d->keep->audit, &v->at);
	return json_unpack_ex(c->args, &e, JSON_STRICT, "{}") ? command_usage(&e) : 0;
}

static int verify_prepare(struct deed *d)
{
	struct verification *v = command_of(d)->work;
	const struct keep *keep = d->keep;
	int rc = trail_verify(keep->state_fd, audit_origin(keep->audit), audit_key(keep->audit),
			      &v->at, &v->problems);

	if (!rc && sys_read_file(keep->state_fd, "log/checkpoint", 65536, &v->checkpoint))
		err_clear(); /* trail_verify() has said so */
	return rc;
}

static json_t *lines_json(struct view text)
{
	json_t *list = json_array();

	while (text.len) {
		const uint8_t *newline = memchr(text.data, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.data) : text.len;
		json_array_append_new(list, safe_text(view_of(text.data, len)));
		len += newline != NULL;
		text = view_of(text.data + len, text.len - len);
	}
	return list;
}

static int verify(struct deed *d)
{
	struct command *c = command_of(d);
	const struct verification *v = c->work;
	CLEANUP(buf_done) struct buf root = {0};
	int rc =
	    base64_encode(view_of(v->at.root.byte, sizeof v->at.root.byte), BASE64_PADDED, &root);

	if (rc)
		return rc;
	json_decref(c->result);
	c->result =
	    json_pack("{s:s,s:I,s:s%,s:s,s:o,s:o}", "origin", audit_origin(d->keep->audit), "size",
		      (json_int_t)v->at.size, "root", (const char *)root.data, root.len, "key",
		      audit_key(d->keep->audit), "checkpoint", safe_text(view_buf(&v->checkpoint)),
		      "problems", lines_json(view_buf(&v->problems)));
	if (!c->result)
		return fail(E_NOMEM, "write the verification");
	return command_record(c, "audit.verify", NULL,
			      json_pack("{s:I,s:b}", "size", (json_int_t)v->at.size, "verified",
					v->problems.len == 0));
}

/* ---- audit query ---- */

struct query {
	struct trail_mark at;
	struct log_opener opener;
	struct log_filter filter; /* borrowed from the args */
	size_t limit;
	json_t *found;
};

static void query_free(void *work)
{
	struct query *q = work;

	log_opener_done(&q->opener);
	free(q);
}

static int query_args(struct command *c, struct query *q)
{
	json_int_t since = 0, until = 0, limit = 0;
	struct log_filter *f = &q->filter;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s?I,s?I,s?s,s?s,s?s,s?s,s?s,s?I}", "since",
			   &since, "until", &until, "zone", &f->zone, "user", &f->user, "event",
			   &f->event, "outcome", &f->outcome, "object", &f->object, "limit",
			   &limit))
		return command_usage(&e);
	if (limit < 0 || since < 0 || until < 0)
		return fail(E_USAGE, "times and limits cannot be negative");
	if (since)
		clock_text(since, f->since);
	if (until)
		clock_text(until, f->until);
	q->limit = (size_t)limit;
	return 0;
}

static int query_begin(struct deed *d)
{
	struct command *c = command_of(d);
	struct query *q;

	if (audit_wait(d->keep->audit, &c->subject, d))
		return DEED_PARKED;
	q = mem_new(sizeof *q);
	c->work = q;
	c->drop_work = query_free;
	q->found = c->items;
	audit_position(d->keep->audit, &q->at);
	int rc = query_args(c, q);
	if (!rc)
		rc = log_opener_make(d->keep, &q->opener);
	return rc;
}

static int visit_record(void *arg, uint64_t seq, struct view line)
{
	struct query *q = arg;
	json_error_t e;
	json_t *record = json_loadb((const char *)line.data, line.len, 0, &e);

	if (!record)
		return fail(E_INTEGRITY, "record %llu is not JSON", (unsigned long long)seq);
	if (log_filter_matches(&q->filter, record)) {
		json_array_append(q->found, record);
		if (q->limit && json_array_size(q->found) > q->limit)
			json_array_remove(q->found, 0);
	}
	json_decref(record);
	return 0;
}

static int query_prepare(struct deed *d)
{
	struct query *q = command_of(d)->work;
	size_t i;
	json_t *record;
	int rc = log_opener_open(&q->opener);

	if (!rc)
		rc = trail_read(d->keep->state_fd, &q->at, visit_record, q);
	if (rc)
		return rc;
	json_array_foreach(q->found, i, record) log_show(&q->opener, record);
	log_opener_close(&q->opener);
	return 0;
}

static int query(struct deed *d)
{
	struct command *c = command_of(d);
	json_int_t count = (json_int_t)json_array_size(c->items);

	json_object_set_new(c->result, "count", json_integer(count));
	return command_record(c, "audit.query", NULL,
			      json_pack("{s:O,s:I}", "filter", c->args, "count", count));
}

/* ---- check ---- */

static int check_begin(struct deed *d)
{
	struct command *c = command_of(d);
	struct check *k = NULL;
	int deep = 0;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:b}", "deep", &deep))
		return command_usage(&e);
	int rc = check_new(d->keep, deep != 0, c->items, &k);
	c->work = k;
	c->drop_work = check_free;
	return rc;
}

static int check_prepare(struct deed *d)
{
	return check_run(command_of(d)->work);
}

static int check_decide(struct deed *d)
{
	struct command *c = command_of(d);
	const struct check *k = c->work;

	json_decref(c->result);
	c->result = json_pack("{s:I,s:I,s:I}", "blobs", (json_int_t)check_blobs(k), "bytes",
			      (json_int_t)check_bytes(k), "problems",
			      (json_int_t)json_array_size(c->items));
	return command_record(c, "check", NULL, json_incref(c->result));
}

static const struct deed_row verify_row = {.name = "audit verify",
					   .begin = verify_begin,
					   .prepare = verify_prepare,
					   .decide = verify,
					   .finish = command_finish};
static const struct deed_row query_row = {.name = "audit query",
					  .begin = query_begin,
					  .prepare = query_prepare,
					  .decide = query,
					  .finish = command_finish};
static const struct deed_row check_row = {.name = "check",
					  .begin = check_begin,
					  .prepare = check_prepare,
					  .decide = check_decide,
					  .finish = command_finish};

const struct command_entry commands_audit[] = {{"audit verify", &verify_row},
					       {"audit query", &query_row},
					       {"check", &check_row},
					       {NULL, NULL}};
