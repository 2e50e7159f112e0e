/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "age/stream.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/gate/get.h"
#include "fake_keep.h"

/* Last: it has a macro of the name fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { CHUNK = AGE_CHUNK, MODEL_MAX = 8 << 20 };

struct rig {
	uv_loop_t loop;
	struct keeper *k;
	struct get *g;
	bool opened, ready, done, quit_when_ready;
	int rc;
	char text[256];
	unsigned agains;
};

static uint8_t model[MODEL_MAX], got[MODEL_MAX];

static uint32_t seed = 1;
static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

static int setup(void **state)
{
	struct rig *r = mem_new(sizeof *r);

	assert_int_equal(uv_loop_init(&r->loop), 0);
	r->k = fake_new(&r->loop);
	for (size_t i = 0; i < MODEL_MAX; i++)
		model[i] = (uint8_t)(i * 2654435761u >> 13);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	if (r->g)
		get_close(r->g, E_IO, NULL, NULL);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(get_count(), 0);
	fake_free(r->k);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	err_clear();
	free(r);
	return 0;
}

static void on_opened(void *arg, int rc, const char *text, struct get *g)
{
	struct rig *r = arg;

	assert_false(r->opened);
	r->opened = true;
	r->rc = rc;
	r->g = g;
	(void)snprintf(r->text, sizeof r->text, "%s", text);
}

static void on_done(void *arg, int rc, const char *text)
{
	struct rig *r = arg;

	assert_false(r->done);
	r->done = true;
	r->rc = rc;
	(void)snprintf(r->text, sizeof r->text, "%s", text);
}

static void on_ready(void *arg)
{
	struct rig *r = arg;

	r->ready = true;
	if (r->quit_when_ready)
		get_close(TAKE(r->g), 0, on_done, r);
}

static void run_until(struct rig *r, const bool *flag)
{
	while (!*flag)
		if (!uv_run(&r->loop, UV_RUN_ONCE) && !*flag)
			fail_msg("nothing is due any more");
}

static int open_get(struct rig *r)
{
	r->opened = r->done = false;
	get_open(&r->loop, r->k, 1, view_text("/acme/file"), on_opened, r);
	assert_false(r->opened);
	run_until(r, &r->opened);
	if (r->g)
		get_listen(r->g, on_ready, r);
	return r->rc;
}

static void open_file(struct rig *r, size_t size)
{
	fake_blob_write(r->k, view_of(model, size), &r->k->done);
	assert_int_equal(open_get(r), 0);
	assert_int_equal(get_size(r->g), size);
}

static int read_at(struct rig *r, uint64_t offset, size_t len, size_t *ret_len)
{
	int rc = E_AGAIN;

	while (rc == E_AGAIN) {
		r->ready = false;
		rc = get_read(r->g, offset, got, len, ret_len);
		if (rc == E_AGAIN) {
			r->agains++;
			run_until(r, &r->ready);
		}
	}
	(void)snprintf(r->text, sizeof r->text, "%s", rc ? err_cause() : "");
	err_clear();
	return rc;
}

static void expect_read(struct rig *r, uint64_t offset, size_t len)
{
	uint64_t size = get_size(r->g);
	uint64_t left = offset < size ? size - offset : 0;
	size_t n = SIZE_MAX;

	memset(got, 0xee, len);
	assert_int_equal(read_at(r, offset, len, &n), 0);
	assert_int_equal(n, len < left ? len : left);
	assert_memory_equal(got, model + (n ? offset : 0), n);
}

static int close_get(struct rig *r, int code)
{
	get_close(TAKE(r->g), code, on_done, r);
	assert_false(r->done);
	run_until(r, &r->done);
	return r->rc;
}

static void drop_file(struct rig *r)
{
	assert_int_equal(close_get(r, 0), 0);
	(void)unlink(r->k->done.path);
}

static void read_in_order_of_any_size_gives_the_file(void **state)
{
	struct rig *r = *state;
	static const size_t sizes[] = {
	    0, 1, 65535, 65536, 65537, 2 * CHUNK, 2 * CHUNK + 1, 3 * CHUNK - 1, 3000001};
	static const size_t pieces[] = {32768, 4099, 65536, 100000, GET_READ_MAX};

	for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
		for (unsigned j = 0; j < ARRAY_LEN(pieces); j++) {
			open_file(r, sizes[i]);
			for (uint64_t at = 0; at < sizes[i]; at += pieces[j])
				expect_read(r, at, pieces[j]);
			expect_read(r, sizes[i], 10); /* the end */
			drop_file(r);
			assert_int_equal(r->k->get_bytes, sizes[i]);
			assert_int_equal(r->k->get_ranges, sizes[i] > 0);
			assert_int_equal(r->k->get_range[0][1], sizes[i]);
		}
}

