/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power-look CONFIG: what a keep finds in a state directory. For each line on standard input the
 * keep is opened on the directory that CONFIG names, recovers, does what it owes, and is closed
 * again; standard output gets one line of JSON:
 *
 *	{"error": TEXT} where the keep does not start, else
 *	{"files": {PATH: {"size", "sha256", "mtime"}}, "folders": [PATH],
 *	 "uploads": {PATH: {"durable", "clean", "prefix", "sha256"}},
 *	 "records": [{"line": HASH, "event", "outcome", "path", …}], "noted": N,
 *	 "problems": [TEXT]}
 *
 * sha256 is of the content as it decrypts; of an unfinished upload, of the `prefix` bytes that
 * can be gone on from. In one process for all, since starting one takes longer than looking.
 */
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "age/reader.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/check.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/object_key.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/sealed_blob.h"
#include "wire/messages.h"

enum { PAGE = 64 };

struct look {
	struct keep *keep;
	const struct zone *zone; /* being walked */
	json_t *files, *folders, *uploads, *records, *problems;
};

static void add_problem(struct look *l, const char *what, const char *path)
{
	json_array_append_new(l->problems, json_sprintf("%s %s: %s", what, path, err_text()));
	err_clear();
}

static json_t *hash_json(const uint8_t digest[SHA256_SIZE])
{
	char text[2 * SHA256_SIZE + 1];

	hex_encode(digest, SHA256_SIZE, text);
	return json_string(text);
}

/* ---- files ---- */

/* As the keep opens it: a blob, or what the catalog holds. */
static int open_content(const struct look *l, const uint8_t *blob, bool tiny, int *ret_fd)
{
	CLEANUP(buf_done) struct buf file = {0};

	if (!tiny)
		return blobs_read(l->keep->blobs, blob, ret_fd);
	int rc = catalog_tiny_get(l->keep->catalog, blob, &file);
	if (rc == E_GONE)
		return fail(E_GONE, "a tiny content is missing");
	return rc ? rc : sys_frozen_file(view_buf(&file), ret_fd);
}

static int read_version(struct look *l, const struct version_row *v, json_t **ret_file)
{
	CLEANUP(age_reader_free) struct age_reader *reader = NULL;
	CLEANUP(sys_close) int fd = -1;
	uint8_t digest[SHA256_SIZE];
	int rc = open_content(l, v->blob, v->tiny, &fd);

	if (!rc)
		rc = age_reader_open_fd(fd, zone_keys_identity(l->zone->keys), &reader);
	if (!rc && memcmp(age_reader_pin(reader), v->pin, sizeof v->pin) != 0)
		rc = fail(E_INTEGRITY, "another blob than the catalog means");
	if (!rc)
		rc = age_reader_verify(reader, digest);
	if (!rc)
		*ret_file = json_pack("{s:I,s:I,s:o}", "size", (json_int_t)age_reader_size(reader),
				      "mtime", (json_int_t)v->mtime_s, "sha256", hash_json(digest));
	return rc;
}

static void look_file(struct look *l, const struct node_row *node, const char *path)
{
	struct version_row v;
	json_t *file = NULL;
	int rc = catalog_version_by_id(l->keep->catalog, node->version, &v);

	if (!rc)
		rc = read_version(l, &v, &file);
	if (rc)
		add_problem(l, "file", path);
	else
		json_object_set_new(l->files, path, file);
}

/* ---- unfinished uploads ---- */

/* What a row says of the bytes that can be gone on from. */
struct prefix {
	const uint8_t *blob, *pin;
	uint64_t size; /* bytes of it that stand in the blob */
	uint64_t of;   /* the whole blob's, where it is a finished one */
	bool finished, tiny;
};

static int hash_chunk(const struct prefix *p, const struct sealed_blob *b,
		      const struct age_stream *stream, uint64_t index, struct sha256 *h)
{
	uint8_t chunk[AGE_SEALED_CHUNK];
	uint64_t total = p->finished ? p->of : UINT64_C(1) << 60;
	size_t size = age_chunk_size(total, index);
	uint64_t first = index * AGE_CHUNK;
	int rc = sys_pread_all(b->fd, chunk, size + AGE_TAG,
			       b->payload + age_chunk_offset(index) - AGE_NONCE);

	if (!rc)
		rc = age_stream_open(stream, index, p->finished && age_chunk_is_last(total, index),
				     view_of(chunk, size + AGE_TAG), chunk);
	if (!rc)
		sha256_add(h, chunk, p->size - first < size ? (size_t)(p->size - first) : size);
	return rc;
}

