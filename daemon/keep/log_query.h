/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_query: records of the log by what stands in them, and with what is sealed in them opened:
 * what operators (command_audit.c) and auditors (answer_log.c) share.
 */
#ifndef DROPKEEP_KEEP_LOG_QUERY_H
#define DROPKEEP_KEEP_LOG_QUERY_H

#include <jansson.h>

#include "base/clock.h"
#include "daemon/keep/keyring.h"

struct keep;

/* Empty times and NULL do not filter. An event matches its own name and whole words in front:
 * "upload" finds "upload.open". Borrowed. */
struct log_filter {
	char since[CLOCK_TEXT], until[CLOCK_TEXT];
	const char *zone, *user, *event, *outcome, *object;
};
bool log_filter_matches(const struct log_filter *f, const json_t *record);

/* Text of a record's member; "" where it has none. Borrowed from the record. */
const char *log_text(const json_t *record, const char *member);

/* The keys of all zones as they were when it was made. */
struct log_opener {
	struct keep *keep;
	struct keyring ring;
	struct catalog *reader; /* while it is open */
};

MUST_USE int log_opener_make(struct keep *keep, struct log_opener *ret_opener); /* on the loop */
void log_opener_done(struct log_opener *o);

/* On one thread of the pool, around calls of log_show(). */
MUST_USE int log_opener_open(struct log_opener *o);
void log_opener_close(struct log_opener *o);

/* What is sealed in the record is replaced by what it is (record_open()). What cannot be opened is
 * left out, and the record says so: "erased" where its key is gone, "damaged" where it contradicts
 * itself. */
void log_show(struct log_opener *o, json_t *record);

#endif
