/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile: one hash tile of a log as a file (C2SP tlog-tiles): its name and its content.
 *
 * A tile of level l holds consecutive hashes of subtrees of 256^l leaves: 256 of them when
 * it is full, 1 to 255 when it is partial; 32 bytes each, nothing else.
 */
#ifndef DROPKEEP_TLOG_TILE_H
#define DROPKEEP_TLOG_TILE_H

#include "tlog/tree.h"

enum {
	TLOG_TILE_HEIGHT = 8,
	TLOG_TILE_WIDTH = 1 << TLOG_TILE_HEIGHT,
	TLOG_TILE_LEVELS = 8,     /* enough for 2^64 leaves */
	TLOG_TILE_PATH_SIZE = 64, /* bytes of any tile's path, with its NUL */
};

struct tlog_tile {
	unsigned level;
	uint64_t index; /* among the tiles of its level */
	unsigned width; /* hashes: 1 to TLOG_TILE_WIDTH */
};

/* "tile/0/x001/x234/067" or, partial, "tile/0/x001/x234/067.p/112". */
void tlog_tile_path(const struct tlog_tile *tile, char ret_path[TLOG_TILE_PATH_SIZE]);

/* tile->width hashes. E_GONE when there is no such file, E_INTEGRITY when its size is not
 * that of its name. dir_fd is the folder that holds tile/. */
MUST_USE int tlog_tile_read(int dir_fd, const struct tlog_tile *tile, struct tlog_hash *ret_hashes);

/* The same where it may be the beginning of a wider tile: its own file is there if a tree of that
 * size was ever written, unless a longer one has made it superfluous. A longer file that is torn
 * is passed over: it was never synced. */
MUST_USE int tlog_tile_read_some(int dir_fd, const struct tlog_tile *tile,
				 struct tlog_hash *ret_hashes);

/* Whether a tree of so many leaves has that tile, at that width or wider. */
bool tlog_tile_exists(const struct tlog_tile *tile, uint64_t size);

#endif
