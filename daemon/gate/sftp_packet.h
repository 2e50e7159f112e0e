/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packet: SFTP's framing (draft-ietf-secsh-filexfer-02, section 3): bytes in, requests out.
 *
 * Pure: no I/O, no meaning but for WRITE, whose data is handed on in pieces as it comes, so
 * that it is never gathered or copied here. What has been given stays first in line until
 * packets_took(): a caller that cannot deal with it now simply comes back later.
 *
 *	uint32 length, byte type, then length - 1 bytes
 *	WRITE: uint32 id, string handle, uint64 offset, string data
 *
 * What a WRITE has behind its data is passed over: Go's pkg/sftp (rclone) sends its whole buffer
 * in the last packet of a file, and says in the data's length how much of it counts.
 */
#ifndef DROPKEEP_GATE_SFTP_PACKET_H
#define DROPKEEP_GATE_SFTP_PACKET_H

#include "base/buf.h"
#include "daemon/gate/limits.h"

enum packet_kind {
	PACKET_NONE,    /* more input is needed */
	PACKET_REQUEST, /* a whole one */
	PACKET_WRITE,   /* a piece of a WRITE's data */
};

struct packet {
	enum packet_kind kind;
	/* REQUEST; body is what follows the type. */
	uint8_t type;
	struct view body;
	/* WRITE; offset is the piece's. A WRITE of no data is one empty piece. */
	uint32_t id;
	struct view handle;
	uint64_t offset;
	struct view data;
	bool first, last;
};

/* Zeroed is ready. */
struct packets {
	struct buf held;      /* the beginning of what has not come whole */
	size_t direct, piece; /* how much of the input the packet given last covers */
	bool writing, begun;
	uint32_t id;
	uint8_t handle[HANDLE_MAX];
	size_t handle_len;
	uint64_t offset;
	size_t left;    /* of the WRITE's data */
	size_t surplus; /* what follows the data in its packet */
};

/* in: what has come and was not yet used; its used front is cut off. The packet's views are
 * valid until packets_took() or until the input's memory changes. E_PROTOCOL is final. */
MUST_USE int packets_next(struct packets *p, struct view *in, struct packet *ret_packet);

/* The packet given last has been dealt with. in as packets_next() left it. */
void packets_took(struct packets *p, struct view *in);

void packets_done(struct packets *p);

#endif
