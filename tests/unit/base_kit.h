/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_kit: what the tests of lib/base, lib/wire and the operator's program share: error
 * codes checked with their chain, input in heap memory of exactly its size, a folder that
 * goes away.
 */
#ifndef DROPKEEP_TESTS_BASE_KIT_H
#define DROPKEEP_TESTS_BASE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka has a macro of that name; tests use assertions instead */

#include "base/buf.h"
#include "base/mem.h"
#include "base/sys.h"

static inline void kit_code(int got, int expected, const char *what, const char *file, int line)
{
	if (got != expected)
		print_error("%s: %s\n", what, err_text());
	err_clear();
	_assert_int_equal((unsigned long)got, (unsigned long)expected, file, line);
}

/* The chain is forgotten; assert_says() looks at it first. */
#define assert_ok(call)          kit_code((call), 0, #call, __FILE__, __LINE__)
#define assert_fails(call, code) kit_code((call), (code), #call, __FILE__, __LINE__)

/* It fails so, and its chain has this text in it. */
#define assert_says(call, code, text)                                          \
	do {                                                                   \
		int got_ = (call);                                             \
		if (!strstr(err_text(), text))                                 \
			print_error("'%s' is not in: %s\n", text, err_text()); \
		assert_non_null(strstr(err_text(), text));                     \
		kit_code(got_, (code), #call, __FILE__, __LINE__);             \
	} while (0)

/* A copy that ends where its memory ends, so that a sanitizer sees an overread. */
static inline struct view kit_exact(const void *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	return view_of(copy, len);
}

static inline void kit_exact_done(struct view *v)
{
	free((void *)(uintptr_t)v->data);
}

#define EXACT CLEANUP(kit_exact_done) struct view

struct kit_folder {
	char path[64];
	int fd;
};

static inline struct kit_folder kit_folder(void)
{
	struct kit_folder f = {.path = "/tmp/dropkeep-test-"
				       "X"
				       "X"
				       "X"
				       "X"
				       "X"
				       "X",
			       .fd = -1};

	assert_non_null(mkdtemp(f.path));
	assert_ok(sys_open(AT_FDCWD, f.path, O_RDONLY | O_DIRECTORY, 0, &f.fd));
	return f;
}

void kit_folder_done(struct kit_folder *f);

#define FOLDER CLEANUP(kit_folder_done) struct kit_folder

static inline void kit_write(const struct kit_folder *f, const char *name, const char *text)
{
	assert_ok(sys_replace_file(f->fd, name, 0600, view_text(text)));
}

#endif
