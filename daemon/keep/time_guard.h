/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_guard: whether the wall clock can be believed by who removes things by their age.
 *
 * A clock that somebody sets, or that a broken battery makes up, would let everything expire at
 * once. While the keep runs, the wall clock is compared with the time since the machine was
 * started, which nobody can set (and which counts the machine's sleep): what the two differ by
 * only changes when the wall clock is set. Over a restart, it is compared with the last wall time
 * that was seen, which the catalog has. Pure: it reads no clock and stores nothing.
 */
#ifndef DROPKEEP_KEEP_TIME_GUARD_H
#define DROPKEEP_KEEP_TIME_GUARD_H

#include <stdbool.h>
#include <stdint.h>

struct time_guard {
	bool has_seen;
	int64_t seen_us;  /* the last wall time that was believed */
	bool runs;        /* it has been believed since the start: */
	int64_t begun_us; /* wall time of the machine's start, as it was then */
};

struct time_limits {
	int64_t step_us; /* by so much the clock may be set, in either direction, all in all */
	int64_t gap_us;  /* so long the keep may have been away */
};

/* For what expires after that time: a step is half of it at most, between a minute and an hour; a
 * gap half of it, but an hour at least. */
struct time_limits time_limits_of(uint64_t expiry_ms);

/* Looks at the clocks. If the wall time is believed it is the last one that was seen; else
 * ret_off_us says by how much it is ahead (or, below 0, behind) of what was expected, and nothing
 * changes. */
bool time_guard_believes(struct time_guard *g, const struct time_limits *limits, int64_t wall_us,
			 int64_t boot_us, int64_t *ret_off_us);

/* Somebody who knows says that this is the time. */
void time_guard_set(struct time_guard *g, int64_t wall_us);

#endif