static int hash_prefix(const struct look *l, const struct prefix *p, struct sha256 *h)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	struct age_stream *stream = NULL;
	int fd = -1;
	int rc = open_content(l, p->blob, p->tiny, &fd);

	if (!rc)
		rc = sealed_blob_adopt(&fd, zone_keys_identity(l->zone->keys), p->pin, &b);
	if (!rc)
		rc = age_stream_from_key(view_of(b.key, sizeof b.key), &stream);
	for (uint64_t i = 0; !rc && i * AGE_CHUNK < p->size; i++)
		rc = hash_chunk(p, &b, stream, i, h);
	age_stream_free(&stream);
	return rc;
}

/* Exact to the byte: chunks, and the tail that uploads/ID holds. */
static int hash_clean(const struct look *l, struct prefix p, struct sha256 *h)
{
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	CLEANUP(secret_free) struct secret *plain = NULL;
	struct resume_state s = {0};
	int rc = sealed_blob_open(l->keep->blobs, p.blob, false, zone_keys_identity(l->zone->keys),
				  p.pin, &b);

	if (!rc)
		rc = resume_load(l->keep->blobs, l->keep->keys, p.blob, b.file_key, p.size, &plain,
				 &s);
	p.size = s.sealed * AGE_CHUNK;
	if (!rc)
		rc = hash_prefix(l, &p, h);
	if (!rc)
		sha256_add(h, s.tail.data, s.tail.len);
	return rc;
}

static int hash_upload(const struct look *l, const struct upload_row *u, struct sha256 *h)
{
	struct prefix own = {.blob = u->blob, .pin = u->pin, .size = u->durable};
	struct prefix source = {u->source_blob, u->source_pin,      u->prefix,
				u->source_size, u->source_finished, u->source_tiny};

	if (u->has_source)
		return u->source_clean ? hash_clean(l, source, h) : hash_prefix(l, &source, h);
	if (u->clean)
		return hash_clean(l, own, h);
	own.size -= own.size % AGE_CHUNK;
	return own.size ? hash_prefix(l, &own, h) : 0;
}

static void look_upload(struct look *l, const struct node_row *node, const char *path)
{
	struct upload_row u;
	struct sha256 h;
	uint8_t digest[SHA256_SIZE];
	int rc = catalog_upload_by_id(l->keep->catalog, node->upload, &u);

	sha256_init(&h);
	if (!rc)
		rc = hash_upload(l, &u, &h);
	if (rc) {
		add_problem(l, "upload", path);
		return;
	}
	sha256_now(&h, digest);
	json_object_set_new(l->uploads, path,
			    json_pack("{s:I,s:b,s:I,s:o}", "durable", (json_int_t)u.durable,
				      "clean", (int)u.clean, "prefix", (json_int_t)sha256_count(&h),
				      "sha256", hash_json(digest)));
}

/* ---- the tree ---- */

static int look_folder(struct look *l, uint64_t id, const char *path);

static int look_node(struct look *l, const struct node_row *node, const char *folder)
{
	CLEANUP(buf_done) struct buf name = {0};
	int rc = zone_keys_open_name(l->zone->keys, node->parent,
				     view_of(node->name, node->name_len), &name);

	if (rc)
		return rc;
	CLEANUP(mem_free)
	char *path = mem_printf("%s/%.*s", folder, (int)name.len, (const char *)name.data);
	if (node->version)
		look_file(l, node, path);
	if (node->upload)
		look_upload(l, node, path);
	if (node->kind != NODE_DIR)
		return 0;
	json_array_append_new(l->folders, json_string(path));
	return look_folder(l, node->id, path);
}

static int look_folder(struct look *l, uint64_t id, const char *path)
{
	struct node_row *page = mem_new(PAGE * sizeof *page);
	CLEANUP(mem_free) void *owned = page;
	uint64_t after = 0;
	size_t count = PAGE;
	int rc = 0;

	while (!rc && count == PAGE) {
		rc = catalog_node_children(l->keep->catalog, id, after, page, PAGE, &count);
		for (size_t i = 0; !rc && i < count; i++) {
			after = page[i].id;
			rc = look_node(l, &page[i], path);
		}
	}
	return rc;
}

static int look_zone(void *arg, const struct zone_row *row)
{
	struct look *l = arg;
	CLEANUP(mem_free) char *path = mem_printf("/%s", row->name);
	int rc = accounts_zone_by_id(l->keep->accounts, row->id, &l->zone);

	return rc ? rc : look_folder(l, row->root, path);
}

/* ---- the log ---- */

