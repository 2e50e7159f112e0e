/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_seen: the newest checkpoint of a log that this user has seen, with its signature, in
 * $XDG_DATA_HOME/dropkeep/PROFILE/log/. Whoever keeps one is a witness: a log that does not
 * continue it was rewritten, and the two signed checkpoints prove it.
 */
#ifndef DROPKEEP_CLIENT_LOG_SEEN_H
#define DROPKEEP_CLIENT_LOG_SEEN_H

#include "client/profile.h"
#include "tlog/checkpoint.h"

/* Verifies it with the log's key. E_GONE without a frame: none was seen yet. E_INTEGRITY with the
 * file's name for one that does not verify. */
MUST_USE int log_seen_read(const struct profile *p, struct tlog_checkpoint *ret_seen);

/* Keep note, which is that checkpoint's and was verified, unless a newer one is there. */
MUST_USE int log_seen_keep(const struct profile *p, struct view note,
			   const struct tlog_checkpoint *c);

/* note is signed and contradicts the one that was seen: keep it beside that one. ret_file: where,
 * on the heap. */
MUST_USE int log_seen_accuse(const struct profile *p, struct view note, char **ret_file);

#endif
