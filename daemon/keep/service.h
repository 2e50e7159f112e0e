/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service: what the service manager is told and asked. Without systemd, at build time or at
 * run time, nothing is said and nothing comes.
 */
#ifndef DROPKEEP_KEEP_SERVICE_H
#define DROPKEEP_KEEP_SERVICE_H

#include "base/err.h"

void service_ready(void);
void service_reloading(void);
void service_stopping(void);

/* Listening sockets that were handed over, close-on-exec and non-blocking. */
MUST_USE int service_sockets(int *ret_fds, unsigned max, unsigned *ret_count);

#endif
