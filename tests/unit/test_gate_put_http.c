/* SPDX-License-Identifier: Apache-2.0 */
/* What HTTP asks of an upload beyond SFTP: conditions, a digest that must fit, how it ended, giving
 * it up, and being left and taken up again after every PATCH. */
#include "put_rig.h"

static const uint64_t sizes[] = {0,         1,         5000,           CHUNK - 1, CHUNK,
				 CHUNK + 1, 2 * CHUNK, 10 * CHUNK + 7, 40 * CHUNK};

static const uint8_t ticket[WIRE_ID] = "0123456789abcde";
static uint64_t lease_declares;

static void give_ticket(struct lease *l)
{
	memcpy(l->ticket, ticket, sizeof ticket);
	l->declared = lease_declares;
}

static void open_as(struct rig *r, struct put_wish wish)
{
	r->opened = r->done = r->yielded = false;
	put_open_as(&r->loop, r->k, 1, view_text("/acme/incoming/file"), &wish, on_opened, r);
	run_until(r, &r->opened);
	assert_int_equal(r->rc, 0);
	put_listen(r->p, on_room, on_yielded, r);
}

static void open_new(struct rig *r, uint64_t declared)
{
	open_as(r, (struct put_wish){.flags = PUT_CREATE | PUT_TRUNCATE, .declared = declared});
}

/* --- what is asked for, and what comes of it --- */

static void open_takes_its_conditions_along(void **state)
{
	struct rig *r = *state;
	const struct put_wish wish = {.flags = PUT_CREATE | PUT_EXISTING,
				      .declared = 77,
				      .match = view_of(model, 2 * WIRE_HASH),
				      .ticket = view_of(ticket, sizeof ticket)};

	r->k->spoil = give_ticket;
	lease_declares = 77;
	open_as(r, wish);
	assert_int_equal(r->k->opened.flags, wish.flags);
	assert_int_equal(r->k->opened.declared, 77);
	assert_true(view_equal(r->k->opened.match, wish.match));
	assert_true(view_equal(r->k->opened.ticket, wish.ticket));
	assert_true(view_equal(put_ticket(r->p), wish.ticket));
	assert_int_equal(abandon_put(r), 0);
}

/* Whoever goes on with an upload need not say again how long it was to be. */
static void close_counts_by_what_the_lease_declares(void **state)
{
	struct rig *r = *state;

	r->k->spoil = give_ticket;
	lease_declares = 100000;
	open_put(r, PUT_CREATE | PUT_TRUNCATE);
	put_range(r, 0, 99999, 30000);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	expect_clean(r, 99999);
	open_put(r, 0);
	put_range(r, 99999, 1, 1);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 100000);
}

static void close_counts_by_what_the_opener_declares_first(void **state)
{
	struct rig *r = *state;

	r->k->spoil = give_ticket;
	lease_declares = 100;
	open_new(r, 5000);
	put_range(r, 0, 100, 100);
	assert_int_equal(close_put(r), 0);
	assert_false(r->k->published);
	open_as(r, (struct put_wish){.declared = 5000});
	put_range(r, 100, 4900, 1000);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 5000);
}

/* --- the end --- */

static void close_tells_what_became_of_it(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		struct put_result result = {0};
		uint8_t hash[WIRE_HASH];
		open_new(r, sizes[i]);
		put_tell(r->p, &result);
		put_range(r, 0, sizes[i], 30000);
		assert_int_equal(close_put(r), 0);
		expect_published(r, sizes[i]);
		sha256_of(view_of(model, sizes[i]), hash);
		assert_true(result.published && !result.mismatch);
		assert_true(result.replaced == (i > 0));
		assert_int_equal(result.size, sizes[i]);
		assert_int_equal(result.record, 4711);
		assert_memory_equal(result.sha256, hash, sizeof hash);
	}
}

static void close_of_a_part_does_not_claim_to_be_published(void **state)
{
	struct rig *r = *state;
	struct put_result result = {0};

	open_new(r, 70000);
	put_tell(r->p, &result);
	put_range(r, 0, 69999, 30000);
	assert_int_equal(close_put(r), 0);
	assert_false(result.published || result.mismatch || r->k->published);
}

static void close_that_the_keep_refuses_is_not_published(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_PUT_FINISH;
	r->k->refuse_rc = E_QUOTA;
	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		struct put_result result = {0};
		open_new(r, sizes[i]);
		put_tell(r->p, &result);
		put_range(r, 0, sizes[i], 30000);
		assert_int_equal(close_put(r), E_QUOTA);
		assert_false(result.published || result.mismatch);
		r->k->writing = false; /* the real one has ended the lease */
	}
}

