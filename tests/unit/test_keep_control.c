/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket and its commands, as doc/PROTOCOL.control.md says. */
#include "daemon/keep/control.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/text.h"
#include "daemon/keep/gates.h"
#include "daemon/keep/host_key.h"
#include "keep_asks.h"
#include "keep_operator.h"

static int setup(void **state)
{
	struct scene *s;
	int rc = scene_setup(state);

	s = *state;
	assert_good(control_new(s->live.keep, &s->live.keep->control));
	assert_good(gates_new(s->live.keep, &s->live.keep->gates)); /* none is started */
	return rc;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	control_stop(s->live.keep->control);
	live_settle(&s->live);
	control_free(s->live.keep->control);
	gates_free(s->live.keep->gates);
	return scene_teardown(state);
}

/* ---- the line ---- */

static void line_that_is_no_request_is_refused(void **state)
{
	struct scene *s = *state;
	static const char *const bad[] = {
	    "\n",
	    "x\n",
	    "{}\n",
	    "[]\n",
	    "null\n",
	    "{\"v\":1}\n",
	    "{\"v\":1,\"command\":\"status\"}\n",
	    "{\"v\":1,\"command\":\"status\",\"args\":[]}\n",
	    "{\"v\":\"1\",\"command\":\"status\",\"args\":{}}\n",
	    "{\"v\":1,\"command\":7,\"args\":{}}\n",
	    "{\"v\":1,\"v\":1,\"command\":\"status\",\"args\":{}}\n",
	    "{\"v\":1,\"command\":\"status\",\"args\":{}} x\n",
	    "{\"v\":1,\"command\":\"status\",\"args\":{}\n",
	    "{\"v\":1,\"command\":\"stat\\u0000us\",\"args\":{}}\n",
	    "{\"v\":1,\"command\":\"\xff\",\"args\":{}}\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		PEER p = said(&s->live, bad[i]);
		assert_int_equal(code_of(&p), E_USAGE);
	}
	refused(&s->live, "stat", "{}", E_UNSUPPORTED);
	PEER p = said(&s->live, "{\"v\":2,\"command\":\"status\",\"args\":{}}\n");
	assert_int_equal(code_of(&p), E_UNSUPPORTED);
}

static void line_may_come_in_any_pieces(void **state)
{
	struct scene *s = *state;
	static const char line[] = "{\"v\":1,\"command\":\"zone list\",\"args\":{}}\n";
	size_t len = strlen(line);

	for (size_t at = 0; at <= len; at++) {
		PEER p = connected(&s->live);
		say(&p, view_of(line, at));
		for (int i = 0; i < 3; i++)
			(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
		say(&p, view_of(line + at, len - at));
		hear(&p);
		assert_int_equal(json_array_size(p.items), 1);
	}
	PEER slow = connected(&s->live);
	for (size_t at = 0; at < len; at++) {
		say(&slow, view_of(line + at, 1));
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	}
	hear(&slow);
	assert_true(json_is_true(json_object_get(slow.last, "ok")));
}

static void line_has_a_greatest_length(void **state)
{
	struct scene *s = *state;
	static const char line[] = "{\"v\":1,\"command\":\"zone list\",\"args\":{}}";
	CLEANUP(mem_free) char *large = mem_new(200000);

	for (size_t len = 65530; len < 65545; len++) {
		PEER p = connected(&s->live);
		memset(large, ' ', len);
		memcpy(large, line, strlen(line));
		large[len - 1] = '\n';
		say(&p, view_of(large, len));
		hear(&p);
		if (len <= 65536)
			assert_true(json_is_true(json_object_get(p.last, "ok")));
		else
			assert_int_equal(code_of(&p), E_LIMIT);
	}
	PEER endless = connected(&s->live);
	memset(large, ' ', 200000);
	say(&endless, view_of(large, 200000));
	live_until(&s->live, peer_has_ended, &endless);
}

static void peer_that_leaves_early_changes_nothing(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 5; i++) {
		PEER p = connected(&s->live);
		say(&p, view_text("{\"v\":1,\"command\":\"zone add\",\"args\":{\"name\":\"half\""));
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	}
	PEER gone = connected(&s->live);
	say(&gone, view_text("{\"v\":1,\"command\":\"audit verify\",\"args\":{}}\n"));
	for (int i = 0; i < 3; i++)
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	sys_close(&gone.fd);
	live_settle(&s->live);
	refused(&s->live, "zone show", "{\"name\":\"half\"}", E_GONE);
}

