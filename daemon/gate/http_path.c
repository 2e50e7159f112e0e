/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_path.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte of the text, decoded, behind *at. */
static int decode_one(struct view text, size_t *at, uint8_t *ret)
{
	if (text.data[*at] != '%') {
		*ret = text.data[(*at)++];
		return 0;
	}
	int high = *at + 1 < text.len ? digit(text.data[*at + 1]) : -1;
	int low = *at + 2 < text.len ? digit(text.data[*at + 2]) : -1;
	if (high < 0 || low < 0)
		return fail(E_INVALID, "a percent sign without two hexadecimal digits");
	*ret = (uint8_t)(high * 16 + low);
	*at += 3;
	return 0;
}

int percent_decode(struct view text, struct buf *out)
{
	int rc = 0;

	for (size_t at = 0; at < text.len && !rc;) {
		uint8_t c = 0;
		rc = decode_one(text, &at, &c);
		if (!rc)
			rc = buf_add(out, &c, 1);
	}
	return rc;
}

static int add_name(struct view encoded, struct buf *out)
{
	CLEANUP(buf_done) struct buf name = {0};
	int rc = percent_decode(encoded, &name);
	struct view v = view_buf(&name);

	if (!rc && (!v.len || view_is(v, ".") || view_is(v, "..")))
		rc = fail(E_INVALID, "a path with an empty name, . or ..");
	if (!rc && (memchr(v.data, '/', v.len) || memchr(v.data, 0, v.len)))
		rc = fail(E_INVALID, "a name with a slash or a NUL in it");
	if (!rc && !utf8_valid(v))
		rc = fail(E_INVALID, "a name that is not UTF-8");
	if (!rc)
		rc = buf_add_text(out, "/");
	return rc ? rc : buf_add(out, v.data, v.len);
}

int path_from_url(struct view rest, struct buf *out, bool *ret_folder)
{
	bool folder = !rest.len || rest.data[rest.len - 1] == '/';
	int rc = 0;

	if (!rest.len)
		rc = buf_add_text(out, "/");
	else if (folder)
		rest.len--;
	for (size_t at = 0; rest.len && at <= rest.len && !rc;) {
		const uint8_t *slash = memchr(rest.data + at, '/', rest.len - at);
		size_t end = slash ? (size_t)(slash - rest.data) : rest.len;
		rc = add_name(view_of(rest.data + at, end - at), out);
		at = end + 1;
	}
	if (!rc && !out->len)
		rc = fail(E_INVALID, "a path with an empty name, . or ..");
	if (!rc)
		*ret_folder = folder;
	return rc;
}

int path_from_reference(struct view reference, struct view host, struct view *ret_rest)
{
	static const char scheme[] = "https://", prefix[] = "/files/";
	size_t len = sizeof scheme - 1, skip = sizeof prefix - 1;

	if (reference.len > len && strncasecmp((const char *)reference.data, scheme, len) == 0) {
		struct view rest = view_of(reference.data + len, reference.len - len);
		const uint8_t *slash = memchr(rest.data, '/', rest.len);
		size_t host_len = slash ? (size_t)(slash - rest.data) : rest.len;
		if (host_len != host.len ||
		    strncasecmp((const char *)rest.data, (const char *)host.data, host_len) != 0)
			return fail(E_INVALID, "Destination is on another host");
		reference = view_of(rest.data + host_len, rest.len - host_len);
	}
	if (reference.len <= skip || memcmp(reference.data, prefix, skip) != 0 ||
	    memchr(reference.data, '?', reference.len) ||
	    memchr(reference.data, '#', reference.len))
		return fail(E_INVALID, "Destination is not below /files/");
	*ret_rest = view_of(reference.data + skip, reference.len - skip);
	return 0;
}

/* RFC 3986, section 2.3. */
static bool unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

static int encode(struct view text, const char *besides, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; i < text.len && !rc; i++) {
		uint8_t c = text.data[i];
		rc = unreserved(c) || (c && strchr(besides, c)) ? buf_add(out, &c, 1)
								: buf_printf(out, "%%%02X", c);
	}
	return rc;
}

int percent_encode(struct view text, struct buf *out)
{
	return encode(text, "", out);
}

int path_to_url(struct view path, struct buf *out)
{
	int rc = buf_add_text(out, "/files");

	return rc ? rc : encode(path, "/", out);
}

static struct view last_name(struct view path)
{
	const uint8_t *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;
	size_t from = slash ? (size_t)(slash - path.data) + 1 : 0;

	return view_of(path.data + from, path.len - from);
}

int disposition_write(struct view path, struct buf *out)
{
	struct view name = last_name(path);
	int rc = buf_add_text(out, "attachment; filename=\"");

	/* For those who know no better, without what might confuse them. */
	for (size_t i = 0; i < name.len && !rc; i++) {
		uint8_t c = name.data[i];
		bool plain = c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '%';
		rc = buf_printf(out, "%c", plain ? c : '_');
	}
	if (!rc)
		rc = buf_add_text(out, "\"; filename*=UTF-8''");
	return rc ? rc : encode(name, "", out);
}

const char *media_type_of(struct view path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
	    {".pdf", "application/pdf"},
	    {".zip", "application/zip"},
	    {".gz", "application/gzip"},
	    {".json", "application/json"},
	    {".xml", "application/xml"},
	    {".txt", "text/plain"},
	    {".md", "text/markdown"},
	    {".csv", "text/csv"},
	    {".png", "image/png"},
	    {".jpg", "image/jpeg"},
	    {".jpeg", "image/jpeg"},
	    {".gif", "image/gif"},
	    {".webp", "image/webp"},
	    {".tif", "image/tiff"},
	    {".tiff", "image/tiff"},
	    {".mp3", "audio/mpeg"},
	    {".wav", "audio/wav"},
	    {".mp4", "video/mp4"},
	    {".mov", "video/quicktime"},
	    {".doc", "application/msword"},
	    {".xls", "application/vnd.ms-excel"},
	    {".ppt", "application/vnd.ms-powerpoint"},
	    {".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
	    {".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	    {".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
	    {".odt", "application/vnd.oasis.opendocument.text"},
	    {".ods", "application/vnd.oasis.opendocument.spreadsheet"},
	};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t len = strlen(types[i].ending);
		if (path.len > len && strncasecmp((const char *)path.data + path.len - len,
						  types[i].ending, len) == 0)
			return types[i].type;
	}
	return "application/octet-stream";
}

int query_find(struct view query, const char *name, struct buf *out, bool *ret_there)
{
	size_t name_len = strlen(name);

	*ret_there = false;
	for (size_t at = 0; at < query.len;) {
		const uint8_t *amp = memchr(query.data + at, '&', query.len - at);
		size_t end = amp ? (size_t)(amp - query.data) : query.len;
		struct view one = view_of(query.data + at, end - at);
		at = end + 1;
		if (one.len < name_len || memcmp(one.data, name, name_len) != 0)
			continue;
		if (one.len == name_len) {
			*ret_there = true;
			return 0;
		}
		if (one.data[name_len] != '=')
			continue;
		*ret_there = true;
		return percent_decode(view_of(one.data + name_len + 1, one.len - name_len - 1),
				      out);
	}
	return 0;
}
