/* SPDX-License-Identifier: Apache-2.0 */
/* The reading side of the log: for queries and verification, beside a log that grows. */
#include "daemon/keep/trail.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/lines.h"
#include "tlog/checkpoint.h"

enum { CHECKPOINT_MAX = 64 * 1024 };

struct counted {
	int (*visit)(void *arg, uint64_t seq, struct view line);
	void *arg;
	uint64_t seq;
};

static int count_line(void *arg, struct view line)
{
	struct counted *c = arg;

	return c->visit(c->arg, c->seq++, line);
}

/* Files before the newest are whole: their length is what they have. */
static int file_bytes(int log_fd, uint64_t file, const struct trail_mark *mark, uint64_t *ret_bytes)
{
	CLEANUP(sys_close) int fd = -1;
	char name[RECORDS_NAME];

	if (file == mark->file) {
		*ret_bytes = mark->bytes;
		return 0;
	}
	lines_file_name(file, name);
	int rc = sys_open(log_fd, name, O_RDONLY, 0, &fd);
	return rc ? rc : sys_size(fd, ret_bytes);
}

int trail_read_from(int state_fd, const struct trail_mark *mark, uint64_t from,
		    int (*visit)(void *arg, uint64_t seq, struct view line), void *arg)
{
	CLEANUP(sys_close) int log_fd = -1;
	struct counted c = {visit, arg, from};
	struct trail_spot spot = {0, 0};
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);

	if (from >= mark->size && from)
		return rc;
	if (!rc && from)
		rc = trail_locate(log_fd, mark, from, &spot);
	for (; !rc && spot.file <= mark->file; spot.file++, spot.at = 0) {
		uint64_t bytes = 0;
		rc = file_bytes(log_fd, spot.file, mark, &bytes);
		if (!rc)
			rc = lines_read_from(log_fd, spot.file, spot.at, bytes, count_line, &c);
	}
	if (!rc && c.seq != mark->size)
		rc = fail(E_INTEGRITY, "the log holds %llu records instead of %llu",
			  (unsigned long long)c.seq, (unsigned long long)mark->size);
	return rc;
}

int trail_read(int state_fd, const struct trail_mark *mark,
	       int (*visit)(void *arg, uint64_t seq, struct view line), void *arg)
{
	return trail_read_from(state_fd, mark, 0, visit, arg);
}

/* The root of a run of leaves, with one pending subtree per set bit of their number. */
struct frontier {
	struct tlog_hash node[64];
	uint64_t size;
};

static void add_leaf(struct frontier *f, const struct tlog_hash *leaf)
{
	struct tlog_hash h = *leaf;
	unsigned level = 0;

	for (; f->size >> level & 1; level++)
		tlog_node_hash(&f->node[level], &h, &h);
	f->node[level] = h;
	f->size++;
}

static void frontier_root(const struct frontier *f, struct tlog_hash *ret_root)
{
	bool any = false;

	tlog_empty_root(ret_root);
	for (unsigned level = 0; level < 64; level++) {
		if (!(f->size >> level & 1))
			continue;
		if (any)
			tlog_node_hash(&f->node[level], ret_root, ret_root);
		else
			*ret_root = f->node[level];
		any = true;
	}
}

enum { DIFFERING_MAX = 8 };

struct verify {
	int log_fd;
	const struct trail_mark *mark;
	struct buf *problems;
	struct tlog_tiles *tiles; /* NULL: they are of no use */
	struct frontier leaves;
	char file[RECORDS_NAME];
	unsigned differing;
};

static int open_checkpoint(int log_fd, const char *origin, const char *key, struct buf *note,
			   struct tlog_checkpoint *ret_checkpoint)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(key), &v);

	if (!rc)
		rc = sys_read_file(log_fd, "checkpoint", CHECKPOINT_MAX, note);
	if (!rc)
		rc = tlog_checkpoint_open(view_buf(note), view_text(origin), &v, 1, ret_checkpoint);
	return rc;
}

