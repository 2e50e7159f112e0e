/* SPDX-License-Identifier: Apache-2.0 */
/* The catalog's rows of zones, nodes, contents and the outbox: what goes in comes out, what does
 * not fit together stays out. Those of accounts: test_keep_catalog_accounts.c. */
#include <stdio.h>

#include "daemon/keep/catalog_db.h"
#include "keep_catalog_kit.h"
#include "wire/messages.h"

/* Member by member: what is between them is nobody's. */
#define SAME(m)       assert_int_equal(a->m, b->m)
#define SAME_TEXT(m)  assert_string_equal(a->m, b->m)
#define SAME_ARRAY(m) assert_memory_equal(a->m, b->m, sizeof a->m)
#define SAME_BYTES(m) assert_memory_equal(a->m, b->m, a->m##_len)

static void same_zone(const struct zone_row *a, const struct zone_row *b)
{
	SAME(id);
	SAME(root);
	SAME(quota_bytes);
	SAME(used_bytes);
	SAME(reserved_bytes);
	SAME(files);
	SAME(retention_s);
	SAME(recovery);
	SAME(made_us);
	SAME(wrapped_len);
	SAME_TEXT(name);
	SAME_BYTES(wrapped);
}

static void same_node(const struct node_row *a, const struct node_row *b)
{
	SAME(id);
	SAME(zone);
	SAME(parent);
	SAME(kind);
	SAME(owner);
	SAME(version);
	SAME(upload);
	SAME(mtime_s);
	SAME(made_us);
	SAME(name_len);
	SAME_ARRAY(object);
	SAME_BYTES(name);
}

static void same_version(const struct version_row *a, const struct version_row *b)
{
	SAME(id);
	SAME(node);
	SAME(size);
	SAME(uploader);
	SAME(mtime_s);
	SAME(made_us);
	SAME(sealed_hash_len);
	SAME_ARRAY(blob);
	SAME_ARRAY(pin);
	SAME_BYTES(sealed_hash);
}

static void same_upload(const struct upload_row *a, const struct upload_row *b)
{
	SAME(id);
	SAME(node);
	SAME(principal);
	SAME(clean);
	SAME(durable);
	SAME(declared);
	SAME(reserved);
	SAME(has_source);
	SAME(source_finished);
	SAME(source_size);
	SAME(prefix);
	SAME(mtime_s);
	SAME(made_us);
	SAME(touched_us);
	SAME_ARRAY(blob);
	SAME_ARRAY(pin);
	SAME_ARRAY(source_blob);
	SAME_ARRAY(source_pin);
}

/* ---- zones ---- */

static void zone_comes_back_as_it_was_set(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	struct zone_row row = {
	    .name = "acme", .quota_bytes = INT64_MAX, .retention_s = 90, .made_us = 3};
	struct zone_row got = {0};

	assert_good(catalog_zone_add(c, &row));
	assert_good(catalog_zone_by_name(c, "acme", &got));
	same_zone(&got, &row);
	row.recovery = true;
	row.wrapped_len = sizeof row.wrapped;
	memset(row.wrapped, 7, sizeof row.wrapped);
	row.root = 12;
	row.quota_bytes = 0;
	row.retention_s = -1;
	assert_good(catalog_zone_set(c, &row));
	memset(&got, 0, sizeof got);
	assert_good(catalog_zone_by_id(c, row.id, &got));
	same_zone(&got, &row);
	row.wrapped_len = 9; /* another secret takes the place of the first */
	memset(row.wrapped, 0, sizeof row.wrapped);
	assert_good(catalog_zone_set(c, &row));
	memset(&got, 0, sizeof got);
	assert_good(catalog_zone_by_id(c, row.id, &got));
	same_zone(&got, &row);
}

static void zone_that_does_not_fit_is_refused_whole(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	struct zone_row row = {.name = "acme", .id = 5}, got;

	row.wrapped_len = sizeof row.wrapped + 1;
	assert_refused(catalog_zone_add(c, &row), E_INVALID);
	assert_int_equal(row.id, 5);
	assert_gone(catalog_zone_by_name(c, "acme", &got));
	row.wrapped_len = 0;
	row.quota_bytes = 1ULL << 63;
	assert_refused(catalog_zone_add(c, &row), E_INVALID);
	row.quota_bytes = 1;
	assert_good(catalog_zone_add(c, &row));
	assert_refused(catalog_zone_add(c, &row), E_EXISTS);
	row.id += 1;
	assert_gone(catalog_zone_set(c, &row));
	assert_gone(catalog_zone_account(c, row.id, 0, 0, 0));
}