static void read_at_random_gives_the_file(void **state)
{
	struct rig *r = *state;

	open_file(r, 40 * CHUNK + 5);
	for (unsigned i = 0; i < 500; i++)
		expect_read(r, draw(41 * CHUNK), 1 + draw(i % 5 ? 40000 : GET_READ_MAX));
	drop_file(r);
	assert_true(r->k->get_ranges <= GET_RANGES_MAX);
}

static void read_behind_the_end_gives_nothing(void **state)
{
	struct rig *r = *state;
	static const uint64_t offsets[] = {100001,     1ull << 62,     INT64_MAX,
					   1ull << 63, UINT64_MAX - 1, UINT64_MAX};

	open_file(r, 100000);
	for (unsigned i = 0; i < ARRAY_LEN(offsets); i++)
		expect_read(r, offsets[i], 32768);
	expect_read(r, 99999, 32768);
	expect_read(r, 5, 0);
	drop_file(r);
	assert_int_equal(r->k->get_bytes, 1);
}

static void read_of_too_much_is_refused(void **state)
{
	struct rig *r = *state;
	size_t n = 77;

	open_file(r, 100000);
	assert_int_equal(get_read(r->g, 0, got, GET_READ_MAX + 1, &n), E_LIMIT);
	err_clear();
	assert_int_equal(n, 77);
	expect_read(r, 0, 1000); /* the caller's mistake, not the download's */
	drop_file(r);
}

static void read_in_order_fetches_ahead_and_each_chunk_once(void **state)
{
	struct rig *r = *state;
	unsigned before = fake_opened;

	open_file(r, 100 * CHUNK);
	for (uint64_t at = 0; at < 100 * CHUNK; at += 32768)
		expect_read(r, at, 32768);
	drop_file(r);
	assert_int_equal(fake_opened - before, 100);
	assert_true(r->agains < 100); /* else every chunk would be waited for */
}

static void read_slightly_mixed_up_fetches_each_chunk_once(void **state)
{
	struct rig *r = *state;
	unsigned before = fake_opened;

	open_file(r, 60 * CHUNK);
	for (uint64_t at = 0; at < 60 * CHUNK; at += 65536) {
		expect_read(r, at + 32768, 32768);
		expect_read(r, at, 32768);
	}
	drop_file(r);
	assert_int_equal(fake_opened - before, 60);
}

static void read_at_random_fetches_nothing_ahead(void **state)
{
	struct rig *r = *state;
	unsigned before = fake_opened;

	open_file(r, 100 * CHUNK);
	for (unsigned i = 0; i < 40; i++)
		expect_read(r, ((i * 37) % 97 + 2) * CHUNK + 100, 1000);
	(void)uv_run(&r->loop, UV_RUN_NOWAIT);
	drop_file(r);
	assert_int_equal(fake_opened - before, 40);
}

static void stalled_reader_costs_a_window_at_most(void **state)
{
	struct rig *r = *state;
	unsigned before = fake_opened;

	open_file(r, 100 * CHUNK);
	for (uint64_t at = 0; at < 10 * CHUNK; at += 32768)
		expect_read(r, at, 32768);
	for (int i = 0; i < 20; i++) {
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
		(void)usleep(2000);
	}
	assert_true(fake_opened - before <= 10 + GET_WINDOW);
	drop_file(r);
}

static void idle_reader_finds_its_place_again(void **state)
{
	struct rig *r = *state;
	uint64_t began = 0;

	open_file(r, 30 * CHUNK);
	expect_read(r, 0, 5 * CHUNK);
	unsigned before = fake_opened;
	began = uv_now(&r->loop);
	while (uv_loop_alive(&r->loop)) /* until the timer has gone off for the last time */
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	assert_true(uv_now(&r->loop) - began >= 2900);
	before = fake_opened;
	expect_read(r, 4 * CHUNK, 100); /* had been there: its memory was given back */
	assert_true(fake_opened > before);
	drop_file(r);
}

