/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turns: deeds that may be at work only one at a time, in the order in which they came, because
 * each of them could keep a thread of the pool busy: what is acknowledged needs the others.
 * Zeroed is empty. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_TURNS_H
#define DROPKEEP_KEEP_TURNS_H

#include <stdbool.h>

struct deed;
struct deeds;

struct turns {
	struct deed *holder, *first, **last;
};

/* For begin of a deed: true when it is its turn, also when it asks again. Else it is to be parked,
 * and is restarted (deeds.h) when its turn has come. */
bool turns_take(struct turns *t, struct deed *d);

/* For finish of it: the next one's turn, if it was this one's. */
void turns_leave(struct turns *t, struct deeds *q, struct deed *d);

#endif
