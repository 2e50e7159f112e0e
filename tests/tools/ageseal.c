/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ageseal: encrypt standard input to an age v1 file on standard output, in constant memory.
 *
 *	ageseal -r RECIPIENT [-r RECIPIENT]… <PLAIN >FILE
 *
 * Exit status: 0; 64 usage; 65 no recipient; 74 input or output. For tests; not installed.
 */
#include <stdio.h>

#include "age/writer.h"
#include "base/mem.h"

enum { RECIPIENTS = 64, BLOCK = 64 * 1024 };

static int put(void *ctx, struct view bytes)
{
	(void)ctx;
	return fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len ? 0
								     : fail_errno(E_IO, "write");
}

static int copy(struct age_writer *w)
{
	static uint8_t block[BLOCK];
	size_t n = 0;
	int rc = 0;

	while (!rc && (n = fread(block, 1, sizeof block, stdin)) > 0)
		rc = age_writer_add(w, view_of(block, n));
	if (!rc && ferror(stdin))
		rc = fail_errno(E_IO, "read");
	if (!rc)
		rc = age_writer_end(w);
	if (!rc && fflush(stdout))
		rc = fail_errno(E_IO, "write");
	return rc;
}

static int parse(int argc, char **argv, struct age_recipient *ret_recipients, size_t *ret_count)
{
	size_t count = 0;
	int rc = 0;

	if (argc < 3 || argc % 2 == 0 || argc > 1 + 2 * RECIPIENTS)
		return fail(E_USAGE, "usage: ageseal -r RECIPIENT [-r RECIPIENT]... <PLAIN >FILE");
	for (int i = 1; i < argc && !rc; i += 2)
		rc = strcmp(argv[i], "-r") == 0
			 ? age_recipient_from_text(view_text(argv[i + 1]), &ret_recipients[count++])
			 : fail(E_USAGE, "ageseal has no option '%s'", argv[i]);
	if (!rc)
		*ret_count = count;
	return rc;
}

static int run(int argc, char **argv)
{
	struct age_recipient recipients[RECIPIENTS];
	size_t count = 0;
	CLEANUP(age_writer_free) struct age_writer *w = NULL;
	int rc = secret_setup();

	if (!rc)
		rc = parse(argc, argv, recipients, &count);
	if (!rc)
		rc = age_writer_new(recipients, count, put, NULL, &w);
	return rc ? rc : copy(w);
}

int main(int argc, char **argv)
{
	int rc = run(argc, argv);

	if (rc)
		(void)fprintf(stderr, "ageseal: %s\n", err_text());
	return err_exit_status(rc);
}
