/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's commands about credentials: keys, certificates, tokens. */
#include "daemon/keep/control.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/safe_json.h"
#include "daemon/keep/ssh_key.h"
#include "daemon/keep/tls_files.h"
#include "daemon/keep/token.h"

enum { CERTIFICATE_MAX = 32 * 1024 };

json_t *credential_json(const char *user, const struct credential_row *r)
{
	static const char *const kind_name[] = {[CREDENTIAL_SSH_KEY] = "ssh-key",
						[CREDENTIAL_CERTIFICATE] = "certificate",
						[CREDENTIAL_TOKEN] = "token"};

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o}", "id", (json_int_t)r->id, "user",
			 user, "kind", kind_name[r->kind], "algorithm", r->algorithm, "fingerprint",
			 r->fingerprint, "comment", r->comment, "made", json_time(r->made_us),
			 "expires", json_time(r->expires_us), "from", safe_words(r->networks));
}

struct list {
	struct command *command;
	json_t *into;
	const char *user; /* NULL: whoever it is */
};

static int visit_credential(void *arg, const struct credential_row *r)
{
	struct list *g = arg;
	struct principal_row owner = {0};

	if (!g->user &&
	    catalog_principal_by_id(g->command->deed.keep->catalog, r->principal, &owner))
		return fail(E_INTEGRITY, "a credential without its user");
	json_array_append_new(g->into, credential_json(g->user ? g->user : owner.name, r));
	return 0;
}

int credentials_json(struct command *c, uint64_t principal, const char *user, json_t *into)
{
	struct list g = {c, into, user};

	return catalog_each_credential(c->deed.keep->catalog, principal, visit_credential, &g);
}

/* What all ways to add a credential have in common. */
struct terms {
	json_int_t expires_s; /* from now; 0: never */
	json_t *from;         /* networks as they were typed; NULL: from anywhere */
	int64_t expires_us;
	char networks[NETWORKS_TEXT];
};

static int read_networks(const json_t *from, char ret_networks[NETWORKS_TEXT])
{
	CLEANUP(buf_done) struct buf list = {0};
	const char *text = "";
	const json_t *one;
	size_t i;
	int rc = json_array_size(from) ? 0 : fail(E_USAGE, "no network is named");

	json_array_foreach(from, i, one)
	{
		if (!rc && !json_is_string(one))
			rc = fail(E_USAGE, "networks are named by text");
		if (!rc)
			rc = network_add(view_of(json_string_value(one), json_string_length(one)),
					 &list);
	}
	if (!rc)
		rc = buf_text(&list, &text);
	if (!rc)
		(void)snprintf(ret_networks, NETWORKS_TEXT, "%s", text);
	return rc;
}

static int read_terms(struct terms *t)
{
	if (t->expires_s < 0 || t->expires_s > INT32_MAX)
		return fail(E_USAGE, "an expiry is some time in this century");
	t->expires_us = t->expires_s ? clock_utc_us() + t->expires_s * 1000000 : 0;
	return t->from ? read_networks(t->from, t->networks) : 0;
}

static int add_credential(struct command *c, const struct principal_row *user,
			  struct credential_row *row, const struct terms *t)
{
	row->principal = user->id;
	row->made_us = clock_utc_us();
	row->expires_us = t->expires_us;
	memcpy(row->networks, t->networks, sizeof row->networks);
	json_t *shown = NULL;
	int rc = catalog_credential_add(c->deed.keep->catalog, row);
	if (rc == E_EXISTS)
		return fail(rc, "%s %s is there already", row->algorithm, row->fingerprint);
	shown = credential_json(user->name, row);
	if (!rc)
		rc = command_record(c, "credential.add", NULL,
				    json_pack("{s:s,s:O,s:s,s:O*}", "user", user->name, "kind",
					      json_object_get(shown, "kind"), "key",
					      row->fingerprint, "from",
					      t->from ? json_object_get(shown, "from") : NULL));
	if (rc)
		json_decref(shown);
	else
		json_array_append_new(c->items, shown);
	return rc;
}

static int add_key(struct command *c, const struct principal_row *user, const char *line,
		   const struct terms *t)
{
	struct credential_row row;
	int rc = ssh_key_parse(view_text(line), &row);

	return rc ? rc : add_credential(c, user, &row, t);
}

