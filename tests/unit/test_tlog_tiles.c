/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tlog_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "tlog/tiles.h"

enum { LEAVES = 70000 };

static struct tlog_hash *leaves; /* of all tests */

/* On both sides of the borders of tiles of level 0, 1 and 2. */
static const size_t borders[] = {1,     2,     255,   256,   257,   511,   512,   513,   768,
				 65279, 65280, 65281, 65535, 65536, 65537, 65792, 65793, 70000};

static int set_up(void **state)
{
	struct kit_folder *f = mem_new(sizeof *f);

	*f = kit_folder_new();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	kit_folder_done(*state);
	free(*state);
	return 0;
}

static struct tlog_tiles *open_at(const struct kit_folder *f, size_t size)
{
	struct tlog_tiles *t = NULL;
	struct tlog_hash root = kit_root(leaves, size);

	assert_ok(tlog_tiles_open(f->fd, size, &root, &t));
	assert_int_equal(tlog_tiles_size(t), size);
	return t;
}

static void assert_root(struct tlog_tiles *t, size_t size)
{
	struct tlog_hash root, expected = kit_root(leaves, size);

	assert_int_equal(tlog_tiles_size(t), size);
	assert_ok(tlog_tiles_root(t, &root));
	assert_hash_equal(&root, &expected);
}

static void grow_to(struct tlog_tiles *t, size_t size)
{
	size_t from = (size_t)tlog_tiles_size(t);

	assert_ok(tlog_tiles_append(t, leaves + from, size - from));
}

static void assert_included(struct tlog_tiles *t, size_t index, size_t size)
{
	struct tlog_hash root;
	struct tlog_path path;
	struct tlog_source from = tlog_tiles_source(t);

	assert_ok(tlog_root(&from, size, &root));
	assert_ok(tlog_tiles_prove_inclusion(t, index, size, &path));
	assert_ok(tlog_verify_inclusion(&leaves[index], index, size, &root, &path));
}

/* Proofs from and to both sides of every border that the tree has passed. */
static void assert_proofs(struct tlog_tiles *t)
{
	size_t size = (size_t)tlog_tiles_size(t);
	struct tlog_hash root, old;
	struct tlog_path path;
	struct tlog_source from = tlog_tiles_source(t);

	assert_ok(tlog_tiles_root(t, &root));
	for (size_t i = 0; i < ARRAY_LEN(borders) && borders[i] <= size; i++) {
		assert_included(t, borders[i] - 1, size);
		assert_included(t, borders[i] / 2, borders[i]);
		assert_ok(tlog_root(&from, borders[i], &old));
		assert_ok(tlog_tiles_prove_consistency(t, borders[i], size, &path));
		assert_ok(tlog_verify_consistency(borders[i], &old, size, &root, &path));
	}
}

static void append_one_by_one_has_the_roots_of_recursion(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);

	for (size_t n = 1; n <= 800; n++) {
		grow_to(t, n);
		assert_root(t, n);
	}
	assert_proofs(t);
	tlog_tiles_free(&t);
	assert_null(t);
}

/* Each border is a batch; after each the log is opened again, as written and as synced. */
static void append_across_borders_and_reopen_goes_on(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);

	for (size_t i = 0; i < ARRAY_LEN(borders); i++) {
		grow_to(t, borders[i]);
		assert_root(t, borders[i]);
		assert_proofs(t);
		if (i % 2)
			assert_ok(tlog_tiles_sync(t));
		else
			assert_ok(tlog_tiles_write(t));
		assert_proofs(t);
		tlog_tiles_free(&t);
		t = open_at(*state, borders[i]);
		assert_proofs(t);
	}
	tlog_tiles_free(&t);
}

static void append_all_at_once_gives_the_same_tree(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);

	grow_to(t, LEAVES);
	assert_root(t, LEAVES);
	assert_proofs(t);
	assert_ok(tlog_tiles_sync(t));
	assert_proofs(t);
	tlog_tiles_free(&t);
	t = open_at(*state, LEAVES);
	for (size_t i = 0; i < LEAVES; i += 97)
		assert_included(t, i, LEAVES);
	tlog_tiles_free(&t);
}

static void append_nothing_changes_nothing(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);

	assert_ok(tlog_tiles_append(t, NULL, 0));
	assert_root(t, 0);
	assert_ok(tlog_tiles_sync(t));
	assert_int_equal(faccessat(((struct kit_folder *)*state)->fd, "tile", F_OK, 0), -1);
	tlog_tiles_free(&t);
}

