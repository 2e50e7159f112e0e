/* SPDX-License-Identifier: Apache-2.0 */
/* Two getters of libssh are marked as deprecated in favour of callbacks, which would have to
 * answer on the spot; there is no other way to leave the decision to another process. */
#define SSH_SUPPRESS_DEPRECATED
#include "daemon/gate/ssh_inside.h"

#include <assert.h>
#include <ctype.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

/*
 * RFC 4252, with libssh's message queue: as long as no callback is set, libssh queues what
 * the client sends, and one message at a time is judged here. Public keys alone; the
 * question goes to the keep, and nothing more is read before its answer. libssh has
 * verified the signature (VALID) before it shows a signed request.
 */

void auth_done(struct session *s)
{
	if (s->held)
		ssh_message_free(TAKE(s->held));
	if (s->ask && s->at != AT_OPEN) {
		ask_forget(s->ask);
		s->ask = NULL;
	}
}

/* A refusal that counts, as OpenSSH's MaxAuthTries does: also of a key that was only shown. */
static void refuse(struct session *s, ssh_message message)
{
	(void)ssh_message_reply_default(message);
	if (++s->tries >= s->auth_tries && s->auth_tries)
		session_end(s, "too many authentication failures");
}

static void let_in(struct session *s, ssh_message message, const struct answer_auth *m)
{
	session_authenticated(s, m->home, m->name);
	ssh_set_message_callback(s->ssh, request_on_message, s);
	(void)ssh_message_auth_reply_success(message, 0);
}

static void on_answered(void *arg, const struct answer *a)
{
	struct session *s = arg;
	struct answer_auth m;

	s->ask = NULL;
	assert(s->held && s->at == AT_AUTH);
	ssh_message message = TAKE(s->held);
	int rc = a->status ? a->status : answer_auth_read(a->body, &m);
	if (rc)
		refuse(s, message);
	else if (s->held_signed)
		let_in(s, message, &m);
	else
		(void)ssh_message_auth_reply_pk_ok_simple(message);
	ssh_message_free(message);
	err_clear();
	session_wake(s);
}

/* The key as RFC 4253, section 6.6 writes it. libssh's public interface gives base64. */
static int key_blob(ssh_message message, struct buf *out)
{
	char *text = NULL;

	if (ssh_pki_export_pubkey_base64(ssh_message_auth_pubkey(message), &text) != SSH_OK)
		return fail(E_INVALID, "a key that cannot be written");
	int rc = base64_decode(view_text(text), BASE64_PADDED, out);
	ssh_string_free_char(text);
	return rc;
}

/* The client's version line, for the log: plain ASCII, whatever it sent. */
static size_t client_name(const struct session *s, char ret_text[CLIENT_MAX])
{
	const char *banner = ssh_get_clientbanner(s->ssh);
	size_t len = banner ? strnlen(banner, CLIENT_MAX) : 0;

	for (size_t i = 0; i < len; i++)
		ret_text[i] = isprint((unsigned char)banner[i]) ? banner[i] : '?';
	return len;
}

static void ask_keep(struct session *s, ssh_message message, const char *user, bool is_signed)
{
	CLEANUP(buf_done) struct buf key = {0};
	char client[CLIENT_MAX];
	const char *cipher = ssh_get_cipher_in(s->ssh);

	if (key_blob(message, &key)) {
		err_clear();
		refuse(s, message);
		ssh_message_free(message);
		return;
	}
	const struct ask_auth m = {
	    .step = is_signed ? AUTH_SIGNED : AUTH_QUERY,
	    .user = view_text(user),
	    .key = view_buf(&key),
	    .client = view_of(client, client_name(s, client)),
	    .cipher = view_text(cipher ? cipher : ""),
	};
	s->held = message;
	s->held_signed = is_signed;
	s->ask = keeper_ask_auth(s->gate->keeper, s->number, &m, on_answered, s);
}

/* Shown once, before the first answer (RFC 4252, section 5.4). */
static void greet(struct session *s)
{
	const char *banner = s->gate->policy->banner;

	if (s->greeted)
		return;
	s->greeted = true;
	if (!*banner)
		return;
	ssh_string text = ssh_string_from_char(banner);
	if (text)
		(void)ssh_send_issue_banner(s->ssh, text);
	ssh_string_free(text);
}

/* Takes message. `none` is how clients ask what there is: its refusal costs them nothing. */
static void judge_auth(struct session *s, ssh_message message)
{
	const char *user = ssh_message_auth_user(message);
	int method = ssh_message_subtype(message);
	enum ssh_publickey_state_e state = ssh_message_auth_publickey_state(message);
	bool usable = user && *user && strnlen(user, USER_MAX + 1) <= USER_MAX;

	greet(s);
	if (method == SSH_AUTH_METHOD_PUBLICKEY && usable &&
	    (state == SSH_PUBLICKEY_STATE_NONE || state == SSH_PUBLICKEY_STATE_VALID)) {
		ask_keep(s, message, user, state == SSH_PUBLICKEY_STATE_VALID);
		return;
	}
	if (method == SSH_AUTH_METHOD_NONE)
		(void)ssh_message_reply_default(message);
	else
		refuse(s, message);
	ssh_message_free(message);
}

static void judge(struct session *s, ssh_message message)
{
	switch (ssh_message_type(message)) {
	case SSH_REQUEST_AUTH:
		judge_auth(s, message);
		return;
	case SSH_REQUEST_SERVICE: /* the only service there is; others would be refused later */
		(void)ssh_message_reply_default(message);
		break;
	default:
		(void)ssh_message_reply_default(message);
		session_end(s, "a request before authentication");
	}
	ssh_message_free(message);
}

enum next auth_drive(struct session *s)
{
	if (s->held)
		return NEXT_WAIT;
	ssh_message message = ssh_message_get(s->ssh); /* reads, writes, never waits */
	if (session_broken(s)) {
		ssh_message_free(message);
		return NEXT_WAIT;
	}
	if (!message)
		return NEXT_WAIT;
	judge(s, message);
	return NEXT_GO;
}
