/* SPDX-License-Identifier: Apache-2.0 */
#include "age/decrypt.h"

#include <assert.h>

#include "base/mem.h"

enum { EARLY = 24 }; /* bytes: the version line is shorter */

enum phase { HEADER, NONCE, CHUNKS, LAST_SEEN, OVER };

struct age_decrypt {
	struct secret *const *identities;
	size_t identity_count;
	age_sink sink;
	void *ctx;
	enum phase phase;
	struct buf head; /* of the header, what has come in so far */
	struct age_header header;
	struct secret *file_key;
	struct age_stream *stream;
	uint64_t index; /* of the chunk that comes in */
	size_t len;     /* of what is there of it, or of the nonce */
	uint8_t sealed[AGE_SEALED_CHUNK];
	uint8_t plain[AGE_CHUNK];
};

int age_decrypt_new(struct secret *const *identities, size_t count, age_sink sink, void *ctx,
		    struct age_decrypt **ret_decrypt)
{
	struct age_decrypt *d = mem_try(sizeof *d);

	if (!d)
		return fail(E_NOMEM, "no memory to read an age file");
	d->identities = identities;
	d->identity_count = count;
	d->sink = sink;
	d->ctx = ctx;
	*ret_decrypt = d;
	return 0;
}

void age_decrypt_free(struct age_decrypt **decrypt)
{
	struct age_decrypt *d = *decrypt;

	if (d) {
		secret_free(&d->file_key);
		age_stream_free(&d->stream);
		buf_done(&d->head);
		wipe(d, sizeof *d);
	}
	free(d);
	*decrypt = NULL;
}

bool age_decrypt_in_payload(const struct age_decrypt *decrypt)
{
	return decrypt->stream != NULL;
}

static int unwrap(struct age_decrypt *d)
{
	int rc = fail(E_DENIED, "no identity to try");

	for (size_t i = 0; i < d->identity_count && rc == E_DENIED; i++) {
		err_clear(); /* an identity that does not fit is no error while there are others */
		rc = age_header_unwrap(&d->header, d->identities[i], &d->file_key);
	}
	return rc;
}

/* The header is tried when a line has been completed, which bounds the work for input that
 * drips in; and early on, to refuse at once what is no age file. */
static bool worth_a_try(const struct age_decrypt *d, size_t before)
{
	return before < EARLY || d->head.len == AGE_HEADER_MAX ||
	       memchr(d->head.data + before, '\n', d->head.len - before);
}

static int add_header(struct age_decrypt *d, struct view *rest)
{
	size_t before = d->head.len;
	size_t n = rest->len < AGE_HEADER_MAX - before ? rest->len : AGE_HEADER_MAX - before;
	int rc = buf_add(&d->head, rest->data, n);

	if (rc)
		return rc;
	rc = worth_a_try(d, before) ? age_header_parse(view_buf(&d->head), &d->header) : E_AGAIN;
	if (rc == E_AGAIN) {
		*rest = view_of(rest->data + n, rest->len - n);
		return 0;
	}
	if (!rc)
		rc = unwrap(d);
	if (rc)
		return rc;
	size_t used = d->header.len - before;
	*rest = view_of(rest->data + used, rest->len - used);
	buf_done(&d->head);
	d->phase = NONCE;
	return 0;
}

/* Gather up to `whole` bytes in sealed; true when they are there. */
static bool gather(struct age_decrypt *d, size_t whole, struct view *rest)
{
	size_t n = whole - d->len < rest->len ? whole - d->len : rest->len;

	memcpy(d->sealed + d->len, rest->data, n);
	d->len += n;
	*rest = view_of(rest->data + n, rest->len - n);
	return d->len == whole;
}

static int add_nonce(struct age_decrypt *d, struct view *rest)
{
	if (!gather(d, AGE_NONCE, rest))
		return 0;
	d->len = 0;
	d->phase = CHUNKS;
	return age_stream_new(d->file_key, d->sealed, &d->stream);
}

static int open_chunk(struct age_decrypt *d, bool last)
{
	return age_stream_open(d->stream, d->index, last, view_of(d->sealed, d->len), d->plain);
}

static int hand_out(struct age_decrypt *d)
{
	struct view plain = view_of(d->plain, d->len - AGE_TAG);

	d->index++;
	d->len = 0;
	return plain.len ? d->sink(d->ctx, plain) : 0;
}

/* Whether a full chunk is the last shows only in which nonce opens it. */
static int add_chunk(struct age_decrypt *d, struct view *rest)
{
	if (!gather(d, AGE_SEALED_CHUNK, rest))
		return 0;
	int rc = open_chunk(d, false);
	if (rc == E_INTEGRITY) {
		rc = open_chunk(d, true);
		if (rc)
			return rc;
		err_clear();
		d->phase = LAST_SEEN;
	}
	return rc ? rc : hand_out(d);
}

static int step(struct age_decrypt *d, struct view *rest)
{
	switch (d->phase) {
	case HEADER:
		return add_header(d, rest);
	case NONCE:
		return add_nonce(d, rest);
	case CHUNKS:
		return add_chunk(d, rest);
	case LAST_SEEN:
		return fail(E_INTEGRITY, "bytes follow the last chunk");
	case OVER:
		break;
	}
	abort(); /* the callers have asserted that there is more to come */
}

int age_decrypt_add(struct age_decrypt *d, struct view bytes)
{
	int rc = 0;

	assert(d->phase != OVER);
	while (bytes.len && !rc)
		rc = step(d, &bytes);
	if (rc)
		d->phase = OVER;
	return rc;
}

static int end(struct age_decrypt *d)
{
	switch (d->phase) {
	case HEADER:
		return fail(E_INVALID, "age file ends within its header");
	case NONCE:
		return fail(E_INVALID, "age file ends within its nonce");
	case CHUNKS: {
		int rc = open_chunk(d, true);
		return rc ? rc : hand_out(d);
	}
	case LAST_SEEN:
		return 0;
	case OVER:
		break;
	}
	abort(); /* the callers have asserted that there is more to come */
}

int age_decrypt_end(struct age_decrypt *d)
{
	assert(d->phase != OVER);
	int rc = end(d);

	d->phase = OVER;
	return rc;
}
