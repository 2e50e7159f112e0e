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

/* After any change to principals, grants or zones, and after a rollback. */
void accounts_forget(struct accounts *a);

/* The zone's counters are read afresh each time. */
MUST_USE int accounts_zone_by_name(struct accounts *a, struct view name, const struct zone **ret_zone);
MUST_USE int accounts_zone_by_id(struct accounts *a, uint64_t id, const struct zone **ret_zone);
MUST_USE int accounts_principal(struct accounts *a, uint64_t id, const struct principal **ret_principal);
MUST_USE int accounts_principal_by_name(struct accounts *a, struct view name, const struct principal **ret_principal);

/* Administration: rows, keys and folders together; to be called inside a transaction. */
MUST_USE int accounts_add_zone(struct accounts *a, const char *name, uint64_t quota_bytes,
			       int64_t retention_s, bool recovery, uint64_t *ret_zone);
MUST_USE int accounts_add_principal(struct accounts *a, const char *name, enum role role, uint64_t *ret_principal);
/* The preset of a role in a zone (0: all zones), as DESIGN.md says. */
MUST_USE int accounts_grant_role(struct accounts *a, uint64_t principal, enum role role, uint64_t zone);
MUST_USE int accounts_grant(struct accounts *a, uint64_t principal, uint64_t zone, const char *prefix, uint8_t rights);
/* Takes these rights away from the grant of exactly that prefix; E_GONE when there is none. */
MUST_USE int accounts_revoke(struct accounts *a, uint64_t principal, uint64_t zone, const char *prefix, uint8_t rights);

/* Where a session starts: "/ZONE" for a principal that may enter just one zone, else "/". */
MUST_USE int accounts_home(struct accounts *a, const struct principal *p, struct buf *out);

/* An OpenSSH public key line ("ssh-ed25519 AAAA… comment"): algorithm and fingerprint
 * (SHA-256 of the blob). Only ed25519, ecdsa P-256/384/521, rsa >= 2048 bits and their sk- forms. */
MUST_USE int ssh_key_parse(struct view line, struct credential_row *ret_row);
/* The same from the blob that a client presented. */
MUST_USE int ssh_key_of_blob(struct view blob, struct credential_row *ret_row);

#endif
