/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256_CTX and its functions are deprecated since OpenSSL 3.0 and still supported; the
 * reason to use them stands in the header. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sha256.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256), "a SHA256_CTX fits");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "and is aligned");
_Static_assert(SHA256_CBLOCK == 64, "the tail is less than a block of 64 bytes");

static SHA256_CTX *ctx_of(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->ctx;
}

static const SHA256_CTX *const_ctx_of(const struct sha256 *h)
{
	return (const SHA256_CTX *)(const void *)h->ctx;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		*p++ = (uint8_t)(v >> shift);
	return p;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void sha256_init(struct sha256 *h)
{
	(void)SHA256_Init(ctx_of(h));
}

void sha256_add(struct sha256 *h, const void *data, size_t len)
{
	(void)SHA256_Update(ctx_of(h), data, len);
}

uint64_t sha256_count(const struct sha256 *h)
{
	const SHA256_CTX *c = const_ctx_of(h);

	return ((uint64_t)c->Nh << 32 | c->Nl) / 8;
}

void sha256_now(const struct sha256 *h, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 copy = *h;

	(void)SHA256_Final(ret_digest, ctx_of(&copy));
	OPENSSL_cleanse(&copy, sizeof copy);
}

void sha256_save(const struct sha256 *h, uint8_t ret_state[SHA256_STATE_SIZE])
{
	const SHA256_CTX *c = const_ctx_of(h);
	uint64_t count = sha256_count(h);
	uint8_t *p = ret_state;

	for (int i = 0; i < 8; i++)
		p = put32(p, c->h[i]);
	p = put32(p, (uint32_t)(count >> 32));
	p = put32(p, (uint32_t)count);
	memset(p, 0, SHA256_CBLOCK);
	memcpy(p, c->data, c->num);
}

int sha256_load(struct sha256 *h, const uint8_t state[SHA256_STATE_SIZE])
{
	uint64_t count = (uint64_t)get32(state + 32) << 32 | get32(state + 36);
	size_t tail = (size_t)(count % SHA256_CBLOCK);

	if (count > UINT64_MAX / 8)
		return fail(E_INVALID, "a digest state of an impossible length");
	for (size_t i = tail; i < SHA256_CBLOCK; i++)
		if (state[40 + i])
			return fail(E_INVALID, "a digest state with a dirty tail");

	SHA256_CTX *c = ctx_of(h);
	(void)SHA256_Init(c);
	for (int i = 0; i < 8; i++)
		c->h[i] = get32(state + 4 * i);
	c->Nh = (SHA_LONG)(count * 8 >> 32);
	c->Nl = (SHA_LONG)(count * 8);
	c->num = (unsigned)tail;
	memcpy(c->data, state + 40, tail);
	return 0;
}

void sha256_of(struct view bytes, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, bytes.data, bytes.len);
	sha256_now(&h, ret_digest);
}
