/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trace: a record for each change of the state directory that succeeded, in their order
 * across keep and gates, appended while the lock is held that was taken before the change.
 * Its numbers are the machine's own; power.py reads it.
 *
 *	uint32 magic, op (enum lab_trace_op), length of path, length of data
 *	uint64 ino, offset
 *	path, data
 *
 * Who is killed within a change leaves none for it; so let processes be killed by the plan of
 * faults (crash, crash-after), which knows when. What SQLite's -shm gets is left out: it is made
 * anew after every crash.
 */
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/fault/lab.h"

enum { MAGIC = 0x4c414254 };

struct head {
	uint32_t magic, op, path_len, data_len;
	uint64_t ino, offset;
};

static bool left_out(const char *path)
{
	static const char shm[] = "-shm";
	size_t len = strlen(path);

	return len >= sizeof shm - 1 && strcmp(path + len - (sizeof shm - 1), shm) == 0;
}

void lab_trace(enum lab_trace_op op, const char *path, uint64_t ino, uint64_t offset,
	       const void *data, size_t len)
{
	struct head h = {MAGIC, op, (uint32_t)strlen(path), (uint32_t)len, ino, offset};
	struct iovec part[3] = {
	    {&h, sizeof h}, {(void *)(uintptr_t)path, h.path_len}, {(void *)(uintptr_t)data, len}};

	if (lab_trace_fd < 0 || left_out(path))
		return;
	if (writev(lab_trace_fd, part, 3) != (ssize_t)(sizeof h + h.path_len + len))
		lab_die("append to the trace");
}
