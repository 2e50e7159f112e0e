/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_problem: what can be wrong with a request, as RFC 9457 tells it. One table: the word in the
 * problem's type, its title, the status (doc/PROTOCOL.https.md, "Errors").
 */
#ifndef DROPKEEP_GATE_HTTP_PROBLEM_H
#define DROPKEEP_GATE_HTTP_PROBLEM_H

#include "base/buf.h"

enum http_problem {
	PROBLEM_NONE,
	PROBLEM_MALFORMED,
	PROBLEM_INVALID,
	PROBLEM_CERTIFICATE_NEEDED,
	PROBLEM_DIGEST_MISMATCH,
	PROBLEM_CHECKSUM_MISMATCH, /* of tus: the same, with a status of its own */
	PROBLEM_UNAUTHORIZED,
	PROBLEM_DENIED,
	PROBLEM_NOT_FOUND,
	PROBLEM_METHOD,
	PROBLEM_TIMEOUT,
	PROBLEM_EXISTS,
	PROBLEM_NAME_TAKEN,
	PROBLEM_NOT_EMPTY,
	PROBLEM_IS_FOLDER,
	PROBLEM_IS_FILE,
	PROBLEM_UNFINISHED,
	PROBLEM_HELD,
	PROBLEM_OFFSET,
	PROBLEM_PRECONDITION,
	PROBLEM_TOO_LARGE,
	PROBLEM_TARGET_TOO_LONG,
	PROBLEM_MEDIA_TYPE,
	PROBLEM_RANGE,
	PROBLEM_EXPECTATION,
	PROBLEM_LIMIT,
	PROBLEM_HEADERS_TOO_LARGE,
	PROBLEM_INTERNAL,
	PROBLEM_UNSUPPORTED,
	PROBLEM_TRY_LATER,
	PROBLEM_VERSION,
	PROBLEM_QUOTA,
	PROBLEM_DISK_FULL,
	PROBLEM_LAST = PROBLEM_DISK_FULL
};

/* What a code of base/err.h is to a client. */
enum http_problem problem_of(int code);

unsigned problem_status(enum http_problem p);

/* RFC 9110, section 15; "" for a status that is none of ours. */
const char *http_reason(unsigned status);

/* The body of the answer, appended. detail may be empty. */
MUST_USE int problem_write(enum http_problem p, struct view detail, struct buf *out);

/* A JSON string (RFC 8259, section 7) with its quotes, appended. Bytes that are no UTF-8 become
 * U+FFFD. */
MUST_USE int json_string_write(struct view text, struct buf *out);

#endif
