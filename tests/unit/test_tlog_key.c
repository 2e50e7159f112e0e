/* SPDX-License-Identifier: Apache-2.0 */
/* Published keys: the one of C2SP signed-note, and those of the tests of Go's sumdb/note. */
#include "tests/unit/tlog_kit.h"

#include "base/text.h"

#define EXAMPLE    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define PETER      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define PETER_SEED "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz" /* behind its type byte */

static int parse(struct view text, struct tlog_verifier **ret_verifier)
{
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text);

	return tlog_verifier_parse(exact, ret_verifier);
}

static void parse_published_key_and_write_it_gives_the_same(void **state)
{
	static const char *const text[] = {EXAMPLE, PETER};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
		CLEANUP(buf_done) struct buf out = {0};
		assert_ok(parse(view_text(text[i]), &v));
		assert_ok(tlog_verifier_text(v, &out));
		assert_true(view_is(view_buf(&out), text[i]));
	}
}

static void parse_key_names_it(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;

	(void)state;
	assert_ok(parse(view_text(EXAMPLE), &v));
	assert_true(view_is(tlog_verifier_name(v), "example.com/foo"));
	assert_true(tlog_verifier_id(v) == 0x530d903a);
}

static void parse_key_cut_anywhere_is_refused(void **state)
{
	struct tlog_verifier *v = NULL;

	(void)state;
	for (size_t len = 0; len < strlen(EXAMPLE); len++) {
		int rc = parse(view_of(EXAMPLE, len), &v);
		assert_true(rc == E_INVALID || rc == E_UNSUPPORTED);
		err_clear();
	}
	assert_null(v);
}

static void parse_key_with_any_bit_flipped_is_refused(void **state)
{
	char text[] = EXAMPLE;
	struct tlog_verifier *v = NULL;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof text; i++)
		for (int bit = 1; bit < 256; bit <<= 1) {
			text[i] = (char)(text[i] ^ bit);
			int rc = parse(view_of(text, sizeof text - 1), &v);
			text[i] = (char)(text[i] ^ bit);
			assert_true(rc == E_INVALID || rc == E_UNSUPPORTED);
			err_clear();
		}
	assert_null(v);
}

static void parse_key_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} bad[] = {
	    {"", E_INVALID},
	    {"+", E_INVALID},
	    {"++", E_INVALID},
	    {"+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/foo+30d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/foo+0530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", E_INVALID},
	    {"example.com/foo+530d903a+", E_UNSUPPORTED},
	    {"example.com/foo+530d903a+AQ==", E_INVALID},
	    {"example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	     E_UNSUPPORTED},
	    {"example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
	     E_UNSUPPORTED},
	    {"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2kAA==",
	     E_INVALID},
	    {EXAMPLE "\n", E_INVALID},
	    {" " EXAMPLE, E_INVALID},
	};
	struct tlog_verifier *v = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(parse(view_text(bad[i].text), &v), bad[i].rc);
	CLEANUP(buf_done) struct buf text = {0};
	for (int i = 0; i < 300; i++)
		assert_ok(buf_add_text(&text, "0123456789"));
	assert_ok(buf_add_text(&text, EXAMPLE));
	assert_fails(parse(view_buf(&text), &v), E_INVALID);
	assert_null(v);
}

static void name_with_space_plus_or_control_character_is_refused(void **state)
{
	static const char *const good[] = {"a",
					   "example.com/log42",
					   "caf\xc3\xa9",
					   "\xf0\x9f\x94\x91",
					   "\xe2\x80\x8b",
					   "\xe2\x80\x94",
					   "log-1_2.3~x"};
	static const char *const bad[] = {"",
					  " ",
					  "a b",
					  "a ",
					  "+",
					  "a+b",
					  "a\n",
					  "\ta",
					  "a\x01",
					  "a\xc2\x85",
					  "a\xc2\xa0z",
					  "\xe1\x9a\x80",
					  "\xe2\x80\x80",
					  "x\xe2\x80\x8a",
					  "\xe2\x80\xa8",
					  "\xe2\x80\xa9",
					  "\xe2\x80\xaf",
					  "\xe2\x81\x9f",
					  "\xe3\x80\x80",
					  "\xff",
					  "a\xc3",
					  "\xc0\xaf",
					  "\xed\xa0\x80"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(kit_exact_done) struct view name = kit_exact(view_text(good[i]));
		assert_true(tlog_key_name_valid(name));
	}
	uint8_t public_key[TLOG_PUBLIC_SIZE] = {1};
	struct tlog_verifier *v = NULL;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(kit_exact_done) struct view name = kit_exact(view_text(bad[i]));
		assert_false(tlog_key_name_valid(name));
		assert_fails(tlog_verifier_new(name, public_key, &v), E_INVALID);
	}
	assert_false(tlog_key_name_valid(view_of("a\0b", 3)));
	CLEANUP(mem_free) char *name = mem_new(TLOG_KEY_NAME_MAX + 1);
	memset(name, 'x', TLOG_KEY_NAME_MAX + 1);
	assert_fails(tlog_verifier_new(view_of(name, TLOG_KEY_NAME_MAX + 1), public_key, &v),
		     E_INVALID);
	assert_null(v);
}

