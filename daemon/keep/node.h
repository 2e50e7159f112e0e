/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node: the one place where a node of the catalog is made: its name sealed under its parent,
 * its object drawn with the key under which the log will speak of it.
 */
#ifndef DROPKEEP_KEEP_NODE_H
#define DROPKEEP_KEEP_NODE_H

#include "daemon/keep/catalog.h"
#include "daemon/keep/keys.h"

/* row: zone, parent, kind, owner, version, upload as wanted; id, object, name and made_us
 * are filled, mtime_s where it is 0. E_EXISTS when the parent has that name. */
MUST_USE int node_make(struct catalog *c, const struct keys *k, const struct zone_keys *z,
		       struct view name, struct node_row *row);

/* The name of a node as it would be sealed below that parent: for catalog_node_child() and
 * catalog_node_move(). ret_sealed takes SEALED_NAME_MAX bytes. */
MUST_USE int node_seal_name(const struct zone_keys *z, uint64_t parent, struct view name,
			    uint8_t *ret_sealed, size_t *ret_len);

#endif
