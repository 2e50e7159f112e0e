/* SPDX-License-Identifier: Apache-2.0 */
#include "put_rig.h"

#include <unistd.h>

static const uint64_t awkward[] = {
    0, 1, 65535, 65536, 65537, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 10 * CHUNK, 3000001};

/* --- in order --- */

static void write_in_order_of_any_size_publishes(void **state)
{
	struct rig *r = *state;
	static const size_t pieces[] = {32768, 1, 4093, 65536, 262144};

	for (unsigned i = 0; i < ARRAY_LEN(awkward); i++)
		for (unsigned j = 0; j < ARRAY_LEN(pieces); j++) {
			if (pieces[j] == 1 && awkward[i] > 2 * CHUNK + 1)
				continue;
			open_put(r, PUT_CREATE | PUT_TRUNCATE);
			put_range(r, 0, awkward[i], pieces[j]);
			assert_int_equal(put_size(r->p), awkward[i]);
			assert_int_equal(close_put(r), 0);
			expect_published(r, awkward[i]);
		}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void write_of_nothing_changes_nothing(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(put_write(r->p, 12345678, view_of(NULL, 0)), 0);
	assert_int_equal(put_size(r->p), 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 0);
}

static void close_with_jobs_in_flight_publishes(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0;

	open_put(r, PUT_CREATE);
	while (at < 4 << 20 && put_write(r->p, at, view_of(model + at, 50000)) == 0)
		at += 50000;
	assert_true(at > 1 << 20); /* the window takes that without a turn of the loop */
	assert_true(at < 4 << 20); /* and has an end */
	/* what was not taken is sent no more: at is the size */
	assert_int_equal(close_put(r), 0);
	expect_published(r, at);
}

static void publish_hands_on_the_time_of_the_file(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_set_mtime(r->p, 1234567890);
	assert_int_equal(close_put(r), 0);
	assert_int_equal(r->k->mtime_s, 1234567890);
	open_put(r, PUT_CREATE);
	assert_int_equal(close_put(r), 0);
	assert_true(r->k->mtime_s == TIME_UNKNOWN);
}

static void write_waits_in_constant_memory(void **state)
{
	struct rig *r = *state;

	r->k->delay_ms = 1;
	open_put(r, PUT_CREATE);
	for (int round = 0; round < 3; round++)
		put_range(r, (uint64_t)round * 4000000, 4000000, 32768);
	assert_true(r->agains > 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 12000000);
}

/* --- out of order --- */

/* Nothing is moved further than reach. */
static void shuffle(uint32_t *order, unsigned count, unsigned reach)
{
	for (unsigned i = 0; i < count; i++)
		order[i] = i;
	for (unsigned i = 0; i < count; i++) {
		unsigned end = (i / reach + 1) * reach < count ? (i / reach + 1) * reach : count;
		unsigned j = i + draw(end - i);
		uint32_t t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
}

static void write_shuffled_within_the_window_publishes(void **state)
{
	struct rig *r = *state;
	static uint32_t order[400];

	for (unsigned round = 0; round < 8; round++) {
		unsigned piece = 1000 + draw(30000), reach = 1 + draw(1000000 / piece);
		shuffle(order, 400, reach);
		uint64_t size = (uint64_t)400 * piece;
		if (size > MODEL_MAX)
			continue;
		open_put(r, PUT_CREATE);
		for (unsigned i = 0; i < 400; i++)
			put_range(r, (uint64_t)order[i] * piece, piece, piece);
		assert_int_equal(close_put(r), 0);
		expect_published(r, size);
	}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

/* Whole chunks need no room for long: they are sealed far ahead of the digest, which reads them
 * back when the hole is filled. */
static void write_backwards_beyond_the_window_publishes(void **state)
{
	struct rig *r = *state;
	uint64_t size = 100 * CHUNK + 77;
	unsigned opened = fake_opened;

	open_put(r, PUT_CREATE);
	put_range(r, 100 * CHUNK, 77, 77);
	for (int i = 99; i >= 0; i--)
		put_range(r, (uint64_t)i * CHUNK, CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	assert_true(fake_opened > opened + 60);
	expect_published(r, size);
}

static void write_every_other_chunk_first_publishes(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (unsigned odd = 0; odd < 2; odd++)
		for (uint64_t i = 1 - odd; i < 120; i += 2)
			put_range(r, i * CHUNK, CHUNK, CHUNK);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 120 * CHUNK);
}

static void write_alternate_bytes_publishes(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (unsigned odd = 0; odd < 2; odd++)
		for (uint64_t i = odd; i < 1500; i += 2)
			put_range(r, i, 1, 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 1500);
}

static void write_too_scattered_in_one_chunk_is_refused(void **state)
{
	struct rig *r = *state;
	int rc = 0;

	open_put(r, PUT_CREATE);
	for (uint64_t i = 0; !rc && i < 5000; i += 2)
		rc = try_put(r, i, model + i, 1);
	assert_int_equal(rc, E_LIMIT);
	assert_int_equal(close_put(r), E_LIMIT);
	assert_false(r->k->published);
	assert_true(r->k->partial);
}

static void write_too_far_apart_is_refused_with_a_sentence(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (uint64_t i = 0; i < PUT_WINDOW; i++)
		put_range(r, i * 3 * CHUNK, 1000, 1000);
	assert_int_equal(try_put(r, 9999999, model, 10), E_LIMIT);
	assert_non_null(strstr(r->text, "too far apart"));
	assert_int_equal(try_put(r, 0, model, 10), E_LIMIT); /* final */
	assert_int_equal(close_put(r), E_LIMIT);
	expect_clean(r, 1000);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 0);
}

static void write_far_apart_goes_on_where_pieces_come_together(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (uint64_t i = 0; i < PUT_WINDOW; i++)
		put_range(r, i * CHUNK, 1000, 1000);
	for (uint64_t i = 0; i < PUT_WINDOW; i++)
		put_range(r, i * CHUNK + 1000, CHUNK - 1000, 4096);
	put_range(r, PUT_WINDOW * CHUNK, 5, 5);
	assert_int_equal(close_put(r), 0);
	expect_published(r, PUT_WINDOW * CHUNK + 5);
}

/* The chunk held back at the end is what stands in the way. */
static void write_behind_a_full_window_frees_the_held_back_chunk(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (uint64_t i = 0; i + 1 < PUT_WINDOW; i++)
		put_range(r, i * CHUNK, 1000, 1000);
	put_range(r, (PUT_WINDOW - 1) * CHUNK, CHUNK, CHUNK);
	rest(r);
	put_range(r, PUT_WINDOW * CHUNK, 9, 9);
	put_range(r, 0, PUT_WINDOW * CHUNK, 20000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, PUT_WINDOW * CHUNK + 9);
}

static void write_beyond_any_file_is_refused(void **state)
{
	struct rig *r = *state;
	static const uint64_t offsets[] = {AGE_PLAIN_MAX, AGE_PLAIN_MAX - 9, INT64_MAX,
					   UINT64_MAX - 5, UINT64_MAX};

	for (unsigned i = 0; i < ARRAY_LEN(offsets); i++) {
		open_put(r, PUT_CREATE);
		assert_int_equal(try_put(r, offsets[i], model, 10), E_LIMIT);
		assert_int_equal(abandon_put(r), E_LIMIT);
	}
	open_put(r, PUT_CREATE);
	assert_int_equal(try_put(r, 0, model, PUT_WRITE_MAX + 1), E_LIMIT);
	assert_int_equal(abandon_put(r), E_LIMIT);
}

static void write_of_the_most_at_once_publishes(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 5 << 20, PUT_WRITE_MAX);
	put_range(r, 5 << 20, 4000000, PUT_WRITE_MAX - 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, (5 << 20) + 4000000);
}

/* --- over what is there --- */

static void write_again_unsealed_replaces(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(try_put(r, 0, other, CHUNK), 0); /* held back: nothing follows */
	rest(r);
	put_range(r, 0, CHUNK, 1000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, CHUNK);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void write_again_the_same_succeeds(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 60 * CHUNK, 32768);
	put_range(r, 40 * CHUNK + 5, 15 * CHUNK, 33333); /* at times still in the window */
	rest(r);
	put_range(r, 0, 60 * CHUNK, 200001); /* read back */
	assert_int_equal(close_put(r), 0);
	expect_published(r, 60 * CHUNK);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void write_again_differently_rekeys(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 50 * CHUNK, 32768);
	rest(r);
	memcpy(model + 20 * CHUNK - 10, other, 20);
	put_range(r, 20 * CHUNK - 10, 20, 20);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
	put_range(r, 50 * CHUNK, 10 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 60 * CHUNK);
}

static void write_again_differently_in_flight_rekeys(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 12 * CHUNK, CHUNK); /* jobs are under way */
	memcpy(model + 100, other, 20);
	put_range(r, 100, 20, 20);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 12 * CHUNK);
}

