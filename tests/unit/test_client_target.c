/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <dirent.h>
#include <unistd.h>

#include "client/target.h"

static const char content[] = "what is fetched";
enum { SIZE = sizeof content - 1 };

static void hash_of(const char *text, uint8_t ret_hash[SHA256_SIZE])
{
	sha256_of(view_text(text), ret_hash);
}

static int open_at(const struct kit_folder *f, const char *name, struct target *t)
{
	uint8_t hash[SHA256_SIZE];
	int dir = -1;

	hash_of(content, hash);
	assert_ok(target_folder(f->fd, "", &dir));
	return target_open(dir, name, hash, SIZE, t);
}

static int finish(struct target *t, bool replace)
{
	uint8_t hash[SHA256_SIZE];

	hash_of(content, hash);
	return target_finish(t, hash, 1700000000, replace);
}

static unsigned count(const struct kit_folder *f)
{
	DIR *d = opendir(f->path);
	const struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(d);
	return n;
}

static void assert_content(const struct kit_folder *f, const char *name, const char *text)
{
	CLEANUP(buf_done) struct buf b = {0};

	assert_ok(sys_read_file(f->fd, name, 1000, &b));
	assert_true(view_is(view_buf(&b), text));
}

static void file_appears_when_it_is_whole(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1};
	struct stat st;

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_ok(target_write(&t, content, SIZE));
	assert_int_equal(fstatat(f.fd, "a", &st, 0), -1);
	assert_ok(finish(&t, false));
	assert_content(&f, "a", content);
	assert_int_equal(fstatat(f.fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1700000000);
	assert_int_equal(count(&f), 1);
}

static void file_is_gone_on_with(void **state)
{
	FOLDER f = kit_folder();
	struct target t = {.dir = -1, .fd = -1};

	(void)state;
	for (size_t i = 0; i < SIZE; i++) {
		assert_ok(open_at(&f, "a", &t));
		assert_int_equal(t.have, i);
		assert_ok(target_write(&t, content + i, 1));
		target_done(&t);
	}
	assert_ok(open_at(&f, "a", &t));
	assert_ok(finish(&t, false));
	target_done(&t);
	assert_content(&f, "a", content);
}

static void file_with_another_hash_is_gone(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1};

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_ok(target_write(&t, "what is fetcheD", SIZE));
	assert_fails(finish(&t, true), E_INTEGRITY);
	assert_int_equal(count(&f), 0);
}

static void file_that_is_too_long_begins_anew(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1};

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_ok(target_write(&t, content, SIZE));
	assert_ok(target_write(&t, "x", 1));
	target_done(&t);
	assert_ok(open_at(&f, "a", &t));
	assert_int_equal(t.have, 0);
}

static void file_of_another_process_is_left_alone(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1}, other = {.dir = -1, .fd = -1};

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_fails(open_at(&f, "a", &other), E_TAKEN);
}

/* Two files with the same content are no rivals. */
static void file_of_equal_content_has_a_temporary_file_of_its_own(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1}, other = {.dir = -1, .fd = -1};

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_ok(open_at(&f, "b", &other));
	assert_string_not_equal(t.temporary, other.temporary);
}

static void file_that_came_meanwhile_is_not_replaced(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1};

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	assert_ok(target_write(&t, content, SIZE));
	kit_write(&f, "a", "mine");
	assert_fails(finish(&t, false), E_EXISTS);
	assert_content(&f, "a", "mine");
	assert_ok(finish(&t, true));
	assert_content(&f, "a", content);
}

