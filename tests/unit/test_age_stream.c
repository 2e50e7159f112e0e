/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers were computed by an independent model, straight from age.md, RFC 8439
 * and RFC 5869. */
#include "age_test.h"

#include <pthread.h>

#include "age/header.h"
#include "age/stream.h"
#include "base/sha256.h"

static uint8_t plain[AGE_CHUNK], sealed[AGE_SEALED_CHUNK], opened[AGE_CHUNK];
static uint8_t nonce[AGE_NONCE];
static struct secret *file_key;
static struct age_stream *stream;

static int set_up(void **state)
{
	uint8_t key[AGE_FILE_KEY];

	for (uint8_t i = 0; i < sizeof key; i++) {
		key[i] = i;
		nonce[i] = (uint8_t)(16 + i);
	}
	return set_up_secrets(state) || secret_copy(key, sizeof key, &file_key) ||
	       age_stream_new(file_key, nonce, &stream);
}

static int tear_down(void **state)
{
	(void)state;
	secret_free(&file_key);
	age_stream_free(&stream);
	return 0;
}

static void derive_from_known_file_key_gives_known_keys(void **state)
{
	CLEANUP(secret_free) struct secret *payload = NULL, *resume = NULL;
	uint8_t wanted[32], pin[AGE_PIN];

	(void)state;
	assert_good(age_payload_key(file_key, nonce, &payload));
	from_hex("a9b6b2f491423ef997e866099d8ab29f171b0374a41426b361d50625ffa8044b", wanted, 32);
	assert_true(view_equal(secret_view(payload), view_of(wanted, 32)));
	assert_good(age_resume_key(file_key, &resume));
	from_hex("46c19903e3f50dad644c74c267e1712c028ac3c81c8bed12ff45f39fd1a42e06", wanted, 32);
	assert_true(view_equal(secret_view(resume), view_of(wanted, 32)));
	assert_good(age_stream_pin(file_key, nonce, pin));
	from_hex("16b80cdcf3eff9a466db840a8f09bd5112947a55511e3ef15d70a514b6134b00", wanted, 32);
	assert_memory_equal(pin, wanted, 32);
}

static void pin_changes_with_file_key_and_with_nonce(void **state)
{
	CLEANUP(secret_free) struct secret *other = NULL;
	uint8_t one[AGE_PIN], two[AGE_PIN], three[AGE_PIN], moved[AGE_NONCE];

	(void)state;
	assert_good(age_file_key_new(&other));
	memcpy(moved, nonce, sizeof moved);
	moved[15] ^= 1;
	assert_good(age_stream_pin(file_key, nonce, one));
	assert_good(age_stream_pin(file_key, moved, two));
	assert_good(age_stream_pin(other, nonce, three));
	assert_memory_not_equal(one, two, AGE_PIN);
	assert_memory_not_equal(one, three, AGE_PIN);
}

static void make_stream_from_keys_of_other_lengths_refuses(void **state)
{
	static const size_t lengths[] = {1, 15, 17, 31, 32, 33};
	uint8_t bytes[33] = {1}, pin[AGE_PIN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		CLEANUP(secret_free) struct secret *odd = NULL, *key = NULL;
		CLEANUP(age_stream_free) struct age_stream *s = NULL;
		assert_good(secret_copy(bytes, lengths[i], &odd));
		assert_code(age_stream_new(odd, nonce, &s), E_INVALID);
		assert_code(age_payload_key(odd, nonce, &key), E_INVALID);
		assert_code(age_resume_key(odd, &key), E_INVALID);
		assert_code(age_stream_pin(odd, nonce, pin), E_INVALID);
		assert_null(s);
		assert_code(age_stream_from_key(view_of(bytes, lengths[i]), &s),
			    lengths[i] == AGE_PAYLOAD_KEY ? 0 : E_INVALID);
	}
}

