/* SPDX-License-Identifier: Apache-2.0 */
/* Which clocks are believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/keep/time_guard.h"

static const int64_t second = 1000000, minute = INT64_C(60) * 1000000,
		     hour = INT64_C(3600) * 1000000, day = INT64_C(86400) * 1000000,
		     now = INT64_C(1790000000) * 1000000;
enum { WEEK_MS = 7 * 86400 * 1000 };

static void limits_follow_the_time_that_uploads_have(void **state)
{
	static const struct {
		uint64_t expiry_s;
		int64_t step_s, gap_s;
	} rows[] = {{1, 60, 3600},          {120, 60, 3600},
		    {121, 60, 3600},        {1200, 600, 3600},
		    {7200, 3600, 3600},     {14400, 3600, 7200},
		    {604800, 3600, 302400}, {UINT64_C(3660) * 86400, 3600, INT64_C(1830) * 86400}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct time_limits l = time_limits_of(rows[i].expiry_s * 1000);
		assert_true(l.gap_us == rows[i].gap_s * second);
		/* a half second is half of 121 */
		assert_true(l.step_us / second == rows[i].step_s);
	}
}

/* Of a guard that has seen `seen` (0: nothing) before a restart. */
static bool believed(int64_t seen, int64_t wall, int64_t *ret_off)
{
	struct time_limits l = time_limits_of(WEEK_MS);
	struct time_guard g = {.has_seen = seen != 0, .seen_us = seen};
	struct time_guard before = g;
	bool is = time_guard_believes(&g, &l, wall, 5 * day, ret_off);

	if (is)
		assert_true(g.runs && g.has_seen && g.seen_us == wall);
	else
		assert_true(g.runs == before.runs && g.seen_us == before.seen_us);
	return is;
}

static void first_time_of_all_is_believed(void **state)
{
	int64_t off = 0;

	(void)state;
	assert_true(believed(0, now, &off));
	assert_true(believed(0, 1, &off));
}

static void restart_within_half_of_an_uploads_life_is_believed(void **state)
{
	const int64_t gap = 7 * day / 2;
	int64_t off = 0;

	(void)state;
	assert_true(believed(now, now, &off));
	assert_true(believed(now, now + gap, &off));
	assert_false(believed(now, now + gap + 1, &off));
	assert_true(off == gap + 1);
	assert_false(believed(now, now + 3650 * day, &off));
	assert_true(believed(now, now - hour, &off));
	assert_false(believed(now, now - hour - 1, &off));
	assert_true(off == -hour - 1);
	assert_false(believed(now, 1, &off));
}

/* Time that goes by is no step, however much of it. */
static void time_that_passes_is_believed(void **state)
{
	struct time_limits l = time_limits_of(WEEK_MS);
	struct time_guard g = {.has_seen = false};
	int64_t off = 0;

	(void)state;
	for (int64_t past = 0; past < 4000 * day; past = past * 3 + second)
		assert_true(time_guard_believes(&g, &l, now + past, day + past, &off));
}

/* Small steps add up; one back takes away from those ahead. */
static void steps_are_believed_up_to_a_limit_in_all(void **state)
{
	struct time_limits l = time_limits_of(WEEK_MS);
	struct time_guard g = {.has_seen = false};
	int64_t off = 0, set = 0, past = 0;

	(void)state;
	assert_true(time_guard_believes(&g, &l, now, 0, &off));
	for (int i = 0; i < 6; i++) {
		set += 10 * minute;
		past += 5 * second;
		assert_true(time_guard_believes(&g, &l, now + set + past, past, &off));
	}
	assert_false(time_guard_believes(&g, &l, now + set + second + past, past, &off));
	assert_true(off == hour + second);
	set -= 90 * minute;
	assert_false(time_guard_believes(&g, &l, now + set + past, past, &off)); /* it was seen */
	assert_true(off == -90 * minute);
	set += 30 * minute + second;
	assert_true(time_guard_believes(&g, &l, now + set + past, past, &off));
}

static void clock_that_was_confirmed_is_believed_from_there_on(void **state)
{
	struct time_limits l = time_limits_of(WEEK_MS);
	struct time_guard g = {.has_seen = false};
	int64_t off = 0;

	(void)state;
	assert_true(time_guard_believes(&g, &l, now, 0, &off));
	assert_false(time_guard_believes(&g, &l, now + 30 * day, second, &off));
	time_guard_set(&g, now + 30 * day);
	assert_true(time_guard_believes(&g, &l, now + 30 * day + second, 2 * second, &off));
	assert_false(time_guard_believes(&g, &l, now + 2 * second, 3 * second, &off));
	time_guard_set(&g, now + 2 * second);
	assert_true(time_guard_believes(&g, &l, now + 2 * second, 3 * second, &off));
	assert_false(time_guard_believes(&g, &l, now + hour + 4 * second, 4 * second, &off));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(limits_follow_the_time_that_uploads_have),
	    cmocka_unit_test(first_time_of_all_is_believed),
	    cmocka_unit_test(restart_within_half_of_an_uploads_life_is_believed),
	    cmocka_unit_test(time_that_passes_is_believed),
	    cmocka_unit_test(steps_are_believed_up_to_a_limit_in_all),
	    cmocka_unit_test(clock_that_was_confirmed_is_believed_from_there_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
