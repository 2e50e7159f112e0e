/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate asks about itself, its sessions, folders and names, and what it may not say. */
#include <sys/socket.h>

#include "keep_asks.h"

static const char *why(const struct scene *s)
{
	return s->gate->gate->why;
}

static bool has_ended(void *arg)
{
	return fake_gate_ended(arg);
}

/* The keep has ended the gate for this. Another one follows it. */
static void expect_ended(struct scene *s, const char *reason)
{
	live_until(&s->live, has_ended, s->gate);
	if (!strstr(why(s), reason))
		print_message("# %s\n", why(s));
	assert_non_null(strstr(why(s), reason));
	live_settle(&s->live);
	assert_int_equal(s->live.keep->sessions.sessions.count, 0);
	assert_int_equal(s->live.keep->sessions.uploads.count, 0);
	assert_int_equal(s->live.keep->sessions.downloads.count, 0);
	fake_gate_free(s->gate);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

/* ---- sessions ---- */

static void hello_gives_settings_and_comes_once(void **state)
{
	struct scene *s = *state;
	struct fake_gate *g = fake_gate_new(&s->live);

	HEARD *h = ASK(g, hello, HELLO, 0, .version = WIRE_VERSION + 1);
	assert_answer(h, E_UNSUPPORTED, "another version");
	HEARD *again = ASK(g, hello, HELLO, 0, .version = WIRE_VERSION);
	struct answer_hello m;
	READ(again, hello, &m);
	assert_int_equal(m.auth_tries, 6);
	assert_true(view_equal(view_of(m.host_keys.data + 4, 35),
			       view_text("-----BEGIN OPENSSH PRIVATE KEY-----")));
	(void)SAY(g, hello, HELLO, 0, .version = WIRE_VERSION);
	live_until(&s->live, has_ended, g);
	assert_non_null(strstr(g->gate->why, "'hello' out of its phase"));
	fake_gate_free(g);
}

static void auth_query_tells_who_may_try(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, "192.0.2.9");
	const struct {
		const char *user;
		struct view key;
		int status;
	} rows[] = {{"anna", view_buf(&s->anna.key), 0},
		    {"anna", view_buf(&s->sam.key), E_DENIED},
		    {"sam", view_buf(&s->anna.key), E_DENIED},
		    {"nobody", view_buf(&s->anna.key), E_DENIED},
		    {"", view_buf(&s->anna.key), E_DENIED},
		    {"anna\n", view_buf(&s->anna.key), E_DENIED},
		    {"anna", view_of(s->anna.key.data, s->anna.key.len - 1), E_DENIED},
		    {"anna", view_of(NULL, 0), E_DENIED}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		HEARD *h = ASK(s->gate, auth, AUTH, knock, .step = AUTH_QUERY,
			       .user = view_text(rows[i].user), .key = rows[i].key);
		assert_answer(h, rows[i].status, rows[i].status ? "authentication failed" : "");
	}
	HEARD *h = ASK(s->gate, stat, STAT, s->session, .path = view_text("/"));
	assert_answer(h, 0, "");
	HEARD *end =
	    ASK(s->gate, session_close, SESSION_CLOSE, knock, .reason = view_text("gave up"));
	assert_answer(end, 0, "");
	expect_record(&s->live, "auth.fail", "detail",
		      "{\"user\":\"anna\",\"tries\":7,\"others_passed_over\":0}");
}

/* A query lets nobody in. */
static void query_alone_opens_no_session(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, "192.0.2.9");
	HEARD *h = ASK(s->gate, auth, AUTH, knock, .step = AUTH_QUERY, .user = view_text("anna"),
		       .key = view_buf(&s->anna.key));

	assert_answer(h, 0, "");
	(void)SAY(s->gate, stat, STAT, knock, .path = view_text("/"));
	expect_ended(s, "'stat' out of its phase");
}

