/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/tree_kit.h"

#include "base/mem.h"

struct world world;
uint64_t acme;

int open_world(void **state)
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

int close_world(void **state)
{
	(void)state;
	world_check(&world);
	world_close(&world);
	return 0;
}

const struct principal *who(const char *name)
{
	return world_who(&world, name);
}

int stat_of(const char *user, const char *path, struct attrs *ret_attrs)
{
	CLEANUP(buf_done) struct buf names = {0};
	int rc = tree_stat(&world.tree, who(user), view_text(path), &names, ret_attrs);

	ret_attrs->owner_name = view_of(NULL, 0);
	return rc;
}

void expect_stat(const char *user, const char *path, uint8_t kind, uint64_t size)
{
	struct attrs a = {0};

	assert_int_equal(stat_of(user, path, &a), 0);
	assert_int_equal(a.kind, kind);
	assert_int_equal(a.size, size);
}

void expect_missing(const char *user, const char *path)
{
	struct attrs a = {0};

	assert_int_equal(stat_of(user, path, &a), E_GONE);
	err_clear();
}

void expect_counters(uint64_t used, uint64_t reserved, uint64_t files)
{
	struct zone_row row = world_zone_row(&world, acme);

	assert_int_equal(row.used_bytes, used);
	assert_int_equal(row.reserved_bytes, reserved);
	assert_int_equal(row.files, files);
}

struct spot spot_of(const char *user, const char *path)
{
	struct spot s = {.exists = false};

	assert_int_equal(tree_walk(&world.tree, who(user), view_text(path), true, &s), 0);
	return s;
}

void put(const char *user, const char *path, uint64_t size)
{
	assert_int_equal(world_put(&world, user, path, size), 0);
}

void begin(const char *user, const char *path, uint64_t durable)
{
	assert_int_equal(world_begin(&world, user, path, durable), 0);
}

int rm(const char *user, const char *path, struct change *ret_change)
{
	return tree_remove(&world.tree, who(user), view_text(path), ret_change);
}

int mv(const char *user, const char *from, const char *to, bool replace, struct change *ret_change)
{
	return tree_rename(&world.tree, who(user), view_text(from), view_text(to), replace,
			   ret_change);
}

unsigned count_doomed(void)
{
	uint8_t blob[ID_SIZE];
	unsigned n = 0;

	for (int rc = catalog_doomed_after(world.catalog, NULL, blob); rc == 0; n++)
		rc = catalog_doomed_after(world.catalog, blob, blob);
	return n;
}
