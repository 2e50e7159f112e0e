/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads that begin without a blob: those that never need one, and the way to one. */
#include "put_rig.h"

static void stores(const struct rig *r, unsigned count)
{
	assert_int_equal(r->k->asks[VERB_PUT_STORE], count);
}

/* --- files of one chunk --- */

static void close_of_one_chunk_needs_no_blob(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {0, 1, 5000, CHUNK - 1, CHUNK};
	static const size_t pieces[] = {CHUNK, 4093};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned j = 0; j < ARRAY_LEN(pieces); j++) {
			unsigned sealed = fake_sealed;
			open_put(r, PUT_CREATE | PUT_TRUNCATE);
			put_range(r, 0, sizes[i], pieces[j]);
			assert_int_equal(close_put(r), 0);
			expect_published(r, sizes[i]);
			assert_int_equal(fake_sealed, sealed + 1);
		}
	stores(r, 0);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 0);
}

static void close_of_more_asks_for_a_blob_once(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {CHUNK + 1, 2 * CHUNK, 40 * CHUNK + 7};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, sizes[i], 30000);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i]);
		stores(r, i + 1);
	}
}

static void write_backwards_within_a_chunk_needs_no_blob(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (uint64_t at = CHUNK; at > 0; at -= 4096)
		put_range(r, at - 4096, 4096, 4096);
	memcpy(model + 77, other, 500);
	put_range(r, 77, 500, 100);
	assert_int_equal(close_put(r), 0);
	expect_published(r, CHUNK);
	stores(r, 0);
}

/* Behind the first chunk first: nothing can be sealed until it is complete. */
static void write_of_the_second_chunk_first_asks_when_one_is_complete(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, CHUNK, 100, 100);
	put_range(r, 1, CHUNK - 1, 32768);
	rest(r);
	stores(r, 0);
	put_range(r, 0, 1, 1);
	rest(r);
	stores(r, 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, CHUNK + 100);
}

/* --- the size as the client sets it --- */

static void truncate_up_and_down_within_a_chunk_needs_no_blob(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 1000, 1000);
	assert_int_equal(put_truncate(r->p, 60000), 0);
	assert_int_equal(put_truncate(r->p, 500), 0);
	put_range(r, 500, 3000, 3000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 3500);
	stores(r, 0);
}

/* Only what can be sealed needs a place: a declared length alone does not. */
static void truncate_up_beyond_a_chunk_asks_when_there_is_something_to_seal(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(put_truncate(r->p, 3 * CHUNK), 0);
	rest(r);
	put_range(r, 0, CHUNK - 1, 20000);
	rest(r);
	stores(r, 0);
	put_range(r, CHUNK - 1, 2 * CHUNK + 1, 20000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 3 * CHUNK);
	stores(r, 1);
}

/* The first chunk is sealed by then, as not the last: what is left goes under another key. */
static void truncate_down_to_a_chunk_after_more_rekeys(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK, CHUNK);
	rest(r);
	assert_int_equal(put_truncate(r->p, 0), 0);
	put_range(r, 0, 300, 300);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 300);
	stores(r, 1);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

/* --- while the ask is out --- */

/* The window takes what comes meanwhile, and other bytes for the first chunk cost nothing yet. */
static void writes_go_on_while_the_blob_is_made(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0;

	r->k->delay_ms = 50;
	open_put(r, PUT_CREATE);
	while (at < 4 << 20 && put_write(r->p, at, view_of(model + at, 50000)) == 0)
		at += 50000;
	assert_in_range(at, PUT_WINDOW * CHUNK - 50000, PUT_WINDOW * CHUNK);
	memcpy(model + 100, other, 20);
	assert_int_equal(put_write(r->p, 100, view_of(model + 100, 20)), 0);
	put_range(r, at, 100000, 50000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, at + 100000);
	stores(r, 1);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void close_while_the_blob_is_made_publishes(void **state)
{
	struct rig *r = *state;

	r->k->delay_ms = 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK, CHUNK);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 2 * CHUNK);
	stores(r, 1);
}

static void abandon_while_the_blob_is_made_is_clean(void **state)
{
	struct rig *r = *state;

	r->k->delay_ms = 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK + 9, CHUNK);
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, 2 * CHUNK + 9);
	stores(r, 1);
}

static void yield_while_the_blob_is_made_is_clean(void **state)
{
	struct rig *r = *state;

	r->k->delay_ms = 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, CHUNK + 9, CHUNK);
	assert_true(put_yield(&r->loop, put_number(r->p)));
	assert_true(r->yielded);
	r->p = NULL;
	rest(r);
	expect_clean(r, CHUNK + 9);
}

static void sync_waits_for_the_blob(void **state)
{
	struct rig *r = *state;

	r->k->delay_ms = 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 3 * CHUNK + 5, CHUNK);
	put_sync(r->p, on_synced, r);
	assert_false(r->synced);
	run_until(r, &r->synced);
	assert_int_equal(r->sync_rc, 0);
	fake_blob_read(&r->k->blob, 3 * CHUNK, false, got);
	assert_memory_equal(got, model, 3 * CHUNK);
	assert_int_equal(close_put(r), 0);
}

/* Nothing is complete, so nothing has to be made durable. */
static void sync_of_less_than_a_chunk_needs_no_blob(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 5000, 5000);
	put_sync(r->p, on_synced, r);
	run_until(r, &r->synced);
	assert_int_equal(r->sync_rc, 0);
	stores(r, 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 5000);
}

/* --- left unfinished --- */

static void abandon_within_a_chunk_asks_for_a_blob_and_is_clean(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {1, 40000, CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, sizes[i], 1000);
		assert_int_equal(abandon_put(r), 0);
		expect_clean(r, sizes[i]);
		stores(r, i + 1);
		open_put(r, 0);
		put_range(r, sizes[i], 10, 10);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i] + 10);
		stores(r, i + 1); /* what was suspended has its blob */
	}
}

