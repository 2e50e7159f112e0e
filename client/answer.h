/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer: what a server said, header by header, and what it means for us.
 *
 * Nothing here trusts the server: a header that is not what doc/PROTOCOL.https.md says is
 * taken as not there, and whoever needs it fails. Pure: no network, no files.
 */
#ifndef DROPKEEP_CLIENT_ANSWER_H
#define DROPKEEP_CLIENT_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/sha256.h"

/* Nobody could be reached; no other error has this code here. */
#define CLIENT_UNREACHABLE E_UNSUPPORTED

struct answer {
	unsigned status;
	unsigned headers; /* so many lines */
	bool has_etag, has_digest, has_offset, has_length, has_size, has_range, has_modified;
	uint8_t etag[SHA256_SIZE];        /* of a strong ETag that is a SHA-256 */
	uint8_t digest[SHA256_SIZE];      /* sha-256 of Repr-Digest (RFC 9530) */
	uint64_t offset, length;          /* Upload-Offset, Upload-Length */
	uint64_t size;                    /* Content-Length */
	uint64_t range_first, range_size; /* Content-Range: bytes FIRST-LAST/SIZE */
	int64_t modified_s;               /* Last-Modified, since 1970 */
	unsigned retry_after_s;
	char upload[80];  /* "/uploads/ID" of Location */
	char receipt[48]; /* "/receipts/N" of Link */
	bool is_problem;  /* the body is application/problem+json */
	struct buf body;  /* what no sink took; for a problem it is bounded */
	int problem;      /* a code of base/err.h, once answer_read_problem() was called */
	char said[256];   /* "quota exceeded: zone 'acme' has 3 of 100 MiB left"; unsafe text */
};

/* One line of a header, with or without its line end. A status line begins anew. */
void answer_take_line(struct answer *a, struct view line);

/* After the whole body of an answer that is no success: problem and said. */
void answer_read_problem(struct answer *a);

/* 0 for a status of 200 to 299; else the code that the problem or the status means, with
 * `what`, which the sentence begins with. */
MUST_USE int answer_judge(const struct answer *a, const char *what);

/* Whether a code may be gone if the same is asked again: no connection, try later. */
bool worth_a_retry(int code);

/* The SHA-256 that the answer names, by Repr-Digest or ETag; false: none, or two that
 * differ. */
bool answer_hash(const struct answer *a, uint8_t ret_sha256[SHA256_SIZE]);

void answer_done(struct answer *a);

#endif
