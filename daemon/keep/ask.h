/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask: one question of a gate on its way through the keep: received, checked against the
 * table of verbs, done as a deed, answered.
 *
 * The answers themselves are the deeds of answer_*.c, one row per verb, named answer_x.
 */
#ifndef DROPKEEP_KEEP_ASK_H
#define DROPKEEP_KEEP_ASK_H

#include "daemon/keep/deeds.h"
#include "daemon/keep/gate_link.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/record.h"
#include "wire/messages.h"

/* What the record says of a refusal, and its peer is not told. */
struct refusal {
	const char *reason; /* NULL: as the peer was told */
	char user[ACCOUNT_MAX + 1], key[64];
};

struct ask {
	struct deed deed;
	struct gate *gate;
	struct frame frame;
	void *packet; /* what frame.body and all views in `m` borrow from */
	size_t size;
	union {
#define VERB(number, NAME, name, phase, fds) struct ask_##name name;
		WIRE_ASKS(VERB)
#undef VERB
	} m;
	struct writer out; /* the answer's body, heap memory */
	int fds[LINK_FDS_MAX];
	unsigned fd_count;
	/* What the stages of one verb hand on to each other; owned, freed by drop. */
	void *work;
	void (*drop_work)(void *work);
	struct refusal refusal;  /* of who asked to come in */
	struct ask *parked_next; /* behind a put that is being asked to yield */
};

static inline struct ask *ask_of(struct deed *d)
{
	return (struct ask *)(void *)d; /* the deed is its first member */
}

/*
 * Take a packet from a gate. Anything but a well-formed ask in its phase about the gate's
 * own things is E_PROTOCOL (the caller ends the gate).
 */
MUST_USE int ask_receive(struct gate *g, struct view packet);

/* Room for an answer of at most cap bytes. */
struct writer *ask_out(struct ask *a, size_t cap);

/* The session, put or get that the ask is about. NULL when it has ended meanwhile. */
struct session *ask_session(const struct ask *a);
struct put *ask_put(const struct ask *a);
struct get *ask_get(const struct ask *a);

/* Whether the list that a user's credential (its fingerprint; "": it has none yet) was given
 * allows the address of the ask's session. E_DENIED, and the ask's refusal says why. */
MUST_USE int ask_from_allowed(struct ask *a, const char *networks, const char *user,
			      const char *key);

/* The principal of an authenticated session; E_DENIED when it is gone or disabled. */
MUST_USE int ask_principal(const struct ask *a, const struct principal **ret_principal);

/* In decide: E_GONE when nobody is there to use what the ask would open, E_LIMIT when the session
 * or its gate has far more open than a gate lets its clients have. */
MUST_USE int ask_may_open(const struct ask *a);

/* For all rows: the record of a refusal (rate-limited), and the answer. */
void ask_refused(struct deed *d);
void ask_finish(struct deed *d);

#define VERB(number, NAME, name, phase, fds) extern const struct deed_row answer_##name;
WIRE_ASKS(VERB)
#undef VERB

/* The event of an ask about a path, with what its change says. */
struct event ask_event(const struct ask *a, const char *name, struct view path);

/* The record of a session's end, or of its failed authentication. */
MUST_USE int session_record_end(struct keep *keep, const struct session *s, const char *reason);

/* The record of a download's end. */
MUST_USE int get_record_end(struct keep *keep, const struct get *g, int code, uint64_t bytes,
			    struct view ranges);

/* A download that was opened in the log, and whose end nobody could record yet. Takes g. */
void get_fail(struct keep *keep, struct get *g, int code);

/* Chore: all that a gate had open ends with it. */
void gate_lost(struct gate *g);

#endif
