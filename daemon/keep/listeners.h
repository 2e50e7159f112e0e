/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listeners: the sockets at which gates accept: bound by the keep, or taken from systemd.
 */
#ifndef DROPKEEP_KEEP_LISTENERS_H
#define DROPKEEP_KEEP_LISTENERS_H

struct keep;

#include "base/err.h"

/* From systemd where it hands some over (sd_listen_fds(3)), else as [sftp] listen says. */
MUST_USE int listeners_open(struct keep *keep);
void listeners_close(struct keep *keep);

#endif