static int record_key(const struct look *l, const json_t *record, struct secret **ret_key)
{
	CLEANUP(buf_done) struct buf sealed = {0};
	const char *name = json_string_value(json_object_get(record, "zone"));
	const char *hex = json_string_value(json_object_get(record, "object"));
	const struct zone *zone = NULL;
	struct node_row root;
	uint8_t object[ID_SIZE];
	int rc = name ? accounts_zone_by_name(l->keep->accounts, view_text(name), &zone) : E_GONE;

	if (!rc)
		rc = catalog_node_by_id(l->keep->catalog, zone->row.root, &root);
	memcpy(object, root.object, sizeof object);
	if (!rc && hex)
		rc = hex_decode(view_text(hex), object, sizeof object);
	if (!rc)
		rc = catalog_object_key(l->keep->catalog, object, &sealed);
	return rc ? rc
		  : object_key_open(l->keep->keys, zone->keys, object, view_buf(&sealed), ret_key);
}

static int look_record(void *arg, uint64_t seq, struct view line)
{
	static const char *const kept[] = {"event", "outcome", "reason", "path",
					   "to",    "object",  "size",   "sha256"};
	struct look *l = arg;
	CLEANUP(secret_free) struct secret *key = NULL;
	uint8_t digest[SHA256_SIZE];
	json_t *record =
	    json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);

	if (!record || (uint64_t)json_integer_value(json_object_get(record, "seq")) != seq)
		return fail(E_INTEGRITY, "record %llu is none", (unsigned long long)seq);
	if (record_key(l, record, &key) == 0 && record_open(record, l->keep->keys, key))
		add_problem(l, "record", json_string_value(json_object_get(record, "event")));
	err_clear();
	sha256_of(line, digest);
	json_t *shown = json_pack("{s:o}", "line", hash_json(digest));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		json_object_set(shown, kept[i], json_object_get(record, kept[i]));
	json_decref(record);
	json_array_append_new(l->records, shown);
	return 0;
}

static int look_log(struct look *l)
{
	CLEANUP(buf_done) struct buf found = {0};
	const char *text = NULL;
	struct trail_mark at;

	audit_position(l->keep->audit, &at);
	int rc = trail_read(l->keep->state_fd, &at, look_record, l);
	if (!rc)
		rc = trail_verify(l->keep->state_fd, audit_origin(l->keep->audit),
				  audit_key(l->keep->audit), &at, &found);
	if (!rc)
		rc = buf_text(&found, &text);
	if (!rc && *text)
		json_array_append_new(l->problems, json_string(text));
	return rc;
}

static int look_deep(struct look *l)
{
	struct check *check = NULL;
	json_t *found = json_array(), *one;
	size_t i;
	int rc = check_new(l->keep, true, found, &check);

	if (!rc)
		rc = check_run(check);
	check_free(check);
	json_array_foreach(found, i, one)
	{
		char *text = json_dumps(one, JSON_COMPACT);
		json_array_append_new(l->problems, json_sprintf("check: %s", text));
		free(text);
	}
	json_decref(found);
	return rc;
}

/* ---- one directory ---- */

/* Until nothing is under way: the doomed are gone and what was taken up is in the log. */
static void settle(struct keep *keep)
{
	sweep_start(keep);
	do {
		if (!uv_run(&keep->loop, UV_RUN_NOWAIT))
			break;
		(void)poll(NULL, 0, 0);
	} while (deeds_under_way(keep->deeds) || audit_busy(keep->audit) || keep->sweeping);
}

/* With the rest of what a start does: what was found is recorded, behind what was looked at. */
static void finish(struct keep *keep)
{
	recover_blobs(keep);
	settle(keep);
	deeds_close(keep->deeds);
	while (uv_run(&keep->loop, UV_RUN_NOWAIT))
		(void)poll(NULL, 0, 0);
	keep_close(keep);
}

static int look_at(struct look *l)
{
	settle(l->keep);
	int rc = look_log(l);
	if (!rc)
		rc = catalog_each_zone(l->keep->catalog, look_zone, l);
	return rc ? rc : look_deep(l);
}

static json_t *look(const char *config)
{
	struct look l = {.files = json_object(),
			 .folders = json_array(),
			 .uploads = json_object(),
			 .records = json_array(),
			 .problems = json_array()};
	int rc = keep_open(config, &l.keep);

	if (!rc)
		rc = look_at(&l);
	json_t *seen =
	    json_pack("{s:o,s:o,s:o,s:o,s:o}", "files", l.files, "folders", l.folders, "uploads",
		      l.uploads, "records", l.records, "problems", l.problems);
	if (rc)
		json_object_set_new(seen, "error", json_string(err_text()));
	err_clear();
	if (l.keep)
		finish(l.keep);
	return seen;
}

int main(int argc, char **argv)
{
	char line[16];

	if (argc != 2)
		return 2;
	log_start("power-look", LEVEL_ERROR);
	while (fgets(line, sizeof line, stdin)) {
		json_t *seen = look(argv[1]);
		(void)json_dumpf(seen, stdout, JSON_COMPACT);
		(void)putchar('\n');
		(void)fflush(stdout);
		json_decref(seen);
	}
	uv_library_shutdown();
	return 0;
}