static const struct {
	const char *command, *args;
} bad_calls[] = {
    {"zone add", "{\"name\":\"z\",\"quota\":0,\"retention\":0}"},
    {"zone add", "{\"name\":\"z\",\"quota\":\"0\",\"retention\":0,\"recovery\":true}"},
    {"zone add", "{\"name\":\"z\",\"quota\":-1,\"retention\":0,\"recovery\":true}"},
    {"zone add", "{\"name\":\"z\",\"quota\":0,\"retention\":0,\"recovery\":1}"},
    {"zone add", "{\"name\":\"z\",\"quota\":0,\"retention\":0,\"recovery\":true,\"x\":1}"},
    {"zone list", "{\"x\":1}"},
    {"zone show", "{}"},
    {"zone show", "{\"name\":null}"},
    {"zone set", "{\"name\":\"acme\"}"},
    {"zone remove", "{\"name\":\"acme\",\"force\":true}"},
    {"user add", "{\"name\":\"u\",\"role\":\"client\"}"},
    {"user add", "{\"name\":\"u\",\"role\":\"king\",\"zones\":[\"acme\"]}"},
    {"user add", "{\"name\":\"u\",\"role\":\"client\",\"zones\":[]}"},
    {"user add", "{\"name\":\"u\",\"role\":\"client\",\"zones\":[1]}"},
    {"user add", "{\"name\":\"u\",\"role\":\"client\",\"zones\":\"acme\"}"},
    {"user show", "{}"},
    {"user disable", "{\"name\":1}"},
    {"user enable", "{}"},
    {"user remove", "{}"},
    {"user list", "{\"role\":\"client\"}"},
    {"key add", "{\"user\":\"anna\"}"},
    {"key add", "{\"user\":\"anna\",\"keys\":[]}"},
    {"key add", "{\"user\":\"anna\",\"keys\":[1]}"},
    {"key add", "{\"user\":\"anna\",\"keys\":[\"x\"],\"expires\":-1}"},
    {"key add", "{\"user\":\"anna\",\"keys\":[\"x\"],\"from\":[]}"},
    {"cert add", "{\"user\":\"anna\",\"certificate\":\"x\",\"from\":{}}"},
    {"token add", "{\"user\":\"anna\",\"expires\":-1}"},
    {"user enroll", "{\"name\":\"anna\",\"expires\":0}"},
    {"user enroll", "{\"name\":\"anna\",\"from\":[null]}"},
    {"credential list", "{\"user\":1}"},
    {"credential remove", "{\"id\":\"1\"}"},
    {"grant", "{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"\"}"},
    {"revoke", "{\"user\":\"anna\",\"zone\":\"acme\"}"},
    {"status", "{\"x\":1}"},
    {"sessions", "{\"x\":1}"},
    {"kick", "{}"},
    {"reload", "{\"x\":1}"},
    {"alerts", "{\"x\":1}"},
    {"alerts ack", "{\"id\":\"1\"}"},
    {"alerts ack", "{\"id\":1,\"x\":1}"},
    {"audit verify", "{\"x\":1}"},
    {"audit query", "{\"limit\":-1}"},
    {"audit query", "{\"since\":\"yesterday\"}"},
    {"audit query", "{\"x\":1}"},
    {"check", "{}"},
};

static void arguments_are_strict(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(bad_calls); i++)
		refused(&s->live, bad_calls[i].command, bad_calls[i].args, E_USAGE);
	refused(&s->live, "zone show", "{\"name\":\"none\"}", E_GONE);
	refused(&s->live, "user show", "{\"name\":\"none\"}", E_GONE);
	refused(&s->live, "kick", "{\"id\":99}", E_GONE);
	refused(&s->live, "kick", "{\"id\":-1}", E_GONE);
	refused(&s->live, "credential remove", "{\"id\":99}", E_GONE);
	refused(&s->live, "zone add",
		"{\"name\":\"A\",\"quota\":0,\"retention\":0,\"recovery\":true}", E_INVALID);
	assert_int_equal(count_records(&s->live, "zone.add"), 0);
}

/* The sentence has the name in it, cut within a character: it comes all the same. */
static void names_that_cannot_be_are_answered_whatever_they_hold(void **state)
{
	struct scene *s = *state;

	for (size_t len = 100; len < 110; len++) {
		CLEANUP(buf_done) struct buf args = {0};
		const char *line;
		assert_good(buf_add_text(&args, "{\"name\":\""));
		for (size_t i = 0; i < len; i++)
			assert_good(buf_add_text(&args, "\xe2\x82\xac"));
		assert_good(buf_add_text(&args, len % 2 ? "x\"}" : "\"}"));
		assert_good(buf_text(&args, &line));
		refused(&s->live, "zone show", line, E_GONE);
		refused(&s->live, "user show", line, E_GONE);
	}
	refused(&s->live, "zone list", "{\"\xe2\x82\xac\":1}", E_USAGE);
}

