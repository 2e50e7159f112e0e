/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address: where a socket listens: an IPv4 or IPv6 address in numbers, and a port.
 *
 * "127.0.0.1:2022", "[::1]:2022"; names are not looked up, port 0 lets the system choose.
 */
#ifndef DROPKEEP_ADDRESS_H
#define DROPKEEP_ADDRESS_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t len; /* of what `at` holds: for bind(2) */
};

enum { ADDRESS_TEXT = 64 };

MUST_USE int address_parse(struct view text, struct address *ret_address);
void address_text(const struct address *a, char ret_text[ADDRESS_TEXT]);
uint16_t address_port(const struct address *a);

#endif
