/* SPDX-License-Identifier: Apache-2.0 */
/* The asks about the link itself and about connections: HELLO, SESSION_*, AUTH. */
#include "daemon/keep/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/gate_settings.h"
#include "daemon/keep/safe_json.h"
#include "daemon/keep/ssh_key.h"
#include "daemon/keep/token.h"

static const char not_accepted[] = "authentication failed";

/* Recorded singly; further ones as a number. */
enum { FAILURES_A_MINUTE = 60, NOTES_A_MINUTE = 120 /* of one gate */ };

/* ---- HELLO ---- */

static int hello(struct deed *d)
{
	struct ask *a = ask_of(d);

	if (a->m.hello.version != WIRE_VERSION)
		return fail(E_UNSUPPORTED, "a gate of another version");
	return 0;
}

static int dup_listeners(struct ask *a)
{
	for (unsigned i = 0; i < a->deed.keep->listeners; i++) { /* those for HTTPS come last */
		int fd = fcntl(a->deed.keep->listener[i], F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return fail_errno(E_IO, "hand out a listening socket");
		a->fds[a->fd_count++] = fd;
	}
	return 0;
}

static void hello_finish(struct deed *d)
{
	ask_of(d)->gate->greeting = false;
	ask_finish(d);
}

static void hello_settle(struct deed *d)
{
	struct ask *a = ask_of(d);
	CLEANUP(buf_wipe) struct buf body = {0};
	int rc = dup_listeners(a);

	if (!rc)
		rc = gate_settings_compose(d->keep, d->keep->settings, &body);
	if (deed_note(d, rc))
		return;
	write_raw(ask_out(a, body.len), body.data, body.len);
	a->gate->ready = !a->gate->ended;
	keep_serving(d->keep);
}

const struct deed_row answer_hello = {
    .name = "hello", .decide = hello, .settle = hello_settle, .finish = hello_finish};

/* ---- SESSION_OPEN ---- */

static unsigned count_from(const struct sessions *all, const char *peer)
{
	size_t cursor = 0;
	unsigned n = 0;
	const struct session *s;

	while ((s = slots_next(&all->sessions, &cursor)))
		n += strcmp(s->peer, peer) == 0;
	return n;
}

static int session_open(struct deed *d)
{
	struct ask *a = ask_of(d);
	const struct settings *limits = d->keep->settings;
	unsigned limit = limits->sessions_per_address;
	char peer[PEER_TEXT];

	/* A gate keeps to this limit itself; it may hear of another one later than we do. */
	if (a->gate->sessions >= limits->sessions + LINK_CREDITS)
		return fail(E_LIMIT, "too many connections");

	view_to_text(a->m.session_open.peer, peer, sizeof peer);
	if (limit && count_from(&d->keep->sessions, peer) >= limit)
		return fail(E_LIMIT, "too many connections from this address");
	return 0;
}

static void session_open_settle(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = mem_new(sizeof *s);

	s->gate = a->gate;
	s->opened_us = clock_utc_us();
	view_to_text(a->m.session_open.protocol, s->protocol, sizeof s->protocol);
	view_to_text(a->m.session_open.peer, s->peer, sizeof s->peer);
	s->port = a->m.session_open.peer_port;
	if (a->gate->ended || deed_note(d, session_add(&d->keep->sessions, s))) {
		free(s);
		return;
	}
	struct answer_session_open m = {.session = s->number};
	answer_session_open_write(ask_out(a, 64), &m);
}

const struct deed_row answer_session_open = {.name = "session_open",
					     .decide = session_open,
					     .settle = session_open_settle,
					     .finish = ask_finish};

/* ---- AUTH ---- */

static unsigned count_of(const struct sessions *all, uint64_t principal)
{
	size_t cursor = 0;
	unsigned n = 0;
	const struct session *s;

	while ((s = slots_next(&all->sessions, &cursor)))
		n += s->authenticated && s->principal == principal;
	return n;
}

/*
 * The credential that a key is, of the user that was named. A user that does not exist takes
 * the same way through the catalog, with a number that nobody has, so that neither the answer
 * nor the work that it takes tells them apart.
 */
static int find_ssh_key(struct keep *keep, const struct ask_auth *m, struct principal_row *ret_who,
			struct credential_row *ret_key)
{
	struct credential_row presented;
	struct principal_row who = {0};
	CLEANUP(mem_free) char *name = mem_text_n(m->user.data, m->user.len);
	int rc = ssh_key_of_blob(m->key, &presented);

	if (rc)
		return rc;
	int named = account_name_valid(m->user)
			? catalog_principal_by_name(keep->catalog, name, &who)
			: E_GONE;
	rc = catalog_credential_find(keep->catalog, who.id, CREDENTIAL_SSH_KEY,
				     presented.fingerprint, ret_key);
	if (named)
		return named;
	if (!rc)
		*ret_who = who;
	return rc;
}

/* Who shows a certificate or a token says no name: its hash finds the user. */
static int find_nameless(struct keep *keep, const struct ask_auth *m, struct principal_row *ret_who,
			 struct credential_row *ret_key)
{
	struct credential_row presented;
	int rc = m->step == AUTH_TOKEN ? token_credential(m->key, &presented)
				       : certificate_credential(m->key, &presented);

	if (!rc)
		rc = catalog_credential_by_fingerprint(keep->catalog, presented.kind,
						       presented.fingerprint, ret_key);
	return rc ? rc : catalog_principal_by_id(keep->catalog, ret_key->principal, ret_who);
}

/* By the address in the session's record, whatever else a gate may say. A list that cannot be read
 * allows nobody; `dropkeepctl check` finds it. */
int ask_from_allowed(struct ask *a, const char *networks, const char *user, const char *key)
{
	bool allowed = false;

	if (networks_allow(networks, ask_session(a)->peer, &allowed))
		err_clear();
	if (allowed)
		return 0;
	a->refusal.reason = "network";
	(void)snprintf(a->refusal.user, sizeof a->refusal.user, "%s", user);
	(void)snprintf(a->refusal.key, sizeof a->refusal.key, "%s", key);
	return E_DENIED;
}

static int find_credential(struct ask *a, struct principal_row *ret_who,
			   struct credential_row *ret_key)
{
	const struct ask_auth *m = &a->m.auth;
	struct keep *keep = a->deed.keep;
	bool named = m->step == AUTH_QUERY || m->step == AUTH_SIGNED;
	int rc = named ? find_ssh_key(keep, m, ret_who, ret_key)
		       : find_nameless(keep, m, ret_who, ret_key);

	if (rc)
		return rc;
	if (ret_who->disabled || (ret_key->expires_us && ret_key->expires_us <= clock_utc_us()))
		return E_DENIED;
	return ask_from_allowed(a, ret_key->networks, ret_who->name, ret_key->fingerprint);
}

static const char *method_of(enum credential_kind kind)
{
	return kind == CREDENTIAL_TOKEN         ? "token"
	       : kind == CREDENTIAL_CERTIFICATE ? "certificate"
						: "publickey";
}

static int auth_answer(struct ask *a, const struct principal_row *who,
		       const struct credential_row *key)
{
	CLEANUP(buf_done) struct buf home = {0};
	const struct principal *p = NULL;
	struct answer_auth m = {.name = view_text(who->name), .expires_us = key->expires_us};
	int rc = accounts_principal(a->deed.keep->accounts, who->id, &p);

	if (!rc)
		rc = accounts_home(a->deed.keep->accounts, p, &home);
	m.home = view_buf(&home);
	if (!rc)
		answer_auth_write(ask_out(a, 64 + ACCOUNT_MAX + home.len), &m);
	return rc;
}

/* In memory last, so that nothing may fail behind it. */
static int admit(struct ask *a, const struct principal_row *who, const struct credential_row *key)
{
	struct session *s = ask_session(a), next = *s;

	next.authenticated = true;
	next.principal = who->id;
	next.role = who->role;
	memcpy(next.user, who->name, sizeof next.user);
	memcpy(next.fingerprint, key->fingerprint, sizeof next.fingerprint);
	next.expires_us = key->expires_us;
	(void)snprintf(next.method, sizeof next.method, "%s", method_of(key->kind));
	view_to_text(a->m.auth.client, next.client, sizeof next.client);
	view_to_text(a->m.auth.cipher, next.cipher, sizeof next.cipher);
	struct event e = EVENT(.name = "session.open", .session = &next);
	int rc = audit_add(a->deed.keep->audit, &e);
	if (!rc)
		rc = auth_answer(a, who, key);
	if (!rc)
		*s = next;
	return rc;
}

static int auth(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct principal_row who;
	struct credential_row key;
	unsigned limit = d->keep->settings->sessions_per_user;

	const struct session *s = ask_session(a);
	if (!s || s->over)
		return fail(E_GONE, "the session has ended");
	if (s->authenticated)
		return fail(E_DENIED, "%s", not_accepted); /* two asks came at once */
	int rc = find_credential(a, &who, &key);
	if (rc == E_GONE || rc == E_DENIED || rc == E_INVALID || rc == E_UNSUPPORTED) {
		err_clear();
		return fail(E_DENIED, "%s", not_accepted);
	}
	if (rc)
		return rc;
	if (a->m.auth.step == AUTH_QUERY) {
		struct answer_auth nothing = {0};
		answer_auth_write(ask_out(a, 16), &nothing);
		return 0;
	}
	if (limit && count_of(&d->keep->sessions, who.id) >= limit)
		return fail(E_DENIED, "too many sessions of this user");
	return admit(a, &who, &key);
}

static void auth_refused(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);

	if (!s || s->authenticated)
		return;
	s->tries++;
	view_to_text(a->m.auth.client, s->client, sizeof s->client);
	if (a->refusal.reason) { /* of all tries this is the one that matters */
		s->tried_elsewhere = true;
		memcpy(s->tried_user, a->refusal.user, sizeof s->tried_user);
		memcpy(s->tried_key, a->refusal.key, sizeof s->tried_key);
	} else if (!s->tried_elsewhere) {
		view_to_text(a->m.auth.user, s->tried_user, sizeof s->tried_user);
	}
}

