/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include <stdlib.h>

#include "daemon/gate/http_head.h"

/* Find and read a head in an exact-size buffer; *h borrows from *memory. */
static enum http_problem read_head(const char *text, struct http_head *h, char **memory)
{
	size_t len = strlen(text), skip = 0, found = 0;
	char *exact = malloc(len + !len);

	memcpy(exact, text, len);
	*memory = exact;
	enum http_problem p = head_find(view_of(exact, len), 0, &skip, &found);
	if (p)
		return p;
	assert_true(found);
	return head_read(view_of(exact + skip, found), h);
}

static void find_tells_the_same_however_it_comes(void **state)
{
	static const char text[] = "\r\nGET / HTTP/1.1\r\nHost: h\r\nX: y\r\n\r\nbehind";
	size_t whole = sizeof text - 1 - 6;

	(void)state;
	for (size_t step = 1; step < sizeof text; step++) {
		size_t seen = 0, skip = 9, len = 0;
		for (size_t have = step; !len; have += step) {
			have = have < sizeof text - 1 ? have : sizeof text - 1;
			uint8_t *exact = malloc(have);
			memcpy(exact, text, have);
			assert_int_equal(head_find(view_of(exact, have), seen, &skip, &len), 0);
			assert_true(have >= whole ? len == whole - 2 && skip == 2 : len == 0);
			free(exact);
			seen = have;
		}
	}
}

static void find_refuses_lines_that_end_otherwise(void **state)
{
	static const char *const bad[] = {"GET / HTTP/1.1\n",
					  "GET / HTTP/1.1\rX",
					  "\nGET",
					  "\rGET",
					  "GET / HTTP/1.1\r\n\n",
					  "GET \x01",
					  "GET / HTTP/1.1\r\nX: \x7f"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t skip, len;
		assert_int_equal(head_find(view_text(bad[i]), 0, &skip, &len), PROBLEM_MALFORMED);
		/* the offence may be cut in two */
		for (size_t cut = 1; cut < strlen(bad[i]); cut++) {
			enum http_problem p = head_find(view_of(bad[i], cut), 0, &skip, &len);
			if (!p)
				p = head_find(view_text(bad[i]), cut, &skip, &len);
			assert_int_equal(p, PROBLEM_MALFORMED);
		}
	}
}

static void find_bounds_line_and_head(void **state)
{
	size_t skip, len;
	struct buf b = {0};

	(void)state;
	assert_ok(buf_add_text(&b, "GET /"));
	while (b.len <= HEAD_LINE_MAX)
		assert_ok(buf_add_text(&b, "aaaaaaaa"));
	assert_int_equal(head_find(view_buf(&b), 0, &skip, &len), PROBLEM_TARGET_TOO_LONG);
	buf_clear(&b);
	assert_ok(buf_add_text(&b, "GET / HTTP/1.1\r\n"));
	while (b.len <= HEAD_MAX)
		assert_ok(buf_add_text(&b, "X: aaaaaaaa\r\n"));
	assert_int_equal(head_find(view_buf(&b), 0, &skip, &len), PROBLEM_HEADERS_TOO_LARGE);
	buf_done(&b);
}

static void read_takes_a_request_apart(void **state)
{
	struct http_head h;
	char *memory;

	(void)state;
	assert_int_equal(
	    read_head("PUT /files/a%20b?x=1&y HTTP/1.1\r\nHost: h\r\nCoNtEnT-LeNgTh: \t42 "
		      "\r\nX:\r\nExpect: 100-Continue\r\nx: second\r\n\r\n",
		      &h, &memory),
	    PROBLEM_NONE);
	assert_int_equal(h.method, METHOD_PUT);
	assert_true(view_is(h.path, "/files/a%20b") && view_is(h.query, "x=1&y"));
	assert_true(h.has_length && h.length == 42 && !h.chunked && h.wants_continue);
	assert_true(h.keeps_connection && h.minor == 1 && h.fields == 5);
	const struct view *x = head_find_field(&h, "x");
	assert_true(x && x->len == 0);
	x = head_next_field(&h, "x", x);
	assert_true(x && view_is(*x, "second") && !head_next_field(&h, "x", x));
	assert_null(head_find_field(&h, "y"));
	free(memory);
}

