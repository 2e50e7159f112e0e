/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The C library's functions by which files change (and are opened and read): those that
 * lib/base/sys.c, the keep and libsqlite3 call. An executable's definition comes before the
 * library's, for shared libraries too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/fault/lab.h"

/* ---- around a call ---- */

static void begin(struct lab_call *c)
{
	c->locked = true;
	lab_judge(c);
	/* Only a trace needs the order of calls; to hold the lock through a sync would hide what
	 * happens side by side. */
	if (lab_trace_fd < 0 && c->class != LAB_OPEN && c->class != LAB_CREATE) {
		lab_unlock();
		c->locked = false;
	}
}

static void enter_fd(struct lab_call *c, enum lab_class class, int fd)
{
	struct stat st;

	*c = (struct lab_call){.class = class};
	if (!lab_shared || fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	lab_lock();
	if (lab_path_of_inode(&st, c->path))
		begin(c);
	else
		lab_unlock();
}

static void enter_name(struct lab_call *c, enum lab_class class, int dir_fd, const char *name)
{
	int saved = errno;

	*c = (struct lab_call){.class = class};
	if (lab_shared && lab_path_of_name(dir_fd, name, c->path)) {
		lab_lock();
		begin(c);
	}
	errno = saved;
}

/* The call has been made, or refused; errno stays. */
static void leave(struct lab_call *c)
{
	if (c->crash_after)
		(void)kill(getpid(), SIGKILL);
	if (c->locked)
		lab_unlock();
	c->locked = false;
}

/* Whether the plan has an answer of its own. */
static bool decided(struct lab_call *c, long *ret)
{
	if (!c->error && !c->skip)
		return false;
	leave(c);
	if (c->error)
		errno = c->error;
	*ret = c->error ? -1 : 0;
	return true;
}

static uint64_t inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

/* ---- open ---- */

static bool is_there(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void opened(const struct lab_call *c, int fd, bool was_there, int flags)
{
	lab_remember(fd, c->path);
	if (!was_there)
		lab_trace(TRACE_CREATE, c->path, inode_of(fd), 0, NULL, 0);
	else if (flags & O_TRUNC)
		lab_trace(TRACE_TRUNCATE, c->path, inode_of(fd), 0, NULL, 0);
}

static int do_open(int dir_fd, const char *path, int flags, mode_t mode)
{
	struct lab_call c;
	long rc;

	enter_name(&c, flags & O_CREAT ? LAB_CREATE : LAB_OPEN, dir_fd, path);
	if (!c.locked)
		return (int)syscall(SYS_openat, dir_fd, path, flags, mode);
	c.skip = false; /* there is no descriptor to pretend with */
	if (decided(&c, &rc))
		return (int)rc;
	int saved = errno;
	bool was_there = is_there(dir_fd, path);
	errno = saved;
	int fd = (int)syscall(SYS_openat, dir_fd, path, flags, mode);
	if (fd >= 0)
		opened(&c, fd, was_there, flags);
	leave(&c);
	return fd;
}

#define MODE_OF(flags, mode)                          \
	do {                                          \
		if ((flags) & (O_CREAT)) {            \
			va_list args_;                \
			va_start(args_, flags);       \
			mode = va_arg(args_, mode_t); \
			va_end(args_);                \
		}                                     \
	} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return do_open(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return do_open(AT_FDCWD, path, flags, mode);
}

int openat(int dir_fd, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return do_open(dir_fd, path, flags, mode);
}

int openat64(int dir_fd, const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE_OF(flags, mode);
	return do_open(dir_fd, path, flags, mode);
}

/* The gate closes what it did not get from the keep, but not the lab's. */
int close_range(unsigned first, unsigned last, int flags)
{
	unsigned mine[2] = {(unsigned)lab_seals_fd, (unsigned)lab_trace_fd};

	if (lab_seals_fd > lab_trace_fd) {
		mine[0] = (unsigned)lab_trace_fd;
		mine[1] = (unsigned)lab_seals_fd;
	}
	for (size_t i = 0; i < 2; i++) {
		if ((int)mine[i] < 0 || mine[i] < first || mine[i] > last)
			continue;
		if (mine[i] > first && syscall(SYS_close_range, first, mine[i] - 1, flags))
			return -1;
		first = mine[i] + 1;
	}
	return (int)syscall(SYS_close_range, first, last, flags);
}

/* ---- contents ---- */

static ssize_t do_pread(int fd, void *data, size_t len, off_t offset)
{
	struct lab_call c;
	long rc;

	enter_fd(&c, LAB_READ, fd);
	if (decided(&c, &rc))
		return rc;
	if (c.half)
		len = (len + 1) / 2;
	ssize_t n = syscall(SYS_pread64, fd, data, len, offset);
	leave(&c);
	return n;
}

ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	return do_pread(fd, data, len, offset);
}

ssize_t pread64(int fd, void *data, size_t len, off_t offset)
{
	return do_pread(fd, data, len, offset);
}

static void written(const struct lab_call *c, int fd, const void *data, ssize_t n, off_t offset)
{
	int saved = errno;

	if (n > 0 && c->locked) {
		if (offset < 0)
			offset = lseek(fd, 0, SEEK_CUR) - n;
		lab_trace(TRACE_WRITE, c->path, inode_of(fd), (uint64_t)offset, data, (size_t)n);
	}
	errno = saved;
}

/* offset: negative for where the descriptor stands. */
static ssize_t do_write(int fd, const void *data, size_t len, off_t offset)
{
	struct lab_call c;
	long rc;

	enter_fd(&c, LAB_WRITE, fd);
	if (decided(&c, &rc))
		return c.skip ? (ssize_t)len : rc;
	if (c.half)
		len = (len + 1) / 2;
	ssize_t n = offset < 0 ? syscall(SYS_write, fd, data, len)
			       : syscall(SYS_pwrite64, fd, data, len, offset);
	written(&c, fd, data, n, offset);
	leave(&c);
	return n;
}

ssize_t write(int fd, const void *data, size_t len)
{
	return do_write(fd, data, len, -1);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	return do_write(fd, data, len, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return do_write(fd, data, len, offset);
}

static int do_truncate(int fd, off_t size)
{
	struct lab_call c;
	long rc;

	enter_fd(&c, LAB_TRUNCATE, fd);
	if (decided(&c, &rc))
		return (int)rc;
	int done = (int)syscall(SYS_ftruncate, fd, size);
	if (!done && c.locked)
		lab_trace(TRACE_TRUNCATE, c.path, inode_of(fd), (uint64_t)size, NULL, 0);
	leave(&c);
	return done;
}

int ftruncate(int fd, off_t size)
{
	return do_truncate(fd, size);
}

int ftruncate64(int fd, off_t size)
{
	return do_truncate(fd, size);
}

static int do_sync(int fd, long number)
{
	struct lab_call c;
	struct stat st;
	long rc;

	enter_fd(&c, LAB_SYNC, fd);
	if (decided(&c, &rc))
		return (int)rc;
	int done = (int)syscall(number, fd);
	if (!done && c.locked && fstat(fd, &st) == 0)
		lab_trace(S_ISDIR(st.st_mode) ? TRACE_SYNC_DIR : TRACE_SYNC, c.path, st.st_ino, 0,
			  NULL, 0);
	leave(&c);
	return done;
}

int fsync(int fd)
{
	return do_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return do_sync(fd, SYS_fdatasync);
}

/* ---- names ---- */

int mkdirat(int dir_fd, const char *path, mode_t mode)
{
	struct lab_call c;
	long rc;

	enter_name(&c, LAB_MKDIR, dir_fd, path);
	if (decided(&c, &rc))
		return (int)rc;
	int done = (int)syscall(SYS_mkdirat, dir_fd, path, mode);
	if (!done && c.locked)
		lab_trace(TRACE_MKDIR, c.path, 0, 0, NULL, 0);
	leave(&c);
	return done;
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}

int unlinkat(int dir_fd, const char *path, int flags)
{
	struct lab_call c;
	long rc;

	enter_name(&c, LAB_UNLINK, dir_fd, path);
	if (decided(&c, &rc))
		return (int)rc;
	int done = (int)syscall(SYS_unlinkat, dir_fd, path, flags);
	if (!done && c.locked)
		lab_trace(flags & AT_REMOVEDIR ? TRACE_RMDIR : TRACE_UNLINK, c.path, 0, 0, NULL, 0);
	leave(&c);
	return done;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	struct lab_call c;
	char target[LAB_PATH];
	long rc;

	enter_name(&c, LAB_RENAME, from_fd, from);
	if (decided(&c, &rc))
		return (int)rc;
	int done = (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0U);
	if (!done && c.locked && lab_path_of_name(to_fd, to, target))
		lab_trace(TRACE_RENAME, c.path, 0, 0, target, strlen(target));
	leave(&c);
	return done;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
