/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/line.h"

#include "base/mem.h"
#include "base/text.h"

/* 32 bytes in base64; looked at first, so that no long line is decoded in vain. */
enum { HASH_TEXT_LEN = (TLOG_HASH_SIZE + 2) / 3 * 4 };

bool tlog_line_take(struct view *rest, struct view *ret_line)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;

	if (!end)
		return false;
	*ret_line = view_of(rest->data, (size_t)(end - rest->data));
	*rest = view_of(end + 1, rest->len - ret_line->len - 1);
	return true;
}

bool tlog_line_skip(struct view *line, const char *text)
{
	size_t len = strlen(text);

	if (line->len < len || memcmp(line->data, text, len) != 0)
		return false;
	*line = view_of(line->data + len, line->len - len);
	return true;
}

int tlog_line_number(struct view line, uint64_t *ret_number)
{
	uint64_t n = 0;

	if (line.len == 0 || (line.len > 1 && line.data[0] == '0'))
		return fail(E_INVALID, "a number that is empty or has a leading zero");
	for (size_t i = 0; i < line.len; i++) {
		uint8_t digit = (uint8_t)(line.data[i] - '0');
		if (digit > 9)
			return fail(E_INVALID, "a number that is not decimal");
		if (n > (TLOG_SIZE_MAX - digit) / 10)
			return fail(E_INVALID, "a number out of range");
		n = n * 10 + digit;
	}
	*ret_number = n;
	return 0;
}

int tlog_line_hash(struct view line, struct tlog_hash *ret_hash)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int rc = line.len == HASH_TEXT_LEN ? base64_decode(line, BASE64_PADDED, &bytes)
					   : fail(E_INVALID, "a hash of the wrong length");

	if (!rc && bytes.len != TLOG_HASH_SIZE)
		rc = fail(E_INVALID, "a hash of the wrong length");
	if (!rc)
		memcpy(ret_hash, bytes.data, TLOG_HASH_SIZE);
	return rc;
}

int tlog_line_add_hash(struct buf *out, const struct tlog_hash *hash)
{
	int rc = base64_encode(view_of(hash, sizeof *hash), BASE64_PADDED, out);

	return rc ? rc : buf_add(out, "\n", 1);
}
