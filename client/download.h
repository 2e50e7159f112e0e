/* SPDX-License-Identifier: Apache-2.0 */
/*
 * download: one file of the server to a file here, or to a stream; gone on with after a lost
 * connection and, for a file, after this program was killed.
 */
#ifndef DROPKEEP_CLIENT_DOWNLOAD_H
#define DROPKEEP_CLIENT_DOWNLOAD_H

#include "client/place.h"
#include "client/session.h"

struct download {
	const struct place *from;
	uint64_t size;
	int64_t modified_s;
	bool has_hash; /* else the server is asked for it */
	uint8_t hash[SHA256_SIZE];

	bool replace; /* what is there and is another */

	/* What became of it. */
	bool resumed, was_there;
};

/* To dir/name, where dir is an open folder; it takes dir. */
MUST_USE int download_file(struct session *s, struct download *d, int dir, const char *name);

/* What was written is good only if this returns 0. */
MUST_USE int download_stream(struct session *s, struct download *d, int fd);

/* Size, time and hash by HEAD, where the listing did not say them. */
MUST_USE int download_ask(struct session *s, struct download *d);

#endif
