/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tlog_kit: what the tests of lib/tlog share: leaves, a Merkle tree written as RFC 6962
 * defines it (by recursion over all leaves, so slow and plainly right), copies of input in
 * heap memory of exactly its size, and a folder that goes away.
 */
#ifndef DROPKEEP_TESTS_TLOG_KIT_H
#define DROPKEEP_TESTS_TLOG_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka has a macro of that name; tests use assertions instead */

#include "base/buf.h"
#include "base/mem.h"
#include "base/secret.h"
#include "tlog/key.h"
#include "tlog/tree.h"

/* assert_int_equal() with the error chain in the message, then the chain forgotten. */
#define assert_ok(call)          kit_assert_code((call), 0, #call, __FILE__, __LINE__)
#define assert_fails(call, code) kit_assert_code((call), (code), #call, __FILE__, __LINE__)
void kit_assert_code(int got, int expected, const char *what, const char *file, int line);

#define assert_hash_equal(a, b) assert_memory_equal((a), (b), TLOG_HASH_SIZE)

/* A copy that ends where its memory ends, so that a sanitizer sees an overread. */
struct view kit_exact(struct view v);
void kit_exact_done(struct view *v); /* for CLEANUP */

struct tlog_hash kit_hash(const char *hex);

/* Leaf hashes of the records "record 0", "record 1", … */
struct tlog_hash *kit_leaves(size_t n);

struct tlog_hash kit_root(const struct tlog_hash *leaves, size_t n); /* MTH */
void kit_path(size_t m, const struct tlog_hash *leaves, size_t n, struct tlog_path *out);
void kit_proof(size_t m, const struct tlog_hash *leaves, size_t n, struct tlog_path *out);

/* All leaves in memory; every subtree is computed when it is asked for. */
struct kit_memory {
	const struct tlog_hash *leaves;
	size_t n;
};
struct tlog_source kit_source(struct kit_memory *m);

/* The signer with 32 equal bytes as its seed. */
struct tlog_signer *kit_signer(const char *name, uint8_t seed);

/* A fresh folder, opened; kit_folder_done() removes it with all that is in it. */
struct kit_folder {
	char path[64];
	int fd;
};
struct kit_folder kit_folder_new(void);
void kit_folder_done(struct kit_folder *f);

/* Calls fn with the path, relative to the folder, of each file in it. */
void kit_each_file(const struct kit_folder *f, void (*fn)(const char *path, void *arg), void *arg);

#endif
