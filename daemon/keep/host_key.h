/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host_key: a fresh SSH host key as `ssh-keygen -t ed25519` writes it: the private key in
 * OpenSSH's format (PROTOCOL.key of OpenSSH), unencrypted, and the public key's line.
 */
#ifndef DROPKEEP_KEEP_HOST_KEY_H
#define DROPKEEP_KEEP_HOST_KEY_H

#include "base/buf.h"

/* The caller wipes ret_private. E_INVALID for a comment that is not one line of UTF-8, E_LIMIT for
 * one of some hundred bytes. */
MUST_USE int host_key_make(const char *comment, struct buf *ret_private, struct buf *ret_public);

/* Whether it is a whole private key, in OpenSSH's form or one that OpenSSL reads: E_INTEGRITY, or
 * E_CONFIG for one that is encrypted. Halves that do not belong together are noticed for
 * ssh-ed25519 in OpenSSH's form, as host_key_make() makes it. */
MUST_USE int host_key_check(struct view pem);

#endif
