/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slots.h"

#include <stdlib.h>

enum { PLACE_BITS = 24, FIRST_CAP = 16 };

static const size_t none = (size_t)-1;
static const uint64_t place_mask = (UINT64_C(1) << PLACE_BITS) - 1;

static int grow(struct slots *s)
{
	size_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
	struct slot *slot = cap <= place_mask ? realloc(s->slot, cap * sizeof *slot) : NULL;

	if (!slot)
		return fail(E_NOMEM, "no room for one of %zu things", cap);
	s->slot = slot;
	for (size_t i = s->cap; i < cap; i++)
		slot[i] = (struct slot){.next_free = i + 1 < cap ? i + 1 : none};
	s->first_free = s->cap;
	s->cap = cap;
	return 0;
}

int slots_add(struct slots *s, void *thing, uint64_t *ret_number)
{
	if (s->count == s->cap) {
		int rc = grow(s);
		if (rc)
			return rc;
	}
	size_t place = s->first_free;
	struct slot *slot = &s->slot[place];
	s->first_free = slot->next_free;
	slot->thing = thing;
	slot->generation++;
	s->count++;
	*ret_number = slot->generation << PLACE_BITS | place;
	return 0;
}

static struct slot *slot_of(const struct slots *s, uint64_t number)
{
	size_t place = number & place_mask;

	if (place >= s->cap || !s->slot[place].thing ||
	    s->slot[place].generation != number >> PLACE_BITS)
		return NULL;
	return &s->slot[place];
}

void *slots_find(const struct slots *s, uint64_t number)
{
	struct slot *slot = slot_of(s, number);

	return slot ? slot->thing : NULL;
}

void slots_remove(struct slots *s, uint64_t number)
{
	struct slot *slot = slot_of(s, number);

	if (!slot)
		return;
	slot->thing = NULL;
	slot->next_free = s->first_free;
	s->first_free = (size_t)(slot - s->slot);
	s->count--;
}

void *slots_next(const struct slots *s, size_t *cursor)
{
	while (*cursor < s->cap) {
		void *thing = s->slot[(*cursor)++].thing;
		if (thing)
			return thing;
	}
	return NULL;
}

void slots_done(struct slots *s)
{
	free(s->slot);
	*s = (struct slots){0};
}
