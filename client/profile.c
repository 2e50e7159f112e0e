/* SPDX-License-Identifier: Apache-2.0 */
#include "client/profile.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/dirs.h"

enum { FILE_MAX = 64 << 10, NAME_MOST = 64 };

static bool name_is_one(const char *name)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strspn(name, letters);

	return len && len <= NAME_MOST && !name[len] && name[0] != '.';
}

int profile_name(const char *option, const char **ret_name)
{
	const char *name = option ? option : getenv("DROPKEEP_PROFILE");

	if (!name || (!option && !name[0]))
		name = "default";
	if (!name_is_one(name))
		return fail(E_USAGE, "a profile's name has letters, digits, '.', '_' and '-' only");
	*ret_name = name;
	return 0;
}

static char *text_of(json_t *from, const char *member)
{
	const char *text = json_string_value(json_object_get(from, member));

	return text ? mem_text(text) : NULL;
}

static int read_profile(json_t *root, struct profile *p)
{
	json_t *log = json_object_get(root, "log");

	if (json_integer_value(json_object_get(root, "version")) != 1)
		return fail(E_CONFIG, "it is not of a version that this program knows");
	p->url = text_of(root, "url");
	p->pin = text_of(root, "pin");
	p->user = text_of(root, "user");
	p->home = text_of(root, "home");
	p->log_origin = text_of(log, "origin");
	p->log_key = text_of(log, "key");
	if (!p->url || strncmp(p->url, "https://", 8) != 0 || !p->user || !p->home ||
	    !p->log_origin || !p->log_key)
		return fail(E_CONFIG, "something is missing in it");
	/* A pin that is there and says nothing must not become no pin. */
	if (!p->pin && !json_is_null(json_object_get(root, "pin")))
		return fail(E_CONFIG, "its pin is none");
	return 0;
}

static int load_file(const char *path, struct profile *p)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(mem_free) char *file = mem_printf("%s/profile.json", path);
	int rc = sys_read_file(AT_FDCWD, file, FILE_MAX, &text);

	if (rc)
		return rc;
	json_t *root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	rc = read_profile(root, p);
	json_decref(root);
	return rc;
}

/* As ssh(1) does: what others may read is no secret, and what they may write says who the server
 * is. Files of others' are their owner's to protect. */
static int check_mode(const char *path, mode_t forbidden, const char *mode)
{
	struct stat st;

	if (stat(path, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & forbidden))
		return fail(E_CONFIG, "others have access to %s: chmod %s it", path, mode);
	return 0;
}

static int check_modes(const char *folder)
{
	CLEANUP(mem_free) char *key = mem_printf("%s/key.pem", folder);
	CLEANUP(mem_free) char *file = mem_printf("%s/profile.json", folder);
	int rc = check_mode(key, 077, "600");

	return rc ? rc : check_mode(file, 022, "600");
}

int profile_load(const char *name, struct profile **ret_profile)
{
	CLEANUP(profile_free) struct profile *p = mem_new(sizeof *p);
	CLEANUP(mem_free) char *path = NULL;
	int rc = dirs_path(DIRS_CONFIG, name, &path);

	if (rc)
		return rc;
	rc = load_file(path, p);
	if (!rc)
		rc = check_modes(path);
	if (rc == E_GONE) {
		err_clear();
		return fail(E_CONFIG,
			    "there is no profile '%s': ask the operator for an enrolment URL, then "
			    "'dropkeep enroll URL'%s",
			    name, strcmp(name, "default") == 0 ? "" : " with --profile");
	}
	if (rc)
		return fail(E_CONFIG, "profile '%s' cannot be used", name);
	p->name = mem_text(name);
	p->certificate = mem_printf("%s/cert.pem", path);
	p->key = mem_printf("%s/key.pem", path);
	*ret_profile = TAKE(p);
	return 0;
}

void profile_free(struct profile **pp)
{
	struct profile *p = *pp;

	if (!p)
		return;
	char **text[] = {&p->name,       &p->url,     &p->pin,         &p->user, &p->home,
			 &p->log_origin, &p->log_key, &p->certificate, &p->key};
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		mem_free(text[i]);
	mem_free(pp);
}

struct http_peer profile_peer(const struct profile *p)
{
	return (struct http_peer){p->url, p->pin, p->certificate, p->key};
}
