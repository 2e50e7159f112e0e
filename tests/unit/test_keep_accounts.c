/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keep_world.h"

#include "base/mem.h"
#include "daemon/keep/grants.h"
#include "daemon/keep/object_key.h"

static struct world world;
static struct accounts *a;

static int open_world(void **state)
{
	(void)state;
	world_open(&world);
	a = world.tree.accounts;
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	world_close(&world);
	return 0;
}

static int compare_texts(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The grants of a user as "zone:prefix=letters", sorted: the catalog's order means nothing. */
static void grants_text(const char *user, struct buf *out)
{
	const struct access *g = &world_who(&world, user)->access;
	char *text[16];

	assert_true(g->count <= ARRAY_LEN(text));
	for (size_t i = 0; i < g->count; i++) {
		char letters[8];
		rights_text(g->grants[i].rights, letters);
		text[i] =
		    mem_printf("%d:%s=%s", (int)g->grants[i].zone, g->grants[i].prefix, letters);
	}
	qsort(text, g->count, sizeof *text, compare_texts);
	for (size_t i = 0; i < g->count; i++) {
		assert_int_equal(buf_printf(out, "%s%s", i ? " " : "", text[i]), 0);
		free(text[i]);
	}
}

static void expect_grants(const char *user, const char *expected)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *s = NULL;

	grants_text(user, &text);
	assert_int_equal(buf_text(&text, &s), 0);
	assert_string_equal(s, expected);
}

/* ---- zones ---- */

static void add_zone_makes_its_folders(void **state)
{
	uint64_t id = world_zone(&world, "acme");
	const struct zone *z = NULL;
	struct node_row rows[4];
	size_t count = 0;
	static const char *const names[] = {"incoming", "deliverables"};

	(void)state;
	assert_int_equal(accounts_zone_by_id(a, id, &z), 0);
	assert_string_equal(z->row.name, "acme");
	assert_int_equal(catalog_node_children(world.catalog, z->row.root, 0, rows, 4, &count), 0);
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++) {
		CLEANUP(buf_done) struct buf name = {0}, sealed = {0};
		CLEANUP(secret_free) struct secret *key = NULL;
		assert_int_equal(rows[i].kind, NODE_DIR);
		assert_int_equal(rows[i].owner, 0);
		assert_int_equal(zone_keys_open_name(z->keys, z->row.root,
						     view_of(rows[i].name, rows[i].name_len),
						     &name),
				 0);
		assert_true(view_is(view_buf(&name), names[i]));
		assert_int_equal(catalog_object_key(world.catalog, rows[i].object, &sealed), 0);
		assert_int_equal(
		    object_key_open(world.keys, z->keys, rows[i].object, view_buf(&sealed), &key),
		    0);
	}
	world_check(&world);
}

static void add_zone_keeps_its_settings(void **state)
{
	uint64_t id = 0;

	(void)state;
	assert_int_equal(accounts_add_zone(a, "acme", 1000, 3600, false, &id), 0);
	struct zone_row row = world_zone_row(&world, id);
	assert_int_equal(row.quota_bytes, 1000);
	assert_int_equal(row.retention_s, 3600);
	assert_false(row.recovery);
	assert_true(row.root != 0);
	assert_true(row.wrapped_len > 0);
}

static void add_zone_bad_or_used_name_refuses(void **state)
{
	static const char *const bad[] = {"", "Acme", "a/b", "..", "-a", "a b", "*"};
	uint64_t id = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(accounts_add_zone(a, bad[i], 0, 0, true, &id), E_INVALID);
	(void)world_zone(&world, "acme");
	assert_int_equal(accounts_add_zone(a, "acme", 0, 0, true, &id), E_EXISTS);
	assert_int_equal(id, 77);
}

static void zones_have_keys_of_their_own(void **state)
{
	uint64_t one = world_zone(&world, "one"), two = world_zone(&world, "two");
	CLEANUP(buf_done) struct buf x = {0}, y = {0};
	const struct zone *z = NULL;

	(void)state;
	assert_int_equal(accounts_zone_by_id(a, one, &z), 0);
	assert_int_equal(zone_keys_seal_name(z->keys, 5, view_text("name"), &x), 0);
	assert_int_equal(accounts_zone_by_id(a, two, &z), 0);
	assert_int_equal(zone_keys_seal_name(z->keys, 5, view_text("name"), &y), 0);
	assert_false(view_equal(view_buf(&x), view_buf(&y)));
}

