/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's rows of principals, their credentials, enrolments and grants. */
#include <stdio.h>

#include "daemon/keep/catalog_db.h"
#include "keep_catalog_kit.h"
#include "wire/messages.h"

/* Member by member: what is between them is nobody's. */
#define SAME(m)       assert_int_equal(a->m, b->m)
#define SAME_TEXT(m)  assert_string_equal(a->m, b->m)
#define SAME_ARRAY(m) assert_memory_equal(a->m, b->m, sizeof a->m)

static void same_principal(const struct principal_row *a, const struct principal_row *b)
{
	SAME(id);
	SAME(role);
	SAME(disabled);
	SAME(made_us);
	SAME_TEXT(name);
}

static void same_credential(const struct credential_row *a, const struct credential_row *b)
{
	SAME(id);
	SAME(principal);
	SAME(kind);
	SAME(made_us);
	SAME(expires_us);
	SAME_TEXT(fingerprint);
	SAME_TEXT(algorithm);
	SAME_TEXT(comment);
	SAME_TEXT(networks);
}

static void principal_by_name_or_number_is_what_was_added(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	struct principal_row row = {
	    .name = "acme", .role = ROLE_AUDITOR, .disabled = true, .made_us = INT64_MAX};
	struct principal_row got = {0}, other = {0};

	assert_good(catalog_principal_add(c, &row));
	assert_true(row.id > 0);
	assert_good(catalog_principal_by_name(c, "acme", &got));
	same_principal(&got, &row);
	assert_good(catalog_principal_by_id(c, row.id, &other));
	same_principal(&other, &row);
	assert_good(catalog_principal_set_disabled(c, row.id, false));
	assert_good(catalog_principal_by_id(c, row.id, &got));
	assert_false(got.disabled);
	memset(row.name, 'a', ACCOUNT_MAX);
	assert_good(catalog_principal_add(c, &row));
	assert_good(catalog_principal_by_id(c, row.id, &got));
	assert_string_equal(got.name, row.name);
	assert_int_equal(strlen(got.name), ACCOUNT_MAX);
}

static void principal_that_is_not_there_is_gone(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	struct principal_row got = {.id = 42};

	(void)kit_principal(c, "acme");
	assert_gone(catalog_principal_by_name(c, "Acme", &got));
	assert_gone(catalog_principal_by_name(c, "", &got));
	assert_gone(catalog_principal_by_name(c, "acm", &got));
	assert_gone(catalog_principal_by_id(c, 2, &got));
	assert_gone(catalog_principal_by_id(c, 0, &got));
	assert_gone(catalog_principal_set_disabled(c, 2, true));
	assert_gone(catalog_principal_remove(c, 2));
	assert_int_equal(got.id, 42);
}

static int count_credential(void *arg, const struct credential_row *row)
{
	assert_true(row->principal > 0);
	++*(unsigned *)arg;
	return 0;
}

static int count_grant(void *arg, const struct grant_row *row)
{
	assert_true(row->principal > 0);
	++*(unsigned *)arg;
	return 0;
}

static void credential_is_found_for_its_principal_only(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t anna = kit_principal(c, "anna"), bert = kit_principal(c, "bert");
	struct credential_row row = kit_credential(anna, "abc"), got = {0};

	assert_good(catalog_credential_add(c, &row));
	assert_good(catalog_credential_find(c, anna, CREDENTIAL_SSH_KEY, "SHA256:abc", &got));
	same_credential(&got, &row);
	memset(&got, 0, sizeof got);
	assert_good(catalog_credential_by_id(c, row.id, &got));
	same_credential(&got, &row);
	assert_gone(catalog_credential_find(c, bert, CREDENTIAL_SSH_KEY, "SHA256:abc", &got));
	assert_gone(catalog_credential_find(c, anna, CREDENTIAL_SSH_KEY, "SHA256:ab", &got));
	assert_gone(catalog_credential_find(c, anna, CREDENTIAL_SSH_KEY, "SHA256:ABC", &got));
	assert_gone(catalog_credential_find(c, anna, (enum credential_kind)2, "SHA256:abc", &got));
	assert_refused(catalog_credential_add(c, &row), E_EXISTS);
	row.principal = bert; /* the same key may belong to two */
	assert_good(catalog_credential_add(c, &row));
	assert_good(catalog_credential_remove(c, row.id));
	assert_gone(catalog_credential_remove(c, row.id));
	assert_gone(catalog_credential_by_id(c, row.id, &got));
	assert_good(catalog_credential_find(c, anna, CREDENTIAL_SSH_KEY, "SHA256:abc", &got));
}

