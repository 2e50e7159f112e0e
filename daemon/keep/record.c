/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/record.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "daemon/keep/safe_json.h"

static const char purpose[] = "dropkeep audit member v1";

static void json_free(json_t **j)
{
	json_decref(*j);
}

/* A record in the making. What could not be added sticks. */
struct making {
	json_t *r;
	bool failed;
};

static void add(struct making *m, const char *name, json_t *value)
{
	if (json_object_set_new(m->r, name, value) < 0)
		m->failed = true;
}

static void add_text(struct making *m, const char *name, const char *text)
{
	if (text && *text)
		add(m, name, safe_text(view_text(text)));
}

static void add_number(struct making *m, const char *name, uint64_t value)
{
	add(m, name, json_integer(safe_count(value)));
}

static json_t *json_base64(struct view bytes)
{
	CLEANUP(buf_done) struct buf text = {0};

	if (base64_encode(bytes, BASE64_BARE, &text))
		return NULL;
	return json_stringn((const char *)text.data, text.len);
}

/* {"commitment": …, "sealed": …}: salt || value, hashed and sealed. The member's name is
 * associated data, so that one cannot stand in for another. */
static int add_sealed(struct making *m, const struct record_frame *f, const char *name,
		      struct view value)
{
	CLEANUP(buf_wipe) struct buf plain = {0};
	CLEANUP(buf_done) struct buf sealed = {0};
	uint8_t salt[RECORD_SALT], commitment[SHA256_SIZE];

	if (value.len == 0 || !f->object_key)
		return 0;
	int rc = random_bytes(salt, sizeof salt);
	if (!rc)
		rc = buf_add(&plain, salt, sizeof salt);
	if (!rc)
		rc = buf_add(&plain, value.data, value.len);
	if (!rc)
		rc = keys_seal(f->keys, f->object_key, purpose, view_text(name), view_buf(&plain),
			       &sealed);
	if (rc)
		return rc;
	sha256_of(view_buf(&plain), commitment);
	add(m, name,
	    json_pack("{s:o,s:o}", "commitment",
		      json_base64(view_of(commitment, sizeof commitment)), "sealed",
		      json_base64(view_buf(&sealed))));
	return 0;
}

static void add_who(struct making *m, const struct event *e)
{
	const struct session *s = e->session;

	if (!s) {
		add_text(m, "actor", e->actor);
		return;
	}
	static const char *const roles[] = {
	    [ROLE_CLIENT] = "client", [ROLE_STAFF] = "staff", [ROLE_AUDITOR] = "auditor"};
	add_number(m, "session", s->number);
	if (s->authenticated) {
		add_text(m, "actor", s->user);
		add_text(m, "role", roles[s->role]);
		add_text(m, "method", s->method);
		add_text(m, "key", s->fingerprint);
	}
	add_text(m, "source", s->peer);
	add_number(m, "port", s->port);
	add_text(m, "client", s->client);
	add_text(m, "protocol", s->protocol);
	add_text(m, "cipher", s->cipher);
}

static void add_what(struct making *m, const struct event *e)
{
	add_text(m, "event", e->name);
	add_text(m, "outcome", e->code == 0 ? "ok" : e->code == E_DENIED ? "refused" : "failed");
	if (e->code)
		add_text(m, "reason", e->reason && *e->reason ? e->reason : err_word(e->code));
	else
		add_text(m, "reason", e->reason);
	add_text(m, "zone", e->zone_name);
	if (e->object) {
		char hex[2 * ID_SIZE + 1];
		hex_encode(e->object, ID_SIZE, hex);
		add_text(m, "object", hex);
	}
}

static void add_ranges(struct making *m, struct view ranges)
{
	struct reader in = reader_of(ranges);
	json_t *list = json_array();

	while (in.left >= 16) {
		json_int_t first = safe_count(read_u64(&in)), end = safe_count(read_u64(&in));
		if (json_array_append_new(list, json_pack("[I,I]", first, end)) < 0)
			m->failed = true;
	}
	add(m, "ranges", list);
}

