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
#include "daemon/keep/keyring.h"
#include "daemon/keep/object_key.h"
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
	struct keyring ring;
	struct catalog *reader;
	struct keep *keep;
	char since[CLOCK_TEXT], until[CLOCK_TEXT];
	const char *zone, *user, *event, *outcome, *object; /* borrowed from the args */
	size_t limit;
	json_t *found;
};

static void query_free(void *work)
{
	struct query *q = work;

	keyring_done(&q->ring);
	catalog_close(&q->reader);
	free(q);
}

static int query_args(struct command *c, struct query *q)
{
	json_int_t since = 0, until = 0, limit = 0;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s?I,s?I,s?s,s?s,s?s,s?s,s?s,s?I}", "since",
			   &since, "until", &until, "zone", &q->zone, "user", &q->user, "event",
			   &q->event, "outcome", &q->outcome, "object", &q->object, "limit",
			   &limit))
		return command_usage(&e);
	if (limit < 0 || since < 0 || until < 0)
		return fail(E_USAGE, "times and limits cannot be negative");
	if (since)
		clock_text(since, q->since);
	if (until)
		clock_text(until, q->until);
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
	q->keep = d->keep;
	q->found = c->items;
	audit_position(d->keep->audit, &q->at);
	int rc = query_args(c, q);
	if (!rc)
		rc = keyring_make(d->keep->catalog, d->keep->accounts, &q->ring);
	return rc;
}

static bool member_is(const json_t *record, const char *name, const char *wanted)
{
	const char *found = json_string_value(json_object_get(record, name));

	return !wanted || (found && strcmp(found, wanted) == 0);
}

/* An event matches its own name and whole words in front: "upload" finds "upload.open". */
static bool event_is(const json_t *record, const char *wanted)
{
	const char *found = json_string_value(json_object_get(record, "event"));
	size_t n = wanted ? strlen(wanted) : 0;

	return !wanted ||
	       (found && strncmp(found, wanted, n) == 0 && (found[n] == '\0' || found[n] == '.'));
}

static bool matches(const struct query *q, const json_t *record)
{
	const char *time = json_string_value(json_object_get(record, "time"));

	if (!time || (*q->since && strcmp(time, q->since) < 0) ||
	    (*q->until && strcmp(time, q->until) >= 0))
		return false;
	return member_is(record, "zone", q->zone) && member_is(record, "actor", q->user) &&
	       event_is(record, q->event) && member_is(record, "outcome", q->outcome) &&
	       member_is(record, "object", q->object);
}

static int object_of(struct query *q, const json_t *record, const struct keyring_zone *zone,
		     uint8_t ret_object[ID_SIZE])
{
	const char *hex = json_string_value(json_object_get(record, "object"));
	struct node_row root;

	if (hex)
		return hex_decode(view_text(hex), ret_object, ID_SIZE);
	int rc = catalog_node_by_id(q->reader, zone->root, &root);
	if (!rc)
		memcpy(ret_object, root.object, ID_SIZE);
	return rc;
}

static int unseal(struct query *q, json_t *record)
{
	const char *name = json_string_value(json_object_get(record, "zone"));
	const struct keyring_zone *zone = name ? keyring_by_name(&q->ring, name) : NULL;
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	uint8_t object[ID_SIZE];

	if (!zone)
		return E_GONE;
	int rc = object_of(q, record, zone, object);
	if (!rc)
		rc = catalog_object_key(q->reader, object, &sealed);
	if (!rc)
		rc = object_key_open(q->keep->keys, zone->keys, object, view_buf(&sealed), &key);
	return rc ? rc : record_open(record, q->keep->keys, key);
}

/* Sealed members whose key is gone were erased; one that contradicts itself is shown as
 * damaged, for the query is how an auditor looks at it. */
static void show(struct query *q, json_t *record)
{
	static const char *const members[] = {"path", "to", "sha256"};
	bool sealed = false;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		sealed |= json_is_object(json_object_get(record, members[i]));
	int rc = sealed ? unseal(q, record) : 0;
	err_clear();
	if (!rc)
		return;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_is_object(json_object_get(record, members[i])))
			json_object_del(record, members[i]);
	json_object_set_new(record, rc == E_GONE ? "erased" : "damaged", json_true());
}

static int visit_record(void *arg, uint64_t seq, struct view line)
{
	struct query *q = arg;
	json_error_t e;
	json_t *record = json_loadb((const char *)line.data, line.len, 0, &e);

	if (!record)
		return fail(E_INTEGRITY, "record %llu is not JSON", (unsigned long long)seq);
	if (matches(q, record)) {
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
	int rc = catalog_open_reader(d->keep->boot->state, keys_catalog(d->keep->keys), &q->reader);

	if (!rc)
		rc = trail_read(d->keep->state_fd, &q->at, visit_record, q);
	if (rc)
		return rc;
	json_array_foreach(q->found, i, record) show(q, record);
	catalog_close(&q->reader);
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
