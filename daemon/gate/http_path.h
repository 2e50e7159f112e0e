/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_path: names as URLs carry them (RFC 3986): out of a request's path, into a header.
 */
#ifndef DROPKEEP_GATE_HTTP_PATH_H
#define DROPKEEP_GATE_HTTP_PATH_H

#include "base/buf.h"

/*
 * "acme/incoming/a%20b" (what is behind /files/) becomes "/acme/incoming/a b", appended;
 * *ret_folder: it ended with a slash, which is dropped, or is the top. E_INVALID, with a sentence,
 * for "", "." and ".." in between, for a slash or NUL in disguise, for what is no UTF-8, and for a
 * percent sign without its digits. What else a name may be is for the keep to say.
 */
MUST_USE int path_from_url(struct view rest, struct buf *out, bool *ret_folder);

/* The path of a URL or a path itself (of Destination), as path_from_url() wants it: behind /files/.
 * E_INVALID. host: the field Host of the request, which a URL's must be. */
MUST_USE int path_from_reference(struct view reference, struct view host, struct view *ret_rest);

/* "/files/acme/a%20b" of "/acme/a b". */
MUST_USE int path_to_url(struct view path, struct buf *out);

/* A field's value: "attachment; filename=…; filename*=…" (RFC 6266, RFC 8187) for the last name of
 * the path. */
MUST_USE int disposition_write(struct view path, struct buf *out);

/* A media type by the name's ending. */
const char *media_type_of(struct view path);

/* Appended; E_INVALID for a percent sign without its digits. And the other way round: all but RFC
 * 3986's unreserved characters become percent signs. */
MUST_USE int percent_decode(struct view text, struct buf *out);
MUST_USE int percent_encode(struct view text, struct buf *out);

/* The value of name in a query ("a=b&c"), decoded and appended; *ret_there. E_INVALID. */
MUST_USE int query_find(struct view query, const char *name, struct buf *out, bool *ret_there);

#endif
