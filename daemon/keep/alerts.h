/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alerts: what has happened that an operator must know of, and confirm.
 *
 * An alert stands in the catalog until it is confirmed (`dropkeepctl alerts ack`), over restarts as
 * well; of each kind there is one at a time. Raising one and confirming it are recorded. What waits
 * for the operator's word asks whether the alert stands, in its own transaction, so there is no
 * second place that could say otherwise. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_ALERTS_H
#define DROPKEEP_KEEP_ALERTS_H

#include "daemon/keep/catalog.h"

struct keep;

enum alert {
	ALERT_CLOCK, /* the clock jumped: nothing is removed by its age until this is confirmed */
	ALERT_EXPIRY_CAP, /* more uploads have expired than may be removed within an hour */
	ALERTS
};

/* What the catalog and the operator know it by: "clock". */
const char *alert_name(enum alert a);

MUST_USE int alert_stands(struct keep *keep, enum alert a, bool *ret_stands);

/* In decide, last: stores, records and logs it, unless one of its kind stands already. The sentence
 * says what happened, and what follows from it; it names no user and no file. */
MUST_USE int alert_raise(struct keep *keep, enum alert a, const char *format, ...) PRINTF(3, 4);

/* In decide: it stands no more, and what waited for this goes on. The record is the caller's. */
MUST_USE int alert_confirm(struct keep *keep, const struct alert_row *row);

#endif
