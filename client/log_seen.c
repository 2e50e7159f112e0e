/* SPDX-License-Identifier: Apache-2.0 */
#include "client/log_seen.h"

#include <sys/file.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/sys.h"
#include "base/text.h"
#include "client/dirs.h"

enum { NOTE_MAX = 64 * 1024 };

/* One file for each log that the profile has known, as of receipts. */
static char *name_of(const struct profile *p, const char *ending)
{
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	sha256_of(view_text(p->log_origin), digest);
	hex_encode(digest, sizeof digest, hex);
	return mem_printf("%.8s.%s", hex, ending);
}

static int open_folder(const struct profile *p, int *ret_dir)
{
	CLEANUP(mem_free) char *below = mem_printf("%s/log", p->name);

	return dirs_open(DIRS_DATA, below, ret_dir);
}

static char *path_of(const struct profile *p, const char *name)
{
	CLEANUP(mem_free) char *below = mem_printf("%s/log/%s", p->name, name);
	char *path = NULL;

	if (dirs_path(DIRS_DATA, below, &path)) {
		err_clear();
		path = mem_text(name);
	}
	return path;
}

static int verify(const struct profile *p, struct view note, struct tlog_checkpoint *ret)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(p->log_key), &v);
	struct tlog_verifier *const known[] = {v};

	return rc ? rc : tlog_checkpoint_open(note, view_text(p->log_origin), known, 1, ret);
}

static int read_in(const struct profile *p, int dir, struct tlog_checkpoint *ret_seen)
{
	CLEANUP(mem_free) char *name = name_of(p, "checkpoint");
	CLEANUP(buf_done) struct buf note = {0};
	int rc = sys_read_file(dir, name, NOTE_MAX, &note);

	if (rc == E_GONE) {
		err_clear();
		return rc;
	}
	if (!rc && verify(p, view_buf(&note), ret_seen)) {
		CLEANUP(mem_free) char *path = path_of(p, name);
		rc = fail(E_INTEGRITY,
			  "'%s', the newest checkpoint of the log that was seen, does not verify",
			  path);
	}
	return rc;
}

int log_seen_read(const struct profile *p, struct tlog_checkpoint *ret_seen)
{
	CLEANUP(sys_close) int dir = -1;
	int rc = open_folder(p, &dir);

	return rc ? rc : read_in(p, dir, ret_seen);
}

int log_seen_keep(const struct profile *p, struct view note, const struct tlog_checkpoint *c)
{
	CLEANUP(mem_free) char *name = name_of(p, "checkpoint");
	CLEANUP(sys_close) int dir = -1;
	struct tlog_checkpoint there = {0};
	int rc = open_folder(p, &dir);

	if (!rc && flock(dir, LOCK_EX) < 0) /* another run of this program may have a newer one */
		rc = fail(E_IO, "lock the folder of checkpoints");
	if (!rc)
		rc = read_in(p, dir, &there);
	if (rc && rc != E_GONE)
		return rc;
	return rc == E_GONE || there.size < c->size ? sys_replace_file(dir, name, 0600, note) : 0;
}

int log_seen_accuse(const struct profile *p, struct view note, char **ret_file)
{
	CLEANUP(mem_free) char *name = name_of(p, "contradiction");
	CLEANUP(sys_close) int dir = -1;
	int rc = open_folder(p, &dir);

	if (!rc)
		rc = sys_replace_file(dir, name, 0600, note);
	if (!rc)
		*ret_file = path_of(p, name);
	return rc;
}