/* ---- what commands do ---- */

static void zones_are_added_set_shown_and_removed(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;

	ok(l, "zone add", "{\"name\":\"beta\",\"quota\":5000,\"retention\":60,\"recovery\":false}");
	refused(l, "zone add", "{\"name\":\"beta\",\"quota\":0,\"retention\":0,\"recovery\":true}",
		E_EXISTS);
	ok(l, "zone set", "{\"name\":\"beta\",\"quota\":6000}");
	PEER p = {.fd = -1};
	const json_t *z = result(l, &p, "zone show", "{\"name\":\"beta\"}");
	assert_int_equal(number(z, "quota"), 6000);
	assert_int_equal(number(z, "retention"), 60);
	assert_true(json_is_false(json_object_get(z, "recovery")));
	PEER list = {.fd = -1};
	assert_int_equal(number(result(l, &list, "zone list", "{}"), "count"), 2);
	assert_string_equal(text(json_array_get(list.items, 1), "name"), "beta");
	ok(l, "zone remove", "{\"name\":\"beta\"}");
	refused(l, "zone show", "{\"name\":\"beta\"}", E_GONE);
	expect_record(l, "zone.remove", "zone", "\"beta\"");
	assert_int_equal(count_records(l, "zone.add"), 1);
}

static void users_and_their_keys_come_and_go(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf public = {0};

	ok(l, "user add", "{\"name\":\"eve\",\"role\":\"staff\",\"zones\":[\"*\"]}");
	refused(l, "user add", "{\"name\":\"eve\",\"role\":\"staff\",\"zones\":[\"*\"]}", E_EXISTS);
	refused(l, "user add", "{\"name\":\"eva\",\"role\":\"staff\",\"zones\":[\"none\"]}",
		E_GONE);
	refused(l, "user show", "{\"name\":\"eva\"}", E_GONE); /* not by halves */
	assert_good(host_key_make("caf\xc3\xa9", &private, &public));
	CLEANUP(mem_free)
	char *keys = mem_printf("{\"user\":\"eve\",\"keys\":[\"%.*s\"],\"expires\":3600}",
				(int)public.len - 1, (const char *)public.data);
	PEER add = {.fd = -1};
	assert_int_equal(number(result(l, &add, "key add", keys), "count"), 1);
	assert_string_equal(text(json_array_get(add.items, 0), "comment"), "caf\xc3\xa9");
	refused(l, "key add", keys, E_EXISTS);
	refused(l, "key add", "{\"user\":\"eve\",\"keys\":[\"ssh-ed25519 AAAA\"]}", E_INVALID);

	PEER show = {.fd = -1};
	const json_t *u = result(l, &show, "user show", "{\"name\":\"eve\"}");
	assert_string_equal(text(u, "role"), "staff");
	const json_t *key = json_array_get(json_object_get(u, "credentials"), 0);
	assert_true(json_is_string(json_object_get(key, "expires")));
	CLEANUP(mem_free)
	char *id = mem_printf("{\"id\":%lld}", (long long)number(key, "id"));
	ok(l, "credential remove", id);
	refused(l, "credential remove", id, E_GONE);
	PEER list = {.fd = -1};
	assert_int_equal(number(result(l, &list, "credential list", "{\"user\":\"eve\"}"), "count"),
			 0);
	ok(l, "user disable", "{\"name\":\"eve\"}");
	ok(l, "user enable", "{\"name\":\"eve\"}");
	ok(l, "user remove", "{\"name\":\"eve\"}");
	refused(l, "user show", "{\"name\":\"eve\"}", E_GONE);
	PEER all = {.fd = -1};
	assert_int_equal(number(result(l, &all, "user list", "{}"), "count"), 3);
	expect_record(l, "user.add", "actor", geteuid() ? "" : "\"operator:0\"");
}

