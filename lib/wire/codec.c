/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/codec.h"

#include <assert.h>

static const uint8_t *take(struct reader *r, size_t len)
{
	if (r->bad || len > r->left) {
		r->bad = true;
		r->left = 0;
		return NULL;
	}
	const uint8_t *p = r->at;
	if (len) /* an empty view may have no address to add to */
		r->at += len;
	r->left -= len;
	return p;
}

static uint64_t read_uint(struct reader *r, size_t size)
{
	const uint8_t *p = take(r, size);
	uint64_t v = 0;

	for (size_t i = 0; p && i < size; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_uint(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_uint(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_uint(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_uint(r, 8);
}

struct view read_raw(struct reader *r, size_t len)
{
	const uint8_t *p = take(r, len);

	return view_of(p, p ? len : 0);
}

struct view read_bytes(struct reader *r)
{
	return read_raw(r, read_u32(r));
}

void read_into(struct reader *r, void *ret, size_t len)
{
	const uint8_t *p = take(r, len);

	if (p)
		memcpy(ret, p, len);
	else
		memset(ret, 0, len);
}

static uint8_t *room(struct writer *w, size_t len)
{
	if (w->full || len > w->cap - w->len) {
		w->full = true;
		return NULL;
	}
	w->len += len;
	return w->data + w->len - len;
}

static void write_uint(struct writer *w, uint64_t v, size_t size)
{
	uint8_t *p = room(w, size);

	for (size_t i = size; p && i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

void write_u8(struct writer *w, uint8_t v)
{
	write_uint(w, v, 1);
}

void write_u16(struct writer *w, uint16_t v)
{
	write_uint(w, v, 2);
}

void write_u32(struct writer *w, uint32_t v)
{
	write_uint(w, v, 4);
}

void write_u64(struct writer *w, uint64_t v)
{
	write_uint(w, v, 8);
}

void write_raw(struct writer *w, const void *data, size_t len)
{
	uint8_t *p = room(w, len);

	if (p && len)
		memcpy(p, data, len);
}

void write_bytes(struct writer *w, struct view v)
{
	if (v.len > UINT32_MAX) {
		w->full = true;
		return;
	}
	write_u32(w, (uint32_t)v.len);
	write_raw(w, v.data, v.len);
}

void write_u32_at(struct writer *w, size_t offset, uint32_t v)
{
	if (w->full)
		return;
	assert(offset <= w->len && w->len - offset >= 4);
	struct writer patch = writer_of(w->data + offset, 4);
	write_u32(&patch, v);
}
