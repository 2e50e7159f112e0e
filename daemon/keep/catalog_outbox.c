/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox of the log: the exact bytes of records until the log has them for good. */
#include "daemon/keep/catalog_db.h"

int catalog_outbox_add(struct catalog *c, uint64_t seq, struct view line)
{
	struct db_query q = db_query(c, DB_OUTBOX_ADD);

	db_put_u64(&q, seq);
	db_put_bytes(&q, line);
	return db_run(&q);
}

int catalog_outbox_get(struct catalog *c, uint64_t seq, struct buf *out)
{
	struct db_query q = db_query(c, DB_OUTBOX_GET);

	db_put_u64(&q, seq);
	if (db_next(&q))
		db_get_buf(&q, out);
	return db_found(&q);
}

int catalog_outbox_clear(struct catalog *c, uint64_t below)
{
	struct db_query q = db_query(c, DB_OUTBOX_CLEAR);

	db_put_after(&q, below); /* from 2^63 on: all there can be */
	return db_run(&q);
}
