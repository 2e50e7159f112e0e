/* SPDX-License-Identifier: Apache-2.0 */
#include "http_kit.h"

#include "base/sha256.h"
#include "base/text.h"
#include "daemon/gate/http_condition.h"

#define NOW     1795780000
#define MTIME   784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define TAG     "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
#define OTHER   "\"aa7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""
#define DIGEST  "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:"
#define SAME    "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE  "Sun, 06 Nov 1994 08:49:36 GMT"
#define BEHIND  "Sun, 06 Nov 1994 08:49:38 GMT"
#define NO_DATE "yesterday"

static uint8_t abc[WIRE_HASH];
static const struct representation there = {.sha256 = abc, .size = 1000, .mtime_s = MTIME};

static int setup(void **state)
{
	(void)state;
	sha256_of(view_text("abc"), abc);
	return 0;
}

static void tags_and_digests_are_written_in_full(void **state)
{
	char tag[ETAG], digest[DIGEST_TEXT];

	(void)state;
	etag_write(abc, tag);
	assert_string_equal(tag, TAG);
	digest_write(abc, digest);
	assert_string_equal(digest, DIGEST);
}

/* RFC 9110, section 13.2.2: If-Match, else If-Unmodified-Since; then If-None-Match, else
 * If-Modified-Since. */
static void conditions_are_judged_in_their_order(void **state)
{
	static const struct {
		const char *name, *value, *name2, *value2;
		unsigned status;
	} cases[] = {
	    {NULL, NULL, NULL, NULL, 0},
	    {"if-match", TAG, NULL, NULL, 0},
	    {"if-match", "*", NULL, NULL, 0},
	    {"if-match", OTHER, NULL, NULL, 412},
	    {"if-match", OTHER ", " TAG, NULL, NULL, 0},
	    {"if-match", OTHER "," TAG, NULL, NULL, 0},
	    {"if-match", ",," TAG, NULL, NULL, 0},
	    {"if-match", OTHER, "if-match", TAG, 0}, /* two fields are one list */
	    {"if-match", "W/" TAG, NULL, NULL, 412}, /* compared strongly */
	    {"if-match", "ba7816", NULL, NULL, 412},
	    {"if-match", "", NULL, NULL, 412},
	    {"if-match", "\"", NULL, NULL, 412},
	    {"if-match", "W/", NULL, NULL, 412},
	    {"if-match", "\"*\"", NULL, NULL, 412},
	    {"if-none-match", TAG, NULL, NULL, 304},
	    {"if-none-match", "W/" TAG, NULL, NULL, 304}, /* compared weakly */
	    {"if-none-match", "*", NULL, NULL, 304},
	    {"if-none-match", OTHER, NULL, NULL, 0},
	    {"if-none-match", OTHER ", W/" TAG, NULL, NULL, 304},
	    {"if-none-match", "nonsense", NULL, NULL, 0},
	    {"if-unmodified-since", SAME, NULL, NULL, 0},
	    {"if-unmodified-since", BEHIND, NULL, NULL, 0},
	    {"if-unmodified-since", BEFORE, NULL, NULL, 412},
	    {"if-unmodified-since", NO_DATE, NULL, NULL, 0},
	    {"if-unmodified-since", BEFORE, "if-unmodified-since", BEFORE, 0},
	    {"if-modified-since", SAME, NULL, NULL, 304},
	    {"if-modified-since", BEHIND, NULL, NULL, 304},
	    {"if-modified-since", BEFORE, NULL, NULL, 0},
	    {"if-modified-since", NO_DATE, NULL, NULL, 0},
	    {"if-modified-since", "Sunday, 06-Nov-94 08:49:37 GMT", NULL, NULL, 304},
	    {"if-match", TAG, "if-unmodified-since", BEFORE, 0},
	    {"if-match", OTHER, "if-none-match", TAG, 412},
	    {"if-match", TAG, "if-none-match", TAG, 304},
	    {"if-unmodified-since", BEFORE, "if-none-match", TAG, 412},
	    {"if-unmodified-since", SAME, "if-modified-since", SAME, 304},
	    {"if-none-match", OTHER, "if-modified-since", BEHIND, 0},
	    {"if-none-match", TAG, "if-modified-since", BEFORE, 304},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kit_request r =
		    kit_request(cases[i].name, cases[i].value, cases[i].name2, cases[i].value2);
		unsigned status = condition_of_get(&r.head, &there, NOW);
		if (status != cases[i].status)
			print_error("%s: %s: %u\n", cases[i].name, cases[i].value, status);
		assert_int_equal(status, cases[i].status);
		kit_request_done(&r);
	}
}

struct range_case {
	const char *value;
	uint64_t size;
	int partial; /* -1: 416 */
	uint64_t first, len;
};

static void expect_range(const struct range_case *c, struct kit_request *r)
{
	const struct representation of = {.sha256 = abc, .size = c->size, .mtime_s = MTIME};
	struct range got = {0};
	bool ok = range_of_get(&r->head, &of, NOW, &got);

	if (ok != (c->partial >= 0) || (ok && got.partial != c->partial))
		print_error("%s of %llu\n", c->value, (unsigned long long)c->size);
	assert_true(ok == (c->partial >= 0));
	if (ok) {
		assert_int_equal(got.partial, c->partial);
		assert_true(got.first == c->first && got.len == c->len);
		assert_true(got.first + got.len <= c->size);
	}
	kit_request_done(r);
}

