/* SPDX-License-Identifier: Apache-2.0 */
/* The record of every sealed chunk, written before the chunk is sealed. The linker leads calls
 * of these two functions here (--wrap); their makers' names are then __real_…. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "age/aead.h"
#include "age/stream.h"
#include "base/sha256.h"
#include "base/text.h"
#include "tests/fault/lab.h"

int __real_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed);
int __wrap_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed);
int __real_age_aead_seal(const uint8_t key[AGE_AEAD_KEY], const uint8_t nonce[AGE_AEAD_NONCE],
			 struct view plain, uint8_t *ret_sealed);
int __wrap_age_aead_seal(const uint8_t key[AGE_AEAD_KEY], const uint8_t nonce[AGE_AEAD_NONCE],
			 struct view plain, uint8_t *ret_sealed);

enum { HASH_TEXT = 2 * SHA256_SIZE + 1 };

/* Under way in this thread: the headers of blobs are sealed by the same cipher. */
static _Thread_local bool sealing_chunk;

static void hash_text(struct view bytes, char ret_text[HASH_TEXT])
{
	uint8_t digest[SHA256_SIZE];

	sha256_of(bytes, digest);
	hex_encode(digest, sizeof digest, ret_text);
}

/* One write with O_APPEND, so that lines of several processes do not mix. */
static void record(const uint8_t *key, const uint8_t *nonce, struct view plain)
{
	char key_text[HASH_TEXT], plain_text[HASH_TEXT], line[3 * HASH_TEXT];
	uint64_t counter = 0;

	for (int i = 0; i < AGE_AEAD_NONCE - 1; i++)
		counter = counter << 8 | nonce[i];
	hash_text(view_of(key, AGE_AEAD_KEY), key_text);
	hash_text(plain, plain_text);
	int len = snprintf(line, sizeof line, "%s %llu %d %s\n", key_text,
			   (unsigned long long)counter, nonce[AGE_AEAD_NONCE - 1], plain_text);
	if (syscall(SYS_write, lab_seals_fd, line, (size_t)len) != len)
		lab_die("record a sealing");
	if (lab_trace_fd < 0)
		return;
	lab_lock();
	lab_trace(TRACE_SEAL, "", 0, 0, line, (size_t)len);
	lab_unlock();
}

int __wrap_age_aead_seal(const uint8_t key[AGE_AEAD_KEY], const uint8_t nonce[AGE_AEAD_NONCE],
			 struct view plain, uint8_t *ret_sealed)
{
	if (sealing_chunk && lab_seals_fd >= 0)
		record(key, nonce, plain);
	return __real_age_aead_seal(key, nonce, plain, ret_sealed);
}

int __wrap_age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			   struct view plain, uint8_t *ret_sealed)
{
	sealing_chunk = true;
	int rc = __real_age_stream_seal(stream, index, last, plain, ret_sealed);
	sealing_chunk = false;
	return rc;
}
