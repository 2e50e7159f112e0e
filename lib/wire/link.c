/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/link.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void frame_write(struct writer *w, const struct frame *f)
{
	write_u16(w, f->kind);
	write_u16(w, f->verb);
	write_u32(w, f->id);
	write_u64(w, f->subject);
	write_u32(w, (uint32_t)f->status);
}

int frame_read(struct view packet, struct frame *ret_frame)
{
	struct reader r = reader_of(packet);
	struct frame f = {.kind = read_u16(&r)};

	f.verb = read_u16(&r);
	f.id = read_u32(&r);
	f.subject = read_u64(&r);
	f.status = (int32_t)read_u32(&r);
	if (!reader_ok(&r))
		return fail(E_PROTOCOL, "a packet of %zu bytes has no room for its header",
			    packet.len);
	if (f.status > 0 || f.status < E_LAST || (f.kind != FRAME_ANSWER && f.status))
		return fail(E_PROTOCOL, "a status that does not exist");
	f.body = view_of(r.at, r.left);
	*ret_frame = f;
	return 0;
}

/* Sizes beyond the system's limit are cut by the kernel without an error; LINK_MAX is
 * below Linux' default limit of 208 KiB, so a packet fits either way. */
static void widen(int fd)
{
	int size = 1 << 20;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

int link_pair(int ret_fds[2])
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return fail_errno(E_IO, "make a socket pair");
	widen(fds[0]);
	widen(fds[1]);
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

int link_send(int socket, struct view packet, const int *fds, unsigned count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(LINK_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)(uintptr_t)packet.data, packet.len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	assert(count <= LINK_FDS_MAX && packet.len <= LINK_MAX);
	if (count) {
		m.msg_control = control.space;
		m.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	do
		n = sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	if (errno == EAGAIN || errno == ENOBUFS)
		return E_AGAIN; /* no frame: an ordinary state, not an error to explain */
	return fail_errno(errno == EPIPE || errno == ECONNRESET ? E_GONE : E_IO, "send a message");
}

/* Of all that came; the control buffer has no room for more than LINK_FDS_MAX. */
static unsigned take_fds(struct msghdr *m, int fds[LINK_FDS_MAX])
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		assert(n <= LINK_FDS_MAX - count);
		memcpy(fds + count, CMSG_DATA(c), n * sizeof(int));
		count += (unsigned)n;
	}
	return count;
}

static int judge_packet(const struct msghdr *m, ssize_t len, unsigned count, unsigned fds_max)
{
	if (m->msg_flags & (MSG_TRUNC | MSG_CTRUNC) || count > fds_max)
		return fail(E_PROTOCOL, "a message that is too long or carries too much");
	if (len == 0)
		return fail(E_GONE, "the other side has closed the link");
	return 0;
}

int link_receive(int socket, void *memory, size_t cap, struct view *ret_packet, int *ret_fds,
		 unsigned fds_max, unsigned *ret_count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(LINK_FDS_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {memory, cap};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[LINK_FDS_MAX];
	ssize_t n;

	/* Without room for control data the kernel drops descriptors and says MSG_CTRUNC. */
	if (fds_max) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof control.space;
	}
	do
		n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return E_AGAIN;
	if (n < 0)
		return fail_errno(errno == ECONNRESET ? E_GONE : E_IO, "receive a message");

	unsigned count = take_fds(&m, fds);
	int rc = judge_packet(&m, n, count, fds_max);
	if (rc) {
		while (count)
			(void)close(fds[--count]);
		return rc;
	}
	if (count)
		memcpy(ret_fds, fds, count * sizeof *fds);
	*ret_packet = view_of(memory, (size_t)n);
	*ret_count = count;
	return 0;
}
