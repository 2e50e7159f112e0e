/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the operations of tree do when they are allowed: rows, counters, blobs, names, what
 * each sees before and after. Who may do them is in test_keep_tree.c.
 */
#include "tests/unit/keep_world.h"

#include "base/mem.h"

static struct world world;
static uint64_t acme;

static int open_world(void **state)
{
	(void)state;
	world_open(&world);
	acme = world_zone(&world, "acme");
	(void)world_user(&world, "anna", ROLE_CLIENT, acme);
	(void)world_user(&world, "bert", ROLE_CLIENT, acme);
	(void)world_user(&world, "sam", ROLE_STAFF, acme);
	(void)world_user(&world, "zoe", ROLE_STAFF, 0);
	(void)world_user(&world, "boss", 0, 0);
	world_grant(&world, "boss", acme, "", "lrwodm");
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	world_check(&world);
	world_close(&world);
	return 0;
}

/* ---- helpers ---- */

static const struct principal *who(const char *name)
{
	return world_who(&world, name);
}

static int stat_of(const char *user, const char *path, struct attrs *ret_attrs)
{
	CLEANUP(buf_done) struct buf names = {0};
	int rc = tree_stat(&world.tree, who(user), view_text(path), &names, ret_attrs);

	ret_attrs->owner_name = view_of(NULL, 0);
	return rc;
}

/* kind, size and mtime as one sees them. */
static void expect_stat(const char *user, const char *path, uint8_t kind, uint64_t size)
{
	struct attrs a = {0};

	assert_int_equal(stat_of(user, path, &a), 0);
	assert_int_equal(a.kind, kind);
	assert_int_equal(a.size, size);
}

static void expect_missing(const char *user, const char *path)
{
	struct attrs a = {0};

	assert_int_equal(stat_of(user, path, &a), E_GONE);
	err_clear();
}

static void expect_counters(uint64_t used, uint64_t reserved, uint64_t files)
{
	struct zone_row row = world_zone_row(&world, acme);

	assert_int_equal(row.used_bytes, used);
	assert_int_equal(row.reserved_bytes, reserved);
	assert_int_equal(row.files, files);
}

static struct spot spot_of(const char *user, const char *path)
{
	struct spot s = {.exists = false};

	assert_int_equal(tree_walk(&world.tree, who(user), view_text(path), true, &s), 0);
	return s;
}

static void put(const char *user, const char *path, uint64_t size)
{
	assert_int_equal(world_put(&world, user, path, size), 0);
}

static void begin(const char *user, const char *path, uint64_t durable)
{
	assert_int_equal(world_begin(&world, user, path, durable), 0);
}

static int rm(const char *user, const char *path, struct change *ret_change)
{
	return tree_remove(&world.tree, who(user), view_text(path), ret_change);
}

static int mv(const char *user, const char *from, const char *to, bool replace,
	      struct change *ret_change)
{
	return tree_rename(&world.tree, who(user), view_text(from), view_text(to), replace,
			   ret_change);
}

static unsigned count_doomed(void)
{
	uint8_t blob[ID_SIZE];
	unsigned n = 0;

	for (int rc = catalog_doomed_after(world.catalog, NULL, blob); rc == 0; n++)
		rc = catalog_doomed_after(world.catalog, blob, blob);
	return n;
}

/* ---- uploads and what is seen of them ---- */

static void partial_is_seen_by_its_uploader_alone(void **state)
{
	(void)state;
	begin("anna", "/acme/incoming/f", 77);
	expect_stat("anna", "/acme/incoming/f", NODE_PARTIAL, 77);
	expect_missing("bert", "/acme/incoming/f");
	expect_missing("sam", "/acme/incoming/f");
	expect_missing("boss", "/acme/incoming/f");
	expect_counters(0, 1077, 0);
	assert_int_equal(world_finish(&world, "anna", "/acme/incoming/f", 90), 0);
	expect_stat("anna", "/acme/incoming/f", NODE_FILE, 90);
	expect_stat("sam", "/acme/incoming/f", NODE_FILE, 90);
	expect_missing("bert", "/acme/incoming/f");
	expect_counters(90, 0, 1);
}

static void partial_beside_a_version_shows_each_their_own(void **state)
{
	struct change c;

	(void)state;
	put("sam", "/acme/deliverables/f", 100);
	begin("sam", "/acme/deliverables/f", 30);
	expect_stat("sam", "/acme/deliverables/f", NODE_PARTIAL, 30);
	expect_stat("zoe", "/acme/deliverables/f", NODE_FILE, 100);
	expect_stat("anna", "/acme/deliverables/f", NODE_FILE, 100);
	expect_counters(100, 1030, 1);
	world_check(&world);

	/* rm takes the partial, and a second one the version. */
	assert_int_equal(rm("sam", "/acme/deliverables/f", &c), 0);
	assert_true(c.was_partial);
	assert_int_equal(c.size, 30);
	assert_string_equal(c.zone_name, "acme");
	assert_int_equal(c.zone, acme);
	expect_stat("sam", "/acme/deliverables/f", NODE_FILE, 100);
	expect_stat("anna", "/acme/deliverables/f", NODE_FILE, 100);
	expect_counters(100, 0, 1);
	assert_int_equal(count_doomed(),
			 1); /* its own blob, not the version's that it began from */
	world_check(&world);
	assert_int_equal(rm("sam", "/acme/deliverables/f", &c), 0);
	assert_false(c.was_partial);
	assert_int_equal(c.size, 100);
	expect_missing("sam", "/acme/deliverables/f");
	expect_missing("anna", "/acme/deliverables/f");
	expect_counters(0, 0, 0);
	assert_int_equal(count_doomed(), 1);
}

