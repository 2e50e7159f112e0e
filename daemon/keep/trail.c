/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/trail.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/lines.h"
#include "tlog/checkpoint.h"
#include "wire/codec.h"

enum {
	CHECKPOINT_MAX = 64 * 1024,
	BATCH = 4096, /* leaves hashed before they go to the tree */
};

struct trail {
	int log_fd, records_fd;
	uint64_t file_max;
	struct trail_mark at;
	struct tlog_tiles *tiles;
	struct tlog_signer *signer;
	char *origin, *key;
};

void trail_mark_write(const struct trail_mark *m, uint8_t ret_bytes[TRAIL_MARK_SIZE])
{
	struct writer w = writer_of(ret_bytes, TRAIL_MARK_SIZE);

	write_u64(&w, m->size);
	write_u64(&w, m->file);
	write_u64(&w, m->bytes);
	write_raw(&w, m->root.byte, sizeof m->root.byte);
}

int trail_mark_read(struct view bytes, struct trail_mark *ret_mark)
{
	struct reader r = reader_of(bytes);
	struct trail_mark m = {.size = read_u64(&r)};

	m.file = read_u64(&r);
	m.bytes = read_u64(&r);
	read_into(&r, m.root.byte, sizeof m.root.byte);
	if (!reader_end(&r))
		return fail(E_INTEGRITY, "the catalog's memory of the log is malformed");
	*ret_mark = m;
	return 0;
}

static int new_signer(struct trail *t, const char *origin, const struct secret *seed)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *key;
	int rc = tlog_signer_new(view_text(origin), seed, &t->signer);

	if (!rc)
		rc = tlog_verifier_text(tlog_signer_verifier(t->signer), &text);
	if (!rc)
		rc = buf_text(&text, &key);
	if (rc)
		return rc;
	t->origin = mem_text(origin);
	t->key = mem_text(key);
	return 0;
}

static int write_checkpoint(struct trail *t)
{
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_checkpoint c = {
	    .origin = view_text(t->origin), .size = t->at.size, .root = t->at.root};
	int rc = tlog_checkpoint_sign(&c, t->signer, &note);

	return rc ? rc : sys_replace_file(t->log_fd, "checkpoint", 0600, view_buf(&note));
}

static int open_records(struct trail *t, int flags)
{
	char name[RECORDS_NAME];

	sys_close(&t->records_fd);
	lines_file_name(t->at.file, name);
	return sys_open(t->log_fd, name, O_RDWR | flags, 0600, &t->records_fd);
}

static int make_log(struct trail *t, int state_fd, const char *origin, const struct secret *seed)
{
	CLEANUP(mem_free) char *key_line = NULL;
	int rc = new_signer(t, origin, seed);

	if (!rc)
		rc = sys_mkdir(state_fd, "log", 0700);
	if (!rc)
		rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &t->log_fd);
	if (!rc)
		rc = open_records(t, O_CREAT | O_EXCL);
	if (!rc)
		rc = sys_sync(t->records_fd);
	if (rc)
		return rc;
	tlog_empty_root(&t->at.root);
	key_line = mem_printf("%s\n", t->key);
	rc = sys_replace_file(t->log_fd, "key.vkey", 0600, view_text(key_line));
	if (!rc)
		rc = write_checkpoint(t);
	return rc ? rc : sys_sync(state_fd);
}

int trail_create(int state_fd, const char *origin, const struct secret *seed)
{
	CLEANUP(trail_free) struct trail *t = mem_new(sizeof *t);

	t->log_fd = t->records_fd = -1;
	return make_log(t, state_fd, origin, seed);
}

/* The checkpoint on disk must be ours. It is written before the catalog learns of it, so it may be
 * newer than the mark, not older. */
static int read_checkpoint(const struct trail *t, uint64_t *ret_size, struct tlog_hash *ret_root)
{
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_verifier *known[] = {tlog_signer_verifier(t->signer)};
	struct tlog_checkpoint c;
	int rc = sys_read_file(t->log_fd, "checkpoint", CHECKPOINT_MAX, &note);

	if (!rc)
		rc = tlog_checkpoint_open(view_buf(&note), view_text(t->origin), known, 1, &c);
	if (rc)
		return fail(E_INTEGRITY,
			    "log/checkpoint is missing or not signed by this log's key");
	if (c.size < t->at.size)
		return fail(E_INTEGRITY,
			    "log/checkpoint covers %llu records where the catalog knows of %llu: "
			    "the log was rolled back",
			    (unsigned long long)c.size, (unsigned long long)t->at.size);
	*ret_size = c.size;
	*ret_root = c.root;
	return 0;
}

static int unlink_later_files(const struct trail *t)
{
	char name[RECORDS_NAME];
	int rc = 0;

	for (uint64_t later = t->at.file + 1; !rc; later++) {
		lines_file_name(later, name);
		rc = sys_unlink(t->log_fd, name);
	}
	if (rc != E_GONE)
		return rc;
	err_clear();
	return 0;
}

/* Records behind the mark are in the outbox still: cut them off, here and in later files. */
static int cut_records(struct trail *t)
{
	uint64_t size = 0;
	int rc = open_records(t, 0);

	if (rc == E_GONE)
		return fail(E_INTEGRITY, "the log's newest records are missing");
	if (!rc)
		rc = sys_size(t->records_fd, &size);
	if (!rc && size < t->at.bytes)
		rc = fail(E_INTEGRITY, "the log's records end early: %llu bytes of %llu",
			  (unsigned long long)size, (unsigned long long)t->at.bytes);
	if (!rc && size > t->at.bytes)
		rc = sys_truncate(t->records_fd, t->at.bytes);
	return rc ? rc : unlink_later_files(t);
}

