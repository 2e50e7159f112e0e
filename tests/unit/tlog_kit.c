/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tlog_kit.h"

#include <assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "base/sys.h"
#include "base/text.h"

void kit_assert_code(int got, int expected, const char *what, const char *file, int line)
{
	if (got != expected)
		print_error("%s gave %d (%s), expected %d\n", what, got, err_text(), expected);
	_assert_int_equal((uintmax_t)got, (uintmax_t)expected, file, line);
	err_clear();
}

struct view kit_exact(struct view v)
{
	uint8_t *copy = malloc(v.len ? v.len : 1);

	assert_non_null(copy);
	if (v.len)
		memcpy(copy, v.data, v.len);
	return view_of(copy, v.len);
}

void kit_exact_done(struct view *v)
{
	free((void *)(uintptr_t)v->data);
	*v = view_of(NULL, 0);
}

struct tlog_hash kit_hash(const char *hex)
{
	struct tlog_hash h;

	assert_ok(hex_decode(view_text(hex), h.byte, sizeof h.byte));
	return h;
}

struct tlog_hash *kit_leaves(size_t n)
{
	struct tlog_hash *leaves = mem_new((n ? n : 1) * sizeof *leaves);
	char record[40];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(record, sizeof record, "record %zu", i);
		tlog_leaf_hash(view_text(record), &leaves[i]);
	}
	return leaves;
}

static size_t split_of(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

struct tlog_hash kit_root(const struct tlog_hash *leaves, size_t n)
{
	struct tlog_hash left, right, root;

	if (n == 0)
		return kit_hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	if (n == 1)
		return leaves[0];
	left = kit_root(leaves, split_of(n));
	right = kit_root(leaves + split_of(n), n - split_of(n));
	tlog_node_hash(&left, &right, &root);
	return root;
}

static void path_push(struct tlog_path *p, struct tlog_hash h)
{
	assert_true(p->len < TLOG_PATH_MAX);
	p->hash[p->len++] = h;
}

static void path_into(size_t m, const struct tlog_hash *leaves, size_t n, struct tlog_path *out)
{
	size_t k = split_of(n);

	if (n == 1)
		return;
	if (m < k) {
		path_into(m, leaves, k, out);
		path_push(out, kit_root(leaves + k, n - k));
	} else {
		path_into(m - k, leaves + k, n - k, out);
		path_push(out, kit_root(leaves, k));
	}
}

void kit_path(size_t m, const struct tlog_hash *leaves, size_t n, struct tlog_path *out)
{
	out->len = 0;
	path_into(m, leaves, n, out);
}

static void subproof(size_t m, const struct tlog_hash *leaves, size_t n, bool known,
		     struct tlog_path *out)
{
	size_t k = split_of(n);

	if (m == n) {
		if (!known)
			path_push(out, kit_root(leaves, n));
	} else if (m <= k) {
		subproof(m, leaves, k, known, out);
		path_push(out, kit_root(leaves + k, n - k));
	} else {
		subproof(m - k, leaves + k, n - k, false, out);
		path_push(out, kit_root(leaves, k));
	}
}

void kit_proof(size_t m, const struct tlog_hash *leaves, size_t n, struct tlog_path *out)
{
	out->len = 0;
	if (m)
		subproof(m, leaves, n, true, out);
}

static int memory_hash(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	const struct kit_memory *m = arg;
	size_t width = (size_t)1 << level;

	assert_true((index + 1) * width <= m->n); /* nothing else may be asked for */
	*ret_hash = kit_root(m->leaves + index * width, width);
	return 0;
}

struct tlog_source kit_source(struct kit_memory *m)
{
	return (struct tlog_source){memory_hash, m};
}

struct tlog_signer *kit_signer(const char *name, uint8_t seed)
{
	CLEANUP(secret_free) struct secret *s = NULL;
	struct tlog_signer *signer = NULL;
	uint8_t bytes[TLOG_SEED_SIZE];

	memset(bytes, seed, sizeof bytes);
	assert_ok(secret_copy(bytes, sizeof bytes, &s));
	assert_ok(tlog_signer_new(view_text(name), s, &signer));
	return signer;
}

struct kit_folder kit_folder_new(void)
{
	struct kit_folder f = {.fd = -1};
	const char *base = getenv("TMPDIR");

	assert_true(snprintf(f.path, sizeof f.path, "%s/tlog-XXXXXX", base ? base : "/tmp") <
		    (int)sizeof f.path);
	assert_non_null(mkdtemp(f.path));
	f.fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f.fd >= 0);
	return f;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void kit_folder_done(struct kit_folder *f)
{
	(void)close(f->fd);
	(void)nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	f->fd = -1;
}

/* nftw() hands nothing through. */
static struct {
	size_t skip;
	void (*fn)(const char *path, void *arg);
	void *arg;
} walk;

static int walk_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (flag == FTW_F)
		walk.fn(path + walk.skip, walk.arg);
	return 0;
}

void kit_each_file(const struct kit_folder *f, void (*fn)(const char *path, void *arg), void *arg)
{
	walk.skip = strlen(f->path) + 1;
	walk.fn = fn;
	walk.arg = arg;
	assert_int_equal(nftw(f->path, walk_one, 8, FTW_PHYS), 0);
}
