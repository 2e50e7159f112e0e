/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/ssh_session.h"

#include <assert.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/gate/ssh_inside.h"

enum {
	MAGIC = 0x73657373,
	/* A client that has vanished without a word is noticed after two minutes. */
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 15,
	KEEPALIVE_PROBES = 4,
	REASON_MAX = 160,
	DRAIN_GRACE_MS = 1000,
};

static enum next open_drive(struct session *s);
static enum next kex_drive(struct session *s);
static enum next leave_drive(struct session *s);
static enum next told_drive(struct session *s);

static const struct {
	const char *name;
	enum next (*run)(struct session *s);
} rows[] = {
    [AT_OPEN] = {"open", open_drive},    [AT_KEX] = {"key exchange", kex_drive},
    [AT_AUTH] = {"auth", auth_drive},    [AT_SERVE] = {"serve", channels_drive},
    [AT_LEAVE] = {"leave", leave_drive}, [AT_TOLD] = {"told", told_drive},
};

static enum next to(struct session *s, enum session_at at)
{
	log_debug("session %llu: %s -> %s", (unsigned long long)s->number, rows[s->at].name,
		  rows[at].name);
	s->at = at;
	return NEXT_GO;
}

static struct session *of(struct place *p)
{
	return CONTAINER_OF(p, struct session, place);
}

void session_wake(struct session *s)
{
	gate_wake(s->gate, &s->place);
}

void session_end(struct session *s, const char *reason)
{
	if (!s->reason)
		s->reason = mem_text(reason);
	session_wake(s);
}

void session_moved(struct session *s, uint64_t in, uint64_t out)
{
	s->bytes_in += in;
	s->bytes_out += out;
	s->active_ms = uv_now(&s->gate->loop);
}

void session_note(struct session *s, bool refused, const char *text)
{
	const struct ask_session_note m = {refused, view_text(text)};

	if (s->notes++ < NOTES_MAX && !s->reason)
		(void)keeper_ask_session_note(s->gate->keeper, s->number, &m, NULL, NULL);
}

/* libssh's own words; what the client said is not repeated. */
static void end_by_libssh(struct session *s)
{
	const char *text = ssh_get_error(s->ssh);
	char reason[REASON_MAX] = "ssh: ";
	size_t len = strlen(reason);

	if (!strncmp(text, "Received SSH_MSG_DISCONNECT", 27)) {
		session_end(s, "the client disconnected");
		return;
	}
	if (!*text || !strncmp(text, "Socket error", 12)) {
		session_end(s, "the connection was closed");
		return;
	}
	for (; *text && len < sizeof reason - 1; text++)
		reason[len++] = isprint((unsigned char)*text) ? *text : '?';
	reason[len] = '\0';
	session_end(s, reason);
}

/* A failed MAC sets the error without any call failing (libssh, measured): look always. */
bool session_broken(struct session *s)
{
	if (s->reason)
		return true;
	if (ssh_get_error_code(s->ssh) != SSH_FATAL && ssh_is_connected(s->ssh) &&
	    !(ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR)))
		return false;
	end_by_libssh(s);
	return true;
}

static void session_drive(struct session *s);

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct session *s = poll->data;

	assert(s->magic == MAGIC);
	if (status < 0) {
		s->armed = 0; /* libuv has stopped it */
		session_end(s, "the connection was lost");
	} else if (events & UV_DISCONNECT) {
		s->half_closed = true;
	}
	session_drive(s);
}

static bool wants_input(const struct session *s)
{
	return s->at == AT_KEX || (s->at == AT_AUTH && !s->held) ||
	       (s->at == AT_SERVE && channels_want_input(s));
}

/* Wait for what can be dealt with, for nothing else: polling tells again and again. Where
 * an answer of the keep is awaited, output waits with it. */
static void arm(struct session *s)
{
	int events = 0;

	if (!s->polling)
		return;
	if (wants_input(s))
		events |= UV_READABLE;
	if (!s->half_closed)
		events |= UV_DISCONNECT;
	if (!s->held && (ssh_get_poll_flags(s->ssh) & SSH_WRITE_PENDING))
		events |= UV_WRITABLE;
	if (events == s->armed)
		return;
	int rc = events ? uv_poll_start(&s->poll, events, on_poll) : uv_poll_stop(&s->poll);
	assert(rc == 0);
	s->armed = events;
}

