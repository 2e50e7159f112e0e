/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about users and their grants. */
#include "daemon/keep/control.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/grants.h"

static const char *const role_name[] = {
    [ROLE_CLIENT] = "client", [ROLE_STAFF] = "staff", [ROLE_AUDITOR] = "auditor"};

struct gather {
	struct command *command;
	json_t *list;
};

/* ---- as JSON ---- */

static json_t *grant_json(const char *user, const char *zone, const char *prefix, uint8_t rights)
{
	char letters[8];

	rights_text(rights, letters);
	return json_pack("{s:s,s:s,s:s,s:s}", "user", user, "zone", zone, "prefix", prefix,
			 "rights", letters);
}

static int add_grants(struct command *c, const struct principal *p, json_t *list)
{
	for (size_t i = 0; i < p->access.count; i++) {
		const struct grant *g = &p->access.grants[i];
		const struct zone *zone = NULL;
		int rc = g->zone ? accounts_zone_by_id(c->deed.keep->accounts, g->zone, &zone) : 0;
		if (rc == E_GONE)
			continue;
		if (rc)
			return rc;
		json_array_append_new(list, grant_json(p->row.name, zone ? zone->row.name : "*",
						       g->prefix, g->rights));
	}
	return 0;
}

static int user_json(struct command *c, uint64_t id, json_t **ret_user)
{
	struct keep *keep = c->deed.keep;
	const struct principal *p = NULL;
	json_t *credentials = json_array(), *grants = json_array();
	int rc = accounts_principal(keep->accounts, id, &p);

	if (!rc)
		rc = credentials_json(c, id, p->row.name, credentials);
	if (!rc)
		rc = add_grants(c, p, grants);
	if (rc) {
		json_decref(credentials);
		json_decref(grants);
		return rc;
	}
	*ret_user =
	    json_pack("{s:s,s:s,s:b,s:o,s:o,s:o}", "name", p->row.name, "role",
		      role_name[p->row.role], "disabled", p->row.disabled, "made",
		      json_time(p->row.made_us), "credentials", credentials, "grants", grants);
	return 0;
}

static int give_user(struct command *c, uint64_t id)
{
	json_t *user = NULL;
	int rc = user_json(c, id, &user);

	if (!rc) {
		json_decref(c->result);
		c->result = user;
	}
	return rc;
}

/* ---- users ---- */

static int role_parse(const char *text, enum role *ret_role)
{
	for (size_t i = ROLE_CLIENT; i <= ROLE_AUDITOR; i++)
		if (strcmp(text, role_name[i]) == 0) {
			*ret_role = (enum role)i;
			return 0;
		}
	return fail(E_USAGE, "there is no role '%s': client, staff or auditor", text);
}

static int grant_zones(struct command *c, uint64_t id, enum role role, const json_t *zones)
{
	size_t i;
	const json_t *z;
	int rc = json_array_size(zones) ? 0 : fail(E_USAGE, "a user needs a zone, or '*'");

	json_array_foreach(zones, i, z)
	{
		uint64_t zone = 0;
		if (!rc && !json_is_string(z))
			rc = fail(E_USAGE, "zones are named by text");
		if (!rc)
			rc = command_zone_number(c, json_string_value(z), &zone);
		if (!rc)
			rc = accounts_grant_role(c->deed.keep->accounts, id, role, zone);
	}
	return rc;
}

static int user_add(struct deed *d)
{
	struct command *c = command_of(d);
	const char *name, *role_text;
	json_t *zones;
	enum role role = ROLE_CLIENT;
	uint64_t id = 0;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s:s,s:o}", "name", &name, "role",
			   &role_text, "zones", &zones))
		return command_usage(&e);
	int rc = role_parse(role_text, &role);
	if (!rc)
		rc = accounts_add_principal(d->keep->accounts, name, role, &id);
	if (rc == E_EXISTS)
		return fail(rc, "there is a user '%s' already", name);
	if (!rc)
		rc = grant_zones(c, id, role, zones);
	if (!rc)
		rc = command_record(
		    c, "user.add", NULL,
		    json_pack("{s:s,s:s,s:O}", "user", name, "role", role_text, "zones", zones));
	return rc ? rc : give_user(c, id);
}

static int visit_user(void *arg, const struct principal_row *p)
{
	struct gather *g = arg;
	json_t *user = NULL;
	int rc = user_json(g->command, p->id, &user);

	if (!rc)
		json_array_append_new(g->list, user);
	return rc;
}

static int user_list(struct deed *d)
{
	struct command *c = command_of(d);
	struct gather g = {.command = c, .list = c->items};
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{}"))
		return command_usage(&e);
	int rc = catalog_each_principal(d->keep->catalog, visit_user, &g);
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return rc;
}

static int named_user(struct command *c, struct principal_row *ret_user)
{
	const char *name;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s}", "name", &name))
		return command_usage(&e);
	return command_user(c, name, ret_user);
}

static int user_show(struct deed *d)
{
	struct command *c = command_of(d);
	struct principal_row user;
	int rc = named_user(c, &user);

	return rc ? rc : give_user(c, user.id);
}

