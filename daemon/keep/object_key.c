/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/object_key.h"

#include "base/mem.h"

static const char purpose[] = "dropkeep object key v1";

enum { OBJECT_KEY_SIZE = 32 };

int object_key_make(const struct keys *k, const struct zone_keys *z, uint8_t ret_object[ID_SIZE],
		    struct buf *ret_sealed)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	uint8_t object[ID_SIZE];
	int rc = random_bytes(object, sizeof object);

	if (!rc)
		rc = secret_random(OBJECT_KEY_SIZE, &key);
	if (!rc)
		rc = keys_seal(k, zone_keys_data(z), purpose, view_of(object, sizeof object),
			       secret_view(key), ret_sealed);
	if (!rc)
		memcpy(ret_object, object, sizeof object);
	return rc;
}

int object_key_open(const struct keys *k, const struct zone_keys *z, const uint8_t object[ID_SIZE],
		    struct view sealed, struct secret **ret_key)
{
	return keys_open(k, zone_keys_data(z), purpose, view_of(object, ID_SIZE), sealed, ret_key);
}