static void zone_look_ups_agree_and_read_counters_afresh(void **state)
{
	uint64_t id = world_zone(&world, "acme");
	const struct zone *by_id = NULL, *by_name = NULL;

	(void)state;
	assert_int_equal(accounts_zone_by_id(a, id, &by_id), 0);
	assert_int_equal(accounts_zone_by_name(a, view_text("acme"), &by_name), 0);
	assert_ptr_equal(by_id, by_name);
	assert_int_equal(by_id->row.used_bytes, 0);
	assert_int_equal(catalog_zone_account(world.catalog, id, 10, 20, 3), 0);
	assert_int_equal(accounts_zone_by_name(a, view_text("acme"), &by_name), 0);
	assert_int_equal(by_name->row.used_bytes, 10);
	assert_int_equal(by_name->row.reserved_bytes, 20);
	assert_int_equal(by_name->row.files, 3);
	accounts_forget(a);
	assert_int_equal(accounts_zone_by_id(a, id, &by_id), 0);
	assert_int_equal(by_id->row.files, 3);
}

static void look_ups_of_nobody_give_gone_without_a_sentence(void **state)
{
	const struct principal *p = NULL;
	const struct zone *z = NULL;
	char longest[300];

	(void)state;
	err_clear();
	memset(longest, 'a', sizeof longest);
	assert_int_equal(accounts_zone_by_id(a, 99, &z), E_GONE);
	assert_int_equal(accounts_zone_by_name(a, view_text("acme"), &z), E_GONE);
	assert_int_equal(accounts_zone_by_name(a, view_text(""), &z), E_GONE);
	assert_int_equal(accounts_zone_by_name(a, view_text("A*"), &z), E_GONE);
	assert_int_equal(accounts_zone_by_name(a, view_of(longest, sizeof longest), &z), E_GONE);
	assert_int_equal(accounts_principal(a, 99, &p), E_GONE);
	assert_int_equal(accounts_principal_by_name(a, view_text("anna"), &p), E_GONE);
	assert_int_equal(accounts_principal_by_name(a, view_of(longest, sizeof longest), &p),
			 E_GONE);
	assert_int_equal(accounts_principal_by_name(a, view_of("an\0na", 5), &p), E_GONE);
	assert_null(p);
	assert_null(z);
	assert_string_equal(err_cause(), "");
}

static void zone_removed_is_gone_and_its_grants_with_it(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), beta = world_zone(&world, "beta");
	const struct zone *z = NULL;

	(void)state;
	(void)world_user(&world, "anna", ROLE_CLIENT, acme);
	world_grant(&world, "anna", beta, "x", "l");
	(void)world_who(&world, "anna");
	assert_int_equal(accounts_zone_by_id(a, acme, &z), 0);
	assert_int_equal(catalog_zone_remove(world.catalog, acme), 0);
	accounts_forget(a);
	assert_int_equal(accounts_zone_by_id(a, acme, &z), E_GONE);
	expect_grants("anna", "2:x=l");
}

/* ---- principals ---- */

static void add_principal_bad_or_used_name_refuses(void **state)
{
	uint64_t id = 77;

	(void)state;
	assert_int_equal(accounts_add_principal(a, "An na", ROLE_CLIENT, &id), E_INVALID);
	assert_int_equal(accounts_add_principal(a, "", ROLE_CLIENT, &id), E_INVALID);
	assert_int_equal(id, 77);
	assert_int_equal(accounts_add_principal(a, "anna", ROLE_STAFF, &id), 0);
	uint64_t first = id;
	assert_int_equal(accounts_add_principal(a, "anna", ROLE_CLIENT, &id), E_EXISTS);
	assert_int_equal(id, first);
	assert_int_equal(world_who(&world, "anna")->row.role, ROLE_STAFF);
	assert_int_equal(world_who(&world, "anna")->access.count, 0);
}

static void roles_are_presets_of_grants(void **state)
{
	uint64_t acme = world_zone(&world, "acme");

	(void)state;
	(void)world_user(&world, "anna", ROLE_CLIENT, acme);
	(void)world_user(&world, "sam", ROLE_STAFF, acme);
	(void)world_user(&world, "audi", ROLE_AUDITOR, acme);
	(void)world_user(&world, "zoe", ROLE_STAFF, 0);
	expect_grants("anna", "1:deliverables=lr 1:incoming=w");
	expect_grants("sam", "1:deliverables=lrwodm 1:incoming=lr");
	expect_grants("audi", "1:=a");
	expect_grants("zoe", "0:deliverables=lrwodm 0:incoming=lr");
	assert_int_equal(accounts_grant_role(a, 1, (enum role)9, acme), E_INVALID);
	accounts_forget(a); /* and read back from the catalog */
	expect_grants("anna", "1:deliverables=lr 1:incoming=w");
	expect_grants("zoe", "0:deliverables=lrwodm 0:incoming=lr");
}