static void networks_are_read_strictly_shown_and_recorded(void **state)
{
	static const struct {
		const char *from, *sentence;
		int code;
	} bad[] = {{"[]", "no network", E_USAGE},
		   {"\"192.0.2.0/24\"", "no network", E_USAGE},
		   {"[1]", "named by text", E_USAGE},
		   {"[\"\"]", "no network in numbers", E_INVALID},
		   {"[\"192.0.2.0/24\",\"192.0.2.7/24\"]", "write 192.0.2.0/24", E_INVALID},
		   {"[\"192.0.2.0/24\\u0000\"]", "", E_USAGE}};
	struct scene *s = *state;
	struct live *l = &s->live;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(mem_free)
		char *line = mem_printf("{\"v\":1,\"command\":\"token add\",\"args\":"
					"{\"user\":\"anna\",\"from\":%s}}\n",
					bad[i].from);
		PEER p = said(l, line);
		assert_int_equal(code_of(&p), bad[i].code);
		assert_non_null(strstr(text(p.last, "error"), bad[i].sentence));
	}
	assert_int_equal(count_records(l, "credential.add"), 0);
	PEER p = {.fd = -1};
	const json_t *r = result(
	    l, &p, "token add",
	    "{\"user\":\"anna\",\"from\":[\"2001:DB8::/32\",\"192.0.2.0/24\",\"2001:db8::/32\"]}");
	assert_int_equal(strlen(text(r, "token")), 47);
	CLEANUP(mem_free)
	char *from = json_dumps(json_object_get(json_array_get(p.items, 0), "from"), JSON_COMPACT);
	assert_string_equal(from, "[\"2001:db8::/32\",\"192.0.2.0/24\"]");
	json_t *all = live_records(l), *last = NULL;
	assert_int_equal(records_of(all, "credential.add", &last), 1);
	const json_t *recorded = json_object_get(json_object_get(last, "detail"), "from");
	assert_true(json_equal(recorded, json_object_get(json_array_get(p.items, 0), "from")));
	json_decref(all);
	PEER list = {.fd = -1}, show = {.fd = -1}, enroll = {.fd = -1};
	(void)result(l, &list, "credential list", "{\"user\":\"anna\"}");
	assert_int_equal(json_array_size(json_object_get(json_array_get(list.items, 0), "from")),
			 0);
	assert_int_equal(json_array_size(json_object_get(json_array_get(list.items, 1), "from")),
			 2);
	const json_t *user = result(l, &show, "user show", "{\"name\":\"anna\"}");
	const json_t *token = json_array_get(json_object_get(user, "credentials"), 1);
	assert_int_equal(json_array_size(json_object_get(token, "from")), 2);
	enroll = said(l, "{\"v\":1,\"command\":\"user enroll\",\"args\":"
			 "{\"name\":\"anna\",\"from\":[\"10.0.0.1/8\"]}}\n");
	assert_int_equal(code_of(&enroll), E_INVALID);
}

static void grants_are_given_and_taken(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	PEER p = {.fd = -1};
	PEER q = {.fd = -1};
	PEER r = {.fd = -1};

	const json_t *g = result(
	    l, &p, "grant",
	    "{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"/caf\xc3\xa9/\",\"rights\":\"lr\"}");
	assert_string_equal(text(g, "prefix"), "caf\xc3\xa9");
	assert_string_equal(text(g, "rights"), "lr");
	expect_record(l, "grant", "path", "\"/acme/caf\xc3\xa9\"");
	g = result(
	    l, &q, "revoke",
	    "{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"caf\xc3\xa9\",\"rights\":\"r\"}");
	assert_string_equal(text(g, "rights"), "l");
	g = result(l, &r, "revoke",
		   "{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"caf\xc3\xa9\"}");
	assert_string_equal(text(g, "rights"), "");
	refused(l, "revoke", "{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"none\"}", E_GONE);
	refused(l, "grant",
		"{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"../x\",\"rights\":\"l\"}",
		E_INVALID);
	refused(l, "grant",
		"{\"user\":\"anna\",\"zone\":\"acme\",\"prefix\":\"\",\"rights\":\"q\"}",
		E_INVALID);
	ok(l, "grant", "{\"user\":\"anna\",\"zone\":\"*\",\"prefix\":\"\",\"rights\":\"l\"}");
}

/* ---- sessions ---- */

static void expect_order(struct scene *s, uint64_t session, const char *reason)
{
	HEARD *h = gate_hear_order(s->gate, ORDER_END_SESSION);
	struct order_end_session m;

	assert_int_equal(h->f.subject, session);
	assert_good(order_end_session_read(h->f.body, &m));
	assert_true(view_is(m.reason, reason));
}

static void sessions_are_listed_and_kicked(void **state)
{
	struct scene *s = *state;
	PEER p = {.fd = -1};

	assert_int_equal(number(result(&s->live, &p, "sessions", "{}"), "count"), 1);
	const json_t *one = json_array_get(p.items, 0);
	assert_string_equal(text(one, "user"), "anna");
	assert_int_equal(number(one, "id"), s->session);
	CLEANUP(mem_free) char *id = mem_printf("{\"id\":%lld}", (long long)s->session);
	ok(&s->live, "kick", id);
	expect_order(s, s->session, "ended by the operator");
	expect_record(&s->live, "session.kick", "detail",
		      "{\"session\":16777216,\"user\":\"anna\"}");
}

