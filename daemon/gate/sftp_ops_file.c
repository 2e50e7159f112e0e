/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

enum { DATA_HEAD = 4 + 1 + 4 + 4 }; /* length, type, id, data's length */

static const char taken_over[] = "another connection has taken this upload over";

static void on_ready(void *arg)
{
	struct file *f = arg;

	talk_wake(f->talk);
}

static void on_yielded(void *arg)
{
	struct file *f = arg;

	f->put = NULL;
	f->refs++;
	file_forget_sync(f, taken_over);
	talk_wake(f->talk);
	file_unref(f);
}

static void answer_opened(struct call *c, struct file *f)
{
	struct talk *t = c->talk;
	int rc = file_publish(f);

	if (!rc)
		reply_handle(&t->replies, c->id, f->number);
	else
		t->replies.lost = true;
	err_clear();
}

static void on_put_over(void *arg, int rc, const char *text)
{
	struct call *c = arg;

	(void)rc;
	(void)text;
	call_free(c);
}

/* The size that the client takes the file to have, which is of no interest after this. */
static uint64_t take_told(struct talk *t, const struct call *c)
{
	if (!t->told_path || strcmp(t->told_path, c->path) != 0)
		return SIZE_UNKNOWN;
	free(TAKE(t->told_path));
	return c->anew ? SIZE_UNKNOWN : t->told_size;
}

static void use_put(struct call *c, struct put *p, uint64_t told)
{
	struct file *f = file_new(c->talk, FILE_PUT, c->path);

	f->put = p;
	f->to = c->append ? WRITE_UNDECIDED : WRITE_WHERE_NAMED;
	f->told = told;
	put_listen(p, on_ready, on_yielded, f);
	answer_opened(c, f);
	call_free(c);
}

/* Who appends would leave a hole, and might never look at it, where the upload is shorter than
 * its client was told. */
static void take_put(struct call *c, struct put *p)
{
	struct talk *t = c->talk;
	uint64_t told = take_told(t, c);

	if (!c->append || told == SIZE_UNKNOWN || told <= put_size(p)) {
		use_put(c, p, told);
		return;
	}
	reply_error(&t->replies, c->id, E_AGAIN, "the file is shorter than it was: try again");
	put_abandon(p, "it is shorter than its client was told", on_put_over, c);
}

static void on_put_opened(void *arg, int rc, const char *text, struct put *p)
{
	struct call *c = arg;
	struct talk *t = c->talk;

	c->opens = false;
	if (rc) {
		if (!t->ended)
			reply_error(&t->replies, c->id, rc, text);
		call_free(c);
	} else if (t->ended) {
		put_abandon(p, "the connection was lost", on_put_over, c);
	} else {
		take_put(c, p);
	}
}

static void on_get_opened(void *arg, int rc, const char *text, struct get *g)
{
	struct call *c = arg;
	struct talk *t = c->talk;

	if (rc && !t->ended)
		reply_error(&t->replies, c->id, rc, text);
	if (!rc && t->ended) {
		get_close(g, E_GONE, on_put_over, c);
		return;
	}
	if (!rc) {
		struct file *f = file_new(t, FILE_GET, c->path);
		f->get = g;
		get_listen(g, on_ready, f);
		answer_opened(c, f);
	}
	call_free(c);
}

static void open_put(struct talk *t, uint32_t id, const struct path *path, uint32_t flags,
		     const struct fxattrs *a)
{
	struct call *c = call_new(t, id);
	unsigned wish = (flags & FXF_CREAT ? PUT_CREATE : 0) |
			(flags & FXF_EXCL ? PUT_EXCLUSIVE : 0) |
			(flags & FXF_TRUNC ? PUT_TRUNCATE : 0);

	c->path = mem_text(path->text);
	c->opens = true;
	c->append = flags & FXF_APPEND;
	c->anew = flags & FXF_TRUNC;
	put_open(t->env.loop, t->env.keeper, t->env.session, path_view(path), (uint8_t)wish,
		 a->flags & ATTR_SIZE ? a->size : SIZE_UNKNOWN, on_put_opened, c);
}

static void open_get(struct talk *t, uint32_t id, const struct path *path)
{
	struct call *c = call_new(t, id);

	c->path = mem_text(path->text);
	get_open(t->env.loop, t->env.keeper, t->env.session, path_view(path), on_get_opened, c);
}

