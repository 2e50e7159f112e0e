/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits that turn in the catalog's files: noticed with the page named, or of no effect; never
 * another row. DROPKEEP_LONG=1 tries every byte, else a sample.
 */
#include <stdio.h>
#include <sys/wait.h>

#include "daemon/keep/catalog_db.h"
#include "daemon/keep/catalog_wal.h"
#include "tests/unit/keep_catalog_kit.h"

enum { LAST = 8 /* transactions in the log */ };

static struct catalog *opened(const struct kit *kit)
{
	struct catalog *c = NULL;

	assert_good(catalog_open(kit->dir, kit_key(), false, &c));
	return c;
}

static uint64_t step(uint64_t of_short, uint64_t of_long)
{
	const char *is_long = getenv("DROPKEEP_LONG");

	return is_long && *is_long ? of_long : of_short;
}

/* ---- all that a catalog says ---- */

static int add_value(struct buf *out, sqlite3_stmt *st, int column)
{
	const void *bytes = sqlite3_column_blob(st, column);
	int len = sqlite3_column_bytes(st, column);

	assert_good(buf_printf(out, "%d:%d:", sqlite3_column_type(st, column), len));
	return len ? buf_add(out, bytes, (size_t)len) : 0;
}

/* A row at a time, as SQLite gives them; its result code. */
static int add_rows(sqlite3 *db, const char *sql, struct buf *out)
{
	sqlite3_stmt *st = NULL;
	int sqlite = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	while (sqlite == SQLITE_OK || sqlite == SQLITE_ROW) {
		sqlite = sqlite3_step(st);
		for (int i = 0; sqlite == SQLITE_ROW && i < sqlite3_column_count(st); i++)
			assert_good(add_value(out, st, i));
	}
	(void)sqlite3_finalize(st);
	return sqlite == SQLITE_DONE ? SQLITE_OK : sqlite;
}

/* By table and by index. */
static int add_all(sqlite3 *db, struct buf *out)
{
	static const char *const sql[] = {
	    "SELECT * FROM meta ORDER BY key",
	    "SELECT * FROM principals ORDER BY name",
	    "SELECT * FROM credentials ORDER BY id",
	    "SELECT * FROM grants ORDER BY zone, id",
	    "SELECT * FROM zones ORDER BY name",
	    "SELECT * FROM zone_secrets ORDER BY zone",
	    "SELECT * FROM nodes ORDER BY parent, id",
	    "SELECT * FROM nodes ORDER BY parent, name",
	    "SELECT * FROM object_keys ORDER BY object",
	    "SELECT * FROM versions ORDER BY blob",
	    "SELECT * FROM uploads ORDER BY blob",
	    "SELECT * FROM doomed ORDER BY blob",
	    "SELECT * FROM outbox ORDER BY seq",
	    "SELECT name, sql FROM sqlite_schema ORDER BY name",
	};
	int sqlite = SQLITE_OK;

	for (size_t i = 0; i < ARRAY_LEN(sql) && sqlite == SQLITE_OK; i++)
		sqlite = add_rows(db, sql[i], out);
	return sqlite;
}

/* ---- a catalog with something of everything ---- */

static void add_outbox(struct catalog *c, uint64_t seq, size_t len)
{
	uint8_t *line = mem_new(len);
	CLEANUP(mem_free) void *owned = line;

	memset(line, 'a' + (int)(seq % 26), len);
	assert_good(catalog_outbox_add(c, seq, view_of(line, len)));
}

static void add_user(struct catalog *c, uint64_t zone, unsigned i)
{
	char name[32];
	struct grant_row grant = {.zone = zone, .rights = (uint8_t)i};
	struct credential_row key = {.kind = CREDENTIAL_SSH_KEY, .algorithm = "ssh-ed25519"};

	(void)snprintf(name, sizeof name, "user-%u", i);
	key.principal = grant.principal = kit_principal(c, name);
	(void)snprintf(key.fingerprint, sizeof key.fingerprint, "SHA256:%u", i);
	assert_good(catalog_grant_add(c, &grant));
	assert_good(catalog_credential_add(c, &key));
}

