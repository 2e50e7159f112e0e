/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

/*
 * A folder is read in pages of the keep. One page may make several answers: what is left of it
 * stays with the handle. OPENDIR fetches the first page, so that what is no folder, or may
 * not be read, is refused there.
 */
enum {
	NAME_REST = 4 + 4 + 4 + 8 + 4 * 5, /* lengths and attributes of an entry in an answer */
	COUNT_OFFSET = 9,                  /* where a NAME answer's count stands */
};

static const int64_t us_per_s = 1000000;

static int keep_page(struct file *f, const struct answer *a)
{
	struct answer_list page;
	int rc = answer_list_read(a->body, &page);

	if (rc)
		return rc;
	buf_clear(&f->page);
	f->page_used = 0;
	f->cursor = page.cursor;
	f->end = page.end;
	return buf_add(&f->page, page.entries.data, page.entries.len);
}

static bool write_entry(struct talk *t, struct writer *w, const struct entry *e, int64_t now_s)
{
	char line[LONGNAME_HEAD + 256];
	const struct attrs a = {
	    .kind = e->kind,
	    .rights = e->rights,
	    .size = e->size,
	    .mtime_s = e->mtime_s,
	    .owner = e->owner,
	    .owner_name = e->owner_name,
	};
	size_t len = fxattrs_line(&a, e->name, now_s, line, sizeof line);

	if (w->cap - w->len < NAME_REST + e->name.len + len)
		return false;
	struct fxattrs shown = fxattrs_of(&a);
	owner_note(t, &a);
	write_bytes(w, e->name);
	write_bytes(w, view_of(line, len));
	fxattrs_write(w, &shown);
	return true;
}

/* Of an upload of this conversation more is known here than the keep knows. */
static void correct_upload(struct talk *t, const struct file *dir, struct entry *e)
{
	for (const struct file *f = t->files; f; f = f->next) {
		if (f->kind != FILE_PUT || (!f->put && !f->closing))
			continue;
		struct view path = view_text(f->path), at = view_text(dir->path);
		size_t skip = at.len > 1 ? at.len + 1 : 1;
		if (!path_is_below(path, at) || path.len <= skip ||
		    !view_equal(view_of(path.data + skip, path.len - skip), e->name))
			continue;
		e->size = file_put_size(f);
		e->mtime_s = file_put_mtime(f, e->mtime_s);
	}
}

/* As many names as one answer takes; false: the page has none left. */
static bool answer_names(struct talk *t, uint32_t id, struct file *f)
{
	struct reader r = reader_of(view_buf(&f->page));
	int64_t now_s = clock_utc_us() / us_per_s;
	struct entry e;
	uint32_t count = 0;
	struct writer w;

	(void)read_raw(&r, f->page_used);
	if (!r.left)
		return false;
	if (!reply_begin(&t->replies, FXP_NAME, id, NAMES_FILL, &w))
		return true;
	write_u32(&w, 0);
	while (entry_next(&r, &e)) {
		correct_upload(t, f, &e);
		if (!write_entry(t, &w, &e, now_s))
			break;
		count++;
		f->page_used = f->page.len - r.left;
	}
	if (!count)
		return false; /* not even one fits, or the rest is malformed: the folder ends here
			       */
	write_u32_at(&w, COUNT_OFFSET, count);
	reply_end(&t->replies, &w);
	return true;
}

/* The reader at the end of its page and the keep at the end of the folder: EOF [6.7]. */
static void answer_page(struct talk *t, uint32_t id, struct file *f)
{
	if (!answer_names(t, id, f))
		reply_status(&t->replies, id, FX_EOF, "end of folder");
}

static void ask_list(struct call *c, struct file *f)
{
	struct talk *t = c->talk;
	const struct ask_list m = {.path = view_text(f->path), .cursor = f->cursor};

	f->listing = true;
	c->file = f;
	f->refs++;
	c->ask = keeper_ask_list(t->env.keeper, t->env.session, &m, call_on_answer, c);
}

static void opendir_answered(struct call *c, const struct answer *a)
{
	struct talk *t = c->talk;
	struct file *f = c->file;
	int rc = keep_page(f, a);

	f->listing = false;
	if (!rc) {
		rc = file_publish(f);
		f->refs += !rc;
	}
	if (rc)
		reply_error(&t->replies, c->id, rc, NULL);
	else
		reply_handle(&t->replies, c->id, f->number);
	err_clear();
}

int op_opendir(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	if (!file_may_open(t)) {
		reply_error(&t->replies, id, E_LIMIT, "too many open files");
		return 0;
	}
	struct file *f = file_new(t, FILE_DIR, path.text);
	struct call *c = call_new(t, id);
	c->answered = opendir_answered;
	ask_list(c, f);
	file_unref(f); /* the call holds it; a handle will, too */
	return 0;
}

static void readdir_answered(struct call *c, const struct answer *a);

static void ask_more(struct talk *t, uint32_t id, struct file *f)
{
	struct call *c = call_new(t, id);

	c->answered = readdir_answered;
	ask_list(c, f);
}

/* An empty page before the end is nothing to show: on to the next one. */
static void readdir_answered(struct call *c, const struct answer *a)
{
	struct talk *t = c->talk;
	struct file *f = c->file;
	int rc = keep_page(f, a);

	f->listing = false;
	if (rc)
		reply_error(&t->replies, c->id, rc, NULL);
	else if (f->page.len || f->end)
		answer_page(t, c->id, f);
	else
		ask_more(t, c->id, f);
	err_clear();
}

int op_readdir(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f || f->kind != FILE_DIR)
		return answer_bad_handle(t, id);
	if (f->listing)
		return stall(t, TALK_STALL_TURN);
	if (f->page_used < f->page.len || f->end) {
		answer_page(t, id, f);
		return 0;
	}
	ask_more(t, id, f);
	return 0;
}
