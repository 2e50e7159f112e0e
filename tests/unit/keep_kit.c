/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_kit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

int kit_setup(void **state)
{
	struct kit *kit = mem_new(sizeof *kit);

	if (secret_setup())
		return -1;
	(void)snprintf(kit->dir, sizeof kit->dir, "/tmp/keep-kit-XXXXXX");
	if (!mkdtemp(kit->dir))
		return -1;
	kit->fd = open(kit->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = kit;
	return kit->fd < 0 || mkdirat(kit->fd, "keys", 0700) < 0 ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int kit_teardown(void **state)
{
	struct kit *kit = *state;

	(void)close(kit->fd);
	err_clear();
	int rc = nftw(kit->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(kit);
	return rc;
}

const struct secret *kit_key(void)
{
	static struct secret *key;

	if (!key)
		assert_good(secret_derive(view_text("kit"), view_of(NULL, 0), "kit", 32, &key));
	return key;
}

uint8_t *kit_exact(struct view bytes)
{
	uint8_t *copy = malloc(bytes.len ? bytes.len : 1);

	assert_non_null(copy);
	if (bytes.len)
		memcpy(copy, bytes.data, bytes.len);
	return copy;
}

bool kit_file_has(const struct kit *kit, const char *name, struct view bytes)
{
	CLEANUP(buf_done) struct buf content = {0};
	int rc = sys_read_file(kit->fd, name, 64 << 20, &content);

	if (rc == E_GONE)
		err_clear();
	else
		assert_good(rc);
	return content.len && memmem(content.data, content.len, bytes.data, bytes.len);
}

void kit_flip(const struct kit *kit, const char *name, uint64_t offset)
{
	CLEANUP(sys_close) int fd = -1;
	uint8_t byte = 0;

	assert_good(sys_open(kit->fd, name, O_RDWR, 0, &fd));
	assert_good(sys_pread_all(fd, &byte, 1, offset));
	byte ^= 0x41;
	assert_good(sys_pwrite_all(fd, &byte, 1, offset));
}
