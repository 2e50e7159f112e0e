/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: what the service manager is told and asked. Without systemd, at build time or at
 * run time, nothing is said and nothing comes.
 */
#ifndef DROPKEEP_KEEP_SERVICE_H
#define DROPKEEP_KEEP_SERVICE_H

#include <stdbool.h>

#include "base/err.h"

void service_ready(void);
void service_reloading(void);
void service_stopping(void);

/* Listening sockets that were handed over, close-on-exec and non-blocking. Those that are called
 * "https" (FileDescriptorName=) are for HTTPS, all others for SFTP. */
struct service_socket {
	int fd;
	bool https;
};
MUST_USE int service_sockets(struct service_socket *ret_sockets, unsigned max, unsigned *ret_count);

#endif
