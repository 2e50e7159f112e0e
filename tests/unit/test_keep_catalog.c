/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog as a database: opening, refusals, versions, transactions, crashes, readers. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "daemon/keep/catalog_db.h"
#include "keep_kit.h"

static struct catalog *opened(const struct kit *kit, bool create)
{
	struct catalog *c = NULL;

	assert_good(catalog_open(kit->dir, kit_key(), create, &c));
	return c;
}

static void run_sql(struct catalog *c, const char *sql)
{
	assert_int_equal(sqlite3_exec(c->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t number(struct catalog *c, const char *sql)
{
	sqlite3_stmt *st = NULL;

	assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return value;
}

static void set_number(struct catalog *c, const char *key, uint64_t value)
{
	assert_good(catalog_meta_set_u64(c, key, value));
}

static void assert_number(struct catalog *c, const char *key, uint64_t expected)
{
	uint64_t value = 0;

	assert_good(catalog_meta_get_u64(c, key, &value));
	assert_int_equal(value, expected);
}

static void assert_unset(struct catalog *c, const char *key)
{
	uint64_t value = 42;

	assert_gone(catalog_meta_get_u64(c, key, &value));
	assert_int_equal(value, 42);
}

/* ---- opening ---- */

static void create_makes_a_private_file_with_our_marks(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	const struct kit *kit = *state;
	static const char *const files[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};

	set_number(c, "n", 1);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct stat st;
		assert_int_equal(fstatat(kit->fd, files[i], &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(number(c, "PRAGMA application_id"), CATALOG_APPLICATION);
	assert_int_equal(number(c, "PRAGMA user_version"), catalog_version);
	assert_int_equal(number(c, "PRAGMA synchronous"), 2);
	assert_int_equal(number(c, "PRAGMA foreign_keys"), 1);
	assert_int_equal(number(c, "PRAGMA secure_delete"), 1);
	assert_int_equal(number(c, "PRAGMA trusted_schema"), 0);
	assert_int_equal(number(c, "PRAGMA cell_size_check"), 1);
	assert_int_equal(number(c, "PRAGMA temp_store"), 2);
	assert_int_equal(
	    number(c, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
}

static void create_over_a_catalog_is_refused_and_keeps_it(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true), *other = NULL;

	set_number(c, "n", 7);
	catalog_close(&c);
	assert_refused(catalog_open(kit->dir, kit_key(), true, &other), E_EXISTS);
	assert_null(other);
	c = opened(kit, false);
	assert_number(c, "n", 7);
	catalog_close(&c);
}

static void open_without_a_catalog_says_gone_and_makes_none(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = NULL;

	assert_refused(catalog_open(kit->dir, kit_key(), false, &c), E_GONE);
	assert_refused(catalog_open_reader(kit->dir, kit_key(), &c), E_GONE);
	assert_refused(catalog_open("/nonexistent", kit_key(), true, &c), E_GONE);
	assert_null(c);
	assert_int_not_equal(faccessat(kit->fd, "catalog.db", F_OK, 0), 0);
}

static void write_file(const struct kit *kit, const char *content, size_t len)
{
	assert_good(sys_replace_file(kit->fd, "catalog.db", 0600, view_of(content, len)));
}

static void open_what_is_no_catalog_is_refused_and_left_alone(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf content = {0};
	struct catalog *c = NULL;
	static char text[8192];
	sqlite3 *foreign = NULL;

	write_file(kit, "", 0);
	assert_refused(catalog_open(kit->dir, kit_key(), false, &c), E_CONFIG);
	memset(text, 'x', sizeof text);
	write_file(kit, text, sizeof text);
	assert_refused(catalog_open(kit->dir, kit_key(), false, &c), E_INTEGRITY);
	assert_refused(catalog_open_reader(kit->dir, kit_key(), &c), E_INTEGRITY);
	assert_good(sys_read_file(kit->fd, "catalog.db", sizeof text, &content));
	assert_true(view_equal(view_buf(&content), view_of(text, sizeof text)));

	/* Somebody else's database must not even be turned to WAL. */
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", kit->dir);
	assert_good(sys_unlink(kit->fd, "catalog.db"));
	assert_int_equal(sqlite3_open(path, &foreign), SQLITE_OK);
	assert_int_equal(
	    sqlite3_exec(foreign, "CREATE TABLE t (x); PRAGMA user_version = 1;", 0, 0, 0),
	    SQLITE_OK);
	(void)sqlite3_close(foreign);
	buf_clear(&content);
	assert_good(sys_read_file(kit->fd, "catalog.db", 65536, &content));
	assert_refused(catalog_open(kit->dir, kit_key(), false, &c), E_CONFIG);
	CLEANUP(buf_done) struct buf after = {0};
	assert_good(sys_read_file(kit->fd, "catalog.db", 65536, &after));
	assert_true(view_equal(view_buf(&content), view_buf(&after)));
	assert_good(sys_unlink(kit->fd, "catalog.db"));
	assert_good(sys_mkdir(kit->fd, "catalog.db", 0700));
	assert_refused(catalog_open(kit->dir, kit_key(), false, &c), E_CONFIG);
	assert_null(c);
}

static void open_damaged_catalog_is_noticed(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);
	CLEANUP(buf_done) struct buf problems = {0};
	unsigned noticed = 0;
	uint64_t size = 0;

	for (unsigned i = 0; i < 300; i++) {
		char key[32];
		(void)snprintf(key, sizeof key, "key number %u", i);
		set_number(c, key, i);
	}
	catalog_close(&c);
	CLEANUP(sys_close) int fd = -1;
	assert_good(sys_open(kit->fd, "catalog.db", O_RDWR, 0, &fd));
	assert_good(sys_size(fd, &size));
	/* The head of every page but the first: its type, its count of cells. */
	for (uint64_t page = 4096; page < size; page += 4096) {
		kit_flip(kit, "catalog.db", page);
		int rc = catalog_open(kit->dir, kit_key(), false, &c);
		if (!rc)
			rc = catalog_check(c, &problems);
		noticed += rc == E_INTEGRITY || problems.len > 0;
		assert_true(rc == 0 || rc == E_INTEGRITY);
		err_clear();
		buf_clear(&problems);
		catalog_close(&c);
		kit_flip(kit, "catalog.db", page);
	}
	assert_int_equal(noticed, size / 4096 - 1);
	c = opened(kit, false);
	assert_good(catalog_check(c, &problems));
	assert_int_equal(problems.len, 0);
	catalog_close(&c);
	assert_good(sys_truncate(fd, size - 4096));
	int rc = catalog_open(kit->dir, kit_key(), false, &c);
	if (!rc)
		rc = catalog_check(c, &problems);
	assert_true(rc == E_INTEGRITY || (rc == 0 && problems.len > 0));
	catalog_close(&c);
}

/* ---- versions ---- */

static void open_newer_schema_is_refused(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);
	char text[64];

	(void)snprintf(text, sizeof text, "PRAGMA user_version = %u", catalog_version + 1);
	run_sql(c, text);
	catalog_close(&c);
	assert_int_equal(catalog_open(kit->dir, kit_key(), false, &c), E_CONFIG);
	(void)snprintf(text, sizeof text, "schema version %u", catalog_version + 1);
	assert_non_null(strstr(err_text(), text));
	err_clear();
	assert_refused(catalog_open_reader(kit->dir, kit_key(), &c), E_CONFIG);
	assert_null(c);
}

static void open_older_schema_is_brought_up_by_the_writer_only(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true), *reader = NULL;

	/* Version 0 with our mark: what a version before the first would have looked like. */
	run_sql(c, "PRAGMA writable_schema = OFF; DROP TABLE outbox; DROP TABLE alerts; DROP TABLE "
		   "doomed; DROP TABLE "
		   "tiny; DROP TABLE "
		   "uploads;"
		   "DROP TABLE versions; DROP TABLE object_keys; DROP TABLE nodes; DROP TABLE "
		   "zone_secrets;"
		   "DROP TABLE zones; DROP TABLE grants; DROP TABLE credentials; DROP TABLE "
		   "enrolments; DROP TABLE principals;"
		   "DROP TABLE meta; PRAGMA user_version = 0;");
	catalog_close(&c);
	assert_refused(catalog_open_reader(kit->dir, kit_key(), &reader), E_CONFIG);
	assert_null(reader);
	c = opened(kit, false);
	assert_int_equal(number(c, "PRAGMA user_version"), catalog_version);
	set_number(c, "n", 1);
	catalog_close(&c);
}

static void migrate_runs_what_is_missing_once_and_in_order(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	const char *const steps[] = {
	    "this is not SQL: it has been run already",
	    ("CREATE TABLE extra (x INTEGER) STRICT;"
	     "INSERT INTO extra VALUES (1); PRAGMA user_version = 2;"),
	    "UPDATE extra SET x = x + 10; PRAGMA user_version = 3;",
	};

	run_sql(c, "PRAGMA user_version = 1");
	set_number(c, "n", 5);
	assert_good(db_migrate(c, steps, 2));
	assert_int_equal(number(c, "SELECT x FROM extra"), 1);
	assert_good(db_migrate(c, steps, 3));
	assert_int_equal(number(c, "SELECT x FROM extra"), 11);
	assert_good(db_migrate(c, steps, 3));
	assert_int_equal(number(c, "SELECT x FROM extra"), 11);
	assert_int_equal(number(c, "PRAGMA user_version"), 3);
	assert_refused(db_migrate(c, steps, 2), E_CONFIG);
	assert_number(c, "n", 5);
}

static void migrate_that_fails_leaves_the_old_version(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	const char *const steps[] = {
	    "",
	    "CREATE TABLE extra (x INTEGER) STRICT; PRAGMA user_version = 2;",
	    "INSERT INTO nowhere VALUES (1); PRAGMA user_version = 3;",
	};

	run_sql(c, "PRAGMA user_version = 1");
	assert_refused(db_migrate(c, steps, 3), E_IO);
	assert_int_equal(number(c, "PRAGMA user_version"), 1);
	assert_int_equal(number(c, "SELECT count(*) FROM sqlite_schema WHERE name = 'extra'"), 0);
	set_number(c, "n", 1); /* and the catalog goes on */
}

/* ---- transactions ---- */

static void rollback_undoes_and_commit_keeps(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);

	assert_good(catalog_begin(c));
	set_number(c, "a", 1);
	assert_number(c, "a", 1);
	catalog_rollback(c);
	assert_unset(c, "a");
	catalog_rollback(c); /* nothing to undo is fine */
	assert_good(catalog_begin(c));
	set_number(c, "a", 2);
	assert_good(catalog_commit(c));
	catalog_rollback(c);
	assert_number(c, "a", 2);
	assert_good(catalog_begin(c));
	set_number(c, "a", 3);
	catalog_close(&c); /* with a transaction open */
	c = opened(kit, false);
	assert_number(c, "a", 2);
	catalog_close(&c);
}

static void savepoint_undone_keeps_what_was_before_it(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);

	assert_good(catalog_begin(c));
	set_number(c, "a", 1);
	assert_good(catalog_savepoint(c));
	set_number(c, "a", 2);
	set_number(c, "b", 2);
	assert_good(catalog_rollback_to(c));
	assert_number(c, "a", 1);
	assert_unset(c, "b");
	assert_good(catalog_savepoint(c));
	set_number(c, "c", 3);
	assert_good(catalog_release(c));
	assert_good(catalog_savepoint(c));
	assert_good(catalog_rollback_to(c));
	assert_good(catalog_commit(c));
	assert_number(c, "a", 1);
	assert_unset(c, "b");
	assert_number(c, "c", 3);
}

static void add_twin(struct catalog *c, int expected)
{
	struct principal_row row = {.name = "twin", .role = ROLE_CLIENT};

	err_clear();
	assert_int_equal(catalog_principal_add(c, &row), expected);
	err_clear();
}

static void statement_after_an_error_works_again(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	struct principal_row row = {.name = "other", .role = ROLE_STAFF}, got;

	add_twin(c, 0);
	for (int i = 0; i < 3; i++)
		add_twin(c, E_EXISTS);
	assert_good(catalog_principal_add(c, &row));
	assert_good(catalog_principal_by_name(c, "other", &got));
	row.role = (enum role)9;
	(void)snprintf(row.name, sizeof row.name, "ninth");
	assert_refused(catalog_principal_add(c, &row), E_INTEGRITY);
	memset(row.name, 'x', sizeof row.name); /* no end */
	assert_refused(catalog_principal_add(c, &row), E_INVALID);
	assert_gone(catalog_principal_by_name(c, "ninth", &got));
	assert_refused(catalog_principal_by_id(c, UINT64_MAX, &got), E_INVALID);
	assert_good(catalog_principal_by_name(c, "other", &got));
	assert_int_equal(got.role, ROLE_STAFF);
}

static void error_inside_a_savepoint_spares_the_transaction(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);

	assert_good(catalog_begin(c));
	add_twin(c, 0);
	set_number(c, "a", 1);
	assert_good(catalog_savepoint(c));
	set_number(c, "a", 2);
	add_twin(c, E_EXISTS);
	assert_good(catalog_rollback_to(c));
	assert_good(catalog_commit(c));
	assert_number(c, "a", 1);
}

