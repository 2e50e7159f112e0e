/* SPDX-License-Identifier: Apache-2.0 */
/* The known answers are those of the reference tree of eight leaves that implementations of
 * Certificate Transparency publish and share. */
#include "tests/unit/tlog_kit.h"

enum { PAIRS = 130 };

static const char *const ct_leaf[8] = {
    "",
    "\x00",
    "\x10",
    "\x20\x21",
    "\x30\x31",
    "\x40\x41\x42\x43",
    "\x50\x51\x52\x53\x54\x55\x56\x57",
    "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
static const size_t ct_leaf_len[8] = {0, 1, 1, 2, 2, 4, 8, 16};

static const char *const ct_root[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

struct known_proof {
	uint64_t m, n; /* index and size, or old and new size */
	size_t len;
	const char *hash[4];
};

static const struct known_proof ct_inclusion[] = {
    {0, 1, 0, {NULL}},
    {0,
     8,
     3,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {5,
     8,
     3,
     {"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2, 3, 1, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
    {1,
     5,
     3,
     {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};

static const struct known_proof ct_consistency[] = {
    {1, 1, 0, {NULL}},
    {1,
     8,
     3,
     {"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
    {6,
     8,
     3,
     {"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
    {2,
     5,
     2,
     {"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
      "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};

static void ct_leaves(struct tlog_hash leaves[8])
{
	for (size_t i = 0; i < 8; i++) {
		CLEANUP(kit_exact_done)
		struct view record = kit_exact(view_of(ct_leaf[i], ct_leaf_len[i]));
		tlog_leaf_hash(record, &leaves[i]);
	}
}

static void root_of_reference_tree_is_as_published(void **state)
{
	struct tlog_hash leaves[8], root, expected;

	(void)state;
	ct_leaves(leaves);
	for (size_t n = 0; n <= 8; n++) {
		struct kit_memory memory = {leaves, n};
		struct tlog_source from = kit_source(&memory);
		expected = kit_hash(ct_root[n]);
		assert_ok(tlog_root(&from, n, &root));
		assert_hash_equal(&root, &expected);
	}
}

static void assert_known(const struct known_proof *known, const struct tlog_path *got)
{
	assert_int_equal(got->len, known->len);
	for (size_t i = 0; i < known->len; i++) {
		struct tlog_hash expected = kit_hash(known->hash[i]);
		assert_hash_equal(&got->hash[i], &expected);
	}
}

static void prove_in_reference_tree_is_as_published(void **state)
{
	struct tlog_hash leaves[8], root, old;
	struct tlog_path path;

	(void)state;
	ct_leaves(leaves);
	struct kit_memory memory = {leaves, 8};
	struct tlog_source from = kit_source(&memory);
	for (size_t i = 0; i < ARRAY_LEN(ct_inclusion); i++) {
		const struct known_proof *k = &ct_inclusion[i];
		assert_ok(tlog_prove_inclusion(&from, k->m, k->n, &path));
		assert_known(k, &path);
		root = kit_hash(ct_root[k->n]);
		assert_ok(tlog_verify_inclusion(&leaves[k->m], k->m, k->n, &root, &path));
	}
	for (size_t i = 0; i < ARRAY_LEN(ct_consistency); i++) {
		const struct known_proof *k = &ct_consistency[i];
		assert_ok(tlog_prove_consistency(&from, k->m, k->n, &path));
		assert_known(k, &path);
		old = kit_hash(ct_root[k->m]);
		root = kit_hash(ct_root[k->n]);
		assert_ok(tlog_verify_consistency(k->m, &old, k->n, &root, &path));
	}
}

static void assert_path_equal(const struct tlog_path *a, const struct tlog_path *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->hash, b->hash, a->len * sizeof *a->hash);
}

static void prove_every_leaf_of_every_size_agrees_with_recursion(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(PAIRS);

	(void)state;
	for (size_t n = 1; n <= PAIRS; n++) {
		struct kit_memory memory = {leaves, n};
		struct tlog_source from = kit_source(&memory);
		struct tlog_hash root, expected = kit_root(leaves, n);
		assert_ok(tlog_root(&from, n, &root));
		assert_hash_equal(&root, &expected);
		for (size_t i = 0; i < n; i++) {
			struct tlog_path got, path;
			assert_ok(tlog_prove_inclusion(&from, i, n, &got));
			kit_path(i, leaves, n, &path);
			assert_path_equal(&got, &path);
			assert_ok(tlog_verify_inclusion(&leaves[i], i, n, &root, &got));
		}
	}
}

static void prove_every_pair_of_sizes_agrees_with_recursion(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(PAIRS);

	(void)state;
	for (size_t n = 0; n <= PAIRS; n++) {
		struct kit_memory memory = {leaves, n};
		struct tlog_source from = kit_source(&memory);
		struct tlog_hash root = kit_root(leaves, n);
		for (size_t m = 0; m <= n; m++) {
			struct tlog_path got, proof;
			struct tlog_hash old = kit_root(leaves, m);
			assert_ok(tlog_prove_consistency(&from, m, n, &got));
			kit_proof(m, leaves, n, &proof);
			assert_path_equal(&got, &proof);
			assert_ok(tlog_verify_consistency(m, &old, n, &root, &got));
		}
	}
}

static void prove_beyond_the_tree_is_refused(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(4);
	struct kit_memory memory = {leaves, 4};
	struct tlog_source from = kit_source(&memory);
	struct tlog_path path = {.len = 7};

	(void)state;
	assert_fails(tlog_prove_inclusion(&from, 0, 0, &path), E_INVALID);
	assert_fails(tlog_prove_inclusion(&from, 4, 4, &path), E_INVALID);
	assert_fails(tlog_prove_inclusion(&from, UINT64_MAX, 4, &path), E_INVALID);
	assert_fails(tlog_prove_consistency(&from, 5, 4, &path), E_INVALID);
	assert_fails(tlog_prove_consistency(&from, 1, 0, &path), E_INVALID);
	assert_int_equal(path.len, 7);
}

static int no_hash(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	(void)level;
	(void)index;
	(void)ret_hash;
	return --*(int *)arg < 0 ? fail(E_IO, "nothing to be read") : 0;
}

static void prove_without_hashes_passes_the_error_on(void **state)
{
	struct tlog_path path;
	struct tlog_hash root;

	(void)state;
	for (int good = 0; good < 3; good++) {
		int left = good;
		struct tlog_source from = {no_hash, &left};
		assert_fails(tlog_root(&from, 15, &root), E_IO);
		left = good;
		assert_fails(tlog_prove_inclusion(&from, 3, 15, &path), E_IO);
		left = good;
		assert_fails(tlog_prove_consistency(&from, 5, 15, &path), E_IO);
	}
}

/* Every way to be wrong about one inclusion proof. */
static void refuse_altered_inclusion(const struct tlog_hash *leaves, size_t index, size_t size)
{
	struct kit_memory memory = {leaves, size};
	struct tlog_source from = kit_source(&memory);
	struct tlog_hash root = kit_root(leaves, size), wrong = root;
	struct tlog_path path, bad;

	assert_ok(tlog_prove_inclusion(&from, index, size, &path));
	for (size_t i = 0; i < path.len; i++) {
		bad = path;
		bad.hash[i].byte[i % TLOG_HASH_SIZE] ^= 1;
		assert_fails(tlog_verify_inclusion(&leaves[index], index, size, &root, &bad),
			     E_INTEGRITY);
		bad = path;
		bad.len = i;
		assert_fails(tlog_verify_inclusion(&leaves[index], index, size, &root, &bad),
			     E_INTEGRITY);
	}
	bad = path;
	bad.hash[bad.len++] = root;
	assert_fails(tlog_verify_inclusion(&leaves[index], index, size, &root, &bad), E_INTEGRITY);
	wrong.byte[31] ^= 0x80;
	assert_fails(tlog_verify_inclusion(&leaves[index], index, size, &wrong, &path),
		     E_INTEGRITY);
	wrong = leaves[index];
	wrong.byte[0] ^= 1;
	assert_fails(tlog_verify_inclusion(&wrong, index, size, &root, &path), E_INTEGRITY);
	for (size_t other = 0; other < size + 2; other++)
		if (other != index)
			assert_fails(
			    tlog_verify_inclusion(&leaves[index], other, size, &root, &path),
			    E_INTEGRITY);
}

static void verify_altered_inclusion_is_refused(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(40);

	(void)state;
	for (size_t size = 1; size <= 40; size++)
		for (size_t index = 0; index < size; index++)
			refuse_altered_inclusion(leaves, index, size);
}

static void refuse_altered_consistency(const struct tlog_hash *leaves, size_t m, size_t n)
{
	struct kit_memory memory = {leaves, n};
	struct tlog_source from = kit_source(&memory);
	struct tlog_hash old = kit_root(leaves, m), root = kit_root(leaves, n), wrong;
	struct tlog_path proof, bad;

	assert_ok(tlog_prove_consistency(&from, m, n, &proof));
	for (size_t i = 0; i < proof.len; i++) {
		bad = proof;
		bad.hash[i].byte[i % TLOG_HASH_SIZE] ^= 1;
		assert_fails(tlog_verify_consistency(m, &old, n, &root, &bad), E_INTEGRITY);
		bad = proof;
		bad.len = i;
		assert_fails(tlog_verify_consistency(m, &old, n, &root, &bad), E_INTEGRITY);
	}
	bad = proof;
	bad.hash[bad.len++] = root;
	assert_fails(tlog_verify_consistency(m, &old, n, &root, &bad), E_INTEGRITY);
	wrong = old;
	wrong.byte[0] ^= 1;
	assert_fails(tlog_verify_consistency(m, &wrong, n, &root, &proof), E_INTEGRITY);
	wrong = root;
	wrong.byte[31] ^= 1;
	if (m) /* every tree extends the empty one */
		assert_fails(tlog_verify_consistency(m, &old, n, &wrong, &proof), E_INTEGRITY);
	if (m < n)
		assert_fails(tlog_verify_consistency(n, &root, m, &old, &proof), E_INTEGRITY);
}

static void verify_altered_consistency_is_refused(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(40);

	(void)state;
	for (size_t n = 0; n <= 40; n++)
		for (size_t m = 0; m <= n; m++)
			refuse_altered_consistency(leaves, m, n);
}

static void verify_sizes_that_do_not_grow_is_refused(void **state)
{
	CLEANUP(mem_free) struct tlog_hash *leaves = kit_leaves(24);
	struct kit_memory memory = {leaves, 24};
	struct tlog_source from = kit_source(&memory);
	struct tlog_hash old = kit_root(leaves, 16), root = kit_root(leaves, 24);
	struct tlog_path proof;

	(void)state;
	assert_ok(tlog_prove_consistency(&from, 16, 24, &proof));
	for (uint64_t n = 0; n < 40; n++) {
		assert_fails(tlog_verify_consistency(0, &old, n, &root, &proof), E_INTEGRITY);
		for (uint64_t m = n; m < 40; m++)
			assert_fails(tlog_verify_consistency(m, &old, n, &root, &proof),
				     E_INTEGRITY);
	}
	proof.len = 0;
	assert_fails(tlog_verify_consistency(24, &old, 24, &root, &proof), E_INTEGRITY);
	assert_fails(tlog_verify_consistency(24, &root, 16, &root, &proof), E_INTEGRITY);
	assert_fails(tlog_verify_consistency(0, &old, 24, &root, &proof), E_INTEGRITY);
	assert_fails(tlog_verify_consistency(0, &old, 0, &old, &proof), E_INTEGRITY);
}

static void verify_path_of_impossible_length_is_refused(void **state)
{
	struct tlog_hash h = {{1}};
	struct tlog_path path = {.len = TLOG_PATH_MAX + 1};

	(void)state;
	assert_fails(tlog_verify_inclusion(&h, 0, UINT64_MAX, &h, &path), E_INTEGRITY);
	assert_fails(tlog_verify_consistency(1, &h, UINT64_MAX, &h, &path), E_INTEGRITY);
	path.len = SIZE_MAX;
	assert_fails(tlog_verify_inclusion(&h, 0, UINT64_MAX, &h, &path), E_INTEGRITY);
	assert_fails(tlog_verify_consistency(0, &h, 0, &h, &path), E_INTEGRITY);
}

/* A tree whose leaves are all the same has one hash for each level, at any size. */
static int same_hash(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	const uint64_t *size = arg;
	struct tlog_hash h;

	assert_true(level < 64 && index < *size >> level);
	tlog_leaf_hash(view_text("same"), &h);
	while (level--)
		tlog_node_hash(&h, &h, &h);
	*ret_hash = h;
	return 0;
}

static void prove_at_the_end_of_64_bits_verifies(void **state)
{
	static const uint64_t size[] = {UINT64_MAX,    UINT64_MAX - 1,          (uint64_t)1 << 63,
					TLOG_SIZE_MAX, ((uint64_t)1 << 63) + 1, (uint64_t)1 << 32};
	struct tlog_hash leaf, root, old;
	struct tlog_path path;

	(void)state;
	tlog_leaf_hash(view_text("same"), &leaf);
	for (size_t s = 0; s < ARRAY_LEN(size); s++) {
		uint64_t n = size[s], at[] = {0, 1, n / 2 - 1, n / 2, n / 3, n - 2, n - 1};
		struct tlog_source from = {same_hash, &n};
		assert_ok(tlog_root(&from, n, &root));
		for (size_t i = 0; i < ARRAY_LEN(at); i++) {
			assert_ok(tlog_prove_inclusion(&from, at[i], n, &path));
			assert_ok(tlog_verify_inclusion(&leaf, at[i], n, &root, &path));
			path.len -= path.len > 0;
			assert_fails(tlog_verify_inclusion(&leaf, at[i], n, &root, &path),
				     E_INTEGRITY);
			assert_ok(tlog_root(&from, at[i] + 1, &old));
			assert_ok(tlog_prove_consistency(&from, at[i] + 1, n, &path));
			assert_ok(tlog_verify_consistency(at[i] + 1, &old, n, &root, &path));
		}
	}
}

static void hash_record_is_not_hash_of_node(void **state)
{
	struct tlog_hash a = {{1}}, b = {{2}}, node, leaf;
	uint8_t both[2 * TLOG_HASH_SIZE];

	(void)state;
	memcpy(both, &a, sizeof a);
	memcpy(both + sizeof a, &b, sizeof b);
	tlog_node_hash(&a, &b, &node);
	tlog_leaf_hash(view_of(both, sizeof both), &leaf);
	assert_false(tlog_hash_equal(&node, &leaf));
	tlog_node_hash(&b, &a, &leaf);
	assert_false(tlog_hash_equal(&node, &leaf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_of_reference_tree_is_as_published),
	    cmocka_unit_test(prove_in_reference_tree_is_as_published),
	    cmocka_unit_test(prove_every_leaf_of_every_size_agrees_with_recursion),
	    cmocka_unit_test(prove_every_pair_of_sizes_agrees_with_recursion),
	    cmocka_unit_test(prove_beyond_the_tree_is_refused),
	    cmocka_unit_test(prove_without_hashes_passes_the_error_on),
	    cmocka_unit_test(verify_altered_inclusion_is_refused),
	    cmocka_unit_test(verify_altered_consistency_is_refused),
	    cmocka_unit_test(verify_sizes_that_do_not_grow_is_refused),
	    cmocka_unit_test(verify_path_of_impossible_length_is_refused),
	    cmocka_unit_test(prove_at_the_end_of_64_bits_verifies),
	    cmocka_unit_test(hash_record_is_not_hash_of_node),
	};

	return cmocka_run_group_tests_name("tlog_tree", tests, NULL, NULL);
}
