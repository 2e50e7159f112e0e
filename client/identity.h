/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity: who this machine is to a server: a P-256 key and a certificate that it signs
 * itself. Only the key counts with dropkeep; the certificate carries it through TLS.
 */
#ifndef DROPKEEP_CLIENT_IDENTITY_H
#define DROPKEEP_CLIENT_IDENTITY_H

#include "base/buf.h"

/* PEM texts; the key's is secret: buf_wipe() it. */
MUST_USE int identity_make(struct buf *ret_key, struct buf *ret_certificate);

#endif
