/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flood: what others can make happen as often as they like must not bury the log: so many events
 * a minute are recorded singly, and further ones as a number in the next record of their kind.
 * Zeroed is empty. Owned by the loop thread.
 */
#ifndef DROPKEEP_KEEP_FLOOD_H
#define DROPKEEP_KEEP_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

struct flood {
	int64_t minute;
	unsigned recorded, passed_over;
};

/* Whether an event is to be recorded now; and how many were not since the last one that was. */
bool flood_passes(struct flood *f, unsigned a_minute, unsigned *ret_passed_over);

#endif
