/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/resume.h"

#include "age/stream.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/codec.h"

static const char purpose[] = "dropkeep resume state v1";

enum { GENERATIONS = 2 }; /* the newest first */

struct generations {
	struct buf file;
	struct view sealed[GENERATIONS];
	size_t count;
	struct secret *key;
};

static void generations_done(struct generations *g)
{
	buf_done(&g->file);
	secret_free(&g->key);
}

/* Versions up to 0.1.0 wrote one, with nothing around it. */
static void split(struct generations *g)
{
	struct reader r = reader_of(view_buf(&g->file));

	for (g->count = 0; g->count < GENERATIONS && r.left; g->count++)
		g->sealed[g->count] = read_bytes(&r);
	if (reader_end(&r) && g->count)
		return;
	g->sealed[0] = view_buf(&g->file);
	g->count = 1;
}

static int read_generations(const struct blobs *store, const uint8_t id[BLOB_ID],
			    const struct secret *file_key, struct generations *g)
{
	int rc = age_resume_key(file_key, &g->key);

	if (!rc)
		rc = blobs_load_state(store, id, &g->file);
	if (!rc)
		split(g);
	return rc;
}

/* ---- saving ---- */

static int seal_state(const struct keys *k, const uint8_t id[BLOB_ID],
		      const struct secret *file_key, const struct resume_state *s,
		      struct buf *ret_sealed)
{
	CLEANUP(secret_free) struct secret *key = NULL;
	CLEANUP(buf_wipe) struct buf plain = {0};
	size_t size = 8 + 4 + s->digest.len + 4 + s->tail.len;
	int rc = age_resume_key(file_key, &key);

	if (!rc)
		rc = buf_reserve(&plain, size);
	if (rc)
		return rc;
	struct writer w = writer_of(plain.data, size);
	write_u64(&w, s->sealed);
	write_bytes(&w, s->digest);
	write_bytes(&w, s->tail);
	plain.len = w.len;
	return keys_seal(k, key, purpose, view_of(id, BLOB_ID), view_buf(&plain), ret_sealed);
}

/* Whether or not it can still be opened: who needs it will say so. */
static int read_before(const struct blobs *store, const uint8_t id[BLOB_ID],
		       const struct secret *file_key, struct generations *g)
{
	int rc = read_generations(store, id, file_key, g);

	if (rc == E_GONE) {
		err_clear();
		rc = 0;
	}
	return rc;
}

int resume_save(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
		const struct secret *file_key, const struct resume_state *s)
{
	CLEANUP(generations_done) struct generations before = {0};
	CLEANUP(buf_done) struct buf sealed = {0};
	CLEANUP(buf_done) struct buf file = {0};
	int rc = seal_state(k, id, file_key, s, &sealed);

	if (!rc)
		rc = read_before(store, id, file_key, &before);
	if (!rc)
		rc = buf_reserve(&file, 4 + sealed.len + 4 + before.sealed[0].len);
	if (rc)
		return rc;
	struct writer w = writer_of(file.data, file.cap);
	write_bytes(&w, view_buf(&sealed));
	if (before.count)
		write_bytes(&w, before.sealed[0]);
	file.len = w.len;
	return blobs_save_state(store, id, view_buf(&file));
}

/* ---- loading ---- */

static int open_state(const struct keys *k, const struct generations *g, size_t i,
		      const uint8_t id[BLOB_ID], struct secret **ret_plain,
		      struct resume_state *ret_state)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	int rc = keys_open(k, g->key, purpose, view_of(id, BLOB_ID), g->sealed[i], &plain);

	if (rc)
		return rc;
	struct reader r = reader_of(secret_view(plain));
	struct resume_state s = {.sealed = read_u64(&r)};
	s.digest = read_bytes(&r);
	s.tail = read_bytes(&r);
	if (!reader_end(&r) || s.digest.len != SHA256_STATE_SIZE || s.tail.len > AGE_CHUNK ||
	    s.sealed > AGE_PLAIN_MAX / AGE_CHUNK)
		return fail(E_INTEGRITY, "an upload's resume state is malformed");
	*ret_state = s;
	*ret_plain = TAKE(plain);
	return 0;
}

static int damaged(const uint8_t id[BLOB_ID])
{
	char name[2 * BLOB_ID + 1];

	hex_encode(id, BLOB_ID, name);
	return fail(E_INTEGRITY, "uploads/%s is damaged", name);
}

static bool is_meant(const struct resume_state *s, uint64_t durable)
{
	return s->sealed * AGE_CHUNK + s->tail.len == durable;
}

int resume_load(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
		const struct secret *file_key, uint64_t durable, struct secret **ret_plain,
		struct resume_state *ret_state)
{
	CLEANUP(generations_done) struct generations g = {0};
	int rc = read_generations(store, id, file_key, &g);

	if (rc)
		return rc;
	int found = fail(E_INTEGRITY, "an upload's resume state does not match the catalog");
	for (size_t i = 0; i < g.count; i++) {
		CLEANUP(secret_free) struct secret *plain = NULL;
		struct resume_state s;
		rc = open_state(k, &g, i, id, &plain, &s);
		if (rc) {
			found = rc == E_INTEGRITY ? damaged(id) : rc;
		} else if (is_meant(&s, durable)) {
			*ret_state = s;
			*ret_plain = TAKE(plain);
			err_clear();
			return 0;
		}
	}
	return found;
}

int resume_check(const struct blobs *store, const struct keys *k, const uint8_t id[BLOB_ID],
		 const struct secret *file_key, uint64_t durable, uint64_t *ret_sealed)
{
	CLEANUP(generations_done) struct generations g = {0};
	int rc = read_generations(store, id, file_key, &g);
	bool found = false;

	for (size_t i = 0; !rc && i < g.count; i++) {
		CLEANUP(secret_free) struct secret *plain = NULL;
		struct resume_state s;
		rc = open_state(k, &g, i, id, &plain, &s);
		if (rc || found || !is_meant(&s, durable))
			continue;
		found = true;
		*ret_sealed = s.sealed;
	}
	if (!rc && !found)
		rc = fail(E_INTEGRITY, "uploads/ and catalog contradict each other");
	return rc;
}
