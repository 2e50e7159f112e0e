/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile_kit: a real keep in this process with two gates: an honest one, whose clients upload,
 * download and list all the while, and a hostile one, whose only user is eve. What eve's gate
 * hears is searched for what is not hers, and after each case the honest work must have gone on.
 */
#ifndef DROPKEEP_TESTS_HOSTILE_KIT_H
#define DROPKEEP_TESTS_HOSTILE_KIT_H

#include "daemon/keep/token.h"
#include "keep_asks.h"

enum { EVE_SIZE = 1000, OPEN_SIZE = 3000 };

/* Where eve comes from, and where her certificate, her token and her codes are good. */
#define EVE_PEER     "192.0.2.66"
#define EVE_NETWORKS "192.0.2.64/26 2001:db8:66::/48"

struct siege {
	struct live live;
	struct user anna, sam, eve;
	uint64_t eve_id;
	char eve_token[TOKEN_LEN + 1];
	uint8_t eve_spki[WIRE_HASH];
	struct fake_gate *honest, *hostile;
	uint64_t of_anna, of_sam, of_eve; /* sessions */
	unsigned work;                    /* honest steps so far */
	unsigned files;                   /* of eve's: a name that was never used */
	unsigned removed;                 /* so many of them are gone for sure */
	size_t descriptors;
};

/* Sent by hostile gates, and what came of it, over all tests of the program. */
extern struct tally {
	unsigned long messages, cases, answered, refused, ended;
} tally;
void tally_print(void);

bool run_long(void); /* DROPKEEP_LONG */

int siege_setup(void **state);
int siege_teardown(void **state);
#define IN_A_SIEGE(test) cmocka_unit_test_setup_teardown(test, siege_setup, siege_teardown)

/* A hostile gate whose session of eve is open, instead of the one before. */
void siege_renew(struct siege *s);

/* A session of the hostile gate that says it is one of HTTPS, from there. */
uint64_t siege_https(struct siege *s, const char *peer);

/* Send without running the loop. */
uint32_t hostile_say(struct siege *s, uint16_t verb, uint64_t subject, struct view body);
void hostile_raw(struct siege *s, struct view packet, const int *fds, unsigned count);

/*
 * What came of the ask, after honest work was done beside it: 0, a status, or E_PROTOCOL when the
 * gate was ended (for this reason, where it is not NULL). A newcomer that waits for a lease loses
 * its patience at once.
 */
int siege_outcome(struct siege *s, uint32_t id, const char *reason);

/* The same for what must end the gate; another one takes its place. */
void siege_ends(struct siege *s, const char *reason);

/* One round of honest work: all of it must be right. */
void siege_work(struct siege *s);

/* Log, catalog and blobs agree. */
void siege_check(struct siege *s);

/* A path of eve's, new each time; valid until the next call. */
const char *eve_path(struct siege *s);

#endif