static void fill(struct catalog *c)
{
	uint64_t zone = kit_zone(c, "zone"), root = kit_root(c, zone);

	for (unsigned i = 0; i < 60; i++) {
		char name[64];
		(void)snprintf(name, sizeof name, "file with a somewhat longer name, %u", i);
		uint64_t node = kit_node(c, zone, root, name);
		(void)kit_version(c, node, (uint8_t)(i + 1));
		if (i % 4 == 0)
			add_user(c, zone, i);
	}
	(void)kit_upload(c, kit_node(c, zone, root, "f"), 100);
	for (uint64_t seq = 0; seq < 12; seq++)
		add_outbox(c, seq, 3000 * (size_t)seq);
	assert_good(catalog_outbox_clear(c, 6)); /* free pages */
}

static void make(const struct kit *kit)
{
	struct catalog *c = kit_catalog(kit);

	assert_good(catalog_begin(c));
	fill(c);
	assert_good(catalog_commit(c));
	catalog_close(&c);
}

/* ---- turning bits ---- */

struct counts {
	unsigned flips, noticed, harmless, last_lost;
};

static void flip_bit(const struct kit *kit, const char *name, uint64_t offset, unsigned bit)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_good(sys_open(kit->fd, name, O_RDWR, 0, &fd));
	assert_good(sys_pread_all(fd, &byte, 1, offset));
	byte ^= (uint8_t)(1U << bit);
	assert_good(sys_pwrite_all(fd, &byte, 1, offset));
}

static uint64_t size_of(const struct kit *kit, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(kit->fd, name, &st, 0), 0);
	return (uint64_t)st.st_size;
}

/* Opens it and reads all of it: 0, or what went wrong, which is then in the error chain. */
static int read_all(const struct kit *kit, struct buf *out)
{
	CLEANUP(catalog_close) struct catalog *c = NULL;
	int rc = catalog_open(kit->dir, kit_key(), false, &c);

	if (rc)
		return rc;
	int sqlite = add_all(c->db, out);
	return sqlite == SQLITE_OK ? 0 : db_error(c, sqlite, "read all");
}

static bool same(const struct buf *a, const struct buf *b)
{
	return view_equal(view_buf(a), view_buf(b));
}

static void assert_names_page(uint64_t number)
{
	char page[80];

	(void)snprintf(page, sizeof page, "catalog.db: page %llu is damaged",
		       (unsigned long long)number);
	if (!strstr(err_text(), page) &&
	    !(number == 1 && strstr(err_text(), "does not begin like a database")))
		print_error("page %llu: %s\n", (unsigned long long)number, err_text());
	assert_true(strstr(err_text(), page) ||
		    (number == 1 && strstr(err_text(), "does not begin like a database")));
	err_clear();
}

/* Only the filler may be what it likes. */
static void assert_check_finds(const struct kit *kit, uint64_t offset)
{
	CLEANUP(catalog_close) struct catalog *c = NULL;
	CLEANUP(buf_done) struct buf found = {0};
	bool filler = offset % CATALOG_PAGE >= CATALOG_PAGE - 8;
	char page[80];
	const char *text;

	(void)snprintf(page, sizeof page, "catalog.db: page %llu is damaged",
		       (unsigned long long)offset / CATALOG_PAGE + 1);
	if (catalog_open(kit->dir, kit_key(), false, &c)) {
		err_clear(); /* it says so itself, as was seen */
		return;
	}
	int rc = catalog_check(c, &found);
	assert_true(rc == 0 || rc == E_INTEGRITY);
	err_clear();
	assert_good(buf_text(&found, &text));
	assert_int_equal(strstr(text, page) != NULL, !filler);
	assert_int_equal(rc == 0 && found.len == 0, filler);
}

static void bit_of_the_database_is_noticed_or_of_no_effect(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf whole = {0};
	struct counts n = {0};

	make(kit);
	assert_good(read_all(kit, &whole));
	uint64_t size = size_of(kit, "catalog.db"), by = step(487, 7);
	for (uint64_t at = 0; at < size; at += at < 32 ? 1 : by) {
		CLEANUP(buf_done) struct buf now = {0};
		flip_bit(kit, "catalog.db", at, at % 8);
		int rc = read_all(kit, &now);
		n.flips++;
		if (rc) {
			assert_int_equal(rc, E_INTEGRITY);
			assert_names_page(at / CATALOG_PAGE + 1);
			n.noticed++;
		} else {
			assert_true(same(&whole, &now));
			n.harmless++;
		}
		if (n.flips % 5 == 0 || !rc)
			assert_check_finds(kit, at);
		flip_bit(kit, "catalog.db", at, at % 8);
	}
	print_message("# catalog.db: %u flips, %u noticed by who reads all, %u in free pages or "
		      "filler\n",
		      n.flips, n.noticed, n.harmless);
	assert_true(n.noticed > n.flips / 2);
	CLEANUP(buf_done) struct buf after = {0};
	assert_good(read_all(kit, &after));
	assert_true(same(&whole, &after));
}