static void account_below_zero_or_beyond_all_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme");
	struct zone_row got;

	assert_good(catalog_zone_account(c, zone, 100, 50, 2));
	assert_good(catalog_zone_account(c, zone, -40, -50, -1));
	assert_refused(catalog_zone_account(c, zone, -61, 5, 5), E_INTEGRITY);
	assert_refused(catalog_zone_account(c, zone, 5, -1, 5), E_INTEGRITY);
	assert_refused(catalog_zone_account(c, zone, 5, 5, -2), E_INTEGRITY);
	assert_refused(catalog_zone_account(c, zone, INT64_MIN, 0, 0), E_INTEGRITY);
	assert_refused(catalog_zone_account(c, zone, INT64_MAX, 0, 0), E_INTEGRITY);
	assert_good(catalog_zone_by_id(c, zone, &got));
	assert_int_equal(got.used_bytes, 60);
	assert_int_equal(got.reserved_bytes, 0);
	assert_int_equal(got.files, 1);
}

/* ---- nodes ---- */

static void node_comes_back_as_it_was_added(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme");
	struct node_row row = {.zone = zone,
			       .parent = kit_root(c, zone),
			       .kind = NODE_FILE,
			       .owner = 3,
			       .version = 4,
			       .upload = 5,
			       .mtime_s = INT64_MIN,
			       .made_us = -7,
			       .name_len = SEALED_NAME_MAX};
	struct node_row got = {0};

	memset(row.name, 0xff, sizeof row.name);
	assert_good(catalog_node_add(c, &row, view_of(NULL, 0)));
	assert_good(catalog_node_by_id(c, row.id, &got));
	same_node(&got, &row);
	memset(&got, 0, sizeof got);
	assert_good(catalog_node_child(c, row.parent, view_of(row.name, row.name_len), &got));
	same_node(&got, &row);
	row.owner = row.version = row.upload = 0;
	row.mtime_s = 1;
	assert_good(catalog_node_set(c, &row));
	assert_good(catalog_node_by_id(c, row.id, &got));
	same_node(&got, &row);
}

static void node_whose_name_is_taken_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
	uint64_t a = kit_node(c, zone, root, "a"), b = kit_node(c, zone, root, "b");
	struct node_row row = {
	    .zone = zone, .parent = root, .kind = NODE_FILE, .name = "a", .name_len = 1, .id = 42};
	struct node_row got;

	assert_refused(catalog_node_add(c, &row, view_text("key")), E_EXISTS);
	assert_int_equal(row.id, 42);
	assert_refused(catalog_node_move(c, b, root, view_text("a")), E_EXISTS);
	assert_good(catalog_node_move(c, b, a, view_text("a")));
	assert_good(catalog_node_child(c, a, view_text("a"), &got));
	assert_int_equal(got.id, b);
	assert_gone(catalog_node_child(c, root, view_text("b"), &got));
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_EXISTS);
	row.name[0] = 'b';
	assert_good(catalog_node_add(c, &row, view_of(NULL, 0)));
}

static void node_that_fits_nowhere_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
	struct node_row good = {.zone = zone,
				.parent = root,
				.kind = NODE_FILE,
				.name = "a",
				.name_len = 1},
			row, got;

	row = good;
	row.zone = 99;
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_INTEGRITY);
	row = good;
	row.parent = 99;
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_INTEGRITY);
	row = good;
	row.parent = 0; /* a second root */
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_EXISTS);
	row = good;
	row.kind = NODE_PARTIAL;
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_INTEGRITY);
	row = good;
	row.name_len = 0;
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_INTEGRITY);
	row = good;
	row.name_len = SEALED_NAME_MAX + 1;
	assert_refused(catalog_node_add(c, &row, view_of(NULL, 0)), E_INVALID);
	assert_good(catalog_node_add(c, &good, view_of(NULL, 0)));
	assert_refused(catalog_node_move(c, good.id, 0, view_text("a")), E_INTEGRITY);
	assert_refused(catalog_node_move(c, good.id, 99, view_text("a")), E_INTEGRITY);
	assert_refused(catalog_node_move(c, good.id, root, view_text("")), E_INTEGRITY);
	assert_gone(catalog_node_move(c, 99, root, view_text("z")));
	assert_gone(catalog_node_remove(c, 99));
	assert_gone(catalog_node_by_id(c, 99, &got));
	row = good;
	row.id = 99;
	assert_gone(catalog_node_set(c, &row));
}