static void sign_with_published_seed_has_the_published_key(void **state)
{
	CLEANUP(buf_wipe) struct buf seed = {0};
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(secret_free) struct secret *s = NULL;
	CLEANUP(tlog_signer_free) struct tlog_signer *signer = NULL;

	(void)state;
	assert_ok(base64_decode(view_text(PETER_SEED), BASE64_PADDED, &seed));
	assert_int_equal(seed.len, 1 + TLOG_SEED_SIZE);
	assert_ok(secret_copy(seed.data + 1, TLOG_SEED_SIZE, &s));
	assert_ok(tlog_signer_new(view_text("PeterNeumann"), s, &signer));
	assert_ok(tlog_verifier_text(tlog_signer_verifier(signer), &text));
	assert_true(view_is(view_buf(&text), PETER));
}

static void signer_of_wrong_seed_or_name_is_refused(void **state)
{
	struct tlog_signer *signer = NULL;
	uint8_t bytes[64] = {0};

	(void)state;
	for (size_t len = 0; len <= sizeof bytes; len++) {
		CLEANUP(secret_free) struct secret *s = NULL;
		assert_ok(secret_copy(bytes, len, &s));
		if (len != TLOG_SEED_SIZE)
			assert_fails(tlog_signer_new(view_text("a"), s, &signer), E_INVALID);
		else
			assert_fails(tlog_signer_new(view_text("a b"), s, &signer), E_INVALID);
	}
	assert_null(signer);
}

static void check_signature_of_other_text_or_key_is_refused(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *a = kit_signer("log.example", 1);
	CLEANUP(tlog_signer_free) struct tlog_signer *b = kit_signer("log.example", 2);
	uint8_t signature[TLOG_ED25519_SIZE];
	struct view text = view_text("text\n"), whole = view_of(signature, sizeof signature);

	(void)state;
	assert_ok(tlog_signer_sign(a, text, signature));
	assert_ok(tlog_verifier_check(tlog_signer_verifier(a), text, whole));
	assert_fails(tlog_verifier_check(tlog_signer_verifier(b), text, whole), E_INTEGRITY);
	assert_fails(tlog_verifier_check(tlog_signer_verifier(a), view_text("text"), whole),
		     E_INTEGRITY);
	for (size_t len = 0; len < sizeof signature; len++) {
		CLEANUP(kit_exact_done) struct view cut = kit_exact(view_of(signature, len));
		assert_fails(tlog_verifier_check(tlog_signer_verifier(a), text, cut), E_INTEGRITY);
	}
	for (size_t i = 0; i < sizeof signature; i++) {
		signature[i] ^= 1;
		assert_fails(tlog_verifier_check(tlog_signer_verifier(a), text, whole),
			     E_INTEGRITY);
		signature[i] ^= 1;
	}
	assert_ok(tlog_verifier_check(tlog_signer_verifier(a), text, whole));
}

static int set_up(void **state)
{
	(void)state;
	return secret_setup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_published_key_and_write_it_gives_the_same),
	    cmocka_unit_test(parse_key_names_it),
	    cmocka_unit_test(parse_key_cut_anywhere_is_refused),
	    cmocka_unit_test(parse_key_with_any_bit_flipped_is_refused),
	    cmocka_unit_test(parse_key_of_another_form_is_refused),
	    cmocka_unit_test(name_with_space_plus_or_control_character_is_refused),
	    cmocka_unit_test(sign_with_published_seed_has_the_published_key),
	    cmocka_unit_test(signer_of_wrong_seed_or_name_is_refused),
	    cmocka_unit_test(check_signature_of_other_text_or_key_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_key", tests, set_up, NULL);
}
