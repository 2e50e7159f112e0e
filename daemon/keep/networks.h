/* SPDX-License-Identifier: Apache-2.0 */
/*
 * networks: from where a credential may be used: a list of networks as text, "address/bits" with a
 * blank between two (RFC 4632, section 3.1; RFC 4291, section 2.3). The empty list: from anywhere.
 *
 * Pure. What is stored is canonical, so that one list has one text, and a text that is not as
 * network_add() writes it is damaged. An IPv4 address in IPv6's clothes (::ffff:192.0.2.1) is an
 * IPv4 address; else neither kind of address is ever in a network of the other.
 */
#ifndef DROPKEEP_KEEP_NETWORKS_H
#define DROPKEEP_KEEP_NETWORKS_H

#include "base/buf.h"
#include "base/err.h"

enum {
	NETWORKS_MAX = 16,     /* in one list */
	NETWORK_TEXT = 39 + 4, /* the longest: an IPv6 address, "/128" */
	NETWORKS_TEXT = NETWORKS_MAX * (NETWORK_TEXT + 1), /* with blanks, or a NUL at the end */
};

/* Append one network, as somebody has typed it, to a list (which may be empty); one that is there
 * already is there once. E_INVALID with a sentence that says what to write instead; E_LIMIT. */
MUST_USE int network_add(struct view text, struct buf *list);

/* Whether the list, as it is stored, allows that address. E_INTEGRITY for a list that is none,
 * whatever the address. An address that is none is nowhere but in the empty list. */
MUST_USE int networks_allow(const char *list, const char *address, bool *ret_allowed);

#endif
