/* SPDX-License-Identifier: Apache-2.0 */
/* age/writer and age/decrypt: whole files, in sequence. */
#include "age_files.h"

#include "age/decrypt.h"

static struct secret *identity;

static int set_up(void **state)
{
	int rc = set_up_secrets(state);

	identity = rc ? NULL : example_identity();
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	secret_free(&identity);
	return 0;
}

/* Feed bytes in steps of this many, each step in a buffer of exactly its size. */
static int decrypt_in_steps(struct view file, size_t step, struct buf *out)
{
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	int rc = age_decrypt_new(&identity, 1, add_to_buf, out, &d);

	for (size_t at = 0; at < file.len && !rc; at += step) {
		size_t n = file.len - at < step ? file.len - at : step;
		uint8_t *exact = exact_copy(file.data + at, n);
		rc = age_decrypt_add(d, view_of(exact, n));
		free(exact);
	}
	return rc ? rc : age_decrypt_end(d);
}

static void decrypt_what_was_written_at_telling_sizes(void **state)
{
	static const size_t steps[] = {997, 4096, 65536, 65552, 1 << 20};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(telling_sizes); i++) {
		CLEANUP(buf_done) struct buf plain = {0}, file = {0};
		uint64_t payload = 0;
		fill_plain(&plain, telling_sizes[i]);
		seal_file(view_buf(&plain), &file);
		assert_good(age_payload_size(plain.len, &payload));
		assert_true(file.len > payload && file.len < payload + 400);
		for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
			CLEANUP(buf_done) struct buf got = {0};
			assert_good(decrypt_in_steps(view_buf(&file), steps[k], &got));
			assert_true(view_equal(view_buf(&got), view_buf(&plain)));
		}
	}
}

static void decrypt_byte_by_byte(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0}, got = {0};

	(void)state;
	fill_plain(&plain, AGE_CHUNK + 3);
	seal_file(view_buf(&plain), &file);
	assert_good(decrypt_in_steps(view_buf(&file), 1, &got));
	assert_true(view_equal(view_buf(&got), view_buf(&plain)));
}

static void decrypt_split_at_every_offset(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};

	(void)state;
	seal_file(view_text("hello"), &file);
	for (size_t at = 0; at <= file.len; at++) {
		CLEANUP(buf_done) struct buf got = {0};
		CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
		uint8_t *one = exact_copy(file.data, at),
			*two = exact_copy(file.data + at, file.len - at);
		assert_good(age_decrypt_new(&identity, 1, add_to_buf, &got, &d));
		assert_good(age_decrypt_add(d, view_of(one, at)));
		assert_good(age_decrypt_add(d, view_of(two, file.len - at)));
		assert_good(age_decrypt_end(d));
		assert_true(view_is(view_buf(&got), "hello"));
		free(one);
		free(two);
	}
}

static void write_in_steps_of_any_size_gives_the_same_plaintext(void **state)
{
	static const size_t steps[] = {1, 1000, 65535, 65536, 65537};
	CLEANUP(buf_done) struct buf plain = {0};
	struct age_recipient recipient;

	(void)state;
	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipient));
	fill_plain(&plain, 2 * AGE_CHUNK);
	for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
		CLEANUP(age_writer_free) struct age_writer *w = NULL;
		CLEANUP(buf_done) struct buf file = {0}, got = {0};
		assert_good(age_writer_new(&recipient, 1, add_to_buf, &file, &w));
		for (size_t at = 0; at < plain.len; at += steps[k]) {
			size_t n = plain.len - at < steps[k] ? plain.len - at : steps[k];
			assert_good(age_writer_add(w, view_of(plain.data + at, n)));
		}
		assert_good(age_writer_end(w));
		assert_good(decrypt_in_steps(view_buf(&file), 5000, &got));
		assert_true(view_equal(view_buf(&got), view_buf(&plain)));
	}
}

static void write_twice_gives_two_files(void **state)
{
	CLEANUP(buf_done) struct buf one = {0}, two = {0};

	(void)state;
	seal_file(view_text("hello"), &one);
	seal_file(view_text("hello"), &two);
	assert_int_equal(one.len, two.len);
	assert_memory_not_equal(one.data + one.len - 21, two.data + two.len - 21, 21);
	assert_memory_not_equal(one.data + one.len - 37, two.data + two.len - 37, AGE_NONCE);
}

static void write_for_nobody_refuses(void **state)
{
	CLEANUP(age_writer_free) struct age_writer *w = NULL;
	CLEANUP(secret_free) struct secret *file_key = NULL;
	CLEANUP(buf_done) struct buf file = {0};
	struct age_recipient zero = {{0}};
	uint8_t nonce[AGE_NONCE];

	(void)state;
	assert_code(age_writer_new(&zero, 0, add_to_buf, &file, &w), E_INVALID);
	assert_code(age_writer_new(&zero, 1, add_to_buf, &file, &w), E_INVALID);
	assert_code(age_writer_begin(&zero, 1, &file, &file_key, nonce), E_INVALID);
	assert_null(w);
	assert_null(file_key);
	assert_int_equal(file.len, 0);
}