struct names {
	char *name[512];
	size_t n;
};

static void note_name(const char *path, void *arg)
{
	struct names *names = arg;

	assert_true(names->n < ARRAY_LEN(names->name));
	names->name[names->n++] = mem_text(path);
}

static void names_done(struct names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	names->n = 0;
}

static bool names_have(const struct names *names, const char *path)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->name[i], path) == 0)
			return true;
	return false;
}

/* tlog-tiles: "a tree of size 70,000 will be represented by 273 full level 0 tiles, one
 * partial level 0 tile of width 112, one full level 1 tile, one partial level 1 tile of
 * width 17, and one partial level 2 tile of width 1." */
static void sync_of_70000_leaves_writes_the_files_of_the_specification(void **state)
{
	CLEANUP(names_done) struct names names = {.n = 0};
	struct tlog_tiles *t = open_at(*state, 0);

	grow_to(t, 70000);
	assert_ok(tlog_tiles_sync(t));
	kit_each_file(*state, note_name, &names);
	assert_int_equal(names.n, 273 + 1 + 1 + 1 + 1);
	assert_true(names_have(&names, "tile/0/000"));
	assert_true(names_have(&names, "tile/0/272"));
	assert_true(names_have(&names, "tile/0/273.p/112"));
	assert_true(names_have(&names, "tile/1/000"));
	assert_true(names_have(&names, "tile/1/001.p/17"));
	assert_true(names_have(&names, "tile/2/000.p/1"));
	tlog_tiles_free(&t);
}

/* "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile
 * of width 1." */
static void sync_of_256_leaves_writes_no_empty_tile(void **state)
{
	CLEANUP(names_done) struct names names = {.n = 0};
	struct tlog_tiles *t = open_at(*state, 0);

	for (size_t n = 1; n <= 256; n++) {
		grow_to(t, n);
		assert_ok(tlog_tiles_write(t));
	}
	assert_ok(tlog_tiles_sync(t));
	kit_each_file(*state, note_name, &names);
	assert_int_equal(names.n, 2);
	assert_true(names_have(&names, "tile/0/000"));
	assert_true(names_have(&names, "tile/1/000.p/1"));
	tlog_tiles_free(&t);
}

static void write_keeps_the_tiles_of_every_size_until_the_full_one(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	for (size_t n = 1; n <= 300; n++) {
		grow_to(t, n);
		assert_ok(tlog_tiles_write(t));
		if (n % 37 == 0)
			assert_ok(tlog_tiles_sync(t));
		/* Another thread's handle at each size that has been written. */
		struct tlog_tiles *other = open_at(f, n);
		assert_included(other, n - 1, n);
		tlog_tiles_free(&other);
	}
	for (size_t n = 257; n <= 300; n++) {
		char path[64];
		(void)snprintf(path, sizeof path, "tile/0/001.p/%zu", n - 256);
		assert_int_equal(faccessat(f->fd, path, F_OK, 0), 0);
	}
	tlog_tiles_free(&t);
}

/* What is not synced may be torn by a crash: here all of it is, to nothing. */
static struct names durable;
static int crashed_fd;

static void tear_unless_durable(const char *path, void *arg)
{
	CLEANUP(sys_close) int fd = -1;

	(void)arg;
	if (names_have(&durable, path))
		return;
	assert_ok(sys_open(crashed_fd, path, O_WRONLY, 0, &fd));
	assert_ok(sys_truncate(fd, 0));
}

static void crash_at(const struct kit_folder *f, size_t synced, size_t written)
{
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, synced);
	assert_ok(tlog_tiles_sync(t));
	kit_each_file(f, note_name, &durable);
	for (size_t n = synced; n < written; n += 100) {
		grow_to(t, n + 100 < written ? n + 100 : written);
		assert_ok(tlog_tiles_write(t));
	}
	tlog_tiles_free(&t);
	crashed_fd = f->fd;
	kit_each_file(f, tear_unless_durable, NULL);
	names_done(&durable);
}

