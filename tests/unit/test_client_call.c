/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "client/call.h"

/* Words of a command line, until NULL. */
#define LINE(...) ((char *[]){(char[]){"dropkeep"}, __VA_ARGS__, NULL})
#define W(text)   ((char[]){text})

static int parse(char **argv, struct call *ret_call)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return call_parse(argc, argv, ret_call);
}

static void refused(char **argv, const char *why)
{
	struct call call = {0};

	assert_says(parse(argv, &call), E_USAGE, why);
	assert_null(call.operand);
}

static void line_is_taken_apart(void **state)
{
	struct call call = {0};

	(void)state;
	assert_ok(parse(LINE(W("--json"), W("push"), W("-rj4"), W("a"), W("--exclude=*.o"), W("-x"),
			     W("b*"), W("--limit"), W("10M"), W("z:p")),
			&call));
	assert_string_equal(call.command->words, "push");
	assert_true(call_has(&call, OPT_JSON) && call_has(&call, OPT_RECURSIVE));
	assert_string_equal(call.option[OPT_JOBS], "4");
	assert_string_equal(call.option[OPT_LIMIT], "10M");
	assert_int_equal(call.excludes, 2);
	assert_string_equal(call.exclude[0], "*.o");
	assert_string_equal(call.exclude[1], "b*");
	assert_int_equal(call.operands, 2);
	assert_string_equal(call.operand[0], "a");
	assert_string_equal(call.operand[1], "z:p");
	call_done(&call);
}

static void word_behind_dashes_is_an_operand(void **state)
{
	struct call call = {0};

	(void)state;
	assert_ok(parse(LINE(W("push"), W("--"), W("-r"), W("--help"), W("-")), &call));
	assert_int_equal(call.operands, 3);
	assert_false(call_has(&call, OPT_RECURSIVE) || call_has(&call, OPT_HELP));
	call_done(&call);
}

static void command_of_two_words_is_found(void **state)
{
	struct call call = {0};

	(void)state;
	assert_ok(parse(LINE(W("receipt"), W("-q"), W("verify"), W("7")), &call));
	assert_string_equal(call.command->words, "receipt verify");
	assert_string_equal(call.operand[0], "7");
	call_done(&call);
	assert_ok(parse(LINE(W("--help")), &call));
	assert_null(call.command);
	call_done(&call);
}

static void line_that_cannot_be_meant_is_refused(void **state)
{
	(void)state;
	refused(LINE(NULL), "no command");
	refused(LINE(W("pusch")), "unknown command");
	refused(LINE(W("receipt")), "what?");
	refused(LINE(W("receipt"), W("burn")), "unknown command");
	refused(LINE(W("receipt list")), "unknown command");
	refused(LINE(W("push")), "usage");
	refused(LINE(W("mv"), W("a:b")), "usage");
	refused(LINE(W("mv"), W("a:b"), W("a:c"), W("a:d")), "too many");
	refused(LINE(W("push"), W("a"), W("--limit")), "wants a value");
	refused(LINE(W("push"), W("a"), W("-j")), "wants a value");
	refused(LINE(W("push"), W("a"), W("--recursive=yes")), "takes no value");
	refused(LINE(W("push"), W("a"), W("--recursiv")), "unknown option");
	refused(LINE(W("push"), W("a"), W("-rZ")), "unknown option");
	refused(LINE(W("ls"), W("--limit"), W("1M")), "unknown option");
	refused(LINE(W("--limit"), W("1M"), W("push"), W("a")), "unknown option");
}

static void number_out_of_bounds_is_refused(void **state)
{
	static const char *const bad[] = {"", "x", "-1", "1.5", "33", "1K", "99999999999999999999"};
	struct call call = {0};
	uint64_t n = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		call.option[OPT_JOBS] = bad[i];
		assert_fails(call_number(&call, OPT_JOBS, 1, 32, &n), E_USAGE);
	}
	call.option[OPT_JOBS] = "32";
	assert_ok(call_number(&call, OPT_JOBS, 1, 32, &n));
	assert_int_equal(n, 32);
	call.option[OPT_JOBS] = NULL;
	assert_ok(call_number(&call, OPT_JOBS, 1, 32, &n));
	assert_int_equal(n, 1);
}

/* Two options with one letter or one name could not be told apart. */
static void tables_are_unambiguous(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->words; c++)
		for (const enum opt *o = c->options; *o != OPT_COUNT; o++) {
			assert_false(option_is_common(*o));
			for (enum opt p = 0; p < OPT_COUNT; p++) {
				bool known = option_is_common(p);
				for (const enum opt *q = c->options; *q != OPT_COUNT; q++)
					known |= *q == p && q != o;
				if (!known)
					continue;
				assert_string_not_equal(option_rows[p].name, option_rows[*o].name);
				assert_null(strpbrk(
				    option_rows[p].letters[0] ? option_rows[p].letters : "\n",
				    option_rows[*o].letters[0] ? option_rows[*o].letters : "\t"));
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(line_is_taken_apart),
	    cmocka_unit_test(word_behind_dashes_is_an_operand),
	    cmocka_unit_test(command_of_two_words_is_found),
	    cmocka_unit_test(line_that_cannot_be_meant_is_refused),
	    cmocka_unit_test(number_out_of_bounds_is_refused),
	    cmocka_unit_test(tables_are_unambiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
