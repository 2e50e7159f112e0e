/* SPDX-License-Identifier: Apache-2.0 */
/* status: who one is on the server, and what one may do there. */
#include "base/mem.h"
#include "base/units.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/session.h"

static char *safe_member(json_t *from, const char *member)
{
	const char *text = json_string_value(json_object_get(from, member));

	return safe_text(text ? text : "-");
}

static uint64_t bytes_of(json_t *from, const char *member)
{
	json_int_t n = json_integer_value(json_object_get(from, member));

	return n < 0 ? 0 : (uint64_t)n;
}

static void show_zone(json_t *zone)
{
	CLEANUP(mem_free) char *name = safe_member(zone, "zone");
	char quota[UNITS_TEXT], used[UNITS_TEXT], left[UNITS_TEXT];
	json_t *grant;
	size_t i;

	size_text(bytes_of(zone, "quota"), quota);
	size_text(bytes_of(zone, "used"), used);
	size_text(bytes_of(zone, "free"), left);
	say_data("zone %s: %s used, %s free, %s%s", name, used, left,
		 bytes_of(zone, "quota") ? "quota " : "no quota",
		 bytes_of(zone, "quota") ? quota : "");
	json_array_foreach(json_object_get(zone, "grants"), i, grant)
	{
		CLEANUP(mem_free) char *prefix = safe_member(grant, "prefix");
		CLEANUP(mem_free) char *rights = safe_member(grant, "rights");
		say_data("  %-8s %s:%s", rights, name, prefix);
	}
}

static void show(const struct session *s, json_t *account)
{
	CLEANUP(mem_free) char *user = safe_member(account, "user");
	CLEANUP(mem_free) char *role = safe_member(account, "role");
	CLEANUP(mem_free) char *home = safe_member(account, "home");
	json_t *zone;
	size_t i;

	say_data("server %s (profile %s)", s->profile->url, s->profile->name);
	say_data("user %s, %s, home %s", user, role, home);
	json_array_foreach(json_object_get(account, "zones"), i, zone)
	{
		show_zone(zone);
	}
}

int run_status(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	json_t *account = NULL;
	int rc = session_open(call, 1, &s);

	if (!rc)
		rc = session_json(s, "/account", &account);
	if (rc)
		return rc;
	if (say_is_json())
		say_json(account);
	else {
		show(s, account);
		json_decref(account);
	}
	return 0;
}
