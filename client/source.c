/* SPDX-License-Identifier: Apache-2.0 */
#include "client/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/stop.h"

enum { PIECE = 256 << 10 };

/* The folder of the file: to remove it from there. What stands behind `named` in the path was
 * found by walking: no link is followed in it, whoever put one there meanwhile. */
static int open_folder(struct source *s, size_t named)
{
	const char *slash = strrchr(s->path, '/');
	const char *at = s->path + named;

	s->name = slash ? slash + 1 : s->path;
	if (at >= s->name)
		at = s->name;
	CLEANUP(mem_free)
	char *root = at > s->path ? mem_text_n(s->path, (size_t)(at - s->path)) : mem_text(".");
	int rc = sys_open(AT_FDCWD, root, O_PATH | O_DIRECTORY, 0, &s->dir);

	while (!rc && at < s->name) {
		const char *end = strchr(at, '/');
		CLEANUP(mem_free) char *name = mem_text_n(at, (size_t)(end - at));
		CLEANUP(sys_close) int dir = TAKE_FD(s->dir);
		rc = sys_open(dir, name[0] ? name : ".", O_PATH | O_DIRECTORY | O_NOFOLLOW, 0,
			      &s->dir);
		at = end + 1;
	}
	return rc;
}

/* O_NONBLOCK: a pipe that nobody writes to must not hold us up. */
static int open_file(struct source *s, size_t named)
{
	bool found = named < strlen(s->path);
	int rc = open_folder(s, named);

	if (!rc && found)
		rc = sys_open(s->dir, s->name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0, &s->fd);
	else if (!rc)
		rc = sys_open(AT_FDCWD, s->path, O_RDONLY | O_NONBLOCK, 0, &s->fd);
	if (rc == E_IO && errno == EACCES)
		return E_DENIED;
	if (rc == E_IO && found && (errno == ELOOP || errno == ENOTDIR))
		return fail(E_INTEGRITY,
			    "a symbolic link took the place of something on its path: it is not "
			    "followed");
	return rc;
}

int source_open_found(const char *path, size_t named, struct source *ret_source)
{
	CLEANUP(source_done)
	struct source s = {.fd = -1, .dir = -1, .path = mem_text(path)};
	int rc = open_file(&s, named);

	if (rc)
		return rc;
	if (fstat(s.fd, &s.st) < 0)
		return fail_errno(E_IO, "look at '%s'", path);
	if (S_ISDIR(s.st.st_mode))
		return fail(E_USAGE, "'%s' is a folder: -r sends it with all that is in it", path);
	if (!S_ISREG(s.st.st_mode))
		return fail(E_USAGE, "'%s' is not a regular file (- sends standard input)", path);
	s.size = (uint64_t)s.st.st_size;
	sha256_init(&s.hash);
	*ret_source = s;
	s = (struct source){.fd = -1, .dir = -1};
	return 0;
}

