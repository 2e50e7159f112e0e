/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/recover.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/chores.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/room.h"
#include "daemon/keep/state.h"

enum { PATIENCE_S = 60, READER_PATIENCE_S = 10 };

/* ---- what is opened ---- */

/* Old gates hold the lock as well, so that none of them writes into what we take up. */
static int lock_state(struct keep *keep)
{
	int rc = sys_open(keep->state_fd, "lock", O_RDWR | O_CREAT, 0600, &keep->lock_fd);

	for (int waited = 0; !rc; waited++) {
		if (flock(keep->lock_fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			rc = fail_errno(E_IO, "lock the state directory");
		else if (waited == PATIENCE_S)
			rc = fail(E_AGAIN,
				  "another dropkeepd, or a gate of one, uses this state directory");
		else if (waited == 0)
			log_warning("waiting for another dropkeepd, or its gates, to end");
		if (!rc)
			(void)sleep(1);
	}
	return rc;
}

static int load_recipient(struct keep *keep)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc = catalog_meta_get(keep->catalog, STATE_META_RECOVERY, &text);

	if (rc == E_GONE) {
		err_clear();
		return 0;
	}
	if (!rc)
		rc = age_recipient_from_text(view_buf(&text), &keep->recovery);
	keep->has_recovery = rc == 0;
	return rc;
}

/* What the write-ahead log holds goes into the database before anything is built on it: an error
 * of the disk shows now. Another process may be reading, for a while. */
static int open_catalog(struct keep *keep)
{
	int rc =
	    catalog_open(keep->settings->state, keys_catalog(keep->keys), false, &keep->catalog);

	if (!rc)
		rc = catalog_scrub(keep->catalog);
	for (int waited = 0; rc == E_AGAIN && waited < READER_PATIENCE_S; waited++) {
		err_clear();
		(void)sleep(1);
		rc = catalog_scrub(keep->catalog);
	}
	if (!rc)
		rc = accounts_new(keep->catalog, keep->keys, &keep->accounts);
	keep->tree = (struct tree){keep->catalog, keep->accounts};
	return rc ? rc : load_recipient(keep);
}

/* ---- the log ---- */

static int explain(const struct keep *keep, int rc)
{
	return fail(rc,
		    "the audit log cannot be trusted; nothing was changed. More is told by: "
		    "dropkeepctl audit verify --log %s/log",
		    keep->settings->state);
}

static void say_lines(struct buf *text)
{
	const char *line;

	while (text->len && buf_text(text, &line) == 0) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		log_error("audit log: %.*s", (int)len, line);
		buf_eat(text, end ? len + 1 : len);
	}
}

/* All of it, not only the end that we append to: what the log says is what we vouch for. */
static int verify_log(struct keep *keep)
{
	CLEANUP(buf_done) struct buf problems = {0};
	int rc = audit_verify(keep, &problems);

	if (!rc && problems.len) {
		say_lines(&problems);
		rc = E_INTEGRITY;
	}
	return rc == E_INTEGRITY ? explain(keep, rc) : rc;
}

static int complete_log(struct keep *keep)
{
	int rc = audit_open(keep, &keep->audit);

	if (rc)
		return rc == E_INTEGRITY ? explain(keep, rc) : rc;
	keep->found.records = audit_completed(keep->audit);
	return 0;
}

/* ---- uploads ---- */

static int give_back(struct keep *keep, struct upload_row *row)
{
	uint64_t before = row->reserved;
	struct node_row node;
	int rc = catalog_node_by_id(keep->catalog, row->node, &node);

	if (rc)
		return rc == E_GONE ? fail(E_INTEGRITY, "the catalog has lost an upload's name")
				    : rc;
	rc = puts_give_back(keep, node.zone, row);
	return rc || row->reserved == before ? rc : catalog_upload_set(keep->catalog, row);
}

/* What had been reserved ahead for those who had leases. */
static int give_all_back(struct keep *keep)
{
	struct upload_row row = {0};
	int rc;

	while ((rc = catalog_upload_next(keep->catalog, row.id, &row)) == 0) {
		rc = give_back(keep, &row);
		if (rc)
			return rc;
	}
	if (rc == E_GONE)
		err_clear();
	return rc == E_GONE ? 0 : rc;
}

/* This state directory may be a copy of one that has gone on: a file key that was in use when the
 * copy was made seals nothing any more. */
static int end_leases(struct keep *keep)
{
	int rc = catalog_begin(keep->catalog);

	if (!rc)
		rc = catalog_uploads_end_run(keep->catalog, &keep->found.uploads);
	if (!rc)
		rc = give_all_back(keep);
	return rc ? rc : catalog_commit(keep->catalog);
}

/* One whose upload does not need it is litter, unless the catalog does not know its blob either:
 * then both may be all that is left of something. */
static int tidy_state(void *arg, const uint8_t id[BLOB_ID])
{
	struct keep *keep = arg;
	CLEANUP(sys_close) int fd = -1;
	bool needed = true, known = true;
	int rc = catalog_state_known(keep->catalog, id, &needed);

	if (!rc && !needed)
		rc = catalog_blob_known(keep->catalog, id, &known);
	if (rc || needed)
		return rc;
	keep->found.states++;
	if (known || blobs_read(keep->blobs, id, &fd) == E_GONE) {
		err_clear();
		return blobs_forget_state(keep->blobs, id);
	}
	return blobs_set_state_aside(keep->blobs, id);
}

static int tidy_states(struct keep *keep)
{
	return blobs_each_state(keep->blobs, tidy_state, keep);
}

/* ---- the order of the start ---- */

