/* SPDX-License-Identifier: Apache-2.0 */
#include "age/writer.h"

#include <assert.h>

#include "base/mem.h"

struct age_writer {
	age_sink sink;
	void *ctx;
	struct age_stream *stream;
	uint64_t index; /* of the chunk that is being filled */
	size_t len;     /* of what is in it */
	bool over;      /* ended or failed: no chunk may be sealed a second time */
	uint8_t chunk[AGE_SEALED_CHUNK];
};

int age_writer_begin(const struct age_recipient *recipients, size_t count, struct buf *out,
		     struct secret **ret_file_key, uint8_t ret_nonce[AGE_NONCE])
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	uint8_t nonce[AGE_NONCE];
	size_t begin = out->len;
	int rc = random_bytes(nonce, sizeof nonce);

	if (!rc)
		rc = age_file_key_new(&file_key);
	if (!rc)
		rc = age_header_write(file_key, recipients, count, out);
	if (!rc)
		rc = buf_add(out, nonce, sizeof nonce);
	if (rc) {
		out->len = begin;
		return rc;
	}
	*ret_file_key = TAKE(file_key);
	memcpy(ret_nonce, nonce, sizeof nonce);
	return 0;
}

static int begin_file(struct age_writer *w, const struct age_recipient *recipients, size_t count)
{
	CLEANUP(buf_done) struct buf head = {0};
	CLEANUP(secret_free) struct secret *file_key = NULL;
	uint8_t nonce[AGE_NONCE];
	int rc = age_writer_begin(recipients, count, &head, &file_key, nonce);

	if (!rc)
		rc = age_stream_new(file_key, nonce, &w->stream);
	return rc ? rc : w->sink(w->ctx, view_buf(&head));
}

int age_writer_new(const struct age_recipient *recipients, size_t count, age_sink sink, void *ctx,
		   struct age_writer **ret_writer)
{
	CLEANUP(age_writer_free) struct age_writer *w = mem_try(sizeof *w);

	if (!w)
		return fail(E_NOMEM, "no memory to write an age file");
	w->sink = sink;
	w->ctx = ctx;
	int rc = begin_file(w, recipients, count);
	if (!rc)
		*ret_writer = TAKE(w);
	return rc;
}

void age_writer_free(struct age_writer **writer)
{
	if (*writer) {
		age_stream_free(&(*writer)->stream);
		wipe(*writer, sizeof **writer);
	}
	free(*writer);
	*writer = NULL;
}

static int flush(struct age_writer *w, bool last)
{
	int rc = age_stream_seal(w->stream, w->index, last, view_of(w->chunk, w->len), w->chunk);

	if (!rc)
		rc = w->sink(w->ctx, view_of(w->chunk, w->len + AGE_TAG));
	w->over = rc || last;
	w->index++;
	w->len = 0;
	return rc;
}

/* A full chunk is held back until a byte follows it: it may turn out to be the last. */
int age_writer_add(struct age_writer *w, struct view plain)
{
	assert(!w->over);
	while (plain.len) {
		int rc = w->len == AGE_CHUNK ? flush(w, false) : 0;
		if (rc)
			return rc;
		size_t n = AGE_CHUNK - w->len < plain.len ? AGE_CHUNK - w->len : plain.len;
		memcpy(w->chunk + w->len, plain.data, n);
		w->len += n;
		plain = view_of(plain.data + n, plain.len - n);
	}
	return 0;
}

int age_writer_end(struct age_writer *w)
{
	assert(!w->over);
	return flush(w, true);
}