int source_open(const char *path, struct source *ret_source)
{
	return source_open_found(path, strlen(path), ret_source);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Whether what was hashed so far is still what stands in the file. */
static int hash_again(struct source *s, bool *ret_same)
{
	uint8_t was[SHA256_SIZE], is[SHA256_SIZE];
	struct source again = {.fd = s->fd, .path = s->path};
	int rc;

	sha256_init(&again.hash);
	rc = source_hash_to(&again, sha256_count(&s->hash));
	sha256_now(&s->hash, was);
	sha256_now(&again.hash, is);
	*ret_same = memcmp(was, is, sizeof was) == 0;
	return rc;
}

/* The time of the last change (ctime) cannot be set back, as that of the last writing can: some
 * programs do. But it goes on for a new name or mode too, so then the content decides. */
static int is_same(struct source *s, bool *ret_same)
{
	struct stat st;
	int rc = 0;

	if (fstat(s->fd, &st) < 0)
		return fail_errno(E_IO, "look at '%s'", s->path);
	*ret_same = st.st_size == s->st.st_size && same_time(st.st_mtim, s->st.st_mtim);
	if (*ret_same && !same_time(st.st_ctim, s->st.st_ctim))
		rc = hash_again(s, ret_same);
	if (!rc && *ret_same)
		s->st.st_ctim = st.st_ctim;
	return rc;
}

int source_check(struct source *s)
{
	bool same = false;
	int rc = is_same(s, &same);

	return rc || same
		   ? rc
		   : fail(E_INTEGRITY,
			  "'%s' was changed while it was sent: nothing was published; send it "
			  "again when it is finished",
			  s->path);
}

/* What of data, which stands at offset, was not hashed before. */
static void hash_piece(struct source *s, uint64_t offset, const uint8_t *data, size_t len)
{
	uint64_t hashed = sha256_count(&s->hash);

	if (offset <= hashed && offset + len > hashed)
		sha256_add(&s->hash, data + (hashed - offset), (size_t)(offset + len - hashed));
}

int source_hash_to(struct source *s, uint64_t offset)
{
	CLEANUP(mem_free) uint8_t *piece = NULL;
	uint64_t at;

	while ((at = sha256_count(&s->hash)) < offset) {
		size_t len = offset - at < PIECE ? (size_t)(offset - at) : PIECE;
		if (!piece)
			piece = mem_new(PIECE);
		int rc = sys_pread_all(s->fd, piece, len, at);
		if (rc == E_INTEGRITY)
			return fail(rc, "'%s' was cut short while it was sent", s->path);
		if (!rc && stop_wanted())
			rc = fail(E_AGAIN, "interrupted");
		if (rc)
			return rc;
		sha256_add(&s->hash, piece, len);
	}
	return 0;
}

int source_read(struct source *s, uint64_t offset, void *data, size_t room, size_t *ret_len)
{
	size_t len = s->size - offset < room ? (size_t)(s->size - offset) : room;
	int rc = source_hash_to(s, offset);

	if (!rc)
		rc = sys_pread_all(s->fd, data, len, offset);
	if (rc == E_INTEGRITY)
		return fail(rc, "'%s' was cut short while it was sent", s->path);
	if (!rc && offset + len == s->size)
		rc = source_check(s);
	if (rc)
		return rc;
	hash_piece(s, offset, data, len);
	*ret_len = len;
	return 0;
}

/* NFS and SMB say so of every file that the server has not lent them. */
static bool knows_writers(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type != NFS_SUPER_MAGIC &&
	       (uint32_t)fs.f_type != CIFS_SUPER_MAGIC && (uint32_t)fs.f_type != SMB2_SUPER_MAGIC;
}

/* Whoever has it open for writing would go on writing into nothing. Where that cannot be known,
 * as of another user's file, nobody has. */
static bool is_written_to(const struct source *s)
{
	bool nobody = true;

	if (sys_no_writer(s->fd, &nobody))
		err_clear();
	return !nobody && knows_writers(s->fd);
}

int source_remove(struct source *s)
{
	struct stat st;
	bool same = false;

	if (is_written_to(s))
		return fail(E_TAKEN, "it was sent, but it stays: some program still writes to it");
	int rc = is_same(s, &same);
	if (rc)
		return rc;
	if (!same)
		return fail(E_INTEGRITY, "it was sent, but it stays: it was changed since");
	if (fstatat(s->dir, s->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail_errno(E_IO, "it was sent, but is not there any more");
	if (S_ISLNK(st.st_mode))
		return fail(E_USAGE, "it was sent, but it stays: it is a symbolic link");
	if (st.st_dev != s->st.st_dev || st.st_ino != s->st.st_ino)
		return fail(E_INTEGRITY, "it was sent, but it stays: it is another file now");
	rc = sys_unlink(s->dir, s->name);
	return rc ? fail(rc, "it was sent, but cannot be removed") : 0;
}

void source_done(struct source *s)
{
	sys_close(&s->fd);
	sys_close(&s->dir);
	mem_free(&s->path);
}