static void spoil(const struct rig *r, uint64_t at)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_int_equal(sys_open(AT_FDCWD, r->k->done.path, O_RDWR, 0, &fd), 0);
	assert_int_equal(sys_pread_all(fd, &byte, 1, at), 0);
	byte ^= 0x80;
	assert_int_equal(sys_pwrite_all(fd, &byte, 1, at), 0);
}

static void read_of_an_altered_chunk_is_final_and_gives_none_of_it(void **state)
{
	struct rig *r = *state;
	size_t n = 77;

	open_file(r, 30 * CHUNK);
	spoil(r, r->k->done.offset + 20 * AGE_SEALED_CHUNK + 5);
	for (uint64_t at = 0; at < 20 * CHUNK; at += 32768)
		expect_read(r, at, 32768); /* fetching ahead must not spoil what is good */
	memset(got, 0xee, 65536);
	assert_int_equal(read_at(r, 20 * CHUNK - 10, 1000, &n), E_INTEGRITY);
	assert_int_equal(n, 77);
	for (unsigned i = 0; i < 65536; i++)
		assert_int_equal(got[i], 0xee);
	assert_int_equal(read_at(r, 0, 10, &n), E_INTEGRITY);
	assert_true(strlen(r->text) > 5);
	assert_int_equal(close_get(r, E_INTEGRITY), 0);
	assert_int_equal(r->k->get_code, -E_INTEGRITY);
	assert_int_equal(r->k->get_bytes, 20 * CHUNK);
}

static void read_of_a_shortened_file_is_final(void **state)
{
	struct rig *r = *state;
	static const int cuts[] = {1, 16, 17, AGE_SEALED_CHUNK, 3 * AGE_SEALED_CHUNK};
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(cuts); i++) {
		fake_blob_write(r->k, view_of(model, 10 * CHUNK + 1), &r->k->done);
		off_t end = (off_t)(r->k->done.offset + 10 * AGE_SEALED_CHUNK + 17);
		assert_int_equal(truncate(r->k->done.path, end - cuts[i]), 0);
		assert_int_equal(open_get(r), 0);
		assert_int_equal(read_at(r, 10 * CHUNK, 1, &n), E_INTEGRITY);
		assert_int_equal(close_get(r, E_INTEGRITY), 0);
		(void)unlink(r->k->done.path);
	}
}

/* The catalog says another size than the blob has: the last flag is where it should not be. */
static void read_of_a_wrongly_sized_file_is_final(void **state)
{
	struct rig *r = *state;
	size_t n = 0;

	fake_blob_write(r->k, view_of(model, 10 * CHUNK), &r->k->done);
	r->k->done.size = 9 * CHUNK;
	assert_int_equal(open_get(r), 0);
	expect_read(r, 0, 1000);
	assert_int_equal(read_at(r, 8 * CHUNK, 10, &n), E_INTEGRITY);
	drop_file(r);
}

static void ranges_that_were_sent_are_told(void **state)
{
	struct rig *r = *state;

	open_file(r, 10 * CHUNK);
	expect_read(r, 0, 1000);
	expect_read(r, 5000, 1000);
	expect_read(r, 1000, 1000);
	expect_read(r, 1500, 100);
	drop_file(r);
	assert_int_equal(r->k->get_bytes, 3100);
	assert_int_equal(r->k->get_ranges, 2);
	assert_int_equal(r->k->get_range[0][0], 0);
	assert_int_equal(r->k->get_range[0][1], 2000);
	assert_int_equal(r->k->get_range[1][0], 5000);
	assert_int_equal(r->k->get_range[1][1], 6000);
}

static void ranges_beyond_the_most_join_their_neighbours(void **state)
{
	struct rig *r = *state;

	open_file(r, 10 * CHUNK);
	for (unsigned i = 0; i < 200; i++)
		expect_read(r, i * 100 + i / 50 * 1000, 10);
	drop_file(r);
	assert_int_equal(r->k->get_ranges, GET_RANGES_MAX);
	assert_int_equal(r->k->get_bytes, 2000);
	assert_int_equal(r->k->get_range[0][0], 0);
	assert_int_equal(r->k->get_range[GET_RANGES_MAX - 1][1], 199 * 100 + 3000 + 10);
}

