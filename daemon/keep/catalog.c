/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/catalog_db.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/catalog_wal.h"

enum {
	BUSY_MS = 250, /* nobody else writes; a checkpoint or a recovery may hold us up so long */
	META_U64 = 8
};

/* ---- pragmas ---- */

static int run_text(struct catalog *c, const char *text, const char *what)
{
	int sqlite = sqlite3_exec(c->db, text, NULL, NULL, NULL);

	return sqlite == SQLITE_OK ? 0 : db_error(c, sqlite, what);
}

/* A pragma that gives one number. */
static int read_number(struct catalog *c, const char *text, int64_t *ret_number)
{
	sqlite3_stmt *st = NULL;
	int64_t number = 0;
	int sqlite = sqlite3_prepare_v2(c->db, text, -1, &st, NULL);

	if (sqlite == SQLITE_OK)
		sqlite = sqlite3_step(st);
	if (sqlite == SQLITE_ROW)
		number = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	if (sqlite != SQLITE_ROW)
		return db_error(c, sqlite, text);
	*ret_number = number;
	return 0;
}

/* What a damaged or hostile file could make SQLite do is switched off before it is read. */
static int harden(struct catalog *c)
{
	static const int off[] = {SQLITE_DBCONFIG_ENABLE_TRIGGER,
				  SQLITE_DBCONFIG_ENABLE_VIEW,
				  SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION,
				  SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER,
				  SQLITE_DBCONFIG_TRUSTED_SCHEMA,
				  SQLITE_DBCONFIG_WRITABLE_SCHEMA,
				  SQLITE_DBCONFIG_DQS_DDL,
				  SQLITE_DBCONFIG_DQS_DML};
	int sqlite = sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	for (size_t i = 0; i < ARRAY_LEN(off) && sqlite == SQLITE_OK; i++)
		sqlite = sqlite3_db_config(c->db, off[i], 0, NULL);
	if (sqlite == SQLITE_OK)
		sqlite = sqlite3_busy_timeout(c->db, BUSY_MS);
	if (sqlite != SQLITE_OK)
		return db_error(c, sqlite, "harden");
	return run_text(c,
			"PRAGMA trusted_schema = OFF;"
			"PRAGMA cell_size_check = ON;"
			"PRAGMA mmap_size = 0;" /* an I/O error is an error, not a SIGBUS */
			"PRAGMA temp_store = MEMORY;",
			"pragmas");
}

/*
 * For the one writer. Autocheckpoint moves 4 MiB at most into the database; the log is cut
 * back to 16 MiB after a longer reader or a large transaction has made it grow.
 */
static int prepare_writer(struct catalog *c)
{
	int64_t synchronous = 0, references = 0, wiping = 0;
	int rc = run_text(c,
			  "PRAGMA synchronous = FULL;"
			  "PRAGMA foreign_keys = ON;"
			  "PRAGMA secure_delete = ON;"
			  "PRAGMA wal_autocheckpoint = 1000;"
			  "PRAGMA journal_size_limit = 16777216;"
			  "CREATE TEMP TABLE kept (zone INTEGER PRIMARY KEY, wrapped BLOB);",
			  "pragmas");

	if (!rc)
		rc = read_number(c, "PRAGMA synchronous", &synchronous);
	if (!rc)
		rc = read_number(c, "PRAGMA foreign_keys", &references);
	if (!rc)
		rc = read_number(c, "PRAGMA secure_delete", &wiping);
	if (!rc && (synchronous != 2 || references != 1 || wiping != 1))
		rc = fail(E_CONFIG, "this SQLite ignores what the catalog relies on");
	return rc;
}

/* Changes the file for good, so only after it is known to be ours. */
static int enter_wal(struct catalog *c)
{
	sqlite3_stmt *st = NULL;
	bool entered = false;
	int sqlite = sqlite3_prepare_v2(c->db, "PRAGMA journal_mode = WAL", -1, &st, NULL);

	if (sqlite == SQLITE_OK)
		sqlite = sqlite3_step(st);
	if (sqlite == SQLITE_ROW) {
		const char *mode = (const char *)sqlite3_column_text(st, 0);
		entered = mode && sqlite3_stricmp(mode, "wal") == 0;
	}
	(void)sqlite3_finalize(st);
	if (sqlite != SQLITE_ROW)
		return db_error(c, sqlite, "journal mode");
	return entered ? 0
		       : fail(E_CONFIG, "the file system of the state directory cannot hold "
					"SQLite's write-ahead log");
}

/* ---- the schema ---- */

