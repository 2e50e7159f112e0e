/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec: bounded big-endian reading and writing, for the gate-keep protocol and for SFTP.
 *
 * Both ends are sticky: the first overrun marks the reader or writer as bad, later reads give
 * zeroes and later writes do nothing, so a message is taken apart in straight lines and
 * judged once at its end. Nothing is copied by a reader: its views borrow from the input.
 */
#ifndef DROPKEEP_CODEC_H
#define DROPKEEP_CODEC_H

#include "base/buf.h"

struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

static inline struct reader reader_of(struct view v)
{
	return (struct reader){.at = v.data, .left = v.len};
}

uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
struct view read_raw(struct reader *r, size_t len);      /* len bytes; empty when there are fewer */
struct view read_bytes(struct reader *r);                /* uint32 length, then so many bytes */
void read_into(struct reader *r, void *ret, size_t len); /* zeroes when there are fewer */

/* All was there; reader_end: and nothing is left over. */
static inline bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

static inline bool reader_end(const struct reader *r)
{
	return !r->bad && r->left == 0;
}

/* Writes into memory of fixed size that the caller owns. */
struct writer {
	uint8_t *data;
	size_t len, cap;
	bool full;
};

static inline struct writer writer_of(void *data, size_t cap)
{
	return (struct writer){.data = data, .cap = cap};
}

void write_u8(struct writer *w, uint8_t v);
void write_u16(struct writer *w, uint16_t v);
void write_u32(struct writer *w, uint32_t v);
void write_u64(struct writer *w, uint64_t v);
void write_raw(struct writer *w, const void *data, size_t len);
void write_bytes(struct writer *w, struct view v); /* uint32 length, then the bytes */

/* Overwrite four bytes that were written before, for a length known only now. */
void write_u32_at(struct writer *w, size_t offset, uint32_t v);

#endif
