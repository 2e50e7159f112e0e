/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/keyring.h"

#include <stdlib.h>

#include "base/mem.h"

struct making {
	struct accounts *accounts;
	struct keyring *ring;
};

static int add_zone(void *arg, const struct zone_row *row)
{
	struct making *m = arg;
	struct keyring *r = m->ring;
	const struct zone *zone = NULL;
	int rc = accounts_zone_by_id(m->accounts, row->id, &zone);

	if (rc)
		return rc;
	struct keyring_zone *grown = realloc(r->zone, (r->count + 1) * sizeof *grown);
	if (!grown)
		return fail(E_NOMEM, "a ring of %zu keys", r->count + 1);
	r->zone = grown;
	struct keyring_zone *z = &r->zone[r->count++];
	*z = (struct keyring_zone){
	    .id = row->id, .root = row->root, .keys = zone_keys_ref(zone->keys)};
	memcpy(z->name, row->name, sizeof z->name);
	return 0;
}

int keyring_make(struct catalog *c, struct accounts *a, struct keyring *ret_ring)
{
	struct keyring ring = {0};
	struct making m = {a, &ring};
	int rc = catalog_each_zone(c, add_zone, &m);

	if (rc)
		keyring_done(&ring);
	else
		*ret_ring = ring;
	return rc;
}

void keyring_done(struct keyring *r)
{
	for (size_t i = 0; i < r->count; i++)
		zone_keys_unref(&r->zone[i].keys);
	free(r->zone);
	*r = (struct keyring){0};
}

const struct keyring_zone *keyring_by_id(const struct keyring *r, uint64_t id)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->zone[i].id == id)
			return &r->zone[i];
	return NULL;
}

const struct keyring_zone *keyring_by_name(const struct keyring *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->zone[i].name, name) == 0)
			return &r->zone[i];
	return NULL;
}
