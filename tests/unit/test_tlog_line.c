/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tlog_kit.h"

#include "tlog/line.h"

static int number(const char *text, uint64_t *ret_number)
{
	CLEANUP(kit_exact_done) struct view line = kit_exact(view_text(text));

	return tlog_line_number(line, ret_number);
}

static void take_lines_gives_each_and_keeps_the_rest(void **state)
{
	CLEANUP(kit_exact_done) struct view text = kit_exact(view_text("one\n\ntwo\nrest"));
	struct view rest = text, line = view_text("untouched");

	(void)state;
	assert_true(tlog_line_take(&rest, &line) && view_is(line, "one"));
	assert_true(tlog_line_take(&rest, &line) && view_is(line, ""));
	assert_true(tlog_line_take(&rest, &line) && view_is(line, "two"));
	assert_false(tlog_line_take(&rest, &line));
	assert_true(view_is(line, "two") && view_is(rest, "rest"));
	rest = view_of(NULL, 0);
	assert_false(tlog_line_take(&rest, &line));
}

static void skip_cuts_only_what_is_there(void **state)
{
	CLEANUP(kit_exact_done) struct view text = kit_exact(view_text("index 7"));
	struct view line = text;

	(void)state;
	assert_false(tlog_line_skip(&line, "extra "));
	assert_false(tlog_line_skip(&line, "index 77"));
	assert_true(tlog_line_skip(&line, "index "));
	assert_true(view_is(line, "7"));
	assert_true(tlog_line_skip(&line, "7"));
	assert_false(tlog_line_skip(&line, "7"));
}

static void number_of_every_valid_form_is_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} good[] = {{"0", 0},
		    {"7", 7},
		    {"10", 10},
		    {"20852163", 20852163},
		    {"9223372036854775807", TLOG_SIZE_MAX}};
	uint64_t n = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(number(good[i].text, &n));
		assert_true(n == good[i].value);
	}
}

static void number_of_any_other_form_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "00",
					  "01",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "1\r",
					  "0x1",
					  "1.0",
					  "1e3",
					  "\xd9\xa1",
					  "/",
					  ":",
					  "a",
					  "9223372036854775808",
					  "18446744073709551615",
					  "18446744073709551616",
					  "18446744073709551617",
					  "92233720368547758070",
					  "100000000000000000000000000000"};
	uint64_t n = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(number(bad[i], &n), E_INVALID);
	assert_fails(tlog_line_number(view_of("1\0", 2), &n), E_INVALID);
	assert_true(n == 99);
}

static void hash_of_any_other_length_or_form_is_refused(void **state)
{
	static const char good[] = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
	static const char *const bad[] = {"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I",
					  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=",
					  "CsUYapGGPo4dkMgIAUqom_Xajj7h2fB2MPA3j2jxq2I=",
					  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2==",
					  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2Ia",
					  "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I= ",
					  " sUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="};
	struct tlog_hash h = {{1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(tlog_line_hash(view_text(bad[i]), &h), E_INVALID);
	for (size_t len = 0; len + 1 < sizeof good; len++) {
		CLEANUP(kit_exact_done) struct view line = kit_exact(view_of(good, len));
		assert_fails(tlog_line_hash(line, &h), E_INVALID);
	}
	assert_int_equal(h.byte[0], 1);

	CLEANUP(buf_done) struct buf out = {0};
	assert_ok(tlog_line_hash(view_text(good), &h));
	assert_ok(tlog_line_add_hash(&out, &h));
	assert_int_equal(out.len, sizeof good);
	assert_memory_equal(out.data, good, sizeof good - 1);
	assert_int_equal(out.data[out.len - 1], '\n');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(take_lines_gives_each_and_keeps_the_rest),
	    cmocka_unit_test(skip_cuts_only_what_is_there),
	    cmocka_unit_test(number_of_every_valid_form_is_read),
	    cmocka_unit_test(number_of_any_other_form_is_refused),
	    cmocka_unit_test(hash_of_any_other_length_or_form_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_line", tests, NULL, NULL);
}
