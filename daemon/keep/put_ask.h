/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put_ask: what the asks about one upload share (answer_put_open, answer_put_lease,
 * answer_put_end): finding it, judging what its gate says of it, ending it.
 */
#ifndef DROPKEEP_KEEP_PUT_ASK_H
#define DROPKEEP_KEEP_PUT_ASK_H

#include "daemon/keep/audit.h"
#include "daemon/keep/leases.h"

/* ---- begin, on the loop; and what goes to the pool ---- */

/* What the pool needs of a put, which may be gone by then. */
struct put_along {
	uint8_t blob[ID_SIZE];
	uint64_t head;
	struct secret *file_key;
	bool resumed, bare;
	/* Of a bare one, to make a tiny file of. */
	uint8_t nonce[AGE_NONCE];
	struct age_recipient recipient[LEASE_RECIPIENTS];
	size_t recipients;
	struct buf file;
};

/* The ask's work becomes a put_along: without its key and recipients, or with them. */
int put_ask_take_blob(struct deed *d);
int put_ask_take_along(struct deed *d);
void put_along_free(void *work);

/* ---- prepare, on the pool ---- */

/* E_PROTOCOL where so much cannot be durable; else the blob's name is made durable, too. */
MUST_USE int put_ask_check_claim(struct deed *d, uint64_t durable);

/* ---- decide ---- */

/* E_GONE when the lease was taken away, or the upload removed. */
MUST_USE int put_ask_load(struct ask *a, struct put **ret_put, struct upload_row *ret_row,
			  const struct zone **ret_zone);

/* E_PROTOCOL for more than was granted. */
MUST_USE int put_ask_check_size(const struct upload_row *row, uint64_t size);

/* Change row, which the caller stores: so much is durable; nothing is wanted from its source. */
MUST_USE int put_ask_note_durable(struct keep *keep, struct upload_row *row, uint64_t durable);
MUST_USE int put_ask_forget_source(struct keep *keep, struct upload_row *row);

struct event put_ask_event(struct ask *a, const char *name, const struct zone *zone,
			   const uint8_t object[ID_SIZE]);

/* ---- finish: after the last ask about a put, whatever came of it ---- */

void put_ask_end(struct deed *d);

/* The same where a gate that contradicts itself is not believed again; the put ends with it. */
void put_ask_end_or_gate(struct deed *d);

#endif
