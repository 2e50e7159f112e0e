/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spans: a set of numbers (bytes, chunks) as sorted runs that neither touch nor overlap.
 *
 * What a peer can make it hold is bounded: a set refuses to fall into more than `most` runs.
 */
#ifndef DROPKEEP_GATE_SPANS_H
#define DROPKEEP_GATE_SPANS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct span {
	uint64_t from, to; /* to: behind the last */
};

struct spans {
	struct span *at;
	unsigned count, cap, most;
};

static inline struct spans spans_of(unsigned most)
{
	return (struct spans){.most = most};
}

void spans_clear(struct spans *s); /* keeps the memory */
void spans_done(struct spans *s);

/* Put in, take out what is from … to-1. E_LIMIT (over most) and E_NOMEM leave s as it was. */
MUST_USE int spans_add(struct spans *s, uint64_t from, uint64_t to);
MUST_USE int spans_cut(struct spans *s, uint64_t from, uint64_t to);

/* Take out all from `end` on. */
void spans_crop(struct spans *s, uint64_t end);

/* Fill the smallest gaps until at most count runs are left. */
void spans_squeeze(struct spans *s, unsigned count);

bool spans_have(const struct spans *s, uint64_t from, uint64_t to); /* all of it */

/* The end of the run that holds `from`; from when none does. */
uint64_t spans_run(const struct spans *s, uint64_t from);

/* The first piece of s within from … to-1; from == to when there is none. */
struct span spans_next(const struct spans *s, uint64_t from, uint64_t to);

static inline bool spans_meet(const struct spans *s, uint64_t from, uint64_t to)
{
	struct span p = spans_next(s, from, to);

	return p.from < p.to;
}

/* Behind the last; 0 for an empty set. */
static inline uint64_t spans_end(const struct spans *s)
{
	return s->count ? s->at[s->count - 1].to : 0;
}

/* The pieces of set within low … high-1; it must not change meanwhile. */
#define SPANS_EACH(piece, set, low, high)                                           \
	for (struct span piece = spans_next(set, low, high); piece.from < piece.to; \
	     piece = spans_next(set, piece.to, high))

#endif
