/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "daemon/gate/sftp.h"
#include "daemon/gate/sftp_attrs.h"

static const int64_t now_s = 1767225600; /* 2026-01-01 */

static struct fxattrs read_exact(const uint8_t *bytes, size_t len, bool *ret_ok)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	struct reader r = reader_of(view_of(exact, len));
	struct fxattrs a = fxattrs_read(&r);
	*ret_ok = reader_end(&r);
	free(exact);
	return a;
}

static void read_written_gives_the_same(void **state)
{
	(void)state;
	for (uint32_t flags = 0; flags < 16; flags++) {
		const struct fxattrs a = {
		    .flags = flags,
		    .size = flags & ATTR_SIZE ? UINT64_MAX : 0,
		    .uid = flags & ATTR_UIDGID ? 1 : 0,
		    .gid = flags & ATTR_UIDGID ? 2 : 0,
		    .permissions = flags & ATTR_PERMISSIONS ? 0100644 : 0,
		    .atime = flags & ATTR_ACMODTIME ? 3 : 0,
		    .mtime = flags & ATTR_ACMODTIME ? 4 : 0,
		};
		uint8_t bytes[64];
		struct writer w = writer_of(bytes, sizeof bytes);
		bool ok = false;

		fxattrs_write(&w, &a);
		struct fxattrs b = read_exact(bytes, w.len, &ok);
		assert_true(ok);
		assert_int_equal(a.flags, b.flags);
		assert_true(a.size == b.size && a.uid == b.uid && a.gid == b.gid);
		assert_true(a.permissions == b.permissions && a.atime == b.atime &&
			    a.mtime == b.mtime);
		for (size_t cut = 0; cut < w.len; cut++) {
			(void)read_exact(bytes, cut, &ok);
			assert_false(ok);
		}
	}
}

static void read_extended_skips_pairs(void **state)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof bytes);
	bool ok = false;

	(void)state;
	write_u32(&w, ATTR_EXTENDED | ATTR_SIZE);
	write_u64(&w, 9);
	write_u32(&w, 2);
	for (int i = 0; i < 2; i++) {
		write_bytes(&w, view_text("type"));
		write_bytes(&w, view_text("data"));
	}
	assert_int_equal(read_exact(bytes, w.len, &ok).size, 9);
	assert_true(ok);
	(void)read_exact(bytes, w.len - 1, &ok);
	assert_false(ok);
}

static void read_false_count_of_pairs_ends_with_the_input(void **state)
{
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof bytes);
	bool ok = true;

	(void)state;
	write_u32(&w, ATTR_EXTENDED);
	write_u32(&w, UINT32_MAX);
	write_u64(&w, 0);
	(void)read_exact(bytes, w.len, &ok);
	assert_false(ok);
}

static struct attrs attrs_with(uint8_t kind, uint8_t rights, int64_t mtime_s)
{
	return (struct attrs){
	    .kind = kind,
	    .rights = rights,
	    .size = 1234,
	    .mtime_s = mtime_s,
	    .owner = 5,
	    .owner_name = view_text("acme"),
	};
}

static void make_from_keep_shows_the_right_to_read_as_mode(void **state)
{
	static const struct {
		uint8_t kind, rights;
		uint32_t mode;
	} rows[] = {
	    {NODE_DIR, 0, 0040300},
	    {NODE_DIR, RIGHT_LIST, 0040700},
	    {NODE_DIR, RIGHTS_ALL, 0040700},
	    {NODE_FILE, 0, 0100200},
	    {NODE_FILE, RIGHT_READ | RIGHT_LIST, 0100600},
	    {NODE_FILE, RIGHTS_ALL, 0100600},
	    {NODE_PARTIAL, RIGHT_WRITE, 0100200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attrs a = attrs_with(rows[i].kind, rows[i].rights, 10);
		struct fxattrs f = fxattrs_of(&a);
		assert_int_equal(f.permissions, rows[i].mode);
		assert_int_equal(f.flags, 15);
		assert_int_equal(f.uid, 5);
		assert_int_equal(f.size, 1234);
	}
}

static void make_from_keep_bounds_times(void **state)
{
	struct attrs a = attrs_with(NODE_FILE, 0, TIME_UNKNOWN);

	(void)state;
	assert_int_equal(fxattrs_of(&a).flags & ATTR_ACMODTIME, 0);
	a.mtime_s = -1;
	assert_int_equal(fxattrs_of(&a).mtime, 0);
	a.mtime_s = (int64_t)UINT32_MAX + 1;
	assert_int_equal(fxattrs_of(&a).mtime, UINT32_MAX);
}

static void check_line(int64_t mtime_s, const char *wanted)
{
	char line[256];
	struct attrs a = attrs_with(NODE_FILE, RIGHT_READ, mtime_s);
	size_t len = fxattrs_line(&a, view_text("a name"), now_s, line, sizeof line);

	assert_string_equal(line, wanted);
	assert_int_equal(len, strlen(wanted));
}

static void line_of_recent_file_shows_the_hour(void **state)
{
	(void)state;
	check_line(now_s - 3600, "-rw-------    1 acme     acme         1234 Dec 31 23:00 a name");
}

static void line_of_old_or_future_file_shows_the_year(void **state)
{
	(void)state;
	check_line(0, "-rw-------    1 acme     acme         1234 Jan  1  1970 a name");
	check_line(now_s + 86400, "-rw-------    1 acme     acme         1234 Jan  2  2026 a name");
}

static void line_without_time_stays_in_its_columns(void **state)
{
	(void)state;
	check_line(TIME_UNKNOWN, "-rw-------    1 acme     acme         1234              a name");
}

static void line_that_is_too_long_is_cut(void **state)
{
	struct attrs a = attrs_with(NODE_DIR, RIGHT_LIST, 0);
	char whole[256];
	size_t full = fxattrs_line(&a, view_text("a name"), now_s, whole, sizeof whole);

	(void)state;
	for (size_t cap = 1; cap <= full + 1; cap++) {
		char *line = malloc(cap);
		assert_non_null(line);
		size_t len = fxattrs_line(&a, view_text("a name"), now_s, line, cap);
		assert_int_equal(len, cap - 1);
		assert_int_equal(strlen(line), len);
		assert_memory_equal(line, whole, len);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_written_gives_the_same),
	    cmocka_unit_test(read_extended_skips_pairs),
	    cmocka_unit_test(read_false_count_of_pairs_ends_with_the_input),
	    cmocka_unit_test(make_from_keep_shows_the_right_to_read_as_mode),
	    cmocka_unit_test(make_from_keep_bounds_times),
	    cmocka_unit_test(line_of_recent_file_shows_the_hour),
	    cmocka_unit_test(line_of_old_or_future_file_shows_the_year),
	    cmocka_unit_test(line_without_time_stays_in_its_columns),
	    cmocka_unit_test(line_that_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
