/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "daemon/gate/spans.h"

/* Last: it has a macro of the name fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { SPACE = 64 };

static void expect(const struct spans *s, const char *text)
{
	char got[256] = "";
	size_t used = 0;

	for (unsigned i = 0; i < s->count; i++)
		used += (size_t)snprintf(got + used, sizeof got - used, "%s%d-%d", i ? " " : "",
					 (int)s->at[i].from, (int)s->at[i].to);
	assert_string_equal(got, text);
}

static void add(struct spans *s, uint64_t from, uint64_t to)
{
	assert_int_equal(spans_add(s, from, to), 0);
}

static void cut(struct spans *s, uint64_t from, uint64_t to)
{
	assert_int_equal(spans_cut(s, from, to), 0);
}

static void add_of_neighbours_joins(void **state)
{
	struct spans s = spans_of(8);

	(void)state;
	add(&s, 10, 20);
	add(&s, 30, 40);
	expect(&s, "10-20 30-40");
	add(&s, 20, 25);
	add(&s, 28, 30);
	expect(&s, "10-25 28-40");
	add(&s, 25, 28);
	expect(&s, "10-40");
	add(&s, 15, 15);
	add(&s, 20, 10);
	add(&s, 12, 13);
	expect(&s, "10-40");
	add(&s, 0, 5);
	add(&s, 50, 60);
	add(&s, 4, 55);
	expect(&s, "0-60");
	spans_done(&s);
}

static void cut_of_the_middle_splits(void **state)
{
	struct spans s = spans_of(8);

	(void)state;
	add(&s, 10, 40);
	cut(&s, 20, 30);
	expect(&s, "10-20 30-40");
	cut(&s, 0, 11);
	cut(&s, 39, 50);
	expect(&s, "11-20 30-39");
	cut(&s, 20, 30);
	cut(&s, 25, 25);
	expect(&s, "11-20 30-39");
	cut(&s, 15, 35);
	expect(&s, "11-15 35-39");
	cut(&s, 0, 100);
	expect(&s, "");
	spans_done(&s);
}

static void add_over_the_limit_is_refused_and_changes_nothing(void **state)
{
	struct spans s = spans_of(3);

	(void)state;
	add(&s, 0, 1);
	add(&s, 2, 3);
	add(&s, 4, 9);
	assert_int_equal(spans_add(&s, 20, 21), E_LIMIT);
	assert_int_equal(spans_cut(&s, 6, 7), E_LIMIT);
	expect(&s, "0-1 2-3 4-9");
	add(&s, 9, 10); /* no further run */
	cut(&s, 4, 5);
	expect(&s, "0-1 2-3 5-10");
	err_clear();
	spans_done(&s);
}

static void squeeze_fills_the_smallest_gaps(void **state)
{
	struct spans s = spans_of(8);

	(void)state;
	add(&s, 0, 1);
	add(&s, 11, 12);
	add(&s, 14, 15);
	add(&s, 30, 31);
	spans_squeeze(&s, 4);
	expect(&s, "0-1 11-12 14-15 30-31");
	spans_squeeze(&s, 3);
	expect(&s, "0-1 11-15 30-31");
	spans_squeeze(&s, 1);
	expect(&s, "0-31");
	spans_squeeze(&s, 0);
	expect(&s, "0-31");
	spans_done(&s);
}

static void ends_of_the_number_space_are_kept(void **state)
{
	struct spans s = spans_of(8);

	(void)state;
	add(&s, UINT64_MAX - 5, UINT64_MAX);
	add(&s, 0, 3);
	assert_true(spans_have(&s, UINT64_MAX - 5, UINT64_MAX));
	assert_false(spans_have(&s, UINT64_MAX - 6, UINT64_MAX));
	assert_true(spans_end(&s) == UINT64_MAX);
	spans_crop(&s, UINT64_MAX - 2);
	assert_true(spans_end(&s) == UINT64_MAX - 2);
	spans_crop(&s, 0);
	assert_true(spans_end(&s) == 0);
	spans_done(&s);
}

/* Against a plain array of flags. */
static unsigned seed = 7;
static unsigned draw(unsigned below)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % below;
}

static void check_all(const struct spans *s, const bool *flag)
{
	for (unsigned i = 1; i < s->count; i++)
		assert_true(s->at[i - 1].to < s->at[i].from);
	for (unsigned from = 0; from <= SPACE; from++) {
		unsigned run = from;
		while (run < SPACE && flag[run])
			run++;
		assert_int_equal(spans_run(s, from), run);
		for (unsigned to = from; to <= SPACE; to++) {
			unsigned first = from, end;
			while (first < to && !flag[first])
				first++;
			for (end = first; end < to && flag[end];)
				end++;
			struct span p = spans_next(s, from, to);
			assert_int_equal(spans_have(s, from, to), run >= to);
			assert_int_equal(spans_meet(s, from, to), first < to);
			if (first < to) {
				assert_int_equal(p.from, first);
				assert_int_equal(p.to, end);
			}
		}
	}
}

static void any_order_of_changes_matches_plain_flags(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		struct spans s = spans_of(SPACE);
		bool flag[SPACE + 1] = {false};
		for (unsigned step = 0; step < 25; step++) {
			unsigned from = draw(SPACE), to = from + draw(12), what = draw(8);
			to = to > SPACE ? SPACE : to;
			if (what == 0) {
				spans_crop(&s, from);
				memset(flag + from, 0, SPACE - from);
			} else if (what < 4) {
				cut(&s, from, to);
				memset(flag + from, 0, to - from);
			} else {
				add(&s, from, to);
				memset(flag + from, 1, to - from);
			}
			check_all(&s, flag);
		}
		spans_done(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(add_of_neighbours_joins),
	    cmocka_unit_test(cut_of_the_middle_splits),
	    cmocka_unit_test(add_over_the_limit_is_refused_and_changes_nothing),
	    cmocka_unit_test(squeeze_fills_the_smallest_gaps),
	    cmocka_unit_test(ends_of_the_number_space_are_kept),
	    cmocka_unit_test(any_order_of_changes_matches_plain_flags),
	};

	return cmocka_run_group_tests_name("gate/spans", tests, NULL, NULL);
}
