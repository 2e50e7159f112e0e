/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_kit.h"

#include <fcntl.h>
#include <unistd.h>

static struct gate_kit kit;

struct heard {
	unsigned calls;
	int status;
	char text[64];
	unsigned fd_count;
	int fd;
	uint64_t session;
};

static void on_answer(void *arg, const struct answer *a)
{
	struct heard *h = arg;
	struct answer_session_open m = {0};

	h->calls++;
	h->status = a->status;
	(void)snprintf(h->text, sizeof h->text, "%s", answer_text(a));
	h->fd_count = a->fd_count;
	h->fd = -1;
	if (a->fd_count)
		h->fd = TAKE_FD(a->fds[0]);
	if (!a->status && !answer_session_open_read(a->body, &m))
		h->session = m.session;
	err_clear();
}

static struct ask *ask_something(struct heard *h)
{
	const struct ask_session_open m = {view_text("sftp"), view_text("::1"), 22};

	return keeper_ask_session_open(kit.keeper, 0, &m, on_answer, h);
}

static void answer_session(const struct frame *ask, uint64_t session)
{
	uint8_t body[8];
	struct writer w = writer_of(body, sizeof body);
	const struct answer_session_open m = {session};

	answer_session_open_write(&w, &m);
	gate_kit_answer(&kit, ask, view_of(body, w.len));
}

static int set_up(void **state)
{
	(void)state;
	gate_kit_open(&kit);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	gate_kit_close(&kit);
	return 0;
}

static void ask_answered_calls_once(void **state)
{
	struct heard h = {0};
	struct ask_session_open m;

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	assert_ok(ask_session_open_read(f.body, &m));
	assert_true(view_is(m.peer, "::1"));
	assert_int_equal(h.calls, 0);
	answer_session(&f, 77);
	assert_int_equal(h.calls, 1);
	assert_int_equal(h.session, 77);
	assert_int_equal(h.status, 0);
}

static void ask_refused_carries_the_sentence(void **state)
{
	struct heard h = {0};

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	gate_kit_refuse(&kit, &f, E_LIMIT, "too many sessions");
	assert_int_equal(h.calls, 1);
	assert_int_equal(h.status, E_LIMIT);
	assert_string_equal(h.text, "too many sessions");
}

static void ask_refused_without_a_sentence_has_the_code_s_words(void **state)
{
	struct heard h = {0};

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	struct frame a = {FRAME_ANSWER, f.verb, f.id, 0, E_DENIED, {0}};
	gate_kit_send(&kit, &a, NULL, 0);
	assert_string_equal(h.text, err_word(E_DENIED));
}

static void ask_answered_out_of_order_finds_its_asker(void **state)
{
	struct heard h[3] = {0};
	struct frame f[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)ask_something(&h[i]);
	for (int i = 0; i < 3; i++)
		f[i] = gate_kit_take(&kit, VERB_SESSION_OPEN);
	answer_session(&f[2], 12);
	answer_session(&f[0], 10);
	answer_session(&f[1], 11);
	for (int i = 0; i < 3; i++)
		assert_int_equal(h[i].session, 10 + (unsigned)i);
}

/* No more than LINK_CREDITS are out at once; each answer lets the next one go, in order. */
static void ask_beyond_the_credits_waits(void **state)
{
	static struct heard h[LINK_CREDITS + 40];
	static struct frame f[LINK_CREDITS];
	unsigned n = 0;

	(void)state;
	memset(h, 0, sizeof h);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		(void)ask_something(&h[i]);
	/* The socket may take fewer at a time than there are credits. */
	while (n < LINK_CREDITS) {
		f[n++] = gate_kit_take(&kit, VERB_SESSION_OPEN);
		gate_kit_run(&kit);
	}
	assert_true(gate_kit_silent(&kit));
	for (unsigned i = 0; i < 40; i++) {
		answer_session(&f[i], 1000 + i);
		assert_int_equal(h[i].session, 1000 + i);
		f[i] = gate_kit_take(&kit, VERB_SESSION_OPEN);
		assert_true(gate_kit_silent(&kit));
	}
	for (unsigned i = 0; i < LINK_CREDITS; i++)
		answer_session(&f[i], 5000 + i);
	assert_int_equal(h[ARRAY_LEN(h) - 1].session, 5039);
	for (size_t i = 0; i < ARRAY_LEN(h); i++)
		assert_int_equal(h[i].calls, 1);
}

static void forget_ask_is_not_called(void **state)
{
	struct heard h = {0};

	(void)state;
	ask_forget(ask_something(&h));
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	answer_session(&f, 5);
	assert_int_equal(h.calls, 0);
	assert_int_equal(kit.broken, 0);
}

static void answer_gives_descriptors_to_who_takes_them(void **state)
{
	const struct ask_get_open m = {view_text("/zone/f")};
	struct heard h = {0};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	(void)keeper_ask_get_open(kit.keeper, 3, &m, on_answer, &h);
	struct frame f = gate_kit_take(&kit, VERB_GET_OPEN);
	assert_int_equal(f.subject, 3);
	struct frame a = {FRAME_ANSWER, f.verb, f.id, f.subject, 0, {0}};
	gate_kit_send(&kit, &a, &fd, 1);
	assert_int_equal(h.calls, 1);
	assert_int_equal(h.fd_count, 1);
	assert_int_not_equal(fcntl(h.fd, F_GETFD) & FD_CLOEXEC, 0);
	(void)close(h.fd);
	(void)close(fd);
}