static void reopen_after_crash_has_what_was_synced_and_grows_again(void **state)
{
	static const size_t sizes[][2] = {{1, 300},     {255, 600},     {256, 257},    {300, 301},
					  {1000, 1500}, {65500, 65600}, {65536, 66100}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(kit_folder_done) struct kit_folder f = kit_folder_new();
		size_t synced = sizes[i][0], written = sizes[i][1];
		crash_at(&f, synced, written);
		struct tlog_tiles *t = open_at(&f, synced);
		assert_proofs(t);
		grow_to(t, written);
		assert_root(t, written);
		assert_ok(tlog_tiles_sync(t));
		tlog_tiles_free(&t);
		t = open_at(&f, written);
		assert_proofs(t);
		tlog_tiles_free(&t);
	}
}

static void reopen_at_every_smaller_size_grows_to_the_same_tree(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, 600);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	/* In descending steps, so that each finds longer and shorter tiles of the others. */
	for (size_t n = 601; n-- > 0;) {
		t = open_at(f, n);
		assert_root(t, n);
		grow_to(t, 601);
		assert_root(t, 601);
		assert_ok(tlog_tiles_write(t));
		tlog_tiles_free(&t);
	}
}

static void reopen_at_a_size_between_writes_its_partial_tiles(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, 600);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	assert_int_equal(faccessat(f->fd, "tile/0/001.p/44", F_OK, 0), -1);
	t = open_at(f, 300);
	assert_ok(tlog_tiles_write(t));
	tlog_tiles_free(&t);
	assert_int_equal(faccessat(f->fd, "tile/0/001.p/44", F_OK, 0), 0);
	assert_int_equal(faccessat(f->fd, "tile/1/000.p/1", F_OK, 0), 0);
}

static void regrow_with_other_leaves_replaces_the_tiles(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);
	struct tlog_hash root, expected;
	CLEANUP(mem_free) struct tlog_hash *other = kit_leaves(700);

	grow_to(t, 700);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	for (size_t i = 300; i < 700; i++)
		other[i].byte[0] ^= 1;
	t = open_at(f, 300);
	assert_ok(tlog_tiles_append(t, other + 300, 400));
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	expected = kit_root(other, 700);
	assert_ok(tlog_tiles_open(f->fd, 700, &expected, &t));
	assert_ok(tlog_tiles_root(t, &root));
	assert_hash_equal(&root, &expected);
	tlog_tiles_free(&t);
	root = kit_root(leaves, 700);
	assert_fails(tlog_tiles_open(f->fd, 700, &root, &t), E_INTEGRITY);
	assert_null(t);
}

static void open_without_tiles_or_at_wrong_size_is_refused(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = NULL;

	assert_fails(tlog_tiles_open(f->fd, 1, NULL, &t), E_INTEGRITY);
	assert_fails(tlog_tiles_open(f->fd, TLOG_SIZE_MAX, NULL, &t), E_INTEGRITY);
	assert_fails(tlog_tiles_open(f->fd, TLOG_SIZE_MAX + 1, NULL, &t), E_LIMIT);
	assert_fails(tlog_tiles_open(f->fd, UINT64_MAX, NULL, &t), E_LIMIT);
	t = open_at(f, 0);
	grow_to(t, 300);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	assert_fails(tlog_tiles_open(f->fd, 301, NULL, &t), E_INTEGRITY);
	assert_fails(tlog_tiles_open(f->fd, 512, NULL, &t), E_INTEGRITY);
	assert_fails(tlog_tiles_open(f->fd, 65536, NULL, &t), E_INTEGRITY);
	struct tlog_hash wrong = kit_root(leaves, 299);
	assert_fails(tlog_tiles_open(f->fd, 300, &wrong, &t), E_INTEGRITY);
	assert_null(t);
}

static void open_with_tile_of_wrong_length_is_refused(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, 300);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	static const char *const edge[] = {"tile/0/001.p/44", "tile/1/000.p/1"};
	for (size_t i = 0; i < ARRAY_LEN(edge); i++) {
		CLEANUP(buf_done) struct buf good = {0};
		assert_ok(sys_read_file(f->fd, edge[i], 8192, &good));
		assert_ok(sys_replace_file(f->fd, edge[i], 0600, view_of(good.data, good.len - 1)));
		assert_fails(tlog_tiles_open(f->fd, 300, NULL, &t), E_INTEGRITY);
		assert_ok(sys_unlink(f->fd, edge[i]));
		assert_fails(tlog_tiles_open(f->fd, 300, NULL, &t), E_INTEGRITY);
		assert_ok(sys_replace_file(f->fd, edge[i], 0600, view_buf(&good)));
		t = open_at(f, 300);
		tlog_tiles_free(&t);
	}
}