static void page_in_the_place_of_another_is_noticed(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf content = {0}, now = {0};

	make(kit);
	uint64_t pages = size_of(kit, "catalog.db") / CATALOG_PAGE;
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &content));
	for (uint64_t i = 1; i + 1 < pages; i++) {
		CLEANUP(sys_close) int fd = -1;
		CLEANUP(catalog_close) struct catalog *c = NULL;
		CLEANUP(buf_done) struct buf found = {0};
		assert_good(sys_open(kit->fd, "catalog.db", O_RDWR, 0, &fd));
		assert_good(sys_pwrite_all(fd, content.data + (i + 1) * CATALOG_PAGE, CATALOG_PAGE,
					   i * CATALOG_PAGE));
		int rc = catalog_open(kit->dir, kit_key(), false, &c);
		if (!rc)
			rc = catalog_check(c, &found);
		assert_true(rc == E_INTEGRITY || (rc == 0 && found.len));
		err_clear();
		assert_good(sys_pwrite_all(fd, content.data + i * CATALOG_PAGE, CATALOG_PAGE,
					   i * CATALOG_PAGE));
	}
	assert_good(read_all(kit, &now));
}

static void truncated_database_is_noticed(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf content = {0};

	make(kit);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &content));
	for (uint64_t size = 512; size < content.len; size += 512 * step(7, 1)) {
		CLEANUP(buf_done) struct buf now = {0};
		assert_good(sys_replace_file(kit->fd, "catalog.db", 0600,
					     view_of(content.data, (size_t)size)));
		assert_refused(read_all(kit, &now), E_INTEGRITY);
	}
}

static void catalog_of_another_key_or_of_none_is_refused(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(secret_free) struct secret *other = NULL;
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", kit->dir);
	struct catalog *c = NULL;
	sqlite3 *old = NULL;

	make(kit);
	assert_good(secret_random(32, &other));
	assert_int_equal(catalog_open(kit->dir, other, false, &c), E_INTEGRITY);
	assert_non_null(strstr(err_text(), "is keys/master.key another one?"));
	err_clear();

	/* As versions before this one made them. */
	assert_good(sys_unlink(kit->fd, "catalog.db"));
	assert_int_equal(sqlite3_open(path, &old), SQLITE_OK);
	assert_int_equal(sqlite3_exec(old, catalog_migrations[0], 0, 0, 0), SQLITE_OK);
	(void)sqlite3_close(old);
	assert_int_equal(catalog_open(kit->dir, kit_key(), false, &c), E_CONFIG);
	assert_non_null(strstr(err_text(), "from before its pages were authenticated"));
	err_clear();
	assert_null(c);
}

/* ---- while it is open ---- */

static void page_that_is_damaged_fails_what_needs_it_and_nothing_else(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf line = {0}, found = {0};
	uint64_t value = 0;

	make(kit);
	struct catalog *c = opened(kit);
	assert_good(catalog_begin(c));
	assert_good(catalog_meta_set_u64(c, "before", 1));
	/* The last page is of a long line of the outbox, which nobody has read yet. */
	uint64_t pages = size_of(kit, "catalog.db") / CATALOG_PAGE, bad = pages - 1;
	flip_bit(kit, "catalog.db", bad * CATALOG_PAGE + 2000, 3);
	int rc = 0;
	assert_good(catalog_savepoint(c));
	assert_good(catalog_meta_set_u64(c, "undone", 1));
	for (uint64_t seq = 6; seq < 12 && !rc; seq++)
		rc = catalog_outbox_get(c, seq, &line);
	assert_int_equal(rc, E_INTEGRITY);
	assert_names_page(bad + 1);
	assert_good(catalog_rollback_to(c));
	assert_good(catalog_meta_set_u64(c, "after", 2));
	assert_good(catalog_commit(c));
	assert_gone(catalog_meta_get_u64(c, "undone", &value));
	assert_good(catalog_meta_get_u64(c, "before", &value));
	assert_good(catalog_meta_get_u64(c, "after", &value));
	assert_int_equal(value, 2);
	/* What would change it fails as well. */
	assert_good(catalog_begin(c));
	assert_good(catalog_savepoint(c));
	assert_refused(catalog_outbox_clear(c, 12), E_INTEGRITY);
	assert_good(catalog_rollback_to(c));
	assert_good(catalog_commit(c));
	flip_bit(kit, "catalog.db", bad * CATALOG_PAGE + 2000, 3);
	assert_good(catalog_outbox_clear(c, 12));
	assert_good(catalog_check(c, &found));
	assert_int_equal(found.len, 0);
	catalog_close(&c);
}

