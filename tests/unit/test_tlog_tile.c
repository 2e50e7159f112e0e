/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tlog_kit.h"

#include "base/sys.h"
#include "tlog/tile.h"

static void assert_path(unsigned level, uint64_t index, unsigned width, const char *expected)
{
	struct tlog_tile tile = {level, index, width};
	char path[TLOG_TILE_PATH_SIZE];

	tlog_tile_path(&tile, path);
	assert_string_equal(path, expected);
}

static void path_of_tile_is_as_specified(void **state)
{
	(void)state;
	/* tlog-tiles: "index 1234067 will be encoded as x001/x234/067" */
	assert_path(0, 1234067, 256, "tile/0/x001/x234/067");
	assert_path(0, 1234067, 112, "tile/0/x001/x234/067.p/112");
	assert_path(0, 0, 256, "tile/0/000");
	assert_path(0, 0, 1, "tile/0/000.p/1");
	assert_path(1, 999, 255, "tile/1/999.p/255");
	assert_path(1, 1000, 256, "tile/1/x001/000");
	assert_path(7, 999999, 10, "tile/7/x999/999.p/10");
	assert_path(2, 1000000, 256, "tile/2/x001/x000/000");
	/* of 70,000 leaves: 273 full tiles and one of 112, of level 1 one and one of 17 */
	assert_path(0, 70000 / 256, 70000 % 256, "tile/0/273.p/112");
	assert_path(1, 1, 17, "tile/1/001.p/17");
	assert_path(63, UINT64_MAX, 255, "tile/63/x018/x446/x744/x073/x709/x551/615.p/255");
}

static void write_file(const struct kit_folder *f, const char *path, size_t len)
{
	uint8_t bytes[TLOG_TILE_WIDTH * TLOG_HASH_SIZE + 32];

	memset(bytes, 7, sizeof bytes);
	assert_ok(sys_replace_file(f->fd, path, 0600, view_of(bytes, len)));
}

static void read_tile_of_any_other_size_is_refused(void **state)
{
	CLEANUP(kit_folder_done) struct kit_folder f = kit_folder_new();
	CLEANUP(mem_free) struct tlog_hash *hashes = kit_leaves(TLOG_TILE_WIDTH);
	struct tlog_tile full = {0, 0, 256}, partial = {0, 0, 3};

	(void)state;
	assert_fails(tlog_tile_read(f.fd, &full, hashes), E_GONE);
	assert_ok(sys_mkdir(f.fd, "tile", 0700));
	assert_ok(sys_mkdir(f.fd, "tile/0", 0700));
	assert_ok(sys_mkdir(f.fd, "tile/0/000.p", 0700));
	assert_fails(tlog_tile_read(f.fd, &full, hashes), E_GONE);
	static const size_t wrong[] = {0, 1, 31, 32, 8191, 8193, 8192 - 32, 8192 + 32};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		write_file(&f, "tile/0/000", wrong[i]);
		assert_fails(tlog_tile_read(f.fd, &full, hashes), E_INTEGRITY);
	}
	for (size_t len = 0; len <= 5 * 32; len++) {
		write_file(&f, "tile/0/000.p/3", len);
		hashes[0].byte[0] = 0;
		if (len == 3 * 32)
			assert_ok(tlog_tile_read(f.fd, &partial, hashes));
		else
			assert_fails(tlog_tile_read(f.fd, &partial, hashes), E_INTEGRITY);
		assert_int_equal(hashes[0].byte[0], len == 3 * 32 ? 7 : 0);
	}
}