static void read_knows_all_methods(void **state)
{
	static const struct {
		const char *text;
		enum http_method method;
	} cases[] = {{"GET", METHOD_GET},   {"HEAD", METHOD_HEAD},      {"PUT", METHOD_PUT},
		     {"POST", METHOD_POST}, {"PATCH", METHOD_PATCH},    {"DELETE", METHOD_DELETE},
		     {"MOVE", METHOD_MOVE}, {"OPTIONS", METHOD_OPTIONS}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(mem_free)
		char *text = mem_printf("%s / HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].text);
		struct http_head h;
		char *memory;
		assert_int_equal(read_head(text, &h, &memory), PROBLEM_NONE);
		assert_int_equal(h.method, cases[i].method);
		free(memory);
	}
}

/* Those that llhttp knows, those that it does not, those of other protocols that it knows; whatever
 * they are about. And what is no method is no HTTP. */
static void read_of_another_method_is_unsupported_and_of_none_malformed(void **state)
{
	static const char *const others[] = {
	    "TRACE", "PROPFIND", "CONNECT",  "LOCK",
	    "BREW",  "get",      "Get",      "GETX",
	    "GE",    "X",        "DESCRIBE", "SOURCE",
	    "PRI",   "M-SEARCH", "QUERY",    "!#$%&'*+-.^_`|~09az"};
	static const char *const none[] = {"", "G(T", "GET:", "G\"ET", "\x80", "G\x7fT", "{}", "/"};
	static const char *const targets[] = {"/", "*", "h:1", "https://h/x", "x#y", "?"};
	static const char *const versions[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/2.0",
					       "http/1.1", "RTSP/1.0", "ICE/1.0",  "HTTP/1.11"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others) + ARRAY_LEN(none); i++)
		for (size_t k = 0; k < ARRAY_LEN(targets) * ARRAY_LEN(versions); k++) {
			bool is = i < ARRAY_LEN(others);
			size_t version = k / ARRAY_LEN(targets);
			CLEANUP(mem_free)
			char *text = mem_printf("%s %s %s\r\nHost: h\r\n\r\n",
						is ? others[i] : none[i - ARRAY_LEN(others)],
						targets[k % ARRAY_LEN(targets)], versions[version]);
			struct http_head h;
			char *memory;
			enum http_problem p = read_head(text, &h, &memory);
			if (is && version < 2)
				assert_int_equal(p, PROBLEM_UNSUPPORTED);
			else
				assert_true(p == PROBLEM_MALFORMED || p == PROBLEM_VERSION);
			free(memory);
		}
}

