/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_inside: what the parts of put share, and nobody else includes.
 *
 *	put.c        the life of an upload: states, asks, the ends
 *	put_write.c  the window: bytes find their place, the logical size moves
 *	put_work.c   the pool's work: storing, hashing, loading, comparing, syncing
 *	put_lease.c  what a lease brings: descriptors, keys, what stands already
 *	put_rekey.c  the way to another key
 *	put_grant.c  the reservation, and what the keep is told meanwhile
 *	put_store.c  the way to a blob
 *
 * A byte of the upload that the client may count on (`present`) is in exactly one place: in
 * an OPEN slot, in a sealed chunk of the blob, or in `copy`, still to be brought from the
 * source (a blob under another key). Chunks are sealed when they are complete and something
 * follows them; from that moment (`claimed`) their bytes are fixed under this lease.
 *
 *	FREE ── a write, a load ──► OPEN ── complete, claimed ──► FIXED ── stored, hashed ──► FREE
 *
 * A bare lease has no blob. It is asked for once, when the first chunk could be sealed, or when
 * an upload with something in it is to be left unfinished; until then all is in slots. An upload
 * of one chunk that is published under a bare lease goes to the keep sealed, in PUT_FINISH.
 *
 * The digest follows as a cursor over the claimed chunks from 0 on. A FIXED slot that waits for
 * a hole before it may give up its memory once it is stored: the cursor fetches it again.
 */
#ifndef DROPKEEP_GATE_PUT_INSIDE_H
#define DROPKEEP_GATE_PUT_INSIDE_H

#include "base/sha256.h"
#include "daemon/gate/buffers.h"
#include "daemon/gate/job.h"
#include "daemon/gate/payload.h"
#include "daemon/gate/put.h"
#include "daemon/gate/spans.h"

enum {
	CHUNK = AGE_CHUNK,
	STORE_JOBS = 2,    /* more would only take the pool from other sessions */
	STORE_BATCH = 4,   /* chunks of one store job */
	HASH_BATCH = 8,    /* of one hash job */
	LOAD_BATCH = 8,    /* chunks from the source at a time */
	LOAD_STARVED = 2,  /* the same where a write waits for a slot */
	LOAD_LEAVES = 8,   /* slots that loading leaves to the client's writes */
	SPARES = 4,        /* buffers that an upload without work keeps */
	REKEYS_FREE = 3,   /* however much they bring over */
	REKEYS_MAX = 100,  /* archivers fill in the head of each member behind its end */
	RUNS_MAX = 16384,  /* separate runs of a set that the client's writes shape */
	PIECES_MAX = 1024, /* the same within one chunk */
	SYNC_MS = 2000     /* so long a stored chunk waits to be made durable */
};
#define STEP ((uint64_t)64 << 20) /* of reservations, and of what waits to be made durable */
#define CARRY_MAX                                                                      \
	((uint64_t)4 << 30) /* bytes that re-keyings may bring over, but the free ones \
			     */

enum slot_state { SLOT_FREE, SLOT_OPEN, SLOT_FIXED };
struct slot {
	enum slot_state state;
	bool loading;          /* OPEN: a job brings its bytes of the source */
	bool sealing, hashing; /* FIXED: a job reads data */
	uint64_t index;
	uint8_t *data;     /* stays while FREE, to be used again */
	struct spans have; /* OPEN: which bytes are there */
	uint64_t touched;  /* OPEN: when it was last written, in writes */
};

struct store_job {
	struct job job;
	uint8_t *scratch;
	unsigned count, stored; /* stored: how many succeeded */
	struct slot *slot[STORE_BATCH];
};

struct hash_job {
	struct job job;
	uint8_t *scratch;
	unsigned count;
	struct slot *slot[HASH_BATCH]; /* [0] NULL: fetch chunks first … from the blob */
	uint64_t first;
};

struct load_job {
	struct job job;
	const struct payload *from;
	struct spans *bytes; /* which of them are wanted */
	unsigned count;
	struct {
		struct slot *slot;
		uint64_t index;
		uint8_t *into; /* the slot's data, or a buffer to merge into it */
		size_t len;
	} item[LOAD_BATCH];
};

