/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_db: what the files of the catalog share: the connection, its statements, and small
 * helpers that bind, step and read. Nobody but catalog*.c and their tests includes this.
 *
 *	struct db_query q = db_query(c, DB_NODE_BY_ID);
 *
 *	db_put_u64(&q, id);               parameters in their order
 *	if (db_next(&q))                  a row?
 *		row.zone = db_get_u64(&q);    columns in their order
 *	return db_found(&q);              0, E_GONE without a frame, or what went wrong
 *
 * Errors stick to the query, so that only its end is looked at; the end resets the statement
 * whatever happened, so that the next use finds it clean. Each statement is prepared once.
 * What a query reads is checked as if a stranger had written it: a negative count, a text or
 * a blob that does not fit its place is E_INTEGRITY.
 */
#ifndef DROPKEEP_KEEP_CATALOG_DB_H
#define DROPKEEP_KEEP_CATALOG_DB_H

#include <sqlite3.h>

#include "daemon/keep/catalog.h"
#include "daemon/keep/catalog_vfs.h"

enum db_statement {
#define QUERY(NAME, text)      DB_##NAME,
#define QUERY_WALK(NAME, text) DB_##NAME,
#include "daemon/keep/catalog_sql.h"
#undef QUERY
#undef QUERY_WALK
	DB_STATEMENTS
};

struct catalog {
	sqlite3 *db;
	struct catalog_vfs *vfs;
	char *path;
	bool reader;
	/* What we believe; SQLite undoes a whole transaction by itself after some errors, and
	 * what follows must not then take effect one by one. */
	bool in_transaction, in_savepoint, in_group;
	sqlite3_stmt *statement[DB_STATEMENTS];
};

struct db_query {
	struct catalog *c;
	sqlite3_stmt *st; /* NULL after an error before its first step */
	enum db_statement which;
	int rc;     /* 0 or a code of enum err; sticks */
	int sqlite; /* the last extended result code */
	int parameter, column;
	unsigned rows;
};

/* The text of a statement, for tests; and whether it may walk a whole table. */
const char *db_text(enum db_statement which, bool *ret_walk);

/* A code of ours for one of SQLite's, with a frame that names what was done. */
MUST_USE int db_error(struct catalog *c, int sqlite, const char *what);

/* Prepares what is not yet prepared, so that no error of it can come later. */
MUST_USE int db_prepare_all(struct catalog *c);

/* Begins the use of a statement. It must not be in use: a walk can't be nested in itself. */
struct db_query db_query(struct catalog *c, enum db_statement which);

/* What is put must live until the end of the query. */
void db_put_i64(struct db_query *q, int64_t value);
void db_put_u64(struct db_query *q, uint64_t value);   /* E_INVALID from 2^63 on */
void db_put_after(struct db_query *q, uint64_t value); /* a cursor: from 2^63 on as 2^63 - 1 */
void db_put_ref(struct db_query *q, uint64_t id);      /* 0 as NULL */
void db_put_size(struct db_query *q, uint64_t size);   /* SIZE_UNKNOWN as NULL */
void db_put_null(struct db_query *q);
void db_put_text(struct db_query *q, const char *text);
void db_put_field(struct db_query *q, const char *text, size_t size); /* text[size]; E_INVALID */
void db_put_bytes(struct db_query *q, struct view bytes);
void db_put_array(struct db_query *q, const uint8_t *bytes, size_t len, size_t size);

/* True for a row; false at the end and after an error. */
bool db_next(struct db_query *q);

/* Passes over a NULL; elsewhere NULL is an error like any wrong type. */
bool db_skip_null(struct db_query *q);

int64_t db_get_i64(struct db_query *q);
uint64_t db_get_u64(struct db_query *q);
uint64_t db_get_ref(struct db_query *q);  /* NULL as 0 */
uint64_t db_get_size(struct db_query *q); /* NULL as SIZE_UNKNOWN */
bool db_get_bool(struct db_query *q);
void db_get_field(struct db_query *q, char *ret_text, size_t size);
size_t db_get_array(struct db_query *q, uint8_t *ret_bytes, size_t size);
void db_get_exact(struct db_query *q, uint8_t *ret_bytes, size_t len);
void db_get_text(struct db_query *q, struct buf *out); /* appended */
void db_get_buf(struct db_query *q, struct buf *out);  /* appended */

/* The ends. Each resets the statement and gives what stuck to the query. */
MUST_USE int db_done(struct db_query *q);
MUST_USE int db_found(struct db_query *q);                    /* E_GONE if there was no row */
MUST_USE int db_run(struct db_query *q);                      /* steps to the end before */
MUST_USE int db_change(struct db_query *q);                   /* the same; E_GONE: no row changed */
MUST_USE int db_insert(struct db_query *q, uint64_t *ret_id); /* the same */
MUST_USE int db_only(struct catalog *c, enum db_statement which); /* without parameters */
MUST_USE int db_of(struct catalog *c, enum db_statement which, uint64_t id); /* with just one */

/* Several statements as one: all or nothing, inside a transaction or without one. */
MUST_USE int db_group_begin(struct catalog *c);
MUST_USE int db_group_end(struct catalog *c, int rc);

/* The schema: migrations[i] makes version i + 1 of version i, and sets user_version itself. */
extern const char *const catalog_migrations[];
extern const unsigned catalog_version;
enum { CATALOG_APPLICATION = 0x64726b70 /* "drkp" */ };

/* Brings the database to version count, all in one transaction; E_CONFIG if it is newer. */
MUST_USE int db_migrate(struct catalog *c, const char *const *migrations, unsigned count);

#endif
