/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_context: how this gate speaks TLS: OpenSSL's SSL_CTX out of the settings of the keep.
 *
 * TLS 1.3, and 1.2 with ECDHE and AEAD only. All from memory: no file is read. A peer may show any
 * certificate: whose key it is, the keep knows (doc/PROTOCOL.https.md, "Who asks"); that the peer
 * has the key, the handshake proves. Replaced as a whole when the keep sends new settings;
 * connections keep the one they began with.
 */
#ifndef DROPKEEP_GATE_TLS_CONTEXT_H
#define DROPKEEP_GATE_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "wire/messages.h"

/* certificate: a PEM chain, the server's own first; key: its private key, PEM, without a pass
 * phrase; ticket_key: TICKET_KEY bytes, what all gates protect session tickets with. E_CONFIG. */
MUST_USE int tls_context_new(struct view certificate, struct view key, struct view ticket_key,
			     SSL_CTX **ret_context);

/* NULL is allowed. For CLEANUP(tls_context_free). */
void tls_context_free(SSL_CTX **c);

/* One connection on a socket, which stays the caller's, as a server. E_NOMEM. */
MUST_USE int tls_accept_new(SSL_CTX *c, int fd, SSL **ret_ssl);

/* SHA-256 of the SubjectPublicKeyInfo of the peer's certificate. E_GONE without an error frame
 * where it has shown none. After the handshake. */
MUST_USE int tls_peer_spki(SSL *ssl, uint8_t ret_hash[WIRE_HASH]);

#endif
