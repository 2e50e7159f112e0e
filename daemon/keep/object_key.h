/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object_key: the key under which the log keeps an object's path and content hash. Drawn when
 * a node is made, kept in the catalog sealed under its zone's data key; whoever destroys the
 * row erases what the log says of the object, while the log's tree stays whole.
 */
#ifndef DROPKEEP_KEEP_OBJECT_KEY_H
#define DROPKEEP_KEEP_OBJECT_KEY_H

#include "daemon/keep/catalog.h"
#include "daemon/keep/keys.h"

/* For a new node: draws its object id, and its key sealed for catalog_node_add(). */
MUST_USE int object_key_make(const struct keys *k, const struct zone_keys *z,
			     uint8_t ret_object[ID_SIZE], struct buf *ret_sealed);

MUST_USE int object_key_open(const struct keys *k, const struct zone_keys *z,
			     const uint8_t object[ID_SIZE], struct view sealed,
			     struct secret **ret_key);

#endif
