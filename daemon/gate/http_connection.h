/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connection: one HTTPS connection, from accept() until the keep knows the end of its session.
 * It owns its socket and OpenSSL's state of it, serves one request after the other, and runs on
 * its gate's loop without ever blocking.
 *
 * The keep hears of it with the first request that needs a session: a flood of handshakes costs it
 * nothing. One connection is one session, as long as its requests bring the same credential.
 */
#ifndef DROPKEEP_GATE_HTTP_CONNECTION_H
#define DROPKEEP_GATE_HTTP_CONNECTION_H

#include "daemon/gate/gate.h"

/* Takes fd, and closes it at once where the peer's address has too many that ask for nothing. */
void connection_begin(struct gate *g, int fd, const struct peer *peer);

#endif
