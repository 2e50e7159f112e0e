/* SPDX-License-Identifier: Apache-2.0 */
/* enroll: from a one-time URL to a profile. */
#include <jansson.h>

#include "base/mem.h"
#include "base/secret.h"
#include "client/identity.h"
#include "client/profile.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/url.h"
#include "tlog/key.h"

static char *text_of(json_t *from, const char *member)
{
	const char *text = json_string_value(json_object_get(from, member));

	return text && text[0] ? mem_text(text) : NULL;
}

/* The log's key must be one before it is believed for ever after. */
static int check_key(const char *key)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(key), &v);

	return rc ? fail(E_PROTOCOL, "the server's log has a key that is none") : 0;
}

static int read_answer(struct view body, struct profile *p)
{
	json_t *root = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
	json_t *log = json_object_get(root, "log");

	p->user = text_of(root, "user");
	p->home = text_of(root, "home");
	p->log_origin = text_of(log, "origin");
	p->log_key = text_of(log, "key");
	json_decref(root);
	if (!p->user || !p->home || !p->log_origin || !p->log_key)
		return fail(E_PROTOCOL, "the server's answer to the enrolment is not whole");
	return check_key(p->log_key);
}

/* No second try by itself: after a lost answer the code may be used up, which only the
 * operator can tell. */
static int ask(const struct enroll_url *url, struct profile *p)
{
	const struct http_request r = {.method = "POST", .path = url->path};
	const struct http_peer peer = profile_peer(p);
	CLEANUP(http_free) struct http *h = NULL;
	CLEANUP(answer_done) struct answer a = {0};
	int rc = http_new(&peer, &h);

	if (!rc)
		rc = http_ask(h, &r, &a);
	if (rc)
		return rc;
	if (a.status == 404)
		return fail(E_DENIED, "this enrolment URL was used already, or is too old: ask the "
				      "operator for another one");
	rc = answer_judge(&a, "the server refuses the enrolment");
	return rc ? rc : read_answer(view_buf(&a.body), p);
}

static void tell(const char *name, const struct profile *p)
{
	CLEANUP(mem_free) char *user = safe_text(p->user);

	if (say_is_json())
		say_json(json_pack("{s:s, s:s, s:s, s:s}", "event", "enrolled", "profile", name,
				   "user", p->user, "url", p->url));
	else
		say_note("Enrolled as %s on %s%s. Try: dropkeep status", user, p->url,
			 p->pin ? "" : " (trusted by this system's certificate authorities)");
}

static int enroll(const struct enroll_url *url, const char *name, bool force)
{
	CLEANUP(buf_wipe) struct buf key = {0};
	CLEANUP(buf_done) struct buf certificate = {0};
	CLEANUP(profile_draft_done) struct profile_draft draft = {.root = -1, .dir = -1};
	CLEANUP(profile_free) struct profile *p = mem_new(sizeof *p);
	int rc = identity_make(&key, &certificate);

	if (!rc)
		rc = profile_draft_begin(name, force, view_buf(&key), view_buf(&certificate),
					 &draft);
	if (rc)
		return rc;
	p->url = mem_text(url->base);
	p->pin = url->pin ? mem_text(url->pin) : NULL;
	p->certificate = mem_printf("%s/cert.pem", draft.path);
	p->key = mem_printf("%s/key.pem", draft.path);
	rc = ask(url, p);
	if (!rc)
		rc = profile_draft_commit(&draft, name, force, p);
	if (!rc)
		tell(name, p);
	return rc;
}

int run_enroll(const struct call *call)
{
	CLEANUP(enroll_url_done) struct enroll_url url = {0};
	const char *name = NULL;
	int rc = profile_name(call->option[OPT_PROFILE], &name);

	if (!rc)
		rc = enroll_url_parse(call->operand[0], &url);
	return rc ? rc : enroll(&url, name, call_has(call, OPT_FORCE));
}
