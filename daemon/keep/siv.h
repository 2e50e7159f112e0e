/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siv: AES-SIV (RFC 5297): deterministic authenticated encryption, over OpenSSL. What is
 * sealed is the synthetic IV (16 bytes) followed by as many bytes as the plaintext has.
 *
 * Any thread. One string of associated data, never empty, and plaintexts that are never
 * empty: older OpenSSL 3 passes over the one (CVE-2023-2975) and cannot do the other.
 */
#ifndef DROPKEEP_KEEP_SIV_H
#define DROPKEEP_KEEP_SIV_H

#include "base/buf.h"

enum { SIV_TAG = 16 };

/* Both append to out. key: 32, 48 or 64 bytes for AES-128, -192 or -256. */
MUST_USE int siv_seal(struct view key, struct view about, struct view plain, struct buf *out);

/* E_INTEGRITY for anything that siv_seal() did not make of these. */
MUST_USE int siv_open(struct view key, struct view about, struct view sealed, struct buf *out);

#endif
