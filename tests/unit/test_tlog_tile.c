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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_of_tile_is_as_specified),
	    cmocka_unit_test(read_tile_of_any_other_size_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_tile", tests, NULL, NULL);
}
