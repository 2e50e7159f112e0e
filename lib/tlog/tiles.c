/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/tiles.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
	NODES = 2 * TLOG_TILE_WIDTH - 2, /* 256 hashes, 128 nodes above them, … 2 */
	CACHE_SIZE = 16,                 /* full tiles, 16 KiB each */
};

/* A tile in memory, with the nodes between its hashes and its root. */
struct tile {
	unsigned level, width;
	uint64_t index;
	bool dirty;    /* at the edge: this width is in no file yet */
	uint64_t used; /* in the cache: when last */
	struct tlog_hash node[NODES];
};

struct list {
	struct tile **tile;
	size_t n, cap;
};

struct tlog_tiles {
	int dir_fd;
	bool broken; /* a sync has failed */
	uint64_t size;
	struct tile *edge[TLOG_TILE_LEVELS]; /* the right-most tiles, 0 to 255 wide */
	struct list full;                    /* complete and not written, oldest first */
	struct list spare;                   /* so that an append cannot run out of memory */
	struct tile *cache[CACHE_SIZE];
	uint64_t now; /* ticks at each use of the cache */
	struct tlog_store *store;
};

/* Where node pos of the row 2^row hashes wide stands: rows lie one behind the other. */
static size_t slot_of(unsigned row, uint64_t pos)
{
	assert(row < TLOG_TILE_HEIGHT && pos < (uint64_t)TLOG_TILE_WIDTH >> row);
	return 2 * TLOG_TILE_WIDTH - ((size_t)2 * TLOG_TILE_WIDTH >> row) + (size_t)pos;
}

/* True, with the tile's root, when this hash has made it full. */
static bool tile_add(struct tile *tile, const struct tlog_hash *hash, struct tlog_hash *ret_root)
{
	struct tlog_hash up = *hash;
	unsigned pos = tile->width++;

	for (unsigned row = 0; row < TLOG_TILE_HEIGHT; row++, pos >>= 1) {
		tile->node[slot_of(row, pos)] = up;
		if (!(pos & 1))
			return false;
		tlog_node_hash(&tile->node[slot_of(row, pos - 1)], &up, &up);
	}
	*ret_root = up;
	return true;
}

/* The tile of a level that is not full in a tree of that size. */
static struct tlog_tile edge_of(uint64_t size, unsigned level)
{
	uint64_t hashes = size >> level * TLOG_TILE_HEIGHT;

	return (struct tlog_tile){level, hashes / TLOG_TILE_WIDTH, hashes % TLOG_TILE_WIDTH};
}

static int list_reserve(struct list *list, size_t n)
{
	if (n <= list->cap)
		return 0;

	size_t cap = n + n / 2;
	struct tile **more = reallocarray(list->tile, cap, sizeof *more);
	if (!more)
		return fail(E_NOMEM, "a list of %zu tiles", cap);
	list->tile = more;
	list->cap = cap;
	return 0;
}

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->tile[i]);
	free(list->tile);
}

void tlog_tiles_free(struct tlog_tiles **tiles)
{
	struct tlog_tiles *t = *tiles;

	if (!t)
		return;
	for (size_t i = 0; i < TLOG_TILE_LEVELS; i++)
		free(t->edge[i]);
	for (size_t i = 0; i < CACHE_SIZE; i++)
		free(t->cache[i]);
	list_done(&t->full);
	list_done(&t->spare);
	tlog_store_free(&t->store);
	mem_free(tiles);
}

/* The hashes of a tile at the edge. */
static int read_edge(int dir_fd, const struct tlog_tile *want, struct tlog_hash *ret_hashes)
{
	int rc = tlog_tile_read_some(dir_fd, want, ret_hashes);

	return rc == E_GONE ? fail(E_INTEGRITY, "tile %llu of level %u is missing",
				   (unsigned long long)want->index, want->level)
			    : rc;
}

static int load_edge(struct tlog_tiles *t, unsigned level)
{
	struct tlog_hash hashes[TLOG_TILE_WIDTH], unused;
	struct tlog_tile want = edge_of(t->size, level);
	struct tile *edge = t->edge[level] = mem_try(sizeof *edge);

	if (!edge)
		return fail(E_NOMEM, "a tile");
	edge->level = level;
	edge->index = want.index;
	if (want.width == 0)
		return 0;
	int rc = read_edge(t->dir_fd, &want, hashes);
	if (rc)
		return rc;
	for (unsigned i = 0; i < want.width; i++)
		(void)tile_add(edge, &hashes[i], &unused);
	edge->dirty = true; /* there may be no file of this width */
	return 0;
}

static int check_root(struct tlog_tiles *t, const struct tlog_hash *root)
{
	struct tlog_hash have;
	int rc = tlog_tiles_root(t, &have);

	if (!rc && !tlog_hash_equal(&have, root))
		rc = fail(E_INTEGRITY,
			  "the log's tiles do not have the root hash of its checkpoint");
	return rc;
}

