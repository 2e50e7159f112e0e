/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What renames do when they are allowed; and thousands of operations at random, after which
 * everything must still agree. Who may rename is in test_keep_tree.c.
 */
#include "tests/unit/tree_kit.h"

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
	assert_int_equal(
	    tree_list(&world.tree, who("anna"), view_text(text), 0, false, &w, &cursor, &end), 0);
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

/* A chain of folders below path, so many deep. */
static void make_chain(const char *path, unsigned depth)
{
	CLEANUP(buf_done) struct buf chain = {0};
	const char *text = NULL;

	assert_int_equal(buf_add_text(&chain, path), 0);
	for (unsigned i = 0; i < depth; i++) {
		assert_int_equal(buf_text(&chain, &text), 0);
		world_mkdir(&world, "anna", text);
		assert_int_equal(buf_add_text(&chain, "/d"), 0);
	}
}

/* Nothing counts the depth of what a folder brings along: what gets out of reach so is not
 * lost, for the folder can be moved again. */
static void rename_beyond_the_last_depth_can_be_undone(void **state)
{
	CLEANUP(buf_done) struct buf to = {0}, deepest = {0};
	const char *text = NULL, *last = NULL;
	uint8_t page[200];
	struct writer w = writer_of(page, sizeof page);
	uint64_t cursor = 0;
	bool end = false;
	struct change c;

	(void)state;
	make_chain("/acme/incoming/a", 50);
	make_chain("/acme/incoming/b", 50);
	assert_int_equal(buf_add_text(&to, "/acme/incoming/a"), 0);
	for (unsigned i = 1; i < 50; i++)
		assert_int_equal(buf_add_text(&to, "/d"), 0);
	assert_int_equal(buf_add_text(&to, "/b"), 0);
	assert_int_equal(buf_text(&to, &text), 0);
	assert_int_equal(mv("anna", "/acme/incoming/b", text, false, &c), 0);
	assert_int_equal(buf_add_text(&deepest, text), 0);
	for (unsigned depth = 52; depth < PATH_DEPTH_MAX; depth++)
		assert_int_equal(buf_add_text(&deepest, "/d"), 0);
	assert_int_equal(buf_text(&deepest, &last), 0);
	expect_stat("anna", last, NODE_DIR, 0);
	assert_int_equal(
	    tree_list(&world.tree, who("anna"), view_text(last), 0, false, &w, &cursor, &end), 0);
	assert_true(end);
	assert_int_equal(w.len, 0);
	assert_int_equal(tree_remove_dir(&world.tree, who("anna"), view_text(last), &c),
			 E_NOT_EMPTY);
	err_clear();
	assert_int_equal(mv("anna", text, "/acme/incoming/b", false, &c), 0);
	expect_stat("anna", "/acme/incoming/b/d/d/d", NODE_DIR, 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	    IN_A_WORLD(deepest_folder_can_be_made_used_and_removed),
	    IN_A_WORLD(rename_beyond_the_last_depth_can_be_undone),
	    IN_A_WORLD(random_walk_keeps_everything_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
