/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log that grows in a child process and is struck at its Nth change of the file system, for
 * every N: the call fails, the process is killed, or the power goes. After the last, nothing
 * is left that was not synced: files are empty, names that their folder's sync has not seen
 * are gone. Then the log is opened at the size that was last said to be durable, and grown.
 *
 * The linker sends lib/base/sys's system calls through __wrap_… here (see tlog.mk).
 */
#include "tests/unit/tlog_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tlog/tiles.h"

enum { LEAVES = 1100, STRUCK = 42, ENTRIES = 1024, NAME_SIZE = 16 };

enum blow { NO_BLOW, CALL_FAILS, KILLED, POWER_LOSS };

static struct {
	enum blow blow;
	unsigned at, calls;
	int folder_fd;
} plan;

/* What a disk would still have: files whose data is synced, and names that are. */
static struct {
	ino_t file[ENTRIES];
	size_t n_files;
	struct {
		ino_t folder;
		char name[NAME_SIZE];
	} entry[ENTRIES];
	size_t n_entries;
} disk;

static struct tlog_hash *leaves;

int __real_openat(int dir_fd, const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_unlinkat(int dir_fd, const char *path, int flags);
int __real_mkdirat(int dir_fd, const char *path, mode_t mode);
int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_openat(int dir_fd, const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_unlinkat(int dir_fd, const char *path, int flags);
int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);

static ino_t inode_at(int dir_fd, const char *path)
{
	struct stat st;

	return fstatat(dir_fd, path, &st, AT_EMPTY_PATH) == 0 ? st.st_ino : 0;
}

static bool file_is_durable(ino_t inode)
{
	for (size_t i = 0; i < disk.n_files; i++)
		if (disk.file[i] == inode)
			return true;
	return false;
}

static bool name_is_durable(ino_t folder, const char *name)
{
	for (size_t i = 0; i < disk.n_entries; i++)
		if (disk.entry[i].folder == folder && strcmp(disk.entry[i].name, name) == 0)
			return true;
	return false;
}

static void forget_file(ino_t inode)
{
	for (size_t i = disk.n_files; i-- > 0;)
		if (disk.file[i] == inode)
			disk.file[i] = disk.file[--disk.n_files];
}

static void forget_folder(ino_t inode)
{
	for (size_t i = disk.n_entries; i-- > 0;)
		if (disk.entry[i].folder == inode)
			disk.entry[i] = disk.entry[--disk.n_entries];
}

static DIR *list(int fd)
{
	int again = __real_openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return again < 0 ? NULL : fdopendir(again);
}

static void note_folder(int fd)
{
	ino_t inode = inode_at(fd, "");
	DIR *folder = plan.blow == POWER_LOSS ? list(fd) : NULL;

	for (struct dirent *e; folder && (e = readdir(folder));) {
		if (e->d_name[0] == '.' || name_is_durable(inode, e->d_name))
			continue;
		if (disk.n_entries == ENTRIES || strlen(e->d_name) >= NAME_SIZE)
			abort();
		disk.entry[disk.n_entries].folder = inode;
		(void)snprintf(disk.entry[disk.n_entries++].name, NAME_SIZE, "%s", e->d_name);
	}
	if (folder)
		(void)closedir(folder);
}

static void note_file(int fd)
{
	ino_t inode = inode_at(fd, "");

	if (plan.blow != POWER_LOSS || file_is_durable(inode))
		return;
	if (disk.n_files == ENTRIES)
		abort();
	disk.file[disk.n_files++] = inode;
}

/* Leave of a folder what the disk has. */
static void lose(int fd, bool all)
{
	ino_t inode = inode_at(fd, "");
	DIR *folder = list(fd);

	for (struct dirent *e; folder && (e = readdir(folder));) {
		bool keep = !all && name_is_durable(inode, e->d_name);
		if (e->d_name[0] == '.')
			continue;
		int child = __real_openat(fd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (child >= 0) {
			lose(child, !keep);
			(void)close(child);
			if (!keep)
				(void)__real_unlinkat(fd, e->d_name, AT_REMOVEDIR);
			continue;
		}
		ino_t file = inode_at(fd, e->d_name);
		if (!keep)
			(void)__real_unlinkat(fd, e->d_name, 0);
		else if (!file_is_durable(file))
			(void)close(__real_openat(fd, e->d_name, O_WRONLY | O_TRUNC | O_CLOEXEC));
	}
	if (folder)
		(void)closedir(folder);
}

/* True: let this call fail. */
static bool strike(int error)
{
	plan.calls++;
	if (plan.blow == NO_BLOW || plan.calls != plan.at)
		return false;
	if (plan.blow == POWER_LOSS)
		lose(plan.folder_fd, false);
	if (plan.blow != CALL_FAILS)
		_exit(STRUCK);
	errno = error;
	return true;
}

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
	va_list args;

	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (flags & O_CREAT && strike(ENOSPC))
		return -1;
	int fd = __real_openat(dir_fd, path, flags, mode);
	if (fd >= 0 && flags & O_CREAT)
		forget_file(inode_at(fd, ""));
	return fd;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	if (inode_at(fd, "") == inode_at(STDOUT_FILENO, "") || fd == STDERR_FILENO)
		return __real_write(fd, data, len);
	forget_file(inode_at(fd, ""));
	if (!strike(ENOSPC))
		return __real_write(fd, data, len);
	(void)!__real_write(fd, data, len / 2); /* a full disk takes what fits */
	errno = ENOSPC;
	return -1;
}

int __wrap_unlinkat(int dir_fd, const char *path, int flags)
{
	ino_t inode = inode_at(dir_fd, path);

	if (!inode) {
		errno = ENOENT;
		return -1;
	}
	if (strike(EIO))
		return -1;
	if (flags & AT_REMOVEDIR)
		forget_folder(inode);
	return __real_unlinkat(dir_fd, path, flags);
}

int __wrap_mkdirat(int dir_fd, const char *path, mode_t mode)
{
	return strike(ENOSPC) ? -1 : __real_mkdirat(dir_fd, path, mode);
}

int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return strike(EIO) ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

int __wrap_fsync(int fd)
{
	struct stat st;

	if (strike(EIO) || fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		note_folder(fd);
	else
		note_file(fd);
	return 0;
}

int __wrap_fdatasync(int fd)
{
	if (strike(EIO))
		return -1;
	note_file(fd);
	return 0;
}

static const struct step {
	size_t size;
	bool sync;
	bool reopen;
} story[] = {{3, true, false},    {200, false, false},  {250, true, false},  {256, false, false},
	     {257, true, true},   {300, false, false},  {520, false, true},  {521, true, false},
	     {770, true, false},  {771, false, false},  {900, false, false}, {1024, true, true},
	     {1030, true, false}, {LEAVES, true, false}};

/* In the child. A call that fails once is met as the daemon would: a write is tried again,
 * after a failed sync the log is opened where it was durable. */
static int live(int folder_fd, volatile size_t *durable)
{
	struct tlog_tiles *t = NULL;

	for (size_t i = 0; i < ARRAY_LEN(story);) {
		const struct step *step = &story[i];
		int rc = 0;
		if (!t && tlog_tiles_open(folder_fd, *durable, NULL, &t))
			return 1;
		size_t size = (size_t)tlog_tiles_size(t);
		if (size < step->size)
			rc = tlog_tiles_append(t, leaves + size, step->size - size);
		if (!rc)
			rc = step->sync ? tlog_tiles_sync(t) : tlog_tiles_write(t);
		if (!rc && step->sync)
			*durable = step->size;
		if (rc == 0)
			i++;
		if (rc == E_IO || (rc == 0 && step->reopen))
			tlog_tiles_free(&t);
		err_clear();
	}
	tlog_tiles_free(&t);
	return 0;
}

static void assert_log(int folder_fd, size_t size)
{
	struct tlog_hash root = kit_root(leaves, size);
	struct tlog_tiles *t = NULL;
	struct tlog_path path;

	assert_ok(tlog_tiles_open(folder_fd, size, &root, &t));
	for (size_t i = 0; i < size; i += 50) {
		assert_ok(tlog_tiles_prove_inclusion(t, i, size, &path));
		assert_ok(tlog_verify_inclusion(&leaves[i], i, size, &root, &path));
	}
	assert_ok(tlog_tiles_append(t, leaves + size, LEAVES - size));
	assert_ok(tlog_tiles_sync(t));
	tlog_tiles_free(&t);
	root = kit_root(leaves, LEAVES);
	assert_ok(tlog_tiles_open(folder_fd, LEAVES, &root, &t));
	tlog_tiles_free(&t);
}

/* False when the story ended before the blow fell. */
static bool strike_at(enum blow blow, unsigned at)
{
	CLEANUP(kit_folder_done) struct kit_folder f = kit_folder_new();
	size_t *durable =
	    mmap(NULL, sizeof *durable, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;

	assert_true(durable != MAP_FAILED);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		plan.blow = blow;
		plan.at = at;
		plan.calls = 0;
		plan.folder_fd = f.fd;
		int rc = live(f.fd, durable);
		_exit(rc ? rc : plan.calls >= at && blow == CALL_FAILS ? STRUCK : 0);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == STRUCK);
	assert_log(f.fd, *durable);
	assert_int_equal(munmap(durable, sizeof *durable), 0);
	return WEXITSTATUS(status) == STRUCK;
}

static void strike_everywhere(enum blow blow)
{
	unsigned at = 1;

	while (strike_at(blow, at))
		at++;
	assert_true(at > 100); /* the story is as eventful as it was meant to be */
}

static void grow_with_any_call_failing_ends_complete(void **state)
{
	(void)state;
	strike_everywhere(CALL_FAILS);
}

static void grow_and_be_killed_anywhere_keeps_what_was_synced(void **state)
{
	(void)state;
	strike_everywhere(KILLED);
}

static void grow_and_lose_power_anywhere_keeps_what_was_synced(void **state)
{
	(void)state;
	strike_everywhere(POWER_LOSS);
}

static int make_leaves(void **state)
{
	(void)state;
	leaves = kit_leaves(LEAVES);
	return 0;
}

static int free_leaves(void **state)
{
	(void)state;
	free(leaves);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grow_with_any_call_failing_ends_complete),
	    cmocka_unit_test(grow_and_be_killed_anywhere_keeps_what_was_synced),
	    cmocka_unit_test(grow_and_lose_power_anywhere_keeps_what_was_synced),
	};

	return cmocka_run_group_tests_name("tlog_crash", tests, make_leaves, free_leaves);
}
