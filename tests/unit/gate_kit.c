/* SPDX-License-Identifier: Apache-2.0 */
#include "gate_kit.h"

#include <unistd.h>

enum { TURNS = 16 };

static void on_order(void *arg, const struct frame *order)
{
	struct gate_kit *k = arg;

	k->orders++;
	k->order = *order;
}

static void on_broken(void *arg)
{
	struct gate_kit *k = arg;

	k->broken++;
	err_clear();
}

void gate_kit_open(struct gate_kit *k)
{
	const struct keeper_events events = {k, on_order, on_broken};
	int fds[2];

	*k = (struct gate_kit){0};
	assert_int_equal(uv_loop_init(&k->loop), 0);
	assert_ok(link_pair(fds));
	k->keep = fds[1];
	assert_ok(keeper_new(&k->loop, fds[0], &events, &k->keeper));
}

void gate_kit_close(struct gate_kit *k)
{
	if (k->keeper)
		keeper_close(TAKE(k->keeper));
	assert_int_equal(uv_run(&k->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&k->loop), 0);
	(void)close(k->keep);
}

void gate_kit_run(struct gate_kit *k)
{
	for (int i = 0; i < TURNS; i++)
		(void)uv_run(&k->loop, UV_RUN_NOWAIT);
}

struct frame gate_kit_take(struct gate_kit *k, enum verb verb)
{
	struct view packet = {0};
	struct frame f = {0};
	unsigned count = 0;
	int fd;

	assert_ok(link_receive(k->keep, k->packet, sizeof k->packet, &packet, &fd, 0, &count));
	assert_ok(frame_read(packet, &f));
	assert_int_equal(f.kind, FRAME_ASK);
	assert_int_equal(f.verb, verb);
	assert_int_equal(f.status, 0);
	return f;
}

bool gate_kit_silent(struct gate_kit *k)
{
	struct view packet = {0};
	unsigned count = 0;
	int fd;
	int rc = link_receive(k->keep, k->packet, sizeof k->packet, &packet, &fd, 0, &count);

	err_clear();
	return rc == E_AGAIN;
}

void gate_kit_send(struct gate_kit *k, const struct frame *f, const int *fds, unsigned count)
{
	struct writer w = writer_of(k->out, sizeof k->out);

	frame_write(&w, f);
	write_raw(&w, f->body.data, f->body.len);
	assert_false(w.full);
	assert_ok(link_send(k->keep, view_of(w.data, w.len), fds, count));
	gate_kit_run(k);
}

void gate_kit_answer(struct gate_kit *k, const struct frame *ask, struct view body)
{
	struct frame f = {FRAME_ANSWER, ask->verb, ask->id, ask->subject, 0, body};

	gate_kit_send(k, &f, NULL, 0);
}

void gate_kit_refuse(struct gate_kit *k, const struct frame *ask, int status, const char *text)
{
	uint8_t body[512];
	struct writer w = writer_of(body, sizeof body);
	struct frame f = {FRAME_ANSWER, ask->verb, ask->id, ask->subject, status, {0}};

	write_bytes(&w, view_text(text));
	f.body = view_of(body, w.len);
	gate_kit_send(k, &f, NULL, 0);
}
