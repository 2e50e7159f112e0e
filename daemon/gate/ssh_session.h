/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: one SSH connection, from accept() until the keep knows its end. It owns its
 * socket, libssh's session and its channels, and runs on its gate's loop without ever
 * blocking (doc/ARCHITECTURE.md says how libssh is kept from it).
 *
 * What the keep has not answered to has not happened: nothing of a peer is read before
 * SESSION_OPEN was answered, no channel opens before AUTH was.
 */
#ifndef DROPKEEP_GATE_SSH_SESSION_H
#define DROPKEEP_GATE_SSH_SESSION_H

#include "daemon/gate/gate.h"

struct session;

/* Takes fd. */
void session_begin(struct gate *g, int fd, const struct peer *peer);

/* Disconnect it, soon; the first reason counts. */
void session_end(struct session *s, const char *reason);

#endif
