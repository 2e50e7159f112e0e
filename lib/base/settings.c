/* SPDX-License-Identifier: Apache-2.0 */
#include "base/settings.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* A field of the struct, checked to be of the type that the kind fills. */
#define FIELD(type, field)                  \
	(offsetof(struct settings, field) + \
	 0 * sizeof((type *)NULL == &((struct settings *)NULL)->field))
#define ROW(k, type, field, text) .kind = (k), .offset = FIELD(type, field), .fallback = (text)
#define TEXT(field, text)         ROW(CONF_TEXT, char *, field, text)
#define PATH(field, text)         ROW(CONF_PATH, char *, field, text)
#define PATHS(field, text)        ROW(CONF_PATHS, struct conf_words, field, text)
#define LIST(field, text)         ROW(CONF_LIST, char *, field, text)
#define BOOL(field, text)         ROW(CONF_BOOL, bool, field, text)
#define NUMBER(field, text)       ROW(CONF_NUMBER, uint32_t, field, text)
#define SIZE(field, text)         ROW(CONF_SIZE, uint64_t, field, text)
#define DURATION(field, text)     ROW(CONF_DURATION, uint64_t, field, text)
#define ADDRESSES(field, text)    ROW(CONF_ADDRESSES, struct conf_addresses, field, text)
#define CHOICE(field, text)       ROW(CONF_CHOICE, int, field, text)

/* Bounds of numbers and times. */
#define FROM(low, high) .min = (low), .max = (high)
#define SECOND          1000ull
#define DAY             (86400 * SECOND)
#define YEARS           (3660 * DAY)
#define RESTART         .restart = true

static const char *const jails[] = {[JAIL_REQUIRE] = "require", [JAIL_TRY] = "try", NULL};
static const char *const automatic[] = {"auto", NULL};
static const char *const levels[] = {[LEVEL_ERROR] = "error",
				     [LEVEL_WARNING] = "warning",
				     [LEVEL_INFO] = "info",
				     [LEVEL_DEBUG] = "debug",
				     NULL};

/* One key a line, for tests/house reads this table. */
/* clang-format off */
static const struct conf_row rows[] = {
    {"daemon", "jail", CHOICE(jail, "try"), .words = jails, RESTART},
    {"daemon", "writer_check", BOOL(writer_check, "on"), RESTART},
    {"daemon", "state", PATH(state, DEFAULT_STATE), RESTART},
    {"daemon", "runtime", PATH(runtime, DEFAULT_RUNTIME), RESTART},
    {"daemon", "user", TEXT(user, ""), RESTART},
    {"daemon", "gates", NUMBER(gates, "auto"), FROM(0, 64), .words = automatic, RESTART},
    {"daemon", "log", TEXT(log, "stderr")},
    {"daemon", "log_level", CHOICE(log_level, "info"), .words = levels},

    {"sftp", "listen", ADDRESSES(sftp_listen, "0.0.0.0:2022 [::]:2022"), RESTART},
    {"sftp", "host_key", PATHS(host_key, ""), RESTART},
    {"sftp", "kex", LIST(kex, "")},
    {"sftp", "host_key_algorithms", LIST(host_key_algorithms, "")},
    {"sftp", "ciphers", LIST(ciphers, "")},
    {"sftp", "macs", LIST(macs, "")},
    {"sftp", "key_algorithms", LIST(key_algorithms, "")},
    {"sftp", "banner_file", PATH(banner_file, "")},

    {"https", "listen", ADDRESSES(https_listen, ""), RESTART},
    {"https", "public_url", TEXT(public_url, "")},
    {"https", "certificate", PATH(certificate, "")},
    {"https", "private_key", PATH(private_key, "")},
    {"https", "idle", DURATION(https_idle_ms, "60s"), FROM(SECOND, DAY)},

    {"keys", "master", TEXT(master, ""), RESTART},

    {"limits", "login_grace", DURATION(login_grace_ms, "60s"), FROM(SECOND, 3600 * SECOND)},
    {"limits", "auth_tries", NUMBER(auth_tries, "6"), FROM(1, 100)},
    {"limits", "sessions", NUMBER(sessions, "2000"), FROM(1, 100000)},
    {"limits", "sessions_per_user", NUMBER(sessions_per_user, "0"), FROM(0, 100000)},
    {"limits", "sessions_per_address", NUMBER(sessions_per_address, "0"), FROM(0, 100000)},
    {"limits", "handles_per_session", NUMBER(handles_per_session, "100"), FROM(1, 10000)},
    {"limits", "idle", DURATION(idle_ms, "30m"), FROM(SECOND, 30 * DAY)},
    {"limits", "upload_expiry", DURATION(upload_expiry_ms, "7d"), FROM(SECOND, YEARS)},
    {"limits", "expiry_cap", NUMBER(expiry_cap, "1000"), FROM(1, 1000000)},
    {"limits", "reopen_grace", DURATION(reopen_grace_ms, "7d"), FROM(0, YEARS)},
    {"limits", "disk_reserve", SIZE(disk_reserve_bytes, "256M"), FROM(1 << 20, 1ull << 50)},
    {"limits", "disk_ballast", SIZE(disk_ballast_bytes, "16M"), FROM(0, 1ull << 40), RESTART},
    {"limits", "drain", DURATION(drain_ms, "30s"), FROM(0, DAY)},

    {"audit", "origin", TEXT(origin, ""), RESTART},
    {"audit", "checkpoint_interval", DURATION(checkpoint_interval_ms, "1m"), FROM(SECOND, 3600 * SECOND)},
};
/* clang-format on */

