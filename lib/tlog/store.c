/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/store.h"

#include <assert.h>

#include "base/mem.h"
#include "base/sys.h"

enum {
	FILE_MODE = 0600,
	FOLDER_MODE = 0700,
	OPEN_MAX = 64,     /* descriptors that wait for a sync; beyond, a put syncs them */
	PER_FOLDER = 1000, /* full tiles of one level in one folder */
};

/* A list of paths, each once. */
struct paths {
	char **path;
	size_t n, cap;
};

struct tlog_sync {
	int dir_fd;
	int full[OPEN_MAX]; /* descriptors of files that are written and not synced */
	size_t n_full;
	int partial[TLOG_TILE_LEVELS]; /* only the newest of each level matters */
	struct paths folders;
	struct tlog_tile *retired; /* full tiles, whose partial ones can go */
	size_t n_retired, cap_retired;
};

/* The folder that a store last used for full or for partial tiles of a level. */
struct last_folder {
	bool used;
	uint64_t number;
};

struct tlog_store {
	int dir_fd;
	bool broken; /* a sync has failed: what is on disk is anybody's guess */
	struct last_folder full[TLOG_TILE_LEVELS], partial[TLOG_TILE_LEVELS];
	struct tlog_sync *work;
};

static void paths_add(struct paths *p, const char *path, size_t len)
{
	for (size_t i = 0; i < p->n; i++)
		if (strlen(p->path[i]) == len && memcmp(p->path[i], path, len) == 0)
			return;
	if (p->n == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 8;
		char **more = mem_new(cap * sizeof *more);
		if (p->n)
			memcpy(more, p->path, p->n * sizeof *more);
		free(p->path);
		p->path = more;
		p->cap = cap;
	}
	p->path[p->n++] = mem_text_n(path, len);
}

static void paths_done(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->path[i]);
	free(p->path);
	*p = (struct paths){0};
}

static struct tlog_sync *work_new(int dir_fd)
{
	struct tlog_sync *work = mem_new(sizeof *work);

	work->dir_fd = dir_fd;
	for (size_t i = 0; i < TLOG_TILE_LEVELS; i++)
		work->partial[i] = -1;
	return work;
}

void tlog_sync_free(struct tlog_sync **work)
{
	struct tlog_sync *w = *work;

	if (!w)
		return;
	for (size_t i = 0; i < w->n_full; i++)
		sys_close(&w->full[i]);
	for (size_t i = 0; i < TLOG_TILE_LEVELS; i++)
		sys_close(&w->partial[i]);
	paths_done(&w->folders);
	free(w->retired);
	mem_free(work);
}

struct tlog_store *tlog_store_new(int dir_fd)
{
	struct tlog_store *s = mem_new(sizeof *s);

	s->dir_fd = dir_fd;
	s->work = work_new(dir_fd);
	return s;
}

void tlog_store_free(struct tlog_store **s)
{
	if (!*s)
		return;
	tlog_sync_free(&(*s)->work);
	mem_free(s);
}

static int sync_full(struct tlog_sync *w)
{
	int rc = 0;

	for (size_t i = 0; i < w->n_full; i++) {
		if (!rc)
			rc = sys_sync_data(w->full[i]);
		sys_close(&w->full[i]);
	}
	w->n_full = 0;
	return rc;
}

static int sync_partial(struct tlog_sync *w)
{
	int rc = 0;

	for (size_t i = 0; i < TLOG_TILE_LEVELS; i++) {
		if (!rc && w->partial[i] >= 0)
			rc = sys_sync_data(w->partial[i]);
		sys_close(&w->partial[i]);
	}
	return rc;
}

/* tile/L/….p and all that is in it. Leftovers of an earlier run may be there, so every
 * width is tried. The tree does not need these files: errors leave litter and no more. */
static void remove_partial(int dir_fd, const struct tlog_tile *full)
{
	CLEANUP(sys_close) int folder = -1;
	struct tlog_tile tile = {full->level, full->index, 1};
	char path[TLOG_TILE_PATH_SIZE];

	tlog_tile_path(&tile, path);
	*strrchr(path, '/') = '\0';
	if (sys_open(dir_fd, path, O_RDONLY | O_DIRECTORY, 0, &folder) == 0) {
		for (unsigned width = 1; width < TLOG_TILE_WIDTH; width++) {
			char name[sizeof "255"];
			(void)snprintf(name, sizeof name, "%u", width & 255);
			if (sys_unlink(folder, name))
				err_clear();
		}
		if (sys_rmdir(dir_fd, path) == 0)
			return;
	}
	err_clear();
}

int tlog_sync_run(struct tlog_sync *work)
{
	int rc = sync_full(work);

	if (!rc)
		rc = sync_partial(work);
	for (size_t i = 0; !rc && i < work->folders.n; i++)
		rc = sys_sync_dir(work->dir_fd, work->folders.path[i]);
	if (rc)
		return fail((enum err)rc, "sync the tiles of the log");
	/* Only now is the full tile sure to be there after a crash. */
	for (size_t i = 0; i < work->n_retired; i++)
		remove_partial(work->dir_fd, &work->retired[i]);
	work->n_retired = 0;
	return 0;
}

