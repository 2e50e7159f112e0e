/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ssh_key: arbitrary bytes as a line of a .pub file and as a key's blob. libFuzzer and
 * AFL++ entry; replay.c replays.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/ssh_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_row(const struct credential_row *row)
{
	assert(row->kind == CREDENTIAL_SSH_KEY && row->id == 0 && row->principal == 0);
	assert(strlen(row->fingerprint) == 7 + 43 && memcmp(row->fingerprint, "SHA256:", 7) == 0);
	assert(strlen(row->algorithm) >= 7 && strlen(row->algorithm) < sizeof row->algorithm);
	assert(memchr(row->comment, '\0', sizeof row->comment));
	assert(utf8_valid(view_text(row->comment)) && !utf8_has_control(view_text(row->comment)));
}

/* A blob that is taken makes a line that is taken, and both mean the same key. */
static void check_line_of(struct view blob, const struct credential_row *row)
{
	CLEANUP(buf_done) struct buf line = {0};
	struct credential_row again = {0};
	int rc = buf_printf(&line, "%s ", row->algorithm);

	assert(rc == 0);
	rc = base64_encode(blob, BASE64_PADDED, &line);
	assert(rc == 0);
	rc = ssh_key_parse(view_buf(&line), &again);
	assert(rc == 0 && strcmp(again.fingerprint, row->fingerprint) == 0);
	assert(strcmp(again.algorithm, row->algorithm) == 0 && again.comment[0] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct credential_row row = {0};
	int rc = ssh_key_of_blob(view_of(data, len), &row);

	assert(rc == 0 || rc == E_INVALID || rc == E_UNSUPPORTED);
	if (rc == 0) {
		check_row(&row);
		check_line_of(view_of(data, len), &row);
	}
	memset(&row, 0, sizeof row);
	rc = ssh_key_parse(view_of(data, len), &row);
	assert(rc == 0 || rc == E_INVALID || rc == E_UNSUPPORTED);
	if (rc == 0)
		check_row(&row);
	err_clear();
	return 0;
}
