/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's zones, and the end of one: crypto-shredding. */
#include "daemon/keep/catalog_db.h"

static void read_zone(struct db_query *q, struct zone_row *row)
{
	*row = (struct zone_row){.id = db_get_u64(q)};
	db_get_field(q, row->name, sizeof row->name);
	if (!db_skip_null(q))
		row->wrapped_len = db_get_array(q, row->wrapped, sizeof row->wrapped);
	row->root = db_get_u64(q);
	row->quota_bytes = db_get_u64(q);
	row->used_bytes = db_get_u64(q);
	row->reserved_bytes = db_get_u64(q);
	row->files = db_get_u64(q);
	row->retention_s = db_get_i64(q);
	row->recovery = db_get_bool(q);
	row->made_us = db_get_i64(q);
}

static int one_zone(struct db_query *q, struct zone_row *ret)
{
	struct zone_row row = {0};

	if (db_next(q))
		read_zone(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

/* ---- secrets ---- */

/*
 * secure_delete zeroes what is deleted, but not the copies that SQLite leaves in the gap of a
 * page when it moves rows between pages (tests/unit/test_keep_catalog.c would see them).
 * So the table, which is small, is emptied and written afresh: emptied pages are zeroed.
 */
static int rewrite_secrets(struct catalog *c)
{
	static const enum db_statement steps[] = {DB_SECRETS_KEEP, DB_SECRETS_CLEAR,
						  DB_SECRETS_RESTORE, DB_SECRETS_FORGET};
	int rc = 0;

	for (size_t i = 0; i < sizeof steps / sizeof *steps && !rc; i++)
		rc = db_only(c, steps[i]);
	return rc;
}

static int set_secret(struct catalog *c, uint64_t zone, struct view wrapped)
{
	struct db_query other = db_query(c, DB_SECRET_REMOVE_OTHER);

	db_put_u64(&other, zone);
	db_put_bytes(&other, wrapped);
	int rc = db_change(&other);
	if (!rc)
		rc = rewrite_secrets(c);
	else if (rc == E_GONE)
		rc = 0;
	if (rc)
		return rc;

	struct db_query q = db_query(c, DB_SECRET_ADD);
	db_put_u64(&q, zone);
	db_put_bytes(&q, wrapped);
	return db_run(&q);
}

static int set_secret_of(struct catalog *c, const struct zone_row *row)
{
	if (row->wrapped_len > sizeof row->wrapped)
		return fail(E_INVALID, "a wrapped secret is too long");
	if (row->wrapped_len == 0)
		return 0;
	return set_secret(c, row->id, view_of(row->wrapped, row->wrapped_len));
}

/* ---- rows ---- */

static int insert_zone(struct catalog *c, const struct zone_row *row, uint64_t *ret_id)
{
	struct db_query q = db_query(c, DB_ZONE_ADD);

	db_put_field(&q, row->name, sizeof row->name);
	db_put_u64(&q, row->root);
	db_put_u64(&q, row->quota_bytes);
	db_put_u64(&q, row->used_bytes);
	db_put_u64(&q, row->reserved_bytes);
	db_put_u64(&q, row->files);
	db_put_i64(&q, row->retention_s);
	db_put_i64(&q, row->recovery);
	db_put_i64(&q, row->made_us);
	return db_insert(&q, ret_id);
}

int catalog_zone_add(struct catalog *c, struct zone_row *row)
{
	uint64_t before = row->id;
	int rc = db_group_begin(c);

	if (rc)
		return rc;
	rc = insert_zone(c, row, &row->id);
	if (!rc)
		rc = set_secret_of(c, row);
	rc = db_group_end(c, rc);
	if (rc)
		row->id = before;
	return rc;
}

static int update_zone(struct catalog *c, const struct zone_row *row)
{
	struct db_query q = db_query(c, DB_ZONE_SET);

	db_put_u64(&q, row->id);
	db_put_u64(&q, row->root);
	db_put_u64(&q, row->quota_bytes);
	db_put_i64(&q, row->retention_s);
	db_put_i64(&q, row->recovery);
	db_put_i64(&q, row->made_us);
	return db_change(&q);
}

int catalog_zone_set(struct catalog *c, const struct zone_row *row)
{
	int rc = db_group_begin(c);

	if (rc)
		return rc;
	rc = update_zone(c, row);
	if (!rc)
		rc = set_secret_of(c, row);
	return db_group_end(c, rc);
}

int catalog_zone_by_name(struct catalog *c, const char *name, struct zone_row *ret)
{
	struct db_query q = db_query(c, DB_ZONE_BY_NAME);

	db_put_text(&q, name);
	return one_zone(&q, ret);
}

int catalog_zone_by_id(struct catalog *c, uint64_t id, struct zone_row *ret)
{
	struct db_query q = db_query(c, DB_ZONE_BY_ID);

	db_put_u64(&q, id);
	return one_zone(&q, ret);
}

int catalog_each_zone(struct catalog *c, int (*visit)(void *arg, const struct zone_row *),
		      void *arg)
{
	struct db_query q = db_query(c, DB_ZONE_EACH);
	struct zone_row row;
	int said = 0;

	while (!said && db_next(&q)) {
		read_zone(&q, &row);
		if (!q.rc)
			said = visit(arg, &row);
	}
	int rc = db_done(&q);
	return rc ? rc : said;
}

/* That no count falls below 0 is a CHECK of the schema, and E_INTEGRITY here. */
int catalog_zone_account(struct catalog *c, uint64_t zone, int64_t used, int64_t reserved,
			 int64_t files)
{
	struct db_query q = db_query(c, DB_ZONE_ACCOUNT);

	db_put_u64(&q, zone);
	db_put_i64(&q, used);
	db_put_i64(&q, reserved);
	db_put_i64(&q, files);
	return db_change(&q);
}

/* ---- the end of a zone ---- */

static int remove_all(struct catalog *c, uint64_t zone)
{
	/* The doomed list first, for it is drawn from what goes then; children before parents,
	 * as the references demand. */
	static const enum db_statement steps[] = {
	    DB_ZONE_DOOM_VERSIONS,    DB_ZONE_DOOM_UPLOADS,      DB_ZONE_DOOM_SOURCES,
	    DB_ZONE_DROP_TINY,        DB_ZONE_DROP_TINY_SOURCES, DB_ZONE_DROP_UPLOADS,
	    DB_ZONE_DROP_VERSIONS,    DB_ZONE_DROP_NODES,        DB_ZONE_DROP_GRANTS,
	    DB_ZONE_DROP_OBJECT_KEYS, DB_SECRET_REMOVE,
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof steps / sizeof *steps && !rc; i++)
		rc = db_of(c, steps[i], zone);
	return rc ? rc : rewrite_secrets(c);
}

int catalog_zone_remove(struct catalog *c, uint64_t zone)
{
	/* Zone 0 stands for all zones in the grants, and is none. */
	if (zone == 0)
		return E_GONE;
	int rc = db_group_begin(c);
	if (rc)
		return rc;
	rc = remove_all(c, zone);
	if (!rc) {
		struct db_query q = db_query(c, DB_ZONE_DROP);
		db_put_u64(&q, zone);
		rc = db_change(&q);
	}
	return db_group_end(c, rc);
}