static int fill(struct catalog *c, const char *key)
{
	static uint8_t big[1 << 20];

	return catalog_meta_set(c, key, view_of(big, sizeof big));
}

static void full_disk_is_told_and_undoes_the_transaction(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);

	set_number(c, "a", 1);
	run_sql(c, "PRAGMA max_page_count = 300");
	assert_good(catalog_begin(c));
	set_number(c, "a", 2);
	assert_good(catalog_savepoint(c));
	assert_good(fill(c, "big 1"));
	assert_refused(fill(c, "big 2"), E_FULL);
	/* SQLite may have undone the whole transaction: then nothing takes effect any more. */
	if (sqlite3_get_autocommit(c->db)) {
		assert_refused(catalog_meta_set_u64(c, "a", 3), E_IO);
		assert_refused(catalog_rollback_to(c), E_IO);
		assert_refused(catalog_commit(c), E_IO);
	} else {
		assert_good(catalog_rollback_to(c));
		catalog_rollback(c);
	}
	assert_number(c, "a", 1);
	assert_unset(c, "big 1");
	set_number(c, "a", 4);
	catalog_close(&c);
	c = opened(kit, false);
	assert_number(c, "a", 4);
	catalog_close(&c);
}

static void transaction_undone_behind_our_back_lets_nothing_through(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	uint64_t value = 0;

	set_number(c, "a", 1);
	assert_good(catalog_begin(c));
	set_number(c, "a", 2);
	run_sql(c, "ROLLBACK"); /* as SQLite does by itself after SQLITE_IOERR and the like */
	assert_refused(catalog_meta_set_u64(c, "a", 3), E_IO);
	assert_refused(catalog_meta_get_u64(c, "a", &value), E_IO);
	assert_refused(catalog_zone_remove(c, 1), E_IO);
	assert_refused(catalog_commit(c), E_IO);
	assert_number(c, "a", 1);
	assert_good(catalog_begin(c));
	set_number(c, "a", 5);
	assert_good(catalog_commit(c));
	assert_number(c, "a", 5);
}

