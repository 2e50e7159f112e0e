/* SPDX-License-Identifier: Apache-2.0 */
#include "put_rig.h"

#include <unistd.h>

static const uint64_t awkward[] = {
    0, 1, 65535, 65536, 65537, 2 * CHUNK - 1, 2 * CHUNK, 2 * CHUNK + 1, 10 * CHUNK, 3000001};

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
			if (awkward[i])
				expect_clean(r, awkward[i]);
			else
				expect_nothing(r);
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

/* After a crash the keep would go on from the tail that it has, so it is told first. */
static void resume_with_another_tail_rekeys_once(void **state)
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
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void resume_with_a_tail_cut_off_and_another_rekeys_once(void **state)
{
	struct rig *r = *state;
	static const uint64_t to[] = {0, 2 * CHUNK, 2 * CHUNK + 7};

	for (unsigned i = 0; i < ARRAY_LEN(to); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, 2 * CHUNK + 1000, 32768);
		assert_int_equal(abandon_put(r), 0);
		open_put(r, 0);
		r->k->asks[VERB_PUT_REKEY] = 0;
		fill(model + 2 * CHUNK, CHUNK, 60 + i);
		assert_int_equal(put_truncate(r->p, to[i]), 0);
		put_range(r, 2 * CHUNK, 900, 100);
		assert_int_equal(put_truncate(r->p, 2 * CHUNK + 900), 0);
		put_range(r, 0, 100, 100);
		if (to[i] != 2 * CHUNK + 7)
			put_range(r, 0, 2 * CHUNK, CHUNK);
		put_range(r, 2 * CHUNK + 900, 100, 100);
		assert_int_equal(close_put(r), 0);
		expect_published(r, 2 * CHUNK + 1000);
		assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
		r->k->published = false;
	}
}

static void resume_with_the_same_tail_goes_on_under_one_key(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {1000, CHUNK, CHUNK + 1, 3 * CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, sizes[i], 32768);
		assert_int_equal(abandon_put(r), 0);
		open_put(r, 0);
		put_range(r, sizes[i] - 900, 900 + 2 * CHUNK, 700);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i] + 2 * CHUNK);
		assert_int_equal(r->k->asks[VERB_PUT_REKEY], 0);
		r->k->published = false;
	}
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
	assert_true(put_yield(&r->loop, put_number(r->p)));
	assert_true(r->yielded);
	rest(r);
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

/* `zip -u`, a database: something is appended, then the header is put right. */
static void prefix_appended_then_a_header_changed_publishes(void **state)
{
	struct rig *r = *state;
	static const uint64_t sizes[] = {1000,       CHUNK,          100000,
					 20 * CHUNK, 20 * CHUNK + 5, 60 * CHUNK + 5};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned wavers = 0; wavers < 2; wavers++) {
			r->k->wavers = wavers;
			give_source(r, sizes[i]);
			open_put(r, 0);
			put_range(r, sizes[i], 3 * CHUNK, 32768);
			rest(r);
			fill(model + 10, 30, i + 40);
			put_range(r, 10, 30, 30);
			assert_int_equal(close_put(r), 0);
			expect_published(r, sizes[i] + 3 * CHUNK);
		}
	assert_int_not_equal(r->k->asks[VERB_PUT_REKEY], 0);
}

/* Where the keep goes back to what the upload began with, no byte of that may slip in. */
static void prefix_that_comes_back_instead_of_new_bytes_is_refused(void **state)
{
	struct rig *r = *state;

	for (unsigned wavers = 0; wavers < 2; wavers++) {
		r->k->wavers = wavers;
		fill(model, 100 * CHUNK, 1);
		give_source(r, 100 * CHUNK);
		open_put(r, 0);
		assert_int_equal(put_truncate(r->p, 0), 0);
		fill(model, 70 * CHUNK, 2);
		put_range(r, 0, 60 * CHUNK, 32768);
		rest(r);
		fill(model, 30, 3);
		int rc = try_put(r, 0, model, 30);
		assert_int_equal(rc, wavers ? E_LIMIT : 0);
		assert_int_equal(close_put(r), wavers ? E_LIMIT : 0);
		if (!wavers)
			expect_published(r, 60 * CHUNK);
	}
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
	assert_true(!rc || rc == E_INTEGRITY); /* as far as the copy has come by now */
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

/* --- after a restart of the keep --- */

static void resume_under_another_key_is_exact_to_the_byte(void **state)
{
	struct rig *r = *state;

	r->k->restarted = true;
	for (unsigned i = 0; i < ARRAY_LEN(awkward); i++)
		for (unsigned rested = 0; rested < 2; rested++) {
			uint64_t size = awkward[i], more = 2 * CHUNK + 77;
			open_put(r, PUT_CREATE | PUT_TRUNCATE);
			put_range(r, 0, size, 30000);
			assert_int_equal(abandon_put(r), 0);
			if (size)
				expect_clean(r, size);
			else
				expect_nothing(r);
			open_put(r, 0);
			assert_int_equal(put_size(r->p), size);
			put_range(r, size, more, 30000);
			if (rested)
				rest(r);
			assert_int_equal(close_put(r), 0);
			expect_published(r, size + more);
			r->k->published = false;
		}
}

static void resume_under_another_key_without_a_write_publishes(void **state)
{
	struct rig *r = *state;

	r->k->restarted = true;
	for (unsigned i = 1; i < ARRAY_LEN(awkward); i++) {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
		put_range(r, 0, awkward[i], 30000);
		assert_int_equal(abandon_put(r), 0);
		open_put(r, 0);
		assert_int_equal(close_put(r), 0);
		expect_published(r, awkward[i]);
		r->k->published = false;
	}
}

/* An upload of 100 chunks and 10 bytes from before a restart, which goes on by `more`. */
static uint64_t begin_again(struct rig *r, uint64_t more)
{
	uint64_t size = 100 * CHUNK + 10;

	r->k->restarted = true;
	open_put(r, PUT_CREATE | PUT_TRUNCATE);
	put_range(r, 0, size, CHUNK);
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, size);
	open_put(r, 0);
	assert_int_equal(put_size(r->p), size);
	if (more)
		put_range(r, size, more, 10000);
	return size + more;
}

