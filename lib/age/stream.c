/* SPDX-License-Identifier: Apache-2.0 */
#include "age/stream.h"

#include <assert.h>

#include "age/aead.h"
#include "age/header.h"
#include "base/mem.h"

_Static_assert(AGE_TAG == (int)AGE_AEAD_TAG && AGE_PAYLOAD_KEY == (int)AGE_AEAD_KEY,
	       "chunks are sealed by aead");

static const char payload_info[] = "payload";
static const char pin_info[] = "dropkeep pin v1";
static const char resume_info[] = "dropkeep resume v1";

struct age_stream {
	struct secret *key;
};

static int derive(const struct secret *file_key, struct view salt, const char *info, size_t len,
		  struct secret **ret_key)
{
	struct view ikm = secret_view(file_key);

	if (ikm.len != AGE_FILE_KEY)
		return fail(E_INVALID, "a file key of %zu bytes", ikm.len);
	return secret_derive(ikm, salt, info, len, ret_key);
}

int age_payload_key(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		    struct secret **ret_key)
{
	return derive(file_key, view_of(nonce, AGE_NONCE), payload_info, AGE_PAYLOAD_KEY, ret_key);
}

int age_resume_key(const struct secret *file_key, struct secret **ret_key)
{
	return derive(file_key, view_of(NULL, 0), resume_info, AGE_RESUME_KEY, ret_key);
}

int age_stream_pin(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		   uint8_t ret_tag[AGE_PIN])
{
	CLEANUP(secret_free) struct secret *tag = NULL;
	int rc = derive(file_key, view_of(nonce, AGE_NONCE), pin_info, AGE_PIN, &tag);

	if (!rc)
		memcpy(ret_tag, secret_view(tag).data, AGE_PIN);
	return rc;
}

static int wrap_key(struct secret *key, struct age_stream **ret_stream)
{
	struct age_stream *s = mem_new(sizeof *s);

	s->key = key;
	*ret_stream = s;
	return 0;
}

int age_stream_new(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		   struct age_stream **ret_stream)
{
	struct secret *key = NULL;
	int rc = age_payload_key(file_key, nonce, &key);

	return rc ? rc : wrap_key(key, ret_stream);
}

int age_stream_from_key(struct view payload_key, struct age_stream **ret_stream)
{
	struct secret *key = NULL;

	if (payload_key.len != AGE_PAYLOAD_KEY)
		return fail(E_INVALID, "a payload key of %zu bytes", payload_key.len);
	int rc = secret_copy(payload_key.data, payload_key.len, &key);
	return rc ? rc : wrap_key(key, ret_stream);
}

void age_stream_free(struct age_stream **stream)
{
	if (*stream)
		secret_free(&(*stream)->key);
	free(*stream);
	*stream = NULL;
}

/* An index of 64 bits fills the low 8 of the counter's 11 bytes. */
static void chunk_nonce(uint64_t index, bool last, uint8_t ret_nonce[AGE_AEAD_NONCE])
{
	memset(ret_nonce, 0, AGE_AEAD_NONCE);
	for (int i = 10; i >= 3; i--, index >>= 8)
		ret_nonce[i] = (uint8_t)index;
	ret_nonce[11] = last;
}

static bool size_fits(uint64_t index, bool last, size_t len)
{
	if (!last)
		return len == AGE_CHUNK;
	return len <= AGE_CHUNK && (len > 0 || index == 0);
}

int age_stream_seal(const struct age_stream *stream, uint64_t index, bool last, struct view plain,
		    uint8_t *ret_sealed)
{
	uint8_t nonce[AGE_AEAD_NONCE];

	if (!size_fits(index, last, plain.len))
		return fail(E_INVALID, "chunk %llu of %zu bytes to seal", (unsigned long long)index,
			    plain.len);
	chunk_nonce(index, last, nonce);
	return age_aead_seal(secret_view(stream->key).data, nonce, plain, ret_sealed);
}

int age_stream_open(const struct age_stream *stream, uint64_t index, bool last, struct view sealed,
		    uint8_t *ret_plain)
{
	uint8_t nonce[AGE_AEAD_NONCE];

	if (sealed.len < AGE_TAG || !size_fits(index, last, sealed.len - AGE_TAG))
		return fail(E_INTEGRITY, "chunk %llu has %zu bytes", (unsigned long long)index,
			    sealed.len);
	chunk_nonce(index, last, nonce);
	int rc = age_aead_open(secret_view(stream->key).data, nonce, sealed, ret_plain);
	if (rc == E_INTEGRITY)
		return fail(rc, "chunk %llu does not authenticate%s", (unsigned long long)index,
			    last ? " as the last" : "");
	return rc;
}

int age_payload_size(uint64_t plain_size, uint64_t *ret_payload_size)
{
	if (plain_size > AGE_PLAIN_MAX)
		return fail(E_LIMIT, "a file of %llu bytes", (unsigned long long)plain_size);
	*ret_payload_size = AGE_NONCE + plain_size + AGE_TAG * age_chunk_count(plain_size);
	return 0;
}

int age_plain_size(uint64_t payload_size, uint64_t *ret_plain_size)
{
	if (payload_size < AGE_NONCE + AGE_TAG)
		return fail(E_INTEGRITY, "a payload of %llu bytes ends early",
			    (unsigned long long)payload_size);
	uint64_t sealed = payload_size - AGE_NONCE;
	uint64_t full = sealed / AGE_SEALED_CHUNK, rest = sealed % AGE_SEALED_CHUNK;

	/* A last chunk of no more than its tag is empty, so it must be the only one. */
	if (rest && (rest < AGE_TAG || (rest == AGE_TAG && full)))
		return fail(E_INTEGRITY, "no payload has %llu bytes",
			    (unsigned long long)payload_size);
	uint64_t plain = full * AGE_CHUNK + (rest ? rest - AGE_TAG : 0);
	if (plain > AGE_PLAIN_MAX)
		return fail(E_INTEGRITY, "a payload of %llu bytes",
			    (unsigned long long)payload_size);
	*ret_plain_size = plain;
	return 0;
}

uint64_t age_chunk_count(uint64_t plain_size)
{
	return plain_size ? (plain_size - 1) / AGE_CHUNK + 1 : 1;
}

uint64_t age_chunk_offset(uint64_t index)
{
	assert(index <= AGE_PLAIN_MAX / AGE_CHUNK);
	return AGE_NONCE + index * AGE_SEALED_CHUNK;
}

size_t age_chunk_size(uint64_t plain_size, uint64_t index)
{
	assert(index < age_chunk_count(plain_size));
	uint64_t left = plain_size - index * AGE_CHUNK;

	return left < AGE_CHUNK ? (size_t)left : AGE_CHUNK;
}

uint64_t age_chunk_of(uint64_t plain_offset)
{
	return plain_offset / AGE_CHUNK;
}
