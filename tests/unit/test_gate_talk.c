/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One SFTP conversation, request by request, against a keep that the test plays. What needs
 * chunks and blobs is in test_gate_put and test_gate_get, and in the conversations with real
 * clients; here it is about order, bounds and refusals.
 */
#include "talk_rig.h"

static void init_is_answered_with_version_and_extensions(void **state)
{
	bool limits = false;

	(void)state;
	say_init();
	struct reader r = hear(FXP_VERSION, SFTP_VERSION);
	while (r.left) {
		limits = view_is(read_bytes(&r), "limits@openssh.com") || limits;
		assert_true(view_is(read_bytes(&r), "1") || r.at[-1] == '2');
	}
	assert_true(reader_end(&r));
	assert_true(limits);
}

static int take(void)
{
	size_t used = 0;

	write_u32_at(&request.w, 0, (uint32_t)(request.w.len - 4));
	return talk_take(talk, view_of(request.bytes, request.w.len), &used);
}

static void begin_without_init_is_refused(void **state)
{
	(void)state;
	write_bytes(begin(FXP_STAT, 1), view_text("/"));
	assert_fails(take(), E_PROTOCOL);
}

static void begin_with_write_is_refused(void **state)
{
	struct writer *w = begin(FXP_WRITE, 1);

	(void)state;
	write_bytes(w, view_text("12345678"));
	write_u64(w, 0);
	write_bytes(w, view_text("x"));
	assert_fails(take(), E_PROTOCOL);
}

static void init_again_is_refused(void **state)
{
	(void)state;
	say_init();
	begin(FXP_INIT, SFTP_VERSION);
	assert_fails(take(), E_PROTOCOL);
}

static void request_without_an_id_is_refused(void **state)
{
	(void)state;
	say_init();
	(void)begin(FXP_STAT, 1);
	request.w.len = 5 + 3;
	assert_fails(take(), E_PROTOCOL);
}

static void unknown_requests_are_unsupported(void **state)
{
	static const uint8_t types[] = {0,   FXP_VERSION, FXP_READLINK, FXP_SYMLINK, 21,
					100, FXP_STATUS,  199,          201,         255};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < ARRAY_LEN(types); i++) {
		write_bytes(begin(types[i], i), view_text("/a"));
		say();
		hear_status(i, FX_OP_UNSUPPORTED, NULL);
	}
	struct writer *w = begin(FXP_EXTENDED, 77);
	write_bytes(w, view_text("hardlink@openssh.com"));
	say();
	hear_status(77, FX_OP_UNSUPPORTED, NULL);
	assert_true(gate_kit_silent(&kit));
}

static void malformed_requests_are_answered_and_ask_nothing(void **state)
{
	static const uint8_t types[] = {FXP_OPEN,     FXP_CLOSE,   FXP_READ,     FXP_LSTAT,
					FXP_FSTAT,    FXP_SETSTAT, FXP_FSETSTAT, FXP_OPENDIR,
					FXP_READDIR,  FXP_REMOVE,  FXP_MKDIR,    FXP_RMDIR,
					FXP_REALPATH, FXP_STAT,    FXP_RENAME,   FXP_EXTENDED};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < ARRAY_LEN(types); i++) {
		write_u32(begin(types[i], i), 5000); /* a string that is not there */
		say();
		hear_status(i, FX_BAD_MESSAGE, NULL);
	}
	assert_true(gate_kit_silent(&kit));
}

static void handles_that_are_none_are_refused(void **state)
{
	static const uint8_t types[] = {FXP_CLOSE, FXP_READ, FXP_FSTAT, FXP_FSETSTAT, FXP_READDIR};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint64_t handle = 0; handle < 3; handle++) {
		for (uint32_t i = 0; i < ARRAY_LEN(types); i++) {
			struct writer *w = begin(types[i], i);
			write_u32(w, 8);
			write_u64(w, handle);
			write_u64(w, 0); /* offset; attributes without any */
			write_u32(w, 1);
			say();
			hear_status(i, FX_FAILURE, NULL);
		}
	}
	write_bytes(begin(FXP_CLOSE, 9), view_text("short"));
	say();
	hear_status(9, FX_FAILURE, NULL);
}

