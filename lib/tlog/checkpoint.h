/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint: what a log signs: its origin, size and root hash (C2SP tlog-checkpoint).
 *
 * A checkpoint that was parsed is a claim; one that was opened is the claim of a known key.
 * Views in a struct tlog_checkpoint borrow from what was parsed.
 */
#ifndef DROPKEEP_TLOG_CHECKPOINT_H
#define DROPKEEP_TLOG_CHECKPOINT_H

#include "tlog/note.h"
#include "tlog/tree.h"

struct tlog_checkpoint {
	struct view origin; /* which log */
	uint64_t size;      /* leaves; at most TLOG_SIZE_MAX */
	struct tlog_hash root;
	struct view extensions; /* lines with their newlines; for most logs there are none */
};

/* Append the text of a note. E_INVALID for what tlog_checkpoint_parse() would refuse. */
MUST_USE int tlog_checkpoint_write(const struct tlog_checkpoint *c, struct buf *out);

/* Parse the text of a note. E_INVALID unless it is a checkpoint in every detail. */
MUST_USE int tlog_checkpoint_parse(struct view text, struct tlog_checkpoint *ret_checkpoint);

/* Append the whole signed note. The key's name should be the origin. */
MUST_USE int tlog_checkpoint_sign(const struct tlog_checkpoint *c, const struct tlog_signer *by,
				  struct buf *out);

/* From a note signed by a key that is trusted to speak for this origin. E_INTEGRITY when
 * signatures or origin are not what they must be. */
MUST_USE int tlog_checkpoint_open(struct view note, struct view origin,
				  struct tlog_verifier *const *known, size_t n_known,
				  struct tlog_checkpoint *ret_checkpoint);

#endif