static void object_is_drawn_or_the_callers_and_its_key_outlives_the_node(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
	struct node_row row = {
	    .zone = zone, .parent = root, .kind = NODE_FILE, .name = "a", .name_len = 1};
	static const uint8_t none[ID_SIZE];
	CLEANUP(buf_done) struct buf key = {0};
	uint8_t drawn[ID_SIZE];

	assert_good(catalog_node_add(c, &row, view_text("sealed")));
	assert_memory_not_equal(row.object, none, sizeof none);
	assert_good(catalog_object_key(c, row.object, &key));
	assert_true(view_is(view_buf(&key), "sealed"));
	assert_good(catalog_node_remove(c, row.id));
	buf_clear(&key);
	assert_good(catalog_object_key(c, row.object, &key));
	memcpy(drawn, row.object, sizeof drawn);
	assert_refused(catalog_node_add(c, &row, view_text("other")),
		       E_EXISTS); /* the same object */
	row.object[0] ^= 1;
	uint8_t mine = row.object[0];
	assert_good(catalog_node_add(c, &row, view_text("other")));
	assert_int_equal(row.object[0], mine);
	row.name[0] = 'b';
	assert_good(catalog_node_add(c, &row, view_of(NULL, 0))); /* without a key: drawn */
	assert_memory_not_equal(row.object, drawn, sizeof drawn);
	assert_gone(catalog_object_key(c, row.object, &key));
}

static void remove_node_in_use_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
	uint64_t dir = kit_node(c, zone, root, "d"), file = kit_node(c, zone, dir, "f");
	uint64_t version = kit_version(c, file, 1), upload = kit_upload(c, file, 2);

	assert_refused(catalog_node_remove(c, dir), E_NOT_EMPTY);
	assert_refused(catalog_node_remove(c, file), E_NOT_EMPTY);
	assert_good(catalog_version_remove(c, version));
	assert_refused(catalog_node_remove(c, file), E_NOT_EMPTY);
	assert_good(catalog_upload_remove(c, upload));
	assert_good(catalog_node_remove(c, file));
	assert_good(catalog_node_remove(c, dir));
}

static void children_come_in_pages_each_once(void **state)
{
	enum { CHILDREN = 250, PAGE = 7 };
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
	uint64_t other = kit_node(c, zone, root, "other"), after = 0, seen = 0;
	static struct node_row rows[PAGE];
	size_t count = 0;

	assert_good(catalog_begin(c));
	for (unsigned i = 0; i < CHILDREN; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "%u", i * 7919 % CHILDREN);
		(void)kit_node(c, zone, i % 5 ? root : other, name);
	}
	assert_good(catalog_commit(c));
	do {
		assert_good(catalog_node_children(c, root, after, rows, PAGE, &count));
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(rows[i].parent, root);
			assert_true(rows[i].id > after);
			after = rows[i].id;
		}
		seen += count;
	} while (count == PAGE);
	assert_int_equal(seen, 1 + CHILDREN - CHILDREN / 5);
	assert_good(catalog_node_children(c, root, UINT64_MAX, rows, PAGE, &count));
	assert_int_equal(count, 0);
	assert_good(catalog_node_children(c, root, 0, rows, 0, &count));
	assert_int_equal(count, 0);
	assert_good(catalog_node_children(c, 9999, 0, rows, PAGE, &count));
	assert_int_equal(count, 0);
}

/* ---- versions and uploads ---- */