static void write_to_no_handle_is_refused_at_its_end(void **state)
{
	struct writer *w;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	w = begin(FXP_WRITE, 4);
	write_bytes(w, view_text("12345678"));
	write_u64(w, 0);
	write_bytes(w, view_text("some data"));
	write_u32_at(w, 0, (uint32_t)(w->len - 4));
	size_t used = 0;
	assert_ok(talk_take(talk, view_of(request.bytes, w->len - 3), &used));
	assert_int_equal(used, w->len - 3);
	assert_true(silent());
	assert_ok(talk_take(talk, view_of(request.bytes + w->len - 3, 3), &used));
	hear_status(4, FX_FAILURE, "not open for writing");
}

static void realpath_asks_nobody(void **state)
{
	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_REALPATH, 1, ".");
	hear_path(1, "/zone");
	say_path(FXP_REALPATH, 2, "/x/../../y");
	hear_path(2, "/y");
	assert_true(gate_kit_silent(&kit));
}

static void say_ext(uint32_t id, const char *name, const char *argument)
{
	struct writer *w = begin(FXP_EXTENDED, id);

	write_bytes(w, view_text(name));
	write_bytes(w, view_text(argument));
	say();
}

static void expand_path_knows_home_and_me(void **state)
{
	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_ext(1, "expand-path@openssh.com", "~");
	hear_path(1, "/zone");
	say_ext(2, "expand-path@openssh.com", "~//x");
	hear_path(2, "/zone/x");
	say_ext(3, "expand-path@openssh.com", "~acme/x");
	hear_path(3, "/zone/x");
	say_ext(4, "expand-path@openssh.com", "~root");
	hear_status(4, 2, "no such user");
	say_ext(5, "home-directory", "");
	hear_path(5, "/zone");
	say_ext(6, "home-directory", "other");
	hear_status(6, 2, NULL);
}

static void limits_are_what_is_kept(void **state)
{
	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	write_bytes(begin(FXP_EXTENDED, 1), view_text("limits@openssh.com"));
	say();
	struct reader r = hear(FXP_EXTENDED_REPLY, 1);
	assert_int_equal(read_u64(&r), PACKET_MAX);
	assert_int_equal(read_u64(&r), READ_MAX);
	assert_int_equal(read_u64(&r), READ_MAX);
	assert_int_equal(read_u64(&r), FILES_MAX);
	assert_true(reader_end(&r));
}

static void stat_answers_out_of_order_go_to_their_ids(void **state)
{
	struct frame a, b;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_STAT, 1, "a");
	say_path(FXP_LSTAT, 2, "/b");
	assert_true(view_is(path_asked(VERB_STAT, &a), "/zone/a"));
	assert_true(view_is(path_asked(VERB_STAT, &b), "/b"));
	gate_kit_refuse(&kit, &b, E_GONE, "no such file");
	hear_status(2, 2, "no such file");
	answer_attrs(&a, NODE_FILE, 55);
	struct reader r = hear(FXP_ATTRS, 1);
	assert_int_equal(read_u32(&r), 15);
	assert_int_equal(read_u64(&r), 55);
	assert_true(wakes >= 2);
}

static void statuses_follow_the_table(void **state)
{
	static const struct {
		int rc;
		uint32_t status;
	} rows[] = {{E_GONE, 2},  {E_DENIED, 3}, {E_QUOTA, 4},      {E_FULL, 4},
		    {E_TAKEN, 4}, {E_HELD, 3},   {E_UNSUPPORTED, 8}};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct frame ask;
		say_path(FXP_REMOVE, i, "x");
		(void)path_asked(VERB_REMOVE, &ask);
		gate_kit_refuse(&kit, &ask, rows[i].rc, "because");
		hear_status(i, rows[i].status, "because");
	}
}

