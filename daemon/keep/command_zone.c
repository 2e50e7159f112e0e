/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about zones. */
#include "daemon/keep/control.h"

#include "daemon/keep/puts.h"

static json_t *zone_json(const struct zone_row *z)
{
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:b,s:o}", "name", z->name, "quota",
			 (json_int_t)z->quota_bytes, "used", (json_int_t)z->used_bytes, "reserved",
			 (json_int_t)z->reserved_bytes, "files", (json_int_t)z->files, "retention",
			 (json_int_t)z->retention_s, "recovery", z->recovery, "made",
			 json_time(z->made_us));
}

static int give_zone(struct command *c, uint64_t id)
{
	struct zone_row row;
	int rc = catalog_zone_by_id(c->deed.keep->catalog, id, &row);

	if (!rc) {
		json_decref(c->result);
		c->result = zone_json(&row);
	}
	return rc;
}

static int zone_add(struct deed *d)
{
	struct command *c = command_of(d);
	const char *name;
	json_int_t quota, retention;
	int recovery;
	uint64_t id = 0;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s:I,s:I,s:b}", "name", &name, "quota",
			   &quota, "retention", &retention, "recovery", &recovery))
		return command_usage(&e);
	if (quota < 0 || retention < 0)
		return fail(E_USAGE, "quota and retention cannot be negative");
	int rc = accounts_add_zone(d->keep->accounts, name, (uint64_t)quota, retention,
				   recovery != 0, &id);
	if (rc == E_EXISTS)
		return fail(rc, "there is a zone '%s' already", name);
	struct zone_row row = {0};
	if (!rc)
		rc = catalog_zone_by_id(d->keep->catalog, id, &row);
	if (!rc)
		rc = command_record(c, "zone.add", &row,
				    json_pack("{s:I,s:I,s:b}", "quota", quota, "retention",
					      retention, "recovery", recovery));
	return rc ? rc : give_zone(c, id);
}

static int visit_zone(void *arg, const struct zone_row *z)
{
	json_array_append_new(arg, zone_json(z));
	return 0;
}

static int zone_list(struct deed *d)
{
	struct command *c = command_of(d);
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	int rc = catalog_each_zone(d->keep->catalog, visit_zone, c->items);
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return rc;
}

static int zone_show(struct deed *d)
{
	struct command *c = command_of(d);
	const struct zone *zone;
	const char *name;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s}", "name", &name))
		return command_usage(&e);
	int rc = command_zone(c, name, &zone);
	return rc ? rc : give_zone(c, zone->row.id);
}

static int zone_set(struct deed *d)
{
	struct command *c = command_of(d);
	const struct zone *zone;
	const char *name;
	json_int_t quota = -1, retention = -1;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s?I,s?I}", "name", &name, "quota",
			   &quota, "retention", &retention))
		return command_usage(&e);
	if (quota < 0 && retention < 0)
		return fail(E_USAGE, "nothing to set: quota or retention, not negative");
	int rc = command_zone(c, name, &zone);
	if (rc)
		return rc;
	struct zone_row row = zone->row;
	if (quota >= 0)
		row.quota_bytes = (uint64_t)quota;
	if (retention >= 0)
		row.retention_s = retention;
	rc = catalog_zone_set(d->keep->catalog, &row);
	accounts_forget(d->keep->accounts);
	if (!rc)
		rc = command_record(c, "zone.set", &row,
				    json_pack("{s:I,s:I}", "quota", (json_int_t)row.quota_bytes,
					      "retention", (json_int_t)row.retention_s));
	return rc ? rc : give_zone(c, row.id);
}

static int zone_remove(struct deed *d)
{
	struct command *c = command_of(d);
	const struct zone *zone;
	const char *name;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s}", "name", &name))
		return command_usage(&e);
	int rc = command_zone(c, name, &zone);
	if (rc)
		return rc;
	struct zone_row row = zone->row;
	rc = give_zone(c, row.id);
	if (!rc)
		rc = command_record(c, "zone.remove", &row,
				    json_pack("{s:I,s:I}", "files", (json_int_t)row.files, "bytes",
					      (json_int_t)row.used_bytes));
	if (!rc)
		rc = catalog_zone_remove(d->keep->catalog, row.id);
	accounts_forget(d->keep->accounts);
	c->subject = row.id;
	return rc;
}

static void zone_remove_settle(struct deed *d)
{
	uint64_t zone = command_of(d)->subject;

	sessions_end_in_zone(d->keep, zone, "a zone was removed");
	puts_revoke_zone(d->keep, zone); /* leases of uploads that are gone are worth nothing */
	sweep_start(d->keep);
	d->keep->scrub_wanted = true;
}

#define ROW(fn, ...)                              \
	static const struct deed_row fn##_row = { \
	    .name = #fn, .decide = fn, .finish = command_finish, __VA_ARGS__}
ROW(zone_add);
ROW(zone_list);
ROW(zone_show);
ROW(zone_set);
ROW(zone_remove, .settle = zone_remove_settle);

const struct command_entry commands_zone[] = {
    {"zone add", &zone_add_row}, {"zone list", &zone_list_row},     {"zone show", &zone_show_row},
    {"zone set", &zone_set_row}, {"zone remove", &zone_remove_row}, {NULL, NULL},
};
