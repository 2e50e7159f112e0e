/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/safe_json.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

json_t *safe_text(struct view text)
{
	if (utf8_valid(text))
		return json_stringn(text.len ? (const char *)text.data : "", text.len);
	CLEANUP(mem_free) char *safe = mem_text_n(text.data, text.len);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] >= 0x80)
			safe[i] = '?';
	return json_stringn(safe, text.len);
}

json_int_t safe_count(uint64_t n)
{
	return n <= INT64_MAX ? (json_int_t)n : INT64_MAX;
}

json_t *safe_words(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		size_t len = strcspn(text, " ");
		json_array_append_new(list, safe_text(view_of(text, len)));
		text += len + (text[len] == ' ');
	}
	return list;
}