static void damaged_frame_is_not_read_and_not_moved_into_the_database(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf before = {0}, after = {0};

	make(kit);
	struct catalog *c = opened(kit);
	add_outbox(c, 50, 30000);
	uint64_t frames = (size_of(kit, "catalog.db-wal") - WAL_HEADER) / WAL_FRAME;
	uint64_t last = WAL_HEADER + (frames - 1) * WAL_FRAME + WAL_FRAME_HEADER;
	flip_bit(kit, "catalog.db-wal", last + 100, 0);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &before));
	err_clear();
	int rc = catalog_scrub(c);
	assert_int_equal(rc, E_INTEGRITY);
	assert_non_null(strstr(err_text(), "catalog.db-wal: page"));
	err_clear();
	flip_bit(kit, "catalog.db-wal", last + 100, 0);
	assert_good(catalog_scrub(c));
	catalog_close(&c);
	c = opened(kit);
	assert_good(catalog_outbox_get(c, 50, &after));
	assert_int_equal(after.len, 30000);
	catalog_close(&c);
}

/* ---- the log that a crash leaves ---- */

/* In a child that ends without a word: LAST transactions, none of them in the database. */
static void make_log(const struct kit *kit)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		struct catalog *c = NULL;
		bool good = !catalog_open(kit->dir, kit_key(), false, &c);
		for (uint64_t i = 1; i <= LAST && good; i++)
			good = !catalog_begin(c) && !catalog_meta_set_u64(c, "n", i) &&
			       !catalog_outbox_clear(c, 6 + i / 2) &&
			       !catalog_meta_set(c, "more", view_of(c, 1)) && !catalog_commit(c);
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void put_back(const struct kit *kit, const struct buf *database, const struct buf *log)
{
	static const char *const gone[] = {"catalog.db", "catalog.db-wal", "catalog.db-shm"};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		(void)unlinkat(kit->fd, gone[i], 0);
	CLEANUP(sys_close) int fd = -1;
	assert_good(sys_open(kit->fd, "catalog.db", O_RDWR | O_CREAT, 0600, &fd));
	assert_good(sys_pwrite_all(fd, database->data, database->len, 0));
	sys_close(&fd);
	assert_good(sys_open(kit->fd, "catalog.db-wal", O_RDWR | O_CREAT, 0600, &fd));
	assert_good(sys_pwrite_all(fd, log->data, log->len, 0));
}

static uint64_t number_in(const struct kit *kit, int *ret_rc)
{
	struct catalog *c = NULL;
	uint64_t n = 0;

	*ret_rc = catalog_open(kit->dir, kit_key(), false, &c);
	if (!*ret_rc)
		*ret_rc = catalog_meta_get_u64(c, "n", &n);
	catalog_close(&c);
	return n;
}

/* The last transaction begins behind the last but one frame that ends one. */
static uint64_t last_transaction(const struct buf *log)
{
	uint64_t begin = 0, end = 0;

	for (uint64_t at = WAL_HEADER; at + WAL_FRAME <= log->len; at += WAL_FRAME) {
		if (wal_get_u32(log->data + at + 4)) {
			begin = end;
			end = at + WAL_FRAME;
		}
	}
	return begin;
}

