/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put: one upload in the gate: bytes at offsets come in, sealed chunks go into the blob.
 *
 * It knows nothing of SFTP or HTTP. It runs on the loop's thread; hashing, sealing, opening
 * and file work run on the thread pool. Memory is bounded (PUT_WINDOW chunk buffers) whatever
 * the size and order of the writes: a write that finds no room gives E_AGAIN and the
 * caller stops reading from its peer until on_room. One put has one sealing lease of the keep;
 * it never seals a second plaintext under one chunk number of a lease.
 *
 * A put outlives its connection: put_abandon() drains and suspends by itself.
 */
#ifndef DROPKEEP_GATE_PUT_H
#define DROPKEEP_GATE_PUT_H

#include <uv.h>

#include "daemon/gate/keeper.h"

enum {
	PUT_WINDOW = 32,        /* chunk buffers of 64 KiB that one upload may hold */
	PUT_WRITE_MAX = 1 << 20 /* bytes in one put_write() */
};

struct put;

/* rc and, when it is 0, the upload (the caller's from now on). text: the keep's sentence. */
typedef void put_opened(void *arg, int rc, const char *text, struct put *p);

/* rc and a sentence for the user; the put is gone after the call of put_close's. */
typedef void put_done(void *arg, int rc, const char *text);

/* Ask the keep for a lease. flags: PUT_CREATE … of wire/messages.h. declared: the size
 * that the client announced, or SIZE_UNKNOWN. opened is called once, always. */
void put_open(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
	      uint8_t flags, uint64_t declared, put_opened *opened, void *arg);

/* The same with conditions (PUT_OPEN in wire/messages.h): match, hashes of which the finished
 * version must have one; ticket, the upload of the caller's that is to be gone on with. Copied. */
struct put_wish {
	uint8_t flags;
	uint64_t declared;
	struct view match, ticket;
};
void put_open_as(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
		 const struct put_wish *wish, put_opened *opened, void *arg);

/* The upload's name in the keep; valid as long as p. */
struct view put_ticket(const struct put *p);

/* What became of a put_close(), filled before its done is called. */
struct put_result {
	bool published, mismatch; /* mismatch: not what put_expect() said; nothing of it is left */
	bool replaced;            /* there was a version before */
	uint64_t size, record;    /* the receipt's number */
	uint8_t sha256[WIRE_HASH];
};
void put_tell(struct put *p, struct put_result *ret_result);

/* What the whole content must have; else it is not published but given up, with E_INTEGRITY. */
void put_expect(struct put *p, const uint8_t sha256[WIRE_HASH]);

/* However it ends, the upload stays to be resumed, also with nothing in it. */
void put_stay(struct put *p);

/* The wake-up for a put_write() that gave E_AGAIN, and for a yield (below). */
void put_listen(struct put *p, void (*on_room)(void *arg), void (*on_yielded)(void *arg),
		void *arg);

/* The lease's number in the keep, by which an order YIELD finds its put. */
uint64_t put_number(const struct put *p);

/* How long the upload is, as the client sees it (writes accepted so far included). */
uint64_t put_size(const struct put *p);

/*
 * Take all of data in, or nothing. 0: the bytes have their place and may be acknowledged
 * (SFTP WRITE promises no durability). E_AGAIN: no room now, or the bytes are being compared
 * with what is sealed there: call again with the same after on_room. Anything else is final for
 * this upload (disk full, quota, an earlier chunk that could not be stored, a range that no window
 * can hold), with err_cause() for the user.
 */
MUST_USE int put_write(struct put *p, uint64_t offset, struct view data);

/* FSETSTAT size. Growing declares a length; shrinking moves the logical end. */
MUST_USE int put_truncate(struct put *p, uint64_t size);

void put_set_mtime(struct put *p, int64_t mtime_s);

/* Everything complete so far is sealed and synced (fsync@openssh.com). Called once; put_write()
 * gives E_AGAIN until then. A put_close() meanwhile answers this first; after put_abandon() and
 * on_yielded it is not answered any more. */
void put_sync(struct put *p, put_done *done, void *arg);

/*
 * The client says it is done: seal the last chunk, sync, publish. done's rc is 0 when the
 * file is published, or left as a resumable partial where DESIGN.md (CLOSE is not a promise)
 * says so. The put is the module's own from here on.
 */
void put_close(struct put *p, put_done *done, void *arg);

/* The connection is lost, or a newcomer wants the upload (order YIELD; then on_yielded is
 * called and the owner must forget p): drain, suspend, free. done (may be NULL) is called
 * once when the keep has answered. */
void put_abandon(struct put *p, const char *reason, put_done *done, void *arg);

/* Its sender gives it up: nothing of it stays. As put_abandon(). */
void put_give_up(struct put *p, const char *reason, put_done *done, void *arg);

/* The gate is to end: abandoned uploads do no more than they must, also those to come. */
void put_hurry(void);

/* Order YIELD for lease `number`: false when no put of this gate has it. */
bool put_yield(uv_loop_t *loop, uint64_t number);

/* Uploads that still have work under way, abandoned ones included: a drain waits for 0. */
unsigned put_count(void);

#endif
