/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "tests/unit/base_kit.h"

static int open_new(const struct kit_folder *f, const char *name)
{
	int fd = -1;

	assert_ok(sys_open(f->fd, name, O_RDWR | O_CREAT | O_EXCL, 0600, &fd));
	return fd;
}

static void open_of_what_is_missing_says_gone(void **state)
{
	FOLDER f = kit_folder();
	int fd = -7;

	(void)state;
	assert_fails(sys_open(f.fd, "a", O_RDONLY, 0, &fd), E_GONE);
	assert_fails(sys_open(f.fd, "no/such", O_RDWR | O_CREAT, 0600, &fd), E_GONE);
	kit_write(&f, "a", "x");
	assert_fails(sys_open(f.fd, "a", O_RDWR | O_CREAT | O_EXCL, 0600, &fd), E_EXISTS);
	assert_fails(sys_open(f.fd, "a/b", O_RDONLY, 0, &fd), E_IO);
	assert_fails(sys_open(f.fd, ".", O_WRONLY, 0, &fd), E_IO);
	assert_int_equal(fd, -7);
}

static void descriptors_are_close_on_exec(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(sys_close) int fd = open_new(&f, "a");

	(void)state;
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void close_forgets_the_descriptor(void **state)
{
	FOLDER f = kit_folder();
	int fd = open_new(&f, "a");

	(void)state;
	sys_close(&fd);
	assert_int_equal(fd, -1);
	sys_close(&fd);
}

static void what_was_written_is_read_back(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(sys_close) int fd = open_new(&f, "a");
	char back[8] = "";
	uint64_t size = 0;
	size_t got = 77;

	(void)state;
	assert_ok(sys_write_all(fd, "abcdef", 6));
	assert_ok(sys_pwrite_all(fd, "XY", 2, 5));
	assert_ok(sys_pwrite_all(fd, NULL, 0, 100));
	assert_ok(sys_sync_data(fd));
	assert_ok(sys_sync(fd));
	assert_ok(sys_size(fd, &size));
	assert_int_equal(size, 7);
	assert_ok(sys_pread_all(fd, back, 7, 0));
	assert_string_equal(back, "abcdeXY");
	assert_ok(sys_pread_some(fd, back, 8, 5, &got));
	assert_int_equal(got, 2);
	assert_ok(sys_pread_some(fd, back, 8, 7, &got));
	assert_int_equal(got, 0);
	assert_ok(sys_truncate(fd, 3));
	assert_ok(sys_size(fd, &size));
	assert_int_equal(size, 3);

	struct stat st;
	assert_ok(sys_allocate(fd, 100000));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 100000);
	assert_true(st.st_blocks * 512 >= 100000);
	assert_ok(sys_allocate(fd, 10)); /* nothing goes */
	assert_ok(sys_size(fd, &size));
	assert_int_equal(size, 100000);
}

static void read_past_the_end_is_an_integrity_error(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(sys_close) int fd = open_new(&f, "a");
	char back[8];

	(void)state;
	assert_ok(sys_write_all(fd, "abc", 3));
	assert_fails(sys_pread_all(fd, back, 4, 0), E_INTEGRITY);
	assert_fails(sys_pread_all(fd, back, 1, 3), E_INTEGRITY);
	assert_fails(sys_pread_all(fd, back, 1, 1 << 30), E_INTEGRITY);
	assert_ok(sys_pread_all(fd, back, 0, 1 << 30));
}

static void calls_on_a_closed_descriptor_fail(void **state)
{
	char byte;
	uint64_t n = 5;
	bool none = true;

	(void)state;
	assert_fails(sys_write_all(-1, "a", 1), E_IO);
	assert_fails(sys_pwrite_all(-1, "a", 1, 0), E_IO);
	assert_fails(sys_pread_all(-1, &byte, 1, 0), E_IO);
	assert_fails(sys_sync_data(-1), E_IO);
	assert_fails(sys_sync(-1), E_IO);
	assert_fails(sys_size(-1, &n), E_IO);
	assert_fails(sys_truncate(-1, 0), E_IO);
	assert_fails(sys_allocate(-1, 1), E_IO);
	assert_fails(sys_free_space(-1, &n), E_IO);
	assert_fails(sys_no_writer(-1, &none), E_IO);
	assert_int_equal(n, 5);
}

static void write_to_a_full_disk_says_full(void **state)
{
	CLEANUP(sys_close) int fd = -1;

	(void)state;
	assert_ok(sys_open(AT_FDCWD, "/dev/full", O_WRONLY, 0, &fd));
	assert_fails(sys_write_all(fd, "a", 1), E_FULL);
}

static void folders_are_made_and_removed(void **state)
{
	FOLDER f = kit_folder();

	(void)state;
	assert_ok(sys_mkdir(f.fd, "d", 0700));
	assert_fails(sys_mkdir(f.fd, "d", 0700), E_EXISTS);
	assert_fails(sys_mkdir(f.fd, "x/d", 0700), E_GONE);
	kit_write(&f, "d/a", "x");
	assert_fails(sys_rmdir(f.fd, "d"), E_NOT_EMPTY);
	assert_fails(sys_unlink(f.fd, "d"), E_IO);
	assert_ok(sys_unlink(f.fd, "d/a"));
	assert_fails(sys_unlink(f.fd, "d/a"), E_GONE);
	assert_ok(sys_sync_dir(f.fd, "d"));
	assert_ok(sys_rmdir(f.fd, "d"));
	assert_fails(sys_rmdir(f.fd, "d"), E_GONE);
	assert_fails(sys_sync_dir(f.fd, "d"), E_GONE);
}

