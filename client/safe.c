/* SPDX-License-Identifier: Apache-2.0 */
#include "client/safe.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"

/* How long the well-formed character is that text begins with; 0: there is none. */
static size_t character(struct view text, uint32_t *ret_code)
{
	uint8_t first = text.data[0];
	size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t code = len == 1 ? first : first & (0x7fU >> len);

	if (len > text.len || !utf8_valid(view_of(text.data, len)))
		return 0;
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (text.data[i] & 0x3fU);
	*ret_code = code;
	return len;
}

/* Controls; line and paragraph separators; what embeds, overrides or isolates directions. */
static bool is_harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff ||
	       (code >= 0xe0000 && code <= 0xe007f);
}

/* The longest form of one byte is "\xNN", of one character "\u{10ffff}". */
enum { LONGEST = 10 };

char *safe_view(struct view text)
{
	char *out = mem_new(text.len * LONGEST + 1);
	size_t used = 0;

	while (text.len) {
		uint32_t code = 0;
		size_t len = character(text, &code);
		int n = 0;

		if (len == 0)
			n = snprintf(out + used, LONGEST + 1, "\\x%02x", text.data[0]);
		else if (is_harmful(code))
			n = snprintf(out + used, LONGEST + 1, code < 0x80 ? "\\x%02x" : "\\u{%x}",
				     code);
		else
			memcpy(out + used, text.data, len);
		used += n > 0 ? (size_t)n : len;
		len = len ? len : 1;
		text = view_of(text.data + len, text.len - len);
	}
	out[used] = '\0';
	return out;
}

char *safe_text(const char *text)
{
	return safe_view(view_text(text));
}
