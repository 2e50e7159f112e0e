/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: does what is stored agree with what the catalog says? Catalog integrity, a blob of
 * the right size for each version, no blob that nobody knows; and, where deep, every blob
 * read, decrypted, and hashed. Runs on the thread pool beside a keep that serves.
 */
#ifndef DROPKEEP_KEEP_CHECK_H
#define DROPKEEP_KEEP_CHECK_H

#include <jansson.h>

#include "daemon/keep/keep.h"

struct check;

/* On the loop. Problems are appended to the array, as doc/PROTOCOL.control.md describes them. */
MUST_USE int check_new(struct keep *keep, bool deep, json_t *problems, struct check **ret_check);

/* On the pool. 0 also when there are problems. */
MUST_USE int check_run(struct check *k);
void check_free(void *check);

uint64_t check_blobs(const struct check *k); /* looked at */
uint64_t check_bytes(const struct check *k); /* of plaintext */

#endif