static void write_of_a_late_header_rekeys_once(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (int i = 0; i < 44; i++)
		model[i] = 0;
	put_range(r, 0, 3000000, 32768);
	fill(model, 44, 9);
	put_range(r, 0, 44, 44);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 3000000);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void write_again_differently_too_often_is_refused(void **state)
{
	struct rig *r = *state;
	int rc = 0;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 4 * CHUNK, CHUNK);
	for (unsigned i = 0; i < 3; i++) {
		rest(r);
		model[CHUNK]++;
		put_range(r, CHUNK, 10, 10);
		put_range(r, 4 * CHUNK + i * 1000, 1000, 1000); /* appending brings the rest over */
		rest(r);
	}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 3);
	model[CHUNK]++;
	rc = try_put(r, CHUNK, model + CHUNK, 10);
	assert_int_equal(rc, E_LIMIT);
	assert_non_null(strstr(r->text, "too often"));
	model[CHUNK]--;
	assert_int_equal(close_put(r), E_LIMIT);
	expect_clean(r, 4 * CHUNK + 3000);
}

/* Chunks far ahead of a hole come along into the new blob. */
static void rekey_with_a_hole_keeps_what_is_behind_it(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 10 * CHUNK, CHUNK);
	put_range(r, 20 * CHUNK, 60 * CHUNK, CHUNK);
	rest(r);
	memcpy(model + 30 * CHUNK, other, 5);
	put_range(r, 30 * CHUNK, 5, 5);
	put_range(r, 10 * CHUNK, 10 * CHUNK, CHUNK);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 80 * CHUNK);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void rekey_without_a_beginning_keeps_what_fits_the_window(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 2 * CHUNK, 20 * CHUNK + 100, CHUNK);
	rest(r);
	memcpy(model + 3 * CHUNK, other, 5);
	put_range(r, 3 * CHUNK, 5, 5);
	put_range(r, 0, 2 * CHUNK, CHUNK);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 22 * CHUNK + 100);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void rekey_without_a_beginning_of_much_is_refused(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 2 * CHUNK, 60 * CHUNK, CHUNK);
	rest(r);
	assert_int_equal(try_put(r, 3 * CHUNK, other, 5), E_LIMIT);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
	assert_int_equal(abandon_put(r), E_LIMIT);
	expect_unclean(r, 0);
}

