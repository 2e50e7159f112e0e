/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>

#include "tests/unit/base_kit.h"

static void fail_returns_its_code_and_keeps_its_sentence(void **state)
{
	(void)state;
	err_clear();
	assert_int_equal(fail(E_GONE, "open blob '%s'", "x"), E_GONE);
	assert_string_equal(err_text(), "open blob 'x'");
	assert_string_equal(err_cause(), "open blob 'x'");
	err_clear();
	assert_string_equal(err_text(), "");
	assert_string_equal(err_cause(), "");
}

static void text_of_a_chain_has_the_outermost_first(void **state)
{
	(void)state;
	err_clear();
	(void)!fail(E_IO, "inner");
	(void)!fail(E_IO, "middle");
	(void)!fail(E_IO, "outer");
	assert_string_equal(err_text(), "outer: middle: inner");
	assert_string_equal(err_cause(), "inner");
	err_clear();
}

static void fail_beyond_the_last_frame_keeps_the_innermost(void **state)
{
	(void)state;
	err_clear();
	for (int i = 0; i < 100; i++)
		assert_int_equal(fail(E_IO, "frame %d", i), E_IO);
	assert_non_null(strstr(err_text(), "frame 0"));
	assert_null(strstr(err_text(), "frame 99"));
	assert_string_equal(err_cause(), "frame 0");
	err_clear();
}

static void fail_with_sentences_too_long_cuts_them(void **state)
{
	char text[2000];

	(void)state;
	err_clear();
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (int i = 0; i < 20; i++)
		(void)!fail(E_IO, "%s", text);
	errno = EIO;
	(void)!fail_errno(E_IO, "%s", text);
	assert_true(strlen(err_text()) > 255 && strlen(err_text()) < 8 * 258);
	assert_int_equal(strlen(err_cause()), 255);
	err_clear();
}

static void fail_errno_names_the_reason(void **state)
{
	(void)state;
	err_clear();
	errno = EACCES;
	assert_int_equal(fail_errno(E_IO, "open"), E_IO);
	assert_string_equal(err_text(), "open: Permission denied");
	err_clear();
}

static void fail_errno_tells_full_disks_and_memory_apart(void **state)
{
	(void)state;
	errno = ENOSPC;
	assert_fails(fail_errno(E_IO, "write"), E_FULL);
	errno = EDQUOT;
	assert_fails(fail_errno(E_IO, "write"), E_FULL);
	errno = ENOMEM;
	assert_fails(fail_errno(E_IO, "write"), E_NOMEM);
	errno = EIO;
	assert_fails(fail_errno(E_GONE, "write"), E_GONE);
}

static void *fail_elsewhere(void *arg)
{
	(void)arg;
	(void)!fail(E_IO, "of another thread");
	return NULL;
}

static void chains_of_threads_are_their_own(void **state)
{
	pthread_t thread;

	(void)state;
	err_clear();
	(void)!fail(E_IO, "mine");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(err_text(), "mine");
	err_clear();
}

static void *bring_back_elsewhere(void *arg)
{
	err_bring_back(arg);
	assert_string_equal(err_text(), "outer: inner");
	return NULL;
}

/* What fails meanwhile adds nothing to it. */
static void chain_that_was_kept_comes_back(void **state)
{
	struct err_kept kept;
	pthread_t thread;

	(void)state;
	err_clear();
	(void)!fail(E_IO, "inner");
	(void)!fail(E_IO, "outer");
	err_keep(&kept);
	assert_string_equal(err_text(), "");
	(void)!fail(E_IO, "something else");
	err_bring_back(&kept);
	assert_string_equal(err_text(), "outer: inner");
	err_clear();
	assert_int_equal(pthread_create(&thread, NULL, bring_back_elsewhere, &kept), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void every_code_has_a_row(void **state)
{
	(void)state;
	for (int code = 0; code >= E_LAST; code--) {
		assert_non_null(err_word(code));
		assert_true(err_word(code)[0]);
		assert_true(err_sftp_status(code) <= 8);
		assert_true(err_http_status(code) >= 200 && err_http_status(code) < 600);
		assert_true(code == 0 ? err_exit_status(code) == 0
				      : err_exit_status(code) >= 64 && err_exit_status(code) <= 78);
	}
}

static void statuses_are_those_of_the_specifications(void **state)
{
	(void)state;
	assert_int_equal(err_sftp_status(E_GONE), 2);
	assert_int_equal(err_sftp_status(E_DENIED), 3);
	assert_int_equal(err_sftp_status(E_QUOTA), 4);
	assert_int_equal(err_sftp_status(E_UNSUPPORTED), 8);
	assert_int_equal(err_http_status(E_GONE), 404);
	assert_int_equal(err_http_status(E_QUOTA), 507);
	assert_int_equal(err_http_status(E_HELD), 409);
	assert_int_equal(err_exit_status(E_USAGE), 64);
	assert_int_equal(err_exit_status(E_INTEGRITY), 65);
	assert_int_equal(err_exit_status(E_GONE), 66);
	assert_int_equal(err_exit_status(E_UNSUPPORTED), 69);
	assert_int_equal(err_exit_status(E_IO), 74);
	assert_int_equal(err_exit_status(E_AGAIN), 75);
	assert_int_equal(err_exit_status(E_PROTOCOL), 76);
	assert_int_equal(err_exit_status(E_DENIED), 77);
	assert_int_equal(err_exit_status(E_CONFIG), 78);
}

static void codes_that_do_not_exist_count_as_io(void **state)
{
	(void)state;
	assert_string_equal(err_word(1), err_word(E_IO));
	assert_string_equal(err_word(E_LAST - 1), err_word(E_IO));
	assert_string_equal(err_word(INT32_MIN), err_word(E_IO));
	assert_int_equal(err_exit_status(INT32_MAX), err_exit_status(E_IO));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fail_returns_its_code_and_keeps_its_sentence),
	    cmocka_unit_test(text_of_a_chain_has_the_outermost_first),
	    cmocka_unit_test(fail_beyond_the_last_frame_keeps_the_innermost),
	    cmocka_unit_test(fail_with_sentences_too_long_cuts_them),
	    cmocka_unit_test(fail_errno_names_the_reason),
	    cmocka_unit_test(fail_errno_tells_full_disks_and_memory_apart),
	    cmocka_unit_test(chains_of_threads_are_their_own),
	    cmocka_unit_test(chain_that_was_kept_comes_back),
	    cmocka_unit_test(every_code_has_a_row),
	    cmocka_unit_test(statuses_are_those_of_the_specifications),
	    cmocka_unit_test(codes_that_do_not_exist_count_as_io),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
