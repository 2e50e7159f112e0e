/* SPDX-License-Identifier: Apache-2.0 */
/* What a receipt must hold: a log of three records is made here, with a key of its own, and each
 * part of a good receipt is replaced by another. */
#include "tests/unit/base_kit.h"

#include <jansson.h>

#include "base/secret.h"
#include "base/sha256.h"
#include "base/text.h"
#include "client/receipts.h"

#define ORIGIN "drop.example/log"

enum { SALT = 32, INDEX = 1, LEAVES = 3 };

/* What goes into a receipt; zeroed members stand for those of a good one. */
struct parts {
	const char *event, *outcome, *origin, *record, *more;
	const char *path, *revealed; /* what is committed to, what is said of it */
	size_t path_len, salt_len, hash_len;
	int64_t seq, size;
	uint64_t index;
	uint8_t seed;
	bool no_path, other_leaf;
};

static void add_base64(json_t *into, const char *name, const void *data, size_t len)
{
	CLEANUP(buf_done) struct buf text = {0};

	assert_ok(base64_encode(view_of(data, len), BASE64_BARE, &text));
	json_object_set_new(into, name, json_stringn((const char *)text.data, text.len));
}

/* A member of the record as its commitment, and of the receipt as what opens it. */
static void commit(json_t *record, json_t *extra, const char *name, struct view committed,
		   struct view revealed, size_t salt_len)
{
	CLEANUP(buf_done) struct buf all = {0};
	uint8_t salt[SALT + 1], digest[SHA256_SIZE];
	json_t *member = json_object(), *opened = json_object();

	memset(salt, name[0], sizeof salt);
	assert_ok(buf_add(&all, salt, salt_len));
	assert_ok(buf_add(&all, committed.data, committed.len));
	sha256_of(view_buf(&all), digest);
	add_base64(member, "commitment", digest, sizeof digest);
	add_base64(opened, "salt", salt, salt_len);
	add_base64(opened, "value", revealed.data, revealed.len);
	json_object_set_new(record, name, member);
	json_object_set_new(extra, name, opened);
}

static struct tlog_signer *signer(const char *name, uint8_t seed)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	struct tlog_signer *s = NULL;
	uint8_t bytes[TLOG_SEED_SIZE];

	memset(bytes, seed, sizeof bytes);
	assert_ok(secret_copy(bytes, sizeof bytes, &key));
	assert_ok(tlog_signer_new(view_text(name), key, &s));
	return s;
}

static int leaf_of(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	const struct tlog_hash *leaves = arg;

	if (level)
		tlog_node_hash(&leaves[2 * index], &leaves[2 * index + 1], ret_hash);
	else
		*ret_hash = leaves[index];
	return 0;
}

/* The proof for this line as leaf INDEX. */
static void prove(const struct parts *p, const char *line, const char *extra, struct buf *out)
{
	CLEANUP(tlog_signer_free)
	struct tlog_signer *by = signer(p->origin ? p->origin : ORIGIN, p->seed ? p->seed : 7);
	CLEANUP(buf_done) struct buf note = {0};
	const char *in_log = p->other_leaf ? "another" : line;
	struct tlog_hash leaves[LEAVES];
	struct tlog_source from = {leaf_of, leaves};
	struct tlog_checkpoint c = {.origin = view_text(p->origin ? p->origin : ORIGIN),
				    .size = LEAVES};
	struct tlog_path path;

	for (int i = 0; i < LEAVES; i++)
		tlog_leaf_hash(view_text(i == INDEX ? in_log : "else"), &leaves[i]);
	assert_ok(tlog_root(&from, LEAVES, &c.root));
	assert_ok(tlog_checkpoint_sign(&c, by, &note));
	assert_ok(tlog_prove_inclusion(&from, INDEX, LEAVES, &path));
	assert_ok(tlog_proof_write(view_text(extra), p->index ? p->index : INDEX, &path,
				   view_buf(&note), out));
}

static void make(const struct parts *p, struct buf *out)
{
	static const uint8_t hash[SHA256_SIZE + 1] = {1, 2, 3};
	const char *path = p->path ? p->path : "/acme/incoming/plan.pdf";
	struct view committed = view_of(path, p->path_len ? p->path_len : strlen(path));
	size_t salt = p->salt_len ? p->salt_len : SALT;
	struct view digest = view_of(hash, p->hash_len ? p->hash_len : SHA256_SIZE);
	json_t *extra = json_object();
	json_t *record =
	    json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:I}", "v", 1, "seq", p->seq ? p->seq : INDEX,
		      "time", "2026-11-22T09:03:06.137842Z", "actor", "anna", "event",
		      p->event ? p->event : "upload.complete", "outcome",
		      p->outcome ? p->outcome : "ok", "size", p->size ? p->size : 4711);

	commit(record, extra, "path", committed, p->revealed ? view_text(p->revealed) : committed,
	       salt);
	commit(record, extra, "sha256", digest, digest, salt);
	if (p->no_path)
		json_object_del(extra, "path");
	char *line = json_dumps(record, JSON_COMPACT);
	json_object_set_new(extra, "record", json_string(p->record ? p->record : line));
	char *text = json_dumps(extra, JSON_COMPACT);
	prove(p, line, p->more ? p->more : text, out);
	json_decref(record);
	json_decref(extra);
	free(line);
	free(text);
}

