/* SPDX-License-Identifier: Apache-2.0 */
/* ChaCha20-Poly1305 and X25519: known answers, and what they refuse. The known answers of
 * the cipher were computed by an independent model, straight from RFC 8439. */
#include "age_test.h"

#include <openssl/err.h>

#include "age/aead.h"
#include "age/x25519.h"

static uint8_t key[AGE_AEAD_KEY], nonce[AGE_AEAD_NONCE];

static int set_up(void **state)
{
	for (uint8_t i = 0; i < sizeof key; i++)
		key[i] = i;
	for (uint8_t i = 0; i < sizeof nonce; i++)
		nonce[i] = i;
	return set_up_secrets(state);
}

static void seal_known_text_gives_known_answer(void **state)
{
	uint8_t wanted[8 + AGE_AEAD_TAG], sealed[sizeof wanted], plain[8];

	(void)state;
	from_hex("ed8967704272c030af4ab6658c5ea7b044d7c45530bc46a3", wanted, sizeof wanted);
	assert_good(age_aead_seal(key, nonce, view_text("dropkeep"), sealed));
	assert_memory_equal(sealed, wanted, sizeof wanted);
	assert_good(age_aead_open(key, nonce, view_of(wanted, sizeof wanted), plain));
	assert_memory_equal(plain, "dropkeep", sizeof plain);
}

static void seal_nothing_gives_a_tag(void **state)
{
	uint8_t wanted[AGE_AEAD_TAG], sealed[AGE_AEAD_TAG], plain[1] = {7};

	(void)state;
	from_hex("295a498b8841a1c5f55d4d606f731159", wanted, sizeof wanted);
	assert_good(age_aead_seal(key, nonce, view_of(NULL, 0), sealed));
	assert_memory_equal(sealed, wanted, sizeof wanted);
	assert_good(age_aead_open(key, nonce, view_of(sealed, sizeof sealed), plain));
	assert_int_equal(plain[0], 7);
}

static void seal_in_place_equals_sealing_elsewhere(void **state)
{
	enum { LEN = 1000 };
	uint8_t plain[LEN], sealed[LEN + AGE_AEAD_TAG], same[LEN + AGE_AEAD_TAG];

	(void)state;
	assert_good(random_bytes(plain, sizeof plain));
	memcpy(same, plain, sizeof plain);
	assert_good(age_aead_seal(key, nonce, view_of(plain, LEN), sealed));
	assert_good(age_aead_seal(key, nonce, view_of(same, LEN), same));
	assert_memory_equal(same, sealed, sizeof sealed);
	assert_good(age_aead_open(key, nonce, view_of(same, sizeof same), same));
	assert_memory_equal(same, plain, sizeof plain);
}

