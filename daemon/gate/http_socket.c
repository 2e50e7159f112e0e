/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on the socket of a connection. */
#include <assert.h>
#include <limits.h>
#include <openssl/err.h>

#include "daemon/gate/http_inside.h"

/* Of more than one record at once OpenSSL does not tell that the first ones went, so that a slow
 * reader would seem to take nothing. */
enum { RECORD = SSL3_RT_MAX_PLAIN_LENGTH };

/* OpenSSL's queue of errors is the thread's: what one connection leaves there would be taken for
 * another's. */
static int judge(struct connection *c, int rc)
{
	int error = SSL_get_error(c->ssl, rc);

	ERR_clear_error();
	switch (error) {
	case SSL_ERROR_WANT_READ:
		c->read_waits = true;
		return E_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		c->write_waits = true;
		return E_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		c->eof = true;
		return E_GONE;
	default:
		return E_IO;
	}
}

int socket_handshake(struct connection *c)
{
	ERR_clear_error();
	int rc = SSL_accept(c->ssl);

	return rc == 1 ? 0 : judge(c, rc);
}

int socket_fill(struct connection *c, size_t cap)
{
	if (c->in.len >= cap || c->read_waits)
		return E_AGAIN;
	if (buf_reserve(&c->in, cap - c->in.len))
		return E_IO;
	size_t room = cap - c->in.len;
	ERR_clear_error();
	int rc = SSL_read(c->ssl, c->in.data + c->in.len, room > INT_MAX ? INT_MAX : (int)room);
	if (rc <= 0) {
		rc = judge(c, rc);
		c->read_wants_room = rc == E_AGAIN && c->write_waits && !c->read_waits;
		return rc;
	}
	c->in.len += (size_t)rc;
	connection_moved(c, (uint64_t)rc, 0);
	return 0;
}

/* A slow reader's answer is never all sent before more of it is added: what has gone must not pile
 * up. As much has to go as moves, so it moves once. */
static void forget_sent(struct connection *c)
{
	if (c->sent < c->out.len - c->sent)
		return;
	buf_eat(&c->out, c->sent);
	c->sent = 0;
}

static int send_out(struct connection *c)
{
	while (c->sent < c->out.len) {
		size_t left = c->out.len - c->sent;
		if (c->write_waits)
			return E_AGAIN;
		ERR_clear_error();
		int rc =
		    SSL_write(c->ssl, c->out.data + c->sent, left < RECORD ? (int)left : RECORD);
		if (rc <= 0) {
			rc = judge(c, rc);
			return rc == E_GONE ? E_IO : rc;
		}
		c->sent += (size_t)rc;
		connection_moved(c, 0, (uint64_t)rc);
	}
	return 0;
}

int socket_flush(struct connection *c)
{
	int rc = send_out(c);

	forget_sent(c);
	return rc;
}

void socket_goodbye(struct connection *c)
{
	ERR_clear_error();
	if (SSL_is_init_finished(c->ssl))
		(void)SSL_shutdown(c->ssl);
	ERR_clear_error();
}

int socket_events(const struct connection *c)
{
	int events = 0;

	if (c->read_waits)
		events |= UV_READABLE;
	if (c->write_waits)
		events |= UV_WRITABLE;
	if (!c->half_closed)
		events |= UV_DISCONNECT;
	return events;
}
