/* SPDX-License-Identifier: Apache-2.0 */
/*
 * age_test: what the unit tests of lib/age share.
 */
#ifndef DROPKEEP_TESTS_AGE_TEST_H
#define DROPKEEP_TESTS_AGE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka's macro hides the function of base/err.h */

#include "age/key.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

/* The call answers with exactly this code; the chain of errors is told where it does not, and
 * emptied either way. */
#define assert_code(call, wanted)                                                              \
	do {                                                                                   \
		int got_ = (call), wanted_ = (wanted);                                         \
		if (got_ != wanted_)                                                           \
			print_error("%s: %d, not %d: %s\n", #call, got_, wanted_, err_text()); \
		err_clear();                                                                   \
		assert_int_equal(got_, wanted_);                                               \
	} while (0)

#define assert_good(call) assert_code(call, 0)

/* The identity of age.md's example, its text and its recipient's. */
#define EXAMPLE_IDENTITY \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
#define EXAMPLE_RECIPIENT "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

/* A heap copy of exactly this size, so that a sanitizer sees any byte read beyond. */
static inline uint8_t *exact_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

static inline void from_hex(const char *hex, void *ret_bytes, size_t len)
{
	assert_good(hex_decode(view_text(hex), ret_bytes, len));
}

static inline struct secret *example_identity(void)
{
	struct secret *identity = NULL;

	assert_good(age_identity_from_text(view_text(EXAMPLE_IDENTITY), &identity));
	return identity;
}

static inline int set_up_secrets(void **state)
{
	(void)state;
	return secret_setup();
}

#endif
