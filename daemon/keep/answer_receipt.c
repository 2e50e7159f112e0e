/* SPDX-License-Identifier: Apache-2.0 */
/* The ask about a record of the log: RECEIPT. */
#include "daemon/keep/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/clock.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/object_key.h"

/* A receipt is made in three steps: the record is found (pool), it is judged and opened (tick), the
 * proof is added (pool). */
struct receipt {
	struct keep *keep;
	uint64_t seen; /* audit_wait()'s */
	uint64_t record;
	struct trail_mark at;
	struct buf line, extra, proof;
};

static void receipt_free(void *work)
{
	struct receipt *r = work;

	buf_done(&r->line);
	buf_wipe(&r->extra);
	buf_wipe(&r->proof);
	free(r);
}

static int no_receipt(void)
{
	err_clear();
	return fail(E_GONE, "there is no such receipt");
}

static int receipt_begin(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct receipt *r = a->work ? a->work : mem_new(sizeof *r);

	r->keep = d->keep;
	r->record = a->m.receipt.record;
	a->work = r;
	a->drop_work = receipt_free;
	if (audit_wait(d->keep->audit, &r->seen, d))
		return DEED_PARKED;
	audit_position(d->keep->audit, &r->at);
	return 0;
}

static int receipt_prepare(struct deed *d)
{
	struct receipt *r = ask_of(d)->work;
	int rc = trail_find(r->keep->state_fd, &r->at, r->record, &r->line);

	return rc == E_GONE ? no_receipt() : rc;
}

static const char *text_of(const json_t *from, const char *name)
{
	const char *text = json_string_value(json_object_get(from, name));

	return text ? text : "";
}

/* Names are given again to others; what was recorded before the user was made is not theirs. */
static bool is_own(const struct principal *p, const json_t *record)
{
	char made[CLOCK_TEXT];

	clock_text(p->row.made_us, made);
	return strcmp(text_of(record, "actor"), p->row.name) == 0 &&
	       strcmp(text_of(record, "time"), made) >= 0;
}

static bool may_have(const struct principal *p, const struct zone *zone, const json_t *record)
{
	return is_own(p, record) || access_audits(&p->access, zone->row.id);
}

static int add_base64(json_t *into, const char *name, struct view bytes)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	int rc = base64_encode(bytes, BASE64_BARE, &text);

	if (!rc &&
	    json_object_set_new(into, name, json_stringn((const char *)text.data, text.len)) < 0)
		rc = fail(E_NOMEM, "no memory");
	return rc;
}

static int add_opened(json_t *extra, const json_t *record, const char *name,
		      const struct keys *keys, const struct secret *object_key)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	json_t *opened = json_object();
	int rc = record_open_member(record, name, keys, object_key, &plain);

	if (!rc) {
		struct view v = secret_view(plain);
		rc = add_base64(opened, "salt", view_of(v.data, RECORD_SALT));
		if (!rc)
			rc = add_base64(opened, "value",
					view_of(v.data + RECORD_SALT, v.len - RECORD_SALT));
	}
	if (rc)
		json_decref(opened);
	else if (json_object_set_new(extra, name, opened) < 0)
		rc = fail(E_NOMEM, "no memory");
	return rc;
}

static int object_key(struct keep *keep, const struct zone *zone, const json_t *record,
		      struct secret **ret_key)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	const char *hex = text_of(record, "object");
	uint8_t object[ID_SIZE];
	int rc = hex_decode(view_text(hex), object, sizeof object);

	if (!rc)
		rc = catalog_object_key(keep->catalog, object, &sealed);
	return rc ? rc
		  : object_key_open(keep->keys, zone->keys, object, view_buf(&sealed), ret_key);
}

static int write_extra(struct receipt *r, const json_t *record, const struct zone *zone)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	json_t *extra = json_object();
	char *text = NULL;
	int rc = object_key(r->keep, zone, record, &key);

	if (!rc && json_object_set_new(extra, "record",
				       json_stringn((const char *)r->line.data, r->line.len)) < 0)
		rc = fail(E_INTEGRITY, "a record that is no text");
	if (!rc)
		rc = add_opened(extra, record, "path", r->keep->keys, key);
	if (!rc)
		rc = add_opened(extra, record, "sha256", r->keep->keys, key);
	if (!rc)
		text = json_dumps(extra, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (!rc)
		rc = text ? buf_add_text(&r->extra, text) : fail(E_NOMEM, "no memory");
	free(text);
	json_decref(extra);
	return rc;
}

static int judge(struct ask *a, const json_t *record)
{
	struct receipt *r = a->work;
	const struct principal *p;
	const struct zone *zone = NULL;
	int rc = ask_principal(a, &p);

	if (rc)
		return rc;
	if (strcmp(text_of(record, "event"), "upload.complete") != 0 ||
	    accounts_zone_by_name(r->keep->accounts, view_text(text_of(record, "zone")), &zone) ||
	    !may_have(p, zone, record))
		return no_receipt();
	rc = write_extra(r, record, zone);
	return rc == E_GONE ? no_receipt() : rc;
}

static int receipt(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct receipt *r = a->work;
	json_t *record = json_loadb((const char *)r->line.data, r->line.len, 0, NULL);
	int rc = record ? judge(a, record) : fail(E_INTEGRITY, "a line of the log is no record");

	json_decref(record);
	return rc;
}

static int receipt_complete(struct deed *d)
{
	struct receipt *r = ask_of(d)->work;

	return trail_prove(r->keep->state_fd, r->record, view_buf(&r->extra), &r->proof);
}

static void receipt_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct receipt *r = a->work;

	if (!d->rc && r->proof.len > LINK_MAX / 2)
		(void)deed_note(d, fail(E_LIMIT, "a receipt that is too large"));
	if (!d->rc) {
		const struct answer_receipt m = {.receipt = view_buf(&r->proof)};
		answer_receipt_write(ask_out(a, 16 + r->proof.len), &m);
	}
	ask_finish(d);
}

const struct deed_row answer_receipt = {.name = "receipt",
					.begin = receipt_begin,
					.prepare = receipt_prepare,
					.decide = receipt,
					.refused = ask_refused,
					.complete = receipt_complete,
					.finish = receipt_finish};
