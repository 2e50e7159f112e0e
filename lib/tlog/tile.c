/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/tile.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"

/* The index in groups of three digits, all but the last after an 'x'. */
static void index_path(uint64_t index, char *ret_text, size_t size)
{
	unsigned group[(20 + 2) / 3]; /* a 64-bit number has 20 digits */
	size_t n = 0;
	int used = 0;

	do
		group[n++] = (unsigned)(index % 1000);
	while (index /= 1000);
	while (n-- > 1)
		used += snprintf(ret_text + used, size - (size_t)used, "x%03u/", group[n]);
	(void)snprintf(ret_text + used, size - (size_t)used, "%03u", group[0]);
}

void tlog_tile_path(const struct tlog_tile *tile, char ret_path[TLOG_TILE_PATH_SIZE])
{
	char index[TLOG_TILE_PATH_SIZE] = "", partial[sizeof ".p/255"] = "";

	assert(tile->width >= 1 && tile->width <= TLOG_TILE_WIDTH && tile->level < 64);
	index_path(tile->index, index, sizeof index);
	if (tile->width < TLOG_TILE_WIDTH)
		(void)snprintf(partial, sizeof partial, ".p/%u", tile->width & 255);
	int n =
	    snprintf(ret_path, TLOG_TILE_PATH_SIZE, "tile/%u/%s%s", tile->level, index, partial);
	assert(n > 0 && n < TLOG_TILE_PATH_SIZE);
}

int tlog_tile_read(int dir_fd, const struct tlog_tile *tile, struct tlog_hash *ret_hashes)
{
	CLEANUP(sys_close) int fd = -1;
	struct tlog_hash hashes[TLOG_TILE_WIDTH];
	char path[TLOG_TILE_PATH_SIZE];
	size_t len = tile->width * sizeof *hashes;
	uint64_t size = 0;

	tlog_tile_path(tile, path);
	int rc = sys_open(dir_fd, path, O_RDONLY, 0, &fd);
	if (!rc)
		rc = sys_size(fd, &size);
	if (!rc && size != len)
		rc = fail(E_INTEGRITY, "'%s' has %llu bytes and should have %zu", path,
			  (unsigned long long)size, len);
	if (!rc)
		rc = sys_pread_all(fd, hashes, len, 0);
	if (!rc)
		memcpy(ret_hashes, hashes, len);
	return rc;
}

int tlog_tile_read_some(int dir_fd, const struct tlog_tile *tile, struct tlog_hash *ret_hashes)
{
	struct tlog_hash hashes[TLOG_TILE_WIDTH];
	struct tlog_tile wider = *tile;
	int rc = tlog_tile_read(dir_fd, &wider, hashes);

	for (wider.width = TLOG_TILE_WIDTH; rc == E_GONE && wider.width > tile->width;
	     wider.width--) {
		err_clear();
		rc = tlog_tile_read(dir_fd, &wider, hashes);
		if (rc == E_INTEGRITY)
			rc = E_GONE;
	}
	if (!rc)
		memcpy(ret_hashes, hashes, tile->width * sizeof *hashes);
	return rc;
}

bool tlog_tile_exists(const struct tlog_tile *tile, uint64_t size)
{
	if (tile->level >= TLOG_TILE_LEVELS || !tile->width || tile->width > TLOG_TILE_WIDTH)
		return false;
	uint64_t hashes = size >> tile->level * TLOG_TILE_HEIGHT;
	return tile->index <= hashes / TLOG_TILE_WIDTH &&
	       hashes - tile->index * TLOG_TILE_WIDTH >= tile->width;
}