/* ---- grants ---- */

static void grant_adds_to_what_is_there(void **state)
{
	uint64_t acme = world_zone(&world, "acme");

	(void)state;
	(void)world_user(&world, "anna", 0, 0);
	for (unsigned zone = 0; zone <= acme; zone++) {
		world_grant(&world, "anna", zone, "a/b", "l");
		world_grant(&world, "anna", zone, "/a/b/", "rl");
		world_grant(&world, "anna", zone, "a", "w");
		world_grant(&world, "anna", zone, "", "d");
		world_grant(&world, "anna", zone, "/", "o");
	}
	expect_grants("anna", "0:=od 0:a/b=lr 0:a=w 1:=od 1:a/b=lr 1:a=w");
}

static void grant_of_nonsense_refuses(void **state)
{
	static const char *const bad[] = {"a//b", "../b", "a/./b", "a\n", "\xff", "a/.."};
	uint64_t acme = world_zone(&world, "acme"), anna = world_user(&world, "anna", 0, 0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(accounts_grant(a, anna, acme, bad[i], RIGHT_LIST), E_INVALID);
	assert_int_equal(accounts_grant(a, anna, acme, "a", 0), E_INVALID);
	assert_int_equal(accounts_grant(a, anna, acme, "a", 128), E_INVALID);
	assert_int_equal(accounts_grant(a, 99, acme, "a", RIGHT_LIST), E_GONE);
	assert_string_equal(err_cause(), "a path with an empty name in it"); /* the first one's */
	err_clear();
	assert_int_equal(accounts_grant(a, 99, acme, "a", RIGHT_LIST), E_GONE);
	assert_string_equal(err_cause(), "no such user");
	err_clear();
	assert_int_equal(accounts_grant(a, anna, 99, "a", RIGHT_LIST), E_GONE);
	assert_string_equal(err_cause(), "no such zone");
	err_clear();
	expect_grants("anna", "");
}

static void grant_longest_prefix_is_kept_and_a_longer_one_refused(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), anna = world_user(&world, "anna", 0, 0);
	char prefix[962];

	(void)state;
	memset(prefix, 'p', sizeof prefix);
	for (size_t i = 200; i < sizeof prefix; i += 200)
		prefix[i] = '/';
	prefix[960] = '\0';
	assert_int_equal(accounts_grant(a, anna, acme, prefix, RIGHT_LIST), 0);
	assert_int_equal(accounts_grant(a, anna, 0, prefix, RIGHT_LIST), 0);
	assert_int_equal(world_who(&world, "anna")->access.count, 2);
	assert_string_equal(world_who(&world, "anna")->access.grants[0].prefix, prefix);
	assert_string_equal(world_who(&world, "anna")->access.grants[1].prefix, prefix);
	prefix[960] = 'p';
	prefix[961] = '\0';
	assert_int_equal(accounts_grant(a, anna, acme, prefix, RIGHT_LIST), E_INVALID);
	assert_int_equal(accounts_grant(a, anna, 0, prefix, RIGHT_LIST), E_INVALID);
}

static int no_clear_text(void *arg, const struct grant_row *row)
{
	(void)arg;
	assert_null(memmem(row->sealed_prefix, row->sealed_len, "incoming", 8));
	assert_true(row->sealed_len > 9);
	return 0;
}

static void grant_prefixes_are_sealed(void **state)
{
	uint64_t acme = world_zone(&world, "acme"),
		 anna = world_user(&world, "anna", ROLE_CLIENT, acme);

	(void)state;
	world_grant(&world, "anna", 0, "incoming", "l");
	assert_int_equal(catalog_each_grant(world.catalog, anna, no_clear_text, NULL), 0);
}

static void grant_row_of_another_principal_does_not_open(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	struct grant_row row = {.principal = 5, .rights = RIGHT_LIST};

	(void)state;
	assert_int_equal(grant_seal_prefix(world.keys, NULL, view_text("incoming"), &row), 0);
	assert_int_equal(grant_open_prefix(world.keys, NULL, &row, &text), 0);
	assert_true(view_is(view_buf(&text), "incoming"));
	row.principal = 6;
	assert_int_equal(grant_open_prefix(world.keys, NULL, &row, &text), E_INTEGRITY);
	row.principal = 5;
	row.sealed_prefix[row.sealed_len - 1] ^= 1;
	assert_int_equal(grant_open_prefix(world.keys, NULL, &row, &text), E_INTEGRITY);
	err_clear();
}

