/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/verify_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"
#include "tlog/tiles.h"

enum {
	READ_SIZE = 256 * 1024,
	LINE_BYTES_MAX = 1 << 20, /* far above any record */
	PROBLEMS_MAX = 20,        /* a list without end helps nobody */
	KEY_TEXT_MAX = 4096,
};

struct verify {
	int dir;
	struct tlog_verifier *key;
	struct buf note;
	struct tlog_checkpoint checkpoint; /* borrows from note */
	struct tlog_tiles *tiles;          /* NULL: they do not open */
	uint64_t size;                     /* records read */
	struct tlog_hash stack[64];        /* for bit i of size: the root of 2^i leaves */
	struct tlog_hash root;             /* over the first checkpoint.size of them */
	json_t *problems;
};

static void verify_done(struct verify *v)
{
	tlog_tiles_free(&v->tiles);
	tlog_verifier_free(&v->key);
	buf_done(&v->note);
	json_decref(v->problems);
	sys_close(&v->dir);
}

PRINTF(2, 3) static void problem(struct verify *v, const char *format, ...)
{
	char text[512];
	va_list args;

	if (json_array_size(v->problems) >= PROBLEMS_MAX)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	int rc = json_array_append_new(v->problems, json_string(text));
	assert(rc == 0);
}

static int load_key(struct verify *v, const char *vkey)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc = vkey ? buf_add_text(&text, vkey)
		      : sys_read_file(v->dir, "key.vkey", KEY_TEXT_MAX, &text);

	if (rc)
		return rc == E_GONE ? fail(rc, "name the log's key with --key") : rc;
	while (text.len && text.data[text.len - 1] == '\n')
		text.len--;
	rc = tlog_verifier_parse(view_buf(&text), &v->key);
	return rc ? fail(rc, "the log's verifier key") : 0;
}

static int load_checkpoint(struct verify *v)
{
	struct tlog_verifier *const known[] = {v->key};
	int rc = sys_read_file(v->dir, "checkpoint", TLOG_NOTE_MAX, &v->note);

	if (!rc)
		rc = tlog_checkpoint_open(view_buf(&v->note), tlog_verifier_name(v->key), known, 1,
					  &v->checkpoint);
	if (rc == E_INVALID || rc == E_GONE || rc == E_LIMIT)
		rc = E_INTEGRITY;
	return rc ? fail(rc, "the log's checkpoint") : 0;
}

/* Tiles that do not open are a problem of their own; the records can be judged without. */
static void load_tiles(struct verify *v)
{
	if (tlog_tiles_open(v->dir, v->checkpoint.size, &v->checkpoint.root, &v->tiles)) {
		problem(v, "tile: %s", err_text());
		err_clear();
	}
}

static void add_leaf(struct verify *v, const struct tlog_hash *leaf)
{
	struct tlog_hash h = *leaf;
	unsigned level = 0;

	for (; v->size >> level & 1; level++)
		tlog_node_hash(&v->stack[level], &h, &h);
	v->stack[level] = h;
	v->size++;
}

static void fold_root(const struct verify *v, struct tlog_hash *ret_root)
{
	bool begun = false;

	tlog_empty_root(ret_root);
	for (unsigned level = 0; level < 64; level++) {
		if (!(v->size >> level & 1))
			continue;
		if (begun)
			tlog_node_hash(&v->stack[level], ret_root, ret_root);
		else
			*ret_root = v->stack[level];
		begun = true;
	}
}

static void compare_leaf(struct verify *v, const char *file, const struct tlog_hash *leaf)
{
	struct tlog_hash there;

	if (!v->tiles || v->size >= v->checkpoint.size)
		return;
	struct tlog_source source = tlog_tiles_source(v->tiles);
	if (source.hash(source.arg, 0, v->size, &there)) {
		problem(v, "tile of record %" PRIu64 ": %s", v->size, err_text());
		err_clear();
	} else if (!tlog_hash_equal(leaf, &there)) {
		problem(v, "%s: record %" PRIu64 " is not what the tree holds", file, v->size);
	}
}

static void take_record(struct verify *v, const char *file, struct view line)
{
	struct tlog_hash leaf;

	tlog_leaf_hash(line, &leaf);
	compare_leaf(v, file, &leaf);
	add_leaf(v, &leaf);
	if (v->size == v->checkpoint.size)
		fold_root(v, &v->root);
}

/* All whole lines of in, which are then gone from it. */
static void take_lines(struct verify *v, const char *file, struct buf *in)
{
	size_t at = 0;
	const uint8_t *end;

	while (at < in->len && (end = memchr(in->data + at, '\n', in->len - at))) {
		size_t len = (size_t)(end - (in->data + at));
		take_record(v, file, view_of(in->data + at, len));
		at += len + 1;
	}
	buf_eat(in, at);
}

