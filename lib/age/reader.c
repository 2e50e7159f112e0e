/* SPDX-License-Identifier: Apache-2.0 */
#include "age/reader.h"

#include "age/header.h"
#include "base/mem.h"
#include "base/sys.h"

enum { FIRST_READ = 4096 }; /* holds the header of some 38 recipients */

struct age_reader {
	struct age_source source;
	int fd; /* what source.ctx points to when the source is a descriptor */
	struct age_stream *stream;
	uint64_t payload_at, size;
	uint8_t pin[AGE_PIN];
	uint64_t index; /* of the chunk in plain, when loaded */
	size_t plain_len;
	bool loaded;
	uint8_t chunk[AGE_SEALED_CHUNK]; /* sealed, then opened in place */
};

static int read_all(struct age_reader *r, void *data, size_t len, uint64_t offset)
{
	size_t got = 0;
	int rc = r->source.read_some(r->source.ctx, data, len, offset, &got);

	if (!rc && got < len)
		rc = fail(E_INTEGRITY, "age file ends early, at %llu",
			  (unsigned long long)(offset + got));
	return rc;
}

static int read_header(struct age_reader *r, size_t limit, struct buf *bytes,
		       struct age_header *ret_header)
{
	size_t got = 0;
	int rc = buf_reserve(bytes, limit);

	if (!rc)
		rc = r->source.read_some(r->source.ctx, bytes->data, limit, 0, &got);
	if (rc)
		return rc;
	bytes->len = got;
	rc = age_header_parse(view_buf(bytes), ret_header);
	if (rc == E_AGAIN && got < limit)
		return fail(E_INVALID, "age file ends within its header");
	return rc;
}

/* The first read suffices but for files with a crowd of recipients. */
static int load_header(struct age_reader *r, struct buf *bytes, struct age_header *ret_header)
{
	int rc = read_header(r, FIRST_READ, bytes, ret_header);

	if (rc != E_AGAIN)
		return rc;
	bytes->len = 0;
	return read_header(r, AGE_HEADER_MAX, bytes, ret_header);
}

static int load_keys(struct age_reader *r, const struct age_header *header,
		     const struct secret *identity)
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	uint8_t nonce[AGE_NONCE];
	int rc = age_header_unwrap(header, identity, &file_key);

	if (!rc)
		rc = read_all(r, nonce, sizeof nonce, header->len);
	if (!rc)
		rc = age_stream_new(file_key, nonce, &r->stream);
	return rc ? rc : age_stream_pin(file_key, nonce, r->pin);
}

static int load_chunk(struct age_reader *r, uint64_t index)
{
	size_t len = age_chunk_size(r->size, index);

	if (r->loaded && r->index == index)
		return 0;
	r->loaded = false;
	int rc = read_all(r, r->chunk, len + AGE_TAG, r->payload_at + age_chunk_offset(index));
	if (!rc)
		rc = age_stream_open(r->stream, index, age_chunk_is_last(r->size, index),
				     view_of(r->chunk, len + AGE_TAG), r->chunk);
	if (rc)
		return rc;
	r->index = index;
	r->plain_len = len;
	r->loaded = true;
	return 0;
}

static int open_file(struct age_reader *r, const struct secret *identity)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	CLEANUP(mem_free) struct age_header *header = mem_try(sizeof *header);

	if (!header)
		return fail(E_NOMEM, "no memory for a header");
	int rc = load_header(r, &bytes, header);
	if (rc)
		return rc;
	if (r->source.size < header->len + AGE_NONCE)
		return fail(E_INVALID, "age file ends within its nonce");
	r->payload_at = header->len;
	rc = load_keys(r, header, identity);
	if (!rc)
		rc = age_plain_size(r->source.size - header->len, &r->size);
	return rc ? rc : load_chunk(r, age_chunk_count(r->size) - 1);
}

static int read_fd(void *ctx, void *data, size_t len, uint64_t offset, size_t *ret_len)
{
	return sys_pread_some(*(const int *)ctx, data, len, offset, ret_len);
}

static int open_reader(struct age_reader *reader, const struct secret *identity,
		       struct age_reader **ret_reader)
{
	CLEANUP(age_reader_free) struct age_reader *r = reader;
	int rc = open_file(r, identity);

	if (!rc)
		*ret_reader = TAKE(r);
	return rc;
}

int age_reader_open(const struct age_source *source, const struct secret *identity,
		    struct age_reader **ret_reader)
{
	struct age_reader *r = mem_try(sizeof *r);

	if (!r)
		return fail(E_NOMEM, "no memory to read an age file");
	r->source = *source;
	return open_reader(r, identity, ret_reader);
}

int age_reader_open_fd(int fd, const struct secret *identity, struct age_reader **ret_reader)
{
	uint64_t size = 0;
	int rc = sys_size(fd, &size);

	if (rc)
		return rc;
	struct age_reader *r = mem_try(sizeof *r);
	if (!r)
		return fail(E_NOMEM, "no memory to read an age file");
	r->fd = fd;
	r->source = (struct age_source){read_fd, &r->fd, size};
	return open_reader(r, identity, ret_reader);
}

void age_reader_free(struct age_reader **reader)
{
	if (*reader) {
		age_stream_free(&(*reader)->stream);
		wipe(*reader, sizeof **reader);
	}
	free(*reader);
	*reader = NULL;
}

uint64_t age_reader_size(const struct age_reader *reader)
{
	return reader->size;
}

uint64_t age_reader_header_size(const struct age_reader *reader)
{
	return reader->payload_at;
}

const uint8_t *age_reader_pin(const struct age_reader *reader)
{
	return reader->pin;
}

int age_reader_read(struct age_reader *reader, void *data, size_t len, uint64_t offset,
		    size_t *ret_len)
{
	uint8_t *out = data;
	size_t done = 0;

	while (done < len && offset < reader->size) {
		int rc = load_chunk(reader, age_chunk_of(offset));
		if (rc)
			return rc;
		size_t skip = (size_t)(offset % AGE_CHUNK), n = reader->plain_len - skip;
		if (n > len - done)
			n = len - done;
		memcpy(out + done, reader->chunk + skip, n);
		done += n;
		offset += n;
	}
	*ret_len = done;
	return 0;
}

int age_reader_verify(struct age_reader *reader, uint8_t ret_digest[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	reader->loaded = false; /* what the disk holds counts, not what is held here */
	for (uint64_t i = 0; i < age_chunk_count(reader->size); i++) {
		int rc = load_chunk(reader, i);
		if (rc)
			return rc;
		sha256_add(&hash, reader->chunk, reader->plain_len);
	}
	sha256_now(&hash, ret_digest);
	return 0;
}