/* Before authentication the clock runs from the beginning; after it, from the last byte.
 * While storage or the keep are at work nobody is idle. */
static void on_timer(uv_timer_t *timer)
{
	struct session *s = timer->data;
	uint64_t silent_ms = uv_now(timer->loop) - s->active_ms;

	assert(s->magic == MAGIC);
	if (!s->authenticated)
		session_end(s, "not authenticated in time");
	else if (channels_busy(s))
		(void)uv_timer_start(timer, on_timer, s->idle_ms, 0);
	else if (silent_ms < s->idle_ms)
		(void)uv_timer_start(timer, on_timer, s->idle_ms - silent_ms, 0);
	else
		session_end(s, "idle for too long");
}

void session_authenticated(struct session *s, struct view home, struct view name)
{
	assert(!s->authenticated);
	s->home = mem_text_n(home.data, home.len);
	s->name = mem_text_n(name.data, name.len);
	s->authenticated = true;
	s->active_ms = uv_now(&s->gate->loop);
	(void)uv_timer_stop(&s->timer);
	if (s->idle_ms)
		(void)uv_timer_start(&s->timer, on_timer, s->idle_ms, 0);
	(void)to(s, AT_SERVE);
}

static void on_opened(void *arg, const struct answer *a)
{
	struct session *s = arg;
	struct answer_session_open m;

	assert(s->magic == MAGIC);
	s->ask = NULL;
	s->open_rc = a->status ? a->status : answer_session_open_read(a->body, &m);
	if (!s->open_rc)
		s->number = m.session;
	err_clear();
	session_wake(s);
}

/* LIBSSH.md's order: key exchange first, which makes what the event then takes over. */
static int start_ssh(struct session *s)
{
	int fd = s->fd;
	int rc = policy_accept(s->gate->policy, TAKE_FD(s->fd), &s->ssh);

	if (rc)
		return rc;
	if (ssh_handle_key_exchange(s->ssh) == SSH_ERROR)
		return fail(E_PROTOCOL, "no key exchange");
	s->event = ssh_event_new();
	if (!s->event || ssh_event_add_session(s->event, s->ssh) != SSH_OK)
		return fail(E_NOMEM, "no event");
	rc = uv_poll_init(&s->gate->loop, &s->poll, fd);
	if (rc)
		return fail(E_IO, "watch a connection: %s", uv_strerror(rc));
	s->poll.data = s;
	s->polling = true;
	s->handles++;
	return 0;
}

static enum next open_drive(struct session *s)
{
	if (s->ask)
		return NEXT_WAIT;
	if (s->open_rc) {
		session_end(s, "refused");
		return NEXT_WAIT;
	}
	if (start_ssh(s)) {
		session_end(s, err_cause());
		err_clear();
		return NEXT_WAIT;
	}
	return to(s, AT_KEX);
}

static enum next kex_drive(struct session *s)
{
	int rc = ssh_handle_key_exchange(s->ssh);

	if (rc == SSH_ERROR)
		end_by_libssh(s);
	if (rc != SSH_OK || session_broken(s))
		return NEXT_WAIT;
	return to(s, AT_AUTH);
}

static void free_ssh(struct session *s)
{
	if (s->event) {
		(void)ssh_event_remove_session(s->event, s->ssh);
		ssh_event_free(s->event);
	}
	if (s->ssh)
		ssh_free(s->ssh);
	s->event = NULL;
	s->ssh = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct session *s = handle->data;

	assert(s->magic == MAGIC && s->handles);
	if (handle == (uv_handle_t *)&s->poll)
		free_ssh(s);
	s->handles--;
	session_wake(s);
}

/* One poll lets libssh see that the socket takes more: without it the last words would stay
 * in its buffer. */
static void say_goodbye(struct session *s)
{
	if (ssh_is_connected(s->ssh) && ssh_get_error_code(s->ssh) != SSH_FATAL) {
		(void)ssh_session_set_disconnect_message(s->ssh, s->reason);
		(void)ssh_event_dopoll(s->event, 0);
	}
	ssh_disconnect(s->ssh);
}

