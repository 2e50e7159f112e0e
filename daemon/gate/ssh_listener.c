/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/ssh_listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/gate/limits.h"

static void on_connection(uv_poll_t *poll, int status, int events);

static void watch(struct listeners *l)
{
	bool rests = l->full || l->paused;

	for (unsigned i = 0; i < l->count; i++) {
		uv_poll_t *poll = &l->socket[i].poll;
		int rc =
		    rests ? uv_poll_stop(poll) : uv_poll_start(poll, UV_READABLE, on_connection);
		assert(rc == 0);
	}
}

static void on_pause_over(uv_timer_t *timer)
{
	struct listeners *l = timer->data;

	l->paused = false;
	watch(l);
}

static void take_pause(struct listeners *l)
{
	log_warning("no more connections for a moment: %s", strerror(errno));
	l->paused = true;
	int rc = uv_timer_start(&l->pause, on_pause_over, ACCEPT_PAUSE_MS, 0);
	assert(rc == 0);
	watch(l);
}

void peer_of(const struct sockaddr_storage *address, struct peer *ret_peer)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	const uint8_t *mapped = v6->sin6_addr.s6_addr + 12;

	*ret_peer = (struct peer){.address = "?"};
	if (address->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, ret_peer->address, INET6_ADDRSTRLEN);
		ret_peer->port = ntohs(v4->sin_port);
	} else if (address->ss_family == AF_INET6) {
		bool is_v4 = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
		(void)inet_ntop(is_v4 ? AF_INET : AF_INET6,
				is_v4 ? (const void *)mapped : &v6->sin6_addr, ret_peer->address,
				INET6_ADDRSTRLEN);
		ret_peer->port = ntohs(v6->sin6_port);
	}
}

/* False: nobody else waits, or nobody can be taken in now. */
static bool accept_one(struct listeners *l, int listening)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof address;
	struct peer peer;
	int fd =
	    accept4(listening, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		peer_of(&address, &peer);
		l->accepted(l->arg, fd, &peer);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED)
		return true;
	if (errno != EAGAIN)
		take_pause(l);
	return false;
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct listeners *l = poll->data;
	const struct listener *from = CONTAINER_OF(poll, struct listener, poll);
	bool more = true;

	(void)events;
	if (status < 0) {
		errno = EBADF;
		take_pause(l);
		return;
	}
	for (int i = 0; i < ACCEPTS_PER_WAKE && more && l->open && !l->full && !l->paused; i++)
		more = accept_one(l, from->fd);
}

int listeners_open(struct listeners *l, uv_loop_t *loop, int *fds, unsigned count,
		   listeners_accepted *accepted, void *arg)
{
	assert(!l->open && count <= LINK_FDS_MAX);
	*l = (struct listeners){.loop = loop, .accepted = accepted, .arg = arg};
	int rc = uv_timer_init(loop, &l->pause);
	assert(rc == 0);
	l->pause.data = l;
	l->open = true;
	for (unsigned i = 0; i < count; i++) {
		struct listener *s = &l->socket[i];
		rc = uv_poll_init(loop, &s->poll, fds[i]);
		if (rc) {
			listeners_close(l);
			return fail(E_IO, "watch a listening socket: %s", uv_strerror(rc));
		}
		s->fd = TAKE_FD(fds[i]);
		s->poll.data = l;
		l->count++;
	}
	watch(l);
	return 0;
}

void listeners_set_full(struct listeners *l, bool full)
{
	if (!l->open || l->full == full)
		return;
	l->full = full;
	watch(l);
}

void listeners_close(struct listeners *l)
{
	if (!l->open)
		return;
	l->open = false;
	uv_close((uv_handle_t *)&l->pause, NULL);
	for (unsigned i = 0; i < l->count; i++) {
		/* libuv lets go of the descriptor within uv_close(). */
		uv_close((uv_handle_t *)&l->socket[i].poll, NULL);
		(void)close(l->socket[i].fd);
	}
	l->count = 0;
}
