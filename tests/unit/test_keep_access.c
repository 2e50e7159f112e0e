/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka's macro hides the function of base/err.h */

#include "base/mem.h"
#include "daemon/keep/access.h"
#include "daemon/keep/catalog.h"
#include "wire/messages.h"

/* ---- paths ---- */

/* In a heap buffer of exactly its size, so that a sanitizer sees an overread. */
static int parse_exact(const void *text, size_t len, struct path *ret_path, uint8_t **ret_memory)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	if (len)
		memcpy(exact, text, len);
	*ret_memory = exact;
	return path_parse(view_of(exact, len), ret_path);
}

static void expect_refused(const void *text, size_t len)
{
	CLEANUP(mem_free) uint8_t *memory = NULL;
	struct path p, untouched;

	memset(&p, 0xa5, sizeof p);
	untouched = p;
	assert_int_equal(parse_exact(text, len, &p, &memory), E_INVALID);
	assert_memory_equal(&p, &untouched, sizeof p);
	assert_true(strlen(err_cause()) > 0);
	err_clear();
}

static void parse_top_gives_no_zone(void **state)
{
	struct path p;

	(void)state;
	assert_int_equal(path_parse(view_text("/"), &p), 0);
	assert_int_equal(p.zone.len, 0);
	assert_int_equal(p.depth, 0);
}

static void parse_path_takes_it_apart(void **state)
{
	struct path p;

	(void)state;
	assert_int_equal(path_parse(view_text("/acme"), &p), 0);
	assert_true(view_is(p.zone, "acme"));
	assert_int_equal(p.depth, 0);
	assert_int_equal(path_parse(view_text("/acme/in/\xc3\xa9 .. ...txt"), &p), 0);
	assert_true(view_is(p.zone, "acme"));
	assert_int_equal(p.depth, 2);
	assert_true(view_is(p.name[0], "in"));
	assert_true(view_is(p.name[1], "\xc3\xa9 .. ...txt"));
}

static void parse_malformed_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    "acme",
	    "acme/in",
	    "//",
	    "//acme",
	    "/acme/",
	    "/acme//in",
	    "/acme/in/",
	    "/.",
	    "/..",
	    "/acme/.",
	    "/acme/..",
	    "/acme/../b",
	    "/acme/./b",
	    "/acme/a\nb",
	    "/acme/\x7f",
	    "/a\x01",
	    "/acme/\xc2\x85",
	    "/acme/\xff",
	    "/acme/\xc0\xaf",
	    "/acme/\xed\xa0\x80",
	    "/acme/\xc3/b",
	    "/acme/\xc3",
	    "./acme",
	    " /acme",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		expect_refused(bad[i], strlen(bad[i]));
	expect_refused("/acme/a\0b", 9);
	expect_refused("/acme/\0", 7);
}

static void parse_every_cut_answers_within_bounds(void **state)
{
	static const char text[] = "/acme/incoming/\xe2\x82\xac/\xf0\x9f\x98\x80 report.pdf";

	(void)state;
	for (size_t len = 0; len < sizeof text; len++) {
		CLEANUP(mem_free) uint8_t *memory = NULL;
		struct path p;
		int rc = parse_exact(text, len, &p, &memory);
		assert_true(rc == 0 || rc == E_INVALID);
		err_clear();
	}
}

static void parse_limits_hold_at_their_edges(void **state)
{
	char text[PATH_BYTES_MAX + 8];
	struct path p;

	(void)state;
	memcpy(text, "/z/", 3);
	memset(text + 3, 'n', sizeof text - 3);
	assert_int_equal(path_parse(view_of(text, 3 + NAME_BYTES_MAX), &p), 0);
	assert_int_equal(p.name[0].len, NAME_BYTES_MAX);
	expect_refused(text, 3 + NAME_BYTES_MAX + 1);
	expect_refused(text + 2, NAME_BYTES_MAX + 2); /* the zone's name too */

	for (size_t i = 2; i < sizeof text; i++)
		text[i] = i % 2 ? 'n' : '/';
	assert_int_equal(path_parse(view_of(text, 2 + 2 * PATH_DEPTH_MAX), &p), 0);
	assert_int_equal(p.depth, PATH_DEPTH_MAX);
	expect_refused(text, 2 + 2 * (PATH_DEPTH_MAX + 1));

	memset(text, 'n', sizeof text);
	for (size_t i = 0; i < sizeof text; i += 250)
		text[i] = '/';
	assert_int_equal(path_parse(view_of(text, PATH_BYTES_MAX), &p), 0);
	expect_refused(text, PATH_BYTES_MAX + 1);
}

