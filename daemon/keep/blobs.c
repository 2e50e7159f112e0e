/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum {
	FOLDERS = 256,
	ID_TEXT = 2 * BLOB_ID + 1,
	PATH_TEXT = ID_TEXT + 4, /* "ab/" and the id; or the id and ".new" */
	STATE_MAX = 128 * 1024,  /* a tail of at most 64 KiB with what stands around it */
};

struct blobs {
	int blobs_fd, uploads_fd;
	bool check_writers;
};

static void blob_path(const uint8_t id[BLOB_ID], char ret_path[PATH_TEXT])
{
	hex_encode(id, 1, ret_path);
	ret_path[2] = '/';
	hex_encode(id, BLOB_ID, ret_path + 3);
}

int blobs_create(int state_fd)
{
	static const char *const folders[] = {"blobs", "uploads", "lost+found"};

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		int rc = sys_mkdir(state_fd, folders[i], 0700);
		if (rc)
			return rc;
	}
	for (unsigned i = 0; i < FOLDERS; i++) {
		char path[16];
		(void)snprintf(path, sizeof path, "blobs/%02x", i);
		int rc = sys_mkdir(state_fd, path, 0700);
		if (!rc)
			rc = sys_sync_dir(state_fd, path);
		if (rc)
			return rc;
	}
	int rc = sys_sync_dir(state_fd, "blobs");
	return rc ? rc : sys_sync_dir(state_fd, ".");
}

/* Leases are a property of the file system; ask it with a file of our own. */
static int probe_leases(int uploads_fd)
{
	static const char probe[] = "lease-probe";
	CLEANUP(sys_close) int writer = -1;
	CLEANUP(sys_close) int reader = -1;
	bool while_open = true, after = false;
	int rc = sys_open(uploads_fd, probe, O_RDWR | O_CREAT, 0600, &writer);

	if (!rc)
		rc = sys_open(uploads_fd, probe, O_RDONLY, 0, &reader);
	if (!rc)
		rc = sys_no_writer(reader, &while_open);
	sys_close(&writer);
	if (!rc)
		rc = sys_no_writer(reader, &after);
	if (!rc && (while_open || !after))
		rc = fail(E_UNSUPPORTED, "leases do not tell whether a file has a writer");
	int gone = sys_unlink(uploads_fd, probe);
	if (rc)
		return fail(rc, "the file system of the state directory has no usable leases; "
				"see writer_check in dropkeepd.conf(5)");
	return gone;
}

int blobs_open(int state_fd, bool check_writers, struct blobs **ret_blobs)
{
	struct blobs *b = mem_new(sizeof *b);

	b->blobs_fd = b->uploads_fd = -1;
	b->check_writers = check_writers;
	int rc = sys_open(state_fd, "blobs", O_RDONLY | O_DIRECTORY, 0, &b->blobs_fd);
	if (!rc)
		rc = sys_open(state_fd, "uploads", O_RDONLY | O_DIRECTORY, 0, &b->uploads_fd);
	if (!rc && check_writers)
		rc = probe_leases(b->uploads_fd);
	if (rc) {
		blobs_free(&b);
		return rc;
	}
	*ret_blobs = b;
	return 0;
}

void blobs_free(struct blobs **b)
{
	if (*b) {
		sys_close(&(*b)->blobs_fd);
		sys_close(&(*b)->uploads_fd);
	}
	free(*b);
	*b = NULL;
}

int blobs_make(const struct blobs *b, const uint8_t id[BLOB_ID], struct view head, int *ret_fd)
{
	CLEANUP(sys_close) int fd = -1;
	char path[PATH_TEXT];

	blob_path(id, path);
	int rc = sys_open(b->blobs_fd, path, O_RDWR | O_CREAT | O_EXCL, 0600, &fd);
	if (!rc)
		rc = sys_pwrite_all(fd, head.data, head.len, 0);
	if (!rc)
		*ret_fd = TAKE_FD(fd);
	return rc;
}

static int open_blob(const struct blobs *b, const uint8_t id[BLOB_ID], int flags, int *ret_fd)
{
	char path[PATH_TEXT];

	blob_path(id, path);
	return sys_open(b->blobs_fd, path, flags | O_NOFOLLOW, 0, ret_fd);
}

int blobs_read(const struct blobs *b, const uint8_t id[BLOB_ID], int *ret_fd)
{
	return open_blob(b, id, O_RDONLY, ret_fd);
}

int blobs_write(const struct blobs *b, const uint8_t id[BLOB_ID], int *ret_fd)
{
	return open_blob(b, id, O_RDWR, ret_fd);
}

int blobs_size(const struct blobs *b, const uint8_t id[BLOB_ID], uint64_t *ret_size)
{
	CLEANUP(sys_close) int fd = -1;
	int rc = blobs_read(b, id, &fd);

	return rc ? rc : sys_size(fd, ret_size);
}

int blobs_sync_name(const struct blobs *b, const uint8_t id[BLOB_ID])
{
	char path[PATH_TEXT];

	blob_path(id, path);
	path[2] = '\0';
	return sys_sync_dir(b->blobs_fd, path);
}