static void seal_known_chunks_gives_known_answers(void **state)
{
	uint8_t wanted[32];

	(void)state;
	from_hex("eddc53b25daae51e8408d6c279e0e32f0bc26b8ceb", wanted, 21);
	assert_good(age_stream_seal(stream, 0, true, view_text("hello"), sealed));
	assert_memory_equal(sealed, wanted, 21);

	from_hex("5015096552fe30356648708554cb9c28", wanted, 16);
	assert_good(age_stream_seal(stream, 0, true, view_of(NULL, 0), sealed));
	assert_memory_equal(sealed, wanted, 16);

	uint8_t digest[SHA256_SIZE];
	memset(plain, 0, sizeof plain);
	from_hex("93fd3550112d7e9e567a7a577b0b37df2fb2af3897072a957ca68c5f2a73a2da", wanted, 32);
	assert_good(
	    age_stream_seal(stream, 0x0102030405060708, false, view_of(plain, AGE_CHUNK), sealed));
	sha256_of(view_of(sealed, sizeof sealed), digest);
	assert_memory_equal(digest, wanted, 32);
}

static void open_with_the_payload_key_alone(void **state)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(age_stream_free) struct age_stream *s = NULL;

	(void)state;
	assert_good(age_payload_key(file_key, nonce, &key));
	assert_good(age_stream_from_key(secret_view(key), &s));
	assert_good(age_stream_seal(stream, 5, true, view_text("hello"), sealed));
	assert_good(age_stream_open(s, 5, true, view_of(sealed, 21), opened));
	assert_memory_equal(opened, "hello", 5);
}

static void open_in_place(void **state)
{
	(void)state;
	assert_good(random_bytes(plain, sizeof plain));
	memcpy(sealed, plain, sizeof plain);
	assert_good(age_stream_seal(stream, 9, false, view_of(sealed, AGE_CHUNK), sealed));
	assert_memory_not_equal(sealed, plain, sizeof plain);
	assert_good(age_stream_open(stream, 9, false, view_of(sealed, sizeof sealed), sealed));
	assert_memory_equal(sealed, plain, sizeof plain);
}

static void open_at_another_place_refuses(void **state)
{
	static const uint64_t other[] = {0, 1, 6, 8, 7 + 256, 7 + ((uint64_t)1 << 32), UINT64_MAX};

	(void)state;
	assert_good(random_bytes(plain, sizeof plain));
	assert_good(age_stream_seal(stream, 7, false, view_of(plain, AGE_CHUNK), sealed));
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		assert_code(age_stream_open(stream, other[i], false, view_of(sealed, sizeof sealed),
					    opened),
			    E_INTEGRITY);
	assert_code(age_stream_open(stream, 7, true, view_of(sealed, sizeof sealed), opened),
		    E_INTEGRITY);
	assert_good(age_stream_open(stream, 7, false, view_of(sealed, sizeof sealed), opened));
	assert_good(age_stream_seal(stream, 7, true, view_of(plain, AGE_CHUNK), sealed));
	assert_code(age_stream_open(stream, 7, false, view_of(sealed, sizeof sealed), opened),
		    E_INTEGRITY);
}

static void open_of_another_file_refuses(void **state)
{
	CLEANUP(age_stream_free) struct age_stream *other = NULL;
	uint8_t moved[AGE_NONCE] = {0};

	(void)state;
	assert_good(age_stream_new(file_key, moved, &other));
	assert_good(age_stream_seal(stream, 0, true, view_text("hello"), sealed));
	assert_code(age_stream_open(other, 0, true, view_of(sealed, 21), opened), E_INTEGRITY);
}

static void open_altered_or_cut_refuses_and_zeroes(void **state)
{
	static const uint8_t zero[5];

	(void)state;
	assert_good(age_stream_seal(stream, 0, true, view_text("hello"), sealed));
	for (size_t bit = 0; bit < 8 * 21; bit++) {
		memset(opened, 0xff, sizeof zero);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_code(age_stream_open(stream, 0, true, view_of(sealed, 21), opened),
			    E_INTEGRITY);
		assert_memory_equal(opened, zero, sizeof zero);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t len = 0; len < 21; len++) {
		uint8_t *cut = exact_copy(sealed, len);
		assert_code(age_stream_open(stream, 0, true, view_of(cut, len), opened),
			    E_INTEGRITY);
		free(cut);
	}
}

