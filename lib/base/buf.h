/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: a growing run of bytes that owns its memory; view: a borrowed one.
 *
 * A zeroed struct buf is an empty buffer. Growth beyond memory ends in E_NOMEM and leaves
 * the buffer as it was.
 */
#ifndef DROPKEEP_BUF_H
#define DROPKEEP_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

struct view {
	const uint8_t *data; /* valid as long as what it was taken from; NULL only when len is 0 */
	size_t len;
};

struct buf {
	uint8_t *data;
	size_t len, cap;
};

static inline struct view view_of(const void *data, size_t len)
{
	return (struct view){data, len};
}

static inline struct view view_text(const char *text)
{
	return (struct view){(const uint8_t *)text, strlen(text)};
}

static inline struct view view_buf(const struct buf *b)
{
	return (struct view){b->data, b->len};
}

static inline bool view_equal(struct view a, struct view b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool view_is(struct view a, const char *text)
{
	return view_equal(a, view_text(text));
}

/* Room for more bytes after len. */
MUST_USE int buf_reserve(struct buf *b, size_t more);
MUST_USE int buf_add(struct buf *b, const void *data, size_t len);
MUST_USE int buf_add_text(struct buf *b, const char *text);
MUST_USE int buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3);
MUST_USE int buf_vprintf(struct buf *b, const char *format, va_list args) PRINTF(2, 0);

/* A terminating NUL behind the content, not counted in len; returns the content as text. */
MUST_USE int buf_text(struct buf *b, const char **ret_text);

/* Drop the first len bytes. */
void buf_eat(struct buf *b, size_t len);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *b);

/* Free. buf_wipe() zeroes all of the memory first. Both leave an empty buffer. */
void buf_done(struct buf *b);
void buf_wipe(struct buf *b);

#endif
