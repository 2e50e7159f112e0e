/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiny_store: where should files of up to 64 KiB live? Measures durable small files per second
 * for three layouts, on the file system of the directory that is given, and what reading one
 * costs. Each file is durable before the next group begins, as an acknowledged upload is.
 *
 *	files    a file of its own: create, write, fdatasync, folder fsync, commit of a row
 *	pack     appended to one big file: write, fdatasync, commit of a row
 *	catalog  a row that holds the content: one commit
 *
 * A group is what one tick commits together: 1 for a client that waits for each answer, more
 * for many clients at once. Files of a group are synced one by one, folders once.
 *
 *	bench/tiny_store DIRECTORY [FILES]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

enum { SIZE_MAX_BYTES = 65536, FOLDERS = 16 };

enum layout { FILES, PACK, CATALOG };
static const char *const layout_name[] = {"files", "pack", "catalog"};

struct store {
	enum layout layout;
	sqlite3 *db;
	sqlite3_stmt *add, *get;
	int dir, folder[FOLDERS], pack;
	off_t pack_end;
	size_t size;
	unsigned char content[SIZE_MAX_BYTES];
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "tiny_store: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int ok, const char *what)
{
	if (!ok)
		die(what);
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(struct store *s, const char *text)
{
	if (sqlite3_exec(s->db, text, NULL, NULL, NULL) != SQLITE_OK) {
		(void)fprintf(stderr, "tiny_store: %s: %s\n", text, sqlite3_errmsg(s->db));
		exit(1);
	}
}

/* As the catalog does (daemon/keep/catalog.c). */
static void open_db(struct store *s, const char *path)
{
	must(sqlite3_open(path, &s->db) == SQLITE_OK, "open the database");
	run(s,
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
	    "PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 1000;"
	    "CREATE TABLE version (id INTEGER PRIMARY KEY, blob BLOB, size INTEGER, content BLOB);"
	    "CREATE UNIQUE INDEX by_blob ON version (blob);");
	must(sqlite3_prepare_v2(s->db, "INSERT INTO version VALUES (?, ?, ?, ?)", -1, &s->add,
				NULL) == SQLITE_OK,
	     "prepare");
	must(sqlite3_prepare_v2(s->db, "SELECT size, content FROM version WHERE id = ?", -1,
				&s->get, NULL) == SQLITE_OK,
	     "prepare");
}

static void open_store(struct store *s, enum layout layout, size_t size, const char *dir)
{
	char name[64];

	*s = (struct store){.layout = layout, .size = size};
	memset(s->content, 0x5a, sizeof s->content);
	must(mkdir(dir, 0700) == 0, "make the directory");
	must((s->dir = open(dir, O_RDONLY | O_DIRECTORY)) >= 0, "open the directory");
	for (int i = 0; i < FOLDERS; i++) {
		(void)snprintf(name, sizeof name, "%02x", (unsigned)i);
		must(mkdirat(s->dir, name, 0700) == 0, "make a folder");
		must((s->folder[i] = openat(s->dir, name, O_RDONLY | O_DIRECTORY)) >= 0, "folder");
	}
	must((s->pack = openat(s->dir, "pack", O_RDWR | O_CREAT, 0600)) >= 0, "make the pack");
	char *db = sqlite3_mprintf("%s/catalog.db", dir);
	open_db(s, db);
	sqlite3_free(db);
}

static void close_store(struct store *s)
{
	(void)sqlite3_finalize(s->add);
	(void)sqlite3_finalize(s->get);
	must(sqlite3_close(s->db) == SQLITE_OK, "close the database");
	for (int i = 0; i < FOLDERS; i++)
		(void)close(s->folder[i]);
	(void)close(s->pack);
	(void)close(s->dir);
}

static void file_name(unsigned i, char name[32])
{
	(void)snprintf(name, 32, "%08x", i * 2654435761u);
}

static void put_file(struct store *s, unsigned i)
{
	char name[32];

	file_name(i, name);
	int fd = openat(s->folder[i % FOLDERS], name, O_RDWR | O_CREAT | O_EXCL, 0600);
	must(fd >= 0, "make a file");
	must(pwrite(fd, s->content, s->size, 0) == (ssize_t)s->size, "write");
	must(fdatasync(fd) == 0, "fdatasync");
	(void)close(fd);
	must(fsync(s->folder[i % FOLDERS]) == 0, "fsync a folder");
}

static void put_pack(struct store *s)
{
	must(pwrite(s->pack, s->content, s->size, s->pack_end) == (ssize_t)s->size, "write");
	s->pack_end += (off_t)s->size;
}

static void add_row(struct store *s, unsigned i)
{
	unsigned char blob[16] = {0};

	for (size_t b = 0; b < sizeof blob; b++) /* random, as ids of blobs are */
		blob[b] = (unsigned char)(rand() >> 7);
	(void)sqlite3_bind_int64(s->add, 1, i);
	(void)sqlite3_bind_blob(s->add, 2, blob, sizeof blob, SQLITE_TRANSIENT);
	(void)sqlite3_bind_int64(s->add, 3, (sqlite3_int64)s->size);
	if (s->layout == CATALOG)
		(void)sqlite3_bind_blob(s->add, 4, s->content, (int)s->size, SQLITE_STATIC);
	must(sqlite3_step(s->add) == SQLITE_DONE, "insert");
	(void)sqlite3_reset(s->add);
}

static double put_all(struct store *s, unsigned files, unsigned group)
{
	double start = now();

	for (unsigned i = 0; i < files; i += group) {
		for (unsigned k = i; k < i + group; k++) {
			if (s->layout == FILES)
				put_file(s, k);
			else if (s->layout == PACK)
				put_pack(s);
		}
		if (s->layout == PACK)
			must(fdatasync(s->pack) == 0, "fdatasync");
		run(s, "BEGIN");
		for (unsigned k = i; k < i + group; k++)
			add_row(s, k);
		run(s, "COMMIT");
	}
	return files / (now() - start);
}

static double get_all(struct store *s, unsigned files)
{
	static unsigned char out[SIZE_MAX_BYTES];
	double start = now();

	for (unsigned n = 0; n < files; n++) {
		unsigned i = n * 7919u % files;
		(void)sqlite3_bind_int64(s->get, 1, i);
		must(sqlite3_step(s->get) == SQLITE_ROW, "find a row");
		if (s->layout == CATALOG) {
			memcpy(out, sqlite3_column_blob(s->get, 1), s->size);
		} else if (s->layout == PACK) {
			must(pread(s->pack, out, s->size, (off_t)(i * s->size)) == (ssize_t)s->size,
			     "read");
		} else {
			char name[32];
			file_name(i, name);
			int fd = openat(s->folder[i % FOLDERS], name, O_RDONLY);
			must(fd >= 0 && pread(fd, out, s->size, 0) == (ssize_t)s->size, "read");
			(void)close(fd);
		}
		(void)sqlite3_reset(s->get);
	}
	return files / (now() - start);
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = {1024, 10240, 65536};
	static const unsigned groups[] = {1, 8, 64};
	unsigned files = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2048;
	static struct store s;
	unsigned number = 0;

	if (argc < 2 || !files || files % 64) {
		(void)fputs("usage: tiny_store DIRECTORY [FILES, a multiple of 64]\n", stderr);
		return 64;
	}
	(void)printf("%-8s %6s %6s %10s %10s\n", "layout", "bytes", "group", "put/s", "get/s");
	for (size_t z = 0; z < 3; z++)
		for (size_t g = 0; g < 3; g++)
			for (enum layout l = FILES; l <= CATALOG; l++) {
				char *dir = sqlite3_mprintf("%s/tiny-%d-%u", argv[1], (int)getpid(),
							    number++);
				open_store(&s, l, sizes[z], dir);
				double put = put_all(&s, files, groups[g]),
				       get = get_all(&s, files);
				(void)printf("%-8s %6zu %6u %10.0f %10.0f\n", layout_name[l],
					     sizes[z], groups[g], put, get);
				(void)fflush(stdout);
				close_store(&s);
				sqlite3_free(dir);
			}
	return 0;
}
