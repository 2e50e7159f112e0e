/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree: the Merkle tree of RFC 6962, section 2, over SHA-256: hashes, roots, inclusion and
 * consistency proofs, and their verification.
 *
 * Roots and proofs are computed from the hashes of complete subtrees, which a callback
 * gives; where these come from (tiles, memory, a download) is no business of this module.
 * Verification is pure: it needs the proof and nothing else, allocates nothing, and accepts
 * a proof only at its exact length. All arithmetic holds for every 64-bit size.
 * Nothing here is secret; comparisons need not take constant time.
 */
#ifndef DROPKEEP_TLOG_TREE_H
#define DROPKEEP_TLOG_TREE_H

#include <stdbool.h>

#include "base/buf.h"

enum {
	TLOG_HASH_SIZE = 32,
	TLOG_PATH_MAX = 65, /* a consistency proof has one hash for each of 64 levels, and one */
};

/* Sizes in checkpoints, proofs and tiles stay in what a signed 64-bit number holds, as do
 * other implementations and databases. The functions below do not need that. */
#define TLOG_SIZE_MAX ((uint64_t)INT64_MAX)

struct tlog_hash {
	uint8_t byte[TLOG_HASH_SIZE];
};

/* The hashes of a proof, in the order of RFC 6962: from the leaf's level upwards. */
struct tlog_path {
	size_t len;
	struct tlog_hash hash[TLOG_PATH_MAX];
};

/*
 * Where hashes come from: hash() gives that of the complete subtree `index` of 2^level
 * leaves, [index << level, (index + 1) << level). It is asked only for subtrees that lie
 * within the size that was named to the caller of this module.
 */
struct tlog_source {
	int (*hash)(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash);
	void *arg;
};

bool tlog_hash_equal(const struct tlog_hash *a, const struct tlog_hash *b);

/* SHA-256(0x00 || record), SHA-256(0x01 || left || right), SHA-256 of nothing. */
void tlog_leaf_hash(struct view record, struct tlog_hash *ret_hash);
void tlog_node_hash(const struct tlog_hash *left, const struct tlog_hash *right,
		    struct tlog_hash *ret_hash);
void tlog_empty_root(struct tlog_hash *ret_root);

/* MTH(D[size]); the empty root for size 0. */
MUST_USE int tlog_root(const struct tlog_source *from, uint64_t size, struct tlog_hash *ret_root);

/* PATH(index, D[size]), section 2.1.1. E_INVALID unless index < size. */
MUST_USE int tlog_prove_inclusion(const struct tlog_source *from, uint64_t index, uint64_t size,
				  struct tlog_path *ret_path);

/* PROOF(old_size, D[size]), section 2.1.2; empty for equal sizes and for old_size 0.
 * E_INVALID unless old_size <= size. */
MUST_USE int tlog_prove_consistency(const struct tlog_source *from, uint64_t old_size,
				    uint64_t size, struct tlog_path *ret_path);

/* 0 when the leaf is at index in the tree of that size and root; else E_INTEGRITY. */
MUST_USE int tlog_verify_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
				   const struct tlog_hash *root, const struct tlog_path *path);

/* 0 when the old tree is a prefix of the new one; else E_INTEGRITY. Every tree extends the
 * empty one, whose root must be the empty root. */
MUST_USE int tlog_verify_consistency(uint64_t old_size, const struct tlog_hash *old_root,
				     uint64_t size, const struct tlog_hash *root,
				     const struct tlog_path *path);

#endif