int tlog_tiles_open(int dir_fd, uint64_t size, const struct tlog_hash *root,
		    struct tlog_tiles **ret_tiles)
{
	CLEANUP(tlog_tiles_free) struct tlog_tiles *t = mem_new(sizeof *t);
	int rc = size > TLOG_SIZE_MAX ? fail(E_LIMIT, "a log of too many leaves") : 0;

	t->dir_fd = dir_fd;
	t->size = size;
	t->store = tlog_store_new(dir_fd);
	for (unsigned level = 0; !rc && level < TLOG_TILE_LEVELS; level++)
		rc = load_edge(t, level);
	if (!rc && root)
		rc = check_root(t, root);
	if (!rc)
		*ret_tiles = TAKE(t);
	return rc;
}

uint64_t tlog_tiles_size(const struct tlog_tiles *t)
{
	return t->size;
}

/* Room for the tiles that n more leaves make full. */
static int reserve_full(struct tlog_tiles *t, size_t n)
{
	size_t full = 0;

	for (unsigned level = 0; level < TLOG_TILE_LEVELS; level++)
		full += (size_t)(edge_of(t->size + n, level).index - edge_of(t->size, level).index);
	int rc = list_reserve(&t->full, t->full.n + full);
	if (!rc)
		rc = list_reserve(&t->spare, full);
	while (!rc && t->spare.n < full) {
		struct tile *tile = mem_try(sizeof *tile);
		if (tile)
			t->spare.tile[t->spare.n++] = tile;
		else
			rc = fail(E_NOMEM, "a tile");
	}
	return rc;
}

static void append_one(struct tlog_tiles *t, const struct tlog_hash *leaf)
{
	struct tlog_hash hash = *leaf;

	for (unsigned level = 0;; level++) {
		assert(level < TLOG_TILE_LEVELS);
		struct tile *edge = t->edge[level];
		bool is_full = tile_add(edge, &hash, &hash);
		edge->dirty = true;
		if (!is_full)
			break;
		assert(t->spare.n > 0 && t->full.n < t->full.cap);
		struct tile *next = t->spare.tile[--t->spare.n];
		next->level = level;
		next->index = edge->index + 1;
		t->edge[level] = next;
		t->full.tile[t->full.n++] = edge;
	}
	t->size++;
}

int tlog_tiles_append(struct tlog_tiles *t, const struct tlog_hash *leaves, size_t n)
{
	if (n > TLOG_SIZE_MAX - t->size)
		return fail(E_LIMIT, "a log of too many leaves");

	int rc = reserve_full(t, n);
	for (size_t i = 0; !rc && i < n; i++)
		append_one(t, &leaves[i]);
	return rc;
}

/* Keep it instead of the one that was not used for longest. */
static void cache_put(struct tlog_tiles *t, struct tile *tile)
{
	size_t oldest = 0;

	for (size_t i = 0; i < CACHE_SIZE && t->cache[oldest]; i++)
		if (!t->cache[i] || t->cache[i]->used < t->cache[oldest]->used)
			oldest = i;
	free(t->cache[oldest]);
	tile->used = ++t->now;
	t->cache[oldest] = tile;
}

static int put_tile(struct tlog_tiles *t, const struct tile *tile)
{
	struct tlog_tile file = {tile->level, tile->index, tile->width};

	return tlog_store_put(t->store, &file, tile->node);
}

static int write_full(struct tlog_tiles *t)
{
	size_t done = 0;
	int rc = 0;

	for (; done < t->full.n; done++) {
		rc = put_tile(t, t->full.tile[done]);
		if (rc)
			break;
		cache_put(t, t->full.tile[done]);
	}
	t->full.n -= done;
	if (done && t->full.n)
		memmove(t->full.tile, t->full.tile + done, t->full.n * sizeof *t->full.tile);
	return rc;
}

int tlog_tiles_write(struct tlog_tiles *t)
{
	if (t->broken)
		return fail(E_IO, "an earlier sync of the log's tiles has failed");

	int rc = write_full(t);
	for (unsigned level = 0; !rc && level < TLOG_TILE_LEVELS; level++) {
		struct tile *edge = t->edge[level];
		if (!edge->dirty || edge->width == 0)
			continue;
		rc = put_tile(t, edge);
		edge->dirty = rc != 0;
	}
	return rc;
}

int tlog_tiles_take_sync(struct tlog_tiles *t, struct tlog_sync **ret_work)
{
	int rc = tlog_tiles_write(t);

	if (!rc)
		*ret_work = tlog_store_take_sync(t->store);
	return rc;
}

int tlog_tiles_sync(struct tlog_tiles *t)
{
	CLEANUP(tlog_sync_free) struct tlog_sync *work = NULL;
	int rc = tlog_tiles_take_sync(t, &work);

	if (!rc) {
		rc = tlog_sync_run(work);
		t->broken = rc != 0;
	}
	return rc;
}