static void malformed_answer_of_the_keep_is_a_failure(void **state)
{
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_STAT, 1, "a");
	(void)path_asked(VERB_STAT, &ask);
	gate_kit_answer(&kit, &ask, view_text("?"));
	hear_status(1, FX_FAILURE, NULL);
	say_path(FXP_OPENDIR, 2, "a");
	(void)path_asked(VERB_LIST, &ask);
	gate_kit_answer(&kit, &ask, view_text("?"));
	hear_status(2, FX_BAD_MESSAGE, NULL);
}

static void setstat_of_modes_alone_asks_whether_the_file_is_there(void **state)
{
	struct ask_set_attrs m;
	struct writer *w;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	w = begin(FXP_SETSTAT, 1);
	write_bytes(w, view_text("f"));
	write_u32(w, ATTR_PERMISSIONS);
	write_u32(w, 0777);
	say();
	struct frame ask = gate_kit_take(&kit, VERB_SET_ATTRS);
	assert_ok(ask_set_attrs_read(ask.body, &m));
	assert_true(m.mtime_s == TIME_UNKNOWN && m.size == SIZE_UNKNOWN);
	gate_kit_answer(&kit, &ask, view_of(NULL, 0));
	hear_status(1, FX_OK, NULL);
	w = begin(FXP_SETSTAT, 2);
	write_bytes(w, view_text("f"));
	write_u32(w, ATTR_ACMODTIME | ATTR_SIZE);
	write_u64(w, 7);
	write_u32(w, 11);
	write_u32(w, 12);
	say();
	ask = gate_kit_take(&kit, VERB_SET_ATTRS);
	assert_ok(ask_set_attrs_read(ask.body, &m));
	assert_int_equal(m.mtime_s, 12);
	assert_int_equal(m.size, 7);
}

static void rename_says_whether_it_may_replace(void **state)
{
	struct ask_rename m;
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	write_bytes(begin(FXP_RENAME, 1), view_text("a"));
	write_bytes(&request.w, view_text("b"));
	say();
	ask = gate_kit_take(&kit, VERB_RENAME);
	assert_ok(ask_rename_read(ask.body, &m));
	assert_int_equal(m.replace, 0);
	assert_true(view_is(m.to, "/zone/b"));
	write_bytes(begin(FXP_EXTENDED, 2), view_text("posix-rename@openssh.com"));
	write_bytes(&request.w, view_text("a"));
	write_bytes(&request.w, view_text("b"));
	say();
	ask = gate_kit_take(&kit, VERB_RENAME);
	assert_ok(ask_rename_read(ask.body, &m));
	assert_int_equal(m.replace, 1);
}

static unsigned count_names(struct reader r)
{
	unsigned count = read_u32(&r);

	for (unsigned i = 0; i < count; i++) {
		(void)read_bytes(&r);
		(void)read_bytes(&r);
		assert_int_equal(read_u32(&r), 15);
		(void)read_raw(&r, 8 + 4 * 5);
	}
	assert_true(reader_end(&r));
	return count;
}

static void readdir_gives_pages_until_the_end(void **state)
{
	struct frame ask;
	struct ask_list m;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_OPENDIR, 1, "d");
	ask = gate_kit_take(&kit, VERB_LIST);
	answer_page(&ask, 0, 3, false);
	struct reader r = hear(FXP_HANDLE, 1);
	(void)read_u32(&r);
	uint64_t handle = read_u64(&r);
	say_handle(FXP_READDIR, 2, handle);
	assert_int_equal(count_names(hear(FXP_NAME, 2)), 3);
	say_handle(FXP_READDIR, 3, handle);
	ask = gate_kit_take(&kit, VERB_LIST);
	assert_ok(ask_list_read(ask.body, &m));
	assert_int_equal(m.cursor, 3);
	answer_page(&ask, 3, 0, false); /* an empty page is not the end */
	ask = gate_kit_take(&kit, VERB_LIST);
	answer_page(&ask, 3, 1, true);
	assert_int_equal(count_names(hear(FXP_NAME, 3)), 1);
	say_handle(FXP_READDIR, 4, handle);
	hear_status(4, FX_EOF, NULL);
	say_handle(FXP_CLOSE, 5, handle);
	hear_status(5, FX_OK, NULL);
	say_handle(FXP_READDIR, 6, handle);
	hear_status(6, FX_FAILURE, NULL);
}