static void version_comes_back_as_it_was_added(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), file = kit_node(c, zone, kit_root(c, zone), "f");
	struct version_row row = {.node = file,
				  .size = INT64_MAX,
				  .uploader = 9,
				  .mtime_s = -1,
				  .made_us = 2,
				  .sealed_hash_len = 60};
	struct version_row got = {0}, next = {0};

	memset(row.blob, 1, sizeof row.blob);
	memset(row.pin, 2, sizeof row.pin);
	memset(row.sealed_hash, 3, row.sealed_hash_len);
	assert_good(catalog_version_add(c, &row));
	assert_good(catalog_version_by_id(c, row.id, &got));
	same_version(&got, &row);
	assert_good(catalog_version_next(c, row.id - 1, &next));
	same_version(&next, &row);
	assert_gone(catalog_version_next(c, row.id, &next));
	assert_gone(catalog_version_next(c, UINT64_MAX, &next));
	assert_good(catalog_version_set_mtime(c, row.id, 77));
	assert_good(catalog_version_by_id(c, row.id, &got));
	assert_int_equal(got.mtime_s, 77);
	assert_refused(catalog_version_add(c, &row), E_EXISTS); /* the blob is another's */
	row.blob[0]++;
	row.size = 1ULL << 63;
	assert_refused(catalog_version_add(c, &row), E_INVALID);
	row.size = 0;
	row.sealed_hash_len = sizeof row.sealed_hash + 1;
	assert_refused(catalog_version_add(c, &row), E_INVALID);
	row.sealed_hash_len = 0;
	row.node = 99;
	assert_refused(catalog_version_add(c, &row), E_INTEGRITY);
	assert_gone(catalog_version_remove(c, 99));
	assert_gone(catalog_version_set_mtime(c, 99, 0));
	assert_good(catalog_version_remove(c, got.id));
	assert_gone(catalog_version_by_id(c, got.id, &got));
}

static void upload_comes_back_as_it_was_set(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), file = kit_node(c, zone, kit_root(c, zone), "f");
	struct upload_row row = {.node = file,
				 .principal = 4,
				 .durable = 65536,
				 .declared = SIZE_UNKNOWN,
				 .reserved = 1 << 26,
				 .mtime_s = INT64_MIN,
				 .made_us = 1,
				 .touched_us = 2};
	struct upload_row got = {0};

	memset(row.blob, 1, sizeof row.blob);
	memset(row.pin, 2, sizeof row.pin);
	assert_good(catalog_upload_add(c, &row));
	assert_good(catalog_upload_by_id(c, row.id, &got));
	same_upload(&got, &row);
	row.clean = row.has_source = row.source_finished = true;
	row.declared = 0;
	memset(row.source_blob, 5, sizeof row.source_blob);
	memset(row.source_pin, 6, sizeof row.source_pin);
	row.source_size = INT64_MAX;
	row.prefix = 65535;
	row.blob[0] = 9;
	assert_good(catalog_upload_set(c, &row));
	memset(&got, 0, sizeof got);
	assert_good(catalog_upload_next(c, 0, &got));
	same_upload(&got, &row);
	row.has_source = false; /* the rest of the source is forgotten with it */
	assert_good(catalog_upload_set(c, &row));
	memset(&got, 0, sizeof got);
	assert_good(catalog_upload_by_id(c, row.id, &got));
	assert_false(got.has_source || got.source_finished || got.source_size || got.prefix);
	assert_gone(catalog_upload_next(c, row.id, &got));
	assert_good(catalog_upload_remove(c, row.id));
	assert_gone(catalog_upload_remove(c, row.id));
	assert_gone(catalog_upload_set(c, &row));
}

static void upload_of_impossible_size_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), file = kit_node(c, zone, kit_root(c, zone), "f");
	struct upload_row good = {.node = file, .declared = INT64_MAX}, row = good;

	row.declared = 1ULL << 63;
	assert_refused(catalog_upload_add(c, &row), E_INVALID);
	row.declared = SIZE_UNKNOWN - 1;
	assert_refused(catalog_upload_add(c, &row), E_INVALID);
	row = good;
	row.durable = SIZE_UNKNOWN; /* means something for what is declared only */
	assert_refused(catalog_upload_add(c, &row), E_INVALID);
	row = good;
	row.reserved = 1ULL << 63;
	assert_refused(catalog_upload_add(c, &row), E_INVALID);
	row = good;
	row.has_source = true;
	row.prefix = 1ULL << 63;
	assert_refused(catalog_upload_add(c, &row), E_INVALID);
	assert_good(catalog_upload_add(c, &good));
	assert_refused(catalog_upload_add(c, &good), E_EXISTS);
}

static struct upload_row upload_touched(struct catalog *c, uint64_t node, uint8_t first, int64_t us)
{
	struct upload_row row = {.node = node, .touched_us = us};

	kit_blob(first, row.blob);
	assert_good(catalog_upload_add(c, &row));
	return row;
}

