/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk_rig: a client and a keep around one talk, for the tests of conversations: requests are
 * built, said and answered one by one; what the keep would say is said here.
 */
#ifndef DROPKEEP_TESTS_TALK_RIG_H
#define DROPKEEP_TESTS_TALK_RIG_H

#include "gate_kit.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/gate/limits.h"
#include "daemon/gate/put.h"
#include "daemon/gate/sftp.h"
#include "daemon/gate/sftp_talk.h"

enum { FILES_MAX = 3, SESSION = 9, PUT_NUMBER = 40 };

static struct gate_kit kit;
static struct talk *talk;
static unsigned open_files, wakes, ends;
static struct buf got; /* what the talk gave, from the first byte nobody looked at */

static inline void on_wake(void *arg)
{
	(void)arg;
	wakes++;
}

static inline void on_end(void *arg)
{
	(void)arg;
	ends++;
}

static inline int set_up(void **state)
{
	(void)state;
	gate_kit_open(&kit);
	const struct talk_env env = {
	    .loop = &kit.loop,
	    .keeper = kit.keeper,
	    .session = SESSION,
	    .home = "/zone",
	    .name = "acme",
	    .open_files = &open_files,
	    .open_files_max = FILES_MAX,
	    .wake = on_wake,
	};
	open_files = wakes = ends = 0;
	talk = talk_new(&env);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	if (talk)
		talk_end(TAKE(talk), "over", on_end, NULL);
	gate_kit_run(&kit);
	assert_int_equal(ends, 1);
	assert_int_equal(open_files, 0);
	buf_done(&got);
	gate_kit_close(&kit);
	return 0;
}

/* --- a client --- */

struct request {
	uint8_t bytes[REQUEST_MAX + 4];
	struct writer w;
};
static struct request request;

static inline struct writer *begin(uint8_t type, uint32_t id)
{
	request.w = writer_of(request.bytes, sizeof request.bytes);
	write_u32(&request.w, 0);
	write_u8(&request.w, type);
	write_u32(&request.w, id);
	return &request.w;
}

/* How much the talk used. */
static inline size_t feed(void)
{
	size_t used = 0;

	write_u32_at(&request.w, 0, (uint32_t)(request.w.len - 4));
	assert_false(request.w.full);
	EXACT exact = kit_exact(request.bytes, request.w.len);
	assert_ok(talk_take(talk, exact, &used));
	return used;
}

static inline void say(void)
{
	assert_int_equal(feed(), request.w.len);
}

static inline void say_path(uint8_t type, uint32_t id, const char *path)
{
	write_bytes(begin(type, id), view_text(path));
	say();
}

static inline void say_init(void)
{
	begin(FXP_INIT, SFTP_VERSION);
	say();
}

/* The next answer's body behind its id; type and id as wanted. */
static inline struct reader hear(uint8_t type, uint32_t id)
{
	static uint8_t body[OUT_FILL * 2];

	assert_ok(talk_give(talk, &got));
	struct reader r = reader_of(view_buf(&got));
	uint32_t len = read_u32(&r);
	assert_true(reader_ok(&r) && len >= 5 && len <= r.left);
	assert_int_equal(read_u8(&r), type);
	assert_int_equal(read_u32(&r), id);
	memcpy(body, r.at, len - 5);
	buf_eat(&got, len + 4);
	return reader_of(view_of(body, len - 5));
}

static inline bool silent(void)
{
	assert_ok(talk_give(talk, &got));
	return got.len == 0;
}

static inline void hear_status(uint32_t id, uint32_t status, const char *text)
{
	struct reader r = hear(FXP_STATUS, id);

	assert_int_equal(read_u32(&r), status);
	struct view said = read_bytes(&r);
	if (text)
		assert_true(view_is(said, text));
	assert_true(view_is(read_bytes(&r), "en"));
	assert_true(reader_end(&r));
}

