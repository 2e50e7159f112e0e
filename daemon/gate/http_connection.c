/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_connection.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "daemon/gate/http_inside.h"
#include "daemon/gate/http_tus.h"

enum { MAGIC = 0x68747470 };

static enum next handshake_drive(struct connection *c);
static enum next head_drive(struct connection *c);
static enum next who_drive(struct connection *c);
static enum next serve_drive(struct connection *c);
static enum next linger_drive(struct connection *c);
static enum next leave_drive(struct connection *c);
static enum next told_drive(struct connection *c);

static const struct {
	const char *name;
	enum next (*run)(struct connection *c);
} rows[] = {
    [CONN_HANDSHAKE] = {"handshake", handshake_drive},
    [CONN_HEAD] = {"head", head_drive},
    [CONN_WHO] = {"who", who_drive},
    [CONN_SERVE] = {"serve", serve_drive},
    [CONN_LINGER] = {"linger", linger_drive},
    [CONN_LEAVE] = {"leave", leave_drive},
    [CONN_TOLD] = {"told", told_drive},
};

static struct connection *of(struct place *p)
{
	return CONTAINER_OF(p, struct connection, place);
}

void connection_wake(struct connection *c)
{
	gate_wake(c->gate, &c->place);
}

void connection_end(struct connection *c, const char *reason)
{
	if (!c->reason)
		c->reason = mem_text(reason);
	connection_wake(c);
}

void connection_moved(struct connection *c, uint64_t in, uint64_t out)
{
	c->knock.in += in;
	c->knock.out += out;
	c->active_ms = uv_now(&c->gate->loop);
}

/* ---- the clock ---- */

/* How long the state may last without anything moving; 0: as long as it likes, somebody else is at
 * work. Heads and handshakes have their time in all. */
static uint64_t patience(const struct connection *c, uint64_t *ret_since)
{
	*ret_since = c->active_ms;
	switch (c->at) {
	case CONN_HANDSHAKE:
		*ret_since = c->began_ms;
		return c->login_grace_ms;
	case CONN_HEAD:
		*ret_since = c->began_ms;
		return c->in.len || !c->served ? c->login_grace_ms : c->idle_ms;
	case CONN_SERVE:
		return c->read_waits || c->write_waits ? c->idle_ms : 0;
	case CONN_LINGER:
		*ret_since = c->began_ms;
		return LINGER_MS;
	default:
		return 0;
	}
}

static void refuse(struct connection *c, enum http_problem p, const char *detail);
static void drive(struct connection *c);

static void too_slow(struct connection *c)
{
	if (c->at == CONN_HEAD && c->in.len && !c->head)
		refuse(c, PROBLEM_TIMEOUT, "");
	else if (c->at == CONN_SERVE && !c->x.begun && c->x.wants_body)
		connection_end(c, "the request's body was too slow");
	else
		connection_end(c, c->at == CONN_HANDSHAKE ? "no handshake in time"
							  : "idle for too long");
}

static void on_timer(uv_timer_t *timer)
{
	struct connection *c = timer->data;
	uint64_t since, most = patience(c, &since), now = uv_now(timer->loop);

	assert(c->magic == MAGIC);
	if (!most) /* nobody is idle while storage or the keep are at work */
		c->active_ms = now;
	else if (now - since >= most)
		too_slow(c);
	most = patience(c, &since);
	if (!most)
		most = c->idle_ms;
	if (c->at < CONN_LEAVE)
		(void)uv_timer_start(timer, on_timer, now - since < most ? most - (now - since) : 1,
				     0);
	drive(c);
}

static void wind(struct connection *c)
{
	uint64_t since, most = patience(c, &since);

	(void)uv_timer_start(&c->timer, on_timer, most ? most : c->idle_ms, 0);
}

static enum next to(struct connection *c, enum connection_at at)
{
	log_debug("connection from port %u: %s -> %s", c->peer.port, rows[c->at].name,
		  rows[at].name);
	c->at = at;
	c->began_ms = c->active_ms = uv_now(&c->gate->loop);
	if (at < CONN_LEAVE)
		wind(c);
	return NEXT_GO;
}