/* Whoever can write into the folder puts something where the temporary file would be. */
static void temporary_file_of_another_is_refused(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(target_done) struct target t = {.dir = -1, .fd = -1};
	char name[80];

	(void)state;
	assert_ok(open_at(&f, "a", &t));
	(void)snprintf(name, sizeof name, "%s", t.temporary);
	target_done(&t);
	assert_ok(sys_unlink(f.fd, name));
	kit_write(&f, "precious", "");
	assert_int_equal(symlinkat("precious", f.fd, name), 0);
	assert_fails(open_at(&f, "a", &t), E_IO);
	assert_ok(sys_unlink(f.fd, name));
	assert_int_equal(linkat(f.fd, "precious", f.fd, name, 0), 0);
	assert_fails(open_at(&f, "a", &t), E_INVALID);
	assert_ok(sys_unlink(f.fd, name));
	assert_int_equal(mkfifoat(f.fd, name, 0600), 0);
	assert_fails(open_at(&f, "a", &t), E_INVALID);
	assert_content(&f, "precious", "");
}

static void folders_are_made_and_entered(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(sys_close) int dir = -1, again = -1;

	(void)state;
	assert_ok(target_folder(f.fd, "a/b/c", &dir));
	assert_ok(sys_replace_file(dir, "x", 0600, view_text("x")));
	assert_content(&f, "a/b/c/x", "x");
	assert_ok(target_folder(f.fd, "a/b/c", &again));
}

static void folder_that_leads_out_is_refused(void **state)
{
	static const char *const bad[] = {"..",   "a/..", "a/../..", ".",      "a/./b",
					  "/etc", "//",   "a//b",    "a/\x1b", "\xff"};
	FOLDER f = kit_folder();
	FOLDER outside = kit_folder();
	int dir = -1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(target_folder(f.fd, bad[i], &dir), E_INTEGRITY);
	assert_int_equal(symlinkat(outside.path, f.fd, "link"), 0);
	assert_fails(target_folder(f.fd, "link", &dir), E_NOT_DIR);
	assert_fails(target_folder(f.fd, "link/sub", &dir), E_NOT_DIR);
	kit_write(&f, "file", "x");
	assert_fails(target_folder(f.fd, "file", &dir), E_NOT_DIR);
	assert_int_equal(count(&outside), 0);
	assert_int_equal(dir, -1);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct target t = {.dir = -1, .fd = -1};
		if (strcmp(bad[i], "a//b") != 0)
			assert_fails(open_at(&f, bad[i], &t), E_INTEGRITY);
	}
}

static void what_stands_there_is_told_apart(void **state)
{
	FOLDER f = kit_folder();
	enum target_there there = TARGET_OTHER;
	uint8_t hash[SHA256_SIZE];

	(void)state;
	hash_of(content, hash);
	assert_ok(target_look(f.fd, "a", SIZE, hash, &there));
	assert_int_equal(there, TARGET_FREE);
	kit_write(&f, "a", content);
	assert_ok(target_look(f.fd, "a", SIZE, hash, &there));
	assert_int_equal(there, TARGET_EQUAL);
	kit_write(&f, "a", "what is fetcheD");
	assert_ok(target_look(f.fd, "a", SIZE, hash, &there));
	assert_int_equal(there, TARGET_OTHER);
	assert_int_equal(symlinkat("a", f.fd, "link"), 0);
	assert_fails(target_look(f.fd, "link", SIZE, hash, &there), E_INVALID);
	assert_int_equal(mkfifoat(f.fd, "fifo", 0600), 0);
	assert_fails(target_look(f.fd, "fifo", SIZE, hash, &there), E_INVALID);
	assert_ok(sys_mkdir(f.fd, "dir", 0700));
	assert_fails(target_look(f.fd, "dir", SIZE, hash, &there), E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(file_appears_when_it_is_whole),
	    cmocka_unit_test(file_is_gone_on_with),
	    cmocka_unit_test(file_with_another_hash_is_gone),
	    cmocka_unit_test(file_that_is_too_long_begins_anew),
	    cmocka_unit_test(file_of_another_process_is_left_alone),
	    cmocka_unit_test(file_of_equal_content_has_a_temporary_file_of_its_own),
	    cmocka_unit_test(file_that_came_meanwhile_is_not_replaced),
	    cmocka_unit_test(temporary_file_of_another_is_refused),
	    cmocka_unit_test(folders_are_made_and_entered),
	    cmocka_unit_test(folder_that_leads_out_is_refused),
	    cmocka_unit_test(what_stands_there_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
