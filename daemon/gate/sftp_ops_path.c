/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

void owner_note(struct talk *t, const struct attrs *a)
{
	struct owner *o = t->owner;
	struct owner *end = t->owner + t->owners;

	while (o < end && o->number != a->owner)
		o++;
	if (o == end) {
		o = &t->owner[t->next_owner];
		t->next_owner = (t->next_owner + 1) % OWNERS_MAX;
		if (t->owners < OWNERS_MAX)
			t->owners++;
	}
	o->number = a->owner;
	(void)snprintf(o->name, sizeof o->name, "%.*s", (int)a->owner_name.len,
		       a->owner_name.len ? (const char *)a->owner_name.data : "");
}

const char *owner_name(const struct talk *t, uint32_t number)
{
	for (unsigned i = 0; i < t->owners; i++)
		if (t->owner[i].number == number)
			return t->owner[i].name;
	return "";
}

/* Of an upload of this conversation more is known here than the keep knows. */
static void correct_attrs(struct call *c, struct attrs *a)
{
	struct talk *t = c->talk;
	struct file *f = c->file ? c->file : file_uploading(t, view_text(c->path));

	if (f && f->kind == FILE_PUT && (f->put || f->closing)) {
		a->size = f->told = file_put_size(f);
		a->mtime_s = file_put_mtime(f, a->mtime_s);
		return;
	}
	free(t->told_path);
	t->told_path = TAKE(c->path);
	t->told_size = a->size;
}

static void stat_answered(struct call *c, const struct answer *a)
{
	struct talk *t = c->talk;
	struct attrs attrs;

	if (attrs_read(a->body, &attrs)) {
		err_clear();
		reply_error(&t->replies, c->id, E_IO, NULL);
		return;
	}
	correct_attrs(c, &attrs);
	owner_note(t, &attrs);
	struct fxattrs shown = fxattrs_of(&attrs);
	reply_attrs(&t->replies, c->id, &shown);
}

/* Another session may have given the upload another name: its handle is what it was. */
static bool nameless_answered(struct call *c, int status)
{
	struct attrs attrs = {.kind = NODE_PARTIAL, .mtime_s = TIME_UNKNOWN};

	if (status != E_GONE || c->file->kind != FILE_PUT || !c->file->put)
		return false;
	correct_attrs(c, &attrs);
	struct fxattrs shown = fxattrs_of(&attrs);
	shown.flags &= ~(uint32_t)ATTR_UIDGID;
	reply_attrs(&c->talk->replies, c->id, &shown);
	return true;
}

void ask_stat(struct talk *t, uint32_t id, struct view path, struct file *f)
{
	const struct ask_stat m = {.path = path};
	struct call *c = call_new(t, id);

	c->answered = stat_answered;
	c->path = mem_text_n(path.data, path.len);
	c->file = f;
	if (f) {
		c->refused = nameless_answered;
		f->refs++;
	}
	c->ask = keeper_ask_stat(t->env.keeper, t->env.session, &m, call_on_answer, c);
}

int op_stat(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	/* sshfs asks so behind an OPEN, without waiting for it: only then the size is known. */
	if (file_is_opening(t, path_view(&path)) || file_is_closing(t, path_view(&path)))
		return stall(t, TALK_STALL_TURN);
	ask_stat(t, id, path_view(&path), NULL);
	return 0;
}

static void done_answered(struct call *c, const struct answer *a)
{
	(void)a;
	reply_ok(&c->talk->replies, c->id);
}

void ask_set_attrs(struct talk *t, uint32_t id, struct view path, const struct fxattrs *a)
{
	const struct ask_set_attrs m = {
	    .path = path,
	    .mtime_s = a->flags & ATTR_ACMODTIME ? (int64_t)a->mtime : TIME_UNKNOWN,
	    .size = a->flags & ATTR_SIZE ? a->size : SIZE_UNKNOWN,
	};
	struct call *c = call_new(t, id);

	c->answered = done_answered;
	c->ask = keeper_ask_set_attrs(t->env.keeper, t->env.session, &m, call_on_answer, c);
}

int op_setstat(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct fxattrs a = fxattrs_read(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	struct file *f = file_uploading(t, path_view(&path));
	if (!f) {
		ask_set_attrs(t, id, path_view(&path), &a);
		return 0;
	}
	if (f->closing)
		return stall(t, TALK_STALL_TURN);
	int rc = file_set_attrs(f, &a);
	if (rc == E_AGAIN)
		return stall(t, TALK_STALL_ROOM);
	if (rc)
		reply_error(&t->replies, id, rc, err_cause());
	else
		reply_ok(&t->replies, id);
	err_clear();
	return 0;
}

/* Removing, moving and making: one path in, a status out. An upload that is being closed has
 * to be closed first, as the client saw it happen in this order. */
int op_remove(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	if (file_is_closing(t, path_view(&path)))
		return stall(t, TALK_STALL_TURN);
	const struct ask_remove m = {.path = path_view(&path)};
	struct call *c = call_new(t, id);
	c->answered = done_answered;
	c->ask = keeper_ask_remove(t->env.keeper, t->env.session, &m, call_on_answer, c);
	return 0;
}

int op_mkdir(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	const struct ask_make_dir m = {.path = path_view(&path)};
	struct call *c = call_new(t, id);
	c->answered = done_answered;
	c->ask = keeper_ask_make_dir(t->env.keeper, t->env.session, &m, call_on_answer, c);
	return 0;
}

int op_rmdir(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	const struct ask_remove_dir m = {.path = path_view(&path)};
	struct call *c = call_new(t, id);
	c->answered = done_answered;
	c->ask = keeper_ask_remove_dir(t->env.keeper, t->env.session, &m, call_on_answer, c);
	return 0;
}

int op_realpath(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	struct path path;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (take_path(t, id, raw, &path))
		reply_path(&t->replies, id, path_view(&path));
	return 0;
}

static void rename_answered(struct call *c, const struct answer *a)
{
	(void)a;
	file_renamed(c->talk, view_text(c->path), view_text(c->to));
	reply_ok(&c->talk->replies, c->id);
}

void ask_rename(struct talk *t, uint32_t id, const struct path *from, const struct path *to,
		bool replace)
{
	const struct ask_rename m = {path_view(from), path_view(to), replace};
	struct call *c = call_new(t, id);

	c->answered = rename_answered;
	c->path = mem_text(from->text);
	c->to = mem_text(to->text);
	c->ask = keeper_ask_rename(t->env.keeper, t->env.session, &m, call_on_answer, c);
}

/* Version 3's RENAME does not replace what is there; OpenSSH's extension does. */
int op_rename(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw_from = read_bytes(r), raw_to = read_bytes(r);
	struct path from, to;

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw_from, &from) || !take_path(t, id, raw_to, &to))
		return 0;
	if (file_is_closing(t, path_view(&from)) || file_is_closing(t, path_view(&to)))
		return stall(t, TALK_STALL_TURN);
	ask_rename(t, id, &from, &to, false);
	return 0;
}
