/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/base_kit.h"

#include "wire/link.h"

/* Both ends; closed descriptors are -1. */
struct pair {
	int fds[2];
};

static struct pair new_pair(void)
{
	struct pair p = {{-1, -1}};

	assert_ok(link_pair(p.fds));
	return p;
}

static void pair_done(struct pair *p)
{
	sys_close(&p->fds[0]);
	sys_close(&p->fds[1]);
}

#define PAIR CLEANUP(pair_done) struct pair

static unsigned count_open(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	return n;
}

static void header_is_laid_out_as_written_down(void **state)
{
	static const uint8_t expected[LINK_HEADER] = {0, 2, 0, 20, 1, 2, 3,    4,    0,    0,
						      0, 0, 0, 0,  0, 9, 0xff, 0xff, 0xff, 0xfd};
	struct frame f = {
	    .kind = FRAME_ANSWER, .verb = 20, .id = 0x01020304, .subject = 9, .status = E_GONE};
	uint8_t out[LINK_HEADER];
	struct writer w = writer_of(out, sizeof out);

	(void)state;
	frame_write(&w, &f);
	assert_false(w.full);
	assert_int_equal(w.len, LINK_HEADER);
	assert_memory_equal(out, expected, sizeof expected);
}

static void frame_with_a_body_is_read_back(void **state)
{
	struct frame f = {.kind = FRAME_ASK, .verb = 7, .id = 5, .subject = UINT64_MAX}, got;
	uint8_t out[64];
	struct writer w = writer_of(out, sizeof out);

	(void)state;
	frame_write(&w, &f);
	write_raw(&w, "body", 4);
	EXACT v = kit_exact(out, w.len);
	assert_ok(frame_read(v, &got));
	assert_int_equal(got.kind, FRAME_ASK);
	assert_int_equal(got.verb, 7);
	assert_int_equal(got.id, 5);
	assert_true(got.subject == UINT64_MAX);
	assert_int_equal(got.status, 0);
	assert_true(view_is(got.body, "body"));
}

static void frame_cut_in_its_header_is_refused(void **state)
{
	uint8_t out[LINK_HEADER];
	struct writer w = writer_of(out, sizeof out);
	struct frame f = {.kind = FRAME_ASK, .verb = 7}, got = {.id = 77};

	(void)state;
	frame_write(&w, &f);
	for (size_t len = 0; len < LINK_HEADER; len++) {
		EXACT v = kit_exact(out, len);
		assert_fails(frame_read(v, &got), E_PROTOCOL);
		assert_int_equal(got.id, 77);
	}
	EXACT whole = kit_exact(out, LINK_HEADER);
	assert_ok(frame_read(whole, &got));
	assert_int_equal(got.body.len, 0);
}

static int read_status(uint16_t kind, int32_t status)
{
	struct frame f = {.kind = kind, .status = status}, got;
	uint8_t out[LINK_HEADER];
	struct writer w = writer_of(out, sizeof out);

	frame_write(&w, &f);
	EXACT v = kit_exact(out, sizeof out);
	return frame_read(v, &got);
}

static void status_that_does_not_exist_is_refused(void **state)
{
	(void)state;
	for (int32_t status = 0; status >= E_LAST; status--)
		assert_ok(read_status(FRAME_ANSWER, status));
	assert_fails(read_status(FRAME_ANSWER, 1), E_PROTOCOL);
	assert_fails(read_status(FRAME_ANSWER, E_LAST - 1), E_PROTOCOL);
	assert_fails(read_status(FRAME_ANSWER, INT32_MIN), E_PROTOCOL);
	assert_fails(read_status(FRAME_ANSWER, INT32_MAX), E_PROTOCOL);
	assert_fails(read_status(FRAME_ASK, E_GONE), E_PROTOCOL);
	assert_fails(read_status(FRAME_ORDER, E_GONE), E_PROTOCOL);
}

static void pair_neither_waits_nor_survives_exec(void **state)
{
	PAIR p = new_pair();

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(p.fds[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(p.fds[i], F_GETFL) & O_NONBLOCK);
	}
}

static void packets_arrive_whole_and_apart(void **state)
{
	PAIR p = new_pair();
	uint8_t memory[64];
	struct view got;
	unsigned count = 77;

	(void)state;
	assert_ok(link_send(p.fds[0], view_text("first"), NULL, 0));
	assert_ok(link_send(p.fds[0], view_text("second one"), NULL, 0));
	assert_ok(link_receive(p.fds[1], memory, sizeof memory, &got, NULL, 0, &count));
	assert_true(view_is(got, "first"));
	assert_int_equal(count, 0);
	assert_ok(link_receive(p.fds[1], memory, sizeof memory, &got, NULL, 0, &count));
	assert_true(view_is(got, "second one"));
	assert_fails(link_receive(p.fds[1], memory, sizeof memory, &got, NULL, 0, &count), E_AGAIN);
}