/* A tile that is in memory, or NULL. */
static struct tile *find_tile(struct tlog_tiles *t, unsigned level, uint64_t index)
{
	if (t->edge[level]->index == index)
		return t->edge[level];
	for (size_t i = t->full.n; i-- > 0;)
		if (t->full.tile[i]->level == level && t->full.tile[i]->index == index)
			return t->full.tile[i];
	for (size_t i = 0; i < CACHE_SIZE; i++) {
		struct tile *tile = t->cache[i];
		if (tile && tile->level == level && tile->index == index) {
			tile->used = ++t->now;
			return tile;
		}
	}
	return NULL;
}

static int load_tile(struct tlog_tiles *t, unsigned level, uint64_t index, struct tile **ret_tile);

/* The hash at a place of a row of a tile. */
static int node_of(struct tlog_tiles *t, unsigned level, uint64_t index, size_t slot,
		   struct tlog_hash *ret_hash)
{
	struct tile *tile = find_tile(t, level, index);
	int rc = tile ? 0 : load_tile(t, level, index, &tile);

	if (!rc)
		*ret_hash = tile->node[slot];
	return rc;
}

static int read_full(struct tlog_tiles *t, struct tile *tile, struct tlog_hash *ret_root)
{
	struct tlog_hash hashes[TLOG_TILE_WIDTH];
	struct tlog_tile file = {tile->level, tile->index, TLOG_TILE_WIDTH};
	int rc = tlog_tile_read(t->dir_fd, &file, hashes);

	if (rc == E_GONE)
		return fail(E_INTEGRITY, "tile %llu of level %u is missing",
			    (unsigned long long)file.index, file.level);
	for (unsigned i = 0; !rc && i < TLOG_TILE_WIDTH; i++)
		(void)tile_add(tile, &hashes[i], ret_root);
	return rc;
}

/* A full tile from its file, if it is what the tile above it says: that one is at the edge,
 * or came through here itself. At most one step for each level. */
static int load_tile(struct tlog_tiles *t, unsigned level, uint64_t index, struct tile **ret_tile)
{
	CLEANUP(mem_free) struct tile *tile = mem_try(sizeof *tile);
	struct tlog_hash root = {{0}}, expected = {{0}};

	if (!tile)
		return fail(E_NOMEM, "a tile");
	assert(level + 1 < TLOG_TILE_LEVELS);
	tile->level = level;
	tile->index = index;
	int rc = read_full(t, tile, &root);
	if (!rc)
		rc = node_of(t, level + 1, index / TLOG_TILE_WIDTH,
			     slot_of(0, index % TLOG_TILE_WIDTH), &expected);
	if (!rc && !tlog_hash_equal(&root, &expected))
		rc = fail(E_INTEGRITY, "tile %llu of level %u is not what the tree says",
			  (unsigned long long)index, level);
	if (rc)
		return rc;
	*ret_tile = tile;
	cache_put(t, TAKE(tile));
	return 0;
}

static int subtree_hash(void *arg, unsigned level, uint64_t index, struct tlog_hash *ret_hash)
{
	struct tlog_tiles *t = arg;
	unsigned row = level % TLOG_TILE_HEIGHT;

	if (level >= 64 || index >= t->size >> level)
		return fail(E_INVALID, "no subtree %llu of level %u in a tree of %llu",
			    (unsigned long long)index, level, (unsigned long long)t->size);

	uint64_t in_row = (uint64_t)TLOG_TILE_WIDTH >> row;
	return node_of(t, level / TLOG_TILE_HEIGHT, index / in_row, slot_of(row, index % in_row),
		       ret_hash);
}

struct tlog_source tlog_tiles_source(struct tlog_tiles *t)
{
	return (struct tlog_source){.hash = subtree_hash, .arg = t};
}

int tlog_tiles_root(struct tlog_tiles *t, struct tlog_hash *ret_root)
{
	struct tlog_source from = tlog_tiles_source(t);

	return tlog_root(&from, t->size, ret_root);
}

static int check_size(const struct tlog_tiles *t, uint64_t size)
{
	if (size <= t->size)
		return 0;
	return fail(E_INVALID, "the log has %llu leaves and not yet %llu",
		    (unsigned long long)t->size, (unsigned long long)size);
}

int tlog_tiles_prove_inclusion(struct tlog_tiles *t, uint64_t index, uint64_t size,
			       struct tlog_path *ret_path)
{
	struct tlog_source from = tlog_tiles_source(t);
	int rc = check_size(t, size);

	return rc ? rc : tlog_prove_inclusion(&from, index, size, ret_path);
}

int tlog_tiles_prove_consistency(struct tlog_tiles *t, uint64_t old_size, uint64_t size,
				 struct tlog_path *ret_path)
{
	struct tlog_source from = tlog_tiles_source(t);
	int rc = check_size(t, size);

	return rc ? rc : tlog_prove_consistency(&from, old_size, size, ret_path);
}
