/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/checkpoint.h"

#include "base/mem.h"
#include "tlog/line.h"

static int bad_checkpoint(const char *why)
{
	return fail(E_INVALID, "not a checkpoint: %s", why);
}

/* "Extension lines, if any, MUST be non-empty." */
static bool extensions_valid(struct view rest)
{
	struct view line = {0};

	while (tlog_line_take(&rest, &line))
		if (line.len == 0)
			return false;
	return rest.len == 0;
}

int tlog_checkpoint_parse(struct view text, struct tlog_checkpoint *ret_checkpoint)
{
	struct tlog_checkpoint c = {.size = 0};
	struct view rest = text, size = {0}, root = {0};

	if (!tlog_line_take(&rest, &c.origin) || !tlog_line_take(&rest, &size) ||
	    !tlog_line_take(&rest, &root))
		return bad_checkpoint("fewer than three lines");
	if (c.origin.len == 0)
		return bad_checkpoint("no origin");
	if (tlog_line_number(size, &c.size))
		return bad_checkpoint("its size");
	int rc = tlog_line_hash(root, &c.root);
	if (rc)
		return rc == E_INVALID ? bad_checkpoint("its root hash") : rc;
	if (!extensions_valid(rest))
		return bad_checkpoint("its extension lines");
	c.extensions = rest;
	*ret_checkpoint = c;
	return 0;
}

static int write_lines(const struct tlog_checkpoint *c, struct buf *out)
{
	int rc = buf_add(out, c->origin.data, c->origin.len);

	if (!rc)
		rc = buf_printf(out, "\n%llu\n", (unsigned long long)c->size);
	if (!rc)
		rc = tlog_line_add_hash(out, &c->root);
	return rc ? rc : buf_add(out, c->extensions.data, c->extensions.len);
}

int tlog_checkpoint_write(const struct tlog_checkpoint *c, struct buf *out)
{
	struct tlog_checkpoint again = {.size = 0};
	size_t before = out->len;
	int rc = write_lines(c, out);

	/* What is written is read back: the strict reader alone says what a checkpoint is. */
	if (!rc)
		rc = tlog_checkpoint_parse(view_of(out->data + before, out->len - before), &again);
	if (!rc && !view_equal(again.origin, c->origin))
		rc = bad_checkpoint("a newline in its origin");
	if (rc)
		out->len = before;
	return rc;
}

int tlog_checkpoint_sign(const struct tlog_checkpoint *c, const struct tlog_signer *by,
			 struct buf *out)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc = tlog_checkpoint_write(c, &text);

	return rc ? rc : tlog_note_sign(view_buf(&text), by, out);
}

int tlog_checkpoint_open(struct view note, struct view origin, struct tlog_verifier *const *known,
			 size_t n_known, struct tlog_checkpoint *ret_checkpoint)
{
	struct tlog_note opened = {.n_signatures = 0};
	struct tlog_checkpoint c = {.size = 0};
	int rc = tlog_note_open(note, known, n_known, &opened);

	if (!rc)
		rc = tlog_checkpoint_parse(opened.text, &c);
	if (!rc && !view_equal(c.origin, origin))
		rc = fail(E_INTEGRITY, "a checkpoint of another origin");
	if (!rc)
		*ret_checkpoint = c;
	return rc;
}
