/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer: the beginning of a new age v1 file, and the sealing of a whole one in sequence.
 *
 * age_writer_begin() is all that is needed where chunks are sealed elsewhere (on a thread
 * pool, out of order): it draws file key and nonce and writes what stands before the first
 * chunk. A struct age_writer does the rest too: bytes in, an age file out through a sink, in
 * constant memory. One thread at a time. It does no input or output of its own.
 */
#ifndef DROPKEEP_AGE_WRITER_H
#define DROPKEEP_AGE_WRITER_H

#include "age/header.h"
#include "age/stream.h"

/* Takes all of bytes, which are valid during the call only, or fails with a code that ends
 * the work at hand. */
typedef int (*age_sink)(void *ctx, struct view bytes);

/* A fresh file key and nonce; header and nonce are appended to out, which is as it was where
 * it fails. Errors as of age_header_write(). */
MUST_USE int age_writer_begin(const struct age_recipient *recipients, size_t count, struct buf *out,
			      struct secret **ret_file_key, uint8_t ret_nonce[AGE_NONCE]);

struct age_writer;

/* Hands header and nonce to sink already. ctx is borrowed. */
MUST_USE int age_writer_new(const struct age_recipient *recipients, size_t count, age_sink sink,
			    void *ctx, struct age_writer **ret_writer);
void age_writer_free(struct age_writer **writer);

/* After an error, or after age_writer_end(), only age_writer_free() may follow. */
MUST_USE int age_writer_add(struct age_writer *writer, struct view plain);
MUST_USE int age_writer_end(struct age_writer *writer);

#endif
