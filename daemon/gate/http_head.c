/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_head.h"

#include <llhttp.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum { BLANK_LINES_MAX = 4 };

/* ---- whole, and made of what a head may be made of ---- */

static bool allowed(uint8_t c)
{
	return c == '\t' || c == '\r' || c == '\n' || (c >= 0x20 && c != 0x7f);
}

/* A line ends with CR and LF together, or not at all (RFC 9112, section 2.2): a lone one of them is
 * what others may take for an end. */
static bool line_ends_well(struct view in, size_t i)
{
	if (in.data[i] == '\n')
		return i > 0 && in.data[i - 1] == '\r';
	if (in.data[i] == '\r' && i + 1 < in.len)
		return in.data[i + 1] == '\n';
	return true;
}

static size_t blank_lines(struct view in)
{
	size_t n = 0;

	while (n < 2 * BLANK_LINES_MAX && in.len >= n + 2 && memcmp(in.data + n, "\r\n", 2) == 0)
		n += 2;
	return n;
}

/* What is too large is told by what of it there is too much of. */
static enum http_problem too_large(struct view in)
{
	size_t line = in.len < HEAD_LINE_MAX ? in.len : HEAD_LINE_MAX;

	if (in.len > HEAD_LINE_MAX && !memchr(in.data, '\n', line))
		return PROBLEM_TARGET_TOO_LONG;
	return in.len > HEAD_MAX ? PROBLEM_HEADERS_TOO_LARGE : PROBLEM_NONE;
}

enum http_problem head_find(struct view input, size_t seen, size_t *ret_skip, size_t *ret_len)
{
	size_t skip = blank_lines(input);

	*ret_skip = skip;
	*ret_len = 0;
	if (input.len == skip)
		return PROBLEM_NONE;
	struct view in = view_of(input.data + skip, input.len - skip);
	/* The byte before what is new may be a CR whose LF has come. */
	for (size_t i = seen > skip + 1 ? seen - skip - 1 : 0; i < in.len; i++) {
		if (!allowed(in.data[i]) || !line_ends_well(in, i))
			return PROBLEM_MALFORMED;
		if (i >= HEAD_MAX)
			return PROBLEM_HEADERS_TOO_LARGE;
		if (in.data[i] == '\n' && i >= 3 && in.data[i - 2] == '\n') {
			*ret_len = i + 1;
			return too_large(view_of(in.data, i + 1));
		}
	}
	return too_large(in);
}

/* ---- llhttp ---- */

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

struct reading {
	llhttp_t parser; /* first, so that a callback finds the rest */
	struct http_head *head;
	struct view target;
	bool too_many, complete;
};

static struct reading *reading_of(llhttp_t *p)
{
	return (struct reading *)(void *)p;
}

static int on_url(llhttp_t *p, const char *at, size_t len)
{
	struct view *v = &reading_of(p)->target;

	*v = v->len ? view_of(v->data, v->len + len) : view_of(at, len);
	return 0;
}

static int on_field(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = reading_of(p);

	if (r->head->fields == HEAD_FIELDS_MAX) {
		r->too_many = true;
		return -1;
	}
	r->head->field[r->head->fields++] = (struct http_field){view_of(at, len), {0}};
	return 0;
}

static int on_value(llhttp_t *p, const char *at, size_t len)
{
	struct reading *r = reading_of(p);

	if (!r->head->fields)
		return -1;
	while (len && blank((uint8_t)*at))
		at++, len--;
	while (len && blank((uint8_t)at[len - 1]))
		len--;
	r->head->field[r->head->fields - 1].value = view_of(at, len);
	return 0;
}

static int on_complete(llhttp_t *p)
{
	reading_of(p)->complete = true;
	return HPE_PAUSED;
}

static enum http_problem parse(struct view bytes, struct reading *r)
{
	llhttp_settings_t settings;

	llhttp_settings_init(&settings);
	settings.on_url = on_url;
	settings.on_header_field = on_field;
	settings.on_header_value = on_value;
	settings.on_headers_complete = on_complete;
	llhttp_init(&r->parser, HTTP_REQUEST, &settings);
	llhttp_errno_t e = llhttp_execute(&r->parser, (const char *)bytes.data, bytes.len);
	if (r->too_many)
		return PROBLEM_HEADERS_TOO_LARGE;
	if (e == HPE_INVALID_VERSION)
		return PROBLEM_VERSION;
	return e == HPE_PAUSED && r->complete ? PROBLEM_NONE : PROBLEM_MALFORMED;
}

/* ---- what it says ---- */

