/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/crypto.h>

enum { FIRST_CAP = 256 };

int buf_reserve(struct buf *b, size_t more)
{
	if (more > SIZE_MAX / 2 - b->len)
		return fail(E_NOMEM, "buffer of %zu + %zu bytes", b->len, more);
	if (b->len + more <= b->cap)
		return 0;

	size_t cap = b->cap ? b->cap : FIRST_CAP;
	while (cap < b->len + more)
		cap *= 2;
	uint8_t *data = realloc(b->data, cap);
	if (!data)
		return fail(E_NOMEM, "buffer of %zu bytes", cap);
	b->data = data;
	b->cap = cap;
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	int rc = buf_reserve(b, len);

	if (rc)
		return rc;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

int buf_add_text(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

int buf_vprintf(struct buf *b, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	int rc = n < 0 ? fail(E_INVALID, "format a text") : buf_reserve(b, (size_t)n + 1);
	if (!rc) {
		(void)vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again);
		b->len += (size_t)n;
	}
	va_end(again);
	return rc;
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int rc = buf_vprintf(b, format, args);
	va_end(args);
	return rc;
}

int buf_text(struct buf *b, const char **ret_text)
{
	int rc = buf_reserve(b, 1);

	if (rc)
		return rc;
	b->data[b->len] = '\0';
	*ret_text = (const char *)b->data;
	return 0;
}

void buf_eat(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len && len < b->len)
		memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
}

void buf_clear(struct buf *b)
{
	b->len = 0;
}

void buf_done(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_wipe(struct buf *b)
{
	if (b->data)
		OPENSSL_cleanse(b->data, b->cap);
	buf_done(b);
}