/* ---- the handshake ---- */

static enum next handshake_drive(struct connection *c)
{
	int rc = c->gate->draining ? E_GONE : socket_handshake(c);

	if (rc == E_AGAIN)
		return NEXT_WAIT;
	if (rc) {
		connection_end(c, "no TLS handshake");
		return NEXT_WAIT;
	}
	rc = tls_peer_spki(c->ssl, c->spki);
	c->has_spki = rc == 0;
	err_clear();
	return to(c, CONN_HEAD);
}

/* ---- a request's head ---- */

static void forget_request(struct connection *c)
{
	buf_done(&c->x.extra);
	c->x = (struct exchange){0};
	mem_free(&c->head);
	buf_wipe(&c->head_bytes); /* it may have a token */
	c->route = NULL;
	c->seen = 0;
	if (!c->in.len)
		buf_done(&c->in);
	if (!c->out.len)
		buf_done(&c->out);
}

/* What is no request cannot be followed by one. */
static void refuse(struct connection *c, enum http_problem p, const char *detail)
{
	if (!c->head)
		c->head = mem_new(sizeof *c->head);
	c->last_request = true;
	c->body = (struct body){0}; /* not ended: nothing behind it counts */
	c->x = (struct exchange){
	    .gate = c->gate, .head = c->head, .connection = c, .open = true, .extra = c->x.extra};
	(void)to(c, CONN_SERVE);
	exchange_problem(&c->x, p, view_text(detail));
}

static enum http_problem take_head(struct connection *c, size_t skip, size_t len)
{
	buf_eat(&c->in, skip);
	if (buf_add(&c->head_bytes, c->in.data, len))
		return PROBLEM_TRY_LATER;
	wipe(c->in.data, len);
	buf_eat(&c->in, len);
	c->head = mem_new(sizeof *c->head);
	enum http_problem p = head_read(view_buf(&c->head_bytes), c->head);
	if (!p)
		body_begin(&c->body, c->head);
	return p;
}

static void begin_request(struct connection *c)
{
	c->x = (struct exchange){.gate = c->gate, .head = c->head, .connection = c, .open = true};
	c->last_request = !c->head->keeps_connection;
	c->route = route_find(c->head->path, &c->x.rest);
}

static enum next head_drive(struct connection *c)
{
	size_t skip, len;

	if (socket_flush(c) == E_IO) {
		connection_end(c, "the connection was lost");
		return NEXT_WAIT;
	}
	if (c->gate->draining && !c->in.len) {
		connection_end(c, "the server is stopping");
		return NEXT_WAIT;
	}
	enum http_problem p = head_find(view_buf(&c->in), c->seen, &skip, &len);
	if (!p && !len) {
		c->seen = c->in.len;
		bool first = !c->in.len;
		int rc = socket_fill(c, c->in.len < IN_HEAD ? IN_HEAD : HEAD_MAX + IN_HEAD);
		if (rc == 0 && first) {
			c->began_ms = uv_now(&c->gate->loop);
			wind(c); /* it may have been wound to be idle */
		}
		if (rc == 0)
			return NEXT_GO;
		if (rc != E_AGAIN)
			connection_end(c, rc == E_GONE ? "the client disconnected"
						       : "the connection was lost");
		else if (first)
			buf_done(&c->in);
		return NEXT_WAIT;
	}
	if (!p)
		p = take_head(c, skip, len);
	if (p) {
		refuse(c, p, "");
		return NEXT_GO;
	}
	begin_request(c);
	return to(c, CONN_WHO);
}

/* ---- who asks, and for what ---- */

static const struct http_handler answers_itself = {.name = "itself"};