static void signed_auth_opens_a_session_in_the_log(void **state)
{
	struct scene *s = *state;

	expect_record(&s->live, "session.open", "actor", "\"anna\"");
	expect_record(&s->live, "session.open", "source", "\"192.0.2.1\"");
	expect_record(&s->live, "session.open", "client", "\"SSH-2.0-test\"");
	HEARD *h = ASK(s->gate, session_close, SESSION_CLOSE, s->session, .bytes_in = 7,
		       .bytes_out = UINT64_MAX, .reason = view_text("bye\n"));
	assert_answer(h, 0, "");
	expect_record(&s->live, "session.close", "reason", "\"bye?\"");
	expect_record(&s->live, "session.close", "detail",
		      "{\"in\":7,\"out\":9223372036854775807,\"refusals\":0}");
	assert_int_equal(s->live.keep->sessions.sessions.count, 0);
}

/* Two signatures at once, of two users: only one of them is whom the session belongs to. */
static void second_auth_at_once_changes_nothing(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, "192.0.2.9");
	size_t before = count_records(&s->live, "session.open");
	uint32_t one = SAY(s->gate, auth, AUTH, knock, .step = AUTH_SIGNED,
			   .user = view_text("anna"), .key = view_buf(&s->anna.key));
	uint32_t two = SAY(s->gate, auth, AUTH, knock, .step = AUTH_SIGNED,
			   .user = view_text("sam"), .key = view_buf(&s->sam.key));

	HEARD *first = gate_hear(s->gate, one);
	HEARD *second = gate_hear(s->gate, two);
	assert_answer(first, 0, "");
	assert_answer(second, E_DENIED, "");
	assert_int_equal(count_records(&s->live, "session.open"), before + 1);
	expect_record(&s->live, "session.open", "actor", "\"anna\"");
}

static void set_disabled(struct scene *s, const char *name, bool disabled)
{
	struct principal_row row;
	struct catalog *c = s->live.keep->catalog;

	assert_good(catalog_principal_by_name(c, name, &row));
	assert_good(catalog_principal_set_disabled(c, row.id, disabled));
	accounts_forget(s->live.keep->accounts);
}

static void disabled_account_may_neither_come_nor_go_on(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, "192.0.2.9");

	set_disabled(s, "anna", true);
	HEARD *h = ASK(s->gate, auth, AUTH, knock, .step = AUTH_SIGNED, .user = view_text("anna"),
		       .key = view_buf(&s->anna.key));
	assert_answer(h, E_DENIED, "authentication failed");
	HEARD *stat = ASK(s->gate, stat, STAT, s->session, .path = view_text("/"));
	assert_answer(stat, E_DENIED, "this account");
	set_disabled(s, "anna", false);
	HEARD *again = ASK(s->gate, stat, STAT, s->session, .path = view_text("/"));
	assert_answer(again, 0, "");
}

static void notes_of_a_session_are_recorded_up_to_a_bound(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 30; i++) {
		HEARD *h = ASK(s->gate, session_note, SESSION_NOTE, s->session, .refused = 1,
			       .text = view_text("asked for a shell \xff\n"));
		assert_answer(h, 0, "");
	}
	assert_int_equal(count_records(&s->live, "session.note"), 20);
	expect_record(&s->live, "session.note", "reason", "\"asked for a shell ??\"");
	expect_record(&s->live, "session.note", "outcome", "\"refused\"");
}

static void failures_are_recorded_singly_up_to_a_bound(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 80; i++) {
		uint64_t knock = gate_session(s->gate, "192.0.2.9");
		HEARD *h = ASK(s->gate, auth, AUTH, knock, .step = AUTH_QUERY,
			       .user = view_text("eve"), .key = view_buf(&s->anna.key));
		assert_answer(h, E_DENIED, "");
		HEARD *end = ASK(s->gate, session_close, SESSION_CLOSE, knock,
				 .reason = view_text("gave up"));
		assert_answer(end, 0, "");
	}
	assert_in_range(count_records(&s->live, "auth.fail"), 60, 79);
}

/* ---- folders and names ---- */

static void answer_ok(struct heard *h)
{
	HEARD *mine = h;

	assert_answer(mine, 0, "");
}

