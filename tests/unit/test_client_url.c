/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "client/url.h"

#define PIN "n_TO7rYh8H0WtYTpioCVjTMltdOk9nQigpbqcKG-E9k"

static void url_of_the_operator_is_taken_apart(void **state)
{
	CLEANUP(enroll_url_done) struct enroll_url u = {0};

	(void)state;
	assert_ok(
	    enroll_url_parse("https://drop.example.org:8443/enroll/4fX-a_9bcdef#spki=" PIN, &u));
	assert_string_equal(u.base, "https://drop.example.org:8443");
	assert_string_equal(u.path, "/enroll/4fX-a_9bcdef");
	assert_string_equal(u.pin, "n/TO7rYh8H0WtYTpioCVjTMltdOk9nQigpbqcKG+E9k=");
}

static void url_without_a_pin_has_none(void **state)
{
	CLEANUP(enroll_url_done) struct enroll_url u = {0};

	(void)state;
	assert_ok(enroll_url_parse("https://[::1]/enroll/abcdefgh", &u));
	assert_string_equal(u.base, "https://[::1]");
	assert_null(u.pin);
}

static void url_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "drop.example.org",
	    "http://h/enroll/abcdefgh#spki=" PIN,
	    "ftp://h/enroll/abcdefgh",
	    "https:///enroll/abcdefgh",
	    "https://u@h/enroll/abcdefgh",
	    "https://u:p@h/enroll/abcdefgh",
	    "https://h/enroll/abcdefgh?x=1",
	    "https://h/enroll/abc",
	    "https://h/enroll/",
	    "https://h/enroll/abcdefgh/x",
	    "https://h/enroll/abcd%2fefgh",
	    "https://h/files/abcdefgh",
	    "https://h/x/enroll/abcdefgh",
	    "https://h/enroll/abcdefgh#" PIN,
	    "https://h/enroll/abcdefgh#spki=",
	    "https://h/enroll/abcdefgh#spki=" PIN "=",
	    "https://h/enroll/abcdefgh#spki=" PIN "A",
	    "https://h/enroll/abcdefgh#spki=n/TO7rYh8H0WtYTpioCVjTMltdOk9nQigpbqcKG+E9k",
	    "https://h/enroll/abcdefgh#SPKI=" PIN,
	    "https://h:99999/enroll/abcdefgh",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct enroll_url u = {0};
		int rc = enroll_url_parse(bad[i], &u);
		if (rc != E_USAGE)
			print_error("%d from %s\n", rc, bad[i]);
		/* The code is a secret: no message has it. */
		assert_null(strstr(err_text(), "abcdefgh"));
		assert_fails(rc, E_USAGE);
		assert_null(u.base);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(url_of_the_operator_is_taken_apart),
	    cmocka_unit_test(url_without_a_pin_has_none),
	    cmocka_unit_test(url_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
