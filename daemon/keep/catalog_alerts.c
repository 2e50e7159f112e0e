/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's alerts. */
#include "daemon/keep/catalog_db.h"

static int one_alert(struct db_query *q, struct alert_row *ret)
{
	struct alert_row row = {0};

	if (db_next(q)) {
		row.id = db_get_u64(q);
		db_get_field(q, row.kind, sizeof row.kind);
		row.raised_us = db_get_i64(q);
		db_get_field(q, row.text, sizeof row.text);
	}
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

int catalog_alert_add(struct catalog *c, struct alert_row *row)
{
	struct db_query q = db_query(c, DB_ALERT_ADD);

	db_put_field(&q, row->kind, sizeof row->kind);
	db_put_i64(&q, row->raised_us);
	db_put_field(&q, row->text, sizeof row->text);
	return db_insert(&q, &row->id);
}

int catalog_alert_by_kind(struct catalog *c, const char *kind, struct alert_row *ret)
{
	struct db_query q = db_query(c, DB_ALERT_BY_KIND);

	db_put_text(&q, kind);
	return one_alert(&q, ret);
}

int catalog_alert_by_id(struct catalog *c, uint64_t id, struct alert_row *ret)
{
	struct db_query q = db_query(c, DB_ALERT_BY_ID);

	db_put_u64(&q, id);
	return one_alert(&q, ret);
}

int catalog_alert_next(struct catalog *c, uint64_t after, struct alert_row *ret)
{
	struct db_query q = db_query(c, DB_ALERT_NEXT);

	db_put_after(&q, after);
	return one_alert(&q, ret);
}

int catalog_alert_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_ALERT_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}
