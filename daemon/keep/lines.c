/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/lines.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"

enum { READ_STEP = 256 * 1024 };

void lines_file_name(uint64_t file, char ret_name[RECORDS_NAME])
{
	(void)snprintf(ret_name, RECORDS_NAME, "records-%06llu.jsonl", (unsigned long long)file);
}

/* Hand out the whole lines at the start of b and drop them. */
static int visit_lines(struct buf *b, int (*visit)(void *arg, struct view line), void *arg)
{
	size_t used = 0;
	int rc = 0;

	while (!rc && used < b->len) {
		const uint8_t *start = b->data + used;
		const uint8_t *newline = memchr(start, '\n', b->len - used);
		size_t len = newline ? (size_t)(newline - start) : b->len - used;
		if (len > LINE_BYTES_MAX)
			rc = fail(E_INTEGRITY, "a record that is too long");
		if (!newline || rc)
			break;
		rc = visit(arg, view_of(start, len));
		used += len + 1;
	}
	buf_eat(b, used);
	return rc;
}

int lines_read_from(int log_fd, uint64_t file, uint64_t at, uint64_t bytes,
		    int (*visit)(void *arg, struct view line), void *arg)
{
	CLEANUP(sys_close) int fd = -1;
	CLEANUP(buf_done) struct buf b = {0};
	char name[RECORDS_NAME];

	lines_file_name(file, name);
	int rc = sys_open(log_fd, name, O_RDONLY, 0, &fd);
	while (!rc && at < bytes) {
		size_t step = bytes - at < READ_STEP ? (size_t)(bytes - at) : READ_STEP;
		rc = buf_reserve(&b, step);
		if (!rc)
			rc = sys_pread_all(fd, b.data + b.len, step, at);
		if (rc)
			break;
		b.len += step;
		at += step;
		rc = visit_lines(&b, visit, arg);
	}
	if (!rc && b.len)
		rc = fail(E_INTEGRITY, "the last record of %s is torn", name);
	return rc;
}

int lines_read(int log_fd, uint64_t file, uint64_t bytes, int (*visit)(void *arg, struct view line),
	       void *arg)
{
	return lines_read_from(log_fd, file, 0, bytes, visit, arg);
}
