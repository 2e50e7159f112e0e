/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/ssh_inside.h"

enum { MAGIC = 0x6368616e, STASH_KEPT = 4096, OUT_KEPT = 4096 };

/*
 * Input. libssh offers all that it has for a channel; what the talk does not use stays
 * there, uncounted in the window that the client may fill, so that a stalled talk stalls its
 * client. It is taken out in one go when the talk flows again, because libssh tells nobody
 * about it a second time; taken in parts it would let the window grow with each part.
 *
 * Output. `out` is made from the talk outside of libssh's callbacks and then left alone, for
 * a write can call the data callback before it returns.
 */

static void give_up(struct channel *c)
{
	session_end(c->session, err_cause());
	err_clear();
}

/* How much of data the talk took. */
static size_t feed(struct channel *c, struct view data)
{
	size_t used = 0;

	if (talk_take(c->talk, data, &used))
		give_up(c);
	return used;
}

static bool stalled(const struct channel *c)
{
	return c->stash.len || c->unread || talk_stalled(c->talk) != TALK_FLOWS;
}

static int on_data(ssh_session ssh, ssh_channel channel, void *data, uint32_t len, int is_stderr,
		   void *arg)
{
	struct channel *c = arg;
	size_t used = 0;

	(void)ssh;
	(void)channel;
	assert(c->magic == MAGIC);
	if (is_stderr || c->session->reason)
		return (int)len; /* nobody wants it */
	if (c->talk && !stalled(c))
		used = feed(c, view_of(data, len));
	session_moved(c->session, len - c->unread, 0);
	c->unread = len - used;
	if (c->unread > (c->talk ? STASH_MAX : STASH_EARLY))
		session_end(c->session, "the client sends more than it may");
	return (int)used;
}

static void on_eof(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct channel *c = arg;

	(void)ssh;
	(void)channel;
	assert(c->magic == MAGIC);
	c->eof = true;
}

static void on_close(ssh_session ssh, ssh_channel channel, void *arg)
{
	struct channel *c = arg;

	(void)ssh;
	(void)channel;
	assert(c->magic == MAGIC);
	c->eof = c->closed = true;
}

struct channel *chan_new(struct session *s, ssh_channel ssh)
{
	struct channel *c = mem_new(sizeof *c);

	*c = (struct channel){.magic = MAGIC, .session = s, .next = s->channels, .ssh = ssh};
	c->callbacks = (struct ssh_channel_callbacks_struct){
	    .userdata = c,
	    .channel_data_function = on_data,
	    .channel_eof_function = on_eof,
	    .channel_close_function = on_close,
	};
	ssh_callbacks_init(&c->callbacks);
	if (ssh_set_channel_callbacks(ssh, &c->callbacks) != SSH_OK)
		session_end(s, "no memory for a channel");
	s->channels = c;
	s->channel_count++;
	return c;
}

struct channel *chan_find(const struct session *s, ssh_channel ssh)
{
	struct channel *c = s->channels;

	while (c && c->ssh != ssh)
		c = c->next;
	return c;
}

static void on_wake(void *arg)
{
	struct channel *c = arg;

	assert(c->magic == MAGIC);
	session_wake(c->session);
}

void chan_start(struct channel *c)
{
	struct session *s = c->session;
	const struct talk_env env = {
	    .loop = &s->gate->loop,
	    .keeper = s->gate->keeper,
	    .session = s->number,
	    .home = s->home,
	    .name = s->name,
	    .open_files = &s->open_files,
	    .open_files_max = s->open_files_max,
	    .wake = on_wake,
	    .arg = c,
	};

	c->talk = talk_new(&env);
	s->talks++;
}

static void on_talk_over(void *arg)
{
	struct session *s = arg;

	s->talks--;
	session_wake(s);
}

static void end_talk(struct channel *c)
{
	if (c->talk)
		talk_end(TAKE(c->talk),
			 c->session->reason ? c->session->reason : "the channel was closed",
			 on_talk_over, c->session);
}

/* The callbacks go first: libssh may keep its channel until the session's end. */
static void chan_free(struct channel *c)
{
	(void)ssh_remove_channel_callbacks(c->ssh, &c->callbacks);
	if (!c->session->reason)
		ssh_channel_free(c->ssh);
	end_talk(c);
	buf_done(&c->stash);
	buf_done(&c->out);
	c->session->channel_count--;
	c->magic = 0;
	free(c);
}

void channels_end(struct session *s)
{
	for (struct channel *c; (c = s->channels);) {
		s->channels = c->next;
		chan_free(c);
	}
}

/* All that libssh holds back, at once. */
static bool take_unread(struct channel *c)
{
	uint32_t len = (uint32_t)c->unread;

	if (buf_reserve(&c->stash, len)) {
		give_up(c);
		return false;
	}
	c->unread = 0;
	int n = ssh_channel_read_timeout(c->ssh, c->stash.data, len, 0, 0);
	c->stash.len = n > 0 ? (size_t)n : 0;
	c->stash_used = 0;
	return n > 0;
}

