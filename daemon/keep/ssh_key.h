/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ssh_key: SSH public keys as credentials: what kind a key is, and its fingerprint.
 *
 * Pure. Taken are ed25519 (RFC 8709), ECDSA over P-256, P-384 and P-521 (RFC 5656), RSA from
 * 2048 bits on (RFC 4253, section 6.6), and the FIDO forms "sk-…@openssh.com" of ed25519 and
 * P-256 (OpenSSH, PROTOCOL.u2f). The structure of a blob is checked to its last byte; whether a
 * point lies on its curve is not: such a key signs nothing that would verify.
 */
#ifndef DROPKEEP_KEEP_SSH_KEY_H
#define DROPKEEP_KEEP_SSH_KEY_H

#include "daemon/keep/catalog.h"

/*
 * A line of a .pub file ("ssh-ed25519 AAAA… comment", newline or not): kind, algorithm,
 * fingerprint ("SHA256:…" of the blob, as ssh-keygen -l prints it) and comment are filled, the
 * rest is zero. A comment that does not fit is cut; what cannot be printed in it becomes '?'.
 * E_INVALID for what is no such line, E_UNSUPPORTED for a kind of key that is not taken, each
 * with a sentence for the operator.
 */
MUST_USE int ssh_key_parse(struct view line, struct credential_row *ret_row);

/* The same from the blob that a client presented; comment stays empty. */
MUST_USE int ssh_key_of_blob(struct view blob, struct credential_row *ret_row);

#endif