static void credential_of_nobody_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	struct credential_row row = kit_credential(77, "abc");

	assert_refused(catalog_credential_add(c, &row), E_INTEGRITY);
	row.principal = kit_principal(c, "anna");
	memset(row.comment, 'x', sizeof row.comment);
	assert_refused(catalog_credential_add(c, &row), E_INVALID);
	row.comment[sizeof row.comment - 1] = '\0';
	memset(row.networks, 'x', sizeof row.networks);
	assert_refused(catalog_credential_add(c, &row), E_INVALID);
	row.networks[sizeof row.networks - 1] = '\0';
	assert_good(catalog_credential_add(c, &row));
}

static struct enrolment_row enrolment(uint64_t principal, uint8_t hash, const char *networks)
{
	struct enrolment_row row = {.principal = principal, .made_us = 1, .expires_us = 100};

	memset(row.code_hash, hash, sizeof row.code_hash);
	(void)snprintf(row.networks, sizeof row.networks, "%s", networks);
	return row;
}

static void enrolment_is_taken_once_in_time_and_the_newest_alone(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t anna = kit_principal(c, "anna"), bert = kit_principal(c, "bert");
	struct enrolment_row one = enrolment(anna, 1, ""), two = enrolment(anna, 2, "10.0.0.0/8");
	struct enrolment_row other = enrolment(bert, 3, "::/0"), got = {.principal = 42};

	assert_good(catalog_enrolment_add(c, &one));
	assert_good(catalog_enrolment_add(c, &other));
	assert_good(catalog_enrolment_add(c, &two)); /* in the place of the first */
	assert_gone(catalog_enrolment_take(c, one.code_hash, 50, &got));
	assert_gone(catalog_enrolment_take(c, two.code_hash, 100, &got));
	assert_int_equal(got.principal, 42);
	assert_good(catalog_enrolment_take(c, two.code_hash, 99, &got));
	assert_int_equal(got.principal, anna);
	assert_string_equal(got.networks, "10.0.0.0/8");
	assert_memory_equal(got.code_hash, two.code_hash, sizeof got.code_hash);
	assert_gone(catalog_enrolment_take(c, two.code_hash, 99, &got));
	assert_good(catalog_enrolment_take(c, other.code_hash, 1, &got));
	assert_int_equal(got.principal, bert);
	assert_int_equal(got.expires_us, 100);
	other.principal = 99;
	assert_refused(catalog_enrolment_add(c, &other), E_INTEGRITY);
}

static struct grant_row grant(uint64_t principal, uint64_t zone, const char *prefix, uint8_t rights)
{
	struct grant_row row = {
	    .principal = principal, .zone = zone, .rights = rights, .sealed_len = strlen(prefix)};

	memcpy(row.sealed_prefix, prefix, row.sealed_len);
	return row;
}

static int keep_rights(void *arg, const struct grant_row *row)
{
	*(uint8_t *)arg = row->rights;
	return row->sealed_len == 3 ? 1 : 0;
}

