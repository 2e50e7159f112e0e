/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/gate.h"

#include <assert.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/gate/get.h"
#include "daemon/gate/http_connection.h"
#include "daemon/gate/put.h"
#include "daemon/gate/ssh_session.h"
#include "daemon/gate/tls_context.h"

enum { MAGIC = 0x67617465, DRAIN_TICK_MS = 20 };

static void check_full(struct gate *g)
{
	uint32_t most = g->policy->sessions;

	bool full = most && g->session_count >= most;

	listeners_set_full(&g->listeners, full);
	listeners_set_full(&g->https_listeners, full);
}

void gate_add(struct gate *g, struct place *p, const struct place_kind *kind)
{
	*p = (struct place){.kind = kind, .next = g->sessions};
	if (g->sessions)
		g->sessions->prev = p;
	g->sessions = p;
	g->session_count++;
	check_full(g);
}

static void forget_wake(struct gate *g, const struct place *p)
{
	struct place **slot = &g->awake;

	while (*slot && *slot != p)
		slot = &(*slot)->next_awake;
	if (*slot)
		*slot = p->next_awake;
}

void gate_drop(struct gate *g, struct place *p)
{
	forget_wake(g, p);
	*(p->prev ? &p->prev->next : &g->sessions) = p->next;
	if (p->next)
		p->next->prev = p->prev;
	g->session_count--;
	check_full(g);
}

/* A session's turn ends no other session. Who is woken meanwhile has the next turn, so that
 * nobody can keep the loop from polling. */
static void on_turn(uv_idle_t *idle)
{
	struct gate *g = idle->data;
	struct place *list = g->awake;

	assert(g->magic == MAGIC);
	g->awake = NULL;
	for (struct place *p; (p = list);) {
		list = p->next_awake;
		p->awake = false;
		p->kind->turn(p);
	}
	if (!g->awake)
		(void)uv_idle_stop(&g->turn);
}

void gate_wake(struct gate *g, struct place *p)
{
	if (p->awake)
		return;
	p->awake = true;
	p->next_awake = g->awake;
	g->awake = p;
	(void)uv_idle_start(&g->turn, on_turn);
}

/* Everything is closed; the loop ends when the last handle has said so. */
static void stop(struct gate *g, int status)
{
	g->exit_status = status;
	listeners_close(&g->listeners);
	listeners_close(&g->https_listeners);
	uv_close((uv_handle_t *)&g->turn, NULL);
	uv_close((uv_handle_t *)&g->drain_timer, NULL);
	keeper_close(TAKE(g->keeper));
}

static void drain_sessions(struct gate *g)
{
	for (struct place *p = g->sessions; p; p = p->next)
		p->kind->drain(p);
}

static void end_all(struct gate *g, const char *reason)
{
	for (struct place *p = g->sessions; p; p = p->next)
		p->kind->end(p, reason);
}

static void end_session(struct gate *g, uint64_t number, struct view reason)
{
	CLEANUP(mem_free) char *text = mem_text_n(reason.data, reason.len);

	for (struct place *p = g->sessions; p && number; p = p->next)
		if (p->kind->number(p) == number) {
			p->kind->end(p, text);
			return;
		}
}

/* A put that was yielded has no session any more, but still something to tell the keep. */
static void on_drain_tick(uv_timer_t *timer)
{
	struct gate *g = timer->data;

	assert(g->magic == MAGIC);
	if (!g->session_count && !put_count() && !get_count())
		stop(g, EXIT_SUCCESS);
	else if (uv_now(&g->loop) >= g->deadline_ms)
		end_all(g, "the server is stopping");
	else
		drain_sessions(g);
}

static void drain(struct gate *g, uint32_t deadline_ms)
{
	g->deadline_ms = uv_now(&g->loop) + deadline_ms;
	if (g->draining)
		return;
	g->draining = true;
	listeners_close(&g->listeners);
	listeners_close(&g->https_listeners);
	put_hurry();
	drain_sessions(g);
	(void)uv_timer_start(&g->drain_timer, on_drain_tick, DRAIN_TICK_MS, DRAIN_TICK_MS);
}

static void on_accepted(void *arg, int fd, const struct peer *peer)
{
	session_begin(arg, fd, peer);
}

static void on_https_accepted(void *arg, int fd, const struct peer *peer)
{
	connection_begin(arg, fd, peer);
}

