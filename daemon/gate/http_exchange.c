/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_inside.h"

enum { RETRY_AFTER_S = 5, CHUNK_HEAD = 24 };

void exchange_wake(struct exchange *x)
{
	x->asleep = x->stalled = false;
	connection_wake(x->connection);
}

void exchange_want_body(struct exchange *x)
{
	struct connection *c = x->connection;

	assert(x->open && !x->begun);
	x->wants_body = true;
	if (x->head->wants_continue && !c->body.ended && !c->in.len &&
	    buf_add_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n"))
		connection_end(c, "no memory");
	connection_wake(c);
}

/* ---- fields ---- */

/* Of any length: a path, percent-encoded, has three times as many bytes as in the keep. */
static PRINTF(3, 0) int add_field(struct buf *out, const char *name, const char *format,
				  va_list args)
{
	int rc = buf_printf(out, "%s: ", name);
	size_t at = out->len;

	if (!rc)
		rc = buf_vprintf(out, format, args);
	if (rc)
		return rc;
	for (; at < out->len; at++)
		if (out->data[at] < ' ' || out->data[at] == 0x7f)
			out->data[at] = '?';
	return buf_add_text(out, "\r\n");
}

void exchange_add_field(struct exchange *x, const char *name, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (add_field(&x->extra, name, format, args))
		connection_end(x->connection, err_cause());
	va_end(args);
	err_clear();
}

void answer_field(struct exchange *x, const char *name, const char *format, ...)
{
	va_list args;

	assert(x->begun && !x->started);
	x->cache_said |= strcmp(name, "Cache-Control") == 0;
	va_start(args, format);
	if (add_field(&x->connection->out, name, format, args))
		connection_end(x->connection, err_cause());
	va_end(args);
	err_clear();
}

/* The same text for all answers of a second. */
static const char *date_now(void)
{
	static char text[HTTP_DATE];
	static time_t told = -1;
	time_t now = time(NULL);

	if (now != told)
		date_write(told = now, text);
	return text;
}

/* ---- the answer ---- */

void answer_begin(struct exchange *x, unsigned status)
{
	assert(x->open && !x->begun);
	x->begun = true;
	x->status = status;
	x->bodiless = x->head->method == METHOD_HEAD || status == 204 || status == 304;
	if (buf_printf(&x->connection->out, "HTTP/1.1 %u %s\r\n", status, http_reason(status)))
		connection_end(x->connection, "no memory");
	answer_field(x, "Date", "%s", date_now());
	answer_field(x, "X-Content-Type-Options", "nosniff");
}

/* A body that nobody has read would be taken for the next request. */
static bool must_close(const struct exchange *x)
{
	const struct connection *c = x->connection;

	return c->last_request || !c->body.ended || c->gate->draining;
}

static void say_length(struct exchange *x, uint64_t length)
{
	if (length != ANSWER_OPEN) {
		if (x->status != 204 && x->status != 304)
			answer_field(x, "Content-Length", "%" PRIu64, length);
	} else if (x->head->minor && !x->bodiless) {
		x->chunked = true;
		answer_field(x, "Transfer-Encoding", "chunked");
	} else if (!x->bodiless) {
		x->connection->last_request = true; /* HTTP/1.0 reads to the end */
	}
}

void answer_start(struct exchange *x, uint64_t length)
{
	struct connection *c = x->connection;

	assert(x->begun && !x->started);
	if (!x->cache_said)
		answer_field(x, "Cache-Control", "no-store");
	say_length(x, length);
	if (must_close(x))
		c->last_request = true;
	if (c->last_request)
		answer_field(x, "Connection", "close");
	if (buf_add(&c->out, x->extra.data, x->extra.len) || buf_add_text(&c->out, "\r\n"))
		connection_end(c, "no memory");
	x->started = true;
	x->left = length;
	connection_wake(c);
}

bool answer_has_body(const struct exchange *x)
{
	return !x->bodiless;
}

size_t answer_room(const struct exchange *x)
{
	const struct connection *c = x->connection;
	size_t waiting = c->out.len - c->sent + CHUNK_HEAD;

	if (waiting >= ANSWER_FILL)
		return 0;
	size_t room = ANSWER_FILL - waiting;
	return x->left < room ? (size_t)x->left : room;
}

static void spend(struct exchange *x, size_t n)
{
	if (x->left == ANSWER_OPEN)
		return;
	assert(n <= x->left);
	x->left -= n;
}

void answer_write(struct exchange *x, struct view piece)
{
	struct buf *out = &x->connection->out;
	int rc = 0;

	assert(x->started && !x->finished);
	if (x->bodiless || !piece.len)
		return;
	spend(x, piece.len);
	if (x->chunked)
		rc = buf_printf(out, "%zx\r\n", piece.len);
	if (!rc)
		rc = buf_add(out, piece.data, piece.len);
	if (!rc && x->chunked)
		rc = buf_add_text(out, "\r\n");
	if (rc)
		connection_end(x->connection, "no memory");
	connection_wake(x->connection);
}

uint8_t *answer_reserve(struct exchange *x, size_t size)
{
	struct buf *out = &x->connection->out;

	assert(x->started && !x->chunked && !x->bodiless);
	return buf_reserve(out, size) ? NULL : out->data + out->len;
}

void answer_commit(struct exchange *x, size_t used)
{
	spend(x, used);
	x->connection->out.len += used;
	connection_wake(x->connection);
}

static void close_exchange(struct exchange *x)
{
	x->open = false;
	x->finished = true;
	connection_wake(x->connection);
}

void exchange_finish(struct exchange *x)
{
	struct connection *c = x->connection;

	assert(x->open && x->started);
	if (x->chunked && buf_add_text(&c->out, "0\r\n\r\n"))
		connection_end(c, "no memory");
	if (!x->bodiless && x->left && x->left != ANSWER_OPEN)
		connection_end(c, "an answer that is shorter than it was said to be");
	close_exchange(x);
}

void exchange_answer(struct exchange *x, unsigned status, const char *type, struct view body)
{
	answer_begin(x, status);
	answer_field(x, "Content-Type", "%s", type);
	answer_start(x, body.len);
	answer_write(x, body);
	exchange_finish(x);
}

void exchange_answer_empty(struct exchange *x, unsigned status)
{
	answer_begin(x, status);
	answer_start(x, 0);
	exchange_finish(x);
}

void exchange_cut(struct exchange *x, const char *reason)
{
	connection_end(x->connection, reason);
	close_exchange(x);
}

void exchange_problem(struct exchange *x, enum http_problem p, struct view detail)
{
	CLEANUP(buf_done) struct buf body = {0};
	char allow[ROUTE_ALLOW];

	if (x->begun) {
		exchange_cut(x, "an answer could not be finished");
		return;
	}
	if (p == PROBLEM_UNAUTHORIZED)
		exchange_add_field(x, "WWW-Authenticate", "Bearer realm=\"dropkeep\"");
	if (p == PROBLEM_TRY_LATER)
		exchange_add_field(x, "Retry-After", "%d", RETRY_AFTER_S);
	if (p == PROBLEM_METHOD) {
		route_allow(x->connection->route, allow);
		exchange_add_field(x, "Allow", "%s", allow);
	}
	if (problem_write(p, detail, &body))
		connection_end(x->connection, "no memory");
	err_clear();
	exchange_answer(x, problem_status(p), "application/problem+json", view_buf(&body));
}

void exchange_fail(struct exchange *x, int code, const char *sentence)
{
	enum http_problem p = problem_of(code);

	exchange_problem(x, p, view_text(sentence ? sentence : ""));
}

void exchange_open(struct connection *c, const struct http_handler *h)
{
	struct exchange *x = &c->x;

	x->handler = h;
	x->session = c->knock.at == KNOCK_IN || c->knock.at == KNOCK_OPEN ? c->knock.number : 0;
	x->home = c->knock.at == KNOCK_IN ? c->knock.home : NULL;
	x->peer_key = c->has_spki ? c->spki : NULL;
	h->begin(x);
}

void exchange_lose(struct exchange *x, const char *reason)
{
	if (!x->open)
		return;
	x->open = false;
	x->finished = true;
	if (x->handler && x->handler->lost) /* none yet, while the keep is asked who that is */
		x->handler->lost(x, reason);
}