static void rekey_that_is_refused_ends_the_upload(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_REKEY;
	r->k->refuse_rc = E_FULL;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 10 * CHUNK + 1, CHUNK);
	rest(r);
	assert_int_equal(try_put(r, 9 * CHUNK, other, 10), E_FULL);
	assert_string_equal(r->text, "refused by the fake keep");
	assert_int_equal(close_put(r), E_FULL);
	expect_unclean(r, 10 * CHUNK);
}

static void abandon_while_rekeying_leaves_what_is_durable(void **state)
{
	struct rig *r = *state;

	/* the comparison comes back, the re-keying begins, the owner goes at some point of it */
	for (unsigned turns = 0; turns < 12; turns++) {
		unsigned rekeys = r->k->asks[VERB_PUT_REKEY];
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, 10 * CHUNK + 1, CHUNK);
		rest(r);
		for (unsigned i = 0; i < turns; i++) {
			if (put_write(r->p, 9 * CHUNK, view_of(other, 10)) != E_AGAIN)
				break;
			(void)uv_run(&r->loop, UV_RUN_ONCE);
		}
		assert_int_equal(abandon_put(r), 0);
		assert_true(r->k->partial);
		if (r->k->clean)
			expect_clean(r, 10 * CHUNK + 1);
		else if (r->k->asks[VERB_PUT_REKEY] == rekeys)
			expect_unclean(r, 10 * CHUNK);
		else
			expect_unclean(r, 0); /* the lease has the old blob as its prefix */
	}
	assert_int_not_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

/* --- holes --- */

static void close_with_a_hole_leaves_a_partial(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 3 * CHUNK + 100, 32768);
	put_range(r, 3 * CHUNK + 200, 1000, 1000); /* not sealed: the resume stays clean */
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	expect_clean(r, 3 * CHUNK + 100);

	open_put(r, 0);
	assert_int_equal(put_size(r->p), 3 * CHUNK + 100);
	put_range(r, 3 * CHUNK + 100, 5 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 8 * CHUNK + 100);
}

static void close_with_a_hole_before_sealed_chunks_is_not_clean(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 3 * CHUNK + 100, 32768);
	put_range(r, 5 * CHUNK, 3 * CHUNK, 32768);
	rest(r);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	expect_unclean(r, 3 * CHUNK);

	open_put(r, 0);
	assert_int_equal(put_size(r->p), 3 * CHUNK);
	put_range(r, 3 * CHUNK, 5 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 8 * CHUNK);
}

static void close_with_nothing_at_the_beginning_leaves_nothing(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 1, 100, 100);
	assert_int_equal(close_put(r), 0);
	expect_clean(r, 0);
}

static void close_before_the_declared_length_leaves_a_partial(void **state)
{
	struct rig *r = *state;

	assert_int_equal(open_put_declared(r, PUT_CREATE, 100000), 0);
	put_range(r, 0, 99999, 32768);
	assert_int_equal(close_put(r), 0);
	assert_non_null(strstr(r->text, "unfinished"));
	expect_clean(r, 99999);
	assert_int_equal(open_put_declared(r, 0, 100000), 0);
	put_range(r, 99999, 1, 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 100000);
}

/* --- truncation --- */

static void truncate_to_nothing_first_is_an_empty_start(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(put_truncate(r->p, 0), 0);
	put_range(r, 0, 5 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 5 * CHUNK);
	open_put(r, PUT_CREATE);
	assert_int_equal(put_truncate(r->p, 0), 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 0);
}

/* OpenSSH's reput, interrupted. */
static void truncate_below_then_close_keeps_the_offset_before(void **state)
{
	struct rig *r = *state;
	static const uint64_t to[] = {0, 1, 65536, 3 * CHUNK + 49, 3 * CHUNK + 50 - CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
		uint64_t size = 3 * CHUNK + 50;
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, size, 32768);
		if (i & 1)
			rest(r);
		assert_int_equal(put_truncate(r->p, to[i]), 0);
		assert_int_equal(put_size(r->p), to[i]);
		assert_int_equal(close_put(r), 0);
		assert_false(r->k->published);
		expect_clean(r, size);
		open_put(r, 0);
		put_range(r, size, CHUNK, 32768);
		assert_int_equal(close_put(r), 0);
		expect_published(r, size + CHUNK);
		r->k->published = false;
	}
}

static void truncate_below_twice_then_close_keeps_the_first_offset(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100000, 32768);
	assert_int_equal(put_truncate(r->p, 90000), 0);
	put_range(r, 10, 20, 20); /* no growth: still the shrink */
	assert_int_equal(put_truncate(r->p, 0), 0);
	assert_int_equal(close_put(r), 0);
	expect_clean(r, 100000);
}

static void truncate_then_abandon_keeps_the_offset_before(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100000, 32768);
	assert_int_equal(put_truncate(r->p, 5), 0);
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, 100000);
}