static int set_disabled(struct command *c, bool disabled)
{
	struct principal_row user;
	int rc = named_user(c, &user);

	if (!rc)
		rc = catalog_principal_set_disabled(c->deed.keep->catalog, user.id, disabled);
	accounts_forget(c->deed.keep->accounts);
	if (!rc)
		rc = command_record(c, disabled ? "user.disable" : "user.enable", NULL,
				    json_pack("{s:s}", "user", user.name));
	if (!rc)
		c->subject = user.id;
	return rc ? rc : give_user(c, user.id);
}

static int user_disable(struct deed *d)
{
	return set_disabled(command_of(d), true);
}

static int user_enable(struct deed *d)
{
	return set_disabled(command_of(d), false);
}

static int user_remove(struct deed *d)
{
	struct command *c = command_of(d);
	struct principal_row user;
	int rc = named_user(c, &user);

	if (!rc)
		rc = give_user(c, user.id);
	if (!rc)
		rc = catalog_principal_remove(d->keep->catalog, user.id);
	accounts_forget(d->keep->accounts);
	if (!rc)
		rc = command_record(c, "user.remove", NULL, json_pack("{s:s}", "user", user.name));
	if (!rc)
		c->subject = user.id;
	return rc;
}

static void end_sessions(struct deed *d)
{
	sessions_end_of(d->keep, command_of(d)->subject, "this account was closed by the operator");
}

/* ---- grants ---- */

struct grant_args {
	struct principal_row user;
	const char *zone_name, *prefix, *letters;
	uint64_t zone;
	uint8_t rights;
};

static int grant_args(struct command *c, const char *format, struct grant_args *ret)
{
	const char *user;
	json_error_t e;

	*ret = (struct grant_args){.rights = RIGHTS_ALL};
	if (json_unpack_ex(c->args, &e, JSON_STRICT, format, "user", &user, "zone", &ret->zone_name,
			   "prefix", &ret->prefix, "rights", &ret->letters))
		return command_usage(&e);
	int rc = command_user(c, user, &ret->user);
	if (!rc)
		rc = command_zone_number(c, ret->zone_name, &ret->zone);
	if (!rc && ret->letters)
		rc = rights_parse(ret->letters, &ret->rights);
	return rc;
}

/* The grant as it now stands, for the answer; the record names no folder. */
static int give_grant(struct command *c, const struct grant_args *g, const char *event)
{
	CLEANUP(buf_done) struct buf normal = {0};
	const struct principal *p = NULL;
	const char *prefix = "";
	uint8_t now = 0;
	char letters[8];
	int rc = accounts_principal(c->deed.keep->accounts, g->user.id, &p);

	if (!rc)
		rc = grant_normal_prefix(g->prefix, &normal);
	if (!rc)
		rc = buf_text(&normal, &prefix);
	if (rc)
		return rc;
	for (size_t i = 0; i < p->access.count; i++)
		if (p->access.grants[i].zone == g->zone &&
		    strcmp(p->access.grants[i].prefix, prefix) == 0)
			now = p->access.grants[i].rights;
	rights_text(now, letters);
	json_decref(c->result);
	c->result = grant_json(g->user.name, g->zone_name, prefix, now);
	struct event e = EVENT(.name = event, .actor = c->actor);
	CLEANUP(mem_free) char *path = mem_printf("/%s/%s", g->zone_name, prefix);
	if (g->zone) {
		e.zone = g->zone;
		e.zone_name = g->zone_name;
		e.path = view_text(path);
	}
	event_detail(&e, json_pack("{s:s,s:s,s:s}", "user", g->user.name, "zone", g->zone_name,
				   "rights", letters));
	return audit_add(c->deed.keep->audit, &e);
}

static int grant(struct deed *d)
{
	struct command *c = command_of(d);
	struct grant_args g;
	int rc = grant_args(c, "{s:s,s:s,s:s,s:s}", &g);

	if (!rc)
		rc = accounts_grant(d->keep->accounts, g.user.id, g.zone, g.prefix, g.rights);
	return rc ? rc : give_grant(c, &g, "grant");
}

static int revoke_rights(struct deed *d)
{
	struct command *c = command_of(d);
	struct grant_args g;
	int rc = grant_args(c, "{s:s,s:s,s:s,s?s}", &g);

	if (!rc)
		rc = accounts_revoke(d->keep->accounts, g.user.id, g.zone, g.prefix, g.rights);
	if (rc == E_GONE)
		return fail(rc, "user '%s' has no grant there", g.user.name);
	return rc ? rc : give_grant(c, &g, "revoke");
}

#define ROW(fn, ...)                              \
	static const struct deed_row fn##_row = { \
	    .name = #fn, .decide = fn, .finish = command_finish, __VA_ARGS__}
ROW(user_add);
ROW(user_list);
ROW(user_show);
ROW(user_disable, .settle = end_sessions);
ROW(user_enable);
ROW(user_remove, .settle = end_sessions);
ROW(grant);
static const struct deed_row revoke_row = {
    .name = "revoke", .decide = revoke_rights, .finish = command_finish};

const struct command_entry commands_user[] = {
    {"user add", &user_add_row},
    {"user list", &user_list_row},
    {"user show", &user_show_row},
    {"user disable", &user_disable_row},
    {"user enable", &user_enable_row},
    {"user remove", &user_remove_row},
    {"grant", &grant_row},
    {"revoke", &revoke_row},
    {NULL, NULL},
};
