/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about the running daemon: status, sessions, kick, reload. */
#include "daemon/keep/control.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/gate_link.h"
#include "daemon/keep/gates.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/room.h"
#include "daemon/keep/safe_json.h"

/* ---- status ---- */

static json_t *gates_json(struct keep *keep)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < gates_count(keep->gates); i++) {
		struct gate_info g;
		gates_info(keep->gates, i, &g);
		json_array_append_new(list, json_pack("{s:i,s:i,s:i,s:i}", "number", (int)g.place,
						      "pid", g.pid, "sessions", (int)g.sessions,
						      "restarts", (int)g.restarts));
	}
	return list;
}

static json_t *log_json(struct keep *keep)
{
	CLEANUP(buf_done) struct buf root = {0};
	struct trail_mark at;

	audit_position(keep->audit, &at);
	if (base64_encode(view_of(at.root.byte, sizeof at.root.byte), BASE64_PADDED, &root))
		err_clear();
	return json_pack("{s:s,s:I,s:s%,s:s}", "origin", audit_origin(keep->audit), "size",
			 (json_int_t)at.size, "root", (const char *)root.data, root.len, "key",
			 audit_key(keep->audit));
}

static int count_lost(void *arg, const char *name)
{
	(void)name;
	++*(uint64_t *)arg;
	return 0;
}

enum { LOST_UNSEEN = -1 };

/* On the pool: the operator may have taken some away. A folder that cannot be read is a problem to
 * be told, not a failure to tell of all the others. */
static int status_prepare(struct deed *d)
{
	uint64_t *lost = &command_of(d)->subject;

	if (blobs_each_lost(d->keep->blobs, count_lost, lost)) {
		log_failure("lost+found cannot be read");
		*lost = (uint64_t)LOST_UNSEEN;
	}
	return 0;
}

static void add_lost(json_t *list, uint64_t lost)
{
	if (lost == (uint64_t)LOST_UNSEEN)
		json_array_append_new(list, json_string("lost+found cannot be read"));
	else if (lost)
		json_array_append_new(
		    list, json_sprintf("%llu files in lost+found: the catalog did not know them",
				       (unsigned long long)lost));
}

static json_t *problems_json(struct keep *keep, uint64_t lost)
{
	json_t *list = json_array();

	add_lost(list, lost);
	if (!keep->boot->writer_check)
		json_array_append_new(
		    list, json_string("writer_check is off: publication trusts the gates"));
	if (!secret_locked())
		json_array_append_new(
		    list, json_string("keys are in memory that may be swapped out: raise "
				      "RLIMIT_MEMLOCK"));
	if (room_missing(keep->room))
		json_array_append_new(list, json_string("the disk is almost full: the ballast for "
							"catalog and log is missing"));
	for (unsigned i = 0; i < gates_count(keep->gates); i++) {
		struct gate_info g;
		gates_info(keep->gates, i, &g);
		if (!g.pid)
			json_array_append_new(list,
					      json_string("a gate is down and being restarted"));
	}
	return list;
}

static int count_one(void *arg)
{
	++*(json_int_t *)arg;
	return 0;
}

static int count_zone(void *arg, const struct zone_row *z)
{
	(void)z;
	return count_one(arg);
}

static int count_user(void *arg, const struct principal_row *p)
{
	(void)p;
	return count_one(arg);
}

static int count_uploads(struct catalog *c, json_int_t *ret_count)
{
	struct upload_row row = {0};
	int rc;

	while ((rc = catalog_upload_next(c, row.id, &row)) == 0)
		++*ret_count;
	return rc == E_GONE ? 0 : rc;
}

/* One line for all of them: what they are is told by another command. */
static int add_alerts(struct keep *keep, json_t *problems)
{
	struct alert_row row = {0};
	unsigned count = 0;
	int rc;

	while ((rc = catalog_alert_next(keep->catalog, row.id, &row)) == 0)
		count++;
	if (count)
		json_array_append_new(
		    problems, json_sprintf("%u alert%s for your word: see dropkeepctl alerts",
					   count, count > 1 ? "s wait" : " waits"));
	return rc == E_GONE ? 0 : rc;
}

struct row_counts {
	json_int_t zones, users, uploads;
};

/* Damage of the catalog is what an operator looks for here, so it is told, not a failure. */
static int count_rows(struct keep *keep, struct row_counts *ret_counts, json_t *problems)
{
	int rc = catalog_each_zone(keep->catalog, count_zone, &ret_counts->zones);

	if (!rc)
		rc = catalog_each_principal(keep->catalog, count_user, &ret_counts->users);
	if (!rc)
		rc = count_uploads(keep->catalog, &ret_counts->uploads);
	if (!rc)
		rc = add_alerts(keep, problems);
	if (rc != E_INTEGRITY)
		return rc;
	json_array_append_new(problems, safe_text(view_text(err_text())));
	err_clear();
	return 0;
}