static enum http_method method_of(struct view name)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
	    {"GET", METHOD_GET},         {"HEAD", METHOD_HEAD},   {"PUT", METHOD_PUT},
	    {"POST", METHOD_POST},       {"PATCH", METHOD_PATCH}, {"DELETE", METHOD_DELETE},
	    {"OPTIONS", METHOD_OPTIONS}, {"MOVE", METHOD_MOVE},
	};

	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (view_is(name, methods[i].name))
			return methods[i].method;
	return METHOD_OTHER;
}

/* RFC 3986, section 3.2: a host, or its address, and a port; https has no user (RFC 9110, section
 * 4.2.4). What else stands there, others may take for the beginning of the path. */
static bool is_authority(struct view v)
{
	for (size_t i = 0; i < v.len; i++) {
		uint8_t c = v.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !memchr("-._~%!$&'()*+;=:[]", c, 18))
			return false;
	}
	return true;
}

/* RFC 9112, section 3.2: the origin form; the absolute form, of which the host is told by the field
 * Host as well; the asterisk of OPTIONS. */
static enum http_problem read_target(struct view target, struct http_head *h)
{
	static const char scheme[] = "https://";
	size_t len = sizeof scheme - 1;

	for (size_t i = 0; i < target.len; i++)
		if (target.data[i] <= ' ' || target.data[i] >= 0x7f || target.data[i] == '#')
			return PROBLEM_MALFORMED;
	if (view_is(target, "*"))
		return (h->path = target, h->method == METHOD_OPTIONS) ? PROBLEM_NONE
								       : PROBLEM_MALFORMED;
	if (target.len > len && view_is_word(view_of(target.data, len), scheme)) {
		const uint8_t *slash = memchr(target.data + len, '/', target.len - len);
		size_t skip = slash ? (size_t)(slash - target.data) : len;
		if (skip == len || !is_authority(view_of(target.data + len, skip - len)))
			return PROBLEM_MALFORMED;
		target = view_of(slash, target.len - skip);
	}
	if (!target.len || target.data[0] != '/')
		return PROBLEM_MALFORMED;
	const uint8_t *mark = memchr(target.data, '?', target.len);
	size_t path_len = mark ? (size_t)(mark - target.data) : target.len;
	h->path = view_of(target.data, path_len);
	if (mark)
		h->query = view_of(mark + 1, target.len - path_len - 1);
	return PROBLEM_NONE;
}

static unsigned count(const struct http_head *h, const char *name)
{
	const struct view *v = NULL;
	unsigned n = 0;

	while ((v = head_next_field(h, name, v)))
		n++;
	return n;
}

static bool read_number(struct view v, uint64_t *ret_number)
{
	uint64_t n = 0;

	if (!v.len || v.len > 18)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] < '0' || v.data[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(v.data[i] - '0');
	}
	*ret_number = n;
	return true;
}

/* How the body ends must be beyond doubt (RFC 9112, section 6.3). */
static enum http_problem read_framing(struct http_head *h)
{
	unsigned lengths = count(h, "content-length"), codings = count(h, "transfer-encoding");

	if (lengths > 1 || (lengths && codings) || (codings && !h->minor))
		return PROBLEM_MALFORMED;
	if (codings) {
		h->chunked = view_is_word(*head_find_field(h, "transfer-encoding"), "chunked");
		return codings == 1 && h->chunked ? PROBLEM_NONE : PROBLEM_UNSUPPORTED;
	}
	h->has_length = lengths;
	return !lengths || read_number(*head_find_field(h, "content-length"), &h->length)
		   ? PROBLEM_NONE
		   : PROBLEM_MALFORMED;
}

/* Fields that say how to go on; HTTP/1.0 has neither of them here. */
static enum http_problem read_fields(struct http_head *h)
{
	const struct view *v = NULL;
	unsigned hosts = count(h, "host");

	/* RFC 9112, section 3.2 */
	if (hosts > 1 || (h->minor && !hosts) ||
	    (hosts && !is_authority(*head_find_field(h, "host"))))
		return PROBLEM_MALFORMED;
	h->keeps_connection = h->minor;
	while ((v = head_next_field(h, "connection", v)))
		if (list_has(*v, "close"))
			h->keeps_connection = false;
	v = head_find_field(h, "expect");
	if (!v || !h->minor)
		return PROBLEM_NONE;
	h->wants_continue = view_is_word(*v, "100-continue");
	return h->wants_continue && count(h, "expect") == 1 ? PROBLEM_NONE : PROBLEM_EXPECTATION;
}

/* One blank behind the method, one behind the target, and no other. */
static bool line_is_plain(struct view line)
{
	unsigned blanks = 0;

	for (size_t i = 0; i < line.len; i++)
		blanks += blank(line.data[i]);
	return blanks == 2;
}

