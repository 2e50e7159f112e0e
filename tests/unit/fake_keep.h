/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_keep: stands in for daemon/gate/keeper and the keep behind it, for tests of put and get.
 *
 * One file, one upload at a time. It answers later, from the loop, in real time; checks that
 * what the gate says makes sense (phases, closed descriptors) and keeps what it said. It also
 * watches every sealing of the process: a second one under one key and number aborts.
 */
#ifndef DROPKEEP_FAKE_KEEP_H
#define DROPKEEP_FAKE_KEEP_H

#include <uv.h>

#include "base/sha256.h"
#include "daemon/gate/keeper.h"

struct fake_blob {
	char path[128];
	uint64_t offset;
	uint8_t key[32];
	uint64_t size; /* plaintext, for finished ones */
	bool finished;
};

struct fake_tasks;
struct keeper {
	uv_loop_t *loop;
	uv_timer_t timer;
	char dir[64];
	struct fake_tasks *tasks, **tail;
	unsigned numbers;
	unsigned delay_ms; /* of every answer */

	/* knobs */
	enum verb refuse; /* this verb gets refuse_rc, from the refuse_after'th ask of it on */
	int refuse_rc;
	unsigned refuse_after;
	uint64_t quota, first_grant; /* first_grant: beyond what a lease starts with */
	int bad_fd;                  /* instead of the blob's descriptor, when >= 0 */
	bool no_fds;                 /* answers that open something come without descriptors */
	bool blobs_at_once;          /* no lease is bare */
	bool restarted; /* no key goes on, what a clean end left comes from another blob */
	bool wavers;    /* a re-keying with less than the prefix gives that prefix again */
	void (*spoil)(struct lease *l); /* change a lease before it goes out */

	/* the upload */
	bool writing; /* a lease is out */
	bool bare;    /* and it came without a blob, which nobody has asked for */
	uint64_t number;
	struct fake_blob blob;    /* its blob */
	struct fake_blob source;  /* what a lease with a prefix is made from */
	bool has_source, partial; /* partial: something can be resumed */
	bool clean;
	uint64_t sealed, durable; /* durable: of blob, when not clean */
	uint8_t digest[SHA256_STATE_SIZE];
	uint8_t tail_bytes[65536];
	size_t tail_len;
	struct fake_blob done; /* the published file */
	bool published;
	uint8_t sha256[32];

	/* what it heard */
	unsigned asks[128];         /* by verb */
	struct ask_put_open opened; /* views cut off, but for these two */
	uint8_t match[128], asked_ticket[WIRE_ID];
	struct ask_put_suspend suspended; /* views cut off */
	struct ask_put_drop dropped;
	char reason[256];
	int64_t mtime_s;
	uint64_t wanted[64], extend_durable;
	uint64_t get_bytes;
	unsigned get_code, get_ranges;
	uint64_t get_range[64][2];
};

struct keeper *fake_new(uv_loop_t *loop);
void fake_free(struct keeper *k); /* the loop runs until all is closed */

/* Make the published file (or another finished blob) of some plaintext. */
void fake_blob_write(struct keeper *k, struct view plain, struct fake_blob *ret_blob);

/* The plaintext of a blob's first `size` bytes, checked against its key; finished: the chunk at
 * the end must bear the last flag and the file must end there. Aborts where it does not fit. */
void fake_blob_read(const struct fake_blob *b, uint64_t size, bool finished, uint8_t *ret_plain);

/* Failures of the system: the n'th next call (1 is the next) of sys_sync_data fails; the disk
 * is full from the n'th next sys_pwrite_all on. */
extern _Atomic unsigned fake_fail_sync, fake_fail_write;

/* Chunks sealed and opened by anybody since the beginning. */
extern _Atomic unsigned fake_sealed, fake_opened;

/* For measuring: do not watch. */
extern bool fake_unwatched;

#endif
