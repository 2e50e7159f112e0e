/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/sftp_reply.h"

#include <assert.h>

enum {
	HEAD = 4 + 1 + 4, /* length, type, id */
	TEXT_MAX = 512,   /* bytes of a status' sentence that are sent */
	STATUS_REST = 4 + 4 + TEXT_MAX + 4 + 2,
	HANDLE_SIZE = 8,
	ATTRS_SIZE = 4 + 8 + 4 * 5,
};

bool reply_begin(struct replies *q, uint8_t type, uint32_t id, size_t cap, struct writer *ret_w)
{
	if (buf_reserve(&q->buf, HEAD + cap)) {
		err_clear();
		q->lost = true;
		return false;
	}
	*ret_w = writer_of(q->buf.data + q->buf.len, HEAD + cap);
	write_u32(ret_w, 0);
	write_u8(ret_w, type);
	write_u32(ret_w, id);
	return true;
}

void reply_end(struct replies *q, const struct writer *w)
{
	struct writer patch = *w;

	assert(!w->full && w->len >= HEAD && w->data == q->buf.data + q->buf.len);
	write_u32_at(&patch, 0, (uint32_t)(w->len - 4));
	q->buf.len += w->len;
}

void reply_status(struct replies *q, uint32_t id, uint32_t status, const char *text)
{
	struct writer w;

	if (!reply_begin(q, FXP_STATUS, id, STATUS_REST, &w))
		return;
	write_u32(&w, status);
	write_bytes(&w, view_of(text, strnlen(text, TEXT_MAX)));
	write_bytes(&w, view_text("en"));
	reply_end(q, &w);
}

void reply_error(struct replies *q, uint32_t id, int rc, const char *text)
{
	reply_status(q, id, err_sftp_status(rc), text && *text ? text : err_word(rc));
}

void reply_ok(struct replies *q, uint32_t id)
{
	reply_status(q, id, FX_OK, "ok");
}

void reply_handle(struct replies *q, uint32_t id, uint64_t number)
{
	struct writer w;

	if (!reply_begin(q, FXP_HANDLE, id, 4 + HANDLE_SIZE, &w))
		return;
	write_u32(&w, HANDLE_SIZE);
	write_u64(&w, number);
	reply_end(q, &w);
}

void reply_attrs(struct replies *q, uint32_t id, const struct fxattrs *a)
{
	struct writer w;

	if (!reply_begin(q, FXP_ATTRS, id, ATTRS_SIZE, &w))
		return;
	fxattrs_write(&w, a);
	reply_end(q, &w);
}

void reply_path(struct replies *q, uint32_t id, struct view path)
{
	const struct fxattrs none = {0};
	struct writer w;

	if (!reply_begin(q, FXP_NAME, id, 4 + 2 * (4 + path.len) + ATTRS_SIZE, &w))
		return;
	write_u32(&w, 1);
	write_bytes(&w, path);
	write_bytes(&w, path);
	fxattrs_write(&w, &none);
	reply_end(q, &w);
}