static void read_refuses_what_can_be_read_in_two_ways(void **state)
{
#define AT  "POST / HTTP/1.1\r\nHost: h\r\n"
#define END "\r\n\r\n"
	static const char *const bad[] = {
	    AT "Content-Length: 1\r\nTransfer-Encoding: chunked" END,
	    AT "Content-Length: 1\r\nContent-Length: 1" END,
	    AT "Content-Length: 1,1" END,
	    AT "Content-Length: +1" END,
	    AT "Content-Length: 1 1" END,
	    AT "Content-Length: 0x1" END,
	    AT "Content-Length: 1000000000000000000000" END,
	    AT "Content-Length:" END,
	    AT "Content-Length : 1" END,
	    AT " X: 1" END,
	    AT "X: 1\r\n y" END,
	    AT "X" END,
	    AT ": 1" END,
	    AT "X(: 1" END,
	    AT "Host: h" END,
	    "POST / HTTP/1.1\r\nX: y" END,
	    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked" END,
	    "POST  / HTTP/1.1\r\nHost: h" END,
	    "POST /\tHTTP/1.1\r\nHost: h" END,
	    "POST / x HTTP/1.1\r\nHost: h" END,
	    "POST x HTTP/1.1\r\nHost: h" END,
	    "POST /#x HTTP/1.1\r\nHost: h" END,
	    "POST * HTTP/1.1\r\nHost: h" END,
	    "POST https://h HTTP/1.1\r\nHost: h" END,
	    "POST http://h/ HTTP/1.1\r\nHost: h" END,
	    "BREW / HTTP/1.1\r\nX" END,
	    "OPTIONS / RTSP/1.0\r\nHost: h" END,
	    "GET / http/1.1\r\nHost: h" END,
	    "GET / HTTP/1\r\nHost: h" END,
	    "GET / HTTP/11\r\nHost: h" END,
	    "BREW  / HTTP/1.1\r\nHost: h" END,
	    "POST https:///files/x HTTP/1.1\r\nHost: h" END,
	    "POST https://h?q=/files/x HTTP/1.1\r\nHost: h" END,
	    "POST https://u@h/files/x HTTP/1.1\r\nHost: h" END,
	    "POST / HTTP/1.1\r\nHost: a b" END,
	    "POST / HTTP/1.1\r\nHost: h/files" END,
	    "POST / HTTP/1.1\r\nHost: u@h" END,
	    "POST / HTTP/1.1\r\nHost: h, i" END,
	    "POST / HTTP/1.1\r\nHost: h?" END,
	    "POST / HTTP/1.0\r\nHost: h\"" END,
	    "POST /\r\nHost: h" END,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_head h;
		char *memory;
		enum http_problem p = read_head(bad[i], &h, &memory);
		if (p != PROBLEM_MALFORMED)
			print_message("# %s: %d\n", bad[i], (int)p);
		assert_int_equal(p, PROBLEM_MALFORMED);
		free(memory);
	}
}

static void read_tells_what_it_does_not_do(void **state)
{
	static const struct {
		const char *text;
		enum http_problem problem;
	} cases[] = {
	    {AT "Transfer-Encoding: gzip" END, PROBLEM_UNSUPPORTED},
	    {AT "Expect: more" END, PROBLEM_EXPECTATION},
	    {AT "Expect: 100-continue\r\nExpect: 100-continue" END, PROBLEM_EXPECTATION},
	    {"GET / HTTP/1.2\r\nHost: h" END, PROBLEM_VERSION},
	    {"GET / HTTP/2.0\r\nHost: h" END, PROBLEM_VERSION},
	    {"GET / HTTP/0.9\r\nHost: h" END, PROBLEM_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_head h;
		char *memory;
		assert_int_equal(read_head(cases[i].text, &h, &memory), cases[i].problem);
		free(memory);
	}
}

static void list_finds_tokens(void **state)
{
	(void)state;
	assert_true(list_has(view_text("a, B ,c"), "b"));
	assert_true(list_has(view_text("close"), "CLOSE"));
	assert_false(list_has(view_text("closed, a close"), "close"));
	assert_false(list_has(view_text(""), "close"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(find_tells_the_same_however_it_comes),
	    cmocka_unit_test(find_refuses_lines_that_end_otherwise),
	    cmocka_unit_test(find_bounds_line_and_head),
	    cmocka_unit_test(read_takes_a_request_apart),
	    cmocka_unit_test(read_knows_all_methods),
	    cmocka_unit_test(read_of_another_method_is_unsupported_and_of_none_malformed),
	    cmocka_unit_test(read_refuses_what_can_be_read_in_two_ways),
	    cmocka_unit_test(read_tells_what_it_does_not_do),
	    cmocka_unit_test(list_finds_tokens),
	};

	return cmocka_run_group_tests_name("gate_http_head", tests, NULL, NULL);
}