const struct deed_row answer_auth = {
    .name = "auth", .decide = auth, .refused = auth_refused, .finish = ask_finish};

/* ---- SESSION_NOTE ---- */

enum { NOTES_A_SESSION = 20 };

static int session_note(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);
	char text[SESSION_TEXT];

	unsigned passed_over = 0;

	if (!s || s->over || s->refusals++ >= NOTES_A_SESSION ||
	    !flood_passes(&a->gate->notes, NOTES_A_MINUTE, &passed_over))
		return 0;
	view_to_text(a->m.session_note.text, text, sizeof text);
	struct event e = EVENT(.name = "session.note", .session = s, .reason = text,
			       .code = a->m.session_note.refused ? E_DENIED : 0);
	if (passed_over)
		event_detail(&e, json_pack("{s:i}", "others_passed_over", (int)passed_over));
	return audit_add(d->keep->audit, &e);
}

const struct deed_row answer_session_note = {
    .name = "session_note", .decide = session_note, .finish = ask_finish};

/* ---- SESSION_CLOSE ---- */

static int record_failure(struct keep *keep, const struct session *s)
{
	unsigned passed_over = 0;

	if (!s->tries || !flood_passes(&keep->failures, FAILURES_A_MINUTE, &passed_over))
		return 0;
	struct event e = EVENT(.name = "auth.fail", .session = s, .code = E_DENIED,
			       .reason = s->tried_elsewhere ? "network" : not_accepted);
	event_detail(&e, json_pack("{s:s,s:i,s:i,s:s*}", "user", s->tried_user, "tries",
				   (int)s->tries, "others_passed_over", (int)passed_over, "key",
				   s->tried_elsewhere ? s->tried_key : NULL));
	return audit_add(keep->audit, &e);
}

