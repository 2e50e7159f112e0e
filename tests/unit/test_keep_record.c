/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/record.h"

#include "base/sha256.h"
#include "base/text.h"
#include "daemon/keep/safe_json.h"
#include "keep_kit.h"

struct rec {
	struct keys *keys;
	struct secret *object_key;
	struct record_frame frame;
};

static int setup(void **state)
{
	struct kit *kit;
	struct rec *r = mem_new(sizeof *r);

	if (kit_setup(state))
		return -1;
	kit = *state;
	assert_good(keys_create(kit->fd, "keys/master.key"));
	assert_good(keys_load(kit->fd, "keys/master.key", &r->keys));
	assert_good(secret_random(32, &r->object_key));
	r->frame = (struct record_frame){.seq = 41,
					 .time_us = INT64_C(1769903999123456),
					 .node = "keep.example",
					 .keys = r->keys,
					 .object_key = r->object_key};
	assert_int_equal(kit_teardown(state), 0); /* keys are in memory */
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rec *r = *state;

	keys_free(&r->keys);
	secret_free(&r->object_key);
	free(r);
	return 0;
}

static void written(const struct rec *r, const struct event *e, struct buf *out)
{
	const char *text;

	assert_good(record_write(&r->frame, e, out));
	assert_null(memchr(out->data, '\n', out->len));
	for (size_t i = 0; i < out->len; i++)
		assert_in_range(out->data[i], ' ', 0x7f);
	assert_good(buf_text(out, &text));
}

static json_t *parsed(const struct buf *line)
{
	json_error_t e;
	json_t *r = json_loadb((const char *)line->data, line->len, JSON_REJECT_DUPLICATES, &e);

	assert_non_null(r);
	return r;
}

static const char *text_of(const json_t *r, const char *name)
{
	const char *text = json_string_value(json_object_get(r, name));

	return text ? text : "";
}

static struct session somebody(void)
{
	return (struct session){.number = 16777217,
				.protocol = "sftp",
				.peer = "192.0.2.7",
				.port = 50022,
				.authenticated = true,
				.principal = 3,
				.role = ROLE_STAFF,
				.user = "sam",
				.method = "publickey",
				.fingerprint = "SHA256:abc",
				.client = "SSH-2.0-OpenSSH_9.2",
				.cipher = "aes256-gcm@openssh.com"};
}

static void write_without_sealed_members_gives_exactly_this_line(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct session s = somebody();
	uint8_t object[ID_SIZE] = {0xab, 1}, ranges[32] = {0};
	struct writer w = writer_of(ranges, sizeof ranges);
	struct event e =
	    EVENT(.name = "download.close", .session = &s, .zone = 1, .zone_name = "acme",
		  .object = object, .size = 1000, .bytes = 30, .duration_us = 12, .resumed = true);

	write_u64(&w, 0);
	write_u64(&w, 10);
	write_u64(&w, 20);
	write_u64(&w, 40);
	e.ranges = view_of(ranges, sizeof ranges);
	written(r, &e, &line);
	assert_string_equal(
	    (const char *)line.data,
	    "{\"v\":1,\"seq\":41,\"time\":\"2026-01-31T23:59:59.123456Z\",\"node\":\"keep."
	    "example\","
	    "\"session\":16777217,\"actor\":\"sam\",\"role\":\"staff\",\"method\":\"publickey\","
	    "\"key\":\"SHA256:abc\",\"source\":\"192.0.2.7\",\"port\":50022,"
	    "\"client\":\"SSH-2.0-OpenSSH_9.2\",\"protocol\":\"sftp\","
	    "\"cipher\":\"aes256-gcm@openssh.com\",\"event\":\"download.close\",\"outcome\":\"ok\","
	    "\"zone\":\"acme\",\"object\":\"ab010000000000000000000000000000\",\"size\":1000,"
	    "\"bytes\":30,\"ranges\":[[0,10],[20,40]],\"resumed\":true,\"duration_us\":12}");
}

static void write_of_the_least_event_leaves_out_what_does_not_apply(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct event e = EVENT(.name = "start", .actor = "system");

	written(r, &e, &line);
	assert_string_equal((const char *)line.data,
			    "{\"v\":1,\"seq\":41,\"time\":\"2026-01-31T23:59:59.123456Z\","
			    "\"node\":\"keep.example\",\"actor\":\"system\",\"event\":\"start\","
			    "\"outcome\":\"ok\"}");
}

static void outcome_says_whether_it_was_refused_or_failed(void **state)
{
	const struct rec *r = *state;
	static const struct {
		int code;
		const char *given, *outcome, *reason;
	} rows[] = {{E_DENIED, NULL, "refused", "permission denied"},
		    {E_DENIED, "not here", "refused", "not here"},
		    {E_IO, NULL, "failed", "input or output error"},
		    {E_QUOTA, "", "failed", "quota exceeded"},
		    {0, "just so", "ok", "just so"},
		    {0, NULL, "ok", ""}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf line = {0};
		struct event e = EVENT(.name = "x", .actor = "system", .code = rows[i].code,
				       .reason = rows[i].given);
		written(r, &e, &line);
		json_t *j = parsed(&line);
		assert_string_equal(text_of(j, "outcome"), rows[i].outcome);
		assert_string_equal(text_of(j, "reason"), rows[i].reason);
		json_decref(j);
	}
}