static void flip_byte(const struct kit_folder *f, const char *path, uint64_t at)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_ok(sys_open(f->fd, path, O_RDWR, 0, &fd));
	assert_ok(sys_pread_all(fd, &byte, 1, at));
	byte ^= 0x10;
	assert_ok(sys_pwrite_all(fd, &byte, 1, at));
}

/* No proof is built on it, though the proof of its own leaf would be wrong only. */
static void prove_from_altered_tile_is_refused(void **state)
{
	static const struct {
		const char *path;
		size_t index;
	} tile[] = {{"tile/0/000", 0}, {"tile/0/255", 65535}, {"tile/1/000", 4711}};
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);
	struct tlog_path path = {.len = 99};

	grow_to(t, LEAVES);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	for (size_t i = 0; i < ARRAY_LEN(tile); i++)
		for (uint64_t at = 0; at < 8192; at += 2730) {
			flip_byte(f, tile[i].path, at);
			t = open_at(f, LEAVES);
			assert_fails(tlog_tiles_prove_inclusion(t, tile[i].index, LEAVES, &path),
				     E_INTEGRITY);
			assert_int_equal(path.len, 99);
			flip_byte(f, tile[i].path, at);
			assert_included(t, tile[i].index, LEAVES); /* the handle lives on */
			tlog_tiles_free(&t);
		}
	for (size_t i = 0; i < ARRAY_LEN(tile); i++) {
		assert_ok(sys_rename(f->fd, tile[i].path, "aside"));
		t = open_at(f, LEAVES);
		assert_fails(tlog_tiles_prove_inclusion(t, tile[i].index, LEAVES, &path),
			     E_INTEGRITY);
		assert_fails(tlog_tiles_prove_consistency(t, tile[i].index | 1, LEAVES, &path),
			     E_INTEGRITY);
		assert_ok(sys_rename(f->fd, "aside", tile[i].path));
		tlog_tiles_free(&t);
	}
}

static void open_with_altered_edge_is_refused(void **state)
{
	static const char *const edge[] = {"tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"};
	const struct kit_folder *f = *state;
	struct tlog_hash root = kit_root(leaves, LEAVES);
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, LEAVES);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	for (size_t i = 0; i < ARRAY_LEN(edge); i++) {
		flip_byte(f, edge[i], 13);
		assert_fails(tlog_tiles_open(f->fd, LEAVES, &root, &t), E_INTEGRITY);
		flip_byte(f, edge[i], 13);
	}
	t = open_at(f, LEAVES);
	tlog_tiles_free(&t);
}

static void prove_beyond_the_size_is_refused(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);
	struct tlog_path path;
	struct tlog_hash h;

	assert_fails(tlog_tiles_prove_inclusion(t, 0, 0, &path), E_INVALID);
	assert_fails(tlog_tiles_prove_inclusion(t, 0, 1, &path), E_INVALID);
	grow_to(t, 300);
	assert_fails(tlog_tiles_prove_inclusion(t, 300, 300, &path), E_INVALID);
	assert_fails(tlog_tiles_prove_inclusion(t, 0, 301, &path), E_INVALID);
	assert_fails(tlog_tiles_prove_inclusion(t, 0, UINT64_MAX, &path), E_INVALID);
	assert_fails(tlog_tiles_prove_consistency(t, 1, 301, &path), E_INVALID);
	assert_fails(tlog_tiles_prove_consistency(t, 300, 299, &path), E_INVALID);
	struct tlog_source from = tlog_tiles_source(t);
	assert_fails(tlog_root(&from, 301, &h), E_INVALID);
	assert_fails(from.hash(from.arg, 0, 300, &h), E_INVALID);
	assert_fails(from.hash(from.arg, 8, 1, &h), E_INVALID);
	assert_fails(from.hash(from.arg, 64, 0, &h), E_INVALID);
	assert_fails(from.hash(from.arg, UINT32_MAX, 0, &h), E_INVALID);
	assert_fails(from.hash(from.arg, 63, UINT64_MAX, &h), E_INVALID);
	tlog_tiles_free(&t);
}