static void readdir_splits_a_long_page(void **state)
{
	struct frame ask;
	unsigned total = 0, answers = 0;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_OPENDIR, 1, "d");
	ask = gate_kit_take(&kit, VERB_LIST);
	answer_page(&ask, 0, 1000, true);
	struct reader r = hear(FXP_HANDLE, 1);
	(void)read_u32(&r);
	uint64_t handle = read_u64(&r);
	while (total < 1000) {
		say_handle(FXP_READDIR, 2, handle);
		r = hear(FXP_NAME, 2);
		assert_true(r.left <= NAMES_FILL);
		total += count_names(r);
		answers++;
	}
	assert_int_equal(total, 1000);
	assert_true(answers > 1);
	say_handle(FXP_READDIR, 3, handle);
	hear_status(3, FX_EOF, NULL);
}

static void readdir_while_one_is_under_way_waits_its_turn(void **state)
{
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_OPENDIR, 1, "d");
	ask = gate_kit_take(&kit, VERB_LIST);
	answer_page(&ask, 0, 1, false);
	struct reader r = hear(FXP_HANDLE, 1);
	(void)read_u32(&r);
	uint64_t handle = read_u64(&r);
	say_handle(FXP_READDIR, 2, handle);
	(void)hear(FXP_NAME, 2);
	say_handle(FXP_READDIR, 3, handle);
	struct writer *w = begin(FXP_READDIR, 4);
	write_u32(w, 8);
	write_u64(w, handle);
	assert_int_equal(feed(), 0);
	assert_int_equal(talk_stalled(talk), TALK_STALL_TURN);
	ask = gate_kit_take(&kit, VERB_LIST);
	answer_page(&ask, 1, 1, true);
	assert_int_equal(feed(), request.w.len);
	assert_int_equal(count_names(hear(FXP_NAME, 3)), 1);
	hear_status(4, FX_EOF, NULL);
}

static void open_beyond_the_limit_is_refused(void **state)
{
	uint64_t handle[FILES_MAX];

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < FILES_MAX; i++)
		handle[i] = open_dir(i);
	say_path(FXP_OPENDIR, 50, "d");
	hear_status(50, FX_FAILURE, "too many open files");
	write_bytes(begin(FXP_OPEN, 51), view_text("f"));
	write_u32(&request.w, FXF_READ);
	write_u32(&request.w, 0);
	say();
	hear_status(51, FX_FAILURE, "too many open files");
	assert_true(gate_kit_silent(&kit));
	say_handle(FXP_CLOSE, 52, handle[1]);
	hear_status(52, FX_OK, NULL);
	assert_true(open_dir(53) != handle[1]); /* a handle is never given twice */
}

static void open_failing_leaves_room(void **state)
{
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < 2 * FILES_MAX; i++) {
		say_path(FXP_OPENDIR, i, "d");
		ask = gate_kit_take(&kit, VERB_LIST);
		gate_kit_refuse(&kit, &ask, E_DENIED, "no");
		hear_status(i, 3, "no");
	}
	assert_int_equal(open_files, 0);
}

static void open_for_reading_passes_the_refusal_on(void **state)
{
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	write_bytes(begin(FXP_OPEN, 1), view_text("f"));
	write_u32(&request.w, FXF_READ);
	write_u32(&request.w, 0);
	say();
	assert_true(view_is(path_asked(VERB_GET_OPEN, &ask), "/zone/f"));
	gate_kit_refuse(&kit, &ask, E_UNFINISHED, "unfinished: resume or remove");
	hear_status(1, FX_FAILURE, "unfinished: resume or remove");
	write_bytes(begin(FXP_OPEN, 2), view_text("f"));
	write_u32(&request.w, 0);
	write_u32(&request.w, 0);
	say();
	hear_status(2, FX_BAD_MESSAGE, NULL);
}

