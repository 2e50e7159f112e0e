/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/catalog_wal.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/sys.h"

enum {
	MAGIC = 0x377f0682, /* and 1 where the sums are big-endian */
	AT_NUMBER = 12,
	AT_SALTS = 16,
	AT_SUMS = 24, /* in the header */
	SALTS = 8,
	AT_FRAME_COMMIT = 4,
	AT_FRAME_SALTS = 8,
	AT_FRAME_SUMS = 16,
	SECTOR = 512, /* the least that a disk writes as a whole */
};

uint32_t wal_get_u32(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

void wal_put_u32(uint8_t *ret_bytes, uint32_t number)
{
	for (unsigned i = 0; i < 4; i++)
		ret_bytes[i] = (uint8_t)(number >> (24 - 8 * i));
}

bool wal_is_big_endian(const uint8_t *header)
{
	return header[3] & 1;
}

/* ---- sums ---- */

struct sums {
	uint32_t a, b;
};

static uint32_t word(const uint8_t *bytes, bool big_endian)
{
	uint32_t n = wal_get_u32(bytes);

	return big_endian ? n : __builtin_bswap32(n);
}

static void put_word(uint8_t *ret_bytes, uint32_t n, bool big_endian)
{
	wal_put_u32(ret_bytes, big_endian ? n : __builtin_bswap32(n));
}

static void sum(struct sums *s, const uint8_t *bytes, size_t len, bool big_endian)
{
	assert(len % 8 == 0);
	for (size_t i = 0; i < len; i += 8) {
		s->a += word(bytes + i, big_endian) + s->b;
		s->b += word(bytes + i + 4, big_endian) + s->a;
	}
}

/* Sums are linear: those of the differences are the differences of the sums, and the last pair
 * of words takes them back to nothing. */
void wal_balance(const uint8_t *original, uint8_t *changed, size_t len, bool big_endian)
{
	struct sums off = {0};
	size_t last = len - 8;

	assert(len % 8 == 0 && len >= 8);
	for (size_t i = 0; i < last; i += 8) {
		off.a += word(changed + i, big_endian) - word(original + i, big_endian) + off.b;
		off.b +=
		    word(changed + i + 4, big_endian) - word(original + i + 4, big_endian) + off.a;
	}
	put_word(changed + last, word(original + last, big_endian) - off.a - off.b, big_endian);
	put_word(changed + last + 4, word(original + last + 4, big_endian) - off.b, big_endian);
}

/* ---- what a log has lost ---- */

struct walk {
	int fd;
	uint8_t header[WAL_HEADER];
	bool big_endian;
	struct sums sums;
	uint64_t frames; /* that there is room for */
	uint8_t frame[WAL_FRAME];
};

static struct sums stored_sums(const uint8_t *bytes)
{
	return (struct sums){wal_get_u32(bytes), wal_get_u32(bytes + 4)};
}

static bool sums_equal(struct sums x, struct sums y)
{
	return x.a == y.a && x.b == y.b;
}

static bool header_sums_right(const uint8_t header[WAL_HEADER])
{
	struct sums s = {0};

	sum(&s, header, AT_SUMS, wal_is_big_endian(header));
	return sums_equal(s, stored_sums(header + AT_SUMS));
}

static bool header_right(const uint8_t header[WAL_HEADER])
{
	return (wal_get_u32(header) | 1) == (MAGIC | 1) && header_sums_right(header);
}

static int read_frame(struct walk *w, uint64_t i, size_t len)
{
	return sys_pread_all(w->fd, w->frame, len, WAL_HEADER + i * WAL_FRAME);
}

/*
 * A header that is not right excuses itself if it was torn as the log was begun again: then all
 * frames are of the log before, which is in the database. What came before is one less in
 * number, with the salts of the frames; or else the new salts are there, and only the sums are
 * not.
 */
static bool torn_header(const struct walk *w)
{
	const uint8_t *salts = w->frame + AT_FRAME_SALTS;
	uint8_t before[WAL_HEADER];

	memcpy(before, w->header, sizeof before);
	wal_put_u32(before + AT_NUMBER, wal_get_u32(w->header + AT_NUMBER) - 1);
	memcpy(before + AT_SALTS, salts, SALTS);
	return header_sums_right(before) ||
	       (wal_get_u32(w->header + AT_SALTS) == wal_get_u32(salts) + 1 &&
		memcmp(w->header + AT_SALTS + 4, salts + 4, 4) != 0);
}

static bool frame_right(struct walk *w)
{
	if (memcmp(w->frame + AT_FRAME_SALTS, w->header + AT_SALTS, SALTS) != 0 ||
	    wal_get_u32(w->frame) == 0)
		return false;
	sum(&w->sums, w->frame, AT_FRAME_SALTS, w->big_endian);
	sum(&w->sums, w->frame + WAL_FRAME_HEADER, WAL_FRAME - WAL_FRAME_HEADER, w->big_endian);
	return sums_equal(w->sums, stored_sums(w->frame + AT_FRAME_SUMS));
}

/* Of this log, as far as the header of the frame can say; where one salt is damaged the other
 * one does. */
static bool frame_ours(const struct walk *w, bool damaged)
{
	const uint8_t *salts = w->frame + AT_FRAME_SALTS, *mine = w->header + AT_SALTS;
	bool first = memcmp(salts, mine, 4) == 0, second = memcmp(salts + 4, mine + 4, 4) == 0;

	return damaged ? first || second : first && second;
}

/* Whether the frame says that it ends a transaction. Where a sector ends between that word and
 * the salts these do not vouch for it: it may be an earlier log's, left by a power loss. */
static bool frame_ends(const struct walk *w, uint64_t i)
{
	return wal_get_u32(w->frame + AT_FRAME_COMMIT) != 0 &&
	       (WAL_HEADER + i * WAL_FRAME + AT_FRAME_SALTS) % SECTOR != 0;
}

/* Frame bad is the first that is not right. Is there a transaction's end, here or later, that
 * something of the same log follows? */
static int look_behind(struct walk *w, uint64_t bad)
{
	bool ended = false;
	int rc = 0;

	for (uint64_t i = bad; i < w->frames && !rc; i++) {
		rc = read_frame(w, i, WAL_FRAME_HEADER);
		if (rc || !frame_ours(w, i == bad))
			continue;
		if (ended && i > bad)
			return fail(E_INTEGRITY,
				    "catalog.db-wal: frame %llu of %llu is damaged, and committed "
				    "changes are behind it",
				    (unsigned long long)bad + 1, (unsigned long long)w->frames);
		ended |= frame_ends(w, i);
	}
	return rc;
}

static int walk_frames(struct walk *w)
{
	int rc = 0;

	w->big_endian = wal_is_big_endian(w->header);
	w->sums = stored_sums(w->header + AT_SUMS);
	for (uint64_t i = 0; i < w->frames && !rc; i++) {
		rc = read_frame(w, i, WAL_FRAME);
		if (!rc && !frame_right(w))
			return look_behind(w, i);
	}
	return rc;
}

static int walk(struct walk *w)
{
	uint64_t size = 0;
	int rc = sys_size(w->fd, &size);

	if (rc || size < WAL_HEADER + WAL_FRAME)
		return rc;
	w->frames = (size - WAL_HEADER) / WAL_FRAME;
	rc = sys_pread_all(w->fd, w->header, WAL_HEADER, 0);
	if (!rc && header_right(w->header))
		return walk_frames(w);
	if (!rc)
		rc = read_frame(w, 0, WAL_FRAME);
	if (!rc && !torn_header(w))
		rc = fail(E_INTEGRITY, "catalog.db-wal: its header is damaged, and changes are "
				       "behind it");
	return rc;
}

int wal_check(const char *path)
{
	struct walk *w = mem_new(sizeof *w);
	CLEANUP(mem_free) void *owned = w;

	int rc = sys_open(AT_FDCWD, path, O_RDONLY, 0, &w->fd);
	if (rc == E_GONE) {
		err_clear();
		return 0;
	}
	if (!rc) {
		rc = walk(w);
		sys_close(&w->fd);
	}
	return rc;
}