static void add_measures(struct making *m, const struct event *e)
{
	if (e->size != SIZE_UNKNOWN)
		add_number(m, "size", e->size);
	if (e->bytes != SIZE_UNKNOWN)
		add_number(m, "bytes", e->bytes);
	if (e->ranges.len)
		add_ranges(m, e->ranges);
	if (e->resumed)
		add(m, "resumed", json_true());
	if (e->duration_us >= 0)
		add_number(m, "duration_us", (uint64_t)e->duration_us);
	if (e->detailed)
		add(m, "detail", json_incref(e->detail));
}

int record_write(const struct record_frame *f, const struct event *e, struct buf *out)
{
	CLEANUP(json_free) json_t *r = json_object();
	struct making made = {.r = r}, *m = &made;
	char time[CLOCK_TEXT];

	clock_text(f->time_us, time);
	add_number(m, "v", RECORD_SCHEMA);
	add_number(m, "seq", f->seq);
	add_text(m, "time", time);
	add_text(m, "node", f->node);
	add_who(m, e);
	add_what(m, e);
	int rc = add_sealed(m, f, "path", e->path);
	if (!rc)
		rc = add_sealed(m, f, "to", e->new_path);
	add_measures(m, e);
	if (!rc)
		rc = add_sealed(m, f, "sha256", e->hash);
	if (rc)
		return rc;

	char *line = m->failed ? NULL : json_dumps(r, JSON_COMPACT | JSON_ENSURE_ASCII);
	rc = line ? buf_add_text(out, line) : fail(E_NOMEM, "write a record");
	free(line);
	return rc;
}

static int member_bytes(const json_t *member, const char *name, struct buf *out)
{
	const json_t *text = json_object_get(member, name);

	if (!json_is_string(text))
		return fail(E_INTEGRITY, "a sealed member without its '%s'", name);
	return base64_decode(view_of(json_string_value(text), json_string_length(text)),
			     BASE64_BARE, out);
}

int record_open_member(const json_t *record, const char *name, const struct keys *k,
		       const struct secret *object_key, struct secret **ret_plain)
{
	const json_t *member = json_object_get(record, name);
	CLEANUP(buf_done) struct buf commitment = {0};
	CLEANUP(buf_done) struct buf sealed = {0};
	CLEANUP(secret_free) struct secret *plain = NULL;
	uint8_t found[SHA256_SIZE];

	if (!json_is_object(member))
		return E_GONE;
	int rc = member_bytes(member, "commitment", &commitment);
	if (!rc)
		rc = member_bytes(member, "sealed", &sealed);
	if (!rc)
		rc = keys_open(k, object_key, purpose, view_text(name), view_buf(&sealed), &plain);
	if (rc)
		return rc;
	struct view v = secret_view(plain);
	sha256_of(v, found);
	if (v.len < RECORD_SALT || !view_equal(view_buf(&commitment), view_of(found, sizeof found)))
		return fail(E_INTEGRITY, "'%s' does not match its commitment", name);
	*ret_plain = TAKE(plain);
	return 0;
}

/* The value behind the salt, as text, or as hexadecimal where it is a hash. */
static int open_member(json_t *record, const char *name, const struct keys *k,
		       const struct secret *object_key)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	int rc = record_open_member(record, name, k, object_key, &plain);

	if (rc)
		return rc == E_GONE ? 0 : rc;
	struct view v = secret_view(plain);
	struct view value = view_of(v.data + RECORD_SALT, v.len - RECORD_SALT);
	char hex[2 * SHA256_SIZE + 1];
	json_t *shown = NULL;
	if (value.len == SHA256_SIZE && strcmp(name, "sha256") == 0) {
		hex_encode(value.data, value.len, hex);
		shown = json_string(hex);
	} else {
		shown = json_stringn((const char *)value.data, value.len);
	}
	return json_object_set_new(record, name, shown) < 0 ? fail(E_NOMEM, "open a record") : 0;
}

int record_open(json_t *record, const struct keys *k, const struct secret *object_key)
{
	static const char *const members[] = {"path", "to", "sha256"};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(members) && !rc; i++)
		rc = open_member(record, members[i], k, object_key);
	return rc;
}
