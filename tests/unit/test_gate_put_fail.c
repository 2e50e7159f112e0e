/* SPDX-License-Identifier: Apache-2.0 */
#include "put_rig.h"

#include <unistd.h>

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
	r->k->blobs_at_once = true;
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

/* What was stored before counts; the chunk that was not may never be sealed again. */
static void full_disk_in_the_middle_keeps_what_is_durable(void **state)
{
	struct rig *r = *state;
	int rc = 0;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 10 * CHUNK + 5, CHUNK);
	rest(r);
	fake_fail_write = 3;
	for (uint64_t at = 10 * CHUNK + 5; !rc && at < 100 * CHUNK; at += CHUNK)
		rc = try_put(r, at, model + at, CHUNK);
	assert_int_equal(rc, E_FULL);
	assert_non_null(strstr(r->text, "no space left"));
	assert_int_equal(close_put(r), E_FULL);
	fake_fail_write = 0;
	uint64_t durable = r->k->durable; /* which one came third is the pool's choice */
	assert_in_range(durable, 10 * CHUNK, 12 * CHUNK);
	expect_unclean(r, durable);
	open_put(r, 0);
	put_range(r, durable, 15 * CHUNK - durable, 32768);
	assert_int_equal(close_put(r), 0);
	expect_published(r, 15 * CHUNK);
}

static void full_disk_at_the_last_chunk_keeps_what_is_durable(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK + 5, CHUNK);
	rest(r);
	fake_fail_write = 1;
	assert_int_equal(close_put(r), E_FULL);
	fake_fail_write = 0;
	assert_int_equal(r->k->asks[VERB_PUT_FINISH], 0);
	expect_unclean(r, 2 * CHUNK);
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
	static void (*const how[])(struct lease *) = {spoil_size,   spoil_sealed, spoil_prefix,
						      spoil_tail,   spoil_offset, spoil_digest,
						      spoil_digest, spoil_prefix, spoil_size};

	for (unsigned i = 0; i < ARRAY_LEN(how); i++) {
		r->k->blobs_at_once = how[i] == spoil_offset || i % 2;
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
	r->k->no_fds = r->k->blobs_at_once = true;
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

/* So that a crash costs little. */
static void durable_chunks_are_told_from_time_to_time(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	for (uint64_t at = 0; at < 140 << 20; at += 1 << 20)
		assert_int_equal(try_put(r, at, model, 1 << 20), 0);
	rest(r);
	assert_in_range(r->k->asks[VERB_PUT_EXTEND], 1, 2);
	assert_true(r->k->extend_durable >= 64 << 20);
	assert_int_equal(abandon_put(r), 0);
	assert_true(r->k->clean);
}

/* --- an owner that acts in its wake-up, as the real ones do --- */

struct eager {
	struct rig *r;
	uint64_t at, size;
	bool changed, ended;
};

static void eager_go(void *arg)
{
	struct eager *e = arg;
	struct rig *r = e->r;

	while (e->at < e->size) {
		int rc = put_write(r->p, e->at, view_of(model + e->at, 32768));
		if (rc == E_AGAIN)
			return;
		assert_int_equal(rc, 0);
		e->at += 32768;
	}
	if (!e->changed) { /* once more, with other bytes here and there */
		e->changed = true;
		for (uint64_t i = 0; i < e->size; i += 300000)
			model[i]++;
		e->at = 0;
		eager_go(e);
	} else if (!e->ended) {
		e->ended = true;
		put_close(TAKE(r->p), on_done, r);
	}
}

static void owner_may_write_and_close_in_its_wake_up(void **state)
{
	struct rig *r = *state;
	struct eager e = {.r = r, .size = 60 * CHUNK};

	open_put(r, PUT_CREATE);
	put_listen(r->p, eager_go, on_yielded, &e);
	eager_go(&e);
	run_until(r, &r->done);
	if (r->rc == 0)
		expect_published(r, e.size);
	assert_int_equal(r->rc, 0);
}

static void quit(void *arg)
{
	struct rig *r = arg;

	if (r->p)
		put_abandon(TAKE(r->p), "enough", on_done, r);
}

static void owner_may_abandon_in_its_wake_up(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0;

	open_put(r, PUT_CREATE);
	put_listen(r->p, quit, on_yielded, r);
	while (put_write(r->p, at, view_of(model + at, 32768)) == 0)
		at += 32768;
	run_until(r, &r->done);
	expect_clean(r, at);
}

static void owner_hears_of_an_error_in_its_wake_up(void **state)
{
	struct rig *r = *state;
	uint64_t at = 0;

	open_put(r, PUT_CREATE);
	fake_fail_write = 1;
	while (put_write(r->p, at, view_of(model + at, 32768)) == 0)
		at += 32768;
	int rc = E_AGAIN;
	while (rc == E_AGAIN) { /* it is woken for room, too */
		err_clear();
		r->room = false;
		run_until(r, &r->room);
		rc = put_write(r->p, at, view_of(model, 1));
	}
	assert_int_equal(rc, E_FULL);
	err_clear();
	assert_int_equal(close_put(r), E_FULL);
	fake_fail_write = 0;
	expect_unclean(r, 0);
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

/* --- what a crash would leave --- */

static void on_time(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

static void wait_ms(struct rig *r, uint64_t ms)
{
	uv_timer_t timer;
	bool over = false;

	assert_int_equal(uv_timer_init(&r->loop, &timer), 0);
	timer.data = &over;
	assert_int_equal(uv_timer_start(&timer, on_time, ms, 0), 0);
	run_until(r, &over);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&r->loop, UV_RUN_NOWAIT);
}

/* Far less than a step: time alone makes it durable, and once is enough. */
static void few_chunks_are_durable_and_told_within_seconds(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 3 * CHUNK + 5, 32768);
	rest(r);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 0);
	wait_ms(r, 2500);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 1);
	assert_int_equal(r->k->extend_durable, 3 * CHUNK);
	wait_ms(r, 2500);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 1);
	put_range(r, 3 * CHUNK + 5, CHUNK, 32768);
	wait_ms(r, 2500);
	assert_int_equal(r->k->asks[VERB_PUT_EXTEND], 2);
	assert_int_equal(r->k->extend_durable, 4 * CHUNK);
	fake_fail_sync = 1;
	put_range(r, 4 * CHUNK + 5, CHUNK, 32768);
	wait_ms(r, 2500);
	assert_int_equal(try_put(r, 0, model, 5), E_IO);
	assert_int_equal(close_put(r), E_IO);
	assert_int_equal(r->k->asks[VERB_PUT_DROP], 1);
}

