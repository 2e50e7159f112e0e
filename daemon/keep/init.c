/* SPDX-License-Identifier: Apache-2.0 */
/* dropkeepd --init: the process that owns the state makes it. */
#include "daemon/keep/keep.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/host_key.h"
#include "daemon/keep/ssh_key.h"
#include "daemon/keep/state.h"
#include "daemon/keep/tls_files.h"

enum { NFTW_FDS = 16, ORIGIN_RANDOM = 4, PUBLIC_MAX = 16 * 1024 };

static const char *host_name(const struct init_options *o, char ret_name[256])
{
	if (o->names)
		return o->name[0];
	if (gethostname(ret_name, 255) < 0 || !*ret_name)
		return "localhost";
	ret_name[255] = '\0';
	return ret_name;
}

/* A log's origin is for ever and must be its alone: the host's name does not do. */
static int make_origin(const struct settings *s, const struct init_options *o, char **ret_origin)
{
	uint8_t random[ORIGIN_RANDOM];
	char hex[2 * ORIGIN_RANDOM + 1], name[256] = "";

	if (*s->origin) {
		*ret_origin = mem_text(s->origin);
		return 0;
	}
	int rc = random_bytes(random, sizeof random);
	if (rc)
		return rc;
	hex_encode(random, sizeof random, hex);
	*ret_origin = mem_printf("%s/dropkeep/%s", host_name(o, name), hex);
	return 0;
}

static int is_empty(const char *dir, bool *ret_empty)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool empty = true;

	if (!d)
		return fail_errno(E_IO, "look into the state directory");
	while ((e = readdir(d)))
		empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	(void)closedir(d);
	*ret_empty = empty;
	return 0;
}

/* Made, or there and empty (as a service manager leaves it). */
static int make_directory(const char *dir, bool *ret_made)
{
	bool empty = false;
	int rc = sys_mkdir(AT_FDCWD, dir, 0700);

	*ret_made = rc == 0;
	if (rc != E_EXISTS)
		return rc;
	err_clear();
	rc = is_empty(dir, &empty);
	if (!rc && !empty)
		rc = fail(E_EXISTS,
			  "'%s' is not empty: init makes a new instance and touches no other", dir);
	if (!rc && chmod(dir, 0700) < 0)
		rc = fail_errno(E_IO, "close '%s' to others", dir);
	return rc;
}

static int make_host_key(int state_fd, const struct init_options *o)
{
	CLEANUP(buf_wipe) struct buf private = {0};
	CLEANUP(buf_done) struct buf public = {0};
	char name[256] = "";
	int rc = host_key_make(host_name(o, name), &private, &public);

	if (!rc)
		rc = sys_replace_file(state_fd, "keys/ssh_host_ed25519_key", 0400,
				      view_buf(&private));
	if (!rc)
		rc = sys_replace_file(state_fd, "keys/ssh_host_ed25519_key.pub", 0444,
				      view_buf(&public));
	return rc;
}

static int make_catalog(int state_fd, const struct settings *s, const struct init_options *o,
			const struct keys *keys)
{
	CLEANUP(catalog_close) struct catalog *c = NULL;
	CLEANUP(mem_free) char *origin = NULL;
	int rc = make_origin(s, o, &origin);

	if (!rc)
		rc = catalog_open(s->state, keys_catalog(keys), true, &c);
	if (!rc)
		rc = catalog_begin(c);
	if (!rc && o->recovery_recipient)
		rc = catalog_meta_set(c, STATE_META_RECOVERY, view_text(o->recovery_recipient));
	if (!rc)
		rc = audit_create(c, keys, state_fd, origin);
	return rc ? rc : catalog_commit(c);
}

static int fill(const struct settings *s, const struct init_options *o)
{
	CLEANUP(sys_close) int state_fd = -1;
	CLEANUP(keys_free) struct keys *keys = NULL;
	int rc = sys_open(AT_FDCWD, s->state, O_RDONLY | O_DIRECTORY, 0, &state_fd);

	if (!rc)
		rc = sys_mkdir(state_fd, "keys", 0700);
	if (!rc)
		rc = keys_create(state_fd, s->master_path);
	if (!rc)
		rc = keys_load(state_fd, s->master_path, &keys);
	if (!rc)
		rc = make_host_key(state_fd, o);
	if (!rc)
		rc = tls_files_init(state_fd, o->name, o->names);
	if (!rc)
		rc = blobs_create(state_fd);
	if (!rc)
		rc = make_catalog(state_fd, s, o, keys);
	return rc ? rc : sys_sync(state_fd);
}

/* ---- what clients will be shown ---- */

static int say_host_key(const char *state)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/keys/ssh_host_ed25519_key.pub", state);
	CLEANUP(buf_done) struct buf line = {0};
	struct credential_row key;
	int rc = sys_read_file(AT_FDCWD, path, PUBLIC_MAX, &line);

	if (!rc)
		rc = ssh_key_parse(view_buf(&line), &key);
	if (!rc)
		(void)printf("host key:      %s (%s)\n", key.fingerprint, key.algorithm);
	return rc;
}

static int say_certificate(const char *path)
{
	CLEANUP(buf_done) struct buf pem = {0};
	CLEANUP(buf_done) struct buf pin = {0};
	uint8_t spki[TLS_SPKI];
	char whole[TLS_FINGERPRINT_TEXT];
	const char *text = "";
	int rc = sys_read_file(AT_FDCWD, path, PUBLIC_MAX, &pem);

	if (!rc)
		rc = tls_files_fingerprint(view_buf(&pem), whole);
	if (!rc)
		rc = tls_files_spki(view_buf(&pem), spki);
	if (!rc)
		rc = base64_encode(view_of(spki, sizeof spki), BASE64_PADDED, &pin);
	if (!rc)
		rc = buf_text(&pin, &text);
	if (!rc)
		(void)printf("certificate:   SHA-256 %s\n"
			     "its key:       sha256//%s (as curl --pinnedpubkey takes it)\n",
			     whole, text);
	return rc;
}

/* So that users can be told over another channel than the connection itself. */
static int say_fingerprints(const struct settings *s)
{
	int rc = say_host_key(s->state);

	if (!rc && settings_own_certificate(s))
		rc = say_certificate(s->certificate);
	return rc ? rc : fflush(stdout) ? fail_errno(E_IO, "write to standard output") : 0;
}

/* ---- and if it fails ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	if (at->level == 0)
		return 0;
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

/* What a failed init has made must not be in the way of the next try. Only called on what this
 * very process has just filled. */
static void clean_up(const char *dir, bool made)
{
	(void)nftw(dir, remove_one, NFTW_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	if (made)
		(void)rmdir(dir);
}

static int check_options(const struct init_options *o)
{
	struct age_recipient ignored;

	if (!o->recovery_recipient)
		return 0;
	int rc = age_recipient_from_text(view_text(o->recovery_recipient), &ignored);
	return rc ? fail(E_USAGE, "the recovery recipient is no age recipient (age1…)") : 0;
}

int keep_init(const char *config_path, const struct init_options *o)
{
	CLEANUP(settings_free) struct settings *s = NULL;
	bool made = false;
	int rc = check_options(o);

	if (!rc)
		rc = settings_load(config_path, &s);
	if (!rc)
		rc = secret_setup();
	if (!rc)
		rc = make_directory(s->state, &made);
	if (!rc) {
		rc = fill(s, o);
		if (!rc)
			rc = say_fingerprints(s);
		if (rc)
			clean_up(s->state, made);
	}
	if (rc)
		log_failure("dropkeepd --init");
	return err_exit_status(rc);
}
