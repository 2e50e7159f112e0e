/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "daemon/ctl/verify_log.h"
#include "tlog/checkpoint.h"
#include "tlog/tiles.h"

enum { RECORDS = 300, FIRST_FILE = 200 }; /* two records files, two tiles */

static const char origin[] = "drop.example.org";

struct log {
	struct kit_folder folder;
	struct tlog_signer *signer;
	char *vkey;
};

static void log_done(struct log *l)
{
	tlog_signer_free(&l->signer);
	mem_free(&l->vkey);
	kit_folder_done(&l->folder);
}

#define LOG CLEANUP(log_done) struct log

static struct tlog_signer *new_signer(void)
{
	CLEANUP(secret_free) struct secret *seed = NULL;
	struct tlog_signer *signer = NULL;

	assert_ok(secret_setup());
	assert_ok(secret_random(TLOG_SEED_SIZE, &seed));
	assert_ok(tlog_signer_new(view_text(origin), seed, &signer));
	return signer;
}

static char *vkey_of(const struct tlog_signer *signer)
{
	CLEANUP(buf_done) struct buf text = {0};

	assert_ok(tlog_verifier_text(tlog_signer_verifier(signer), &text));
	return mem_text_n(text.data, text.len);
}

static void add_record(unsigned number, struct buf *lines, struct tlog_tiles *tiles)
{
	CLEANUP(mem_free) char *line = mem_printf("{\"seq\":%u,\"event\":\"test\"}", number);
	struct tlog_hash leaf;

	tlog_leaf_hash(view_text(line), &leaf);
	assert_ok(tlog_tiles_append(tiles, &leaf, 1));
	assert_ok(buf_printf(lines, "%s\n", line));
}

static void write_checkpoint(const struct log *l, uint64_t size, const struct tlog_hash *root)
{
	struct tlog_checkpoint c = {.origin = view_text(origin), .size = size, .root = *root};
	CLEANUP(buf_done) struct buf note = {0};

	assert_ok(tlog_checkpoint_sign(&c, l->signer, &note));
	assert_ok(sys_replace_file(l->folder.fd, "checkpoint", 0600, view_buf(&note)));
}

static struct log new_log(unsigned records)
{
	struct log l = {.folder = kit_folder(), .signer = new_signer()};
	CLEANUP(buf_done) struct buf first = {0};
	CLEANUP(buf_done) struct buf second = {0};
	CLEANUP(tlog_tiles_free) struct tlog_tiles *tiles = NULL;
	struct tlog_hash root;

	assert_ok(tlog_tiles_open(l.folder.fd, 0, NULL, &tiles));
	for (unsigned i = 0; i < records; i++)
		add_record(i, i < FIRST_FILE ? &first : &second, tiles);
	assert_ok(tlog_tiles_sync(tiles));
	assert_ok(tlog_tiles_root(tiles, &root));
	assert_ok(sys_replace_file(l.folder.fd, "records-000000.jsonl", 0600, view_buf(&first)));
	if (second.len)
		assert_ok(
		    sys_replace_file(l.folder.fd, "records-000001.jsonl", 0600, view_buf(&second)));
	write_checkpoint(&l, records, &root);
	l.vkey = vkey_of(l.signer);
	kit_write(&l.folder, "key.vkey", l.vkey);
	return l;
}

/* How many problems; a code below zero if it does not come so far. */
static int problems_of(const struct log *l, const char *vkey, const char *sentence)
{
	json_t *result = NULL;
	int rc = verify_log(l->folder.path, vkey, &result);

	if (rc) {
		assert_null(result);
		if (!strstr(err_text(), sentence))
			print_error("no '%s' in: %s\n", sentence, err_text());
		assert_non_null(strstr(err_text(), sentence));
		err_clear();
		return rc;
	}
	const json_t *problems = json_object_get(result, "problems");
	char *text = json_dumps(problems, 0);
	if (!strstr(text, sentence))
		print_error("no '%s' in: %s\n", sentence, text);
	assert_non_null(strstr(text, sentence));
	free(text);
	int count = (int)json_array_size(problems);
	json_decref(result);
	return count;
}

static void replace(const struct log *l, const char *name, struct view content)
{
	assert_ok(sys_replace_file(l->folder.fd, name, 0600, content));
}

static void log_as_it_was_written_verifies(void **state)
{
	static const unsigned sizes[] = {0, 1, 2, 3, 7, 199, 200, 201, 255, 256, 257, RECORDS};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		LOG l = new_log(sizes[i]);
		json_t *result = NULL;
		assert_int_equal(problems_of(&l, NULL, "[]"), 0);
		assert_int_equal(problems_of(&l, l.vkey, "[]"), 0);
		assert_ok(verify_log(l.folder.path, l.vkey, &result));
		assert_int_equal(json_integer_value(json_object_get(result, "size")), sizes[i]);
		assert_string_equal(json_string_value(json_object_get(result, "origin")), origin);
		assert_string_equal(json_string_value(json_object_get(result, "key")), l.vkey);
		json_decref(result);
	}
}

