/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "client/listing.h"

#define HEX "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

static const char good[] =
    "{\"path\":\"/acme/incoming/\",\"entries\":["
    "{\"name\":\"plan.pdf\",\"type\":\"file\",\"size\":200000,\"modified\":"
    "\"2026-11-27T09:03:05Z\",\"sha256\":\"" HEX "\",\"owner\":\"anna\",\"rights\":\"lrd\"},"
    "{\"name\":\"draft.zip\",\"type\":\"partial\",\"size\":65536,\"modified\":"
    "\"2026-11-27T09:04:11.5Z\",\"owner\":\"anna\",\"rights\":\"lwd\",\"new\":[1]},"
    "{\"name\":\"old\",\"type\":\"folder\"}]}";

static int parse(const char *text, size_t len, struct listing *l)
{
	EXACT exact = kit_exact(text, len);

	return listing_parse(exact, l);
}

static void listing_is_read_and_sorted(void **state)
{
	CLEANUP(listing_done) struct listing l = {0};

	(void)state;
	assert_ok(parse(good, sizeof good - 1, &l));
	assert_int_equal(l.count, 3);
	assert_string_equal(l.entry[0].name, "draft.zip");
	assert_int_equal(l.entry[0].type, ENTRY_PARTIAL);
	assert_false(l.entry[0].has_hash);
	const struct entry *e = listing_find(&l, "plan.pdf");
	assert_non_null(e);
	assert_true(e->has_hash && e->hash[0] == 0x9f && e->size == 200000);
	assert_int_equal(e->modified_s, 1795770185);
	assert_string_equal(e->owner, "anna");
	assert_null(listing_find(&l, "plan"));
	assert_int_equal(listing_find(&l, "old")->type, ENTRY_FOLDER);
}

static void listing_without_entries_is_one(void **state)
{
	CLEANUP(listing_done) struct listing l = {0};
	static const char none[] = "{\"entries\":[]}";

	(void)state;
	assert_ok(parse(none, sizeof none - 1, &l));
	assert_int_equal(l.count, 0);
	assert_null(listing_find(&l, "x"));
}

static void listing_that_breaks_off_is_none(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof good - 1; len++) {
		struct listing l = {0};
		assert_fails(parse(good, len, &l), E_PROTOCOL);
		assert_null(l.entry);
	}
}

static void listing_with_one_bad_entry_is_none(void **state)
{
#define NAMED(n) "{\"name\":" n ",\"type\":\"file\",\"size\":1}"
	static const char *const bad[] = {
	    NAMED("\"..\""),
	    NAMED("\".\""),
	    NAMED("\"\""),
	    NAMED("\"a/b\""),
	    NAMED("\"/etc\""),
	    NAMED("\"x\\u0000\""),
	    NAMED("\"\\u001b\""),
	    NAMED("\"\\u0085\""),
	    NAMED("\"\\n\""),
	    NAMED("7"),
	    NAMED("null"),
	    NAMED("[\"a\"]"),
	    NAMED("\"a\"") "," NAMED("\"a\""),
	    "7",
	    "[]",
	    "null",
	    "{}",
	    "{\"name\":\"a\",\"type\":\"link\",\"size\":1}",
	    "{\"name\":\"a\",\"type\":\"file\"}",
	    "{\"name\":\"a\",\"type\":\"file\",\"size\":-1}",
	    "{\"name\":\"a\",\"type\":\"file\",\"size\":1.5}",
	    "{\"name\":\"a\",\"type\":\"file\",\"size\":\"1\"}",
	    "{\"name\":\"a\",\"type\":\"file\",\"size\":1,\"sha256\":\"00\"}",
	    "{\"name\":\"a\",\"type\":\"file\",\"size\":1,\"modified\":\"today\"}",
	    "{\"name\":\"a\",\"name\":\"b\",\"type\":\"file\",\"size\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(mem_free)
		char *text = mem_printf("{\"entries\":[%s," NAMED("\"good\"") "]}", bad[i]);
		struct listing l = {0};
		if (parse(text, strlen(text), &l) != E_PROTOCOL)
			print_error("taken: %s\n", text);
		assert_fails(parse(text, strlen(text), &l), E_PROTOCOL);
		assert_null(l.entry);
	}
}

static void moment_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "2026-11-27",
	    "2026-11-27T09:03:05",
	    "2026-11-27T09:03:05+01:00",
	    "2026-13-27T09:03:05Z",
	    "2026-11-27T09:03:05Zx",
	    "2026-11-27T09:03:05.xZ",
	};
	int64_t s = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(moment_parse(bad[i], &s), E_PROTOCOL);
	assert_int_equal(s, 77);
	assert_ok(moment_parse("1970-01-01T00:00:01Z", &s));
	assert_int_equal(s, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(listing_is_read_and_sorted),
	    cmocka_unit_test(listing_without_entries_is_one),
	    cmocka_unit_test(listing_that_breaks_off_is_none),
	    cmocka_unit_test(listing_with_one_bad_entry_is_none),
	    cmocka_unit_test(moment_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