static void open_for_writing_maps_its_flags(void **state)
{
	static const struct {
		uint32_t flags;
		uint8_t put;
	} rows[] = {
	    {FXF_WRITE, 0},
	    {FXF_WRITE | FXF_CREAT, PUT_CREATE},
	    {FXF_WRITE | FXF_CREAT | FXF_TRUNC, PUT_CREATE | PUT_TRUNCATE},
	    {FXF_WRITE | FXF_CREAT | FXF_EXCL, PUT_CREATE | PUT_EXCLUSIVE},
	    {FXF_WRITE | FXF_READ | FXF_CREAT, PUT_CREATE},
	};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ask_put_open m;
		write_bytes(begin(FXP_OPEN, i), view_text("f"));
		write_u32(&request.w, rows[i].flags);
		write_u32(&request.w, 0);
		say();
		struct frame ask = gate_kit_take(&kit, VERB_PUT_OPEN);
		assert_ok(ask_put_open_read(ask.body, &m));
		assert_int_equal(m.flags, rows[i].put);
		assert_true(m.declared == SIZE_UNKNOWN);
		gate_kit_refuse(&kit, &ask, E_TAKEN, "name is taken");
		hear_status(i, FX_FAILURE, "name is taken");
	}
}

static void calls_beyond_the_limit_stall_their_client(void **state)
{
	struct frame asks[CALLS_MAX + 1];

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	for (uint32_t i = 0; i < CALLS_MAX; i++)
		say_path(FXP_STAT, i, "a");
	write_bytes(begin(FXP_STAT, CALLS_MAX), view_text("b"));
	assert_int_equal(feed(), 0);
	assert_int_equal(talk_stalled(talk), TALK_STALL_PEER);
	for (uint32_t i = 0; i < CALLS_MAX; i++)
		(void)path_asked(VERB_STAT, &asks[i]);
	assert_true(gate_kit_silent(&kit));
	wakes = 0;
	answer_attrs(&asks[0], NODE_FILE, 1);
	assert_true(wakes > 0);
	assert_int_equal(feed(), request.w.len);
	(void)path_asked(VERB_STAT, &asks[0]);
}

/* Whoever asks and asks and takes no answers is not listened to any more. */
static void answers_beyond_the_limit_stall_their_client(void **state)
{
	size_t used;
	unsigned taken = 0;

	(void)state;
	say_init();
	write_bytes(begin(FXP_REALPATH, 1), view_text("some/longer/path/to/make/more/of/it"));
	do {
		used = feed();
		taken += used > 0;
		assert_true(taken < OUT_HIGH);
	} while (used);
	assert_int_equal(talk_stalled(talk), TALK_STALL_PEER);
	assert_ok(talk_give(talk, &got));
	assert_true(got.len >= OUT_HIGH && got.len < OUT_HIGH + 1024);
	assert_int_equal(feed(), request.w.len);
}

static void statvfs_is_made_of_the_keep_s_numbers(void **state)
{
	uint8_t body[32];
	struct writer w = writer_of(body, sizeof body);
	const struct answer_space m = {40960, 8192, 3};

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_ext(1, "statvfs@openssh.com", "");
	struct frame ask = gate_kit_take(&kit, VERB_SPACE);
	answer_space_write(&w, &m);
	gate_kit_answer(&kit, &ask, view_of(body, w.len));
	struct reader r = hear(FXP_EXTENDED_REPLY, 1);
	assert_int_equal(read_u64(&r), 4096);
	assert_int_equal(read_u64(&r), 4096);
	assert_int_equal(read_u64(&r), 10);
	assert_int_equal(read_u64(&r), 2);
	assert_int_equal(read_u64(&r), 2);
	uint64_t files = read_u64(&r);
	assert_int_equal(files - read_u64(&r), 3);
	(void)read_raw(&r, 4 * 8);
	assert_true(reader_end(&r));
}