static void seal_chunks_of_wrong_size_refuses(void **state)
{
	uint8_t more[AGE_CHUNK + 1] = {0};

	(void)state;
	assert_code(age_stream_seal(stream, 0, false, view_of(more, 0), sealed), E_INVALID);
	assert_code(age_stream_seal(stream, 0, false, view_of(more, AGE_CHUNK - 1), sealed),
		    E_INVALID);
	assert_code(age_stream_seal(stream, 0, false, view_of(more, AGE_CHUNK + 1), sealed),
		    E_INVALID);
	assert_code(age_stream_seal(stream, 0, true, view_of(more, AGE_CHUNK + 1), sealed),
		    E_INVALID);
	assert_code(age_stream_seal(stream, 1, true, view_of(more, 0), sealed), E_INVALID);
	assert_good(age_stream_seal(stream, 1, true, view_of(more, 1), sealed));
	assert_good(age_stream_seal(stream, 1, true, view_of(more, AGE_CHUNK), sealed));
}

/* Sealed as nobody who keeps to the format would: the size alone is reason to refuse. */
static void open_chunks_of_wrong_size_refuses(void **state)
{
	(void)state;
	assert_good(age_stream_seal(stream, 0, true, view_of(NULL, 0), sealed));
	assert_good(age_stream_open(stream, 0, true, view_of(sealed, AGE_TAG), opened));
	assert_code(age_stream_open(stream, 1, true, view_of(sealed, AGE_TAG), opened),
		    E_INTEGRITY);
	assert_code(age_stream_open(stream, 0, false, view_of(sealed, AGE_TAG), opened),
		    E_INTEGRITY);
	assert_code(
	    age_stream_open(stream, 0, false, view_of(sealed, AGE_SEALED_CHUNK - 1), opened),
	    E_INTEGRITY);
	uint8_t *more = exact_copy(sealed, AGE_SEALED_CHUNK);
	more = realloc(more, AGE_SEALED_CHUNK + 1);
	assert_non_null(more);
	more[AGE_SEALED_CHUNK] = 0;
	assert_code(age_stream_open(stream, 0, true, view_of(more, AGE_SEALED_CHUNK + 1), opened),
		    E_INTEGRITY);
	free(more);
}

/* Threads. */

enum { THREADS = 4, CHUNKS = 24 };

static uint8_t alone[CHUNKS][AGE_SEALED_CHUNK], together[CHUNKS][AGE_SEALED_CHUNK];

static void *seal_some(void *which)
{
	uint8_t back[AGE_CHUNK];

	for (size_t i = (size_t)which; i < CHUNKS; i += THREADS) {
		memset(together[i], (int)i, AGE_CHUNK);
		if (age_stream_seal(stream, i, false, view_of(together[i], AGE_CHUNK),
				    together[i]) ||
		    age_stream_open(stream, i, false, view_of(together[i], AGE_SEALED_CHUNK),
				    back) ||
		    back[0] != i || back[AGE_CHUNK - 1] != i)
			return which;
	}
	return (void *)(uintptr_t)THREADS;
}

static void seal_on_several_threads_equals_sealing_on_one(void **state)
{
	pthread_t thread[THREADS];

	(void)state;
	for (size_t i = 0; i < CHUNKS; i++) {
		memset(alone[i], (int)i, AGE_CHUNK);
		assert_good(
		    age_stream_seal(stream, i, false, view_of(alone[i], AGE_CHUNK), alone[i]));
	}
	for (uintptr_t t = 0; t < THREADS; t++)
		assert_int_equal(pthread_create(&thread[t], NULL, seal_some, (void *)t), 0);
	for (size_t t = 0; t < THREADS; t++) {
		void *result = NULL;
		assert_int_equal(pthread_join(thread[t], &result), 0);
		assert_int_equal((uintptr_t)result, THREADS);
	}
	assert_memory_equal(together, alone, sizeof alone);
}

/* Geometry. */

