/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_path: arbitrary bytes as what a URL, a query and the field Destination may have for a
 * path, and as the path of an answer. What is taken says the same when it is written and read
 * again. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/gate/http_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* "/", or names that no file system and no keep could take for another place. */
static void check_path(struct view path)
{
	assert(path.len && path.data[0] == '/');
	assert(utf8_valid(path) && !memchr(path.data, 0, path.len));
	for (size_t at = 1; path.len > 1 && at <= path.len;) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct view name = view_of(path.data + at, end - at);
		assert(name.len && !view_is(name, ".") && !view_is(name, ".."));
		at = end + 1;
	}
}

/* Nothing that could end a header field, or be read otherwise by whoever stands in between. */
static void check_url(struct view url)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "-._~/%";

	for (size_t i = 0; i < url.len; i++)
		assert(url.data[i] && strchr(plain, url.data[i]));
}

static void check_again(struct view path)
{
	CLEANUP(buf_done) struct buf url = {0};
	CLEANUP(buf_done) struct buf again = {0};
	struct view rest;
	bool folder = true;
	int rc = path_to_url(path, &url);

	assert(!rc);
	check_url(view_buf(&url));
	if (path.len == 1)
		return; /* the top is nothing that can be named as a destination */
	rc = path_from_reference(view_buf(&url), view_text("h"), &rest);
	assert(!rc);
	rc = path_from_url(rest, &again, &folder);
	assert(!rc && !folder && view_equal(view_buf(&again), path));
}

static void check_disposition(struct view path)
{
	CLEANUP(buf_done) struct buf out = {0};
	unsigned quotes = 0;
	int rc = disposition_write(path, &out);

	assert(!rc);
	for (size_t i = 0; i < out.len; i++) {
		assert(out.data[i] >= ' ' && out.data[i] < 0x7f && out.data[i] != '\\');
		quotes += out.data[i] == '"';
	}
	assert(quotes == 2);
	assert(strchr(media_type_of(path), '/'));
}

static void from_url(struct view text)
{
	CLEANUP(buf_done) struct buf out = {0};
	bool folder = false;
	int rc = path_from_url(text, &out, &folder);

	assert(rc == 0 || rc == E_INVALID);
	if (rc)
		return;
	assert(out.len <= text.len + 1);
	check_path(view_buf(&out));
	check_again(view_buf(&out));
}

static void from_reference(struct view text)
{
	struct view rest = {0};
	int rc = path_from_reference(text, view_text("files.example:8443"), &rest);

	assert(rc == 0 || rc == E_INVALID);
	if (rc)
		return;
	assert(rest.len && rest.data > text.data);
	assert(rest.data + rest.len == text.data + text.len);
	assert(!memchr(rest.data, '?', rest.len) && !memchr(rest.data, '#', rest.len));
	from_url(rest);
}

static void from_query(struct view text)
{
	static const char *const names[] = {"path", "mkdir", "p", ""};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		bool there = false;
		int rc = query_find(text, names[i], &out, &there);
		assert(rc == 0 || (rc == E_INVALID && there));
		assert(out.len <= text.len && (there || !out.len));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct view text = view_of(data, len);

	from_url(text);
	from_reference(text);
	from_query(text);
	check_disposition(text);
	err_clear();
	return 0;
}
