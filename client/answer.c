/* SPDX-License-Identifier: Apache-2.0 */
#include "client/answer.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"

static struct view trim(struct view v)
{
	while (v.len && strchr(" \t\r\n", v.data[v.len - 1]) && v.data[v.len - 1])
		v.len--;
	while (v.len && (v.data[0] == ' ' || v.data[0] == '\t'))
		v = view_of(v.data + 1, v.len - 1);
	return v;
}

static struct view rest_of(struct view v, size_t from)
{
	return view_of(v.data + from, v.len - from);
}

static bool starts(struct view v, const char *text)
{
	size_t len = strlen(text);

	return v.len >= len && strncasecmp((const char *)v.data, text, len) == 0;
}

/* "HTTP/1.1 201 Created" */
static bool take_status(struct answer *a, struct view line)
{
	if (!starts(line, "HTTP/1.") || line.len < 12 || line.data[8] != ' ')
		return false;
	uint64_t status = 0;
	if (number_parse(view_of(line.data + 9, 3), &status)) {
		err_clear();
		return false;
	}
	answer_done(a);
	a->status = (unsigned)status;
	return true;
}

static bool read_number(struct view v, uint64_t *ret_number)
{
	if (number_parse(v, ret_number) == 0)
		return true;
	err_clear();
	return false;
}

static void take_etag(struct answer *a, struct view v)
{
	a->has_etag = v.len == 2 * SHA256_SIZE + 2 && v.data[0] == '"' &&
		      v.data[v.len - 1] == '"' &&
		      hex_decode(view_of(v.data + 1, 2 * SHA256_SIZE), a->etag, SHA256_SIZE) == 0;
	err_clear();
}

/* A dictionary of structured fields (RFC 8941, section 3.2): "a=:…:, sha-256=:…:". */
static void take_digest(struct answer *a, struct view v)
{
	CLEANUP(buf_done) struct buf bytes = {0};

	for (struct view left = v; left.len;) {
		const uint8_t *comma = memchr(left.data, ',', left.len);
		size_t len = comma ? (size_t)(comma - left.data) : left.len;
		struct view member = trim(view_of(left.data, len));

		left = rest_of(left, len + (comma != NULL));
		if (!starts(member, "sha-256=:") || member.data[member.len - 1] != ':' ||
		    member.len < 11)
			continue;
		buf_clear(&bytes);
		if (base64_decode(view_of(member.data + 9, member.len - 10), BASE64_PADDED,
				  &bytes) == 0 &&
		    bytes.len == SHA256_SIZE) {
			memcpy(a->digest, bytes.data, SHA256_SIZE);
			a->has_digest = true;
		}
		err_clear();
	}
}

/* "bytes 100-199/200" */
static void take_range(struct answer *a, struct view v)
{
	const uint8_t *dash = v.len ? memchr(v.data, '-', v.len) : NULL;
	const uint8_t *slash = v.len ? memchr(v.data, '/', v.len) : NULL;
	uint64_t last = 0;

	if (!starts(v, "bytes ") || !dash || !slash || dash < v.data + 6 || slash < dash)
		return;
	a->has_range =
	    read_number(view_of(v.data + 6, (size_t)(dash - v.data) - 6), &a->range_first) &&
	    read_number(view_of(dash + 1, (size_t)(slash - dash) - 1), &last) &&
	    read_number(view_of(slash + 1, (size_t)(v.data + v.len - slash) - 1), &a->range_size) &&
	    a->range_first <= last && last < a->range_size;
}

/* A path of this server: a prefix, then letters that an id has; nothing else is believed. */
static void take_path(struct view v, const char *prefix, const char *letters, char *ret_path,
		      size_t room)
{
	size_t len = strlen(prefix);

	if (v.len <= len || v.len >= room || memcmp(v.data, prefix, len) != 0)
		return;
	for (size_t i = len; i < v.len; i++)
		if (!v.data[i] || !strchr(letters, v.data[i]))
			return;
	memcpy(ret_path, v.data, v.len);
	ret_path[v.len] = '\0';
}

