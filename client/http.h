/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: one connection to one server, by libcurl. Requests on it come one after the other,
 * from one thread; a program that wants several makes several.
 *
 * The server is known by the SHA-256 of its public key where one is pinned (then no
 * certificate authority counts), else by the system's authorities. Nothing is followed
 * elsewhere: no redirect, no other protocol than HTTPS, TLS 1.2 or later.
 */
#ifndef DROPKEEP_CLIENT_HTTP_H
#define DROPKEEP_CLIENT_HTTP_H

#include "client/answer.h"

enum { HTTP_BODY_MAX = 64 << 20, HTTP_HEADERS_MAX = 200 };

struct http;

struct http_peer {
	const char *url; /* "https://drop.example.org:8443", without a slash at its end */
	const char *pin; /* SHA-256 of the public key in base64; NULL: the system's authorities */
	const char *certificate, *key; /* PEM files; NULL: none is shown */
};

struct http_body {
	/* Up to room bytes; 0 of them ends it. Codes of base/err.h. */
	int (*read)(void *arg, void *room, size_t room_len, size_t *ret_len);
	int (*rewind)(void *arg); /* to where this request began */
	void *arg;
	uint64_t size;
};

struct http_sink {
	/* Once, before the first byte of a successful answer; and then each piece. */
	int (*begin)(void *arg, const struct answer *a);
	int (*write)(void *arg, const void *data, size_t len);
	void *arg;
};

struct http_request {
	const char *method;
	const char *path;             /* encoded, from the first slash on */
	const char *const *headers;   /* "Name: value", until NULL; may be NULL */
	const struct http_body *body; /* NULL: none */
	const struct http_sink *sink; /* NULL: into the answer, at most HTTP_BODY_MAX */
	uint64_t rate;                /* bytes a second, either way; 0: no limit */
	bool once; /* on a connection of its own: libcurl asks again by itself where the one that
		      it has kept ends without an answer */
	unsigned most_ms; /* for tidying up: it ends by then, and not when somebody wants to stop;
			     0: for everything else */
};

void http_setup(void); /* once, before any thread */

MUST_USE int http_new(const struct http_peer *peer, struct http **ret_http);
void http_free(struct http **h);

/*
 * 0 when the server has answered, whatever it was: see answer_judge(). Else E_AGAIN for a
 * connection that was lost or stood still, CLIENT_UNREACHABLE, E_PROTOCOL for a server that
 * is not the one (or not of our kind), E_CONFIG for our own key, or what a callback failed
 * with. *ret_answer is to be freed in either case.
 */
MUST_USE int http_ask(struct http *h, const struct http_request *r, struct answer *ret_answer);

/* What libcurl says, as a code with its sentence. For tests. */
MUST_USE int http_judge(int curl_code, const char *said);

#endif
