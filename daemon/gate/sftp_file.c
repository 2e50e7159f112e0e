/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

enum { HANDLE_SIZE = 8 };

struct file *file_new(struct talk *t, enum file_kind kind, const char *path)
{
	struct file *f = mem_new(sizeof *f);

	*f = (struct file){.talk = t,
			   .next = t->files,
			   .refs = 1,
			   .kind = kind,
			   .told = SIZE_UNKNOWN,
			   .mtime_s = TIME_UNKNOWN};
	f->path = mem_text(path);
	if (t->files)
		t->files->prev = f;
	t->files = f;
	(*t->env.open_files)++;
	return f;
}

void file_unref(struct file *f)
{
	struct talk *t = f->talk;

	assert(f->refs);
	if (--f->refs)
		return;
	assert(!f->put && !f->get && !f->number && !f->reads && !f->sync);
	*(f->prev ? &f->prev->next : &t->files) = f->next;
	if (f->next)
		f->next->prev = f->prev;
	(*t->env.open_files)--;
	buf_done(&f->page);
	free(f->path);
	free(f);
}

int file_publish(struct file *f)
{
	return slots_add(&f->talk->handles, f, &f->number);
}

struct file *file_find(const struct talk *t, struct view handle)
{
	struct reader r = reader_of(handle);
	uint64_t number = read_u64(&r);

	return handle.len == HANDLE_SIZE && number ? slots_find(&t->handles, number) : NULL;
}

void file_close_handle(struct file *f)
{
	assert(f->number);
	slots_remove(&f->talk->handles, f->number);
	f->number = 0;
	file_unref(f);
}

/* Opens under way count in their own list of calls, which is short. */
bool file_may_open(const struct talk *t)
{
	return *t->env.open_files < t->env.open_files_max;
}

struct file *file_uploading(const struct talk *t, struct view path)
{
	for (struct file *f = t->files; f; f = f->next)
		if (f->kind == FILE_PUT && (f->put || f->closing) && view_is(path, f->path))
			return f;
	return NULL;
}

bool file_is_closing(const struct talk *t, struct view path)
{
	const struct file *f = file_uploading(t, path);

	return f && f->closing;
}

bool file_is_opening(const struct talk *t, struct view path)
{
	for (const struct call *c = t->calls; c; c = c->next)
		if (c->opens && view_is(path, c->path))
			return true;
	return false;
}

void file_renamed(struct talk *t, struct view from, struct view to)
{
	for (struct file *f = t->files; f; f = f->next) {
		struct view path = view_text(f->path);
		if (!path_is_below(path, from))
			continue;
		char *moved =
		    mem_printf("%.*s%s", (int)to.len, (const char *)to.data, f->path + from.len);
		free(f->path);
		f->path = moved;
	}
}

uint64_t file_put_size(const struct file *f)
{
	return f->put ? put_size(f->put) : f->size;
}

int64_t file_put_mtime(const struct file *f, int64_t otherwise)
{
	return f->mtime_s != TIME_UNKNOWN ? f->mtime_s : otherwise;
}

int file_set_attrs(struct file *f, const struct fxattrs *a)
{
	if (!f->put)
		return fail(E_TAKEN, "another connection has taken this upload over");
	if (a->flags & ATTR_SIZE) {
		int rc = put_truncate(f->put, a->size);
		if (rc)
			return rc;
	}
	if (a->flags & ATTR_ACMODTIME) {
		f->mtime_s = (int64_t)a->mtime;
		put_set_mtime(f->put, f->mtime_s);
	}
	return 0;
}
