/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/tiny.h"

#include "base/mem.h"

/* Append the plaintext of a sole chunk. */
static int open_chunk(const struct age_stream *stream, struct view chunk, struct buf *out)
{
	if (chunk.len < AGE_TAG || chunk.len > AGE_SEALED_CHUNK)
		return fail(E_INTEGRITY, "no chunk has %zu bytes", chunk.len);
	int rc = buf_reserve(out, chunk.len);
	if (!rc)
		rc = age_stream_open(stream, 0, true, chunk, out->data + out->len);
	if (!rc)
		out->len += chunk.len - AGE_TAG;
	return rc;
}

static int verify(const struct secret *file_key, const uint8_t nonce[AGE_NONCE], struct view chunk,
		  uint64_t size, const uint8_t sha256[SHA256_SIZE])
{
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	CLEANUP(buf_wipe) struct buf plain = {0};
	uint8_t digest[SHA256_SIZE];
	int rc = age_stream_new(file_key, nonce, &stream);

	if (!rc)
		rc = open_chunk(stream, chunk, &plain);
	if (rc == E_INTEGRITY) {
		err_clear();
		return fail(E_PROTOCOL, "a content that its key does not open");
	}
	if (rc)
		return rc;
	sha256_of(view_buf(&plain), digest);
	if (plain.len != size || memcmp(digest, sha256, sizeof digest) != 0)
		return fail(E_PROTOCOL, "a content of another size or hash than was said");
	return 0;
}

int tiny_compose(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
		 const struct age_recipient *recipients, size_t count, struct view chunk,
		 uint64_t size, const uint8_t sha256[SHA256_SIZE], struct buf *out)
{
	int rc = verify(file_key, nonce, chunk, size, sha256);

	if (!rc)
		rc = age_header_write(file_key, recipients, count, out);
	if (!rc)
		rc = buf_add(out, nonce, AGE_NONCE);
	return rc ? rc : buf_add(out, chunk.data, chunk.len);
}

int tiny_open(struct view file, const struct secret *identity, const uint8_t pin[AGE_PIN],
	      struct sealed_blob *ret_blob)
{
	int fd = -1;
	int rc = sys_frozen_file(file, &fd);

	return rc ? rc : sealed_blob_adopt(&fd, identity, pin, ret_blob);
}

int tiny_read(struct view file, const struct secret *identity, const uint8_t pin[AGE_PIN],
	      struct buf *out)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	int rc = tiny_open(file, identity, pin, &b);

	if (!rc)
		rc = age_stream_from_key(view_of(b.key, sizeof b.key), &stream);
	if (!rc)
		rc = open_chunk(stream, view_of(file.data + b.payload, file.len - b.payload), out);
	return rc;
}