/* Only whole files are good, and what came out before is a prefix of the truth. */
static void decrypt_cut_short_anywhere_refuses(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};

	(void)state;
	fill_plain(&plain, 2 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	size_t head = file.len - 2 * AGE_SEALED_CHUNK;
	for (size_t len = 0; len < file.len; len += len < head + 40 ? 1 : 4099) {
		CLEANUP(buf_done) struct buf got = {0};
		assert_code(decrypt_in_steps(view_of(file.data, len), 1 << 20, &got),
			    len < head ? E_INVALID : E_INTEGRITY);
		assert_true(got.len <= plain.len && got.len % AGE_CHUNK == 0);
		assert_true(view_equal(view_buf(&got), view_of(plain.data, got.len)));
	}
	CLEANUP(buf_done) struct buf got = {0};
	assert_code(
	    decrypt_in_steps(view_of(file.data, file.len - AGE_SEALED_CHUNK), 1 << 20, &got),
	    E_INTEGRITY);
	assert_int_equal(got.len, AGE_CHUNK);
}

static void decrypt_with_bytes_behind_the_end_refuses(void **state)
{
	static const size_t sizes[] = {0, 5, AGE_CHUNK - 1, AGE_CHUNK, AGE_CHUNK + 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (size_t more = 1; more <= AGE_SEALED_CHUNK; more *= 16) {
			CLEANUP(buf_done) struct buf plain = {0}, file = {0}, got = {0};
			static const uint8_t zero[AGE_SEALED_CHUNK];
			fill_plain(&plain, sizes[i]);
			seal_file(view_buf(&plain), &file);
			assert_good(buf_add(&file, zero, more));
			assert_code(decrypt_in_steps(view_buf(&file), 1 << 20, &got), E_INTEGRITY);
		}
}

static void decrypt_with_any_bit_of_the_payload_flipped_refuses(void **state)
{
	CLEANUP(buf_done) struct buf file = {0};
	size_t payload = AGE_NONCE + 5 + AGE_TAG;

	(void)state;
	seal_file(view_text("hello"), &file);
	for (size_t bit = 8 * (file.len - payload); bit < 8 * file.len; bit++) {
		CLEANUP(buf_done) struct buf got = {0};
		file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_code(decrypt_in_steps(view_buf(&file), 1 << 20, &got), E_INTEGRITY);
		assert_int_equal(got.len, 0);
		file.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void decrypt_with_chunks_swapped_refuses(void **state)
{
	CLEANUP(buf_done) struct buf plain = {0}, file = {0}, got = {0};
	static uint8_t held[AGE_SEALED_CHUNK];

	(void)state;
	fill_plain(&plain, 3 * AGE_CHUNK);
	seal_file(view_buf(&plain), &file);
	uint8_t *first = file.data + file.len - 3 * AGE_SEALED_CHUNK,
		*second = first + AGE_SEALED_CHUNK;
	memcpy(held, first, sizeof held);
	memmove(first, second, sizeof held);
	memcpy(second, held, sizeof held);
	assert_code(decrypt_in_steps(view_buf(&file), 1 << 20, &got), E_INTEGRITY);
	assert_int_equal(got.len, 0);
}

static void decrypt_crooked_streams_refuses(void **state)
{
	static const struct {
		struct crooked chunk[3];
		size_t count, out; /* bytes handed out before it showed */
	} rows[] = {
	    {{{0}}, 0, 0},                                                /* no chunk */
	    {{{AGE_CHUNK, false}}, 1, AGE_CHUNK},                         /* none is last */
	    {{{AGE_CHUNK, false}, {AGE_CHUNK, false}}, 2, 2 * AGE_CHUNK}, /* none is last */
	    {{{AGE_CHUNK, true}, {AGE_CHUNK, true}}, 2, AGE_CHUNK},       /* two are last */
	    {{{AGE_CHUNK, true}, {1, true}}, 2, AGE_CHUNK},               /* two are last */
	    {{{100, true}, {100, true}}, 2, 0},                           /* a short one first */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_done) struct buf file = {0}, got = {0};
		seal_crooked(rows[i].chunk, rows[i].count, &file);
		assert_code(decrypt_in_steps(view_buf(&file), 1000, &got), E_INTEGRITY);
		assert_int_equal(got.len, rows[i].out);
	}
}

static void decrypt_for_somebody_else_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *other = NULL;
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL, *none = NULL;
	CLEANUP(buf_done) struct buf file = {0}, got = {0};

	(void)state;
	assert_good(age_identity_new(&other));
	seal_file(view_text("hello"), &file);
	assert_good(age_decrypt_new(&other, 1, add_to_buf, &got, &d));
	assert_code(age_decrypt_add(d, view_buf(&file)), E_DENIED);
	assert_good(age_decrypt_new(NULL, 0, add_to_buf, &got, &none));
	assert_code(age_decrypt_add(none, view_buf(&file)), E_DENIED);
	assert_int_equal(got.len, 0);
	assert_false(age_decrypt_in_payload(d));
}

static void decrypt_tries_each_identity(void **state)
{
	struct secret *ring[3] = {NULL, NULL, NULL};
	CLEANUP(buf_done) struct buf file = {0}, got = {0};

	(void)state;
	seal_file(view_text("hello"), &file);
	for (size_t mine = 0; mine < ARRAY_LEN(ring); mine++) {
		CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
		for (size_t i = 0; i < ARRAY_LEN(ring); i++) {
			secret_free(&ring[i]);
			if (i == mine)
				ring[i] = example_identity();
			else
				assert_good(age_identity_new(&ring[i]));
		}
		got.len = 0;
		assert_good(age_decrypt_new(ring, ARRAY_LEN(ring), add_to_buf, &got, &d));
		assert_good(age_decrypt_add(d, view_buf(&file)));
		assert_true(age_decrypt_in_payload(d));
		assert_good(age_decrypt_end(d));
		assert_true(view_is(view_buf(&got), "hello"));
	}
	for (size_t i = 0; i < ARRAY_LEN(ring); i++)
		secret_free(&ring[i]);
}

static void decrypt_hands_out_nothing_before_the_mac_is_right(void **state)
{
	CLEANUP(buf_done) struct buf file = {0}, got = {0};

	(void)state;
	seal_file(view_text("hello"), &file);
	size_t mac = file.len - 37 - 2;
	file.data[mac - 5] = file.data[mac - 5] == 'A' ? 'B' : 'A';
	assert_code(decrypt_in_steps(view_buf(&file), 1 << 20, &got), E_INTEGRITY);
	assert_int_equal(got.len, 0);
}

static void decrypt_what_is_no_age_file_refuses_early(void **state)
{
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	CLEANUP(buf_done) struct buf got = {0};

	(void)state;
	assert_good(age_decrypt_new(&identity, 1, add_to_buf, &got, &d));
	assert_good(age_decrypt_add(d, view_text("age-encryption")));
	assert_code(age_decrypt_add(d, view_text("!")), E_INVALID);
}

static void decrypt_endless_header_is_given_up(void **state)
{
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	CLEANUP(buf_done) struct buf got = {0};
	static uint8_t line[AGE_HEADER_MAX];
	int rc = 0;

	(void)state;
	memset(line, 'a', sizeof line);
	assert_good(age_decrypt_new(&identity, 1, add_to_buf, &got, &d));
	assert_good(age_decrypt_add(d, view_text("age-encryption.org/v1\n-> ")));
	size_t fed = 25;
	for (; !rc && fed <= AGE_HEADER_MAX; fed += 100)
		rc = age_decrypt_add(d, view_of(line, 100));
	assert_code(rc, E_INVALID);
}

static int refuse_all(void *ctx, struct view bytes)
{
	(void)ctx;
	(void)bytes;
	return fail(E_FULL, "sink is full");
}

static void decrypt_into_a_failing_sink_fails_as_the_sink_did(void **state)
{
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	CLEANUP(buf_done) struct buf plain = {0}, file = {0};

	(void)state;
	fill_plain(&plain, AGE_CHUNK + 1);
	seal_file(view_buf(&plain), &file);
	assert_good(age_decrypt_new(&identity, 1, refuse_all, NULL, &d));
	assert_code(age_decrypt_add(d, view_buf(&file)), E_FULL);
}

static void write_into_a_failing_sink_fails_as_the_sink_did(void **state)
{
	CLEANUP(age_writer_free) struct age_writer *w = NULL;
	struct age_recipient recipient;

	(void)state;
	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipient));
	assert_code(age_writer_new(&recipient, 1, refuse_all, NULL, &w), E_FULL);
	assert_null(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(decrypt_what_was_written_at_telling_sizes),
	    cmocka_unit_test(decrypt_byte_by_byte),
	    cmocka_unit_test(decrypt_split_at_every_offset),
	    cmocka_unit_test(write_in_steps_of_any_size_gives_the_same_plaintext),
	    cmocka_unit_test(write_twice_gives_two_files),
	    cmocka_unit_test(write_for_nobody_refuses),
	    cmocka_unit_test(decrypt_cut_short_anywhere_refuses),
	    cmocka_unit_test(decrypt_with_bytes_behind_the_end_refuses),
	    cmocka_unit_test(decrypt_with_any_bit_of_the_payload_flipped_refuses),
	    cmocka_unit_test(decrypt_with_chunks_swapped_refuses),
	    cmocka_unit_test(decrypt_crooked_streams_refuses),
	    cmocka_unit_test(decrypt_for_somebody_else_refuses),
	    cmocka_unit_test(decrypt_tries_each_identity),
	    cmocka_unit_test(decrypt_hands_out_nothing_before_the_mac_is_right),
	    cmocka_unit_test(decrypt_what_is_no_age_file_refuses_early),
	    cmocka_unit_test(decrypt_endless_header_is_given_up),
	    cmocka_unit_test(decrypt_into_a_failing_sink_fails_as_the_sink_did),
	    cmocka_unit_test(write_into_a_failing_sink_fails_as_the_sink_did),
	};

	return cmocka_run_group_tests_name("age/writer, age/decrypt", tests, set_up, tear_down);
}