static int check_no_writer(const struct blobs *b, int fd)
{
	bool none = true;
	int rc = b->check_writers ? sys_no_writer(fd, &none) : 0;

	if (!rc && !none)
		rc = fail(E_PROTOCOL, "a blob to be published still has a writer");
	return rc;
}

int blobs_seal_off(const struct blobs *b, const uint8_t id[BLOB_ID], uint64_t size)
{
	CLEANUP(sys_close) int fd = -1;
	uint64_t found = 0;
	char path[PATH_TEXT];

	blob_path(id, path);
	int rc = sys_open(b->blobs_fd, path, O_RDONLY | O_NOFOLLOW, 0, &fd);
	if (!rc)
		rc = check_no_writer(b, fd);
	if (!rc)
		rc = sys_size(fd, &found);
	if (!rc && found != size)
		rc = fail(E_PROTOCOL, "a blob of %llu bytes instead of %llu",
			  (unsigned long long)found, (unsigned long long)size);
	return rc ? rc : blobs_sync_name(b, id);
}

static int unlink_if_there(int dir_fd, const char *path)
{
	int rc = sys_unlink(dir_fd, path);

	if (rc == E_GONE) {
		err_clear();
		rc = 0;
	}
	return rc;
}

int blobs_remove(const struct blobs *b, const uint8_t id[BLOB_ID])
{
	char path[PATH_TEXT];
	int rc = blobs_forget_state(b, id);

	blob_path(id, path);
	if (!rc)
		rc = unlink_if_there(b->blobs_fd, path);
	return rc ? rc : blobs_sync_name(b, id);
}

int blobs_save_state(const struct blobs *b, const uint8_t id[BLOB_ID], struct view state)
{
	char path[PATH_TEXT];

	blob_path(id, path);
	return sys_replace_file(b->uploads_fd, path + 3, 0600, state);
}

int blobs_load_state(const struct blobs *b, const uint8_t id[BLOB_ID], struct buf *out)
{
	char path[PATH_TEXT];

	blob_path(id, path);
	return sys_read_file(b->uploads_fd, path + 3, STATE_MAX, out);
}

int blobs_forget_state(const struct blobs *b, const uint8_t id[BLOB_ID])
{
	char path[PATH_TEXT];

	hex_encode(id, BLOB_ID, path);
	int rc = unlink_if_there(b->uploads_fd, path);
	memcpy(path + 2 * BLOB_ID, ".new", 5); /* a crash may have left it */
	return rc ? rc : unlink_if_there(b->uploads_fd, path);
}

int blobs_space(const struct blobs *b, uint64_t *ret_free, uint64_t *ret_total)
{
	struct statvfs v;

	if (fstatvfs(b->blobs_fd, &v) < 0)
		return fail_errno(E_IO, "look for free space");
	*ret_free = (uint64_t)v.f_bavail * v.f_frsize;
	*ret_total = (uint64_t)v.f_blocks * v.f_frsize;
	return 0;
}

int blobs_taken(const struct blobs *b, const uint8_t id[BLOB_ID], uint64_t *ret_bytes)
{
	struct stat st;
	char path[PATH_TEXT];

	blob_path(id, path);
	if (fstatat(b->blobs_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(errno == ENOENT ? E_GONE : E_IO, "stat a blob");
	*ret_bytes = (uint64_t)st.st_blocks * 512; /* stat(2): whatever the file system's are */
	return 0;
}

static void dir_close(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static int each_in(int blobs_fd, unsigned folder,
		   int (*visit)(void *arg, const uint8_t id[BLOB_ID], uint64_t size), void *arg)
{
	char name[8];
	int fd = -1;

	(void)snprintf(name, sizeof name, "%02x", folder);
	int rc = sys_open(blobs_fd, name, O_RDONLY | O_DIRECTORY, 0, &fd);
	if (rc)
		return rc;
	CLEANUP(dir_close) DIR *dir = fdopendir(fd);
	if (!dir) {
		sys_close(&fd);
		return fail_errno(E_IO, "list blobs/%s", name);
	}
	const struct dirent *e;
	while (!rc && (errno = 0, e = readdir(dir))) {
		uint8_t id[BLOB_ID];
		struct stat st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (hex_decode(view_text(e->d_name), id, sizeof id) || id[0] != folder)
			rc = fail(E_INTEGRITY, "blobs/%s holds something that is no blob", name);
		else if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			rc = errno == ENOENT ? 0 : fail_errno(E_IO, "stat a blob");
		else
			rc = visit(arg, id, (uint64_t)st.st_size);
	}
	return !rc && errno ? fail_errno(E_IO, "list blobs/%s", name) : rc;
}

int blobs_each(const struct blobs *b,
	       int (*visit)(void *arg, const uint8_t id[BLOB_ID], uint64_t size), void *arg)
{
	int rc = 0;

	for (unsigned i = 0; i < FOLDERS && !rc; i++)
		rc = each_in(b->blobs_fd, i, visit, arg);
	return rc;
}