static void digest_that_fits_is_published(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
		struct put_result result = {0};
		uint8_t hash[WIRE_HASH];
		sha256_of(view_of(model, sizes[i]), hash);
		open_new(r, i % 2 ? SIZE_UNKNOWN : sizes[i]);
		put_tell(r->p, &result);
		put_expect(r->p, hash);
		put_range(r, 0, sizes[i], 30000);
		assert_int_equal(close_put(r), 0);
		assert_true(result.published);
		expect_published(r, sizes[i]);
	}
}

static void digest_that_does_not_fit_leaves_nothing(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned bit = 0; bit < 256; bit += 85) {
			struct put_result result = {0};
			uint8_t hash[WIRE_HASH];
			unsigned drops = r->k->asks[VERB_PUT_DROP];
			sha256_of(view_of(model, sizes[i]), hash);
			hash[bit / 8] ^= (uint8_t)(1 << bit % 8);
			open_new(r, sizes[i]);
			put_tell(r->p, &result);
			put_expect(r->p, hash);
			put_range(r, 0, sizes[i], 30000);
			assert_int_equal(close_put(r), E_INTEGRITY);
			assert_true(result.mismatch && !result.published);
			assert_int_equal(r->k->asks[VERB_PUT_DROP], drops + 1);
			assert_int_equal(r->k->dropped.code, -E_INTEGRITY);
		}
	assert_false(r->k->published || r->k->partial);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
	assert_int_equal(r->k->asks[VERB_PUT_SUSPEND], 0);
}

/* The digest is of the whole: what breaks off before its end is an upload like others. */
static void digest_says_nothing_of_what_breaks_off(void **state)
{
	struct rig *r = *state;
	uint8_t wrong[WIRE_HASH] = {1};

	open_new(r, 10 * CHUNK);
	put_expect(r->p, wrong);
	put_range(r, 0, 3 * CHUNK + 5, 30000);
	assert_int_equal(abandon_put(r), 0);
	expect_clean(r, 3 * CHUNK + 5);
	open_as(r, (struct put_wish){.declared = 10 * CHUNK});
	put_expect(r->p, wrong);
	put_range(r, 3 * CHUNK + 5, 10, 10);
	assert_int_equal(close_put(r), 0); /* short of its length: left unfinished */
	expect_clean(r, 3 * CHUNK + 15);
}

/* A hash that was begun under another lease. */
static void digest_is_held_to_what_came_over_several_leases(void **state)
{
	struct rig *r = *state;
	uint64_t size = 7 * CHUNK + 99;
	uint8_t hash[WIRE_HASH];

	sha256_of(view_of(model, size), hash);
	for (unsigned wrong = 0; wrong < 2; wrong++) {
		open_new(r, size);
		put_range(r, 0, 4 * CHUNK + 1, 30000);
		assert_int_equal(abandon_put(r), 0);
		open_as(r, (struct put_wish){.declared = SIZE_UNKNOWN});
		hash[31] ^= (uint8_t)wrong;
		put_expect(r->p, hash);
		put_range(r, 4 * CHUNK + 1, size - 4 * CHUNK - 1, 30000);
		assert_int_equal(close_put(r), wrong ? E_INTEGRITY : 0);
	}
	expect_published(r, size); /* the first */
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 1);
}

/* --- given up --- */

static void give_up(struct rig *r)
{
	unsigned drops = r->k->asks[VERB_PUT_DROP];

	put_give_up(TAKE(r->p), "its sender has given it up", on_done, r);
	assert_false(r->done);
	run_until(r, &r->done);
	assert_int_equal(r->rc, 0);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], drops + 1);
	assert_int_equal(r->k->dropped.code, 0);
	assert_string_equal(r->k->reason, "its sender has given it up");
	assert_false(r->k->partial || r->k->published);
}

static void give_up_leaves_nothing_however_much_there_is(void **state)
{
	struct rig *r = *state;

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned rested = 0; rested < 2; rested++) {
			open_new(r, SIZE_UNKNOWN);
			put_stay(r->p);
			put_range(r, 0, sizes[i], 30000);
			if (rested)
				rest(r);
			give_up(r);
		}
	assert_int_equal(r->k->asks[VERB_PUT_SUSPEND], 0);
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
}

static void give_up_of_what_was_left_before(void **state)
{
	struct rig *r = *state;

	open_new(r, SIZE_UNKNOWN);
	put_range(r, 0, 3 * CHUNK + 5, 30000);
	assert_int_equal(abandon_put(r), 0);
	open_as(r, (struct put_wish){.declared = SIZE_UNKNOWN});
	give_up(r);
}

/* While the old content is being brought over from another blob. */
static void give_up_waits_for_no_copy(void **state)
{
	struct rig *r = *state;
	unsigned opened;

	give_source(r, 30 * CHUNK);
	open_as(r, (struct put_wish){.declared = SIZE_UNKNOWN});
	opened = fake_opened;
	put_range(r, 30 * CHUNK, 10, 10);
	give_up(r);
	assert_true(fake_opened - opened <= 2 * LOAD_BATCH);
}

