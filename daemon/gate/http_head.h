/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_head: the head of one HTTP/1.x request (RFC 9112), taken apart and judged.
 *
 * Pure: bytes in, a struct out. llhttp parses; what it would be lenient about, in one version or
 * another, is refused before it sees it, because whatever stands between us and a client may read
 * the same bytes otherwise.
 */
#ifndef DROPKEEP_GATE_HTTP_HEAD_H
#define DROPKEEP_GATE_HTTP_HEAD_H

#include "base/buf.h"
#include "daemon/gate/http_problem.h"

enum http_method {
	METHOD_GET = 1 << 0,
	METHOD_HEAD = 1 << 1,
	METHOD_PUT = 1 << 2,
	METHOD_POST = 1 << 3,
	METHOD_PATCH = 1 << 4,
	METHOD_DELETE = 1 << 5,
	METHOD_MOVE = 1 << 6,
	METHOD_OPTIONS = 1 << 7,
	METHOD_OTHER = 1 << 8, /* none of these: in no head that head_read() has taken */
};

enum {
	HEAD_LINE_MAX = 16 * 1024, /* the request line */
	HEAD_MAX = 48 * 1024,      /* all of it: the line, and 32 KiB of fields */
	HEAD_FIELDS_MAX = 100,
};

struct http_field {
	struct view name, value;
};

/* All views borrow from the bytes that the head was read from. */
struct http_head {
	enum http_method method;
	struct view path;  /* from its first slash on, as it came; "*" only with OPTIONS */
	struct view query; /* behind the '?', as it came; may be empty */
	unsigned minor;    /* HTTP/1.minor */
	struct http_field field[HEAD_FIELDS_MAX];
	unsigned fields;
	bool chunked;
	bool has_length;
	uint64_t length;       /* of the body; 0 when there is none, and when it is chunked */
	bool wants_continue;   /* Expect: 100-continue */
	bool keeps_connection; /* as far as the client is concerned */
};

/*
 * How many bytes at the beginning of input are a whole head, its empty line included; 0 for not
 * yet. Empty lines before it are skipped: *ret_skip bytes of these are to be dropped first. Looks
 * at what is new since `seen` alone. A problem, as soon as what is there can be no head.
 */
MUST_USE enum http_problem head_find(struct view input, size_t seen, size_t *ret_skip,
				     size_t *ret_len);

/* Of a whole head. PROBLEM_NONE, or what to answer before the connection is closed. */
MUST_USE enum http_problem head_read(struct view head, struct http_head *ret_head);

/* The value of the field of this name (lower case); NULL when there is none. With several it is
 * the first: those that may be lists are to be looked for with head_next(). */
const struct view *head_find_field(const struct http_head *h, const char *name);
/* Behind `after` (NULL: from the first on). */
const struct view *head_next_field(const struct http_head *h, const char *name,
				   const struct view *after);

/* RFC 9110, section 5.6.2: one character at least. */
bool view_is_token(struct view v);

/* Case-insensitive, ASCII. */
bool view_is_word(struct view v, const char *word);

/* Whether a list of tokens (RFC 9110, section 5.6.1) has this one. */
bool list_has(struct view list, const char *token);

#endif
