/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's nodes and the keys of their objects. */
#include "daemon/keep/catalog_db.h"

#include "base/secret.h"

static void read_node(struct db_query *q, struct node_row *row)
{
	row->id = db_get_u64(q);
	row->zone = db_get_u64(q);
	row->parent = db_get_ref(q);
	row->kind = (uint8_t)db_get_u64(q); /* 1 or 2, says the schema's CHECK */
	db_get_exact(q, row->object, sizeof row->object);
	row->owner = db_get_u64(q);
	row->version = db_get_u64(q);
	row->upload = db_get_u64(q);
	row->mtime_s = db_get_i64(q);
	row->made_us = db_get_i64(q);
	row->name_len = db_get_array(q, row->name, sizeof row->name);
}

static int one_node(struct db_query *q, struct node_row *ret)
{
	struct node_row row = {0};

	if (db_next(q))
		read_node(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

/* ---- making ---- */

static int insert_node(struct catalog *c, const struct node_row *row, uint64_t *ret_id)
{
	struct db_query q = db_query(c, DB_NODE_ADD);

	db_put_u64(&q, row->zone);
	db_put_ref(&q, row->parent);
	db_put_i64(&q, row->kind);
	db_put_bytes(&q, view_of(row->object, sizeof row->object));
	db_put_u64(&q, row->owner);
	db_put_u64(&q, row->version);
	db_put_u64(&q, row->upload);
	db_put_i64(&q, row->mtime_s);
	db_put_i64(&q, row->made_us);
	db_put_array(&q, row->name, row->name_len, sizeof row->name);
	return db_insert(&q, ret_id);
}

static int insert_object_key(struct catalog *c, const struct node_row *row, struct view sealed)
{
	struct db_query q = db_query(c, DB_OBJECT_KEY_ADD);

	db_put_bytes(&q, view_of(row->object, sizeof row->object));
	db_put_u64(&q, row->zone);
	db_put_bytes(&q, sealed);
	return db_run(&q);
}

static int name_object(const struct node_row *row, bool has_key, struct node_row *fresh)
{
	static const uint8_t none[ID_SIZE];

	*fresh = *row;
	if (has_key && memcmp(row->object, none, sizeof none) != 0)
		return 0;
	return random_bytes(fresh->object, sizeof fresh->object);
}

int catalog_node_add(struct catalog *c, struct node_row *row, struct view sealed_key)
{
	struct node_row fresh;
	int rc = name_object(row, sealed_key.len > 0, &fresh);

	if (!rc)
		rc = db_group_begin(c);
	if (rc)
		return rc;
	rc = insert_node(c, &fresh, &fresh.id);
	if (!rc && sealed_key.len)
		rc = insert_object_key(c, &fresh, sealed_key);
	rc = db_group_end(c, rc);
	if (!rc)
		*row = fresh;
	return rc;
}

/* ---- finding ---- */

int catalog_node_by_id(struct catalog *c, uint64_t id, struct node_row *ret)
{
	struct db_query q = db_query(c, DB_NODE_BY_ID);

	db_put_u64(&q, id);
	return one_node(&q, ret);
}

int catalog_node_child(struct catalog *c, uint64_t parent, struct view sealed_name,
		       struct node_row *ret)
{
	struct db_query q = db_query(c, DB_NODE_CHILD);

	db_put_u64(&q, parent);
	db_put_bytes(&q, sealed_name);
	return one_node(&q, ret);
}

int catalog_node_children(struct catalog *c, uint64_t parent, uint64_t after,
			  struct node_row *ret_rows, size_t max, size_t *ret_count)
{
	struct db_query q = db_query(c, DB_NODE_CHILDREN);
	size_t count = 0;

	db_put_u64(&q, parent);
	db_put_after(&q, after);
	db_put_after(&q, max);
	while (count < max && db_next(&q))
		read_node(&q, &ret_rows[count++]);
	int rc = db_done(&q);
	if (!rc)
		*ret_count = count;
	return rc;
}

int catalog_object_key(struct catalog *c, const uint8_t object[ID_SIZE], struct buf *ret_sealed)
{
	struct db_query q = db_query(c, DB_OBJECT_KEY);

	db_put_bytes(&q, view_of(object, ID_SIZE));
	if (db_next(&q))
		db_get_buf(&q, ret_sealed);
	return db_found(&q);
}

/* ---- changing ---- */

int catalog_node_move(struct catalog *c, uint64_t id, uint64_t parent, struct view sealed_name)
{
	struct db_query q = db_query(c, DB_NODE_MOVE);

	db_put_u64(&q, id);
	db_put_u64(&q, parent); /* 0 refers to no node: a zone has one root */
	db_put_bytes(&q, sealed_name);
	return db_change(&q);
}

int catalog_node_set(struct catalog *c, const struct node_row *row)
{
	struct db_query q = db_query(c, DB_NODE_SET);

	db_put_u64(&q, row->id);
	db_put_u64(&q, row->owner);
	db_put_u64(&q, row->version);
	db_put_u64(&q, row->upload);
	db_put_i64(&q, row->mtime_s);
	return db_change(&q);
}

int catalog_node_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_NODE_REMOVE);

	db_put_u64(&q, id);
	int rc = db_change(&q);
	if (rc == E_INTEGRITY && q.sqlite == SQLITE_CONSTRAINT_FOREIGNKEY)
		return fail(E_NOT_EMPTY, "folder, version or upload below it");
	return rc;
}
