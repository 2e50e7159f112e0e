/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about alerts. */
#include "daemon/keep/control.h"

#include "daemon/keep/alerts.h"

static json_t *alert_json(const struct alert_row *row)
{
	return json_pack("{s:I,s:s,s:o,s:s}", "id", (json_int_t)row->id, "kind", row->kind,
			 "raised", json_time(row->raised_us), "text", row->text);
}

static int say_all(struct command *c, int rc)
{
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return rc == E_GONE ? 0 : rc;
}

static int alerts(struct deed *d)
{
	struct command *c = command_of(d);
	struct alert_row row = {0};
	json_error_t e;
	int rc;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	while ((rc = catalog_alert_next(d->keep->catalog, row.id, &row)) == 0)
		json_array_append_new(c->items, alert_json(&row));
	return say_all(c, rc);
}

static int ack(struct command *c, const struct alert_row *row)
{
	json_array_append_new(c->items, alert_json(row));
	int rc = command_record(c, "alert.ack", NULL,
				json_pack("{s:I,s:s,s:o}", "alert", (json_int_t)row->id, "kind",
					  row->kind, "raised", json_time(row->raised_us)));
	return rc ? rc : alert_confirm(c->deed.keep, row);
}

static int alerts_ack(struct deed *d)
{
	struct command *c = command_of(d);
	struct alert_row row = {0};
	json_int_t id = 0;
	json_error_t e;
	int rc;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s?I}", "id", &id))
		return command_usage(&e);
	if (json_object_get(c->args, "id")) {
		rc = id > 0 ? catalog_alert_by_id(d->keep->catalog, (uint64_t)id, &row) : E_GONE;
		if (rc == E_GONE)
			return fail(E_GONE, "there is no alert %lld", (long long)id);
		return rc ? rc : say_all(c, ack(c, &row));
	}
	while ((rc = catalog_alert_next(d->keep->catalog, row.id, &row)) == 0) {
		rc = ack(c, &row);
		if (rc)
			return rc;
	}
	return say_all(c, rc);
}

#define ROW(fn, text)                             \
	static const struct deed_row fn##_row = { \
	    .name = (text), .decide = fn, .finish = command_finish}
ROW(alerts, "alerts");
ROW(alerts_ack, "alerts ack");

const struct command_entry commands_alerts[] = {
    {"alerts", &alerts_row},
    {"alerts ack", &alerts_ack_row},
    {NULL, NULL},
};
