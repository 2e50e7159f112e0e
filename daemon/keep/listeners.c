/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/listeners.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/service.h"

enum { BACKLOG = 1024 };

static int add(struct keep *keep, int fd)
{
	if (keep->listeners == LISTENERS_MAX)
		return fail(E_CONFIG, "more than %d addresses to listen at", LISTENERS_MAX);
	keep->listener[keep->listeners++] = fd;
	return 0;
}

static int set(int fd, int level, int option)
{
	int on = 1;

	return setsockopt(fd, level, option, &on, sizeof on);
}

static int open_one(const struct address *a, int *ret_fd)
{
	CLEANUP(sys_close) int fd = -1;
	char text[ADDRESS_TEXT];

	address_text(a, text);
	fd = socket(a->at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_errno(E_IO, "listen at %s", text);
	/* An IPv6 socket must leave the IPv4 address of the same port to its own listener. */
	if (set(fd, SOL_SOCKET, SO_REUSEADDR) < 0 ||
	    (a->at.any.sa_family == AF_INET6 && set(fd, IPPROTO_IPV6, IPV6_V6ONLY) < 0) ||
	    bind(fd, &a->at.any, a->len) < 0 || listen(fd, BACKLOG) < 0)
		return fail_errno(errno == EADDRINUSE || errno == EACCES ? E_CONFIG : E_IO,
				  "listen at %s", text);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int open_all(struct keep *keep, const struct conf_addresses *at)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < at->count; i++) {
		int fd = -1;
		rc = open_one(&at->at[i], &fd);
		/* A host without IPv6 has nothing to listen at there. */
		if (rc && errno == EAFNOSUPPORT && at->count > 1) {
			log_failure("passing over");
			rc = 0;
			continue;
		}
		if (!rc)
			rc = add(keep, fd);
	}
	return rc;
}

static int open_configured(struct keep *keep)
{
	int rc = open_all(keep, &keep->boot->sftp_listen);

	if (!rc && !keep->listeners)
		rc = fail(E_CONFIG, "[sftp] listen: there is no address to listen at");
	unsigned before = keep->listeners;
	if (!rc)
		rc = open_all(keep, &keep->boot->https_listen);
	keep->https_listeners = keep->listeners - before;
	return rc;
}

int listeners_open(struct keep *keep)
{
	struct service_socket given[LISTENERS_MAX];
	unsigned count = 0;
	int rc = service_sockets(given, LISTENERS_MAX, &count);

	if (rc || !count)
		return rc ? rc : open_configured(keep);
	for (unsigned i = 0; !rc && i < count; i++)
		if (!given[i].https)
			rc = add(keep, given[i].fd);
	for (unsigned i = 0; !rc && i < count; i++)
		if (given[i].https) {
			rc = add(keep, given[i].fd);
			keep->https_listeners++;
		}
	return rc;
}

void listeners_close(struct keep *keep)
{
	while (keep->listeners)
		sys_close(&keep->listener[--keep->listeners]);
	keep->https_listeners = 0;
}
