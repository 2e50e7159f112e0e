/* SPDX-License-Identifier: Apache-2.0 */
/* Unfinished uploads, the keys on disk, and what was set aside. */
#include "base/mem.h"
#include "daemon/keep/check_inside.h"
#include "daemon/keep/host_key.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/sealed_blob.h"
#include "daemon/keep/tiny.h"

enum { HOST_KEY_MAX = 16 * 1024 };

/* ---- unfinished uploads ---- */

/* Of an unfinished blob the first chunks, sealed as not the last; of a finished one as well, for
 * there is always another behind what is gone on from. */
static int read_chunks(const struct sealed_blob *b, uint64_t count)
{
	CLEANUP(age_stream_free) struct age_stream *stream = NULL;
	uint8_t *chunk = mem_new(AGE_SEALED_CHUNK);
	CLEANUP(mem_free) void *owned = chunk;
	int rc = age_stream_from_key(view_of(b->key, sizeof b->key), &stream);

	for (uint64_t i = 0; i < count && !rc; i++) {
		rc = sys_pread_all(b->fd, chunk, AGE_SEALED_CHUNK,
				   b->payload + i * AGE_SEALED_CHUNK);
		if (!rc)
			rc = age_stream_open(stream, i, false, view_of(chunk, AGE_SEALED_CHUNK),
					     chunk);
		if (rc)
			rc = fail(rc, "chunk %llu", (unsigned long long)i);
	}
	wipe(chunk, AGE_SEALED_CHUNK);
	return rc;
}

/* What a clean end left must open, and must be what the row says. */
static int read_state(struct check *k, const struct upload_row *u, const uint8_t *blob,
		      const struct sealed_blob *b, uint64_t *ret_sealed)
{
	int rc =
	    resume_check(k->keep->blobs, k->keep->keys, blob, b->file_key, u->durable, ret_sealed);

	return rc ? fail(E_INTEGRITY, "what is to be gone on from (uploads/) is missing or damaged")
		  : 0;
}

static int read_own(struct check *k, const struct upload_row *u, const struct keyring_zone *zone)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	uint64_t chunks = u->durable / AGE_CHUNK;
	int rc = sealed_blob_open(k->keep->blobs, u->blob, false, zone_keys_identity(zone->keys),
				  u->pin, &b);

	if (!rc && u->clean)
		rc = read_state(k, u, u->blob, &b, &chunks);
	return !rc && k->deep ? read_chunks(&b, chunks) : rc;
}

static int open_source(struct check *k, const struct upload_row *u, const struct secret *identity,
		       struct sealed_blob *ret_blob)
{
	CLEANUP(buf_done) struct buf file = {0};

	if (!u->source_tiny)
		return sealed_blob_open(k->keep->blobs, u->source_blob, false, identity,
					u->source_pin, ret_blob);
	int rc = catalog_tiny_get(k->reader, u->source_blob, &file);
	if (rc == E_GONE)
		return fail(E_INTEGRITY, "its content is missing from the catalog");
	return rc ? rc : tiny_open(view_buf(&file), identity, u->source_pin, ret_blob);
}

/* The last chunk of a finished version is marked as such, and is the version's to be checked. */
static int read_source(struct check *k, const struct upload_row *u, const struct keyring_zone *zone)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	uint64_t chunks = u->source_finished ? 0 : u->prefix / AGE_CHUNK;
	int rc = open_source(k, u, zone_keys_identity(zone->keys), &b);

	if (!rc && u->source_clean)
		rc = read_state(k, u, u->source_blob, &b, &chunks);
	return !rc && k->deep ? read_chunks(&b, chunks) : rc;
}

/* Between our look at the row and at its files somebody may have gone on with it. */
static bool as_it_was(struct check *k, const struct upload_row *u)
{
	struct upload_row now;

	return catalog_upload_by_id(k->reader, u->id, &now) == 0 && now.clean == u->clean &&
	       now.has_source == u->has_source && now.source_clean == u->source_clean &&
	       memcmp(now.blob, u->blob, ID_SIZE) == 0 &&
	       (!u->has_source || memcmp(now.source_blob, u->source_blob, ID_SIZE) == 0);
}

/* The row of an upload is older than its blob, so one in which nothing stands may have none. */
static int check_upload(struct check *k, const struct upload_row *u)
{
	struct node_row node;
	int rc = catalog_node_by_id(k->reader, u->node, &node);
	const struct keyring_zone *zone = rc ? NULL : keyring_by_id(&k->ring, node.zone);

	if (rc && rc != E_GONE)
		return rc;
	struct found f = {"upload", u->has_source ? u->source_blob : u->blob, NULL, NULL, NULL};
	if (!zone) {
		rc = fail(E_INTEGRITY, "its file or zone is missing from the catalog");
	} else {
		f.object = node.object;
		f.zone = zone->name;
		rc = u->has_source            ? read_source(k, u, zone)
		     : u->durable || u->clean ? read_own(k, u, zone)
					      : 0;
	}
	if (rc && as_it_was(k, u))
		check_problem(k, f, NULL);
	err_clear();
	return 0;
}

int check_uploads(struct check *k)
{
	struct upload_row u = {0};
	int rc;

	while ((rc = catalog_upload_next(k->reader, u.id, &u)) == 0) {
		rc = check_upload(k, &u);
		if (rc)
			return rc;
	}
	return rc == E_GONE ? 0 : rc;
}

/* ---- keys ---- */

static void check_host_key(struct check *k, const char *path)
{
	CLEANUP(buf_wipe) struct buf pem = {0};
	int rc = sys_read_file(AT_FDCWD, path, HOST_KEY_MAX, &pem);

	if (!rc)
		rc = host_key_check(view_buf(&pem));
	if (rc)
		check_problem(k, (struct found){.what = "key", .name = path}, NULL);
}

/* The keep has read its keys when it started; the next start reads them again. */
int check_keys(struct check *k)
{
	const struct settings *s = k->keep->boot;
	CLEANUP(keys_free) struct keys *keys = NULL;
	int rc = keys_load(k->keep->state_fd, s->master_path, &keys);

	for (size_t i = 0; i < s->host_key.count; i++)
		check_host_key(k, s->host_key.at[i]);
	if (rc)
		return rc;
	if (!view_equal(secret_view(keys_catalog(keys)),
			secret_view(keys_catalog(k->keep->keys))) ||
	    !view_equal(secret_view(keys_log(keys)), secret_view(keys_log(k->keep->keys))))
		return fail(E_INTEGRITY, "the keys on disk are not those that this keep has");
	return 0;
}

/* ---- what was set aside ---- */

static int visit_lost(void *arg, const char *name)
{
	check_problem(arg, (struct found){.what = "lost+found", .name = name},
		      "set aside at a start: the catalog did not know it");
	return 0;
}

int check_lost(struct check *k)
{
	return blobs_each_lost(k->keep->blobs, visit_lost, k);
}