static void closing_an_account_ends_its_sessions(void **state)
{
	struct scene *s = *state;
	uint64_t sam = gate_log_in(s->gate, &s->sam);

	ok(&s->live, "user disable", "{\"name\":\"anna\"}");
	expect_order(s, s->session, "this account was closed by the operator");
	ok(&s->live, "user remove", "{\"name\":\"sam\"}");
	expect_order(s, sam, "this account was closed by the operator");
}

static void removing_a_zone_takes_its_uploads_away(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, "/acme/incoming/x", PUT_CREATE);

	put_seal(&u, model, 0, 1);
	ok(&s->live, "zone remove", "{\"name\":\"acme\"}");
	expect_order(s, s->session, "a zone was removed");
	put_seal_all(&u, model, CHUNK + 1, 1);
	HEARD *h = put_finish(&u, model, CHUNK + 1);
	assert_answer(h, E_GONE, "");
	expect_nothing(s->gate, s->session, "/acme/incoming/x");
}

/* ---- looking ---- */

static void status_says_what_is(void **state)
{
	struct scene *s = *state;
	PEER p = {.fd = -1};

	live_settle(&s->live);
	const json_t *r = result(&s->live, &p, "status", "{}");

	assert_true(json_is_false(json_object_get(r, "serving")));
	assert_int_equal(number(r, "zones"), 1);
	assert_int_equal(number(r, "users"), 3);
	assert_int_equal(number(r, "sessions"), 1);
	assert_int_equal(number(r, "pid"), getpid());
	assert_true(number(json_object_get(r, "log"), "size") > 0);
	assert_true(json_is_array(json_object_get(r, "problems")));
}

static void query_filters_and_opens_what_is_sealed(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	static const struct {
		const char *filter;
		size_t count;
	} rows[] = {{"{\"event\":\"upload\"}", 2},
		    {"{\"event\":\"upload.open\"}", 1},
		    {"{\"event\":\"uplo\"}", 0},
		    {"{\"zone\":\"acme\"}", 2},
		    {"{\"zone\":\"none\"}", 0},
		    {"{\"user\":\"anna\",\"event\":\"session\"}", 1},
		    {"{\"outcome\":\"refused\"}", 0},
		    {"{\"until\":1}", 0},
		    {"{\"event\":\"upload\",\"since\":1}", 2},
		    {"{\"event\":\"upload\",\"limit\":1}", 1}};

	put_whole(s->gate, s->session, "/acme/incoming/caf\xc3\xa9", model, 10);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		PEER p = {.fd = -1};
		const json_t *r = result(l, &p, "audit query", rows[i].filter);
		assert_int_equal(number(r, "count"), rows[i].count);
		assert_int_equal(json_array_size(p.items), rows[i].count);
	}
	PEER p = {.fd = -1};
	(void)result(l, &p, "audit query", "{\"event\":\"upload.complete\"}");
	const json_t *r = json_array_get(p.items, 0);
	assert_string_equal(text(r, "path"), "/acme/incoming/caf\xc3\xa9");
	assert_int_equal(strlen(text(r, "sha256")), 64);
	expect_record(l, "audit.query", "detail",
		      "{\"filter\":{\"event\":\"upload.complete\"},\"count\":1}");

	/* The zone's keys are gone, and with them what the records hold of its files. */
	ok(l, "zone remove", "{\"name\":\"acme\"}");
	PEER erased = {.fd = -1};
	(void)result(l, &erased, "audit query", "{\"event\":\"upload.complete\"}");
	r = json_array_get(erased.items, 0);
	assert_true(json_is_true(json_object_get(r, "erased")));
	assert_null(json_object_get(r, "path"));
	assert_null(json_object_get(r, "sha256"));
}

/* A command whose record would be too long is not carried out; the log stays readable. */
static void filter_that_no_record_holds_is_refused(void **state)
{
	struct scene *s = *state;
	CLEANUP(buf_done) struct buf args = {0};
	const char *line;

	assert_good(buf_add_text(&args, "{\"user\":\""));
	for (size_t i = 0; i < 30000; i++)
		assert_good(buf_add_text(&args, "\xc3\xa9"));
	assert_good(buf_add_text(&args, "\"}"));
	assert_good(buf_text(&args, &line));
	refused(&s->live, "audit query", line, E_LIMIT);
	ok(&s->live, "audit query", "{\"user\":\"anna\"}");
}

