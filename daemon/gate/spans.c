/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/spans.h"

#include <stdlib.h>
#include <string.h>

void spans_clear(struct spans *s)
{
	s->count = 0;
}

void spans_done(struct spans *s)
{
	free(s->at);
	*s = spans_of(s->most);
}

/* The first run that ends behind x; count when there is none. Appending, the common case,
 * needs no search. */
static unsigned behind(const struct spans *s, uint64_t x)
{
	unsigned low = 0, high = s->count;

	if (high && s->at[high - 1].to <= x)
		return high;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (s->at[middle].to > x)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static int room_for_one(struct spans *s)
{
	if (s->count >= s->most)
		return fail(E_LIMIT, "more than %u separate pieces", s->most);
	if (s->count < s->cap)
		return 0;
	unsigned cap = s->cap ? s->cap * 2 : 4;
	struct span *at = realloc(s->at, cap * sizeof *at);
	if (!at)
		return fail(E_NOMEM, "no memory for %u pieces", cap);
	s->at = at;
	s->cap = cap;
	return 0;
}

/* Runs first … last-1 give way to one, or one comes in before `first`. */
static int replace(struct spans *s, unsigned first, unsigned last, struct span by)
{
	if (first == last) {
		int rc = room_for_one(s);
		if (rc)
			return rc;
		memmove(s->at + first + 1, s->at + first, (s->count - first) * sizeof *s->at);
		s->count++;
	} else if (last > first + 1) {
		memmove(s->at + first + 1, s->at + last, (s->count - last) * sizeof *s->at);
		s->count -= last - first - 1;
	}
	s->at[first] = by;
	return 0;
}

int spans_add(struct spans *s, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	unsigned first = behind(s, from);
	if (first && s->at[first - 1].to == from)
		first--; /* touches the run before */
	unsigned last = first;
	struct span by = {from, to};

	while (last < s->count && s->at[last].from <= to) {
		if (s->at[last].from < by.from)
			by.from = s->at[last].from;
		if (s->at[last].to > by.to)
			by.to = s->at[last].to;
		last++;
	}
	return replace(s, first, last, by);
}

int spans_cut(struct spans *s, uint64_t from, uint64_t to)
{
	if (from >= to)
		return 0;
	unsigned first = behind(s, from), last = first;

	if (first < s->count && s->at[first].from < from && s->at[first].to > to) {
		struct span rest = {to, s->at[first].to};
		int rc = replace(s, first + 1, first + 1, rest);
		if (!rc)
			s->at[first].to = from;
		return rc;
	}
	if (first < s->count && s->at[first].from < from) {
		s->at[first].to = from;
		last = ++first;
	}
	while (last < s->count && s->at[last].to <= to)
		last++;
	if (last < s->count && s->at[last].from < to)
		s->at[last].from = to;
	if (last > first) {
		memmove(s->at + first, s->at + last, (s->count - last) * sizeof *s->at);
		s->count -= last - first;
	}
	return 0;
}

void spans_crop(struct spans *s, uint64_t end)
{
	unsigned n = behind(s, end);

	if (n < s->count && s->at[n].from < end)
		s->at[n++].to = end;
	s->count = n;
}

void spans_squeeze(struct spans *s, unsigned count)
{
	while (s->count > count && s->count > 1) {
		unsigned best = 0;
		for (unsigned i = 1; i + 1 < s->count; i++)
			if (s->at[i + 1].from - s->at[i].to < s->at[best + 1].from - s->at[best].to)
				best = i;
		s->at[best].to = s->at[best + 1].to;
		memmove(s->at + best + 1, s->at + best + 2, (s->count - best - 2) * sizeof *s->at);
		s->count--;
	}
}

bool spans_have(const struct spans *s, uint64_t from, uint64_t to)
{
	return from >= to || spans_run(s, from) >= to;
}

uint64_t spans_run(const struct spans *s, uint64_t from)
{
	unsigned i = behind(s, from);

	return i < s->count && s->at[i].from <= from ? s->at[i].to : from;
}

struct span spans_next(const struct spans *s, uint64_t from, uint64_t to)
{
	unsigned i = behind(s, from);

	if (i == s->count || s->at[i].from >= to)
		return (struct span){from, from};
	return (struct span){s->at[i].from > from ? s->at[i].from : from,
			     s->at[i].to < to ? s->at[i].to : to};
}
