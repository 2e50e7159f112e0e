/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "base/err.h"
#include "daemon/gate/http_date.h"

#define NOW 1795780000 /* in November 2026 */

static int read_text(const char *text, int64_t *ret)
{
	struct view v = kit_exact(text, strlen(text));
	int rc = date_read(v, NOW, ret);

	kit_exact_done(&v);
	return rc;
}

static void write_gives_a_fixdate(void **state)
{
	static const struct {
		int64_t time_s;
		const char *text, *iso;
	} cases[] = {
	    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
	    {0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z"},
	    {-1, "Wed, 31 Dec 1969 23:59:59 GMT", "1969-12-31T23:59:59Z"},
	    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z"},
	    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z"},
	};
	char text[HTTP_DATE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		date_write(cases[i].time_s, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(read_text(text, &back), 0);
		assert_true(back == cases[i].time_s);
		date_write_iso(cases[i].time_s, text);
		assert_string_equal(text, cases[i].iso);
	}
}

static void write_gives_nothing_for_years_of_other_than_four_digits(void **state)
{
	static const int64_t odd[] = {253402300800, -62135596800 * 2, INT64_MAX, INT64_MIN};
	char text[HTTP_DATE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		date_write(odd[i], text);
		assert_string_equal(text, "");
		date_write_iso(odd[i], text);
		assert_string_equal(text, "");
	}
}

/* RFC 9110, section 5.6.7. */
static void read_knows_the_three_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t time_s;
	} cases[] = {
	    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
	    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
	    {"Sun Nov  6 08:49:37 1994", 784111777},
	    {"Wed Nov 16 08:49:37 1994", 784975777},
	    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800}, /* a leap second */
	    {"Thursday, 01-Jan-76 00:00:00 GMT", 3345062400},
	    {"Friday, 01-Jan-77 00:00:00 GMT", 220924800}, /* more than 50 years ahead: past */
	};
	int64_t got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(read_text(cases[i].text, &got), 0);
		if (got != cases[i].time_s)
			print_error("%s: %lld\n", cases[i].text, (long long)got);
		assert_true(got == cases[i].time_s);
	}
}

static void read_refuses_what_is_no_date(void **state)
{
	static const char *const bad[] = {
	    "",
	    "0",
	    "784111777",
	    "1994-11-06T08:49:37Z",
	    "sun, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 06 nov 1994 08:49:37 GMT",
	    "Sun,  06 Nov 1994 08:49:37 GMT",
	    "Sun, 6 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 94 08:49:37 GMT",
	    "Sun, 06 Nov 1994 8:49:37 GMT",
	    "Sun, 06 Nov 1994 08:49 GMT",
	    "Sun, 06 Nov 1994 08:49:37",
	    "Sun, 06 Nov 1994 08:49:37 UTC",
	    "Sun, 06 Nov 1994 08:49:37 +0000",
	    "Sun, 06 Nov 1994 08:49:37 GMT ",
	    " Sun, 06 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 1994 24:00:00 GMT",
	    "Sun, 06 Nov 1994 08:60:00 GMT",
	    "Sun, 06 Nov 1994 08:49:61 GMT",
	    "Sun, 00 Nov 1994 08:49:37 GMT",
	    "Sun, 31 Nov 1994 08:49:37 GMT",
	    "Sun, 31 Nov 1994 08:49:60 GMT",
	    "Tue, 30 Feb 2000 00:00:00 GMT",
	    "Wed, 29 Feb 2001 00:00:00 GMT",
	    "Sun, -6 Nov 1994 08:49:37 GMT",
	    "Sun, 06 Nov 19940 08:49:37 GMT",
	    "Sunday, 06-Nov-1994 08:49:37 GMT",
	    "Sunday, 06 Nov 94 08:49:37 GMT",
	    "Sun Nov 6 08:49:37 1994",
	    "Sun Nov  6 08:49:37 94",
	    "Sun Nov  6 08:49:37 1994 GMT",
	};
	int64_t got = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (!read_text(bad[i], &got))
			print_error("taken: '%s'\n", bad[i]);
		assert_int_equal(read_text(bad[i], &got), E_INVALID);
	}
	assert_true(got == 42);
	assert_string_equal(err_cause(), ""); /* no frame: it only counts as not sent */
}

