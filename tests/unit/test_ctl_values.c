/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "daemon/ctl/values.h"

/* 2026-01-31T12:00:00Z */
static const int64_t noon_us = 1769860800000000;

static void time_of_every_form_is_utc(void **state)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {
	    {"2026-01-31", 1769817600000000},
	    {"2026-01-31T12:00", noon_us},
	    {"2026-01-31 12:00", noon_us},
	    {"2026-01-31T12:00Z", noon_us},
	    {"2026-01-31T12:00:00Z", noon_us},
	    {"2026-01-31T11:59:59", noon_us - 1000000},
	    {"2024-02-29", 1709164800000000},
	    {"1970-01-01", 0},
	    {"24h", noon_us - 86400000000},
	    {"90s", noon_us - 90000000},
	    {"0", noon_us},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		int64_t us = 77;
		assert_ok(time_parse(good[i].text, noon_us, &us));
		if (us != good[i].us)
			print_error("%s\n", good[i].text);
		assert_int_equal(us, good[i].us);
	}
}

static void time_does_not_depend_on_the_local_zone(void **state)
{
	int64_t us = 0;

	(void)state;
	setenv("TZ", "Pacific/Auckland", 1);
	assert_ok(time_parse("2026-01-31T12:00", 0, &us));
	unsetenv("TZ");
	assert_int_equal(us, noon_us);
}

static void time_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",
	    "now",
	    "2026",
	    "2026-01",
	    "2026-1-31",
	    "2026-13-01",
	    "2026-00-01",
	    "2026-02-30",
	    "2026-04-31",
	    "2025-02-29",
	    "2026-01-00",
	    "2026-01-32",
	    "26-01-31",
	    "2026-01-31T",
	    "2026-01-31T12",
	    "2026-01-31T24:00",
	    "2026-01-31T12:60",
	    "2026-01-31T12:00:61",
	    "2026-01-31T12:00Zz",
	    "2026-01-31T12:00+01:00",
	    "2026-01-31Z",
	    " 2026-01-31",
	    "2026-01-31 ",
	    "24",
	    "-24h",
	    "1h30m",
	    "106751991167d",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int64_t us = 77;
		if (time_parse(bad[i], noon_us, &us) == 0)
			print_error("'%s'\n", bad[i]);
		err_clear();
		assert_fails(time_parse(bad[i], noon_us, &us), E_INVALID);
		assert_int_equal(us, 77);
	}
}

static const struct param keys_param = {"FILE", NULL, "keys", take_keys, 0, ""};

static int keys_of(const char *content, json_t **ret)
{
	FOLDER f = kit_folder();
	CLEANUP(mem_free) char *path = mem_printf("%s/key.pub", f.path);
	json_t *into = json_object();

	kit_write(&f, "key.pub", content);
	int rc = take_keys(into, &keys_param, path);
	if (!rc)
		*ret = json_incref(json_object_get(into, "keys"));
	json_decref(into);
	return rc;
}

static void key_file_gives_its_lines(void **state)
{
	json_t *keys = NULL;

	(void)state;
	assert_ok(keys_of("# mine\nssh-ed25519 AAAA one\r\n\n   \nssh-rsa BBBB two  ", &keys));
	assert_int_equal(json_array_size(keys), 2);
	assert_string_equal(json_string_value(json_array_get(keys, 0)), "ssh-ed25519 AAAA one");
	assert_string_equal(json_string_value(json_array_get(keys, 1)), "ssh-rsa BBBB two");
	json_decref(keys);
}

static void key_file_with_a_private_key_is_refused(void **state)
{
	json_t *keys = NULL;

	(void)state;
	assert_says(keys_of("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n", &keys), E_INVALID,
		    "is a private key");
	assert_null(keys);
	assert_says(keys_of("x\n-----BEGIN RSA PRIVATE KEY-----\n", &keys), E_INVALID,
		    "is a private key");
}

static void key_file_without_a_key_is_refused(void **state)
{
	CLEANUP(mem_free) char *large = mem_printf("%060000d", 1);
	json_t *keys = NULL;

	(void)state;
	assert_says(keys_of("", &keys), E_INVALID, "no key is in it");
	assert_says(keys_of("# only\n\n", &keys), E_INVALID, "no key is in it");
	assert_says(keys_of("ssh-ed25519 \xff\n", &keys), E_INVALID, "not UTF-8");
	assert_says(keys_of(large, &keys), E_LIMIT, "larger than");
	assert_null(keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_of_every_form_is_utc),
	    cmocka_unit_test(time_does_not_depend_on_the_local_zone),
	    cmocka_unit_test(time_that_is_none_is_refused),
	    cmocka_unit_test(key_file_gives_its_lines),
	    cmocka_unit_test(key_file_with_a_private_key_is_refused),
	    cmocka_unit_test(key_file_without_a_key_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
