/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader: random access to the plaintext of a finished age v1 file.
 *
 * Opening parses the header, unwraps the file key, and authenticates the last chunk as the
 * last, so that the size is known to be true (age.md, "Payload": seeking relative to the end).
 * Each chunk is authenticated before any byte of it is handed out. One thread at a time per
 * reader; it holds one chunk of plaintext, wiped at the end. It never writes.
 */
#ifndef DROPKEEP_AGE_READER_H
#define DROPKEEP_AGE_READER_H

#include "age/stream.h"
#include "base/sha256.h"

struct age_reader;

/* Where the bytes of a file come from; ctx is borrowed for as long as the reader lives. */
struct age_source {
	/* Up to len bytes at offset; fewer only at the end of the file. */
	int (*read_some)(void *ctx, void *data, size_t len, uint64_t offset, size_t *ret_len);
	void *ctx;
	uint64_t size; /* of the age file */
};

/*
 * E_INVALID: malformed header. E_DENIED: not for this identity. E_INTEGRITY: wrong MAC, an
 * impossible size, or a last chunk that is none. fd is borrowed and read with pread().
 */
MUST_USE int age_reader_open(const struct age_source *source, const struct secret *identity,
			     struct age_reader **ret_reader);
MUST_USE int age_reader_open_fd(int fd, const struct secret *identity,
				struct age_reader **ret_reader);
void age_reader_free(struct age_reader **reader);

uint64_t age_reader_size(const struct age_reader *reader);        /* of the plaintext */
uint64_t age_reader_header_size(const struct age_reader *reader); /* the payload's offset */
const uint8_t *age_reader_pin(const struct age_reader *reader);   /* AGE_PIN bytes */

/* Up to len bytes from offset on; fewer, or none, only at the end of the file. */
MUST_USE int age_reader_read(struct age_reader *reader, void *data, size_t len, uint64_t offset,
			     size_t *ret_len);

/* Read and authenticate the whole file; the SHA-256 of its plaintext. */
MUST_USE int age_reader_verify(struct age_reader *reader, uint8_t ret_digest[SHA256_SIZE]);

#endif
