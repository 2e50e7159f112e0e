/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy: what new connections are offered: the settings as the keep sent them, made into
 * libssh's terms. Replaced as a whole when the keep sends new ones; sessions copy what
 * they need, so that the old one can go.
 *
 * Everything comes from memory: no host key file, no configuration file, no moduli.
 */
#ifndef DROPKEEP_GATE_SSH_POLICY_H
#define DROPKEEP_GATE_SSH_POLICY_H

#include <libssh/libssh.h>
#include <libssh/server.h>

#include "wire/messages.h"

struct policy {
	ssh_bind bind;
	char *banner; /* shown before authentication; may be empty */
	uint32_t login_grace_ms, auth_tries, idle_ms, handles_per_session;
	uint32_t sessions; /* of this gate at once */
};

/* E_CONFIG for lists in which nothing is left that libssh has and we allow. */
MUST_USE int policy_new(const struct gate_settings *s, struct policy **ret_policy);

/* NULL is allowed. For CLEANUP(policy_free). */
void policy_free(struct policy **p);

/* One connection: libssh's session for the socket, which is the session's from now on (also
 * on failure). Not blocking, public keys only, no compression. */
MUST_USE int policy_accept(const struct policy *p, int fd, ssh_session *ret_ssh);

/* A list of algorithms without what is refused whatever the operator says: SHA-1, CBC, DSA,
 * no encryption, and group exchange, which wants a file. For tests. */
MUST_USE int policy_strike_out(struct view list, struct buf *out);

#endif