static void publication_replaces_the_version_and_frees_its_blob(void **state)
{
	(void)state;
	put("sam", "/acme/deliverables/f", 100);
	struct spot before = spot_of("sam", "/acme/deliverables/f");
	put("zoe", "/acme/deliverables/f", 250); /* by `o` */
	struct spot after = spot_of("sam", "/acme/deliverables/f");
	assert_memory_equal(before.node.object, after.node.object, ID_SIZE);
	assert_int_equal(after.version.size, 250);
	assert_false(after.own);
	assert_true(spot_of("zoe", "/acme/deliverables/f").own_version);
	expect_counters(250, 0, 1);
	assert_int_equal(count_doomed(), 1);
}

static void version_removed_under_a_partial_stays_its_source(void **state)
{
	struct change c;

	(void)state;
	put("sam", "/acme/deliverables/f", 100);
	begin("sam", "/acme/deliverables/f", 30);
	assert_int_equal(rm("zoe", "/acme/deliverables/f", &c), 0); /* by `d` */
	assert_false(c.was_partial);
	assert_int_equal(c.size, 100);
	expect_missing("zoe", "/acme/deliverables/f");
	expect_stat("sam", "/acme/deliverables/f", NODE_PARTIAL, 30);
	expect_counters(0, 1030, 0);
	assert_int_equal(count_doomed(), 0); /* the partial still goes on from that blob */
	world_check(&world);
	assert_int_equal(world_put(&world, "zoe", "/acme/deliverables/f", 1), E_TAKEN);
	err_clear();
	assert_int_equal(rm("sam", "/acme/deliverables/f", &c), 0);
	assert_true(c.was_partial);
	assert_int_equal(count_doomed(), 2);
	expect_counters(0, 0, 0);
}

static void source_that_was_never_finished_goes_with_its_upload(void **state)
{
	struct change c;

	(void)state;
	begin("anna", "/acme/incoming/f", 30);
	struct spot s = spot_of("anna", "/acme/incoming/f");
	/* As after an unclean end: another blob, which continues the first one. */
	s.upload.has_source = true;
	s.upload.source_finished = false;
	memcpy(s.upload.source_blob, s.upload.blob, ID_SIZE);
	s.upload.blob[0] ^= 1;
	assert_int_equal(buf_add(&world.blobs, s.upload.blob, ID_SIZE), 0);
	assert_int_equal(catalog_upload_set(world.catalog, &s.upload), 0);
	world_check(&world);
	assert_int_equal(rm("anna", "/acme/incoming/f", &c), 0);
	assert_int_equal(count_doomed(), 2);
}

static void upload_at_is_told_to_its_uploader_alone(void **state)
{
	uint64_t upload = 99;

	(void)state;
	begin("anna", "/acme/incoming/f", 1);
	uint64_t number = spot_of("anna", "/acme/incoming/f").node.upload;
	assert_int_equal(
	    tree_upload_at(&world.tree, who("anna"), view_text("/acme/incoming/f"), &upload), 0);
	assert_int_equal(upload, number);
	assert_int_equal(
	    tree_upload_at(&world.tree, who("bert"), view_text("/acme/incoming/f"), &upload), 0);
	assert_int_equal(upload, 0);
	upload = 99;
	assert_int_equal(
	    tree_upload_at(&world.tree, who("sam"), view_text("/acme/incoming/f"), &upload), 0);
	assert_int_equal(upload, 0);
	upload = 99;
	assert_int_equal(
	    tree_upload_at(&world.tree, who("anna"), view_text("/acme/incoming/g"), &upload), 0);
	assert_int_equal(upload, 0);
	upload = 99;
	assert_int_equal(tree_upload_at(&world.tree, who("anna"), view_text("/acme/no/g"), &upload),
			 E_GONE);
	assert_int_equal(upload, 99);
	err_clear();
}

static void ownership_ends_where_w_is_revoked(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	begin("anna", "/acme/incoming/g", 10);
	world_mkdir(&world, "anna", "/acme/incoming/d");
	assert_int_equal(accounts_revoke(world.tree.accounts, who("anna")->row.id, acme, "incoming",
					 RIGHT_WRITE),
			 0);
	world_grant(&world, "anna", acme, "incoming", "l");
	expect_stat("anna", "/acme/incoming/f", NODE_FILE, 10); /* as any other's */
	expect_missing("anna", "/acme/incoming/g");
	assert_int_equal(rm("anna", "/acme/incoming/f", &c), E_DENIED);
	assert_int_equal(
	    tree_remove_dir(&world.tree, who("anna"), view_text("/acme/incoming/d"), &c), E_DENIED);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/h", false, &c), E_DENIED);
	assert_int_equal(world_put(&world, "anna", "/acme/incoming/f", 1), E_DENIED);
	err_clear();
}

static void overwriting_without_w_is_enough_for_what_is_there(void **state)
{
	struct change c;

	(void)state;
	(void)world_user(&world, "otto", 0, 0);
	world_grant(&world, "otto", acme, "deliverables", "lo");
	put("sam", "/acme/deliverables/f", 10);
	assert_int_equal(world_put(&world, "otto", "/acme/deliverables/new", 1), E_DENIED);
	begin("otto", "/acme/deliverables/f", 3);
	expect_stat("otto", "/acme/deliverables/f", NODE_PARTIAL, 3); /* to be resumed */
	begin("otto", "/acme/deliverables/f", 3);
	expect_stat("sam", "/acme/deliverables/f", NODE_FILE, 10);
	assert_int_equal(rm("otto", "/acme/deliverables/f", &c), 0);
	assert_true(c.was_partial);
	assert_int_equal(rm("otto", "/acme/deliverables/f", &c), E_DENIED);
	put("otto", "/acme/deliverables/f", 20);
	expect_counters(20, 0, 1);
	assert_int_equal(rm("otto", "/acme/deliverables/f", &c), E_DENIED);
	err_clear();
}

