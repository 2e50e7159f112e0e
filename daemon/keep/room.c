/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/room.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/chores.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"

static const char name[] = "ballast";

enum { RETRY_MS = 60000 };

struct room {
	int state_fd;
	uint64_t size, low; /* low: with less than this free the ballast goes */
	bool has, making;
	int64_t not_before_ms; /* after a try that failed */
};

/* ---- the file ---- */

static int drop(int state_fd)
{
	int rc = sys_unlink(state_fd, name);

	if (rc == E_GONE) {
		err_clear();
		return 0;
	}
	/* Some file systems free the blocks only with the next transaction of their journal. */
	return rc ? rc : sys_sync(state_fd);
}

/* Of the file as it is, too: what a crash or a copy has left short or sparse is filled up. */
static int fill(int state_fd, uint64_t size)
{
	CLEANUP(sys_close) int fd = -1;
	uint64_t found = 0;
	int rc = sys_open(state_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, &fd);

	if (!rc)
		rc = sys_size(fd, &found);
	if (!rc && found > size)
		rc = sys_truncate(fd, size);
	if (!rc)
		rc = sys_allocate(fd, size);
	if (!rc)
		rc = sys_sync(fd);
	return rc ? rc : sys_sync(state_fd);
}

static int make(int state_fd, uint64_t size)
{
	int rc = fill(state_fd, size);

	if (rc) { /* half of it helps nobody */
		int undo = sys_unlink(state_fd, name);
		(void)undo; /* rc says what went wrong first */
	}
	return rc;
}

static bool is_there(int state_fd)
{
	struct stat st;

	return fstatat(state_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

/* ---- giving it up ---- */

static void give_up(struct room *r, uint64_t free_bytes)
{
	r->has = false;
	if (drop(r->state_fd))
		log_failure("the ballast, which was to make room");
	else
		log_warning("the disk is almost full (%llu bytes are left): the ballast is given "
			    "up, uploads are refused",
			    (unsigned long long)free_bytes);
}

void room_check(struct keep *keep)
{
	struct room *r = keep->room;
	uint64_t free_bytes = 0;

	if (!r->has)
		return;
	if (sys_free_space(r->state_fd, &free_bytes)) {
		err_clear(); /* whoever is to write next will say it */
		return;
	}
	if (free_bytes >= r->low)
		return;
	give_up(r, free_bytes);
	chore_record(keep, "disk.low", json_pack("{s:I}", "free", (json_int_t)free_bytes), NULL);
}

/* ---- making it again ---- */

struct making {
	struct deed deed;
	struct room *room;
};

static struct room *room_of(struct deed *d)
{
	return ((struct making *)(void *)d)->room;
}

static int making_prepare(struct deed *d)
{
	return make(room_of(d)->state_fd, room_of(d)->size);
}

static int making_decide(struct deed *d)
{
	struct event e = EVENT(.name = "disk.ok", .actor = "system");

	return audit_add(d->keep->audit, &e);
}

static void making_finish(struct deed *d)
{
	struct room *r = room_of(d);

	r->making = false;
	r->has = d->rc == 0;
	if (r->has)
		log_info("the disk has room again: the ballast is there, uploads may go on");
	else
		r->not_before_ms = clock_mono_ms() + RETRY_MS;
	free(d);
}

static const struct deed_row making_row = {
    .name = "ballast", .prepare = making_prepare, .decide = making_decide, .finish = making_finish};

/* With room to spare, so that it does not come and go. */
static bool may_make(const struct room *r)
{
	uint64_t free_bytes = 0;

	if (sys_free_space(r->state_fd, &free_bytes)) {
		err_clear();
		return false;
	}
	return free_bytes / 2 >= r->size;
}

void room_watch(struct keep *keep)
{
	struct room *r = keep->room;

	room_check(keep);
	if (r->has || r->making || !r->size || clock_mono_ms() < r->not_before_ms || !may_make(r))
		return;
	struct making *m = mem_new(sizeof *m);
	m->deed.row = &making_row;
	m->room = r;
	r->making = true;
	deeds_submit(keep->deeds, &m->deed);
}

/* ---- opening ---- */

static void begin(struct room *r)
{
	uint64_t free_bytes = 0;

	if (sys_free_space(r->state_fd, &free_bytes)) {
		err_clear();
		return;
	}
	r->has = r->size && is_there(r->state_fd);
	if (r->has && free_bytes < r->low)
		give_up(r, free_bytes);
	else if (!r->size && drop(r->state_fd))
		log_failure("a ballast that is not wanted any more");
	else if (r->size && (r->has || may_make(r)) && make(r->state_fd, r->size))
		log_failure("there is no ballast");
	r->has = r->size && is_there(r->state_fd);
}

struct room *room_open(int state_fd, uint64_t ballast, uint64_t reserve)
{
	struct room *r = mem_new(sizeof *r);

	r->state_fd = state_fd;
	r->size = ballast;
	/* Below the reserve, so that uploads of ours alone never cost the ballast. */
	r->low = (ballast < reserve ? ballast : reserve) / 2;
	begin(r);
	err_clear();
	return r;
}

void room_free(struct room **r)
{
	free(*r);
	*r = NULL;
}

uint64_t room_missing(const struct room *r)
{
	return r->has ? 0 : r->size;
}
