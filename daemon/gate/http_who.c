/* SPDX-License-Identifier: Apache-2.0 */
/* The session with the keep: opened when a request needs one, closed when another credential comes.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "daemon/gate/http_inside.h"

enum { MAGIC = 0x68747470 };

static bool same_who(const struct who *a, const struct who *b)
{
	return a->kind == b->kind && equal_secret(a->digest, b->digest, sizeof a->digest);
}

/* RFC 6750, section 2.1; the scheme's name in any case. Credentials of another scheme, or that are
 * no token of ours, are credentials that do not count: 401, which says which would (RFC 9110,
 * section 11.6.1). What cannot be understood is 400 (RFC 6750, section 3.1). */
static int bearer(struct view field, struct view *ret_token)
{
	static const char form[] = "Authorization must be: Bearer TOKEN";
	const uint8_t *blank = field.len ? memchr(field.data, ' ', field.len) : NULL;
	size_t len = blank ? (size_t)(blank - field.data) : field.len;
	struct view scheme = view_of(field.data, len);
	struct view token = view_of(field.data + len, field.len - len);

	if (!view_is_token(scheme))
		return fail(E_INVALID, "%s", form);
	if (!view_is_word(scheme, "bearer"))
		return fail(E_DENIED, "%s", form);
	while (token.len && *token.data == ' ')
		token = view_of(token.data + 1, token.len - 1);
	if (!token.len)
		return fail(E_INVALID, "%s", form);
	if (token.len > TOKEN_LEN_MAX)
		return fail(E_DENIED, "no token is that long");
	*ret_token = token;
	return 0;
}

int who_of(struct connection *c, struct who *ret_who, struct view *ret_secret)
{
	const struct view *field = head_find_field(c->head, "authorization");
	unsigned len = 0;

	*ret_who = (struct who){WHO_NOBODY, {0}};
	*ret_secret = (struct view){0};
	if (field) {
		if (head_next_field(c->head, "authorization", field))
			return fail(E_INVALID, "two fields Authorization");
		int rc = bearer(*field, ret_secret);
		if (rc)
			return rc;
		ret_who->kind = WHO_TOKEN;
		if (EVP_Digest(ret_secret->data, ret_secret->len, ret_who->digest, &len,
			       EVP_sha256(), NULL) != 1)
			return fail(E_NOMEM, "no digest");
	} else if (c->has_spki) {
		ret_who->kind = WHO_CERTIFICATE;
		memcpy(ret_who->digest, c->spki, sizeof c->spki);
		*ret_secret = view_of(c->spki, sizeof c->spki);
	}
	return 0;
}

static void note(struct connection *c, const struct answer *a)
{
	struct knock *k = &c->knock;

	assert(c->magic == MAGIC);
	k->ask = NULL;
	k->rc = a->status;
	(void)snprintf(k->why, sizeof k->why, "%s", a->status ? answer_text(a) : "");
	connection_wake(c);
}

static void on_closed(void *arg, const struct answer *a)
{
	struct connection *c = arg;

	note(c, a);
	c->knock.at = KNOCK_NONE;
	c->knock.number = 0;
	c->knock.rc = 0; /* what the keep could not record it says in its own log */
	err_clear();
}

bool who_close(struct connection *c, const char *reason)
{
	struct knock *k = &c->knock;
	const struct ask_session_close m = {k->in, k->out, view_text(reason)};

	if (k->at == KNOCK_NONE)
		return true;
	if (k->ask)
		return false;
	k->at = KNOCK_CLOSING;
	k->ask = keeper_ask_session_close(c->gate->keeper, k->number, &m, on_closed, c);
	return false;
}

static void on_opened(void *arg, const struct answer *a)
{
	struct connection *c = arg;
	struct answer_session_open m;

	note(c, a);
	if (!c->knock.rc)
		c->knock.rc = answer_session_open_read(a->body, &m);
	c->knock.at = c->knock.rc ? KNOCK_NONE : KNOCK_OPEN;
	if (!c->knock.rc) {
		c->knock.number = m.session;
		c->knock.in = c->knock.out = 0;
	}
	err_clear();
}

static void open_session(struct connection *c)
{
	const struct ask_session_open m = {view_text("https"), view_text(c->peer.address),
					   c->peer.port};

	c->knock.at = KNOCK_OPENING;
	c->knock.ask = keeper_ask_session_open(c->gate->keeper, 0, &m, on_opened, c);
}

static void on_asked(void *arg, const struct answer *a)
{
	struct connection *c = arg;
	struct answer_auth m;

	note(c, a);
	if (!c->knock.rc)
		c->knock.rc = answer_auth_read(a->body, &m);
	c->knock.at = KNOCK_OPEN;
	if (!c->knock.rc) { /* the one place where somebody comes in */
		c->knock.at = KNOCK_IN;
		c->knock.expires_us = m.expires_us;
		free(c->knock.home);
		c->knock.home = mem_text_n(m.home.data, m.home.len);
	}
	err_clear();
}

static void ask_who(struct connection *c, const struct who *w, struct view secret)
{
	char cipher[128];
	const struct view *agent = head_find_field(c->head, "user-agent");
	struct view client = agent ? *agent : view_text("");

	if (client.len > USER_AGENT_MAX)
		client.len = USER_AGENT_MAX;
	(void)snprintf(cipher, sizeof cipher, "%s %s", SSL_get_version(c->ssl),
		       SSL_get_cipher_name(c->ssl));
	const struct ask_auth m = {
	    .step = w->kind == WHO_TOKEN ? AUTH_TOKEN : AUTH_CERTIFICATE,
	    .key = secret,
	    .client = client,
	    .cipher = view_text(cipher),
	};
	c->knock.who = *w;
	c->knock.at = KNOCK_ASKING;
	c->knock.ask = keeper_ask_auth(c->gate->keeper, c->knock.number, &m, on_asked, c);
}

/* Then the keep is asked again, and says no. */
static bool has_expired(const struct knock *k)
{
	return k->expires_us && k->expires_us <= clock_utc_us();
}

int who_ready(struct connection *c, const struct who *w, struct view secret)
{
	struct knock *k = &c->knock;

	if (k->ask)
		return E_AGAIN;
	if (k->rc) { /* refused: the session is of no use, and its end is what the keep records */
		int rc = k->rc;
		k->rc = 0;
		(void)who_close(c, "refused");
		return rc;
	}
	switch (k->at) {
	case KNOCK_NONE:
		open_session(c);
		return E_AGAIN;
	case KNOCK_OPEN:
		if (w->kind == WHO_NOBODY)
			return 0;
		ask_who(c, w, secret);
		return E_AGAIN;
	case KNOCK_IN:
		if (same_who(&k->who, w) && !has_expired(k))
			return 0;
		(void)who_close(c, has_expired(k) ? "the credential has expired"
						  : "another credential was shown");
		return E_AGAIN;
	default:
		return E_AGAIN;
	}
}

void who_forget(struct connection *c)
{
	mem_free(&c->knock.home);
	wipe(&c->knock, sizeof c->knock);
}
