/* SPDX-License-Identifier: Apache-2.0 */
/* Catalogs of earlier schemas, as the steps of that time made them, with rows in every table: what
 * becomes of them when this keep opens them. */
#include <stdio.h>

#include "daemon/keep/catalog_db.h"
#include "keep_asks.h"

static void run_sql(struct catalog *c, const char *sql)
{
	char *why = NULL;
	int rc = sqlite3_exec(c->db, sql, NULL, NULL, &why);

	if (rc)
		print_message("# %s: %s\n", why, sql);
	sqlite3_free(why);
	assert_int_equal(rc, SQLITE_OK);
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

/* Every first column of an answer, a line each. */
static char *lines(struct catalog *c, const char *sql)
{
	CLEANUP(buf_done) struct buf out = {0};
	sqlite3_stmt *st = NULL;
	int rc;

	assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &st, NULL), SQLITE_OK);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		assert_good(buf_printf(&out, "%s\n", (const char *)sqlite3_column_text(st, 0)));
	assert_int_equal(rc, SQLITE_DONE);
	(void)sqlite3_finalize(st);
	return mem_text_n(out.data, out.len);
}

/* ---- schema 2 ---- */

static const char rows_of_schema_2[] =
    "INSERT INTO meta VALUES ('log.origin', CAST('drop.example.org' AS BLOB)), ('n', x'00');"
    "INSERT INTO principals VALUES (1, 'anna', 1, 0, 11), (2, 'sam', 2, 1, 12), (7, 'vera', 3, 0, "
    "13);"
    "INSERT INTO credentials VALUES"
    " (1, 1, 1, 'SHA256:abc', 'ssh-ed25519', 'anna@example.org', 21, 0),"
    " (2, 2, 1, 'SHA256:abc', 'ssh-ed25519', '', 22, 9000000000000000),"
    " (5, 1, 1, 'SHA256:def', 'ssh-rsa', 'caf\xc3\xa9', 23, 1);"
    "INSERT INTO zones VALUES (1, 'acme', 1, 1000, 300, 64, 2, 86400, 1, 31);"
    "INSERT INTO zone_secrets VALUES (1, x'0102');"
    "INSERT INTO grants VALUES (1, 1, 1, x'aa', 4), (2, 2, 0, x'', 255);"
    "INSERT INTO nodes VALUES"
    " (1, 1, NULL, 1, zeroblob(16), 0, 0, 0, 41, 42, x'61'),"
    " (2, 1, 1, 1, randomblob(16), 0, 0, 0, 43, 44, x'62'),"
    " (3, 1, 2, 2, randomblob(16), 1, 1, 0, 45, 46, x'63'),"
    " (4, 1, 2, 2, randomblob(16), 1, 2, 1, 47, 48, x'64'),"
    " (5, 1, 2, 2, randomblob(16), 2, 0, 2, 49, 50, x'65');"
    "INSERT INTO object_keys SELECT object, zone, x'99' FROM nodes;"
    "INSERT INTO versions (id, node, blob, pin, size, sealed_hash, uploader, mtime_s, made_us, "
    "tiny)"
    " VALUES (1, 3, randomblob(16), randomblob(32), 100, x'51', 1, 51, 52, 0),"
    " (2, 4, randomblob(16), randomblob(32), 200, x'52', 1, 53, 54, 1);"
    "INSERT INTO tiny SELECT blob, x'deadbeef' FROM versions WHERE tiny = 1;"
    "INSERT INTO uploads (id, node, principal, blob, pin, clean, durable, declared, reserved,"
    " source_blob, source_pin, source_finished, source_size, prefix, mtime_s, made_us, touched_us,"
    " goes_on, source_clean, source_tiny)"
    " SELECT 1, 4, 1, randomblob(16), randomblob(32), 1, 65546, 100000, 64, blob, pin, 1, 200, 150,"
    " 61, 62, 63, 1, 0, 1 FROM versions WHERE id = 2;"
    "INSERT INTO uploads (id, node, principal, blob, pin, clean, durable, declared, reserved,"
    " source_finished, source_size, prefix, mtime_s, made_us, touched_us)"
    " VALUES (2, 5, 2, randomblob(16), randomblob(32), 0, 131072, NULL, 0, 0, 0, 0, 64, 65, 66);"
    "INSERT INTO doomed VALUES (randomblob(16)), (zeroblob(16));"
    "INSERT INTO outbox VALUES (17, CAST('{\"v\":1}' AS BLOB));";

