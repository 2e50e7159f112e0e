/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/tree.h"

#include <assert.h>

#include "base/sha256.h"

_Static_assert((int)TLOG_HASH_SIZE == (int)SHA256_SIZE, "the tree is over SHA-256");
_Static_assert(sizeof(struct tlog_hash) == TLOG_HASH_SIZE, "hashes lie side by side in a tile");

/* RFC 6962, section 2.1: the first byte tells leaves from nodes. */
enum { LEAF_PREFIX = 0x00, NODE_PREFIX = 0x01 };

bool tlog_hash_equal(const struct tlog_hash *a, const struct tlog_hash *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

void tlog_leaf_hash(struct view record, struct tlog_hash *ret_hash)
{
	const uint8_t prefix = LEAF_PREFIX;
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, &prefix, 1);
	sha256_add(&h, record.data, record.len);
	sha256_now(&h, ret_hash->byte);
}

void tlog_node_hash(const struct tlog_hash *left, const struct tlog_hash *right,
		    struct tlog_hash *ret_hash)
{
	uint8_t bytes[1 + 2 * TLOG_HASH_SIZE] = {NODE_PREFIX};

	memcpy(bytes + 1, left, TLOG_HASH_SIZE);
	memcpy(bytes + 1 + TLOG_HASH_SIZE, right, TLOG_HASH_SIZE);
	sha256_of(view_of(bytes, sizeof bytes), ret_hash->byte);
}

void tlog_empty_root(struct tlog_hash *ret_root)
{
	sha256_of(view_of(NULL, 0), ret_root->byte);
}

/* floor(log2(n)), for n > 0. */
static unsigned log2_floor(uint64_t n)
{
	return 63u - (unsigned)__builtin_clzll(n);
}

/* The largest power of two below n, for n > 1: where RFC 6962 splits n leaves. */
static uint64_t split_of(uint64_t n)
{
	return (uint64_t)1 << log2_floor(n - 1);
}

/*
 * MTH(D[start : start + count]) of a range that RFC 6962's splitting ends in: start is a
 * multiple of every power of two up to count, so the range is a row of complete subtrees,
 * large to small. The last two are joined first, hence the stack.
 */
static int range_root(const struct tlog_source *from, uint64_t start, uint64_t count,
		      struct tlog_hash *ret_root)
{
	struct tlog_hash stack[64];
	size_t depth = 0;

	assert(count > 0);
	while (count) {
		unsigned level = log2_floor(count);
		int rc = from->hash(from->arg, level, start >> level, &stack[depth]);
		if (rc)
			return rc;
		depth++;
		start += (uint64_t)1 << level;
		count -= (uint64_t)1 << level;
	}
	for (; depth > 1; depth--)
		tlog_node_hash(&stack[depth - 2], &stack[depth - 1], &stack[depth - 2]);
	*ret_root = stack[0];
	return 0;
}

int tlog_root(const struct tlog_source *from, uint64_t size, struct tlog_hash *ret_root)
{
	if (size)
		return range_root(from, 0, size, ret_root);
	tlog_empty_root(ret_root);
	return 0;
}

static int path_add(const struct tlog_source *from, uint64_t start, uint64_t count,
		    struct tlog_path *path)
{
	int rc = range_root(from, start, count, &path->hash[path->len]);

	if (!rc)
		path->len++;
	return rc;
}

/* Proofs are found from the root down and written from the leaf up. */
static void path_take(struct tlog_path *downwards, struct tlog_path *ret_path)
{
	size_t n = downwards->len;

	for (size_t i = 0; i < n; i++)
		ret_path->hash[i] = downwards->hash[n - 1 - i];
	ret_path->len = n;
}

int tlog_prove_inclusion(const struct tlog_source *from, uint64_t index, uint64_t size,
			 struct tlog_path *ret_path)
{
	struct tlog_path path = {.len = 0};
	uint64_t start = 0, count = size;

	if (index >= size)
		return fail(E_INVALID, "no leaf %llu in a tree of %llu", (unsigned long long)index,
			    (unsigned long long)size);
	while (count > 1) {
		uint64_t left = split_of(count);
		bool is_left = index - start < left;
		int rc = is_left ? path_add(from, start + left, count - left, &path)
				 : path_add(from, start, left, &path);
		if (rc)
			return rc;
		start += is_left ? 0 : left;
		count = is_left ? left : count - left;
	}
	path_take(&path, ret_path);
	return 0;
}

