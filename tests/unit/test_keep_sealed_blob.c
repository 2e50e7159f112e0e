/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/sealed_blob.h"

#include "age/header.h"
#include "age/reader.h"
#include "base/text.h"
#include "keep_kit.h"

struct store {
	struct kit *kit;
	struct blobs *blobs;
	struct keys *keys;
	struct secret *identity, *recovery, *stranger;
	struct age_recipient to[2];
};

static const uint8_t one[BLOB_ID] = {0x01, 1}, two[BLOB_ID] = {0x02, 2};
static const char one_path[] = "blobs/01/01010000000000000000000000000000";
static const char two_path[] = "blobs/02/02020000000000000000000000000000";

static int setup(void **state)
{
	struct store *s = mem_new(sizeof *s);

	if (kit_setup(state))
		return -1;
	s->kit = *state;
	assert_good(keys_create(s->kit->fd, "keys/master.key"));
	assert_good(keys_load(s->kit->fd, "keys/master.key", &s->keys));
	assert_good(blobs_create(s->kit->fd));
	assert_good(blobs_open(s->kit->fd, true, &s->blobs));
	assert_good(age_identity_new(&s->identity));
	assert_good(age_identity_new(&s->recovery));
	assert_good(age_identity_new(&s->stranger));
	assert_good(age_identity_recipient(s->identity, &s->to[0]));
	assert_good(age_identity_recipient(s->recovery, &s->to[1]));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct store *s = *state;

	*state = s->kit;
	blobs_free(&s->blobs);
	keys_free(&s->keys);
	secret_free(&s->identity);
	secret_free(&s->recovery);
	secret_free(&s->stranger);
	free(s);
	return kit_teardown(state);
}

#define BLOB CLEANUP(sealed_blob_done) struct sealed_blob

static struct sealed_blob made(const struct store *s, const uint8_t id[BLOB_ID], size_t recipients)
{
	struct sealed_blob b = SEALED_BLOB_NONE;
	CLEANUP(secret_free) struct secret *key = NULL;
	uint8_t nonce[AGE_NONCE], pin[AGE_PIN];

	assert_good(age_file_key_new(&key));
	assert_good(random_bytes(nonce, sizeof nonce));
	assert_good(sealed_blob_make(s->blobs, id, key, nonce, s->to, recipients, &b));
	assert_good(age_stream_pin(key, nonce, pin));
	assert_memory_equal(pin, b.pin, sizeof pin);
	assert_true(view_equal(secret_view(key), secret_view(b.file_key)));
	return b;
}

static int open_it(const struct store *s, const uint8_t id[BLOB_ID], const struct secret *who,
		   const uint8_t pin[AGE_PIN])
{
	BLOB b = SEALED_BLOB_NONE;

	return sealed_blob_open(s->blobs, id, false, who, pin, &b);
}

static void make_and_open_agree(void **state)
{
	const struct store *s = *state;

	for (size_t recipients = 1; recipients <= 2; recipients++) {
		const uint8_t *id = recipients == 1 ? one : two;
		BLOB b = made(s, id, recipients);
		BLOB again = SEALED_BLOB_NONE;
		assert_good(
		    sealed_blob_open(s->blobs, id, recipients == 2, s->identity, b.pin, &again));
		assert_int_equal(again.payload, b.payload);
		assert_memory_equal(again.key, b.key, sizeof b.key);
		assert_true(view_equal(secret_view(again.file_key), secret_view(b.file_key)));
		assert_int_equal(fcntl(again.fd, F_GETFL) & O_ACCMODE,
				 recipients == 2 ? O_RDWR : O_RDONLY);
	}
}

/* What is sealed under its payload key is an age file for zone and recovery alike. */
static void what_is_sealed_in_it_is_an_age_file(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 2);
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	uint8_t sealed[5 + AGE_TAG], got[5];
	const struct secret *const who[] = {s->identity, s->recovery};

	assert_good(age_stream_from_key(view_of(b.key, sizeof b.key), &stream));
	assert_good(age_stream_seal(stream, 0, true, view_text("hello"), sealed));
	assert_good(sys_pwrite_all(b.fd, sealed, sizeof sealed, b.payload));
	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		CLEANUP(age_reader_free) struct age_reader *r = NULL;
		size_t n = 0;
		assert_good(age_reader_open_fd(b.fd, who[i], &r));
		assert_memory_equal(age_reader_pin(r), b.pin, AGE_PIN);
		assert_good(age_reader_read(r, got, sizeof got, 0, &n));
		assert_int_equal(n, 5);
		assert_memory_equal(got, "hello", 5);
	}
	CLEANUP(age_reader_free) struct age_reader *r = NULL;
	assert_refused(age_reader_open_fd(b.fd, s->stranger, &r), E_DENIED);
}