static void truncate_then_other_bytes_publishes_them(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {1, 100, CHUNK, CHUNK + 1, 9 * CHUNK, 12 * CHUNK + 5};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned settled = 0; settled < 2; settled++) {
			open_put(r, PUT_CREATE | PUT_TRUNCATE);
			for (uint64_t at = 0; at < 9 * CHUNK; at += CHUNK)
				assert_int_equal(try_put(r, at, other + at, CHUNK), 0);
			if (settled)
				rest(r);
			assert_int_equal(put_truncate(r->p, 0), 0);
			put_range(r, 0, sizes[i], 30000);
			assert_int_equal(put_size(r->p), sizes[i]);
			assert_int_equal(close_put(r), 0);
			expect_published(r, sizes[i]);
			r->k->published = false;
		}
}

static void truncate_then_the_same_bytes_publishes_without_another_key(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 9 * CHUNK + 10, CHUNK);
	rest(r);
	assert_int_equal(put_truncate(r->p, 0), 0);
	put_range(r, 0, 9 * CHUNK + 10, 30000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 9 * CHUNK + 10);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void truncate_then_fewer_of_the_same_bytes_publishes_these(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {10, CHUNK, CHUNK + 1, 5 * CHUNK, 8 * CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, 9 * CHUNK + 10, CHUNK);
		rest(r);
		assert_int_equal(put_truncate(r->p, 0), 0);
		put_range(r, 0, sizes[i], 30000);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i]);
		r->k->published = false;
	}
}

static void truncate_then_a_gap_leaves_a_hole_not_old_bytes(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 9 * CHUNK, CHUNK);
	rest(r);
	assert_int_equal(put_truncate(r->p, 10), 0);
	put_range(r, 2 * CHUNK, 8 * CHUNK, CHUNK);
	assert_int_equal(put_size(r->p), 10 * CHUNK);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	expect_unclean(r, 0);
}

static void truncate_within_the_tail_then_more_publishes_it(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, CHUNK + 1000, 10000);
	assert_int_equal(put_truncate(r->p, CHUNK + 500), 0);
	fill(model + CHUNK + 500, 100, 77);
	put_range(r, CHUNK + 500, 100, 100);
	assert_int_equal(close_put(r), 0);
	expect_published(r, CHUNK + 600);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void truncate_up_declares_a_length(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(put_truncate(r->p, 5 * CHUNK), 0);
	assert_int_equal(put_size(r->p), 5 * CHUNK);
	put_range(r, 0, 4 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	assert_true(r->k->clean);
	assert_int_equal(r->k->sealed, 4);
	open_put(r, 0);
	assert_int_equal(put_truncate(r->p, 5 * CHUNK), 0);
	put_range(r, 4 * CHUNK, CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 5 * CHUNK);
}

static void truncate_beyond_any_file_is_refused(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	assert_int_equal(put_truncate(r->p, UINT64_MAX), E_LIMIT);
	assert_int_equal(put_truncate(r->p, AGE_PLAIN_MAX + 1), E_LIMIT);
	err_clear();
	assert_int_equal(put_size(r->p), 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 0);
}

/* --- suspended and resumed --- */

static void abandon_at_any_size_resumes_where_it_was(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(awkward); i++)
		for (unsigned j = 0; j < ARRAY_LEN(awkward); j++) {
			if (awkward[j] < awkward[i])
				continue;
			open_put(r, PUT_CREATE | PUT_TRUNCATE);
			put_range(r, 0, awkward[i], 32768);
			assert_int_equal(abandon_put(r), 0);
			assert_string_equal(r->k->reason, "the line went dead");
			expect_clean(r, awkward[i]);
			open_put(r, 0);
			assert_int_equal(put_size(r->p), awkward[i]);
			put_range(r, awkward[i], awkward[j] - awkward[i], 40000);
			assert_int_equal(close_put(r), 0);
			expect_published(r, awkward[j]);
		}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void abandon_again_and_again_adds_up(void **state)
{
	struct rig *r = *state;
	uint64_t size = 0;

	for (unsigned i = 0; i < 60; i++) {
		uint64_t more = draw(5) == 0 ? 0 : draw(150000);
		open_put(r, PUT_CREATE);
		assert_int_equal(put_size(r->p), size);
		put_range(r, size, more, 32768);
		size += more;
		assert_int_equal(abandon_put(r), 0);
		expect_clean(r, size);
	}
	open_put(r, 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, size);
}

static void abandon_without_a_listener_ends_alone(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100000, 32768);
	put_abandon(TAKE(r->p), "nobody cares", NULL, NULL);
	assert_int_equal(put_count(), 1);
	rest(r);
	assert_int_equal(put_count(), 0);
	expect_clean(r, 100000);
}

static void resume_may_replace_the_tail(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK + 1000, 32768);
	assert_int_equal(abandon_put(r), 0);
	open_put(r, 0);
	fill(model + 2 * CHUNK + 100, 5000, 50);
	put_range(r, 2 * CHUNK + 100, 5000, 999);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 2 * CHUNK + 5100);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void resume_with_other_sealed_bytes_rekeys(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 20 * CHUNK + 1000, 32768);
	assert_int_equal(abandon_put(r), 0);
	open_put(r, 0);
	fill(model, 20 * CHUNK + 2000, 51);
	assert_int_equal(put_truncate(r->p, 0), 0);
	put_range(r, 0, 20 * CHUNK + 2000, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 20 * CHUNK + 2000);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void abandon_drops_what_is_behind_a_hole_and_stays_clean(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100, 100);
	put_range(r, CHUNK, 10, 10);
	put_range(r, 7 * CHUNK, CHUNK, CHUNK); /* complete, the last: held back */
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, 100);
}

