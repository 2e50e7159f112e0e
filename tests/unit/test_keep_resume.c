/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/resume.h"

#include "age/header.h"
#include "age/stream.h"
#include "base/text.h"
#include "keep_kit.h"
#include "wire/codec.h"

struct store {
	struct kit *kit;
	struct blobs *blobs;
	struct keys *keys;
	struct secret *key, *other; /* of files */
};

static const uint8_t one[BLOB_ID] = {0x01, 1}, two[BLOB_ID] = {0x02, 2};
static const char one_state[] = "uploads/01010000000000000000000000000000";
static uint8_t digest[SHA256_STATE_SIZE], tail[AGE_CHUNK];

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
	assert_good(age_file_key_new(&s->key));
	assert_good(age_file_key_new(&s->other));
	assert_good(random_bytes(digest, sizeof digest));
	assert_good(random_bytes(tail, sizeof tail));
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct store *s = *state;

	*state = s->kit;
	blobs_free(&s->blobs);
	keys_free(&s->keys);
	secret_free(&s->key);
	secret_free(&s->other);
	free(s);
	return kit_teardown(state);
}

static int save(const struct store *s, uint64_t sealed, size_t len)
{
	struct resume_state state = {
	    .sealed = sealed, .digest = view_of(digest, sizeof digest), .tail = view_of(tail, len)};

	return resume_save(s->blobs, s->keys, one, s->key, &state);
}

static int load_as(const struct store *s, const uint8_t id[BLOB_ID], const struct secret *key,
		   uint64_t durable)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	struct resume_state state;
	int rc = resume_load(s->blobs, s->keys, id, key, durable, &plain, &state);

	if (rc)
		return rc;
	assert_int_equal(state.sealed * AGE_CHUNK + state.tail.len, durable);
	assert_int_equal(state.digest.len, sizeof digest);
	assert_memory_equal(state.digest.data, digest, sizeof digest);
	assert_memory_equal(state.tail.data, tail, state.tail.len);
	return 0;
}

static int load(const struct store *s, uint64_t durable)
{
	return load_as(s, one, s->key, durable);
}

static int check(const struct store *s, uint64_t durable)
{
	uint64_t sealed = 0;
	int rc = resume_check(s->blobs, s->keys, one, s->key, durable, &sealed);

	if (!rc)
		assert_true(sealed == durable / AGE_CHUNK || (sealed + 1) * AGE_CHUNK == durable);
	return rc;
}

static void save_and_load_agree_for_every_tail(void **state)
{
	const struct store *s = *state;
	const size_t sizes[] = {0, 1, 1000, AGE_CHUNK - 1, AGE_CHUNK};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		assert_good(save(s, 7 * i, sizes[i]));
		assert_good(load(s, 7 * i * AGE_CHUNK + sizes[i]));
		assert_good(check(s, 7 * i * AGE_CHUNK + sizes[i]));
		if (sizes[i] > 100)
			assert_false(kit_file_has(s->kit, one_state, view_of(tail, 32)));
	}
}

/* The commit that makes a state valid comes after it, or not at all. */
static void save_keeps_the_one_before_and_no_more(void **state)
{
	const struct store *s = *state;

	assert_good(save(s, 0, 10));
	assert_good(save(s, 0, AGE_CHUNK));
	assert_good(load(s, 10));
	assert_good(load(s, AGE_CHUNK));
	assert_good(save(s, 3, 5));
	assert_good(load(s, 3 * AGE_CHUNK + 5));
	assert_good(load(s, AGE_CHUNK));
	assert_refused(load(s, 10), E_INTEGRITY);
	assert_refused(check(s, 10), E_INTEGRITY);
}

static void load_of_another_length_is_refused(void **state)
{
	const struct store *s = *state;
	const uint64_t others[] = {0, 9, 11, AGE_CHUNK + 9, AGE_CHUNK + 11, 2 * AGE_CHUNK + 10};

	assert_refused(load(s, 0), E_GONE);
	assert_good(save(s, 1, 10));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_refused(load(s, others[i]), E_INTEGRITY);
		assert_refused(check(s, others[i]), E_INTEGRITY);
	}
}

static void load_for_another_blob_or_key_is_refused(void **state)
{
	const struct store *s = *state;
	CLEANUP(buf_done) struct buf copy = {0};

	assert_good(save(s, 0, 10));
	assert_refused(load_as(s, one, s->other, 10), E_INTEGRITY);
	assert_refused(load_as(s, two, s->key, 10), E_GONE);
	assert_good(blobs_load_state(s->blobs, one, &copy));
	assert_good(blobs_save_state(s->blobs, two, view_buf(&copy)));
	assert_refused(load_as(s, two, s->key, 10), E_INTEGRITY);
}

