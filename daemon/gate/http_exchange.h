/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one request on an HTTPS connection and its answer, as handlers see it.
 *
 * All on the loop's thread; nothing here blocks. The connection calls the handler, in this order:
 *
 *	begin     the head is whole, and who asks is known where the route wants that. The handler
 *	          does something now, or later out of an answer of the keep or the pool.
 *	body      pieces of the request's body, after exchange_want_body(): all of the piece is
 *taken (0), or none (E_AGAIN: it is offered again after exchange_wake()). Never after the answer
 *has begun. body_end  the body was whole. produce   the answer's body may go on: there is room, and
 *the handler has not finished. It writes what it has; when it has nothing now it calls
 *exchange_wake() once it has. lost      the connection is gone, or ended from outside, before the
 *answer was finished: nothing of the exchange may be used any more. The last call.
 *
 * A handler answers once: answer_begin(), fields, answer_start(), a body, exchange_finish(); or
 * exchange_fail() and its kin. What it has left open with the keep it closes by itself. With
 * exchange_finish() and exchange_fail() the exchange is over: no call follows them, and state is
 * the handler's to free before.
 *
 * Every member may be NULL in the table but begin and lost: without body and body_end a body is
 * refused or passed over; without produce there is none to be produced.
 */
#ifndef DROPKEEP_GATE_HTTP_EXCHANGE_H
#define DROPKEEP_GATE_HTTP_EXCHANGE_H

#include "daemon/gate/gate.h"
#include "daemon/gate/http_head.h"

struct connection;
struct exchange;

struct http_handler {
	const char *name;
	void (*begin)(struct exchange *x);
	int (*body)(struct exchange *x, struct view piece);
	void (*body_end)(struct exchange *x);
	void (*produce)(struct exchange *x);
	void (*lost)(struct exchange *x, const char *reason);
};

struct exchange {
	/* for the handler to read */
	struct gate *gate;
	const struct http_head *head;
	struct view rest; /* of the path, behind the route's prefix; percent-encoded as it came */
	uint64_t session; /* its number in the keep; 0 where the route wants none */
	const char *home; /* of the user; NULL without session */
	const uint8_t *peer_key; /* tls_peer_spki() of the connection; NULL: it has none */
	/* the handler's own */
	void *state;

	/* the connection's */
	struct connection *connection;
	const struct http_handler *handler;
	bool open; /* between begin and finish */
	bool wants_body, body_told, stalled;
	bool begun, started, finished, chunked, bodiless, asleep;
	unsigned status;
	uint64_t left; /* of the answer's body, when its length was said */
	bool cache_said;
	struct buf extra; /* fields for whatever answer there will be */
};

/* ---- the request ---- */

static inline bool exchange_is(const struct exchange *x, enum http_method m)
{
	return x->head->method == m;
}

/* The value of a field, by its name in lower case; NULL when there is none. */
static inline const struct view *exchange_field(const struct exchange *x, const char *name)
{
	return head_find_field(x->head, name);
}

/* Whether a body comes, of whatever length (that of head->length, or chunked). */
static inline bool exchange_has_body(const struct exchange *x)
{
	return x->head->chunked || x->head->length;
}

/* Everything that could refuse the request has been asked: now its body may come. A client that
 * waits for 100 Continue gets it. Without a body, body_end follows. */
void exchange_want_body(struct exchange *x);

/* Offer again what the handler had no room for; call produce again. In the loop's next turn. */
void exchange_wake(struct exchange *x);

/* ---- the answer ---- */

enum { ANSWER_FILL = 256 * 1024 /* bytes of an answer that wait to be sent, at most */ };

/* For whatever answer there will be, a problem included. As answer_field(). */
void exchange_add_field(struct exchange *x, const char *name, const char *format, ...) PRINTF(3, 4);

void answer_begin(struct exchange *x, unsigned status);

/* One field. Control characters in its value become '?': whoever wrote them began no other field.
 */
void answer_field(struct exchange *x, const char *name, const char *format, ...) PRINTF(3, 4);

/* The head is whole. Then exactly `length` bytes of body, or any number (ANSWER_OPEN), of which
 * none are sent where the method or the status has no body. */
#define ANSWER_OPEN UINT64_MAX
void answer_start(struct exchange *x, uint64_t length);

/* Whether a body is to be written at all (not to HEAD, not with 204 and 304). */
bool answer_has_body(const struct exchange *x);

/* How much may be written now. */
size_t answer_room(const struct exchange *x);

/* Write a piece of the body, of at most answer_room() bytes. */
void answer_write(struct exchange *x, struct view piece);

/* The same without a copy, of an answer whose length was said: memory for `size` bytes (at most
 * answer_room()), then how many of them are used. NULL: no memory; the answer is to be cut. */
uint8_t *answer_reserve(struct exchange *x, size_t size);
void answer_commit(struct exchange *x, size_t used);

/* All of it is written. */
void exchange_finish(struct exchange *x);

/* An answer with a body at hand, whole: begin, type, start, write, finish. */
void exchange_answer(struct exchange *x, unsigned status, const char *type, struct view body);

/* An answer without a body; fields by exchange_add_field(). */
void exchange_answer_empty(struct exchange *x, unsigned status);

/* A problem instead of the answer; where that has been started, the connection is cut, which tells
 * the client that it has not got all. detail may be empty, and names nothing that the client may
 * not see. */
void exchange_problem(struct exchange *x, enum http_problem p, struct view detail);

/* The same by a code of base/err.h, with the sentence that a user may be told. */
void exchange_fail(struct exchange *x, int code, const char *sentence);

/* The answer that was started cannot be gone on with: cut the connection. */
void exchange_cut(struct exchange *x, const char *reason);

#endif