static void beginning_of_a_wider_tile_is_found(void **state)
{
	CLEANUP(kit_folder_done) struct kit_folder f = kit_folder_new();
	CLEANUP(mem_free) struct tlog_hash *hashes = kit_leaves(TLOG_TILE_WIDTH);
	CLEANUP(mem_free) struct tlog_hash *found = kit_leaves(TLOG_TILE_WIDTH);
	const struct tlog_tile three = {0, 0, 3};
	size_t len = TLOG_TILE_WIDTH * sizeof *hashes;

	(void)state;
	assert_ok(sys_mkdir(f.fd, "tile", 0700));
	assert_ok(sys_mkdir(f.fd, "tile/0", 0700));
	assert_ok(sys_mkdir(f.fd, "tile/0/000.p", 0700));
	assert_fails(tlog_tile_read_some(f.fd, &three, found), E_GONE);
	assert_ok(sys_replace_file(f.fd, "tile/0/000.p/2", 0600, view_of(hashes, 2 * 32)));
	assert_fails(tlog_tile_read_some(f.fd, &three, found), E_GONE);
	assert_ok(sys_replace_file(f.fd, "tile/0/000.p/9", 0600, view_of(hashes, 8 * 32)));
	assert_fails(tlog_tile_read_some(f.fd, &three, found), E_GONE); /* that one is torn */
	assert_ok(sys_replace_file(f.fd, "tile/0/000.p/200", 0600, view_of(hashes, 200 * 32)));
	memset(found, 0, len);
	assert_ok(tlog_tile_read_some(f.fd, &three, found));
	assert_memory_equal(found, hashes, 3 * 32);
	assert_int_equal(found[3].byte[0] | found[3].byte[31], 0);
	assert_ok(sys_unlink(f.fd, "tile/0/000.p/200"));
	assert_ok(sys_replace_file(f.fd, "tile/0/000", 0600, view_of(hashes, len)));
	memset(found, 0, len);
	assert_ok(tlog_tile_read_some(f.fd, &three, found));
	assert_memory_equal(found, hashes, 3 * 32);
	write_file(&f, "tile/0/000.p/3", 2 * 32);
	assert_fails(tlog_tile_read_some(f.fd, &three, found), E_INTEGRITY);
}

static void tree_has_the_tiles_of_its_size_and_no_others(void **state)
{
	static const struct {
		struct tlog_tile tile;
		uint64_t size;
		bool there;
	} rows[] = {
	    {{0, 0, 1}, 0, false},
	    {{0, 0, 1}, 1, true},
	    {{0, 0, 2}, 1, false},
	    {{0, 0, 256}, 255, false},
	    {{0, 0, 256}, 256, true},
	    {{0, 1, 1}, 256, false},
	    {{0, 273, 112}, 70000, true}, /* as tlog-tiles has it */
	    {{0, 273, 113}, 70000, false},
	    {{0, 274, 1}, 70000, false},
	    {{1, 1, 17}, 70000, true},
	    {{1, 1, 18}, 70000, false},
	    {{2, 0, 1}, 70000, true},
	    {{2, 0, 2}, 70000, false},
	    {{3, 0, 1}, 70000, false},
	    {{0, 0, 0}, 70000, false},
	    {{0, 0, 257}, 70000, false},
	    {{7, 0, 127}, TLOG_SIZE_MAX, true},
	    {{7, 0, 128}, TLOG_SIZE_MAX, false},
	    {{8, 0, 1}, UINT64_MAX, false},
	    {{63, 0, 1}, UINT64_MAX, false},
	    {{0, UINT64_MAX, 1}, UINT64_MAX, false},
	    {{0, UINT64_MAX / 256, 255}, UINT64_MAX, true},
	    {{0, UINT64_MAX / 256, 256}, UINT64_MAX, false},
	    {{0, UINT64_MAX / 256 + 1, 1}, UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(tlog_tile_exists(&rows[i].tile, rows[i].size), rows[i].there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_of_tile_is_as_specified),
	    cmocka_unit_test(read_tile_of_any_other_size_is_refused),
	    cmocka_unit_test(beginning_of_a_wider_tile_is_found),
	    cmocka_unit_test(tree_has_the_tiles_of_its_size_and_no_others),
	};

	return cmocka_run_group_tests_name("tlog_tile", tests, NULL, NULL);
}
