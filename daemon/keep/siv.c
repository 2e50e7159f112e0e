/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/siv.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/secret.h"

enum direction { OPEN = 0, SEAL = 1 };

/* By a third of the key's length, less 2; fetched once, never freed, read-only afterwards. */
static const char *const names[] = {"AES-128-SIV", "AES-192-SIV", "AES-256-SIV"};
static EVP_CIPHER *cipher[3];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch(void)
{
	for (size_t i = 0; i < 3; i++)
		cipher[i] = EVP_CIPHER_fetch(NULL, names[i], NULL);
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

/* Keyed, with the tag to compare when opening, and with the associated data. */
static int start(enum direction direction, struct view key, struct view about, struct view tag,
		 EVP_CIPHER_CTX **ret_ctx)
{
	uint8_t expected[SIV_TAG];
	int n = 0;

	assert(key.len == 32 || key.len == 48 || key.len == 64);
	assert(about.len > 0 && about.len <= INT_MAX);
	(void)pthread_once(&once, fetch);
	const EVP_CIPHER *c = cipher[key.len / 16 - 2];
	*ret_ctx = c ? EVP_CIPHER_CTX_new() : NULL;
	if (!*ret_ctx)
		return failed(E_UNSUPPORTED, "this OpenSSL has no AES-SIV");
	if (EVP_CipherInit_ex2(*ret_ctx, c, key.data, NULL, (int)direction, NULL) != 1)
		return failed(E_IO, "set up AES-SIV");
	if (direction == OPEN) {
		memcpy(expected, tag.data, sizeof expected);
		if (EVP_CIPHER_CTX_ctrl(*ret_ctx, EVP_CTRL_AEAD_SET_TAG, SIV_TAG, expected) != 1)
			return failed(E_IO, "set the tag of AES-SIV");
	}
	if (EVP_CipherUpdate(*ret_ctx, NULL, &n, about.data, (int)about.len) != 1)
		return failed(E_IO, "associated data of AES-SIV");
	return 0;
}

/* All of the text in one call: SIV has no other way. */
static bool crypt(EVP_CIPHER_CTX *ctx, struct view in, uint8_t *out)
{
	uint8_t none[1];
	int n = 0, rest = 0;

	return EVP_CipherUpdate(ctx, out, &n, in.data, (int)in.len) == 1 && (size_t)n == in.len &&
	       EVP_CipherFinal_ex(ctx, none, &rest) == 1 && rest == 0;
}

int siv_seal(struct view key, struct view about, struct view plain, struct buf *out)
{
	CLEANUP(free_ctx) EVP_CIPHER_CTX *ctx = NULL;

	if (plain.len == 0 || plain.len > INT_MAX - SIV_TAG)
		return fail(E_INVALID, "a name that is empty or too long to seal");
	int rc = buf_reserve(out, SIV_TAG + plain.len);
	if (!rc)
		rc = start(SEAL, key, about, view_of(NULL, 0), &ctx);
	if (rc)
		return rc;
	uint8_t *tag = out->data + out->len;
	if (!crypt(ctx, plain, tag + SIV_TAG) ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, SIV_TAG, tag) != 1)
		return failed(E_IO, "seal with AES-SIV");
	out->len += SIV_TAG + plain.len;
	return 0;
}

int siv_open(struct view key, struct view about, struct view sealed, struct buf *out)
{
	CLEANUP(free_ctx) EVP_CIPHER_CTX *ctx = NULL;

	if (sealed.len <= SIV_TAG || sealed.len > INT_MAX)
		return fail(E_INTEGRITY, "a sealed name has %zu bytes", sealed.len);
	struct view text = view_of(sealed.data + SIV_TAG, sealed.len - SIV_TAG);
	int rc = buf_reserve(out, text.len);
	if (!rc)
		rc = start(OPEN, key, about, view_of(sealed.data, SIV_TAG), &ctx);
	if (rc)
		return rc;
	if (!crypt(ctx, text, out->data + out->len)) {
		wipe(out->data + out->len, text.len);
		return failed(E_INTEGRITY, "a sealed name does not open");
	}
	out->len += text.len;
	return 0;
}
