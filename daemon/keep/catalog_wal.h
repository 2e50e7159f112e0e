/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_wal: SQLite's write-ahead log as bytes (sqlite.org/fileformat2.html, section 4).
 *
 *	header, 32 bytes   magic, version, page size, number, two salts, two sums over these
 *	frames             header, 24 bytes: page number; pages of the database where this frame
 *	                   ends a transaction, else 0; the two salts; two sums; then the page
 *
 * Numbers are big-endian. The sums go on from frame to frame. When a log is begun again its
 * salts change, so that what an earlier one left behind is known for what it is.
 *
 * SQLite recovers a log up to the first frame that is not right, without a word: for it what
 * follows is what a power loss has torn. But a transaction was synced before anything of the
 * next was written, so only the last one can be torn; damage before it is damage.
 */
#ifndef DROPKEEP_KEEP_CATALOG_WAL_H
#define DROPKEEP_KEEP_CATALOG_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	WAL_HEADER = 32,
	WAL_FRAME_HEADER = 24,
	WAL_FRAME = WAL_FRAME_HEADER + 4096,
	WAL_SUMS = 8, /* the last of either header */
};

uint32_t wal_get_u32(const uint8_t *bytes);
void wal_put_u32(uint8_t *ret_bytes, uint32_t number);

/* Whether the sums of the log with this header read their words so. */
bool wal_is_big_endian(const uint8_t *header);

/* The last 8 of len bytes (a multiple of 8) of changed are set such that the sums come out as
 * they would with the original in their place, whatever is in front of both. */
void wal_balance(const uint8_t *original, uint8_t *changed, size_t len, bool big_endian);

/* Whether committed transactions are lost in the log at path: E_INTEGRITY, saying where. A log
 * that is missing, empty or torn at its end is good. While somebody writes to it a frame may
 * be met half-written: ask again. */
MUST_USE int wal_check(const char *path);

#endif