static int open_with_key(struct view text, uint8_t seed, const char *origin,
			 struct receipt_facts *ret)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *s = signer(ORIGIN, seed);
	CLEANUP(buf_done) struct buf key = {0};
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text.data, text.len);
	const char *key_text = NULL;

	assert_ok(tlog_verifier_text(tlog_signer_verifier(s), &key));
	assert_ok(buf_text(&key, &key_text));
	return receipt_open(exact, origin, key_text, ret);
}

static int open_text(struct view text)
{
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};

	return open_with_key(text, 7, ORIGIN, &f);
}

static void good_receipt_says_who_sent_what(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};

	(void)state;
	make(&(struct parts){0}, &text);
	assert_ok(open_with_key(view_buf(&text), 7, ORIGIN, &f));
	assert_string_equal(f.path, "/acme/incoming/plan.pdf");
	assert_string_equal(f.user, "anna");
	assert_string_equal(f.time, "2026-11-22T09:03:06.137842Z");
	assert_true(f.record == INDEX && f.size == 4711 && f.tree_size == LEAVES);
	assert_true(f.hash[0] == 1 && f.hash[2] == 3 && f.hash[31] == 0);
}

static void receipt_that_contradicts_itself_is_refused(void **state)
{
	static const struct parts bad[] = {
	    {.event = "upload.open"},
	    {.event = "upload.complete.refused"},
	    {.outcome = "failed"},
	    {.size = -1},
	    {.seq = 2}, /* the record of another place */
	    {.seq = -1},
	    {.index = 2},         /* the place of another record */
	    {.other_leaf = true}, /* the log holds something else */
	    {.revealed = "/acme/incoming/other.pdf"},
	    {.revealed = ""},
	    {.no_path = true},
	    {.salt_len = SALT - 1},
	    {.salt_len = SALT + 1}, /* else salt and value could be shifted into each other */
	    {.hash_len = SHA256_SIZE - 1},
	    {.hash_len = SHA256_SIZE + 1},
	    {.path = "/acme/\xff"},
	    {.path = "/acme/\x1b[2J"},
	    {.path = "/acme/a\0b", .path_len = 9},
	    {.record = "{}"},
	    {.record = "[]"},
	    {.record = "not JSON"},
	    {.more = "{}"},
	    {.more = "[]"},
	    {.more = "{\"record\":7}"},
	    {.more = "not JSON"},
	    {.seed = 8},                     /* signed by another key */
	    {.origin = "drop.example/log2"}, /* and of another log */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf text = {0};
		make(&bad[i], &text);
		int rc = open_text(view_buf(&text));
		if (rc != E_INTEGRITY)
			print_message("# row %zu\n", i);
		assert_fails(rc, E_INTEGRITY);
	}
}

/* Two readers of a member that is there twice may see different ones. */
static void record_with_a_member_twice_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	static const char twice[] =
	    "{\"v\":1,\"seq\":1,\"seq\":1,\"event\":\"upload.complete\",\"outcome\":\"ok\"}";

	(void)state;
	make(&(struct parts){.record = twice}, &text);
	assert_says(open_text(view_buf(&text)), E_INTEGRITY, "holds no record");
}

static void receipt_of_another_key_or_origin_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};
	struct receipt_facts f = {0};

	(void)state;
	make(&(struct parts){0}, &text);
	assert_fails(open_with_key(view_buf(&text), 8, ORIGIN, &f), E_INTEGRITY);
	assert_fails(open_with_key(view_buf(&text), 7, "drop.example/other", &f), E_INTEGRITY);
	assert_fails(receipt_open(view_buf(&text), ORIGIN, "no key", &f), E_CONFIG);
	assert_null(f.path);
}

static void receipt_cut_or_changed_anywhere_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf text = {0};

	(void)state;
	make(&(struct parts){0}, &text);
	for (size_t len = 0; len < text.len; len++)
		assert_fails(open_text(view_of(text.data, len)), E_INTEGRITY);
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		assert_fails(open_text(view_buf(&text)), E_INTEGRITY);
		text.data[i] ^= 1;
	}
	assert_ok(open_text(view_buf(&text)));
}

static int setup(void **state)
{
	(void)state;
	return secret_setup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_receipt_says_who_sent_what),
	    cmocka_unit_test(receipt_that_contradicts_itself_is_refused),
	    cmocka_unit_test(record_with_a_member_twice_is_refused),
	    cmocka_unit_test(receipt_of_another_key_or_origin_is_refused),
	    cmocka_unit_test(receipt_cut_or_changed_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
