/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What uploads, removals, folders and attributes do when they are allowed: rows, counters, blobs,
 * what each sees before and after. Who may do them is in test_keep_tree.c.
 */
#include "tests/unit/tree_kit.h"

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
	assert_int_equal(before.node.owner, who("sam")->row.id);
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

/* Letters that no preset gives alone. */
static void single_rights_go_as_far_as_their_letter(void **state)
{
	struct change c;

	(void)state;
	(void)world_user(&world, "mia", 0, 0);
	(void)world_user(&world, "willy", 0, 0);
	(void)world_user(&world, "exact", 0, 0);
	(void)world_user(&world, "otto", 0, 0);
	world_grant(&world, "mia", acme, "deliverables", "lm");
	world_grant(&world, "willy", acme, "deliverables", "lw");
	world_grant(&world, "exact", acme, "deliverables/only", "w");
	world_grant(&world, "otto", acme, "deliverables", "lo");
	world_grant(&world, "otto", acme, "incoming", "w");
	put("sam", "/acme/deliverables/f", 10);
	world_mkdir(&world, "sam", "/acme/deliverables/d");

	/* m makes and renames, but what is renamed must land where one may write. */
	assert_int_equal(
	    tree_make_dir(&world.tree, who("mia"), view_text("/acme/deliverables/e"), &c), 0);
	assert_int_equal(mv("mia", "/acme/deliverables/f", "/acme/deliverables/g", false, &c),
			 E_DENIED);
	assert_int_equal(world_put(&world, "mia", "/acme/deliverables/n", 1), E_DENIED);
	assert_int_equal(tree_set_attrs(&world.tree, who("mia"), view_text("/acme/deliverables/d"),
					1, SIZE_UNKNOWN, &c),
			 0);

	/* w leaves alone what others made. */
	assert_int_equal(tree_set_attrs(&world.tree, who("willy"),
					view_text("/acme/deliverables/f"), 1, SIZE_UNKNOWN, &c),
			 E_DENIED);
	assert_int_equal(mv("willy", "/acme/deliverables/f", "/acme/deliverables/g", false, &c),
			 E_DENIED);
	assert_int_equal(mv("willy", "/acme/deliverables/d", "/acme/deliverables/g", false, &c),
			 E_DENIED);
	put("willy", "/acme/deliverables/w", 1);
	assert_int_equal(mv("willy", "/acme/deliverables/w", "/acme/deliverables/f", true, &c),
			 E_TAKEN);

	/* To create takes w at the folder, not at the name. */
	assert_int_equal(world_put(&world, "exact", "/acme/deliverables/only", 1), E_DENIED);

	/* An upload over another's version owns the upload, not the name. */
	begin("otto", "/acme/deliverables/f", 5);
	assert_int_equal(mv("otto", "/acme/deliverables/f", "/acme/deliverables/g", false, &c),
			 E_DENIED);
	err_clear();
}

static void walk_for_write_tells_of_hidden_names_to_who_may_write_alone(void **state)
{
	(void)state;
	begin("anna", "/acme/incoming/f", 1);
	struct spot s = spot_of("bert", "/acme/incoming/f");
	assert_true(s.exists);
	assert_false(s.seen);
	assert_false(s.own_upload);
	s = spot_of("sam", "/acme/incoming/f");
	assert_false(s.exists);
	assert_false(s.seen);
	assert_int_equal(s.node.id, 0);
	s = spot_of("anna", "/acme/incoming/g");
	assert_false(s.exists);
	assert_int_equal(s.node.id, 0);
	assert_int_equal(s.parent_rights, RIGHT_WRITE);
	s = spot_of("bert", "/beta");
	assert_false(s.exists);
	assert_null(s.zone);
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
	assert_int_equal(tree_list(&world.tree, who("rita"), view_text("/acme/deliverables"), 0,
				   false, &w, &cursor, &end),
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
	assert_true(s.node.mtime_s > 1600000000);
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
		int rc = tree_set_attrs(&world.tree, who("boss"), view_text(fixed[i]), 1,
					SIZE_UNKNOWN, &c);
		assert_int_equal(rc, i ? 0 : E_DENIED);
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

	put("sam", "/acme/deliverables/f", 10);
	put("zoe", "/acme/deliverables/f", 10);
	assert_int_equal(
	    tree_stat(&world.tree, who("sam"), view_text("/acme/deliverables/f"), &names, &a), 0);
	assert_true(view_is(a.owner_name, "zoe")); /* who sent what is there now */

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
	    IN_A_WORLD(single_rights_go_as_far_as_their_letter),
	    IN_A_WORLD(walk_for_write_tells_of_hidden_names_to_who_may_write_alone),
	    IN_A_WORLD(reading_without_listing_needs_the_name),
	    IN_A_WORLD(folder_is_made_with_owner_and_key),
	    IN_A_WORLD(folder_at_the_place_of_a_grant_may_be_made),
	    IN_A_WORLD(folders_of_the_zone_stay_even_for_one_with_all_rights),
	    IN_A_WORLD(folder_with_something_hidden_is_not_empty),
	    IN_A_WORLD(set_attrs_keeps_times_apart),
	    IN_A_WORLD(set_attrs_of_nothing_is_allowed_to_who_may),
	    IN_A_WORLD(set_attrs_of_another_size_is_not_done),
	    IN_A_WORLD(attrs_show_the_owner),
	    IN_A_WORLD(attrs_show_what_one_may_do),
	    IN_A_WORLD(space_is_the_quota_or_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
