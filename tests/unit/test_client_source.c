/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <unistd.h>

#include "client/source.h"

enum { SIZE = 700000 };

struct rig {
	struct kit_folder folder;
	char *path;
	uint8_t *content;
	struct source s;
};

static int setup(void **state)
{
	struct rig *r = mem_new(sizeof *r);

	r->folder = kit_folder();
	r->path = mem_printf("%s/file", r->folder.path);
	r->content = mem_new(SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		r->content[i] = (uint8_t)(i * 7 + i / 251);
	assert_ok(sys_replace_file(r->folder.fd, "file", 0600, view_of(r->content, SIZE)));
	assert_ok(source_open(r->path, &r->s));
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	source_done(&r->s);
	mem_free(&r->path);
	mem_free(&r->content);
	kit_folder_done(&r->folder);
	mem_free(&r);
	return 0;
}

static void assert_hash(const struct rig *r)
{
	uint8_t got[SHA256_SIZE], expected[SHA256_SIZE];

	sha256_now(&r->s.hash, got);
	sha256_of(view_of(r->content, SIZE), expected);
	assert_memory_equal(got, expected, SHA256_SIZE);
}

static void read_all(struct rig *r, uint64_t from, size_t piece)
{
	uint8_t *room = mem_new(piece);

	for (uint64_t at = from; at < SIZE;) {
		size_t len = 0;
		assert_ok(source_read(&r->s, at, room, piece, &len));
		assert_memory_equal(room, r->content + at, len);
		at += len;
	}
	mem_free(&room);
}

static void file_is_read_and_hashed(void **state)
{
	struct rig *r = *state;

	read_all(r, 0, 65536);
	assert_hash(r);
}

/* A new run goes on in the middle: what is before is hashed, though not sent. */
static void file_that_is_gone_on_with_is_hashed_whole(void **state)
{
	struct rig *r = *state;

	read_all(r, 300001, 9999);
	assert_hash(r);
}

/* Lost connections: back and forth, each time another way. */
static void file_that_is_read_again_is_hashed_once(void **state)
{
	static const uint64_t back[] = {0, 100, 65536, 65537, 131071, 5, 400000, 399999};
	struct rig *r = *state;
	uint8_t room[50000];
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(back); i++)
		assert_ok(source_read(&r->s, back[i], room, sizeof room, &len));
	read_all(r, 12345, 33333);
	assert_hash(r);
}

static void file_that_grew_is_not_sent_to_its_end(void **state)
{
	struct rig *r = *state;
	uint8_t room[1000];
	size_t len = 0;
	CLEANUP(sys_close) int fd = -1;

	assert_ok(source_read(&r->s, SIZE - 2000, room, sizeof room, &len));
	assert_ok(sys_open(AT_FDCWD, r->path, O_WRONLY | O_APPEND, 0, &fd));
	assert_ok(sys_write_all(fd, "x", 1));
	assert_fails(source_read(&r->s, SIZE - 1000, room, sizeof room, &len), E_INTEGRITY);
	assert_fails(source_check(&r->s), E_INTEGRITY);
	sys_close(&fd);
	assert_fails(source_remove(&r->s), E_INTEGRITY);
}

static void file_that_was_written_to_is_not_sent_to_its_end(void **state)
{
	struct rig *r = *state;
	uint8_t room[1000];
	size_t len = 0;
	CLEANUP(sys_close) int fd = -1;

	assert_ok(sys_open(AT_FDCWD, r->path, O_WRONLY, 0, &fd));
	assert_ok(sys_pwrite_all(fd, "x", 1, 10));
	assert_ok(source_read(&r->s, 0, room, sizeof room, &len));
	assert_fails(source_read(&r->s, SIZE - 1000, room, sizeof room, &len), E_INTEGRITY);
}

/* As programs do that keep what others shall not see: mtime is what it was. */
static void write_and_set_back(const struct rig *r, const char *text)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, r->s.st.st_mtim};
	CLEANUP(sys_close) int fd = -1;

	assert_ok(sys_open(AT_FDCWD, r->path, O_WRONLY, 0, &fd));
	assert_ok(sys_pwrite_all(fd, text, strlen(text), 10));
	assert_int_equal(futimens(fd, times), 0);
}

static void file_whose_time_was_set_back_is_not_sent_to_its_end(void **state)
{
	struct rig *r = *state;
	uint8_t room[1000];
	size_t len = 0;

	assert_ok(source_read(&r->s, 0, room, sizeof room, &len));
	usleep(20000); /* times of files go on in steps */
	write_and_set_back(r, "x");
	assert_fails(source_read(&r->s, SIZE - 1000, room, sizeof room, &len), E_INTEGRITY);
	assert_fails(source_remove(&r->s), E_INTEGRITY);
}

/* Another mode, or another name, is no other content. */
static void file_with_another_mode_is_the_same(void **state)
{
	struct rig *r = *state;

	read_all(r, 0, 65536);
	usleep(20000);
	assert_int_equal(chmod(r->path, 0640), 0);
	assert_ok(source_check(&r->s));
	assert_ok(source_remove(&r->s));
}

