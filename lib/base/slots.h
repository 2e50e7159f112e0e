/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots: numbers for things that another process names: each number is given out once and
 * finds its thing in constant time; a number whose thing is gone finds nothing, also after
 * its place has been taken again.
 *
 *	number = generation << 24 | place, never 0
 */
#ifndef DROPKEEP_SLOTS_H
#define DROPKEEP_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct slot {
	void *thing;
	uint64_t generation;
	size_t next_free;
};

/* Zeroed is empty. */
struct slots {
	struct slot *slot;
	size_t cap, count, first_free;
};

MUST_USE int slots_add(struct slots *s, void *thing, uint64_t *ret_number);
void *slots_find(const struct slots *s, uint64_t number); /* or NULL */
void slots_remove(struct slots *s, uint64_t number);

/* Walk: *cursor begins at 0; NULL at the end. Removing what was given is allowed. */
void *slots_next(const struct slots *s, size_t *cursor);
void slots_done(struct slots *s);

#endif