static void rename_replaces_and_tells_what_is_missing(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	kit_write(&f, "a", "1");
	kit_write(&f, "b", "2");
	assert_ok(sys_rename(f.fd, "a", "b"));
	assert_fails(sys_rename(f.fd, "a", "b"), E_GONE);
	assert_ok(sys_read_file(f.fd, "b", 10, &b));
	assert_true(view_is(view_buf(&b), "1"));
}

static void read_file_keeps_to_its_limit(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(buf_done) struct buf b = {0};

	(void)state;
	kit_write(&f, "a", "0123456789");
	kit_write(&f, "empty", "");
	assert_ok(buf_add_text(&b, "before "));
	assert_ok(sys_read_file(f.fd, "a", 10, &b));
	assert_true(view_is(view_buf(&b), "before 0123456789"));
	assert_fails(sys_read_file(f.fd, "a", 9, &b), E_LIMIT);
	assert_fails(sys_read_file(f.fd, "a", 0, &b), E_LIMIT);
	assert_ok(sys_read_file(f.fd, "empty", 0, &b));
	assert_fails(sys_read_file(f.fd, "none", 10, &b), E_GONE);
	assert_fails(sys_read_file(f.fd, ".", 10, &b), E_IO);
	assert_true(view_is(view_buf(&b), "before 0123456789"));
}

static void replace_file_leaves_one_file_with_its_mode(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(buf_done) struct buf b = {0};
	struct stat st;

	(void)state;
	assert_ok(sys_replace_file(f.fd, "a", 0600, view_text("old")));
	assert_ok(sys_replace_file(f.fd, "a", 0600, view_text("newer")));
	assert_ok(sys_read_file(f.fd, "a", 10, &b));
	assert_true(view_is(view_buf(&b), "newer"));
	assert_int_equal(fstatat(f.fd, "a.new", &st, 0), -1);
	assert_int_equal(fstatat(f.fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_ok(sys_mkdir(f.fd, "d", 0700));
	assert_ok(sys_replace_file(f.fd, "d/a", 0600, view_text("x")));
	assert_fails(sys_replace_file(f.fd, "no/a", 0600, view_text("x")), E_GONE);
	assert_fails(sys_replace_file(f.fd, "d", 0600, view_text("x")), E_IO);
}

/* What a crash has left of an earlier try may have more bytes and another mode. */
static void replace_file_over_a_left_over_is_not_fooled(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(sys_close) int fd = -1;
	struct stat st;

	(void)state;
	assert_ok(sys_open(f.fd, "a.new", O_WRONLY | O_CREAT, 0644, &fd));
	assert_ok(sys_write_all(fd, "left over from before", 21));
	assert_ok(sys_replace_file(f.fd, "a", 0600, view_text("key")));
	assert_ok(sys_read_file(f.fd, "a", 100, &b));
	assert_true(view_is(view_buf(&b), "key"));
	assert_int_equal(fstatat(f.fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void no_writer_sees_writers_of_every_kind(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(sys_close) int writer = open_new(&f, "a");
	CLEANUP(sys_close) int reader = -1;
	bool none = true;

	(void)state;
	assert_ok(sys_open(f.fd, "a", O_RDONLY, 0, &reader));
	int rc = sys_no_writer(reader, &none);
	if (rc == E_UNSUPPORTED) {
		err_clear();
		skip();
	}
	assert_ok(rc);
	assert_false(none);
	CLEANUP(sys_close) int copy = dup(writer);
	sys_close(&writer);
	none = true;
	assert_ok(sys_no_writer(reader, &none));
	assert_false(none);
	sys_close(&copy);
	assert_ok(sys_no_writer(reader, &none));
	assert_true(none);
	/* the lease is released: the next writer does not wait */
	assert_ok(sys_open(f.fd, "a", O_WRONLY | O_NONBLOCK, 0, &writer));
}

static void free_space_is_some(void **state)
{
	FOLDER f = kit_folder();
	uint64_t bytes = 0;

	(void)state;
	assert_ok(sys_free_space(f.fd, &bytes));
	assert_true(bytes > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open_of_what_is_missing_says_gone),
	    cmocka_unit_test(descriptors_are_close_on_exec),
	    cmocka_unit_test(close_forgets_the_descriptor),
	    cmocka_unit_test(what_was_written_is_read_back),
	    cmocka_unit_test(read_past_the_end_is_an_integrity_error),
	    cmocka_unit_test(calls_on_a_closed_descriptor_fail),
	    cmocka_unit_test(write_to_a_full_disk_says_full),
	    cmocka_unit_test(folders_are_made_and_removed),
	    cmocka_unit_test(rename_replaces_and_tells_what_is_missing),
	    cmocka_unit_test(read_file_keeps_to_its_limit),
	    cmocka_unit_test(replace_file_leaves_one_file_with_its_mode),
	    cmocka_unit_test(replace_file_over_a_left_over_is_not_fooled),
	    cmocka_unit_test(no_writer_sees_writers_of_every_kind),
	    cmocka_unit_test(free_space_is_some),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