/* Add a line, with the reason of this thread's error chain. */
static int problem(struct buf *problems, const char *what)
{
	const char *why = err_text();
	int rc = buf_printf(problems, "%s%s%s\n", what, *why ? ": " : "", why);

	err_clear();
	return rc;
}

static int open_tiles(struct verify *v)
{
	if (tlog_tiles_open(v->log_fd, v->mark->size, &v->mark->root, &v->tiles))
		return problem(v->problems,
			       "the tree's tiles do not have the root that the catalog knows");
	return 0;
}

/* Where the record is another than the tree says, that is where somebody has been. Behind a few
 * such places there is nothing to be learnt: a newline that was lost shifts all. */
static int compare_leaf(struct verify *v, const struct tlog_hash *leaf)
{
	struct tlog_source tree = tlog_tiles_source(v->tiles);
	char what[RECORDS_NAME + 80];
	struct tlog_hash there;
	bool unread = tree.hash(tree.arg, 0, v->leaves.size, &there) != 0;

	if (!unread && tlog_hash_equal(leaf, &there))
		return 0;
	(void)snprintf(what, sizeof what,
		       unread ? "%s: the tree's tile of record %llu"
			      : "%s: record %llu is not what the tree holds",
		       v->file, (unsigned long long)v->leaves.size);
	if (unread || ++v->differing == DIFFERING_MAX)
		tlog_tiles_free(&v->tiles);
	return problem(v->problems, what);
}

static int take_line(void *arg, struct view line)
{
	struct verify *v = arg;
	struct tlog_hash leaf;
	int rc = 0;

	tlog_leaf_hash(line, &leaf);
	if (v->tiles && v->leaves.size < v->mark->size)
		rc = compare_leaf(v, &leaf);
	add_leaf(&v->leaves, &leaf);
	return rc;
}

static int verify_file(struct verify *v, uint64_t file)
{
	uint64_t bytes = 0;

	lines_file_name(file, v->file);
	int rc = file_bytes(v->log_fd, file, v->mark, &bytes);

	return rc ? rc : lines_read(v->log_fd, file, bytes, take_line, v);
}

static int verify_root(struct verify *v)
{
	char what[96];
	struct tlog_hash root;

	if (v->leaves.size != v->mark->size) {
		(void)snprintf(what, sizeof what, "the records are %llu instead of %llu",
			       (unsigned long long)v->leaves.size,
			       (unsigned long long)v->mark->size);
		return problem(v->problems, what);
	}
	frontier_root(&v->leaves, &root);
	if (tlog_hash_equal(&root, &v->mark->root))
		return 0;
	return problem(v->problems, "the records do not have the root that the catalog knows");
}

static int verify_records(struct verify *v)
{
	char what[RECORDS_NAME + 32];

	for (uint64_t file = 0; file <= v->mark->file; file++)
		if (verify_file(v, file)) {
			(void)snprintf(what, sizeof what, "%s cannot be read", v->file);
			return problem(v->problems, what);
		}
	return verify_root(v);
}

static int verify_checkpoint(int log_fd, const char *origin, const char *key,
			     const struct trail_mark *mark, struct buf *problems)
{
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_checkpoint c;

	if (open_checkpoint(log_fd, origin, key, &note, &c))
		return problem(problems, "the checkpoint does not verify");
	if (c.size < mark->size)
		return problem(problems, "the checkpoint is older than what the catalog knows");
	if (c.size == mark->size && !tlog_hash_equal(&c.root, &mark->root))
		return problem(problems, "checkpoint and catalog have different roots");
	return 0;
}

static void verify_done(struct verify *v)
{
	tlog_tiles_free(&v->tiles);
	sys_close(&v->log_fd);
}

int trail_verify(int state_fd, const char *origin, const char *key, const struct trail_mark *mark,
		 struct buf *problems)
{
	CLEANUP(verify_done) struct verify v = {.log_fd = -1, .mark = mark, .problems = problems};
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &v.log_fd);

	if (!rc)
		rc = open_tiles(&v);
	if (!rc)
		rc = verify_records(&v);
	if (!rc)
		rc = verify_checkpoint(v.log_fd, origin, key, mark, problems);
	return rc;
}