static const char *const tables[] = {
    "meta",        "principals", "credentials", "grants", "zones",  "zone_secrets", "nodes",
    "object_keys", "versions",   "uploads",     "tiny",   "doomed", "outbox"};

static struct catalog *opened(const struct kit *kit, bool create)
{
	struct catalog *c = NULL;

	assert_good(catalog_open(kit->dir, kit_key(), create, &c));
	return c;
}

/* A statement for all that a table has in the schema at hand. */
static char *all_of(struct catalog *c, const char *table)
{
	CLEANUP(mem_free)
	char *sql = mem_printf("SELECT group_concat('quote(' || name || ')', ' || '','' || ') "
			       "FROM pragma_table_info('%s')",
			       table);
	CLEANUP(mem_free) char *columns = lines(c, sql);

	assert_true(strlen(columns) > 10);
	return mem_printf("SELECT %s FROM %s ORDER BY 1", columns, table);
}

struct table {
	char *sql, *rows;
};

/* With pages of this keep's, which a file of SQLite's own would not have. */
static void make_schema_2(const struct kit *kit, struct table ret_tables[ARRAY_LEN(tables)])
{
	struct catalog *c = opened(kit, true);

	run_sql(c, "PRAGMA foreign_keys = OFF; DROP TABLE enrolments; DROP TABLE alerts");
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(mem_free) char *drop = mem_printf("DROP TABLE %s", tables[i]);
		run_sql(c, drop);
	}
	assert_int_equal(
	    number(c, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"), 0);
	run_sql(c, "PRAGMA user_version = 0; PRAGMA foreign_keys = ON");
	assert_good(db_migrate(c, catalog_migrations, 2));
	assert_int_equal(number(c, "PRAGMA user_version"), 2);
	run_sql(c, rows_of_schema_2);
	assert_int_equal(number(c, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		ret_tables[i].sql = all_of(c, tables[i]);
		ret_tables[i].rows = lines(c, ret_tables[i].sql);
		assert_true(strlen(ret_tables[i].rows) > 3);
	}
	catalog_close(&c);
}

static void same_rows(struct catalog *c, struct table all[ARRAY_LEN(tables)])
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		CLEANUP(mem_free) char *rows = lines(c, all[i].sql);
		assert_string_equal(rows, all[i].rows);
	}
}

static void forget(struct table all[ARRAY_LEN(tables)])
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		mem_free(&all[i].sql);
		mem_free(&all[i].rows);
	}
}

static void schema_2_is_brought_up_with_all_its_rows(void **state)
{
	const struct kit *kit = *state;
	struct table all[ARRAY_LEN(tables)];
	struct catalog *reader = NULL;
	CLEANUP(buf_done) struct buf problems = {0};

	make_schema_2(kit, all);
	assert_refused(catalog_open_reader(kit->dir, kit_key(), &reader), E_CONFIG);
	for (int again = 0; again < 2; again++) { /* the second time nothing is left to do */
		struct catalog *c = opened(kit, false);
		assert_int_equal(number(c, "PRAGMA user_version"), catalog_version);
		same_rows(c, all);
		assert_good(catalog_check(c, &problems));
		assert_int_equal(problems.len, 0);
		catalog_close(&c);
	}
	forget(all);
}

static int good_from_anywhere(void *arg, const struct credential_row *row)
{
	assert_string_equal(row->networks, "");
	++*(unsigned *)arg;
	return 0;
}

static void credentials_of_schema_2_are_good_from_anywhere(void **state)
{
	struct table all[ARRAY_LEN(tables)];
	struct credential_row row;
	unsigned count = 0;

	make_schema_2(*state, all);
	CLEANUP(catalog_close) struct catalog *c = opened(*state, false);
	assert_good(catalog_each_credential(c, 0, good_from_anywhere, &count));
	assert_int_equal(count, 3);
	assert_good(catalog_credential_find(c, 2, CREDENTIAL_SSH_KEY, "SHA256:abc", &row));
	assert_int_equal(row.expires_us, 9000000000000000);
	assert_string_equal(row.networks, "");
	/* and what has come since can be added */
	row = (struct credential_row){.principal = 1, .kind = CREDENTIAL_TOKEN, .networks = "::/0"};
	assert_good(catalog_credential_add(c, &row));
	assert_true(row.id > 5);
	struct enrolment_row code = {.principal = 7, .expires_us = 2, .networks = "10.0.0.0/8"};
	assert_good(catalog_enrolment_add(c, &code));
	assert_good(catalog_enrolment_take(c, code.code_hash, 1, &code));
	assert_string_equal(code.networks, "10.0.0.0/8");
	forget(all);
}

