/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt says, and whether it is so: the proof, the record, and what opens its sealed
 * members. */
#include <jansson.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "client/receipts.h"

enum { SALT_SIZE = 32 };

static char *text_of(json_t *from, const char *member)
{
	const char *text = json_string_value(json_object_get(from, member));

	return mem_text(text ? text : "");
}

static int bytes_of(json_t *from, const char *member, struct buf *out)
{
	const char *text = json_string_value(json_object_get(from, member));

	return text ? base64_decode(view_text(text), BASE64_BARE, out)
		    : fail(E_INTEGRITY, "something is missing in the receipt");
}

/* The record has SHA-256 of salt and value; the receipt reveals both. */
static int open_member(json_t *record, json_t *opened, const char *member, struct buf *ret_value)
{
	CLEANUP(buf_done) struct buf all = {0}, committed = {0};
	uint8_t digest[SHA256_SIZE];
	int rc = bytes_of(json_object_get(record, member), "commitment", &committed);

	if (!rc)
		rc = bytes_of(json_object_get(opened, member), "salt", &all);
	if (!rc && all.len != SALT_SIZE)
		rc = fail(E_INTEGRITY, "a salt of the receipt is none");
	if (!rc)
		rc = bytes_of(json_object_get(opened, member), "value", ret_value);
	if (!rc)
		rc = buf_add(&all, ret_value->data, ret_value->len);
	if (rc)
		return E_INTEGRITY;
	sha256_of(view_buf(&all), digest);
	if (!view_equal(view_buf(&committed), view_of(digest, sizeof digest)))
		return fail(E_INTEGRITY, "the receipt's %s is not that of its record", member);
	return 0;
}

static int read_record(json_t *record, json_t *opened, struct receipt_facts *f)
{
	CLEANUP(buf_done) struct buf path = {0}, hash = {0};
	const char *event = json_string_value(json_object_get(record, "event"));
	const char *outcome = json_string_value(json_object_get(record, "outcome"));
	json_t *size = json_object_get(record, "size");

	if (!event || strcmp(event, "upload.complete") != 0 || !outcome ||
	    strcmp(outcome, "ok") != 0 || !json_is_integer(size) || json_integer_value(size) < 0)
		return fail(E_INTEGRITY, "the receipt is not about an upload");
	int rc = open_member(record, opened, "path", &path);
	if (!rc)
		rc = open_member(record, opened, "sha256", &hash);
	if (!rc && (hash.len != SHA256_SIZE || !utf8_valid(view_buf(&path)) ||
		    utf8_has_control(view_buf(&path))))
		rc = fail(E_INTEGRITY, "the receipt opens to something that cannot be");
	if (rc)
		return rc;
	memcpy(f->hash, hash.data, SHA256_SIZE);
	f->size = (uint64_t)json_integer_value(size);
	f->path = mem_text_n(path.data, path.len);
	f->user = text_of(record, "actor");
	f->time = text_of(record, "time");
	return 0;
}

/* Its place in the tree is proven, so it must be the one that the record itself names. */
static int check_number(const json_t *record, uint64_t index)
{
	const json_t *seq = json_object_get(record, "seq");

	return json_is_integer(seq) && json_integer_value(seq) >= 0 &&
		       (uint64_t)json_integer_value(seq) == index
		   ? 0
		   : fail(E_INTEGRITY, "the receipt's record is another than it says");
}

static int read_extra(const struct tlog_proof *proof, struct receipt_facts *f,
		      struct tlog_hash *ret_leaf)
{
	json_t *extra = json_loadb((const char *)proof->extra.data, proof->extra.len,
				   JSON_REJECT_DUPLICATES, NULL);
	json_t *line = json_object_get(extra, "record");
	json_t *record = json_is_string(line)
			     ? json_loadb(json_string_value(line), json_string_length(line),
					  JSON_REJECT_DUPLICATES, NULL)
			     : NULL;
	int rc = record ? read_record(record, extra, f)
			: fail(E_INTEGRITY, "the receipt holds no record");

	if (!rc)
		rc = check_number(record, proof->index);
	if (!rc)
		tlog_leaf_hash(view_of(json_string_value(line), json_string_length(line)),
			       ret_leaf);
	json_decref(record);
	json_decref(extra);
	return rc;
}

static int verify(const struct tlog_proof *proof, const struct tlog_hash *leaf, const char *origin,
		  const char *key)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(key), &v);
	struct tlog_verifier *const known[] = {v};

	return rc ? fail(E_CONFIG, "the key of the log is none")
		  : tlog_proof_verify(proof, leaf, view_text(origin), known, 1);
}

int receipt_open(struct view text, const char *origin, const char *key,
		 struct receipt_facts *ret_facts)
{
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};
	CLEANUP(tlog_proof_done) struct tlog_proof proof = {0};
	struct tlog_hash leaf;
	int rc = tlog_proof_parse(text, &proof);

	if (rc)
		return fail(E_INTEGRITY, "this is no receipt");
	rc = read_extra(&proof, &f, &leaf);
	if (!rc)
		rc = verify(&proof, &leaf, origin, key);
	if (rc)
		return rc;
	f.record = proof.index;
	f.origin = mem_text(origin);
	f.tree_size = proof.checkpoint.size;
	f.tree_root = proof.checkpoint.root;
	*ret_facts = f;
	f = (struct receipt_facts){0};
	return 0;
}

void receipt_facts_done(struct receipt_facts *f)
{
	mem_free(&f->path);
	mem_free(&f->user);
	mem_free(&f->time);
	mem_free(&f->origin);
}
