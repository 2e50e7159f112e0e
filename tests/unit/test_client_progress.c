/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/text.h"
#include "client/progress.h"

static const uint64_t gib = UINT64_C(1) << 30;

static void line_tells_how_far_it_is(void **state)
{
	const struct progress_view v = {"plan.pdf", 3, 1, 4 * gib, gib, 64 << 20};
	char line[200];

	(void)state;
	progress_line(&v, 100, line, sizeof line);
	assert_string_equal(line,
			    "1/3 files  1 GiB of 4 GiB  25%  64 MiB/s  ETA 0:00:48  plan.pdf");
}

static void line_of_a_stream_has_no_end(void **state)
{
	const struct progress_view v = {"", 1, 0, 0, 1 << 20, 0};
	char line[200];

	(void)state;
	progress_line(&v, 100, line, sizeof line);
	assert_string_equal(line, "1 MiB");
}

static void line_of_the_largest_numbers_fits(void **state)
{
	const struct progress_view v = {"x", UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, 1};
	char line[400];

	(void)state;
	progress_line(&v, 200, line, sizeof line);
	assert_non_null(strstr(line, "100%"));
}

/* Never as wide as the terminal: it would wrap, and could not be taken away. */
static void line_is_narrower_than_the_terminal(void **state)
{
	const char *name = "\xc3\xa4\xc3\xb6/\xe2\x82\xac/very/long/folder/with/a/long/name.tar.gz";
	const struct progress_view v = {name, 10, 2, 4 * gib, gib, 64 << 20};
	char line[400];

	(void)state;
	for (size_t columns = 1; columns < 150; columns++) {
		progress_line(&v, columns, line, sizeof line);
		assert_true(strlen(line) < columns);
		if (columns > 80)
			assert_true(utf8_valid(view_text(line)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_tells_how_far_it_is),
	    cmocka_unit_test(line_of_a_stream_has_no_end),
	    cmocka_unit_test(line_of_the_largest_numbers_fits),
	    cmocka_unit_test(line_is_narrower_than_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
