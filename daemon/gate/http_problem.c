/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_problem.h"

#include <assert.h>

#include "base/mem.h"
#include "base/text.h"

static const struct row {
	const char *word, *title;
	unsigned status;
} rows[] = {
    [PROBLEM_NONE] = {"none", "no problem", 200},
    [PROBLEM_MALFORMED] = {"malformed", "malformed request", 400},
    [PROBLEM_INVALID] = {"invalid", "invalid input", 400},
    [PROBLEM_CERTIFICATE_NEEDED] = {"certificate-needed", "a client certificate is needed", 400},
    [PROBLEM_DIGEST_MISMATCH] = {"digest-mismatch", "not what its digest says", 400},
    [PROBLEM_CHECKSUM_MISMATCH] = {"digest-mismatch", "not what its checksum says", 460},
    [PROBLEM_UNAUTHORIZED] = {"unauthorized", "who are you?", 401},
    [PROBLEM_DENIED] = {"denied", "permission denied", 403},
    [PROBLEM_NOT_FOUND] = {"not-found", "there is no such thing", 404},
    [PROBLEM_METHOD] = {"method", "method not allowed", 405},
    [PROBLEM_TIMEOUT] = {"timeout", "the request was too slow", 408},
    [PROBLEM_EXISTS] = {"exists", "exists already", 409},
    [PROBLEM_NAME_TAKEN] = {"name-taken", "name is taken", 409},
    [PROBLEM_NOT_EMPTY] = {"not-empty", "folder is not empty", 409},
    [PROBLEM_IS_FOLDER] = {"is-folder", "is a folder", 409},
    [PROBLEM_IS_FILE] = {"is-file", "is not a folder", 404},
    [PROBLEM_UNFINISHED] = {"unfinished", "unfinished: resume or remove", 409},
    [PROBLEM_HELD] = {"held", "is on hold", 409},
    [PROBLEM_OFFSET] = {"offset", "not where the upload is", 409},
    [PROBLEM_PRECONDITION] = {"precondition", "not as supposed", 412},
    [PROBLEM_TOO_LARGE] = {"too-large", "too large", 413},
    [PROBLEM_TARGET_TOO_LONG] = {"target-too-long", "the request line is too long", 414},
    [PROBLEM_MEDIA_TYPE] = {"media-type", "not in this form", 415},
    [PROBLEM_RANGE] = {"range", "there is no such range", 416},
    [PROBLEM_EXPECTATION] = {"expectation", "expectation failed", 417},
    [PROBLEM_LIMIT] = {"limit", "over a limit", 429},
    [PROBLEM_HEADERS_TOO_LARGE] = {"headers-too-large", "the header is too large", 431},
    [PROBLEM_INTERNAL] = {"internal", "internal error", 500},
    [PROBLEM_UNSUPPORTED] = {"unsupported", "not supported", 501},
    [PROBLEM_TRY_LATER] = {"try-later", "try again later", 503},
    [PROBLEM_VERSION] = {"version", "HTTP version not supported", 505},
    [PROBLEM_QUOTA] = {"quota", "quota exceeded", 507},
    [PROBLEM_DISK_FULL] = {"disk-full", "disk full", 507},
};

_Static_assert(sizeof rows / sizeof *rows == PROBLEM_LAST + 1, "every problem has a row");

static const struct row *row_of(enum http_problem p)
{
	return p <= PROBLEM_LAST ? &rows[p] : &rows[PROBLEM_INTERNAL];
}