static void grant_of_the_same_place_replaces_the_rights(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t anna = kit_principal(c, "anna"), zone = kit_zone(c, "acme");
	struct grant_row first = grant(anna, zone, "abc", 5), again = grant(anna, zone, "abc", 255);
	struct grant_row all = grant(anna, 0, "", 1), none = grant(99, zone, "", 1);
	unsigned count = 0;
	uint8_t rights = 0;

	assert_good(catalog_grant_add(c, &first));
	assert_good(catalog_grant_add(c, &all));
	assert_int_not_equal(first.id, all.id);
	assert_good(catalog_grant_add(c, &again));
	assert_int_equal(again.id, first.id);
	assert_good(catalog_each_grant(c, anna, count_grant, &count));
	assert_int_equal(count, 2);
	assert_int_equal(catalog_each_grant(c, anna, keep_rights, &rights), 1);
	assert_int_equal(rights, 255);
	assert_refused(catalog_grant_add(c, &none), E_INTEGRITY);
	first.sealed_len = sizeof first.sealed_prefix + 1;
	assert_refused(catalog_grant_add(c, &first), E_INVALID);
	first.sealed_len = sizeof first.sealed_prefix;
	assert_good(catalog_grant_add(c, &first));
	assert_good(catalog_grant_remove(c, first.id));
	assert_gone(catalog_grant_remove(c, first.id));
}

static void
remove_principal_takes_its_keys_and_grants_and_never_gives_its_number_again(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t anna = kit_principal(c, "anna"), bert = kit_principal(c, "bert");
	uint64_t zone = kit_zone(c, "acme"), node = kit_node(c, zone, kit_root(c, zone), "f");
	struct node_row row;
	unsigned credentials = 0, grants = 0;

	for (int i = 0; i < 2; i++) {
		struct credential_row k = kit_credential(i ? anna : bert, "abc");
		struct grant_row g = grant(i ? anna : bert, zone, "", 1);
		assert_good(catalog_credential_add(c, &k));
		assert_good(catalog_grant_add(c, &g));
	}
	assert_good(catalog_node_by_id(c, node, &row));
	row.owner = bert;
	assert_good(catalog_node_set(c, &row));
	assert_good(catalog_principal_remove(c, bert));
	assert_good(catalog_each_credential(c, 0, count_credential, &credentials));
	assert_int_equal(credentials, 1);
	assert_good(catalog_each_grant(c, bert, count_grant, &grants));
	assert_int_equal(grants, 0);
	assert_good(catalog_each_credential(c, anna, count_credential, &credentials));
	assert_int_equal(credentials, 2);
	assert_good(catalog_node_by_id(c, node, &row));
	assert_int_equal(row.owner, bert);
	assert_true(kit_principal(c, "carl") > bert); /* bert's files are not carl's */
}

static int join_names(void *arg, const struct principal_row *row)
{
	return buf_printf(arg, "%s ", row->name);
}

static int stop_with_7(void *arg, const struct principal_row *row)
{
	++*(unsigned *)arg;
	return row->id ? 7 : 0;
}

static void walk_goes_by_name_and_ends_where_visit_says(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	CLEANUP(buf_done) struct buf names = {0};
	unsigned visits = 0;

	(void)kit_principal(c, "c");
	(void)kit_principal(c, "a");
	(void)kit_principal(c, "b");
	assert_int_equal(catalog_each_principal(c, stop_with_7, &visits), 7);
	assert_int_equal(visits, 1);
	assert_good(catalog_each_principal(c, join_names, &names));
	assert_true(view_is(view_buf(&names), "a b c "));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(principal_by_name_or_number_is_what_was_added),
	    CASE(principal_that_is_not_there_is_gone),
	    CASE(credential_is_found_for_its_principal_only),
	    CASE(credential_of_nobody_is_refused),
	    CASE(enrolment_is_taken_once_in_time_and_the_newest_alone),
	    CASE(grant_of_the_same_place_replaces_the_rights),
	    CASE(remove_principal_takes_its_keys_and_grants_and_never_gives_its_number_again),
	    CASE(walk_goes_by_name_and_ends_where_visit_says),
	};

	return cmocka_run_group_tests_name("catalog accounts", tests, NULL, NULL);
}
