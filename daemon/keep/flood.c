/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/flood.h"

#include "base/clock.h"

bool flood_passes(struct flood *f, unsigned a_minute, unsigned *ret_passed_over)
{
	int64_t minute = clock_mono_ms() / 60000;

	if (f->minute != minute) {
		f->minute = minute;
		f->recorded = 0;
	}
	if (f->recorded >= a_minute) {
		f->passed_over++;
		return false;
	}
	f->recorded++;
	*ret_passed_over = f->passed_over;
	f->passed_over = 0;
	return true;
}
