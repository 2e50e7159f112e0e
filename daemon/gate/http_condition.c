/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_condition.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/gate/http_date.h"

void etag_write(const uint8_t sha256[WIRE_HASH], char ret_text[ETAG])
{
	ret_text[0] = '"';
	hex_encode(sha256, WIRE_HASH, ret_text + 1);
	memcpy(ret_text + ETAG - 2, "\"", 2);
}

void digest_write(const uint8_t sha256[WIRE_HASH], char ret_text[DIGEST_TEXT])
{
	CLEANUP(buf_done) struct buf b = {0};
	const char *text = "";

	if (base64_encode(view_of(sha256, WIRE_HASH), BASE64_PADDED, &b) || buf_text(&b, &text))
		text = "";
	(void)snprintf(ret_text, DIGEST_TEXT, "sha-256=:%s:", text);
}

/* ---- lists of entity tags ---- */

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == ',';
}

/* The next tag of a list, with its quotes; false at its end. weak: it began with W/. bad: what is
 * left is no list of tags. */
static bool next_tag(struct view *list, struct view *ret_tag, bool *ret_weak, bool *bad)
{
	while (list->len && blank(*list->data))
		*list = view_of(list->data + 1, list->len - 1);
	if (!list->len)
		return false;
	*ret_weak = list->len > 2 && memcmp(list->data, "W/", 2) == 0;
	size_t from = *ret_weak ? 2 : 0;
	const uint8_t *end = from < list->len && list->data[from] == '"'
				 ? memchr(list->data + from + 1, '"', list->len - from - 1)
				 : NULL;
	if (!end) {
		*bad = true;
		return false;
	}
	size_t len = (size_t)(end - list->data) + 1;
	*ret_tag = view_of(list->data + from, len - from);
	*list = view_of(list->data + len, list->len - len);
	return true;
}

/* Whether a field's lists have the tag; "*" has it. strong: weak ones do not count. */
static bool has_tag(const struct http_head *h, const char *field, const char *tag, bool strong)
{
	const struct view *v = NULL;
	struct view found;
	bool weak, bad = false;

	while ((v = head_next_field(h, field, v))) {
		struct view list = *v;
		if (view_is(list, "*"))
			return true;
		while (next_tag(&list, &found, &weak, &bad))
			if (view_is(found, tag) && !(strong && weak))
				return true;
	}
	return false;
}

static bool date_of(const struct http_head *h, const char *field, int64_t now_s, int64_t *ret)
{
	const struct view *v = head_find_field(h, field);

	return v && !head_next_field(h, field, v) && date_read(*v, now_s, ret) == 0;
}

unsigned condition_of_get(const struct http_head *h, const struct representation *r, int64_t now_s)
{
	char tag[ETAG];
	int64_t when;

	etag_write(r->sha256, tag);
	if (head_find_field(h, "if-match")) {
		if (!has_tag(h, "if-match", tag, true))
			return 412;
	} else if (date_of(h, "if-unmodified-since", now_s, &when) && r->mtime_s > when) {
		return 412;
	}
	if (head_find_field(h, "if-none-match"))
		return has_tag(h, "if-none-match", tag, false) ? 304 : 0;
	return date_of(h, "if-modified-since", now_s, &when) && r->mtime_s <= when ? 304 : 0;
}

/* ---- ranges ---- */

static bool take_number(struct view *v, uint64_t *ret)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < v->len && v->data[i] >= '0' && v->data[i] <= '9'; i++) {
		if (n > (UINT64_MAX - 9) / 10)
			n = UINT64_MAX / 10 - 1; /* beyond every file */
		n = n * 10 + (uint64_t)(v->data[i] - '0');
	}
	*v = view_of(v->data + i, v->len - i);
	*ret = n;
	return i > 0;
}

enum range_says { RANGE_NONE, RANGE_GOOD, RANGE_OUTSIDE };

/* One range of bytes; several, and what is none, are as if they were not there. */
static enum range_says read_range(struct view v, uint64_t size, struct range *ret)
{
	static const char unit[] = "bytes=";
	size_t len = sizeof unit - 1;
	uint64_t first = 0, last = 0;

	if (v.len < len || strncasecmp((const char *)v.data, unit, len) != 0)
		return RANGE_NONE;
	v = view_of(v.data + len, v.len - len);
	bool from = take_number(&v, &first);
	if (!v.len || *v.data != '-')
		return RANGE_NONE;
	v = view_of(v.data + 1, v.len - 1);
	bool to = take_number(&v, &last);
	if (v.len || (!from && !to) || (from && to && last < first))
		return RANGE_NONE;
	if (!from) { /* the last so many */
		first = last < size ? size - last : 0;
		if (!last || !size)
			return RANGE_OUTSIDE;
		last = size - 1;
	} else if (first >= size) {
		return RANGE_OUTSIDE;
	} else if (!to || last >= size) {
		last = size - 1;
	}
	*ret = (struct range){first, last - first + 1, true};
	return RANGE_GOOD;
}

