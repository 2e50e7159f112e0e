/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/sha256.h"
#include "base/text.h"

static void assert_digest(const struct sha256 *h, const char *hex)
{
	uint8_t digest[SHA256_SIZE];
	char text[2 * SHA256_SIZE + 1];

	sha256_now(h, digest);
	hex_encode(digest, sizeof digest, text);
	assert_string_equal(text, hex);
}

/* FIPS 180-4's examples. */
static const struct {
	const char *text, *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digest_of_the_examples_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct sha256 h;
		uint8_t once[SHA256_SIZE], now[SHA256_SIZE];
		sha256_init(&h);
		sha256_add(&h, vectors[i].text, strlen(vectors[i].text));
		assert_digest(&h, vectors[i].hex);
		assert_digest(&h, vectors[i].hex); /* goes on unchanged */
		sha256_of(view_text(vectors[i].text), once);
		sha256_now(&h, now);
		assert_memory_equal(once, now, sizeof once);
	}
}

static void digest_taken_up_at_every_offset_is_the_same(void **state)
{
	uint8_t bytes[200], whole[SHA256_SIZE], parts[SHA256_SIZE], saved[SHA256_STATE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31 + 1);
	sha256_of(view_of(bytes, sizeof bytes), whole);
	for (size_t cut = 0; cut <= sizeof bytes; cut++) {
		struct sha256 before, after;
		sha256_init(&before);
		sha256_add(&before, bytes, cut);
		sha256_save(&before, saved);
		memset(&after, 0xee, sizeof after);
		assert_ok(sha256_load(&after, saved));
		assert_int_equal(sha256_count(&after), cut);
		sha256_add(&after, bytes + cut, sizeof bytes - cut);
		sha256_now(&after, parts);
		assert_memory_equal(parts, whole, sizeof whole);
		assert_int_equal(sha256_count(&after), sizeof bytes);
	}
}

static void count_beyond_four_gib_survives(void **state)
{
	struct sha256 h, back;
	uint8_t saved[SHA256_STATE_SIZE] = {0}, again[SHA256_STATE_SIZE];

	(void)state;
	/* 2^37 + 64 bytes: more than 32 bits of bytes, more than 32 bits of bits */
	saved[32 + 3] = 0x20;
	saved[32 + 7] = 0x40;
	assert_ok(sha256_load(&h, saved));
	assert_int_equal(sha256_count(&h), (1ull << 37) + 64);
	sha256_save(&h, again);
	assert_memory_equal(saved, again, sizeof saved);
	sha256_add(&h, "x", 1);
	sha256_save(&h, again);
	assert_ok(sha256_load(&back, again));
	assert_int_equal(sha256_count(&back), (1ull << 37) + 65);
}

static void load_of_a_dirty_tail_is_refused(void **state)
{
	struct sha256 h;
	uint8_t saved[SHA256_STATE_SIZE];

	(void)state;
	sha256_init(&h);
	sha256_add(&h, "0123456789", 10);
	sha256_save(&h, saved);
	for (size_t i = 40 + 10; i < sizeof saved; i++) {
		saved[i] = 1;
		assert_fails(sha256_load(&h, saved), E_INVALID);
		saved[i] = 0;
	}
	assert_ok(sha256_load(&h, saved));
}

static void load_of_an_impossible_length_is_refused(void **state)
{
	struct sha256 h;
	uint8_t saved[SHA256_STATE_SIZE] = {0};

	(void)state;
	saved[32] = 0x20; /* 2^61 bytes are 2^64 bits */
	assert_fails(sha256_load(&h, saved), E_INVALID);
	saved[32] = 0xff;
	assert_fails(sha256_load(&h, saved), E_INVALID);
	saved[32] = 0x1f;
	assert_ok(sha256_load(&h, saved));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digest_of_the_examples_is_right),
	    cmocka_unit_test(digest_taken_up_at_every_offset_is_the_same),
	    cmocka_unit_test(count_beyond_four_gib_survives),
	    cmocka_unit_test(load_of_a_dirty_tail_is_refused),
	    cmocka_unit_test(load_of_an_impossible_length_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
