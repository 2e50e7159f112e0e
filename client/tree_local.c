/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tree_local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/stop.h"

enum { DEEPEST = 100 };

struct walk {
	struct parcels *into;
	const char *const *exclude;
	size_t excludes;
	size_t named; /* so much of each path was said by the user */
	unsigned depth;
};

bool glob_any(const char *const *globs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (fnmatch(globs[i], name, 0) == 0)
			return true;
	return false;
}

static void push_parcel(struct parcels *p, const char *path, size_t named, const struct place *to,
			const struct stat *st)
{
	if (p->count == p->room) {
		size_t room = p->room ? p->room * 2 : 64;
		struct parcel *larger = mem_new(room * sizeof *larger);
		if (p->count)
			memcpy(larger, p->item, p->count * sizeof *larger);
		mem_free(&p->item);
		p->item = larger;
		p->room = room;
	}
	struct parcel *one = &p->item[p->count++];
	*one = (struct parcel){.path = mem_text(path),
			       .named = named,
			       .folder = S_ISDIR(st->st_mode),
			       .size = S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size};
	place_copy(to, &one->to);
	p->files += !one->folder;
	p->bytes += one->size;
}

static int add_below(struct walk *w, int dir, const char *path, const struct place *to);

/* No link is followed on the way down, whoever puts one there meanwhile. */
static int add_folder(struct walk *w, int dir, const char *name, const char *path,
		      const struct place *to)
{
	CLEANUP(sys_close)
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return fail_errno(errno == EACCES ? E_DENIED : E_IO, "read folder '%s'", path);
	return add_below(w, fd, path, to);
}

static int add_entry(struct walk *w, int dir, const char *folder, const struct place *to,
		     const char *name)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", folder, name);
	CLEANUP(mem_free) char *safe = safe_text(path);
	CLEANUP(place_done) struct place there = {0};
	struct stat st;

	if (glob_any(w->exclude, w->excludes, name))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail_errno(E_IO, "look at '%s'", path);
		say_note("dropkeep: passing over %s, which is gone by now", safe);
		return 0;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		say_note("dropkeep: passing over %s, which is %s", safe,
			 S_ISLNK(st.st_mode) ? "a symbolic link" : "neither file nor folder");
		return 0;
	}
	if (!name_valid(view_text(name)))
		return fail(E_USAGE,
			    "'%s' has a name that the server cannot have (not UTF-8, or "
			    "control characters): rename it, or --exclude it",
			    path);
	place_join(to, name, S_ISDIR(st.st_mode), &there);
	push_parcel(w->into, path, w->named, &there, &st);
	return S_ISDIR(st.st_mode) ? add_folder(w, dir, name, path, &there) : 0;
}

static int no_dots(const struct dirent *e)
{
	return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static int add_below(struct walk *w, int dir, const char *path, const struct place *to)
{
	struct dirent **entry = NULL;
	int n = scandirat(dir, ".", &entry, no_dots, alphasort), rc = 0;

	if (n < 0)
		return fail_errno(errno == EACCES ? E_DENIED : E_IO, "read folder '%s'", path);
	if (++w->depth > DEEPEST)
		rc = fail(E_LIMIT, "'%s': more than %d folders deep", path, DEEPEST);
	for (int i = 0; i < n; i++) {
		if (!rc && stop_wanted())
			rc = fail(E_AGAIN, "interrupted");
		if (!rc)
			rc = add_entry(w, dir, path, to, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	w->depth--;
	return rc;
}

int tree_local_add(struct parcels *p, const char *path, const struct place *to, bool recursive,
		   const char *const *exclude, size_t excludes)
{
	struct walk w = {p, exclude, excludes, strlen(path), 0};
	CLEANUP(sys_close) int dir = -1;
	struct stat st;

	if (stat(path, &st) < 0)
		return fail_errno(errno == ENOENT || errno == ENOTDIR ? E_GONE
				  : errno == EACCES                   ? E_DENIED
								      : E_IO,
				  "'%s'", path);
	if (S_ISDIR(st.st_mode) && !recursive)
		return fail(E_USAGE, "'%s' is a folder: -r sends it with all that is in it", path);
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return fail(E_USAGE, "'%s' is not a regular file (- sends standard input)", path);
	push_parcel(p, path, w.named, to, &st);
	if (!S_ISDIR(st.st_mode))
		return 0;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(errno == EACCES ? E_DENIED : E_IO, "read folder '%s'", path);
	return add_below(&w, dir, path, to);
}

static int by_place(const void *a, const void *b)
{
	const struct parcel *one = *(const struct parcel *const *)a;
	const struct parcel *other = *(const struct parcel *const *)b;
	int order = strcmp(one->to.zone, other->to.zone);

	return order ? order : strcmp(one->to.path, other->to.path);
}

int parcels_check(const struct parcels *p)
{
	CLEANUP(mem_free)
	const struct parcel **sorted = mem_new((p->count + 1) * sizeof *sorted);

	for (size_t i = 0; i < p->count; i++)
		sorted[i] = &p->item[i];
	qsort(sorted, p->count, sizeof *sorted, by_place);
	for (size_t i = 1; i < p->count; i++) {
		const struct parcel *one = sorted[i - 1], *other = sorted[i];
		if (by_place(&sorted[i - 1], &sorted[i]) == 0 && !(one->folder && other->folder))
			return fail(E_USAGE,
				    "'%s' and '%s' would both become %s:%s: send them one by one, "
				    "each with a name of its own",
				    one->path, other->path, one->to.zone, one->to.path);
	}
	return 0;
}

void parcels_done(struct parcels *p)
{
	for (size_t i = 0; i < p->count; i++) {
		mem_free(&p->item[i].path);
		place_done(&p->item[i].to);
	}
	mem_free(&p->item);
	*p = (struct parcels){0};
}
