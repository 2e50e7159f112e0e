/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/catalog_db.h"

#include <assert.h>

#include "wire/messages.h"

static const struct {
	const char *name, *text;
	bool walk;
} statements[] = {
#define QUERY(NAME, text)      [DB_##NAME] = {#NAME, text, false},
#define QUERY_WALK(NAME, text) [DB_##NAME] = {#NAME, text, true},
#include "daemon/keep/catalog_sql.h"
#undef QUERY
#undef QUERY_WALK
};

const char *db_text(enum db_statement which, bool *ret_walk)
{
	*ret_walk = statements[which].walk;
	return statements[which].text;
}

/* Only the kind of error is told, never SQLite's sentence: that could quote values. */
int db_error(struct catalog *c, int sqlite, const char *what)
{
	int rc;

	switch (sqlite & 0xff) {
	case SQLITE_FULL:
		return fail(E_FULL, "no room for the catalog (%s)", what);
	case SQLITE_NOMEM:
		return fail(E_NOMEM, "no memory for the catalog (%s)", what);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return fail(E_AGAIN, "the catalog is busy (%s)", what);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		rc = catalog_vfs_failure(c->vfs);
		return rc ? fail(rc, "%s", what)
			  : fail(E_INTEGRITY, "catalog.db is damaged (%s, %d)", what, sqlite);
	case SQLITE_CONSTRAINT:
		if (sqlite == SQLITE_CONSTRAINT_UNIQUE || sqlite == SQLITE_CONSTRAINT_PRIMARYKEY ||
		    sqlite == SQLITE_CONSTRAINT_ROWID)
			return fail(E_EXISTS, "it is there already");
		return fail(E_INTEGRITY, "the catalog would contradict itself (%s, %d)", what,
			    sqlite);
	default:
		return fail(E_IO, "catalog: %s: %s (%d)", what, sqlite3_errstr(sqlite), sqlite);
	}
}

static int prepare(struct catalog *c, enum db_statement which)
{
	if (c->statement[which])
		return SQLITE_OK;
	return sqlite3_prepare_v3(c->db, statements[which].text, -1, SQLITE_PREPARE_PERSISTENT,
				  &c->statement[which], NULL);
}

/* SQLite has rolled back by itself, as it does after some errors: what comes now would take
 * effect alone, at once. */
static bool undone(const struct catalog *c)
{
	return (c->in_transaction || c->in_group) && sqlite3_get_autocommit(c->db);
}

struct db_query db_query(struct catalog *c, enum db_statement which)
{
	struct db_query q = {.c = c, .which = which};

	if (undone(c)) {
		q.rc = fail(E_IO, "an earlier error has undone the catalog's transaction");
		return q;
	}
	q.sqlite = prepare(c, which);
	if (q.sqlite != SQLITE_OK) {
		q.rc = db_error(c, q.sqlite, statements[which].name);
		return q;
	}
	q.st = c->statement[which];
	assert(!sqlite3_stmt_busy(q.st));
	return q;
}

/* ---- parameters ---- */

static void bound(struct db_query *q, int sqlite)
{
	q->sqlite = sqlite;
	if (sqlite != SQLITE_OK && !q->rc)
		q->rc = db_error(q->c, sqlite, statements[q->which].name);
}

void db_put_i64(struct db_query *q, int64_t value)
{
	if (!q->rc)
		bound(q, sqlite3_bind_int64(q->st, ++q->parameter, value));
}

void db_put_u64(struct db_query *q, uint64_t value)
{
	if (value > INT64_MAX && !q->rc)
		q->rc = fail(E_INVALID, "a number is too large");
	else
		db_put_i64(q, (int64_t)value);
}

