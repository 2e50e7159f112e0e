/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/proof.h"

#include "base/mem.h"
#include "base/text.h"
#include "tlog/line.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

/* An inclusion proof in a tree of at most TLOG_SIZE_MAX leaves. */
enum { HASHES_MAX = 63 };

/* In base64. Up to two bytes more than TLOG_EXTRA_MAX fit, which does no harm. */
enum { EXTRA_TEXT_MAX = (TLOG_EXTRA_MAX + 2) / 3 * 4 };

static int bad_proof(const char *why)
{
	return fail(E_INVALID, "not a log proof: %s", why);
}

static int parse_extra(struct view line, struct tlog_proof *p)
{
	if (line.len > EXTRA_TEXT_MAX)
		return fail(E_LIMIT, "a log proof with more than %d bytes of extra data",
			    TLOG_EXTRA_MAX);
	int rc = base64_decode(line, BASE64_PADDED, &p->extra);
	if (rc)
		return rc == E_INVALID ? bad_proof("its extra data is not base64") : rc;
	/* "If no extra data is present, this line is omitted." */
	return p->extra.len ? 0 : bad_proof("an empty line of extra data");
}

static int parse_head(struct view *rest, struct tlog_proof *p)
{
	struct view line = {0};
	int rc = 0;

	if (!tlog_line_take(rest, &line) || !view_is(line, FIRST_LINE))
		return bad_proof("its first line");
	if (!tlog_line_take(rest, &line))
		return bad_proof("no index");
	if (tlog_line_skip(&line, "extra ")) {
		rc = parse_extra(line, p);
		if (!rc && !tlog_line_take(rest, &line))
			rc = bad_proof("no index");
	}
	if (rc)
		return rc;
	if (!tlog_line_skip(&line, "index ") || tlog_line_number(line, &p->index))
		return bad_proof("its index");
	return 0;
}

/* Up to the empty line that ends them. */
static int parse_hashes(struct view *rest, struct tlog_proof *p)
{
	struct view line = {0};

	for (;;) {
		if (!tlog_line_take(rest, &line))
			return bad_proof("no checkpoint");
		if (line.len == 0)
			return 0;
		if (p->path.len == HASHES_MAX)
			return bad_proof("too many hashes");
		int rc = tlog_line_hash(line, &p->path.hash[p->path.len]);
		if (rc)
			return rc == E_INVALID ? bad_proof("a hash") : rc;
		p->path.len++;
	}
}

static int parse_into(struct view proof, struct tlog_proof *p)
{
	struct tlog_note note = {.n_signatures = 0};
	struct view rest = proof;

	if (proof.len > TLOG_PROOF_MAX)
		return fail(E_LIMIT, "a log proof of more than %d bytes", TLOG_PROOF_MAX);
	int rc = parse_head(&rest, p);
	if (!rc)
		rc = parse_hashes(&rest, p);
	if (!rc)
		rc = tlog_note_parse(rest, &note);
	if (!rc)
		rc = tlog_checkpoint_parse(note.text, &p->checkpoint);
	p->note = rest;
	return rc;
}

int tlog_proof_parse(struct view proof, struct tlog_proof *ret_proof)
{
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	int rc = parse_into(proof, &p);

	if (rc)
		return rc;
	*ret_proof = p;
	p.extra = (struct buf){0}; /* it went with the copy */
	return 0;
}

static int write_lines(struct view extra, uint64_t index, const struct tlog_path *path,
		       struct view note, struct buf *out)
{
	int rc = buf_add_text(out, FIRST_LINE "\n");

	if (!rc && extra.len) {
		rc = buf_add_text(out, "extra ");
		if (!rc)
			rc = base64_encode(extra, BASE64_PADDED, out);
		if (!rc)
			rc = buf_add(out, "\n", 1);
	}
	if (!rc)
		rc = buf_printf(out, "index %llu\n", (unsigned long long)index);
	for (size_t i = 0; !rc && i < path->len; i++)
		rc = tlog_line_add_hash(out, &path->hash[i]);
	if (!rc)
		rc = buf_add(out, "\n", 1);
	return rc ? rc : buf_add(out, note.data, note.len);
}

int tlog_proof_write(struct view extra, uint64_t index, const struct tlog_path *path,
		     struct view note, struct buf *out)
{
	CLEANUP(tlog_proof_done) struct tlog_proof again = {.index = 0};
	size_t before = out->len;

	if (extra.len > TLOG_EXTRA_MAX || path->len > HASHES_MAX)
		return fail(E_LIMIT, "a log proof too large to be written");
	int rc = write_lines(extra, index, path, note, out);
	/* What is written is read back: the strict reader alone says what a proof is. */
	if (!rc)
		rc = tlog_proof_parse(view_of(out->data + before, out->len - before), &again);
	if (rc)
		out->len = before;
	return rc;
}

int tlog_proof_verify(const struct tlog_proof *p, const struct tlog_hash *leaf, struct view origin,
		      struct tlog_verifier *const *known, size_t n_known)
{
	struct tlog_checkpoint c = {.size = 0};
	int rc = tlog_checkpoint_open(p->note, origin, known, n_known, &c);

	return rc ? rc : tlog_verify_inclusion(leaf, p->index, c.size, &c.root, &p->path);
}

void tlog_proof_done(struct tlog_proof *p)
{
	buf_done(&p->extra);
	*p = (struct tlog_proof){.index = 0};
}