static int check_ours(struct catalog *c)
{
	int64_t application = 0;
	int rc = read_number(c, "PRAGMA application_id", &application);

	if (!rc && application != CATALOG_APPLICATION)
		rc = fail(E_CONFIG, "catalog.db is not a catalog of dropkeep");
	return rc;
}

static int apply_migrations(struct catalog *c, const char *const *migrations, int64_t from,
			    unsigned count)
{
	int64_t now = from;
	int rc = 0;

	for (int64_t i = from; i < count && !rc; i++) {
		rc = run_text(c, migrations[i], "migrate");
		if (!rc)
			rc = read_number(c, "PRAGMA user_version", &now);
		assert(rc || now == i + 1);
	}
	return rc;
}

int db_migrate(struct catalog *c, const char *const *migrations, unsigned count)
{
	int64_t version = 0;
	int rc = read_number(c, "PRAGMA user_version", &version);

	if (rc)
		return rc;
	if (version < 0 || version > count)
		return fail(E_CONFIG,
			    "catalog.db has schema version %lld, this program knows up to %u: "
			    "use the newer dropkeep that wrote it",
			    (long long)version, count);
	if (version == count)
		return 0;
	if (c->reader)
		return fail(E_CONFIG, "catalog.db has schema version %lld, not %u",
			    (long long)version, count);
	rc = catalog_begin(c);
	if (rc)
		return rc;
	rc = apply_migrations(c, migrations, version, count);
	if (!rc)
		return catalog_commit(c);
	catalog_rollback(c);
	return rc;
}

/* ---- open and close ---- */

/* How much SQLite keeps free at the end of each page is fixed with the first one. */
static int begin_file(struct catalog *c)
{
	int reserved = CATALOG_RESERVED;
	int sqlite = sqlite3_file_control(c->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved);

	catalog_vfs_making(c->vfs, true);
	if (sqlite != SQLITE_OK)
		return db_error(c, sqlite, "reserve bytes");
	return run_text(c, "PRAGMA page_size = 4096;", "page size");
}

static int open_file(const char *path, const struct secret *key, bool reader,
		     struct catalog **ret_catalog)
{
	int flags = reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	CLEANUP(catalog_close) struct catalog *c = mem_new(sizeof *c);
	int rc = catalog_vfs_new(key, &c->vfs);

	if (rc)
		return rc;
	c->path = mem_text(path);
	c->reader = reader;
	int sqlite =
	    sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			    catalog_vfs_name(c->vfs));
	rc = sqlite == SQLITE_OK ? harden(c) : db_error(c, sqlite, "open");
	if (!rc)
		*ret_catalog = TAKE(c);
	return rc;
}

/*
 * Never by opening it: a close of any descriptor of the file drops all locks that this
 * process holds on it (fcntl(2), POSIX record locks), SQLite's among them.
 */
static int check_there(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fail_errno(errno == ENOENT ? E_GONE : E_IO, "open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return fail(E_CONFIG, "'%s' is not a file", path);
	return 0;
}

/* Changes that SQLite would leave out without a word when it recovers its log. */
static int check_log(const char *path)
{
	CLEANUP(mem_free) char *wal = mem_printf("%s-wal", path);

	return wal_check(wal);
}

static int open_writer(const char *path, const struct secret *key, bool fresh,
		       struct catalog **ret_catalog)
{
	CLEANUP(catalog_close) struct catalog *c = NULL;
	int rc = fresh ? 0 : check_log(path);

	if (!rc)
		rc = open_file(path, key, false, &c);
	if (!rc)
		rc = fresh ? begin_file(c) : check_ours(c);
	if (!rc)
		rc = enter_wal(c);
	if (rc)
		return rc;
	catalog_vfs_making(c->vfs, false);
	rc = prepare_writer(c);
	if (!rc)
		rc = db_migrate(c, catalog_migrations, catalog_version);
	if (!rc)
		rc = db_prepare_all(c);
	if (!rc)
		*ret_catalog = TAKE(c);
	return rc;
}

/* Made by us, so that nobody else may read it from its first moment on; SQLite gives its
 * log and its shared memory the same mode. */
static int make_file(const char *path)
{
	CLEANUP(sys_close) int fd = -1;

	return sys_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd);
}

static int create(const char *state_dir, const char *path, const struct secret *key,
		  struct catalog **ret_catalog)
{
	int rc = make_file(path);

	if (rc)
		return rc;
	rc = open_writer(path, key, true, ret_catalog);
	if (!rc) {
		rc = sys_sync_dir(AT_FDCWD, state_dir);
		if (rc)
			catalog_close(ret_catalog);
	}
	if (rc) {
		int undo = sys_unlink(AT_FDCWD, path);
		(void)undo; /* rc says what went wrong first */
	}
	return rc;
}

