/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tlog_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "tlog/store.h"

/* A folder, a store over it, and a tile's worth of hashes. */
struct fixture {
	struct kit_folder folder;
	struct tlog_store *store;
	struct tlog_hash hashes[TLOG_TILE_WIDTH];
};

static int set_up(void **state)
{
	struct fixture *f = mem_new(sizeof *f);
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(TLOG_TILE_WIDTH);

	memcpy(f->hashes, leaves, sizeof f->hashes);
	f->folder = kit_folder_new();
	f->store = tlog_store_new(f->folder.fd);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tlog_store_free(&f->store);
	kit_folder_done(&f->folder);
	free(f);
	return 0;
}

static int put(struct fixture *f, uint64_t index, unsigned width)
{
	struct tlog_tile tile = {0, index, width};

	return tlog_store_put(f->store, &tile, f->hashes);
}

static void run(struct fixture *f)
{
	CLEANUP(tlog_sync_free) struct tlog_sync *work = tlog_store_take_sync(f->store);

	assert_ok(tlog_sync_run(work));
}

static bool is_there(const struct fixture *f, const char *path)
{
	return faccessat(f->folder.fd, path, F_OK, 0) == 0;
}

static uint64_t inode_of(const struct fixture *f, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(f->folder.fd, path, &st, 0), 0);
	return st.st_ino;
}

static void assert_tile(const struct fixture *f, uint64_t index, unsigned width)
{
	struct tlog_tile tile = {0, index, width};
	struct tlog_hash got[TLOG_TILE_WIDTH];

	assert_ok(tlog_tile_read(f->folder.fd, &tile, got));
	assert_memory_equal(got, f->hashes, width * sizeof *got);
}

static void put_tile_in_empty_folder_makes_its_folders(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 1234067, 5));
	assert_tile(f, 1234067, 5);
	assert_true(is_there(f, "tile/0/x001/x234/067.p/5"));
	assert_ok(put(f, 1234067, 256));
	assert_tile(f, 1234067, 256);
}

static void put_same_tile_twice_keeps_the_file(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 5));
	uint64_t before = inode_of(f, "tile/0/000.p/5");
	assert_ok(put(f, 0, 5));
	assert_true(inode_of(f, "tile/0/000.p/5") == before);
	run(f);
	assert_tile(f, 0, 5);
}

static void put_other_content_replaces_the_file(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 5));
	uint64_t before = inode_of(f, "tile/0/000.p/5");
	CLEANUP(sys_close) int old = -1;
	assert_ok(sys_open(f->folder.fd, "tile/0/000.p/5", O_RDONLY, 0, &old));
	f->hashes[4].byte[31] ^= 1;
	assert_ok(put(f, 0, 5));
	assert_true(inode_of(f, "tile/0/000.p/5") != before);
	assert_tile(f, 0, 5);
	/* A reader of the old one is not disturbed. */
	struct tlog_hash still;
	assert_ok(sys_pread_all(old, &still, sizeof still, 4 * sizeof still));
	f->hashes[4].byte[31] ^= 1;
	assert_hash_equal(&still, &f->hashes[4]);
	run(f);
}

static void put_over_torn_or_longer_file_replaces_it(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 1));
	for (size_t len = 0; len < 6 * 32; len += 16) {
		uint8_t junk[6 * 32] = {0};
		assert_ok(
		    sys_replace_file(f->folder.fd, "tile/0/000.p/5", 0600, view_of(junk, len)));
		assert_ok(put(f, 0, 5));
		assert_tile(f, 0, 5);
	}
}

static void sync_full_tile_removes_its_partial_ones_and_no_other(void **state)
{
	struct fixture *f = *state;

	for (unsigned width = 1; width < 256; width += 2)
		assert_ok(put(f, 7, width));
	assert_ok(put(f, 8, 3));
	run(f);
	assert_true(is_there(f, "tile/0/007.p/1"));
	assert_true(is_there(f, "tile/0/007.p/255"));
	assert_ok(put(f, 7, 256));
	assert_true(is_there(f, "tile/0/007.p/1")); /* until the full one is durable */
	run(f);
	assert_false(is_there(f, "tile/0/007.p"));
	assert_tile(f, 7, 256);
	assert_tile(f, 8, 3);
}