static void statement_without_memory_says_so_and_works_again(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);

	set_number(c, "a", 1);
	assert_good(catalog_begin(c));
	set_number(c, "a", 2);
	(void)sqlite3_hard_heap_limit64(sqlite3_memory_used() + 65536);
	err_clear();
	int rc = fill(c, "big");
	(void)sqlite3_hard_heap_limit64(0);
	assert_int_equal(rc, E_NOMEM);
	err_clear();
	catalog_rollback(c);
	assert_number(c, "a", 1);
	assert_good(fill(c, "big"));
}

/* In a child, whose files may not grow any more; 0 when all was refused as it must be. */
static int write_beyond_the_limit(const char *dir)
{
	const struct rlimit limit = {1 << 20, 1 << 20};
	struct catalog *c = NULL;

	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) ||
	    catalog_open(dir, kit_key(), false, &c) || catalog_begin(c) ||
	    catalog_meta_set_u64(c, "a", 2))
		return 1;
	int rc = fill(c, "1");
	if (!rc)
		rc = fill(c, "2");
	int end = catalog_commit(c);
	if (end != E_IO && end != E_FULL)
		return 2;
	uint64_t value = 0;
	if (catalog_meta_get_u64(c, "a", &value) || value != 1)
		return 3;
	catalog_close(&c);
	return rc == 0 || rc == E_IO || rc == E_FULL ? 0 : 4;
}

