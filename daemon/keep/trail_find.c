/* SPDX-License-Identifier: Apache-2.0 */
/* One record out of the log, and the proof that it is there. */
#include "daemon/keep/trail.h"

#include <string.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/lines.h"
#include "tlog/proof.h"

/* What every line begins with (FORMAT.audit.md); the number follows. */
static const char beginning[] = "{\"v\":1,\"seq\":";

enum { PROBE = LINE_BYTES_MAX + 1, CHECKPOINT_MAX = 64 * 1024 /* as in trail_read.c */ };

/* The file that is searched, as far as it counts. */
struct search {
	int fd;
	uint64_t bytes;
	uint8_t *memory; /* PROBE bytes */
};

static int seq_of(struct view line, uint64_t *ret_seq)
{
	size_t len = sizeof beginning - 1, i = len;
	uint64_t n = 0;

	if (line.len <= len || memcmp(line.data, beginning, len) != 0)
		return fail(E_INTEGRITY, "a line of the log that is no record");
	for (; i < line.len && line.data[i] >= '0' && line.data[i] <= '9' && i < len + 19; i++)
		n = n * 10 + (uint64_t)(line.data[i] - '0');
	if (i == len || i == line.len || line.data[i] != ',')
		return fail(E_INTEGRITY, "a line of the log that is no record");
	*ret_seq = n;
	return 0;
}

/* The line that begins at `at`. */
static int line_at(const struct search *s, uint64_t at, struct view *ret_line)
{
	uint64_t left = s->bytes - at;
	size_t want = left < PROBE ? (size_t)left : PROBE, got = 0;
	int rc = sys_pread_some(s->fd, s->memory, want, at, &got);
	const uint8_t *end = rc ? NULL : memchr(s->memory, '\n', got);

	if (rc)
		return rc;
	if (!end)
		return fail(E_INTEGRITY, "a line of the log that has no end");
	*ret_line = view_of(s->memory, (size_t)(end - s->memory));
	return 0;
}

/* The beginning of the first line at or behind `at`; bytes: there is none. */
static int next_line(const struct search *s, uint64_t at, uint64_t *ret_at)
{
	struct view line = {0};
	int rc;

	if (at == 0 || at >= s->bytes) {
		*ret_at = at < s->bytes ? at : s->bytes;
		return 0;
	}
	rc = line_at(s, at - 1, &line); /* ends at the newline at or behind at - 1 */
	if (!rc)
		*ret_at = at + line.len;
	return rc;
}

/* Numbers ascend without gaps, so where the line begins is found by halves. */
static int search(const struct search *s, uint64_t seq, uint64_t *ret_at, struct view *ret_line)
{
	uint64_t low = 0, high = s->bytes; /* it begins at or behind low, before high */
	struct view line;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, at = 0, found = 0;
		int rc = next_line(s, middle, &at);
		if (rc)
			return rc;
		if (at >= high) { /* what is left is one line, or the rest of some */
			if (middle == low)
				break;
			high = middle;
			continue;
		}
		rc = line_at(s, at, &line);
		if (!rc)
			rc = seq_of(line, &found);
		if (rc)
			return rc;
		if (found == seq) {
			*ret_at = at;
			*ret_line = line;
			return 0;
		}
		if (found > seq)
			high = middle > low ? middle : low;
		else
			low = at + line.len + 1;
	}
	return E_GONE;
}

static int open_file(int log_fd, uint64_t file, const struct trail_mark *mark, struct search *s)
{
	char name[RECORDS_NAME];

	lines_file_name(file, name);
	int rc = sys_open(log_fd, name, O_RDONLY, 0, &s->fd);
	if (!rc && file == mark->file)
		s->bytes = mark->bytes;
	else if (!rc)
		rc = sys_size(s->fd, &s->bytes);
	return rc;
}

/* From the newest file back: what is asked for is mostly young. The line is in memory. */
static int find_in_files(int log_fd, const struct trail_mark *mark, uint64_t seq, uint8_t *memory,
			 struct trail_spot *ret_spot, struct view *ret_line)
{
	for (uint64_t file = mark->file + 1; file-- > 0;) {
		CLEANUP(sys_close) int fd = -1;
		struct search s = {.fd = -1, .memory = memory};
		uint64_t first = 0;
		struct view line;
		int rc = open_file(log_fd, file, mark, &s);
		fd = s.fd;
		if (!rc && !s.bytes)
			continue;
		if (!rc)
			rc = line_at(&s, 0, &line);
		if (!rc)
			rc = seq_of(line, &first);
		if (rc)
			return rc;
		if (first <= seq) {
			ret_spot->file = file;
			return search(&s, seq, &ret_spot->at, ret_line);
		}
	}
	return E_GONE;
}

int trail_locate(int log_fd, const struct trail_mark *mark, uint64_t seq,
		 struct trail_spot *ret_spot)
{
	CLEANUP(mem_free) uint8_t *memory = mem_new(PROBE);
	struct view line;

	return seq < mark->size ? find_in_files(log_fd, mark, seq, memory, ret_spot, &line)
				: E_GONE;
}

int trail_find(int state_fd, const struct trail_mark *mark, uint64_t seq, struct buf *out)
{
	CLEANUP(sys_close) int log_fd = -1;
	CLEANUP(mem_free) uint8_t *memory = NULL;
	struct trail_spot spot;
	struct view line;

	if (seq >= mark->size)
		return E_GONE;
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);
	memory = mem_new(PROBE);
	if (!rc)
		rc = find_in_files(log_fd, mark, seq, memory, &spot, &line);
	return rc ? rc : buf_add(out, line.data, line.len);
}

static int read_checkpoint(struct view note, struct tlog_checkpoint *ret)
{
	struct tlog_note parsed;
	int rc = tlog_note_parse(note, &parsed);

	if (!rc)
		rc = tlog_checkpoint_parse(parsed.text, ret);
	return rc ? fail(E_INTEGRITY, "the log's checkpoint is damaged") : 0;
}

static void tiles_free(struct tlog_tiles **t)
{
	tlog_tiles_free(t);
}

int trail_prove(int state_fd, uint64_t seq, struct view extra, struct buf *out)
{
	CLEANUP(sys_close) int log_fd = -1;
	CLEANUP(buf_done) struct buf note = {0};
	CLEANUP(tiles_free) struct tlog_tiles *tiles = NULL;
	struct tlog_checkpoint at = {0};
	struct tlog_path path;
	int rc = sys_open(state_fd, "log", O_RDONLY | O_DIRECTORY, 0, &log_fd);

	if (!rc)
		rc = sys_read_file(log_fd, "checkpoint", CHECKPOINT_MAX, &note);
	if (!rc)
		rc = read_checkpoint(view_buf(&note), &at);
	if (!rc && seq >= at.size)
		rc = fail(E_AGAIN, "the log's checkpoint does not cover that record yet");
	if (!rc)
		rc = tlog_tiles_open(log_fd, at.size, &at.root, &tiles);
	if (rc)
		return rc;
	struct tlog_source from = tlog_tiles_source(tiles);
	rc = tlog_prove_inclusion(&from, seq, at.size, &path);
	return rc ? rc : tlog_proof_write(extra, seq, &path, view_buf(&note), out);
}