struct tlog_sync *tlog_store_take_sync(struct tlog_store *s)
{
	struct tlog_sync *work = s->work;

	s->work = work_new(s->dir_fd);
	return work;
}

static int make_folders(int dir_fd, const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		CLEANUP(mem_free) char *folder = mem_text_n(path, (size_t)(slash - path));
		int rc = sys_mkdir(dir_fd, folder, FOLDER_MODE);
		if (rc == E_EXISTS)
			err_clear();
		else if (rc)
			return rc;
	}
	return 0;
}

static int create(int dir_fd, const char *path, struct view content, int *ret_fd)
{
	CLEANUP(sys_close) int fd = -1;
	int rc = sys_open(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE, &fd);

	if (rc == E_GONE) {
		err_clear();
		rc = make_folders(dir_fd, path);
		if (!rc)
			rc = sys_open(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE, &fd);
	}
	if (rc)
		return rc;
	rc = sys_write_all(fd, content.data, content.len);
	if (!rc)
		*ret_fd = TAKE_FD(fd);
	else if (sys_unlink(dir_fd, path))
		return rc; /* a torn file is replaced when the tile is put again */
	return rc;
}

/* The file is there: an earlier run went further, or a put failed half-way. */
static int keep_or_replace(int dir_fd, const char *path, struct view content, int *ret_fd)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t there[TLOG_TILE_WIDTH * TLOG_HASH_SIZE + 1];
	size_t len = 0;
	int rc = sys_open(dir_fd, path, O_RDONLY, 0, &fd);

	if (!rc)
		rc = sys_pread_some(fd, there, sizeof there, 0, &len);
	if (rc)
		return rc;
	if (view_equal(view_of(there, len), content)) {
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return sys_replace_file(dir_fd, path, FILE_MODE, content);
}

/* The file's folder; and when this store comes to it for the first time, the folders above
 * it too: an earlier run may have made them and never synced them. */
static void note_folders(struct tlog_store *s, const struct tlog_tile *tile, const char *path)
{
	bool is_full = tile->width == TLOG_TILE_WIDTH;
	struct last_folder *last = is_full ? &s->full[tile->level] : &s->partial[tile->level];
	uint64_t number = is_full ? tile->index / PER_FOLDER : tile->index;
	bool is_known = last->used && last->number == number;
	size_t len = strlen(path);

	*last = (struct last_folder){true, number};
	for (;;) {
		while (len && path[len - 1] != '/')
			len--;
		if (len == 0)
			break;
		paths_add(&s->work->folders, path, --len);
		if (is_known)
			return;
	}
	paths_add(&s->work->folders, ".", 1);
}

static void note_retired(struct tlog_sync *w, const struct tlog_tile *full)
{
	if (w->n_retired == w->cap_retired) {
		size_t cap = w->cap_retired ? 2 * w->cap_retired : 8;
		struct tlog_tile *more = mem_new(cap * sizeof *more);
		if (w->n_retired)
			memcpy(more, w->retired, w->n_retired * sizeof *more);
		free(w->retired);
		w->retired = more;
		w->cap_retired = cap;
	}
	w->retired[w->n_retired++] = *full;
}

/* fd is negative when the file is durable already. */
static int note_file(struct tlog_store *s, const struct tlog_tile *tile, int fd)
{
	struct tlog_sync *w = s->work;
	int rc = 0;

	if (tile->width < TLOG_TILE_WIDTH) {
		sys_close(&w->partial[tile->level]);
		w->partial[tile->level] = fd;
		return 0;
	}
	note_retired(w, tile);
	if (fd >= 0)
		w->full[w->n_full++] = fd;
	if (w->n_full == OPEN_MAX)
		rc = sync_full(w);
	if (rc)
		s->broken = true;
	return rc;
}

int tlog_store_put(struct tlog_store *s, const struct tlog_tile *tile,
		   const struct tlog_hash *hashes)
{
	CLEANUP(sys_close) int fd = -1;
	char path[TLOG_TILE_PATH_SIZE];
	struct view content = view_of(hashes, tile->width * sizeof *hashes);

	assert(tile->level < TLOG_TILE_LEVELS);
	if (s->broken)
		return fail(E_IO, "an earlier sync of the log's tiles has failed");
	tlog_tile_path(tile, path);
	int rc = create(s->dir_fd, path, content, &fd);
	if (rc == E_EXISTS) {
		err_clear();
		rc = keep_or_replace(s->dir_fd, path, content, &fd);
	}
	if (rc)
		return rc;
	note_folders(s, tile, path);
	return note_file(s, tile, TAKE_FD(fd));
}