void db_put_after(struct db_query *q, uint64_t value)
{
	db_put_i64(q, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void db_put_null(struct db_query *q)
{
	if (!q->rc)
		bound(q, sqlite3_bind_null(q->st, ++q->parameter));
}

void db_put_ref(struct db_query *q, uint64_t id)
{
	if (id)
		db_put_u64(q, id);
	else
		db_put_null(q);
}

void db_put_size(struct db_query *q, uint64_t size)
{
	if (size == SIZE_UNKNOWN)
		db_put_null(q);
	else
		db_put_u64(q, size);
}

static void put_text(struct db_query *q, const char *text, size_t len)
{
	if (!q->rc)
		bound(q, sqlite3_bind_text64(q->st, ++q->parameter, text, len, SQLITE_STATIC,
					     SQLITE_UTF8));
}

void db_put_text(struct db_query *q, const char *text)
{
	put_text(q, text, strlen(text));
}

void db_put_field(struct db_query *q, const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	if (len == size && !q->rc)
		q->rc = fail(E_INVALID, "a text is too long");
	else
		put_text(q, text, len);
}

/* No bytes at all would be bound as NULL through a NULL pointer. */
void db_put_bytes(struct db_query *q, struct view bytes)
{
	if (q->rc)
		return;
	q->parameter++;
	if (bytes.len)
		bound(q, sqlite3_bind_blob64(q->st, q->parameter, bytes.data, bytes.len,
					     SQLITE_STATIC));
	else
		bound(q, sqlite3_bind_zeroblob(q->st, q->parameter, 0));
}

void db_put_array(struct db_query *q, const uint8_t *bytes, size_t len, size_t size)
{
	if (len > size && !q->rc)
		q->rc = fail(E_INVALID, "%zu bytes where at most %zu may be", len, size);
	else
		db_put_bytes(q, view_of(bytes, len));
}

/* ---- rows ---- */

bool db_next(struct db_query *q)
{
	if (q->rc)
		return false;
	assert(q->parameter == sqlite3_bind_parameter_count(q->st));
	q->sqlite = sqlite3_step(q->st);
	q->column = 0;
	if (q->sqlite == SQLITE_ROW) {
		q->rows++;
		return true;
	}
	if (q->sqlite != SQLITE_DONE)
		q->rc = db_error(q->c, q->sqlite, statements[q->which].name);
	return false;
}

static void bad(struct db_query *q)
{
	if (!q->rc)
		q->rc = fail(E_INTEGRITY, "catalog.db is damaged (%s, column %d)",
			     statements[q->which].name, q->column);
}

/* The next column; false, with an error, if it has another type. */
static bool column(struct db_query *q, int type)
{
	int at = q->column++;

	assert(at < sqlite3_column_count(q->st));
	if (sqlite3_column_type(q->st, at) == type)
		return true;
	bad(q);
	return false;
}

bool db_skip_null(struct db_query *q)
{
	if (sqlite3_column_type(q->st, q->column) != SQLITE_NULL)
		return false;
	q->column++;
	return true;
}

int64_t db_get_i64(struct db_query *q)
{
	return column(q, SQLITE_INTEGER) ? sqlite3_column_int64(q->st, q->column - 1) : 0;
}

uint64_t db_get_u64(struct db_query *q)
{
	int64_t value = db_get_i64(q);

	if (value < 0)
		bad(q);
	return value < 0 ? 0 : (uint64_t)value;
}

uint64_t db_get_ref(struct db_query *q)
{
	return db_skip_null(q) ? 0 : db_get_u64(q);
}

uint64_t db_get_size(struct db_query *q)
{
	return db_skip_null(q) ? SIZE_UNKNOWN : db_get_u64(q);
}

bool db_get_bool(struct db_query *q)
{
	int64_t value = db_get_i64(q);

	if (value != 0 && value != 1)
		bad(q);
	return value == 1;
}

/* Bytes of the last column; memory is only short where SQLite must convert, which it need
 * not for the column's own type. */
static struct view content(struct db_query *q)
{
	int at = q->column - 1;
	const void *data = sqlite3_column_type(q->st, at) == SQLITE_TEXT
			       ? (const void *)sqlite3_column_text(q->st, at)
			       : sqlite3_column_blob(q->st, at);
	size_t len = (size_t)sqlite3_column_bytes(q->st, at);

	return view_of(data, data ? len : 0);
}

void db_get_field(struct db_query *q, char *ret_text, size_t size)
{
	struct view text = column(q, SQLITE_TEXT) ? content(q) : view_of(NULL, 0);

	if (text.len >= size || (text.len && memchr(text.data, '\0', text.len))) {
		bad(q);
		return;
	}
	if (text.len)
		memcpy(ret_text, text.data, text.len);
	ret_text[text.len] = '\0';
}

size_t db_get_array(struct db_query *q, uint8_t *ret_bytes, size_t size)
{
	struct view bytes = column(q, SQLITE_BLOB) ? content(q) : view_of(NULL, 0);

	if (bytes.len > size) {
		bad(q);
		return 0;
	}
	if (bytes.len)
		memcpy(ret_bytes, bytes.data, bytes.len);
	return bytes.len;
}

void db_get_exact(struct db_query *q, uint8_t *ret_bytes, size_t len)
{
	struct view bytes = column(q, SQLITE_BLOB) ? content(q) : view_of(NULL, 0);

	if (bytes.len == len)
		memcpy(ret_bytes, bytes.data, len);
	else
		bad(q);
}

void db_get_text(struct db_query *q, struct buf *out)
{
	struct view text = column(q, SQLITE_TEXT) ? content(q) : view_of(NULL, 0);

	if (!q->rc)
		q->rc = buf_add(out, text.data, text.len);
}

void db_get_buf(struct db_query *q, struct buf *out)
{
	struct view bytes = column(q, SQLITE_BLOB) ? content(q) : view_of(NULL, 0);

	if (!q->rc)
		q->rc = buf_add(out, bytes.data, bytes.len);
}

/* ---- ends ---- */

int db_done(struct db_query *q)
{
	if (q->st) {
		(void)sqlite3_reset(q->st); /* repeats what the last step said */
		(void)sqlite3_clear_bindings(q->st);
	}
	q->st = NULL;
	return q->rc;
}

int db_found(struct db_query *q)
{
	int rc = db_done(q);

	return !rc && q->rows == 0 ? E_GONE : rc;
}

int db_run(struct db_query *q)
{
	while (db_next(q))
		;
	return db_done(q);
}

int db_change(struct db_query *q)
{
	int rc = db_run(q);

	return !rc && sqlite3_changes(q->c->db) == 0 ? E_GONE : rc;
}

int db_insert(struct db_query *q, uint64_t *ret_id)
{
	int rc = db_run(q);

	if (!rc)
		*ret_id = (uint64_t)sqlite3_last_insert_rowid(q->c->db);
	return rc;
}

int db_prepare_all(struct catalog *c)
{
	for (unsigned i = 0; i < DB_STATEMENTS; i++) {
		int sqlite = prepare(c, (enum db_statement)i);
		if (sqlite != SQLITE_OK)
			return db_error(c, sqlite, statements[i].name);
	}
	return 0;
}

int db_only(struct catalog *c, enum db_statement which)
{
	struct db_query q = db_query(c, which);

	return db_run(&q);
}

int db_of(struct catalog *c, enum db_statement which, uint64_t id)
{
	struct db_query q = db_query(c, which);

	db_put_u64(&q, id);
	return db_run(&q);
}

/* ---- groups ---- */

int db_group_begin(struct catalog *c)
{
	assert(!c->in_group);
	int rc = db_only(c, DB_GROUP_SAVEPOINT);

	c->in_group = !rc;
	return rc;
}

int db_group_end(struct catalog *c, int rc)
{
	assert(c->in_group);
	/* After an error that undid the whole transaction there is no savepoint any more. */
	if (rc && !sqlite3_get_autocommit(c->db)) {
		int undo = db_only(c, DB_GROUP_ROLLBACK_TO);
		if (!undo)
			undo = db_only(c, DB_GROUP_RELEASE);
		(void)undo; /* rc says enough: it goes up, and the caller undoes more */
	} else if (!rc) {
		rc = db_only(c, DB_GROUP_RELEASE);
	}
	c->in_group = false;
	return rc;
}
