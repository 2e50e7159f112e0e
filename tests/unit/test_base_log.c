/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <unistd.h>

#include "tests/unit/base_kit.h"

#include "base/log.h"
#include "base/log_journal.h"

/* Standard error is a file while this exists. */
struct capture {
	struct kit_folder folder;
	int saved, fd;
};

static struct capture capture_begin(void)
{
	struct capture c = {.folder = kit_folder()};

	assert_ok(sys_open(c.folder.fd, "err", O_RDWR | O_CREAT | O_APPEND, 0600, &c.fd));
	c.saved = dup(STDERR_FILENO);
	assert_true(c.saved >= 0);
	assert_true(dup2(c.fd, STDERR_FILENO) >= 0);
	unsetenv("JOURNAL_STREAM");
	log_to_stderr();
	log_start("tester", LEVEL_DEBUG);
	return c;
}

static void capture_end(struct capture *c)
{
	assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
	(void)close(c->saved);
	sys_close(&c->fd);
	unsetenv("JOURNAL_STREAM");
	log_to_stderr();
	kit_folder_done(&c->folder);
}

#define CAPTURE CLEANUP(capture_end) struct capture

/* What a file of the folder has, as text. */
static char *content_of(const struct capture *c, const char *name)
{
	CLEANUP(buf_done) struct buf b = {0};

	assert_ok(sys_read_file(c->folder.fd, name, 1 << 22, &b));
	return mem_text_n(b.data, b.len);
}

static void assert_has(const struct capture *c, const char *name, const char *text)
{
	CLEANUP(mem_free) char *all = content_of(c, name);

	if (!strstr(all, text))
		print_error("no '%s' in: %s\n", text, all);
	assert_non_null(strstr(all, text));
}

static void line_has_time_program_process_and_level(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free)
	char *middle = mem_printf("Z tester[%d] warning: disk 5 is full\n", (int)getpid());

	(void)state;
	log_warning("disk %d is full", 5);
	assert_has(&c, "err", middle);
	CLEANUP(mem_free) char *all = content_of(&c, "err");
	assert_int_equal(all[4], '-');
	assert_int_equal(all[10], 'T');
	assert_ptr_equal(strchr(all, '\n'), all + strlen(all) - 1);
}

static void levels_above_the_wanted_are_not_written(void **state)
{
	CAPTURE c = capture_begin();

	(void)state;
	log_set_level(LEVEL_WARNING);
	assert_true(log_wants(LEVEL_ERROR));
	assert_false(log_wants(LEVEL_INFO));
	log_debug("%s", "d");
	log_info("i");
	CLEANUP(mem_free) char *none = content_of(&c, "err");
	assert_string_equal(none, "");
	log_error("e");
	assert_has(&c, "err", "error: e\n");
}

static void what_could_forge_a_line_is_escaped(void **state)
{
	CAPTURE c = capture_begin();

	(void)state;
	log_info("%s", "a\nb\tc\x1b[31m\x7f\xc2\x85 \xc3\xa4 \xff \\x0a");
	assert_has(&c, "err", ": a\\x0ab\\x09c\\x1b[31m\\x7f\\xc2\\x85 \xc3\xa4 \\xff \\x5cx0a\n");
}

static void escape_at_every_capacity_ends_whole(void **state)
{
	static const char text[] = "ab\n\xe2\x82\xac\xff"
				   "cdef";
	char full[64];

	(void)state;
	size_t need = log_escape(text, sizeof text - 1, full, sizeof full);
	assert_string_equal(full, "ab\\x0a\xe2\x82\xac\\xff"
				  "cdef");
	for (size_t cap = 4; cap <= need + 1; cap++) {
		char *out = malloc(cap);
		size_t n = log_escape(text, sizeof text - 1, out, cap);
		assert_true(n < cap && strlen(out) == n);
		if (cap == need + 1) {
			assert_string_equal(out, full);
		} else {
			assert_string_equal(out + n - 3, "...");
			assert_memory_equal(out, full, n - 3);
		}
		free(out);
	}
}

static void message_too_long_is_cut_in_one_line(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free) char *text = mem_printf("%010000d", 1);

	(void)state;
	log_info("%s", text);
	(void)!fail(E_IO, "%s", text);
	log_failure("%s", text);
	CLEANUP(mem_free) char *all = content_of(&c, "err");
	char *end = strchr(all, '\n');
	assert_non_null(end);
	assert_true(end - all < LOG_LINE_MAX + 128);
	assert_string_equal(err_text(), "");
}

static void failure_tells_the_chain_once(void **state)
{
	CAPTURE c = capture_begin();

	(void)state;
	(void)!fail(E_IO, "inner");
	(void)!fail(E_IO, "outer");
	log_failure("reload of '%s'", "x");
	assert_has(&c, "err", "error: reload of 'x': outer: inner\n");
	assert_string_equal(err_text(), "");
}