const struct conf_table settings_table = {rows, ARRAY_LEN(rows), sizeof(struct settings)};

static int check_log(const struct settings *s)
{
	if (strcmp(s->log, "stderr") == 0 || strcmp(s->log, "journal") == 0 || s->log[0] == '/')
		return 0;
	return fail(E_CONFIG, "log = %s: not stderr, journal or a path that begins with /", s->log);
}

static const char *behind(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* The other places for a master key have a name already, so that an old program says
 * clearly what it cannot do. */
static int find_master(struct settings *s)
{
	if (s->master[0] == '\0') {
		mem_free(&s->master);
		s->master = mem_printf("file:%s/keys/master.key", s->state);
	}
	const char *path = behind(s->master, "file:");
	if (path && path[0] == '/') {
		s->master_path = mem_text(path);
		return 0;
	}
	if (behind(s->master, "credential:") || strcmp(s->master, "passphrase") == 0)
		return fail(E_CONFIG,
			    "master = %s: this version reads the master key from a file only "
			    "(file:PATH)",
			    s->master);
	return fail(E_CONFIG, "master = %s: not file: and a path that begins with /", s->master);
}

static void default_host_key(struct settings *s)
{
	if (s->host_key.count)
		return;
	free(s->host_key.at);
	s->host_key.at = mem_new(sizeof(char *));
	s->host_key.at[0] = mem_printf("%s/keys/ssh_host_ed25519_key", s->state);
	s->host_key.count = 1;
}

static void default_text(char **text, const char *state, const char *name)
{
	if ((*text)[0])
		return;
	mem_free(text);
	*text = mem_printf("%s/%s", state, name);
}

static const char own_certificate[] = "keys/tls/cert.pem", own_key[] = "keys/tls/key.pem";

bool settings_own_certificate(const struct settings *s)
{
	CLEANUP(mem_free) char *own = mem_printf("%s/%s", s->state, own_certificate);

	return strcmp(s->certificate, own) == 0;
}

/* Both or none: a key in the state directory belongs to no other certificate. */
static int default_tls(struct settings *s)
{
	if (!s->certificate[0] != !s->private_key[0])
		return fail(E_CONFIG, "[https] certificate and private_key belong together");
	default_text(&s->certificate, s->state, own_certificate);
	default_text(&s->private_key, s->state, own_key);
	return 0;
}

/* What the values mean together. */
static int complete(struct settings *s)
{
	int rc = check_log(s);

	if (!rc && s->sftp_listen.count == 0)
		rc = fail(E_CONFIG, "[sftp] listen: no address");
	if (!rc && strcmp(s->state, s->runtime) == 0)
		rc = fail(E_CONFIG, "state and runtime are the same folder");
	if (!rc)
		rc = find_master(s);
	if (!rc)
		rc = default_tls(s);
	if (!rc)
		default_host_key(s);
	return rc;
}

static int judge(int rc, const char *name, struct settings **s, struct settings **ret_settings)
{
	if (rc)
		return rc;
	rc = complete(*s);
	if (rc)
		return fail(rc, "%s", name);
	*ret_settings = TAKE(*s);
	return 0;
}

int settings_parse(struct view content, const char *name, struct settings **ret_settings)
{
	CLEANUP(settings_free) struct settings *s = mem_new(sizeof *s);

	return judge(conf_parse(content, name, &settings_table, s), name, &s, ret_settings);
}

int settings_load(const char *path, struct settings **ret_settings)
{
	CLEANUP(settings_free) struct settings *s = mem_new(sizeof *s);

	return judge(conf_load(path, &settings_table, s), path, &s, ret_settings);
}

void settings_free(struct settings **s)
{
	if (*s) {
		mem_free(&(*s)->master_path);
		conf_done(&settings_table, *s);
	}
	mem_free(s);
}

void settings_compare(const struct settings *old, const struct settings *new,
		      void (*visit)(void *arg, const char *key, bool restart), void *arg)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (conf_same(&rows[i], old, new))
			continue;
		CLEANUP(mem_free) char *key = mem_printf("%s.%s", rows[i].section, rows[i].key);
		visit(arg, key, rows[i].restart);
	}
}
