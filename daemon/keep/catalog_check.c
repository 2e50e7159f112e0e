/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the catalog's files are whole and its rows agree with each other. */
#include <time.h>

#include "base/mem.h"
#include "daemon/keep/catalog_db.h"
#include "daemon/keep/catalog_wal.h"

enum {
	TRIES = 4, /* for what may have been met half-written */
	PAUSE_NS = 10 * 1000 * 1000,
	LOCK_PAGE = 0x40000000 / CATALOG_PAGE + 1, /* SQLite's locks are there, never content */
};

static void pause_a_little(void)
{
	const struct timespec t = {.tv_nsec = PAUSE_NS};

	(void)nanosleep(&t, NULL);
}

/* Of this thread's error chain, as a line. */
static int add_error(struct buf *out)
{
	int rc = buf_printf(out, "%s\n", err_text());

	err_clear();
	return rc;
}

/* A checkpoint may be writing this very page. */
static bool page_good(struct catalog *c, uint32_t number, int *ret_rc)
{
	uint8_t page[CATALOG_PAGE];
	int rc;

	for (unsigned i = 0; i < TRIES; i++) {
		if (i)
			pause_a_little();
		rc = catalog_vfs_raw_page(c->db, number, page);
		if (rc || catalog_vfs_page_is(c->vfs, number, page)) {
			*ret_rc = rc;
			return true;
		}
	}
	return false;
}

/* Also those that no tree reaches, and those that the log has newer. */
static int check_pages(struct catalog *c, struct buf *out)
{
	int rc = 0;

	for (uint32_t number = 1; !rc; number++) {
		if (number == LOCK_PAGE)
			continue;
		if (!page_good(c, number, &rc))
			rc = buf_printf(out,
					"catalog.db: page %lu is damaged, or not of this keep\n",
					(unsigned long)number);
	}
	return rc == E_GONE ? 0 : rc;
}

static int check_log(struct catalog *c, struct buf *out)
{
	CLEANUP(mem_free) char *path = mem_printf("%s-wal", c->path);
	int rc = wal_check(path);

	for (unsigned i = 1; i < TRIES && rc == E_INTEGRITY; i++) {
		err_clear();
		pause_a_little();
		rc = wal_check(path);
	}
	return rc == E_INTEGRITY ? add_error(out) : rc;
}

static int check_lines(struct catalog *c, enum db_statement which, struct buf *out)
{
	struct db_query q = db_query(c, which);

	while (db_next(&q)) {
		size_t before = out->len;
		db_get_text(&q, out);
		if (!q.rc && view_is(view_of(out->data + before, out->len - before), "ok"))
			out->len = before;
		else if (!q.rc)
			q.rc = buf_add(out, "\n", 1);
	}
	return db_done(&q);
}

int catalog_check(struct catalog *c, struct buf *out)
{
	static const enum db_statement checks[] = {
	    DB_CHECK_PAGES,      DB_CHECK_REFERENCES, DB_CHECK_SECRETS, DB_CHECK_ROOTS,
	    DB_CHECK_PARENTS,    DB_CHECK_VERSIONS,   DB_CHECK_TINY,    DB_CHECK_TINY_SOURCES,
	    DB_CHECK_TINY_NAMED, DB_CHECK_UPLOADS,    DB_CHECK_USED,    DB_CHECK_RESERVED};
	int rc = check_pages(c, out);

	if (!rc)
		rc = check_log(c, out);
	for (size_t i = 0; i < ARRAY_LEN(checks) && !rc; i++)
		rc = check_lines(c, checks[i], out);
	return rc;
}