static size_t entries_of(struct scene *s, uint64_t session, const char *path)
{
	struct answer_list m = {.end = 0};
	size_t n = 0;

	while (!m.end) {
		HEARD *h =
		    ASK(s->gate, list, LIST, session, .path = view_text(path), .cursor = m.cursor);
		READ(h, list, &m);
		struct reader r = reader_of(m.entries);
		struct entry e;
		for (; entry_next(&r, &e); n++)
			;
		assert_true(reader_end(&r));
	}
	return n;
}

static void folders_are_made_listed_renamed_and_removed(void **state)
{
	struct scene *s = *state;
	struct fake_gate *g = s->gate;
	uint64_t id = s->session;
	struct answer_space space;

	answer_ok(ASK(g, make_dir, MAKE_DIR, id, .path = view_text("/acme/incoming/d")));
	expect_answer(ASK(g, make_dir, MAKE_DIR, id, .path = view_text("/acme/incoming/d")),
		      E_EXISTS, "");
	assert_int_equal(entries_of(s, id, "/acme/incoming"), 1);
	answer_ok(ASK(g, set_attrs, SET_ATTRS, id, .path = view_text("/acme/incoming/d"),
		      .mtime_s = 1, .size = SIZE_UNKNOWN));
	answer_ok(ASK(g, rename, RENAME, id, .from = view_text("/acme/incoming/d"),
		      .to = view_text("/acme/incoming/e")));
	HEARD *h = ASK(g, space, SPACE, id, .path = view_text("/acme/incoming"));
	READ(h, space, &space);
	assert_int_equal(space.total, QUOTA);
	answer_ok(ASK(g, remove_dir, REMOVE_DIR, id, .path = view_text("/acme/incoming/e")));
	expect_answer(ASK(g, remove_dir, REMOVE_DIR, id, .path = view_text("/acme/incoming/e")),
		      E_GONE, "");
	expect_record(&s->live, "folder.make", "path", "\"/acme/incoming/d\"");
	expect_record(&s->live, "rename", "to", "\"/acme/incoming/e\"");
	expect_record(&s->live, "folder.remove", "path", "\"/acme/incoming/e\"");
	assert_int_equal(count_records(&s->live, "folder.make"), 1);
}

static void files_are_put_got_renamed_and_removed(void **state)
{
	struct scene *s = *state;
	struct fake_gate *g = s->gate;
	uint64_t sam = gate_log_in(g, &s->sam);

	put_whole(g, s->session, "/acme/incoming/a", model, 1000);
	expect_content(g, sam, "/acme/incoming/a", model, 1000);
	expect_answer(ASK(g, get_open, GET_OPEN, s->session, .path = view_text("/acme/incoming/a")),
		      E_DENIED, "");
	put_whole(g, s->session, "/acme/incoming/b", model, 2000);
	expect_answer(ASK(g, rename, RENAME, s->session, .from = view_text("/acme/incoming/a"),
			  .to = view_text("/acme/incoming/b")),
		      E_EXISTS, "");
	answer_ok(ASK(g, rename, RENAME, s->session, .from = view_text("/acme/incoming/a"),
		      .to = view_text("/acme/incoming/b"), .replace = 1));
	expect_content(g, sam, "/acme/incoming/b", model, 1000);
	expect_record(&s->live, "file.replace", "size", "2000");
	answer_ok(ASK(g, remove, REMOVE, s->session, .path = view_text("/acme/incoming/b")));
	expect_nothing(g, s->session, "/acme/incoming/b");
	expect_record(&s->live, "file.remove", "path", "\"/acme/incoming/b\"");
	assert_int_equal(zone_now(&s->live, "acme").used_bytes, 0);
	assert_int_equal(zone_now(&s->live, "acme").files, 0);
}

