/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_log_words: what is asked of the log by URL: which part of it (the paths of C2SP
 * tlog-tiles), which records (the query of /log/records).
 *
 * Pure. Each thing has exactly one path; every other is no path of anything.
 */
#ifndef DROPKEEP_GATE_HTTP_LOG_WORDS_H
#define DROPKEEP_GATE_HTTP_LOG_WORDS_H

#include "wire/messages.h"

/* Of "0/x001/x234/067", "0/000.p/5", "entries/000", as they stand behind /log/tile/. E_GONE without
 * an error frame for all else. */
MUST_USE int log_tile_read(struct view rest, struct ask_log_file *ret_ask);

/* What is asked of /log/records. The views of `ask` borrow from `value`. */
enum { LOG_WORDS = 10, LOG_LIMIT_DEFAULT = 1000 };
struct log_words {
	struct ask_log_query ask;
	struct buf value[LOG_WORDS]; /* decoded, in the order of their table */
	bool said[LOG_WORDS];
};

/* E_INVALID, with a sentence, for what is unknown, said twice, empty, or no such thing: a filter
 * that is not understood must not give more than was meant. To be ended also then. */
MUST_USE int log_words_read(struct view query, struct log_words *ret_words);
void log_words_done(struct log_words *w);

/* "/log/records?…" for what follows: the same with another after= and before=. */
MUST_USE int log_words_next(const struct log_words *w, uint64_t from, uint64_t before,
			    struct buf *out);

#endif
