/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_proof: whether the log of today is a continuation of the one that a receipt was made
 * from, and of the newest that was seen before (log_seen.h): a consistency proof, made from the
 * hash tiles that the server hands out (C2SP tlog-tiles) and verified against its signed
 * checkpoint.
 */
#ifndef DROPKEEP_CLIENT_LOG_PROOF_H
#define DROPKEEP_CLIENT_LOG_PROOF_H

#include "client/session.h"
#include "tlog/tree.h"

/* One for all receipts of a log. */
struct log_today;

/*
 * Fetch and verify the checkpoint of now, demand that it continues the one that was seen last, and
 * keep it. E_INTEGRITY where it does not, and where the server does not show its log: it has
 * something to hide. CLIENT_UNREACHABLE and other codes of session_ask() where nothing was learnt.
 */
MUST_USE int log_today_open(struct session *s, struct log_today **ret_log);
void log_today_free(struct log_today **l);

uint64_t log_today_size(const struct log_today *l);

/* E_INTEGRITY when the log was rewritten or rolled back since a receipt was made, whose checkpoint
 * has that size and root. */
MUST_USE int log_today_covers(struct log_today *l, uint64_t size, const struct tlog_hash *root);

#endif
