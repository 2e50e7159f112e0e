/* SPDX-License-Identifier: Apache-2.0 */
/* keep_catalog_kit: small things to put into a catalog, for its tests. All succeed or fail the
 * test. Names stand for sealed ones: the catalog does not look into them. */
#ifndef DROPKEEP_TESTS_KEEP_CATALOG_KIT_H
#define DROPKEEP_TESTS_KEEP_CATALOG_KIT_H

#include "daemon/keep/catalog.h"
#include "keep_kit.h"

/* A new, empty one. */
struct catalog *kit_catalog(const struct kit *kit);

/* Each gives the new row's number. A zone has a secret and a root. */
uint64_t kit_principal(struct catalog *c, const char *name);
uint64_t kit_zone(struct catalog *c, const char *name);
uint64_t kit_root(struct catalog *c, uint64_t zone);
/* A file if its name begins with f, else a folder. */
uint64_t kit_node(struct catalog *c, uint64_t zone, uint64_t parent, const char *name);
/* Both of 0 bytes, in the blob of that number. */
uint64_t kit_version(struct catalog *c, uint64_t node, uint8_t blob);
uint64_t kit_upload(struct catalog *c, uint64_t node, uint8_t blob);
void kit_blob(uint8_t number, uint8_t ret_blob[ID_SIZE]);

/* A row to be added, that has everything. */
struct credential_row kit_credential(uint64_t principal, const char *fingerprint);

#endif
