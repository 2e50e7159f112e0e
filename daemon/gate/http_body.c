/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_body.h"

#include <assert.h>
#include <string.h>

/* Brings a parser to where a chunked body begins. */
static const char before_chunks[] =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

static struct body *of(llhttp_t *p)
{
	return p->data;
}

/* The bytes from b->framed to `end` are sizes, extensions, line ends, trailers. */
static void frame(struct body *b, size_t end)
{
	for (; b->framed < end; b->framed++) {
		uint8_t c = b->data[b->framed];
		if ((c == '\n') != (b->last == '\r') || c == 0x7f ||
		    (c < ' ' && c != '\r' && c != '\n' && c != '\t'))
			b->bad = true;
		b->last = c;
		b->framing++;
	}
	if (b->framing > BODY_FRAMING_MAX)
		b->bad = true;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
	struct body *b = of(p);
	size_t start = (size_t)((const uint8_t *)at - b->data);

	frame(b, start);
	if (b->last == '\r') /* content behind half a line end */
		b->bad = true;
	b->framed = start + len;
	b->framing = 0;
	b->last = 0;
	memmove(b->data + b->taken, at, len);
	b->taken += len;
	return b->bad ? -1 : 0;
}

static int on_end(llhttp_t *p)
{
	of(p)->ended = true;
	return HPE_PAUSED;
}

void body_begin(struct body *b, const struct http_head *h)
{
	*b = (struct body){
	    .chunked = h->chunked, .left = h->length, .ended = !h->chunked && !h->length};
	if (!b->chunked)
		return;
	llhttp_settings_init(&b->settings);
	llhttp_init(&b->parser, HTTP_REQUEST, &b->settings);
	b->parser.data = b;
	llhttp_errno_t e = llhttp_execute(&b->parser, before_chunks, sizeof before_chunks - 1);
	assert(e == HPE_OK);
	b->settings.on_body = on_body;
	b->settings.on_message_complete = on_end;
}

static enum http_problem take_chunks(struct body *b, uint8_t *bytes, size_t len, size_t *ret_used)
{
	size_t used = len;

	b->data = bytes;
	b->framed = b->taken = 0;
	llhttp_errno_t e = llhttp_execute(&b->parser, (const char *)bytes, len);
	if (e == HPE_PAUSED && b->ended)
		used = (size_t)((const uint8_t *)llhttp_get_error_pos(&b->parser) - bytes);
	else if (e != HPE_OK)
		return PROBLEM_MALFORMED;
	assert(used <= len);
	frame(b, used);
	*ret_used = used;
	return b->bad ? PROBLEM_MALFORMED : PROBLEM_NONE;
}

enum http_problem body_take(struct body *b, uint8_t *bytes, size_t len, size_t *ret_used,
			    size_t *ret_content)
{
	if (b->chunked && !b->ended) {
		enum http_problem p = take_chunks(b, bytes, len, ret_used);
		*ret_content = p ? 0 : b->taken;
		return p;
	}
	size_t n = len < b->left ? len : (size_t)b->left;
	b->left -= n;
	if (!b->left)
		b->ended = true;
	*ret_used = *ret_content = n;
	return PROBLEM_NONE;
}
