/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agecat: decrypt an age v1 file from standard input to standard output, in constant memory.
 *
 *	agecat -i IDENTITY_FILE <FILE
 *
 * Exit status: 0 all of it was authentic; 64 usage; 65 malformed, altered or cut short (what
 * came out before that is authentic, but not the whole); 66 no such identity file; 74 input
 * or output; 77 no identity of the file fits. For tests; not installed.
 */
#include <stdio.h>

#include "age/decrypt.h"
#include "base/mem.h"
#include "base/sys.h"

enum { IDENTITIES = 64, FILE_LIMIT = 64 * 1024, BLOCK = 64 * 1024 };

struct keyring {
	struct secret *identity[IDENTITIES];
	size_t count;
};

static void free_keyring(struct keyring *k)
{
	for (size_t i = 0; i < k->count; i++)
		secret_free(&k->identity[i]);
}

static int load_keyring(const char *path, struct keyring *ret_keyring)
{
	CLEANUP(buf_wipe) struct buf content = {0};
	int rc = sys_read_file(AT_FDCWD, path, FILE_LIMIT, &content);

	return rc ? rc
		  : age_identities_parse(view_buf(&content), IDENTITIES, ret_keyring->identity,
					 &ret_keyring->count);
}

static int put(void *ctx, struct view bytes)
{
	(void)ctx;
	return fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len ? 0
								     : fail_errno(E_IO, "write");
}

static int copy(struct age_decrypt *d)
{
	static uint8_t block[BLOCK];
	size_t n = 0;
	int rc = 0;

	while (!rc && (n = fread(block, 1, sizeof block, stdin)) > 0)
		rc = age_decrypt_add(d, view_of(block, n));
	if (!rc && ferror(stdin))
		rc = fail_errno(E_IO, "read");
	if (!rc)
		rc = age_decrypt_end(d);
	if (fflush(stdout) && !rc)
		rc = fail_errno(E_IO, "write");
	return rc;
}

static int run(const char *identity_file)
{
	CLEANUP(free_keyring) struct keyring keyring = {0};
	CLEANUP(age_decrypt_free) struct age_decrypt *d = NULL;
	int rc = secret_setup();

	if (!rc)
		rc = load_keyring(identity_file, &keyring);
	if (!rc)
		rc = age_decrypt_new(keyring.identity, keyring.count, put, NULL, &d);
	return rc ? rc : copy(d);
}

int main(int argc, char **argv)
{
	int rc = argc == 3 && strcmp(argv[1], "-i") == 0
		     ? run(argv[2])
		     : fail(E_USAGE, "usage: agecat -i IDENTITY_FILE <FILE");

	if (rc)
		(void)fprintf(stderr, "agecat: %s\n", err_text());
	return err_exit_status(rc);
}
