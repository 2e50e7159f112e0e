/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sys: our one door to the file system. Everything that stores or reads a file goes
 * through here, so that a fault test can make any of it fail. Descriptors are
 * close-on-exec at birth; EINTR is retried; errors come as codes of base/err.h
 * (ENOENT: E_GONE, EEXIST: E_EXISTS, ENOSPC and EDQUOT: E_FULL, else E_IO).
 * Thread-safe. Paths appear in error texts only as given by the caller in `what`,
 * so no file name of a user can slip into a log.
 */
#ifndef DROPKEEP_SYS_H
#define DROPKEEP_SYS_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/buf.h"

/* dir_fd: a directory, or AT_FDCWD. mode as for open(2). */
MUST_USE int sys_open(int dir_fd, const char *path, int flags, mode_t mode, int *ret_fd);

/* For CLEANUP(sys_close): close *fd unless negative. What matters is synced before. */
void sys_close(int *fd);

/* All of it, or an error. Reading past the end is E_INTEGRITY ("ends early"). */
MUST_USE int sys_write_all(int fd, const void *data, size_t len);
MUST_USE int sys_pwrite_all(int fd, const void *data, size_t len, uint64_t offset);
MUST_USE int sys_pread_all(int fd, void *data, size_t len, uint64_t offset);

/* Up to len bytes at offset; fewer only at the end of the file. */
MUST_USE int sys_pread_some(int fd, void *data, size_t len, uint64_t offset, size_t *ret_len);

MUST_USE int sys_sync_data(int fd);                      /* fdatasync */
MUST_USE int sys_sync(int fd);                           /* fsync; for directories too */
MUST_USE int sys_sync_dir(int dir_fd, const char *path); /* open, fsync, close */

MUST_USE int sys_size(int fd, uint64_t *ret_size);
MUST_USE int sys_truncate(int fd, uint64_t size);
MUST_USE int sys_allocate(int fd, uint64_t size); /* blocks for all of it: no ENOSPC later */
MUST_USE int sys_mkdir(int dir_fd, const char *path, mode_t mode);
MUST_USE int sys_unlink(int dir_fd, const char *path);
MUST_USE int sys_rmdir(int dir_fd, const char *path); /* E_NOT_EMPTY when it is not */
MUST_USE int sys_rename(int dir_fd, const char *from, const char *to);

/* Bytes that an unprivileged writer may still use on the file system of fd. */
MUST_USE int sys_free_space(int fd, uint64_t *ret_bytes);

/* Whole small file of at most limit bytes, appended to out. More is E_LIMIT. */
MUST_USE int sys_read_file(int dir_fd, const char *path, size_t limit, struct buf *out);

/* Replace (or make) a file so that a crash leaves the old or the new content: written to
 * `path.new`, synced, renamed, directory synced. */
MUST_USE int sys_replace_file(int dir_fd, const char *path, mode_t mode, struct view content);

/* A file in memory that holds content and can't be changed any more, by anybody: sealed
 * (memfd_create(2)) against writing and resizing. */
MUST_USE int sys_frozen_file(struct view content, int *ret_fd);

/*
 * No writer: true when nobody has the file open for writing, seen by taking and releasing
 * a read lease (fcntl(2), F_SETLEASE) on fd, which must be open read-only and be the only
 * open of its kind that we wait for. E_UNSUPPORTED where the file system has no leases.
 */
MUST_USE int sys_no_writer(int fd, bool *ret_none);

#endif
