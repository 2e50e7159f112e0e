/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/sftp_talk.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/sftp_inside.h"

enum { TALK_MAGIC = 0x74616c6b, CALL_MAGIC = 0x63616c6c, REPLIES_KEPT = 64 * 1024 };

struct talk *talk_new(const struct talk_env *env)
{
	struct talk *t = mem_new(sizeof *t);

	t->magic = TALK_MAGIC;
	t->env = *env;
	t->last_read = &t->first_read;
	return t;
}

void talk_wake(struct talk *t)
{
	if (!t->ended)
		t->env.wake(t->env.arg);
}

int stall(struct talk *t, enum talk_stall why)
{
	t->stall = why;
	return E_AGAIN;
}

struct call *call_new(struct talk *t, uint32_t id)
{
	struct call *c = mem_new(sizeof *c);

	*c = (struct call){.magic = CALL_MAGIC, .talk = t, .next = t->calls, .id = id};
	if (t->calls)
		t->calls->prev = c;
	t->calls = c;
	t->call_count++;
	return c;
}

void call_free(struct call *c)
{
	struct talk *t = c->talk;

	assert(c->magic == CALL_MAGIC);
	*(c->prev ? &c->prev->next : &t->calls) = c->next;
	if (c->next)
		c->next->prev = c->prev;
	t->call_count--;
	if (c->file)
		file_unref(c->file);
	free(c->path);
	free(c->to);
	c->magic = 0;
	free(c);
	talk_wake(t);
	talk_check_end(t);
}

/* Asks of an ended talk are forgotten, so the talk is alive here. */
void call_on_answer(void *arg, const struct answer *a)
{
	struct call *c = arg;

	assert(c->magic == CALL_MAGIC && !c->talk->ended);
	c->ask = NULL;
	if (!a->status)
		c->answered(c, a);
	else if (!c->refused || !c->refused(c, a->status))
		reply_error(&c->talk->replies, c->id, a->status, answer_text(a));
	call_free(c);
}

void talk_drop_reads(struct talk *t)
{
	for (struct read *r; (r = t->first_read);) {
		t->first_read = r->next;
		r->file->reads--;
		file_unref(r->file);
		free(r);
	}
	t->last_read = &t->first_read;
	t->read_count = 0;
}

static void forget_asks(struct talk *t)
{
	for (struct call *c = t->calls, *next; c; c = next) {
		next = c->next;
		if (!c->ask)
			continue;
		ask_forget(c->ask);
		call_free(c);
	}
}

static void on_gone(void *arg, int rc, const char *text)
{
	struct talk *t = arg;

	(void)rc;
	(void)text;
	assert(t->magic == TALK_MAGIC && t->closes);
	t->closes--;
	talk_wake(t);
	talk_check_end(t);
}

static void leave_file(struct talk *t, struct file *f, const char *reason)
{
	if (f->put) {
		t->closes++;
		put_abandon(TAKE(f->put), reason, on_gone, t);
	}
	f->refs++;
	file_forget_sync(f, NULL);
	if (f->get) {
		t->closes++;
		get_close(TAKE(f->get), E_GONE, on_gone, t);
	}
	if (f->number)
		file_close_handle(f);
	else if (f->closing && f->kind == FILE_GET)
		file_unref(f); /* its CLOSE waited for READs that are dropped */
	file_unref(f);
}

void talk_end(struct talk *t, const char *reason, void (*done)(void *arg), void *arg)
{
	assert(t->magic == TALK_MAGIC && !t->ended);
	t->ended = true;
	t->done = done;
	t->done_arg = arg;
	t->closes++; /* so that it does not end under our feet */
	forget_asks(t);
	talk_drop_reads(t);
	if (t->write_file)
		file_unref(TAKE(t->write_file));
	for (struct file *f = t->files, *next; f; f = next) {
		next = f->next;
		leave_file(t, f, reason);
	}
	t->closes--;
	talk_check_end(t);
}

void talk_check_end(struct talk *t)
{
	if (!t->ended || t->closes || t->calls)
		return;
	assert(!t->files);
	packets_done(&t->packets);
	buf_done(&t->replies.buf);
	slots_done(&t->handles);
	free(t->told_path);
	t->magic = 0;
	t->done(t->done_arg);
	free(t);
}

/* Too much is unanswered, or the peer does not take its answers. */
static bool crowded(const struct talk *t)
{
	return t->call_count >= CALLS_MAX || t->read_count >= READS_MAX ||
	       t->replies.buf.len >= OUT_HIGH;
}

static int take_one(struct talk *t, struct view *in, bool *ret_more)
{
	struct packet p = {0};
	int rc = packets_next(&t->packets, in, &p);

	if (rc)
		return rc;
	*ret_more = p.kind != PACKET_NONE;
	if (p.kind == PACKET_WRITE)
		rc = talk_write_piece(t, &p);
	else if (p.kind == PACKET_REQUEST)
		rc = talk_request(t, &p);
	if (!rc && p.kind != PACKET_NONE)
		packets_took(&t->packets, in);
	return rc;
}

int talk_take(struct talk *t, struct view in, size_t *ret_used)
{
	struct view rest = in;
	bool more = true;
	int rc = 0;

	assert(t->magic == TALK_MAGIC && !t->ended);
	t->stall = TALK_FLOWS;
	while (more && !rc)
		rc = crowded(t) ? stall(t, TALK_STALL_PEER) : take_one(t, &rest, &more);
	if (rc == E_AGAIN)
		rc = 0;
	if (t->replies.lost)
		rc = fail(E_NOMEM, "no memory for an answer");
	if (!rc)
		*ret_used = in.len - rest.len;
	return rc;
}

enum talk_stall talk_stalled(const struct talk *t)
{
	return t->stall;
}

static int give_replies(struct talk *t, struct buf *out)
{
	int rc = buf_add(out, t->replies.buf.data, t->replies.buf.len);

	if (rc)
		return rc;
	buf_clear(&t->replies.buf);
	if (t->replies.buf.cap > REPLIES_KEPT)
		buf_done(&t->replies.buf);
	return 0;
}

/* READs make answers of their own where a file ends, or fails. */
int talk_give(struct talk *t, struct buf *out)
{
	assert(t->magic == TALK_MAGIC && !t->ended);
	int rc = give_replies(t, out);

	if (!rc && !talk_produce_reads(t, out))
		rc = fail(E_NOMEM, "no memory for data that was asked for");
	if (!rc)
		rc = give_replies(t, out);
	if (!rc && t->replies.lost)
		rc = fail(E_NOMEM, "no memory for an answer");
	return rc;
}

bool talk_idle(const struct talk *t)
{
	return !t->calls && !t->first_read && !t->replies.buf.len && !t->writing;
}

bool talk_busy(const struct talk *t)
{
	return t->calls || t->closes || t->stall == TALK_STALL_ROOM;
}

unsigned talk_open_files(const struct talk *t)
{
	unsigned n = 0;

	for (const struct file *f = t->files; f; f = f->next)
		n += f->kind != FILE_DIR;
	return n;
}
