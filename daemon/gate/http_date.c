/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_date.h"

#include <stdio.h>
#include <time.h>

#include "base/mem.h"

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					"Thursday", "Friday", "Saturday"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool take_apart(int64_t time_s, struct tm *ret_tm)
{
	time_t t = (time_t)time_s;

	return gmtime_r(&t, ret_tm) && ret_tm->tm_year >= -900 && ret_tm->tm_year < 8100;
}

void date_write(int64_t time_s, char ret_text[HTTP_DATE])
{
	struct tm tm;

	ret_text[0] = '\0';
	if (take_apart(time_s, &tm))
		(void)snprintf(ret_text, HTTP_DATE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
			       days[tm.tm_wday % 7], tm.tm_mday, months[tm.tm_mon % 12],
			       (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void date_write_iso(int64_t time_s, char ret_text[HTTP_DATE])
{
	struct tm tm;

	ret_text[0] = '\0';
	if (take_apart(time_s, &tm))
		(void)snprintf(ret_text, HTTP_DATE, "%04d-%02d-%02dT%02d:%02d:%02dZ",
			       (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
			       tm.tm_min, tm.tm_sec);
}

/* ---- reading: each takes its part off the front, or leaves bad set ---- */

struct text {
	struct view rest;
	bool bad;
};

static void skip(struct text *t, const char *what)
{
	size_t len = strlen(what);

	if (t->rest.len < len || memcmp(t->rest.data, what, len) != 0) {
		t->bad = true;
		return;
	}
	t->rest = view_of(t->rest.data + len, t->rest.len - len);
}

static int word_of(struct text *t, const char *const *words, int count)
{
	for (int i = 0; i < count; i++) {
		size_t len = strlen(words[i]);
		if (t->rest.len >= len && memcmp(t->rest.data, words[i], len) == 0) {
			skip(t, words[i]);
			return i;
		}
	}
	t->bad = true;
	return 0;
}

static int number(struct text *t, int digits)
{
	int n = 0;

	if (t->rest.len < (size_t)digits)
		t->bad = true;
	for (int i = 0; i < digits && !t->bad; i++) {
		uint8_t c = t->rest.data[i];
		if (c < '0' || c > '9')
			t->bad = true;
		n = n * 10 + (c - '0');
	}
	if (!t->bad)
		t->rest = view_of(t->rest.data + digits, t->rest.len - (size_t)digits);
	return n;
}

static void clock_of(struct text *t, struct tm *tm)
{
	tm->tm_hour = number(t, 2);
	skip(t, ":");
	tm->tm_min = number(t, 2);
	skip(t, ":");
	tm->tm_sec = number(t, 2);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static void fixdate(struct text *t, struct tm *tm)
{
	(void)word_of(t, days, ARRAY_LEN(days));
	skip(t, ", ");
	tm->tm_mday = number(t, 2);
	skip(t, " ");
	tm->tm_mon = word_of(t, months, ARRAY_LEN(months));
	skip(t, " ");
	tm->tm_year = number(t, 4) - 1900;
	skip(t, " ");
	clock_of(t, tm);
	skip(t, " GMT");
}

/* Sunday, 06-Nov-94 08:49:37 GMT; a year that seems more than 50 years ahead is past. */
static void rfc850(struct text *t, struct tm *tm, int64_t now_s)
{
	struct tm now = {0};

	(void)word_of(t, long_days, ARRAY_LEN(long_days));
	skip(t, ", ");
	tm->tm_mday = number(t, 2);
	skip(t, "-");
	tm->tm_mon = word_of(t, months, ARRAY_LEN(months));
	skip(t, "-");
	int year = number(t, 2);
	skip(t, " ");
	clock_of(t, tm);
	skip(t, " GMT");
	if (!take_apart(now_s, &now))
		t->bad = true;
	year += (now.tm_year + 1900) / 100 * 100 - 1900;
	tm->tm_year = year > now.tm_year + 50 ? year - 100 : year;
}

/* Sun Nov  6 08:49:37 1994 */
static void asctime_date(struct text *t, struct tm *tm)
{
	(void)word_of(t, days, ARRAY_LEN(days));
	skip(t, " ");
	tm->tm_mon = word_of(t, months, ARRAY_LEN(months));
	skip(t, " ");
	if (t->rest.len && t->rest.data[0] == ' ') {
		skip(t, " ");
		tm->tm_mday = number(t, 1);
	} else {
		tm->tm_mday = number(t, 2);
	}
	skip(t, " ");
	clock_of(t, tm);
	skip(t, " ");
	tm->tm_year = number(t, 4) - 1900;
}

static bool is_time(const struct text *t, struct tm tm, int64_t *ret_time_s)
{
	struct tm normal = tm;

	if (t->bad || t->rest.len || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
		return false;
	normal.tm_sec = 0; /* a leap second may belong to the next day */
	*ret_time_s = timegm(&normal) + tm.tm_sec;
	return normal.tm_mday == tm.tm_mday && normal.tm_mon == tm.tm_mon;
}

int date_read(struct view text, int64_t now_s, int64_t *ret_time_s)
{
	struct text a = {text, false}, b = a, c = a;
	struct tm tm_a = {0}, tm_b = {0}, tm_c = {0};
	int64_t time_s = 0;

	fixdate(&a, &tm_a);
	rfc850(&b, &tm_b, now_s);
	asctime_date(&c, &tm_c);
	if (!is_time(&a, tm_a, &time_s) && !is_time(&b, tm_b, &time_s) &&
	    !is_time(&c, tm_c, &time_s))
		return E_INVALID;
	*ret_time_s = time_s;
	return 0;
}

/* ".5": microseconds; nothing: 0. */
static int64_t fraction_of(struct text *t)
{
	int64_t us = 0, unit = 100000;

	if (!t->rest.len || t->rest.data[0] != '.')
		return 0;
	skip(t, ".");
	int64_t digits = 0;
	for (; t->rest.len && t->rest.data[0] >= '0' && t->rest.data[0] <= '9'; digits++) {
		us += unit * (t->rest.data[0] - '0');
		unit /= 10;
		t->rest = view_of(t->rest.data + 1, t->rest.len - 1);
	}
	t->bad |= !digits;
	return us;
}

/* Z, or by how much the clock is ahead of UTC: seconds. */
static int64_t offset_of(struct text *t)
{
	bool ahead = t->rest.len && t->rest.data[0] == '+';

	if (t->rest.len && t->rest.data[0] == 'Z') {
		skip(t, "Z");
		return 0;
	}
	skip(t, ahead ? "+" : "-");
	int hours = number(t, 2);
	skip(t, ":");
	int minutes = number(t, 2);
	t->bad |= hours > 23 || minutes > 59;
	return (ahead ? 1 : -1) * (hours * 3600 + minutes * 60);
}

int date_read_iso(struct view text, int64_t *ret_time_us)
{
	struct text t = {text, false};
	int64_t time_s = 0, us = 0, ahead_s = 0;
	struct tm tm = {0};

	tm.tm_year = number(&t, 4) - 1900;
	skip(&t, "-");
	tm.tm_mon = number(&t, 2) - 1;
	skip(&t, "-");
	tm.tm_mday = number(&t, 2);
	if (t.rest.len) {
		skip(&t, "T");
		clock_of(&t, &tm);
		us = fraction_of(&t);
		ahead_s = offset_of(&t);
	}
	if (!is_time(&t, tm, &time_s) || time_s < ahead_s)
		return E_INVALID;
	*ret_time_us = (time_s - ahead_s) * 1000000 + us;
	return 0;
}