static void abandon_of_nothing_asks_for_nothing(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(abandon_put(r), 0);
	expect_nothing(r);
	open_put(r, PUT_CREATE);
	put_range(r, 500, 10, 10); /* behind a hole: that is not kept */
	assert_int_equal(abandon_put(r), 0);
	expect_nothing(r);
	stores(r, 0);
}

/* --- refused, or failing --- */

static void store_that_is_refused_is_final_and_leaves_nothing(void **state)
{
	struct rig *r = *state;
	static const int codes[] = {E_FULL, E_IO, E_GONE};

	for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
		int rc = 0;
		r->k->refuse = VERB_PUT_STORE;
		r->k->refuse_rc = codes[i];
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		for (uint64_t at = 0; !rc && at < 100 * CHUNK; at += CHUNK)
			rc = try_put(r, at, model + at, CHUNK);
		assert_int_equal(rc, codes[i]);
		assert_string_equal(r->text, "refused by the fake keep");
		assert_int_equal(close_put(r), codes[i]);
		expect_nothing(r);
		stores(r, i + 1);
	}
	assert_int_equal(r->k->asks[VERB_PUT_FINISH] + r->k->asks[VERB_PUT_DROP], 0);
}

static void store_that_is_refused_at_the_end_leaves_nothing(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_STORE;
	r->k->refuse_rc = E_FULL;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 100, 100);
	assert_int_equal(abandon_put(r), E_FULL);
	expect_nothing(r);
	stores(r, 1);
}

static void store_without_a_descriptor_ends_the_upload(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	r->k->no_fds = true;
	put_range(r, 0, 2 * CHUNK, CHUNK);
	r->k->bare = true; /* what the keep would say of it is another story */
	assert_int_equal(close_put(r), E_PROTOCOL);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
	assert_false(r->k->clean);
	assert_int_equal(r->k->durable, 0);
}

static void finish_that_is_refused_is_told(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_FINISH;
	r->k->refuse_rc = E_QUOTA;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 100, 100);
	assert_int_equal(close_put(r), E_QUOTA);
	assert_string_equal(r->text, "refused by the fake keep");
}

/* --- going on from a file of one chunk --- */

static void append_within_a_chunk_needs_no_blob(void **state)
{
	struct rig *r = *state;
	static const size_t sizes[] = {0, 1, 1000, CHUNK - 7, CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t more = CHUNK - sizes[i] < 7 ? CHUNK - sizes[i] : 7;
		give_source(r, sizes[i]);
		open_put(r, 0);
		assert_int_equal(put_size(r->p), sizes[i]);
		put_range(r, sizes[i], more, 3);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i] + more);
	}
	stores(r, 0);
}

static void append_beyond_a_chunk_asks_for_a_blob(void **state)
{
	struct rig *r = *state;

	give_source(r, CHUNK);
	open_put(r, 0);
	put_range(r, CHUNK, 1, 1);
	rest(r);
	stores(r, 1);
	memcpy(model + 10, other, 5); /* what was there before is sealed by now */
	put_range(r, 10, 5, 5);
	assert_int_equal(close_put(r), 0);
	expect_published(r, CHUNK + 1);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void write_over_a_tiny_file_replaces(void **state)
{
	struct rig *r = *state;

	give_source(r, 40000);
	open_put(r, 0);
	memcpy(model + 39000, other, 2000);
	put_range(r, 39000, 2000, 2000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 41000);
	stores(r, 0);
}

static void cut_of_a_tiny_file_then_more_publishes(void **state)
{
	struct rig *r = *state;

	give_source(r, 40000);
	open_put(r, 0);
	assert_int_equal(put_truncate(r->p, 100), 0);
	memcpy(model + 100, other, 50);
	put_range(r, 100, 50, 50);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 150);
	stores(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(close_of_one_chunk_needs_no_blob),
	    CASE(close_of_more_asks_for_a_blob_once),
	    CASE(write_backwards_within_a_chunk_needs_no_blob),
	    CASE(write_of_the_second_chunk_first_asks_when_one_is_complete),
	    CASE(truncate_up_and_down_within_a_chunk_needs_no_blob),
	    CASE(truncate_up_beyond_a_chunk_asks_when_there_is_something_to_seal),
	    CASE(truncate_down_to_a_chunk_after_more_rekeys),
	    CASE(writes_go_on_while_the_blob_is_made),
	    CASE(close_while_the_blob_is_made_publishes),
	    CASE(abandon_while_the_blob_is_made_is_clean),
	    CASE(yield_while_the_blob_is_made_is_clean),
	    CASE(sync_waits_for_the_blob),
	    CASE(sync_of_less_than_a_chunk_needs_no_blob),
	    CASE(abandon_within_a_chunk_asks_for_a_blob_and_is_clean),
	    CASE(abandon_of_nothing_asks_for_nothing),
	    CASE(store_that_is_refused_is_final_and_leaves_nothing),
	    CASE(store_that_is_refused_at_the_end_leaves_nothing),
	    CASE(store_without_a_descriptor_ends_the_upload),
	    CASE(finish_that_is_refused_is_told),
	    CASE(append_within_a_chunk_needs_no_blob),
	    CASE(append_beyond_a_chunk_asks_for_a_blob),
	    CASE(write_over_a_tiny_file_replaces),
	    CASE(cut_of_a_tiny_file_then_more_publishes),
	};

	(void)alarm(300); /* an upload that waits for ever */
	return cmocka_run_group_tests_name("gate/put, bare", tests, NULL, NULL);
}
