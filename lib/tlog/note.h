/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note: text signed by one or more keys (C2SP signed-note): the text, an empty line, then
 * a line for each signature.
 *
 * What tlog_note_parse() gives is well-formed and believed by nobody. Only
 * tlog_note_open() answers whether a known key signed the text: nothing else may.
 * Views in a struct tlog_note borrow from the bytes that were parsed.
 */
#ifndef DROPKEEP_TLOG_NOTE_H
#define DROPKEEP_TLOG_NOTE_H

#include "tlog/key.h"

enum {
	TLOG_NOTE_MAX = 1 << 20,  /* bytes; post-quantum signatures are long */
	TLOG_SIGNATURES_MAX = 64, /* a reader must take 16 at least */
};

struct tlog_signature {
	struct view name;
	uint32_t id;
	struct view base64;             /* of id || signature; at least one byte of signature */
	const struct tlog_verifier *by; /* whose signature it is, verified; NULL: not known */
};

struct tlog_note {
	struct view text; /* with its last newline, as it was signed */
	size_t n_signatures;
	struct tlog_signature signature[TLOG_SIGNATURES_MAX];
};

/* E_INVALID unless it is a note in every detail; E_LIMIT beyond the limits above. */
MUST_USE int tlog_note_parse(struct view note, struct tlog_note *ret_note);

/*
 * Parse and verify. Signatures of unknown keys are passed over. E_INTEGRITY when none is of
 * a known key, and when one of a known key does not verify, whatever the others say.
 */
MUST_USE int tlog_note_open(struct view note, struct tlog_verifier *const *known, size_t n_known,
			    struct tlog_note *ret_note);

/* Append the whole note. E_INVALID for a text that cannot be signed: not UTF-8, with control
 * characters other than newline, or not ending in one. text must not lie in out. */
MUST_USE int tlog_note_sign(struct view text, const struct tlog_signer *by, struct buf *out);

/* Append one more line to a note that holds text; text may lie in out. */
MUST_USE int tlog_note_add_signature(struct view text, const struct tlog_signer *by,
				     struct buf *out);

#endif
