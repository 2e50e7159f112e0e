/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "base/err.h"
#include "daemon/gate/http_log_words.h"

/* ---- tiles ---- */

static int tile_of(const char *path, size_t len, struct ask_log_file *ret)
{
	struct view v = kit_exact(path, len);
	int rc = log_tile_read(v, ret);

	kit_exact_done(&v);
	return rc;
}

static void path_of_a_tile_is_taken_apart(void **state)
{
	static const struct {
		const char *path;
		struct ask_log_file m;
	} cases[] = {
	    {"0/000", {LOG_TILE, 0, 0, 256}},
	    {"0/000.p/1", {LOG_TILE, 0, 0, 1}},
	    {"0/x001/x234/067", {LOG_TILE, 0, 1234067, 256}}, /* tlog-tiles has this one */
	    {"0/x001/x234/067.p/112", {LOG_TILE, 0, 1234067, 112}},
	    {"1/x001/000", {LOG_TILE, 1, 1000, 256}},
	    {"63/999.p/255", {LOG_TILE, 63, 999, 255}},
	    {"7/x999/999.p/10", {LOG_TILE, 7, 999999, 10}},
	    {"entries/000", {LOG_ENTRIES, 0, 0, 256}},
	    {"entries/x002/x000/000.p/9", {LOG_ENTRIES, 0, 2000000, 9}},
	    {"0/x009/x223/x372/x036/x854/x775/807", {LOG_TILE, 0, INT64_MAX, 256}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ask_log_file m = {0};
		assert_ok(tile_of(cases[i].path, strlen(cases[i].path), &m));
		assert_int_equal(m.kind, cases[i].m.kind);
		assert_int_equal(m.level, cases[i].m.level);
		assert_int_equal(m.index, cases[i].m.index);
		assert_int_equal(m.width, cases[i].m.width);
	}
}

static const char *const no_tiles[] = {
    "",
    "0",
    "0/",
    "/000",
    "000",
    "00/000",
    "01/000",
    "+1/000",
    "-1/000",
    "64/000",
    "256/000",
    "4294967296/000",
    "18446744073709551616/000",
    "0/0",
    "0/00",
    "0/0000",
    "0/00a",
    "0/ 00",
    "0//000",
    "0/000/",
    "0/000/000",
    "0/x000/000",
    "0/x000/x001/000",
    "0/x001",
    "0/x001/",
    "0/x001/x002",
    "0/x01/000",
    "0/X001/000",
    "0/001/000",
    "0/000.p",
    "0/000.p/",
    "0/000.p/0",
    "0/000.p/00",
    "0/000.p/01",
    "0/000.p/256",
    "0/000.p/1000000000000",
    "0/000.p/1/",
    "0/000.p/1.p/1",
    "0/000.P/1",
    "0/000.p1",
    "0/%30%30%30",
    "0/000?x",
    "entries",
    "entries/",
    "entries/0/000",
    "Entries/000",
    "entries000",
    "data/000",
    "0/x009/x223/x372/x036/x854/x775/808", /* more than any log has */
    "0/x999/x999/x999/x999/x999/x999/999",
    "0/x001/x000/x000/x000/x000/x000/x000/x000/000",
    "../checkpoint",
    "0/../0/000",
};

static void every_other_path_is_none(void **state)
{
	struct ask_log_file m = {.kind = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(no_tiles); i++) {
		if (!tile_of(no_tiles[i], strlen(no_tiles[i]), &m))
			print_error("taken: '%s'\n", no_tiles[i]);
		assert_int_equal(tile_of(no_tiles[i], strlen(no_tiles[i]), &m), E_GONE);
	}
	assert_int_equal(tile_of("0/000\0", 6, &m), E_GONE);
	assert_int_equal(m.kind, 77);
	assert_string_equal(err_text(), "");
}

static void beginning_of_a_path_is_none_or_another_tile(void **state)
{
	static const char path[] = "12/x001/x234/067.p/112";

	(void)state;
	for (size_t len = 0; len < sizeof path - 1; len++) {
		struct ask_log_file m = {0};
		int rc = tile_of(path, len, &m);
		if (len == strlen("12/x001/x234/067"))
			assert_int_equal(m.width, 256);
		else
			assert_int_equal(rc, len > strlen("12/x001/x234/067.p/") ? 0 : E_GONE);
	}
}

/* ---- records ---- */

static int words_of(const char *query, struct log_words *ret)
{
	struct view v = kit_exact(query, strlen(query));
	int rc = log_words_read(v, ret);

	kit_exact_done(&v);
	return rc;
}

static void nothing_asks_for_everything(void **state)
{
	struct log_words w;

	(void)state;
	assert_ok(words_of("", &w));
	assert_true(w.ask.since_us == TIME_UNKNOWN && w.ask.until_us == TIME_UNKNOWN);
	assert_int_equal(w.ask.zone.len + w.ask.user.len + w.ask.event.len + w.ask.outcome.len +
			     w.ask.object.len,
			 0);
	assert_int_equal(w.ask.from, 0);
	assert_int_equal(w.ask.before, 0);
	assert_int_equal(w.ask.limit, LOG_LIMIT_DEFAULT);
	log_words_done(&w);
}

static void every_word_is_understood(void **state)
{
	struct log_words w;

	(void)state;
	assert_ok(words_of("limit=7&before=99&after=41&object=00112233445566778899aabbccddeeff&"
			   "outcome=refused&event=upload%2Ecomplete&user=operator:0&zone=ac%6de&"
			   "until=2026-01-31&since=2026-01-30T01:00:00%2B01:00",
			   &w));
	assert_int_equal(w.ask.limit, 7);
	assert_int_equal(w.ask.before, 99);
	assert_int_equal(w.ask.from, 42);
	assert_true(view_is(w.ask.object, "00112233445566778899aabbccddeeff"));
	assert_true(view_is(w.ask.outcome, "refused"));
	assert_true(view_is(w.ask.event, "upload.complete"));
	assert_true(view_is(w.ask.user, "operator:0"));
	assert_true(view_is(w.ask.zone, "acme"));
	assert_true(w.ask.since_us == INT64_C(1769731200) * 1000000);
	assert_true(w.ask.until_us == INT64_C(1769817600) * 1000000);
	log_words_done(&w);
}

static void other_words_are_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *query, *why;
	} bad[] = {
	    {"x", "records are asked for by"},
	    {"&", "records are asked for by"},
	    {"zone=a&", ""}, /* nothing behind it */
	    {"zone=a&&user=b", "records are asked for by"},
	    {"=", "records are asked for by"},
	    {"zone", "records are asked for by"},
	    {"Zone=a", "records are asked for by"},
	    {"zon=a", "records are asked for by"},
	    {"zones=a", "records are asked for by"},
	    {"%7aone=a", "records are asked for by"},
	    {"zone=", "'zone' wants"},
	    {"zone=a&zone=a", "there twice"},
	    {"limit=1&user=b&limit=1", "there twice"},
	    {"zone=%", "percent"},
	    {"zone=%4", "percent"},
	    {"zone=%zz", "percent"},
	    {"zone=%00", "'zone' wants"},
	    {"zone=a%0Ab", "'zone' wants"},
	    {"user=%ff", "'user' wants"},
	    {"event=%c0%af", "'event' wants"},
	    {"user=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "wants"},
	    {"since=now", "wants a time"},
	    {"since=2026-01-30T01:00:00+0100", "wants a time"},
	    {"until=2026-01-30T01:00:00.00000000000000000000000000000000000000000000000Z", "wants"},
	    {"outcome=OK", "ok, refused or failed"},
	    {"outcome=o", "ok, refused or failed"},
	    {"object=00112233445566778899AABBCCDDEEFF", "32 hexadecimal digits"},
	    {"object=00112233445566778899aabbccddee", "32 hexadecimal digits"},
	    {"object=00112233445566778899aabbccddeegg", "32 hexadecimal digits"},
	    {"after=-1", "a record's number"},
	    {"after=+1", "a record's number"},
	    {"after=1.0", "a record's number"},
	    {"after=1000000000000000000", "a record's number"},
	    {"before=0", "from 1 on"},
	    {"before=x", "from 1 on"},
	    {"limit=0", "from 1 to 10000"},
	    {"limit=10001", "from 1 to 10000"},
	    {"limit=4294967297", "from 1 to 10000"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct log_words w;
		int rc = words_of(bad[i].query, &w);
		if (*bad[i].why && (!rc || !strstr(err_cause(), bad[i].why)))
			print_error("'%s': %d %s\n", bad[i].query, rc, err_cause());
		assert_int_equal(rc, *bad[i].why ? E_INVALID : 0);
		assert_non_null(strstr(err_cause(), bad[i].why));
		log_words_done(&w);
		err_clear();
	}
}

static void next_page_is_asked_for_by_the_same_words(void **state)
{
	static const struct {
		const char *query;
		uint64_t from, before;
		const char *next;
	} cases[] = {
	    {"", 100, 345, "/log/records?after=99&before=345"},
	    {"", 0, 345, "/log/records?before=345"},
	    {"limit=5&zone=acme&after=7&before=800", 12, 800,
	     "/log/records?zone=acme&limit=5&after=11&before=800"},
	    {"user=operator%3a0&event=a%26b%3Dc%3E&since=2026-01-30T01:00:00%2B01:00", 9, 10,
	     "/log/records?since=2026-01-30T01%3A00%3A00%2B01%3A00&user=operator%3A0&"
	     "event=a%26b%3Dc%3E&after=8&before=10"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		struct log_words w, again;
		assert_ok(words_of(cases[i].query, &w));
		assert_ok(log_words_next(&w, cases[i].from, cases[i].before, &out));
		assert_true(view_is(view_buf(&out), cases[i].next));
		const char *text = strchr(cases[i].next, '?') + 1;
		assert_ok(words_of(text, &again));
		assert_int_equal(again.ask.from, cases[i].from);
		assert_int_equal(again.ask.before, cases[i].before);
		assert_int_equal(again.ask.limit, w.ask.limit);
		assert_true(view_equal(again.ask.user, w.ask.user));
		assert_true(view_equal(again.ask.event, w.ask.event));
		assert_true(again.ask.since_us == w.ask.since_us);
		log_words_done(&w);
		log_words_done(&again);
	}
}

/* It must fit into a field of the answer's header (http_exchange.c). */
static void next_page_of_the_longest_question_is_short_enough(void **state)
{
	CLEANUP(buf_done) struct buf query = {0}, out = {0};
	struct log_words w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		static const char *const names[] = {"zone=", "&user=", "&event="};
		assert_ok(buf_add_text(&query, names[i]));
		for (int k = 0; k < LOG_FILTER_MAX / 2; k++)
			assert_ok(buf_add_text(&query, "%c3%a4"));
	}
	for (int i = 0; i < 2; i++)
		assert_ok(
		    buf_add_text(&query, i ? "&since=2026-01-30T01:00:00."
					     "0000000000000000000000000000000000000%2B01:00"
					   : "&until=2026-01-30T01:00:00."
					     "0000000000000000000000000000000000000%2B01:00"));
	assert_ok(buf_add_text(&query, "&limit=10000&outcome=refused"
				       "&object=00112233445566778899aabbccddeeff"));
	assert_ok(log_words_read(view_buf(&query), &w));
	assert_ok(log_words_next(&w, UINT64_MAX, UINT64_MAX, &out));
	assert_true(out.len < 1500);
	log_words_done(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(path_of_a_tile_is_taken_apart),
	    cmocka_unit_test(every_other_path_is_none),
	    cmocka_unit_test(beginning_of_a_path_is_none_or_another_tile),
	    cmocka_unit_test(nothing_asks_for_everything),
	    cmocka_unit_test(every_word_is_understood),
	    cmocka_unit_test(other_words_are_refused_with_a_sentence),
	    cmocka_unit_test(next_page_is_asked_for_by_the_same_words),
	    cmocka_unit_test(next_page_of_the_longest_question_is_short_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
