/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_vfs: between SQLite and the catalog's files: no page that is not ours gets in.
 *
 * SQLite believes what it reads: a bit that turned in a cell is another right, size or owner.
 * So each page of catalog.db carries, in bytes that SQLite reserves at its end, a code over its
 * number and its content under a key that only the keep has:
 *
 *	0     … 4071   SQLite's
 *	4072  … 4087   HMAC-SHA-256(key, number as 4 bytes, big-endian, and bytes 0 … 4071),
 *	               the first 16 bytes
 *	4088  … 4095   filler, see below
 *
 * It is set as a page goes into the write-ahead log, goes with it into the database, and is
 * compared whenever a page comes from either file. SQLite has by then summed the page for the
 * frame's header; the filler is chosen such that this sum is still right, so any SQLite program
 * can read database and log.
 *
 * A page that is not right is a kind of SQLITE_CORRUPT that fails the statement and leaves the
 * transaction as it was. Pages that are put back from an older copy have a right code.
 * One for each connection, used by the one thread that has it. Nothing of it is written while
 * SQLite recovers a log: sums judge frames there, catalog_wal.h what was lost.
 */
#ifndef DROPKEEP_KEEP_CATALOG_VFS_H
#define DROPKEEP_KEEP_CATALOG_VFS_H

#include <sqlite3.h>

#include "base/secret.h"

struct catalog_vfs;

enum {
	CATALOG_PAGE = 4096,
	CATALOG_MAC = 16,
	CATALOG_RESERVED = CATALOG_MAC + 8,
	CATALOG_SEALED = CATALOG_PAGE - CATALOG_RESERVED, /* what the code is over */
};

/* key: 32 bytes, copied. Free it after the connection that uses it is closed. */
MUST_USE int catalog_vfs_new(const struct secret *key, struct catalog_vfs **ret_vfs);
void catalog_vfs_free(struct catalog_vfs **v);

/* What sqlite3_open_v2() knows it by. */
const char *catalog_vfs_name(const struct catalog_vfs *v);

/* While a database is made its first pages go straight into it, without a log: these get
 * their code then. At all other times nothing without one is written to the database. */
void catalog_vfs_making(struct catalog_vfs *v, bool making);

/* What was wrong since the last call, as a failure of its own; 0: nothing that it knows of.
 * E_INTEGRITY, or E_CONFIG for a database that has no such codes. */
MUST_USE int catalog_vfs_failure(struct catalog_vfs *v);

/* Whether a page of CATALOG_PAGE bytes is the one of this number. */
bool catalog_vfs_page_is(struct catalog_vfs *v, uint32_t number, const uint8_t *page);

/* The connection's own file, behind what checks it: for looking at all of its pages. */
MUST_USE int catalog_vfs_raw_page(sqlite3 *db, uint32_t number, uint8_t *ret_page);

#endif
