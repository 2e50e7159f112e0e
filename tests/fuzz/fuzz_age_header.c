/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_age_header: arbitrary bytes as an age header. Beside not crashing, the parser's
 * promises about its answers are asserted. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>

#include "age/header.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The identity of age.md's example: some of the corpus is sealed to it. */
static const struct secret *identity(void)
{
	static struct secret *known;
	uint8_t bytes[AGE_KEY_SIZE];

	if (!known) {
		memset(bytes, 0x42, sizeof bytes);
		int rc = secret_setup();
		assert(!rc);
		rc = age_identity_from_bytes(view_of(bytes, sizeof bytes), &known);
		assert(!rc);
	}
	return known;
}

static void check_complete(const uint8_t *data, size_t len, const struct age_header *h)
{
	static struct age_header again;
	CLEANUP(secret_free) struct secret *file_key = NULL;

	assert(h->len <= len && h->len <= AGE_HEADER_MAX);
	assert(h->mac_part.data == data && h->mac_part.len < h->len);
	assert(h->stanza_count >= 1 && h->x25519_count <= h->stanza_count);
	int rc = age_header_parse(view_of(data, h->len), &again);
	assert(rc == 0 && again.len == h->len);
	rc = age_header_parse(view_of(data, h->len - 1), &again);
	assert(rc == E_AGAIN);
	rc = age_header_unwrap(h, identity(), &file_key);
	assert(rc == 0 || rc == E_DENIED || rc == E_INVALID || rc == E_INTEGRITY);
	assert((rc == 0) == (file_key != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct age_header header;
	int rc = age_header_parse(view_of(data, len), &header);

	assert(rc == 0 || rc == E_AGAIN || rc == E_INVALID);
	if (rc == 0)
		check_complete(data, len, &header);
	if (rc == E_AGAIN)
		assert(len < AGE_HEADER_MAX);
	err_clear();
	return 0;
}
