/* SPDX-License-Identifier: Apache-2.0 */
/* The reading side of the log: for queries and verification, beside a log that grows. */
#include "daemon/keep/trail.h"

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

int trail_read(int state_fd, const struct trail_mark *mark,
	       int (*visit)(void *arg, uint64_t seq, struct view line), void *arg)
{
	CLEANUP(sys_close) int log_fd = -1;
	struct counted c = {visit, arg, 0};
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);

	for (uint64_t file = 0; !rc && file <= mark->file; file++) {
		uint64_t bytes = 0;
		rc = file_bytes(log_fd, file, mark, &bytes);
		if (!rc)
			rc = lines_read(log_fd, file, bytes, count_line, &c);
	}
	if (!rc && c.seq != mark->size)
		rc = fail(E_INTEGRITY, "the log holds %llu records instead of %llu",
			  (unsigned long long)c.seq, (unsigned long long)mark->size);
	return rc;
}

/* The root of a run of leaves, with one pending subtree per set bit of their number. */
struct frontier {
	struct tlog_hash node[64];
	uint64_t size;
};

static int add_leaf(void *arg, uint64_t seq, struct view line)
{
	struct frontier *f = arg;
	struct tlog_hash h;
	unsigned level = 0;

	(void)seq;
	tlog_leaf_hash(line, &h);
	for (; f->size >> level & 1; level++)
		tlog_node_hash(&f->node[level], &h, &h);
	f->node[level] = h;
	f->size++;
	return 0;
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

static int verify_tiles(int log_fd, const struct trail_mark *mark, struct buf *problems)
{
	CLEANUP(tlog_tiles_free) struct tlog_tiles *tiles = NULL;

	if (tlog_tiles_open(log_fd, mark->size, &mark->root, &tiles))
		return problem(problems,
			       "the tree's tiles do not have the root that the catalog knows");
	return 0;
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

int trail_verify(int state_fd, const char *origin, const char *key, const struct trail_mark *mark,
		 struct buf *problems)
{
	CLEANUP(sys_close) int log_fd = -1;
	struct frontier f = {.size = 0};
	struct tlog_hash root;
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);

	if (rc)
		return rc;
	if (trail_read(state_fd, mark, add_leaf, &f)) {
		rc = problem(problems, "the records cannot be read");
	} else {
		frontier_root(&f, &root);
		if (!tlog_hash_equal(&root, &mark->root))
			rc = problem(problems,
				     "the records do not have the root that the catalog knows");
	}
	if (!rc)
		rc = verify_tiles(log_fd, mark, problems);
	if (!rc)
		rc = verify_checkpoint(log_fd, origin, key, mark, problems);
	return rc;
}
