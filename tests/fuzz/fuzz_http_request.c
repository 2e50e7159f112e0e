/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_request: arbitrary bytes as what comes over an HTTPS connection, whole and in pieces:
 * both must give the same requests and the same bodies, and no more than there was. The first byte
 * chooses the size of the pieces. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "daemon/gate/http_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct outcome {
	struct sha256 hash;
	unsigned requests;
	uint64_t content;
	bool refused;
};

struct stream {
	struct buf in;
	size_t seen;
	bool in_body;
	struct http_head head;
	struct body body;
};

static bool inside(const struct stream *s, struct view v, const uint8_t *from, size_t len)
{
	(void)s;
	return !v.len || (v.data >= from && v.data + v.len <= from + len);
}

static bool take_head(struct stream *s, struct outcome *o)
{
	size_t skip = 0, len = 0;
	enum http_problem p = head_find(view_buf(&s->in), s->seen, &skip, &len);

	s->seen = s->in.len;
	if (!p && !len)
		return false;
	CLEANUP(mem_free) uint8_t *exact = NULL;
	if (!p) {
		exact = malloc(len);
		memcpy(exact, s->in.data + skip, len);
		p = head_read(view_of(exact, len), &s->head);
	}
	if (p) {
		o->refused = true;
		return false;
	}
	assert(inside(s, s->head.path, exact, len) && inside(s, s->head.query, exact, len));
	assert(!(s->head.chunked && s->head.has_length));
	sha256_add(&o->hash, s->head.path.data, s->head.path.len);
	for (unsigned i = 0; i < s->head.fields; i++) {
		assert(inside(s, s->head.field[i].name, exact, len));
		assert(inside(s, s->head.field[i].value, exact, len));
		sha256_add(&o->hash, s->head.field[i].value.data, s->head.field[i].value.len);
	}
	o->requests++;
	buf_eat(&s->in, skip + len);
	s->seen = 0;
	s->in_body = true;
	body_begin(&s->body, &s->head);
	return true;
}

static bool take_body(struct stream *s, struct outcome *o)
{
	size_t used = 0, content = 0;

	if (s->body.ended) {
		s->in_body = false;
		return true;
	}
	if (!s->in.len)
		return false;
	enum http_problem p = body_take(&s->body, s->in.data, s->in.len, &used, &content);
	if (p) {
		o->refused = true;
		return false;
	}
	assert(content <= used && used <= s->in.len);
	sha256_add(&o->hash, s->in.data, content);
	o->content += content;
	buf_eat(&s->in, used);
	return used > 0 || s->body.ended;
}

static struct outcome run(struct view stream, size_t step)
{
	struct outcome o = {0};
	struct stream s = {0};

	sha256_init(&o.hash);
	for (size_t at = 0; at < stream.len && !o.refused; at += step) {
		size_t n = stream.len - at < step ? stream.len - at : step;
		if (buf_add(&s.in, stream.data + at, n))
			abort();
		while (!o.refused && (s.in_body ? take_body(&s, &o) : take_head(&s, &o)))
			;
	}
	assert(o.content <= stream.len);
	buf_done(&s.in);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t whole_hash[SHA256_SIZE], pieces_hash[SHA256_SIZE];

	if (len < 1)
		return 0;
	struct view stream = view_of(data + 1, len - 1);
	struct outcome whole = run(stream, stream.len + 1);
	struct outcome pieces = run(stream, (size_t)data[0] + 1);
	/* In pieces a request may be had before what is wrong behind it comes, never less. */
	assert(whole.refused == pieces.refused);
	if (whole.refused)
		return 0;
	sha256_now(&whole.hash, whole_hash);
	sha256_now(&pieces.hash, pieces_hash);
	assert(whole.requests == pieces.requests && whole.content == pieces.content);
	assert(memcmp(whole_hash, pieces_hash, sizeof whole_hash) == 0);
	return 0;
}
