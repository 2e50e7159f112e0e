/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/host_key.h"
#include "daemon/keep/gate_settings.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/tls_files.h"
#include "wire/link.h"

enum {
	HOST_KEY_MAX = 16 * 1024,
	HOST_KEYS_MAX = 64 * 1024,
	BANNER_MAX = 8 * 1024,
	TLS_MAX = 32 * 1024
};

/* What is read from files, apart from the SSH host keys. */
struct files {
	struct buf banner, certificate, private_key;
};

static void files_done(struct files *f)
{
	buf_done(&f->banner);
	buf_done(&f->certificate);
	buf_wipe(&f->private_key);
}

static uint32_t to_u32(uint64_t v)
{
	return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static int add_host_keys(const struct settings *s, struct writer *w)
{
	for (size_t i = 0; i < s->host_key.count; i++) {
		CLEANUP(buf_wipe) struct buf pem = {0};
		int rc = sys_read_file(AT_FDCWD, s->host_key.at[i], HOST_KEY_MAX, &pem);
		if (!rc)
			rc = host_key_check(view_buf(&pem));
		if (rc)
			return fail(rc, "the SSH host key '%s'", s->host_key.at[i]);
		write_bytes(w, view_buf(&pem));
	}
	return w->full ? fail(E_CONFIG, "the SSH host keys are too large") : 0;
}

static int read_tls(const struct settings *s, struct files *f)
{
	int rc = sys_read_file(AT_FDCWD, s->certificate, TLS_MAX, &f->certificate);

	if (!rc)
		rc = sys_read_file(AT_FDCWD, s->private_key, TLS_MAX, &f->private_key);
	if (!rc)
		rc = tls_files_check(view_buf(&f->certificate), view_buf(&f->private_key));
	if (rc != E_CONFIG)
		return rc;
	CLEANUP(mem_free) char *why = mem_text(err_cause()); /* one sentence reaches the operator */
	err_clear();
	return fail(rc, "%s ([https] certificate = %s)", why, s->certificate);
}

static int read_files(const struct keep *keep, const struct settings *s, struct files *f)
{
	/* Whether there are HTTPS sockets is known when there are any; before that, the files must
	 * be good where they will be needed. After a reload they may be for the next start only. */
	bool https = keep->listeners ? keep->https_listeners : s->https_listen.count;
	int rc = 0;

	if (*s->banner_file)
		rc = sys_read_file(AT_FDCWD, s->banner_file, BANNER_MAX, &f->banner);
	return rc || !https ? rc : read_tls(s, f);
}

static int fill(const struct keep *keep, const struct settings *s, const struct files *f,
		struct view host_keys, struct buf *out)
{
	struct gate_settings m = {
	    .listeners = (uint16_t)(keep->listeners - keep->https_listeners),
	    .https_listeners = (uint16_t)keep->https_listeners,
	    .login_grace_ms = to_u32(s->login_grace_ms),
	    .auth_tries = s->auth_tries,
	    .idle_ms = to_u32(s->idle_ms),
	    .handles_per_session = s->handles_per_session,
	    .sessions = s->sessions,
	    .log_level = (uint8_t)s->log_level,
	    .banner = view_buf(&f->banner),
	    .kex = view_text(s->kex),
	    .host_key_algorithms = view_text(s->host_key_algorithms),
	    .ciphers = view_text(s->ciphers),
	    .macs = view_text(s->macs),
	    .key_algorithms = view_text(s->key_algorithms),
	    .host_keys = host_keys,
	    .https_idle_ms = to_u32(s->https_idle_ms),
	    .strangers = s->sessions_per_address,
	    .certificate = view_buf(&f->certificate),
	    .private_key = view_buf(&f->private_key),
	    .ticket_key = secret_view(keep->ticket_key),
	};
	int rc = buf_reserve(out, LINK_MAX - LINK_HEADER);
	if (rc)
		return rc;
	struct writer w = writer_of(out->data, LINK_MAX - LINK_HEADER);
	gate_settings_write(&w, &m);
	if (w.full)
		return fail(E_CONFIG, "settings for the gates are too large");
	out->len = w.len;
	return 0;
}

int gate_settings_check(const struct keep *keep, const struct settings *s)
{
	CLEANUP(buf_wipe) struct buf all = {0};

	return gate_settings_compose(keep, s, &all);
}

int gate_settings_compose(const struct keep *keep, const struct settings *s, struct buf *out)
{
	CLEANUP(buf_wipe) struct buf keys = {0};
	CLEANUP(files_done) struct files files = {0};
	int rc = buf_reserve(&keys, HOST_KEYS_MAX);

	if (rc)
		return rc;
	struct writer w = writer_of(keys.data, HOST_KEYS_MAX);
	rc = add_host_keys(s, &w);
	keys.len = w.len;
	if (!rc)
		rc = read_files(keep, s, &files);
	return rc ? rc : fill(keep, s, &files, view_buf(&keys), out);
}