static int use_settings(struct gate *g, const struct gate_settings *s)
{
	CLEANUP(tls_context_free) SSL_CTX *tls = NULL;
	struct policy *p = NULL;
	int rc = s->certificate.len
		     ? tls_context_new(s->certificate, s->private_key, s->ticket_key, &tls)
		     : 0;

	if (!rc)
		rc = policy_new(s, &p);
	if (rc)
		return rc;
	policy_free(&g->policy);
	g->policy = p;
	tls_context_free(&g->tls);
	g->tls = TAKE(tls);
	g->https_idle_ms = s->https_idle_ms;
	g->strangers = s->strangers;
	log_set_level(s->log_level <= LEVEL_DEBUG ? (enum log_level)s->log_level : LEVEL_DEBUG);
	return 0;
}

/* answer_hello and order_configure are settings by another name (wire/messages.h). */
static void configure(struct gate *g, const struct frame *order)
{
	struct gate_settings s;
	int rc = gate_settings_read(order->body, &s);

	if (!rc)
		rc = use_settings(g, &s);
	if (rc)
		log_failure("the new settings are not used");
	else
		check_full(g);
}

static int obey(struct gate *g, const struct frame *order)
{
	struct order_end_session end;
	struct order_drain d;
	int rc = 0;

	switch (order->verb) {
	case ORDER_CONFIGURE:
		configure(g, order);
		return 0;
	case ORDER_END_SESSION:
		rc = order_end_session_read(order->body, &end);
		if (!rc)
			end_session(g, order->subject, end.reason);
		return rc;
	case ORDER_YIELD:
		(void)put_yield(&g->loop, order->subject); /* it may be over already */
		return 0;
	case ORDER_DRAIN:
		rc = order_drain_read(order->body, &d);
		if (!rc)
			drain(g, d.deadline_ms);
		return rc;
	default:
		return fail(E_PROTOCOL, "an unknown order");
	}
}

static void on_order(void *arg, const struct frame *order)
{
	struct gate *g = arg;

	assert(g->magic == MAGIC);
	if (obey(g, order))
		log_failure("an order of the keep is not understood");
}

/* Without its keep a gate can neither ask nor tell: whatever it did would be unrecorded. */
static void on_broken(void *arg)
{
	(void)arg;
	log_failure("the link to the keep is broken");
	_Exit(EX_UNAVAILABLE);
}

static int start_serving(struct gate *g, const struct answer *a)
{
	struct gate_settings s;
	int rc = gate_settings_read(a->body, &s);

	if (!rc && s.listeners + s.https_listeners != (int)a->fd_count)
		rc = fail(E_PROTOCOL, "%u listening sockets instead of %u", a->fd_count,
			  s.listeners + s.https_listeners);
	if (!rc && s.https_listeners && !s.certificate.len)
		rc = fail(E_PROTOCOL, "HTTPS without a certificate");
	if (!rc)
		rc = use_settings(g, &s);
	if (!rc)
		rc = listeners_open(&g->listeners, &g->loop, a->fds, s.listeners, on_accepted, g);
	if (!rc)
		rc = listeners_open(&g->https_listeners, &g->loop, a->fds + s.listeners,
				    s.https_listeners, on_https_accepted, g);
	return rc;
}

static void on_hello(void *arg, const struct answer *a)
{
	struct gate *g = arg;

	assert(g->magic == MAGIC);
	int rc =
	    a->status ? fail(E_PROTOCOL, "the keep says: %s", answer_text(a)) : start_serving(g, a);
	if (!rc) {
		log_debug("serving");
		return;
	}
	log_failure("cannot serve");
	stop(g, rc == E_CONFIG ? EX_CONFIG : EX_SOFTWARE);
}

static int start(struct gate *g, int link)
{
	const struct keeper_events events = {
	    .arg = g, .on_order = on_order, .on_broken = on_broken};
	const struct ask_hello hello = {.version = WIRE_VERSION};

	if (uv_loop_init(&g->loop))
		return fail(E_NOMEM, "no event loop");
	(void)uv_idle_init(&g->loop, &g->turn);
	(void)uv_timer_init(&g->loop, &g->drain_timer);
	g->turn.data = g->drain_timer.data = g;
	int rc = keeper_new(&g->loop, link, &events, &g->keeper);
	if (!rc)
		(void)keeper_ask_hello(g->keeper, 0, &hello, on_hello, g);
	return rc;
}

int gate_run(int link)
{
	struct gate *g = mem_new(sizeof *g);

	g->magic = MAGIC;
	if (start(g, link)) {
		log_failure("cannot start");
		return EX_OSERR;
	}
	int rc = uv_run(&g->loop, UV_RUN_DEFAULT);
	assert(rc == 0);
	rc = uv_loop_close(&g->loop);
	assert(rc == 0);
	uv_library_shutdown(); /* the pool's threads end before OpenSSL does, which serves each */
	policy_free(&g->policy);
	tls_context_free(&g->tls);
	int status = g->exit_status;
	g->magic = 0;
	free(g);
	return status;
}
