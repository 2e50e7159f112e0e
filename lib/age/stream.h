/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: the payload of an age v1 file (age.md, "Payload") and the keys that we derive
 * beside it from the same file key.
 *
 *	payload  nonce[16] chunk chunk … chunk
 *	chunk    up to 65536 sealed bytes, tag[16]; all but the last are full
 *	nonce of a chunk  counter[11] big-endian from 0, last[1]: 1 for the final chunk, else 0
 *
 * A struct age_stream is immutable once made: any number of threads may seal and open with
 * the same one at once. Chunks may come in any order. It keeps no account of what it sealed:
 * its user seals each (stream, index, last) at most once, ever.
 */
#ifndef DROPKEEP_AGE_STREAM_H
#define DROPKEEP_AGE_STREAM_H

#include "base/secret.h"

enum {
	AGE_CHUNK = 64 * 1024,
	AGE_TAG = 16,
	AGE_SEALED_CHUNK = AGE_CHUNK + AGE_TAG,
	AGE_NONCE = 16,
	AGE_PAYLOAD_KEY = 32,
	AGE_PIN = 32,
	AGE_RESUME_KEY = 32
};

/* The most plaintext that one file may hold: 2^62 bytes, so that no sum here overflows and
 * every offset fits an off_t. */
#define AGE_PLAIN_MAX ((uint64_t)1 << 62)

struct age_stream;

/* From a file key (16 bytes) and the payload's nonce, or from the payload key (32 bytes) that
 * these derive; E_INVALID for other lengths. For CLEANUP(age_stream_free). */
MUST_USE int age_stream_new(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			    struct age_stream **ret_stream);
MUST_USE int age_stream_from_key(struct view payload_key, struct age_stream **ret_stream);
void age_stream_free(struct age_stream **stream);

/*
 * Seal chunk `index`. Only the last chunk may hold fewer than AGE_CHUNK bytes, and only the
 * sole chunk of an empty file none: E_INVALID otherwise. ret_sealed takes AGE_TAG bytes more
 * than plain and may be the very memory of plain.
 */
MUST_USE int age_stream_seal(const struct age_stream *stream, uint64_t index, bool last,
			     struct view plain, uint8_t *ret_sealed);

/*
 * Open chunk `index`. E_INTEGRITY for a wrong tag (altered, moved, another file's, or not
 * last/last as claimed) and for a length that no such chunk has. ret_plain takes AGE_TAG bytes
 * less than sealed, may be its very memory, and is zeroed where the tag is wrong.
 */
MUST_USE int age_stream_open(const struct age_stream *stream, uint64_t index, bool last,
			     struct view sealed, uint8_t *ret_plain);

/* The key of a payload: HKDF-SHA-256(ikm = file key, salt = nonce, info = "payload"). */
MUST_USE int age_payload_key(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			     struct secret **ret_key);

/* Ours. The tag that a catalog row pins: it identifies (file key, nonce) and reveals neither.
 * HKDF-SHA-256(ikm = file key, salt = nonce, info = "dropkeep pin v1"). */
MUST_USE int age_stream_pin(const struct secret *file_key, const uint8_t nonce[AGE_NONCE],
			    uint8_t ret_tag[AGE_PIN]);

/* Ours. The key of an upload's resume state:
 * HKDF-SHA-256(ikm = file key, salt = empty, info = "dropkeep resume v1"). */
MUST_USE int age_resume_key(const struct secret *file_key, struct secret **ret_key);

/*
 * Geometry. Sizes of payloads count the nonce, offsets are from the payload's first byte
 * (where the header ends). Functions without an error take sizes that age_payload_size() or
 * age_plain_size() have accepted.
 */

/* E_LIMIT over AGE_PLAIN_MAX. */
MUST_USE int age_payload_size(uint64_t plain_size, uint64_t *ret_payload_size);

/* E_INTEGRITY for a size that no payload has. */
MUST_USE int age_plain_size(uint64_t payload_size, uint64_t *ret_plain_size);

uint64_t age_chunk_count(uint64_t plain_size);              /* at least 1 */
uint64_t age_chunk_offset(uint64_t index);                  /* of the sealed chunk */
size_t age_chunk_size(uint64_t plain_size, uint64_t index); /* of its plaintext */
uint64_t age_chunk_of(uint64_t plain_offset);               /* index */
static inline bool age_chunk_is_last(uint64_t plain_size, uint64_t index)
{
	return index + 1 == age_chunk_count(plain_size);
}

#endif
