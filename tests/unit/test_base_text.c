/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/text.h"

static void hex_of_all_bytes_comes_back(void **state)
{
	uint8_t bytes[256], back[256];
	char text[513];

	(void)state;
	for (int i = 0; i < 256; i++)
		bytes[i] = (uint8_t)i;
	hex_encode(bytes, sizeof bytes, text);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_ok(hex_decode(view_text(text), back, sizeof back));
	assert_memory_equal(bytes, back, sizeof bytes);
}

static void hex_of_other_lengths_and_letters_is_refused(void **state)
{
	static const char *const bad[] = {"",   "0",  "000", "0g", "g0",   "0F",
					  "F0", " 0", "0 ",  "0x", "0000", "\xc3\xa4"};
	uint8_t byte = 77;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		EXACT v = kit_exact(bad[i], strlen(bad[i]));
		assert_fails(hex_decode(v, &byte, 1), E_INVALID);
		assert_int_equal(byte, 77);
	}
	assert_ok(hex_decode(view_of(NULL, 0), NULL, 0));
}

/* RFC 4648, section 10. */
static const struct {
	const char *plain, *padded, *bare;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
};

static void base64_of_the_rfc_is_written_and_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		CLEANUP(buf_done) struct buf padded = {0};
		CLEANUP(buf_done) struct buf bare = {0};
		CLEANUP(buf_done) struct buf back = {0};
		assert_ok(base64_encode(view_text(vectors[i].plain), BASE64_PADDED, &padded));
		assert_ok(base64_encode(view_text(vectors[i].plain), BASE64_BARE, &bare));
		assert_true(view_is(view_buf(&padded), vectors[i].padded));
		assert_true(view_is(view_buf(&bare), vectors[i].bare));
		EXACT p = kit_exact(padded.data, padded.len);
		EXACT b = kit_exact(bare.data, bare.len);
		assert_ok(base64_decode(p, BASE64_PADDED, &back));
		assert_ok(base64_decode(b, BASE64_BARE, &back));
		assert_int_equal(back.len, 2 * strlen(vectors[i].plain));
	}
}

static void base64_of_every_length_comes_back(void **state)
{
	uint8_t bytes[200];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 151 + 5);
	for (size_t len = 0; len <= sizeof bytes; len++)
		for (int padding = BASE64_PADDED; padding <= BASE64_BARE; padding++) {
			CLEANUP(buf_done) struct buf text = {0};
			CLEANUP(buf_done) struct buf back = {0};
			enum base64_padding p = (enum base64_padding)padding;
			assert_ok(base64_encode(view_of(bytes, len), p, &text));
			assert_ok(base64_decode(view_buf(&text), p, &back));
			assert_true(view_equal(view_buf(&back), view_of(bytes, len)));
		}
}

static void base64_that_is_not_canonical_is_refused(void **state)
{
	static const char *const bad[] = {
	    "Z",    "Zg",     "Zg=",      "Zg===",    "Zh==",    "Zm9=",  "Zm9",    "=",
	    "==",   "====",   "Zg==Zg==", "Zm8=Zm8=", " Zg==",   "Zg== ", "Zg\n==", "Z-==",
	    "Z_==", "Zm9v\n", "Zm9v=",    "Zm9v====", "Z\xc3==", "A===",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		EXACT v = kit_exact(bad[i], strlen(bad[i]));
		assert_ok(buf_add_text(&out, "kept"));
		assert_fails(base64_decode(v, BASE64_PADDED, &out), E_INVALID);
		assert_true(view_is(view_buf(&out), "kept"));
	}
}

static void bare_base64_with_padding_is_refused(void **state)
{
	static const char *const bad[] = {
	    "Z", "Zg==", "Zh", "Zm9", "Zm8=", "Zm9vZ", "=", "Zm9v=", "Zg "};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		EXACT v = kit_exact(bad[i], strlen(bad[i]));
		assert_fails(base64_decode(v, BASE64_BARE, &out), E_INVALID);
		assert_int_equal(out.len, 0);
	}
}

static bool valid(const char *bytes, size_t len)
{
	EXACT v = kit_exact(bytes, len);

	return utf8_valid(v);
}

static void utf8_at_the_edges_of_each_length_is_valid(void **state)
{
	static const char *const good[] = {
	    "",
	    "a",
	    "\x7f",
	    "\xc2\x80",
	    "\xdf\xbf",
	    "\xe0\xa0\x80",
	    "\xed\x9f\xbf",
	    "\xee\x80\x80",
	    "\xef\xbf\xbf",
	    "\xf0\x90\x80\x80",
	    "\xf4\x8f\xbf\xbf",
	    "a\xc3\xa4z",
	    "\xe2\x82\xac\xf0\x9f\x98\x80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(valid(good[i], strlen(good[i])));
	assert_true(valid("a\0b", 3));
}

static void utf8_that_is_malformed_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\x80",
	    "\xbf",
	    "\xc0\x80",
	    "\xc1\xbf",
	    "\xc2",
	    "\xc2z",
	    "\xe0\x80\x80",
	    "\xe0\x9f\xbf",
	    "\xe1\x80",
	    "\xed\xa0\x80",
	    "\xed\xbf\xbf",
	    "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf",
	    "\xf4\x90\x80\x80",
	    "\xf5\x80\x80\x80",
	    "\xff",
	    "\xfe",
	    "\xf0\x90\x80",
	    "a\xc3",
	    "\xe2\x82z",
	    "\xc3\xa4\xa4",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(valid(bad[i], strlen(bad[i])));
}

/* Every code point, written by hand, against every lead of every length. */
static void utf8_of_every_code_point_is_judged_right(void **state)
{
	(void)state;
	for (uint32_t c = 0x800; c < 0x120000; c += c < 0x11000 ? 1 : 251) {
		uint8_t three[3] = {(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 63)),
				    (uint8_t)(0x80 | (c & 63))};
		uint8_t four[4] = {(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 63)),
				   three[1], three[2]};
		if (c < 0x10000)
			assert_int_equal(utf8_valid(view_of(three, 3)), c < 0xd800 || c > 0xdfff);
		assert_int_equal(utf8_valid(view_of(four, 4)), c >= 0x10000 && c <= 0x10ffff);
	}
}

static void controls_are_found_wherever_they_stand(void **state)
{
	static const char *const with[] = {"\n",     "a\tb",     "\x1b[31m",
					   "ab\x7f", "\xc2\x80", "x\xc2\x9f"};
	static const char *const without[] = {"", "abc", "\xc2\xa0", "\xc3\xa4",
					      "\xf0\x9f\x98\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(with); i++)
		assert_true(utf8_has_control(view_text(with[i])));
	for (size_t i = 0; i < ARRAY_LEN(without); i++)
		assert_false(utf8_has_control(view_text(without[i])));
	assert_true(utf8_has_control(view_of("a\0b", 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hex_of_all_bytes_comes_back),
	    cmocka_unit_test(hex_of_other_lengths_and_letters_is_refused),
	    cmocka_unit_test(base64_of_the_rfc_is_written_and_read),
	    cmocka_unit_test(base64_of_every_length_comes_back),
	    cmocka_unit_test(base64_that_is_not_canonical_is_refused),
	    cmocka_unit_test(bare_base64_with_padding_is_refused),
	    cmocka_unit_test(utf8_at_the_edges_of_each_length_is_valid),
	    cmocka_unit_test(utf8_that_is_malformed_is_refused),
	    cmocka_unit_test(utf8_of_every_code_point_is_judged_right),
	    cmocka_unit_test(controls_are_found_wherever_they_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