static void sync_is_told_at_once(void **state)
{
	struct rig *r = *state;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 2 * CHUNK + 5, 32768);
	put_sync(r->p, on_synced, r);
	run_until(r, &r->synced);
	rest(r);
	assert_int_equal(r->k->extend_durable, 2 * CHUNK);
	assert_int_equal(close_put(r), 0);
}

/* An upload that an unclean end left, whose stored chunk `index` has been damaged. */
static void leave_damaged(struct rig *r, uint64_t index)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;
	uint64_t at = 0;

	open_put(r, PUT_CREATE);
	put_range(r, 0, 5 * CHUNK + 5, 32768);
	assert_int_equal(abandon_put(r), 0);
	r->k->clean = false;
	r->k->durable = 5 * CHUNK;
	at = r->k->blob.offset + index * AGE_SEALED_CHUNK + 1000;
	assert_int_equal(sys_open(AT_FDCWD, r->k->blob.path, O_RDWR, 0, &fd), 0);
	assert_int_equal(sys_pread_all(fd, &byte, 1, at), 0);
	byte ^= 1;
	assert_int_equal(sys_pwrite_all(fd, &byte, 1, at), 0);
}

static void damage_in_what_an_upload_goes_on_from_is_told_and_leaves_it(void **state)
{
	struct rig *r = *state;

	leave_damaged(r, 3);
	open_put(r, 0);
	assert_int_equal(put_size(r->p), 5 * CHUNK);
	put_range(r, 5 * CHUNK, 100, 100);
	assert_int_equal(close_put(r), E_INTEGRITY);
	assert_non_null(strstr(r->text, "damaged"));
	assert_int_equal(r->k->asks[VERB_PUT_DROP] + r->k->asks[VERB_PUT_FINISH], 0);
	assert_int_equal(r->k->asks[VERB_PUT_SUSPEND], 2);
	assert_false(r->k->clean);
	assert_in_range(r->k->durable, 0, 3 * CHUNK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(failing_write_drops_the_upload),
	    CASE(failing_last_write_drops_the_upload),
	    CASE(full_disk_leaves_a_partial),
	    CASE(full_disk_in_the_middle_keeps_what_is_durable),
	    CASE(full_disk_at_the_last_chunk_keeps_what_is_durable),
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
	    CASE(durable_chunks_are_told_from_time_to_time),
	    CASE(owner_may_write_and_close_in_its_wake_up),
	    CASE(owner_may_abandon_in_its_wake_up),
	    CASE(owner_hears_of_an_error_in_its_wake_up),
	    CASE(sync_answers_when_complete_chunks_are_stored),
	    CASE(sync_of_an_abandoned_put_is_not_answered),
	    CASE(few_chunks_are_durable_and_told_within_seconds),
	    CASE(sync_is_told_at_once),
	    CASE(damage_in_what_an_upload_goes_on_from_is_told_and_leaves_it),
	};

	(void)alarm(300); /* an upload that waits for ever */
	return cmocka_run_group_tests_name("gate/put, failing", tests, NULL, NULL);
}