/* One link with its parameters (RFC 8288, section 3): <TARGET>; rel="receipt" */
static void take_one_link(struct answer *a, struct view v)
{
	const uint8_t *end = v.len ? memchr(v.data, '>', v.len) : NULL;

	if (!end || v.data[0] != '<')
		return;
	struct view target = view_of(v.data + 1, (size_t)(end - v.data) - 1);
	struct view more = rest_of(v, (size_t)(end - v.data) + 1);
	while ((more = trim(more)).len && more.data[0] == ';') {
		more = rest_of(more, 1);
		const uint8_t *next = memchr(more.data ? more.data : v.data, ';', more.len);
		size_t len = next ? (size_t)(next - more.data) : more.len;
		struct view param = trim(view_of(more.data, len));

		if ((param.len == 13 && starts(param, "rel=\"receipt\"")) ||
		    (param.len == 11 && starts(param, "rel=receipt")))
			take_path(target, "/receipts/", "0123456789", a->receipt,
				  sizeof a->receipt);
		more = rest_of(more, len);
	}
}

static void take_link(struct answer *a, struct view v)
{
	while ((v = trim(v)).len) {
		const uint8_t *close = memchr(v.data, '>', v.len);
		size_t from = close ? (size_t)(close - v.data) : 0;
		const uint8_t *comma = memchr(v.data + from, ',', v.len - from);
		size_t len = comma ? (size_t)(comma - v.data) : v.len;

		take_one_link(a, view_of(v.data, len));
		v = rest_of(v, len + (comma != NULL));
	}
}

static void take_modified(struct answer *a, struct view v)
{
	char text[64];

	if (v.len == 0 || v.len >= sizeof text || memchr(v.data, '\0', v.len))
		return;
	memcpy(text, v.data, v.len);
	text[v.len] = '\0';
	time_t when = curl_getdate(text, NULL);
	a->has_modified = when != (time_t)-1;
	a->modified_s = when;
}

static void take_retry(struct answer *a, struct view v)
{
	uint64_t seconds = 0;

	if (read_number(v, &seconds))
		a->retry_after_s = seconds > 300 ? 300 : (unsigned)seconds;
}

static void take_type(struct answer *a, struct view v)
{
	a->is_problem = starts(v, "application/problem+json");
}

static void take_offset(struct answer *a, struct view v)
{
	a->has_offset = read_number(v, &a->offset);
}

static void take_length(struct answer *a, struct view v)
{
	a->has_length = read_number(v, &a->length);
}

static void take_size(struct answer *a, struct view v)
{
	a->has_size = read_number(v, &a->size);
}

static void take_location(struct answer *a, struct view v)
{
	take_path(v, "/uploads/", "0123456789abcdef", a->upload, sizeof a->upload);
}

static const struct {
	const char *name;
	void (*take)(struct answer *a, struct view value);
} headers[] = {
    {"content-length", take_size},    {"content-range", take_range},
    {"content-type", take_type},      {"etag", take_etag},
    {"last-modified", take_modified}, {"link", take_link},
    {"location", take_location},      {"repr-digest", take_digest},
    {"retry-after", take_retry},      {"upload-length", take_length},
    {"upload-offset", take_offset},
};

void answer_take_line(struct answer *a, struct view line)
{
	line = trim(line);
	if (take_status(a, line))
		return;
	const uint8_t *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
	if (!colon)
		return;
	a->headers++;
	size_t len = (size_t)(colon - line.data);
	for (size_t i = 0; i < ARRAY_LEN(headers); i++)
		if (len == strlen(headers[i].name) && starts(line, headers[i].name))
			headers[i].take(a, trim(rest_of(line, len + 1)));
}

