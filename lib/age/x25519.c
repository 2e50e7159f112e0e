/* SPDX-License-Identifier: Apache-2.0 */
#include "age/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"

static void free_key(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static void free_context(EVP_PKEY_CTX **ctx)
{
	EVP_PKEY_CTX_free(*ctx);
}

/* See aead.c: errors of OpenSSL's are not left in its queue. */
static int failed(enum err code, const char *what)
{
	ERR_clear_error();
	return fail(code, "%s", what);
}

/* OpenSSL keeps the scalar in its secure heap and computes the public point from it. */
static int private_key(const struct secret *scalar, EVP_PKEY **ret_key)
{
	struct view bytes = secret_view(scalar);

	if (bytes.len != AGE_X25519_SIZE)
		return fail(E_INVALID, "an X25519 key of %zu bytes", bytes.len);
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, bytes.data, bytes.len);
	if (!key)
		return failed(E_IO, "load an X25519 key");
	*ret_key = key;
	return 0;
}

static int public_of(const EVP_PKEY *key, uint8_t ret_point[AGE_X25519_SIZE])
{
	uint8_t point[AGE_X25519_SIZE];
	size_t len = sizeof point;

	if (EVP_PKEY_get_raw_public_key(key, point, &len) != 1 || len != sizeof point)
		return failed(E_IO, "compute an X25519 public key");
	memcpy(ret_point, point, sizeof point);
	return 0;
}

int age_x25519_public(const struct secret *scalar, uint8_t ret_point[AGE_X25519_SIZE])
{
	CLEANUP(free_key) EVP_PKEY *key = NULL;
	int rc = private_key(scalar, &key);

	return rc ? rc : public_of(key, ret_point);
}

/* OpenSSL's derivation fails for an all-zero product; the comparison here does not rely on it.
 * All that reaches the derivation is well-formed, so a low-order point is what a failure means. */
static int derive(EVP_PKEY *own, EVP_PKEY *peer, struct secret **ret_shared)
{
	static const uint8_t zero[AGE_X25519_SIZE];
	uint8_t product[AGE_X25519_SIZE];
	size_t len = sizeof product;
	CLEANUP(free_context) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);

	if (!ctx || EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer(ctx, peer) != 1)
		return failed(E_IO, "set up X25519");
	if (EVP_PKEY_derive(ctx, product, &len) != 1 || len != sizeof product ||
	    equal_secret(product, zero, sizeof product))
		return failed(E_INVALID, "an X25519 point of low order");
	int rc = secret_copy(product, sizeof product, ret_shared);
	wipe(product, sizeof product);
	return rc;
}

int age_x25519_shared(const struct secret *scalar, const uint8_t point[AGE_X25519_SIZE],
		      struct secret **ret_shared, uint8_t ret_public[AGE_X25519_SIZE])
{
	CLEANUP(free_key) EVP_PKEY *own = NULL;
	CLEANUP(free_key)
	EVP_PKEY *peer =
	    EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, point, AGE_X25519_SIZE);
	CLEANUP(secret_free) struct secret *shared = NULL;

	if (!peer)
		return failed(E_IO, "load an X25519 public key");
	int rc = private_key(scalar, &own);
	if (!rc)
		rc = derive(own, peer, &shared);
	if (!rc)
		rc = public_of(own, ret_public);
	if (!rc)
		*ret_shared = TAKE(shared);
	return rc;
}
