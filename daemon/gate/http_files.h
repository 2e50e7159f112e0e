/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_files: what the handlers below /files/ share: the path that a request is about.
 */
#ifndef DROPKEEP_GATE_HTTP_FILES_H
#define DROPKEEP_GATE_HTTP_FILES_H

#include "daemon/gate/http_handlers.h"
#include "daemon/gate/put.h"

struct place_asked {
	struct buf path; /* "/acme/incoming/plan.pdf" */
	bool folder;     /* it was said to be one */
};

/* Of x->rest. When it is none the exchange is answered, and this is false. */
bool place_take(struct exchange *x, struct place_asked *ret_place);

/* One for each kind of request; begin() of http_files chooses. */
extern const struct http_handler http_download; /* GET, HEAD of a file */
extern const struct http_handler http_listing;  /* of a folder */
extern const struct http_handler http_put;

/* What a finished upload is answered with, beside Location: ETag, Repr-Digest, the receipt. */
void answer_published(struct exchange *x, const struct put_result *r);

#endif