/* A write over chunks that are sealed and not in the window, compared with what is there. */
struct check_job {
	struct job job;
	bool known;               /* the outcome for this very write is there */
	uint64_t offset, differs; /* differs: the first chunk that does, or NO_CHUNK */
	struct buf data;
	struct spans chunks; /* which to compare */
	uint8_t *scratch;
};
#define NO_CHUNK UINT64_MAX

struct sync_job {
	struct job job;
	bool asked;      /* it answers put_sync() */
	uint64_t chunks; /* stored from 0 on when it began */
};

/* The last job of a lease. */
struct part_job {
	struct job job;
	bool store, sync;  /* store: the last chunk; sync: what was stored is to count */
	bool keep;         /* the last chunk stays, sealed, in scratch: there is no blob */
	struct slot *last; /* NULL for an empty file */
	uint64_t last_index;
	size_t last_len;
	int store_rc, sync_rc;
	uint8_t *scratch;
};

enum put_at {
	AT_ASKED,
	AT_FLOW,
	AT_SETTLE,
	AT_RECALL,
	AT_PART,
	AT_PARTED,
	AT_REKEYED,
	AT_DRAIN,
	AT_LAST,
	AT_SEALED,
	AT_TOLD,
	AT_OVER
};

/* PUBLISH: a close that means it. PARTIAL: a close that does not (DESIGN.md). LEAVE: the owner
 * has gone. DROP: nothing may be kept. */
enum put_end { END_NONE, END_PUBLISH, END_PARTIAL, END_LEAVE, END_DROP };

struct put {
	uint32_t magic;
	struct put *prev, *next;
	uv_loop_t *loop;
	struct keeper *keeper;
	enum put_at at;
	bool driving, again;

	/* the owner */
	put_opened *opened;
	void *opened_arg;
	void (*on_room)(void *), (*on_yielded)(void *);
	void *listener;
	bool called;  /* inside put_write(): no wake-up now */
	bool hungry;  /* was told E_AGAIN */
	bool hurried; /* whoever waits for its end waits for nothing that can be done again */
	put_done *done, *synced_done;
	void *done_arg, *synced_arg;
	enum put_end end;
	char *reason;
	const char *last_word;     /* what to say beside rc 0 */
	struct put_result *result; /* the owner's; NULL: it does not want to know */
	bool stays, expects;
	uint8_t expected[WIRE_HASH], ticket[WIRE_ID];

	/* the first error is the upload's last word; poisoned: and nothing of it may be kept */
	int rc;
	char *text;
	bool poisoned;

	/* the lease */
	uint64_t number;
	struct payload blob, source;
	bool bare;       /* there is no blob yet */
	uint64_t prefix; /* what the lease began with */
	uint64_t
	    kept; /* where its tail ended, which the keep has still: a crash leads back to it */
	struct spans copy;            /* bytes still to be had from the source */
	bool copy_now;                /* the client appends: fetch ahead of need */
	struct spans claimed, sealed; /* chunks; sealed: of the claimed, what is stored */
	bool spoilt;                  /* a claimed chunk could not be stored */
	uint64_t synced;              /* chunks from 0 on that are known to be durable */
	uv_timer_t sync_timer;        /* runs while there is more to make durable */
	bool sync_due;
	uint64_t reported; /* of them, what the keep knows */
	bool sync_untold;  /* put_sync() waits for the keep to know */
	bool asking;       /* an ask is out */

	/* the reservation */
	uint64_t granted;
	uint64_t needed; /* by a write that waits for it, else 0 */
	uint64_t wanted; /* in the ask that is out, 0 for no more */
	uint64_t step;   /* how far ahead of need to ask */
	uint64_t reporting;

	/* as the client sees it */
	uint64_t size, declared;
	uint64_t
	    before;  /* the size before a shrink that nothing has grown over yet, or SIZE_UNKNOWN */
	bool shrunk; /* the last change of the size was a shrink */
	uint64_t reach; /* the end of a write that waited for room */
	bool starved;   /* one waits now */
	struct spans present;
	int64_t mtime_s;

