/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Beyond what the programs use, so that nothing of theirs has another number than it would. */
enum { LAB_FD_FIRST = 600 };

struct lab_shared *lab_shared;
bool lab_is_gate;
int lab_seals_fd = -1, lab_trace_fd = -1;

static char state_given[PATH_MAX], state_real[PATH_MAX];

/* Straight to the kernel: the C library's functions of this name are the lab's own. */
_Noreturn void lab_die(const char *why)
{
	char text[256];
	int len = snprintf(text, sizeof text, "lab: %s: %s\n", why, strerror(errno));

	(void)syscall(SYS_write, STDERR_FILENO, text, (size_t)len);
	abort();
}

/* ---- the lock ---- */

/* A gate that finds the keep dead does nothing more, not in the middle of a change that the trace
 * then lacks. It ends by itself: where it has just begun, nothing else would end it. */
void lab_lock(void)
{
	int rc = pthread_mutex_lock(&lab_shared->mutex);

	if (rc == EOWNERDEAD && lab_is_gate && !lab_shared->held_by_gate)
		(void)kill(getpid(), SIGKILL);
	if (rc == EOWNERDEAD)
		rc = pthread_mutex_consistent(&lab_shared->mutex);
	if (rc)
		lab_die("take the lock");
	lab_shared->held_by_gate = lab_is_gate;
}

void lab_unlock(void)
{
	if (pthread_mutex_unlock(&lab_shared->mutex))
		lab_die("release the lock");
}

static void make_lock(void)
{
	pthread_mutexattr_t how;

	(void)pthread_mutexattr_init(&how);
	(void)pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
	(void)pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
	if (pthread_mutex_init(&lab_shared->mutex, &how))
		lab_die("make the lock");
}

/* ---- paths ---- */

static bool below(const char *path, const char *state, char ret_path[LAB_PATH])
{
	size_t len = strlen(state);

	if (!len || strncmp(path, state, len) != 0 || (path[len] && path[len] != '/'))
		return false;
	path += len;
	while (*path == '/')
		path++;
	size_t rest = strlen(path);
	if (rest && path[rest - 1] == '.' && (rest == 1 || path[rest - 2] == '/'))
		rest -= rest == 1 ? 1 : 2; /* the folder itself, by the name "." */
	if (rest >= LAB_PATH)
		lab_die("a long path in the state directory");
	memcpy(ret_path, path, rest);
	ret_path[rest] = 0;
	return true;
}

bool lab_path_of_name(int dir_fd, const char *name, char ret_path[LAB_PATH])
{
	char link[64], full[2 * PATH_MAX];
	size_t len = 0;

	if (*name != '/') {
		if (dir_fd == AT_FDCWD)
			(void)snprintf(link, sizeof link, "/proc/self/cwd");
		else
			(void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir_fd);
		ssize_t n = readlink(link, full, PATH_MAX);
		if (n <= 0)
			return false;
		len = (size_t)n;
		full[len++] = '/';
	}
	(void)snprintf(full + len, sizeof full - len, "%s", name);
	return below(full, state_real, ret_path) || below(full, state_given, ret_path);
}

static struct lab_file *file_slot(const struct stat *st)
{
	size_t first = (size_t)(st->st_ino * 2654435761u) & (LAB_FILES - 1);

	for (size_t i = 0; i < LAB_FILES; i++) {
		struct lab_file *f = &lab_shared->file[(first + i) & (LAB_FILES - 1)];
		if (!f->ino || (f->ino == st->st_ino && f->dev == st->st_dev))
			return f;
	}
	lab_die("too many files in the state directory");
}

void lab_remember(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st))
		lab_die("look at what was opened");
	struct lab_file *f = file_slot(&st);
	(void)snprintf(f->path, sizeof f->path, "%s", path);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
}

bool lab_path_of_inode(const struct stat *st, char ret_path[LAB_PATH])
{
	const struct lab_file *f = file_slot(st);

	if (!f->ino)
		return false;
	memcpy(ret_path, f->path, LAB_PATH);
	return true;
}

/* ---- the steering files ---- */

static int open_beside(const char *dir, const char *name, int flags)
{
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	int low = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
	if (low < 0 && errno != ENOENT)
		lab_die(path);
	if (low < 0)
		return -1;
	int fd = fcntl(low, F_DUPFD_CLOEXEC, LAB_FD_FIRST);
	if (fd < 0)
		lab_die("move a descriptor out of the way");
	(void)close(low);
	return fd;
}

static void learn_state(const char *dir)
{
	int fd = open_beside(dir, "state", O_RDONLY);

	if (fd < 0)
		return;
	ssize_t n = syscall(SYS_pread64, fd, state_given, sizeof state_given - 1, (off_t)0);
	if (n <= 1)
		lab_die("read where the state directory is");
	state_given[strcspn(state_given, "\n")] = 0;
	if (!realpath(state_given, state_real))
		state_real[0] = 0; /* it is not there yet */
	(void)close(fd);
}

static void map_shared(const char *dir)
{
	int fd = open_beside(dir, "shared", O_RDWR);

	if (fd < 0)
		return;
	if (flock(fd, LOCK_EX) || ftruncate(fd, sizeof *lab_shared))
		lab_die("set up what is shared");
	void *map =
	    mmap(NULL, sizeof *lab_shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)0);
	if (map == MAP_FAILED)
		lab_die("map what is shared");
	lab_shared = map;
	if (!lab_shared->made)
		make_lock();
	lab_shared->made = 1;
	(void)flock(fd, LOCK_UN);
	(void)close(fd);
}

__attribute__((constructor)) static void lab_begin(void)
{
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof dir - 1);

	if (n <= 0)
		lab_die("find the program's own directory");
	dir[n] = 0;
	char *name = strrchr(dir, '/');
	*name++ = 0;
	lab_is_gate = strcmp(name, "dropkeep-gate") == 0;
	learn_state(dir);
	map_shared(dir);
	lab_seals_fd = open_beside(dir, "seals", O_WRONLY | O_APPEND);
	lab_trace_fd = open_beside(dir, "trace", O_WRONLY | O_APPEND);
	if (lab_trace_fd >= 0 && !lab_shared)
		lab_die("a trace needs the file shared");
}