static void one_range_of_bytes_is_served(void **state)
{
	static const struct range_case cases[] = {
	    {"bytes=0-0", 1000, 1, 0, 1},
	    {"bytes=0-499", 1000, 1, 0, 500},
	    {"bytes=500-", 1000, 1, 500, 500},
	    {"bytes=999-", 1000, 1, 999, 1},
	    {"bytes=-500", 1000, 1, 500, 500},
	    {"bytes=-1", 1000, 1, 999, 1},
	    {"bytes=-1001", 1000, 1, 0, 1000},
	    {"bytes=0-1000", 1000, 1, 0, 1000},
	    {"BYTES=0-1", 1000, 1, 0, 2},
	    {"bytes=0-99999999999999999999999999", 1000, 1, 0, 1000},
	    {"bytes=-99999999999999999999999999", 1000, 1, 0, 1000},
	    {"bytes=0-18446744073709551615", 1000, 1, 0, 1000},
	    {"bytes=1000-", 1000, -1, 0, 0},
	    {"bytes=1000-1000", 1000, -1, 0, 0},
	    {"bytes=99999999999999999999999999-", 1000, -1, 0, 0},
	    {"bytes=18446744073709551616-", 1000, -1, 0, 0},
	    {"bytes=-0", 1000, -1, 0, 0},
	    {"bytes=0-", 0, -1, 0, 0},
	    {"bytes=-5", 0, -1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kit_request r = kit_request("range", cases[i].value, NULL, NULL);
		expect_range(&cases[i], &r);
	}
}

static void ranges_that_are_not_ours_give_all_of_it(void **state)
{
	static const char *const others[] = {
	    "",           "bytes",         "bytes=",     "bytes=-",    "bytes=5-4",
	    "bytes=a-b",  "bytes=0-1,5-6", "bytes=0-1,", "bytes= 0-1", "bytes=0 -1",
	    "bytes=0-1 ", "lines=0-1",     "bytes=--5",  "bytes=0--1", "bytes=0x0-0x1",
	    "bytes:0-1",  "bytes=+0-1",    "0-1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct range_case c = {others[i], 1000, 0, 0, 1000};
		struct kit_request r = kit_request("range", others[i], NULL, NULL);
		expect_range(&c, &r);
	}
	struct range_case c = {"two fields", 1000, 0, 0, 1000};
	struct kit_request r = kit_request("range", "bytes=0-1", "Range", "bytes=0-1");
	expect_range(&c, &r);
	r = kit_request("range", "bytes=0-1", NULL, NULL);
	r.head.method = METHOD_HEAD; /* RFC 9110, section 14.2: of GET alone */
	expect_range(&c, &r);
}

static void if_range_guards_the_range(void **state)
{
	static const struct {
		const char *value;
		int partial;
	} cases[] = {{TAG, 1},    {SAME, 1},    {OTHER, 0}, {"W/" TAG, 0},       {BEFORE, 0},
		     {BEHIND, 0}, {NO_DATE, 0}, {"*", 0},   {TAG ", " OTHER, 0}, {"", 0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct range_case c = {cases[i].value, 1000, cases[i].partial, 0,
				       cases[i].partial ? 10 : 1000};
		struct kit_request r =
		    kit_request("range", "bytes=0-9", "if-range", cases[i].value);
		expect_range(&c, &r);
	}
	/* what could not be satisfied is no error where the range does not count */
	struct range_case c = {"bytes=5000-", 1000, 0, 0, 1000};
	struct kit_request r = kit_request("range", "bytes=5000-", "if-range", OTHER);
	expect_range(&c, &r);
}

static void put_takes_conditions_it_can_hold(void **state)
{
	static const uint8_t none[WIRE_HASH];
	static const struct {
		const char *name, *value;
		unsigned hashes;
		bool any, fresh, first_is_ours;
	} cases[] = {
	    {NULL, NULL, 0, false, false, false},
	    {"if-match", "*", 0, true, false, false},
	    {"if-match", TAG, 1, false, false, true},
	    {"if-match", TAG ", " OTHER, 2, false, false, true},
	    {"if-match", "W/" TAG, 1, false, false, false},
	    {"if-match", "\"xyzzy\"", 1, false, false, false},
	    {"if-match", "\"\"", 1, false, false, false},
	    {"if-none-match", "*", 0, false, true, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_done) struct buf hashes = {0};
		bool any, fresh;
		struct kit_request r = kit_request(cases[i].name, cases[i].value, NULL, NULL);
		assert_ok(conditions_of_put(&r.head, &hashes, &any, &fresh));
		assert_int_equal(hashes.len, cases[i].hashes * WIRE_HASH);
		assert_true(any == cases[i].any && fresh == cases[i].fresh);
		if (cases[i].hashes)
			assert_memory_equal(hashes.data, cases[i].first_is_ours ? abc : none,
					    WIRE_HASH);
		kit_request_done(&r);
	}
}

/* The keep is asked in one message, whatever the client makes of the header's 32 KiB. */
static void put_sends_on_no_more_than_came(void **state)
{
	static const char *const tags[] = {"\"\"", "\"\",", TAG, TAG ",", "W/\"\" "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		CLEANUP(buf_done) struct buf hashes = {0}, list = {0};
		const char *text = NULL;
		bool any, fresh;
		while (list.len < 32 * 1024)
			assert_ok(buf_add_text(&list, tags[i]));
		assert_ok(buf_text(&list, &text));
		struct kit_request r = kit_request("if-match", text, "if-match", "\"x\"");
		assert_ok(conditions_of_put(&r.head, &hashes, &any, &fresh));
		assert_true(hashes.len >= WIRE_HASH && hashes.len < list.len);
		kit_request_done(&r);
	}
}

/* A list that allows nothing must not become one that was not sent. */
static void put_refuses_conditions_that_say_nothing(void **state)
{
	static const struct {
		const char *name, *value;
	} bad[] = {{"if-none-match", TAG}, {"if-none-match", ""}, {"if-none-match", "*, *"},
		   {"if-match", "abc"},    {"if-match", "\"abc"}, {"if-match", TAG ", abc"},
		   {"if-match", "W/abc"},  {"if-match", "W/"},    {"if-match", ""},
		   {"if-match", ", ,"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf hashes = {0};
		bool any, fresh;
		struct kit_request r = kit_request(bad[i].name, bad[i].value, NULL, NULL);
		assert_fails(conditions_of_put(&r.head, &hashes, &any, &fresh), E_INVALID);
		kit_request_done(&r);
	}
}

static int digest_of(const char *name, const char *value, const char *value2,
		     uint8_t ret[WIRE_HASH], bool *ret_there)
{
	struct kit_request r = kit_request(name, value, value2 ? name : NULL, value2);
	int rc = digest_of_put(&r.head, ret, ret_there);

	kit_request_done(&r);
	return rc;
}

static void digest_is_found_among_others(void **state)
{
	static const char *const good[] = {DIGEST, "sha-512=:AAAA:, " DIGEST,
					   DIGEST ", sha-512=:AAAA:", "md5=?1," DIGEST ",",
					   " " DIGEST " "};
	static const char *const without[] = {"", "sha-512=:AAAA:", "unixsum=30637",
					      "sha-25=:x:", ",,"};
	uint8_t hash[WIRE_HASH];
	bool found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		memset(hash, 0, sizeof hash);
		assert_ok(digest_of("repr-digest", good[i], NULL, hash, &found));
		assert_true(found);
		assert_memory_equal(hash, abc, sizeof hash);
	}
	assert_ok(digest_of("content-digest", DIGEST, NULL, hash, &found));
	assert_true(found);
	assert_ok(digest_of("repr-digest", "sha-512=:AAAA:", DIGEST, hash, &found));
	assert_true(found);
	for (size_t i = 0; i < ARRAY_LEN(without); i++) {
		assert_ok(digest_of("repr-digest", without[i], NULL, hash, &found));
		assert_false(found);
	}
}

static void digest_that_cannot_be_is_refused(void **state)
{
	static const char *const bad[] = {
	    "sha-256=:",
	    "sha-256=::",
	    "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
	    "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0:",
	    "sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa1=:",
	    "sha-256=:AAAA:",
	    "sha-256=: ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:",
	    "sha-256=:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad:",
	    "sha-512=:AAAA:, sha-256=:AAAA:",
	    ("sha-256=:AAAA:, " DIGEST)};
	uint8_t hash[WIRE_HASH];
	bool found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(digest_of("repr-digest", bad[i], NULL, hash, &found), E_INVALID);
		assert_fails(digest_of("content-digest", bad[i], NULL, hash, &found), E_INVALID);
	}
}

/* Whoever sends two that differ has sent at least one that is wrong. */
static void digests_that_contradict_each_other_are_refused(void **state)
{
	uint8_t hash[WIRE_HASH];
	bool found;

	(void)state;
	assert_ok(digest_of("repr-digest", DIGEST, DIGEST, hash, &found));
	assert_fails(digest_of("repr-digest", DIGEST,
			       "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:", hash,
			       &found),
		     E_INVALID);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tags_and_digests_are_written_in_full),
	    cmocka_unit_test(conditions_are_judged_in_their_order),
	    cmocka_unit_test(one_range_of_bytes_is_served),
	    cmocka_unit_test(ranges_that_are_not_ours_give_all_of_it),
	    cmocka_unit_test(if_range_guards_the_range),
	    cmocka_unit_test(put_takes_conditions_it_can_hold),
	    cmocka_unit_test(put_sends_on_no_more_than_came),
	    cmocka_unit_test(put_refuses_conditions_that_say_nothing),
	    cmocka_unit_test(digest_is_found_among_others),
	    cmocka_unit_test(digest_that_cannot_be_is_refused),
	    cmocka_unit_test(digests_that_contradict_each_other_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