/* Offer again what could not be used before, until it can't. */
static void catch_up(struct channel *c)
{
	while (c->talk && stalled(c) && !c->session->reason) {
		if (!c->stash.len && c->unread && !take_unread(c))
			return;
		struct view rest = view_buf(&c->stash);
		if (c->stash_used)
			rest = view_of(rest.data + c->stash_used, rest.len - c->stash_used);
		c->stash_used += feed(c, rest);
		if (c->stash_used == c->stash.len) {
			buf_clear(&c->stash);
			c->stash_used = 0;
			if (c->stash.cap > STASH_KEPT)
				buf_done(&c->stash);
		}
		if (talk_stalled(c->talk) != TALK_FLOWS)
			return;
	}
}

static bool may_send(const struct channel *c)
{
	return !c->closed && !c->finished && !c->session->reason &&
	       !(ssh_get_status(c->session->ssh) & SSH_WRITE_PENDING) &&
	       ssh_channel_window_size(c->ssh) > 0;
}

/* Something to send, newly made if need be. */
static bool fill(struct channel *c)
{
	if (c->sent < c->out.len)
		return true;
	buf_clear(&c->out);
	c->sent = 0;
	if (talk_give(c->talk, &c->out))
		give_up(c);
	if (!c->out.len && c->out.cap > OUT_KEPT && talk_idle(c->talk))
		buf_done(&c->out);
	return c->out.len > 0;
}

static void write_some(struct channel *c)
{
	size_t len = c->out.len - c->sent;
	size_t window = ssh_channel_window_size(c->ssh);

	if (len > window)
		len = window;
	int n = ssh_channel_write(c->ssh, c->out.data + c->sent, (uint32_t)len);
	if (n < 0) {
		if (!c->closed && !session_broken(c->session))
			session_end(c->session, "a channel could not be written to");
		return;
	}
	c->sent += (size_t)n;
	session_moved(c->session, 0, (uint64_t)n);
}

/* True: stopped in the middle, the others' turn. */
static bool pump(struct channel *c)
{
	int turn = 0;

	while (c->talk && may_send(c) && fill(c)) {
		if (turn++ == WRITES_PER_TURN)
			return true;
		write_some(c);
	}
	return false;
}

/* Whether the talk has done all it could: a client that is gone takes no more answers, but
 * what it sent before still counts. A client that has ended its input and leaves no window for
 * what it asked for is gone, too: of an ssh whose sftp was killed no more comes than that, for
 * servers end with their input. */
static bool said_all(const struct channel *c)
{
	bool deaf = c->closed || ssh_channel_window_size(c->ssh) == 0;

	if (!c->talk)
		return true;
	if (deaf && (!stalled(c) || talk_stalled(c->talk) == TALK_STALL_PEER))
		return c->closed || !talk_busy(c->talk);
	return !c->closed && !stalled(c) && talk_idle(c->talk) && c->sent == c->out.len;
}

/* The end of a channel as that of a program: its status, then the end of its output. Closing
 * goes in two steps where output is waiting, so it is tried until both are done. */
static void finish(struct channel *c)
{
	if (!c->finished && c->eof && said_all(c)) {
		c->finished = true;
		end_talk(c);
		if (!c->closed)
			(void)ssh_channel_request_send_exit_status(c->ssh, 0);
	}
	if (c->finished && !c->close_sent)
		c->close_sent = ssh_channel_close(c->ssh) != SSH_AGAIN;
}

static void sweep(struct session *s)
{
	for (struct channel **slot = &s->channels; *slot;) {
		struct channel *c = *slot;
		if (c->closed && c->close_sent) {
			*slot = c->next;
			chan_free(c);
		} else {
			slot = &c->next;
		}
	}
}

/* Reading stops where an upload stalls: the rest is better kept by the kernel than by us. */
static void poll_input(struct session *s)
{
	int rc = SSH_OK;

	for (int i = 0; i < DRAIN_POLLS && rc != SSH_AGAIN && !s->reason; i++) {
		rc = ssh_event_dopoll(s->event, 0);
		if (rc == SSH_ERROR || session_broken(s)) {
			(void)session_broken(s);
			session_end(s, "the connection was closed");
			return;
		}
		if (!channels_want_input(s))
			return;
	}
	if (rc != SSH_AGAIN)
		session_wake(s); /* there may be more; the others first */
}

enum next channels_drive(struct session *s)
{
	poll_input(s);
	for (struct channel *c = s->channels; c && !s->reason; c = c->next) {
		catch_up(c);
		if (pump(c))
			session_wake(s);
		finish(c);
	}
	if (!s->reason)
		sweep(s);
	if (!s->reason)
		(void)session_broken(s);
	return NEXT_WAIT;
}

bool channels_want_input(const struct session *s)
{
	for (const struct channel *c = s->channels; c; c = c->next)
		if (c->talk && talk_stalled(c->talk) == TALK_STALL_ROOM)
			return false;
	return true;
}

bool channels_busy(const struct session *s)
{
	for (const struct channel *c = s->channels; c; c = c->next)
		if (c->talk && talk_busy(c->talk))
			return true;
	return false;
}

bool channels_quiet(const struct session *s)
{
	for (const struct channel *c = s->channels; c; c = c->next)
		if (c->talk &&
		    (!talk_idle(c->talk) || talk_open_files(c->talk) || c->sent < c->out.len))
			return false;
	return true;
}
