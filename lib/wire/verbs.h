/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verbs: all that a gate may ask of the keep and all that the keep may order: the one
 * table that both sides are built from (STYLE.md's "one grep shows both sides").
 *
 * A message is one packet of a SOCK_SEQPACKET socket:
 *
 *	uint16 kind        ask, answer or order
 *	uint16 verb
 *	uint32 id          chosen by the asker, given back in the answer; 0 in orders
 *	uint64 subject     the session, put or get that it is about, as the verb's phase says
 *	int32  status      answers: 0 or a code of base/err.h; else 0
 *	body               the fields below in their order, big-endian, nothing behind them;
 *	                   of an answer with a status: bytes text, what a user may be told
 *
 * Descriptors travel with answers only (SCM_RIGHTS); a keep accepts none.
 * The keep ends a gate that sends an unknown verb, a verb out of its phase, a subject that
 * is not its own, a missing or surplus byte, or more asks at once than its credits.
 */
#ifndef DROPKEEP_VERBS_H
#define DROPKEEP_VERBS_H

#include <stdint.h>

enum { WIRE_VERSION = 4 };

/* What the subject of an ask must be. */
enum phase {
	PHASE_NEW,     /* the link itself, before HELLO; subject 0 */
	PHASE_LINK,    /* the link after HELLO; subject 0 */
	PHASE_KNOCK,   /* a session that has not authenticated */
	PHASE_ANY,     /* a session, authenticated or not */
	PHASE_SESSION, /* an authenticated session */
	PHASE_PUT,     /* an upload whose sealing lease this gate holds */
	PHASE_GET,     /* a download that this gate has open */
};

/* VERB(number, NAME, name, phase, most descriptors in the answer) */
#define WIRE_ASKS(VERB)                                     \
	VERB(1, HELLO, hello, PHASE_NEW, 16)                \
	VERB(2, SESSION_OPEN, session_open, PHASE_LINK, 0)  \
	VERB(3, AUTH, auth, PHASE_KNOCK, 0)                 \
	VERB(4, SESSION_NOTE, session_note, PHASE_ANY, 0)   \
	VERB(5, SESSION_CLOSE, session_close, PHASE_ANY, 0) \
	VERB(6, ENROLL, enroll, PHASE_KNOCK, 0)             \
	VERB(10, STAT, stat, PHASE_SESSION, 0)              \
	VERB(11, LIST, list, PHASE_SESSION, 0)              \
	VERB(12, MAKE_DIR, make_dir, PHASE_SESSION, 0)      \
	VERB(13, REMOVE_DIR, remove_dir, PHASE_SESSION, 0)  \
	VERB(14, REMOVE, remove, PHASE_SESSION, 0)          \
	VERB(15, RENAME, rename, PHASE_SESSION, 0)          \
	VERB(16, SET_ATTRS, set_attrs, PHASE_SESSION, 0)    \
	VERB(17, SPACE, space, PHASE_SESSION, 0)            \
	VERB(20, PUT_OPEN, put_open, PHASE_SESSION, 2)      \
	VERB(21, PUT_EXTEND, put_extend, PHASE_PUT, 0)      \
	VERB(22, PUT_REKEY, put_rekey, PHASE_PUT, 2)        \
	VERB(23, PUT_SUSPEND, put_suspend, PHASE_PUT, 0)    \
	VERB(24, PUT_FINISH, put_finish, PHASE_PUT, 0)      \
	VERB(25, PUT_DROP, put_drop, PHASE_PUT, 0)          \
	VERB(26, PUT_STORE, put_store, PHASE_PUT, 1)        \
	VERB(27, UPLOAD, upload, PHASE_SESSION, 0)          \
	VERB(30, GET_OPEN, get_open, PHASE_SESSION, 1)      \
	VERB(31, GET_CLOSE, get_close, PHASE_GET, 0)        \
	VERB(40, ACCOUNT, account, PHASE_SESSION, 0)        \
	VERB(41, RECEIPT, receipt, PHASE_SESSION, 0)

/* ORDER(number, NAME, name): from the keep, never answered. */
#define WIRE_ORDERS(ORDER)                                                                     \
	ORDER(100, CONFIGURE, configure)     /* new settings after a reload */                 \
	ORDER(101, END_SESSION, end_session) /* subject: the session */                        \
	ORDER(102, YIELD, yield)             /* subject: the put to suspend, for a newcomer */ \
	ORDER(103, DRAIN, drain)             /* accept no more, finish, then exit */

enum verb {
#define VERB(number, NAME, name, phase, fds) VERB_##NAME = number,
	WIRE_ASKS(VERB)
#undef VERB
#define ORDER(number, NAME, name) ORDER_##NAME = number,
	    WIRE_ORDERS(ORDER)
#undef ORDER
};

struct verb_row {
	uint16_t number;
	uint8_t phase; /* enum phase */
	uint8_t fds;
	const char *name;
};

/* The row of an ask, or NULL for a number that is none. */
const struct verb_row *verb_find(uint16_t number);

/* For tests and for the hostile gate: row i, or NULL past the end. */
const struct verb_row *verb_row_at(unsigned i);

#endif
