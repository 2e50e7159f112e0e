/* SPDX-License-Identifier: Apache-2.0 */
/* What must not be found in the catalog's files: clear names, and the secrets of zones that are
 * gone. */
#include <stdio.h>
#include <sys/wait.h>

#include "daemon/keep/catalog_db.h"
#include "daemon/keep/keys.h"
#include "keep_catalog_kit.h"
#include "wire/messages.h"

static int64_t count(struct catalog *c, const char *table)
{
	CLEANUP(mem_free) char *sql = mem_printf("SELECT count(*) FROM %s", table);
	sqlite3_stmt *st = NULL;

	assert_int_equal(sqlite3_prepare_v2(c->db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t rows = sqlite3_column_int64(st, 0);
	(void)sqlite3_finalize(st);
	return rows;
}

static void add_grant(struct catalog *c, uint64_t principal, uint64_t zone)
{
	struct grant_row row = {.principal = principal, .zone = zone, .rights = 1};

	assert_good(catalog_grant_add(c, &row));
}

static void add_keyed_node(struct catalog *c, uint64_t zone, const char *name, bool remove)
{
	struct node_row row = {
	    .zone = zone, .parent = kit_root(c, zone), .kind = NODE_FILE, .name_len = 2};

	memcpy(row.name, name, row.name_len);
	assert_good(catalog_node_add(c, &row, view_text("sealed key of an object")));
	if (remove)
		assert_good(catalog_node_remove(c, row.id));
}

/* Folders, a version in blob n, an upload in n + 1 that goes on from n + 2, object keys of a
 * node that is there and of one that is not, grants. */
static uint64_t furnished_zone(struct catalog *c, const char *name, uint64_t principal, uint8_t n)
{
	uint64_t zone = kit_zone(c, name);
	uint64_t dir = kit_node(c, zone, kit_root(c, zone), "dir");
	uint64_t file = kit_node(c, zone, kit_node(c, zone, dir, "inner"), "file");
	struct upload_row upload = {0};

	(void)kit_version(c, file, n);
	assert_good(catalog_upload_by_id(c, kit_upload(c, file, (uint8_t)(n + 1)), &upload));
	upload.has_source = true;
	kit_blob((uint8_t)(n + 2), upload.source_blob);
	assert_good(catalog_upload_set(c, &upload));
	add_keyed_node(c, zone, "k1", false);
	add_keyed_node(c, zone, "k2", true);
	add_grant(c, principal, zone);
	return zone;
}

static void assert_doomed(struct catalog *c, uint8_t first, uint8_t last)
{
	uint8_t blob[ID_SIZE];
	const uint8_t *after = NULL;

	for (uint8_t i = first; i <= last; i++, after = blob) {
		assert_good(catalog_doomed_after(c, after, blob));
		assert_int_equal(blob[0], i);
	}
	assert_gone(catalog_doomed_after(c, after, blob));
}

static void remove_zone_takes_all_of_it_and_nothing_else(void **state)
{
	static const char *const tables[] = {"zones",    "zone_secrets", "nodes", "object_keys",
					     "versions", "uploads",      "grants"};
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	CLEANUP(buf_done) struct buf problems = {0};
	uint64_t anna = kit_principal(c, "anna");
	int64_t rows[ARRAY_LEN(tables)];
	struct zone_row row;

	uint64_t stays = furnished_zone(c, "stays", anna, 1);
	add_grant(c, anna, 0);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		rows[i] = count(c, tables[i]);
	uint64_t goes = furnished_zone(c, "goes", anna, 11);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		assert_true(count(c, tables[i]) > rows[i]);
	assert_good(catalog_zone_remove(c, goes));
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		assert_int_equal(count(c, tables[i]), rows[i]);
	assert_int_equal(count(c, "object_keys"), 2);
	assert_int_equal(count(c, "principals"), 1);
	assert_doomed(c, 11, 13);
	assert_gone(catalog_zone_by_id(c, goes, &row));
	assert_good(catalog_zone_by_id(c, stays, &row));
	assert_int_equal(row.wrapped_len, 157);
	assert_good(catalog_check(c, &problems));
	assert_int_equal(problems.len, 0);
	assert_true(kit_zone(c, "next") > goes); /* numbers are bound into secrets */
}

static void remove_zone_that_is_not_there_changes_nothing(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t anna = kit_principal(c, "anna"), zone = furnished_zone(c, "acme", anna, 1);

	add_grant(c, anna, 0);
	assert_good(catalog_begin(c));
	assert_gone(catalog_zone_remove(c, 0));
	assert_gone(catalog_zone_remove(c, zone + 1));
	assert_good(catalog_commit(c));
	assert_int_equal(count(c, "grants"), 2);
	assert_int_equal(count(c, "doomed"), 0);
}

static void remove_zone_undone_brings_all_of_it_back(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = furnished_zone(c, "acme", kit_principal(c, "anna"), 1);
	struct zone_row before, after;

	assert_good(catalog_zone_by_id(c, zone, &before));
	assert_good(catalog_begin(c));
	assert_good(catalog_savepoint(c));
	assert_good(catalog_zone_remove(c, zone));
	assert_gone(catalog_zone_by_id(c, zone, &after));
	assert_good(catalog_rollback_to(c));
	assert_good(catalog_commit(c));
	assert_good(catalog_zone_by_id(c, zone, &after));
	assert_int_equal(after.wrapped_len, before.wrapped_len);
	assert_memory_equal(after.wrapped, before.wrapped, before.wrapped_len);
	assert_int_equal(count(c, "doomed"), 0);
	assert_int_equal(count(c, "temp.kept"), 0);
}

/* ---- the bytes of the files ---- */

static bool in_files(const struct kit *kit, struct view bytes)
{
	return kit_file_has(kit, "catalog.db", bytes) ||
	       kit_file_has(kit, "catalog.db-wal", bytes) ||
	       kit_file_has(kit, "catalog.db-shm", bytes);
}

/* The tests must not open catalog.db while they have it open themselves (catalog.h), so what
 * is open is looked at by another process. */
static bool in_live_files(const struct kit *kit, struct view bytes)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(in_files(kit, bytes) ? 10 : 11);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) >= 10);
	return WEXITSTATUS(status) == 10;
}

