/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keep_kit: what the tests of the keep's storage share: a state directory of their own, exact
 * copies in which a sanitizer sees an overread, and a look at the bytes of files.
 */
#ifndef DROPKEEP_TESTS_KEEP_KIT_H
#define DROPKEEP_TESTS_KEEP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"

/* After ours: cmocka has a macro fail() as well. */
#include <cmocka.h>
#undef fail

struct kit {
	char dir[64];
	int fd;
};

#define assert_good(call)                                                       \
	do {                                                                    \
		int rc_ = (call);                                               \
		if (rc_)                                                        \
			print_message("# %s: %d %s\n", #call, rc_, err_text()); \
		assert_int_equal(rc_, 0);                                       \
	} while (0)

/* Refused with this code, and explained; the explanation is then forgotten. */
#define assert_refused(call, code)                       \
	do {                                             \
		err_clear();                             \
		assert_int_equal((call), code);          \
		assert_string_not_equal(err_text(), ""); \
		err_clear();                             \
	} while (0)

/* E_GONE without a frame. */
#define assert_gone(call)                            \
	do {                                         \
		err_clear();                         \
		assert_int_equal((call), E_GONE);    \
		assert_string_equal(err_text(), ""); \
	} while (0)

/* For cmocka: an empty state directory with keys/ in it, and its end. */
int kit_setup(void **state);
int kit_teardown(void **state);

/* What authenticates the catalogs of these tests; borrowed for ever. */
const struct secret *kit_key(void);

/* An exact-size heap copy. */
uint8_t *kit_exact(struct view bytes);

/* Whether the file in the state directory has the bytes anywhere; false if it isn't there. */
bool kit_file_has(const struct kit *kit, const char *name, struct view bytes);

/* Overwrite one byte of a file by another. */
void kit_flip(const struct kit *kit, const char *name, uint64_t offset);

#endif