static void downloads_are_recorded_from_opening_to_end(void **state)
{
	struct scene *s = *state;
	struct fake_gate *g = s->gate;
	uint64_t sam = gate_log_in(g, &s->sam);
	struct answer_get_open m;
	uint8_t ranges[32];
	struct writer w = writer_of(ranges, sizeof ranges);

	put_whole(g, s->session, "/acme/incoming/a", model, 1000);
	HEARD *h = ASK(g, get_open, GET_OPEN, sam, .path = view_text("/acme/incoming/a"));
	READ(h, get_open, &m);
	expect_record(&s->live, "download.open", "path", "\"/acme/incoming/a\"");
	write_u64(&w, 0);
	write_u64(&w, 10);
	write_u64(&w, 500);
	write_u64(&w, 1000);
	answer_ok(ASK(g, get_close, GET_CLOSE, m.get, .bytes = 510,
		      .ranges = view_of(ranges, sizeof ranges), .code = (uint8_t)-E_AGAIN));
	expect_record(&s->live, "download.abort", "ranges", "[[0,10],[500,1000]]");
	expect_record(&s->live, "download.abort", "reason", "\"try again later\"");
	expect_content(g, sam, "/acme/incoming/a", model, 1000);
	expect_record(&s->live, "download.close", "actor", "\"sam\"");
}

/* What was in the log as opened ends there, also where its blob is damaged. */
static void download_of_a_damaged_blob_is_refused_and_recorded(void **state)
{
	struct scene *s = *state;
	struct version_row v;
	CLEANUP(sys_close) int fd = -1;
	uint64_t sam = gate_log_in(s->gate, &s->sam);

	put_whole(s->gate, s->session, "/acme/incoming/a", model, CHUNK + 1);
	assert_good(catalog_version_next(s->live.keep->catalog, 0, &v));
	assert_good(blobs_write(s->live.keep->blobs, v.blob, &fd));
	assert_good(sys_pwrite_all(fd, "\x01", 1, 60));
	expect_answer(ASK(s->gate, get_open, GET_OPEN, sam, .path = view_text("/acme/incoming/a")),
		      E_INTEGRITY, "");
	expect_record(&s->live, "download.abort", "outcome", "\"failed\"");
	assert_int_equal(s->live.keep->sessions.downloads.count, 0);
	answer_ok(ASK(s->gate, remove, REMOVE, s->session, .path = view_text("/acme/incoming/a")));
}

static void refusals_are_recorded_with_their_path_up_to_a_bound(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 120; i++)
		expect_answer(ASK(s->gate, make_dir, MAKE_DIR, s->session,
				  .path = view_text("/acme/deliverables/no")),
			      E_DENIED, "");
	assert_int_equal(count_records(&s->live, "make_dir.refused"), 100);
	expect_record(&s->live, "make_dir.refused", "path", "\"/acme/deliverables/no\"");
	expect_record(&s->live, "make_dir.refused", "outcome", "\"refused\"");
	assert_int_equal(count_records(&s->live, "folder.make"), 0);
}

static void paths_that_are_none_are_refused_and_break_nothing(void **state)
{
	struct scene *s = *state;
	static const char *const bad[] = {"",
					  "acme",
					  "/acme//x",
					  "/acme/../x",
					  "/acme/\xff",
					  "/acme/incoming/a\nb",
					  "/acme/incoming/\xc2\x85"};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session,
				  .path = view_text(bad[i]), .flags = PUT_CREATE,
				  .declared = SIZE_UNKNOWN),
			      E_INVALID, "");
		expect_answer(
		    ASK(s->gate, make_dir, MAKE_DIR, s->session, .path = view_text(bad[i])),
		    E_INVALID, "");
	}
	assert_int_equal(count_records(&s->live, "upload.open"), 0);
}

/* ---- what ends a gate ---- */

static void unknown_verb_ends_the_gate(void **state)
{
	struct scene *s = *state;
	static const uint16_t verbs[] = {0, 7, 99, 100, 65535};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		(void)gate_say(s->gate, verbs[i], 0, view_of(NULL, 0));
		expect_ended(s, "no ask");
	}
}