/* While a write waits for other bytes to be re-keyed. */
static void give_up_ends_a_rekeying(void **state)
{
	struct rig *r = *state;

	open_new(r, SIZE_UNKNOWN);
	put_range(r, 0, 4 * CHUNK, 30000);
	rest(r);
	for (int rc = E_AGAIN; rc == E_AGAIN && !r->k->asks[VERB_PUT_REKEY];) {
		r->room = false;
		rc = put_write(r->p, 0, view_of(other, 100));
		assert_int_equal(rc, E_AGAIN);
		if (!r->room)
			(void)uv_run(&r->loop, UV_RUN_NOWAIT);
	}
	give_up(r);
}

/* --- PATCH after PATCH --- */

static void stay_is_told_however_it_is_left(void **state)
{
	struct rig *r = *state;

	for (unsigned stays = 0; stays < 2; stays++)
		for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
			open_new(r, MODEL_MAX);
			if (stays)
				put_stay(r->p);
			put_range(r, 0, sizes[i], 30000);
			assert_int_equal(abandon_put(r), 0);
			assert_int_equal(r->k->suspended.stay, stays);
			if (sizes[i])
				expect_clean(r, sizes[i]);
			else
				expect_nothing(r);
		}
}

static void stay_is_told_where_another_takes_over(void **state)
{
	struct rig *r = *state;

	open_new(r, MODEL_MAX);
	put_stay(r->p);
	assert_true(put_yield(&r->loop, put_number(r->p)));
	assert_true(r->yielded);
	rest(r);
	assert_int_equal(r->k->suspended.stay, 1);
	expect_nothing(r);
}

/* Of any length, aligned to nothing: after each the offset is exact, the end clean, and at last it
 * is the file. Sealing anything twice would have ended this. */
static void patches_of_any_length_make_the_file(void **state)
{
	struct rig *r = *state;
	static const uint32_t most[] = {3, 5000, CHUNK, 2 * CHUNK, 20 * CHUNK};

	for (unsigned i = 0; i < ARRAY_LEN(most); i++) {
		uint64_t size = (uint64_t)most[i] * 6 + draw(CHUNK), at = 0;
		size = size < MODEL_MAX ? size : MODEL_MAX;
		open_new(r, size);
		put_stay(r->p);
		for (unsigned patches = 0; at < size; patches++) {
			uint64_t n = draw(most[i]) + (uint64_t)1;
			n = n < size - at ? n : size - at;
			if (patches) {
				open_as(r, (struct put_wish){.declared = SIZE_UNKNOWN});
				put_stay(r->p);
				assert_int_equal(put_size(r->p), at);
				put_set_mtime(r->p, 12345);
			}
			put_range(r, at, n, 1 + draw(CHUNK));
			at += n;
			if (at == size)
				break;
			assert_int_equal(abandon_put(r), 0);
			expect_clean(r, at);
		}
		assert_int_equal(close_put(r), 0);
		expect_published(r, size);
		r->k->published = false;
	}
}

/* As long as nothing else can be said of the upload, what a PATCH has brought is not lost with the
 * keep's key: it comes from another blob. */
static void patches_go_on_behind_a_keep_that_was_restarted(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0, size = 30 * CHUNK + 17;

	open_new(r, size);
	while (at < size) {
		uint64_t n = draw(5 * CHUNK) + 1u;
		n = n < size - at ? n : size - at;
		put_stay(r->p);
		put_range(r, at, n, 32768);
		at += n;
		if (at == size)
			break;
		assert_int_equal(abandon_put(r), 0);
		r->k->restarted = draw(2);
		open_as(r, (struct put_wish){.declared = size});
		at = put_size(r->p); /* what it says is what it has */
	}
	assert_int_equal(close_put(r), 0);
	expect_published(r, size);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    CASE(open_takes_its_conditions_along),
	    CASE(close_counts_by_what_the_lease_declares),
	    CASE(close_counts_by_what_the_opener_declares_first),
	    CASE(close_tells_what_became_of_it),
	    CASE(close_of_a_part_does_not_claim_to_be_published),
	    CASE(close_that_the_keep_refuses_is_not_published),
	    CASE(digest_that_fits_is_published),
	    CASE(digest_that_does_not_fit_leaves_nothing),
	    CASE(digest_says_nothing_of_what_breaks_off),
	    CASE(digest_is_held_to_what_came_over_several_leases),
	    CASE(give_up_leaves_nothing_however_much_there_is),
	    CASE(give_up_of_what_was_left_before),
	    CASE(give_up_waits_for_no_copy),
	    CASE(give_up_ends_a_rekeying),
	    CASE(stay_is_told_however_it_is_left),
	    CASE(stay_is_told_where_another_takes_over),
	    CASE(patches_of_any_length_make_the_file),
	    CASE(patches_go_on_behind_a_keep_that_was_restarted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
