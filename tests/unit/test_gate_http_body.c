/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include <stdlib.h>

#include "daemon/gate/http_body.h"

struct outcome {
	enum http_problem problem;
	bool ended;
	size_t used;
	struct buf content;
};

/* In pieces of `step` bytes, each in a buffer of its own and of its size. */
static struct outcome take(const struct http_head *h, const char *text, size_t step)
{
	struct outcome o = {0};
	size_t len = strlen(text);
	struct body b;

	body_begin(&b, h);
	while (!o.problem && !b.ended && o.used < len) {
		size_t n = len - o.used < step ? len - o.used : step, used = 0, content = 0;
		uint8_t *exact = malloc(n);
		memcpy(exact, text + o.used, n);
		o.problem = body_take(&b, exact, n, &used, &content);
		assert_true(used <= n && content <= used);
		assert_ok(buf_add(&o.content, exact, content));
		free(exact);
		o.used += used;
	}
	o.ended = b.ended;
	return o;
}

static const struct http_head chunks = {.chunked = true};

static void chunks_give_their_content(void **state)
{
	static const struct {
		const char *text, *content;
		size_t behind;
	} cases[] = {
	    {"0\r\n\r\n", "", 0},
	    {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
	    {"5\r\nhello\r\n6\r\n\r\n\r\nxx\r\n0\r\n\r\nGET", "hello\r\n\r\nxx", 3},
	    {"00A\r\n0123456789\r\n000\r\n\r\n", "0123456789", 0},
	    {"5;a=b\r\nhello\r\n0\r\nX: y\r\nZ: \r\n\r\n", "hello", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 1; step <= strlen(cases[i].text); step++) {
			struct outcome o = take(&chunks, cases[i].text, step);
			assert_int_equal(o.problem, PROBLEM_NONE);
			assert_true(o.ended);
			assert_int_equal(o.used, strlen(cases[i].text) - cases[i].behind);
			assert_true(view_is(view_buf(&o.content), cases[i].content));
			buf_done(&o.content);
		}
}

static void malformed_chunks_are_refused(void **state)
{
	static const char *const bad[] = {
	    "5\nhello\r\n0\r\n\r\n",
	    "5\r\nhello\n0\r\n\r\n",
	    "5\r\nhello\r\n0\n\r\n",
	    "5\r\nhello\r\n0\r\n\n",
	    "5\r\nhello\r\n0\r\nX: y\n\r\n",
	    "5\r\rhello\r\n0\r\n\r\n",
	    "5\r\nhelloX\r\n0\r\n\r\n",
	    "5\r\nhell\r\n0\r\n\r\n",
	    "0x5\r\nhello\r\n0\r\n\r\n",
	    "+5\r\nhello\r\n0\r\n\r\n",
	    "-5\r\nhello\r\n0\r\n\r\n",
	    "\r\n5\r\nhello\r\n0\r\n\r\n",
	    "g\r\n",
	    ";a\r\n",
	    "fffffffffffffffff\r\nhello",
	    "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",
	    "5\x01\r\nhello\r\n0\r\n\r\n",
	    "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
	    "5\r\nhello\r\n0\r\nX: \x01y\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		for (size_t step = 1; step <= strlen(bad[i]); step++) {
			struct outcome o = take(&chunks, bad[i], step);
			if (o.problem != PROBLEM_MALFORMED)
				print_message("# %s in steps of %zu\n", bad[i], step);
			assert_int_equal(o.problem, PROBLEM_MALFORMED);
			buf_done(&o.content);
		}
}

static void framing_is_bounded(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_ok(buf_add_text(&b, "5;"));
	while (b.len < BODY_FRAMING_MAX)
		assert_ok(buf_add_text(&b, "aaaaaaaa"));
	assert_ok(buf_add_text(&b, "\r\nhello\r\n0\r\n\r\n"));
	const char *text;
	assert_ok(buf_text(&b, &text));
	struct outcome o = take(&chunks, text, 1000);
	assert_int_equal(o.problem, PROBLEM_MALFORMED);
	buf_done(&o.content);
	buf_done(&b);
}

static void length_ends_the_body(void **state)
{
	const struct http_head h = {.has_length = true, .length = 5}, none = {0};

	(void)state;
	for (size_t step = 1; step <= 8; step++) {
		struct outcome o = take(&h, "helloGET", step);
		assert_int_equal(o.problem, PROBLEM_NONE);
		assert_true(o.ended && o.used == 5 && view_is(view_buf(&o.content), "hello"));
		buf_done(&o.content);
	}
	struct outcome o = take(&none, "GET", 3);
	assert_true(o.ended && o.used == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(chunks_give_their_content),
	    cmocka_unit_test(malformed_chunks_are_refused),
	    cmocka_unit_test(framing_is_bounded),
	    cmocka_unit_test(length_ends_the_body),
	};

	return cmocka_run_group_tests_name("gate_http_body", tests, NULL, NULL);
}