static void grant_row_damaged_closes_the_account(void **state)
{
	uint64_t acme = world_zone(&world, "acme"),
		 anna = world_user(&world, "anna", ROLE_CLIENT, acme);
	struct grant_row row = {
	    .principal = anna, .zone = acme, .rights = RIGHT_LIST, .sealed_len = 30};
	const struct principal *p = NULL;

	(void)state;
	assert_int_equal(catalog_grant_add(world.catalog, &row), 0);
	accounts_forget(a);
	assert_int_equal(accounts_principal(a, anna, &p), E_INTEGRITY);
	assert_null(p);
	err_clear();
}

static void grant_on_a_zone_that_is_no_more_counts_for_nothing(void **state)
{
	uint64_t acme = world_zone(&world, "acme"),
		 anna = world_user(&world, "anna", ROLE_CLIENT, acme);
	struct grant_row row = {
	    .principal = anna, .zone = 99, .rights = RIGHT_LIST, .sealed_len = 30};

	(void)state;
	assert_int_equal(catalog_grant_add(world.catalog, &row), 0);
	accounts_forget(a);
	expect_grants("anna", "1:deliverables=lr 1:incoming=w");
}

static void revoke_takes_letters_and_then_the_grant(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), anna = world_user(&world, "anna", 0, 0);

	(void)state;
	for (unsigned zone = 0; zone <= acme; zone++) {
		world_grant(&world, "anna", zone, "a", "lrw");
		world_grant(&world, "anna", zone, "a/b", "o");
	}
	for (unsigned zone = 0; zone <= acme; zone++)
		assert_int_equal(accounts_revoke(a, anna, zone, "a/", RIGHT_READ | RIGHT_DELETE),
				 0);
	expect_grants("anna", "0:a/b=o 0:a=lw 1:a/b=o 1:a=lw");
	for (unsigned zone = 0; zone <= acme; zone++)
		assert_int_equal(accounts_revoke(a, anna, zone, "a", RIGHT_LIST | RIGHT_WRITE), 0);
	expect_grants("anna", "0:a/b=o 1:a/b=o");
}

static void revoke_of_what_is_not_there_refuses(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), anna = world_user(&world, "anna", 0, 0);

	(void)state;
	world_grant(&world, "anna", acme, "a", "l");
	err_clear();
	assert_int_equal(accounts_revoke(a, anna, acme, "a/b", RIGHT_LIST), E_GONE);
	assert_string_equal(err_cause(), "no grant of exactly that prefix");
	assert_int_equal(accounts_revoke(a, anna, acme, "", RIGHT_LIST), E_GONE);
	assert_int_equal(accounts_revoke(a, anna, 0, "a", RIGHT_LIST), E_GONE);
	assert_int_equal(accounts_revoke(a, 99, acme, "a", RIGHT_LIST), E_GONE);
	assert_int_equal(accounts_revoke(a, anna, acme, "a", 0), E_INVALID);
	err_clear();
	expect_grants("anna", "1:a=l");
}

static void changed_grants_are_seen_at_once_and_old_pointers_stay(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), anna = world_user(&world, "anna", 0, 0);
	const struct principal *before = world_who(&world, "anna");

	(void)state;
	world_grant(&world, "anna", acme, "a", "lr");
	assert_int_equal(before->access.count, 0);
	const struct principal *with = world_who(&world, "anna");
	assert_int_equal(with->access.count, 1);
	assert_int_equal(accounts_revoke(a, anna, acme, "a", RIGHT_LIST | RIGHT_READ), 0);
	assert_int_equal(with->access.count, 1);
	assert_string_equal(with->access.grants[0].prefix, "a");
	expect_grants("anna", "");
}

static void rollback_and_forget_undo_a_grant(void **state)
{
	uint64_t acme = world_zone(&world, "acme");

	(void)state;
	(void)world_user(&world, "anna", 0, 0);
	assert_int_equal(catalog_savepoint(world.catalog), 0);
	world_grant(&world, "anna", acme, "a", "l");
	expect_grants("anna", "1:a=l");
	assert_int_equal(catalog_rollback_to(world.catalog), 0);
	accounts_forget(a);
	expect_grants("anna", "");
}

