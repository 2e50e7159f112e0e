/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "daemon/gate/sftp_path.h"

static const char home[] = "/zone";

static void check(const char *raw, const char *wanted)
{
	size_t len = strlen(raw);
	uint8_t *exact = malloc(len ? len : 1);
	struct path p;

	assert_non_null(exact);
	memcpy(exact, raw, len);
	assert_int_equal(path_resolve(view_text(home), view_of(exact, len), &p), 0);
	assert_string_equal(p.text, wanted);
	assert_int_equal(p.len, strlen(wanted));
	free(exact);
}

static void resolve_absolute_keeps_it(void **state)
{
	(void)state;
	check("/", "/");
	check("/a", "/a");
	check("/a/b c/..d/e..", "/a/b c/..d/e..");
	check("/.a/...", "/.a/...");
}

static void resolve_relative_begins_at_home(void **state)
{
	(void)state;
	check("", "/zone");
	check(".", "/zone");
	check("./", "/zone");
	check("x/y", "/zone/x/y");
	check("~", "/zone/~"); /* shells expand that, and expand-path */
}

static void resolve_dots_goes_up(void **state)
{
	(void)state;
	check("..", "/");
	check("../other", "/other");
	check("a/../b", "/zone/b");
	check("/a/b/../../c", "/c");
	check("/a/./b/.", "/a/b");
}

static void resolve_above_the_top_stays_there(void **state)
{
	(void)state;
	check("/..", "/");
	check("/../../../etc/passwd", "/etc/passwd");
	check("../../../..", "/");
	check("/a/../..//../b", "/b");
}

static void resolve_doubled_slashes_joins_them(void **state)
{
	(void)state;
	check("//", "/");
	check("///a////b//", "/a/b");
	check("a//", "/zone/a");
}

static void resolve_nul_is_refused(void **state)
{
	const uint8_t raw[] = {'/', 'a', 0, 'b'};
	struct path p = {.len = 77};

	(void)state;
	assert_int_equal(path_resolve(view_text(home), view_of(raw, sizeof raw), &p), E_INVALID);
	assert_int_equal(p.len, 77);
	err_clear();
}

static int resolve_length(size_t len, bool absolute)
{
	CLEANUP(mem_free) char *raw = mem_new(len + 1);
	struct path p;

	memset(raw, 'a', len);
	if (absolute)
		raw[0] = '/';
	int rc = path_resolve(view_text(home), view_of(raw, len), &p);
	if (!rc)
		assert_int_equal(p.len, absolute ? len : len + strlen(home) + 1);
	err_clear();
	return rc;
}

static void resolve_too_long_is_refused(void **state)
{
	(void)state;
	assert_int_equal(resolve_length(PATH_LIMIT, true), 0);
	assert_int_equal(resolve_length(PATH_LIMIT + 1, true), E_INVALID);
	assert_int_equal(resolve_length(PATH_LIMIT - 6, false), 0);
	assert_int_equal(resolve_length(PATH_LIMIT - 5, false), E_INVALID);
	assert_int_equal(resolve_length(PATH_LIMIT * 3, true), E_INVALID);
}

/* Only the longest way through it counts, not what was dropped again. */
static void resolve_at_the_limit_then_more_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf raw = {0};
	struct path p;

	(void)state;
	assert_int_equal(buf_reserve(&raw, PATH_LIMIT + 16), 0);
	memset(raw.data, 'a', PATH_LIMIT);
	raw.data[0] = '/';
	raw.len = PATH_LIMIT;
	assert_int_equal(buf_add_text(&raw, "/"), 0);
	assert_int_equal(path_resolve(view_text(home), view_buf(&raw), &p), 0);
	assert_int_equal(buf_add_text(&raw, "b"), 0);
	assert_int_equal(path_resolve(view_text(home), view_buf(&raw), &p), E_INVALID);
	err_clear();
}

static void below_compares_whole_components(void **state)
{
	(void)state;
	assert_true(path_is_below(view_text("/a"), view_text("/a")));
	assert_true(path_is_below(view_text("/a/b"), view_text("/a")));
	assert_true(path_is_below(view_text("/a"), view_text("/")));
	assert_false(path_is_below(view_text("/ab"), view_text("/a")));
	assert_false(path_is_below(view_text("/a"), view_text("/a/b")));
	assert_false(path_is_below(view_text("/b/a"), view_text("/a")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(resolve_absolute_keeps_it),
	    cmocka_unit_test(resolve_relative_begins_at_home),
	    cmocka_unit_test(resolve_dots_goes_up),
	    cmocka_unit_test(resolve_above_the_top_stays_there),
	    cmocka_unit_test(resolve_doubled_slashes_joins_them),
	    cmocka_unit_test(resolve_nul_is_refused),
	    cmocka_unit_test(resolve_too_long_is_refused),
	    cmocka_unit_test(resolve_at_the_limit_then_more_is_refused),
	    cmocka_unit_test(below_compares_whole_components),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
