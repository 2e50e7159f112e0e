/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/lines.h"

#include <stdio.h>

#include "keep_kit.h"

struct seen {
	struct buf text; /* the lines, each with a newline */
	size_t count, stop_at;
};

static int visit(void *arg, struct view line)
{
	struct seen *s = arg;

	assert_null(line.len ? memchr(line.data, '\n', line.len) : NULL);
	assert_good(buf_add(&s->text, line.data, line.len));
	assert_good(buf_add_text(&s->text, "\n"));
	return ++s->count == s->stop_at ? 42 : 0;
}

static void write_lines(const struct kit *kit, uint64_t file, struct view text)
{
	char name[RECORDS_NAME];

	lines_file_name(file, name);
	assert_good(sys_replace_file(kit->fd, name, 0600, text));
}

/* What was written comes back, and nothing else. */
static void expect(const struct kit *kit, struct view text, uint64_t bytes, size_t count)
{
	struct seen s = {.count = 0};

	assert_good(lines_read(kit->fd, 0, bytes, visit, &s));
	assert_int_equal(s.count, count);
	assert_true(view_equal(view_buf(&s.text), view_of(text.data, (size_t)bytes)));
	buf_done(&s.text);
}

static void name_has_six_digits_or_more(void **state)
{
	char name[RECORDS_NAME];

	(void)state;
	lines_file_name(7, name);
	assert_string_equal(name, "records-000007.jsonl");
	lines_file_name(1234567, name);
	assert_string_equal(name, "records-1234567.jsonl");
	lines_file_name(UINT64_MAX, name);
	assert_string_equal(name, "records-18446744073709551615.js");
}

static void read_gives_each_line_up_to_the_end_asked_for(void **state)
{
	const struct kit *kit = *state;
	struct view text = view_text("one\n\nthree\nfour\n");

	write_lines(kit, 0, text);
	expect(kit, text, 0, 0);
	expect(kit, text, 4, 1);
	expect(kit, text, 5, 2);
	expect(kit, text, 11, 3);
	expect(kit, text, 16, 4);
}

static void read_that_ends_within_a_line_is_refused(void **state)
{
	const struct kit *kit = *state;

	write_lines(kit, 0, view_text("one\ntwo\n"));
	for (uint64_t bytes = 1; bytes < 8; bytes++) {
		struct seen s = {.count = 0};
		if (bytes != 4)
			assert_refused(lines_read(kit->fd, 0, bytes, visit, &s), E_INTEGRITY);
		buf_done(&s.text);
	}
}

static void read_of_a_file_that_is_short_or_missing_is_refused(void **state)
{
	const struct kit *kit = *state;
	struct seen s = {.count = 0};

	write_lines(kit, 0, view_text("one\n"));
	assert_refused(lines_read(kit->fd, 0, 5, visit, &s), E_INTEGRITY);
	assert_refused(lines_read(kit->fd, 1, 4, visit, &s), E_GONE);
	buf_done(&s.text);
}

static void read_stops_where_the_visitor_says(void **state)
{
	const struct kit *kit = *state;
	struct seen s = {.stop_at = 2};

	write_lines(kit, 0, view_text("one\ntwo\nthree\n"));
	assert_int_equal(lines_read(kit->fd, 0, 14, visit, &s), 42);
	assert_int_equal(s.count, 2);
	buf_done(&s.text);
}

/* Lines of all lengths lie across the borders of the steps in which a file is read. */
static void read_of_many_lines_is_whole_whatever_their_length(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf text = {0};
	size_t count = 0;

	for (size_t len = 0; text.len < 3 << 20; len = (len * 7 + 13) % LINE_BYTES_MAX) {
		assert_good(buf_reserve(&text, len + 1));
		memset(text.data + text.len, 'a' + (int)(len % 26), len);
		text.data[text.len + len] = '\n';
		text.len += len + 1;
		count++;
	}
	write_lines(kit, 0, view_buf(&text));
	expect(kit, view_buf(&text), text.len, count);
}

/* The longest line passes at every place of a file, one byte more at none. */
static void read_of_a_line_that_is_too_long_is_refused_wherever_it_stands(void **state)
{
	const struct kit *kit = *state;

	for (size_t before = 0; before < 600 * 1024; before += 37 * 1024) {
		CLEANUP(buf_done) struct buf text = {0};
		struct seen s = {.count = 0};
		assert_good(buf_reserve(&text, before + LINE_BYTES_MAX + 2));
		memset(text.data, 'x', before + LINE_BYTES_MAX + 2);
		for (size_t i = 999; i < before; i += 1000)
			text.data[i] = '\n';
		if (before)
			text.data[before - 1] = '\n';
		text.data[before + LINE_BYTES_MAX] = '\n';
		write_lines(kit, 0, view_of(text.data, before + LINE_BYTES_MAX + 1));
		assert_good(lines_read(kit->fd, 0, before + LINE_BYTES_MAX + 1, visit, &s));
		text.data[before + LINE_BYTES_MAX] = 'x';
		text.data[before + LINE_BYTES_MAX + 1] = '\n';
		write_lines(kit, 0, view_of(text.data, before + LINE_BYTES_MAX + 2));
		assert_refused(lines_read(kit->fd, 0, before + LINE_BYTES_MAX + 2, visit, &s),
			       E_INTEGRITY);
		buf_done(&s.text);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name_has_six_digits_or_more),
	    CASE(read_gives_each_line_up_to_the_end_asked_for),
	    CASE(read_that_ends_within_a_line_is_refused),
	    CASE(read_of_a_file_that_is_short_or_missing_is_refused),
	    CASE(read_stops_where_the_visitor_says),
	    CASE(read_of_many_lines_is_whole_whatever_their_length),
	    CASE(read_of_a_line_that_is_too_long_is_refused_wherever_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
