/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/service.h"

#ifdef HAVE_SYSTEMD

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"

void service_ready(void)
{
	(void)sd_notify(0, "READY=1\nSTATUS=Serving.");
}

void service_reloading(void)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clock_mono_ms() * 1000);
}

void service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1\nSTATUS=Draining.");
}

static int prepare(int fd)
{
	if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
		return fail(E_CONFIG,
			    "the service manager handed over what is no listening socket");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return fail_errno(E_IO, "prepare a socket of the service manager's");
	return 0;
}

static void free_names(char **names, int count)
{
	for (int i = 0; names && i < count; i++)
		free(names[i]);
	free(names);
}

int service_sockets(struct service_socket *ret_sockets, unsigned max, unsigned *ret_count)
{
	char **names = NULL;
	int n = sd_listen_fds_with_names(1, &names), rc = 0;

	if (n < 0 || (unsigned)n > max)
		rc =
		    fail(E_CONFIG, "the service manager handed over an unusable number of sockets");
	for (int i = 0; i < n && !rc; i++) {
		int fd = SD_LISTEN_FDS_START + i;
		bool https = names && strcmp(names[i], "https") == 0;
		rc = prepare(fd);
		ret_sockets[i] = (struct service_socket){fd, https};
	}
	free_names(names, n);
	if (!rc)
		*ret_count = (unsigned)n;
	return rc;
}

#else

void service_ready(void)
{
}

void service_reloading(void)
{
}

void service_stopping(void)
{
}

int service_sockets(struct service_socket *ret_sockets, unsigned max, unsigned *ret_count)
{
	(void)ret_sockets;
	(void)max;
	*ret_count = 0;
	return 0;
}

#endif
