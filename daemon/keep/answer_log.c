/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about the log: RECEIPT, LOG_FILE, LOG_QUERY. */
#include "daemon/keep/ask.h"

static int receipt(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_receipt = {.name = "receipt", .decide = receipt, .finish = ask_finish};

static int log_file(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_log_file = {
    .name = "log_file", .decide = log_file, .finish = ask_finish};

static int log_query(struct deed *d)
{
	(void)d;
	return fail(E_UNSUPPORTED, "not served yet");
}

const struct deed_row answer_log_query = {
    .name = "log_query", .decide = log_query, .finish = ask_finish};
