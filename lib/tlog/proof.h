/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof: evidence, to be kept and verified offline, that a log holds a leaf (C2SP
 * tlog-proof): the leaf's index, its inclusion proof, and a signed checkpoint; with extra
 * data of the application's own, which nothing authenticates.
 *
 * A proof that was parsed is well-formed and proves nothing. tlog_proof_verify() does, for
 * a leaf hash that the caller has computed from what it believes to be the record.
 */
#ifndef DROPKEEP_TLOG_PROOF_H
#define DROPKEEP_TLOG_PROOF_H

#include "tlog/checkpoint.h"

enum {
	TLOG_EXTRA_MAX = 1 << 20, /* bytes of extra data */
	TLOG_PROOF_MAX =
	    (TLOG_EXTRA_MAX + 2) / 3 * 4 + TLOG_NOTE_MAX + 4096, /* bytes of a whole proof */
};

struct tlog_proof {
	struct buf extra; /* empty when there is none; owned */
	uint64_t index;
	struct tlog_path path;
	struct view note;                  /* the signed checkpoint, verbatim */
	struct tlog_checkpoint checkpoint; /* what it says */
};

/* Append a whole proof. extra may be empty; note is a signed checkpoint. E_INVALID for what
 * tlog_proof_parse() would refuse. */
MUST_USE int tlog_proof_write(struct view extra, uint64_t index, const struct tlog_path *path,
			      struct view note, struct buf *out);

/* E_INVALID unless it is a proof in every detail, E_LIMIT beyond the limits above. The views
 * of ret_proof borrow from proof; tlog_proof_done() frees the rest. */
MUST_USE int tlog_proof_parse(struct view proof, struct tlog_proof *ret_proof);

/*
 * 0 when a key that is trusted to speak for this origin has signed the checkpoint and the
 * leaf is at p->index in the tree of that checkpoint, which then is *p->checkpoint. Else
 * E_INTEGRITY.
 */
MUST_USE int tlog_proof_verify(const struct tlog_proof *p, const struct tlog_hash *leaf,
			       struct view origin, struct tlog_verifier *const *known,
			       size_t n_known);

void tlog_proof_done(struct tlog_proof *p);

#endif
