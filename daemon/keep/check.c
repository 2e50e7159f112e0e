/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "age/reader.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/keyring.h"
#include "daemon/keep/safe_json.h"

static const char hash_purpose[] = "dropkeep content hash v1";

struct check {
	struct keep *keep;
	struct keyring ring;
	struct catalog *reader;
	json_t *problems;
	bool deep;
	uint64_t blobs, bytes;
};

int check_new(struct keep *keep, bool deep, json_t *problems, struct check **ret_check)
{
	struct check *k = mem_new(sizeof *k);
	int rc = keyring_make(keep->catalog, keep->accounts, &k->ring);

	k->keep = keep;
	k->deep = deep;
	k->problems = problems;
	if (rc)
		check_free(k);
	else
		*ret_check = k;
	return rc;
}

void check_free(void *check)
{
	struct check *k = check;

	if (!k)
		return;
	keyring_done(&k->ring);
	catalog_close(&k->reader);
	free(k);
}

/* Adds a problem, explained by this thread's error chain where text is NULL. */
static void problem(struct check *k, const char *what, const uint8_t *blob, const char *text)
{
	char id[2 * ID_SIZE + 1] = "";

	if (blob)
		hex_encode(blob, ID_SIZE, id);
	json_array_append_new(k->problems,
			      json_pack("{s:s,s:s,s:o}", "what", what, "id", id, "problem",
					safe_text(view_text(text ? text : err_text()))));
	err_clear();
}

static int stored_hash(const struct check *k, const struct keyring_zone *zone,
		       const struct version_row *v, struct secret **ret_hash)
{
	return keys_open(k->keep->keys, zone_keys_data(zone->keys), hash_purpose,
			 view_of(v->blob, sizeof v->blob),
			 view_of(v->sealed_hash, v->sealed_hash_len), ret_hash);
}

static int compare_content(struct check *k, const struct keyring_zone *zone,
			   const struct version_row *v, struct age_reader *reader)
{
	CLEANUP(secret_free) struct secret *hash = NULL;
	uint8_t digest[SHA256_SIZE];
	int rc = stored_hash(k, zone, v, &hash);

	if (!rc)
		rc = age_reader_verify(reader, digest);
	if (!rc && !view_equal(secret_view(hash), view_of(digest, sizeof digest)))
		rc = fail(E_INTEGRITY, "its content does not have the hash that the catalog knows");
	return rc;
}

static int read_blob(struct check *k, const struct keyring_zone *zone, const struct version_row *v)
{
	CLEANUP(age_reader_free) struct age_reader *reader = NULL;
	CLEANUP(sys_close) int fd = -1;
	int rc = blobs_read(k->keep->blobs, v->blob, &fd);

	if (!rc)
		rc = age_reader_open_fd(fd, zone_keys_identity(zone->keys), &reader);
	if (!rc && memcmp(age_reader_pin(reader), v->pin, sizeof v->pin) != 0)
		rc = fail(E_INTEGRITY, "it is another blob than the catalog means");
	if (!rc && age_reader_size(reader) != v->size)
		rc = fail(E_INTEGRITY, "its size is not what the catalog knows");
	if (!rc && k->deep)
		rc = compare_content(k, zone, v, reader);
	return rc;
}

/* A version that went while we looked is no problem: it is asked for again. */
static bool still_there(struct check *k, uint64_t version)
{
	struct version_row again;

	return catalog_version_by_id(k->reader, version, &again) == 0;
}

static int check_version(struct check *k, const struct version_row *v)
{
	struct node_row node;
	int rc = catalog_node_by_id(k->reader, v->node, &node);
	const struct keyring_zone *zone = rc ? NULL : keyring_by_id(&k->ring, node.zone);

	k->blobs++;
	k->bytes += v->size;
	if (!zone) {
		if (still_there(k, v->id))
			problem(k, "version", v->blob,
				"its file or zone is missing from the catalog");
		return 0;
	}
	rc = read_blob(k, zone, v);
	if (rc && still_there(k, v->id))
		problem(k, "blob", v->blob, NULL);
	err_clear();
	return 0;
}

static int check_versions(struct check *k)
{
	struct version_row v = {0};
	int rc;

	while ((rc = catalog_version_next(k->reader, v.id, &v)) == 0) {
		rc = check_version(k, &v);
		if (rc)
			return rc;
	}
	return rc == E_GONE ? 0 : rc;
}

/* What of an unfinished upload must be there: what it goes on from, or its own blob as soon as
 * something stands in it (the row is older than the blob). */
static const uint8_t *needed_blob(const struct upload_row *u)
{
	return u->has_source ? u->source_blob : u->durable ? u->blob : NULL;
}

static int check_uploads(struct check *k)
{
	struct upload_row u = {0};
	int rc;

	while ((rc = catalog_upload_next(k->reader, u.id, &u)) == 0) {
		CLEANUP(sys_close) int fd = -1;
		struct upload_row again;
		const uint8_t *blob = needed_blob(&u), *still;
		if (blob && blobs_read(k->keep->blobs, blob, &fd) &&
		    catalog_upload_by_id(k->reader, u.id, &again) == 0 &&
		    (still = needed_blob(&again)) && memcmp(blob, still, ID_SIZE) == 0)
			problem(k, "upload", blob, "the blob of an unfinished upload is missing");
		err_clear();
	}
	return rc == E_GONE ? 0 : rc;
}

static int visit_blob(void *arg, const uint8_t id[ID_SIZE], uint64_t size)
{
	struct check *k = arg;
	CLEANUP(sys_close) int fd = -1;
	bool known = true;
	int rc = catalog_blob_known(k->reader, id, &known);

	(void)size;
	/* One that went while we looked was no longer needed. */
	if (!rc && !known && blobs_read(k->keep->blobs, id, &fd) != E_GONE)
		problem(k, "blob", id,
			"the catalog does not know it: was the catalog rolled back?");
	if (!rc)
		err_clear();
	return rc;
}

static int check_store(struct check *k)
{
	int rc = blobs_each(k->keep->blobs, visit_blob, k);

	if (rc != E_INTEGRITY)
		return rc;
	problem(k, "blob", NULL, NULL);
	return 0;
}

static int visit_lost(void *arg, const char *name)
{
	struct check *k = arg;

	json_array_append_new(k->problems,
			      json_pack("{s:s,s:o,s:s}", "what", "lost+found", "id",
					safe_text(view_text(name)), "problem",
					"set aside at a start: the catalog did not know it"));
	return 0;
}

static int check_catalog(struct check *k)
{
	CLEANUP(buf_done) struct buf found = {0};
	const char *text;
	int rc = catalog_check(k->reader, &found);

	if (rc == E_INTEGRITY) { /* found holds what was seen until it could go no further */
		problem(k, "catalog", NULL, NULL);
		rc = 0;
	}
	if (!rc && found.len) {
		rc = buf_text(&found, &text);
		if (!rc)
			problem(k, "catalog", NULL, text);
	}
	return rc;
}

int check_run(struct check *k)
{
	int rc = catalog_open_reader(k->keep->boot->state, keys_catalog(k->keep->keys), &k->reader);

	if (!rc)
		rc = check_catalog(k);
	if (!rc)
		rc = check_versions(k);
	if (!rc)
		rc = check_uploads(k);
	if (!rc)
		rc = check_store(k);
	if (!rc)
		rc = blobs_each_lost(k->keep->blobs, visit_lost, k);
	catalog_close(&k->reader);
	return rc;
}

uint64_t check_blobs(const struct check *k)
{
	return k->blobs;
}

uint64_t check_bytes(const struct check *k)
{
	return k->bytes;
}