static int read_records(struct verify *v, const char *file)
{
	CLEANUP(sys_close) int fd = -1;
	CLEANUP(buf_done) struct buf in = {0};
	uint64_t offset = 0;
	size_t got = 0;
	int rc = sys_open(v->dir, file, O_RDONLY, 0, &fd);

	if (rc)
		return rc;
	do {
		rc = buf_reserve(&in, READ_SIZE);
		if (!rc)
			rc = sys_pread_some(fd, in.data + in.len, READ_SIZE, offset, &got);
		if (rc)
			return fail(rc, "%s", file);
		in.len += got;
		offset += got;
		take_lines(v, file, &in);
		if (in.len > LINE_BYTES_MAX)
			return fail(E_INTEGRITY, "%s: a line of more than %d bytes", file,
				    LINE_BYTES_MAX);
	} while (got);
	if (in.len)
		problem(v, "%s: the last line has no end", file);
	return 0;
}

static int read_all(struct verify *v)
{
	char file[40];
	int rc = 0;

	tlog_empty_root(&v->root);
	for (uint64_t i = 0; !rc; i++) {
		(void)snprintf(file, sizeof file, "records-%06" PRIu64 ".jsonl", i);
		rc = read_records(v, file);
	}
	if (rc != E_GONE)
		return rc;
	err_clear();
	return 0;
}

/* What of the tree the tile would hold, if it is there, is in other tiles as well: only a daemon
 * that takes its log up at an older size, after a crash, reads it. */
static void check_partial(struct verify *v, const struct tlog_tile *tile)
{
	struct tlog_source tree = tlog_tiles_source(v->tiles);
	struct tlog_hash hashes[TLOG_TILE_WIDTH], there;
	char path[TLOG_TILE_PATH_SIZE];
	int rc = tlog_tile_read(v->dir, tile, hashes);

	for (unsigned i = 0; !rc && i < tile->width; i++) {
		rc = tree.hash(tree.arg, tile->level * TLOG_TILE_HEIGHT,
			       tile->index * TLOG_TILE_WIDTH + i, &there);
		if (!rc && !tlog_hash_equal(&hashes[i], &there))
			rc = fail(E_INTEGRITY, "it is not what the tree holds");
	}
	if (rc && rc != E_GONE) {
		tlog_tile_path(tile, path);
		problem(v, "%s: %s", path, err_text());
	}
	err_clear();
}

/* Around the tree's edge, where there may be partial tiles of older sizes. */
static void check_partials(struct verify *v)
{
	uint64_t nodes = v->checkpoint.size;

	for (unsigned level = 0; v->tiles && nodes; level++, nodes /= TLOG_TILE_WIDTH) {
		uint64_t edge = nodes / TLOG_TILE_WIDTH;
		for (uint64_t index = edge ? edge - 1 : 0; index <= edge; index++) {
			unsigned most = index < edge ? TLOG_TILE_WIDTH - 1
						     : (unsigned)(nodes % TLOG_TILE_WIDTH);
			for (unsigned width = 1; width <= most; width++)
				check_partial(v, &(struct tlog_tile){level, index, width});
		}
	}
}

static void judge(struct verify *v)
{
	const struct tlog_checkpoint *c = &v->checkpoint;

	if (v->size < c->size)
		problem(v, "there are %" PRIu64 " records, the checkpoint has %" PRIu64, v->size,
			c->size);
	else if (!tlog_hash_equal(&v->root, &c->root))
		problem(v, "the records' root is not the checkpoint's");
	if (v->size > c->size)
		problem(v,
			"%" PRIu64 " records behind the checkpoint's %" PRIu64
			" (a copy of a log that was being written?)",
			v->size - c->size, c->size);
}

static int make_result(struct verify *v, json_t **ret_result)
{
	CLEANUP(buf_done) struct buf root = {0};
	CLEANUP(buf_done) struct buf key = {0};
	int rc =
	    base64_encode(view_of(v->checkpoint.root.byte, TLOG_HASH_SIZE), BASE64_PADDED, &root);

	if (!rc)
		rc = tlog_verifier_text(v->key, &key);
	if (rc)
		return rc;
	json_t *result =
	    json_pack("{s:s%, s:I, s:s%, s:s%, s:s%, s:O}", "origin", v->checkpoint.origin.data,
		      v->checkpoint.origin.len, "size", (json_int_t)v->checkpoint.size, "root",
		      root.data, root.len, "key", key.data, key.len, "checkpoint", v->note.data,
		      v->note.len, "problems", v->problems);
	if (!result)
		return fail(E_NOMEM, "write a result");
	*ret_result = result;
	return 0;
}

int verify_log(const char *dir, const char *vkey, json_t **ret_result)
{
	CLEANUP(verify_done) struct verify v = {.dir = -1};
	int rc = sys_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &v.dir);

	v.problems = json_array();
	assert(v.problems);
	if (!rc)
		rc = load_key(&v, vkey);
	if (!rc)
		rc = load_checkpoint(&v);
	if (rc)
		return rc;
	load_tiles(&v);
	rc = read_all(&v);
	if (rc)
		return rc;
	judge(&v);
	check_partials(&v);
	return make_result(&v, ret_result);
}
