/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_tus.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

static const struct view *only(const struct http_head *h, const char *field, bool *ret_twice)
{
	const struct view *v = head_find_field(h, field);

	*ret_twice = v && head_next_field(h, field, v);
	return v;
}

bool tus_speaks(const struct http_head *h)
{
	bool twice;
	const struct view *v = only(h, "tus-resumable", &twice);

	return v && !twice && view_is(*v, TUS_VERSION);
}

int tus_number(const struct http_head *h, const char *field, uint64_t *ret_number, bool *ret_there)
{
	bool twice;
	const struct view *v = only(h, field, &twice);
	uint64_t n = 0;

	*ret_there = v;
	if (!v)
		return 0;
	if (twice || !v->len || v->len > 18)
		return fail(E_INVALID, "%s is no number", field);
	for (size_t i = 0; i < v->len; i++) {
		if (v->data[i] < '0' || v->data[i] > '9')
			return fail(E_INVALID, "%s is no number", field);
		n = n * 10 + (uint64_t)(v->data[i] - '0');
	}
	*ret_number = n;
	return 0;
}

/* "key value", separated by commas; the value in base64, or none. */
int tus_metadata(const struct http_head *h, const char *key, struct buf *out, bool *ret_there)
{
	bool twice;
	const struct view *v = only(h, "upload-metadata", &twice);
	size_t key_len = strlen(key);

	*ret_there = false;
	if (!v)
		return 0;
	if (twice)
		return fail(E_INVALID, "two fields Upload-Metadata");
	for (size_t at = 0; at < v->len;) {
		const uint8_t *comma = memchr(v->data + at, ',', v->len - at);
		size_t end = comma ? (size_t)(comma - v->data) : v->len, next = end + 1;
		while (at < end && v->data[at] == ' ')
			at++;
		while (end > at && v->data[end - 1] == ' ')
			end--;
		struct view pair = view_of(v->data + at, end - at);
		at = next;
		if (pair.len < key_len || memcmp(pair.data, key, key_len) != 0 ||
		    (pair.len > key_len && pair.data[key_len] != ' '))
			continue;
		if (*ret_there)
			return fail(E_INVALID, "Upload-Metadata has %s twice", key);
		*ret_there = true;
		size_t skip = pair.len > key_len ? key_len + 1 : key_len;
		if (base64_decode(view_of(pair.data + skip, pair.len - skip), BASE64_PADDED, out)) {
			err_clear();
			return fail(E_INVALID, "Upload-Metadata: the value of %s is not base64",
				    key);
		}
	}
	return 0;
}

int tus_checksum(const struct http_head *h, uint8_t ret_sha256[WIRE_HASH], bool *ret_there)
{
	static const char name[] = "sha256 ";
	size_t len = sizeof name - 1;
	CLEANUP(buf_done) struct buf bytes = {0};
	bool twice;
	const struct view *v = only(h, "upload-checksum", &twice);

	*ret_there = v;
	if (!v)
		return 0;
	if (twice || v->len < len || memcmp(v->data, name, len) != 0 ||
	    base64_decode(view_of(v->data + len, v->len - len), BASE64_PADDED, &bytes) ||
	    bytes.len != WIRE_HASH) {
		err_clear();
		return fail(E_INVALID, "Upload-Checksum must be: sha256 BASE64");
	}
	memcpy(ret_sha256, bytes.data, WIRE_HASH);
	return 0;
}

int tus_ticket(struct view text, uint8_t ret_ticket[WIRE_ID])
{
	for (size_t i = 0; i < text.len; i++)
		if (!(text.data[i] >= '0' && text.data[i] <= '9') &&
		    !(text.data[i] >= 'a' && text.data[i] <= 'f'))
			return E_GONE;
	if (text.len != 2 * (size_t)WIRE_ID || hex_decode(text, ret_ticket, WIRE_ID)) {
		err_clear();
		return E_GONE;
	}
	return 0;
}