static int status(struct deed *d)
{
	struct command *c = command_of(d);
	struct keep *keep = d->keep;
	struct row_counts n = {0};
	uint64_t disk_free = 0, disk_total = 0, room = 0;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	json_t *problems = problems_json(keep, c->subject);
	int rc = count_rows(keep, &n, problems);
	if (!rc)
		rc = puts_space(keep, &room, &disk_total);
	if (!rc)
		rc = blobs_space(keep->blobs, &disk_free, &disk_total);
	if (rc) {
		json_decref(problems);
		return rc;
	}
	json_decref(c->result);
	c->result =
	    json_pack("{s:b,s:s,s:i,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:o,s:b,s:b,s:I,s:I,s:o}",
		      "serving", gates_serving(keep->gates) && !keep->stopping, "version",
		      PACKAGE_VERSION, "pid", (int)getpid(), "since", json_time(keep->since_us),
		      "state", safe_text(view_text(keep->boot->state)), "gates", gates_json(keep),
		      "sessions", (json_int_t)keep->sessions.sessions.count, "zones", n.zones,
		      "users", n.users, "uploads", n.uploads, "log", log_json(keep), "writer_check",
		      keep->boot->writer_check, "memory_locked", secret_locked(), "disk_free",
		      (json_int_t)disk_free, "room", safe_count(room), "problems", problems);
	return c->result ? 0 : fail(E_NOMEM, "write the status");
}

/* ---- sessions ---- */

static unsigned count_open(const struct slots *s, uint64_t session, bool puts)
{
	size_t cursor = 0;
	unsigned n = 0;
	const void *thing;

	while ((thing = slots_next(s, &cursor)))
		n += session == (puts ? ((const struct put *)thing)->session
				      : ((const struct get *)thing)->session);
	return n;
}

static json_t *session_json(const struct sessions *all, const struct session *s)
{
	return json_pack("{s:I,s:o,s:s,s:i,s:s,s:s,s:i,s:o,s:i,s:i,s:I,s:I}", "id",
			 (json_int_t)s->number, "user",
			 s->authenticated ? json_string(s->user) : json_null(), "peer", s->peer,
			 "port", (int)s->port, "protocol", s->protocol, "client", s->client, "gate",
			 (int)s->gate->place, "since", json_time(s->opened_us), "puts",
			 (int)count_open(&all->uploads, s->number, true), "gets",
			 (int)count_open(&all->downloads, s->number, false), "bytes_in",
			 safe_count(s->bytes_in), "bytes_out", safe_count(s->bytes_out));
}

static int sessions(struct deed *d)
{
	struct command *c = command_of(d);
	size_t cursor = 0;
	const struct session *s;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	while ((s = slots_next(&d->keep->sessions.sessions, &cursor)))
		json_array_append_new(c->items, session_json(&d->keep->sessions, s));
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return 0;
}

static int kick(struct deed *d)
{
	struct command *c = command_of(d);
	json_int_t id;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:I}", "id", &id))
		return command_usage(&e);
	const struct session *s = slots_find(&d->keep->sessions.sessions, (uint64_t)id);
	if (!s)
		return fail(E_GONE, "there is no session %lld", (long long)id);
	json_decref(c->result);
	c->result = session_json(&d->keep->sessions, s);
	c->subject = s->number;
	return command_record(
	    c, "session.kick", NULL,
	    json_pack("{s:I,s:s}", "session", id, "user", s->authenticated ? s->user : ""));
}

static void kick_settle(struct deed *d)
{
	const struct session *s = slots_find(&d->keep->sessions.sessions, command_of(d)->subject);

	if (s)
		gate_order_end_session(s->gate, s->number, "ended by the operator");
}

void sessions_end_of(struct keep *keep, uint64_t principal, const char *reason)
{
	size_t cursor = 0;
	const struct session *s;

	while ((s = slots_next(&keep->sessions.sessions, &cursor)))
		if (s->authenticated && s->principal == principal)
			gate_order_end_session(s->gate, s->number, reason);
}

static void end_session(struct keep *keep, uint64_t number, const char *reason)
{
	const struct session *s = slots_find(&keep->sessions.sessions, number);

	if (s)
		gate_order_end_session(s->gate, s->number, reason);
}

void sessions_end_in_zone(struct keep *keep, uint64_t zone, const char *reason)
{
	size_t cursor = 0;
	const struct put *p;
	const struct get *g;

	while ((p = slots_next(&keep->sessions.uploads, &cursor)))
		if (p->zone == zone)
			end_session(keep, p->session, reason);
	cursor = 0;
	while ((g = slots_next(&keep->sessions.downloads, &cursor)))
		if (g->zone == zone)
			end_session(keep, g->session, reason);
}

/* ---- reload ---- */

static void visit_key(void *arg, const char *key, bool restart)
{
	struct command *c = arg;
	json_t *list = json_object_get(c->result, restart ? "restart" : "changed");

	json_array_append_new(list, json_string(key));
}

static void settings_drop(void *work)
{
	struct settings *s = work;

	settings_free(&s);
}

static int reload(struct deed *d)
{
	struct command *c = command_of(d);
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	json_object_set_new(c->result, "changed", json_array());
	json_object_set_new(c->result, "restart", json_array());
	struct settings *fresh = NULL;
	int rc = keep_reread(d->keep, visit_key, c, &fresh);
	if (rc)
		return rc;
	c->work = fresh;
	c->drop_work = settings_drop;
	return command_record(c, "configuration.reload", NULL, json_incref(c->result));
}

static void reload_settle(struct deed *d)
{
	struct settings *fresh = command_of(d)->work;

	command_of(d)->work = NULL;
	keep_use(d->keep, fresh);
}

#define ROW(fn, ...)                              \
	static const struct deed_row fn##_row = { \
	    .name = #fn, .decide = fn, .finish = command_finish, __VA_ARGS__}
ROW(status, .prepare = status_prepare);
ROW(sessions);
ROW(kick, .settle = kick_settle);
ROW(reload, .settle = reload_settle);

const struct command_entry commands_state[] = {
    {"status", &status_row},
    {"sessions", &sessions_row},
    {"kick", &kick_row},
    {"reload", &reload_row},
    {NULL, NULL},
};