static void journal_stream_gets_priorities(void **state)
{
	CAPTURE c = capture_begin();
	struct stat st;
	char stream[64];

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_start("tester", LEVEL_DEBUG);
	log_error("one");
	log_warning("two");
	log_info("three");
	log_debug("four");
	CLEANUP(mem_free) char *all = content_of(&c, "err");
	assert_string_equal(all, "<3>one\n<4>two\n<6>three\n<7>four\n");
}

static void journal_stream_of_somewhere_else_is_not_believed(void **state)
{
	CAPTURE c = capture_begin();

	(void)state;
	setenv("JOURNAL_STREAM", "1:2", 1);
	log_start("tester", LEVEL_DEBUG);
	log_error("one");
	assert_has(&c, "err", "] error: one\n");
}

static void file_gets_lines_and_is_opened_again(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free) char *path = mem_printf("%s/log", c.folder.path);

	(void)state;
	assert_ok(log_to(path));
	assert_true(log_fd() > STDERR_FILENO);
	log_info("before");
	assert_ok(sys_rename(c.folder.fd, "log", "log.1"));
	log_info("moved");
	assert_ok(log_reopen());
	log_info("after");
	assert_has(&c, "log.1", "info: before\n");
	assert_has(&c, "log.1", "info: moved\n");
	CLEANUP(mem_free) char *fresh = content_of(&c, "log");
	assert_null(strstr(fresh, "moved"));
	assert_non_null(strstr(fresh, "info: after\n"));
	assert_ok(log_to("stderr"));
	assert_int_equal(log_fd(), STDERR_FILENO);
	log_info("back");
	assert_has(&c, "err", "info: back\n");
	assert_ok(log_reopen());
}

static void file_that_cannot_be_opened_leaves_the_log_as_it_was(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free) char *path = mem_printf("%s/none/log", c.folder.path);

	(void)state;
	assert_fails(log_to(path), E_GONE);
	assert_fails(log_to_file(c.folder.path), E_IO);
	log_info("still here");
	assert_has(&c, "err", "still here");
}

static void file_that_vanished_stays_in_use(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free) char *path = mem_printf("%s/d/log", c.folder.path);

	(void)state;
	assert_ok(sys_mkdir(c.folder.fd, "d", 0700));
	assert_ok(log_to_file(path));
	assert_ok(sys_rename(c.folder.fd, "d", "e"));
	assert_fails(log_reopen(), E_GONE);
	log_info("to the old one");
	assert_has(&c, "e/log", "to the old one");
}

static char sunk[256];

static bool sink(enum log_level level, const char *program, const char *text)
{
	(void)snprintf(sunk, sizeof sunk, "%d %s %s", (int)level, program, text);
	return strcmp(text, "refused") != 0;
}

static void sink_gets_the_text_and_standard_error_what_it_refuses(void **state)
{
	CAPTURE c = capture_begin();

	(void)state;
	log_to_sink(sink);
	log_warning("a\nb");
	assert_string_equal(sunk, "1 tester a\\x0ab");
	log_warning("refused");
	assert_has(&c, "err", "warning: refused\n");
	CLEANUP(mem_free) char *all = content_of(&c, "err");
	assert_null(strstr(all, "x0a"));
}

enum { THREADS = 4, LINES = 500 };

static void *log_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < LINES; i++)
		log_info("begin %d end", i);
	return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
	CAPTURE c = capture_begin();
	CLEANUP(mem_free) char *path = mem_printf("%s/log", c.folder.path);
	pthread_t threads[THREADS];
	int lines = 0;

	(void)state;
	assert_ok(log_to_file(path));
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, log_much, NULL), 0);
	for (int i = 0; i < 50; i++)
		assert_ok(log_reopen());
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	CLEANUP(mem_free) char *all = content_of(&c, "log");
	for (char *line = all, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
		*end = '\0';
		assert_non_null(strstr(line, "info: begin "));
		assert_string_equal(end - 4, " end");
	}
	assert_int_equal(lines, THREADS * LINES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_has_time_program_process_and_level),
	    cmocka_unit_test(levels_above_the_wanted_are_not_written),
	    cmocka_unit_test(what_could_forge_a_line_is_escaped),
	    cmocka_unit_test(escape_at_every_capacity_ends_whole),
	    cmocka_unit_test(message_too_long_is_cut_in_one_line),
	    cmocka_unit_test(failure_tells_the_chain_once),
	    cmocka_unit_test(journal_stream_gets_priorities),
	    cmocka_unit_test(journal_stream_of_somewhere_else_is_not_believed),
	    cmocka_unit_test(file_gets_lines_and_is_opened_again),
	    cmocka_unit_test(file_that_cannot_be_opened_leaves_the_log_as_it_was),
	    cmocka_unit_test(file_that_vanished_stays_in_use),
	    cmocka_unit_test(sink_gets_the_text_and_standard_error_what_it_refuses),
	    cmocka_unit_test(lines_of_threads_do_not_mix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
