/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/sftp_packet.h"

#include <assert.h>

#include "daemon/gate/sftp.h"
#include "wire/codec.h"

enum {
	LENGTH = 4,            /* the length's own bytes */
	HEAD = LENGTH + 1,     /* up to the type */
	WRITE_HEAD = HEAD + 8, /* up to the handle's length */
	WRITE_TAIL = 8 + 4,    /* from the handle to the data */
	HELD_KEPT = 4096,      /* memory that is kept for the next packet */
};

static struct view cut(struct view *in, size_t len)
{
	struct view front = view_of(in->data, len);

	if (len)
		*in = view_of(in->data + len, in->len - len);
	return front;
}

/* How much of a packet's beginning is needed to go on: all of a request, a WRITE up to its
 * data; less as long as that cannot be known. */
static int needed(struct view start, size_t *ret_need)
{
	struct reader r = reader_of(start);

	if (start.len < HEAD) {
		*ret_need = HEAD;
		return 0;
	}
	size_t len = read_u32(&r);
	bool is_write = read_u8(&r) == FXP_WRITE;
	if (len < 1 || len > (is_write ? PACKET_MAX : REQUEST_MAX))
		return fail(E_PROTOCOL, "an SFTP packet of %zu bytes", len);
	if (!is_write) {
		*ret_need = LENGTH + len;
		return 0;
	}
	size_t need = WRITE_HEAD;
	if (start.len >= WRITE_HEAD) {
		(void)read_u32(&r);
		size_t handle_len = read_u32(&r);
		if (handle_len > HANDLE_MAX)
			return fail(E_PROTOCOL, "an SFTP handle of %zu bytes", handle_len);
		need += handle_len + WRITE_TAIL;
	}
	if (need > LENGTH + len)
		return fail(E_PROTOCOL, "an SFTP WRITE that is too short");
	*ret_need = need;
	return 0;
}

/* The beginning of a packet, complete as far as needed() wants it, in `held` or at the
 * input's front; an empty view while it is not. */
static int gather(struct packets *p, struct view *in, struct view *ret_start)
{
	size_t need = 0;

	for (;;) {
		struct view start = p->held.len ? view_buf(&p->held) : *in;
		int rc = needed(start, &need);
		if (rc)
			return rc;
		if (start.len >= need)
			break;
		if (!in->len) {
			*ret_start = view_of(NULL, 0);
			return 0;
		}
		size_t want = need - p->held.len;
		struct view more = cut(in, want < in->len ? want : in->len);
		rc = buf_add(&p->held, more.data, more.len);
		if (rc)
			return rc;
	}
	p->direct = p->held.len ? 0 : need;
	*ret_start = view_of(p->held.len ? p->held.data : in->data, need);
	return 0;
}

static void drop_start(struct packets *p, struct view *in)
{
	(void)cut(in, p->direct);
	p->direct = 0;
	buf_clear(&p->held);
	if (p->held.cap > HELD_KEPT)
		buf_done(&p->held);
}

/* The parts must have room in the whole. */
static int begin_write(struct packets *p, struct view start)
{
	struct reader r = reader_of(start);
	size_t len = read_u32(&r);

	(void)read_u8(&r);
	p->id = read_u32(&r);
	struct view handle = read_bytes(&r);
	p->offset = read_u64(&r);
	p->left = read_u32(&r);
	assert(reader_end(&r) && handle.len <= HANDLE_MAX);
	if (LENGTH + len < start.len + p->left)
		return fail(E_PROTOCOL, "an SFTP WRITE whose lengths disagree");
	p->surplus = LENGTH + len - start.len - p->left;
	if (handle.len)
		memcpy(p->handle, handle.data, handle.len);
	p->handle_len = handle.len;
	p->writing = true;
	p->begun = false;
	return 0;
}

static void give_piece(struct packets *p, struct view in, struct packet *ret_packet)
{
	p->piece = p->left < in.len ? p->left : in.len;
	*ret_packet = (struct packet){
	    .kind = p->piece || !p->left ? PACKET_WRITE : PACKET_NONE,
	    .id = p->id,
	    .handle = view_of(p->handle, p->handle_len),
	    .offset = p->offset,
	    .data = view_of(in.data, p->piece),
	    .first = !p->begun,
	    .last = p->piece == p->left,
	};
}

static void drop_surplus(struct packets *p, struct view *in)
{
	p->surplus -= cut(in, p->surplus < in->len ? p->surplus : in->len).len;
}

int packets_next(struct packets *p, struct view *in, struct packet *ret_packet)
{
	struct view start = {0};

	if (!p->writing) {
		drop_surplus(p, in);
		int rc = gather(p, in, &start);
		if (rc)
			return rc;
		if (!start.len) {
			*ret_packet = (struct packet){.kind = PACKET_NONE};
			return 0;
		}
		if (start.data[LENGTH] != FXP_WRITE) {
			*ret_packet = (struct packet){
			    .kind = PACKET_REQUEST,
			    .type = start.data[LENGTH],
			    .body = view_of(start.data + HEAD, start.len - HEAD),
			};
			return 0;
		}
		rc = begin_write(p, start);
		if (rc)
			return rc;
		drop_start(p, in);
	}
	give_piece(p, *in, ret_packet);
	return 0;
}

void packets_took(struct packets *p, struct view *in)
{
	if (!p->writing) {
		drop_start(p, in);
		return;
	}
	(void)cut(in, p->piece);
	p->left -= p->piece;
	p->offset += p->piece;
	p->piece = 0;
	p->begun = true;
	p->writing = p->left > 0;
}

void packets_done(struct packets *p)
{
	buf_wipe(&p->held);
}
