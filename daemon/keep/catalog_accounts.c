/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's principals, credentials and grants. */
#include "daemon/keep/catalog_db.h"

/* ---- principals ---- */

static void read_principal(struct db_query *q, struct principal_row *row)
{
	*row = (struct principal_row){.id = db_get_u64(q)};
	db_get_field(q, row->name, sizeof row->name);
	row->role = (enum role)db_get_u64(q); /* the schema's CHECK knows the three */
	row->disabled = db_get_bool(q);
	row->made_us = db_get_i64(q);
}

static int one_principal(struct db_query *q, struct principal_row *ret)
{
	struct principal_row row = {0};

	if (db_next(q))
		read_principal(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

int catalog_principal_add(struct catalog *c, struct principal_row *row)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_ADD);

	db_put_field(&q, row->name, sizeof row->name);
	db_put_i64(&q, row->role);
	db_put_i64(&q, row->disabled);
	db_put_i64(&q, row->made_us);
	return db_insert(&q, &row->id);
}

int catalog_principal_by_name(struct catalog *c, const char *name, struct principal_row *ret)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_BY_NAME);

	db_put_text(&q, name);
	return one_principal(&q, ret);
}

int catalog_principal_by_id(struct catalog *c, uint64_t id, struct principal_row *ret)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_BY_ID);

	db_put_u64(&q, id);
	return one_principal(&q, ret);
}

int catalog_principal_set_disabled(struct catalog *c, uint64_t id, bool disabled)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_SET_DISABLED);

	db_put_u64(&q, id);
	db_put_i64(&q, disabled);
	return db_change(&q);
}

int catalog_principal_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}

int catalog_each_principal(struct catalog *c, int (*visit)(void *arg, const struct principal_row *),
			   void *arg)
{
	struct db_query q = db_query(c, DB_PRINCIPAL_EACH);
	struct principal_row row;
	int said = 0;

	while (!said && db_next(&q)) {
		read_principal(&q, &row);
		if (!q.rc)
			said = visit(arg, &row);
	}
	int rc = db_done(&q);
	return rc ? rc : said;
}

/* ---- credentials ---- */

static void read_credential(struct db_query *q, struct credential_row *row)
{
	*row = (struct credential_row){.id = db_get_u64(q)};
	row->principal = db_get_u64(q);
	row->kind = (enum credential_kind)db_get_u64(q);
	db_get_field(q, row->fingerprint, sizeof row->fingerprint);
	db_get_field(q, row->algorithm, sizeof row->algorithm);
	db_get_field(q, row->comment, sizeof row->comment);
	row->made_us = db_get_i64(q);
	row->expires_us = db_get_i64(q);
	db_get_field(q, row->networks, sizeof row->networks);
}

static int one_credential(struct db_query *q, struct credential_row *ret)
{
	struct credential_row row = {0};

	if (db_next(q))
		read_credential(q, &row);
	int rc = db_found(q);
	if (!rc)
		*ret = row;
	return rc;
}

int catalog_credential_add(struct catalog *c, struct credential_row *row)
{
	struct db_query q = db_query(c, DB_CREDENTIAL_ADD);

	db_put_u64(&q, row->principal);
	db_put_i64(&q, row->kind);
	db_put_field(&q, row->fingerprint, sizeof row->fingerprint);
	db_put_field(&q, row->algorithm, sizeof row->algorithm);
	db_put_field(&q, row->comment, sizeof row->comment);
	db_put_i64(&q, row->made_us);
	db_put_i64(&q, row->expires_us);
	db_put_field(&q, row->networks, sizeof row->networks);
	return db_insert(&q, &row->id);
}

int catalog_credential_find(struct catalog *c, uint64_t principal, enum credential_kind kind,
			    const char *fingerprint, struct credential_row *ret)
{
	struct db_query q = db_query(c, DB_CREDENTIAL_FIND);

	db_put_u64(&q, principal);
	db_put_i64(&q, kind);
	db_put_text(&q, fingerprint);
	return one_credential(&q, ret);
}

int catalog_credential_by_fingerprint(struct catalog *c, enum credential_kind kind,
				      const char *fingerprint, struct credential_row *ret)
{
	struct db_query q = db_query(c, DB_CREDENTIAL_BY_FINGERPRINT);

	db_put_i64(&q, kind);
	db_put_text(&q, fingerprint);
	return one_credential(&q, ret);
}

