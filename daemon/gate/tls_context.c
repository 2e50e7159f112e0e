/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/tls_context.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/mem.h"

/* TLS 1.2: forward secrecy and authenticated encryption (RFC 9325, section 4.2). */
static const char ciphers_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

static const unsigned char session_context[] = "dropkeep";

enum { PEER_CHAIN_MAX = 16 * 1024 };

/* The connection has the key, says the handshake; whose key it is, the keep is asked. */
static int any_certificate(X509_STORE_CTX *store, void *arg)
{
	(void)store;
	(void)arg;
	return 1;
}

static int choose_http(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char http_1_1[] = "\x08http/1.1";
	unsigned char *found = NULL;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, out_len, http_1_1, sizeof http_1_1 - 1, in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = found;
	return SSL_TLSEXT_ERR_OK;
}

static int no_pass_phrase(char *memory, int size, int writing, void *arg)
{
	(void)memory;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

static int use_chain(SSL_CTX *c, struct view pem)
{
	BIO *in = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
	X509 *x = in ? PEM_read_bio_X509(in, NULL, no_pass_phrase, NULL) : NULL;
	bool good = x && SSL_CTX_use_certificate(c, x) == 1;

	X509_free(x);
	while (good && (x = PEM_read_bio_X509(in, NULL, no_pass_phrase, NULL))) {
		good = SSL_CTX_add0_chain_cert(c, x) == 1;
		if (!good)
			X509_free(x);
	}
	BIO_free(in);
	return good ? 0 : fail(E_CONFIG, "the TLS certificate cannot be used");
}

static int use_key(SSL_CTX *c, struct view pem)
{
	BIO *in = pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_pass_phrase, NULL) : NULL;
	bool good = key && SSL_CTX_use_PrivateKey(c, key) == 1 && SSL_CTX_check_private_key(c) == 1;

	EVP_PKEY_free(key);
	BIO_free(in);
	return good ? 0 : fail(E_CONFIG, "the TLS private key is not that of the certificate");
}

static int set_rules(SSL_CTX *c, struct view ticket_key)
{
	const uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
				 SSL_OP_NO_SSLv3;
	const long modes = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
			   SSL_MODE_RELEASE_BUFFERS;

	(void)SSL_CTX_set_options(c, options);
	(void)SSL_CTX_set_mode(c, modes);
	(void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets alone */
	(void)SSL_CTX_set_max_early_data(c, 0);
	SSL_CTX_set_max_cert_list(c, PEER_CHAIN_MAX);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(c, any_certificate, NULL);
	SSL_CTX_set_alpn_select_cb(c, choose_http, NULL);
	if (SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(c, ciphers_12) != 1 ||
	    SSL_CTX_set_session_id_context(c, session_context, sizeof session_context - 1) != 1)
		return fail(E_CONFIG, "this OpenSSL cannot speak TLS as it should");
	if (ticket_key.len != TICKET_KEY ||
	    SSL_CTX_set_tlsext_ticket_keys(c, (void *)(uintptr_t)ticket_key.data, TICKET_KEY) != 1)
		return fail(E_CONFIG, "the key for TLS session tickets cannot be used");
	return 0;
}

int tls_context_new(struct view certificate, struct view key, struct view ticket_key,
		    SSL_CTX **ret_context)
{
	CLEANUP(tls_context_free) SSL_CTX *c = SSL_CTX_new(TLS_server_method());

	if (!c)
		return fail(E_NOMEM, "no TLS context");
	int rc = set_rules(c, ticket_key);
	if (!rc)
		rc = use_chain(c, certificate);
	if (!rc)
		rc = use_key(c, key);
	ERR_clear_error();
	if (!rc)
		*ret_context = TAKE(c);
	return rc;
}

void tls_context_free(SSL_CTX **c)
{
	SSL_CTX_free(TAKE(*c));
}

int tls_accept_new(SSL_CTX *c, int fd, SSL **ret_ssl)
{
	SSL *ssl = SSL_new(c);

	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return fail(E_NOMEM, "no TLS connection");
	}
	SSL_set_accept_state(ssl);
	*ret_ssl = ssl;
	return 0;
}

int tls_peer_spki(SSL *ssl, uint8_t ret_hash[WIRE_HASH])
{
	X509 *x = SSL_get0_peer_certificate(ssl);
	unsigned char *der = NULL;

	if (!x)
		return E_GONE;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	unsigned hash_len = 0;
	bool good = len > 0 &&
		    EVP_Digest(der, (size_t)len, ret_hash, &hash_len, EVP_sha256(), NULL) == 1 &&
		    hash_len == WIRE_HASH;
	OPENSSL_free(der);
	ERR_clear_error();
	return good ? 0 : fail(E_INVALID, "a certificate without a key");
}
