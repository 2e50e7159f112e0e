/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <ftw.h>
#include <unistd.h>

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

void kit_folder_done(struct kit_folder *f)
{
	sys_close(&f->fd);
	assert_int_equal(nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
