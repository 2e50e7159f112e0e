/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts: principals and zones in use: catalog rows with their keys unwrapped and their
 * grants opened, cached by number until something changes.
 *
 * Owned by the loop thread. Pointers stay valid until accounts_forget() or the end of the
 * tick, whichever comes first: keep numbers, not pointers.
 */
#ifndef DROPKEEP_KEEP_ACCOUNTS_H
#define DROPKEEP_KEEP_ACCOUNTS_H

#include "daemon/keep/access.h"
#include "daemon/keep/catalog.h"
#include "daemon/keep/keys.h"

struct accounts;

struct zone {
	struct zone_row row;
	struct zone_keys *keys;
};

struct principal {
	struct principal_row row;
	struct access access;
};

MUST_USE int accounts_new(struct catalog *c, const struct keys *k, struct accounts **ret_accounts);
void accounts_free(struct accounts **a);

/* After any change to principals, grants or zones, and after a rollback. What this module
 * itself changes is seen by the next look-up at once; the old pointers stay valid. */
void accounts_forget(struct accounts *a);

const struct keys *accounts_keys(const struct accounts *a);

/* E_GONE, without an error frame, where there is none. The zone's counters are read afresh
 * each time. A grant on a zone that is no more counts for nothing. */
MUST_USE int accounts_zone_by_name(struct accounts *a, struct view name,
				   const struct zone **ret_zone);
MUST_USE int accounts_zone_by_id(struct accounts *a, uint64_t id, const struct zone **ret_zone);
MUST_USE int accounts_principal(struct accounts *a, uint64_t id,
				const struct principal **ret_principal);
MUST_USE int accounts_principal_by_name(struct accounts *a, struct view name,
					const struct principal **ret_principal);

/*
 * Administration: rows, keys and folders together; to be called inside a transaction.
 * E_INVALID for names that account_name_valid() refuses, E_EXISTS for those in use, E_GONE
 * with a sentence for a user or zone that is not there.
 */
MUST_USE int accounts_add_zone(struct accounts *a, const char *name, uint64_t quota_bytes,
			       int64_t retention_s, bool recovery, uint64_t *ret_zone);
MUST_USE int accounts_add_principal(struct accounts *a, const char *name, enum role role,
				    uint64_t *ret_principal);
/* The preset of a role in a zone (0: all zones), as DESIGN.md says. */
MUST_USE int accounts_grant_role(struct accounts *a, uint64_t principal, enum role role,
				 uint64_t zone);
/* Adds to what the grant of exactly that prefix gives. The prefix may have slashes at its ends;
 * "" is the whole zone. Rights of 0 are E_INVALID. */
MUST_USE int accounts_grant(struct accounts *a, uint64_t principal, uint64_t zone,
			    const char *prefix, uint8_t rights);
/* Takes these rights away from the grant of exactly that prefix; E_GONE when there is none. */
MUST_USE int accounts_revoke(struct accounts *a, uint64_t principal, uint64_t zone,
			     const char *prefix, uint8_t rights);

/* Where a session starts: "/ZONE" for a principal that may enter just one zone, else "/". */
MUST_USE int accounts_home(struct accounts *a, const struct principal *p, struct buf *out);

#endif
