/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: the key hierarchy. The master key wraps each zone's secret; a zone's secret is its
 * age identity and its names key. Only the keep has any of them, in locked memory.
 *
 *	keys/master.key   64 hexadecimal digits and a newline, mode 0400 ([keys] master may
 *	                  name another place)
 *	keys/log.key      the log's Ed25519 seed, sealed under the master key
 *	zone.secret       AES-256-GCM under HKDF(master, "dropkeep zone wrap v1"),
 *	                  associated data: the zone's number
 *
 * Layouts: doc/FORMAT.keys.md. Immutable after loading, so readable from any thread.
 */
#ifndef DROPKEEP_KEEP_KEYS_H
#define DROPKEEP_KEEP_KEYS_H

#include "age/key.h"
#include "base/secret.h"

struct keys;

/* Where the master key is unless the configuration says otherwise. */
#define KEYS_MASTER_FILE "keys/master.key"

/* Make a fresh master key (in a file relative to the state directory, or absolute) and a log
 * key in DIR/keys, which must exist; E_EXISTS when one of them is there. On failure neither is
 * left. */
MUST_USE int keys_create(int state_fd, const char *master);

/* Load what keys_create() made. E_GONE: a file is missing. E_CONFIG: others than the owner may
 * read one, or it is not in its exact form. E_INTEGRITY: log.key is not under master.key. */
MUST_USE int keys_load(int state_fd, const char *master, struct keys **ret_keys);
void keys_free(struct keys **k);

/* The log's Ed25519 seed (32 bytes). */
const struct secret *keys_log(const struct keys *k);

/* What authenticates the catalog's pages (32 bytes): HKDF(master, "dropkeep catalog pages v1"). */
const struct secret *keys_catalog(const struct keys *k);

/*
 * Authenticated encryption under a key derived from a parent secret and a purpose:
 * AES-256-GCM, random 96-bit nonce in front, tag behind, `about` as associated data.
 * parent NULL means the master key. keys_seal() appends; keys_open() gives E_INTEGRITY for
 * anything that was not sealed under the same parent, purpose and `about`.
 */
MUST_USE int keys_seal(const struct keys *k, const struct secret *parent, const char *purpose,
		       struct view about, struct view plain, struct buf *out);
MUST_USE int keys_open(const struct keys *k, const struct secret *parent, const char *purpose,
		       struct view about, struct view sealed, struct secret **ret_plain);

/* A zone's secret in use. Reference-counted (atomic), so that pool work outlives a removal.
 * create: ret_wrapped is appended to. unwrap: E_INTEGRITY for another zone's, for another
 * master key, for any change. */
struct zone_keys;
MUST_USE int zone_keys_create(const struct keys *k, uint64_t zone, struct buf *ret_wrapped,
			      struct zone_keys **ret_zone);
MUST_USE int zone_keys_unwrap(const struct keys *k, uint64_t zone, struct view wrapped,
			      struct zone_keys **ret_zone);
struct zone_keys *zone_keys_ref(struct zone_keys *z);
void zone_keys_unref(struct zone_keys **z);
const struct secret *zone_keys_identity(const struct zone_keys *z);
const struct age_recipient *zone_keys_recipient(const struct zone_keys *z);
const struct secret *
zone_keys_data(const struct zone_keys *z); /* for keys_seal() of a zone's catalog fields */

/* Names: AES-256-SIV (RFC 5297) under the zone's names key, `parent` (a node's number) as
 * associated data. Deterministic, so that exact look-up works. parent 0: a whole path.
 * Both append to out. An empty name is E_INVALID (RFC 5297 would have it, OpenSSL before 3.5
 * has not); what does not open is E_INTEGRITY. Sealed: 16 bytes more than the name. */
MUST_USE int zone_keys_seal_name(const struct zone_keys *z, uint64_t parent, struct view name,
				 struct buf *out);
MUST_USE int zone_keys_open_name(const struct zone_keys *z, uint64_t parent, struct view sealed,
				 struct buf *out);

#endif
