/* SPDX-License-Identifier: Apache-2.0 */
/*
 * age_files: whole age files in memory for tests: made honestly, or crooked on purpose.
 */
#ifndef DROPKEEP_TESTS_AGE_FILES_H
#define DROPKEEP_TESTS_AGE_FILES_H

#include "age_test.h"

#include "age/writer.h"
#include "base/sha256.h"

static inline int add_to_buf(void *ctx, struct view bytes)
{
	return buf_add(ctx, bytes.data, bytes.len);
}

/* Plaintext that differs from chunk to chunk and is the same each time. */
static inline void fill_plain(struct buf *out, size_t len)
{
	assert_good(buf_reserve(out, len));
	for (size_t i = 0; i < len; i++)
		out->data[i] = (uint8_t)(i * 7 + i / 251 + i / AGE_CHUNK);
	out->len = len;
}

static inline void seal_file(struct view plain, struct buf *out)
{
	CLEANUP(age_writer_free) struct age_writer *w = NULL;
	struct age_recipient recipient;

	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipient));
	assert_good(age_writer_new(&recipient, 1, add_to_buf, out, &w));
	assert_good(age_writer_add(w, plain));
	assert_good(age_writer_end(w));
}

/* A file whose chunks are given one by one, each with the flag that it is sealed under. */
struct crooked {
	size_t len;
	bool last;
};

static inline void seal_crooked(const struct crooked *chunks, size_t count, struct buf *out)
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	CLEANUP(age_stream_free) struct age_stream *s = NULL;
	struct age_recipient recipient;
	uint8_t nonce[AGE_NONCE];
	static uint8_t chunk[AGE_SEALED_CHUNK];

	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipient));
	assert_good(age_writer_begin(&recipient, 1, out, &file_key, nonce));
	assert_good(age_stream_new(file_key, nonce, &s));
	for (size_t i = 0; i < count; i++) {
		memset(chunk, 'a', sizeof chunk);
		assert_good(
		    age_stream_seal(s, i, chunks[i].last, view_of(chunk, chunks[i].len), chunk));
		assert_good(buf_add(out, chunk, chunks[i].len + AGE_TAG));
	}
}

/* The sizes at which anything may change. */
static const size_t telling_sizes[] = {0,      1,      100,    65535,  65536, 65537,
				       131071, 131072, 131073, 196608, 200000};

#endif