static void wrong_phase_ends_the_gate(void **state)
{
	struct scene *s = *state;

	(void)SAY(s->gate, stat, STAT, 0, .path = view_text("/"));
	expect_ended(s, "'stat' out of its phase");
	(void)SAY(s->gate, stat, STAT, s->session + 1, .path = view_text("/"));
	expect_ended(s, "'stat' out of its phase");
	(void)SAY(s->gate, auth, AUTH, s->session, .step = AUTH_QUERY);
	expect_ended(s, "'auth' out of its phase");
	(void)SAY(s->gate, session_open, SESSION_OPEN, s->session);
	expect_ended(s, "'session_open' out of its phase");
	(void)SAY(s->gate, put_extend, PUT_EXTEND, s->session);
	expect_ended(s, "'put_extend' out of its phase");
	(void)SAY(s->gate, get_close, GET_CLOSE, s->session);
	expect_ended(s, "'get_close' out of its phase");
}

static void session_of_another_gate_is_none_of_ours(void **state)
{
	struct scene *s = *state;
	struct fake_gate *other = fake_gate_ready(&s->live);

	(void)SAY(other, stat, STAT, s->session, .path = view_text("/"));
	live_until(&s->live, has_ended, other);
	assert_non_null(strstr(other->gate->why, "out of its phase"));
	fake_gate_free(other);
	expect_answer(ASK(s->gate, stat, STAT, s->session, .path = view_text("/")), 0, "");
}

static void missing_or_surplus_byte_ends_the_gate(void **state)
{
	struct scene *s = *state;
	static const uint8_t body[] = {0, 0, 0, 1, '/', 0};

	for (size_t len = 0; len <= sizeof body; len++) {
		if (len == 5)
			continue;
		(void)gate_say(s->gate, VERB_STAT, s->session, view_of(body, len));
		expect_ended(s, "malformed message");
	}
	gate_say_raw(s->gate, view_of(body, 6), NULL, 0);
	expect_ended(s, "no room for its header");
}

static void answer_or_order_from_a_gate_ends_it(void **state)
{
	struct scene *s = *state;
	uint8_t packet[LINK_HEADER];

	for (uint16_t kind = 0; kind < 5; kind++) {
		struct writer w = writer_of(packet, sizeof packet);
		struct frame f = {.kind = kind, .verb = VERB_HELLO, .id = 1};
		if (kind == FRAME_ASK)
			continue;
		frame_write(&w, &f);
		gate_say_raw(s->gate, view_of(packet, sizeof packet), NULL, 0);
		expect_ended(s, "");
	}
}

static void descriptor_for_the_keep_ends_the_gate(void **state)
{
	struct scene *s = *state;
	uint8_t packet[LINK_HEADER + 5];
	struct writer w = writer_of(packet, sizeof packet);
	struct frame f = {.kind = FRAME_ASK, .verb = VERB_STAT, .id = 1, .subject = s->session};

	frame_write(&w, &f);
	write_bytes(&w, view_text("/"));
	gate_say_raw(s->gate, view_of(packet, sizeof packet), &s->gate->socket, 1);
	expect_ended(s, "carries too much");
}

/* All come in one go, before any is answered. */
static void too_many_asks_at_once_end_the_gate(void **state)
{
	struct scene *s = *state;

	for (unsigned i = 0; i < LINK_CREDITS; i++)
		(void)SAY(s->gate, stat, STAT, s->session, .path = view_text("/"));
	uint32_t last = s->gate->id;
	HEARD *h = gate_hear(s->gate, last);
	assert_answer(h, 0, "");
	live_settle(&s->live);
	assert_false(fake_gate_ended(s->gate));

	/* Asks that go through the pool first do not come back in between. */
	uint64_t session = s->session;
	while (!fake_gate_ended(s->gate)) {
		for (unsigned i = 0; i < 64; i++)
			(void)SAY(s->gate, stat, STAT, session, .path = view_text("/"));
		while (gate_receive(s->gate->gate))
			;
		assert_true(s->gate->gate->asks <= LINK_CREDITS);
	}
	expect_ended(s, "more than 256 asks at once");
}