static void close_with_jobs_in_flight_waits_for_them(void **state)
{
	struct rig *r = *state;
	size_t n = 0;

	open_file(r, 10 * CHUNK);
	assert_int_equal(get_read(r->g, 0, got, 5 * CHUNK, &n), E_AGAIN);
	assert_int_equal(close_get(r, E_GONE), 0);
	assert_false(r->ready);
	assert_int_equal(r->k->get_code, -E_GONE);
	assert_int_equal(r->k->get_bytes, 0);
}

static void close_from_the_wake_up_is_safe(void **state)
{
	struct rig *r = *state;
	size_t n = 0;

	open_file(r, 10 * CHUNK);
	r->quit_when_ready = true;
	assert_int_equal(get_read(r->g, 0, got, 5 * CHUNK, &n), E_AGAIN);
	run_until(r, &r->done);
	assert_true(r->ready);
}

static void close_without_a_listener_ends_alone(void **state)
{
	struct rig *r = *state;

	open_file(r, 10);
	get_close(TAKE(r->g), 0, NULL, NULL);
	assert_int_equal(get_count(), 1);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(get_count(), 0);
	assert_int_equal(r->k->asks[VERB_GET_CLOSE], 1);
}

static void close_that_is_refused_is_told(void **state)
{
	struct rig *r = *state;

	open_file(r, 10);
	r->k->refuse = VERB_GET_CLOSE;
	r->k->refuse_rc = E_IO;
	assert_int_equal(close_get(r, 0), E_IO);
	assert_string_equal(r->text, "refused by the fake keep");
}

static void open_tells_what_the_keep_said(void **state)
{
	struct rig *r = *state;

	open_file(r, 10);
	const struct attrs *a = get_attrs(r->g);
	assert_int_equal(a->kind, NODE_FILE);
	assert_int_equal(a->size, 10);
	assert_int_equal(a->mtime_s, 42);
	assert_int_equal(a->owner, 7);
	assert_true(view_is(a->owner_name, "acme"));
	drop_file(r);
}

static void open_that_is_refused_is_told(void **state)
{
	struct rig *r = *state;

	r->k->refuse = VERB_GET_OPEN;
	r->k->refuse_rc = E_GONE;
	assert_int_equal(open_get(r), E_GONE);
	assert_null(r->g);
	assert_string_equal(r->text, "refused by the fake keep");
	assert_int_equal(get_count(), 0);
	assert_int_equal(r->k->asks[VERB_GET_CLOSE], 0);
}

static void open_that_makes_no_sense_is_ended_with_the_keep(void **state)
{
	struct rig *r = *state;

	fake_blob_write(r->k, view_of(model, 10), &r->k->done);
	r->k->no_fds = true;
	assert_int_equal(open_get(r), E_PROTOCOL);
	assert_null(r->g);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(r->k->asks[VERB_GET_CLOSE], 1);
	assert_int_equal(r->k->get_code, -E_PROTOCOL);
	r->k->no_fds = false;
	r->k->done.size = UINT64_MAX;
	assert_int_equal(open_get(r), E_PROTOCOL);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(r->k->asks[VERB_GET_CLOSE], 2);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(read_in_order_of_any_size_gives_the_file),
	    CASE(read_at_random_gives_the_file),
	    CASE(read_behind_the_end_gives_nothing),
	    CASE(read_of_too_much_is_refused),
	    CASE(read_in_order_fetches_ahead_and_each_chunk_once),
	    CASE(read_slightly_mixed_up_fetches_each_chunk_once),
	    CASE(read_at_random_fetches_nothing_ahead),
	    CASE(stalled_reader_costs_a_window_at_most),
	    CASE(idle_reader_finds_its_place_again),
	    CASE(read_of_an_altered_chunk_is_final_and_gives_none_of_it),
	    CASE(read_of_a_shortened_file_is_final),
	    CASE(read_of_a_wrongly_sized_file_is_final),
	    CASE(ranges_that_were_sent_are_told),
	    CASE(ranges_beyond_the_most_join_their_neighbours),
	    CASE(close_with_jobs_in_flight_waits_for_them),
	    CASE(close_from_the_wake_up_is_safe),
	    CASE(close_without_a_listener_ends_alone),
	    CASE(close_that_is_refused_is_told),
	    CASE(open_tells_what_the_keep_said),
	    CASE(open_that_is_refused_is_told),
	    CASE(open_that_makes_no_sense_is_ended_with_the_keep),
	};

	(void)alarm(300); /* a download that waits for ever */
	return cmocka_run_group_tests_name("gate/get", tests, NULL, NULL);
}