enum { ZONES = 400, SECRET = 157 };

static struct {
	uint64_t id;
	uint8_t wrapped[SECRET];
} churned[ZONES];

static void add_churned(struct catalog *c, unsigned i)
{
	struct zone_row row = {.wrapped_len = SECRET};

	(void)snprintf(row.name, sizeof row.name, "z%u", i * 7919 % ZONES);
	assert_good(random_bytes(row.wrapped, SECRET));
	memcpy(churned[i].wrapped, row.wrapped, SECRET);
	assert_good(catalog_zone_add(c, &row));
	churned[i].id = row.id;
}

static void remove_zone_wipes_its_secret_wherever_it_has_been(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = kit_catalog(kit);
	CLEANUP(buf_done) struct buf content = {0};

	assert_good(catalog_begin(c));
	for (unsigned i = 0; i < ZONES; i++)
		add_churned(c, i);
	assert_good(catalog_commit(c));
	/* Deletions all over the table make SQLite move rows from page to page. */
	for (unsigned i = 0; i < ZONES; i++)
		if (i * 7919 % ZONES % 4)
			assert_good(catalog_zone_remove(c, churned[i].id));
	assert_good(catalog_scrub(c));
	catalog_close(&c);
	assert_good(sys_read_file(kit->fd, "catalog.db", 64 << 20, &content));
	for (unsigned i = 0; i < ZONES; i++) {
		bool gone = i * 7919 % ZONES % 4;
		bool found =
		    memmem(content.data, content.len, churned[i].wrapped, 16) ||
		    memmem(content.data, content.len, churned[i].wrapped + SECRET - 16, 16);
		assert_int_equal(found, !gone);
	}
}

