/* SPDX-License-Identifier: Apache-2.0 */
/* The log as C2SP tlog-tiles hands it to who verifies it elsewhere. */
#include "daemon/keep/trail.h"

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/lines.h"

enum { CHECKPOINT_MAX = 64 * 1024 /* as in trail_read.c */ };

int trail_checkpoint(int state_fd, struct buf *out)
{
	return sys_read_file(state_fd, "log/checkpoint", CHECKPOINT_MAX, out);
}

int trail_tile(int state_fd, const struct trail_mark *mark, const struct tlog_tile *tile,
	       struct buf *out)
{
	CLEANUP(sys_close) int log_fd = -1;
	struct tlog_hash hashes[TLOG_TILE_WIDTH];

	if (!tlog_tile_exists(tile, mark->size))
		return E_GONE;
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);
	if (!rc)
		rc = tlog_tile_read_some(log_fd, tile, hashes);
	if (rc == E_GONE)
		return fail(E_INTEGRITY, "tile %llu of level %u is missing",
			    (unsigned long long)tile->index, tile->level);
	return rc ? rc : buf_add(out, hashes, tile->width * sizeof *hashes);
}

struct bundle {
	uint64_t left;
	struct buf *out;
};

enum { ENOUGH = 1 };

/* A big-endian uint16 length, then the entry. */
static int add_entry(void *arg, uint64_t seq, struct view line)
{
	struct bundle *b = arg;
	const uint8_t prefix[] = {(uint8_t)(line.len >> 8), (uint8_t)line.len};

	_Static_assert(LINE_BYTES_MAX <= UINT16_MAX, "an entry has a length of 16 bits");
	(void)seq;
	int rc = buf_add(b->out, prefix, sizeof prefix);
	if (!rc)
		rc = buf_add(b->out, line.data, line.len);
	return rc ? rc : --b->left ? 0 : ENOUGH;
}

int trail_bundle(int state_fd, const struct trail_mark *mark, uint64_t first, uint64_t count,
		 struct buf *out)
{
	struct bundle b = {count, out};

	if (!count || first >= mark->size || mark->size - first < count)
		return E_GONE;
	int rc = trail_read_from(state_fd, mark, first, add_entry, &b);
	return rc == ENOUGH ? 0 : rc;
}
