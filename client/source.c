/* SPDX-License-Identifier: Apache-2.0 */
#include "client/source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/stop.h"

enum { PIECE = 256 << 10 };

static int open_file(const char *path, int *ret_fd)
{
	/* O_NONBLOCK: a pipe that nobody writes to must not hold us up. */
	int rc = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, ret_fd);

	if (rc == E_IO && errno == EACCES)
		rc = E_DENIED;
	return rc;
}

int source_open(const char *path, struct source *ret_source)
{
	CLEANUP(sys_close) int fd = -1;
	struct stat st;
	int rc = open_file(path, &fd);

	if (rc)
		return rc;
	if (fstat(fd, &st) < 0)
		return fail_errno(E_IO, "look at '%s'", path);
	if (S_ISDIR(st.st_mode))
		return fail(E_USAGE, "'%s' is a folder: -r sends it with all that is in it", path);
	if (!S_ISREG(st.st_mode))
		return fail(E_USAGE, "'%s' is not a regular file (- sends standard input)", path);
	*ret_source = (struct source){
	    .fd = TAKE_FD(fd), .path = mem_text(path), .st = st, .size = (uint64_t)st.st_size};
	sha256_init(&ret_source->hash);
	return 0;
}

int source_check(const struct source *s)
{
	struct stat st;

	if (fstat(s->fd, &st) < 0)
		return fail_errno(E_IO, "look at '%s'", s->path);
	if (st.st_size != s->st.st_size || st.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec)
		return fail(E_INTEGRITY,
			    "'%s' was changed while it was sent: nothing was published; send it "
			    "again when it is finished",
			    s->path);
	return 0;
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

int source_remove(const struct source *s)
{
	struct stat st;
	int rc = source_check(s);

	if (rc)
		return rc;
	if (lstat(s->path, &st) < 0)
		return fail_errno(E_IO, "look at '%s'", s->path);
	if (st.st_dev != s->st.st_dev || st.st_ino != s->st.st_ino)
		return fail(E_INTEGRITY, "'%s' is another file now, it stays", s->path);
	return sys_unlink(AT_FDCWD, s->path);
}

void source_done(struct source *s)
{
	sys_close(&s->fd);
	mem_free(&s->path);
}