/* ---- home ---- */

static void expect_home(const char *user, const char *expected)
{
	CLEANUP(buf_done) struct buf home = {0};

	assert_int_equal(accounts_home(a, world_who(&world, user), &home), 0);
	assert_true(view_is(view_buf(&home), expected));
}

static void home_is_the_only_zone_or_the_top(void **state)
{
	uint64_t acme = world_zone(&world, "acme"), beta = world_zone(&world, "beta");

	(void)state;
	(void)world_user(&world, "anna", ROLE_CLIENT, acme);
	(void)world_user(&world, "bert", ROLE_CLIENT, beta);
	(void)world_user(&world, "both", ROLE_CLIENT, beta);
	(void)world_user(&world, "zoe", ROLE_STAFF, 0);
	(void)world_user(&world, "audi", ROLE_AUDITOR, 0);
	(void)world_user(&world, "none", 0, 0);
	(void)world_user(&world, "deep", 0, 0);
	world_grant(&world, "both", acme, "deliverables/x", "r");
	world_grant(&world, "deep", beta, "a/b/c", "l");
	world_grant(&world, "deep", acme, "", "a"); /* opens no folder */
	expect_home("anna", "/acme");
	expect_home("bert", "/beta");
	expect_home("both", "/");
	expect_home("zoe", "/");
	expect_home("audi", "/");
	expect_home("none", "/");
	expect_home("deep", "/beta");
	assert_int_equal(catalog_zone_remove(world.catalog, beta), 0);
	accounts_forget(a);
	expect_home("zoe", "/"); /* of all zones, though only one is left */
	expect_home("bert", "/");
}

static void many_principals_and_zones_are_told_apart(void **state)
{
	uint64_t users[600], zones[300];
	char name[32];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(zones); i++) {
		(void)snprintf(name, sizeof name, "zone%u", i);
		zones[i] = world_zone(&world, name);
	}
	for (unsigned i = 0; i < ARRAY_LEN(users); i++) {
		(void)snprintf(name, sizeof name, "user%u", i);
		users[i] = world_user(&world, name, 0, 0);
		world_grant(&world, name, zones[i % ARRAY_LEN(zones)], name, "l");
	}
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ARRAY_LEN(users); i++) {
			const struct principal *p = NULL;
			const struct zone *z = NULL;
			assert_int_equal(accounts_principal(a, users[i], &p), 0);
			assert_int_equal(p->row.id, users[i]);
			assert_string_equal(p->access.grants[0].prefix, p->row.name);
			assert_int_equal(accounts_zone_by_id(a, p->access.grants[0].zone, &z), 0);
			assert_int_equal(z->row.id, zones[i % ARRAY_LEN(zones)]);
		}
		accounts_forget(a);
	}
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_WORLD(add_zone_makes_its_folders),
	    IN_A_WORLD(add_zone_keeps_its_settings),
	    IN_A_WORLD(add_zone_bad_or_used_name_refuses),
	    IN_A_WORLD(zones_have_keys_of_their_own),
	    IN_A_WORLD(zone_look_ups_agree_and_read_counters_afresh),
	    IN_A_WORLD(look_ups_of_nobody_give_gone_without_a_sentence),
	    IN_A_WORLD(zone_removed_is_gone_and_its_grants_with_it),
	    IN_A_WORLD(add_principal_bad_or_used_name_refuses),
	    IN_A_WORLD(roles_are_presets_of_grants),
	    IN_A_WORLD(grant_adds_to_what_is_there),
	    IN_A_WORLD(grant_of_nonsense_refuses),
	    IN_A_WORLD(grant_longest_prefix_is_kept_and_a_longer_one_refused),
	    IN_A_WORLD(grant_prefixes_are_sealed),
	    IN_A_WORLD(grant_row_of_another_principal_does_not_open),
	    IN_A_WORLD(grant_row_damaged_closes_the_account),
	    IN_A_WORLD(grant_on_a_zone_that_is_no_more_counts_for_nothing),
	    IN_A_WORLD(revoke_takes_letters_and_then_the_grant),
	    IN_A_WORLD(revoke_of_what_is_not_there_refuses),
	    IN_A_WORLD(changed_grants_are_seen_at_once_and_old_pointers_stay),
	    IN_A_WORLD(rollback_and_forget_undo_a_grant),
	    IN_A_WORLD(home_is_the_only_zone_or_the_top),
	    IN_A_WORLD(many_principals_and_zones_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