static void answer_options(struct connection *c)
{
	char allow[ROUTE_ALLOW];

	route_allow(c->route, allow);
	exchange_add_field(&c->x, "Allow", "%s", allow);
	if (c->route->tus) {
		exchange_add_field(&c->x, "Tus-Resumable", TUS_VERSION);
		exchange_add_field(&c->x, "Tus-Version", TUS_VERSION);
		exchange_add_field(&c->x, "Tus-Extension", TUS_EXTENSIONS);
		exchange_add_field(&c->x, "Tus-Checksum-Algorithm", "sha256");
	}
	exchange_answer_empty(&c->x, 204);
}

/* What needs no handler. True: answered. */
static bool answer_at_once(struct connection *c)
{
	struct exchange *x = &c->x;

	x->handler = &answers_itself;
	if (c->head->method == METHOD_OPTIONS &&
	    (view_is(c->head->path, "*") || (c->route && !(c->route->methods & METHOD_OPTIONS)))) {
		if (c->route)
			answer_options(c);
		else
			exchange_answer_empty(x, 204);
	} else if (!c->route) {
		exchange_problem(x, PROBLEM_NOT_FOUND, view_text(""));
	} else if (!(c->route->methods & c->head->method)) {
		exchange_problem(x, PROBLEM_METHOD, view_text(""));
	} else {
		return false;
	}
	return true;
}

/* The keep's no to a credential is 401 whatever its reason; what it cannot do now is not. */
static enum http_problem problem_of_who(int rc)
{
	return rc == E_DENIED || rc == E_GONE ? PROBLEM_UNAUTHORIZED : problem_of(rc);
}

static enum next who_drive(struct connection *c)
{
	struct who w;
	struct view secret;

	if (answer_at_once(c))
		return to(c, CONN_SERVE);
	int rc = c->route->needs == ROUTE_OPEN ? 0 : who_of(c, &w, &secret);
	if (!rc && c->route->needs == ROUTE_SESSION)
		rc = w.kind == WHO_NOBODY ? fail(E_DENIED, "a certificate or a token is needed")
					  : who_ready(c, &w, secret);
	else if (!rc && c->route->needs == ROUTE_KNOCK)
		rc = who_ready(c, &(struct who){WHO_NOBODY, {0}}, view_text(""));
	if (rc == E_AGAIN)
		return NEXT_WAIT;
	(void)to(c, CONN_SERVE);
	if (rc) {
		const char *why = c->knock.why[0] ? c->knock.why : err_cause();
		exchange_problem(&c->x, problem_of_who(rc), view_text(why));
		c->knock.why[0] = '\0';
		err_clear();
	} else {
		exchange_open(c, c->route->handler);
	}
	return NEXT_GO;
}

/* ---- a request's body, and its answer ---- */

static void offer(struct connection *c, struct view piece)
{
	struct exchange *x = &c->x;
	int rc = x->handler->body ? x->handler->body(x, piece) : 0;

	if (!x->open) /* the handler has answered */
		return;
	assert(rc == 0 || rc == E_AGAIN);
	x->stalled = rc == E_AGAIN;
	if (!x->stalled)
		buf_eat(&c->in, piece.len);
}

/* The front of c->in up to content_left is content, which the handler has had no room for. */
static bool give_body(struct connection *c)
{
	struct exchange *x = &c->x;
	size_t used = 0, content = 0;

	if (!c->content_left && c->in.len && !c->body.ended) {
		enum http_problem p = body_take(&c->body, c->in.data, c->in.len, &used, &content);
		if (p) {
			x->handler->lost(x, "the request's body is malformed");
			x->open = false;
			refuse(c, p, "");
			return true;
		}
		/* content now stands at the front; what was around it goes */
		memmove(c->in.data + content, c->in.data + used, c->in.len - used);
		c->in.len -= used - content;
		c->content_left = content;
	}
	if (!c->content_left || x->stalled)
		return false;
	size_t before = c->in.len;
	offer(c, view_of(c->in.data, c->content_left));
	c->content_left -= before - c->in.len;
	return before != c->in.len;
}

static bool body_told(struct connection *c)
{
	struct exchange *x = &c->x;

	if (!c->body.ended || c->content_left || x->body_told)
		return false;
	x->body_told = true;
	if (x->handler->body_end)
		x->handler->body_end(x);
	return true;
}