static void largest_packet_fits(void **state)
{
	PAIR p = new_pair();
	CLEANUP(mem_free) uint8_t *out = mem_new(LINK_MAX);
	CLEANUP(mem_free) uint8_t *in = mem_new(LINK_MAX);
	struct view got;
	unsigned count;

	(void)state;
	for (size_t i = 0; i < LINK_MAX; i++)
		out[i] = (uint8_t)(i * 13);
	assert_ok(link_send(p.fds[0], view_of(out, LINK_MAX), NULL, 0));
	assert_ok(link_receive(p.fds[1], in, LINK_MAX, &got, NULL, 0, &count));
	assert_true(view_equal(got, view_of(out, LINK_MAX)));
}

static void packet_that_does_not_fit_is_a_breach(void **state)
{
	PAIR p = new_pair();
	struct view got = {NULL, 77};
	unsigned count = 77;

	(void)state;
	for (size_t cap = 0; cap < 6; cap++) {
		uint8_t *memory = malloc(cap ? cap : 1);
		assert_ok(link_send(p.fds[0], view_text("123456"), NULL, 0));
		assert_fails(link_receive(p.fds[1], memory, cap, &got, NULL, 0, &count),
			     E_PROTOCOL);
		assert_int_equal(got.len, 77);
		assert_int_equal(count, 77);
		free(memory);
	}
}

static void descriptors_arrive_in_their_order(void **state)
{
	PAIR p = new_pair();
	FOLDER f = kit_folder();
	int out[LINK_FDS_MAX], in[LINK_FDS_MAX];
	uint8_t memory[16];
	struct view got;
	unsigned count = 0;

	(void)state;
	for (int i = 0; i < LINK_FDS_MAX; i++) {
		char name[8];
		(void)snprintf(name, sizeof name, "%d", i);
		kit_write(&f, name, name);
		assert_ok(sys_open(f.fd, name, O_RDONLY, 0, &out[i]));
	}
	assert_ok(link_send(p.fds[0], view_text("x"), out, LINK_FDS_MAX));
	for (int i = 0; i < LINK_FDS_MAX; i++)
		sys_close(&out[i]); /* they stay alive on the way */
	assert_ok(link_receive(p.fds[1], memory, sizeof memory, &got, in, LINK_FDS_MAX, &count));
	assert_int_equal(count, LINK_FDS_MAX);
	for (int i = 0; i < LINK_FDS_MAX; i++) {
		char name[8] = "", content[8] = "";
		size_t len = 0;
		(void)snprintf(name, sizeof name, "%d", i);
		assert_true(fcntl(in[i], F_GETFD) & FD_CLOEXEC);
		assert_ok(sys_pread_some(in[i], content, sizeof content - 1, 0, &len));
		assert_string_equal(content, name);
		sys_close(&in[i]);
	}
}

/* The keep accepts no descriptors, a gate only as many as the verb allows; none may leak. */
static void surplus_descriptors_are_a_breach_and_closed(void **state)
{
	PAIR p = new_pair();
	uint8_t memory[16];
	struct view got = {NULL, 77};
	int in[LINK_FDS_MAX], out[LINK_FDS_MAX];
	unsigned count = 77, before = count_open();

	(void)state;
	for (int i = 0; i < LINK_FDS_MAX; i++)
		out[i] = p.fds[0];
	for (unsigned room = 0; room < LINK_FDS_MAX; room++) {
		memset(in, 0x5a, sizeof in);
		assert_ok(link_send(p.fds[0], view_text("x"), out, room + 1));
		assert_fails(link_receive(p.fds[1], memory, sizeof memory, &got, in, room, &count),
			     E_PROTOCOL);
		assert_int_equal(got.len, 77);
		assert_int_equal(count, 77);
		for (int i = 0; i < LINK_FDS_MAX; i++)
			assert_int_equal(in[i], 0x5a5a5a5a);
	}
	assert_ok(link_send(p.fds[0], view_text("too long for it"), out, 3));
	assert_fails(link_receive(p.fds[1], memory, 4, &got, in, LINK_FDS_MAX, &count), E_PROTOCOL);
	assert_int_equal(count_open(), before);
}

