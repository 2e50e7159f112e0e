/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_condition: what a request asks of the representation that is there: conditions and a range
 * (RFC 9110, sections 13 and 14), digests (RFC 9530). Pure.
 */
#ifndef DROPKEEP_GATE_HTTP_CONDITION_H
#define DROPKEEP_GATE_HTTP_CONDITION_H

#include "daemon/gate/http_head.h"
#include "wire/messages.h"

/* What is there. */
struct representation {
	const uint8_t *sha256; /* WIRE_HASH bytes; its hexadecimal form is the entity tag */
	uint64_t size;
	int64_t mtime_s;
};

enum { ETAG = 2 * WIRE_HASH + 3 };
void etag_write(const uint8_t sha256[WIRE_HASH], char ret_text[ETAG]); /* with its quotes */

/* "sha-256=:…:" (RFC 9530). */
enum { DIGEST_TEXT = 64 };
void digest_write(const uint8_t sha256[WIRE_HASH], char ret_text[DIGEST_TEXT]);

/* Of a GET or HEAD of what is there (section 13.2.2): 0 go on, 304 or 412. */
unsigned condition_of_get(const struct http_head *h, const struct representation *r, int64_t now_s);

/* Which part of it is to be sent. */
struct range {
	uint64_t first, len;
	bool partial; /* 206 */
};
/* False: 416. Without a range, or with one that is not ours to serve: all of it. */
MUST_USE bool range_of_get(const struct http_head *h, const struct representation *r, int64_t now_s,
			   struct range *ret_range);

/* Of a PUT: the hashes that If-Match allows, WIRE_HASH bytes each, appended. any: it says "*";
 * fresh: If-None-Match: * . A tag that is none of ours matches nothing: then a hash that no content
 * has. E_INVALID. */
MUST_USE int conditions_of_put(const struct http_head *h, struct buf *ret_hashes, bool *ret_any,
			       bool *ret_fresh);

/* The sha-256 of Repr-Digest (or Content-Digest, which is the same where a whole content is sent);
 * *ret_there: whether there is one. E_INVALID for what cannot be. */
MUST_USE int digest_of_put(const struct http_head *h, uint8_t ret_sha256[WIRE_HASH],
			   bool *ret_there);

#endif
