/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about the asker's account: ENROLL, ACCOUNT. */
#include "daemon/keep/ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/safe_json.h"
#include "daemon/keep/token.h"

/* Recorded singly; further ones as a number. */
enum { FAILURES_A_MINUTE = 60 };

/* ---- ENROLL ---- */

/* The record names the user: whoever has the code acts as them. */
static int record_enrolment(struct ask *a, const struct principal_row *who,
			    const struct credential_row *row)
{
	struct session as = *ask_session(a);

	as.authenticated = true;
	as.role = who->role;
	memcpy(as.user, who->name, sizeof as.user);
	(void)snprintf(as.method, sizeof as.method, "code");
	memcpy(as.client, row->comment, sizeof as.client);
	struct event e =
	    EVENT(.name = "credential.add", .session = &as, .reason = "enrolled with a code");
	event_detail(&e, json_pack("{s:s,s:s,s:s,s:o*}", "user", who->name, "kind", "certificate",
				   "key", row->fingerprint, "from",
				   row->networks[0] ? safe_words(row->networks) : NULL));
	return audit_add(a->gate->keep->audit, &e);
}

static int add_certificate(struct ask *a, const struct principal_row *who, const char *networks)
{
	struct credential_row row;
	int rc = certificate_credential(view_of(a->m.enroll.spki, WIRE_HASH), &row);

	if (rc)
		return rc;
	row.principal = who->id;
	row.made_us = clock_utc_us();
	view_to_text(a->m.enroll.client, row.comment, sizeof row.comment);
	(void)snprintf(row.networks, sizeof row.networks, "%s", networks);
	rc = catalog_credential_add(a->gate->keep->catalog, &row);
	if (rc == E_EXISTS) {
		err_clear();
		return fail(rc, "this certificate is somebody's already");
	}
	return rc ? rc : record_enrolment(a, who, &row);
}

static int enrolled(struct ask *a, const struct principal_row *who)
{
	struct keep *keep = a->gate->keep;
	CLEANUP(buf_done) struct buf home = {0};
	const struct principal *p = NULL;
	int rc = accounts_principal(keep->accounts, who->id, &p);

	if (!rc)
		rc = accounts_home(keep->accounts, p, &home);
	if (rc)
		return rc;
	const struct answer_enroll m = {.name = view_text(who->name),
					.home = view_buf(&home),
					.key = view_text(audit_key(keep->audit))};
	answer_enroll_write(ask_out(a, 64 + m.name.len + m.home.len + m.key.len), &m);
	return 0;
}

static int enroll(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct session *s = ask_session(a);
	struct principal_row who;
	struct enrolment_row code;
	uint8_t hash[ENROLMENT_HASH];

	if (!s || s->over)
		return fail(E_GONE, "the session has ended");
	int rc = enrolment_hash(a->m.enroll.code, hash);
	if (!rc)
		rc = catalog_enrolment_take(d->keep->catalog, hash, clock_utc_us(), &code);
	if (!rc)
		rc = catalog_principal_by_id(d->keep->catalog, code.principal, &who);
	if (!rc && who.disabled)
		rc = E_DENIED;
	if (!rc)
		rc = ask_from_allowed(a, code.networks, who.name, "");
	if (rc == E_GONE || rc == E_INVALID || rc == E_DENIED) {
		err_clear();
		return fail(E_GONE, "this code is not good, or not any more");
	}
	if (!rc)
		rc = add_certificate(a, &who, code.networks);
	return rc ? rc : enrolled(a, &who);
}

/* A guess at a code is as much as a guess at a password. */
static void enroll_refused(struct deed *d)
{
	struct ask *a = ask_of(d);
	unsigned passed_over = 0;

	if (!flood_passes(&d->keep->failures, FAILURES_A_MINUTE, &passed_over))
		return;
	const char *reason = a->refusal.reason ? a->refusal.reason : d->why;
	struct event e = EVENT(.name = "auth.fail", .session = ask_session(a), .code = E_DENIED,
			       .reason = reason);
	event_detail(&e, json_pack("{s:s,s:i,s:i}", "user", a->refusal.user, "tries", 1,
				   "others_passed_over", (int)passed_over));
	if (audit_add(d->keep->audit, &e))
		(void)deed_note(d, E_IO);
}

const struct deed_row answer_enroll = {
    .name = "enroll", .decide = enroll, .refused = enroll_refused, .finish = ask_finish};

/* ---- ACCOUNT ---- */

struct telling {
	struct keep *keep;
	const struct principal *who;
	uint64_t disk_free, disk_total;
	json_t *zones;
};

static json_t *grants_json(const struct principal *p, uint64_t zone)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->access.count; i++) {
		const struct grant *g = &p->access.grants[i];
		char letters[8];
		if (g->zone && g->zone != zone)
			continue;
		rights_text(g->rights, letters);
		json_array_append_new(list, json_pack("{s:o,s:s}", "prefix",
						      safe_text(view_text(g->prefix)), "rights",
						      letters));
	}
	return list;
}

static int tell_zone(void *arg, const struct zone_row *z)
{
	struct telling *t = arg;
	struct answer_space space = {0};
	json_t *grants = grants_json(t->who, z->id);
	CLEANUP(mem_free) char *path = mem_printf("/%s", z->name);

	if (!json_array_size(grants)) {
		json_decref(grants);
		return 0;
	}
	/* Who may only read its log enters no zone, and is told nothing of its size. */
	int rc = tree_space(&t->keep->tree, t->who, view_text(path), t->disk_total, t->disk_free,
			    &space);
	if (rc == E_GONE) {
		err_clear();
		json_array_append_new(t->zones,
				      json_pack("{s:s,s:o}", "zone", z->name, "grants", grants));
		return 0;
	}
	if (rc) {
		json_decref(grants);
		return rc;
	}
	json_array_append_new(t->zones, json_pack("{s:s,s:I,s:I,s:I,s:o}", "zone", z->name, "quota",
						  safe_count(z->quota_bytes), "used",
						  safe_count(z->used_bytes), "free",
						  safe_count(space.free), "grants", grants));
	return 0;
}

static int tell(struct ask *a, struct telling *t)
{
	static const char *const roles[] = {
	    [ROLE_CLIENT] = "client", [ROLE_STAFF] = "staff", [ROLE_AUDITOR] = "auditor"};
	CLEANUP(buf_done) struct buf home = {0};
	int rc = accounts_home(t->keep->accounts, t->who, &home);

	if (!rc)
		rc = puts_space(t->keep, &t->disk_free, &t->disk_total);
	if (!rc)
		rc = catalog_each_zone(t->keep->catalog, tell_zone, t);
	if (rc)
		return rc;
	json_t *all = json_pack("{s:s,s:s,s:s,s:o,s:O}", "user", t->who->row.name, "role",
				roles[t->who->row.role], "method", ask_session(a)->method, "home",
				safe_text(view_buf(&home)), "zones", t->zones);
	CLEANUP(mem_free) char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	if (!text)
		return fail(E_NOMEM, "no memory");
	if (strlen(text) > LINK_MAX / 2)
		return fail(E_LIMIT, "too many zones to tell of");
	const struct answer_account m = {.json = view_text(text)};
	answer_account_write(ask_out(a, 16 + m.json.len), &m);
	return 0;
}

static int account(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct telling t = {.keep = d->keep, .zones = json_array()};
	int rc = ask_principal(a, &t.who);

	if (!rc)
		rc = tell(a, &t);
	json_decref(t.zones);
	return rc;
}

const struct deed_row answer_account = {
    .name = "account", .decide = account, .refused = ask_refused, .finish = ask_finish};
