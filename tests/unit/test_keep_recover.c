/* SPDX-License-Identifier: Apache-2.0 */
/* The start: what it clears up, sets aside, records, and what stops it. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/chores.h"
#include "keep_asks.h"

static const char path[] = "/acme/incoming/report";

/* In order, so that the catalog knows all that the log has. */
static void restart(struct scene *s)
{
	fake_gate_free(s->gate);
	live_settle(&s->live);
	do { /* records may have come to the log behind the last note */
		chore_note(s->live.keep, NULL);
		live_settle(&s->live);
	} while (audit_lags_behind(s->live.keep->audit));
	live_close(&s->live);
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

static void scan(struct scene *s)
{
	recover_blobs(s->live.keep);
	live_settle(&s->live);
}

static int count_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

static size_t lost(struct scene *s)
{
	size_t n = 0;

	assert_good(blobs_each_lost(s->live.keep->blobs, count_one, &n));
	return n;
}

static bool exists(struct scene *s, const char *dir, const uint8_t blob[ID_SIZE], const char *end)
{
	char hex[2 * ID_SIZE + 1];
	struct stat st;

	hex_encode(blob, ID_SIZE, hex);
	CLEANUP(mem_free)
	char *name = strcmp(dir, "blobs") ? mem_printf("%s/%s%s", dir, hex, end)
					  : mem_printf("blobs/%.2s/%s%s", hex, hex, end);
	return fstatat(live_state(&s->live), name, &st, 0) == 0;
}

static void make_blob(struct scene *s, uint8_t first, uint8_t last, uint8_t ret_blob[ID_SIZE])
{
	CLEANUP(sys_close) int fd = -1;

	memset(ret_blob, first, ID_SIZE);
	ret_blob[ID_SIZE - 1] = last;
	assert_good(blobs_make(s->live.keep->blobs, ret_blob, view_text("lost"), &fd));
}

/* ---- blobs ---- */

static void orderly_start_finds_nothing_and_records_nothing(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 10), 0, "");
	put_whole(s->gate, s->session, "/acme/incoming/other", model, 100);
	struct upload v = put_opened(s->gate, s->session, "/acme/incoming/third", PUT_CREATE);
	scan(s);
	upload_done(&v);
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, v.m.put, .code = 1), 0, "");
	restart(s);
	scan(s);
	assert_int_equal(count_records(&s->live, "recovery"), 0);
	assert_int_equal(lost(s), 0);
	expect_partial(s->gate, s->session, path, CHUNK + 10);
}

static void blobs_without_a_row_are_set_aside_and_recorded(void **state)
{
	struct scene *s = *state;
	uint8_t one[ID_SIZE], two[ID_SIZE];
	CLEANUP(sys_close) int fd = -1;

	put_whole(s->gate, s->session, path, model, 100);
	make_blob(s, 0x00, 1, one);
	make_blob(s, 0xff, 2, two);
	assert_good(blobs_save_state(s->live.keep->blobs, two, view_text("state")));
	restart(s);
	assert_true(exists(s, "lost+found", two, ".resume"));
	assert_false(exists(s, "uploads", two, ""));
	scan(s);
	assert_true(exists(s, "lost+found", one, "") && exists(s, "lost+found", two, ""));
	assert_false(exists(s, "blobs", one, "") || exists(s, "blobs", two, ""));
	assert_int_equal(lost(s), 3);
	expect_record(
	    &s->live, "recovery", "detail",
	    "{\"records\":0,\"uploads\":0,\"states\":1,\"blobs\":2,\"ids\":["
	    "\"00000000000000000000000000000001\",\"ffffffffffffffffffffffffffffff02\"]}");
	expect_content(s->gate, session_of_sam(s), path, model, 100);
	/* It is not done again, and nothing is put over what is there. */
	make_blob(s, 0xff, 2, two);
	restart(s);
	scan(s);
	assert_int_equal(count_records(&s->live, "recovery"), 2);
	assert_true(exists(s, "lost+found", two, "") && exists(s, "lost+found", two, ".1"));
	scan(s);
	assert_int_equal(lost(s), 4);
	assert_good(sys_open(live_state(&s->live), "lost+found", O_RDONLY, 0, &fd));
	for (int i = 0; i < 2; i++) {
		assert_good(sys_unlink(fd, i ? "ffffffffffffffffffffffffffffff02.1"
					     : "ffffffffffffffffffffffffffffff02"));
	}
	assert_good(sys_unlink(fd, "ffffffffffffffffffffffffffffff02.resume"));
	assert_good(sys_unlink(fd, "00000000000000000000000000000001"));
}