static void abandon_with_jobs_in_flight_is_clean(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0;

	open_put(r, PUT_CREATE);
	while (at < 4 << 20 && put_write(r->p, at, view_of(model + at, 50000)) == 0)
		at += 50000;
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, at);
}

/* --- a content to go on from --- */

static void prefix_of_a_finished_file_is_kept(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(awkward); i++) {
		if (!awkward[i])
			continue;
		give_source(r, awkward[i]);
		open_put(r, 0);
		assert_int_equal(put_size(r->p), awkward[i]);
		assert_int_equal(close_put(r), 0); /* reopened and closed: the same again */
		expect_published(r, awkward[i]);
		give_source(r, awkward[i]);
		open_put(r, 0);
		put_range(r, awkward[i], 100000, 32768); /* reput */
		assert_int_equal(close_put(r), 0);
		expect_published(r, awkward[i] + 100000);
	}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void prefix_is_overwritten_anywhere_without_another_key(void **state)
{
	struct rig *r = *state;

	give_source(r, 90 * CHUNK + 17);
	open_put(r, 0);
	for (unsigned i = 0; i < 300; i++) { /* never further back than the window */
		uint64_t at = i * (60 * CHUNK / 300) + draw(8 * CHUNK), len = 1 + draw(5000);
		fill(model + at, len, 100 + i);
		put_range(r, at, len, 4096);
	}
	assert_int_equal(close_put(r), 0);
	expect_published(r, 90 * CHUNK + 17);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void prefix_and_appended_bytes_come_together(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK + 17);
	open_put(r, 0);
	put_range(r, 60 * CHUNK + 17, 60 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 120 * CHUNK + 17);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

static void prefix_cut_to_nothing_is_not_copied(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK);
	fill(model, 60 * CHUNK, 5);
	unsigned opened = fake_opened;
	open_put(r, 0);
	assert_int_equal(put_truncate(r->p, 0), 0);
	put_range(r, 0, 30 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	assert_int_equal(fake_opened, opened);
	expect_published(r, 30 * CHUNK);
}

static void prefix_cut_in_the_middle_then_grown_publishes(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK);
	open_put(r, 0);
	assert_int_equal(put_truncate(r->p, 10 * CHUNK + 5), 0);
	fill(model + 10 * CHUNK + 5, 60 * CHUNK, 5);
	put_range(r, 10 * CHUNK + 5, 20 * CHUNK, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 30 * CHUNK + 5);
}

static void prefix_cut_then_closed_stays_whole(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK + 9);
	open_put(r, 0);
	assert_int_equal(put_truncate(r->p, 10), 0);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	expect_clean(r, 60 * CHUNK + 9);
}

static void prefix_is_not_clean_before_it_is_copied(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK);
	open_put(r, 0);
	put_range(r, 60 * CHUNK, 1, 1);
	assert_int_equal(abandon_put(r), 0);
	assert_false(r->k->clean);
	assert_true(r->k->durable < 60 * CHUNK);
	expect_unclean(r, r->k->durable);
}

static void prefix_of_an_unclean_partial_goes_on(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 40 * CHUNK, CHUNK);
	put_range(r, 50 * CHUNK, 2 * CHUNK, CHUNK);
	rest(r);
	assert_int_equal(abandon_put(r), 0);
	expect_unclean(r, 40 * CHUNK);
	open_put(r, 0);
	assert_int_equal(put_size(r->p), 40 * CHUNK);
	put_range(r, 40 * CHUNK, 40 * CHUNK, 32768);
	rest(r);
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, 80 * CHUNK);
	open_put(r, 0);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 80 * CHUNK);
}

static void prefix_rewritten_while_it_is_copied_rekeys(void **state)
{
	struct rig *r = *state;

	give_source(r, 60 * CHUNK);
	open_put(r, 0);
	put_range(r, 60 * CHUNK, 100, 100); /* copying begins */
	for (int i = 0; i < 6; i++)
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	memcpy(model + 10, other, 10);
	put_range(r, 10, 10, 10);
	memcpy(model + 50 * CHUNK, other, 10);
	put_range(r, 50 * CHUNK, 10, 10);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 60 * CHUNK + 100);
}

static void spoil_bytes(const struct fake_blob *b, uint64_t at)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_int_equal(sys_open(AT_FDCWD, b->path, O_RDWR, 0, &fd), 0);
	assert_int_equal(sys_pread_all(fd, &byte, 1, at), 0);
	byte ^= 1;
	assert_int_equal(sys_pwrite_all(fd, &byte, 1, at), 0);
}

static void prefix_that_does_not_authenticate_is_final(void **state)
{
	struct rig *r = *state;

	give_source(r, 20 * CHUNK);
	spoil_bytes(&r->k->source, r->k->source.offset + 11 * AGE_SEALED_CHUNK + 5);
	open_put(r, 0);
	assert_int_equal(close_put(r), E_INTEGRITY);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
	assert_int_equal(r->k->dropped.code, -E_INTEGRITY);
}

static void prefix_that_ends_early_is_final(void **state)
{
	struct rig *r = *state;

	give_source(r, 20 * CHUNK + 5);
	assert_int_equal(truncate(r->k->source.path, 9 * AGE_SEALED_CHUNK), 0);
	open_put(r, 0);
	int rc = 0;
	for (uint64_t at = 20 * CHUNK + 5; !rc && at < 60 * CHUNK; at += CHUNK)
		rc = try_put(r, at, model + at, CHUNK);
	assert_int_equal(rc, E_INTEGRITY);
	assert_int_equal(close_put(r), E_INTEGRITY);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
}