static void record_with_any_byte_altered_does_not_verify(void **state)
{
	static const char *const names[] = {"records-000000.jsonl", "records-000001.jsonl"};
	LOG l = new_log(RECORDS);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(buf_done) struct buf content = {0};
		assert_ok(sys_read_file(l.folder.fd, names[i], 1 << 20, &content));
		for (size_t at = 0; at < content.len; at += 97) {
			content.data[at] ^= 1;
			replace(&l, names[i], view_buf(&content));
			assert_true(problems_of(&l, NULL, "is not what the tree holds") > 0);
			content.data[at] ^= 1;
		}
		replace(&l, names[i], view_buf(&content));
	}
	assert_int_equal(problems_of(&l, NULL, "[]"), 0);
}

static void altered_record_is_named(void **state)
{
	LOG l = new_log(RECORDS);
	CLEANUP(buf_done) struct buf content = {0};

	(void)state;
	assert_ok(sys_read_file(l.folder.fd, "records-000001.jsonl", 1 << 20, &content));
	uint8_t *at = memmem(content.data, content.len, "250", 3);
	assert_non_null(at);
	*at = '3';
	replace(&l, "records-000001.jsonl", view_buf(&content));
	assert_int_equal(
	    problems_of(&l, NULL, "records-000001.jsonl: record 250 is not what the tree holds"),
	    2);
}

static void tile_altered_or_missing_is_a_problem(void **state)
{
	LOG l = new_log(RECORDS);
	CLEANUP(buf_done) struct buf content = {0};

	(void)state;
	assert_ok(sys_read_file(l.folder.fd, "tile/0/000", 1 << 20, &content));
	content.data[100] ^= 1;
	replace(&l, "tile/0/000", view_buf(&content));
	assert_true(problems_of(&l, NULL, "tile") > 0);
	assert_ok(sys_unlink(l.folder.fd, "tile/0/000"));
	assert_true(problems_of(&l, NULL, "tile") > 0);
}