static void forget_ask_closes_its_descriptors(void **state)
{
	const struct ask_get_open m = {view_text("/zone/f")};
	struct heard h = {0};
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	ask_forget(keeper_ask_get_open(kit.keeper, 3, &m, on_answer, &h));
	struct frame f = gate_kit_take(&kit, VERB_GET_OPEN);
	struct frame a = {FRAME_ANSWER, f.verb, f.id, f.subject, 0, {0}};
	gate_kit_send(&kit, &a, &ends[1], 1);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* end of file: no writer is left */
	(void)close(ends[0]);
}

static void order_is_passed_on(void **state)
{
	const struct frame f = {FRAME_ORDER, ORDER_YIELD, 0, 42, 0, {0}};

	(void)state;
	gate_kit_send(&kit, &f, NULL, 0);
	assert_int_equal(kit.orders, 1);
	assert_int_equal(kit.order.verb, ORDER_YIELD);
	assert_int_equal(kit.order.subject, 42);
}

static void breaks(const struct frame *f, const int *fds, unsigned count)
{
	gate_kit_send(&kit, f, fds, count);
	assert_int_equal(kit.broken, 1);
	gate_kit_run(&kit);
	assert_int_equal(kit.broken, 1);
}

static void answer_to_nothing_breaks_the_link(void **state)
{
	const struct frame f = {FRAME_ANSWER, VERB_STAT, 300, 0, 0, {0}};

	(void)state;
	breaks(&f, NULL, 0);
}

static void answer_given_twice_breaks_the_link(void **state)
{
	struct heard h = {0};

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	f.kind = FRAME_ANSWER;
	f.body = view_of(NULL, 0);
	gate_kit_send(&kit, &f, NULL, 0);
	breaks(&f, NULL, 0);
	assert_int_equal(h.calls, 1);
}

static void answer_with_another_verb_breaks_the_link(void **state)
{
	struct heard h = {0};

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	const struct frame a = {FRAME_ANSWER, VERB_STAT, f.id, 0, 0, {0}};
	breaks(&a, NULL, 0);
	assert_int_equal(h.calls, 0);
}

static void answer_with_surplus_descriptors_breaks_the_link(void **state)
{
	struct heard h = {0};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	(void)ask_something(&h);
	struct frame f = gate_kit_take(&kit, VERB_SESSION_OPEN);
	const struct frame a = {FRAME_ANSWER, f.verb, f.id, 0, 0, {0}};
	breaks(&a, &fd, 1);
	assert_int_equal(h.calls, 0);
	(void)close(fd);
}

static void ask_from_the_keep_breaks_the_link(void **state)
{
	const struct frame f = {FRAME_ASK, VERB_STAT, 1, 0, 0, {0}};

	(void)state;
	breaks(&f, NULL, 0);
}

static void short_packet_breaks_the_link(void **state)
{
	(void)state;
	assert_ok(link_send(kit.keep, view_text("short"), NULL, 0));
	gate_kit_run(&kit);
	assert_int_equal(kit.broken, 1);
}

static void keep_gone_breaks_the_link_once(void **state)
{
	struct heard h = {0};

	(void)state;
	(void)ask_something(&h);
	(void)close(kit.keep);
	kit.keep = open("/dev/null", O_RDONLY | O_CLOEXEC);
	gate_kit_run(&kit);
	(void)ask_something(&h);
	gate_kit_run(&kit);
	assert_int_equal(kit.broken, 1);
	assert_int_equal(h.calls, 0);
}

static void close_forgets_what_is_under_way(void **state)
{
	struct heard h = {0};

	(void)state;
	for (unsigned i = 0; i < LINK_CREDITS + 10; i++)
		(void)ask_something(&h);
	keeper_close(TAKE(kit.keeper));
	gate_kit_run(&kit);
	assert_int_equal(h.calls, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(ask_answered_calls_once),
	    CASE(ask_refused_carries_the_sentence),
	    CASE(ask_refused_without_a_sentence_has_the_code_s_words),
	    CASE(ask_answered_out_of_order_finds_its_asker),
	    CASE(ask_beyond_the_credits_waits),
	    CASE(forget_ask_is_not_called),
	    CASE(answer_gives_descriptors_to_who_takes_them),
	    CASE(forget_ask_closes_its_descriptors),
	    CASE(order_is_passed_on),
	    CASE(answer_to_nothing_breaks_the_link),
	    CASE(answer_given_twice_breaks_the_link),
	    CASE(answer_with_another_verb_breaks_the_link),
	    CASE(answer_with_surplus_descriptors_breaks_the_link),
	    CASE(ask_from_the_keep_breaks_the_link),
	    CASE(short_packet_breaks_the_link),
	    CASE(keep_gone_breaks_the_link_once),
	    CASE(close_forgets_what_is_under_way),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
