/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listeners: the listening sockets, shared with the other gates: whoever is free takes the
 * next connection. They rest while there is no room for one more.
 */
#ifndef DROPKEEP_GATE_SSH_LISTENER_H
#define DROPKEEP_GATE_SSH_LISTENER_H

#include <netinet/in.h>
#include <uv.h>

#include "wire/link.h"

struct peer {
	char address[INET6_ADDRSTRLEN];
	uint16_t port;
};

/* fd is the callee's. */
typedef void listeners_accepted(void *arg, int fd, const struct peer *peer);

struct listener {
	uv_poll_t poll;
	int fd;
};

/* Embedded; zeroed is closed. */
struct listeners {
	uv_loop_t *loop;
	struct listener socket[LINK_FDS_MAX];
	unsigned count;
	bool open, full, paused; /* full: the owner has no room; paused: no descriptors left */
	uv_timer_t pause;
	listeners_accepted *accepted;
	void *arg;
};

/* Takes the sockets that fds names, setting each to -1. */
MUST_USE int listeners_open(struct listeners *l, uv_loop_t *loop, int *fds, unsigned count,
			    listeners_accepted *accepted, void *arg);

void listeners_set_full(struct listeners *l, bool full);

/* The sockets are closed at once, the handles with the loop's next turn. */
void listeners_close(struct listeners *l);

/* The peer of a connection as numbers; an IPv4 address in IPv6's clothes is undressed. */
void peer_of(const struct sockaddr_storage *address, struct peer *ret_peer);

#endif