int tlog_prove_consistency(const struct tlog_source *from, uint64_t old_size, uint64_t size,
			   struct tlog_path *ret_path)
{
	struct tlog_path path = {.len = 0};
	uint64_t start = 0, count = size;
	int rc = 0;

	if (old_size > size)
		return fail(E_INVALID, "a tree of %llu does not extend one of %llu",
			    (unsigned long long)size, (unsigned long long)old_size);
	if (old_size == 0)
		count = 0; /* nothing to prove, which RFC 6962 leaves open */
	while (!rc && start + count > old_size) {
		uint64_t left = split_of(count);
		bool in_left = old_size - start <= left;
		rc = in_left ? path_add(from, start + left, count - left, &path)
			     : path_add(from, start, left, &path);
		start += in_left ? 0 : left;
		count = in_left ? left : count - left;
	}
	/* SUBPROOF(m, D[m], true) is empty: the verifier has that root. It is the case when
	 * the descent never went right. */
	if (!rc && start > 0)
		rc = path_add(from, start, count, &path);
	if (!rc)
		path_take(&path, ret_path);
	return rc;
}

static int bad_proof(const char *what)
{
	return fail(E_INTEGRITY, "the %s proof does not verify", what);
}

/* RFC 9162, section 2.1.3.2, which says how to verify the proofs of RFC 6962. */
int tlog_verify_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
			  const struct tlog_hash *root, const struct tlog_path *path)
{
	if (index >= size || path->len > TLOG_PATH_MAX)
		return bad_proof("inclusion");

	struct tlog_hash r = *leaf;
	uint64_t fn = index,
		 sn = size - 1; /* this node's and the last node's index, level by level */
	for (size_t i = 0; i < path->len; i++) {
		if (sn == 0)
			return bad_proof("inclusion"); /* too long */
		if ((fn & 1) || fn == sn) {
			tlog_node_hash(&path->hash[i], &r, &r);
			/* A last node without a sibling moves up until it has one. */
			for (; !(fn & 1) && fn; sn >>= 1)
				fn >>= 1;
		} else {
			tlog_node_hash(&r, &path->hash[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && tlog_hash_equal(&r, root) ? 0 : bad_proof("inclusion");
}

/* Whether there is nothing to compute, and then the verdict on it. */
static bool consistency_is_trivial(uint64_t old_size, const struct tlog_hash *old_root,
				   uint64_t size, const struct tlog_hash *root,
				   const struct tlog_path *path, int *ret_verdict)
{
	struct tlog_hash empty;
	bool good;

	if (old_size && old_size < size)
		return false;
	tlog_empty_root(&empty);
	good = path->len == 0 && old_size <= size;
	if (good && old_size == size)
		good = tlog_hash_equal(old_root, root);
	if (good && old_size == 0)
		good = tlog_hash_equal(old_root, &empty);
	*ret_verdict = good ? 0 : bad_proof("consistency");
	return true;
}

/* RFC 9162, section 2.1.4.2. */
int tlog_verify_consistency(uint64_t old_size, const struct tlog_hash *old_root, uint64_t size,
			    const struct tlog_hash *root, const struct tlog_path *path)
{
	int verdict = 0;

	if (path->len > TLOG_PATH_MAX)
		return bad_proof("consistency");
	if (consistency_is_trivial(old_size, old_root, size, root, path, &verdict))
		return verdict;

	uint64_t fn = old_size - 1, sn = size - 1;
	for (; fn & 1; sn >>= 1)
		fn >>= 1;
	/* Both trees grow from a subtree that they share: where the old tree is one complete
	 * subtree that is its root, else the first hash of the proof. */
	bool shared_is_old = fn == 0;
	if (!shared_is_old && path->len == 0)
		return bad_proof("consistency");
	struct tlog_hash fr = shared_is_old ? *old_root : path->hash[0], sr = fr;
	for (size_t i = shared_is_old ? 0 : 1; i < path->len; i++) {
		if (sn == 0)
			return bad_proof("consistency"); /* too long */
		if ((fn & 1) || fn == sn) {
			tlog_node_hash(&path->hash[i], &fr, &fr);
			tlog_node_hash(&path->hash[i], &sr, &sr);
			for (; !(fn & 1) && fn; sn >>= 1)
				fn >>= 1;
		} else {
			tlog_node_hash(&sr, &path->hash[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && tlog_hash_equal(&fr, old_root) && tlog_hash_equal(&sr, root)
		   ? 0
		   : bad_proof("consistency");
}
