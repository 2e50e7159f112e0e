/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload: the sealed chunks of one blob, as descriptor and key.
 *
 * Storing and fetching may run on any thread, several at once. Every byte that a gate seals
 * goes through payload_seal(), and nothing else seals.
 */
#ifndef DROPKEEP_GATE_PAYLOAD_H
#define DROPKEEP_GATE_PAYLOAD_H

#include "age/stream.h"

struct payload {
	int fd;                    /* -1 for none, or none yet */
	uint64_t offset;           /* of chunk 0 in the file */
	struct age_stream *stream; /* NULL for none */
	/* All chunks are full and not the last, unless it is finished: then the one at the
	 * end of size bytes is the last. */
	bool finished;
	uint64_t size;
};

#define PAYLOAD_NONE ((struct payload){.fd = -1})

/* Takes *fd also on failure. E_PROTOCOL for an offset or a size that no file can have. */
MUST_USE int payload_open(int *fd, uint64_t offset, struct view key, struct payload *ret_payload);

/* The key alone, for a blob that is not there yet; later its descriptor: as of payload_open(). */
MUST_USE int payload_begin(struct view key, struct payload *ret_payload);
MUST_USE int payload_place(struct payload *p, int *fd, uint64_t offset);

/* Close and forget. May wait for a disk: not for the loop's thread while fd is open. */
void payload_close(struct payload *p);

/*
 * Seal plain as chunk `index`, and write it to its place. scratch: AGE_SEALED_CHUNK bytes, of
 * which it takes AGE_TAG more than plain has.
 * Never twice for one (key, index): payload does not watch, its user does.
 */
MUST_USE int payload_seal(const struct payload *p, uint64_t index, bool last, struct view plain,
			  uint8_t *scratch);
MUST_USE int payload_store(const struct payload *p, uint64_t index, bool last, struct view plain,
			   uint8_t *scratch);

/* Read and open chunk `index` in memory (AGE_SEALED_CHUNK bytes); nothing of it is to be
 * used on failure. E_INTEGRITY also for a file that ends early. */
MUST_USE int payload_fetch(const struct payload *p, uint64_t index, uint8_t *ret_memory,
			   size_t *ret_len);

#endif