/* Who is not authenticated has no name here, whatever they say. */
static void session_before_authentication_is_nobody(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct session s = somebody();
	struct event e = EVENT(.name = "auth.fail", .session = &s, .code = E_DENIED);

	s.authenticated = false;
	written(r, &e, &line);
	json_t *j = parsed(&line);
	assert_null(json_object_get(j, "actor"));
	assert_null(json_object_get(j, "role"));
	assert_null(json_object_get(j, "key"));
	assert_string_equal(text_of(j, "source"), "192.0.2.7");
	json_decref(j);
}

static void numbers_beyond_what_json_holds_are_cut_not_lost(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	uint8_t ranges[16];
	struct event e = EVENT(.name = "x", .actor = "system", .size = UINT64_MAX - 1,
			       .bytes = UINT64_C(1) << 63);

	memset(ranges, 0xff, sizeof ranges);
	e.ranges = view_of(ranges, sizeof ranges);
	written(r, &e, &line);
	json_t *j = parsed(&line);
	assert_int_equal(json_integer_value(json_object_get(j, "size")), INT64_MAX);
	assert_int_equal(json_integer_value(json_object_get(j, "bytes")), INT64_MAX);
	const json_t *range = json_array_get(json_object_get(j, "ranges"), 0);
	assert_int_equal(json_integer_value(json_array_get(range, 1)), INT64_MAX);
	json_decref(j);
}

static void foreign_bytes_neither_break_the_line_nor_get_lost(void **state)
{
	const struct rec *r = *state;
	static const struct {
		const char *said, *written;
	} rows[] = {{"a\nb\r\"}\\{", "a\nb\r\"}\\{"},
		    {"\x01\x1b[2J\x7f", "\x01\x1b[2J\x7f"},
		    {"caf\xc3\xa9 \xe2\x80\xae", "caf\xc3\xa9 \xe2\x80\xae"},
		    {"caf\xe9", "caf?"},
		    {"\xff\xfe", "??"},
		    {"cut \xe2\x80", "cut ??"},
		    {"\xed\xa0\x80", "???"},
		    {"\xc0\x80", "??"}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf line = {0};
		struct event e =
		    EVENT(.name = "session.note", .actor = "system", .reason = rows[i].said);
		written(r, &e, &line);
		json_t *j = parsed(&line);
		assert_string_equal(text_of(j, "reason"), rows[i].written);
		assert_int_equal(json_object_size(j), 8);
		json_decref(j);
	}
}

/* What a peer says of itself never gets so far: it is made harmless when it comes. */
static void view_to_text_cuts_and_replaces(void **state)
{
	char text[8];

	(void)state;
	view_to_text(view_text("abc"), text, sizeof text);
	assert_string_equal(text, "abc");
	view_to_text(view_text("12345678901"), text, sizeof text);
	assert_string_equal(text, "1234567");
	view_to_text(view_of("a\0b\n\xc3\xa9\x7f", 7), text, sizeof text);
	assert_string_equal(text, "a?b????");
	view_to_text(view_of(NULL, 0), text, sizeof text);
	assert_string_equal(text, "");
}

static void detail_that_could_not_be_made_fails_the_record(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct event e = EVENT(.name = "x", .actor = "system");

	event_detail(&e, json_pack("{s:s}", "text", "\xff"));
	assert_null(e.detail);
	assert_refused(record_write(&r->frame, &e, &line), E_NOMEM);
	assert_int_equal(line.len, 0);

	event_detail(&e, json_pack("{s:s}", "text", "\xc3\xa9"));
	written(r, &e, &line);
	json_t *j = parsed(&line);
	assert_string_equal(text_of(json_object_get(j, "detail"), "text"), "\xc3\xa9");
	json_decref(j);
	json_decref(e.detail);
}

/* ---- what is sealed ---- */

static struct event sealed_event(void)
{
	static uint8_t hash[SHA256_SIZE];

	memset(hash, 0x5a, sizeof hash);
	return EVENT(.name = "rename", .actor = "system", .zone = 1, .zone_name = "acme",
		     .path = view_text("/acme/incoming/caf\xc3\xa9 \"1\".pdf"),
		     .new_path = view_text("/acme/incoming/2.pdf"),
		     .hash = view_of(hash, sizeof hash));
}