static const struct {
	const char *type;
	int code;
} problems[] = {
    {"malformed", E_PROTOCOL},
    {"invalid", E_INVALID},
    {"certificate-needed", E_DENIED},
    {"digest-mismatch", E_INTEGRITY},
    {"unauthorized", E_DENIED},
    {"denied", E_DENIED},
    {"not-found", E_GONE},
    {"method", E_PROTOCOL},
    {"timeout", E_AGAIN},
    {"exists", E_EXISTS},
    {"name-taken", E_TAKEN},
    {"not-empty", E_NOT_EMPTY},
    {"is-folder", E_IS_DIR},
    {"is-file", E_NOT_DIR},
    {"unfinished", E_UNFINISHED},
    {"held", E_HELD},
    {"offset", E_CONFLICT},
    {"precondition", E_CONFLICT},
    {"too-large", E_CONFLICT},
    {"target-too-long", E_INVALID},
    {"media-type", E_PROTOCOL},
    {"range", E_CONFLICT},
    {"expectation", E_PROTOCOL},
    {"limit", E_AGAIN},
    {"headers-too-large", E_PROTOCOL},
    {"internal", E_AGAIN},
    {"not-implemented", E_PROTOCOL},
    {"try-later", E_AGAIN},
    {"version", E_PROTOCOL},
    {"quota", E_QUOTA},
    {"disk-full", E_FULL},
};

static int code_of_problem(const char *type)
{
	static const char prefix[] = "urn:dropkeep:problem:";

	if (!type || strncmp(type, prefix, sizeof prefix - 1) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(problems); i++)
		if (strcmp(type + sizeof prefix - 1, problems[i].type) == 0)
			return problems[i].code;
	return 0;
}

void answer_read_problem(struct answer *a)
{
	if (!a->is_problem || a->body.len == 0)
		return;
	json_t *root =
	    json_loadb((const char *)a->body.data, a->body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *title = json_string_value(json_object_get(root, "title"));
	const char *detail = json_string_value(json_object_get(root, "detail"));

	a->problem = code_of_problem(json_string_value(json_object_get(root, "type")));
	if (title && detail && strcmp(title, detail) == 0)
		detail = NULL;
	if (title || detail)
		(void)snprintf(a->said, sizeof a->said, "%s%s%s", title ? title : "",
			       title && detail ? ": " : "", detail ? detail : "");
	json_decref(root);
}

static int code_of_status(unsigned status)
{
	switch (status) {
	case 401:
	case 403:
		return E_DENIED;
	case 404:
	case 410:
		return E_GONE;
	case 408:
	case 429:
		return E_AGAIN;
	case 409:
	case 412:
	case 416:
		return E_CONFLICT;
	case 460:
		return E_INTEGRITY;
	case 507:
		return E_FULL;
	default:
		return status == 500 || (status >= 502 && status <= 504) ? E_AGAIN : E_PROTOCOL;
	}
}

int answer_judge(const struct answer *a, const char *what)
{
	if (a->status >= 200 && a->status <= 299)
		return 0;
	int code = a->problem ? a->problem : code_of_status(a->status);
	/* Two frames, so that a long name cuts no reason off. */
	if (a->said[0])
		(void)!fail(code, "%s", a->said);
	else
		(void)!fail(code, "%s (HTTP status %u)", err_word(code), a->status);
	return fail(code, "%s", what);
}

bool worth_a_retry(int code)
{
	return code == E_AGAIN || code == CLIENT_UNREACHABLE;
}

bool answer_hash(const struct answer *a, uint8_t ret_sha256[SHA256_SIZE])
{
	if (!a->has_digest && !a->has_etag)
		return false;
	if (a->has_digest && a->has_etag && memcmp(a->digest, a->etag, SHA256_SIZE) != 0)
		return false;
	memcpy(ret_sha256, a->has_digest ? a->digest : a->etag, SHA256_SIZE);
	return true;
}

void answer_done(struct answer *a)
{
	buf_done(&a->body);
	*a = (struct answer){0};
}