static void make_where_a_blob_is_leaves_it_alone(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 1);
	BLOB other = SEALED_BLOB_NONE;
	CLEANUP(secret_free) struct secret *key = NULL;
	uint8_t nonce[AGE_NONCE] = {0};

	assert_good(age_file_key_new(&key));
	assert_refused(sealed_blob_make(s->blobs, one, key, nonce, s->to, 1, &other), E_EXISTS);
	assert_int_equal(other.fd, -1);
	assert_null(other.file_key);
	assert_good(open_it(s, one, s->identity, b.pin));
}

static void open_of_what_is_missing_or_not_ours_is_damage(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 1);

	assert_refused(open_it(s, two, s->identity, b.pin), E_INTEGRITY);
	assert_refused(open_it(s, one, s->stranger, b.pin), E_INTEGRITY);
	assert_refused(open_it(s, one, s->recovery, b.pin), E_INTEGRITY);
	assert_good(open_it(s, one, s->identity, b.pin));
}

static void open_with_another_pin_is_refused(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 1);
	uint8_t pin[AGE_PIN];

	for (size_t i = 0; i < AGE_PIN; i++) {
		memcpy(pin, b.pin, sizeof pin);
		pin[i] ^= 0x10;
		assert_refused(open_it(s, one, s->identity, pin), E_INTEGRITY);
	}
}

/* Both are whole and for this zone; only the catalog's pin tells them apart. */
static void swapped_blobs_are_found(void **state)
{
	const struct store *s = *state;
	BLOB a = made(s, one, 1);
	BLOB b = made(s, two, 1);

	assert_int_equal(renameat2(s->kit->fd, one_path, s->kit->fd, two_path, RENAME_EXCHANGE), 0);
	assert_refused(open_it(s, one, s->identity, a.pin), E_INTEGRITY);
	assert_refused(open_it(s, two, s->identity, b.pin), E_INTEGRITY);
	assert_good(open_it(s, one, s->identity, b.pin));
}

static void truncated_header_is_refused_at_every_length(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 2);

	for (uint64_t len = b.payload; len-- > 0;) {
		assert_good(sys_truncate(b.fd, len));
		assert_refused(open_it(s, one, s->identity, b.pin), E_INTEGRITY);
	}
}

static void header_that_never_ends_is_refused(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 1);
	char line[64];

	memset(line, 'A', sizeof line);
	line[63] = '\n';
	assert_good(sys_truncate(b.fd, 22));
	assert_good(sys_pwrite_all(b.fd, "-> X25519 AAAA\n", 15, 22));
	for (uint64_t i = 0; i < 200; i++)
		assert_good(sys_pwrite_all(b.fd, "-> grease\n\n", 11, 22 + i * 11));
	assert_refused(open_it(s, one, s->identity, b.pin), E_INTEGRITY);
}

static void every_changed_byte_of_the_header_is_found(void **state)
{
	const struct store *s = *state;
	BLOB b = made(s, one, 2);

	for (uint64_t i = 0; i < b.payload; i++) {
		kit_flip(s->kit, one_path, i);
		assert_refused(open_it(s, one, s->identity, b.pin), E_INTEGRITY);
		kit_flip(s->kit, one_path, i);
	}
	assert_good(open_it(s, one, s->identity, b.pin));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(make_and_open_agree),
	    CASE(what_is_sealed_in_it_is_an_age_file),
	    CASE(make_where_a_blob_is_leaves_it_alone),
	    CASE(open_of_what_is_missing_or_not_ours_is_damage),
	    CASE(open_with_another_pin_is_refused),
	    CASE(swapped_blobs_are_found),
	    CASE(truncated_header_is_refused_at_every_length),
	    CASE(header_that_never_ends_is_refused),
	    CASE(every_changed_byte_of_the_header_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