static void commit_that_cannot_be_written_fails_and_leaves_the_old_state(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);
	int status = 0;

	set_number(c, "a", 1);
	catalog_close(&c);
	pid_t child = fork();
	if (child == 0)
		_exit(write_beyond_the_limit(kit->dir));
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	c = opened(kit, false);
	assert_number(c, "a", 1);
	assert_unset(c, "1");
	catalog_close(&c);
}

/* ---- values ---- */

static void meta_keeps_any_number_and_any_bytes(void **state)
{
	static const uint64_t numbers[] = {0,         1,          255,       1ULL << 32,
					   INT64_MAX, 1ULL << 63, UINT64_MAX};
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	CLEANUP(buf_done) struct buf out = {0};
	uint64_t value = 0;

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		set_number(c, "n", numbers[i]);
		assert_number(c, "n", numbers[i]);
	}
	assert_good(catalog_meta_set(c, "bytes", view_of("a\0b", 3)));
	assert_good(buf_add_text(&out, "front"));
	assert_good(catalog_meta_get(c, "bytes", &out));
	assert_true(view_equal(view_buf(&out), view_of("fronta\0b", 8)));
	assert_refused(catalog_meta_get_u64(c, "bytes", &value), E_INTEGRITY);
	buf_clear(&out);
	assert_good(catalog_meta_set(c, "bytes", view_of(NULL, 0)));
	assert_good(catalog_meta_get(c, "bytes", &out));
	assert_int_equal(out.len, 0);
	assert_gone(catalog_meta_get(c, "Bytes", &out));
}