/* What only a peer sends that does not use link_send(). */
static void send_raw(int fd, const char *text, size_t len, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(64 * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)text, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	m.msg_control = control.space;
	m.msg_controllen = CMSG_SPACE(count * sizeof(int));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	assert_true(sendmsg(fd, &m, 0) >= 0);
}

static void more_descriptors_than_there_is_room_for_are_closed(void **state)
{
	PAIR p = new_pair();
	uint8_t memory[16];
	struct view got;
	int in[LINK_FDS_MAX], out[64];
	unsigned count, before = count_open();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		out[i] = p.fds[0];
	send_raw(p.fds[0], "x", 1, out, ARRAY_LEN(out));
	assert_fails(link_receive(p.fds[1], memory, sizeof memory, &got, in, LINK_FDS_MAX, &count),
		     E_PROTOCOL);
	assert_int_equal(count_open(), before);
}

/* A packet of no bytes looks like the end; what came with it must not stay open. */
static void empty_packet_with_descriptors_leaks_nothing(void **state)
{
	PAIR p = new_pair();
	uint8_t memory[16];
	struct view got;
	int in[LINK_FDS_MAX];
	unsigned count, before = count_open();

	(void)state;
	send_raw(p.fds[0], "", 0, p.fds, 2);
	assert_fails(link_receive(p.fds[1], memory, sizeof memory, &got, in, LINK_FDS_MAX, &count),
		     E_GONE);
	assert_int_equal(count_open(), before);
}

static void closed_peer_is_gone(void **state)
{
	PAIR p = new_pair();
	uint8_t memory[16];
	struct view got;
	unsigned count;

	(void)state;
	assert_ok(link_send(p.fds[0], view_text("last words"), NULL, 0));
	sys_close(&p.fds[0]);
	assert_ok(link_receive(p.fds[1], memory, sizeof memory, &got, NULL, 0, &count));
	assert_fails(link_receive(p.fds[1], memory, sizeof memory, &got, NULL, 0, &count), E_GONE);
	assert_fails(link_send(p.fds[1], view_text("hello"), NULL, 0), E_GONE);
}

static void full_socket_asks_to_try_again(void **state)
{
	PAIR p = new_pair();
	CLEANUP(mem_free) uint8_t *memory = mem_new(LINK_MAX);
	struct view got;
	unsigned count, sent = 0;
	int rc;

	(void)state;
	while ((rc = link_send(p.fds[0], view_of(memory, LINK_MAX), NULL, 0)) == 0)
		assert_true(++sent < 10000);
	assert_string_equal(err_text(), "");
	assert_fails(rc, E_AGAIN);
	assert_true(sent >= 1);
	for (unsigned i = 0; i < sent; i++)
		assert_ok(link_receive(p.fds[1], memory, LINK_MAX, &got, NULL, 0, &count));
	assert_fails(link_receive(p.fds[1], memory, LINK_MAX, &got, NULL, 0, &count), E_AGAIN);
	assert_ok(link_send(p.fds[0], view_of(memory, LINK_MAX), NULL, 0));
}

static void descriptors_that_are_none_are_errors(void **state)
{
	uint8_t memory[16];
	struct view got;
	unsigned count;

	(void)state;
	assert_fails(link_send(-1, view_text("x"), NULL, 0), E_IO);
	assert_fails(link_receive(-1, memory, sizeof memory, &got, NULL, 0, &count), E_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_is_laid_out_as_written_down),
	    cmocka_unit_test(frame_with_a_body_is_read_back),
	    cmocka_unit_test(frame_cut_in_its_header_is_refused),
	    cmocka_unit_test(status_that_does_not_exist_is_refused),
	    cmocka_unit_test(pair_neither_waits_nor_survives_exec),
	    cmocka_unit_test(packets_arrive_whole_and_apart),
	    cmocka_unit_test(largest_packet_fits),
	    cmocka_unit_test(packet_that_does_not_fit_is_a_breach),
	    cmocka_unit_test(descriptors_arrive_in_their_order),
	    cmocka_unit_test(surplus_descriptors_are_a_breach_and_closed),
	    cmocka_unit_test(more_descriptors_than_there_is_room_for_are_closed),
	    cmocka_unit_test(empty_packet_with_descriptors_leaks_nothing),
	    cmocka_unit_test(closed_peer_is_gone),
	    cmocka_unit_test(full_socket_asks_to_try_again),
	    cmocka_unit_test(descriptors_that_are_none_are_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