static void every_changed_or_missing_byte_is_found(void **state)
{
	const struct store *s = *state;
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf good = {0};

	assert_good(save(s, 0, 3));
	assert_good(blobs_load_state(s->blobs, one, &first));
	assert_good(save(s, 0, 10));
	assert_good(blobs_load_state(s->blobs, one, &good));
	for (size_t i = 0; i < good.len; i++) {
		kit_flip(s->kit, one_state, i);
		assert_refused(check(s, 10), E_INTEGRITY);
		assert_refused(load(s, i < good.len - first.len ? 10 : 3), E_INTEGRITY);
		kit_flip(s->kit, one_state, i);
	}
	for (size_t n = 0; n < good.len; n++) {
		assert_good(blobs_save_state(s->blobs, one, view_of(good.data, n)));
		assert_refused(load(s, 3), E_INTEGRITY);
		assert_refused(check(s, 3), E_INTEGRITY);
	}
	assert_good(blobs_save_state(s->blobs, one, view_buf(&good)));
	assert_good(load(s, 10));
	assert_good(load(s, 3));
}

/* What is not needed may be damaged; only who looks at all of it is told. */
static void load_needs_only_the_one_that_is_meant(void **state)
{
	const struct store *s = *state;
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf both = {0};

	assert_good(save(s, 0, 3));
	assert_good(blobs_load_state(s->blobs, one, &first));
	assert_good(save(s, 0, 10));
	assert_good(blobs_load_state(s->blobs, one, &both));
	kit_flip(s->kit, one_state, both.len - 1);
	assert_good(load(s, 10));
	assert_refused(load(s, 3), E_INTEGRITY);
	assert_refused(check(s, 10), E_INTEGRITY);
	kit_flip(s->kit, one_state, both.len - 1);
	kit_flip(s->kit, one_state, both.len - first.len - 1);
	assert_good(load(s, 3));
	assert_refused(load(s, 10), E_INTEGRITY);
	assert_refused(check(s, 3), E_INTEGRITY);
}

/* As the first versions wrote it: one, with nothing around it. */
static void load_of_a_bare_one_succeeds(void **state)
{
	const struct store *s = *state;
	CLEANUP(buf_done) struct buf file = {0};

	assert_good(save(s, 2, 10));
	assert_good(blobs_load_state(s->blobs, one, &file));
	assert_good(blobs_save_state(s->blobs, one, view_of(file.data + 4, file.len - 4)));
	assert_good(load(s, 2 * AGE_CHUNK + 10));
	assert_good(check(s, 2 * AGE_CHUNK + 10));
	assert_good(save(s, 3, 10));
	assert_good(load(s, 2 * AGE_CHUNK + 10));
}

/* Sealed under the right key, but not what a state looks like. */
static void load_of_what_is_none_inside_is_refused(void **state)
{
	const struct store *s = *state;
	CLEANUP(mem_free) uint8_t *large = mem_new(AGE_CHUNK + 1);
	struct resume_state wrong[] = {
	    {.digest = view_of(digest, sizeof digest - 1)},
	    {.digest = view_of(NULL, 0)},
	    {.digest = view_of(digest, sizeof digest), .tail = view_of(large, AGE_CHUNK + 1)},
	    {.digest = view_of(digest, sizeof digest), .sealed = UINT64_MAX / AGE_CHUNK + 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		uint64_t size = wrong[i].sealed * AGE_CHUNK + wrong[i].tail.len;
		assert_good(blobs_forget_state(s->blobs, one));
		assert_good(resume_save(s->blobs, s->keys, one, s->key, &wrong[i]));
		assert_refused(load(s, size), E_INTEGRITY);
		assert_refused(check(s, size), E_INTEGRITY);
	}
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(save_and_load_agree_for_every_tail),
	    CASE(save_keeps_the_one_before_and_no_more),
	    CASE(load_of_another_length_is_refused),
	    CASE(load_for_another_blob_or_key_is_refused),
	    CASE(every_changed_or_missing_byte_is_found),
	    CASE(load_needs_only_the_one_that_is_meant),
	    CASE(load_of_a_bare_one_succeeds),
	    CASE(load_of_what_is_none_inside_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
