/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/gate_link.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/ask.h"

enum {
	PACKETS_A_WAKE = 64, /* then other gates have their turn */
	ORDERS_MAX = 4096,   /* that a gate may leave unread */
};

struct packet {
	struct packet *next;
	int fds[LINK_FDS_MAX];
	unsigned fd_count;
	bool is_answer;
	size_t len;
	uint8_t bytes[];
};

struct gate *gate_new(struct keep *keep, unsigned place)
{
	struct gate *g = mem_new(sizeof *g);

	g->keep = keep;
	g->place = place;
	g->socket = -1;
	g->exited = true;
	g->last = &g->first;
	g->started_ms = clock_mono_ms();
	g->refs = 1;
	return g;
}

void gate_ref(struct gate *g)
{
	g->refs++;
}

static void packet_free(struct packet *p)
{
	for (unsigned i = 0; i < p->fd_count; i++)
		sys_close(&p->fds[i]);
	wipe(p->bytes, p->len);
	free(p);
}

/* The first that waits has been sent, or never will be. */
static void drop_first(struct gate *g)
{
	struct packet *p = g->first;

	if (p->is_answer)
		g->asks--;
	else
		g->orders--;
	g->first = p->next;
	if (!g->first)
		g->last = &g->first;
	packet_free(p);
}

void gate_unref(struct gate *g)
{
	assert(g->refs);
	if (--g->refs)
		return;
	assert(!g->first);
	free(g->memory);
	free(g);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct gate *g = handle->data;

	sys_close(&g->socket);
	gate_unref(g);
}

void gate_close(struct gate *g)
{
	if (g->ended)
		return;
	g->ended = true;
	g->ready = false;
	g->closed_ms = clock_mono_ms();
	while (g->first)
		drop_first(g);
	uv_close((uv_handle_t *)&g->poll, on_poll_closed);
	gate_lost(g);
}

void gate_end(struct gate *g, const char *why)
{
	if (g->ended)
		return;
	log_error("gate %u (pid %d) is ended: %s", g->place, g->process.pid, why);
	(void)snprintf(g->why, sizeof g->why, "%s", why);
	if (!g->exited)
		(void)uv_process_kill(&g->process, SIGKILL);
	gate_close(g);
}

void gate_watch(struct gate *g, int64_t now_ms)
{
	if (g->ended && !g->exited && now_ms - g->closed_ms > LINGER_MAX_MS) {
		if (!*g->why)
			(void)snprintf(g->why, sizeof g->why, "it closed its link and stayed");
		(void)uv_process_kill(&g->process, SIGKILL);
	} else if (!g->ready && now_ms - g->started_ms > HELLO_MAX_MS) {
		gate_end(g, "it did not say what it is");
	} else if (g->stalled_since_ms && now_ms - g->stalled_since_ms > STALL_MAX_MS) {
		gate_end(g, "it does not read its answers");
	}
}

/* ---- its link ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void arm(struct gate *g)
{
	int events = UV_READABLE | (g->first ? UV_WRITABLE : 0);

	(void)uv_poll_start(&g->poll, events, on_poll);
}

/* Send what waits until the socket is full. */
static void flush(struct gate *g)
{
	while (g->first && !g->ended) {
		struct packet *p = g->first;
		int rc = link_send(g->socket, view_of(p->bytes, p->len), p->fds, p->fd_count);
		if (rc == E_AGAIN) {
			if (!g->stalled_since_ms)
				g->stalled_since_ms = clock_mono_ms();
			return;
		}
		if (rc) {
			err_clear();
			gate_end(g, "its link cannot be written to");
			return;
		}
		g->stalled_since_ms = 0;
		drop_first(g);
	}
}

void gate_send(struct gate *g, const struct frame *f, int *fds, unsigned count)
{
	struct packet *p = mem_new(sizeof *p + LINK_HEADER + f->body.len);
	struct writer w = writer_of(p->bytes, LINK_HEADER + f->body.len);

	frame_write(&w, f);
	write_raw(&w, f->body.data, f->body.len);
	assert(!w.full);
	p->len = w.len;
	p->is_answer = f->kind == FRAME_ANSWER;
	if (!p->is_answer)
		g->orders++;
	p->fd_count = count;
	if (count)
		memcpy(p->fds, fds, count * sizeof *fds);
	*g->last = p;
	g->last = &p->next;
	flush(g);
	if (g->orders > ORDERS_MAX)
		gate_end(g, "it does not read its orders");
	if (!g->ended)
		arm(g);
}

bool gate_receive(struct gate *g)
{
	unsigned n = 0;

	for (; n < PACKETS_A_WAKE && !g->ended; n++) {
		struct view packet;
		unsigned count = 0;
		int rc = link_receive(g->socket, g->memory, LINK_MAX, &packet, NULL, 0, &count);
		if (rc == E_AGAIN)
			return false;
		if (!rc)
			rc = ask_receive(g, packet);
		if (rc == E_GONE) {
			err_clear();
			gate_close(g); /* its exit follows */
		} else if (rc) {
			gate_end(g, err_cause());
			err_clear();
		}
	}
	return !g->ended;
}

void gate_attach(struct gate *g, int socket)
{
	g->socket = socket;
	g->memory = mem_new(LINK_MAX);
	g->poll.data = g;
	gate_ref(g);
	(void)uv_poll_init(&g->keep->loop, &g->poll, g->socket);
	arm(g);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct gate *g = poll->data;

	gate_ref(g);
	if (status < 0)
		gate_end(g, "its link failed");
	if (!g->ended && events & UV_WRITABLE)
		flush(g);
	if (!g->ended && events & UV_READABLE)
		(void)gate_receive(g);
	if (!g->ended)
		arm(g);
	gate_unref(g);
}

/* ---- orders ---- */

static void order(struct gate *g, uint16_t verb, uint64_t subject, struct view body)
{
	struct frame f = {.kind = FRAME_ORDER, .verb = verb, .subject = subject, .body = body};

	if (!g->ended)
		gate_send(g, &f, NULL, 0);
}

void gate_order_end_session(struct gate *g, uint64_t session, const char *reason)
{
	struct order_end_session m = {.reason = view_text(reason)};
	uint8_t body[256];
	struct writer w = writer_of(body, sizeof body);

	order_end_session_write(&w, &m);
	assert(!w.full);
	order(g, ORDER_END_SESSION, session, view_of(w.data, w.len));
}

void gate_order_yield(struct gate *g, uint64_t put)
{
	order(g, ORDER_YIELD, put, view_of(NULL, 0));
}

void gate_order_drain(struct gate *g, uint64_t deadline_ms)
{
	struct order_drain m = {.deadline_ms =
				    deadline_ms > UINT32_MAX ? UINT32_MAX : (uint32_t)deadline_ms};
	uint8_t body[8];
	struct writer w = writer_of(body, sizeof body);

	order_drain_write(&w, &m);
	order(g, ORDER_DRAIN, 0, view_of(w.data, w.len));
}

void gate_order_configure(struct gate *g, struct view settings)
{
	order(g, ORDER_CONFIGURE, 0, settings);
}
