/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_inside: what the parts of an HTTPS connection share, and nobody else includes.
 *
 *	http_connection.c  its life: states, clock, request after request, the end
 *	http_socket.c      TLS on the socket: bytes in, bytes out, what to wait for
 *	http_who.c         the session with the keep: who asks?
 *	http_exchange.c    what handlers call
 *	http_routes.c      which handler a request is for
 */
#ifndef DROPKEEP_GATE_HTTP_INSIDE_H
#define DROPKEEP_GATE_HTTP_INSIDE_H

#include "daemon/gate/http_body.h"
#include "daemon/gate/http_connection.h"
#include "daemon/gate/http_exchange.h"
#include "daemon/gate/tls_context.h"

enum connection_at {
	CONN_HANDSHAKE, /* TLS */
	CONN_HEAD,      /* waits for a request, or the rest of its head */
	CONN_WHO,       /* the keep is asked who that is */
	CONN_SERVE,     /* a handler has it */
	CONN_LINGER,    /* all is said; what still comes is read and dropped */
	CONN_LEAVE,     /* handles close */
	CONN_TOLD,      /* the keep is told of the end */
};
enum next { NEXT_GO, NEXT_WAIT, NEXT_END };

enum {
	IN_FILL = 64 * 1024, /* bytes read at once of a body */
	IN_HEAD = 4 * 1024,  /* of a head */
	DRIVE_ROUNDS = 8,    /* fills and sends before the loop goes on */
	LINGER_MS = 2000,
	LINGER_BYTES = 1 << 20,
	TOKEN_LEN_MAX = 512,
	USER_AGENT_MAX = 255,
};

/* A credential by its digest: the token's, or the certificate's key's. */
enum who_kind { WHO_NOBODY, WHO_CERTIFICATE, WHO_TOKEN };
struct who {
	enum who_kind kind;
	uint8_t digest[WIRE_HASH];
};

/* What the keep knows of this connection: at most one session at a time. */
enum knock_at { KNOCK_NONE, KNOCK_OPENING, KNOCK_OPEN, KNOCK_ASKING, KNOCK_IN, KNOCK_CLOSING };
struct knock {
	enum knock_at at;
	struct ask *ask;
	uint64_t number;
	struct who who; /* when IN */
	int64_t expires_us;
	char *home;
	uint64_t in, out; /* bytes since it was opened */
	int rc;           /* of what was asked last */
	char why[256];
};

struct connection {
	uint32_t magic;
	struct gate *gate;
	struct place place;
	bool driving;
	enum connection_at at;
	char *reason; /* set: it is to end */

	int fd;
	struct peer peer;
	SSL *ssl;
	uv_poll_t poll;
	uv_timer_t timer;
	bool polling;
	unsigned handles;
	int armed;
	bool read_waits, write_waits; /* of the socket, as OpenSSL said last; cleared by events */
	bool read_wants_room;         /* SSL_read() waits for the socket to take more */
	bool half_closed;             /* the peer sends no more; there may be unread bytes */
	bool eof;                     /* all was read, and the peer has said that it was all */

	uint32_t login_grace_ms, idle_ms;
	uint64_t began_ms, active_ms; /* of the state's clock; when bytes moved last */

	struct buf in;  /* not used yet */
	size_t seen;    /* of a head that is not whole yet */
	struct buf out; /* not sent yet, from `sent` on */
	size_t sent;
	uint64_t lingered;

	uint8_t spki[WIRE_HASH]; /* of the peer's certificate */
	bool has_spki;
	struct knock knock;

	struct buf head_bytes; /* what head borrows from */
	struct http_head *head;
	struct body body;
	size_t
	    content_left;  /* at the front of `in`: content that is not given to the handler yet */
	bool served;       /* a request already */
	bool last_request; /* the connection closes behind its answer */
	struct exchange x;
	const struct route *route;
};

/* http_connection.c */
void connection_wake(struct connection *c);
/* Soon; the first reason counts. */
void connection_end(struct connection *c, const char *reason);
void connection_moved(struct connection *c, uint64_t in, uint64_t out);

/* http_socket.c */
/* More of what comes, behind c->in, up to cap bytes there. 0: something came; E_AGAIN: wait;
 * E_GONE: no more will come (c->eof tells whether the peer said so); E_IO: broken. No error frames.
 */
MUST_USE int socket_fill(struct connection *c, size_t cap);
/* Send what is in c->out. 0: all is sent; E_AGAIN; E_IO. */
MUST_USE int socket_flush(struct connection *c);
MUST_USE int socket_handshake(struct connection *c); /* 0, E_AGAIN, E_IO */
/* Say that this is all, as far as that can be said now. */
void socket_goodbye(struct connection *c);
/* What the poll must wait for. */
int socket_events(const struct connection *c);

/* http_who.c */
/* Has the keep's session of this credential (or, WHO_NOBODY: one that has not authenticated). 0:
 * ready; E_AGAIN: under way, the connection is woken; else refused, c->knock.why says why. */
MUST_USE int who_ready(struct connection *c, const struct who *w, struct view secret);
/* Who the request says it is: its token, else the connection's certificate. E_INVALID for a field
 * Authorization that is none. *ret_secret: what the keep is to be shown. */
MUST_USE int who_of(struct connection *c, struct who *ret_who, struct view *ret_secret);
/* Close the session, if there is one. True: none is left (or was). */
bool who_close(struct connection *c, const char *reason);
void who_forget(struct connection *c); /* memory, at the end */

/* http_exchange.c */
void exchange_open(struct connection *c, const struct http_handler *h);
/* Its connection is lost. */
void exchange_lose(struct exchange *x, const char *reason);

/* http_routes.c */
struct route {
	const char *prefix; /* one that ends with a slash has something behind it, */
	bool bare;          /* or, with this, nothing */
	unsigned methods;
	enum { ROUTE_OPEN, ROUTE_KNOCK, ROUTE_SESSION } needs;
	const struct http_handler *handler;
	bool tus; /* OPTIONS tells of that protocol */
};
/* NULL: there is no such path. *ret_rest: what is behind the prefix. */
const struct route *route_find(struct view path, struct view *ret_rest);
/* "GET, HEAD, OPTIONS" into text, whose size is ROUTE_ALLOW. */
enum { ROUTE_ALLOW = 80 };
void route_allow(const struct route *r, char text[ROUTE_ALLOW]);

#endif