static void alert_stands_once_of_its_kind_until_it_is_removed(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	struct alert_row one = {.kind = "clock", .raised_us = -7, .text = "it jumped"},
			 two = {.kind = "other"}, again = one, got = {0};

	assert_gone(catalog_alert_next(c, 0, &got));
	assert_gone(catalog_alert_by_kind(c, "clock", &got));
	assert_good(catalog_alert_add(c, &one));
	assert_refused(catalog_alert_add(c, &again), E_EXISTS);
	assert_good(catalog_alert_add(c, &two));
	assert_good(catalog_alert_by_kind(c, "clock", &got));
	assert_int_equal(got.id, one.id);
	assert_true(got.raised_us == -7);
	assert_string_equal(got.text, "it jumped");
	assert_good(catalog_alert_next(c, 0, &got));
	assert_string_equal(got.kind, "clock");
	assert_good(catalog_alert_next(c, got.id, &got));
	assert_string_equal(got.kind, "other");
	assert_gone(catalog_alert_next(c, got.id, &got));
	assert_good(catalog_alert_remove(c, one.id));
	assert_gone(catalog_alert_remove(c, one.id));
	assert_gone(catalog_alert_by_id(c, one.id, &got));
	assert_good(catalog_alert_add(c, &again));
	assert_true(again.id > two.id);
	assert_good(catalog_alert_by_id(c, again.id, &got));
	memset(two.kind, 'k', sizeof two.kind);
	assert_refused(catalog_alert_add(c, &two), E_INVALID);
}

/* ---- crashes ---- */

static void kill_in_mid_transaction_leaves_the_old_state(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);
	int ready[2];
	char byte;

	set_number(c, "a", 1);
	catalog_close(&c);
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		/* More than fits SQLite's cache, so that unfinished pages are in the log. */
		if (catalog_open(kit->dir, kit_key(), false, &c) || catalog_begin(c) ||
		    catalog_meta_set_u64(c, "a", 2) || fill(c, "1") || fill(c, "2") ||
		    fill(c, "3") || fill(c, "4") || fill(c, "5") || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	struct stat st;
	assert_int_equal(fstatat(kit->fd, "catalog.db-wal", &st, 0), 0);
	assert_true(st.st_size > 1 << 20);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(ready[0]);
	(void)close(ready[1]);
	c = opened(kit, false);
	CLEANUP(buf_done) struct buf problems = {0};
	assert_good(catalog_check(c, &problems));
	assert_int_equal(problems.len, 0);
	assert_number(c, "a", 1);
	assert_unset(c, "1");
	catalog_close(&c);
}

static void commit_for_ever(const char *dir, int told)
{
	struct catalog *c = NULL;

	if (catalog_open(dir, kit_key(), false, &c))
		_exit(1);
	for (uint64_t i = 1;; i++) {
		char key[32];
		(void)snprintf(key, sizeof key, "row %llu", (unsigned long long)i);
		if (catalog_begin(c) || catalog_meta_set_u64(c, key, i) ||
		    catalog_meta_set_u64(c, "count", i) || catalog_commit(c) ||
		    write(told, &i, sizeof i) != sizeof i)
			_exit(1);
	}
}

static uint64_t run_and_kill(const struct kit *kit, useconds_t after_us)
{
	int told[2];
	uint64_t last = 0, i;

	assert_int_equal(pipe(told), 0);
	pid_t child = fork();
	if (child == 0)
		commit_for_ever(kit->dir, told[1]);
	assert_true(child > 0);
	(void)close(told[1]);
	assert_int_equal(read(told[0], &last, sizeof last), sizeof last);
	(void)usleep(after_us);
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(told[0], &i, sizeof i) == sizeof i)
		last = i;
	assert_int_equal(waitpid(child, NULL, 0), child);
	(void)close(told[0]);
	return last;
}

