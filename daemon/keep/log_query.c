/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/log_query.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/object_key.h"
#include "daemon/keep/record.h"

/* ---- filters ---- */

const char *log_text(const json_t *record, const char *member)
{
	const char *text = json_string_value(json_object_get(record, member));

	return text ? text : "";
}

static bool member_is(const json_t *record, const char *name, const char *wanted)
{
	const char *found = json_string_value(json_object_get(record, name));

	return !wanted || (found && strcmp(found, wanted) == 0);
}

static bool event_is(const json_t *record, const char *wanted)
{
	const char *found = log_text(record, "event");
	size_t n = wanted ? strlen(wanted) : 0;

	return !wanted || (strncmp(found, wanted, n) == 0 && (found[n] == '\0' || found[n] == '.'));
}

bool log_filter_matches(const struct log_filter *f, const json_t *record)
{
	const char *time = log_text(record, "time");

	if (!*time || (*f->since && strcmp(time, f->since) < 0) ||
	    (*f->until && strcmp(time, f->until) >= 0))
		return false;
	return member_is(record, "zone", f->zone) && member_is(record, "actor", f->user) &&
	       event_is(record, f->event) && member_is(record, "outcome", f->outcome) &&
	       member_is(record, "object", f->object);
}

/* ---- what is sealed ---- */

int log_opener_make(struct keep *keep, struct log_opener *ret_opener)
{
	struct log_opener o = {.keep = keep};
	int rc = keyring_make(keep->catalog, keep->accounts, &o.ring);

	if (!rc)
		*ret_opener = o;
	return rc;
}

void log_opener_done(struct log_opener *o)
{
	log_opener_close(o);
	keyring_done(&o->ring);
}

int log_opener_open(struct log_opener *o)
{
	return catalog_open_reader(o->keep->boot->state, keys_catalog(o->keep->keys), &o->reader);
}

void log_opener_close(struct log_opener *o)
{
	catalog_close(&o->reader);
}

static int object_of(const struct log_opener *o, const json_t *record,
		     const struct keyring_zone *zone, uint8_t ret_object[ID_SIZE])
{
	const char *hex = json_string_value(json_object_get(record, "object"));
	struct node_row root;

	if (hex)
		return hex_decode(view_text(hex), ret_object, ID_SIZE);
	int rc = catalog_node_by_id(o->reader, zone->root, &root);
	if (!rc)
		memcpy(ret_object, root.object, ID_SIZE);
	return rc;
}

static int unseal(const struct log_opener *o, json_t *record)
{
	const char *name = json_string_value(json_object_get(record, "zone"));
	const struct keyring_zone *zone = name ? keyring_by_name(&o->ring, name) : NULL;
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(buf_done) struct buf sealed = {0};
	uint8_t object[ID_SIZE];

	if (!zone)
		return E_GONE;
	int rc = object_of(o, record, zone, object);
	if (!rc)
		rc = catalog_object_key(o->reader, object, &sealed);
	if (!rc)
		rc = object_key_open(o->keep->keys, zone->keys, object, view_buf(&sealed), &key);
	return rc ? rc : record_open(record, o->keep->keys, key);
}

void log_show(struct log_opener *o, json_t *record)
{
	static const char *const members[] = {"path", "to", "sha256"};
	bool sealed = false;

	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		sealed |= json_is_object(json_object_get(record, members[i]));
	int rc = sealed ? unseal(o, record) : 0;
	err_clear();
	if (!rc)
		return;
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (json_is_object(json_object_get(record, members[i])))
			json_object_del(record, members[i]);
	json_object_set_new(record, rc == E_GONE ? "erased" : "damaged", json_true());
}
