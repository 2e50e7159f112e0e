/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

static void add_to_an_empty_buffer_holds_the_bytes(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	assert_ok(buf_add(&b, "ab\0c", 4));
	assert_ok(buf_add(&b, NULL, 0));
	assert_ok(buf_add_text(&b, "def"));
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.data, "ab\0cdef", 7);
}

static void add_across_many_growths_keeps_what_was(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	for (unsigned i = 0; i < 70000; i++) {
		uint8_t byte = (uint8_t)(i * 7);
		assert_int_equal(buf_add(&b, &byte, 1), 0);
	}
	for (unsigned i = 0; i < 70000; i++)
		assert_int_equal(b.data[i], (uint8_t)(i * 7));
}

static void reserve_beyond_memory_leaves_the_buffer(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	assert_ok(buf_add_text(&b, "abc"));
	struct buf before = b;
	assert_fails(buf_reserve(&b, SIZE_MAX), E_NOMEM);
	assert_fails(buf_reserve(&b, SIZE_MAX - 2), E_NOMEM);
	assert_fails(buf_reserve(&b, SIZE_MAX / 2), E_NOMEM);
	assert_memory_equal(&b, &before, sizeof b);
	assert_memory_equal(b.data, "abc", 3);
}

static void reserve_makes_room_without_length(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	assert_ok(buf_reserve(&b, 1000));
	assert_int_equal(b.len, 0);
	assert_true(b.cap >= 1000);
	uint8_t *data = b.data;
	memset(b.data, 1, 1000);
	b.len = 1000;
	assert_ok(buf_reserve(&b, b.cap - b.len));
	assert_ptr_equal(b.data, data);
}

static void printf_appends_without_its_nul(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};
	const char *text = NULL;

	(void)state;
	assert_ok(buf_printf(&b, "%s %d", "x", -5));
	assert_ok(buf_printf(&b, "%s", ""));
	assert_ok(buf_printf(&b, "|%0300d", 7));
	assert_int_equal(b.len, 305);
	assert_ok(buf_text(&b, &text));
	assert_int_equal(strlen(text), 305);
	assert_memory_equal(text, "x -5|000", 8);
}

static void text_of_an_empty_buffer_is_empty(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};
	const char *text = NULL;

	(void)state;
	assert_ok(buf_text(&b, &text));
	assert_string_equal(text, "");
	assert_int_equal(b.len, 0);
}

static void eat_of_every_length_leaves_the_rest(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 6; n++) {
		CLEANUP(buf_done) struct buf b = {0};
		assert_ok(buf_add_text(&b, "abcdef"));
		buf_eat(&b, n);
		assert_int_equal(b.len, 6 - n);
		assert_memory_equal(b.data, &"abcdef"[n], 6 - n);
	}
}

static void clear_keeps_memory_and_done_frees_it(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_ok(buf_add_text(&b, "abc"));
	uint8_t *data = b.data;
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_ptr_equal(b.data, data);
	buf_done(&b);
	assert_null(b.data);
	assert_int_equal(b.cap, 0);
	buf_wipe(&b); /* an empty one too */
	assert_ok(buf_add_text(&b, "secret"));
	buf_wipe(&b);
	assert_null(b.data);
}

static void views_compare_by_content(void **state)
{
	(void)state;
	assert_true(view_equal(view_of(NULL, 0), view_text("")));
	assert_true(view_is(view_of("abc", 2), "ab"));
	assert_false(view_is(view_of("abc", 2), "abc"));
	assert_false(view_is(view_of("ab\0", 3), "ab"));
	assert_false(view_equal(view_text("ab"), view_text("ac")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(add_to_an_empty_buffer_holds_the_bytes),
	    cmocka_unit_test(add_across_many_growths_keeps_what_was),
	    cmocka_unit_test(reserve_beyond_memory_leaves_the_buffer),
	    cmocka_unit_test(reserve_makes_room_without_length),
	    cmocka_unit_test(printf_appends_without_its_nul),
	    cmocka_unit_test(text_of_an_empty_buffer_is_empty),
	    cmocka_unit_test(eat_of_every_length_leaves_the_rest),
	    cmocka_unit_test(clear_keeps_memory_and_done_frees_it),
	    cmocka_unit_test(views_compare_by_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
