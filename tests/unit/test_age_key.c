/* SPDX-License-Identifier: Apache-2.0 */
#include "age_test.h"

static int parse_identity(const char *text)
{
	CLEANUP(secret_free) struct secret *identity = NULL;
	size_t n = strlen(text);
	uint8_t *exact = exact_copy(text, n);
	int rc = age_identity_from_text(view_of(exact, n), &identity);

	free(exact);
	assert_true((rc == 0) == (identity != NULL));
	return rc;
}

static int parse_recipient(const char *text)
{
	struct age_recipient recipient;
	size_t n = strlen(text);
	uint8_t *exact = exact_copy(text, n);
	int rc = age_recipient_from_text(view_of(exact, n), &recipient);

	free(exact);
	return rc;
}

static void read_example_identity_gives_its_bytes_and_recipient(void **state)
{
	CLEANUP(secret_free) struct secret *identity = example_identity();
	struct age_recipient recipient, parsed;
	char text[AGE_IDENTITY_TEXT], public[AGE_RECIPIENT_TEXT];
	struct view key = secret_view(identity);

	(void)state;
	assert_int_equal(key.len, AGE_KEY_SIZE);
	for (size_t i = 0; i < key.len; i++)
		assert_int_equal(key.data[i], 0x42);
	assert_good(age_identity_text(identity, text));
	assert_string_equal(text, EXAMPLE_IDENTITY);
	assert_good(age_identity_recipient(identity, &recipient));
	age_recipient_text(&recipient, public);
	assert_string_equal(public, EXAMPLE_RECIPIENT);
	assert_good(age_recipient_from_text(view_text(public), &parsed));
	assert_memory_equal(&parsed, &recipient, sizeof parsed);
}

static void make_identity_twice_gives_two(void **state)
{
	CLEANUP(secret_free) struct secret *one = NULL, *two = NULL, *again = NULL;
	char text[AGE_IDENTITY_TEXT];

	(void)state;
	assert_good(age_identity_new(&one));
	assert_good(age_identity_new(&two));
	assert_false(view_equal(secret_view(one), secret_view(two)));
	assert_good(age_identity_text(one, text));
	assert_good(age_identity_from_text(view_text(text), &again));
	assert_true(view_equal(secret_view(one), secret_view(again)));
}

static void read_identity_of_wrong_kind_case_or_length_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    EXAMPLE_RECIPIENT,
	    "age-secret-key-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex",
	    "AGE-SECRET-KEY-1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpq4egaex",
	    "AGE-SECRET-KEY-PQ-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ0HGUHW",
	    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGGEGVYQK",
	    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYYS582C",
	    EXAMPLE_IDENTITY " ",
	    " " EXAMPLE_IDENTITY,
	    EXAMPLE_IDENTITY "\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_code(parse_identity(bad[i]), E_INVALID);
}

static void read_recipient_of_wrong_kind_case_or_length_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    EXAMPLE_IDENTITY,
	    "AGE1ZVKYG2LQZRAA2LNJVQEJ32NKUU0UES2S82HZRYE869XEEXVN73EQUNUJWJ",
	    "age1pq1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpqmw4v5t",
	    "age1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgg7enat4",
	    "age1gfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyysjzgfpyys3nez5",
	    EXAMPLE_RECIPIENT "\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_code(parse_recipient(bad[i]), E_INVALID);
}

static void read_recipient_of_low_order_refuses(void **state)
{
	(void)state;
	assert_code(
	    parse_recipient("age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"),
	    E_INVALID);
	assert_code(
	    parse_recipient("age1qyqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqj7vrya"),
	    E_INVALID);
}

static void read_identity_never_tells_it_in_the_error(void **state)
{
	CLEANUP(secret_free) struct secret *identity = NULL;
	char text[] = EXAMPLE_IDENTITY;

	(void)state;
	text[40] ^= 1;
	err_clear();
	assert_int_equal(age_identity_from_text(view_text(text), &identity), E_INVALID);
	assert_null(strstr(err_text(), "GFPYY"));
	err_clear();
}

