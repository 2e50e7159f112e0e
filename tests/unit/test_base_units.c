/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/address.h"
#include "base/units.h"

typedef int parse(struct view text, uint64_t *ret_value);

static void assert_value(parse *p, const char *text, uint64_t expected)
{
	EXACT v = kit_exact(text, strlen(text));
	uint64_t got = 0;

	assert_ok(p(v, &got));
	if (got != expected)
		print_error("%s\n", text);
	assert_int_equal(got, expected);
}

static void assert_refused(parse *p, const char *text, size_t len, int code)
{
	EXACT v = kit_exact(text, len);
	uint64_t got = 77;

	if (p(v, &got) != code)
		print_error("'%s'\n", text);
	err_clear();
	assert_fails(p(v, &got), code);
	assert_int_equal(got, 77);
}

static void number_of_digits_is_read(void **state)
{
	(void)state;
	assert_value(number_parse, "0", 0);
	assert_value(number_parse, "007", 7);
	assert_value(number_parse, "9223372036854775807", INT64_MAX);
}

static void number_of_anything_else_is_refused(void **state)
{
	static const char *const bad[] = {"",    " 1",  "1 ",  "-1",    "+1",
					  "0x1", "1.0", "1e3", "1_000", "\xd9\xa1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(number_parse, bad[i], strlen(bad[i]), E_INVALID);
	assert_refused(number_parse, "1\0", 2, E_INVALID);
	assert_refused(number_parse, "9223372036854775808", 19, E_LIMIT);
	assert_refused(number_parse, "18446744073709551617", 20, E_LIMIT);
	assert_refused(number_parse, "99999999999999999999999999", 26, E_LIMIT);
}

static void size_with_a_unit_counts_powers_of_1024(void **state)
{
	(void)state;
	assert_value(size_parse, "0", 0);
	assert_value(size_parse, "512", 512);
	assert_value(size_parse, "1K", 1024);
	assert_value(size_parse, "64M", 64ull << 20);
	assert_value(size_parse, "100G", 100ull << 30);
	assert_value(size_parse, "2T", 2ull << 40);
	assert_value(size_parse, "8388607T", 8388607ull << 40);
}

static void size_that_cannot_be_meant_is_refused(void **state)
{
	static const char *const bad[] = {"",    "G",   "1k",   "1g",   "1KB", "1KiB", "1 G", " 1G",
					  "1G ", "-1G", "1.5G", "1,5G", "1P",  "1GG",  "0x1G"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(size_parse, bad[i], strlen(bad[i]), E_INVALID);
	assert_refused(size_parse, "8388608T", 8, E_LIMIT);
	assert_refused(size_parse, "9223372036854775807K", 20, E_LIMIT);
}

static void duration_with_a_unit_is_read_as_milliseconds(void **state)
{
	(void)state;
	assert_value(duration_parse, "0", 0);
	assert_value(duration_parse, "0s", 0);
	assert_value(duration_parse, "250ms", 250);
	assert_value(duration_parse, "30s", 30000);
	assert_value(duration_parse, "10m", 600000);
	assert_value(duration_parse, "2h", 7200000);
	assert_value(duration_parse, "7d", 604800000);
	assert_value(duration_parse, "2w", 1209600000);
	assert_value(duration_parse, "106751991167d", 106751991167 * 86400000ull);
}

static void duration_that_cannot_be_meant_is_refused(void **state)
{
	static const char *const bad[] = {"",     "s",     "30",  "1",    "30S", "30sec",
					  "30 s", "1h30m", "-1s", "1.5h", "1y"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(duration_parse, bad[i], strlen(bad[i]), E_INVALID);
	assert_refused(duration_parse, "106751991168d", 13, E_LIMIT);
}

static void exact_texts_read_back_as_they_were(void **state)
{
	static const uint64_t values[] = {0,       1,       999,        1000,     1023,
					  1024,    1536,    60000,      86400000, 90061001,
					  1 << 20, 1 << 30, 1ull << 40, INT64_MAX};
	char text[UNITS_TEXT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		size_exact(values[i], text);
		assert_value(size_parse, text, values[i]);
		duration_exact(values[i], text);
		assert_value(duration_parse, text, values[i]);
	}
	size_exact(100ull << 30, text);
	assert_string_equal(text, "100G");
	duration_exact(604800000, text);
	assert_string_equal(text, "7d");
	duration_exact(90000, text);
	assert_string_equal(text, "90s");
}

static void assert_size_text(uint64_t bytes, const char *expected)
{
	char text[UNITS_TEXT];

	size_text(bytes, text);
	assert_string_equal(text, expected);
}

static void size_for_people_is_short_and_never_rounds_up(void **state)
{
	(void)state;
	assert_size_text(0, "0 B");
	assert_size_text(1023, "1023 B");
	assert_size_text(1024, "1 KiB");
	assert_size_text(1536, "1.5 KiB");
	assert_size_text(100ull << 30, "100 GiB");
	assert_size_text((100ull << 30) + (1ull << 29), "100 GiB");
	assert_size_text((99ull << 30) + (1ull << 29), "99.5 GiB");
	assert_size_text((1ull << 30) - 1, "1023 MiB");
	assert_size_text(UINT64_MAX, "16777215 TiB");
}

static void address_in_numbers_is_read_and_written(void **state)
{
	static const char *const good[] = {"127.0.0.1:2022", "0.0.0.0:0", "[::]:65535", "[::1]:22",
					   "[fe80::1:2]:8443"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		EXACT v = kit_exact(good[i], strlen(good[i]));
		struct address a;
		char text[ADDRESS_TEXT];
		assert_ok(address_parse(v, &a));
		address_text(&a, text);
		assert_string_equal(text, good[i]);
		assert_int_equal(a.at.any.sa_family, good[i][0] == '[' ? AF_INET6 : AF_INET);
		assert_int_equal(a.len, good[i][0] == '[' ? sizeof a.at.v6 : sizeof a.at.v4);
	}
}

static void address_port_is_in_host_order(void **state)
{
	struct address a;

	(void)state;
	assert_ok(address_parse(view_text("127.0.0.1:2022"), &a));
	assert_int_equal(address_port(&a), 2022);
	assert_int_equal(ntohs(a.at.v4.sin_port), 2022);
	assert_ok(address_parse(view_text("[::1]:8443"), &a));
	assert_int_equal(address_port(&a), 8443);
}

static void address_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    ":",
	    "2022",
	    ":2022",
	    "127.0.0.1",
	    "127.0.0.1:",
	    "localhost:22",
	    "127.0.0.1:x",
	    "127.0.0.1:-1",
	    "127.0.0.1:65536",
	    "127.0.0.1:000022",
	    "127.1:22",
	    "::1:22",
	    "[::1]",
	    "[::1]:",
	    "[::1:22",
	    "::1]:22",
	    "[]:22",
	    "[127.0.0.1]:22",
	    "[::g]:22",
	    "[::1]22",
	    "[fe80::1%lo]:22",
	    "256.0.0.1:22",
	    " 127.0.0.1:22",
	    "127.0.0.1 :22",
	    "127.0.0.1: 22",
	    "127.0.0.1:22 ",
	    "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc]:22",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXACT v = kit_exact(bad[i], strlen(bad[i]));
		struct address a = {.len = 77};
		if (!address_parse(v, &a))
			print_error("'%s'\n", bad[i]);
		assert_fails(address_parse(v, &a), E_INVALID);
		assert_int_equal(a.len, 77);
	}
	struct address a;
	assert_fails(address_parse(view_of("127.0.0.1\0:22", 13), &a), E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(number_of_digits_is_read),
	    cmocka_unit_test(number_of_anything_else_is_refused),
	    cmocka_unit_test(size_with_a_unit_counts_powers_of_1024),
	    cmocka_unit_test(size_that_cannot_be_meant_is_refused),
	    cmocka_unit_test(duration_with_a_unit_is_read_as_milliseconds),
	    cmocka_unit_test(duration_that_cannot_be_meant_is_refused),
	    cmocka_unit_test(exact_texts_read_back_as_they_were),
	    cmocka_unit_test(size_for_people_is_short_and_never_rounds_up),
	    cmocka_unit_test(address_in_numbers_is_read_and_written),
	    cmocka_unit_test(address_port_is_in_host_order),
	    cmocka_unit_test(address_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