static void sealed_members_open_with_the_objects_key(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct event e = sealed_event();

	written(r, &e, &line);
	assert_null(memmem(line.data, line.len, "incoming", 8));
	assert_null(memmem(line.data, line.len, "5a5a", 4));
	json_t *j = parsed(&line);
	assert_true(json_is_object(json_object_get(j, "path")));
	assert_good(record_open(j, r->keys, r->object_key));
	assert_string_equal(text_of(j, "path"), "/acme/incoming/caf\xc3\xa9 \"1\".pdf");
	assert_string_equal(text_of(j, "to"), "/acme/incoming/2.pdf");
	assert_string_equal(text_of(j, "sha256"),
			    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a");
	assert_good(record_open(j, r->keys, r->object_key)); /* once open it stays so */
	json_decref(j);
}

static void bytes_of(const json_t *r, const char *member, const char *name, struct buf *out)
{
	const char *text = text_of(json_object_get(r, member), name);

	assert_good(base64_decode(view_text(text), BASE64_BARE, out));
}

/* The commitment is SHA-256 of salt and value: who is shown both can check it, by this alone. */
static void commitments_verify_and_differ_each_time(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done)
	struct buf line = {0}, again = {0}, sealed = {0}, commitment = {0}, other = {0};
	CLEANUP(secret_free) struct secret *plain = NULL;
	struct event e = sealed_event();
	uint8_t hash[SHA256_SIZE];

	written(r, &e, &line);
	written(r, &e, &again);
	json_t *j = parsed(&line), *k = parsed(&again);
	bytes_of(j, "path", "sealed", &sealed);
	bytes_of(j, "path", "commitment", &commitment);
	bytes_of(k, "path", "commitment", &other);
	assert_int_equal(commitment.len, SHA256_SIZE);
	assert_false(view_equal(view_buf(&commitment), view_buf(&other)));
	assert_good(keys_open(r->keys, r->object_key, "dropkeep audit member v1", view_text("path"),
			      view_buf(&sealed), &plain));
	struct view v = secret_view(plain);
	assert_true(v.len > RECORD_SALT);
	assert_true(view_equal(view_of(v.data + RECORD_SALT, v.len - RECORD_SALT), e.path));
	sha256_of(v, hash);
	assert_memory_equal(hash, commitment.data, sizeof hash);
	json_decref(j);
	json_decref(k);
}

static void without_an_object_key_nothing_is_sealed_or_shown(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct event e = sealed_event();
	struct record_frame f = r->frame;

	f.object_key = NULL;
	assert_good(record_write(&f, &e, &line));
	json_t *j = parsed(&line);
	assert_null(json_object_get(j, "path"));
	assert_null(json_object_get(j, "to"));
	assert_null(json_object_get(j, "sha256"));
	json_decref(j);
}

static void wrong_object_key_is_refused(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	CLEANUP(secret_free) struct secret *other = NULL;
	struct event e = sealed_event();

	assert_good(secret_random(32, &other));
	written(r, &e, &line);
	json_t *j = parsed(&line);
	assert_refused(record_open(j, r->keys, other), E_INTEGRITY);
	assert_true(json_is_object(json_object_get(j, "path")));
	json_decref(j);
}

static void swap(json_t *r, const char *one, const char *other)
{
	json_t *a = json_incref(json_object_get(r, one));

	assert_int_equal(json_object_set(r, one, json_object_get(r, other)), 0);
	assert_int_equal(json_object_set_new(r, other, a), 0);
}

static void altered_members_are_refused(void **state)
{
	const struct rec *r = *state;
	CLEANUP(buf_done) struct buf line = {0};
	struct event e = sealed_event();
	static const char *const names[] = {"commitment", "sealed"};

	written(r, &e, &line);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		json_t *j = parsed(&line), *member = json_object_get(j, "path");
		char *text = mem_text(text_of(member, names[i]));
		text[5] = text[5] == 'A' ? 'B' : 'A';
		(void)json_object_set_new(member, names[i], json_string(text));
		assert_refused(record_open(j, r->keys, r->object_key), E_INTEGRITY);
		(void)json_object_set_new(member, names[i], json_string("not base64!"));
		assert_refused(record_open(j, r->keys, r->object_key), E_INVALID);
		(void)json_object_del(member, names[i]);
		assert_refused(record_open(j, r->keys, r->object_key), E_INTEGRITY);
		free(text);
		json_decref(j);
	}
	json_t *j = parsed(&line);
	swap(j, "path", "to");
	assert_refused(record_open(j, r->keys, r->object_key), E_INTEGRITY);
	json_decref(j);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(write_without_sealed_members_gives_exactly_this_line),
	    CASE(write_of_the_least_event_leaves_out_what_does_not_apply),
	    CASE(outcome_says_whether_it_was_refused_or_failed),
	    CASE(session_before_authentication_is_nobody),
	    CASE(numbers_beyond_what_json_holds_are_cut_not_lost),
	    CASE(foreign_bytes_neither_break_the_line_nor_get_lost),
	    CASE(view_to_text_cuts_and_replaces),
	    CASE(detail_that_could_not_be_made_fails_the_record),
	    CASE(sealed_members_open_with_the_objects_key),
	    CASE(commitments_verify_and_differ_each_time),
	    CASE(without_an_object_key_nothing_is_sealed_or_shown),
	    CASE(wrong_object_key_is_refused),
	    CASE(altered_members_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