static void bit_of_the_log_loses_nothing_in_silence_but_its_end(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf database = {0}, log = {0};
	struct counts n = {0};
	int rc = 0;

	make(kit);
	make_log(kit);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &database));
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &log));
	uint64_t last = last_transaction(&log), by = step(1009, 29), of_heads = step(5, 1);
	assert_true(last > WAL_HEADER + WAL_FRAME);
	for (uint64_t at = 0; at < log.len; at++) {
		bool head = at < WAL_HEADER || (at - WAL_HEADER) % WAL_FRAME < WAL_FRAME_HEADER;
		if (at % (head ? of_heads : by))
			continue;
		put_back(kit, &database, &log);
		flip_bit(kit, "catalog.db-wal", at, at % 8);
		uint64_t number = number_in(kit, &rc);
		n.flips++;
		if (rc) {
			assert_int_equal(rc, E_INTEGRITY);
			assert_non_null(strstr(err_text(), "catalog.db-wal"));
			err_clear();
			n.noticed++;
		} else if (number == LAST) {
			n.harmless++;
		} else {
			assert_int_equal(number, LAST - 1);
			assert_true(at >= last);
			n.last_lost++;
		}
	}
	print_message("# catalog.db-wal: %u flips, %u noticed, %u without effect, %u in the last "
		      "transaction, as a power loss tears it (the audit log notices)\n",
		      n.flips, n.noticed, n.harmless, n.last_lost);
	put_back(kit, &database, &log);
	assert_int_equal(number_in(kit, &rc), LAST);
}

static void log_torn_at_its_end_is_good(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf database = {0}, log = {0};
	uint64_t before = LAST;
	int rc = 0;

	make(kit);
	make_log(kit);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &database));
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &log));
	for (; log.len > 0; log.len -= log.len > 1500 ? 1500 : log.len) {
		put_back(kit, &database, &log);
		uint64_t number = number_in(kit, &rc);
		if (rc == E_GONE) /* of the first transaction */
			number = 0;
		else
			assert_int_equal(rc, 0);
		assert_true(number <= before);
		before = number;
	}
	assert_int_equal(before, 0);
}

/* A log that was begun again has older frames behind its own. */
static void header_torn_as_the_log_begins_again_is_good(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf database = {0}, log = {0}, again = {0};
	int rc = 0;

	make(kit);
	make_log(kit);
	struct catalog *c = opened(kit);
	for (unsigned i = 0; i < 3; i++)
		add_outbox(c, 60 + i, 20000);
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &log));
	assert_int_equal(
	    sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL),
	    SQLITE_OK);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &database));
	add_outbox(c, 70, 10);
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &again));
	catalog_close(&c);
	assert_memory_not_equal(log.data, again.data, WAL_HEADER);
	for (size_t torn = 0; torn < WAL_HEADER; torn++) {
		memcpy(log.data, again.data, torn);
		put_back(kit, &database, &log);
		assert_int_equal(number_in(kit, &rc), LAST);
		assert_int_equal(rc, 0);
	}
}

/* Power failed while a checkpoint wrote page 1, and the disk left there what it would: SQLite
 * takes the page from the log. Without a log it is damage. */
static void first_page_torn_by_a_checkpoint_is_taken_from_the_log(void **state)
{
	static const size_t torn[] = {1, 16, 100, 512, CATALOG_PAGE};
	static const uint8_t fill[] = {0, 0x10, 0xff};
	const struct kit *kit = *state;
	CLEANUP(buf_done) struct buf database = {0}, log = {0}, none = {0};
	int rc = 0;

	make(kit);
	make_log(kit);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &database));
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &log));
	for (size_t i = 0; i < ARRAY_LEN(torn) * ARRAY_LEN(fill); i++) {
		memset(database.data, fill[i % ARRAY_LEN(fill)], torn[i / ARRAY_LEN(fill)]);
		put_back(kit, &database, &log);
		assert_int_equal(number_in(kit, &rc), LAST);
		assert_int_equal(rc, 0);
		put_back(kit, &database, &none);
		(void)number_in(kit, &rc);
		assert_int_equal(rc, E_INTEGRITY);
		err_clear();
	}
}

/* ---- other programs, and little memory ---- */

