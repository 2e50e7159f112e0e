/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tls_files.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"

enum { SERIAL_BYTES = 16, DAYS = 3653, NAME_MAX_LEN = 253, KEY_BITS_MIN = 2048 };

static const char *const always[] = {"localhost", "127.0.0.1", "::1"};

static void pkey_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void x509_free(X509 **x)
{
	X509_free(*x);
}

static void bio_free(BIO **b)
{
	(void)BIO_free(*b);
}

static int broken(const char *what)
{
	ERR_clear_error();
	return fail(E_IO, "%s", what);
}

/* ---- making them ---- */

static bool name_is_good(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > NAME_MAX_LEN)
		return false;
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(".-_:", *c))
			return false;
	return true;
}

static bool is_address(const char *name)
{
	uint8_t memory[16];

	return inet_pton(AF_INET, name, memory) == 1 || inet_pton(AF_INET6, name, memory) == 1;
}

static int add_name(struct buf *list, const char *name)
{
	if (!name_is_good(name) || (strchr(name, ':') && !is_address(name)))
		return fail(E_INVALID, "'%s' is no name of a host", name);
	return buf_printf(list, "%s%s:%s", list->len ? "," : "", is_address(name) ? "IP" : "DNS",
			  name);
}

static int subject_names(const char *const *names, unsigned count, struct buf *out)
{
	int rc = 0;

	for (unsigned i = 0; i < ARRAY_LEN(always) && !rc; i++)
		rc = add_name(out, always[i]);
	for (unsigned i = 0; i < count && !rc; i++)
		rc = add_name(out, names[i]);
	return rc;
}

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool good = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return good;
}

static bool set_serial(X509 *x)
{
	uint8_t bytes[SERIAL_BYTES];

	if (random_bytes(bytes, sizeof bytes))
		return false;
	bytes[0] &= 0x7f;
	BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
	bool good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
	BN_free(n);
	return good;
}

/* Clients pin the key, so the dates bind nobody who does; browsers are told the truth. */
static bool fill(X509 *x, EVP_PKEY *key, const char *name, const char *names)
{
	X509_NAME *subject = X509_get_subject_name(x);

	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	       X509_time_adj_ex(X509_getm_notAfter(x), DAYS, 0, NULL) &&
	       X509_set_pubkey(x, key) == 1 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)name, -1,
					  -1, 0) == 1 &&
	       X509_set_issuer_name(x, subject) == 1 &&
	       add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x, NID_subject_alt_name, names) && X509_sign(x, key, EVP_sha256()) > 0;
}

static int take(BIO *from, struct buf *out)
{
	char *data = NULL;
	long len = BIO_get_mem_data(from, &data);

	return len > 0 ? buf_add(out, data, (size_t)len) : broken("write a PEM file");
}

