/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/alerts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/expiry.h"
#include "daemon/keep/keep.h"

static const struct {
	const char *name;
	int (*confirmed)(struct keep *keep); /* in decide; what it changes in memory comes last */
} kinds[ALERTS] = {
    [ALERT_CLOCK] = {"clock", expiry_believe_clock},
    [ALERT_EXPIRY_CAP] = {"expiry-cap", expiry_begin_hour},
};

const char *alert_name(enum alert a)
{
	return kinds[a].name;
}

int alert_stands(struct keep *keep, enum alert a, bool *ret_stands)
{
	struct alert_row row;
	int rc = catalog_alert_by_kind(keep->catalog, alert_name(a), &row);

	if (rc && rc != E_GONE)
		return rc;
	*ret_stands = rc == 0;
	return 0;
}

static int record(struct keep *keep, const struct alert_row *row)
{
	struct event e = EVENT(.name = "alert.raise", .actor = "system", .reason = row->text);

	event_detail(&e, json_pack("{s:I,s:s}", "alert", (json_int_t)row->id, "kind", row->kind));
	return audit_add(keep->audit, &e);
}

int alert_raise(struct keep *keep, enum alert a, const char *format, ...)
{
	struct alert_row row = {.raised_us = clock_utc_us()};
	bool stands = false;
	va_list args;
	int rc = alert_stands(keep, a, &stands);

	if (rc || stands)
		return rc;
	va_start(args, format);
	(void)vsnprintf(row.text, sizeof row.text, format, args);
	va_end(args);
	(void)snprintf(row.kind, sizeof row.kind, "%s", alert_name(a));
	rc = catalog_alert_add(keep->catalog, &row);
	if (!rc)
		rc = record(keep, &row);
	if (!rc)
		log_warning("alert '%s': %s", row.kind, row.text);
	return rc;
}

int alert_confirm(struct keep *keep, const struct alert_row *row)
{
	int rc = catalog_alert_remove(keep->catalog, row->id);

	for (size_t i = 0; !rc && i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].name, row->kind) == 0)
			return kinds[i].confirmed(keep);
	return rc; /* of a kind that this version does not know: nobody waits for it */
}