static inline void hear_path(uint32_t id, const char *path)
{
	struct reader r = hear(FXP_NAME, id);

	assert_int_equal(read_u32(&r), 1);
	assert_true(view_is(read_bytes(&r), path));
	(void)read_bytes(&r);
	assert_int_equal(read_u32(&r), 0);
	assert_true(reader_end(&r));
}

/* --- a keep --- */

static inline void answer_attrs(const struct frame *ask, uint8_t kind, uint64_t size)
{
	uint8_t body[256];
	struct writer w = writer_of(body, sizeof body);
	const struct attrs a = {kind, RIGHT_LIST | RIGHT_READ, size, 1000,
				3,    view_text("acme"),       {0}};

	attrs_write(&w, &a);
	gate_kit_answer(&kit, ask, view_of(body, w.len));
}

static inline void answer_page(const struct frame *ask, unsigned from, unsigned count, bool end)
{
	static uint8_t entries[LINK_MAX / 2], body[LINK_MAX];
	struct writer e = writer_of(entries, sizeof entries), w = writer_of(body, sizeof body);

	for (unsigned i = from; i < from + count; i++) {
		char name[32];
		(void)snprintf(name, sizeof name, "file %u", i);
		const struct entry entry = {view_text(name),   NODE_FILE, RIGHT_READ, i, 1000, 3,
					    view_text("acme"), {0}};
		entry_write(&e, &entry);
	}
	const struct answer_list l = {end, from + count, view_of(entries, e.len)};
	answer_list_write(&w, &l);
	assert_false(e.full || w.full);
	gate_kit_answer(&kit, ask, view_of(body, w.len));
}

static inline struct view path_asked(enum verb verb, struct frame *ret_ask)
{
	*ret_ask = gate_kit_take(&kit, verb);
	assert_int_equal(ret_ask->subject, SESSION);
	struct reader r = reader_of(ret_ask->body);
	return read_bytes(&r);
}

static inline uint64_t open_dir(uint32_t id)
{
	struct frame ask;

	say_path(FXP_OPENDIR, id, "d");
	assert_true(view_is(path_asked(VERB_LIST, &ask), "/zone/d"));
	answer_page(&ask, 0, 2, true);
	struct reader r = hear(FXP_HANDLE, id);
	assert_int_equal(read_u32(&r), 8);
	return read_u64(&r);
}

static inline void say_handle(uint8_t type, uint32_t id, uint64_t handle)
{
	struct writer *w = begin(type, id);

	write_u32(w, 8);
	write_u64(w, handle);
	say();
}

/* An upload that stands at these bytes, resumed cleanly. */
static inline void answer_lease(const struct frame *ask, const char *bytes)
{
	uint8_t body[512];
	struct writer w = writer_of(body, sizeof body);
	struct frame f = {FRAME_ANSWER, ask->verb, ask->id, ask->subject, 0, {0}};
	const struct lease l = {
	    .declared = SIZE_UNKNOWN,
	    .put = PUT_NUMBER,
	    .size = strlen(bytes),
	    .granted = 1 << 30, /* so that no more is asked for */
	    .tail = view_text(bytes),
	};
	int fd = memfd_create("blob", MFD_CLOEXEC);

	assert_true(fd >= 0);
	lease_write(&w, &l);
	f.body = view_of(body, w.len);
	gate_kit_send(&kit, &f, &fd, 1);
	(void)close(fd);
}

/* Uploads end by way of the thread pool. */
static inline struct frame await_suspend(void)
{
	for (int i = 0; i < 2000; i++) {
		gate_kit_run(&kit);
		struct pollfd p = {.fd = kit.keep, .events = POLLIN};
		if (poll(&p, 1, 1) == 1)
			break;
	}
	struct frame ask = gate_kit_take(&kit, VERB_PUT_SUSPEND);
	assert_int_equal(ask.subject, PUT_NUMBER);
	return ask;
}

static inline void end_of_put(void)
{
	struct frame ask = await_suspend();

	gate_kit_answer(&kit, &ask, view_of(NULL, 0));
}

#endif
