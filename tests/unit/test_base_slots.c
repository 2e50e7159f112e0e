/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

#include "base_kit.h"

static int things[1000];

static uint64_t added(struct slots *s, int *thing)
{
	uint64_t number = 0;

	assert_ok(slots_add(s, thing, &number));
	assert_int_not_equal(number, 0);
	return number;
}

static void find_in_nothing_finds_nothing(void **state)
{
	struct slots s = {0};
	size_t cursor = 0;

	(void)state;
	assert_null(slots_find(&s, 0));
	assert_null(slots_find(&s, 1));
	assert_null(slots_find(&s, UINT64_MAX));
	assert_null(slots_next(&s, &cursor));
	slots_remove(&s, 7);
	assert_int_equal(s.count, 0);
	slots_done(&s);
}

static void find_what_was_added_gives_it_back(void **state)
{
	struct slots s = {0};
	uint64_t number[ARRAY_LEN(things)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(things); i++)
		number[i] = added(&s, &things[i]);
	for (size_t i = 0; i < ARRAY_LEN(things); i++) {
		assert_ptr_equal(slots_find(&s, number[i]), &things[i]);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(number[i], number[j]);
	}
	assert_int_equal(s.count, ARRAY_LEN(things));
	assert_null(slots_find(&s, number[0] - (UINT64_C(1) << 24))); /* generation 0 */
	assert_null(slots_find(&s, number[5] + (UINT64_C(1) << 24))); /* one to come */
	assert_null(slots_find(&s, number[ARRAY_LEN(things) - 1] + 1000));
	slots_done(&s);
	assert_null(slots_find(&s, number[0]));
}

static void remove_makes_the_number_find_nothing_for_ever(void **state)
{
	struct slots s = {0};

	(void)state;
	(void)added(&s, &things[0]);
	uint64_t number = added(&s, &things[1]);
	for (int round = 0; round < 100; round++) {
		slots_remove(&s, number);
		slots_remove(&s, number); /* twice is once: nothing else may go */
		assert_int_equal(s.count, 1);
		uint64_t next = added(&s, &things[2]);
		assert_int_equal(next & 0xffffff, number & 0xffffff); /* the same place */
		assert_int_not_equal(next, number);
		assert_null(slots_find(&s, number));
		slots_remove(&s, number); /* an old number takes nobody's thing away */
		assert_ptr_equal(slots_find(&s, next), &things[2]);
		number = next;
	}
	slots_done(&s);
}

static void next_gives_each_once_while_it_removes_them(void **state)
{
	struct slots s = {0};
	uint64_t number[100];
	bool seen[100] = {false};
	size_t cursor = 0, count = 0;
	int *thing;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		number[i] = added(&s, &things[i]);
	for (size_t i = 0; i < 100; i += 3)
		slots_remove(&s, number[i]);
	while ((thing = slots_next(&s, &cursor))) {
		size_t i = (size_t)(thing - things);
		assert_false(seen[i]);
		assert_int_not_equal(i % 3, 0);
		seen[i] = true;
		count++;
		slots_remove(&s, number[i]);
	}
	assert_int_equal(count, 66);
	assert_int_equal(s.count, 0);
	cursor = 0;
	assert_null(slots_next(&s, &cursor));
	assert_null(slots_next(&s, &cursor));
	slots_done(&s);
}

static void add_grows_only_when_no_place_is_free(void **state)
{
	struct slots s = {0};
	uint64_t number[16];

	(void)state;
	for (size_t i = 0; i < 16; i++)
		number[i] = added(&s, &things[i]);
	size_t cap = s.cap;
	for (int round = 0; round < 1000; round++) {
		size_t i = (size_t)round % 16;
		slots_remove(&s, number[i]);
		number[i] = added(&s, &things[i]);
	}
	assert_int_equal(s.cap, cap);
	for (size_t i = 0; i < 16; i++)
		assert_ptr_equal(slots_find(&s, number[i]), &things[i]);
	slots_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(find_in_nothing_finds_nothing),
	    cmocka_unit_test(find_what_was_added_gives_it_back),
	    cmocka_unit_test(remove_makes_the_number_find_nothing_for_ever),
	    cmocka_unit_test(next_gives_each_once_while_it_removes_them),
	    cmocka_unit_test(add_grows_only_when_no_place_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
