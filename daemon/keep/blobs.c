/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

enum {
	ID_TEXT = 2 * BLOB_ID + 1,
	PATH_TEXT = ID_TEXT + 4, /* "ab/" and the id; or the id and ".new" */
	STATE_MAX = 256 * 1024,  /* two tails of at most 64 KiB with what stands around them */
	ASIDE_TEXT = 96,
	ASIDE_TRIES = 100,
};

static const char lease_probe[] = "lease-probe";

struct blobs {
	int blobs_fd, uploads_fd;
	bool check_writers;
	_Atomic bool broken; /* a sync of a folder has failed */
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
	for (unsigned i = 0; i < BLOBS_FOLDERS; i++) {
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
	CLEANUP(sys_close) int writer = -1;
	CLEANUP(sys_close) int reader = -1;
	bool while_open = true, after = false;
	int rc = sys_open(uploads_fd, lease_probe, O_RDWR | O_CREAT, 0600, &writer);

	if (!rc)
		rc = sys_open(uploads_fd, lease_probe, O_RDONLY, 0, &reader);
	if (!rc)
		rc = sys_no_writer(reader, &while_open);
	sys_close(&writer);
	if (!rc)
		rc = sys_no_writer(reader, &after);
	if (!rc && (while_open || !after))
		rc = fail(E_UNSUPPORTED, "leases do not tell whether a file has a writer");
	int gone = sys_unlink(uploads_fd, lease_probe);
	if (rc)
		return fail(rc, "the file system of the state directory has no usable leases; "
				"see writer_check in dropkeepd.conf(5)");
	return gone;
}

/* Somebody may have taken it away when it was empty. */
static int make_lost_found(int state_fd)
{
	int rc = sys_mkdir(state_fd, "lost+found", 0700);

	if (rc == E_EXISTS) {
		err_clear();
		return 0;
	}
	return rc ? rc : sys_sync_dir(state_fd, ".");
}

int blobs_open(int state_fd, bool check_writers, struct blobs **ret_blobs)
{
	struct blobs *b = mem_new(sizeof *b);

	b->blobs_fd = b->uploads_fd = -1;
	b->check_writers = check_writers;
	int rc = sys_open(state_fd, "blobs", O_RDONLY | O_DIRECTORY, 0, &b->blobs_fd);
	if (!rc)
		rc = sys_open(state_fd, "uploads", O_RDONLY | O_DIRECTORY, 0, &b->uploads_fd);
	if (!rc)
		rc = make_lost_found(state_fd);
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

/* After a sync that failed, the next one may succeed without what was lost, of any file in that
 * folder: so no other is believed. */
static int sync_folder(struct blobs *b, const char *folder)
{
	CLEANUP(sys_close) int fd = -1;

	if (b->broken)
		return fail(E_IO, "an earlier sync of the store has failed");
	int rc = sys_open(b->blobs_fd, folder, O_RDONLY | O_DIRECTORY, 0, &fd);
	if (rc)
		return rc;
	rc = sys_sync(fd);
	if (rc)
		b->broken = true;
	return rc;
}

bool blobs_broken(const struct blobs *b)
{
	return b->broken;
}

int blobs_sync_name(struct blobs *b, const uint8_t id[BLOB_ID])
{
	char path[PATH_TEXT];

	blob_path(id, path);
	path[2] = '\0';
	return sync_folder(b, path);
}

static int check_no_writer(const struct blobs *b, int fd)
{
	bool none = true;
	int rc = b->check_writers ? sys_no_writer(fd, &none) : 0;

	if (!rc && !none)
		rc = fail(E_PROTOCOL, "a blob to be published still has a writer");
	return rc;
}

int blobs_seal_off(struct blobs *b, const uint8_t id[BLOB_ID], uint64_t size)
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

int blobs_remove(struct blobs *b, const uint8_t id[BLOB_ID])
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

/* ---- walks ---- */

static void dir_close(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* visit() per name but "." and "..", until it gives non-zero, which is returned. */
static int each_name(int dir_fd, const char *path, int (*visit)(void *arg, int fd, const char *),
		     void *arg)
{
	int fd = -1;
	int rc = sys_open(dir_fd, path, O_RDONLY | O_DIRECTORY, 0, &fd);

	if (rc)
		return rc;
	CLEANUP(dir_close) DIR *dir = fdopendir(fd);
	if (!dir) {
		sys_close(&fd);
		return fail_errno(E_IO, "list %s", path);
	}
	const struct dirent *e;
	while (!rc && (errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			rc = visit(arg, dirfd(dir), e->d_name);
	return !rc && errno ? fail_errno(E_IO, "list %s", path) : rc;
}

static bool is_id(const char *name, uint8_t ret_id[BLOB_ID])
{
	if (hex_decode(view_text(name), ret_id, BLOB_ID) == 0)
		return true;
	err_clear();
	return false;
}

struct each {
	unsigned folder;
	int (*visit)(void *arg, const uint8_t id[BLOB_ID], uint64_t size);
	void *arg;
};

static int visit_blob(void *arg, int fd, const char *name)
{
	const struct each *e = arg;
	uint8_t id[BLOB_ID];
	struct stat st;

	if (!is_id(name, id) || id[0] != e->folder)
		return fail(E_INTEGRITY, "blobs/%02x holds something that is no blob", e->folder);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail_errno(E_IO, "stat a blob");
	return e->visit(e->arg, id, (uint64_t)st.st_size);
}

static void folder_name(unsigned folder, char ret_name[3])
{
	uint8_t byte = (uint8_t)folder;

	hex_encode(&byte, 1, ret_name);
}

int blobs_each(const struct blobs *b,
	       int (*visit)(void *arg, const uint8_t id[BLOB_ID], uint64_t size), void *arg)
{
	struct each e = {.visit = visit, .arg = arg};
	char name[3];
	int rc = 0;

	for (; e.folder < BLOBS_FOLDERS && !rc; e.folder++) {
		folder_name(e.folder, name);
		rc = each_name(b->blobs_fd, name, visit_blob, &e);
	}
	return rc;
}

/* ---- recovery ---- */

struct listing {
	unsigned folder, strange;
	struct buf *out;
};

static int list_blob(void *arg, int fd, const char *name)
{
	struct listing *l = arg;
	uint8_t id[BLOB_ID];

	(void)fd;
	if (is_id(name, id) && id[0] == l->folder)
		return buf_add(l->out, id, sizeof id);
	l->strange++;
	return 0;
}

int blobs_list(const struct blobs *b, unsigned folder, struct buf *out, unsigned *ret_strange)
{
	struct listing l = {.folder = folder, .out = out};
	char name[3];

	folder_name(folder, name);
	int rc = each_name(b->blobs_fd, name, list_blob, &l);
	if (!rc)
		*ret_strange = l.strange;
	return rc;
}

/* The same blob may have come there before, with a catalog that was put back twice. */
static int find_place(const struct blobs *b, const char *name, char ret_path[ASIDE_TEXT])
{
	struct stat st;

	for (unsigned n = 0; n < ASIDE_TRIES; n++) {
		if (n)
			(void)snprintf(ret_path, ASIDE_TEXT, "../lost+found/%s.%u", name, n);
		else
			(void)snprintf(ret_path, ASIDE_TEXT, "../lost+found/%s", name);
		if (fstatat(b->blobs_fd, ret_path, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		return errno == ENOENT ? 0 : fail_errno(E_IO, "look into lost+found");
	}
	return fail(E_EXISTS, "lost+found has it already, %d times", ASIDE_TRIES);
}

static int move_aside(const struct blobs *b, const char *from, const char *name, unsigned *moved)
{
	char to[ASIDE_TEXT];
	int rc = find_place(b, name, to);

	if (!rc)
		rc = sys_rename(b->blobs_fd, from, to);
	if (rc == E_GONE) {
		err_clear();
		return 0;
	}
	if (!rc)
		++*moved;
	return rc;
}

int blobs_set_aside(struct blobs *b, struct view ids, unsigned *ret_moved)
{
	char path[PATH_TEXT] = "";
	unsigned moved = 0;
	int rc = 0;

	for (size_t at = 0; !rc && at < ids.len; at += BLOB_ID) {
		blob_path(ids.data + at, path);
		rc = move_aside(b, path, path + 3, &moved);
	}
	*ret_moved = moved;
	path[2] = '\0';
	if (!rc && moved)
		rc = sync_folder(b, "../lost+found");
	if (!rc && moved)
		rc = sync_folder(b, path);
	return rc;
}

int blobs_set_state_aside(const struct blobs *b, const uint8_t id[BLOB_ID])
{
	char hex[ID_TEXT], from[ASIDE_TEXT], name[ASIDE_TEXT];
	unsigned moved = 0;

	hex_encode(id, BLOB_ID, hex);
	(void)snprintf(from, sizeof from, "../uploads/%s", hex);
	(void)snprintf(name, sizeof name, "%s.resume", hex);
	int rc = move_aside(b, from, name, &moved);
	if (!rc)
		rc = sys_sync_dir(b->blobs_fd, "../lost+found");
	return rc ? rc : sys_sync(b->uploads_fd);
}

struct states {
	int (*visit)(void *arg, const uint8_t id[BLOB_ID]);
	void *arg;
};

/* "ID.new" is a state that was never finished, the probe a file that was made for a moment. */
static int visit_state(void *arg, int fd, const char *name)
{
	const struct states *s = arg;
	const char *end = strrchr(name, '.');
	uint8_t id[BLOB_ID];

	if ((end && strcmp(end, ".new") == 0) || strcmp(name, lease_probe) == 0)
		return unlink_if_there(fd, name); /* it may have gone with its ID, just before */
	if (is_id(name, id))
		return s->visit(s->arg, id);
	log_warning("uploads/ holds something that is none of ours");
	return 0;
}

int blobs_each_state(const struct blobs *b, int (*visit)(void *arg, const uint8_t id[BLOB_ID]),
		     void *arg)
{
	struct states s = {visit, arg};

	return each_name(b->uploads_fd, ".", visit_state, &s);
}

struct lost {
	int (*visit)(void *arg, const char *name);
	void *arg;
};

static int visit_lost(void *arg, int fd, const char *name)
{
	const struct lost *l = arg;

	(void)fd;
	return l->visit(l->arg, name);
}

int blobs_each_lost(const struct blobs *b, int (*visit)(void *arg, const char *name), void *arg)
{
	struct lost l = {visit, arg};

	return each_name(b->blobs_fd, "../lost+found", visit_lost, &l);
}
