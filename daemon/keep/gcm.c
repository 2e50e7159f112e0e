/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/gcm.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"

enum direction { OPEN = 0, SEAL = 1 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm; /* fetched once, never freed; read-only afterwards */

static void fetch(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

/* OpenSSL's queue of errors must not be left to whoever looks at it next. */
static int failed(enum err code, const char *what)
{
	ERR_clear_error();
	return fail(code, "%s", what);
}

static void free_ctx(EVP_CIPHER_CTX **ctx)
{
	EVP_CIPHER_CTX_free(*ctx); /* wipes the key schedule */
}

static int start(enum direction direction, const struct secret *key, const uint8_t *nonce,
		 EVP_CIPHER_CTX **ret_ctx)
{
	struct view k = secret_view(key);

	assert(k.len == GCM_KEY);
	(void)pthread_once(&once, fetch);
	*ret_ctx = gcm ? EVP_CIPHER_CTX_new() : NULL;
	if (!*ret_ctx)
		return failed(E_IO, "no AES-256-GCM to be had");
	if (EVP_CipherInit_ex2(*ret_ctx, gcm, k.data, nonce, (int)direction, NULL) != 1)
		return failed(E_IO, "set up AES-256-GCM");
	return 0;
}

/* Without an output OpenSSL takes its input for associated data. */
static bool crypt(EVP_CIPHER_CTX *ctx, struct view about, struct view in, uint8_t *out)
{
	int n = 0;

	if (about.len && EVP_CipherUpdate(ctx, NULL, &n, about.data, (int)about.len) != 1)
		return false;
	if (in.len == 0)
		return true;
	return EVP_CipherUpdate(ctx, out, &n, in.data, (int)in.len) == 1 && (size_t)n == in.len;
}

/* ret_sealed takes plain.len + GCM_EXTRA bytes. */
static int seal(const struct secret *key, struct view about, struct view plain, uint8_t *ret_sealed)
{
	CLEANUP(free_ctx) EVP_CIPHER_CTX *ctx = NULL;
	uint8_t *text = ret_sealed + GCM_NONCE, none[1];
	int n = 0;
	int rc = random_bytes(ret_sealed, GCM_NONCE);

	if (!rc)
		rc = start(SEAL, key, ret_sealed, &ctx);
	if (rc)
		return rc;
	if (!crypt(ctx, about, plain, text) || EVP_CipherFinal_ex(ctx, none, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, text + plain.len) != 1)
		return failed(E_IO, "seal with AES-256-GCM");
	return 0;
}

/* ret_plain takes sealed.len - GCM_EXTRA bytes, and is no more than rubbish on failure. */
static int unseal(const struct secret *key, struct view about, struct view sealed,
		  uint8_t *ret_plain)
{
	CLEANUP(free_ctx) EVP_CIPHER_CTX *ctx = NULL;
	struct view text = view_of(sealed.data + GCM_NONCE, sealed.len - GCM_EXTRA);
	uint8_t none[1], tag[GCM_TAG];
	int n = 0;
	int rc = start(OPEN, key, sealed.data, &ctx);

	if (rc)
		return rc;
	memcpy(tag, text.data + text.len, sizeof tag);
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) != 1 ||
	    !crypt(ctx, about, text, ret_plain))
		return failed(E_IO, "open with AES-256-GCM");
	if (EVP_CipherFinal_ex(ctx, none, &n) != 1)
		return failed(E_INTEGRITY, "a sealed value does not open");
	return 0;
}

int gcm_seal(const struct secret *key, struct view about, struct view plain, struct buf *out)
{
	if (plain.len > INT_MAX - GCM_EXTRA || about.len > INT_MAX)
		return fail(E_LIMIT, "too much to seal at once");
	int rc = buf_reserve(out, plain.len + GCM_EXTRA);
	if (!rc)
		rc = seal(key, about, plain, out->data + out->len);
	if (!rc)
		out->len += plain.len + GCM_EXTRA;
	return rc;
}

int gcm_open(const struct secret *key, struct view about, struct view sealed,
	     struct secret **ret_plain)
{
	CLEANUP(buf_wipe) struct buf plain = {0};

	if (sealed.len < GCM_EXTRA || sealed.len > INT_MAX || about.len > INT_MAX)
		return fail(E_INTEGRITY, "a sealed value has %zu bytes", sealed.len);
	int rc = buf_reserve(&plain, sealed.len - GCM_EXTRA + 1); /* + 1: never NULL */
	if (!rc)
		rc = unseal(key, about, sealed, plain.data);
	return rc ? rc : secret_copy(plain.data, sealed.len - GCM_EXTRA, ret_plain);
}