static void kill_at_any_moment_loses_nothing_committed(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = opened(kit, true);

	catalog_close(&c);
	for (useconds_t round = 0; round < 8; round++) {
		uint64_t told = run_and_kill(kit, 3000 + 2700 * round), count = 0;
		c = opened(kit, false);
		assert_good(catalog_meta_get_u64(c, "count", &count));
		assert_true(count == told || count == told + 1);
		char key[32];
		(void)snprintf(key, sizeof key, "row %llu", (unsigned long long)count);
		assert_number(c, key, count);
		(void)snprintf(key, sizeof key, "row %llu", (unsigned long long)count + 1);
		if (round == 0)
			assert_unset(c, key);
		run_sql(c, "DELETE FROM meta");
		catalog_close(&c);
	}
}

/* ---- a second connection ---- */

static void reader_sees_only_what_is_committed(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *c = opened(kit, true), *reader = NULL;

	set_number(c, "a", 1);
	assert_good(catalog_open_reader(kit->dir, kit_key(), &reader));
	assert_good(catalog_begin(c));
	set_number(c, "a", 2);
	assert_number(reader, "a", 1);
	assert_good(catalog_commit(c));
	assert_number(reader, "a", 2);
	/* Inside a transaction of its own it sees one moment. */
	assert_good(catalog_begin(reader));
	assert_number(reader, "a", 2);
	set_number(c, "a", 3);
	assert_number(reader, "a", 2);
	assert_good(catalog_commit(reader));
	assert_number(reader, "a", 3);
}

struct watcher {
	const char *dir;
	uint64_t rounds, wrong;
	bool stop; /* __atomic */
};