/* True: something has moved. */
static bool drive_body(struct connection *c)
{
	struct exchange *x = &c->x;

	if (!x->open || x->begun || !x->wants_body)
		return false;
	if (give_body(c) || !x->open)
		return true;
	if (body_told(c))
		return true;
	if (c->body.ended || x->stalled || c->content_left)
		return false;
	int rc = socket_fill(c, IN_FILL);
	if (rc == 0)
		return true;
	if (rc != E_AGAIN)
		connection_end(c, "the connection was lost");
	return false;
}

static bool drive_answer(struct connection *c)
{
	struct exchange *x = &c->x;

	if (!x->open || !x->started || x->asleep || !x->handler->produce || !answer_room(x))
		return false;
	size_t before = c->out.len;
	x->asleep = true;
	x->handler->produce(x);
	if (c->out.len != before)
		x->asleep = false;
	return !x->open || c->out.len != before;
}

static enum next answered(struct connection *c)
{
	bool last = c->last_request || c->gate->draining;

	buf_eat(&c->in, c->content_left);
	c->content_left = 0;
	c->served = true;
	forget_request(c);
	if (last) {
		socket_goodbye(c);
		(void)shutdown(c->fd, SHUT_WR);
		return to(c, CONN_LINGER);
	}
	(void)to(c, CONN_HEAD);
	connection_wake(c); /* who has sent many requests at once keeps nobody waiting */
	return NEXT_WAIT;
}

static enum next serve_drive(struct connection *c)
{
	for (int i = 0; i < DRIVE_ROUNDS && !c->reason; i++) {
		bool moved = drive_body(c);
		moved |= drive_answer(c);
		size_t waiting = c->out.len - c->sent;
		int rc = socket_flush(c);
		moved |= c->out.len - c->sent != waiting; /* there is room now */
		if (rc == E_IO) {
			connection_end(c, "the connection was lost");
			return NEXT_WAIT;
		}
		if (rc == 0 && !c->x.open && c->x.finished)
			return c->reason ? NEXT_WAIT : answered(c);
		if (!moved)
			return NEXT_WAIT;
	}
	connection_wake(c); /* others have their turn first */
	return NEXT_WAIT;
}

/* ---- the end ---- */

/* A socket that is closed with bytes unread is reset, and the answer with it. */
static enum next linger_drive(struct connection *c)
{
	uint8_t rest[4096];
	ssize_t n;

	while ((n = recv(c->fd, rest, sizeof rest, 0)) > 0)
		if ((c->lingered += (uint64_t)n) > LINGER_BYTES)
			break;
	c->read_waits = n < 0 && errno == EAGAIN;
	c->write_waits = false;
	if (!c->read_waits)
		connection_end(c, "done");
	return NEXT_WAIT;
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;

	assert(c->magic == MAGIC && c->handles);
	c->handles--;
	connection_wake(c);
}

static void leave(struct connection *c)
{
	enum connection_at was = c->at;

	(void)to(c, CONN_LEAVE);
	exchange_lose(&c->x, c->reason);
	uv_close((uv_handle_t *)&c->timer, on_closed);
	if (c->polling) {
		uv_close((uv_handle_t *)&c->poll, on_closed);
		c->polling = false;
	}
	if (c->ssl && was == CONN_HEAD)
		socket_goodbye(c);
	SSL_free(TAKE(c->ssl));
	if (c->fd >= 0)
		(void)close(TAKE_FD(c->fd));
}

static enum next leave_drive(struct connection *c)
{
	if (c->handles)
		return NEXT_WAIT;
	return to(c, CONN_TOLD);
}

/* The session's record is the last: what its requests had open has been abandoned before. */
static enum next told_drive(struct connection *c)
{
	return who_close(c, c->reason) ? NEXT_END : NEXT_WAIT;
}

static void connection_free(struct connection *c)
{
	gate_drop(c->gate, &c->place);
	forget_request(c);
	who_forget(c);
	buf_done(&c->in);
	buf_done(&c->out);
	free(c->reason);
	c->magic = 0;
	free(c);
}

