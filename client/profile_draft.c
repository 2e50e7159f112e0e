/* SPDX-License-Identifier: Apache-2.0 */
#include "client/profile.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/dirs.h"

static const char prefix[] = ".new-";

/* All that an enrolment ever writes into a profile. */
static const char *const files[] = {"profile.json", "profile.json.new", "key.pem",
				    "key.pem.new",  "cert.pem",         "cert.pem.new"};

static void remove_profile(int root, int dir, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlinkat(dir, files[i], 0);
	(void)unlinkat(root, name, AT_REMOVEDIR);
}

/* A draft whose maker lives is locked by it. */
static void remove_if_left(int root, const char *name)
{
	CLEANUP(sys_close) int dir = -1;

	if (sys_open(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, &dir) == 0 &&
	    flock(dir, LOCK_EX | LOCK_NB) == 0)
		remove_profile(root, dir, name);
	err_clear();
}

static void sweep(int root)
{
	int copy = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (strncmp(e->d_name, prefix, sizeof prefix - 1) == 0)
			remove_if_left(root, e->d_name);
	if (d)
		(void)closedir(d);
}

static int check_free(int root, const char *name, bool force)
{
	struct stat st;

	if (!force && fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(E_EXISTS,
			    "there is a profile '%s': take another name with --profile, or --force "
			    "to replace it",
			    name);
	return 0;
}

static int make_dir(struct profile_draft *d)
{
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(d->name, sizeof d->name, "%s%ld-%u", prefix, (long)getpid(), i);
		int rc = sys_mkdir(d->root, d->name, 0700);
		if (rc == E_EXISTS) {
			err_clear();
			continue;
		}
		if (!rc)
			rc = sys_open(d->root, d->name, O_RDONLY | O_DIRECTORY, 0, &d->dir);
		if (!rc && flock(d->dir, LOCK_EX | LOCK_NB) < 0)
			rc = fail_errno(E_IO, "lock a new profile");
		return rc;
	}
	d->name[0] = '\0';
	return fail(E_EXISTS, "too many new profiles at a time");
}

int profile_draft_begin(const char *name, bool force, struct view key, struct view certificate,
			struct profile_draft *ret_draft)
{
	CLEANUP(profile_draft_done) struct profile_draft d = {.root = -1, .dir = -1};
	CLEANUP(mem_free) char *root = NULL;
	int rc = dirs_path(DIRS_CONFIG, "", &root);

	if (!rc)
		rc = dirs_open(DIRS_CONFIG, "", &d.root);
	if (!rc)
		rc = check_free(d.root, name, force);
	if (rc)
		return rc;
	sweep(d.root);
	rc = make_dir(&d);
	if (!rc)
		rc = sys_replace_file(d.dir, "key.pem", 0600, key);
	if (!rc)
		rc = sys_replace_file(d.dir, "cert.pem", 0600, certificate);
	if (rc)
		return rc;
	d.path = mem_printf("%s/%s", root, d.name);
	*ret_draft = d;
	d = (struct profile_draft){.root = -1, .dir = -1};
	return 0;
}

static int write_json(int dir, const struct profile *p)
{
	json_t *root = json_pack("{s:i, s:s, s:s?, s:s, s:s, s:{s:s, s:s}}", "version", 1, "url",
				 p->url, "pin", p->pin, "user", p->user, "home", p->home, "log",
				 "origin", p->log_origin, "key", p->log_key);
	char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
	int rc = text ? sys_replace_file(dir, "profile.json", 0600, view_text(text))
		      : fail(E_NOMEM, "write a profile");

	free(text);
	json_decref(root);
	return rc;
}

/* Under its name; with force in the place of what is there, which then is the draft. */
static int move_in(struct profile_draft *d, const char *name, bool force)
{
	if (renameat2(d->root, d->name, d->root, name, RENAME_NOREPLACE) == 0) {
		d->name[0] = '\0';
		return 0;
	}
	if (errno == EEXIST && force &&
	    renameat2(d->root, d->name, d->root, name, RENAME_EXCHANGE) == 0) {
		sys_close(&d->dir);
		remove_if_left(d->root, d->name);
		d->name[0] = '\0';
		return 0;
	}
	if (errno == EEXIST)
		return fail(E_EXISTS, "there is a profile '%s' by now", name);
	return fail_errno(E_IO, "put the new profile in its place");
}

int profile_draft_commit(struct profile_draft *d, const char *name, bool force,
			 const struct profile *p)
{
	int rc = write_json(d->dir, p);

	if (!rc)
		rc = move_in(d, name, force);
	if (!rc)
		rc = sys_sync(d->root);
	return rc;
}

void profile_draft_done(struct profile_draft *d)
{
	if (d->root >= 0 && d->name[0])
		remove_profile(d->root, d->dir, d->name);
	sys_close(&d->dir);
	sys_close(&d->root);
	mem_free(&d->path);
}
