/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/keep_world.h"

#include <inttypes.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sys.h"
#include "base/text.h"

/* An outcome that the test takes for granted. */
static void must(int rc)
{
	if (rc)
		print_error("%d: %s\n", rc, err_text());
	assert_int_equal(rc, 0);
}

void world_open(struct world *w)
{
	struct accounts *accounts = NULL;

	*w = (struct world){.state_fd = -1};
	must(secret_setup());
	(void)snprintf(w->dir, sizeof w->dir, "/tmp/dropkeep-test-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	must(sys_open(AT_FDCWD, w->dir, O_RDONLY | O_DIRECTORY, 0, &w->state_fd));
	must(sys_mkdir(w->state_fd, "keys", 0700));
	must(keys_create(w->state_fd, KEYS_MASTER_FILE));
	must(keys_load(w->state_fd, KEYS_MASTER_FILE, &w->keys));
	must(catalog_open(w->dir, keys_catalog(w->keys), true, &w->catalog));
	must(accounts_new(w->catalog, w->keys, &accounts));
	w->tree = (struct tree){.catalog = w->catalog, .accounts = accounts};
	must(catalog_begin(w->catalog));
}

void world_close(struct world *w)
{
	static const char *const files[] = {"keys/master.key", "keys/log.key", "catalog.db",
					    "catalog.db-wal", "catalog.db-shm"};

	catalog_rollback(w->catalog);
	accounts_free(&w->tree.accounts);
	catalog_close(&w->catalog);
	keys_free(&w->keys);
	buf_done(&w->blobs);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		(void)unlinkat(w->state_fd, files[i], 0);
	(void)unlinkat(w->state_fd, "keys", AT_REMOVEDIR);
	sys_close(&w->state_fd);
	assert_int_equal(rmdir(w->dir), 0);
	err_clear();
}

uint64_t world_zone(struct world *w, const char *name)
{
	uint64_t zone = 0;

	must(accounts_add_zone(w->tree.accounts, name, 0, 0, true, &zone));
	return zone;
}

uint64_t world_user(struct world *w, const char *name, enum role role, uint64_t zone)
{
	uint64_t user = 0;

	must(accounts_add_principal(w->tree.accounts, name, role ? role : ROLE_CLIENT, &user));
	if (role)
		must(accounts_grant_role(w->tree.accounts, user, role, zone));
	return user;
}

const struct principal *world_who(struct world *w, const char *name)
{
	const struct principal *p = NULL;

	must(accounts_principal_by_name(w->tree.accounts, view_text(name), &p));
	return p;
}

void world_grant(struct world *w, const char *user, uint64_t zone, const char *prefix,
		 const char *letters)
{
	uint8_t rights = 0;

	must(rights_parse(letters, &rights));
	must(accounts_grant(w->tree.accounts, world_who(w, user)->row.id, zone, prefix, rights));
}

/* ---- uploads ---- */

static void start_upload(struct world *w, const struct principal *p, struct spot *s,
			 uint64_t durable)
{
	struct upload_row u = {.principal = p->row.id,
			       .durable = durable,
			       .declared = SIZE_UNKNOWN,
			       .reserved = durable + 1000,
			       .mtime_s = TIME_UNKNOWN,
			       .made_us = 1000000,
			       .touched_us = 2000000};

	if (!s->exists)
		must(tree_make_file(&w->tree, p, s, &s->node));
	if (s->node.version) {
		u.has_source = u.source_finished = true;
		memcpy(u.source_blob, s->version.blob, ID_SIZE);
		u.source_size = u.prefix = s->version.size;
	}
	u.node = s->node.id;
	must(random_bytes(u.blob, sizeof u.blob));
	must(buf_add(&w->blobs, u.blob, ID_SIZE));
	must(catalog_upload_add(w->catalog, &u));
	must(catalog_zone_account(w->catalog, s->zone->row.id, 0, (int64_t)u.reserved, 0));
	s->node.upload = u.id;
	must(catalog_node_set(w->catalog, &s->node));
}

int world_begin(struct world *w, const char *user, const char *path, uint64_t durable)
{
	const struct principal *p = world_who(w, user);
	struct spot s;
	int rc = tree_walk(&w->tree, p, view_text(path), true, &s);

	if (!rc)
		rc = tree_may_put(p, &s, PUT_CREATE);
	if (!rc && !s.own_upload)
		start_upload(w, p, &s, durable);
	return rc;
}

/* In the order that tree.h gives. */
static void publish(struct world *w, const struct spot *s, uint64_t size)
{
	struct version_row v = {.node = s->node.id,
				.size = size,
				.uploader = s->upload.principal,
				.mtime_s = TIME_UNKNOWN,
				.made_us = 3000000};
	struct node_row node = s->node;
	uint64_t zone = s->zone->row.id;

	memcpy(v.blob, s->upload.blob, ID_SIZE);
	must(catalog_version_add(w->catalog, &v));
	must(
	    catalog_zone_account(w->catalog, zone, (int64_t)size, -(int64_t)s->upload.reserved, 1));
	node.version = v.id;
	node.upload = 0;
	must(catalog_node_set(w->catalog, &node));
	if (s->node.version)
		must(tree_drop_version(&w->tree, zone, s->node.version));
	must(catalog_upload_remove(w->catalog, s->upload.id));
	must(tree_drop_source(&w->tree, &s->upload));
}

int world_finish(struct world *w, const char *user, const char *path, uint64_t size)
{
	struct spot s;
	int rc = tree_walk(&w->tree, world_who(w, user), view_text(path), true, &s);

	if (rc)
		return rc;
	if (!s.own_upload)
		return E_GONE;
	publish(w, &s, size);
	return 0;
}

int world_put(struct world *w, const char *user, const char *path, uint64_t size)
{
	int rc = world_begin(w, user, path, 0);

	return rc ? rc : world_finish(w, user, path, size);
}

void world_mkdir(struct world *w, const char *user, const char *path)
{
	struct change c;

	must(tree_make_dir(&w->tree, world_who(w, user), view_text(path), &c));
}

struct zone_row world_zone_row(struct world *w, uint64_t zone)
{
	struct zone_row row = {0};

	must(catalog_zone_by_id(w->catalog, zone, &row));
	return row;
}

/* ---- the whole ---- */

/* Sums of one zone, by its rows. */
struct sums {
	struct world *w;
	uint64_t zone, used, files, reserved;
	struct buf *out; /* of a dump */
};

static void add_version(struct sums *s, const struct node_row *node)
{
	struct version_row v = {0};
	char blob[2 * ID_SIZE + 1];

	must(catalog_version_by_id(s->w->catalog, node->version, &v));
	assert_int_equal(v.node, node->id);
	s->used += v.size;
	s->files++;
	hex_encode(v.blob, ID_SIZE, blob);
	must(buf_printf(s->out,
			"  version %" PRIu64 " %s %" PRIu64 " by %" PRIu64 " at %" PRId64 "\n",
			v.id, blob, v.size, v.uploader, v.mtime_s));
}

static void add_upload(struct sums *s, const struct node_row *node)
{
	struct upload_row u = {0};
	char blob[2 * ID_SIZE + 1];

	must(catalog_upload_by_id(s->w->catalog, node->upload, &u));
	assert_int_equal(u.node, node->id);
	s->reserved += u.reserved;
	hex_encode(u.blob, ID_SIZE, blob);
	must(buf_printf(s->out,
			"  upload %" PRIu64 " %s %" PRIu64 " by %" PRIu64 " at %" PRId64 "\n", u.id,
			blob, u.durable, u.principal, u.mtime_s));
}

static void add_folder(struct sums *s, uint64_t parent)
{
	struct node_row rows[16];
	uint64_t after = 0;
	size_t count = 0;

	do {
		must(catalog_node_children(s->w->catalog, parent, after, rows, ARRAY_LEN(rows),
					   &count));
		for (size_t i = 0; i < count; i++) {
			char name[2 * SEALED_NAME_MAX + 1];
			after = rows[i].id;
			hex_encode(rows[i].name, rows[i].name_len, name);
			must(buf_printf(s->out,
					" node %" PRIu64 " in %" PRIu64 " kind %d owner %" PRIu64
					" at %" PRId64 " %s\n",
					rows[i].id, parent, rows[i].kind, rows[i].owner,
					rows[i].mtime_s, name));
			assert_int_equal(rows[i].zone, s->zone);
			if (rows[i].kind == NODE_DIR)
				add_folder(s, rows[i].id);
			else
				assert_true(rows[i].version ||
					    rows[i].upload); /* no node for nothing */
			if (rows[i].version)
				add_version(s, &rows[i]);
			if (rows[i].upload)
				add_upload(s, &rows[i]);
		}
	} while (count == ARRAY_LEN(rows));
}

static int add_zone(void *arg, const struct zone_row *z)
{
	struct sums *all = arg;
	struct sums s = {.w = all->w, .zone = z->id, .out = all->out};

	must(buf_printf(s.out, "zone %s used %" PRIu64 " reserved %" PRIu64 " files %" PRIu64 "\n",
			z->name, z->used_bytes, z->reserved_bytes, z->files));
	add_folder(&s, z->root);
	assert_int_equal(s.used, z->used_bytes);
	assert_int_equal(s.files, z->files);
	assert_int_equal(s.reserved, z->reserved_bytes);
	return 0;
}

void world_dump(struct world *w, struct buf *out)
{
	struct sums s = {.w = w, .out = out};

	must(catalog_each_zone(w->catalog, add_zone, &s));
}

static void forget_blob(struct world *w, const uint8_t blob[ID_SIZE])
{
	for (size_t i = 0; i < w->blobs.len; i += ID_SIZE) {
		if (memcmp(w->blobs.data + i, blob, ID_SIZE) == 0) {
			memmove(w->blobs.data + i, w->blobs.data + i + ID_SIZE,
				w->blobs.len - i - ID_SIZE);
			w->blobs.len -= ID_SIZE;
			return;
		}
	}
	assert_true(false); /* doomed twice, or never made */
}

/* A blob that was made is named by a row until it is doomed; then by none other. What is
 * doomed is taken as unlinked. */
static void check_blobs(struct world *w)
{
	uint8_t doomed[ID_SIZE];
	bool known = false;

	for (size_t i = 0; i < w->blobs.len; i += ID_SIZE) {
		must(catalog_blob_known(w->catalog, w->blobs.data + i, &known));
		assert_true(known);
	}
	while (catalog_doomed_next(w->catalog, doomed) == 0) {
		must(catalog_doomed_remove(w->catalog, doomed));
		must(catalog_blob_known(w->catalog, doomed, &known));
		assert_false(known);
		forget_blob(w, doomed);
	}
}

static void check_links(struct world *w)
{
	struct version_row v = {0};
	struct upload_row u = {0};
	struct node_row n = {0};

	while (catalog_version_next(w->catalog, v.id, &v) == 0) {
		must(catalog_node_by_id(w->catalog, v.node, &n));
		assert_int_equal(n.version, v.id);
	}
	while (catalog_upload_next(w->catalog, u.id, &u) == 0) {
		must(catalog_node_by_id(w->catalog, u.node, &n));
		assert_int_equal(n.upload, u.id);
	}
}

void world_check(struct world *w)
{
	CLEANUP(buf_done) struct buf dump = {0}, problems = {0};

	err_clear();
	world_dump(w, &dump);
	check_blobs(w);
	check_links(w);
	must(catalog_check(w->catalog, &problems));
	if (problems.len)
		print_error("%.*s\n", (int)problems.len, (const char *)problems.data);
	assert_int_equal(problems.len, 0);
}