static void idle_uploads_come_from_the_longest_untouched_on(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), file = kit_node(c, zone, kit_root(c, zone), "f");
	const int64_t times[] = {30, -5, 20, 20, 10, 40};
	const uint8_t order[] = {1, 4, 2, 3, 0}; /* of those below 40; equal ones by their number */
	struct upload_row got = {.touched_us = INT64_MIN};

	assert_gone(catalog_upload_idle_after(c, INT64_MIN, 0, INT64_MAX, &got));
	for (uint8_t i = 0; i < ARRAY_LEN(times); i++)
		(void)upload_touched(c, file, i, times[i]);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_good(catalog_upload_idle_after(c, got.touched_us, got.id, 40, &got));
		assert_int_equal(got.blob[0], order[i]);
		assert_true(got.touched_us == times[order[i]]);
	}
	assert_gone(catalog_upload_idle_after(c, got.touched_us, got.id, 40, &got));
	assert_good(catalog_uploads_not_after(c, 20));
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		assert_good(catalog_upload_by_id(c, i + 1, &got));
		assert_true(got.touched_us == (times[i] < 20 ? times[i] : 20));
	}
}

/* ---- blobs ---- */

static bool known(struct catalog *c, uint8_t first)
{
	uint8_t blob[ID_SIZE];
	bool is = false;

	kit_blob(first, blob);
	assert_good(catalog_blob_known(c, blob, &is));
	return is;
}

static void blob_is_known_wherever_it_is_named(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint64_t zone = kit_zone(c, "acme"), file = kit_node(c, zone, kit_root(c, zone), "f");
	uint64_t version = kit_version(c, file, 1), upload = kit_upload(c, file, 2);
	struct upload_row row;
	uint8_t blob[ID_SIZE];

	assert_good(catalog_upload_by_id(c, upload, &row));
	row.has_source = true;
	kit_blob(3, row.source_blob);
	assert_good(catalog_upload_set(c, &row));
	kit_blob(4, blob);
	assert_good(catalog_doomed_add(c, blob));
	for (uint8_t i = 1; i <= 4; i++)
		assert_true(known(c, i));
	assert_false(known(c, 0));
	assert_false(known(c, 5));
	assert_good(catalog_version_remove(c, version));
	assert_good(catalog_upload_remove(c, upload));
	assert_good(catalog_doomed_remove(c, blob));
	for (uint8_t i = 0; i <= 5; i++)
		assert_false(known(c, i));
}

static void doomed_blobs_come_once_and_in_order(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	uint8_t blob[ID_SIZE], got[ID_SIZE];

	assert_gone(catalog_doomed_next(c, got));
	for (uint8_t i = 3; i > 0; i--) {
		kit_blob(i, blob);
		assert_good(catalog_doomed_add(c, blob));
		assert_good(catalog_doomed_add(c, blob));
	}
	assert_good(catalog_doomed_next(c, got));
	assert_int_equal(got[0], 1);
	assert_good(catalog_doomed_after(c, got, got));
	assert_int_equal(got[0], 2);
	assert_good(catalog_doomed_remove(c, got));
	assert_gone(catalog_doomed_remove(c, got));
	assert_good(catalog_doomed_after(c, got, got));
	assert_int_equal(got[0], 3);
	assert_gone(catalog_doomed_after(c, got, got));
	memset(got, 0, sizeof got); /* zeroes are a blob like others */
	assert_good(catalog_doomed_add(c, got));
	memset(got, 1, sizeof got);
	assert_good(catalog_doomed_next(c, got));
	assert_int_equal(got[0], 0);
}

/* ---- the outbox ---- */

static void outbox_keeps_exact_bytes_until_they_are_cleared(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	CLEANUP(buf_done) struct buf out = {0};

	assert_good(catalog_outbox_clear(c, 5)); /* nothing to clear is fine */
	for (uint64_t seq = 0; seq < 5; seq++)
		assert_good(catalog_outbox_add(c, seq, view_of("line\0\n", 6)));
	assert_refused(catalog_outbox_add(c, 3, view_text("other")), E_EXISTS);
	assert_refused(catalog_outbox_add(c, 1ULL << 63, view_text("other")), E_INVALID);
	assert_good(catalog_outbox_clear(c, 3));
	assert_gone(catalog_outbox_get(c, 2, &out));
	assert_good(catalog_outbox_get(c, 3, &out));
	assert_good(catalog_outbox_get(c, 4, &out));
	assert_true(view_equal(view_buf(&out), view_of("line\0\nline\0\n", 12)));
	assert_good(catalog_outbox_clear(c, UINT64_MAX));
	assert_gone(catalog_outbox_get(c, 4, &out));
}

