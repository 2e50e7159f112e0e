/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/sample.h"

#include "base/mem.h"

/* The build makes string literals of the lines of conf/dropkeepd.conf. */
static const char sample[] =
#include "daemon/ctl/sample_text.inc"
    ;

int sample_begin(struct buf *out)
{
	return buf_add(out, sample, sizeof sample - 1);
}

/* Behind text, wherever it stands at the beginning of a line; NULL: nowhere. */
static const char *find_line(const char *from, const char *text)
{
	const char *at = from;

	while ((at = strstr(at, text)) && at != from && at[-1] != '\n')
		at++;
	return at;
}

int sample_set(struct buf *text, const char *section, const char *key, const char *value)
{
	CLEANUP(mem_free) char *head = mem_printf("[%s]\n", section);
	CLEANUP(mem_free) char *line = mem_printf("#%s =", key);
	CLEANUP(buf_done) struct buf changed = {0};
	const char *all = "";
	int rc = buf_text(text, &all);

	if (rc)
		return rc;
	const char *in = find_line(all, head);
	const char *at = in ? find_line(in, line) : NULL;
	const char *next = in ? find_line(in + 1, "[") : NULL;
	if (!at || (next && next < at))
		return fail(E_INVALID, "the sample has no key %s in [%s]", key, section);
	const char *end = strchr(at, '\n');
	rc = buf_printf(&changed, "%.*s%s = %s%s", (int)(at - all), all, key, value,
			end ? end : "\n");
	if (rc)
		return rc;
	buf_done(text);
	*text = changed;
	changed = (struct buf){0};
	return 0;
}
