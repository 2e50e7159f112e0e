/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void hex_encode(const void *bytes, size_t len, char *ret_text)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < len; i++) {
		*ret_text++ = hex_digits[b[i] >> 4];
		*ret_text++ = hex_digits[b[i] & 15];
	}
	*ret_text = '\0';
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(struct view text, void *ret_bytes, size_t len)
{
	uint8_t *out = ret_bytes;

	if (text.len != 2 * len)
		return fail(E_INVALID, "not %zu hexadecimal digits", 2 * len);
	for (size_t i = 0; i < text.len; i++)
		if (hex_value(text.data[i]) < 0)
			return fail(E_INVALID, "not hexadecimal");
	for (size_t i = 0; i < len; i++)
		out[i] =
		    (uint8_t)(hex_value(text.data[2 * i]) << 4 | hex_value(text.data[2 * i + 1]));
	return 0;
}

int base64_encode(struct view bytes, enum base64_padding padding, struct buf *out)
{
	int rc = buf_reserve(out, (bytes.len + 2) / 3 * 4);

	if (rc)
		return rc;
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		if (n > 1)
			group |= (uint32_t)bytes.data[i + 1] << 8;
		if (n > 2)
			group |= bytes.data[i + 2];
		for (size_t k = 0; k < 4; k++) {
			if (k <= n)
				out->data[out->len++] =
				    (uint8_t)base64_digits[group >> (18 - 6 * k) & 63];
			else if (padding == BASE64_PADDED)
				out->data[out->len++] = '=';
		}
	}
	return 0;
}

static int base64_value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* 2 to 4 digits make 1 to 3 bytes; bits left over must be zero. */
static int decode_group(const uint8_t *digits, size_t n, struct buf *out)
{
	uint32_t group = 0;

	if (n == 1)
		return fail(E_INVALID, "base64 of impossible length");
	for (size_t k = 0; k < 4; k++) {
		int v = k < n ? base64_value(digits[k]) : 0;
		if (v < 0)
			return fail(E_INVALID, "a character that is not base64");
		group = group << 6 | (uint32_t)v;
	}
	if ((n == 2 && group & 0xffff) || (n == 3 && group & 0xff))
		return fail(E_INVALID, "base64 is not canonical");

	uint8_t bytes[3] = {(uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
	return buf_add(out, bytes, n - 1);
}

int base64_decode(struct view text, enum base64_padding padding, struct buf *out)
{
	size_t len = text.len, before = out->len;

	if (padding == BASE64_PADDED) {
		if (len % 4)
			return fail(E_INVALID, "base64 without its padding");
		for (int i = 0; i < 2 && len && text.data[len - 1] == '='; i++)
			len--;
	}
	for (size_t i = 0; i < len; i += 4) {
		int rc = decode_group(text.data + i, len - i < 4 ? len - i : 4, out);
		if (rc) {
			out->len = before;
			return rc;
		}
	}
	return 0;
}

/* Length of the well-formed sequence at the start of t, or 0; its code point in *ret_code. */
static size_t utf8_sequence(struct view t, uint32_t *ret_code)
{
	uint8_t lead = t.data[0];
	size_t len = lead < 0x80   ? 1
		     : lead < 0xc2 ? 0
		     : lead < 0xe0 ? 2
		     : lead < 0xf0 ? 3
		     : lead < 0xf5 ? 4
				   : 0;

	if (len == 0 || len > t.len)
		return 0;
	uint32_t code = len == 1 ? lead : lead & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((t.data[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (t.data[i] & 0x3f);
	}
	if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
	    (len == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	*ret_code = code;
	return len;
}

bool utf8_valid(struct view text)
{
	while (text.len) {
		uint32_t code;
		size_t n = utf8_sequence(text, &code);
		if (!n)
			return false;
		text = view_of(text.data + n, text.len - n);
	}
	return true;
}

bool utf8_has_control(struct view text)
{
	while (text.len) {
		uint32_t code = 0;
		size_t n = utf8_sequence(text, &code);
		if (!n || code < 0x20 || (code >= 0x7f && code < 0xa0))
			return true;
		text = view_of(text.data + n, text.len - n);
	}
	return false;
}
