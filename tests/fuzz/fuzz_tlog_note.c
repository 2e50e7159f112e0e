/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tlog_note: arbitrary bytes as a signed note, and as a verifier key. Beside not
 * crashing, the parsers' promises about their answers are asserted.
 */
#include <assert.h>

#include "base/mem.h"
#include "tlog/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The key of the specification's example: some of the corpus is signed with it. */
static struct tlog_verifier *example_key(void)
{
	static struct tlog_verifier *known;

	if (!known) {
		int rc = tlog_verifier_parse(
		    view_text(
			"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"),
		    &known);
		assert(!rc);
	}
	return known;
}

static void check_key(struct view bytes)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	CLEANUP(buf_done) struct buf again = {0};
	int rc = tlog_verifier_parse(bytes, &v);

	assert(rc == 0 || rc == E_INVALID || rc == E_UNSUPPORTED);
	assert((rc == 0) == (v != NULL));
	if (v) {
		rc = tlog_verifier_text(v, &again);
		assert(rc == 0 && view_equal(view_buf(&again), bytes)); /* one form for each key */
	}
}

static void check_note(struct view bytes, const struct tlog_note *note)
{
	assert(note->text.data == bytes.data && note->text.len + 1 < bytes.len);
	assert(note->text.data[note->text.len - 1] == '\n' && bytes.data[note->text.len] == '\n');
	assert(note->n_signatures >= 1 && note->n_signatures <= TLOG_SIGNATURES_MAX);
	for (size_t i = 0; i < note->n_signatures; i++) {
		const struct tlog_signature *s = &note->signature[i];
		assert(s->by == NULL && tlog_key_name_valid(s->name) && s->base64.len >= 8);
		assert(s->name.data > note->text.data + note->text.len);
		assert(s->base64.data + s->base64.len < bytes.data + bytes.len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct tlog_note note, opened;
	struct tlog_verifier *known = example_key();
	struct view bytes = view_of(data, len);
	int rc = tlog_note_parse(bytes, &note);

	assert(rc == 0 || rc == E_INVALID || rc == E_LIMIT);
	if (rc == 0)
		check_note(bytes, &note);
	int verdict = tlog_note_open(bytes, &known, 1, &opened);
	assert(rc ? verdict == rc : verdict == 0 || verdict == E_INTEGRITY);
	check_key(bytes);
	err_clear();
	return 0;
}
