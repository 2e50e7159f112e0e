/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: what the keep remembers of connections, uploads and downloads that gates carry.
 *
 * Owned by the loop thread. All of it is in memory: a keep that restarts has none, and finds
 * in the catalog what uploads were in progress.
 */
#ifndef DROPKEEP_KEEP_SESSION_H
#define DROPKEEP_KEEP_SESSION_H

#include "base/slots.h"
#include "daemon/keep/catalog.h"
#include "daemon/keep/keys.h"

struct gate;
struct ask;

enum { SESSION_TEXT = 128, PEER_TEXT = 48 };

struct session {
	uint64_t number;
	struct gate *gate;
	int64_t opened_us;
	char protocol[16];
	char peer[PEER_TEXT];
	uint16_t port;
	/* From authentication on. */
	bool authenticated;
	uint64_t principal;
	enum role role;
	char user[ACCOUNT_MAX + 1];
	char method[16];
	char fingerprint[64];
	int64_t expires_us; /* of the credential; 0: never */
	char client[SESSION_TEXT];
	char cipher[SESSION_TEXT];
	/* Before it: what was tried, for one record at the end. */
	unsigned tries;
	char tried_user[ACCOUNT_MAX + 1];
	bool tried_elsewhere; /* with a credential that is good from other networks alone: */
	char tried_key[64];
	uint64_t bytes_in, bytes_out;
	unsigned refusals;
	unsigned handles;    /* puts and gets */
	unsigned tree_reads; /* of the log's checkpoint and hash tiles */
	bool ending;         /* its last ask has come */
	bool over;           /* its end is decided; it goes with the tick that did so */
};

/* Where each request shows its credential; over SSH the connection has one. */
static inline bool session_is_https(const struct session *s)
{
	return strcmp(s->protocol, "https") == 0;
}

/* A sealing lease: the right of one gate to seal chunks of one upload. */
struct put {
	uint64_t number;
	struct gate *gate;
	uint64_t session; /* may be gone before the put */
	uint64_t upload, node, zone, principal;
	uint8_t object[ID_SIZE];
	uint8_t blob[ID_SIZE];
	uint8_t pin[32];
	bool bare;         /* it has no blob yet, and if it never needs one, becomes a tiny file */
	uint8_t nonce[16]; /* of its payload, while it is bare */
	uint64_t head;     /* bytes before the blob's first chunk */
	uint64_t granted;  /* as far as its gate may write, in bytes of content */
	uint64_t durable;  /* of the upload, as last told */
	uint64_t stored;   /* of what was granted, in its blob: needs no more room */
	bool resumed;
	bool lent;      /* the gate has what it needs; not before it is told, nor during a rekey */
	bool ending;    /* its last ask has come */
	bool over;      /* its end is decided; it goes with the tick that did so */
	bool revoked;   /* a newcomer has it; whatever this gate says of it is refused */
	bool tail_lost; /* the end of it, from an earlier run, could not be read */
	unsigned rekeys;
	int64_t opened_us;
	struct zone_keys *zone_keys;
	struct secret *file_key; /* NULL until the gate gets its lease */
	struct ask *waiting;     /* parked newcomers, in a list */
	int64_t yield_by_ms;     /* when they lose patience */
};

struct get {
	uint64_t number;
	struct gate *gate;
	uint64_t session, node, zone;
	uint8_t object[ID_SIZE], blob[ID_SIZE];
	uint64_t size;
	int64_t opened_us;
	bool lent, ending, over; /* as of a put */
};

struct sessions {
	struct slots sessions, uploads, downloads;
	uint64_t promised; /* by all puts: what was granted and may still take room */
};

/* What a peer says of itself, as text: cut to fit, and '?' for what could forge a record. */
void view_to_text(struct view v, char *ret_text, size_t size);

/* NULL: nobody has a lease on it. */
struct put *sessions_put_of_upload(const struct sessions *s, uint64_t upload);

/* E_NOMEM. From then on the things are the table's, and their gates and sessions count them. */
MUST_USE int session_add(struct sessions *s, struct session *session);
MUST_USE int put_add(struct sessions *s, struct put *p);
MUST_USE int get_add(struct sessions *s, struct get *g);

void session_free(struct sessions *s, struct session *session);
/* The only writer of granted and stored. For a grant last in decide: nothing may fail behind it. */
void put_promise(struct sessions *s, struct put *p, uint64_t granted, uint64_t stored);
void put_free(struct sessions *s, struct put *p); /* wipes its keys; nobody may be waiting */
void get_free(struct sessions *s, struct get *g);
void get_take(struct sessions *s, struct get *g); /* out of the table; the caller frees */

#endif
