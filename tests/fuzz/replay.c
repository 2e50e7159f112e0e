/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: the main function of a fuzzing entry in ordinary `make check`, where no fuzzer is.
 *
 * Every file of tests/fuzz/corpus/PROGRAM (or of the folders named as arguments) is fed whole
 * and cut short at every length, each time in a heap buffer of exactly its size, so that a
 * sanitizer sees an overread. TAP on standard output, one test a file. A crash is the failure.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FILE_LIMIT = 1 << 20, CUTS_UP_TO = 4096 };

static void feed(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1); /* one byte at 0, for malloc(0) may be NULL */

	if (!exact)
		abort();
	if (len)
		memcpy(exact, data, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static int replay_file(const char *dir, const char *name, unsigned number)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", dir, name);
	CLEANUP(buf_done) struct buf content = {0};
	int rc = sys_read_file(AT_FDCWD, path, FILE_LIMIT, &content);

	if (rc) {
		printf("not ok %u - %s # %s\n", number, name, err_text());
		return rc;
	}
	/* Quadratic in the length, hence the limit. */
	for (size_t len = 0; len < content.len && len < CUTS_UP_TO; len++)
		feed(content.data, len);
	feed(content.data, content.len);
	printf("ok %u - %s\n", number, name);
	return 0;
}

static int no_dots(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int replay_folder(const char *dir, unsigned *count)
{
	struct dirent **entry = NULL;
	int n = scandir(dir, &entry, no_dots, alphasort), failed = 0;

	if (n <= 0) {
		printf("not ok %u - no corpus %s\n", ++*count, dir);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		failed |= replay_file(dir, entry[i]->d_name, ++*count) != 0;
		free(entry[i]);
	}
	free(entry);
	return failed;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *slash = strrchr(argv[0], '/');
	CLEANUP(mem_free)
	char *dir =
	    mem_printf("%s/tests/fuzz/corpus/%s", top ? top : ".", slash ? slash + 1 : argv[0]);
	unsigned count = 0;
	int failed = 0;

	if (argc == 1)
		failed = replay_folder(dir, &count);
	for (int i = 1; i < argc; i++)
		failed |= replay_folder(argv[i], &count);
	printf("1..%u\n", count);
	return failed || count == 0;
}
