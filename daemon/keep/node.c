/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/node.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/keep/object_key.h"

int node_seal_name(const struct zone_keys *z, uint64_t parent, struct view name,
		   uint8_t *ret_sealed, size_t *ret_len)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	int rc = zone_keys_seal_name(z, parent, name, &sealed);

	if (rc)
		return rc;
	if (sealed.len > SEALED_NAME_MAX)
		return fail(E_INVALID, "a name of more than %d bytes", NAME_BYTES_MAX);
	memcpy(ret_sealed, sealed.data, sealed.len);
	*ret_len = sealed.len;
	return 0;
}

int node_make(struct catalog *c, const struct keys *k, const struct zone_keys *z, struct view name,
	      struct node_row *row)
{
	CLEANUP(buf_done) struct buf key = {0};
	int rc = node_seal_name(z, row->parent, name, row->name, &row->name_len);

	row->made_us = clock_utc_us();
	if (row->mtime_s == 0)
		row->mtime_s = row->made_us / 1000000;
	if (!rc)
		rc = object_key_make(k, z, row->object, &key);
	if (!rc)
		rc = catalog_node_add(c, row, view_buf(&key));
	return rc;
}