/* RFC 9110, section 13.1.5: exactly this representation, or all of the present one. */
static bool if_range(const struct http_head *h, const struct representation *r)
{
	const struct view *v = head_find_field(h, "if-range");
	char tag[ETAG], date[HTTP_DATE];

	if (!v)
		return true;
	etag_write(r->sha256, tag);
	date_write(r->mtime_s, date);
	return view_is(*v, tag) || (date[0] && view_is(*v, date));
}

bool range_of_get(const struct http_head *h, const struct representation *r, int64_t now_s,
		  struct range *ret_range)
{
	const struct view *v = head_find_field(h, "range");

	(void)now_s;
	*ret_range = (struct range){0, r->size, false};
	if (!v || h->method != METHOD_GET || head_next_field(h, "range", v) || !if_range(h, r))
		return true;
	return read_range(*v, r->size, ret_range) != RANGE_OUTSIDE;
}

/* ---- what a PUT says ---- */

/* Of no content that anybody knows. */
static const uint8_t nobodys[WIRE_HASH];

/* Tags that are none of ours make one hash together: what goes to the keep is no longer than what
 * came. */
static int add_hash(struct view tag, bool weak, bool *foreign, struct buf *out)
{
	uint8_t hash[WIRE_HASH];

	if (!weak && tag.len == ETAG - 1 &&
	    !hex_decode(view_of(tag.data + 1, tag.len - 2), hash, sizeof hash))
		return buf_add(out, hash, sizeof hash);
	err_clear();
	if (*foreign)
		return 0;
	*foreign = true;
	return buf_add(out, nobodys, sizeof nobodys);
}

int conditions_of_put(const struct http_head *h, struct buf *ret_hashes, bool *ret_any,
		      bool *ret_fresh)
{
	const struct view *v = head_find_field(h, "if-none-match");
	struct view tag;
	bool weak, bad = false, foreign = false;
	int rc = 0;

	*ret_any = *ret_fresh = false;
	if (v && !view_is(*v, "*"))
		return fail(E_INVALID, "If-None-Match of a PUT must be *");
	*ret_fresh = v;
	for (v = NULL; !rc && (v = head_next_field(h, "if-match", v));) {
		struct view list = *v;
		if (view_is(list, "*"))
			*ret_any = true;
		else
			while (!rc && next_tag(&list, &tag, &weak, &bad))
				rc = add_hash(tag, weak, &foreign, ret_hashes);
	}
	/* A list that allows nothing is not as if it had not been sent. */
	if (!rc && (bad || (head_find_field(h, "if-match") && !*ret_any && !ret_hashes->len)))
		rc = fail(E_INVALID, "If-Match is no list of entity tags");
	return rc;
}

/* A dictionary of byte sequences (RFC 8941): "sha-256=:base64:, sha-512=:base64:". */
static int find_digest(struct view v, uint8_t ret[WIRE_HASH], bool *there)
{
	static const char name[] = "sha-256=:";
	size_t len = sizeof name - 1;

	for (size_t at = 0; at < v.len;) {
		while (at < v.len && blank(v.data[at]))
			at++;
		const uint8_t *comma = memchr(v.data + at, ',', v.len - at);
		size_t end = comma ? (size_t)(comma - v.data) : v.len, next = end + 1;
		while (end > at && blank(v.data[end - 1]))
			end--;
		struct view one = view_of(v.data + at, end - at);
		at = next;
		if (one.len < len || memcmp(one.data, name, len) != 0)
			continue;
		CLEANUP(buf_done) struct buf bytes = {0};
		if (one.data[one.len - 1] != ':' || one.len < len + 1 ||
		    base64_decode(view_of(one.data + len, one.len - len - 1), BASE64_PADDED,
				  &bytes) ||
		    bytes.len != WIRE_HASH) {
			err_clear();
			return fail(E_INVALID, "a digest that is no SHA-256");
		}
		if (*there && memcmp(ret, bytes.data, WIRE_HASH) != 0)
			return fail(E_INVALID, "two digests that contradict each other");
		memcpy(ret, bytes.data, WIRE_HASH);
		*there = true;
	}
	return 0;
}

int digest_of_put(const struct http_head *h, uint8_t ret_sha256[WIRE_HASH], bool *ret_there)
{
	static const char *const fields[] = {"content-digest", "repr-digest"};
	int rc = 0;

	*ret_there = false;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (const struct view *v = NULL; !rc && (v = head_next_field(h, fields[i], v));)
			rc = find_digest(*v, ret_sha256, ret_there);
	return rc;
}