/* The two numbers are always set together. */
static void *watch(void *arg)
{
	struct watcher *w = arg;
	struct catalog *reader = NULL;

	while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		uint64_t a = 0, b = 1;
		if (catalog_open_reader(w->dir, kit_key(), &reader) || catalog_begin(reader) ||
		    catalog_meta_get_u64(reader, "a", &a) ||
		    catalog_meta_get_u64(reader, "b", &b) || catalog_commit(reader) || a != b)
			w->wrong++;
		catalog_close(&reader);
		__atomic_add_fetch(&w->rounds, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void reader_on_another_thread_sees_whole_transactions(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *c = opened(kit, true);
	struct watcher w = {.dir = kit->dir};
	pthread_t thread;

	set_number(c, "a", 0);
	set_number(c, "b", 0);
	assert_int_equal(pthread_create(&thread, NULL, watch, &w), 0);
	/* Enough for some checkpoints on the way, and for the watcher to have looked often. */
	for (uint64_t i = 1; i < 1500 || __atomic_load_n(&w.rounds, __ATOMIC_ACQUIRE) < 20; i++) {
		assert_good(catalog_begin(c));
		set_number(c, "a", i);
		set_number(c, "b", i);
		assert_good(catalog_commit(c));
	}
	__atomic_store_n(&w.stop, true, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.wrong, 0);
}

static void reader_cannot_write(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *c = opened(kit, true), *reader = NULL;

	set_number(c, "a", 1);
	assert_good(catalog_open_reader(kit->dir, kit_key(), &reader));
	assert_refused(catalog_meta_set_u64(reader, "a", 2), E_IO);
	assert_refused(catalog_zone_remove(reader, 1), E_IO);
	assert_number(c, "a", 1);
}

static void reader_opened_and_closed_leaves_the_writer_its_locks(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *c = opened(kit, true);
	struct catalog *other = NULL;

	assert_good(catalog_begin(c));
	set_number(c, "a", 1);
	for (int i = 0; i < 3; i++) {
		assert_good(catalog_open_reader(kit->dir, kit_key(), &other));
		catalog_close(&other);
	}
	/* Another process must still be kept out. */
	pid_t child = fork();
	if (child == 0) {
		struct catalog *theirs = NULL;
		int rc = catalog_open(kit->dir, kit_key(), false, &theirs);
		if (!rc)
			rc = catalog_begin(theirs);
		_exit(rc == E_AGAIN ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_good(catalog_commit(c));
}

static void begin_while_another_writes_says_again(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *one = opened(kit, true), *two = opened(kit, false);

	assert_good(catalog_begin(one));
	assert_refused(catalog_begin(two), E_AGAIN);
	assert_good(catalog_commit(one));
	assert_good(catalog_begin(two));
	set_number(two, "a", 1);
	assert_good(catalog_commit(two));
	assert_number(one, "a", 1);
}

static void scrub_beside_a_reader_says_again(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(catalog_close) struct catalog *c = opened(kit, true), *reader = NULL;
	struct stat st;

	set_number(c, "a", 1);
	assert_good(catalog_open_reader(kit->dir, kit_key(), &reader));
	assert_good(catalog_begin(reader));
	assert_number(reader, "a", 1);
	set_number(c, "a", 2);
	assert_refused(catalog_scrub(c), E_AGAIN);
	assert_good(catalog_commit(reader));
	assert_good(catalog_scrub(c));
	assert_int_equal(fstatat(kit->fd, "catalog.db-wal", &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_number(reader, "a", 2);
}

/* ---- plans ---- */

static int plan_line(void *arg, int columns, char **values, char **names)
{
	struct buf *out = arg;

	(void)names;
	return columns == 4 ? buf_printf(out, "%s\n", values[3]) : 1;
}

/* Whether it looks at all rows of a table; a row of constants is none. */
static bool scans(const char *plan)
{
	for (const char *at = plan; (at = strstr(at, "SCAN ")); at += 5)
		if (strncmp(at, "SCAN CONSTANT ROW", 17) != 0)
			return true;
	return false;
}

static void every_statement_but_walks_is_served_by_an_index(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = opened(*state, true);
	unsigned searches = 0;

	for (unsigned i = 0; i < DB_STATEMENTS; i++) {
		CLEANUP(buf_done) struct buf plan = {0};
		bool walk = false;
		const char *text = db_text((enum db_statement)i, &walk), *lines = NULL;
		CLEANUP(mem_free) char *explain = mem_printf("EXPLAIN QUERY PLAN %s", text);
		if (walk)
			continue;
		assert_int_equal(sqlite3_exec(c->db, explain, plan_line, &plan, NULL), SQLITE_OK);
		assert_good(buf_text(&plan, &lines));
		if (scans(lines) || strstr(lines, "TEMP B-TREE"))
			print_message("# %s\n# %s", text, lines);
		assert_false(scans(lines));
		assert_null(strstr(lines, "TEMP B-TREE"));
		searches += strstr(lines, "SEARCH ") != NULL;
	}
	assert_true(searches > 40);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(create_makes_a_private_file_with_our_marks),
	    CASE(create_over_a_catalog_is_refused_and_keeps_it),
	    CASE(open_without_a_catalog_says_gone_and_makes_none),
	    CASE(open_what_is_no_catalog_is_refused_and_left_alone),
	    CASE(open_damaged_catalog_is_noticed),
	    CASE(open_newer_schema_is_refused),
	    CASE(open_older_schema_is_brought_up_by_the_writer_only),
	    CASE(migrate_runs_what_is_missing_once_and_in_order),
	    CASE(migrate_that_fails_leaves_the_old_version),
	    CASE(rollback_undoes_and_commit_keeps),
	    CASE(savepoint_undone_keeps_what_was_before_it),
	    CASE(statement_after_an_error_works_again),
	    CASE(error_inside_a_savepoint_spares_the_transaction),
	    CASE(full_disk_is_told_and_undoes_the_transaction),
	    CASE(transaction_undone_behind_our_back_lets_nothing_through),
	    CASE(statement_without_memory_says_so_and_works_again),
	    CASE(commit_that_cannot_be_written_fails_and_leaves_the_old_state),
	    CASE(meta_keeps_any_number_and_any_bytes),
	    CASE(alert_stands_once_of_its_kind_until_it_is_removed),
	    CASE(kill_in_mid_transaction_leaves_the_old_state),
	    CASE(kill_at_any_moment_loses_nothing_committed),
	    CASE(reader_sees_only_what_is_committed),
	    CASE(reader_on_another_thread_sees_whole_transactions),
	    CASE(reader_cannot_write),
	    CASE(reader_opened_and_closed_leaves_the_writer_its_locks),
	    CASE(begin_while_another_writes_says_again),
	    CASE(scrub_beside_a_reader_says_again),
	    CASE(every_statement_but_walks_is_served_by_an_index),
	};

	return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
