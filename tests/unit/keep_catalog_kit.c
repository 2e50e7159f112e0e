/* SPDX-License-Identifier: Apache-2.0 */
#include "keep_catalog_kit.h"

#include <stdio.h>

#include "wire/messages.h"

struct catalog *kit_catalog(const struct kit *kit)
{
	struct catalog *c = NULL;

	assert_good(catalog_open(kit->dir, kit_key(), true, &c));
	return c;
}

uint64_t kit_principal(struct catalog *c, const char *name)
{
	struct principal_row row = {.role = ROLE_CLIENT};

	(void)snprintf(row.name, sizeof row.name, "%s", name);
	assert_good(catalog_principal_add(c, &row));
	return row.id;
}

uint64_t kit_zone(struct catalog *c, const char *name)
{
	struct zone_row row = {.wrapped_len = 157};

	(void)snprintf(row.name, sizeof row.name, "%s", name);
	assert_good(random_bytes(row.wrapped, row.wrapped_len));
	assert_good(catalog_zone_add(c, &row));
	struct node_row root = {.zone = row.id, .kind = NODE_DIR};
	assert_good(catalog_node_add(c, &root, view_of(NULL, 0)));
	row.root = root.id;
	assert_good(catalog_zone_set(c, &row));
	return row.id;
}

uint64_t kit_root(struct catalog *c, uint64_t zone)
{
	struct zone_row row;

	assert_good(catalog_zone_by_id(c, zone, &row));
	return row.root;
}

uint64_t kit_node(struct catalog *c, uint64_t zone, uint64_t parent, const char *name)
{
	struct node_row row = {.zone = zone,
			       .parent = parent,
			       .kind = name[0] == 'f' ? NODE_FILE : NODE_DIR,
			       .name_len = strlen(name)};

	memcpy(row.name, name, row.name_len);
	assert_good(catalog_node_add(c, &row, view_of(NULL, 0)));
	return row.id;
}

void kit_blob(uint8_t number, uint8_t ret_blob[ID_SIZE])
{
	memset(ret_blob, number, ID_SIZE);
}

uint64_t kit_version(struct catalog *c, uint64_t node, uint8_t blob)
{
	struct version_row row = {.node = node};

	kit_blob(blob, row.blob);
	assert_good(catalog_version_add(c, &row));
	return row.id;
}

uint64_t kit_upload(struct catalog *c, uint64_t node, uint8_t blob)
{
	struct upload_row row = {.node = node};

	kit_blob(blob, row.blob);
	assert_good(catalog_upload_add(c, &row));
	return row.id;
}

struct credential_row kit_credential(uint64_t principal, const char *fingerprint)
{
	struct credential_row row = {.principal = principal,
				     .kind = CREDENTIAL_SSH_KEY,
				     .algorithm = "ssh-ed25519",
				     .comment = "anna@example.org",
				     .made_us = 5,
				     .expires_us = 6,
				     .networks = "192.0.2.0/24 2001:db8::/32"};

	(void)snprintf(row.fingerprint, sizeof row.fingerprint, "SHA256:%s", fingerprint);
	return row;
}