int session_record_end(struct keep *keep, const struct session *s, const char *reason)
{
	if (!s->authenticated)
		return record_failure(keep, s);
	struct event e = EVENT(.name = "session.close", .session = s, .reason = reason,
			       .bytes = s->bytes_in + s->bytes_out,
			       .duration_us = clock_utc_us() - s->opened_us);
	event_detail(&e,
		     json_pack("{s:I,s:I,s:i,s:o*}", "in", safe_count(s->bytes_in), "out",
			       safe_count(s->bytes_out), "refusals", (int)s->refusals, "tree_reads",
			       s->tree_reads ? json_integer((json_int_t)s->tree_reads) : NULL));
	return audit_add(keep->audit, &e);
}

static int session_close(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);
	char reason[SESSION_TEXT];

	if (!s)
		return 0;
	struct session last = *s;
	last.bytes_in = a->m.session_close.bytes_in;
	last.bytes_out = a->m.session_close.bytes_out;
	view_to_text(a->m.session_close.reason, reason, sizeof reason);
	int rc = session_record_end(d->keep, &last, reason);
	s->over = rc == 0;
	return rc;
}

static void session_close_settle(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);

	if (s)
		session_free(&d->keep->sessions, s);
}

const struct deed_row answer_session_close = {.name = "session_close",
					      .decide = session_close,
					      .settle = session_close_settle,
					      .finish = ask_finish};