static void leave(struct session *s)
{
	(void)to(s, AT_LEAVE);
	auth_done(s);
	channels_end(s);
	uv_close((uv_handle_t *)&s->timer, on_closed);
	if (s->polling) {
		s->polling = false;
		uv_close((uv_handle_t *)&s->poll, on_closed);
		say_goodbye(s);
	} else {
		free_ssh(s);
	}
	if (s->fd >= 0)
		(void)close(TAKE_FD(s->fd));
}

static void on_told(void *arg, const struct answer *a)
{
	struct session *s = arg;

	(void)a;
	assert(s->magic == MAGIC);
	s->ask = NULL;
	session_wake(s);
}

/* Uploads and downloads first: the session's record is the last of it. */
static enum next leave_drive(struct session *s)
{
	const struct ask_session_close m = {s->bytes_in, s->bytes_out, view_text(s->reason)};

	if (s->handles || s->talks)
		return NEXT_WAIT;
	if (!s->number)
		return NEXT_END;
	s->ask = keeper_ask_session_close(s->gate->keeper, s->number, &m, on_told, s);
	return to(s, AT_TOLD);
}

static enum next told_drive(struct session *s)
{
	return s->ask ? NEXT_WAIT : NEXT_END;
}

static void session_free(struct session *s)
{
	gate_drop(s->gate, &s->place);
	free(s->reason);
	free(s->home);
	free(s->name);
	s->magic = 0;
	free(s);
}

/* The keep's number is needed to close what it may have opened. */
static bool may_leave(const struct session *s)
{
	return s->reason && s->at < AT_LEAVE && !(s->at == AT_OPEN && s->ask);
}

/* A client that has just had an answer has its next request on the way: sftp with a list of
 * commands has nothing open between two of them. */
static void end_if_quiet(struct session *s)
{
	uint64_t silent_ms = uv_now(&s->gate->loop) - s->active_ms;

	if (s->at < AT_SERVE || (silent_ms >= DRAIN_GRACE_MS && channels_quiet(s)))
		session_end(s, "the server is stopping");
}

static void session_drive(struct session *s)
{
	enum next n = NEXT_GO;

	assert(s->magic == MAGIC && !s->driving);
	s->driving = true;
	while (n == NEXT_GO) {
		if (may_leave(s))
			leave(s);
		n = rows[s->at].run(s);
		if (n == NEXT_WAIT && s->gate->draining && s->at < AT_LEAVE)
			end_if_quiet(s);
		if (n == NEXT_WAIT && may_leave(s))
			n = NEXT_GO;
	}
	s->driving = false;
	if (n == NEXT_END)
		session_free(s);
	else
		arm(s);
}

static void session_turn(struct place *p)
{
	session_drive(of(p));
}

static void session_drain(struct place *p)
{
	if (of(p)->at < AT_LEAVE)
		end_if_quiet(of(p));
}

static void end(struct place *p, const char *reason)
{
	session_end(of(p), reason);
}

static uint64_t number(const struct place *p)
{
	return CONTAINER_OF(p, const struct session, place)->number;
}

static const struct place_kind kind = {session_turn, session_drain, end, number};

static void tune_socket(int fd)
{
	const int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S,
		  probes = KEEPALIVE_PROBES;

	/* Without effect on other kinds of sockets, which tests use. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

void session_begin(struct gate *g, int fd, const struct peer *peer)
{
	const struct ask_session_open m = {view_text("sftp"), view_text(peer->address), peer->port};
	struct session *s = mem_new(sizeof *s);

	*s = (struct session){
	    .magic = MAGIC,
	    .gate = g,
	    .fd = fd,
	    .peer = *peer,
	    .auth_tries = g->policy->auth_tries,
	    .idle_ms = g->policy->idle_ms,
	    .open_files_max = g->policy->handles_per_session,
	    .active_ms = uv_now(&g->loop),
	};
	tune_socket(fd);
	int rc = uv_timer_init(&g->loop, &s->timer);
	assert(rc == 0);
	s->timer.data = s;
	s->handles = 1;
	if (g->policy->login_grace_ms)
		(void)uv_timer_start(&s->timer, on_timer, g->policy->login_grace_ms, 0);
	gate_add(g, &s->place, &kind);
	s->ask = keeper_ask_session_open(g->keeper, 0, &m, on_opened, s);
}