static void reading_without_listing_needs_the_name(void **state)
{
	uint8_t page[512];
	struct writer w = writer_of(page, sizeof page);
	uint64_t cursor = 0;
	bool end = false;

	(void)state;
	(void)world_user(&world, "rita", 0, 0);
	world_grant(&world, "rita", acme, "deliverables", "r");
	put("sam", "/acme/deliverables/f", 10);
	expect_stat("rita", "/acme/deliverables/f", NODE_FILE, 10);
	struct spot s = spot_of("rita", "/acme/deliverables/f");
	assert_int_equal(tree_may_get(&s), 0);
	assert_int_equal(tree_list(&world.tree, who("rita"), view_text("/acme/deliverables"), 0, &w,
				   &cursor, &end),
			 0);
	assert_int_equal(w.len, 0);
	assert_true(end);
}

/* ---- folders ---- */

static void folder_is_made_with_owner_and_key(void **state)
{
	CLEANUP(buf_done) struct buf key = {0};
	struct change c;

	(void)state;
	assert_int_equal(tree_make_dir(&world.tree, who("anna"), view_text("/acme/incoming/d"), &c),
			 0);
	struct spot s = spot_of("anna", "/acme/incoming/d");
	assert_true(s.own);
	assert_int_equal(s.node.owner, who("anna")->row.id);
	assert_memory_equal(s.node.object, c.object, ID_SIZE);
	assert_int_equal(c.zone, acme);
	assert_int_equal(c.size, 0);
	assert_int_equal(catalog_object_key(world.catalog, c.object, &key), 0);
	expect_stat("sam", "/acme/incoming/d", NODE_DIR, 0);
	assert_int_equal(
	    tree_remove_dir(&world.tree, who("anna"), view_text("/acme/incoming/d"), &c), 0);
	assert_memory_equal(s.node.object, c.object, ID_SIZE);
	expect_missing("anna", "/acme/incoming/d");
	expect_missing("sam", "/acme/incoming/d");
}

static void folder_at_the_place_of_a_grant_may_be_made(void **state)
{
	struct change c;

	(void)state;
	(void)world_user(&world, "deep", 0, 0);
	world_grant(&world, "deep", acme, "projects", "lrw");
	world_grant(&world, "deep", acme, "a/b", "lrw");
	expect_missing("deep", "/acme/projects");
	assert_int_equal(world_put(&world, "deep", "/acme/projects/f", 1), E_GONE);
	assert_int_equal(tree_make_dir(&world.tree, who("deep"), view_text("/acme/projects"), &c),
			 0);
	put("deep", "/acme/projects/f", 1);
	/* Only the very place: the way there is not theirs to make. */
	assert_int_equal(tree_make_dir(&world.tree, who("deep"), view_text("/acme/a"), &c),
			 E_DENIED);
	assert_int_equal(tree_make_dir(&world.tree, who("deep"), view_text("/acme/a/b"), &c),
			 E_GONE);
	world_mkdir(&world, "boss", "/acme/a");
	assert_int_equal(tree_make_dir(&world.tree, who("deep"), view_text("/acme/a/b"), &c), 0);
	err_clear();
}

static void folders_of_the_zone_stay_even_for_one_with_all_rights(void **state)
{
	static const char *const fixed[] = {"/acme", "/acme/incoming", "/acme/deliverables"};
	struct change c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
		assert_int_equal(tree_remove_dir(&world.tree, who("boss"), view_text(fixed[i]), &c),
				 E_DENIED);
		assert_int_equal(mv("boss", fixed[i], "/acme/other", true, &c), E_DENIED);
		assert_int_equal(mv("boss", fixed[i], "/acme/incoming/x", true, &c), E_DENIED);
	}
	err_clear();
	world_mkdir(&world, "boss", "/acme/own");
	assert_int_equal(mv("boss", "/acme/own", "/acme/incoming", true, &c), E_EXISTS);
	assert_int_equal(mv("boss", "/acme/own", "/acme/other", false, &c), 0);
	put("boss", "/acme/other/f", 5);
	assert_int_equal(mv("boss", "/acme/other/f", "/acme/f", false, &c), E_DENIED);
	assert_int_equal(rm("boss", "/acme/other/f", &c), 0);
	assert_int_equal(tree_remove_dir(&world.tree, who("boss"), view_text("/acme/other"), &c),
			 0);
	err_clear();
}

static void folder_with_something_hidden_is_not_empty(void **state)
{
	struct change c;

	(void)state;
	world_mkdir(&world, "sam", "/acme/deliverables/d");
	begin("zoe", "/acme/deliverables/d/f", 1);
	assert_int_equal(
	    tree_remove_dir(&world.tree, who("sam"), view_text("/acme/deliverables/d"), &c),
	    E_NOT_EMPTY);
	assert_string_equal(err_cause(), "folder is not empty");
	err_clear();
	assert_int_equal(rm("zoe", "/acme/deliverables/d/f", &c), 0);
	assert_int_equal(
	    tree_remove_dir(&world.tree, who("sam"), view_text("/acme/deliverables/d"), &c), 0);
}

/* ---- renames ---- */