static void sizes_of_known_files(void **state)
{
	static const struct {
		uint64_t plain, payload, chunks;
		size_t last;
	} rows[] = {
	    {0, 32, 1, 0},
	    {1, 33, 1, 1},
	    {65535, 16 + 65551, 1, 65535},
	    {65536, 16 + 65552, 1, 65536},
	    {65537, 16 + 65552 + 17, 2, 1},
	    {131072, 16 + 2 * 65552, 2, 65536},
	    {131073, 16 + 2 * 65552 + 17, 3, 1},
	    {AGE_PLAIN_MAX, 16 + (AGE_PLAIN_MAX >> 16) * 65552, AGE_PLAIN_MAX >> 16, 65536},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t payload = 0, back = 0, chunks = age_chunk_count(rows[i].plain);
		assert_good(age_payload_size(rows[i].plain, &payload));
		assert_true(payload == rows[i].payload);
		assert_good(age_plain_size(payload, &back));
		assert_true(back == rows[i].plain);
		assert_true(chunks == rows[i].chunks);
		assert_int_equal(age_chunk_size(rows[i].plain, chunks - 1), rows[i].last);
		assert_true(age_chunk_is_last(rows[i].plain, chunks - 1));
		assert_true(age_chunk_offset(chunks - 1) + rows[i].last + AGE_TAG == payload);
		if (chunks > 1) {
			assert_int_equal(age_chunk_size(rows[i].plain, chunks - 2), AGE_CHUNK);
			assert_false(age_chunk_is_last(rows[i].plain, chunks - 2));
		}
	}
	assert_int_equal(age_chunk_of(0), 0);
	assert_int_equal(age_chunk_of(65535), 0);
	assert_int_equal(age_chunk_of(65536), 1);
	assert_int_equal(age_chunk_offset(0), 16);
	assert_int_equal(age_chunk_offset(1), 16 + 65552);
}

/* Each size of payload has one size of plaintext or none; walked over three chunks. */
static void sizes_of_all_payloads_up_to_three_chunks(void **state)
{
	uint64_t next = 0;

	(void)state;
	for (uint64_t payload = 0; payload <= 16 + 3 * AGE_SEALED_CHUNK; payload++) {
		uint64_t wanted = UINT64_MAX, got = UINT64_MAX;
		assert_good(age_payload_size(next, &wanted));
		int rc = age_plain_size(payload, &got);
		err_clear();
		if (payload == wanted) {
			assert_int_equal(rc, 0);
			assert_true(got == next);
			next++;
		} else {
			assert_int_equal(rc, E_INTEGRITY);
			assert_true(got == UINT64_MAX);
		}
	}
	assert_int_equal(next, 3 * AGE_CHUNK + 1);
}

static void sizes_beyond_the_largest_refuses(void **state)
{
	uint64_t size = 0, most = 0;

	(void)state;
	assert_code(age_payload_size(AGE_PLAIN_MAX + 1, &size), E_LIMIT);
	assert_code(age_payload_size(UINT64_MAX, &size), E_LIMIT);
	assert_good(age_payload_size(AGE_PLAIN_MAX, &most));
	assert_code(age_plain_size(most + AGE_TAG + 1, &size), E_INTEGRITY);
	for (uint64_t off = 0; off < 100; off++)
		assert_code(age_plain_size(UINT64_MAX - off, &size), E_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sizes_of_known_files),
	    cmocka_unit_test(sizes_of_all_payloads_up_to_three_chunks),
	    cmocka_unit_test(sizes_beyond_the_largest_refuses),
	    cmocka_unit_test(derive_from_known_file_key_gives_known_keys),
	    cmocka_unit_test(pin_changes_with_file_key_and_with_nonce),
	    cmocka_unit_test(make_stream_from_keys_of_other_lengths_refuses),
	    cmocka_unit_test(seal_known_chunks_gives_known_answers),
	    cmocka_unit_test(open_with_the_payload_key_alone),
	    cmocka_unit_test(open_in_place),
	    cmocka_unit_test(open_at_another_place_refuses),
	    cmocka_unit_test(open_of_another_file_refuses),
	    cmocka_unit_test(open_altered_or_cut_refuses_and_zeroes),
	    cmocka_unit_test(seal_chunks_of_wrong_size_refuses),
	    cmocka_unit_test(open_chunks_of_wrong_size_refuses),
	    cmocka_unit_test(seal_on_several_threads_equals_sealing_on_one),
	};

	return cmocka_run_group_tests_name("age/stream", tests, set_up, tear_down);
}
