/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_kit: both ends of a TLS connection without a network: a gate's context with a certificate
 * that is made on the spot, and a client that believes it.
 */
#ifndef DROPKEEP_TESTS_TLS_KIT_H
#define DROPKEEP_TESTS_TLS_KIT_H

#include "base_kit.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/gate/tls_context.h"

struct kit_client {
	SSL_CTX *context;
	SSL *ssl;
	int fd;
};

static inline void kit_write_pem(struct buf *out, int (*write)(BIO *, void *), void *what)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL;

	assert_int_equal(write(b, what), 1);
	long len = BIO_get_mem_data(b, &text);
	assert_ok(buf_add(out, text, (size_t)len));
	BIO_free(b);
}

static inline int kit_write_key(BIO *b, void *key)
{
	return PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
}

static inline int kit_write_certificate(BIO *b, void *x)
{
	return PEM_write_bio_X509(b, x);
}

static inline SSL_CTX *kit_tls_context(void)
{
	static const uint8_t ticket_key[TICKET_KEY];
	CLEANUP(buf_done) struct buf certificate = {0};
	CLEANUP(buf_done) struct buf private = {0};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *x = X509_new();
	SSL_CTX *context = NULL;

	assert_true(X509_set_version(x, X509_VERSION_3) == 1 && X509_set_pubkey(x, key) == 1 &&
		    X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
		    X509_gmtime_adj(X509_getm_notAfter(x), 3600) &&
		    X509_sign(x, key, EVP_sha256()) > 0);
	kit_write_pem(&private, kit_write_key, key);
	kit_write_pem(&certificate, kit_write_certificate, x);
	assert_ok(tls_context_new(view_buf(&certificate), view_buf(&private),
				  view_of(ticket_key, sizeof ticket_key), &context));
	EVP_PKEY_free(key);
	X509_free(x);
	return context;
}

/* The client's end; the gate's is *ret_fd, with a send buffer of so many bytes. */
static inline struct kit_client kit_client(int send_buffer, int *ret_fd)
{
	struct kit_client k = {0};
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
	assert_int_equal(
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer), 0);
	*ret_fd = fds[0];
	k.fd = fds[1];
	k.context = SSL_CTX_new(TLS_client_method());
	k.ssl = SSL_new(k.context);
	assert_int_equal(SSL_set_fd(k.ssl, k.fd), 1);
	SSL_set_connect_state(k.ssl);
	return k;
}

static inline void kit_client_done(struct kit_client *k)
{
	SSL_free(k->ssl);
	SSL_CTX_free(k->context);
	(void)close(k->fd);
}

#endif
