/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_rig: one upload at a time against the fake keep, with a plain model of what the file
 * should be. Included by the tests of put alone.
 */
#ifndef DROPKEEP_PUT_RIG_H
#define DROPKEEP_PUT_RIG_H

#include "age/stream.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/gate/put_inside.h" /* for its limits */
#include "fake_keep.h"

/* Last: it has a macro of the name fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MODEL_MAX = 12 << 20 };

struct rig {
	uv_loop_t loop;
	struct keeper *k;
	struct put *p;
	bool opened, room, yielded, done, synced;
	int rc; /* of what came last */
	int sync_rc;
	char text[512];
	unsigned agains;
};

static uint8_t model[MODEL_MAX], other[MODEL_MAX], got[MODEL_MAX];

static uint32_t seed = 1;
static inline uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)(seed >> 4) * below >> 28);
}

static void fill(uint8_t *bytes, size_t len, uint32_t salt)
{
	uint64_t x = 88172645463325252ull + salt * 7919u;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		bytes[i] = (uint8_t)(x >> 32);
	}
}

static int setup(void **state)
{
	struct rig *r = mem_new(sizeof *r);

	assert_int_equal(uv_loop_init(&r->loop), 0);
	r->k = fake_new(&r->loop);
	fill(model, sizeof model, 1);
	fill(other, sizeof other, 2);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	if (r->p)
		put_abandon(r->p, "the test has failed", NULL, NULL);
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
	assert_int_equal(put_count(), 0);
	fake_free(r->k);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	err_clear();
	free(r);
	return 0;
}

static inline void on_opened(void *arg, int rc, const char *text, struct put *p)
{
	struct rig *r = arg;

	assert_false(r->opened);
	r->opened = true;
	r->rc = rc;
	r->p = p;
	(void)snprintf(r->text, sizeof r->text, "%s", text);
}

static inline void on_room(void *arg)
{
	((struct rig *)arg)->room = true;
}

static inline void on_yielded(void *arg)
{
	struct rig *r = arg;

	r->yielded = true;
	r->p = NULL;
}

static inline void on_done(void *arg, int rc, const char *text)
{
	struct rig *r = arg;

	assert_false(r->done);
	r->done = true;
	r->rc = rc;
	(void)snprintf(r->text, sizeof r->text, "%s", text);
}

static inline void on_synced(void *arg, int rc, const char *text)
{
	struct rig *r = arg;

	(void)text;
	assert_false(r->synced);
	r->synced = true;
	r->sync_rc = rc;
}

/* Turns of the loop until the flag is up; one that sleeps for ever fails at its alarm. */
static inline void run_until(struct rig *r, const bool *flag)
{
	while (!*flag)
		if (!uv_run(&r->loop, UV_RUN_ONCE) && !*flag)
			fail_msg("nothing is due any more");
}

static inline int open_put_declared(struct rig *r, uint8_t flags, uint64_t declared)
{
	r->opened = r->done = r->yielded = false;
	put_open(&r->loop, r->k, 1, view_text("/acme/incoming/file"), flags, declared, on_opened,
		 r);
	assert_false(r->opened);
	run_until(r, &r->opened);
	if (r->p)
		put_listen(r->p, on_room, on_yielded, r);
	return r->rc;
}

static inline void open_put(struct rig *r, uint8_t flags)
{
	assert_int_equal(open_put_declared(r, flags, SIZE_UNKNOWN), 0);
}

/* 0 or what is final. */
static inline int try_put(struct rig *r, uint64_t offset, const uint8_t *bytes, size_t len)
{
	int rc = E_AGAIN;

	while (rc == E_AGAIN) {
		r->room = false;
		rc = put_write(r->p, offset, view_of(bytes, len));
		if (rc == E_AGAIN) {
			r->agains++;
			run_until(r, &r->room);
		}
	}
	(void)snprintf(r->text, sizeof r->text, "%s", rc ? err_cause() : "");
	err_clear();
	return rc;
}

/* The model's bytes from … from+len-1, in pieces. */
static inline void put_range(struct rig *r, uint64_t from, uint64_t len, size_t piece)
{
	for (uint64_t at = from; at < from + len; at += piece) {
		size_t n = from + len - at < piece ? (size_t)(from + len - at) : piece;
		int rc = try_put(r, at, model + at, n);
		if (rc)
			fail_msg("write of %zu at %llu: %s", n, (unsigned long long)at, r->text);
	}
}

static inline int close_put(struct rig *r)
{
	put_close(TAKE(r->p), on_done, r);
	assert_false(r->done);
	run_until(r, &r->done);
	return r->rc;
}

static inline int abandon_put(struct rig *r)
{
	put_abandon(TAKE(r->p), "the line went dead", on_done, r);
	assert_false(r->done);
	run_until(r, &r->done);
	return r->rc;
}

/* Let all that is under way come to rest. */
static inline void rest(struct rig *r)
{
	(void)uv_run(&r->loop, UV_RUN_DEFAULT);
}

static inline void expect_published(struct rig *r, uint64_t size)
{
	uint8_t hash[32];

	assert_true(r->k->published);
	assert_int_equal(r->k->done.size, size);
	fake_blob_read(&r->k->done, size, true, got);
	assert_memory_equal(got, model, size);
	sha256_of(view_of(model, size), hash);
	assert_memory_equal(hash, r->k->sha256, sizeof hash);
}

static inline void expect_clean(struct rig *r, uint64_t size)
{
	struct sha256 h;
	uint8_t digest[32], hash[32];

	assert_true(r->k->partial);
	if (!r->k->clean)
		fail_msg("not clean: %s", r->k->reason);
	assert_int_equal(r->k->sealed * CHUNK + r->k->tail_len, size);
	fake_blob_read(&r->k->blob, r->k->sealed * CHUNK, false, got);
	memcpy(got + r->k->sealed * CHUNK, r->k->tail_bytes, r->k->tail_len);
	assert_memory_equal(got, model, size);
	assert_int_equal(sha256_load(&h, r->k->digest), 0);
	assert_int_equal(sha256_count(&h), r->k->sealed * CHUNK);
	sha256_now(&h, digest);
	sha256_of(view_of(model, r->k->sealed * CHUNK), hash);
	assert_memory_equal(hash, digest, sizeof hash);
}

/* An upload that never had a blob leaves nothing that could be resumed. */
static inline void expect_nothing(struct rig *r)
{
	assert_true(r->k->partial && r->k->bare && !r->k->clean);
	assert_int_equal(r->k->durable, 0);
}

static inline void expect_unclean(struct rig *r, uint64_t durable)
{
	assert_true(r->k->partial);
	assert_false(r->k->clean);
	assert_int_equal(r->k->durable, durable);
	fake_blob_read(&r->k->blob, durable, false, got);
	assert_memory_equal(got, model, durable);
}

/* The published file that the next upload starts from. */
static inline void give_source(struct rig *r, size_t size)
{
	fake_blob_write(r->k, view_of(model, size), &r->k->source);
	r->k->has_source = true;
	r->k->partial = false;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