static void sync_full_tile_without_partial_ones_succeeds(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 256));
	run(f);
	assert_tile(f, 0, 256);
	assert_false(is_there(f, "tile/0/000.p"));
	run(f); /* nothing left to do */
}

static void sync_leaves_strange_files_alone(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 9));
	assert_ok(sys_replace_file(f->folder.fd, "tile/0/000.p/note", 0600, view_text("mine")));
	assert_ok(put(f, 0, 256));
	run(f);
	assert_false(is_there(f, "tile/0/000.p/9"));
	assert_true(is_there(f, "tile/0/000.p/note"));
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void put_many_tiles_holds_few_descriptors(void **state)
{
	struct fixture *f = *state;
	unsigned before = open_descriptors();

	for (uint64_t i = 0; i < 300; i++) {
		assert_ok(put(f, i, 1));
		assert_ok(put(f, i, 2));
		assert_ok(put(f, i, 256));
		assert_true(open_descriptors() <= before + 64 + 1);
	}
	run(f);
	assert_int_equal(open_descriptors(), before);
	for (uint64_t i = 0; i < 300; i++)
		assert_tile(f, i, 256);
	assert_false(is_there(f, "tile/0/299.p"));
}

static void free_store_and_work_without_sync_leaks_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned before = open_descriptors();

	assert_ok(put(f, 0, 256));
	assert_ok(put(f, 1, 4));
	CLEANUP(tlog_sync_free) struct tlog_sync *work = tlog_store_take_sync(f->store);
	assert_ok(put(f, 1, 5));
	tlog_sync_free(&work);
	tlog_store_free(&f->store);
	tlog_store_free(&f->store);
	assert_int_equal(open_descriptors(), before);
}

static void limit_file_size(rlim_t len)
{
	struct rlimit limit = {len, RLIM_INFINITY};

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void put_that_fails_half_way_can_be_put_again(void **state)
{
	struct fixture *f = *state;

	limit_file_size(100);
	int rc = put(f, 0, 256);
	int again = put(f, 0, 256);
	limit_file_size(RLIM_INFINITY);
	assert_fails(rc, E_IO);
	assert_fails(again, E_IO);
	assert_false(is_there(f, "tile/0/000"));
	assert_ok(put(f, 0, 256));
	run(f);
	assert_tile(f, 0, 256);
}

static void put_where_folder_is_a_file_fails(void **state)
{
	struct fixture *f = *state;

	assert_ok(sys_replace_file(f->folder.fd, "tile", 0600, view_text("x")));
	assert_fails(put(f, 0, 256), E_IO);
}

static void sync_without_its_folder_fails(void **state)
{
	struct fixture *f = *state;

	assert_ok(put(f, 0, 1));
	CLEANUP(tlog_sync_free) struct tlog_sync *work = tlog_store_take_sync(f->store);
	assert_ok(sys_unlink(f->folder.fd, "tile/0/000.p/1"));
	assert_ok(sys_rmdir(f->folder.fd, "tile/0/000.p"));
	assert_fails(tlog_sync_run(work), E_GONE);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    WITH_STORE(put_tile_in_empty_folder_makes_its_folders),
	    WITH_STORE(put_same_tile_twice_keeps_the_file),
	    WITH_STORE(put_other_content_replaces_the_file),
	    WITH_STORE(put_over_torn_or_longer_file_replaces_it),
	    WITH_STORE(sync_full_tile_removes_its_partial_ones_and_no_other),
	    WITH_STORE(sync_full_tile_without_partial_ones_succeeds),
	    WITH_STORE(sync_leaves_strange_files_alone),
	    WITH_STORE(put_many_tiles_holds_few_descriptors),
	    WITH_STORE(free_store_and_work_without_sync_leaks_nothing),
	    WITH_STORE(put_that_fails_half_way_can_be_put_again),
	    WITH_STORE(put_where_folder_is_a_file_fails),
	    WITH_STORE(sync_without_its_folder_fails),
	};

	return cmocka_run_group_tests_name("tlog_store", tests, NULL, NULL);
}