static void verify_shows_every_altered_byte_of_the_checkpoint(void **state)
{
	struct scene *s = *state;
	CLEANUP(buf_done) struct buf good = {0};
	struct live *l = &s->live;
	struct kit state_dir = {.fd = live_state(l)};

	live_settle(l);
	PEER p = {.fd = -1};
	const json_t *r = result(l, &p, "audit verify", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "problems")), 0);
	assert_non_null(strstr(text(r, "checkpoint"), text(r, "origin")));
	assert_ptr_equal(strstr(text(r, "key"), text(r, "origin")), text(r, "key"));
	live_settle(l);
	assert_good(sys_read_file(state_dir.fd, "log/checkpoint", 65536, &good));
	for (size_t i = 0; i < good.len; i += 11) {
		uint8_t byte = good.data[i];
		live_settle(l); /* the record of the last look wrote it anew */
		good.data[i] = 0xff;
		assert_good(
		    sys_replace_file(state_dir.fd, "log/checkpoint", 0600, view_buf(&good)));
		PEER q = {.fd = -1};
		r = result(l, &q, "audit verify", "{}");
		assert_int_equal(json_array_size(json_object_get(r, "problems")), 1);
		good.data[i] = byte;
	}
	expect_record(l, "audit.verify", "event", "\"audit.verify\"");
}

static void check_finds_what_is_damaged_foreign_or_unknown(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	struct version_row v;
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0, stray[ID_SIZE] = {7, 7, 7};

	put_whole(s->gate, s->session, "/acme/incoming/a", model, 3 * CHUNK);
	PEER good = {.fd = -1};
	const json_t *r = result(l, &good, "check", "{\"deep\":true}");
	assert_int_equal(number(r, "problems"), 0);
	assert_int_equal(number(r, "blobs"), 1);
	assert_int_equal(number(r, "bytes"), 3 * CHUNK);

	assert_good(catalog_version_next(l->keep->catalog, 0, &v));
	assert_good(blobs_write(l->keep->blobs, v.blob, &fd));
	assert_good(sys_pread_all(fd, &byte, 1, 100000));
	byte ^= 1;
	assert_good(sys_pwrite_all(fd, &byte, 1, 100000));
	PEER shallow = {.fd = -1};
	assert_int_equal(number(result(l, &shallow, "check", "{\"deep\":false}"), "problems"), 0);
	PEER deep = {.fd = -1};
	assert_int_equal(number(result(l, &deep, "check", "{\"deep\":true}"), "problems"), 1);
	assert_string_equal(text(json_array_get(deep.items, 0), "what"), "blob");
	byte ^= 1;
	assert_good(sys_pwrite_all(fd, &byte, 1, 100000));
	sys_close(&fd);

	assert_good(blobs_make(l->keep->blobs, stray, view_text("x"), &fd));
	assert_good(sys_replace_file(live_state(l), "blobs/00/foreign", 0600, view_text("x")));
	PEER foreign = {.fd = -1};
	assert_int_equal(number(result(l, &foreign, "check", "{\"deep\":false}"), "problems"), 1);
	assert_good(sys_unlink(live_state(l), "blobs/00/foreign"));
	PEER unknown = {.fd = -1};
	assert_int_equal(number(result(l, &unknown, "check", "{\"deep\":false}"), "problems"), 1);
	assert_string_equal(text(json_array_get(unknown.items, 0), "id"),
			    "07070700000000000000000000000000");
	assert_good(blobs_remove(l->keep->blobs, stray));
}

static bool status_tells_of(struct live *l, const char *problem)
{
	PEER status = {.fd = -1};
	const json_t *told = json_object_get(result(l, &status, "status", "{}"), "problems");
	bool found = false;

	for (size_t i = 0; i < json_array_size(told); i++)
		found |= strstr(json_string_value(json_array_get(told, i)), problem) != NULL;
	return found;
}

static void status_tells_of_a_folder_that_cannot_be_read(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;

	assert_false(status_tells_of(l, "lost+found"));
	assert_good(sys_rename(live_state(l), "lost+found", "taken"));
	assert_true(status_tells_of(l, "lost+found cannot be read"));
	assert_good(sys_rename(live_state(l), "taken", "lost+found"));
	assert_false(status_tells_of(l, "lost+found"));
}

static void status_and_check_tell_of_what_is_in_lost_and_found(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	CLEANUP(sys_close) int fd = -1;
	uint8_t stray[ID_SIZE] = {7, 7, 7};

	assert_good(blobs_make(l->keep->blobs, stray, view_text("x"), &fd));
	recover_blobs(l->keep);
	live_settle(l);
	assert_true(status_tells_of(l, "1 files in lost+found"));
	PEER check = {.fd = -1};
	assert_int_equal(number(result(l, &check, "check", "{\"deep\":false}"), "problems"), 1);
	assert_string_equal(text(json_array_get(check.items, 0), "what"), "lost+found");
	assert_string_equal(text(json_array_get(check.items, 0), "id"),
			    "07070700000000000000000000000000");
	assert_good(sys_unlink(live_state(l), "lost+found/07070700000000000000000000000000"));
	PEER good = {.fd = -1};
	assert_int_equal(number(result(l, &good, "check", "{\"deep\":false}"), "problems"), 0);
}

