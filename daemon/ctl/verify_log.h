/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_log: a stopped or copied log directory verified without the keep.
 *
 * Every line of records-NNNNNN.jsonl is hashed as a leaf (RFC 6962); the root over all of
 * them must be the one that the signed checkpoint names, and each leaf the one in the tiles.
 * Reads only; constant memory. Layout: doc/FORMAT.audit.md.
 */
#ifndef DROPKEEP_CTL_VERIFY_LOG_H
#define DROPKEEP_CTL_VERIFY_LOG_H

#include <jansson.h>

#include "base/err.h"

/*
 * vkey: the log's verifier key; NULL: what stands in DIR/key.vkey, which shows only that the
 * directory is in agreement with itself. A checkpoint that this key has not signed is
 * E_INTEGRITY. The result is a "verification" of doc/PROTOCOL.control.md, problems included.
 */
MUST_USE int verify_log(const char *dir, const char *vkey, json_t **ret_result);

#endif
