/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link: one message in, one message out, over the SOCK_SEQPACKET socket between a gate and
 * the keep. Never waits. Knows frames and descriptors, not what messages mean.
 */
#ifndef DROPKEEP_LINK_H
#define DROPKEEP_LINK_H

#include "wire/messages.h"

enum {
	LINK_HEADER = 20,
	LINK_MAX =
	    160 * 1024, /* largest packet: a suspended upload with its 64 KiB tail, or a page */
	LINK_FDS_MAX = 16,
	LINK_CREDITS = 256, /* asks that a gate may have unanswered */
};

enum frame_kind { FRAME_ASK = 1, FRAME_ANSWER = 2, FRAME_ORDER = 3 };

struct frame {
	uint16_t kind, verb;
	uint32_t id;
	uint64_t subject;
	int32_t status;
	struct view body; /* borrowed from the packet */
};

void frame_write(struct writer *w, const struct frame *f); /* the header alone */
MUST_USE int frame_read(struct view packet, struct frame *ret_frame);

/* A pair of connected sockets, non-blocking, close-on-exec, with roomy buffers. */
MUST_USE int link_pair(int ret_fds[2]);

/* E_AGAIN when the socket is full: keep the packet and try again when it is writable.
 * Descriptors stay the caller's; it closes its copies after success. E_GONE: peer is gone. */
MUST_USE int link_send(int socket, struct view packet, const int *fds, unsigned count);

/* One packet into memory (cap bytes; one that does not fit is E_PROTOCOL), and up to
 * fds_max descriptors, close-on-exec (0: one that comes is E_PROTOCOL). E_AGAIN: none waits.
 * E_GONE: the peer closed. */
MUST_USE int link_receive(int socket, void *memory, size_t cap, struct view *ret_packet,
			  int *ret_fds, unsigned fds_max, unsigned *ret_count);

#endif
