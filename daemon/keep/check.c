/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/check_inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "age/reader.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/safe_json.h"
#include "daemon/keep/tiny.h"

int check_new(struct keep *keep, bool deep, json_t *problems, struct check **ret_check)
{
	struct check *k = mem_new(sizeof *k);

	k->keep = keep;
	k->deep = deep;
	k->problems = problems;
	audit_position(keep->audit, &k->log);
	int rc = keyring_make(keep->catalog, keep->accounts, &k->ring);
	if (rc == E_INTEGRITY) {
		check_problem(k, (struct found){.what = "catalog"}, NULL);
		rc = 0;
	}
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

static void add_id(json_t *o, const char *name, const uint8_t *id)
{
	char hex[2 * ID_SIZE + 1] = "";

	if (id)
		hex_encode(id, ID_SIZE, hex);
	json_object_set_new(o, name, json_string(hex));
}

void check_problem(struct check *k, struct found f, const char *text)
{
	json_t *o = json_pack("{s:s,s:o}", "what", f.what, "problem",
			      safe_text(view_text(text ? text : err_text())));

	if (f.name)
		json_object_set_new(o, "id", safe_text(view_text(f.name)));
	else
		add_id(o, "id", f.blob);
	if (f.zone)
		json_object_set_new(o, "zone", json_string(f.zone));
	if (f.object)
		add_id(o, "object", f.object);
	json_array_append_new(k->problems, o);
	err_clear();
}

void check_problems(struct check *k, const char *what, struct view lines)
{
	while (lines.len) {
		const uint8_t *newline = memchr(lines.data, '\n', lines.len);
		size_t len = newline ? (size_t)(newline - lines.data) : lines.len;
		CLEANUP(mem_free) char *line = mem_text_n(lines.data, len);
		check_problem(k, (struct found){.what = what}, line);
		len += newline != NULL;
		lines = view_of(lines.data + len, lines.len - len);
	}
}

static int stored_hash(const struct check *k, const struct keyring_zone *zone,
		       const struct version_row *v, struct secret **ret_hash)
{
	return keys_open(k->keep->keys, zone_keys_data(zone->keys), tree_hash_purpose,
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

static int open_content(struct check *k, const struct version_row *v, int *ret_fd)
{
	CLEANUP(buf_done) struct buf content = {0};

	if (!v->tiny)
		return blobs_read(k->keep->blobs, v->blob, ret_fd);
	int rc = catalog_tiny_get(k->reader, v->blob, &content);
	if (rc == E_GONE)
		return fail(E_GONE, "its content is missing from the catalog");
	return rc ? rc : sys_frozen_file(view_buf(&content), ret_fd);
}

static int read_blob(struct check *k, const struct keyring_zone *zone, const struct version_row *v)
{
	CLEANUP(age_reader_free) struct age_reader *reader = NULL;
	CLEANUP(sys_close) int fd = -1;
	int rc = open_content(k, v, &fd);

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
	struct found f = {.what = "version", .blob = v->blob};

	k->blobs++;
	k->bytes += v->size;
	if (rc && rc != E_GONE)
		return rc;
	if (!zone) {
		if (still_there(k, v->id))
			check_problem(k, f, "its file or zone is missing from the catalog");
		return 0;
	}
	f = (struct found){"blob", v->blob, node.object, zone->name, NULL};
	rc = read_blob(k, zone, v);
	if (rc && still_there(k, v->id))
		check_problem(k, f, rc == E_GONE ? "it is missing" : NULL);
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

static int visit_blob(void *arg, const uint8_t id[ID_SIZE], uint64_t size)
{
	struct check *k = arg;
	CLEANUP(sys_close) int fd = -1;
	bool known = true;
	int rc = catalog_blob_known(k->reader, id, &known);

	(void)size;
	/* One that went while we looked was no longer needed. */
	if (!rc && !known && blobs_read(k->keep->blobs, id, &fd) != E_GONE)
		check_problem(k, (struct found){.what = "blob", .blob = id},
			      "the catalog does not know it: was the catalog rolled back?");
	if (!rc)
		err_clear();
	return rc;
}

static int check_store(struct check *k)
{
	return blobs_each(k->keep->blobs, visit_blob, k);
}

/* In one view of it, so that what is written meanwhile does not look like damage. */
static int check_catalog(struct check *k)
{
	CLEANUP(buf_done) struct buf found = {0};
	int rc = catalog_begin(k->reader);

	if (!rc) {
		rc = catalog_check(k->reader, &found);
		catalog_rollback(k->reader);
	}
	check_problems(k, "catalog", view_buf(&found));
	return rc;
}

/* The keep lets nobody in with one whose list it cannot read. */
static int visit_credential(void *arg, const struct credential_row *row)
{
	bool allowed = false;

	if (networks_allow(row->networks, "", &allowed)) {
		CLEANUP(mem_free)
		char *text = mem_printf("credential %llu: its source networks are damaged, and it "
					"lets nobody in: add it anew",
					(unsigned long long)row->id);
		check_problem(arg, (struct found){.what = "catalog"}, text);
	}
	return 0;
}

static int check_credentials(struct check *k)
{
	return catalog_each_credential(k->reader, 0, visit_credential, k);
}

static int check_log(struct check *k)
{
	const struct audit *audit = k->keep->audit;
	CLEANUP(buf_done) struct buf found = {0}, key = {0};
	int rc =
	    trail_verify(k->keep->state_fd, audit_origin(audit), audit_key(audit), &k->log, &found);

	check_problems(k, "log", view_buf(&found));
	if (!rc)
		rc = sys_read_file(k->keep->state_fd, "log/key.vkey", 4096, &key);
	while (key.len && key.data[key.len - 1] == '\n')
		key.len--;
	if (!rc && !view_is(view_buf(&key), audit_key(audit)))
		rc = fail(E_INTEGRITY, "log/key.vkey is not this log's key");
	return rc;
}

/* What one part could not go on from is a problem of that part; the others are looked at all the
 * same. */
static int part(struct check *k, const char *what, int (*run)(struct check *k))
{
	int rc = run(k);

	if (rc != E_INTEGRITY && rc != E_GONE && rc != E_CONFIG)
		return rc;
	check_problem(k, (struct found){.what = what}, NULL);
	return 0;
}

int check_run(struct check *k)
{
	int rc = catalog_open_reader(k->keep->boot->state, keys_catalog(k->keep->keys), &k->reader);

	if (rc == E_INTEGRITY) { /* no row of it can be had */
		check_problem(k, (struct found){.what = "catalog"}, NULL);
	} else if (!rc) {
		rc = part(k, "catalog", check_catalog);
		if (!rc)
			rc = part(k, "catalog", check_versions);
		if (!rc)
			rc = part(k, "catalog", check_uploads);
		if (!rc)
			rc = part(k, "catalog", check_credentials);
		if (!rc)
			rc = part(k, "blob", check_store);
	}
	if (!rc || rc == E_INTEGRITY)
		rc = part(k, "key", check_keys);
	if (!rc)
		rc = part(k, "lost+found", check_lost);
	if (!rc && k->deep)
		rc = part(k, "log", check_log);
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