static void file_that_is_written_to_is_not_removed(void **state)
{
	struct rig *r = *state;
	CLEANUP(sys_close) int fd = -1;

	read_all(r, 0, 65536);
	assert_ok(sys_open(AT_FDCWD, r->path, O_WRONLY | O_APPEND, 0, &fd));
	assert_fails(source_remove(&r->s), E_TAKEN);
	sys_close(&fd);
	assert_ok(source_remove(&r->s));
}

static void link_is_not_removed(void **state)
{
	struct rig *r = *state;
	CLEANUP(source_done) struct source s = {.fd = -1, .dir = -1};
	CLEANUP(mem_free) char *link = mem_printf("%s/link", r->folder.path);

	assert_int_equal(symlink("file", link), 0);
	assert_ok(source_open(link, &s));
	assert_fails(source_remove(&s), E_USAGE);
	assert_int_equal(access(link, F_OK), 0);
}

static void open_found(const struct rig *r, const char *found, int code)
{
	CLEANUP(source_done) struct source s = {.fd = -1, .dir = -1};
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", r->folder.path, found);

	if (code)
		assert_fails(source_open_found(path, strlen(r->folder.path), &s), code);
	else
		assert_ok(source_open_found(path, strlen(r->folder.path), &s));
}

/* Between the walk and the opening, somebody may put a link in the place of anything. */
static void links_behind_what_was_said_are_not_followed(void **state)
{
	struct rig *r = *state;
	int dir = r->folder.fd;

	open_found(r, "file", 0);
	open_found(r, "/file", 0);
	assert_ok(sys_mkdir(dir, "a", 0700));
	assert_ok(sys_mkdir(dir, "a/b", 0700));
	assert_int_equal(linkat(dir, "file", dir, "a/b/file", 0), 0);
	open_found(r, "a/b/file", 0);
	open_found(r, "a/b/none", E_GONE);
	assert_int_equal(symlinkat("a", dir, "la"), 0);
	open_found(r, "la/b/file", E_INTEGRITY);
	assert_int_equal(symlinkat("b", dir, "a/lb"), 0);
	open_found(r, "a/lb/file", E_INTEGRITY);
	assert_int_equal(symlinkat("file", dir, "a/b/lf"), 0);
	open_found(r, "a/b/lf", E_INTEGRITY);
	open_found(r, "file/b/file", E_INTEGRITY);
	assert_int_equal(mkfifoat(dir, "a/b/fifo", 0600), 0);
	open_found(r, "a/b/fifo", E_USAGE);
}

static void file_that_was_cut_short_is_noticed(void **state)
{
	struct rig *r = *state;
	uint8_t room[1000];
	size_t len = 0;

	assert_int_equal(truncate(r->path, 1000), 0);
	assert_fails(source_read(&r->s, 500, room, sizeof room, &len), E_INTEGRITY);
	assert_fails(source_hash_to(&r->s, SIZE), E_INTEGRITY);
}

static void file_is_removed_only_if_it_is_the_one(void **state)
{
	struct rig *r = *state;

	assert_ok(sys_rename(r->folder.fd, "file", "moved"));
	assert_fails(source_remove(&r->s), E_IO);
	kit_write(&r->folder, "file", "another");
	assert_fails(source_remove(&r->s), E_INTEGRITY);
	assert_int_equal(access(r->path, F_OK), 0);
	assert_ok(sys_rename(r->folder.fd, "moved", "file"));
	assert_ok(source_remove(&r->s));
	assert_int_equal(access(r->path, F_OK), -1);
}

static void source_that_is_no_file_is_refused(void **state)
{
	struct rig *r = *state;
	struct source s = {.fd = -1, .dir = -1};
	CLEANUP(mem_free) char *fifo = mem_printf("%s/fifo", r->folder.path);
	CLEANUP(mem_free) char *none = mem_printf("%s/none", r->folder.path);

	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_fails(source_open(fifo, &s), E_USAGE);
	assert_fails(source_open(r->folder.path, &s), E_USAGE);
	assert_fails(source_open(none, &s), E_GONE);
	assert_fails(source_open("/dev/null", &s), E_USAGE);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(file_is_read_and_hashed),
	    CASE(file_that_is_gone_on_with_is_hashed_whole),
	    CASE(file_that_is_read_again_is_hashed_once),
	    CASE(file_that_grew_is_not_sent_to_its_end),
	    CASE(file_that_was_written_to_is_not_sent_to_its_end),
	    CASE(file_whose_time_was_set_back_is_not_sent_to_its_end),
	    CASE(file_with_another_mode_is_the_same),
	    CASE(file_that_is_written_to_is_not_removed),
	    CASE(link_is_not_removed),
	    CASE(links_behind_what_was_said_are_not_followed),
	    CASE(file_that_was_cut_short_is_noticed),
	    CASE(file_is_removed_only_if_it_is_the_one),
	    CASE(source_that_is_no_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