static void read_refuses_every_beginning_of_a_date(void **state)
{
	static const char *const dates[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
					    "Sunday, 06-Nov-94 08:49:37 GMT",
					    "Sun Nov  6 08:49:37 1994"};
	int64_t got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dates); i++)
		for (size_t len = 0; len < strlen(dates[i]); len++) {
			struct view v = kit_exact(dates[i], len);
			assert_int_equal(date_read(v, NOW, &got), E_INVALID);
			kit_exact_done(&v);
		}
}

static int read_iso(const char *text, int64_t *ret)
{
	struct view v = kit_exact(text, strlen(text));
	int rc = date_read_iso(v, ret);

	kit_exact_done(&v);
	return rc;
}

static void read_iso_knows_times_and_dates(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
	    {"1970-01-01", 0},
	    {"1970-01-01T00:00:00Z", 0},
	    {"1994-11-06", 784080000000000},
	    {"1994-11-06T08:49:37Z", 784111777000000},
	    {"1994-11-06T08:49:37.5Z", 784111777500000},
	    {"1994-11-06T08:49:37.000001Z", 784111777000001},
	    {"1994-11-06T08:49:37.0000019Z", 784111777000001},
	    {"1994-11-06T09:49:37+01:00", 784111777000000},
	    {"1994-11-06T03:19:37-05:30", 784111777000000},
	    {"2000-02-29T23:59:60Z", 951868800000000},
	    {"9999-12-31T23:59:59.999999Z", 253402300799999999},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t got = -1;
		assert_int_equal(read_iso(cases[i].text, &got), 0);
		assert_true(got == cases[i].us);
	}
}

static void read_iso_refuses_what_is_none(void **state)
{
	static const char *const bad[] = {
	    "",
	    "1994",
	    "1994-11",
	    "1994-11-6",
	    "1994-11-31",
	    "1994-13-01",
	    "1994-00-01",
	    "1994-11-00",
	    "1994-11-06T",
	    "1994-11-06Z",
	    "1994-11-06 08:49:37Z",
	    "1994-11-06T08:49Z",
	    "1994-11-06T08:49:37",
	    "1994-11-06T24:00:00Z",
	    "1994-11-06T08:60:37Z",
	    "1994-11-06T08:49:61Z",
	    "1994-11-06T08:49:37.Z",
	    "1994-11-06T08:49:37,5Z",
	    "1994-11-06T08:49:37z",
	    "1994-11-06T08:49:37Z ",
	    " 1994-11-06",
	    "1994-11-06T08:49:37 01:00",
	    "1994-11-06T08:49:37+0100",
	    "1994-11-06T08:49:37+24:00",
	    "1994-11-06T08:49:37+01:60",
	    "1969-12-31",
	    "1970-01-01T00:00:00+00:01",
	    "-994-11-06",
	    "19941106",
	};
	int64_t got = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (!read_iso(bad[i], &got))
			print_error("taken: '%s'\n", bad[i]);
		assert_int_equal(read_iso(bad[i], &got), E_INVALID);
	}
	assert_true(got == 42);
	assert_string_equal(err_cause(), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(write_gives_a_fixdate),
	    cmocka_unit_test(write_gives_nothing_for_years_of_other_than_four_digits),
	    cmocka_unit_test(read_knows_the_three_forms),
	    cmocka_unit_test(read_refuses_what_is_no_date),
	    cmocka_unit_test(read_refuses_every_beginning_of_a_date),
	    cmocka_unit_test(read_iso_knows_times_and_dates),
	    cmocka_unit_test(read_iso_refuses_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