/* The daemon takes its log up at the size that its catalog knows, which a crash leaves behind. */
static void tile_of_an_older_size_that_is_altered_is_a_problem(void **state)
{
	static const struct {
		unsigned older, size;
		const char *tile;
	} rows[] = {{10, 20, "tile/0/000.p/10"},
		    {254, 258, "tile/0/000.p/254"},
		    {260, 300, "tile/0/001.p/4"},
		    {300, 600, "tile/1/000.p/1"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		LOG l = new_log(rows[i].size);
		CLEANUP(tlog_tiles_free) struct tlog_tiles *tiles = NULL;
		CLEANUP(mem_free) char *folder = mem_text(rows[i].tile);
		*strrchr(folder, '/') = '\0';
		if (sys_mkdir(l.folder.fd, folder, 0700))
			err_clear();
		assert_ok(tlog_tiles_open(l.folder.fd, rows[i].size, NULL, &tiles));
		struct tlog_source tree = tlog_tiles_source(tiles);
		struct tlog_hash hashes[TLOG_TILE_WIDTH];
		unsigned width = (unsigned)strtoul(strrchr(rows[i].tile, '/') + 1, NULL, 10);
		unsigned level = rows[i].tile[5] == '1', index = rows[i].tile[9] == '1';
		for (unsigned j = 0; j < width; j++)
			assert_ok(tree.hash(tree.arg, level * TLOG_TILE_HEIGHT,
					    index * TLOG_TILE_WIDTH + j, &hashes[j]));
		struct view whole = view_of(hashes[0].byte, width * sizeof *hashes);
		replace(&l, rows[i].tile, whole);
		assert_int_equal(problems_of(&l, l.vkey, ""), 0);
		hashes[width - 1].byte[7] ^= 1;
		replace(&l, rows[i].tile, whole);
		assert_int_equal(problems_of(&l, l.vkey, rows[i].tile), 1);
		replace(&l, rows[i].tile, view_of(hashes[0].byte, 31));
		assert_int_equal(problems_of(&l, l.vkey, rows[i].tile), 1);
	}
}

static void records_cut_or_added_are_problems(void **state)
{
	LOG l = new_log(RECORDS);
	CLEANUP(buf_done) struct buf content = {0};

	(void)state;
	assert_ok(sys_read_file(l.folder.fd, "records-000001.jsonl", 1 << 20, &content));
	size_t whole = content.len;
	replace(&l, "records-000001.jsonl", view_of(content.data, whole - 1));
	assert_int_equal(problems_of(&l, NULL, "there are 299 records, the checkpoint has 300"), 2);
	assert_int_equal(problems_of(&l, NULL, "records-000001.jsonl: the last line has no end"),
			 2);
	replace(&l, "records-000001.jsonl", view_of(content.data, 0));
	assert_int_equal(problems_of(&l, NULL, "there are 200 records"), 1);
	assert_ok(sys_unlink(l.folder.fd, "records-000001.jsonl"));
	assert_int_equal(problems_of(&l, NULL, "there are 200 records"), 1);
	assert_ok(buf_add_text(&content, "{\"seq\":300}\n{\"seq\":301}\n"));
	replace(&l, "records-000001.jsonl", view_buf(&content));
	assert_int_equal(problems_of(&l, NULL, "2 records behind the checkpoint's 300"), 1);
	assert_ok(buf_add_text(&content, "torn"));
	replace(&l, "records-000001.jsonl", view_buf(&content));
	assert_int_equal(problems_of(&l, NULL, "has no end"), 2);
}

static void order_of_records_matters(void **state)
{
	LOG l = new_log(2);

	(void)state;
	kit_write(&l.folder, "records-000000.jsonl",
		  "{\"seq\":1,\"event\":\"test\"}\n{\"seq\":0,\"event\":\"test\"}\n");
	assert_int_equal(problems_of(&l, NULL, "root is not the checkpoint's"), 3);
}

static void checkpoint_with_any_byte_altered_is_refused(void **state)
{
	LOG l = new_log(RECORDS);
	CLEANUP(buf_done) struct buf note = {0};

	(void)state;
	assert_ok(sys_read_file(l.folder.fd, "checkpoint", 1 << 20, &note));
	for (size_t at = 0; at < note.len; at++) {
		note.data[at] ^= 1;
		replace(&l, "checkpoint", view_buf(&note));
		assert_int_equal(problems_of(&l, NULL, "the log's checkpoint"), E_INTEGRITY);
		note.data[at] ^= 1;
	}
	for (size_t len = 0; len < note.len; len++) {
		replace(&l, "checkpoint", view_of(note.data, len));
		assert_int_equal(problems_of(&l, NULL, "the log's checkpoint"), E_INTEGRITY);
	}
	assert_ok(sys_unlink(l.folder.fd, "checkpoint"));
	assert_int_equal(problems_of(&l, NULL, "the log's checkpoint"), E_INTEGRITY);
}

/* Whoever rewrites all of a log, its key too, is seen by who has kept the key. */
static void log_rewritten_with_another_key_is_refused(void **state)
{
	LOG l = new_log(RECORDS);
	LOG forged = new_log(RECORDS);

	(void)state;
	assert_int_equal(problems_of(&forged, NULL, "[]"), 0);
	assert_int_equal(problems_of(&forged, l.vkey, "the log's checkpoint"), E_INTEGRITY);
}

static void checkpoint_of_an_older_state_is_noticed(void **state)
{
	LOG l = new_log(10);
	struct tlog_hash root;

	(void)state;
	tlog_empty_root(&root);
	write_checkpoint(&l, 0, &root);
	assert_int_equal(problems_of(&l, NULL, "10 records behind the checkpoint's 0"), 1);
}

static void keys_and_folders_that_are_none_are_refused(void **state)
{
	LOG l = new_log(1);
	json_t *result = NULL;

	(void)state;
	assert_int_equal(problems_of(&l, "not a key", "verifier key"), E_INVALID);
	assert_int_equal(problems_of(&l, "", "verifier key"), E_INVALID);
	assert_ok(sys_unlink(l.folder.fd, "key.vkey"));
	assert_int_equal(problems_of(&l, NULL, "name the log's key with --key"), E_GONE);
	assert_fails(verify_log("/no/such/folder", NULL, &result), E_GONE);
	assert_null(result);
}

static void line_without_end_is_refused(void **state)
{
	LOG l = new_log(1);
	CLEANUP(buf_done) struct buf content = {0};

	(void)state;
	assert_ok(buf_reserve(&content, 3 << 20));
	memset(content.data, 'a', 3 << 20);
	content.len = 3 << 20;
	replace(&l, "records-000000.jsonl", view_buf(&content));
	assert_int_equal(problems_of(&l, NULL, "a line of more than"), E_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(log_as_it_was_written_verifies),
	    cmocka_unit_test(record_with_any_byte_altered_does_not_verify),
	    cmocka_unit_test(altered_record_is_named),
	    cmocka_unit_test(tile_altered_or_missing_is_a_problem),
	    cmocka_unit_test(tile_of_an_older_size_that_is_altered_is_a_problem),
	    cmocka_unit_test(records_cut_or_added_are_problems),
	    cmocka_unit_test(order_of_records_matters),
	    cmocka_unit_test(checkpoint_with_any_byte_altered_is_refused),
	    cmocka_unit_test(log_rewritten_with_another_key_is_refused),
	    cmocka_unit_test(checkpoint_of_an_older_state_is_noticed),
	    cmocka_unit_test(keys_and_folders_that_are_none_are_refused),
	    cmocka_unit_test(line_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