int tls_files_make(const char *const *names, unsigned count, struct buf *ret_certificate,
		   struct buf *ret_key)
{
	CLEANUP(pkey_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	CLEANUP(x509_free) X509 *x = X509_new();
	CLEANUP(bio_free) BIO *certificate = BIO_new(BIO_s_mem());
	CLEANUP(bio_free) BIO *private = BIO_new(BIO_s_secmem());
	CLEANUP(buf_done) struct buf list = {0};
	const char *text = NULL, *name = count ? names[0] : always[0];
	int rc = subject_names(names, count, &list);

	if (!rc)
		rc = buf_text(&list, &text);
	if (rc)
		return rc;
	/* A common name has 64 characters at most (RFC 5280, appendix A.1). */
	if (!key || !x || !certificate || !private ||
	    !fill(x, key, strlen(name) <= 64 ? name : always[0], text) ||
	    PEM_write_bio_X509(certificate, x) != 1 ||
	    PEM_write_bio_PKCS8PrivateKey(private, key, NULL, NULL, 0, NULL, NULL) != 1)
		return broken("make a certificate");
	rc = take(private, ret_key);
	return rc ? rc : take(certificate, ret_certificate);
}

int tls_files_init(int state_fd, const char *const *names, unsigned count)
{
	CLEANUP(buf_done) struct buf certificate = {0};
	CLEANUP(buf_wipe) struct buf key = {0};
	int rc = sys_mkdir(state_fd, "keys/tls", 0700);

	if (rc == E_EXISTS) {
		err_clear();
		rc = 0;
	}
	if (!rc)
		rc = tls_files_make(names, count, &certificate, &key);
	if (!rc)
		rc = sys_replace_file(state_fd, "keys/tls/key.pem", 0400, view_buf(&key));
	if (!rc)
		rc = sys_replace_file(state_fd, "keys/tls/cert.pem", 0444, view_buf(&certificate));
	return rc;
}

/* ---- judging them ---- */

static int no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static BIO *reading(struct view pem)
{
	return pem.len <= INT_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
}

static int refuse(const char *why)
{
	ERR_clear_error();
	return fail(E_CONFIG, "%s", why);
}

static int read_certificate(struct view pem, X509 **ret_certificate)
{
	CLEANUP(bio_free) BIO *in = reading(pem);

	*ret_certificate = in ? PEM_read_bio_X509(in, NULL, no_passphrase, NULL) : NULL;
	return *ret_certificate ? 0 : refuse("there is no certificate in it (PEM)");
}

int tls_files_check(struct view certificate, struct view key)
{
	CLEANUP(x509_free) X509 *x = NULL;
	CLEANUP(bio_free) BIO *in = reading(key);
	CLEANUP(pkey_free) EVP_PKEY *private = NULL;
	int rc = read_certificate(certificate, &x);

	if (rc)
		return rc;
	private = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
	if (!private)
		return refuse("the private key is none (PEM), or has a pass phrase");
	if (EVP_PKEY_is_a(private, "RSA") && EVP_PKEY_get_bits(private) < KEY_BITS_MIN)
		return refuse("the private key is an RSA key of less than 2048 bits");
	if (X509_check_private_key(x, private) != 1)
		return refuse("the private key is not that of the certificate");
	return 0;
}

int tls_files_spki(struct view certificate, uint8_t ret_hash[TLS_SPKI])
{
	CLEANUP(x509_free) X509 *x = NULL;
	unsigned char *der = NULL;
	unsigned hash_len = 0;
	int rc = read_certificate(certificate, &x);

	if (rc)
		return rc;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
	bool good = len > 0 &&
		    EVP_Digest(der, (size_t)len, ret_hash, &hash_len, EVP_sha256(), NULL) == 1 &&
		    hash_len == TLS_SPKI;
	OPENSSL_free(der);
	return good ? 0 : refuse("the certificate has no key");
}

int tls_files_fingerprint(struct view certificate, char ret_text[TLS_FINGERPRINT_TEXT])
{
	CLEANUP(x509_free) X509 *x = NULL;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	int rc = read_certificate(certificate, &x);

	if (rc)
		return rc;
	if (X509_digest(x, EVP_sha256(), hash, &len) != 1 || 3 * len != TLS_FINGERPRINT_TEXT)
		return refuse("the certificate cannot be hashed");
	for (unsigned i = 0; i < len; i++)
		(void)snprintf(ret_text + 3 * i, TLS_FINGERPRINT_TEXT - 3 * i, "%02X%s", hash[i],
			       i + 1 < len ? ":" : "");
	return 0;
}

/* NULL: it has none. */
static char *common_name(X509 *x)
{
	const X509_NAME *subject = X509_get_subject_name(x);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const ASN1_STRING *name =
	    at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	size_t len = name ? (size_t)ASN1_STRING_length(name) : 0;
	const uint8_t *data = name ? ASN1_STRING_get0_data(name) : NULL;

	for (size_t i = 0; i < len; i++) /* it stands in a sentence, if it is no host */
		if (data[i] < ' ' || data[i] > '~')
			return NULL;
	return len ? mem_text_n(data, len) : NULL;
}

int tls_files_host(struct view certificate, struct buf *out)
{
	CLEANUP(x509_free) X509 *x = NULL;
	int rc = read_certificate(certificate, &x);

	if (rc)
		return rc;
	CLEANUP(mem_free) char *name = common_name(x);
	if (!name)
		return refuse("set [https] public_url: the certificate has no common name");
	bool v6 = strchr(name, ':') && is_address(name);
	if (!name_is_good(name) || (strchr(name, ':') && !v6)) {
		ERR_clear_error();
		return fail(
		    E_CONFIG,
		    "set [https] public_url: the certificate's name, '%.64s', is that of no "
		    "one host",
		    name);
	}
	return buf_printf(out, v6 ? "[%s]" : "%s", name);
}
