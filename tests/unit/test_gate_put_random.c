/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads of random writes, truncations, pauses, lost connections and closes, against a model
 * that knows for every byte whether the client may count on it.
 */
#include <unistd.h>

#include "put_rig.h"

enum { SPACE = 4 << 20, STEPS = 120 };

static bool have[SPACE];       /* what the client wrote, cut-off bytes of a fresh shrink included */
static uint64_t size, before;  /* before: that shrink's, or SIZE_UNKNOWN */
static unsigned rekeys_before; /* asked for when it was shrunk */
static bool shrunk;
static unsigned refusals, published, partials, resumes;

static void settle(void)
{
	if (before != SIZE_UNKNOWN)
		memset(have + size, 0, SPACE - size);
	before = SIZE_UNKNOWN;
}

static uint64_t beginning(void)
{
	const bool *end = memchr(have, false, SPACE);

	return end ? (uint64_t)(end - have) : SPACE;
}

static void start_anew(struct rig *r)
{
	memset(have, 0, sizeof have);
	size = 0;
	before = SIZE_UNKNOWN;
	shrunk = false;
	r->k->published = false;
	if (draw(3) == 0) { /* a content to go on from */
		size = 1 + draw(draw(2) ? SPACE - 1 : 3 * CHUNK);
		fill(model, SPACE, draw(3));
		give_source(r, size);
		memset(have, 1, size);
		open_put(r, 0);
	} else {
		open_put(r, PUT_CREATE | PUT_TRUNCATE);
	}
	assert_int_equal(put_size(r->p), size);
}

/* What the keep has now must be the beginning of the file as the client wrote it; how long it
 * must be depends on how the upload ended. */
static void check_partial(struct rig *r, bool whole)
{
	uint64_t contiguous = beginning();

	partials++;
	assert_true(r->k->partial);
	uint64_t kept = r->k->sealed * CHUNK + r->k->tail_len;
	if (r->k->clean && before != SIZE_UNKNOWN && r->k->asks[VERB_PUT_REKEY] > rekeys_before) {
		/* What a shrink cut off need not come along to another key. */
		assert_true(kept <= contiguous && (kept >= size || kept == contiguous));
		expect_clean(r, kept);
		return;
	}
	if (r->k->clean) {
		expect_clean(r, contiguous);
		return;
	}
	assert_false(whole);
	assert_true(r->k->durable <= contiguous);
	expect_unclean(r, r->k->durable);
}

static void resume(struct rig *r)
{
	resumes++;
	open_put(r, 0);
	size = put_size(r->p); /* check_partial() has seen that it is right */
	memset(have, 1, size);
	memset(have + size, 0, SPACE - size);
	before = SIZE_UNKNOWN;
	shrunk = false;
}

static void give_up(struct rig *r)
{
	refusals++;
	assert_int_not_equal(abandon_put(r), 0);
	start_anew(r);
}

/* The bytes of a version: most writes agree with it, some bring those of another. */
static void step_write(struct rig *r)
{
	uint64_t from = draw(4) ? beginning() % SPACE : draw(SPACE);
	size_t len = 1 + draw(draw(4) ? 40000 : 300000);

	if (draw(5) == 0)
		from = from > 100000 ? from - draw(100000) : 0;
	if (draw(12) == 0)
		from = draw(3) * CHUNK;
	if (from + len > SPACE)
		len = SPACE - (size_t)from;
	if (draw(20) == 0) {
		len = len > 500 ? 500 : len;
		fill(model + from, len, draw(1000) + 10);
	}
	memcpy(other, model + from, len);
	if (from + len > size)
		settle();
	if (try_put(r, from, other, len)) {
		assert_true(r->rc != E_IO);
		give_up(r);
		return;
	}
	memset(have + from, 1, len);
	if (from + len > size) {
		size = from + len;
		shrunk = false;
	}
	assert_int_equal(put_size(r->p), size);
}

static void step_truncate(struct rig *r)
{
	uint64_t to = draw(3) == 0   ? 0
		      : draw(3) == 0 ? (uint64_t)draw(SPACE)
				     : draw((uint32_t)size + 1);

	if (to == size)
		return;
	assert_int_equal(put_truncate(r->p, to), 0);
	if (to > size) {
		settle();
		shrunk = false;
	} else {
		if (before == SIZE_UNKNOWN) {
			before = size;
			rekeys_before = r->k->asks[VERB_PUT_REKEY];
		}
		shrunk = true;
	}
	size = to;
}

static void step_close(struct rig *r)
{
	bool whole = !shrunk && beginning() >= size;

	r->k->published = false;
	int rc = close_put(r);
	if (rc == E_LIMIT) { /* it would have needed one more key */
		refusals++;
		check_partial(r, false);
		start_anew(r);
	} else if (whole) {
		assert_int_equal(rc, 0);
		published++;
		expect_published(r, size);
		start_anew(r);
	} else {
		assert_int_equal(rc, 0);
		assert_false(r->k->published);
		check_partial(r, false);
		resume(r);
	}
}

static void step(struct rig *r)
{
	uint32_t what = draw(100);

	if (what < 82) {
		step_write(r);
	} else if (what < 86) {
		step_truncate(r);
	} else if (what < 90) {
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
	} else if (what < 94) {
		rest(r);
	} else if (what < 96) {
		r->synced = false;
		put_sync(r->p, on_synced, r);
		run_until(r, &r->synced);
		assert_int_equal(r->sync_rc, 0);
	} else if (what < 98) {
		assert_int_equal(abandon_put(r), 0);
		check_partial(r, false);
		resume(r);
	} else {
		step_close(r);
	}
}

static void random_uploads_match_the_model(void **state)
{
	struct rig *r = *state;
	const char *rounds = getenv("PUT_RANDOM_ROUNDS");
	unsigned long count = rounds ? strtoul(rounds, NULL, 10) : 40;

	for (unsigned long round = 0; round < count; round++) {
		seed = (uint32_t)round * 7919 + 3;
		r->k->delay_ms = draw(3) == 0;
		r->k->wavers = draw(2);
		fill(model, SPACE, draw(3));
		start_anew(r);
		for (unsigned i = 0; i < STEPS; i++)
			step(r);
		/* Whatever there was, a whole file can be sent now. */
		assert_int_equal(put_truncate(r->p, 0), 0);
		settle();
		size = 200000;
		fill(model, SPACE, 99);
		err_clear();
		int rc = 0;
		for (uint64_t at = 0; !rc && at < size; at += 50000)
			rc = try_put(r, at, model + at, 50000);
		int closed = close_put(r);
		if (!rc && !closed) {
			expect_published(r, size);
			published++;
		} else {
			assert_true(rc == E_LIMIT || closed == E_LIMIT);
			refusals++;
		}
	}
	print_message("%u published, %u partial, %u resumed, %u refused, %u re-keyed\n", published,
		      partials, resumes, refusals, r->k->asks[VERB_PUT_REKEY]);
	assert_true(published > count && partials > count && resumes > count);
	assert_true(r->k->asks[VERB_PUT_REKEY] > count && refusals < published);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(random_uploads_match_the_model),
	};

	(void)alarm(600);
	return cmocka_run_group_tests_name("gate/put, at random", tests, NULL, NULL);
}
