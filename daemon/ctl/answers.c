/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/answers.h"

#include <stdio.h>

#include "base/mem.h"
#include "daemon/ctl/show.h"
#include "daemon/ctl/talk.h"

static const struct column zone_columns[] = {
    {"ZONE", "name", show_text, false},
    {"FILES", "files", show_text, true},
    {"USED", "used", show_size, true},
    {"RESERVED", "reserved", show_limit, true},
    {"QUOTA", "quota", show_limit, true},
    {"RETENTION", "retention", show_seconds, true},
    {"RECOVERY", "recovery", show_yes, false},
    {"MADE", "made", show_time, false},
    {NULL, NULL, NULL, false},
};

static const struct column zone_fields[] = {
    {"zone", "name", show_text, false},
    {"files", "files", show_text, false},
    {"used", "used", show_size, false},
    {"reserved by uploads", "reserved", show_size, false},
    {"quota", "quota", show_limit, false},
    {"retention", "retention", show_seconds, false},
    {"recovery", "recovery", show_yes, false},
    {"made", "made", show_time, false},
    {NULL, NULL, NULL, false},
};

static const struct column user_columns[] = {
    {"USER", "name", show_text, false},
    {"ROLE", "role", show_text, false},
    {"DISABLED", "disabled", show_yes, false},
    {"CREDENTIALS", "credentials", show_count_of, true},
    {"GRANTS", "grants", show_count_of, true},
    {"MADE", "made", show_time, false},
    {NULL, NULL, NULL, false},
};

static const struct column user_fields[] = {
    {"user", "name", show_text, false},
    {"role", "role", show_text, false},
    {"disabled", "disabled", show_yes, false},
    {"made", "made", show_time, false},
    {NULL, NULL, NULL, false},
};