/* Blanks before a name or between it and its colon, and lines that go on, are old ways to say two
 * things at once (RFC 9112, section 5). */
static enum http_problem check_lines(struct view head)
{
	const uint8_t *at = memchr(head.data, '\n', head.len);

	if (!line_is_plain(view_of(head.data, (size_t)(at - head.data))))
		return PROBLEM_MALFORMED;
	for (at = at + 1; *at != '\r'; at++) {
		const uint8_t *end = memchr(at, '\n', head.len - (size_t)(at - head.data));
		const uint8_t *colon = memchr(at, ':', (size_t)(end - at));
		if (!colon || !view_is_token(view_of(at, (size_t)(colon - at))))
			return PROBLEM_MALFORMED;
		at = end;
	}
	return PROBLEM_NONE;
}

/* Of a head whose first line is plain. */
static struct view line_method(struct view head)
{
	const uint8_t *blank = memchr(head.data, ' ', head.len);

	return view_of(head.data, blank ? (size_t)(blank - head.data) : 0);
}

/* " HTTP/1.1" and the end of the line; llhttp takes two other protocols as well (RTSP, ICE). */
static bool line_is_http(struct view head, char *ret_major, char *ret_minor)
{
	static const char name[] = " HTTP/";
	const uint8_t *end = memchr(head.data, '\r', head.len);
	size_t len = sizeof name - 1 + 3, line = (size_t)(end - head.data);

	if (line < len || memcmp(end - len, name, sizeof name - 1) != 0 || end[-2] != '.')
		return false;
	*ret_major = (char)end[-3];
	*ret_minor = (char)end[-1];
	return true;
}

/*
 * What llhttp shall not judge. A request of HTTP/1 in all but its method, which we have no use for
 * wherever it points, is 501 (RFC 9110, section 9.1): which methods llhttp knows depends on its
 * version, and what it does not know it takes for no HTTP at all. Methods are what they are in one
 * case.
 */
static enum http_problem check_first_line(struct view head)
{
	struct view method = line_method(head);
	char major = 0, minor = 0;

	if (!line_is_http(head, &major, &minor) || !view_is_token(method))
		return PROBLEM_MALFORMED;
	if (method_of(method) == METHOD_OTHER && major == '1' && (minor == '0' || minor == '1'))
		return PROBLEM_UNSUPPORTED;
	return PROBLEM_NONE;
}

enum http_problem head_read(struct view head, struct http_head *ret_head)
{
	struct reading r = {.head = ret_head};

	*ret_head = (struct http_head){0};
	enum http_problem p = check_lines(head);
	if (!p)
		p = check_first_line(head);
	if (!p)
		p = parse(head, &r);
	if (p)
		return p;
	ret_head->minor = llhttp_get_http_minor(&r.parser);
	if (llhttp_get_http_major(&r.parser) != 1 || ret_head->minor > 1)
		return PROBLEM_VERSION;
	ret_head->method = method_of(line_method(head));
	p = read_target(r.target, ret_head);
	if (!p)
		p = read_framing(ret_head);
	return p ? p : read_fields(ret_head);
}

/* ---- fields ---- */

bool view_is_token(struct view v)
{
	for (size_t i = 0; i < v.len; i++)
		if (v.data[i] <= ' ' || v.data[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", v.data[i]))
			return false;
	return v.len > 0;
}

bool view_is_word(struct view v, const char *word)
{
	size_t len = strlen(word);

	return v.len == len && strncasecmp((const char *)v.data, word, len) == 0;
}

const struct view *head_next_field(const struct http_head *h, const char *name,
				   const struct view *after)
{
	const struct http_field *f =
	    after ? CONTAINER_OF(after, const struct http_field, value) + 1 : h->field;

	for (; f < h->field + h->fields; f++)
		if (view_is_word(f->name, name))
			return &f->value;
	return NULL;
}

const struct view *head_find_field(const struct http_head *h, const char *name)
{
	return head_next_field(h, name, NULL);
}

bool list_has(struct view list, const char *token)
{
	size_t at = 0;

	while (at < list.len) {
		const uint8_t *comma = memchr(list.data + at, ',', list.len - at);
		size_t end = comma ? (size_t)(comma - list.data) : list.len, from = at, to = end;
		while (from < to && blank(list.data[from]))
			from++;
		while (to > from && blank(list.data[to - 1]))
			to--;
		if (view_is_word(view_of(list.data + from, to - from), token))
			return true;
		at = end + 1;
	}
	return false;
}