/* Else a line that is cut again and again would never get any further. */
static void line_cut_before_all_is_brought_over_loses_nothing(void **state)
{
	static const uint64_t more[] = {1, 100, CHUNK, 5 * CHUNK + 9};

	for (unsigned i = 0; i < ARRAY_LEN(more); i++) {
		uint64_t size = begin_again(*state, more[i]);
		assert_int_equal(abandon_put(*state), 0);
		expect_clean(*state, size);
	}
}

static void line_cut_before_a_write_brings_nothing_over(void **state)
{
	struct rig *r = *state;

	(void)begin_again(r, 0);
	unsigned sealed = fake_sealed;
	assert_int_equal(abandon_put(r), 0);
	assert_int_equal(fake_sealed, sealed);
	assert_false(r->k->clean);
}

static void newcomer_does_not_wait_for_what_can_be_done_again(void **state)
{
	struct rig *r = *state;

	for (unsigned late = 0; late < 2; late++) {
		(void)begin_again(r, 1);
		uint64_t number = put_number(r->p);
		unsigned sealed = fake_sealed;
		if (late) {
			put_abandon(TAKE(r->p), "the line went dead", on_done, r);
			assert_true(put_yield(&r->loop, number));
			run_until(r, &r->done);
		} else {
			assert_true(put_yield(&r->loop, number));
			rest(r);
		}
		assert_false(r->k->clean);
		assert_in_range(fake_sealed - sealed, 0, 60);
	}
}

/* Last: there is no way back. */
static void gate_that_is_to_end_does_not_wait_either(void **state)
{
	struct rig *r = *state;

	(void)begin_again(r, 1);
	unsigned sealed = fake_sealed;
	put_abandon(TAKE(r->p), "the line went dead", on_done, r);
	put_hurry();
	run_until(r, &r->done);
	assert_false(r->k->clean);
	assert_in_range(fake_sealed - sealed, 0, 60);
	(void)begin_again(r, 1);
	assert_int_equal(abandon_put(r), 0);
	assert_false(r->k->clean);
}

/* The tail is no more than what the client wrote last: it may write it again, and otherwise. */
static void tail_from_before_a_restart_may_be_overwritten(void **state)
{
	struct rig *r = *state;
	uint64_t size = 3 * CHUNK + 1000;

	r->k->restarted = true;
	open_put(r, PUT_CREATE);
	put_range(r, 0, 3 * CHUNK + 500, 30000);
	assert_int_equal(try_put(r, 3 * CHUNK + 500, other, 500), 0);
	assert_int_equal(abandon_put(r), 0);
	open_put(r, 0);
	assert_int_equal(put_size(r->p), size);
	put_range(r, 3 * CHUNK + 500, 4 * CHUNK, 30000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 7 * CHUNK + 500);
	assert_int_equal(r->k->asks[VERB_PUT_REKEY], 1);
}

static void other_bytes_before_the_tail_after_a_restart_rekey(void **state)
{
	struct rig *r = *state;

	r->k->restarted = true;
	open_put(r, PUT_CREATE);
	for (uint64_t at = 0; at < 5 * CHUNK + 10; at += 1000)
		assert_int_equal(try_put(r, at, other + at, 1000), 0);
	assert_int_equal(abandon_put(r), 0);
	open_put(r, 0);
	put_range(r, 0, 9 * CHUNK, CHUNK);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 9 * CHUNK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	    CASE(resume_with_another_tail_rekeys_once),
	    CASE(resume_with_a_tail_cut_off_and_another_rekeys_once),
	    CASE(resume_with_the_same_tail_goes_on_under_one_key),
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
	    CASE(prefix_appended_then_a_header_changed_publishes),
	    CASE(prefix_that_comes_back_instead_of_new_bytes_is_refused),
	    CASE(prefix_that_does_not_authenticate_is_final),
	    CASE(prefix_that_ends_early_is_final),
	    CASE(readback_of_a_spoilt_chunk_is_final),
	    CASE(yield_of_a_flowing_put_suspends_it),
	    CASE(yield_of_a_closing_put_lets_it_close),
	    CASE(yield_of_an_unknown_number_finds_none),
	    CASE(resume_under_another_key_is_exact_to_the_byte),
	    CASE(resume_under_another_key_without_a_write_publishes),
	    CASE(tail_from_before_a_restart_may_be_overwritten),
	    CASE(other_bytes_before_the_tail_after_a_restart_rekey),
	    CASE(line_cut_before_all_is_brought_over_loses_nothing),
	    CASE(line_cut_before_a_write_brings_nothing_over),
	    CASE(newcomer_does_not_wait_for_what_can_be_done_again),
	    CASE(gate_that_is_to_end_does_not_wait_either),
	};

	(void)alarm(300); /* an upload that waits for ever */
	return cmocka_run_group_tests_name("gate/put, resuming", tests, NULL, NULL);
}