/* Open for reading and writing is an upload: sshfs opens so what it only writes. */
int op_open(struct talk *t, uint32_t id, struct reader *r)
{
	struct view raw = read_bytes(r);
	uint32_t flags = read_u32(r);
	struct fxattrs a = fxattrs_read(r);
	struct path path;

	if (!reader_ok(r) || !(flags & (FXF_READ | FXF_WRITE)))
		return answer_malformed(t, id);
	if (!take_path(t, id, raw, &path))
		return 0;
	if (file_is_closing(t, path_view(&path)))
		return stall(t, TALK_STALL_TURN);
	if (!file_may_open(t))
		reply_error(&t->replies, id, E_LIMIT, "too many open files");
	else if (flags & FXF_WRITE)
		open_put(t, id, &path, flags, &a);
	else
		open_get(t, id, &path);
	return 0;
}

static void on_put_closed(void *arg, int rc, const char *text)
{
	struct call *c = arg;
	struct talk *t = c->talk;

	if (!t->ended && rc)
		reply_error(&t->replies, c->id, rc, text);
	else if (!t->ended)
		reply_ok(&t->replies, c->id);
	call_free(c);
}

/* The client's CLOSE, once no sync is under way. The call keeps the file, whose path others
 * wait for, until the upload is over. */
static void close_put(struct file *f)
{
	struct talk *t = f->talk;

	if (!f->put) {
		f->closing = false;
		reply_error(&t->replies, f->close_id, E_TAKEN, taken_over);
		return;
	}
	struct call *c = call_new(t, f->close_id);
	c->file = f;
	f->refs++;
	f->size = put_size(f->put);
	put_close(TAKE(f->put), on_put_closed, c);
}

static void on_get_closed(void *arg, int rc, const char *text)
{
	struct talk *t = arg;

	(void)rc;
	(void)text;
	t->closes--;
	talk_wake(t);
	talk_check_end(t);
}

/* A download's end needs no waiting for: its record is the keep's affair. */
static void close_get(struct file *f)
{
	struct talk *t = f->talk;

	reply_ok(&t->replies, f->close_id);
	t->closes++;
	get_close(TAKE(f->get), 0, on_get_closed, t);
}

int op_close(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f)
		return answer_bad_handle(t, id);
	f->refs++;
	file_close_handle(f);
	f->close_id = id;
	f->closing = f->kind != FILE_DIR;
	if (f->kind == FILE_DIR)
		reply_ok(&t->replies, id);
	else if (f->kind == FILE_PUT && !f->sync)
		close_put(f);
	else if (f->kind == FILE_GET && !f->reads)
		close_get(f);
	if (f->kind == FILE_GET && f->reads)
		return 0; /* the reference goes with the last READ */
	file_unref(f);
	return 0;
}

/* fsync@openssh.com */
static void sync_over(struct call *c)
{
	struct file *f = c->file;

	f->sync = NULL;
	if (f->closing && !c->talk->ended)
		close_put(f);
	call_free(c);
}

static void on_synced(void *arg, int rc, const char *text)
{
	struct call *c = arg;

	if (rc)
		reply_error(&c->talk->replies, c->id, rc, text);
	else
		reply_ok(&c->talk->replies, c->id);
	sync_over(c);
}

void file_forget_sync(struct file *f, const char *text)
{
	if (!f->sync)
		return;
	if (text)
		reply_error(&f->talk->replies, f->sync->id, E_TAKEN, text);
	sync_over(f->sync);
}

int ask_sync(struct talk *t, uint32_t id, struct file *f)
{
	if (f->sync)
		return stall(t, TALK_STALL_TURN);
	if (!f->put) {
		reply_error(&t->replies, id, E_TAKEN, taken_over);
		return 0;
	}
	f->sync = call_new(t, id);
	f->sync->file = f;
	f->refs++;
	put_sync(f->put, on_synced, f->sync);
	return 0;
}

int op_fstat(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f)
		return answer_bad_handle(t, id);
	if (f->kind == FILE_PUT && !f->put) {
		reply_error(&t->replies, id, E_TAKEN, taken_over);
		return 0;
	}
	if (f->kind != FILE_GET) {
		ask_stat(t, id, view_text(f->path), f);
		return 0;
	}
	struct fxattrs a = fxattrs_of(get_attrs(f->get));
	a.size = get_size(f->get);
	reply_attrs(&t->replies, id, &a);
	return 0;
}

int op_fsetstat(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));
	struct fxattrs a = fxattrs_read(r);

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (!f)
		return answer_bad_handle(t, id);
	if (f->kind != FILE_PUT) {
		ask_set_attrs(t, id, view_text(f->path), &a);
		return 0;
	}
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

