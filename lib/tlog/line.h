/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line: what the textual formats of transparency logs (notes, checkpoints, proofs) have in
 * common: lines that end in a newline, decimal numbers, hashes in base64. Each value has
 * exactly one form; every other is refused.
 */
#ifndef DROPKEEP_TLOG_LINE_H
#define DROPKEEP_TLOG_LINE_H

#include <stdbool.h>

#include "tlog/tree.h"

/* Take the first line off *rest, without its newline. False, with nothing taken, when there
 * is no newline. The line borrows from *rest. */
bool tlog_line_take(struct view *rest, struct view *ret_line);

/* Cut text off the front of *line. False, with nothing cut, when it does not begin so. */
bool tlog_line_skip(struct view *line, const char *text);

/* "0", or digits without a leading zero, at most TLOG_SIZE_MAX; nothing else. */
MUST_USE int tlog_line_number(struct view line, uint64_t *ret_number);

/* Padded base64 of exactly 32 bytes, as the whole line. */
MUST_USE int tlog_line_hash(struct view line, struct tlog_hash *ret_hash);

/* The hash in base64 and a newline. */
MUST_USE int tlog_line_add_hash(struct buf *out, const struct tlog_hash *hash);

#endif