/* ---- driving ---- */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct connection *c = poll->data;

	assert(c->magic == MAGIC);
	if (status < 0) {
		c->armed = 0; /* libuv has stopped it */
		connection_end(c, "the connection was lost");
	}
	if (events & UV_DISCONNECT)
		c->half_closed = true;
	if (events & (UV_READABLE | UV_DISCONNECT))
		c->read_waits = false;
	if (events & UV_WRITABLE)
		c->write_waits = false;
	drive(c);
}

static void arm(struct connection *c)
{
	int events = socket_events(c);

	if (!c->polling || events == c->armed)
		return;
	int rc = events ? uv_poll_start(&c->poll, events, on_poll) : uv_poll_stop(&c->poll);
	assert(rc == 0);
	c->armed = events;
}

static bool may_leave(const struct connection *c)
{
	return c->reason && c->at < CONN_LEAVE && !c->knock.ask;
}

static void drive(struct connection *c)
{
	enum next n = NEXT_GO;

	assert(c->magic == MAGIC && !c->driving);
	c->driving = true;
	while (n == NEXT_GO) {
		if (may_leave(c))
			leave(c);
		if (c->reason && c->at < CONN_LEAVE) {
			n = NEXT_WAIT; /* the keep answers first */
			break;
		}
		n = rows[c->at].run(c);
		if (n == NEXT_WAIT && may_leave(c))
			n = NEXT_GO;
	}
	c->driving = false;
	if (n == NEXT_END)
		connection_free(c);
	else
		arm(c);
}

static void turn(struct place *p)
{
	drive(of(p));
}

/* Whoever is between two requests is not waited for. */
static void drain(struct place *p)
{
	connection_wake(of(p));
}

static void end(struct place *p, const char *reason)
{
	connection_end(of(p), reason);
}

static uint64_t number(const struct place *p)
{
	return CONTAINER_OF(p, const struct connection, place)->knock.number;
}

static const struct place_kind kind = {turn, drain, end, number};

static void tune_socket(int fd)
{
	const int on = 1;

	/* Without effect on other kinds of sockets, which tests use. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

static int start(struct connection *c)
{
	int rc = tls_accept_new(c->gate->tls, c->fd, &c->ssl);

	if (rc)
		return rc;
	rc = uv_poll_init(&c->gate->loop, &c->poll, c->fd);
	if (rc)
		return fail(E_IO, "watch a connection: %s", uv_strerror(rc));
	c->poll.data = c;
	c->polling = true;
	c->handles++;
	return 0;
}

/* The keep counts the sessions of an address. Who asks for nothing has none, and takes a place
 * away from others all the same. */
static bool too_many_strangers(const struct gate *g, const struct peer *peer)
{
	unsigned n = 0;

	for (struct place *p = g->strangers ? g->sessions : NULL; p; p = p->next)
		n += p->kind == &kind && of(p)->knock.at == KNOCK_NONE &&
		     strcmp(of(p)->peer.address, peer->address) == 0;
	return g->strangers && n >= g->strangers;
}

void connection_begin(struct gate *g, int fd, const struct peer *peer)
{
	if (too_many_strangers(g, peer)) {
		(void)close(fd);
		return;
	}
	struct connection *c = mem_new(sizeof *c);

	*c = (struct connection){
	    .magic = MAGIC,
	    .gate = g,
	    .fd = fd,
	    .peer = *peer,
	    .login_grace_ms = g->policy->login_grace_ms,
	    .idle_ms = g->https_idle_ms,
	};
	tune_socket(fd);
	int rc = uv_timer_init(&g->loop, &c->timer);
	assert(rc == 0);
	c->timer.data = c;
	c->handles = 1;
	gate_add(g, &c->place, &kind);
	(void)to(c, CONN_HANDSHAKE);
	if (start(c)) {
		log_failure("a connection cannot be served");
		connection_end(c, "refused");
	}
	connection_wake(c);
}