/* WRITE [6.4]: the first piece finds the file, the last one answers. */
static void begin_write(struct talk *t, struct view handle)
{
	struct file *f = file_find(t, handle);

	t->writing = true;
	t->write_rc = 0;
	if (!f || f->kind != FILE_PUT) {
		t->write_rc = E_INVALID;
		(void)snprintf(t->write_text, sizeof t->write_text, "not open for writing");
		return;
	}
	t->write_file = f;
	f->refs++;
}

static int write_piece(struct talk *t, const struct packet *p)
{
	struct file *f = t->write_file;

	if (!f->put)
		return fail(E_TAKEN, "%s", taken_over);
	if (f->to == WRITE_UNDECIDED)
		f->to = p->offset == f->told ? WRITE_WHERE_NAMED : WRITE_AT_END;
	return put_write(f->put, f->to == WRITE_AT_END ? put_size(f->put) : p->offset, p->data);
}

int talk_write_piece(struct talk *t, const struct packet *p)
{
	if (!t->versioned)
		return fail(E_PROTOCOL, "the SFTP conversation does not begin with INIT");
	if (!t->writing)
		begin_write(t, p->handle);
	if (!t->write_rc && p->data.len) {
		int rc = write_piece(t, p);
		if (rc == E_AGAIN)
			return stall(t, TALK_STALL_ROOM);
		if (rc)
			(void)snprintf(t->write_text, sizeof t->write_text, "%s", err_cause());
		err_clear();
		t->write_rc = rc;
	}
	if (!p->last)
		return 0;
	if (t->write_rc)
		reply_error(&t->replies, p->id, t->write_rc, t->write_text);
	else
		reply_ok(&t->replies, p->id);
	t->writing = false;
	if (t->write_file)
		file_unref(TAKE(t->write_file));
	return 0;
}

int op_read(struct talk *t, uint32_t id, struct reader *r)
{
	struct file *f = file_find(t, read_bytes(r));
	uint64_t offset = read_u64(r);
	uint32_t len = read_u32(r);

	if (!reader_ok(r))
		return answer_malformed(t, id);
	if (f && f->kind == FILE_PUT) {
		reply_error(&t->replies, id, E_UNFINISHED, NULL);
		return 0;
	}
	if (!f || f->kind != FILE_GET)
		return answer_bad_handle(t, id);
	struct read *read = mem_new(sizeof *read);
	*read = (struct read){NULL, id, f, offset, len < READ_MAX ? len : READ_MAX};
	*t->last_read = read;
	t->last_read = &read->next;
	t->read_count++;
	f->refs++;
	f->reads++;
	return 0;
}

static void read_done(struct talk *t, struct read **slot)
{
	struct read *read = *slot;
	struct file *f = read->file;

	*slot = read->next;
	if (!read->next)
		t->last_read = slot;
	t->read_count--;
	free(read);
	f->reads--;
	if (f->closing && !f->reads) {
		close_get(f);
		file_unref(f);
	}
	file_unref(f);
}

/* Data goes straight behind the answers that wait in out. E_AGAIN: not there yet. */
static int produce(struct talk *t, const struct read *read, struct buf *out)
{
	size_t len = 0;
	int rc = buf_reserve(out, DATA_HEAD + read->len);

	if (rc)
		return rc;
	uint8_t *at = out->data + out->len;
	rc = get_read(read->file->get, read->offset, at + DATA_HEAD, read->len, &len);
	if (rc == E_AGAIN)
		return rc;
	if (rc) {
		reply_error(&t->replies, read->id, rc, err_cause());
		err_clear();
	} else if (!len) {
		reply_status(&t->replies, read->id, FX_EOF, "end of file");
	} else {
		struct writer w = writer_of(at, DATA_HEAD);
		write_u32(&w, (uint32_t)(DATA_HEAD - 4 + len));
		write_u8(&w, FXP_DATA);
		write_u32(&w, read->id);
		write_u32(&w, (uint32_t)len);
		out->len += DATA_HEAD + len;
	}
	return 0;
}

/* READs of one file are answered in their order, those of others overtake what is blocked. */
bool talk_produce_reads(struct talk *t, struct buf *out)
{
	uint64_t pass = ++t->pass;

	for (struct read **slot = &t->first_read; *slot;) {
		struct read *read = *slot;
		if (out->len && out->len + DATA_HEAD + read->len > OUT_FILL)
			break;
		int rc = read->file->blocked == pass ? E_AGAIN : produce(t, read, out);
		if (rc == E_NOMEM)
			return false;
		if (rc == E_AGAIN) {
			read->file->blocked = pass;
			slot = &read->next;
		} else {
			read_done(t, slot);
		}
	}
	return true;
}
