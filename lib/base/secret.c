/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

/* Enough for some thousand zone secrets; a power of two, as the secure heap demands. */
enum { HEAP_SIZE = 4 << 20, HEAP_UNIT = 64 };

struct secret {
	size_t len;
	uint8_t bytes[];
};

static bool locked;

int secret_setup(void)
{
	if (CRYPTO_secure_malloc_initialized())
		return 0;
	int got = CRYPTO_secure_malloc_init(HEAP_SIZE, HEAP_UNIT);
	if (!got)
		return fail(E_NOMEM, "set up the secure heap");
	locked = got == 1; /* 2: it works, but some protection could not be had */
	return 0;
}

bool secret_locked(void)
{
	return locked;
}

static int new_secret(size_t len, struct secret **ret_secret)
{
	struct secret *s = OPENSSL_secure_zalloc(sizeof *s + len);

	if (!s)
		return fail(E_NOMEM, "no secure memory for %zu bytes", len);
	s->len = len;
	*ret_secret = s;
	return 0;
}

int secret_copy(const void *bytes, size_t len, struct secret **ret_secret)
{
	struct secret *s = NULL;
	int rc = new_secret(len, &s);

	if (rc)
		return rc;
	if (len)
		memcpy(s->bytes, bytes, len);
	*ret_secret = s;
	return 0;
}

int secret_random(size_t len, struct secret **ret_secret)
{
	struct secret *s = NULL;
	int rc = new_secret(len, &s);

	if (rc)
		return rc;
	if (RAND_priv_bytes(s->bytes, (int)len) != 1) {
		secret_free(&s);
		return fail(E_IO, "no random bytes to be had");
	}
	*ret_secret = s;
	return 0;
}

int secret_derive(struct view ikm, struct view salt, const char *info, size_t len,
		  struct secret **ret_secret)
{
	struct secret *s = NULL;
	int rc = new_secret(len, &s);

	if (rc)
		return rc;

	OSSL_PARAM params[5], *p = params;
	*p++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256",
						0);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)ikm.data,
						 ikm.len);
	*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
						 strlen(info));
	if (salt.len)
		*p++ = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
							 (void *)(uintptr_t)salt.data, salt.len);
	*p = OSSL_PARAM_construct_end();

	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool ok = ctx && EVP_KDF_derive(ctx, s->bytes, len, params) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	if (!ok) {
		secret_free(&s);
		return fail(E_IO, "derive a key for '%s'", info);
	}
	*ret_secret = s;
	return 0;
}

struct view secret_view(const struct secret *s)
{
	return view_of(s->bytes, s->len);
}

void secret_free(struct secret **s)
{
	if (*s)
		OPENSSL_secure_clear_free(*s, sizeof **s + (*s)->len);
	*s = NULL;
}

void wipe(void *bytes, size_t len)
{
	OPENSSL_cleanse(bytes, len);
}

int random_bytes(void *bytes, size_t len)
{
	if (RAND_bytes(bytes, (int)len) != 1)
		return fail(E_IO, "no random bytes to be had");
	return 0;
}

bool equal_secret(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
