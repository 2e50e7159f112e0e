/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload: one local file to one place, whatever happens on the way: a lost connection, a
 * server that is restarted, this program killed.
 *
 * Success means: the server has said that it is durable and published, its SHA-256 is the one
 * that was computed here, and its receipt was verified and stored.
 */
#ifndef DROPKEEP_CLIENT_UPLOAD_H
#define DROPKEEP_CLIENT_UPLOAD_H

#include "client/place.h"
#include "client/session.h"
#include "tlog/tree.h"

struct upload {
	const char *path; /* of the local file; "-": standard input */
	size_t named;     /* so much of it was said by the user: see source_open_found() */
	const struct place *to;
	bool adopt; /* an unfinished upload of that name that another program began */
	bool delete_after;

	/* What became of it. */
	bool resumed;
	uint64_t size;
	uint8_t hash[SHA256_SIZE];
	char *receipt; /* the file where it is; freed by the caller */
	struct receipt_tree {
		uint64_t size; /* 0: there is no receipt */
		struct tlog_hash root;
	} tree; /* of the receipt's checkpoint */
};

MUST_USE int upload_file(struct session *s, struct upload *u);

/* Standard input: kept in memory piece by piece, so that it too survives a lost connection,
 * though not the end of this program. */
MUST_USE int upload_stream(struct session *s, struct upload *u, int fd);

/* What both of them use. */

enum { UPLOAD_SMALL = 4 << 20 }; /* up to so much goes in one request */

/* PUT of what is in memory. */
MUST_USE int upload_put(struct session *s, struct upload *u, struct view content, int64_t mtime_s,
			char ret_receipt[48]);

/* POST /uploads; size NULL: not known yet. */
MUST_USE int upload_create(struct session *s, const struct upload *u, const uint64_t *size,
			   int64_t mtime_s, struct answer *ret_answer);

/* Take an unfinished upload off the server, if it can be done soon: the error that led to it
 * stays what it is. The server leaves alone what is finished. */
void upload_drop(struct session *s, const char *upload);

/* The server's SHA-256 must be ours: E_INTEGRITY. Without one, E_PROTOCOL unless a receipt
 * says it. */
MUST_USE int upload_compare(const struct answer *a, const struct upload *u);

#endif