static void account_names_follow_their_pattern(void **state)
{
	static const char *const good[] = {"a", "0", "acme", "acme-2", "a.b_c-d", "9lives"};
	static const char *const bad[] = {"",   ".a",  "-a",       "_a", "A", "aB", "a b",
					  "a/", "a\n", "\xc3\xa9", "a:", "*", ".."};
	char longest[ACCOUNT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(account_name_valid(view_text(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(account_name_valid(view_text(bad[i])));
	assert_false(account_name_valid(view_of("a\0", 2)));
	memset(longest, 'a', sizeof longest);
	assert_true(account_name_valid(view_of(longest, ACCOUNT_MAX)));
	assert_false(account_name_valid(view_of(longest, ACCOUNT_MAX + 1)));
}

static void reserved_name_is_exact(void **state)
{
	(void)state;
	assert_true(path_is_reserved(view_text(".receipts")));
	assert_false(path_is_reserved(view_text(".receipt")));
	assert_false(path_is_reserved(view_text(".receiptss")));
	assert_false(path_is_reserved(view_text("receipts")));
	assert_false(path_is_reserved(view_text("")));
}

/* ---- rights ---- */

static struct grant grants[] = {
    {7, (char *)"incoming", RIGHT_WRITE}, {7, (char *)"deliverables", RIGHT_LIST | RIGHT_READ},
    {7, (char *)"a/b/c", RIGHT_MANAGE},   {7, (char *)"a/b", RIGHT_DELETE},
    {8, (char *)"", RIGHT_OVERWRITE},     {0, (char *)"incoming/all", RIGHT_READ},
    {9, (char *)"", RIGHT_AUDIT},
};
static const struct access access_all = {grants, ARRAY_LEN(grants)};

struct place {
	uint64_t zone;
	const char *path; /* below the zone, with a slash in front of each name */
	uint8_t rights;
	bool leads;
};

static const struct place places[] = {
    {7, "", 0, true},
    {7, "/incoming", RIGHT_WRITE, true},
    {7, "/incoming/x", RIGHT_WRITE, false},
    {7, "/incoming/x/y", RIGHT_WRITE, false},
    {7, "/incoming/all", RIGHT_WRITE | RIGHT_READ, true},
    {7, "/incoming/all/x", RIGHT_WRITE | RIGHT_READ, false},
    {7, "/incoming/alls", RIGHT_WRITE, false},
    {7, "/incomin", 0, false},
    {7, "/incoming2", 0, false},
    {7, "/Incoming", 0, false},
    {7, "/deliverables", RIGHT_LIST | RIGHT_READ, true},
    {7, "/a", 0, true},
    {7, "/a/b", RIGHT_DELETE, true},
    {7, "/a/x", 0, false},
    {7, "/a/bb", 0, false},
    {7, "/a/b/c", RIGHT_DELETE | RIGHT_MANAGE, true},
    {7, "/a/b/c/d", RIGHT_DELETE | RIGHT_MANAGE, false},
    {7, "/a/b/d", RIGHT_DELETE, false},
    {8, "", RIGHT_OVERWRITE, true},
    {8, "/x", RIGHT_OVERWRITE, false},
    {8, "/incoming", RIGHT_OVERWRITE, true}, /* on the way to the grant on all zones */
    {8, "/incoming/all", RIGHT_OVERWRITE | RIGHT_READ, true},
    {9, "", RIGHT_AUDIT, true}, /* the grant on all zones leads, the right to audit would not */
    {9, "/deliverables", RIGHT_AUDIT, false},
    {10, "", 0, true},
    {10, "/incoming", 0, true},
    {10, "/incoming/all", RIGHT_READ, true},
    {10, "/incoming/other", 0, false},
    {10, "/deliverables", 0, false},
};

static void rights_at_every_place_are_the_union_of_what_covers_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CLEANUP(mem_free) char *text = mem_printf("/zone%s", places[i].path);
		struct path p;
		assert_int_equal(path_parse(view_text(text), &p), 0);
		uint8_t rights = access_rights(&access_all, places[i].zone, &p, p.depth);
		bool leads = access_leads(&access_all, places[i].zone, &p, p.depth);
		if (rights != places[i].rights || leads != places[i].leads)
			print_error("zone %d%s\n", (int)places[i].zone, places[i].path);
		assert_int_equal(rights, places[i].rights);
		assert_int_equal(leads, places[i].leads);
	}
}

static void rights_of_the_first_names_only(void **state)
{
	struct path p;

	(void)state;
	assert_int_equal(path_parse(view_text("/zone/a/b/c/d"), &p), 0);
	assert_int_equal(access_rights(&access_all, 7, &p, 0), 0);
	assert_int_equal(access_rights(&access_all, 7, &p, 1), 0);
	assert_int_equal(access_rights(&access_all, 7, &p, 2), RIGHT_DELETE);
	assert_int_equal(access_rights(&access_all, 7, &p, 3), RIGHT_DELETE | RIGHT_MANAGE);
	assert_true(access_leads(&access_all, 7, &p, 1));
	assert_false(access_leads(&access_all, 7, &p, 4));
}

static void no_grants_mean_nothing_at_all(void **state)
{
	const struct access none = {0};
	struct path p;

	(void)state;
	assert_int_equal(path_parse(view_text("/zone/incoming"), &p), 0);
	for (unsigned depth = 0; depth <= 1; depth++) {
		assert_int_equal(access_rights(&none, 7, &p, depth), 0);
		assert_false(access_leads(&none, 7, &p, depth));
	}
}

static void audit_alone_opens_no_folder(void **state)
{
	struct grant audit[] = {{0, (char *)"", RIGHT_AUDIT}, {3, (char *)"incoming", RIGHT_AUDIT}};
	const struct access a = {audit, 2};
	struct path p;

	(void)state;
	assert_int_equal(path_parse(view_text("/zone/incoming"), &p), 0);
	assert_false(access_leads(&a, 3, &p, 0));
	assert_false(access_leads(&a, 3, &p, 1));
	assert_int_equal(access_rights(&a, 3, &p, 1), RIGHT_AUDIT);
}

static void log_is_read_by_grants_of_whole_zones(void **state)
{
	static const struct {
		struct grant grant;
		bool all, one; /* zone 1 */
	} rows[] = {
	    {{0, (char *)"", RIGHT_AUDIT}, true, true},
	    {{1, (char *)"", RIGHT_AUDIT}, false, true},
	    {{2, (char *)"", RIGHT_AUDIT}, false, false},
	    {{0, (char *)"incoming", RIGHT_AUDIT}, false, false},
	    {{1, (char *)"incoming", RIGHT_AUDIT}, false, false},
	    {{0, (char *)"", (uint8_t)~RIGHT_AUDIT}, false, false},
	    {{1, (char *)"", RIGHT_AUDIT | RIGHT_READ}, false, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct grant g = rows[i].grant;
		const struct access a = {&g, 1};
		assert_int_equal(access_audits(&a, 0), rows[i].all);
		assert_int_equal(access_audits(&a, 1), rows[i].one);
	}
	assert_false(access_audits(&(struct access){0}, 0));
	assert_false(access_audits(&(struct access){0}, 1));
}

static void letters_go_both_ways_for_every_set(void **state)
{
	(void)state;
	for (unsigned rights = 1; rights < 128; rights++) {
		char text[8];
		uint8_t back = 0;
		rights_text((uint8_t)rights, text);
		assert_int_equal(rights_parse(text, &back), 0);
		assert_int_equal(back, rights);
	}
	char none[8] = "xxxxxxx";
	rights_text(0, none);
	assert_string_equal(none, "");
	char all[8];
	rights_text(127, all);
	assert_string_equal(all, "lrwodma");
}

static void letters_in_any_order_are_read(void **state)
{
	uint8_t rights = 0;

	(void)state;
	assert_int_equal(rights_parse("dl", &rights), 0);
	assert_int_equal(rights, RIGHT_DELETE | RIGHT_LIST);
}

static void letters_unknown_or_repeated_are_refused(void **state)
{
	static const char *const bad[] = {"",    "x",   "L",   "lrx", "ll",
					  "lrl", "l r", "l,r", "*",   "\xc3\xa9"};
	uint8_t rights = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(rights_parse(bad[i], &rights), E_INVALID);
		assert_int_equal(rights, 99);
		err_clear();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_top_gives_no_zone),
	    cmocka_unit_test(parse_path_takes_it_apart),
	    cmocka_unit_test(parse_malformed_refuses),
	    cmocka_unit_test(parse_every_cut_answers_within_bounds),
	    cmocka_unit_test(parse_limits_hold_at_their_edges),
	    cmocka_unit_test(account_names_follow_their_pattern),
	    cmocka_unit_test(reserved_name_is_exact),
	    cmocka_unit_test(rights_at_every_place_are_the_union_of_what_covers_it),
	    cmocka_unit_test(rights_of_the_first_names_only),
	    cmocka_unit_test(no_grants_mean_nothing_at_all),
	    cmocka_unit_test(audit_alone_opens_no_folder),
	    cmocka_unit_test(log_is_read_by_grants_of_whole_zones),
	    cmocka_unit_test(letters_go_both_ways_for_every_set),
	    cmocka_unit_test(letters_in_any_order_are_read),
	    cmocka_unit_test(letters_unknown_or_repeated_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
