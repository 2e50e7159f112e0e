/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants: the prefixes of grants at rest. A stolen catalog shows that somebody has rights in a
 * zone, not where.
 *
 * A prefix is sealed as a path with a slash in front, so that it is never empty: deterministic
 * under its zone's names key, as a whole path; or, for all zones, under the master key, bound to
 * its principal and different each time.
 */
#ifndef DROPKEEP_KEEP_GRANTS_H
#define DROPKEEP_KEEP_GRANTS_H

#include "daemon/keep/catalog.h"
#include "daemon/keep/keys.h"

/* "a/b/" becomes "a/b", "/" becomes "" (the whole zone). E_INVALID for what is no path. */
MUST_USE int grant_normal_prefix(const char *prefix, struct buf *out);

/* row: principal and zone are set, the sealed prefix is filled. z: the keys of that zone, NULL
 * for all zones. */
MUST_USE int grant_seal_prefix(const struct keys *k, const struct zone_keys *z, struct view prefix,
			       struct grant_row *row);
MUST_USE int grant_open_prefix(const struct keys *k, const struct zone_keys *z,
			       const struct grant_row *row, struct buf *out);

#endif