static void uploads_of_schema_2_get_tickets_and_versions_have_none(void **state)
{
	struct table all[ARRAY_LEN(tables)];
	struct upload_row one, two, found;
	struct version_row version;

	make_schema_2(*state, all);
	CLEANUP(catalog_close) struct catalog *c = opened(*state, false);
	assert_good(catalog_upload_by_id(c, 1, &one));
	assert_good(catalog_upload_by_id(c, 2, &two));
	assert_int_equal(one.durable, 65546);
	assert_true(one.clean && one.goes_on && one.has_source && one.source_tiny);
	assert_true(two.declared == SIZE_UNKNOWN && !two.clean && !two.stays && !one.stays);
	assert_memory_not_equal(one.ticket, two.ticket, ID_SIZE);
	assert_good(catalog_upload_by_ticket(c, one.ticket, &found));
	assert_int_equal(found.id, 1);
	assert_good(catalog_upload_by_ticket(c, two.ticket, &found));
	assert_int_equal(found.id, 2);
	assert_good(catalog_version_by_id(c, 1, &version));
	assert_false(version.has_ticket);
	assert_good(catalog_version_by_id(c, 2, &version));
	assert_false(version.has_ticket);
	forget(all);
}

/* ---- a keep ---- */

/* All that steps 3 and 4 have added goes. */
static const char back_to_schema_2[] =
    "DROP TABLE enrolments; DROP TABLE alerts; DROP INDEX uploads_by_touch;"
    "DROP INDEX credentials_nameless; ALTER TABLE credentials DROP COLUMN networks;"
    "DROP INDEX uploads_by_ticket; ALTER TABLE uploads DROP COLUMN ticket;"
    "ALTER TABLE uploads DROP COLUMN stays;"
    "DROP INDEX versions_by_ticket; ALTER TABLE versions DROP COLUMN ticket;"
    "ALTER TABLE versions DROP COLUMN record;"
    "PRAGMA user_version = 2;";

static void keep_goes_on_with_uploads_keys_and_files_of_schema_2(void **state)
{
	static const char path[] = "/acme/incoming/report", other[] = "/acme/incoming/other";
	struct scene *s = *state;
	uint64_t size = 2 * CHUNK + 77;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 100), 0, "");
	u = put_opened(s->gate, s->session, other, PUT_CREATE);
	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_unclean(&u, 2 * CHUNK), 0, "");
	put_whole(s->gate, s->session, "/acme/incoming/whole", model, 3 * CHUNK);
	put_whole(s->gate, s->session, "/acme/incoming/tiny", model, 10);
	fake_gate_free(s->gate);
	live_settle(&s->live);
	run_sql(s->live.keep->catalog, back_to_schema_2);
	live_close(&s->live);

	live_open(&s->live);
	assert_int_equal(number(s->live.keep->catalog, "PRAGMA user_version"), catalog_version);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	uint64_t sam = session_of_sam(s);
	expect_content(s->gate, sam, "/acme/incoming/whole", model, 3 * CHUNK);
	expect_content(s->gate, sam, "/acme/incoming/tiny", model, 10);
	expect_partial(s->gate, s->session, path, CHUNK + 100);
	u = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(u.tail_len, 100);
	reseal(&u, 1);
	put_seal_all(&u, model, size, 1);
	expect_answer(put_finish(&u, model, size), 0, "");
	expect_content(s->gate, sam, path, model, size);
	expect_partial(s->gate, s->session, other, 2 * CHUNK);
	u = put_opened(s->gate, s->session, other, 0);
	reseal(&u, 2);
	put_seal_all(&u, model, size, 2);
	expect_answer(put_finish(&u, model, size), 0, "");
	expect_content(s->gate, sam, other, model, size);
}

#define IN_A_KIT(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_KIT(schema_2_is_brought_up_with_all_its_rows),
	    IN_A_KIT(credentials_of_schema_2_are_good_from_anywhere),
	    IN_A_KIT(uploads_of_schema_2_get_tickets_and_versions_have_none),
	    IN_A_SCENE(keep_goes_on_with_uploads_keys_and_files_of_schema_2),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