static void users_by_id_knows_who_was_seen(void **state)
{
	struct frame ask;

	(void)state;
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
	say_path(FXP_STAT, 1, "a");
	(void)path_asked(VERB_STAT, &ask);
	answer_attrs(&ask, NODE_FILE, 1);
	(void)hear(FXP_ATTRS, 1);
	struct writer *w = begin(FXP_EXTENDED, 2);
	write_bytes(w, view_text("users-groups-by-id@openssh.com"));
	write_u32(w, 8);
	write_u32(w, 3);
	write_u32(w, 4);
	write_u32(w, 0);
	say();
	struct reader r = hear(FXP_EXTENDED_REPLY, 2);
	assert_int_equal(read_u32(&r), 12);
	assert_true(view_is(read_bytes(&r), "acme"));
	assert_true(view_is(read_bytes(&r), ""));
	assert_int_equal(read_bytes(&r).len, 0);
	assert_true(reader_end(&r));
	w = begin(FXP_EXTENDED, 3);
	write_bytes(w, view_text("users-groups-by-id@openssh.com"));
	write_bytes(w, view_text("123"));
	write_u32(w, 0);
	say();
	hear_status(3, FX_BAD_MESSAGE, NULL);
}

static void end_with_opens_under_way_waits_for_them(void **state)
{
	struct frame put, get, stat;

	(void)state;
	say_init();
	write_bytes(begin(FXP_OPEN, 1), view_text("p"));
	write_u32(&request.w, FXF_WRITE | FXF_CREAT);
	write_u32(&request.w, 0);
	say();
	write_bytes(begin(FXP_OPEN, 2), view_text("g"));
	write_u32(&request.w, FXF_READ);
	write_u32(&request.w, 0);
	say();
	say_path(FXP_STAT, 3, "s");
	put = gate_kit_take(&kit, VERB_PUT_OPEN);
	get = gate_kit_take(&kit, VERB_GET_OPEN);
	stat = gate_kit_take(&kit, VERB_STAT);
	talk_end(TAKE(talk), "gone", on_end, NULL);
	answer_attrs(&stat, NODE_FILE, 1);
	assert_int_equal(ends, 0);
	gate_kit_refuse(&kit, &put, E_DENIED, "no");
	assert_int_equal(ends, 0);
	gate_kit_refuse(&kit, &get, E_DENIED, "no");
	assert_int_equal(ends, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(init_is_answered_with_version_and_extensions),
	    CASE(begin_without_init_is_refused),
	    CASE(begin_with_write_is_refused),
	    CASE(init_again_is_refused),
	    CASE(request_without_an_id_is_refused),
	    CASE(unknown_requests_are_unsupported),
	    CASE(malformed_requests_are_answered_and_ask_nothing),
	    CASE(handles_that_are_none_are_refused),
	    CASE(write_to_no_handle_is_refused_at_its_end),
	    CASE(realpath_asks_nobody),
	    CASE(expand_path_knows_home_and_me),
	    CASE(limits_are_what_is_kept),
	    CASE(stat_answers_out_of_order_go_to_their_ids),
	    CASE(statuses_follow_the_table),
	    CASE(malformed_answer_of_the_keep_is_a_failure),
	    CASE(setstat_of_modes_alone_asks_whether_the_file_is_there),
	    CASE(rename_says_whether_it_may_replace),
	    CASE(readdir_gives_pages_until_the_end),
	    CASE(readdir_splits_a_long_page),
	    CASE(readdir_while_one_is_under_way_waits_its_turn),
	    CASE(open_beyond_the_limit_is_refused),
	    CASE(open_failing_leaves_room),
	    CASE(open_for_reading_passes_the_refusal_on),
	    CASE(open_for_writing_maps_its_flags),
	    CASE(calls_beyond_the_limit_stall_their_client),
	    CASE(answers_beyond_the_limit_stall_their_client),
	    CASE(statvfs_is_made_of_the_keep_s_numbers),
	    CASE(users_by_id_knows_who_was_seen),
	    CASE(end_with_opens_under_way_waits_for_them),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