static void take_bytes_of_any_other_length_refuses(void **state)
{
	uint8_t bytes[64] = {9};

	(void)state;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		CLEANUP(secret_free) struct secret *identity = NULL;
		uint8_t *exact = exact_copy(bytes, len);
		assert_code(age_identity_from_bytes(view_of(exact, len), &identity),
			    len == AGE_KEY_SIZE ? 0 : E_INVALID);
		free(exact);
	}
}

static void write_identity_of_other_length_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *odd = NULL;
	struct age_recipient recipient;
	char text[AGE_IDENTITY_TEXT];

	(void)state;
	assert_good(secret_random(16, &odd));
	assert_code(age_identity_text(odd, text), E_INVALID);
	assert_code(age_identity_recipient(odd, &recipient), E_INVALID);
}

static int parse_file(const char *content, size_t room, size_t *ret_count)
{
	struct secret *identities[4] = {0};
	size_t n = strlen(content), count = 0;
	uint8_t *exact = exact_copy(content, n);
	int rc = age_identities_parse(view_of(exact, n), room, identities, &count);

	free(exact);
	for (size_t i = 0; i < ARRAY_LEN(identities); i++) {
		assert_true((identities[i] != NULL) == (rc == 0 && i < count));
		secret_free(&identities[i]);
	}
	*ret_count = count;
	return rc;
}

static void read_file_of_identities_finds_each(void **state)
{
	static const struct {
		const char *content;
		size_t count;
	} rows[] = {
	    {EXAMPLE_IDENTITY, 1},
	    {EXAMPLE_IDENTITY "\n", 1},
	    {EXAMPLE_IDENTITY "\r\n", 1},
	    {"# created: then\n# public key: " EXAMPLE_RECIPIENT "\n" EXAMPLE_IDENTITY "\n", 1},
	    {"\n\n" EXAMPLE_IDENTITY "\n\r\n#\n" EXAMPLE_IDENTITY "\n# the end", 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t count = 0;
		assert_good(parse_file(rows[i].content, 4, &count));
		assert_int_equal(count, rows[i].count);
	}
}

static void read_file_with_anything_else_refuses(void **state)
{
	static const char *const bad[] = {
	    "",
	    "\n",
	    "# only a remark\n",
	    EXAMPLE_RECIPIENT "\n",
	    EXAMPLE_IDENTITY "\n" EXAMPLE_RECIPIENT "\n",
	    EXAMPLE_IDENTITY "\n \n",
	    " # a remark that begins with a space\n" EXAMPLE_IDENTITY "\n",
	    EXAMPLE_IDENTITY "\n" EXAMPLE_IDENTITY " # behind\n",
	    EXAMPLE_IDENTITY "\r\r\n",
	};
	size_t count = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_code(parse_file(bad[i], 4, &count), E_INVALID);
}

static void read_file_of_too_many_refuses(void **state)
{
	size_t count = 0;

	(void)state;
	assert_good(parse_file(EXAMPLE_IDENTITY "\n" EXAMPLE_IDENTITY "\n", 2, &count));
	assert_code(parse_file(EXAMPLE_IDENTITY "\n" EXAMPLE_IDENTITY "\n", 1, &count), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_example_identity_gives_its_bytes_and_recipient),
	    cmocka_unit_test(make_identity_twice_gives_two),
	    cmocka_unit_test(read_identity_of_wrong_kind_case_or_length_refuses),
	    cmocka_unit_test(read_recipient_of_wrong_kind_case_or_length_refuses),
	    cmocka_unit_test(read_recipient_of_low_order_refuses),
	    cmocka_unit_test(read_identity_never_tells_it_in_the_error),
	    cmocka_unit_test(take_bytes_of_any_other_length_refuses),
	    cmocka_unit_test(write_identity_of_other_length_refuses),
	    cmocka_unit_test(read_file_of_identities_finds_each),
	    cmocka_unit_test(read_file_with_anything_else_refuses),
	    cmocka_unit_test(read_file_of_too_many_refuses),
	};

	return cmocka_run_group_tests_name("age/key", tests, set_up_secrets, NULL);
}
