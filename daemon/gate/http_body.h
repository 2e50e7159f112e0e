/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_body: the body of one request out of the bytes behind its head (RFC 9112, sections 6 and 7).
 *
 * Pure, and in place: what is content is moved to the front of what came. llhttp decodes chunks;
 * the bytes between them are held to the letter here, whatever its version lets pass.
 */
#ifndef DROPKEEP_GATE_HTTP_BODY_H
#define DROPKEEP_GATE_HTTP_BODY_H

#include <llhttp.h>

#include "daemon/gate/http_head.h"

enum { BODY_FRAMING_MAX = 8 * 1024 /* bytes between two pieces of content, and in trailers */ };

struct body {
	bool chunked, ended;
	uint64_t left; /* of a body of known length */
	llhttp_t parser;
	llhttp_settings_t settings;
	/* of the call under way */
	uint8_t *data;
	size_t framed, taken; /* looked at so far; content so far */
	/* of the framing */
	uint8_t last;
	size_t framing;
	bool bad;
};

/* b stays where it is until the body has ended. */
void body_begin(struct body *b, const struct http_head *h);

/*
 * Takes bytes: *ret_used of them, of which *ret_content were content and stand at their front now.
 * All are used, unless the body ends before (b->ended): what is behind belongs to the next request.
 */
MUST_USE enum http_problem body_take(struct body *b, uint8_t *bytes, size_t len, size_t *ret_used,
				     size_t *ret_content);

#endif
