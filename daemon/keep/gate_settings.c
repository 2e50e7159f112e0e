/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/host_key.h"
#include "daemon/keep/gate_settings.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"
#include "daemon/keep/keep.h"
#include "wire/link.h"

enum { HOST_KEY_MAX = 16 * 1024, HOST_KEYS_MAX = 64 * 1024, BANNER_MAX = 8 * 1024 };

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

static int fill(const struct keep *keep, struct view banner, struct view host_keys, struct buf *out)
{
	const struct settings *s = keep->settings;
	struct gate_settings m = {
	    .listeners = (uint16_t)keep->listeners,
	    .login_grace_ms = to_u32(s->login_grace_ms),
	    .auth_tries = s->auth_tries,
	    .idle_ms = to_u32(s->idle_ms),
	    .handles_per_session = s->handles_per_session,
	    .sessions = s->sessions,
	    .log_level = (uint8_t)s->log_level,
	    .banner = banner,
	    .kex = view_text(s->kex),
	    .host_key_algorithms = view_text(s->host_key_algorithms),
	    .ciphers = view_text(s->ciphers),
	    .macs = view_text(s->macs),
	    .key_algorithms = view_text(s->key_algorithms),
	    .host_keys = host_keys,
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

int gate_settings_check(const struct keep *keep)
{
	CLEANUP(buf_wipe) struct buf all = {0};

	return gate_settings_compose(keep, &all);
}

int gate_settings_compose(const struct keep *keep, struct buf *out)
{
	CLEANUP(buf_wipe) struct buf keys = {0};
	CLEANUP(buf_done) struct buf banner = {0};
	int rc = buf_reserve(&keys, HOST_KEYS_MAX);

	if (rc)
		return rc;
	struct writer w = writer_of(keys.data, HOST_KEYS_MAX);
	rc = add_host_keys(keep->settings, &w);
	keys.len = w.len;
	if (!rc && *keep->settings->banner_file)
		rc = sys_read_file(AT_FDCWD, keep->settings->banner_file, BANNER_MAX, &banner);
	return rc ? rc : fill(keep, view_buf(&banner), view_buf(&keys), out);
}