static void check_misses_only_what_an_upload_needs(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;

	/* The row of an upload is older than its blob. */
	struct upload_row row;
	struct upload early = put_opened(s->gate, s->session, "/acme/incoming/c", PUT_CREATE);
	upload_done(&early);
	assert_good(catalog_upload_next(l->keep->catalog, 0, &row));
	assert_good(blobs_remove(l->keep->blobs, row.blob));
	PEER begun = {.fd = -1};
	assert_int_equal(number(result(l, &begun, "check", "{\"deep\":true}"), "problems"), 0);
	HEARD *drop = ASK(s->gate, put_drop, PUT_DROP, early.m.put);
	assert_answer(drop, 0, "");

	struct upload u = put_opened(s->gate, s->session, "/acme/incoming/b", PUT_CREATE);
	put_seal(&u, model, 0, 1);
	HEARD *h = put_suspend_clean(&u, model, 1, 1);
	assert_answer(h, 0, "");
	assert_good(catalog_upload_next(l->keep->catalog, 0, &row));
	assert_good(blobs_remove(l->keep->blobs, row.blob));
	PEER missing = {.fd = -1};
	assert_int_equal(number(result(l, &missing, "check", "{\"deep\":false}"), "problems"), 1);
	assert_string_equal(text(json_array_get(missing.items, 0), "what"), "upload");
	HEARD *gone =
	    ASK(s->gate, remove, REMOVE, s->session, .path = view_text("/acme/incoming/b"));
	assert_answer(gone, 0, "");
}

static void blob_path(const uint8_t blob[ID_SIZE], char ret_path[64])
{
	memcpy(ret_path, "blobs/", 6);
	hex_encode(blob, 1, ret_path + 6);
	ret_path[8] = '/';
	hex_encode(blob, ID_SIZE, ret_path + 9);
}

/* Both are whole and of the same size. */
static void check_finds_swapped_blobs(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	struct version_row a, b;
	char one[64], other[64];

	put_whole(s->gate, s->session, "/acme/incoming/a", model, 100000);
	put_whole(s->gate, s->session, "/acme/incoming/b", model + 1, 100000);
	assert_good(catalog_version_next(l->keep->catalog, 0, &a));
	assert_good(catalog_version_next(l->keep->catalog, a.id, &b));
	blob_path(a.blob, one);
	blob_path(b.blob, other);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(
		    renameat2(live_state(l), one, live_state(l), other, RENAME_EXCHANGE), 0);
		PEER p = {.fd = -1};
		assert_int_equal(number(result(l, &p, "check", "{\"deep\":false}"), "problems"),
				 round ? 0 : 2);
	}
}

/* ---- reload ---- */

static void configure(struct live *l, const char *from, const char *to)
{
	CLEANUP(buf_done) struct buf conf = {0};
	const char *old;

	assert_good(sys_read_file(AT_FDCWD, l->conf, 65536, &conf));
	assert_good(buf_text(&conf, &old));
	const char *at = strstr(old, from);
	assert_non_null(at);
	CLEANUP(mem_free)
	char *fresh = mem_printf("%.*s%s%s", (int)(at - old), old, to, at + strlen(from));
	assert_good(sys_replace_file(AT_FDCWD, l->conf, 0600, view_text(fresh)));
}

static void reload_takes_new_values_or_leaves_the_old(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;

	configure(l, "gates = 1", "gates = 2");
	configure(l, "disk_reserve = 1M", "disk_reserve = 2M\nidle = 77s");
	PEER p = {.fd = -1};
	const json_t *r = result(l, &p, "reload", "{}");
	assert_int_equal(json_array_size(json_object_get(r, "changed")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(r, "restart"), 0)),
			    "daemon.gates");
	assert_int_equal(l->keep->settings->idle_ms, 77000);
	assert_int_equal(l->keep->boot->gates, 1);
	assert_int_equal(count_records(l, "configuration.reload"), 1);
	configure(l, "idle = 77s", "idle = never");
	refused(l, "reload", "{}", E_CONFIG);
	assert_int_equal(l->keep->settings->idle_ms, 77000);
	assert_int_equal(count_records(l, "configuration.reload"), 1);
	configure(l, "idle = never", "idle = 78s");
	ok(l, "reload", "{}");
	assert_int_equal(l->keep->settings->idle_ms, 78000);
}

/* ---- many, and the end ---- */

