/* SPDX-License-Identifier: Apache-2.0 */
#include "age_test.h"

#include "age/bech32.h"

enum { ROOM = 64 };

static char hrp[AGE_BECH32_HRP_MAX + 1];
static uint8_t bytes[ROOM];
static size_t len;

static int decode(const char *text)
{
	size_t n = strlen(text);
	uint8_t *exact = exact_copy(text, n);
	int rc = age_bech32_decode(view_of(exact, n), sizeof bytes, hrp, bytes, &len);

	free(exact);
	return rc;
}

/* BIP-173, "Test vectors", those that hold whole bytes without bits left over. */
static void decode_published_text_and_encode_it_again(void **state)
{
	static const struct {
		const char *text, *hrp, *hex;
	} rows[] = {
	    {"A12UEL5L", "A", ""},
	    {"a12uel5l", "a", ""},
	    {"?1ezyfcl", "?", ""},
	    {"an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1t"
	     "t5tgs",
	     "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
	     ""},
	    {"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef",
	     "00443214c74254b635cf84653a56d7c675be77df"},
	    {"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "split",
	     "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t wanted[ROOM];
		char text[128];
		size_t n = strlen(rows[i].hex) / 2;
		from_hex(rows[i].hex, wanted, n);
		assert_good(decode(rows[i].text));
		assert_string_equal(hrp, rows[i].hrp);
		assert_int_equal(len, n);
		assert_memory_equal(bytes, wanted, n);
		assert_int_equal(strlen(rows[i].text), AGE_BECH32_TEXT(strlen(hrp), n));
		assert_good(age_bech32_encode(rows[i].hrp, view_of(wanted, n), text));
		assert_string_equal(text, rows[i].text);
	}
}

static void decode_published_refusals_refuses(void **state)
{
	static const char *const bad[] = {
	    "\x20"
	    "1nwldj5",
	    "\x7f"
	    "1axkwrx",
	    "\x80"
	    "1eym55h",
	    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio15"
	    "69pvx",
	    "pzry9x0s0muk",
	    "1pzry9x0s0muk",
	    "x1b4n0q5v",
	    "li1dgmt3",
	    "de1lg7wt\xff",
	    "A1G7SGD8",
	    "10a06t8",
	    "1qzzfhee",
	    "",
	    "1",
	    "a",
	    "a1",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_code(decode(bad[i]), E_INVALID);
}

static void decode_mixed_case_refuses(void **state)
{
	char text[] = EXAMPLE_RECIPIENT;

	(void)state;
	assert_good(decode(text));
	for (size_t i = 0; text[i]; i++) {
		if (text[i] < 'a' || text[i] > 'z')
			continue;
		text[i] = (char)(text[i] - 32);
		assert_code(decode(text), E_INVALID);
		text[i] = (char)(text[i] + 32);
	}
}

/* Bech32 finds every error of up to four characters in texts of up to 90. */
static void decode_with_any_one_character_changed_refuses(void **state)
{
	static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	char text[] = EXAMPLE_RECIPIENT;

	(void)state;
	for (size_t i = 4; text[i]; i++) {
		char was = text[i];
		for (const char *d = digits; *d; d++) {
			text[i] = *d;
			assert_code(decode(text), *d == was ? 0 : E_INVALID);
		}
		text[i] = was;
	}
}

static void decode_cut_short_refuses(void **state)
{
	char text[] = EXAMPLE_RECIPIENT;

	(void)state;
	for (size_t n = sizeof text - 1; n-- > 0;) {
		text[n] = '\0';
		assert_code(decode(text), E_INVALID);
	}
}

/* Texts whose checksums are right, of 5-bit groups that no bytes make. */
static void decode_bits_left_over_refuses(void **state)
{
	(void)state;
	assert_code(decode("a1q3g6mn3"), E_INVALID);  /* one group: 5 bits */
	assert_good(decode("a1qqqd87cq"));            /* two groups: one byte, 2 bits, both zero */
	assert_code(decode("a1qpamnt9j"), E_INVALID); /* … of which one is set */
}

static void decode_more_than_there_is_room_for_refuses(void **state)
{
	struct view text = view_text(EXAMPLE_RECIPIENT);

	(void)state;
	len = 99;
	for (size_t room = 0; room < 32; room++)
		assert_code(age_bech32_decode(text, room, hrp, bytes, &len), E_INVALID);
	assert_int_equal(len, 99);
	assert_good(age_bech32_decode(text, 32, hrp, bytes, &len));
	assert_int_equal(len, 32);
}

static void decode_beyond_the_longest_text_refuses(void **state)
{
	char text[AGE_BECH32_TEXT_MAX + 2];
	static uint8_t room[AGE_BECH32_TEXT_MAX];
	static uint8_t most[2555]; /* 2 + 4088 + 6 = 4096 characters */

	(void)state;
	assert_good(age_bech32_encode("a", view_of(most, sizeof most), text));
	assert_int_equal(strlen(text), AGE_BECH32_TEXT_MAX);
	assert_good(age_bech32_decode(view_text(text), sizeof room, hrp, room, &len));
	assert_int_equal(len, sizeof most);
	memset(text, 'q', sizeof text - 1);
	text[1] = '1';
	text[sizeof text - 1] = '\0';
	assert_code(age_bech32_decode(view_text(text), sizeof room, hrp, room, &len), E_INVALID);
	assert_code(age_bech32_encode("ab", view_of(most, sizeof most), text), E_INVALID);
}

static void encode_impossible_prefixes_refuses(void **state)
{
	char text[256] = "untouched", prefix[AGE_BECH32_HRP_MAX + 2];

	(void)state;
	memset(prefix, 'a', sizeof prefix - 1);
	prefix[sizeof prefix - 1] = '\0';
	assert_code(age_bech32_encode(prefix, view_of(NULL, 0), text), E_INVALID);
	assert_code(age_bech32_encode("", view_of(NULL, 0), text), E_INVALID);
	assert_code(age_bech32_encode("aB", view_of(NULL, 0), text), E_INVALID);
	assert_code(age_bech32_encode("a b", view_of(NULL, 0), text), E_INVALID);
	assert_code(age_bech32_encode("\xc3\xa4", view_of(NULL, 0), text), E_INVALID);
	assert_string_equal(text, "untouched");
}

static void encode_any_length_comes_back(void **state)
{
	char text[AGE_BECH32_TEXT(2, ROOM) + 1];
	uint8_t plain[ROOM];

	(void)state;
	for (size_t n = 0; n <= ROOM; n++) {
		assert_good(random_bytes(plain, sizeof plain));
		assert_good(age_bech32_encode("dk", view_of(plain, n), text));
		assert_int_equal(strlen(text), AGE_BECH32_TEXT(2, n));
		assert_good(decode(text));
		assert_int_equal(len, n);
		assert_memory_equal(bytes, plain, n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decode_published_text_and_encode_it_again),
	    cmocka_unit_test(decode_published_refusals_refuses),
	    cmocka_unit_test(decode_mixed_case_refuses),
	    cmocka_unit_test(decode_with_any_one_character_changed_refuses),
	    cmocka_unit_test(decode_cut_short_refuses),
	    cmocka_unit_test(decode_bits_left_over_refuses),
	    cmocka_unit_test(decode_more_than_there_is_room_for_refuses),
	    cmocka_unit_test(decode_beyond_the_longest_text_refuses),
	    cmocka_unit_test(encode_impossible_prefixes_refuses),
	    cmocka_unit_test(encode_any_length_comes_back),
	};

	return cmocka_run_group_tests_name("age/bech32", tests, set_up_secrets, NULL);
}