static const struct column credential_columns[] = {
    {"ID", "id", show_text, true},
    {"USER", "user", show_text, false},
    {"KIND", "kind", show_text, false},
    {"ALGORITHM", "algorithm", show_text, false},
    {"FINGERPRINT", "fingerprint", show_text, false},
    {"EXPIRES", "expires", show_time, false},
    {"FROM", "from", show_list, false},
    {"COMMENT", "comment", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column credential_fields[] = {
    {"id", "id", show_text, false},
    {"user", "user", show_text, false},
    {"kind", "kind", show_text, false},
    {"algorithm", "algorithm", show_text, false},
    {"fingerprint", "fingerprint", show_text, false},
    {"expires", "expires", show_time, false},
    {"from", "from", show_list, false},
    {"comment", "comment", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column grant_columns[] = {
    {"ZONE", "zone", show_text, false},
    {"PREFIX", "prefix", show_text, false},
    {"RIGHTS", "rights", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column grant_fields[] = {
    {"user", "user", show_text, false},
    {"zone", "zone", show_text, false},
    {"prefix", "prefix", show_text, false},
    {"rights", "rights", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column session_columns[] = {
    {"ID", "id", show_text, true},
    {"USER", "user", show_text, false},
    {"PEER", "peer", show_text, false},
    {"PORT", "port", show_text, true},
    {"PROTOCOL", "protocol", show_text, false},
    {"GATE", "gate", show_text, true},
    {"PUTS", "puts", show_text, true},
    {"GETS", "gets", show_text, true},
    {"IN", "bytes_in", show_size, true},
    {"OUT", "bytes_out", show_size, true},
    {"SINCE", "since", show_time, false},
    {"CLIENT", "client", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column session_fields[] = {
    {"session", "id", show_text, false}, {"user", "user", show_text, false},
    {"peer", "peer", show_text, false},  {"client", "client", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column status_fields[] = {
    {"serving", "serving", show_yes, false},
    {"version", "version", show_text, false},
    {"process", "pid", show_text, false},
    {"since", "since", show_time, false},
    {"state", "state", show_text, false},
    {"disk free", "disk_free", show_size, false},
    {"for uploads", "room", show_size, false},
    {"sessions", "sessions", show_text, false},
    {"uploads", "uploads", show_text, false},
    {"zones", "zones", show_text, false},
    {"users", "users", show_text, false},
    {"log origin", "log/origin", show_text, false},
    {"log size", "log/size", show_text, false},
    {"log root", "log/root", show_text, false},
    {"log key", "log/key", show_text, false},
    {"writer check", "writer_check", show_yes, false},
    {"memory locked", "memory_locked", show_yes, false},
    {NULL, NULL, NULL, false},
};

static const struct column gate_columns[] = {
    {"GATE", "number", show_text, true},
    {"PROCESS", "pid", show_text, true},
    {"SESSIONS", "sessions", show_text, true},
    {"RESTARTS", "restarts", show_text, true},
    {NULL, NULL, NULL, false},
};

static const struct column verification_fields[] = {
    {"origin", "origin", show_text, false},
    {"size", "size", show_text, false},
    {"root", "root", show_text, false},
    {"key", "key", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column problem_columns[] = {
    {"WHAT", "what", show_text, false},       {"ID", "id", show_text, false},
    {"ZONE", "zone", show_text, false},       {"OBJECT", "object", show_text, false},
    {"PROBLEM", "problem", show_text, false}, {NULL, NULL, NULL, false},
};

static const struct column check_fields[] = {
    {"blobs", "blobs", show_text, false},
    {"bytes", "bytes", show_size, false},
    {"problems", "problems", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column alert_columns[] = {
    {"ID", "id", show_text, true},
    {"KIND", "kind", show_text, false},
    {"RAISED", "raised", show_time, false},
    {"WHAT", "text", show_text, false},
    {NULL, NULL, NULL, false},
};

static const struct column reload_fields[] = {
    {"in force now", "changed", show_list, false},
    {"after a restart", "restart", show_list, false},
    {NULL, NULL, NULL, false},
};

int show_zone(json_t *items, json_t *result)
{
	(void)items;
	return show_fields(zone_fields, result);
}

int show_zones(json_t *items, json_t *result)
{
	(void)result;
	return show_table(zone_columns, items);
}

int show_user(json_t *items, json_t *result)
{
	const json_t *credentials = json_object_get(result, "credentials");
	const json_t *grants = json_object_get(result, "grants");
	int rc = show_fields(user_fields, result);

	(void)items;
	if (!rc && json_array_size(credentials)) {
		printf("\n");
		rc = show_table(credential_columns, credentials);
	}
	if (!rc && json_array_size(grants)) {
		printf("\n");
		rc = show_table(grant_columns, grants);
	}
	return rc;
}

int show_users(json_t *items, json_t *result)
{
	(void)result;
	return show_table(user_columns, items);
}

int show_credential(json_t *items, json_t *result)
{
	(void)items;
	return show_fields(credential_fields, result);
}

int show_credentials(json_t *items, json_t *result)
{
	(void)result;
	return show_table(credential_columns, items);
}

static int show_alone(const json_t *result, const char *member)
{
	const char *text = json_string_value(json_object_get(result, member));

	if (!text)
		return fail(E_PROTOCOL, "the keep's answer has no %s", member);
	printf("%s\n", text);
	return 0;
}

int show_token(json_t *items, json_t *result)
{
	(void)items;
	return show_alone(result, "token");
}

int show_url(json_t *items, json_t *result)
{
	(void)items;
	return show_alone(result, "url");
}

int show_grant(json_t *items, json_t *result)
{
	(void)items;
	return show_fields(grant_fields, result);
}

static void print_problems(const json_t *problems)
{
	for (size_t i = 0; i < json_array_size(problems); i++) {
		CLEANUP(buf_done) struct buf text = {0};
		const char *p = "";
		if (!show_text(json_array_get(problems, i), &text) && !buf_text(&text, &p))
			printf("problem: %s\n", p);
	}
}

int show_status(json_t *items, json_t *result)
{
	int rc = show_fields(status_fields, result);

	(void)items;
	if (!rc && json_array_size(json_object_get(result, "gates"))) {
		printf("\n");
		rc = show_table(gate_columns, json_object_get(result, "gates"));
	}
	if (!rc && json_array_size(json_object_get(result, "problems"))) {
		printf("\n");
		print_problems(json_object_get(result, "problems"));
	}
	return rc;
}

int show_session(json_t *items, json_t *result)
{
	(void)items;
	return show_fields(session_fields, result);
}

int show_sessions(json_t *items, json_t *result)
{
	(void)result;
	return show_table(session_columns, items);
}

int show_alerts(json_t *items, json_t *result)
{
	(void)result;
	return show_table(alert_columns, items);
}

int show_reload(json_t *items, json_t *result)
{
	(void)items;
	return show_fields(reload_fields, result);
}

int show_verification(json_t *items, json_t *result)
{
	const json_t *problems = json_object_get(result, "problems");
	int rc = show_fields(verification_fields, result);

	(void)items;
	if (rc)
		return rc;
	print_problems(problems);
	printf("%s\n", json_array_size(problems) ? "the log does NOT verify" : "the log verifies");
	return 0;
}

int show_check(json_t *items, json_t *result)
{
	int rc = show_table(problem_columns, items);

	if (!rc && json_array_size(items))
		printf("\n");
	return rc ? rc : show_fields(check_fields, result);
}

/* Records come as they are read, so columns have a width that mostly fits. What does not
 * apply is left out from the end of the line. */
static const struct {
	const char *label, *member;
	show_value *value;
	int width;
} record_columns[] = {
    {"", "seq", show_text, 6},         {"", "time", show_time, 20},
    {"", "event", show_text, 18},      {"", "outcome", show_text, 8},
    {"", "actor", show_text, 12},      {"", "zone", show_text, 0},
    {"", "path", show_text, 0},        {"to ", "to", show_text, 0},
    {"size ", "size", show_size, 0},   {"bytes ", "bytes", show_size, 0},
    {"from ", "source", show_text, 0}, {"", "reason", show_text, 0},
    {"", "detail", show_members, 0},
};

int show_record(json_t *item)
{
	for (size_t i = 0; i < ARRAY_LEN(record_columns); i++) {
		CLEANUP(buf_done) struct buf cell = {0};
		const json_t *value = json_object_get(item, record_columns[i].member);
		const char *text = "";
		if (!record_columns[i].width && (!value || json_is_null(value)))
			continue;
		int rc = buf_add_text(&cell, record_columns[i].label);
		if (!rc)
			rc = record_columns[i].value(value, &cell);
		if (!rc)
			rc = buf_text(&cell, &text);
		if (rc)
			return rc;
		printf("%s%-*s", i ? "  " : "", record_columns[i].width, text);
	}
	printf("\n");
	return 0;
}

int judge_verification(json_t *result)
{
	size_t n = json_array_size(json_object_get(result, "problems"));

	return n ? fail(E_INTEGRITY, "the log does not verify: %zu problem%s", n, n > 1 ? "s" : "")
		 : 0;
}

int judge_check(json_t *result)
{
	json_int_t n = json_integer_value(json_object_get(result, "problems"));

	return n ? fail(E_INTEGRITY, "%" JSON_INTEGER_FORMAT " problem%s", n, n > 1 ? "s" : "") : 0;
}

int judge_status(json_t *result)
{
	if (json_is_true(json_object_get(result, "serving")))
		return 0;
	return fail(TALK_UNAVAILABLE, "the keep answers but does not serve yet");
}
