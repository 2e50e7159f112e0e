/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/text.h"
#include "base_kit.h"

static struct view text(const char *hex, uint8_t *bytes)
{
	size_t len = strlen(hex) / 2;

	assert_ok(hex_decode(view_text(hex), bytes, len));
	return view_of(bytes, len);
}

static void expect(struct secret **s, const char *hex)
{
	uint8_t bytes[256];

	assert_true(view_equal(secret_view(*s), text(hex, bytes)));
	secret_free(s);
	assert_null(*s);
}

static void copy_is_apart_from_what_it_was_made_of(void **state)
{
	uint8_t bytes[] = {1, 2, 3};
	struct secret *s = NULL;

	(void)state;
	assert_ok(secret_copy(bytes, sizeof bytes, &s));
	wipe(bytes, sizeof bytes);
	assert_int_equal(bytes[0] | bytes[1] | bytes[2], 0);
	expect(&s, "010203");
	assert_ok(secret_copy(NULL, 0, &s));
	assert_int_equal(secret_view(s).len, 0);
	secret_free(&s);
	secret_free(&s); /* NULL is allowed */
}

static void random_draws_differ(void **state)
{
	struct secret *a = NULL, *b = NULL;
	uint8_t c[32] = {0}, d[32] = {0};

	(void)state;
	assert_ok(secret_random(32, &a));
	assert_ok(secret_random(32, &b));
	assert_false(view_equal(secret_view(a), secret_view(b)));
	assert_ok(random_bytes(c, sizeof c));
	assert_ok(random_bytes(d, sizeof d));
	assert_memory_not_equal(c, d, sizeof c);
	secret_free(&a);
	secret_free(&b);
}

/* RFC 5869, appendix A.3. */
static void derive_gives_what_rfc_5869_says(void **state)
{
	uint8_t ikm[22];
	struct secret *s = NULL;

	(void)state;
	memset(ikm, 0x0b, sizeof ikm);
	assert_ok(secret_derive(view_of(ikm, sizeof ikm), view_of(NULL, 0), "", 42, &s));
	expect(&s, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		   "9d201395faa4b61a96c8");
}

static void derive_heeds_key_salt_purpose_and_length(void **state)
{
	static const char *const infos[] = {"a", "b"};
	struct secret *s[5] = {NULL};
	struct view key = view_text("key");

	(void)state;
	assert_ok(secret_derive(key, view_of(NULL, 0), infos[0], 32, &s[0]));
	assert_ok(secret_derive(key, view_of(NULL, 0), infos[1], 32, &s[1]));
	assert_ok(secret_derive(key, view_text("salt"), infos[0], 32, &s[2]));
	assert_ok(secret_derive(view_text("yek"), view_of(NULL, 0), infos[0], 32, &s[3]));
	assert_ok(secret_derive(key, view_of(NULL, 0), infos[0], 16, &s[4]));
	for (size_t i = 0; i < 4; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(view_equal(secret_view(s[i]), secret_view(s[j])));
	assert_int_equal(secret_view(s[4]).len, 16);
	assert_memory_equal(secret_view(s[4]).data, secret_view(s[0]).data, 16);
	for (size_t i = 0; i < ARRAY_LEN(s); i++)
		secret_free(&s[i]);
}

static void derive_beyond_what_hkdf_gives_is_refused(void **state)
{
	struct secret *s = NULL;

	(void)state;
	assert_says(secret_derive(view_text("key"), view_of(NULL, 0), "much", 255 * 32 + 1, &s),
		    E_IO, "much");
	assert_null(s);
}

static void equal_compares_all_of_it(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	assert_true(equal_secret(a, b, 0));
	assert_true(equal_secret(a, b, sizeof a));
	for (size_t i = 0; i < sizeof a; i++) {
		b[i] ^= 0x80;
		assert_false(equal_secret(a, b, sizeof a));
		assert_true(equal_secret(a, b, i));
		b[i] = 0;
	}
}

/* More than the secure heap has: an error, and what is there stays as it is. */
static void running_out_of_secure_memory_is_an_error(void **state)
{
	static struct secret *s[64];
	size_t n = 0;

	(void)state;
	while (n < ARRAY_LEN(s) && secret_random(256 * 1024 - 64, &s[n]) == 0)
		n++;
	assert_in_range(n, 1, ARRAY_LEN(s) - 1);
	assert_null(s[n]);
	assert_non_null(strstr(err_text(), "secure memory"));
	err_clear();
	for (size_t i = 0; i < n; i++)
		secret_free(&s[i]);
	assert_ok(secret_random(32, &s[0]));
	secret_free(&s[0]);
}

static int setup(void **state)
{
	(void)state;
	return secret_setup() || secret_setup(); /* twice is once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(copy_is_apart_from_what_it_was_made_of),
	    cmocka_unit_test(random_draws_differ),
	    cmocka_unit_test(derive_gives_what_rfc_5869_says),
	    cmocka_unit_test(derive_heeds_key_salt_purpose_and_length),
	    cmocka_unit_test(derive_beyond_what_hkdf_gives_is_refused),
	    cmocka_unit_test(equal_compares_all_of_it),
	    cmocka_unit_test(running_out_of_secure_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
