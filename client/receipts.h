/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipts: proofs that the server's log has recorded an upload. They are fetched, verified
 * with the key that came with the enrolment, and kept in $XDG_DATA_HOME/dropkeep/PROFILE/
 * receipts/: whoever keeps them is a witness of the log.
 */
#ifndef DROPKEEP_CLIENT_RECEIPTS_H
#define DROPKEEP_CLIENT_RECEIPTS_H

#include "client/session.h"
#include "tlog/proof.h"

/* What the receipt must be about. */
struct receipt_want {
	const char *path; /* "/acme/incoming/plan.pdf" */
	uint64_t size;
	const uint8_t *hash;
};

struct upload;

/* GET, verify, compare, store durably. ret_upload->receipt: where it is, on the heap; its tree.
 * E_INTEGRITY for one that does not verify or is about something else. */
MUST_USE int receipts_fetch(struct session *s, const char *receipt, const struct receipt_want *want,
			    struct upload *ret_upload);

/* What the file of a receipt is called, on the heap. */
char *receipt_name(const char *origin, uint64_t record);

/* A receipt and what it says; verified by the log key `key`. */
struct receipt_facts {
	uint64_t record; /* its number in the log */
	char *path, *user, *time, *origin;
	uint64_t size;
	uint8_t hash[SHA256_SIZE];
	uint64_t tree_size; /* of its checkpoint */
	struct tlog_hash tree_root;
};

MUST_USE int receipt_open(struct view text, const char *origin, const char *key,
			  struct receipt_facts *ret_facts);
void receipt_facts_done(struct receipt_facts *f);

#endif