static void commands_at_once_are_all_answered(void **state)
{
	struct scene *s = *state;
	struct peer p[20];
	unsigned added = 0;

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		CLEANUP(mem_free)
		char *line =
		    mem_printf("{\"v\":1,\"command\":\"zone add\",\"args\":{\"name\":\"z%zu\","
			       "\"quota\":0,\"retention\":0,\"recovery\":true}}\n",
			       i / 2);
		p[i] = connected(&s->live);
		say(&p[i], view_text(line));
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		hear(&p[i]);
		bool good = json_is_true(json_object_get(p[i].last, "ok"));
		if (!good)
			assert_int_equal(code_of(&p[i]), E_EXISTS);
		added += good;
		peer_done(&p[i]);
	}
	assert_int_equal(added, 10);
	assert_int_equal(count_records(&s->live, "zone.add"), 10);
}

static void peers_have_a_greatest_number(void **state)
{
	struct scene *s = *state;
	struct peer p[40];

	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		p[i] = connected(&s->live);
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	}
	for (size_t i = 0; i < ARRAY_LEN(p); i++) {
		if (i >= 32)
			live_until(&s->live, peer_has_ended, &p[i]);
		else
			assert_false(peer_has_ended(&p[i]));
		peer_done(&p[i]);
	}
	live_settle(&s->live);
	ok(&s->live, "status", "{}");
}

/* Who is connected and says nothing does not keep the keep from stopping; what is under way is
 * answered first. */
static void stop_ends_who_is_idle_and_answers_who_is_not(void **state)
{
	struct scene *s = *state;
	PEER idle = connected(&s->live);
	PEER half = connected(&s->live);
	PEER busy = connected(&s->live);

	say(&half, view_text("{\"v\":1,"));
	say(&busy, view_text("{\"v\":1,\"command\":\"audit verify\",\"args\":{}}\n"));
	for (int i = 0; i < 5; i++)
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	control_stop(s->live.keep->control);
	live_until(&s->live, peer_has_ended, &idle);
	live_until(&s->live, peer_has_ended, &half);
	hear(&busy);
	assert_true(json_is_true(json_object_get(busy.last, "ok")));
	PEER late = connected(&s->live);
	live_until(&s->live, peer_has_ended, &late);
	assert_int_equal(late.in.len, 0);
}

/* Another user, who has got past the modes of folder and socket. */
static void other_users_are_not_heard(void **state)
{
	struct scene *s = *state;
	struct sockaddr_un a = address_of(&s->live);
	int status = 0;

	if (geteuid() != 0) {
		print_message("# SKIP only root can become another user\n");
		skip();
	}
	CLEANUP(mem_free) char *run = mem_printf("%s/run", s->live.dir);
	assert_int_equal(chmod(s->live.dir, 0755) | chmod(run, 0755) | chmod(a.sun_path, 0666), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		static const char line[] = "{\"v\":1,\"command\":\"status\",\"args\":{}}\n";
		char answer[256] = "";
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (setgid(65534) || setuid(65534) ||
		    connect(fd, (struct sockaddr *)&a, sizeof a) ||
		    write(fd, line, strlen(line)) < 0 || read(fd, answer, 255) <= 0)
			_exit(3);
		_exit(strstr(answer, "\"code\":-5") ? 0 : 4);
	}
	while (waitpid(pid, &status, WNOHANG) == 0)
		(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
	assert_int_equal(status, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(line_that_is_no_request_is_refused),
	    CASE(line_may_come_in_any_pieces),
	    CASE(line_has_a_greatest_length),
	    CASE(peer_that_leaves_early_changes_nothing),
	    CASE(arguments_are_strict),
	    CASE(names_that_cannot_be_are_answered_whatever_they_hold),
	    CASE(zones_are_added_set_shown_and_removed),
	    CASE(users_and_their_keys_come_and_go),
	    CASE(networks_are_read_strictly_shown_and_recorded),
	    CASE(grants_are_given_and_taken),
	    CASE(sessions_are_listed_and_kicked),
	    CASE(closing_an_account_ends_its_sessions),
	    CASE(removing_a_zone_takes_its_uploads_away),
	    CASE(status_says_what_is),
	    CASE(query_filters_and_opens_what_is_sealed),
	    CASE(filter_that_no_record_holds_is_refused),
	    CASE(verify_shows_every_altered_byte_of_the_checkpoint),
	    CASE(check_finds_what_is_damaged_foreign_or_unknown),
	    CASE(status_and_check_tell_of_what_is_in_lost_and_found),
	    CASE(status_tells_of_a_folder_that_cannot_be_read),
	    CASE(check_misses_only_what_an_upload_needs),
	    CASE(check_finds_swapped_blobs),
	    CASE(reload_takes_new_values_or_leaves_the_old),
	    CASE(commands_at_once_are_all_answered),
	    CASE(peers_have_a_greatest_number),
	    CASE(stop_ends_who_is_idle_and_answers_who_is_not),
	    CASE(other_users_are_not_heard),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