void trail_free(struct trail **t)
{
	if (*t) {
		tlog_tiles_free(&(*t)->tiles);
		tlog_signer_free(&(*t)->signer);
		sys_close(&(*t)->records_fd);
		sys_close(&(*t)->log_fd);
		free((*t)->origin);
		free((*t)->key);
	}
	free(*t);
	*t = NULL;
}

/* A file that is full is synced by the append that filled it, so only its successor's name is
 * left to make durable. */
static int rotate(struct trail *t)
{
	t->at.file++;
	t->at.bytes = 0;
	int rc = open_records(t, O_CREAT | O_TRUNC);

	return rc ? rc : sys_sync(t->log_fd);
}

static int grow_tree(struct trail *t, struct view lines)
{
	struct tlog_hash *leaf = mem_new(BATCH * sizeof *leaf);
	CLEANUP(mem_free) void *owned = leaf;
	size_t n = 0;
	int rc = 0;

	while (lines.len && !rc) {
		const uint8_t *newline = memchr(lines.data, '\n', lines.len);
		if (!newline)
			return fail(E_INVALID, "a record without its newline");
		size_t len = (size_t)(newline - lines.data);
		tlog_leaf_hash(view_of(lines.data, len), &leaf[n++]);
		lines = view_of(newline + 1, lines.len - len - 1);
		t->at.size++;
		if (n == BATCH || lines.len == 0) {
			rc = tlog_tiles_append(t->tiles, leaf, n);
			n = 0;
		}
	}
	return rc;
}

static int store_records(struct trail *t, struct view lines)
{
	int rc = t->at.bytes >= t->file_max ? rotate(t) : 0;

	if (!rc)
		rc = sys_pwrite_all(t->records_fd, lines.data, lines.len, t->at.bytes);
	if (!rc)
		rc = sys_sync_data(t->records_fd);
	if (!rc)
		t->at.bytes += lines.len;
	return rc;
}

static int seal_tree(struct trail *t)
{
	int rc = tlog_tiles_sync(t->tiles);

	if (!rc)
		rc = tlog_tiles_root(t->tiles, &t->at.root);
	return rc ? rc : write_checkpoint(t);
}

int trail_append(struct trail *t, struct view lines)
{
	int rc = store_records(t, lines);

	if (!rc)
		rc = grow_tree(t, lines);
	return rc ? rc : seal_tree(t);
}

/* ---- opening ---- */

/* The first n lines; fewer where there are not so many. */
static struct view first_lines(struct view lines, uint64_t n)
{
	size_t len = 0;

	for (; n && len < lines.len; n--) {
		const uint8_t *newline = memchr(lines.data + len, '\n', lines.len - len);
		if (!newline)
			break;
		len = (size_t)(newline - lines.data) + 1;
	}
	return view_of(lines.data, len);
}

/* What a checkpoint has once said of the log stays true: the records behind the mark that it
 * covers must be the pending ones. Nothing is written here. */
static int keep_promise(struct trail *t, struct view pending, struct view *ret_rest)
{
	struct tlog_hash promised, root;
	uint64_t size = 0;
	int rc = read_checkpoint(t, &size, &promised);

	if (!rc)
		rc = tlog_tiles_open(t->log_fd, t->at.size, &t->at.root, &t->tiles);
	if (rc)
		return rc;
	struct view covered = first_lines(pending, size - t->at.size);
	rc = grow_tree(t, covered);
	if (!rc && t->at.size < size)
		return fail(E_INTEGRITY,
			    "log/checkpoint covers %llu records where the catalog knows of %llu: "
			    "the catalog was rolled back",
			    (unsigned long long)size, (unsigned long long)t->at.size);
	if (!rc)
		rc = tlog_tiles_root(t->tiles, &root);
	if (!rc && !tlog_hash_equal(&root, &promised))
		rc = fail(E_INTEGRITY, "log/checkpoint and catalog contradict each other");
	*ret_rest = pending; /* which may be empty, without an address to add to */
	if (covered.len)
		*ret_rest = view_of(pending.data + covered.len, pending.len - covered.len);
	return rc;
}

int trail_open(int state_fd, const char *origin, const struct secret *seed,
	       const struct trail_mark *mark, struct view pending, uint64_t file_max,
	       struct trail **ret_trail)
{
	CLEANUP(trail_free) struct trail *t = mem_new(sizeof *t);
	struct view rest = pending;

	t->log_fd = t->records_fd = -1;
	t->file_max = file_max;
	t->at = *mark;
	int rc = new_signer(t, origin, seed);
	if (!rc)
		rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &t->log_fd);
	if (!rc)
		rc = keep_promise(t, pending, &rest);
	if (!rc)
		rc = cut_records(t);
	if (!rc && pending.len)
		rc = store_records(t, pending);
	if (!rc)
		rc = grow_tree(t, rest);
	if (!rc && pending.len)
		rc = seal_tree(t);
	if (!rc)
		*ret_trail = TAKE(t);
	return rc;
}

void trail_mark(const struct trail *t, struct trail_mark *ret_mark)
{
	*ret_mark = t->at;
}

const char *trail_key(const struct trail *t)
{
	return t->key;
}