/* Codes that no client causes are not told apart. */
static const enum http_problem of_code[] = {
    [-E_OK] = PROBLEM_NONE,
    [-E_IO] = PROBLEM_INTERNAL,
    [-E_NOMEM] = PROBLEM_TRY_LATER,
    [-E_GONE] = PROBLEM_NOT_FOUND,
    [-E_EXISTS] = PROBLEM_EXISTS,
    [-E_DENIED] = PROBLEM_DENIED,
    [-E_INVALID] = PROBLEM_INVALID,
    [-E_INTEGRITY] = PROBLEM_INTERNAL,
    [-E_FULL] = PROBLEM_DISK_FULL,
    [-E_QUOTA] = PROBLEM_QUOTA,
    [-E_TAKEN] = PROBLEM_NAME_TAKEN,
    [-E_NOT_EMPTY] = PROBLEM_NOT_EMPTY,
    [-E_UNSUPPORTED] = PROBLEM_UNSUPPORTED,
    [-E_AGAIN] = PROBLEM_TRY_LATER,
    [-E_CONFIG] = PROBLEM_INTERNAL,
    [-E_PROTOCOL] = PROBLEM_MALFORMED,
    [-E_LIMIT] = PROBLEM_LIMIT,
    [-E_IS_DIR] = PROBLEM_IS_FOLDER,
    [-E_NOT_DIR] = PROBLEM_IS_FILE,
    [-E_UNFINISHED] = PROBLEM_UNFINISHED,
    [-E_USAGE] = PROBLEM_INVALID,
    [-E_HELD] = PROBLEM_HELD,
    [-E_CONFLICT] = PROBLEM_PRECONDITION,
};

_Static_assert(sizeof of_code / sizeof *of_code == -E_LAST + 1, "every code is a problem");

enum http_problem problem_of(int code)
{
	return code <= 0 && code >= E_LAST ? of_code[-code] : PROBLEM_INTERNAL;
}

unsigned problem_status(enum http_problem p)
{
	return row_of(p)->status;
}

const char *http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
	    {100, "Continue"},
	    {200, "OK"},
	    {201, "Created"},
	    {204, "No Content"},
	    {206, "Partial Content"},
	    {304, "Not Modified"},
	    {308, "Permanent Redirect"},
	    {400, "Bad Request"},
	    {401, "Unauthorized"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {408, "Request Timeout"},
	    {409, "Conflict"},
	    {412, "Precondition Failed"},
	    {413, "Content Too Large"},
	    {414, "URI Too Long"},
	    {415, "Unsupported Media Type"},
	    {416, "Range Not Satisfiable"},
	    {417, "Expectation Failed"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {460, "Checksum Mismatch"},
	    {500, "Internal Server Error"},
	    {501, "Not Implemented"},
	    {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"},
	    {507, "Insufficient Storage"},
	};

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

static int escape(uint8_t c, struct buf *out)
{
	if (c == '"' || c == '\\')
		return buf_printf(out, "\\%c", c);
	if (c < 0x20 || c == 0x7f)
		return buf_printf(out, "\\u%04x", c);
	return buf_add(out, &c, 1);
}

/* How long the character at the beginning is; 0 for what is none. */
static size_t character(struct view text)
{
	for (size_t n = 1; n <= 4 && n <= text.len; n++)
		if (utf8_valid(view_of(text.data, n)))
			return n;
	return 0;
}

int json_string_write(struct view text, struct buf *out)
{
	int rc = buf_add_text(out, "\"");

	while (text.len && !rc) {
		size_t n = character(text);
		if (n == 1)
			rc = escape(*text.data, out);
		else
			rc = n ? buf_add(out, text.data, n) : buf_add_text(out, "\\ufffd");
		n += n == 0;
		text = view_of(text.data + n, text.len - n);
	}
	return rc ? rc : buf_add_text(out, "\"");
}

int problem_write(enum http_problem p, struct view detail, struct buf *out)
{
	const struct row *r = row_of(p);
	int rc =
	    buf_printf(out, "{\"type\":\"urn:dropkeep:problem:%s\",\"title\":\"%s\",\"status\":%u",
		       r->word, r->title, r->status);

	if (!rc && detail.len)
		rc = buf_add_text(out, ",\"detail\":");
	if (!rc && detail.len)
		rc = json_string_write(detail, out);
	return rc ? rc : buf_add_text(out, "}\n");
}