static void more_blobs_of_one_folder_than_go_at_once_all_go(void **state)
{
	struct scene *s = *state;
	uint8_t id[ID_SIZE];

	for (unsigned i = 0; i < 600; i++) {
		CLEANUP(sys_close) int fd = -1;
		memset(id, 0x42, sizeof id);
		id[1] = (uint8_t)(i >> 8);
		id[2] = (uint8_t)i;
		assert_good(blobs_make(s->live.keep->blobs, id, view_text("x"), &fd));
	}
	scan(s);
	assert_int_equal(lost(s), 600);
	assert_int_equal(s->live.keep->found.blobs, 600);
	assert_int_equal(count_records(&s->live, "recovery"), 1);
	for (unsigned i = 0; i < 600; i++) {
		char name[64] = "lost+found/";
		id[1] = (uint8_t)(i >> 8);
		id[2] = (uint8_t)i;
		hex_encode(id, sizeof id, name + 11);
		assert_good(sys_unlink(live_state(&s->live), name));
	}
}

/* What is made while the search goes on has its row first. */
static void uploads_during_the_search_keep_their_blobs(void **state)
{
	struct scene *s = *state;

	for (int round = 0; round < 20; round++) {
		recover_blobs(s->live.keep);
		put_whole(s->gate, s->session, path, model, 100);
		struct upload u = put_opened(s->gate, s->session, "/acme/incoming/two",
					     PUT_CREATE | PUT_TRUNCATE);
		upload_done(&u);
		expect_answer(ASK(s->gate, put_drop, PUT_DROP, u.m.put, .code = 1), 0, "");
		live_settle(&s->live);
	}
	assert_int_equal(lost(s), 0);
	assert_int_equal(count_records(&s->live, "recovery"), 0);
	expect_content(s->gate, session_of_sam(s), path, model, 100);
}

/* The pool has looked, and then the blob gets a row. */
static void blob_that_has_a_row_by_now_stays(void **state)
{
	struct scene *s = *state;
	struct catalog *c = s->live.keep->catalog;
	uint8_t blob[ID_SIZE];

	make_blob(s, 0x00, 1, blob);
	recover_blobs(s->live.keep);
	(void)poll(NULL, 0, 300); /* the loop does not run */
	assert_good(catalog_begin(c));
	assert_good(catalog_doomed_add(c, blob));
	assert_good(catalog_commit(c));
	live_settle(&s->live);
	assert_true(exists(s, "blobs", blob, ""));
	assert_int_equal(lost(s), 0);
	sweep_start(s->live.keep);
	live_settle(&s->live);
	assert_false(exists(s, "blobs", blob, ""));
}

/* ---- resume states ---- */

static void leftovers_in_uploads_go(void **state)
{
	struct scene *s = *state;
	struct upload_row row;
	uint8_t nobody[ID_SIZE] = {7};
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 10), 0, "");
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	struct upload v = put_opened(s->gate, s->session, path, 0);
	put_seal(&v, model, 1, 2);
	/* more is durable: the state is of no use any more */
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, v.m.put, .durable = 2 * CHUNK), 0, "");
	upload_done(&v);
	assert_good(blobs_save_state(s->live.keep->blobs, nobody, view_text("state")));
	assert_good(sys_replace_file(live_state(&s->live), "uploads/123.new", 0600,
				     view_text("half of it")));
	assert_true(exists(s, "uploads", row.blob, "") && exists(s, "uploads", nobody, ""));
	restart(s);
	assert_false(exists(s, "uploads", row.blob, "") || exists(s, "uploads", nobody, ""));
	struct stat st;
	assert_int_equal(fstatat(live_state(&s->live), "uploads/123.new", &st, 0), -1);
	assert_int_equal(s->live.keep->found.states, 2);
	assert_int_equal(lost(s), 0);
	expect_partial(s->gate, s->session, path, 2 * CHUNK);
}

static void make_leftover(struct scene *s, const char *hex, const char *end)
{
	CLEANUP(mem_free) char *name = mem_printf("uploads/%s%s", hex, end);
	CLEANUP(sys_close) int fd = -1;

	assert_good(sys_open(live_state(&s->live), name, O_WRONLY | O_CREAT, 0600, &fd));
}

/* A crash may leave a state and what was to replace it. A folder may list the older or the newer
 * one first, so there are both. */
static void state_that_goes_takes_its_successor_along(void **state)
{
	enum { MANY = 8 };
	struct scene *s = *state;
	uint8_t nobody[ID_SIZE] = {7};
	char hex[2 * ID_SIZE + 1];

	for (uint8_t i = 0; i < MANY; i++) {
		nobody[1] = i;
		hex_encode(nobody, ID_SIZE, hex);
		make_leftover(s, hex, i % 2 ? "" : ".new");
		make_leftover(s, hex, i % 2 ? ".new" : "");
	}
	restart(s);
	assert_int_equal(s->live.keep->found.states, MANY);
	for (uint8_t i = 0; i < MANY; i++) {
		nobody[1] = i;
		assert_false(exists(s, "uploads", nobody, "") ||
			     exists(s, "uploads", nobody, ".new"));
	}
}