static void rename_keeps_the_object_and_all_behind_it(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/a.filepart", 10);
	struct spot before = spot_of("anna", "/acme/incoming/a.filepart");
	world_mkdir(&world, "anna", "/acme/incoming/d");
	assert_int_equal(mv("anna", "/acme/incoming/a.filepart", "/acme/incoming/d/a", false, &c),
			 0);
	struct spot after = spot_of("anna", "/acme/incoming/d/a");
	assert_int_equal(after.node.id, before.node.id);
	assert_int_equal(after.node.version, before.node.version);
	assert_memory_equal(after.node.object, before.node.object, ID_SIZE);
	assert_memory_equal(c.object, before.node.object, ID_SIZE);
	assert_int_equal(after.node.parent, spot_of("anna", "/acme/incoming/d").node.id);
	assert_int_equal(c.size, 10);
	assert_false(c.replaced);
	expect_missing("anna", "/acme/incoming/a.filepart");
	expect_stat("sam", "/acme/incoming/d/a", NODE_FILE, 10);
	expect_missing("bert", "/acme/incoming/d/a");
	expect_counters(10, 0, 1);
	assert_int_equal(count_doomed(), 0);
}

static void rename_with_replace_dooms_what_was_there(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/new", 10);
	put("anna", "/acme/incoming/old", 300);
	struct spot moved = spot_of("anna", "/acme/incoming/new"),
		    gone = spot_of("anna", "/acme/incoming/old");
	assert_int_equal(mv("anna", "/acme/incoming/new", "/acme/incoming/old", false, &c),
			 E_EXISTS);
	err_clear();
	assert_int_equal(mv("anna", "/acme/incoming/new", "/acme/incoming/old", true, &c), 0);
	assert_true(c.replaced);
	assert_int_equal(c.replaced_size, 300);
	assert_int_equal(c.size, 10);
	assert_memory_equal(c.object, moved.node.object, ID_SIZE);
	assert_memory_equal(c.replaced_object, gone.node.object, ID_SIZE);
	assert_int_equal(spot_of("anna", "/acme/incoming/old").node.id, moved.node.id);
	expect_missing("anna", "/acme/incoming/new");
	expect_counters(10, 0, 1);
	assert_int_equal(count_doomed(), 1);
}

static void rename_replaces_a_version_and_the_partial_beside_it(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/new", 10);
	put("anna", "/acme/incoming/old", 300);
	begin("anna", "/acme/incoming/old", 50); /* goes on from the version */
	assert_int_equal(mv("anna", "/acme/incoming/new", "/acme/incoming/old", true, &c), 0);
	assert_true(c.replaced);
	expect_stat("anna", "/acme/incoming/old", NODE_FILE, 10);
	expect_counters(10, 0, 1);
	assert_int_equal(count_doomed(), 2);
}

static void rename_moves_a_version_and_the_partial_beside_it(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 300);
	begin("anna", "/acme/incoming/f", 50);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/g", false, &c), 0);
	assert_true(c.was_partial);
	expect_stat("anna", "/acme/incoming/g", NODE_PARTIAL, 50);
	expect_stat("sam", "/acme/incoming/g", NODE_FILE, 300);
	expect_missing("anna", "/acme/incoming/f");
	assert_int_equal(world_finish(&world, "anna", "/acme/incoming/g", 60), 0);
	expect_stat("sam", "/acme/incoming/g", NODE_FILE, 60);
	expect_counters(60, 0, 1);
}

static void rename_of_a_partial_moves_the_upload(void **state)
{
	struct change c;

	(void)state;
	begin("anna", "/acme/incoming/f", 50);
	uint64_t upload = spot_of("anna", "/acme/incoming/f").node.upload;
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/g", false, &c), 0);
	assert_true(c.was_partial);
	assert_int_equal(c.size, 50);
	assert_int_equal(spot_of("anna", "/acme/incoming/g").node.upload, upload);
	expect_missing("sam", "/acme/incoming/g");
	begin("anna", "/acme/incoming/h", 60);
	assert_int_equal(mv("anna", "/acme/incoming/g", "/acme/incoming/h", true, &c), 0);
	assert_int_equal(spot_of("anna", "/acme/incoming/h").node.upload, upload);
	assert_true(c.replaced);
	assert_int_equal(c.replaced_size, 60);
	expect_counters(0, 1050, 0);
}

static void rename_of_a_partial_over_a_finished_file_is_refused(void **state)
{
	struct change c;

	(void)state;
	begin("anna", "/acme/incoming/f", 50);
	put("anna", "/acme/incoming/g", 70);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/g", true, &c),
			 E_UNFINISHED);
	err_clear();
	expect_stat("sam", "/acme/incoming/g", NODE_FILE, 70);
	assert_int_equal(world_finish(&world, "anna", "/acme/incoming/f", 55), 0);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/g", true, &c), 0);
	expect_stat("sam", "/acme/incoming/g", NODE_FILE, 55);
}

static void rename_under_anothers_upload_is_refused(void **state)
{
	struct change c;

	(void)state;
	put("sam", "/acme/deliverables/f", 70);
	put("sam", "/acme/deliverables/g", 70);
	begin("zoe", "/acme/deliverables/f", 5);
	assert_int_equal(mv("sam", "/acme/deliverables/f", "/acme/deliverables/h", false, &c),
			 E_TAKEN);
	assert_int_equal(mv("sam", "/acme/deliverables/g", "/acme/deliverables/f", true, &c),
			 E_TAKEN);
	assert_int_equal(mv("zoe", "/acme/deliverables/f", "/acme/deliverables/h", false, &c), 0);
	err_clear();
	expect_stat("sam", "/acme/deliverables/h", NODE_FILE, 70);
}