static void readback_of_a_spoilt_chunk_is_final(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 20 * CHUNK, CHUNK);
	rest(r);
	spoil_bytes(&r->k->blob, r->k->blob.offset + 3 * AGE_SEALED_CHUNK);
	assert_int_equal(try_put(r, 3 * CHUNK, model + 3 * CHUNK, 10), E_INTEGRITY);
	assert_int_equal(close_put(r), E_INTEGRITY);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
}

/* --- yielding --- */

static void yield_of_a_flowing_put_suspends_it(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100000, 32768);
	assert_false(put_yield(&r->loop, put_number(r->p) + 1));
	assert_true(put_yield(&r->loop, put_number(r->p)));
	assert_true(r->yielded);
	rest(r);
	expect_clean(r, 100000);
	assert_non_null(strstr(r->k->reason, "took the upload over"));
	assert_false(put_yield(&r->loop, r->k->number));
}

static void yield_of_a_closing_put_lets_it_close(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 100000, 32768);
	put_close(TAKE(r->p), on_done, r);
	assert_true(put_yield(&r->loop, r->k->number));
	assert_false(r->yielded);
	run_until(r, &r->done);
	assert_int_equal(r->rc, 0);
	expect_published(r, 100000);
}

static void yield_of_an_unknown_number_finds_none(void **state)
{
	struct rig *r = *state;

	assert_false(put_yield(&r->loop, 0));
	put_open(&r->loop, r->k, 1, view_text("/acme/file"), PUT_CREATE, SIZE_UNKNOWN, on_opened,
		 r);
	assert_false(put_yield(&r->loop, 0)); /* not answered yet */
	run_until(r, &r->opened);
	assert_int_equal(abandon_put(r), 0);
}

/* --- failures --- */

static void failing_write_drops_the_upload(void **state)
{
	struct rig *r = *state;
	CLEANUP(sys_close) int fd = -1;
	int rc = 0;

	assert_int_equal(sys_open(AT_FDCWD, "/dev/null", O_RDONLY, 0, &fd), 0);
	r->k->bad_fd = fd;
	open_put(r, PUT_CREATE);
	for (uint64_t at = 0; !rc && at < 100 * CHUNK; at += CHUNK)
		rc = try_put(r, at, model + at, CHUNK);
	assert_int_equal(rc, E_IO);
	assert_true(strlen(r->text) > 5);
	assert_int_equal(try_put(r, 0, model, 10), E_IO);
	assert_int_equal(put_truncate(r->p, 10), E_IO);
	err_clear();
	assert_int_equal(close_put(r), E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
	assert_int_equal(r->k->dropped.code, -E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH] + r->k->asks[VERB_PUT_SUSPEND], 0);
}

static void failing_last_write_drops_the_upload(void **state)
{
	struct rig *r = *state;
	CLEANUP(sys_close) int fd = -1;

	assert_int_equal(sys_open(AT_FDCWD, "/dev/null", O_RDONLY, 0, &fd), 0);
	r->k->bad_fd = fd;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 5, 5);
	assert_int_equal(close_put(r), E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
}

static void full_disk_leaves_a_partial(void **state)
{
	struct rig *r = *state;
	CLEANUP(sys_close) int fd = -1;
	int rc = 0;

	assert_int_equal(sys_open(AT_FDCWD, "/dev/full", O_RDWR, 0, &fd), 0);
	r->k->bad_fd = fd;
	open_put(r, PUT_CREATE);
	for (uint64_t at = 0; !rc && at < 100 * CHUNK; at += CHUNK)
		rc = try_put(r, at, model + at, CHUNK);
	assert_int_equal(rc, E_FULL);
	/* /dev/full cannot be synced either: then nothing of it may be kept */
	assert_int_equal(close_put(r), E_FULL);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
}

static void failing_sync_drops_the_upload(void **state)
{
	struct rig *r = *state;

	for (unsigned how = 0; how < 3; how++) {
		r->synced = false;
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, 5 * CHUNK, CHUNK);
		fake_fail_sync = 1;
		if (how == 0) {
			assert_int_equal(close_put(r), E_IO);
		} else if (how == 1) {
			assert_int_equal(abandon_put(r), E_IO);
		} else {
			put_sync(r->p, on_synced, r);
			run_until(r, &r->synced);
			assert_int_equal(r->sync_rc, E_IO);
			assert_int_equal(try_put(r, 5 * CHUNK, model, 10), E_IO);
			assert_int_equal(close_put(r), E_IO);
		}
		assert_non_null(strstr(r->text, "the disk is gone"));
		assert_int_equal(r->k->asks[VERB_PUT_DROP], how + 1);
	}
	assert_int_equal(r->k->asks[VERB_PUT_FINISH] + r->k->asks[VERB_PUT_SUSPEND], 0);
}

