/* SPDX-License-Identifier: Apache-2.0 */
#include "client/identity.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

enum { SERIAL_BITS = 127 };

/* RFC 5280, section 4.1.2.5: "99991231235959Z" says that there is no good date. */
static int fill(X509 *x, EVP_PKEY *key)
{
	X509_NAME *name = X509_get_subject_name(x);
	BIGNUM *serial = BN_new();
	int good = serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
		   BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) && X509_set_version(x, 2) &&
		   X509_gmtime_adj(X509_getm_notBefore(x), -86400) &&
		   ASN1_TIME_set_string_X509(X509_getm_notAfter(x), "99991231235959Z") &&
		   X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					      (const unsigned char *)"dropkeep", -1, -1, 0) &&
		   X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
		   X509_sign(x, key, EVP_sha256());

	BN_free(serial);
	return good ? 0 : fail(E_NOMEM, "cannot make a certificate");
}

static int take(BIO *from, struct buf *out)
{
	char *data = NULL;
	long len = BIO_get_mem_data(from, &data);

	return len > 0 ? buf_add(out, data, (size_t)len) : fail(E_NOMEM, "cannot write a key");
}

static int write_key(EVP_PKEY *key, struct buf *out)
{
	BIO *to = BIO_new(BIO_s_secmem());
	int rc = to && PEM_write_bio_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL)
		     ? take(to, out)
		     : fail(E_NOMEM, "cannot write a key");

	BIO_free(to);
	return rc;
}

static int write_certificate(EVP_PKEY *key, struct buf *out)
{
	BIO *to = BIO_new(BIO_s_mem());
	X509 *x = X509_new();
	int rc = to && x ? fill(x, key) : fail(E_NOMEM, "cannot make a certificate");

	if (!rc && !PEM_write_bio_X509(to, x))
		rc = fail(E_NOMEM, "cannot write a certificate");
	if (!rc)
		rc = take(to, out);
	X509_free(x);
	BIO_free(to);
	return rc;
}

int identity_make(struct buf *ret_key, struct buf *ret_certificate)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	int rc = key ? 0 : fail(E_NOMEM, "cannot make a key");

	if (!rc)
		rc = write_key(key, ret_key);
	if (!rc)
		rc = write_certificate(key, ret_certificate);
	EVP_PKEY_free(key);
	return rc;
}