/* ---- what a damaged file may hold ---- */

static int count_principal(void *arg, const struct principal_row *row)
{
	(void)row;
	++*(unsigned *)arg;
	return 0;
}

static void row_that_a_stranger_wrote_is_refused(void **state)
{
	CLEANUP(catalog_close) struct catalog *c = kit_catalog(*state);
	static const char *const damages[] = {
	    "UPDATE principals SET name = 'a' || char(0) || 'b'",
	    "UPDATE principals SET name = printf('%064d', 0)",
	    "UPDATE principals SET id = -1",
	};
	struct principal_row row;
	unsigned count = 0;

	(void)kit_principal(c, "acme");
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		assert_good(catalog_begin(c));
		assert_int_equal(sqlite3_exec(c->db, damages[i], 0, 0, 0), SQLITE_OK);
		assert_refused(catalog_each_principal(c, count_principal, &count), E_INTEGRITY);
		catalog_rollback(c);
	}
	assert_int_equal(count, 0);
	assert_good(catalog_principal_by_name(c, "acme", &row));
}

static void check_finds_what_does_not_fit_together(void **state)
{
	static const struct {
		const char *damage, *finding;
	} cases[] = {
	    {"UPDATE zones SET root = 0", "its root is not there"},
	    {"DELETE FROM zone_secrets", "has no secret"},
	    {"UPDATE nodes SET version = 99 WHERE kind = 2", "its version is not there"},
	    {"UPDATE nodes SET upload = 99 WHERE kind = 2", "its upload is not there"},
	    {"UPDATE zones SET used_bytes = 5", "bytes used"},
	    {"UPDATE zones SET reserved_bytes = 5", "bytes reserved"},
	    {"UPDATE nodes SET parent = (SELECT id FROM nodes WHERE kind = 2) WHERE name = X'67'",
	     "is a file"},
	    {"PRAGMA foreign_keys = OFF; DELETE FROM principals",
	     "credentials 1: refers to a row of principals"},
	};
	const struct kit *kit = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct catalog *c = kit_catalog(kit);
		CLEANUP(buf_done) struct buf problems = {0};
		const char *lines = NULL;
		uint64_t zone = kit_zone(c, "acme"), root = kit_root(c, zone);
		struct credential_row key = kit_credential(kit_principal(c, "anna"), "abc");
		assert_good(catalog_credential_add(c, &key));
		(void)kit_version(c, kit_node(c, zone, root, "f"), 1);
		(void)kit_node(c, zone, root, "g");
		assert_good(catalog_check(c, &problems));
		assert_int_equal(problems.len, 0);
		assert_int_equal(sqlite3_exec(c->db, cases[i].damage, 0, 0, 0), SQLITE_OK);
		assert_good(catalog_check(c, &problems));
		assert_good(buf_text(&problems, &lines));
		if (!strstr(lines, cases[i].finding))
			print_message("# %s: %s", cases[i].damage, lines);
		assert_non_null(strstr(lines, cases[i].finding));
		assert_ptr_equal(strchr(lines, '\n'), lines + problems.len - 1); /* nothing else */
		catalog_close(&c);
		assert_good(sys_unlink(kit->fd, "catalog.db"));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(zone_comes_back_as_it_was_set),
	    CASE(zone_that_does_not_fit_is_refused_whole),
	    CASE(account_below_zero_or_beyond_all_is_refused),
	    CASE(node_comes_back_as_it_was_added),
	    CASE(node_whose_name_is_taken_is_refused),
	    CASE(node_that_fits_nowhere_is_refused),
	    CASE(object_is_drawn_or_the_callers_and_its_key_outlives_the_node),
	    CASE(remove_node_in_use_is_refused),
	    CASE(children_come_in_pages_each_once),
	    CASE(version_comes_back_as_it_was_added),
	    CASE(upload_comes_back_as_it_was_set),
	    CASE(upload_of_impossible_size_is_refused),
	    CASE(idle_uploads_come_from_the_longest_untouched_on),
	    CASE(blob_is_known_wherever_it_is_named),
	    CASE(doomed_blobs_come_once_and_in_order),
	    CASE(outbox_keeps_exact_bytes_until_they_are_cleared),
	    CASE(row_that_a_stranger_wrote_is_refused),
	    CASE(check_finds_what_does_not_fit_together),
	};

	return cmocka_run_group_tests_name("catalog rows", tests, NULL, NULL);
}