static void rename_of_a_folder_takes_its_content_along(void **state)
{
	struct change c;

	(void)state;
	world_mkdir(&world, "anna", "/acme/incoming/d");
	world_mkdir(&world, "anna", "/acme/incoming/d/e");
	world_mkdir(&world, "anna", "/acme/incoming/into");
	put("anna", "/acme/incoming/d/e/f", 10);
	begin("anna", "/acme/incoming/d/e/g", 20);
	assert_int_equal(mv("anna", "/acme/incoming/d", "/acme/incoming/d/e/d", false, &c),
			 E_INVALID);
	assert_int_equal(mv("anna", "/acme/incoming/d", "/acme/incoming/into/d2", false, &c), 0);
	err_clear();
	expect_stat("anna", "/acme/incoming/into/d2/e/f", NODE_FILE, 10);
	expect_stat("anna", "/acme/incoming/into/d2/e/g", NODE_PARTIAL, 20);
	expect_missing("anna", "/acme/incoming/d");
	/* A sibling whose name begins alike is not inside. */
	assert_int_equal(mv("anna", "/acme/incoming/into/d2", "/acme/incoming/into2", false, &c),
			 0);
	assert_int_equal(mv("anna", "/acme/incoming/into2", "/acme/incoming/into/d2", false, &c),
			 0);
	assert_int_equal(world_finish(&world, "anna", "/acme/incoming/into/d2/e/g", 20), 0);
}

static void rename_onto_itself_changes_nothing(void **state)
{
	CLEANUP(buf_done) struct buf before = {0}, after = {0};
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	world_mkdir(&world, "anna", "/acme/incoming/d");
	world_dump(&world, &before);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/f", false, &c), E_EXISTS);
	assert_int_equal(mv("anna", "/acme/incoming/f", "/acme/incoming/f", true, &c), 0);
	assert_false(c.replaced);
	assert_int_equal(mv("anna", "/acme/incoming/d", "/acme/incoming/d", true, &c), 0);
	err_clear();
	world_dump(&world, &after);
	assert_true(view_equal(view_buf(&before), view_buf(&after)));
}

static void rename_within_a_zone_crosses_folders_for_one_with_rights_in_both(void **state)
{
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	assert_int_equal(mv("boss", "/acme/incoming/f", "/acme/deliverables/f", false, &c), 0);
	expect_stat("anna", "/acme/deliverables/f", NODE_FILE, 10); /* by `l`, and nothing more */
	assert_int_equal(rm("anna", "/acme/deliverables/f", &c), E_DENIED);
	err_clear();
}

/* ---- attributes ---- */

static void set_attrs_keeps_times_apart(void **state)
{
	struct change c;
	struct attrs a = {0};

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	assert_int_equal(
	    tree_set_attrs(&world.tree, who("anna"), view_text("/acme/incoming/f"), 1234, 10, &c),
	    0);
	assert_int_equal(c.size, 10);
	begin("anna", "/acme/incoming/f", 5);
	assert_int_equal(stat_of("anna", "/acme/incoming/f", &a), 0);
	assert_int_equal(a.mtime_s, 2); /* of the upload, when it was touched */
	assert_int_equal(tree_set_attrs(&world.tree, who("anna"), view_text("/acme/incoming/f"),
					-77, SIZE_UNKNOWN, &c),
			 0);
	assert_true(c.was_partial);
	assert_int_equal(stat_of("anna", "/acme/incoming/f", &a), 0);
	assert_int_equal(a.mtime_s, -77);
	assert_int_equal(stat_of("sam", "/acme/incoming/f", &a), 0);
	assert_int_equal(a.mtime_s, 1234);
	world_mkdir(&world, "anna", "/acme/incoming/d");
	assert_int_equal(tree_set_attrs(&world.tree, who("anna"), view_text("/acme/incoming/d"), 99,
					SIZE_UNKNOWN, &c),
			 0);
	assert_int_equal(stat_of("sam", "/acme/incoming/d", &a), 0);
	assert_int_equal(a.mtime_s, 99);
}

static void set_attrs_of_nothing_is_allowed_to_who_may(void **state)
{
	CLEANUP(buf_done) struct buf before = {0}, after = {0};
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	world_dump(&world, &before);
	assert_int_equal(tree_set_attrs(&world.tree, who("anna"), view_text("/acme/incoming/f"),
					TIME_UNKNOWN, SIZE_UNKNOWN, &c),
			 0);
	world_dump(&world, &after);
	assert_true(view_equal(view_buf(&before), view_buf(&after)));
}

static void set_attrs_of_another_size_is_not_done(void **state)
{
	static const uint64_t sizes[] = {0, 9, 11, UINT64_MAX - 1};
	struct change c;

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		err_clear();
		assert_int_equal(tree_set_attrs(&world.tree, who("anna"),
						view_text("/acme/incoming/f"), 55, sizes[i], &c),
				 E_UNSUPPORTED);
		assert_non_null(strstr(err_cause(), "upload"));
	}
	err_clear();
	struct attrs a = {0};
	assert_int_equal(stat_of("anna", "/acme/incoming/f", &a), 0);
	assert_int_not_equal(a.mtime_s, 55);
}