static int key_add(struct deed *d)
{
	struct command *c = command_of(d);
	struct principal_row user;
	struct terms t = {0};
	const char *name;
	json_t *keys, *key;
	size_t i;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s:o,s?I,s?o}", "user", &name, "keys",
			   &keys, "expires", &t.expires_s, "from", &t.from))
		return command_usage(&e);
	if (!json_array_size(keys))
		return fail(E_USAGE, "key add needs a key");
	int rc = read_terms(&t);
	if (!rc)
		rc = command_user(c, name, &user);
	json_array_foreach(keys, i, key)
	{
		if (!rc && !json_is_string(key))
			rc = fail(E_USAGE, "keys are lines of text");
		if (!rc)
			rc = add_key(c, &user, json_string_value(key), &t);
	}
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return rc;
}

/* The hash of its key is all that counts of it: whoever signs with that key is the user. */
static int cert_add(struct deed *d)
{
	struct command *c = command_of(d);
	struct principal_row user;
	struct credential_row row;
	struct terms t = {0};
	const char *name, *pem;
	uint8_t spki[TLS_SPKI];
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s:s,s?I,s?o}", "user", &name,
			   "certificate", &pem, "expires", &t.expires_s, "from", &t.from))
		return command_usage(&e);
	int rc = read_terms(&t);
	if (!rc)
		rc = command_user(c, name, &user);
	if (!rc && tls_files_spki(view_text(pem), spki))
		rc = fail(E_INVALID, "this is no certificate (PEM)");
	if (!rc)
		rc = certificate_credential(view_of(spki, sizeof spki), &row);
	if (!rc)
		rc = add_credential(c, &user, &row, &t);
	json_object_set_new(c->result, "count", json_integer(1));
	return rc;
}

/* The token itself is in the answer, and nowhere else. */
static int token_add(struct deed *d)
{
	struct command *c = command_of(d);
	struct principal_row user;
	struct credential_row row;
	struct terms t = {0};
	char token[TOKEN_LEN + 1];
	const char *name;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s?I,s?o}", "user", &name, "expires",
			   &t.expires_s, "from", &t.from))
		return command_usage(&e);
	int rc = read_terms(&t);
	if (!rc)
		rc = command_user(c, name, &user);
	if (!rc)
		rc = token_make(token);
	if (!rc)
		rc = token_credential(view_of(token, TOKEN_LEN), &row);
	if (!rc)
		rc = add_credential(c, &user, &row, &t);
	if (!rc)
		json_object_set_new(c->result, "token", json_string(token));
	wipe(token, sizeof token);
	return rc;
}

/* Where clients find this server: as it was set, else by the certificate's name. */
static int public_url(struct keep *keep, struct view certificate, struct buf *out)
{
	const struct settings *s = keep->settings;
	size_t len = strlen(s->public_url);

	if (!keep->https_listeners)
		return fail(E_CONFIG, "HTTPS is not served: set [https] listen");
	while (len && s->public_url[len - 1] == '/')
		len--;
	if (len)
		return buf_add(out, s->public_url, len);
	if (!s->https_listen.count)
		return fail(E_CONFIG, "set [https] public_url: nobody else knows it");
	int rc = buf_add_text(out, "https://");
	if (!rc)
		rc = tls_files_host(certificate, out);
	return rc ? rc : buf_printf(out, ":%u", address_port(&s->https_listen.at[0]));
}

static int enrolment_url(struct keep *keep, const char *code, struct buf *out)
{
	CLEANUP(buf_done) struct buf certificate = {0};
	uint8_t spki[TLS_SPKI];
	int rc =
	    sys_read_file(AT_FDCWD, keep->settings->certificate, CERTIFICATE_MAX, &certificate);

	if (!rc)
		rc = tls_files_spki(view_buf(&certificate), spki);
	if (!rc)
		rc = public_url(keep, view_buf(&certificate), out);
	if (!rc)
		rc = buf_printf(out, "/enroll/%s#spki=", code);
	return rc ? rc : base64url_encode(view_of(spki, sizeof spki), out);
}