int catalog_open(const char *state_dir, const struct secret *key, bool create_it,
		 struct catalog **ret_catalog)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", state_dir);
	struct catalog *c = NULL;
	int rc;

	if (create_it) {
		rc = create(state_dir, path, key, &c);
	} else {
		rc = check_there(path);
		if (!rc)
			rc = open_writer(path, key, false, &c);
	}
	if (!rc)
		*ret_catalog = c;
	return rc;
}

int catalog_open_reader(const char *state_dir, const struct secret *key,
			struct catalog **ret_catalog)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", state_dir);
	CLEANUP(catalog_close) struct catalog *c = NULL;
	int rc = check_there(path);

	if (!rc)
		rc = open_file(path, key, true, &c);
	if (!rc)
		rc = check_ours(c);
	if (!rc)
		rc = db_migrate(c, catalog_migrations, catalog_version);
	if (!rc)
		*ret_catalog = TAKE(c);
	return rc;
}

void catalog_close(struct catalog **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < DB_STATEMENTS; i++)
		(void)sqlite3_finalize((*c)->statement[i]);
	int sqlite = sqlite3_close((*c)->db);
	assert(sqlite == SQLITE_OK); /* all statements are ours, and all are gone */
	catalog_vfs_free(&(*c)->vfs);
	mem_free(&(*c)->path);
	mem_free(c);
}

/* ---- transactions ---- */

int catalog_begin(struct catalog *c)
{
	assert(!c->in_transaction && !c->in_group);
	int rc = db_only(c, c->reader ? DB_BEGIN_READ : DB_BEGIN);

	c->in_transaction = !rc;
	return rc;
}

int catalog_commit(struct catalog *c)
{
	assert(c->in_transaction && !c->in_savepoint);
	int rc = db_only(c, DB_COMMIT);

	if (rc)
		catalog_rollback(c);
	c->in_transaction = false;
	return rc;
}

void catalog_rollback(struct catalog *c)
{
	c->in_transaction = c->in_savepoint = false;
	if (sqlite3_get_autocommit(c->db))
		return;
	int rc = db_only(c, DB_ROLLBACK);
	(void)rc; /* whatever it says, the transaction is over */
}

int catalog_savepoint(struct catalog *c)
{
	assert(c->in_transaction && !c->in_savepoint);
	int rc = db_only(c, DB_SAVEPOINT);

	c->in_savepoint = !rc;
	return rc;
}

int catalog_release(struct catalog *c)
{
	assert(c->in_savepoint);
	c->in_savepoint = false;
	return db_only(c, DB_RELEASE);
}

int catalog_rollback_to(struct catalog *c)
{
	assert(c->in_savepoint);
	int rc = db_only(c, DB_ROLLBACK_TO);

	c->in_savepoint = false;
	return rc ? rc : db_only(c, DB_RELEASE);
}

int catalog_scrub(struct catalog *c)
{
	assert(!c->in_transaction);
	struct db_query q = db_query(c, DB_SCRUB);
	bool busy = db_next(&q) && db_get_bool(&q);
	int rc = db_done(&q);

	return !rc && busy ? fail(E_AGAIN, "the catalog is being read") : rc;
}

/* ---- small named values ---- */

int catalog_meta_get(struct catalog *c, const char *key, struct buf *out)
{
	struct db_query q = db_query(c, DB_META_GET);

	db_put_text(&q, key);
	if (db_next(&q))
		db_get_buf(&q, out);
	return db_found(&q);
}

int catalog_meta_set(struct catalog *c, const char *key, struct view value)
{
	struct db_query q = db_query(c, DB_META_SET);

	db_put_text(&q, key);
	db_put_bytes(&q, value);
	return db_run(&q);
}

int catalog_meta_get_u64(struct catalog *c, const char *key, uint64_t *ret_value)
{
	struct db_query q = db_query(c, DB_META_GET);
	uint8_t bytes[META_U64] = {0};
	uint64_t value = 0;

	db_put_text(&q, key);
	if (db_next(&q))
		db_get_exact(&q, bytes, sizeof bytes);
	int rc = db_found(&q);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof bytes; i++)
		value = value << 8 | bytes[i];
	*ret_value = value;
	return 0;
}

int catalog_meta_set_u64(struct catalog *c, const char *key, uint64_t value)
{
	uint8_t bytes[META_U64];

	for (size_t i = sizeof bytes; i-- > 0; value >>= 8)
		bytes[i] = (uint8_t)value;
	return catalog_meta_set(c, key, view_of(bytes, sizeof bytes));
}