static void append_beyond_the_limit_is_refused(void **state)
{
	struct tlog_tiles *t = open_at(*state, 0);

	grow_to(t, 2);
	assert_fails(tlog_tiles_append(t, leaves, (size_t)TLOG_SIZE_MAX - 1), E_LIMIT);
	assert_fails(tlog_tiles_append(t, leaves, SIZE_MAX), E_LIMIT);
	assert_root(t, 2);
	tlog_tiles_free(&t);
}

static void limit_file_size(rlim_t len)
{
	struct rlimit limit = {len, RLIM_INFINITY};

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void write_that_fails_loses_nothing(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, 1000);
	limit_file_size(4000);
	int rc = tlog_tiles_write(t), again = tlog_tiles_sync(t);
	limit_file_size(RLIM_INFINITY);
	assert_fails(rc, E_IO);
	assert_fails(again, E_IO);
	assert_proofs(t);
	grow_to(t, 1100);
	assert_proofs(t);
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	t = open_at(f, 1100);
	assert_proofs(t);
	tlog_tiles_free(&t);
}

static void write_after_failed_sync_is_refused(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	grow_to(t, 1);
	assert_ok(tlog_tiles_write(t));
	assert_ok(sys_unlink(f->fd, "tile/0/000.p/1"));
	assert_ok(sys_rmdir(f->fd, "tile/0/000.p"));
	assert_fails(tlog_tiles_sync(t), E_GONE);
	assert_fails(tlog_tiles_sync(t), E_IO);
	grow_to(t, 2);
	assert_fails(tlog_tiles_write(t), E_IO);
	struct tlog_sync *work = NULL;
	assert_fails(tlog_tiles_take_sync(t, &work), E_IO);
	assert_null(work);
	tlog_tiles_free(&t);
}

static void take_sync_makes_durable_what_was_written_till_then(void **state)
{
	const struct kit_folder *f = *state;
	struct tlog_tiles *t = open_at(f, 0);

	for (size_t n = 100; n <= 2000; n += 100) {
		CLEANUP(tlog_sync_free) struct tlog_sync *work = NULL;
		grow_to(t, n);
		assert_ok(tlog_tiles_take_sync(t, &work));
		grow_to(t, n + 50); /* while it runs elsewhere */
		assert_ok(tlog_tiles_write(t));
		assert_ok(tlog_sync_run(work));
		struct tlog_tiles *other = open_at(f, n);
		tlog_tiles_free(&other);
	}
	assert_proofs(t);
	tlog_tiles_free(&t);
}

static int make_leaves(void **state)
{
	(void)state;
	leaves = kit_leaves(LEAVES);
	return 0;
}

static int free_leaves(void **state)
{
	(void)state;
	free(leaves);
	return 0;
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_FOLDER(append_one_by_one_has_the_roots_of_recursion),
	    WITH_FOLDER(append_across_borders_and_reopen_goes_on),
	    WITH_FOLDER(append_all_at_once_gives_the_same_tree),
	    WITH_FOLDER(append_nothing_changes_nothing),
	    WITH_FOLDER(sync_of_70000_leaves_writes_the_files_of_the_specification),
	    WITH_FOLDER(sync_of_256_leaves_writes_no_empty_tile),
	    WITH_FOLDER(write_keeps_the_tiles_of_every_size_until_the_full_one),
	    WITH_FOLDER(reopen_after_crash_has_what_was_synced_and_grows_again),
	    WITH_FOLDER(reopen_at_every_smaller_size_grows_to_the_same_tree),
	    WITH_FOLDER(reopen_at_a_size_between_writes_its_partial_tiles),
	    WITH_FOLDER(regrow_with_other_leaves_replaces_the_tiles),
	    WITH_FOLDER(open_without_tiles_or_at_wrong_size_is_refused),
	    WITH_FOLDER(open_with_tile_of_wrong_length_is_refused),
	    WITH_FOLDER(prove_from_altered_tile_is_refused),
	    WITH_FOLDER(open_with_altered_edge_is_refused),
	    WITH_FOLDER(prove_beyond_the_size_is_refused),
	    WITH_FOLDER(append_beyond_the_limit_is_refused),
	    WITH_FOLDER(write_that_fails_loses_nothing),
	    WITH_FOLDER(write_after_failed_sync_is_refused),
	    WITH_FOLDER(take_sync_makes_durable_what_was_written_till_then),
	};

	return cmocka_run_group_tests_name("tlog_tiles", tests, make_leaves, free_leaves);
}
