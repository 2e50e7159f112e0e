/* SPDX-License-Identifier: Apache-2.0 */
#include "client/log_proof.h"

#include "base/mem.h"
#include "client/log_seen.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"

enum { CACHE = 64 };

struct cached {
	struct tlog_tile tile; /* width 0: nothing */
	struct tlog_hash hash[TLOG_TILE_WIDTH];
};

static int prove(struct log_today *l, uint64_t size, struct tlog_path *ret_path);

struct log_today {
	struct session *s;
	uint64_t size;
	struct tlog_hash root;
	struct cached cache[CACHE];
	unsigned next; /* to be replaced */
};

static int read_checkpoint(const struct profile *p, struct view note, struct tlog_checkpoint *ret)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(p->log_key), &v);
	struct tlog_verifier *const known[] = {v};

	if (rc)
		return fail(E_CONFIG, "the key of the log is none");
	return tlog_checkpoint_open(note, view_text(p->log_origin), known, 1, ret)
		   ? fail(E_INTEGRITY, "the server's checkpoint is not signed by the log")
		   : 0;
}

/* The server cannot talk itself out of what it has signed. */
static int accuse(const struct profile *p, struct view note, const char *what)
{
	CLEANUP(mem_free) char *file = NULL;

	if (log_seen_accuse(p, note, &file))
		err_clear();
	err_clear();
	return fail(E_INTEGRITY,
		    "the log %s since it was last seen: tell who audits this server%s%s%s", what,
		    file ? "; its signed checkpoints prove it (" : "", file ? file : "",
		    file ? ", and the one beside that)" : "");
}

static int compare(struct log_today *l, struct view note, const struct tlog_checkpoint *seen)
{
	const struct profile *p = l->s->profile;
	struct tlog_path path = {0};

	if (seen->size > l->size)
		return accuse(p, note, "was rolled back");
	int rc = prove(l, seen->size, &path);
	if (!rc && tlog_verify_consistency(seen->size, &seen->root, l->size, &l->root, &path))
		rc = accuse(p, note, "was rewritten");
	return rc;
}

static int begin(struct log_today *l, struct answer *a)
{
	const struct http_request q = {.method = "GET", .path = "/log/checkpoint"};
	struct tlog_checkpoint seen = {0}, now = {0};
	const struct profile *p = l->s->profile;
	/* First what was seen: what is fetched later cannot be older. */
	int had = log_seen_read(p, &seen);
	int rc = had == E_GONE ? 0 : had;

	if (!rc)
		rc = session_ask(l->s, &q, "the log", a);
	if (rc == E_GONE) {
		err_clear();
		rc = fail(E_INTEGRITY, "the server does not show its log");
	}
	if (!rc)
		rc = read_checkpoint(p, view_buf(&a->body), &now);
	l->size = now.size;
	l->root = now.root;
	if (!rc && had != E_GONE)
		rc = compare(l, view_buf(&a->body), &seen);
	return rc ? rc : log_seen_keep(p, view_buf(&a->body), &now);
}

int log_today_open(struct session *s, struct log_today **ret_log)
{
	CLEANUP(log_today_free) struct log_today *l = mem_new(sizeof *l);
	CLEANUP(answer_done) struct answer a = {0};

	l->s = s;
	int rc = begin(l, &a);
	if (!rc)
		*ret_log = TAKE(l);
	return rc;
}

void log_today_free(struct log_today **l)
{
	mem_free(l);
}

uint64_t log_today_size(const struct log_today *l)
{
	return l->size;
}

static int fetch_tile(struct log_today *l, const struct tlog_tile *tile, struct cached *into)
{
	char path[TLOG_TILE_PATH_SIZE];
	tlog_tile_path(tile, path);
	CLEANUP(mem_free) char *url = mem_printf("/log/%s", path);
	const struct http_request q = {.method = "GET", .path = url};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(l->s, &q, "the log's tree", &a);

	if (!rc && a.body.len != (size_t)tile->width * TLOG_HASH_SIZE)
		rc = fail(E_INTEGRITY, "a tile of the log's tree has the wrong size");
	if (rc)
		return rc;
	memcpy(into->hash, a.body.data, a.body.len);
	into->tile = *tile;
	return 0;
}

static int find_tile(struct log_today *l, const struct tlog_tile *tile,
		     const struct cached **ret_cached)
{
	for (unsigned i = 0; i < CACHE; i++)
		if (l->cache[i].tile.width == tile->width &&
		    l->cache[i].tile.level == tile->level &&
		    l->cache[i].tile.index == tile->index) {
			*ret_cached = &l->cache[i];
			return 0;
		}
	struct cached *into = &l->cache[l->next++ % CACHE];
	into->tile.width = 0;
	int rc = fetch_tile(l, tile, into);
	if (!rc)
		*ret_cached = into;
	return rc;
}

/* Of 2^height hashes that stand in one tile, from `first` on. */
static void fold(const struct cached *c, unsigned first, unsigned height,
		 struct tlog_hash *ret_hash)
{
	struct tlog_hash level[TLOG_TILE_WIDTH];
	unsigned n = 1U << height;

	memcpy(level, &c->hash[first], n * sizeof *level);
	for (; n > 1; n /= 2)
		for (unsigned i = 0; i < n / 2; i++)
			tlog_node_hash(&level[2 * i], &level[2 * i + 1], &level[i]);
	*ret_hash = level[0];
}

/* A subtree of 2^level leaves: some consecutive hashes of one tile. Whatever the server says in
 * it, a false tile makes a proof that does not verify. */
static int subtree(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	struct log_today *l = arg;
	unsigned height = level % TLOG_TILE_HEIGHT;
	uint64_t first = index << height; /* among the hashes of the tile's level */
	struct tlog_tile tile = {.level = level / TLOG_TILE_HEIGHT,
				 .index = first / TLOG_TILE_WIDTH,
				 .width = TLOG_TILE_WIDTH};
	uint64_t hashes = l->size >> (tile.level * TLOG_TILE_HEIGHT);
	uint64_t before = tile.index * TLOG_TILE_WIDTH;
	const struct cached *c = NULL;

	if (hashes <= first)
		return fail(E_INTEGRITY, "the log's tree has no such part");
	if (hashes - before < TLOG_TILE_WIDTH)
		tile.width = (unsigned)(hashes - before);
	int rc = find_tile(l, &tile, &c);
	if (!rc)
		fold(c, (unsigned)(first - before), height, ret_hash);
	return rc;
}

/* That the tree of that size is the beginning of today's, as the server's tiles have it. */
static int prove(struct log_today *l, uint64_t size, struct tlog_path *ret_path)
{
	const struct tlog_source from = {subtree, l};
	int rc = tlog_prove_consistency(&from, size, l->size, ret_path);

	if (rc != E_GONE)
		return rc;
	err_clear();
	return fail(E_INTEGRITY, "the server does not show all of its log's tree");
}

int log_today_covers(struct log_today *l, uint64_t size, const struct tlog_hash *root)
{
	struct tlog_path path = {0};

	if (size > l->size)
		return fail(E_INTEGRITY,
			    "the log has fewer records than when the receipt was made: "
			    "it was rolled back");
	int rc = prove(l, size, &path);
	if (!rc && tlog_verify_consistency(size, root, l->size, &l->root, &path))
		rc = fail(E_INTEGRITY, "the log is not the one that the receipt was made from: it "
				       "was rewritten");
	return rc;
}