/* ---- the catalog ---- */

static off_t wal_size(struct scene *s)
{
	CLEANUP(mem_free) char *file = mem_printf("%s/state/catalog.db-wal", s->live.dir);
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	return st.st_size;
}

/* What a crash left in it is in the database before anything is served. */
static void write_ahead_log_is_moved_into_the_catalog(void **state)
{
	struct scene *s = *state;
	int status = 0;

	fake_gate_free(s->gate);
	live_close(&s->live);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		live_open(&s->live);
		s->gate = fake_gate_ready(&s->live);
		s->session = gate_log_in(s->gate, &s->anna);
		for (int i = 0; i < 10; i++)
			put_whole(s->gate, s->session, path, model, 100);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	off_t before = wal_size(s);
	live_open(&s->live);
	assert_true(wal_size(s) < before / 4);
	assert_true(s->live.keep->found.records > 0);
	scan(s);
	assert_int_equal(count_records(&s->live, "recovery"), 1);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	expect_content(s->gate, session_of_sam(s), path, model, 100);
}

/* ---- the log ---- */

static void flip(struct scene *s, const char *name, uint64_t at)
{
	CLEANUP(mem_free) char *file = mem_printf("%s/state/%s", s->live.dir, name);
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_good(sys_open(AT_FDCWD, file, O_RDWR, 0, &fd));
	assert_good(sys_pread_all(fd, &byte, 1, at));
	byte ^= 1;
	assert_good(sys_pwrite_all(fd, &byte, 1, at));
}

static void expect_no_start(struct scene *s, const char *said)
{
	struct keep *keep = NULL;
	CLEANUP(buf_done) struct buf messages = {0};
	CLEANUP(mem_free) char *file = mem_printf("%s/messages", s->live.dir);
	const char *text = NULL;

	assert_int_equal(keep_open(s->live.conf, &keep), E_INTEGRITY);
	assert_non_null(strstr(err_text(), "dropkeepctl audit verify --log /"));
	assert_non_null(strstr(err_text(), "/state/log"));
	assert_good(buf_add_text(&messages, err_text()));
	err_clear();
	assert_good(sys_read_file(AT_FDCWD, file, 1 << 20, &messages));
	assert_good(buf_text(&messages, &text));
	if (!strstr(text, said))
		print_message("# %s\n", text);
	assert_non_null(strstr(text, said));
	assert_good(sys_unlink(AT_FDCWD, file));
}

static void log_that_was_changed_anywhere_stops_the_start(void **state)
{
	struct scene *s = *state;
	CLEANUP(mem_free) char *file = mem_printf("%s/state/log/checkpoint", s->live.dir);
	CLEANUP(buf_done) struct buf old = {0};

	for (int i = 0; i < 30; i++)
		put_whole(s->gate, s->session, path, model, 10);
	live_settle(&s->live);
	assert_good(sys_read_file(AT_FDCWD, file, 1 << 16, &old));
	put_whole(s->gate, s->session, path, model, 10);
	fake_gate_free(s->gate);
	live_close(&s->live);
	flip(s, "log/records-000000.jsonl", 20);
	expect_no_start(s, "records-000000.jsonl: record 0 is not what the tree holds");
	flip(s, "log/records-000000.jsonl", 20);
	flip(s, "log/records-000000.jsonl", 5000);
	expect_no_start(s, "is not what the tree holds");
	flip(s, "log/records-000000.jsonl", 5000);
	flip(s, "log/checkpoint", 30);
	expect_no_start(s, "the checkpoint does not verify");
	flip(s, "log/checkpoint", 30);
	CLEANUP(buf_done) struct buf fresh = {0};
	assert_good(sys_read_file(AT_FDCWD, file, 1 << 16, &fresh));
	assert_good(sys_replace_file(AT_FDCWD, file, 0600, view_buf(&old)));
	expect_no_start(s, "the checkpoint is older than what the catalog knows");
	assert_good(sys_replace_file(AT_FDCWD, file, 0600, view_buf(&fresh)));
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(orderly_start_finds_nothing_and_records_nothing),
	    IN_A_SCENE(blobs_without_a_row_are_set_aside_and_recorded),
	    IN_A_SCENE(more_blobs_of_one_folder_than_go_at_once_all_go),
	    IN_A_SCENE(uploads_during_the_search_keep_their_blobs),
	    IN_A_SCENE(blob_that_has_a_row_by_now_stays),
	    IN_A_SCENE(leftovers_in_uploads_go),
	    IN_A_SCENE(state_that_goes_takes_its_successor_along),
	    IN_A_SCENE(write_ahead_log_is_moved_into_the_catalog),
	    IN_A_SCENE(log_that_was_changed_anywhere_stops_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
