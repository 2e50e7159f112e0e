/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sys.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

#define RETRY(call)                                 \
	({                                          \
		__typeof__(call) got_;              \
		do                                  \
			got_ = (call);              \
		while (got_ < 0 && errno == EINTR); \
		got_;                               \
	})

static int path_error(const char *verb, const char *path)
{
	switch (errno) {
	case ENOENT:
		return fail_errno(E_GONE, "%s '%s'", verb, path);
	case EEXIST:
		return fail_errno(E_EXISTS, "%s '%s'", verb, path);
	case ENOTEMPTY:
		return fail_errno(E_NOT_EMPTY, "%s '%s'", verb, path);
	default:
		return fail_errno(E_IO, "%s '%s'", verb, path);
	}
}

int sys_open(int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd)
{
	int fd = RETRY(openat(dir_fd, path, flags | O_CLOEXEC | O_NOCTTY, mode));

	if (fd < 0)
		return path_error("open", path);
	*ret_fd = fd;
	return 0;
}

void sys_close(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* Linux frees the descriptor whatever it answers */
	*fd = -1;
}

int sys_write_all(int fd, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = RETRY(write(fd, p, len));
		if (n < 0)
			return fail_errno(E_IO, "write");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int sys_pwrite_all(int fd, const void *data, size_t len, uint64_t offset)
{
	const uint8_t *p = data;

	while (len) {
		ssize_t n = RETRY(pwrite(fd, p, len, (off_t)offset));
		if (n < 0)
			return fail_errno(E_IO, "write at %llu", (unsigned long long)offset);
		p += n;
		len -= (size_t)n;
		offset += (size_t)n;
	}
	return 0;
}

int sys_pread_some(int fd, void *data, size_t len, uint64_t offset, size_t *ret_len)
{
	uint8_t *p = data;
	size_t got = 0;

	while (got < len) {
		ssize_t n = RETRY(pread(fd, p + got, len - got, (off_t)(offset + got)));
		if (n < 0)
			return fail_errno(E_IO, "read at %llu", (unsigned long long)offset);
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*ret_len = got;
	return 0;
}

int sys_pread_all(int fd, void *data, size_t len, uint64_t offset)
{
	size_t got = 0;
	int rc = sys_pread_some(fd, data, len, offset, &got);

	if (!rc && got < len)
		rc = fail(E_INTEGRITY, "file ends early: %zu of %zu bytes at %llu", got, len,
			  (unsigned long long)offset);
	return rc;
}

int sys_sync_data(int fd)
{
	if (RETRY(fdatasync(fd)) < 0)
		return fail_errno(E_IO, "fdatasync");
	return 0;
}

int sys_sync(int fd)
{
	if (RETRY(fsync(fd)) < 0)
		return fail_errno(E_IO, "fsync");
	return 0;
}

int sys_sync_dir(int dir_fd, const char *path)
{
	CLEANUP(sys_close) int fd = -1;
	int rc = sys_open(dir_fd, path, O_RDONLY | O_DIRECTORY, 0, &fd);

	return rc ? rc : sys_sync(fd);
}

int sys_size(int fd, uint64_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail_errno(E_IO, "fstat");
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int sys_truncate(int fd, uint64_t size)
{
	if (RETRY(ftruncate(fd, (off_t)size)) < 0)
		return fail_errno(E_IO, "truncate to %llu", (unsigned long long)size);
	return 0;
}

int sys_allocate(int fd, uint64_t size)
{
	do
		errno = posix_fallocate(fd, 0, (off_t)size); /* which does not set it */
	while (errno == EINTR);
	return errno ? fail_errno(E_IO, "allocate %llu bytes", (unsigned long long)size) : 0;
}

int sys_mkdir(int dir_fd, const char *path, mode_t mode)
{
	if (mkdirat(dir_fd, path, mode) < 0)
		return path_error("make folder", path);
	return 0;
}

int sys_unlink(int dir_fd, const char *path)
{
	if (unlinkat(dir_fd, path, 0) < 0)
		return path_error("unlink", path);
	return 0;
}

int sys_rmdir(int dir_fd, const char *path)
{
	if (unlinkat(dir_fd, path, AT_REMOVEDIR) < 0)
		return path_error("remove folder", path);
	return 0;
}

int sys_rename(int dir_fd, const char *from, const char *to)
{
	if (renameat(dir_fd, from, dir_fd, to) < 0)
		return path_error("rename", from);
	return 0;
}

int sys_free_space(int fd, uint64_t *ret_bytes)
{
	struct statvfs v;

	if (RETRY(fstatvfs(fd, &v)) < 0)
		return fail_errno(E_IO, "statvfs");
	*ret_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	return 0;
}

int sys_read_file(int dir_fd, const char *path, size_t limit, struct buf *out)
{
	CLEANUP(sys_close) int fd = -1;
	size_t before = out->len, got = 0;
	int rc = sys_open(dir_fd, path, O_RDONLY, 0, &fd);

	if (!rc)
		rc = buf_reserve(out, limit + 1);
	if (!rc)
		rc = sys_pread_some(fd, out->data + before, limit + 1, 0, &got);
	if (!rc && got > limit)
		rc = fail(E_LIMIT, "'%s' is larger than %zu bytes", path, limit);
	if (!rc)
		out->len = before + got;
	return rc;
}

static int write_new(int dir_fd, const char *path, mode_t mode, struct view content)
{
	CLEANUP(sys_close) int fd = -1;

	/* What a crash has left there may have another mode, or be open in some process. */
	if (unlinkat(dir_fd, path, 0) < 0 && errno != ENOENT)
		return path_error("unlink", path);
	int rc = sys_open(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, mode, &fd);
	if (!rc)
		rc = sys_write_all(fd, content.data, content.len);
	return rc ? rc : sys_sync(fd);
}

static int sync_parent(int dir_fd, const char *path)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(mem_free)
	char *dir =
	    !slash ? mem_text(".") : mem_text_n(path, slash == path ? 1 : (size_t)(slash - path));

	return sys_sync_dir(dir_fd, dir);
}

int sys_replace_file(int dir_fd, const char *path, mode_t mode, struct view content)
{
	CLEANUP(mem_free) char *fresh = mem_printf("%s.new", path);
	int rc = write_new(dir_fd, fresh, mode, content);

	if (!rc)
		rc = sys_rename(dir_fd, fresh, path);
	return rc ? rc : sync_parent(dir_fd, path);
}

int sys_frozen_file(struct view content, int *ret_fd)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	CLEANUP(sys_close) int fd = memfd_create("dropkeep", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return fail_errno(E_IO, "make a file in memory");
	int rc = sys_pwrite_all(fd, content.data, content.len, 0);
	if (!rc && fcntl(fd, F_ADD_SEALS, seals) < 0)
		rc = fail_errno(E_IO, "freeze a file in memory");
	if (!rc)
		*ret_fd = TAKE_FD(fd);
	return rc;
}

int sys_no_writer(int fd, bool *ret_none)
{
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0) {
		if (errno == EAGAIN || errno == EBUSY) {
			*ret_none = false;
			return 0;
		}
		return fail_errno(errno == EINVAL || errno == EOPNOTSUPP ? E_UNSUPPORTED : E_IO,
				  "take a read lease");
	}
	if (fcntl(fd, F_SETLEASE, F_UNLCK) < 0)
		return fail_errno(E_IO, "release a read lease");
	*ret_none = true;
	return 0;
}