int catalog_credential_by_id(struct catalog *c, uint64_t id, struct credential_row *ret)
{
	struct db_query q = db_query(c, DB_CREDENTIAL_BY_ID);

	db_put_u64(&q, id);
	return one_credential(&q, ret);
}

int catalog_credential_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_CREDENTIAL_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}

int catalog_each_credential(struct catalog *c, uint64_t principal,
			    int (*visit)(void *arg, const struct credential_row *), void *arg)
{
	struct db_query q = db_query(c, principal ? DB_CREDENTIAL_EACH_OF : DB_CREDENTIAL_EACH);
	struct credential_row row;
	int said = 0;

	if (principal)
		db_put_u64(&q, principal);
	while (!said && db_next(&q)) {
		read_credential(&q, &row);
		if (!q.rc)
			said = visit(arg, &row);
	}
	int rc = db_done(&q);
	return rc ? rc : said;
}

/* ---- enrolments ---- */

static int drop_enrolments(struct catalog *c, uint64_t principal)
{
	struct db_query q = db_query(c, DB_ENROLMENT_DROP);

	db_put_u64(&q, principal);
	int rc = db_change(&q);
	return rc == E_GONE ? 0 : rc;
}

int catalog_enrolment_add(struct catalog *c, const struct enrolment_row *row)
{
	int rc = drop_enrolments(c, row->principal);

	if (rc)
		return rc;
	struct db_query q = db_query(c, DB_ENROLMENT_ADD);
	db_put_bytes(&q, view_of(row->code_hash, ENROLMENT_HASH));
	db_put_u64(&q, row->principal);
	db_put_i64(&q, row->made_us);
	db_put_i64(&q, row->expires_us);
	db_put_field(&q, row->networks, sizeof row->networks);
	return db_change(&q);
}

static void read_enrolment(struct db_query *q, struct enrolment_row *row)
{
	row->principal = db_get_u64(q);
	row->made_us = db_get_i64(q);
	row->expires_us = db_get_i64(q);
	db_get_field(q, row->networks, sizeof row->networks);
}

int catalog_enrolment_take(struct catalog *c, const uint8_t hash[ENROLMENT_HASH], int64_t now_us,
			   struct enrolment_row *ret)
{
	struct db_query q = db_query(c, DB_ENROLMENT_FIND);
	struct enrolment_row row = {0};

	memcpy(row.code_hash, hash, ENROLMENT_HASH);
	db_put_bytes(&q, view_of(hash, ENROLMENT_HASH));
	db_put_i64(&q, now_us);
	if (db_next(&q))
		read_enrolment(&q, &row);
	int rc = db_found(&q);
	if (!rc)
		rc = drop_enrolments(c, row.principal);
	if (!rc)
		*ret = row;
	return rc;
}

/* ---- grants ---- */

static void read_grant(struct db_query *q, struct grant_row *row)
{
	row->id = db_get_u64(q);
	row->principal = db_get_u64(q);
	row->zone = db_get_u64(q);
	row->sealed_len = db_get_array(q, row->sealed_prefix, sizeof row->sealed_prefix);
	row->rights = (uint8_t)db_get_u64(q); /* at most 255, says the schema's CHECK */
}

int catalog_grant_add(struct catalog *c, struct grant_row *row)
{
	struct db_query q = db_query(c, DB_GRANT_ADD);
	uint64_t id = 0;

	db_put_u64(&q, row->principal);
	db_put_u64(&q, row->zone);
	db_put_array(&q, row->sealed_prefix, row->sealed_len, sizeof row->sealed_prefix);
	db_put_i64(&q, row->rights);
	while (db_next(&q)) /* to the end: outside a transaction it commits only there */
		id = db_get_u64(&q);
	int rc = db_done(&q);
	if (!rc)
		row->id = id;
	return rc;
}

int catalog_grant_remove(struct catalog *c, uint64_t id)
{
	struct db_query q = db_query(c, DB_GRANT_REMOVE);

	db_put_u64(&q, id);
	return db_change(&q);
}

int catalog_each_grant(struct catalog *c, uint64_t principal,
		       int (*visit)(void *arg, const struct grant_row *), void *arg)
{
	struct db_query q = db_query(c, DB_GRANT_EACH_OF);
	struct grant_row row;
	int said = 0;

	db_put_u64(&q, principal);
	while (!said && db_next(&q)) {
		read_grant(&q, &row);
		if (!q.rc)
			said = visit(arg, &row);
	}
	int rc = db_done(&q);
	return rc ? rc : said;
}