	/* re-keying */
	unsigned rekeys;
	uint64_t carried; /* bytes that they have brought over */
	bool rekey;
	bool hold;            /* the write that caused it has not come again yet */
	uint64_t rekey_chunk; /* the changed one, or NO_CHUNK */
	uint64_t durable;     /* as told to the keep */
	struct spans carry;   /* bytes that go from the old blob to the new */
	bool recalling;

	/* digest of chunks 0 … hashed-1; the hash job owns it while busy */
	struct sha256 hash;
	uint64_t hashed;

	struct slot slot[PUT_WINDOW];
	uint64_t writes;
	unsigned busy; /* jobs */
	struct store_job store[STORE_JOBS];
	struct hash_job hash_job;
	struct load_job load;
	struct check_job check;
	struct sync_job sync;
	struct part_job part;
};

enum put_next { NEXT_GO, NEXT_WAIT, NEXT_END };

/* put.c */
enum put_next put_to(struct put *p, enum put_at at);
void put_drive(struct put *p);
void put_refuse(struct put *p, int rc, const char *text); /* what is stored may be kept */
void put_poison(struct put *p, int rc, const char *text);
void put_failed(struct put *p, int rc); /* refuse with the chain's cause */
MUST_USE int put_error(const struct put *p);
bool put_idle(const struct put *p); /* neither a job nor an ask is under way */
bool put_clean(const struct put *p);
bool put_copies_on(const struct put *p);
/* nobody is there, but it will be clean */ /* nothing was sealed behind the contiguous
					       beginning */
void put_synced(struct put *p);             /* answer put_sync() */
char *put_sentence(const struct answer *a); /* the keep's words; to be freed */

/* put_write.c */
struct slot *put_find(struct put *p, uint64_t index);
MUST_USE int put_take(struct put *p, uint64_t index, struct slot **ret_slot); /* E_AGAIN: none */
unsigned put_free_slots(const struct put *p);
bool put_complete(const struct slot *s);
void put_release(struct slot *s);
void put_settle_shrink(struct put *p);
void put_drop_islands(struct put *p); /* free what a partial will not keep */
bool put_publishable(const struct put *p);

/* put_work.c */
void put_pump(struct put *p); /* begin all work that can begin */
MUST_USE int put_check(struct put *p, uint64_t offset, struct view data,
		       const struct spans *chunks);
void put_load(struct put *p, const struct payload *from, struct spans *bytes);
/* Seal the last chunk (store), make durable (sync), close the descriptors. */
void put_part(struct put *p, bool store, bool sync);
void put_rest(struct put *p);  /* give back what an upload without work need not hold */
void put_empty(struct put *p); /* wipe and free all that it holds */

/* put_lease.c: on failure what was taken is in p, to be closed as usual. */
MUST_USE int put_adopt(struct put *p, const struct lease *l, const struct answer *a);
MUST_USE int put_adopt_again(struct put *p, const struct lease *l, const struct answer *a);

void put_wipe_lease(struct lease *l);

/* put_rekey.c */
bool put_may_rekey(const struct put *p); /* an upload that is rewritten for ever is not */
/* states */
enum put_next put_at_settle(struct put *p);
enum put_next put_at_recall(struct put *p);
enum put_next put_at_part(struct put *p);
enum put_next put_at_parted(struct put *p);
enum put_next put_at_rekeyed(struct put *p);

/* put_grant.c */
bool put_reserve(struct put *p, uint64_t end); /* false: asked for, or refused by now */
void put_grant(struct put *p);                 /* ask for what is needed, tell what is durable */
uint64_t put_durable(const struct put *p, uint64_t chunks); /* of so many stored ones */

/* put_store.c: ask for the blob of a bare lease; only once, and only while no ask is out. */
bool put_wants_blob(const struct put *p); /* to be left with what is in it */
void put_ask_store(struct put *p);

static inline uint64_t put_stored_run(const struct put *p)
{
	return spans_run(&p->sealed, 0);
}

#endif
