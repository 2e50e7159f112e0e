/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_kit: what the tests of the tree's operations share: a world with the zone acme, its
 * clients anna and bert, its staff sam, zoe who is staff of all zones, and boss who has all rights
 * in acme; and short words for what one does and sees there.
 */
#ifndef DROPKEEP_TESTS_TREE_KIT_H
#define DROPKEEP_TESTS_TREE_KIT_H

#include "tests/unit/keep_world.h"

#include "base/mem.h"

extern struct world world;
extern uint64_t acme;

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int open_world(void **state);
int close_world(void **state);
const struct principal *who(const char *name);
int stat_of(const char *user, const char *path, struct attrs *ret_attrs);
void expect_stat(const char *user, const char *path, uint8_t kind, uint64_t size);
void expect_missing(const char *user, const char *path);
void expect_counters(uint64_t used, uint64_t reserved, uint64_t files);
struct spot spot_of(const char *user, const char *path);
void put(const char *user, const char *path, uint64_t size);
void begin(const char *user, const char *path, uint64_t durable);
int rm(const char *user, const char *path, struct change *ret_change);
int mv(const char *user, const char *from, const char *to, bool replace, struct change *ret_change);
unsigned count_doomed(void);

#endif
