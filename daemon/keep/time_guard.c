/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/time_guard.h"

static const int64_t minute_us = INT64_C(60) * 1000000, hour_us = INT64_C(3600) * 1000000;

/*
 * A step of a few seconds is what keeping time looks like. An hour makes no difference to what
 * expires in days; where that is short, half of it is what an honest client loses at most.
 *
 * How long a machine was off nobody can tell from inside. But if it was half of an upload's life,
 * clients had half of it in which they could do nothing: that, too, a person should look at.
 */
struct time_limits time_limits_of(uint64_t expiry_ms)
{
	int64_t half_us = (int64_t)expiry_ms * 1000 / 2;

	return (struct time_limits){.step_us = half_us < minute_us ? minute_us
					       : half_us > hour_us ? hour_us
								   : half_us,
				    .gap_us = half_us < hour_us ? hour_us : half_us};
}

static bool strays(int64_t off_us, int64_t limit_us, int64_t *ret_off_us)
{
	*ret_off_us = off_us;
	return off_us > limit_us || off_us < -limit_us;
}

/* A clock that falls behind what was seen was ahead before: then the time that was seen is what
 * was wrong, and would let a later jump up to it pass. */
bool time_guard_believes(struct time_guard *g, const struct time_limits *limits, int64_t wall_us,
			 int64_t boot_us, int64_t *ret_off_us)
{
	int64_t off_us = g->has_seen ? wall_us - g->seen_us : 0;

	if (g->runs && strays(wall_us - boot_us - g->begun_us, limits->step_us, ret_off_us))
		return false;
	if (off_us < -limits->step_us || (!g->runs && off_us > limits->gap_us)) {
		*ret_off_us = off_us;
		return false;
	}
	if (!g->runs)
		g->begun_us = wall_us - boot_us;
	g->runs = g->has_seen = true;
	g->seen_us = wall_us;
	return true;
}

void time_guard_set(struct time_guard *g, int64_t wall_us)
{
	*g = (struct time_guard){.has_seen = true, .seen_us = wall_us};
}