static void open_with_any_bit_flipped_refuses_and_zeroes(void **state)
{
	static const uint8_t zero[8];
	uint8_t sealed[8 + AGE_AEAD_TAG], plain[8];

	(void)state;
	assert_good(age_aead_seal(key, nonce, view_text("dropkeep"), sealed));
	for (size_t bit = 0; bit < 8 * sizeof sealed; bit++) {
		uint8_t *bent = exact_copy(sealed, sizeof sealed);
		bent[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memset(plain, 0xff, sizeof plain);
		assert_code(age_aead_open(key, nonce, view_of(bent, sizeof sealed), plain),
			    E_INTEGRITY);
		assert_memory_equal(plain, zero, sizeof plain);
		free(bent);
	}
}

static void open_cut_short_refuses(void **state)
{
	uint8_t sealed[8 + AGE_AEAD_TAG], plain[8];

	(void)state;
	assert_good(age_aead_seal(key, nonce, view_text("dropkeep"), sealed));
	for (size_t len = 0; len < sizeof sealed; len++) {
		uint8_t *cut = exact_copy(sealed, len);
		assert_code(age_aead_open(key, nonce, view_of(cut, len), plain), E_INTEGRITY);
		free(cut);
	}
}

static void open_under_another_key_or_nonce_refuses(void **state)
{
	uint8_t sealed[8 + AGE_AEAD_TAG], plain[8], other[AGE_AEAD_KEY];

	(void)state;
	assert_good(age_aead_seal(key, nonce, view_text("dropkeep"), sealed));
	memcpy(other, key, sizeof other);
	other[31] ^= 1;
	assert_code(age_aead_open(other, nonce, view_of(sealed, sizeof sealed), plain),
		    E_INTEGRITY);
	memcpy(other, nonce, sizeof nonce);
	other[11] ^= 1;
	assert_code(age_aead_open(key, other, view_of(sealed, sizeof sealed), plain), E_INTEGRITY);
}

static void open_refused_leaves_nothing_in_openssls_queue(void **state)
{
	uint8_t sealed[8 + AGE_AEAD_TAG] = {0}, plain[8];

	(void)state;
	assert_code(age_aead_open(key, nonce, view_of(sealed, sizeof sealed), plain), E_INTEGRITY);
	assert_int_equal(ERR_peek_error(), 0);
}

static void seal_beyond_int_refuses(void **state)
{
	uint8_t one = 0;

	(void)state;
	assert_code(age_aead_seal(key, nonce, view_of(&one, (size_t)INT32_MAX), &one), E_LIMIT);
	assert_code(age_aead_open(key, nonce, view_of(&one, (size_t)INT32_MAX + 1), &one), E_LIMIT);
}

/* RFC 7748, section 6.1. */
static const char alice_secret[] =
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
static const char alice_public[] =
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
static const char bob_public[] = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
static const char both_shared[] =
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

static struct secret *secret_hex(const char *hex)
{
	uint8_t bytes[AGE_X25519_SIZE];
	struct secret *s = NULL;

	from_hex(hex, bytes, sizeof bytes);
	assert_good(secret_copy(bytes, sizeof bytes, &s));
	return s;
}

static void agree_on_known_keys_gives_known_answer(void **state)
{
	CLEANUP(secret_free) struct secret *alice = secret_hex(alice_secret), *shared = NULL;
	uint8_t bob[AGE_X25519_SIZE], wanted[AGE_X25519_SIZE], own[AGE_X25519_SIZE];

	(void)state;
	from_hex(bob_public, bob, sizeof bob);
	assert_good(age_x25519_shared(alice, bob, &shared, own));
	from_hex(both_shared, wanted, sizeof wanted);
	assert_memory_equal(secret_view(shared).data, wanted, sizeof wanted);
	from_hex(alice_public, wanted, sizeof wanted);
	assert_memory_equal(own, wanted, sizeof wanted);
	memset(own, 0, sizeof own);
	assert_good(age_x25519_public(alice, own));
	assert_memory_equal(own, wanted, sizeof wanted);
}

/* The points of order 1, 2, 4 and 8, and non-canonical writings of them (RFC 7748, section
 * 6.1, and the points that implementations commonly list). */
static void agree_with_points_of_low_order_refuses(void **state)
{
	static const char *const low[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "0000000000000000000000000000000000000000000000000000000000000080",
	};
	CLEANUP(secret_free) struct secret *alice = secret_hex(alice_secret), *shared = NULL;
	uint8_t point[AGE_X25519_SIZE], own[AGE_X25519_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(low); i++) {
		from_hex(low[i], point, sizeof point);
		assert_code(age_x25519_shared(alice, point, &shared, own), E_INVALID);
		assert_null(shared);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void agree_with_a_scalar_of_wrong_length_refuses(void **state)
{
	uint8_t point[AGE_X25519_SIZE], own[AGE_X25519_SIZE];

	(void)state;
	from_hex(bob_public, point, sizeof point);
	for (size_t len = 1; len <= 64; len += 31) {
		CLEANUP(secret_free) struct secret *scalar = NULL, *shared = NULL;
		if (len == AGE_X25519_SIZE)
			continue;
		assert_good(secret_random(len, &scalar));
		assert_code(age_x25519_shared(scalar, point, &shared, own), E_INVALID);
		assert_code(age_x25519_public(scalar, own), E_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(seal_known_text_gives_known_answer),
	    cmocka_unit_test(seal_nothing_gives_a_tag),
	    cmocka_unit_test(seal_in_place_equals_sealing_elsewhere),
	    cmocka_unit_test(open_with_any_bit_flipped_refuses_and_zeroes),
	    cmocka_unit_test(open_cut_short_refuses),
	    cmocka_unit_test(open_under_another_key_or_nonce_refuses),
	    cmocka_unit_test(open_refused_leaves_nothing_in_openssls_queue),
	    cmocka_unit_test(seal_beyond_int_refuses),
	    cmocka_unit_test(agree_on_known_keys_gives_known_answer),
	    cmocka_unit_test(agree_with_points_of_low_order_refuses),
	    cmocka_unit_test(agree_with_a_scalar_of_wrong_length_refuses),
	};

	return cmocka_run_group_tests_name("age/aead, age/x25519", tests, set_up, NULL);
}