static void failing_sync_while_rekeying_drops_the_upload(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 5 * CHUNK, CHUNK);
	rest(r);
	fake_fail_sync = 1;
	assert_int_equal(try_put(r, 0, other, 10), E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
	assert_int_equal(abandon_put(r), E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
}

static void finish_that_is_refused_is_told(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_FINISH;
	r->k->refuse_rc = E_TAKEN;
	open_put(r, PUT_CREATE);
	assert_int_equal(close_put(r), E_TAKEN);
	assert_string_equal(r->text, "refused by the fake keep");
}

static void open_that_is_refused_is_told(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_OPEN;
	r->k->refuse_rc = E_DENIED;
	assert_int_equal(open_put_declared(r, PUT_CREATE, SIZE_UNKNOWN), E_DENIED);
	assert_null(r->p);
	assert_string_equal(r->text, "refused by the fake keep");
	assert_int_equal(put_count(), 0);
}

static void spoil_size(struct lease *l)
{
	l->size = UINT64_MAX;
}

static void spoil_sealed(struct lease *l)
{
	l->sealed = 3;
}

static void spoil_prefix(struct lease *l)
{
	l->prefix = 5;
}

static void spoil_tail(struct lease *l)
{
	l->tail = view_of(other, CHUNK + 1);
	l->size = CHUNK + 1;
}

static void spoil_offset(struct lease *l)
{
	l->blob_offset = UINT64_MAX - 10;
}

static void spoil_digest(struct lease *l)
{
	l->size = CHUNK;
	l->sealed = 1;
	l->digest = view_of(other, SHA256_STATE_SIZE);
}

static void open_with_a_senseless_lease_is_given_back(void **state)
{
	struct rig *r = *state;
	static void (*const how[])(struct lease *) = {spoil_size, spoil_sealed, spoil_prefix,
						      spoil_tail, spoil_offset, spoil_digest};

	for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
		r->k->spoil = how[i];
		int rc = open_put_declared(r, PUT_CREATE | PUT_TRUNCATE, SIZE_UNKNOWN);
		assert_true(rc == E_PROTOCOL || rc == E_INVALID);
		assert_null(r->p);
		rest(r);
		assert_int_equal(put_count(), 0);
		assert_int_equal(r->k->asks[VERB_PUT_SUSPEND], i + 1);
		assert_false(r->k->clean);
	}
	r->k->spoil = NULL;
	r->k->no_fds = true;
	assert_int_equal(open_put_declared(r, PUT_CREATE | PUT_TRUNCATE, SIZE_UNKNOWN), E_PROTOCOL);
	rest(r);
}

static void rekey_with_a_senseless_lease_ends_the_upload(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 5 * CHUNK, CHUNK);
	rest(r);
	r->k->no_fds = true;
	assert_int_equal(try_put(r, CHUNK, other, 10), E_PROTOCOL);
	assert_int_equal(close_put(r), E_PROTOCOL);
	expect_unclean(r, 0);
}

/* --- quota --- */

static void write_within_the_quota_to_its_last_byte_publishes(void **state)
{
	struct rig *r = *state;
	uint64_t quota = 5 * CHUNK * 10 + 123;

	r->k->quota = quota;
	r->k->first_grant = 1 << 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, quota, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, quota);
	assert_true(r->k->asks[VERB_PUT_EXTEND] < 40);
}

static void write_over_the_quota_is_refused_and_can_be_resumed(void **state)
{
	struct rig *r = *state;
	uint64_t quota = 50 * CHUNK + 123;

	r->k->quota = quota;
	r->k->first_grant = 1 << 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, quota, 32768);
	assert_int_equal(try_put(r, quota, model + quota, 1), E_QUOTA);
	assert_string_equal(r->text, "the zone is full, says the fake keep");
	assert_int_equal(close_put(r), E_QUOTA);
	assert_string_equal(r->text, "the zone is full, says the fake keep");
	expect_clean(r, quota);
	r->k->quota = quota * 2;
	open_put(r, 0);
	put_range(r, quota, 100, 100);
	assert_int_equal(close_put(r), 0);
	expect_published(r, quota + 100);
}

static void reservation_is_asked_for_ahead_of_need(void **state)
{
	struct rig *r = *state;

	r->k->first_grant = 1 << 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 1000, 1000);
	rest(r);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 1);
	assert_int_equal(r->k->wanted[1], (1 << 20) + (64 << 20));
	put_range(r, 1000, 10000000, 32768);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 10001000);
}

static void reservation_of_a_declared_size_is_enough(void **state)
{
	struct rig *r = *state;

	assert_int_equal(open_put_declared(r, PUT_CREATE, 8000000), 0);
	put_range(r, 0, 8000000, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 8000000);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 0);
}

static void extend_that_fails_otherwise_is_final(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_EXTEND;
	r->k->refuse_rc = E_GONE;
	r->k->first_grant = 1 << 20;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 1000, 1000);
	rest(r);
	assert_int_equal(try_put(r, 0, model, 10), E_GONE);
	assert_int_equal(abandon_put(r), E_GONE);
}

/* --- syncing --- */

static void sync_answers_when_complete_chunks_are_stored(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 7 * CHUNK + 5, 32768);
	put_sync(r->p, on_synced, r);
	assert_false(r->synced);
	r->room = false;
	assert_int_equal(put_write(r->p, 7 * CHUNK + 5, view_of(model + 7 * CHUNK + 5, 5)),
			 E_AGAIN);
	run_until(r, &r->synced);
	assert_int_equal(r->sync_rc, 0);
	fake_blob_read(&r->k->blob, 7 * CHUNK, false, got);
	assert_memory_equal(got, model, 7 * CHUNK);
	run_until(r, &r->room);
	put_range(r, 7 * CHUNK + 5, 5, 5);
	r->synced = false;
	put_sync(r->p, on_synced, r);
	assert_int_equal(close_put(r), 0); /* answers both, this one first */
	assert_true(r->synced);
	expect_published(r, 7 * CHUNK + 10);
}

