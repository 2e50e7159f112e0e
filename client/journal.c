/* SPDX-License-Identifier: Apache-2.0 */
#include "client/journal.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "base/text.h"
#include "client/dirs.h"

enum { ENTRY_MAX = 4096 };

/* Each part ends in a NUL, so that no two keys run together. */
static int name_of(const struct journal_key *key, char ret_name[72])
{
	CLEANUP(buf_done) struct buf b = {0};
	const struct stat *st = key->st;
	uint8_t digest[SHA256_SIZE];
	int rc = buf_printf(&b, "%s%c%s%c%s%c%llu %llu %lld %lld.%09ld %lld.%09ld", key->url, 0,
			    key->user, 0, key->to, 0, (unsigned long long)st->st_dev,
			    (unsigned long long)st->st_ino, (long long)st->st_size,
			    (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
			    (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);

	if (rc)
		return rc;
	sha256_of(view_buf(&b), digest);
	hex_encode(digest, sizeof digest, ret_name);
	return 0;
}

/* Held as long as we live. A file that its holder removed in between is no lock. */
static int take_lock(struct journal *j)
{
	CLEANUP(mem_free) char *name = mem_printf("%s.lock", j->name);

	for (unsigned i = 0; i < 100; i++) {
		struct stat st;
		int rc = sys_open(j->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &j->lock);
		if (rc)
			return rc;
		if (flock(j->lock, LOCK_EX | LOCK_NB) < 0) {
			rc = errno == EWOULDBLOCK ? 0 : fail_errno(E_IO, "lock the journal");
			sys_close(&j->lock); /* it is the other's to remove */
			return rc ? rc
				  : fail(E_TAKEN, "another dropkeep is sending this file already");
		}
		/* One that a killed program left is as new, lest it be swept while we hold it. */
		if (futimens(j->lock, NULL) == 0 && fstat(j->lock, &st) == 0 && st.st_nlink > 0)
			return 0;
		sys_close(&j->lock);
	}
	return fail(E_TAKEN, "the journal's lock cannot be had");
}

/* A path that begins so and has only these letters behind it: it comes from a file and goes
 * into a request. */
static void take_path(json_t *root, const char *member, const char *prefix, const char *letters,
		      char *ret_path, size_t room)
{
	const char *text = json_string_value(json_object_get(root, member));
	size_t len = strlen(prefix);

	if (!text || strlen(text) >= room || strncmp(text, prefix, len) != 0 || !text[len] ||
	    text[len + strspn(text + len, letters)])
		return;
	(void)snprintf(ret_path, room, "%s", text);
}

static void read_entry(struct journal *j)
{
	CLEANUP(buf_done) struct buf text = {0};

	if (sys_read_file(j->dir, j->name, ENTRY_MAX, &text) == 0) {
		json_t *root = json_loadb((const char *)text.data, text.len, 0, NULL);
		take_path(root, "upload", "/uploads/", "0123456789abcdef", j->upload,
			  sizeof j->upload);
		take_path(root, "receipt", "/receipts/", "0123456789", j->receipt,
			  sizeof j->receipt);
		j->tree = json_is_true(json_object_get(root, "tree"));
		json_decref(root);
	}
	err_clear();
}

int journal_open(const struct journal_key *key, struct journal *ret_journal)
{
	CLEANUP(journal_done) struct journal j = {.dir = -1, .lock = -1};
	CLEANUP(mem_free) char *below = mem_printf("%s/uploads", key->profile);
	int rc = name_of(key, j.name);

	if (!rc)
		rc = dirs_open(DIRS_STATE, below, &j.dir);
	if (!rc)
		rc = take_lock(&j);
	if (rc)
		return rc;
	read_entry(&j);
	*ret_journal = j;
	j = (struct journal){.dir = -1, .lock = -1};
	return 0;
}

int journal_save(const struct journal *j)
{
	json_t *root = json_pack("{s:i, s:s, s:s, s:b}", "version", 1, "upload", j->upload,
				 "receipt", j->receipt, "tree", (int)j->tree);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	int rc = text ? sys_replace_file(j->dir, j->name, 0600, view_text(text))
		      : fail(E_NOMEM, "write the journal");

	free(text);
	json_decref(root);
	return rc ? fail(rc, "keep in mind how far the upload is") : 0;
}

int journal_forget(struct journal *j)
{
	int rc = sys_unlink(j->dir, j->name);

	j->upload[0] = j->receipt[0] = '\0';
	j->tree = false;
	if (rc == E_GONE) {
		err_clear();
		rc = 0;
	}
	return rc;
}

void journal_done(struct journal *j)
{
	if (j->lock >= 0) {
		char name[80];
		(void)snprintf(name, sizeof name, "%s.lock", j->name);
		(void)unlinkat(j->dir, name, 0);
	}
	sys_close(&j->lock);
	sys_close(&j->dir);
}

unsigned journal_sweep(const char *profile, unsigned days)
{
	CLEANUP(mem_free) char *below = mem_printf("%s/uploads", profile);
	time_t oldest = time(NULL) - (time_t)days * 24 * 3600;
	const struct dirent *e;
	unsigned removed = 0;
	int fd = -1;
	DIR *d = dirs_open(DIRS_STATE, below, &fd) == 0 ? fdopendir(fd) : NULL;

	while (d && (e = readdir(d))) {
		struct stat st;
		if (e->d_name[0] != '.' &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < oldest &&
		    unlinkat(dirfd(d), e->d_name, 0) == 0)
			removed++;
	}
	if (d)
		(void)closedir(d);
	else
		sys_close(&fd);
	err_clear();
	return removed;
}
