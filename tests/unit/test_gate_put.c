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

	r->k->blobs_at_once = true;
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

/* An upload of four chunks, of which the second is changed so many times. */
static void change_often(struct rig *r, unsigned times)
{
	open_put(r, PUT_CREATE);
	put_range(r, 0, 4 * CHUNK, CHUNK);
	for (unsigned i = 0; i < times; i++) {
		rest(r);
		model[CHUNK]++;
		put_range(r, CHUNK, 10, 10);
		put_range(r, 4 * CHUNK + i * 1000, 1000, 1000); /* appending brings the rest over */
		rest(r);
	}
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], times);
}

static void change_is_refused(struct rig *r, unsigned times)
{
	model[CHUNK]++;
	assert_int_equal(try_put(r, CHUNK, model + CHUNK, 10), E_LIMIT);
	assert_non_null(strstr(r->text, "too often"));
	model[CHUNK]--;
	assert_int_equal(close_put(r), E_LIMIT);
	expect_clean(r, 4 * CHUNK + times * 1000);
}

static void write_again_differently_too_often_is_refused(void **state)
{
	struct rig *r = *state;

	change_often(r, REKEYS_MAX);
	change_is_refused(r, REKEYS_MAX);
}

static void write_again_differently_at_too_great_a_cost_is_refused(void **state)
{
	struct rig *r = *state;

	change_often(r, REKEYS_FREE);
	r->p->carried = CARRY_MAX + 1;
	change_is_refused(r, REKEYS_FREE);
}

static void write_again_differently_a_few_times_may_cost_what_it_will(void **state)
{
	struct rig *r = *state;

	change_often(r, REKEYS_FREE - 1);
	r->p->carried = CARRY_MAX + 1;
	model[CHUNK]++;
	put_range(r, CHUNK, 10, 10);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 4 * CHUNK + (REKEYS_FREE - 1) * 1000);
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
		int rc = E_AGAIN;
		fill(model, 10 * CHUNK + 1, 1);
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, 10 * CHUNK + 1, CHUNK);
		rest(r);
		for (unsigned i = 0; i < turns && rc == E_AGAIN; i++) {
			rc = put_write(r->p, 9 * CHUNK, view_of(other, 10));
			if (rc)
				(void)uv_run(&r->loop, UV_RUN_ONCE);
		}
		if (!rc)
			memcpy(model + 9 * CHUNK, other, 10);
		assert_int_equal(abandon_put(r), 0);
		assert_true(r->k->partial);
		if (r->k->clean)
			expect_clean(r, 10 * CHUNK + 1);
		else if (r->k->asks[VERB_PUT_REKEY] == rekeys)
			expect_unclean(r, 10 * CHUNK);
		else
			expect_unclean(r, 0); /* the lease has the old blob as its prefix */
	}
	fill(model, 10 * CHUNK + 1, 1);
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
	expect_nothing(r);
	assert_int_equal(r->k->asks[VERB_PUT_STORE], 0);
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
	    CASE(write_again_differently_at_too_great_a_cost_is_refused),
	    CASE(write_again_differently_a_few_times_may_cost_what_it_will),
	    CASE(rekey_with_a_hole_keeps_what_is_behind_it),
	    CASE(rekey_without_a_beginning_keeps_what_fits_the_window),
	    CASE(rekey_without_a_beginning_of_much_is_refused),
	    CASE(rekey_that_is_refused_ends_the_upload),
	    CASE(abandon_while_rekeying_leaves_what_is_durable),
	    CASE(close_with_a_hole_leaves_a_partial),
	    CASE(close_with_a_hole_before_sealed_chunks_is_not_clean),
	    CASE(close_with_nothing_at_the_beginning_leaves_nothing),
	    CASE(close_before_the_declared_length_leaves_a_partial),
	};

	(void)alarm(300); /* an upload that waits for ever */
	return cmocka_run_group_tests_name("gate/put", tests, NULL, NULL);
}