static void attrs_show_the_owner(void **state)
{
	CLEANUP(buf_done) struct buf names = {0};
	struct attrs a = {0};

	(void)state;
	put("anna", "/acme/incoming/f", 10);
	assert_int_equal(
	    tree_stat(&world.tree, who("sam"), view_text("/acme/incoming/f"), &names, &a), 0);
	assert_true(view_is(a.owner_name, "anna"));
	assert_int_equal(a.owner, who("anna")->row.id);
	assert_int_equal(
	    tree_stat(&world.tree, who("sam"), view_text("/acme/incoming"), &names, &a), 0);
	assert_true(view_is(a.owner_name, "-"));
	assert_int_equal(a.owner, 0);
	assert_int_equal(tree_stat(&world.tree, who("sam"), view_text("/"), &names, &a), 0);
	assert_true(view_is(a.owner_name, "-"));

	char number[24];
	(void)snprintf(number, sizeof number, "#%d", (int)who("anna")->row.id);
	assert_int_equal(catalog_principal_remove(world.catalog, who("anna")->row.id), 0);
	accounts_forget(world.tree.accounts);
	assert_int_equal(
	    tree_stat(&world.tree, who("sam"), view_text("/acme/incoming/f"), &names, &a), 0);
	assert_true(view_is(a.owner_name, number));
}

static void attrs_show_what_one_may_do(void **state)
{
	static const struct {
		const char *user, *path, *letters;
	} rows[] = {
	    {"anna", "/", "l"},
	    {"anna", "/acme", "l"},
	    {"anna", "/acme/incoming", "lw"},
	    {"anna", "/acme/incoming/d", "lwdm"},
	    {"anna", "/acme/incoming/f", "lwodm"},
	    {"anna", "/acme/incoming/half", "lwodm"},
	    {"anna", "/acme/deliverables", "lr"},
	    {"anna", "/acme/deliverables/s", "lr"},
	    {"sam", "/acme/incoming/f", "lr"},
	    {"sam", "/acme/deliverables", "lrwodm"},
	    {"sam", "/acme/deliverables/s", "lrwodm"},
	    {"zoe", "/acme/deliverables/s", "lrwodm"},
	    {"sam", "/acme/deliverables/half", "lwodm"},
	    {"willy", "/acme/deliverables/s", "l"},
	};

	(void)state;
	(void)world_user(&world, "willy", 0, 0);
	world_grant(&world, "willy", acme, "deliverables", "lw");
	put("anna", "/acme/incoming/f", 1);
	begin("anna", "/acme/incoming/half", 1);
	world_mkdir(&world, "anna", "/acme/incoming/d");
	put("sam", "/acme/deliverables/s", 1);
	begin("sam", "/acme/deliverables/half", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct attrs a = {0};
		char letters[8];
		assert_int_equal(stat_of(rows[i].user, rows[i].path, &a), 0);
		rights_text(a.rights, letters);
		if (strcmp(letters, rows[i].letters) != 0)
			print_error("%s %s\n", rows[i].user, rows[i].path);
		assert_string_equal(letters, rows[i].letters);
	}
}

static void space_is_the_quota_or_the_disk(void **state)
{
	struct answer_space s;
	uint64_t small = 0;

	(void)state;
	put("anna", "/acme/incoming/f", 100);
	begin("anna", "/acme/incoming/g", 20);
	assert_int_equal(tree_space(&world.tree, who("anna"), view_text("/acme"), 9000, 8000, &s),
			 0);
	assert_int_equal(s.total, 9000);
	assert_int_equal(s.free, 8000);
	assert_int_equal(s.files, 1);
	assert_int_equal(tree_space(&world.tree, who("anna"), view_text("/"), 9000, 8000, &s), 0);
	assert_int_equal(s.files, 0);
	assert_int_equal(accounts_add_zone(world.tree.accounts, "small", 3000, 0, true, &small), 0);
	(void)world_user(&world, "carl", ROLE_CLIENT, small);
	assert_int_equal(catalog_zone_account(world.catalog, small, 500, 200, 0), 0);
	assert_int_equal(tree_space(&world.tree, who("carl"), view_text("/small"), 9000, 8000, &s),
			 0);
	assert_int_equal(s.total, 3000);
	assert_int_equal(s.free, 2300);
	assert_int_equal(tree_space(&world.tree, who("carl"), view_text("/small"), 9000, 700, &s),
			 0);
	assert_int_equal(s.free, 700); /* a promise that the disk cannot keep */
	assert_int_equal(catalog_zone_account(world.catalog, small, 5000, 0, 0), 0);
	assert_int_equal(tree_space(&world.tree, who("carl"), view_text("/small"), 9000, 8000, &s),
			 0);
	assert_int_equal(s.free, 0);
	assert_int_equal(catalog_zone_remove(world.catalog, small), 0);
}

/* ---- pages ---- */

enum { MANY = 1300 };

static void make_many(void)
{
	char path[64];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof path, "/acme/incoming/file-%04u", i);
		put(i % 10 ? "bert" : "anna", path, i);
	}
}

/* Every one of the user's files once and in order; no call looks at more than so many rows. */
static void read_pages(const char *user, unsigned every, size_t page_size)
{
	CLEANUP(mem_free) uint8_t *page = mem_new(page_size);
	uint64_t cursor = 0;
	unsigned next = 0, calls = 0;
	bool end = false;

	while (!end) {
		struct writer w = writer_of(page, page_size);
		struct entry e;
		uint64_t before = cursor;
		assert_int_equal(tree_list(&world.tree, who(user), view_text("/acme/incoming"),
					   cursor, &w, &cursor, &end),
				 0);
		assert_true(end || cursor > before);
		struct reader r = reader_of(view_of(page, w.len));
		while (entry_next(&r, &e)) {
			char name[32];
			(void)snprintf(name, sizeof name, "file-%04u", next);
			assert_true(view_is(e.name, name));
			assert_int_equal(e.size, next);
			next += every;
		}
		assert_true(reader_end(&r));
		assert_true(++calls < 10000);
	}
	assert_int_equal(next, MANY);
	assert_true(calls > MANY / 513);
}