static void sync_of_an_abandoned_put_is_not_answered(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 7 * CHUNK + 5, 32768);
	put_sync(r->p, on_synced, r);
	assert_int_equal(abandon_put(r), 0);
	assert_false(r->synced);
	expect_clean(r, 7 * CHUNK + 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(write_in_order_of_any_size_publishes),
	    CASE(write_of_nothing_changes_nothing),
	    CASE(close_with_jobs_in_flight_publishes),
	    CASE(publish_hands_on_the_time_of_the_file),
	    CASE(write_waits_in_constant_memory),
	    CASE(write_shuffled_within_the_window_publishes),
	    CASE(write_backwards_beyond_the_window_publishes),
	    CASE(write_every_other_chunk_first_publishes),
	    CASE(write_alternate_bytes_publishes),
	    CASE(write_too_scattered_in_one_chunk_is_refused),
	    CASE(write_too_far_apart_is_refused_with_a_sentence),
	    CASE(write_far_apart_goes_on_where_pieces_come_together),
	    CASE(write_behind_a_full_window_frees_the_held_back_chunk),
	    CASE(write_beyond_any_file_is_refused),
	    CASE(write_of_the_most_at_once_publishes),
	    CASE(write_again_unsealed_replaces),
	    CASE(write_again_the_same_succeeds),
	    CASE(write_again_differently_rekeys),
	    CASE(write_again_differently_in_flight_rekeys),
	    CASE(write_of_a_late_header_rekeys_once),
	    CASE(write_again_differently_too_often_is_refused),
	    CASE(rekey_with_a_hole_keeps_what_is_behind_it),
	    CASE(rekey_without_a_beginning_keeps_what_fits_the_window),
	    CASE(rekey_without_a_beginning_of_much_is_refused),
	    CASE(rekey_that_is_refused_ends_the_upload),
	    CASE(abandon_while_rekeying_leaves_what_is_durable),
	    CASE(close_with_a_hole_leaves_a_partial),
	    CASE(close_with_a_hole_before_sealed_chunks_is_not_clean),
	    CASE(close_with_nothing_at_the_beginning_leaves_nothing),
	    CASE(close_before_the_declared_length_leaves_a_partial),
	    CASE(truncate_to_nothing_first_is_an_empty_start),
	    CASE(truncate_below_then_close_keeps_the_offset_before),
	    CASE(truncate_below_twice_then_close_keeps_the_first_offset),
	    CASE(truncate_then_abandon_keeps_the_offset_before),
	    CASE(truncate_then_other_bytes_publishes_them),
	    CASE(truncate_then_the_same_bytes_publishes_without_another_key),
	    CASE(truncate_then_fewer_of_the_same_bytes_publishes_these),
	    CASE(truncate_then_a_gap_leaves_a_hole_not_old_bytes),
	    CASE(truncate_within_the_tail_then_more_publishes_it),
	    CASE(truncate_up_declares_a_length),
	    CASE(truncate_beyond_any_file_is_refused),
	    CASE(abandon_at_any_size_resumes_where_it_was),
	    CASE(abandon_again_and_again_adds_up),
	    CASE(abandon_without_a_listener_ends_alone),
	    CASE(resume_may_replace_the_tail),
	    CASE(resume_with_other_sealed_bytes_rekeys),
	    CASE(abandon_drops_what_is_behind_a_hole_and_stays_clean),
	    CASE(abandon_with_jobs_in_flight_is_clean),
	    CASE(prefix_of_a_finished_file_is_kept),
	    CASE(prefix_is_overwritten_anywhere_without_another_key),
	    CASE(prefix_and_appended_bytes_come_together),
	    CASE(prefix_cut_to_nothing_is_not_copied),
	    CASE(prefix_cut_in_the_middle_then_grown_publishes),
	    CASE(prefix_cut_then_closed_stays_whole),
	    CASE(prefix_is_not_clean_before_it_is_copied),
	    CASE(prefix_of_an_unclean_partial_goes_on),
	    CASE(prefix_rewritten_while_it_is_copied_rekeys),
	    CASE(prefix_that_does_not_authenticate_is_final),
	    CASE(prefix_that_ends_early_is_final),
	    CASE(readback_of_a_spoilt_chunk_is_final),
	    CASE(yield_of_a_flowing_put_suspends_it),
	    CASE(yield_of_a_closing_put_lets_it_close),
	    CASE(yield_of_an_unknown_number_finds_none),
	    CASE(failing_write_drops_the_upload),
	    CASE(failing_last_write_drops_the_upload),
	    CASE(full_disk_leaves_a_partial),
	    CASE(failing_sync_drops_the_upload),
	    CASE(failing_sync_while_rekeying_drops_the_upload),
	    CASE(finish_that_is_refused_is_told),
	    CASE(open_that_is_refused_is_told),
	    CASE(open_with_a_senseless_lease_is_given_back),
	    CASE(rekey_with_a_senseless_lease_ends_the_upload),
	    CASE(write_within_the_quota_to_its_last_byte_publishes),
	    CASE(write_over_the_quota_is_refused_and_can_be_resumed),
	    CASE(reservation_is_asked_for_ahead_of_need),
	    CASE(reservation_of_a_declared_size_is_enough),
	    CASE(extend_that_fails_otherwise_is_final),
	    CASE(sync_answers_when_complete_chunks_are_stored),
	    CASE(sync_of_an_abandoned_put_is_not_answered),
	};

	(void)alarm(300); /* an upload that waits for ever */
	return cmocka_run_group_tests_name("gate/put", tests, NULL, NULL);
}
