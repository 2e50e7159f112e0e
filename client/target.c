/* SPDX-License-Identifier: Apache-2.0 */
#include "client/target.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "client/place.h"
#include "client/stop.h"

enum { PIECE = 256 << 10 };

static int enter(int *dir, const char *name)
{
	CLEANUP(sys_close) int next = -1;

	if (!name_valid(view_text(name)))
		return fail(E_INTEGRITY, "a name that no file can have");
	/* 0777: the umask decides, as for every folder that the user makes. */
	if (mkdirat(*dir, name, 0777) < 0 && errno != EEXIST)
		return fail_errno(errno == EACCES ? E_DENIED : E_IO, "make folder '%s'", name);
	next = openat(*dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return fail_errno(errno == ENOTDIR || errno == ELOOP ? E_NOT_DIR : E_IO,
				  "'%s' is in the way of a folder", name);
	sys_close(dir);
	*dir = TAKE_FD(next);
	return 0;
}

int target_folder(int root, const char *path, int *ret_dir)
{
	CLEANUP(sys_close) int dir = -1;
	CLEANUP(mem_free) char *names = mem_text(path);
	int rc = sys_open(root, ".", O_RDONLY | O_DIRECTORY, 0, &dir);

	for (char *name = names, *next; !rc && name && *name; name = next) {
		next = strchr(name, '/');
		if (next)
			*next++ = '\0';
		rc = enter(&dir, name);
	}
	if (!rc)
		*ret_dir = TAKE_FD(dir);
	return rc;
}

/* Hash all that is in fd. */
static int hash_file(int fd, struct sha256 *h, uint64_t *ret_size)
{
	CLEANUP(mem_free) uint8_t *piece = mem_new(PIECE);
	size_t len = 0;
	uint64_t at = 0;
	int rc;

	sha256_init(h);
	do {
		rc = sys_pread_some(fd, piece, PIECE, at, &len);
		if (!rc && stop_wanted())
			rc = fail(E_AGAIN, "interrupted");
		if (rc)
			return rc;
		sha256_add(h, piece, len);
		at += len;
	} while (len);
	*ret_size = at;
	return 0;
}

int target_look(int dir, const char *name, uint64_t size, const uint8_t *hash,
		enum target_there *ret_there)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t ours[SHA256_SIZE];
	struct sha256 h;
	struct stat st;
	uint64_t len = 0;

	*ret_there = TARGET_FREE;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_errno(E_IO, "look at '%s'", name);
	if (!S_ISREG(st.st_mode))
		return fail(E_INVALID, "'%s' is there and is no regular file", name);
	*ret_there = TARGET_OTHER;
	if (!hash || (uint64_t)st.st_size != size ||
	    sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, &fd) != 0) {
		err_clear();
		return 0;
	}
	int rc = hash_file(fd, &h, &len);
	if (rc)
		return rc;
	sha256_now(&h, ours);
	if (memcmp(ours, hash, SHA256_SIZE) == 0)
		*ret_there = TARGET_EQUAL;
	return 0;
}

/* A file that another user could have put there is not gone on with. */
static int check_temporary(const struct target *t)
{
	struct stat st;

	if (fstat(t->fd, &st) < 0)
		return fail_errno(E_IO, "look at a temporary file");
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != geteuid())
		return fail(E_INVALID, "'%s' is not ours: remove it", t->temporary);
	if (flock(t->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return fail_errno(E_IO, "lock a temporary file");
	return fail(E_TAKEN, "another dropkeep is fetching this file already");
}

/* The same for each run, and another for each name and content. */
static void name_temporary(struct target *t, const uint8_t hash[SHA256_SIZE])
{
	struct sha256 h;
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	sha256_init(&h);
	sha256_add(&h, hash, SHA256_SIZE);
	sha256_add(&h, t->name, strlen(t->name));
	sha256_now(&h, digest);
	hex_encode(digest, SHA256_SIZE, hex);
	(void)snprintf(t->temporary, sizeof t->temporary, ".dropkeep-%.32s.part", hex);
}

int target_open(int dir, const char *name, const uint8_t hash[SHA256_SIZE], uint64_t size,
		struct target *ret_target)
{
	CLEANUP(target_done) struct target t = {.dir = dir, .fd = -1};

	if (!name_valid(view_text(name)))
		return fail(E_INTEGRITY, "a name that no file can have");
	t.name = mem_text(name);
	name_temporary(&t, hash);
	int rc =
	    sys_open(dir, t.temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600, &t.fd);
	if (!rc)
		rc = check_temporary(&t);
	if (!rc)
		rc = hash_file(t.fd, &t.hash, &t.have);
	if (!rc && t.have > size)
		rc = target_restart(&t);
	if (rc)
		return rc;
	*ret_target = t;
	t = (struct target){.dir = -1, .fd = -1};
	return 0;
}

int target_write(struct target *t, const void *data, size_t len)
{
	int rc = sys_pwrite_all(t->fd, data, len, t->have);

	if (rc)
		return rc;
	sha256_add(&t->hash, data, len);
	t->have += len;
	return 0;
}

int target_restart(struct target *t)
{
	sha256_init(&t->hash);
	t->have = 0;
	return sys_truncate(t->fd, 0);
}

static mode_t usual_mode = 0600;

void target_setup(void)
{
	mode_t mask = umask(077);

	(void)umask(mask);
	usual_mode = 0666 & ~mask;
}

static int set_up(const struct target *t, int64_t modified_s)
{
	const struct timespec times[2] = {{0, UTIME_OMIT}, {modified_s, 0}};

	/* Where files have no modes (FAT), or one for all, that is no reason to have none. */
	if (fchmod(t->fd, usual_mode) < 0 && errno != EPERM && errno != EOPNOTSUPP)
		return fail_errno(E_IO, "set the mode of '%s'", t->name);
	if (modified_s && futimens(t->fd, times) < 0)
		return fail_errno(E_IO, "set the time of '%s'", t->name);
	return sys_sync(t->fd);
}

static int put_in_place(const struct target *t, bool replace)
{
	if (replace)
		return sys_rename(t->dir, t->temporary, t->name);
	if (renameat2(t->dir, t->temporary, t->dir, t->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return fail(E_EXISTS, "'%s' is there by now", t->name);
	if (errno != EINVAL)
		return fail_errno(E_IO, "rename '%s'", t->name);
	/* Some file systems cannot do that; a link does not replace either. */
	if (linkat(t->dir, t->temporary, t->dir, t->name, 0) < 0)
		return fail_errno(errno == EEXIST ? E_EXISTS : E_IO, "name '%s'", t->name);
	return sys_unlink(t->dir, t->temporary);
}

int target_finish(struct target *t, const uint8_t hash[SHA256_SIZE], int64_t modified_s,
		  bool replace)
{
	uint8_t ours[SHA256_SIZE];
	int rc;

	sha256_now(&t->hash, ours);
	if (memcmp(ours, hash, SHA256_SIZE) != 0) {
		rc = sys_unlink(t->dir, t->temporary);
		return rc ? rc
			  : fail(E_INTEGRITY, "what came is not what the server said it would be: "
					      "its SHA-256 is another");
	}
	rc = set_up(t, modified_s);
	if (!rc)
		rc = put_in_place(t, replace);
	if (!rc)
		rc = sys_sync(t->dir);
	return rc;
}

void target_abandon(struct target *t)
{
	(void)unlinkat(t->dir, t->temporary, 0);
}

void target_done(struct target *t)
{
	sys_close(&t->fd);
	sys_close(&t->dir);
	mem_free(&t->name);
}