static void list_in_pages_shows_everything_once(void **state)
{
	(void)state;
	make_many();
	read_pages("sam", 1, 60);
	read_pages("sam", 1, 1000);
	read_pages("sam", 1, 1 << 20);
	read_pages("anna", 10, 60);
	read_pages("anna", 10, 1 << 20);
}

static void list_without_room_for_one_entry_refuses(void **state)
{
	uint8_t page[30];
	uint64_t cursor = 7;
	bool end = false;

	(void)state;
	put("anna", "/acme/incoming/f", 1);
	for (size_t size = 0; size <= sizeof page; size++) {
		struct writer w = writer_of(page, size);
		assert_int_equal(tree_list(&world.tree, who("anna"), view_text("/acme/incoming"), 0,
					   &w, &cursor, &end),
				 E_LIMIT);
		w = writer_of(page, size);
		assert_int_equal(
		    tree_list(&world.tree, who("anna"), view_text("/"), 0, &w, &cursor, &end),
		    E_LIMIT);
		assert_int_equal(cursor, 7);
		err_clear();
	}
}

static void list_with_any_cursor_ends(void **state)
{
	static const uint64_t cursors[] = {1, 1000000, INT64_MAX, (uint64_t)INT64_MAX + 1,
					   UINT64_MAX};
	static const char *const folders[] = {"/", "/acme", "/acme/incoming"};
	uint8_t page[2000];

	(void)state;
	put("anna", "/acme/incoming/f", 1);
	for (size_t i = 0; i < ARRAY_LEN(cursors) * ARRAY_LEN(folders); i++) {
		struct writer w = writer_of(page, sizeof page);
		uint64_t cursor = 0;
		bool end = false;
		assert_int_equal(tree_list(&world.tree, who("anna"),
					   view_text(folders[i / ARRAY_LEN(cursors)]),
					   cursors[i % ARRAY_LEN(cursors)], &w, &cursor, &end),
				 0);
		assert_true(end);
	}
}

static void list_appends_behind_what_is_there(void **state)
{
	uint8_t page[200] = "head";
	struct writer w = writer_of(page, sizeof page);
	struct entry e;
	uint64_t cursor = 0;
	bool end = false;

	(void)state;
	w.len = 4;
	assert_int_equal(tree_list(&world.tree, who("anna"), view_text("/"), 0, &w, &cursor, &end),
			 0);
	assert_memory_equal(page, "head", 4);
	struct reader r = reader_of(view_of(page + 4, w.len - 4));
	assert_true(entry_next(&r, &e));
	assert_true(view_is(e.name, "acme"));
	assert_false(entry_next(&r, &e));
	assert_true(end);
}

static void zones_are_listed_in_pages(void **state)
{
	uint64_t cursor = 0;
	unsigned seen = 0;
	bool end = false;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof name, "z%u", 39 - i); /* numbers against the alphabet */
		(void)world_zone(&world, name);
	}
	while (!end) {
		uint8_t page[120];
		struct writer w = writer_of(page, sizeof page);
		struct entry e;
		assert_int_equal(
		    tree_list(&world.tree, who("zoe"), view_text("/"), cursor, &w, &cursor, &end),
		    0);
		struct reader r = reader_of(view_of(page, w.len));
		while (entry_next(&r, &e))
			seen++;
	}
	assert_int_equal(seen, 41);
}

/* ---- deep places ---- */

static void deepest_folder_can_be_made_used_and_removed(void **state)
{
	CLEANUP(buf_done) struct buf path = {0};
	const char *text = NULL;
	uint8_t page[200];
	struct writer w = writer_of(page, sizeof page);
	uint64_t cursor = 0;
	bool end = false;
	struct change c;

	(void)state;
	assert_int_equal(buf_add_text(&path, "/acme/incoming"), 0);
	for (unsigned depth = 2; depth <= PATH_DEPTH_MAX; depth++) {
		assert_int_equal(buf_add_text(&path, "/d"), 0);
		assert_int_equal(buf_text(&path, &text), 0);
		world_mkdir(&world, "anna", text);
	}
	assert_int_equal(tree_list(&world.tree, who("anna"), view_text(text), 0, &w, &cursor, &end),
			 0);
	assert_true(end);
	assert_int_equal(buf_add_text(&path, "/d"), 0);
	assert_int_equal(buf_text(&path, &text), 0);
	assert_int_equal(tree_make_dir(&world.tree, who("anna"), view_text(text), &c), E_INVALID);
	assert_int_equal(world_put(&world, "anna", text, 1), E_INVALID);
	path.len -= 2;
	assert_int_equal(buf_text(&path, &text), 0);
	assert_int_equal(tree_remove_dir(&world.tree, who("anna"), view_text(text), &c), 0);
	put("anna", text, 5); /* a file may be as deep as a folder */
	expect_stat("anna", text, NODE_FILE, 5);
	err_clear();
}

/* ---- everything at once ---- */

/* xorshift64: the same walk each time. */
static uint32_t draw(uint32_t below)
{
	static uint64_t x = 88172645463325252u;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (uint32_t)(x >> 32) % below;
}