static void replace_secret_wipes_the_old_one(void **state)
{
	const struct kit *kit = *state;
	struct catalog *c = kit_catalog(kit);
	uint8_t old[SECRET];
	struct zone_row row;

	uint64_t zone = kit_zone(c, "acme");
	(void)kit_zone(c, "other");
	assert_good(catalog_zone_by_id(c, zone, &row));
	memcpy(old, row.wrapped, sizeof old);
	row.quota_bytes = 5; /* another change leaves it */
	assert_good(catalog_zone_set(c, &row));
	assert_good(random_bytes(row.wrapped, SECRET));
	assert_good(catalog_zone_set(c, &row));
	assert_good(catalog_scrub(c));
	catalog_close(&c);
	assert_false(in_files(kit, view_of(old, 16)));
	assert_true(in_files(kit, view_of(row.wrapped, 16)));
}

static const char *const clear[] = {"Quarterly figures 2026.pdf", "incoming", "salaries"};

static uint64_t add_sealed(struct catalog *c, const struct zone_keys *z, uint64_t zone,
			   uint64_t parent, const char *name)
{
	struct node_row row = {.zone = zone, .parent = parent, .kind = NODE_DIR};
	CLEANUP(buf_done) struct buf sealed = {0};

	assert_good(zone_keys_seal_name(z, parent, view_text(name), &sealed));
	assert_true(sealed.len <= sizeof row.name);
	memcpy(row.name, sealed.data, sealed.len);
	row.name_len = sealed.len;
	assert_good(catalog_node_add(c, &row, view_of(NULL, 0)));
	return row.id;
}

static void store_names_and_secrets(struct catalog *c, const struct keys *k,
				    struct zone_keys **ret_zone)
{
	struct zone_row row = {.name = "acme"};
	CLEANUP(buf_done) struct buf wrapped = {0};

	assert_good(catalog_zone_add(c, &row));
	assert_good(zone_keys_create(k, row.id, &wrapped, ret_zone));
	memcpy(row.wrapped, wrapped.data, wrapped.len);
	row.wrapped_len = wrapped.len;
	row.root = add_sealed(c, *ret_zone, row.id, 0, "acme");
	assert_good(catalog_zone_set(c, &row));
	uint64_t parent = row.root;
	for (size_t i = 0; i < ARRAY_LEN(clear); i++)
		parent = add_sealed(c, *ret_zone, row.id, parent, clear[i]);
	assert_good(catalog_node_move(c, parent, row.root, view_text("sealed anew")));
	assert_good(catalog_node_remove(c, parent));
}

static void assert_nothing_in_clear(const struct kit *kit, const struct zone_keys *z,
				    bool (*in)(const struct kit *kit, struct view bytes))
{
	struct view identity = secret_view(zone_keys_identity(z));
	struct view data = secret_view(zone_keys_data(z));

	for (size_t i = 0; i < ARRAY_LEN(clear); i++)
		assert_false(in(kit, view_text(clear[i])));
	assert_false(in(kit, view_of(identity.data, 16)));
	assert_false(in(kit, view_of(data.data, 16)));
	assert_true(in(kit, view_text("acme"))); /* zones are stored in clear: the look works */
}

static void files_of_catalog_show_no_names_and_no_keys(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(keys_free) struct keys *k = NULL;
	CLEANUP(zone_keys_unref) struct zone_keys *z = NULL;
	struct catalog *c = kit_catalog(kit);

	assert_good(keys_create(kit->fd, KEYS_MASTER_FILE));
	assert_good(keys_load(kit->fd, KEYS_MASTER_FILE, &k));
	store_names_and_secrets(c, k, &z);
	assert_nothing_in_clear(kit, z, in_live_files);
	catalog_close(&c);
	assert_nothing_in_clear(kit, z, in_files);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(remove_zone_takes_all_of_it_and_nothing_else),
	    CASE(remove_zone_that_is_not_there_changes_nothing),
	    CASE(remove_zone_undone_brings_all_of_it_back),
	    CASE(remove_zone_wipes_its_secret_wherever_it_has_been),
	    CASE(replace_secret_wipes_the_old_one),
	    CASE(files_of_catalog_show_no_names_and_no_keys),
	};

	return cmocka_run_group_tests_name("catalog shredding", tests, NULL, NULL);
}