/* SQLite without us: the sums of the log are right, and so is every page. */
static void any_sqlite_reads_database_and_log(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", kit->dir);
	CLEANUP(buf_done) struct buf ours = {0}, theirs = {0}, verdict = {0};
	CLEANUP(buf_done) struct buf database = {0}, log = {0};
	sqlite3 *db = NULL;

	make(kit);
	make_log(kit);
	assert_good(sys_read_file(kit->fd, "catalog.db", 16 << 20, &database));
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 16 << 20, &log));
	assert_good(read_all(kit, &ours));
	put_back(kit, &database, &log);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(add_all(db, &theirs), SQLITE_OK);
	assert_int_equal(add_rows(db, "PRAGMA integrity_check", &verdict), SQLITE_OK);
	assert_true(same(&ours, &theirs));
	assert_true(view_is(view_buf(&verdict), "3:2:ok"));
	/* It has moved the log into the database as it closed; that is no damage. */
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	buf_clear(&theirs);
	assert_good(read_all(kit, &theirs));
	assert_true(same(&ours, &theirs));
	/* What it changes is. */
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE grants SET rights = 255", 0, 0, 0), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_refused(read_all(kit, &theirs), E_INTEGRITY);
}

/* With a tiny cache pages go into the log before their transaction ends, some more than once. */
static void small_cache_writes_the_same(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *path = mem_printf("%s/catalog.db", kit->dir);
	CLEANUP(buf_done) struct buf ours = {0}, theirs = {0}, found = {0};
	CLEANUP(buf_done) struct buf database = {0}, log = {0};
	sqlite3 *db = NULL;

	make(kit);
	struct catalog *c = opened(kit);
	assert_int_equal(sqlite3_exec(c->db, "PRAGMA cache_size = 5", 0, 0, 0), SQLITE_OK);
	for (uint64_t round = 0; round < 12; round++) {
		assert_good(catalog_begin(c));
		assert_good(catalog_outbox_clear(c, 1000 * round + 1000));
		for (uint64_t i = 0; i < 40; i++)
			add_outbox(c, 1000 * round + 1000 + (i * 17) % 40, 100 + 97 * (size_t)i);
		assert_good(catalog_commit(c));
	}
	assert_int_equal(add_all(c->db, &ours), SQLITE_OK);
	assert_good(catalog_check(c, &found));
	assert_int_equal(found.len, 0);
	assert_good(sys_read_file(kit->fd, "catalog.db", 64 << 20, &database));
	assert_good(sys_read_file(kit->fd, "catalog.db-wal", 64 << 20, &log));
	catalog_close(&c);
	put_back(kit, &database, &log);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(add_all(db, &theirs), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_true(same(&ours, &theirs));
}

static void balance_keeps_the_sums(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		uint8_t page[256], other[256];
		assert_good(random_bytes(page, sizeof page));
		memcpy(other, page, sizeof page);
		size_t from = 8 * (size_t)(i % 31);
		assert_good(random_bytes(other + from, sizeof other - from));
		for (int big = 0; big < 2; big++) {
			uint32_t sum[4] = {1, 2, 1, 2};
			wal_balance(page + from, other + from, sizeof page - from, big);
			for (size_t at = 0; at < sizeof page; at += 8) {
				uint32_t w[4] = {wal_get_u32(page + at), wal_get_u32(page + at + 4),
						 wal_get_u32(other + at),
						 wal_get_u32(other + at + 4)};
				for (int k = 0; k < 4 && !big; k++)
					w[k] = __builtin_bswap32(w[k]);
				sum[0] += w[0] + sum[1];
				sum[1] += w[1] + sum[0];
				sum[2] += w[2] + sum[3];
				sum[3] += w[3] + sum[2];
			}
			assert_int_equal(sum[0], sum[2]);
			assert_int_equal(sum[1], sum[3]);
		}
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, kit_setup, kit_teardown)

/* With a name, or a pattern of names, only these. */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    CASE(balance_keeps_the_sums),
	    CASE(bit_of_the_database_is_noticed_or_of_no_effect),
	    CASE(page_in_the_place_of_another_is_noticed),
	    CASE(truncated_database_is_noticed),
	    CASE(catalog_of_another_key_or_of_none_is_refused),
	    CASE(page_that_is_damaged_fails_what_needs_it_and_nothing_else),
	    CASE(damaged_frame_is_not_read_and_not_moved_into_the_database),
	    CASE(bit_of_the_log_loses_nothing_in_silence_but_its_end),
	    CASE(log_torn_at_its_end_is_good),
	    CASE(header_torn_as_the_log_begins_again_is_good),
	    CASE(first_page_torn_by_a_checkpoint_is_taken_from_the_log),
	    CASE(any_sqlite_reads_database_and_log),
	    CASE(small_cache_writes_the_same),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests_name("flips_catalog", tests, NULL, NULL);
}