/* Folders are called a and b, files f and g, now and then the other way round. */
static void draw_path(bool folder, char *ret_path, size_t size)
{
	static const char *const tops[] = {"incoming", "deliverables", "incoming", "deliverables",
					   "x"};
	int n = snprintf(ret_path, size, "/acme/%s", tops[draw(ARRAY_LEN(tops))]);

	for (unsigned depth = draw(3); depth > 0; depth--)
		n += snprintf(ret_path + n, size - (size_t)n, "/%c", 'a' + (char)draw(2));
	if (draw(20))
		(void)snprintf(ret_path + n, size - (size_t)n, "/%c",
			       (folder ? 'a' : 'f') + (char)draw(2));
}

static int random_step(const char *user)
{
	const struct principal *p = who(user);
	unsigned what = draw(10);
	bool folder = what < 2 || what == 9;
	struct change c;
	char path[64], to[64];

	draw_path(folder, path, sizeof path);
	draw_path(folder, to, sizeof to);
	switch (what) {
	case 0:
		return tree_make_dir(&world.tree, p, view_text(path), &c);
	case 1:
		return tree_remove_dir(&world.tree, p, view_text(path), &c);
	case 2:
		return world_begin(&world, user, path, draw(1000));
	case 3:
	case 4:
		return world_finish(&world, user, path, draw(1000));
	case 5:
		return world_put(&world, user, path, draw(1000));
	case 6:
		return tree_remove(&world.tree, p, view_text(path), &c);
	case 7:
		return tree_set_attrs(&world.tree, p, view_text(path), (int64_t)draw(1000),
				      SIZE_UNKNOWN, &c);
	default:
		return tree_rename(&world.tree, p, view_text(path), view_text(to), draw(2), &c);
	}
}

/* Thousands of steps of five users, one of them twice as busy, over few names: after each refusal
 * nothing has changed, after each change everything agrees. */
static void random_walk_keeps_everything_in_order(void **state)
{
	static const char *const users[] = {"anna", "bert", "sam", "zoe", "boss", "boss"};
	CLEANUP(buf_done) struct buf before = {0}, after = {0};
	unsigned done = 0, refused = 0;

	(void)state;
	world_dump(&world, &before);
	for (unsigned i = 0; i < 6000; i++) {
		int rc = random_step(users[draw(ARRAY_LEN(users))]);
		assert_true(rc == 0 || rc == E_GONE || rc == E_DENIED || rc == E_TAKEN ||
			    rc == E_EXISTS || rc == E_IS_DIR || rc == E_NOT_DIR ||
			    rc == E_NOT_EMPTY || rc == E_INVALID || rc == E_UNFINISHED);
		err_clear();
		buf_clear(&after);
		world_dump(&world, &after);
		if (rc)
			assert_true(view_equal(view_buf(&before), view_buf(&after)));
		else if (done % 20 == 0)
			world_check(&world);
		rc ? refused++ : done++;
		struct buf swap = before;
		before = after;
		after = swap;
	}
	print_message("# %u done, %u refused\n", done, refused);
	assert_true(done > 400);
	assert_true(refused > 400);
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_WORLD(partial_is_seen_by_its_uploader_alone),
	    IN_A_WORLD(partial_beside_a_version_shows_each_their_own),
	    IN_A_WORLD(publication_replaces_the_version_and_frees_its_blob),
	    IN_A_WORLD(version_removed_under_a_partial_stays_its_source),
	    IN_A_WORLD(source_that_was_never_finished_goes_with_its_upload),
	    IN_A_WORLD(upload_at_is_told_to_its_uploader_alone),
	    IN_A_WORLD(ownership_ends_where_w_is_revoked),
	    IN_A_WORLD(overwriting_without_w_is_enough_for_what_is_there),
	    IN_A_WORLD(reading_without_listing_needs_the_name),
	    IN_A_WORLD(folder_is_made_with_owner_and_key),
	    IN_A_WORLD(folder_at_the_place_of_a_grant_may_be_made),
	    IN_A_WORLD(folders_of_the_zone_stay_even_for_one_with_all_rights),
	    IN_A_WORLD(folder_with_something_hidden_is_not_empty),
	    IN_A_WORLD(rename_keeps_the_object_and_all_behind_it),
	    IN_A_WORLD(rename_with_replace_dooms_what_was_there),
	    IN_A_WORLD(rename_replaces_a_version_and_the_partial_beside_it),
	    IN_A_WORLD(rename_moves_a_version_and_the_partial_beside_it),
	    IN_A_WORLD(rename_of_a_partial_moves_the_upload),
	    IN_A_WORLD(rename_of_a_partial_over_a_finished_file_is_refused),
	    IN_A_WORLD(rename_under_anothers_upload_is_refused),
	    IN_A_WORLD(rename_of_a_folder_takes_its_content_along),
	    IN_A_WORLD(rename_onto_itself_changes_nothing),
	    IN_A_WORLD(rename_within_a_zone_crosses_folders_for_one_with_rights_in_both),
	    IN_A_WORLD(set_attrs_keeps_times_apart),
	    IN_A_WORLD(set_attrs_of_nothing_is_allowed_to_who_may),
	    IN_A_WORLD(set_attrs_of_another_size_is_not_done),
	    IN_A_WORLD(attrs_show_the_owner),
	    IN_A_WORLD(attrs_show_what_one_may_do),
	    IN_A_WORLD(space_is_the_quota_or_the_disk),
	    IN_A_WORLD(list_in_pages_shows_everything_once),
	    IN_A_WORLD(list_without_room_for_one_entry_refuses),
	    IN_A_WORLD(list_with_any_cursor_ends),
	    IN_A_WORLD(list_appends_behind_what_is_there),
	    IN_A_WORLD(zones_are_listed_in_pages),
	    IN_A_WORLD(deepest_folder_can_be_made_used_and_removed),
	    IN_A_WORLD(random_walk_keeps_everything_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