int recover_state(struct keep *keep)
{
	const struct settings *s = keep->settings;
	int rc = sys_open(AT_FDCWD, s->state, O_RDONLY | O_DIRECTORY, 0, &keep->state_fd);

	if (rc == E_GONE)
		return fail(E_CONFIG, "make the state directory first: dropkeepctl init");
	if (!rc)
		rc = lock_state(keep);
	if (!rc) {
		keep->room =
		    room_open(keep->state_fd, s->disk_ballast_bytes, s->disk_reserve_bytes);
		rc = keys_load(keep->state_fd, s->master_path, &keep->keys);
	}
	if (!rc)
		rc = open_catalog(keep);
	if (!rc)
		rc = verify_log(keep);
	if (!rc)
		rc = complete_log(keep);
	if (!rc)
		rc = blobs_open(keep->state_fd, s->writer_check, &keep->blobs);
	if (!rc)
		rc = end_leases(keep);
	return rc ? rc : tidy_states(keep);
}

/* ---- blobs without a row ---- */

enum { ASIDE_AT_ONCE = 256, IDS_TOLD = 8 };

struct scan {
	struct deed deed;
	struct catalog *reader;
	unsigned folder, strange;
	struct buf
	    found; /* ids of blobs that the reader did not know; then, of those without a row */
	unsigned moved;
	json_t *told;
};

static struct scan *scan_of(struct deed *d)
{
	return (struct scan *)(void *)d;
}

/* Leaves of the ids those that no row names, a bounded number. */
static int keep_unknown(struct catalog *c, struct buf *ids)
{
	size_t kept = 0;
	int rc = 0;

	for (size_t at = 0; !rc && at < ids->len && kept < ASIDE_AT_ONCE * BLOB_ID; at += BLOB_ID) {
		bool known = true;
		rc = catalog_blob_known(c, ids->data + at, &known);
		if (!known) {
			memmove(ids->data + kept, ids->data + at, BLOB_ID);
			kept += BLOB_ID;
		}
	}
	ids->len = kept;
	return rc;
}

static int look_up(struct scan *s)
{
	int rc = s->reader ? 0
			   : catalog_open_reader(s->deed.keep->boot->state,
						 keys_catalog(s->deed.keep->keys), &s->reader);

	if (!rc)
		rc = catalog_begin(s->reader);
	if (rc)
		return rc;
	rc = keep_unknown(s->reader, &s->found);
	catalog_rollback(s->reader);
	return rc;
}

static int scan_prepare(struct deed *d)
{
	struct scan *s = scan_of(d);
	unsigned strange = 0;

	buf_clear(&s->found);
	int rc = blobs_list(d->keep->blobs, s->folder, &s->found, &strange);
	s->strange += strange;
	return rc || !s->found.len ? rc : look_up(s);
}

/* What was made, or unlinked, since the pool looked is known by now, or is gone. */
static int scan_decide(struct deed *d)
{
	return keep_unknown(d->keep->catalog, &scan_of(d)->found);
}

static int scan_complete(struct deed *d)
{
	struct scan *s = scan_of(d);

	s->moved = 0;
	return s->found.len ? blobs_set_aside(d->keep->blobs, view_buf(&s->found), &s->moved) : 0;
}

static void count_moved(struct scan *s)
{
	struct recovery *found = &s->deed.keep->found;
	char id[2 * BLOB_ID + 1];

	for (size_t at = 0; s->moved && at < s->found.len; at += BLOB_ID) {
		if (json_array_size(s->told) == IDS_TOLD)
			break;
		hex_encode(s->found.data + at, BLOB_ID, id);
		json_array_append_new(s->told, json_string(id));
	}
	found->blobs += s->moved;
}

static void record_recovery(struct keep *keep, json_t *ids)
{
	const struct recovery *found = &keep->found;

	if (found->blobs)
		log_warning("%llu blobs that the catalog does not know were moved to lost+found: "
			    "was the catalog rolled back?",
			    (unsigned long long)found->blobs);
	if (!found->records && !found->states && !found->blobs)
		return;
	chore_record(keep, "recovery",
		     json_pack("{s:I,s:I,s:I,s:I,s:O}", "records", (json_int_t)found->records,
			       "uploads", (json_int_t)found->uploads, "states",
			       (json_int_t)found->states, "blobs", (json_int_t)found->blobs, "ids",
			       ids),
		     NULL);
}

static void scan_free(struct scan *s)
{
	catalog_close(&s->reader);
	buf_done(&s->found);
	json_decref(s->told);
	free(s);
}

/* A folder of which more is to be moved than at once comes again. */
static void scan_finish(struct deed *d)
{
	struct keep *keep = d->keep;
	struct scan *s = scan_of(d);

	count_moved(s);
	if (s->moved < ASIDE_AT_ONCE)
		s->folder++;
	if (!d->rc && s->folder < BLOBS_FOLDERS && !keep->stopping) {
		deeds_submit(keep->deeds, d);
		return;
	}
	if (d->rc)
		log_error("the search for blobs without a row could not be finished: %s", d->why);
	if (s->strange)
		log_warning("%u files in blobs/ are none of ours", s->strange);
	record_recovery(keep, s->told);
	scan_free(s);
}

static const struct deed_row scan_row = {.name = "recover_blobs",
					 .prepare = scan_prepare,
					 .decide = scan_decide,
					 .complete = scan_complete,
					 .finish = scan_finish};

void recover_blobs(struct keep *keep)
{
	struct scan *s = mem_new(sizeof *s);

	s->deed.row = &scan_row;
	s->told = json_array();
	deeds_submit(keep->deeds, &s->deed);
}
