/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's versions and uploads, tiny contents, and the blobs that are to go. */
#include "daemon/keep/catalog_db.h"

#include "base/secret.h"

/* ---- versions ---- */

static void read_version(struct db_query *q, struct version_row *row)
{
	row->id = db_get_u64(q);
	row->node = db_get_u64(q);
	db_get_exact(q, row->blob, sizeof row->blob);
	db_get_exact(q, row->pin, sizeof row->pin);
	row->tiny = db_get_bool(q);
	row->size = db_get_u64(q);
	row->sealed_hash_len = db_get_array(q, row->sealed_hash, sizeof row->sealed_hash);
	row->uploader = db_get_u64(q);
	row->mtime_s = db_get_i64(q);
	row->made_us = db_get_i64(q);
	row->has_ticket = !db_skip_null(q);
	if (row->has_ticket)
		db_get_exact(q, row->ticket, sizeof row->ticket);
	if (!db_skip_null(q))
		row->record = db_get_u64(q);
}

static int one_version(struct db_query *q, struct version_row *ret)
{
	struct version_row row = {0};

	if (db_next(q))
		read_version(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

int catalog_version_add(struct catalog *c, struct version_row *row)
{
	struct db_query q = db_query(c, DB_VERSION_ADD);

	db_put_u64(&q, row->node);
	db_put_bytes(&q, view_of(row->blob, sizeof row->blob));
	db_put_bytes(&q, view_of(row->pin, sizeof row->pin));
	db_put_i64(&q, row->tiny);
	db_put_u64(&q, row->size);
	db_put_array(&q, row->sealed_hash, row->sealed_hash_len, sizeof row->sealed_hash);
	db_put_u64(&q, row->uploader);
	db_put_i64(&q, row->mtime_s);
	db_put_i64(&q, row->made_us);
	if (row->has_ticket) {
		db_put_bytes(&q, view_of(row->ticket, sizeof row->ticket));
		db_put_u64(&q, row->record);
	} else {
		db_put_null(&q);
		db_put_null(&q);
	}
	return db_insert(&q, &row->id);
}

int catalog_version_by_ticket(struct catalog *c, const uint8_t ticket[ID_SIZE],
			      struct version_row *ret)
{
	struct db_query q = db_query(c, DB_VERSION_BY_TICKET);

	db_put_bytes(&q, view_of(ticket, ID_SIZE));
	return one_version(&q, ret);
}

int catalog_version_by_id(struct catalog *c, uint64_t id, struct version_row *ret)
{
	struct db_query q = db_query(c, DB_VERSION_BY_ID);

	db_put_u64(&q, id);
	return one_version(&q, ret);
}

int catalog_version_next(struct catalog *c, uint64_t after, struct version_row *ret)
{
	struct db_query q = db_query(c, DB_VERSION_NEXT);

	db_put_after(&q, after);
	return one_version(&q, ret);
}

int catalog_version_set_mtime(struct catalog *c, uint64_t id, int64_t mtime_s)
{
	struct db_query q = db_query(c, DB_VERSION_SET_MTIME);

	db_put_u64(&q, id);
	db_put_i64(&q, mtime_s);
	return db_change(&q);
}

int catalog_version_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_VERSION_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}

/* ---- uploads ---- */

static void read_upload(struct db_query *q, struct upload_row *row)
{
	row->id = db_get_u64(q);
	row->node = db_get_u64(q);
	row->principal = db_get_u64(q);
	db_get_exact(q, row->blob, sizeof row->blob);
	db_get_exact(q, row->pin, sizeof row->pin);
	row->clean = db_get_bool(q);
	row->durable = db_get_u64(q);
	row->declared = db_get_size(q);
	row->reserved = db_get_u64(q);
	row->has_source = !db_skip_null(q);
	if (row->has_source)
		db_get_exact(q, row->source_blob, sizeof row->source_blob);
	if (row->has_source || !db_skip_null(q))
		db_get_exact(q, row->source_pin, sizeof row->source_pin);
	row->source_finished = db_get_bool(q);
	row->source_tiny = db_get_bool(q);
	row->source_size = db_get_u64(q);
	row->prefix = db_get_u64(q);
	row->mtime_s = db_get_i64(q);
	row->made_us = db_get_i64(q);
	row->touched_us = db_get_i64(q);
	row->goes_on = db_get_bool(q);
	row->source_clean = db_get_bool(q);
	db_get_exact(q, row->ticket, sizeof row->ticket);
	row->stays = db_get_bool(q);
}

static int one_upload(struct db_query *q, struct upload_row *ret)
{
	struct upload_row row = {0};

	if (db_next(q))
		read_upload(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

static void put_source(struct db_query *q, const struct upload_row *row)
{
	if (row->has_source) {
		db_put_bytes(q, view_of(row->source_blob, sizeof row->source_blob));
		db_put_bytes(q, view_of(row->source_pin, sizeof row->source_pin));
	} else {
		db_put_null(q);
		db_put_null(q);
	}
	db_put_i64(q, row->has_source && row->source_finished);
	db_put_i64(q, row->has_source && row->source_tiny);
	db_put_u64(q, row->has_source ? row->source_size : 0);
	db_put_u64(q, row->has_source ? row->prefix : 0);
}

static void put_upload(struct db_query *q, const struct upload_row *row)
{
	db_put_u64(q, row->node);
	db_put_u64(q, row->principal);
	db_put_bytes(q, view_of(row->blob, sizeof row->blob));
	db_put_bytes(q, view_of(row->pin, sizeof row->pin));
	db_put_i64(q, row->clean);
	db_put_u64(q, row->durable);
	db_put_size(q, row->declared);
	db_put_u64(q, row->reserved);
	put_source(q, row);
	db_put_i64(q, row->mtime_s);
	db_put_i64(q, row->made_us);
	db_put_i64(q, row->touched_us);
	db_put_i64(q, row->goes_on);
	db_put_i64(q, row->has_source && row->source_clean);
	db_put_bytes(q, view_of(row->ticket, sizeof row->ticket));
	db_put_i64(q, row->stays);
}

int catalog_upload_add(struct catalog *c, struct upload_row *row)
{
	int rc = random_bytes(row->ticket, sizeof row->ticket);

	if (rc)
		return rc;
	struct db_query q = db_query(c, DB_UPLOAD_ADD);

	put_upload(&q, row);
	return db_insert(&q, &row->id);
}

int catalog_upload_set(struct catalog *c, const struct upload_row *row)
{
	struct db_query q = db_query(c, DB_UPLOAD_SET);

	put_upload(&q, row);
	db_put_u64(&q, row->id);
	return db_change(&q);
}

int catalog_upload_by_ticket(struct catalog *c, const uint8_t ticket[ID_SIZE],
			     struct upload_row *ret)
{
	struct db_query q = db_query(c, DB_UPLOAD_BY_TICKET);

	db_put_bytes(&q, view_of(ticket, ID_SIZE));
	return one_upload(&q, ret);
}

int catalog_upload_by_id(struct catalog *c, uint64_t id, struct upload_row *ret)
{
	struct db_query q = db_query(c, DB_UPLOAD_BY_ID);

	db_put_u64(&q, id);
	return one_upload(&q, ret);
}

int catalog_upload_next(struct catalog *c, uint64_t after, struct upload_row *ret)
{
	struct db_query q = db_query(c, DB_UPLOAD_NEXT);

	db_put_after(&q, after);
	return one_upload(&q, ret);
}

int catalog_upload_idle_after(struct catalog *c, int64_t touched_us, uint64_t id, int64_t before_us,
			      struct upload_row *ret)
{
	struct db_query q = db_query(c, DB_UPLOAD_IDLE_AFTER);

	db_put_i64(&q, touched_us);
	db_put_after(&q, id);
	db_put_i64(&q, before_us);
	return one_upload(&q, ret);
}

int catalog_uploads_not_after(struct catalog *c, int64_t now_us)
{
	struct db_query q = db_query(c, DB_UPLOADS_NOT_AFTER);

	db_put_i64(&q, now_us);
	return db_run(&q);
}

int catalog_upload_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_UPLOAD_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}

int catalog_uploads_end_run(struct catalog *c, uint64_t *ret_count)
{
	int rc = db_only(c, DB_UPLOADS_END_RUN);

	if (!rc)
		*ret_count = (uint64_t)sqlite3_changes(c->db);
	return rc;
}

/* ---- tiny contents ---- */

int catalog_tiny_add(struct catalog *c, const uint8_t blob[ID_SIZE], struct view content)
{
	struct db_query q = db_query(c, DB_TINY_ADD);

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	db_put_bytes(&q, content);
	return db_run(&q);
}

int catalog_tiny_get(struct catalog *c, const uint8_t blob[ID_SIZE], struct buf *out)
{
	struct db_query q = db_query(c, DB_TINY_GET);

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	if (db_next(&q))
		db_get_buf(&q, out);
	return db_found(&q);
}

int catalog_tiny_remove(struct catalog *c, const uint8_t blob[ID_SIZE])
{
	struct db_query q = db_query(c, DB_TINY_REMOVE);

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	return db_change(&q);
}

/* ---- doomed blobs ---- */

int catalog_doomed_add(struct catalog *c, const uint8_t blob[ID_SIZE])
{
	struct db_query q = db_query(c, DB_DOOMED_ADD);

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	return db_run(&q);
}

int catalog_doomed_remove(struct catalog *c, const uint8_t blob[ID_SIZE])
{
	struct db_query q = db_query(c, DB_DOOMED_REMOVE);

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	return db_change(&q);
}

int catalog_doomed_after(struct catalog *c, const uint8_t *after, uint8_t ret_blob[ID_SIZE])
{
	struct db_query q = db_query(c, DB_DOOMED_AFTER);
	uint8_t blob[ID_SIZE] = {0};

	db_put_bytes(&q, view_of(after, after ? ID_SIZE : 0)); /* no bytes sort before all */
	if (db_next(&q))
		db_get_exact(&q, blob, sizeof blob);
	int rc = db_found(&q);
	if (!rc)
		memcpy(ret_blob, blob, sizeof blob);
	return rc;
}

int catalog_doomed_next(struct catalog *c, uint8_t ret_blob[ID_SIZE])
{
	return catalog_doomed_after(c, NULL, ret_blob);
}

static int is_known(struct catalog *c, enum db_statement which, const uint8_t blob[ID_SIZE],
		    bool *ret_known)
{
	struct db_query q = db_query(c, which);
	bool known = false;

	db_put_bytes(&q, view_of(blob, ID_SIZE));
	if (db_next(&q))
		known = db_get_bool(&q);
	int rc = db_found(&q);
	if (!rc)
		*ret_known = known;
	return rc;
}

int catalog_blob_known(struct catalog *c, const uint8_t blob[ID_SIZE], bool *ret_known)
{
	return is_known(c, DB_BLOB_KNOWN, blob, ret_known);
}

int catalog_state_known(struct catalog *c, const uint8_t blob[ID_SIZE], bool *ret_known)
{
	return is_known(c, DB_STATE_KNOWN, blob, ret_known);
}
