/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listings page by page: everything once, whatever the size of the pages.
 */
#include "tests/unit/tree_kit.h"

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
					   cursor, false, &w, &cursor, &end),
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
					   false, &w, &cursor, &end),
				 E_LIMIT);
		w = writer_of(page, size);
		assert_int_equal(tree_list(&world.tree, who("anna"), view_text("/"), 0, false, &w,
					   &cursor, &end),
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
		assert_int_equal(
		    tree_list(&world.tree, who("anna"), view_text(folders[i / ARRAY_LEN(cursors)]),
			      cursors[i % ARRAY_LEN(cursors)], false, &w, &cursor, &end),
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
	assert_int_equal(
	    tree_list(&world.tree, who("anna"), view_text("/"), 0, false, &w, &cursor, &end), 0);
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
		assert_int_equal(tree_list(&world.tree, who("zoe"), view_text("/"), cursor, false,
					   &w, &cursor, &end),
				 0);
		struct reader r = reader_of(view_of(page, w.len));
		while (entry_next(&r, &e))
			seen++;
	}
	assert_int_equal(seen, 41);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_WORLD(list_in_pages_shows_everything_once),
	    IN_A_WORLD(list_without_room_for_one_entry_refuses),
	    IN_A_WORLD(list_with_any_cursor_ends),
	    IN_A_WORLD(list_appends_behind_what_is_there),
	    IN_A_WORLD(zones_are_listed_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