static int add_enrolment(struct keep *keep, const struct principal_row *user, const struct terms *t,
			 const char *code)
{
	struct enrolment_row row = {
	    .principal = user->id, .made_us = clock_utc_us(), .expires_us = t->expires_us};

	memcpy(row.networks, t->networks, sizeof row.networks);
	int rc = enrolment_hash(view_of(code, ENROLMENT_LEN), row.code_hash);
	return rc ? rc : catalog_enrolment_add(keep->catalog, &row);
}

static int give_enrolment(struct command *c, const struct principal_row *user,
			  const struct terms *t, struct buf *url)
{
	const char *text = NULL;
	json_t *from = t->from ? safe_words(t->networks) : NULL;
	int rc = command_record(c, "user.enroll", NULL,
				json_pack("{s:s,s:o,s:O*}", "user", user->name, "expires",
					  json_time(t->expires_us), "from", from));

	if (!rc)
		rc = buf_text(url, &text);
	if (!rc) {
		json_object_set_new(c->result, "url", json_string(text));
		json_object_set_new(c->result, "expires", json_time(t->expires_us));
		json_object_set_new(c->result, "from", safe_words(t->networks));
	}
	json_decref(from);
	return rc;
}

/* The code is in the answer, and nowhere else. */
static int user_enroll(struct deed *d)
{
	struct command *c = command_of(d);
	CLEANUP(buf_wipe) struct buf url = {0};
	struct principal_row user;
	struct terms t = {.expires_s = 86400};
	char code[ENROLMENT_LEN + 1];
	const char *name;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:s,s?I,s?o}", "name", &name, "expires",
			   &t.expires_s, "from", &t.from))
		return command_usage(&e);
	int rc = t.expires_s ? read_terms(&t) : fail(E_USAGE, "a code expires");
	if (!rc)
		rc = command_user(c, name, &user);
	if (!rc)
		rc = enrolment_make(code);
	if (!rc)
		rc = add_enrolment(d->keep, &user, &t, code);
	if (!rc)
		rc = enrolment_url(d->keep, code, &url);
	if (!rc)
		rc = give_enrolment(c, &user, &t, &url);
	wipe(code, sizeof code);
	return rc;
}

static int credential_list(struct deed *d)
{
	struct command *c = command_of(d);
	const char *name = NULL;
	struct principal_row user = {0};
	json_error_t e;
	int rc = 0;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s?s}", "user", &name))
		return command_usage(&e);
	if (name)
		rc = command_user(c, name, &user);
	if (!rc)
		rc = credentials_json(c, user.id, name, c->items);
	json_object_set_new(c->result, "count",
			    json_integer((json_int_t)json_array_size(c->items)));
	return rc;
}

static int credential_remove(struct deed *d)
{
	struct command *c = command_of(d);
	struct credential_row row;
	struct principal_row user;
	json_int_t id;
	json_error_t e;

	if (json_unpack_ex(c->args, &e, JSON_STRICT, "{s:I}", "id", &id))
		return command_usage(&e);
	int rc = catalog_credential_by_id(d->keep->catalog, (uint64_t)id, &row);
	if (rc == E_GONE)
		return fail(rc, "there is no credential %lld", (long long)id);
	if (!rc)
		rc = catalog_principal_by_id(d->keep->catalog, row.principal, &user);
	if (!rc)
		rc = catalog_credential_remove(d->keep->catalog, row.id);
	if (!rc)
		rc = command_record(
		    c, "credential.remove", NULL,
		    json_pack("{s:s,s:s}", "user", user.name, "key", row.fingerprint));
	if (rc)
		return rc;
	json_decref(c->result);
	c->result = credential_json(user.name, &row);
	c->subject = user.id;
	return 0;
}

static void end_sessions(struct deed *d)
{
	sessions_end_of(d->keep, command_of(d)->subject, "this account was closed by the operator");
}

#define ROW(fn, ...)                              \
	static const struct deed_row fn##_row = { \
	    .name = #fn, .decide = fn, .finish = command_finish, __VA_ARGS__}
ROW(key_add);
ROW(cert_add);
ROW(token_add);
ROW(user_enroll);
ROW(credential_list);
ROW(credential_remove, .settle = end_sessions);

const struct command_entry commands_credential[] = {
    {"key add", &key_add_row},
    {"cert add", &cert_add_row},
    {"token add", &token_add_row},
    {"user enroll", &user_enroll_row},
    {"credential list", &credential_list_row},
    {"credential remove", &credential_remove_row},
    {NULL, NULL},
};
