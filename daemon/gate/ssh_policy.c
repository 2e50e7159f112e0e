/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/ssh_policy.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

/*
 * The built-in order of preference. Names that this libssh does not have are passed over,
 * so that later ones bring their post-quantum key exchanges by themselves.
 */
static const char default_kex[] =
    "mlkem768x25519-sha256,sntrup761x25519-sha512,sntrup761x25519-sha512@openssh.com,"
    "curve25519-sha256,curve25519-sha256@libssh.org,"
    "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group18-sha512,diffie-hellman-group16-sha512,diffie-hellman-group14-sha256";
static const char default_keys[] =
    "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521,"
    "sk-ssh-ed25519@openssh.com,sk-ecdsa-sha2-nistp256@openssh.com,"
    "rsa-sha2-512,rsa-sha2-256";
static const char default_ciphers[] =
    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,"
    "aes256-ctr,aes192-ctr,aes128-ctr";
static const char default_macs[] = "hmac-sha2-256-etm@openssh.com,hmac-sha2-512-etm@openssh.com";

enum { RSA_MIN_BITS = 2048 };

static bool holds(struct view name, const char *part)
{
	return memmem(name.data, name.len, part, strlen(part));
}

static bool struck_out(struct view name)
{
	return !name.len || holds(name, "sha1") || holds(name, "cbc") || holds(name, "md5") ||
	       holds(name, "group-exchange") || holds(name, "ssh-dss") || holds(name, "ssh-rsa") ||
	       holds(name, "arcfour") || view_is(name, "none") || view_is(name, "hmac-ripemd160");
}

int policy_strike_out(struct view list, struct buf *out)
{
	size_t start = out->len;
	int rc = 0;

	for (size_t at = 0; at < list.len && !rc;) {
		const uint8_t *comma = memchr(list.data + at, ',', list.len - at);
		size_t end = comma ? (size_t)(comma - list.data) : list.len;
		struct view name = view_of(list.data + at, end - at);
		while (name.len && isspace(name.data[0]))
			name = view_of(name.data + 1, name.len - 1);
		while (name.len && isspace(name.data[name.len - 1]))
			name.len--;
		if (!struck_out(name)) {
			if (out->len > start)
				rc = buf_add_text(out, ",");
			if (!rc)
				rc = buf_add(out, name.data, name.len);
		}
		at = end + 1;
	}
	return rc;
}

static int set_list(ssh_bind bind, enum ssh_bind_options_e option, struct view wish,
		    const char *otherwise, const char *what)
{
	CLEANUP(buf_done) struct buf list = {0};
	const char *text = NULL;
	int rc = policy_strike_out(wish.len ? wish : view_text(otherwise), &list);

	if (!rc)
		rc = buf_text(&list, &text);
	if (rc)
		return rc;
	if (!list.len || ssh_bind_options_set(bind, option, text))
		return fail(E_CONFIG, "no %s is left to offer", what);
	return 0;
}

static int set_lists(ssh_bind bind, const struct gate_settings *s)
{
	const struct {
		enum ssh_bind_options_e option;
		struct view wish;
		const char *otherwise, *what;
	} rows[] = {
	    {SSH_BIND_OPTIONS_KEY_EXCHANGE, s->kex, default_kex, "key exchange"},
	    {SSH_BIND_OPTIONS_HOSTKEY_ALGORITHMS, s->host_key_algorithms, default_keys,
	     "host key algorithm"},
	    {SSH_BIND_OPTIONS_CIPHERS_C_S, s->ciphers, default_ciphers, "cipher"},
	    {SSH_BIND_OPTIONS_CIPHERS_S_C, s->ciphers, default_ciphers, "cipher"},
	    {SSH_BIND_OPTIONS_HMAC_C_S, s->macs, default_macs, "MAC"},
	    {SSH_BIND_OPTIONS_HMAC_S_C, s->macs, default_macs, "MAC"},
	    {SSH_BIND_OPTIONS_PUBKEY_ACCEPTED_KEY_TYPES, s->key_algorithms, default_keys,
	     "key algorithm"},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(rows) && !rc; i++)
		rc = set_list(bind, rows[i].option, rows[i].wish, rows[i].otherwise, rows[i].what);
	return rc;
}

/* pem: a private key as text. The bind owns the key from then on. */
static int import_key(ssh_bind bind, struct view pem)
{
	char *text = mem_text_n(pem.data, pem.len);
	ssh_key key = NULL;
	int rc = ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, &key);

	wipe(text, pem.len);
	free(text);
	if (rc != SSH_OK)
		return fail(E_CONFIG, "a host key cannot be read");
	if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key)) {
		ssh_key_free(key);
		return fail(E_CONFIG, "a host key cannot be used");
	}
	return 0;
}

static int import_keys(ssh_bind bind, struct view keys)
{
	struct reader r = reader_of(keys);
	int rc = 0;

	if (!r.left)
		return fail(E_CONFIG, "there is no host key");
	while (r.left && !rc) {
		struct view pem = read_bytes(&r);
		rc = reader_ok(&r) ? import_key(bind, pem)
				   : fail(E_PROTOCOL, "malformed list of host keys");
	}
	return rc;
}

static int make_bind(ssh_bind bind, const struct gate_settings *s)
{
	const bool process_config = false;
	const int rsa_min = RSA_MIN_BITS;

	/* First, or libssh reads its own configuration files at the first connection. */
	if (ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &process_config) ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_RSA_MIN_SIZE, &rsa_min) ||
	    ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, "dropkeep"))
		return fail(E_IO, "set up libssh: %s", ssh_get_error(bind));
	int rc = set_lists(bind, s);
	return rc ? rc : import_keys(bind, s->host_keys);
}

int policy_new(const struct gate_settings *s, struct policy **ret_policy)
{
	CLEANUP(policy_free) struct policy *p = mem_new(sizeof *p);

	*p = (struct policy){
	    .banner = mem_text_n(s->banner.data, s->banner.len),
	    .login_grace_ms = s->login_grace_ms,
	    .auth_tries = s->auth_tries,
	    .idle_ms = s->idle_ms,
	    .handles_per_session = s->handles_per_session,
	    .sessions = s->sessions,
	};
	p->bind = ssh_bind_new();
	if (!p->bind)
		return fail(E_NOMEM, "set up libssh");
	int rc = make_bind(p->bind, s);
	if (!rc)
		*ret_policy = TAKE(p);
	return rc;
}

void policy_free(struct policy **p)
{
	if (!*p)
		return;
	ssh_bind_free((*p)->bind);
	free((*p)->banner);
	free(*p);
	*p = NULL;
}

int policy_accept(const struct policy *p, int fd, ssh_session *ret_ssh)
{
	ssh_session ssh = ssh_new();

	if (!ssh) {
		(void)close(fd);
		return fail(E_NOMEM, "begin an SSH session");
	}
	if (ssh_bind_accept_fd(p->bind, ssh, fd) != SSH_OK ||
	    ssh_options_set(ssh, SSH_OPTIONS_COMPRESSION_C_S, "none") ||
	    ssh_options_set(ssh, SSH_OPTIONS_COMPRESSION_S_C, "none")) {
		bool owned = ssh_get_fd(ssh) == fd;
		ssh_free(ssh);
		if (!owned)
			(void)close(fd);
		return fail(E_IO, "begin an SSH session");
	}
	ssh_set_blocking(ssh, 0);
	ssh_set_auth_methods(ssh, SSH_AUTH_METHOD_PUBLICKEY);
	*ret_ssh = ssh;
	return 0;
}
