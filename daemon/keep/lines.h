/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines: the records files of the log, read back a line at a time in constant memory.
 */
#ifndef DROPKEEP_KEEP_LINES_H
#define DROPKEEP_KEEP_LINES_H

#include "base/buf.h"

enum {
	RECORDS_NAME = 32,
	LINE_BYTES_MAX = 65535, /* what an entry bundle of C2SP tlog-tiles can tell; a record with
				 * two long paths stays far below; a longer one is neither written
				 * (audit.c) nor read */
};

/* "records-000007.jsonl" */
void lines_file_name(uint64_t file, char ret_name[RECORDS_NAME]);

/* visit() per line of records-`file` up to `bytes` (which must end in a newline), until it
 * gives non-zero, which is returned. E_INTEGRITY for a file that is shorter or torn. */
MUST_USE int lines_read(int log_fd, uint64_t file, uint64_t bytes,
			int (*visit)(void *arg, struct view line), void *arg);

/* The same from the line on that begins at `at`. */
MUST_USE int lines_read_from(int log_fd, uint64_t file, uint64_t at, uint64_t bytes,
			     int (*visit)(void *arg, struct view line), void *arg);

#endif
