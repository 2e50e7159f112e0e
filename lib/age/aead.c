/* SPDX-License-Identifier: Apache-2.0 */
#include "age/aead.h"

#include <limits.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/secret.h"

enum { OPEN = 0, SEAL = 1 }; /* as EVP_CipherInit_ex2() has it */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *cipher; /* fetched once, never freed; read-only afterwards */

static void fetch(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "ChaCha20-Poly1305", NULL);
}

/* OpenSSL's queue of errors must not be left to whoever looks at it next: TLS does. */
static int failed(const char *what)
{
	ERR_clear_error();
	return fail(E_IO, "%s", what);
}

static int start(int direction, const uint8_t *key, const uint8_t *nonce, EVP_CIPHER_CTX **ret_ctx)
{
	(void)pthread_once(&once, fetch);
	EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
	if (!ctx)
		return failed("no ChaCha20-Poly1305 to be had");
	if (EVP_CipherInit_ex2(ctx, cipher, key, nonce, direction, NULL) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		return failed("set up ChaCha20-Poly1305");
	}
	*ret_ctx = ctx;
	return 0;
}

/* A NULL output would make OpenSSL take the input as associated data, hence the byte for
 * callers with nothing to put in. */
static bool crypt(EVP_CIPHER_CTX *ctx, const uint8_t *in, size_t len, uint8_t *out)
{
	uint8_t none[1];
	int n = 0, rest = 0;

	if (len && (EVP_CipherUpdate(ctx, out, &n, in, (int)len) != 1 || (size_t)n != len))
		return false;
	return EVP_CipherFinal_ex(ctx, none, &rest) == 1 && rest == 0;
}

int age_aead_seal(const uint8_t key[AGE_AEAD_KEY], const uint8_t nonce[AGE_AEAD_NONCE],
		  struct view plain, uint8_t *ret_sealed)
{
	EVP_CIPHER_CTX *ctx = NULL;

	if (plain.len > INT_MAX - AGE_AEAD_TAG)
		return fail(E_LIMIT, "%zu bytes to seal at once", plain.len);
	int rc = start(SEAL, key, nonce, &ctx);
	if (rc)
		return rc;
	bool ok = crypt(ctx, plain.data, plain.len, ret_sealed) &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AGE_AEAD_TAG,
				      ret_sealed + plain.len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : failed("seal with ChaCha20-Poly1305");
}

int age_aead_open(const uint8_t key[AGE_AEAD_KEY], const uint8_t nonce[AGE_AEAD_NONCE],
		  struct view sealed, uint8_t *ret_plain)
{
	EVP_CIPHER_CTX *ctx = NULL;
	uint8_t tag[AGE_AEAD_TAG];

	if (sealed.len < AGE_AEAD_TAG)
		return E_INTEGRITY;
	if (sealed.len > INT_MAX)
		return fail(E_LIMIT, "%zu bytes to open at once", sealed.len);
	int rc = start(OPEN, key, nonce, &ctx);
	if (rc)
		return rc;

	size_t len = sealed.len - AGE_AEAD_TAG;
	memcpy(tag, sealed.data + len, sizeof tag);
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AGE_AEAD_TAG, tag) != 1)
		rc = failed("set up ChaCha20-Poly1305");
	else if (!crypt(ctx, sealed.data, len, ret_plain))
		rc = E_INTEGRITY;
	EVP_CIPHER_CTX_free(ctx);
	if (rc) {
		ERR_clear_error();
		wipe(ret_plain, len);
	}
	return rc;
}