/* The keep keeps what a gate does not read yet, and all of it comes, in its order. */
static void answers_wait_for_a_gate_that_is_slow(void **state)
{
	struct scene *s = *state;
	int size = 4608;
	uint32_t first = s->gate->id + 1;

	assert_int_equal(
	    setsockopt(s->gate->gate->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	for (unsigned i = 0; i < 200; i++)
		(void)SAY(s->gate, stat, STAT, s->session, .path = view_text("/acme/incoming"));
	live_settle(&s->live);
	assert_non_null(s->gate->gate->first);
	assert_true(s->gate->gate->stalled_since_ms);
	for (uint32_t id = first; id < first + 200; id++) {
		HEARD *h = gate_hear(s->gate, id);
		assert_answer(h, 0, "");
		assert_true(!s->gate->heard || s->gate->heard->f.id == id + 1);
	}
	assert_null(s->gate->gate->first);
}

static void ending_twice_ends_the_gate(void **state)
{
	struct scene *s = *state;

	(void)SAY(s->gate, session_close, SESSION_CLOSE, s->session);
	(void)SAY(s->gate, session_close, SESSION_CLOSE, s->session);
	expect_ended(s, "'session_close' out of its phase");
	expect_record(&s->live, "session.open", "actor", "\"anna\"");
	assert_int_equal(count_records(&s->live, "session.close"), 1);
}

static void ranges_that_are_none_end_the_gate_and_the_download(void **state)
{
	struct scene *s = *state;
	struct answer_get_open m;

	put_whole(s->gate, s->session, "/acme/incoming/a", model, 10);
	uint64_t sam = gate_log_in(s->gate, &s->sam);
	HEARD *h = ASK(s->gate, get_open, GET_OPEN, sam, .path = view_text("/acme/incoming/a"));
	READ(h, get_open, &m);
	(void)SAY(s->gate, get_close, GET_CLOSE, m.get, .ranges = view_text("12345"));
	expect_ended(s, "ranges");
	expect_record(&s->live, "download.abort", "size", "10");
	assert_int_equal(count_records(&s->live, "session.close"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(hello_gives_settings_and_comes_once),
	    IN_A_SCENE(auth_query_tells_who_may_try),
	    IN_A_SCENE(query_alone_opens_no_session),
	    IN_A_SCENE(signed_auth_opens_a_session_in_the_log),
	    IN_A_SCENE(second_auth_at_once_changes_nothing),
	    IN_A_SCENE(disabled_account_may_neither_come_nor_go_on),
	    IN_A_SCENE(notes_of_a_session_are_recorded_up_to_a_bound),
	    IN_A_SCENE(failures_are_recorded_singly_up_to_a_bound),
	    IN_A_SCENE(folders_are_made_listed_renamed_and_removed),
	    IN_A_SCENE(files_are_put_got_renamed_and_removed),
	    IN_A_SCENE(downloads_are_recorded_from_opening_to_end),
	    IN_A_SCENE(download_of_a_damaged_blob_is_refused_and_recorded),
	    IN_A_SCENE(refusals_are_recorded_with_their_path_up_to_a_bound),
	    IN_A_SCENE(paths_that_are_none_are_refused_and_break_nothing),
	    IN_A_SCENE(unknown_verb_ends_the_gate),
	    IN_A_SCENE(wrong_phase_ends_the_gate),
	    IN_A_SCENE(session_of_another_gate_is_none_of_ours),
	    IN_A_SCENE(missing_or_surplus_byte_ends_the_gate),
	    IN_A_SCENE(answer_or_order_from_a_gate_ends_it),
	    IN_A_SCENE(descriptor_for_the_keep_ends_the_gate),
	    IN_A_SCENE(too_many_asks_at_once_end_the_gate),
	    IN_A_SCENE(answers_wait_for_a_gate_that_is_slow),
	    IN_A_SCENE(ending_twice_ends_the_gate),
	    IN_A_SCENE(ranges_that_are_none_end_the_gate_and_the_download),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
