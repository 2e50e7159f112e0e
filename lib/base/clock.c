/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static const int64_t us_per_s = 1000000;

static int64_t read_us(clockid_t clock)
{
	struct timespec t;

	int rc = clock_gettime(clock, &t);
	assert(rc == 0);
	return (int64_t)t.tv_sec * us_per_s + t.tv_nsec / 1000;
}

int64_t clock_utc_us(void)
{
	return read_us(CLOCK_REALTIME);
}

int64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

int64_t clock_mono_ms(void)
{
	struct timespec t;

	int rc = clock_gettime(CLOCK_MONOTONIC, &t);
	assert(rc == 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_text(int64_t utc_us, char *ret_text)
{
	time_t seconds = (time_t)(utc_us / us_per_s);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	size_t n = strftime(ret_text, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret_text + n, CLOCK_TEXT - n, ".%06dZ", (int)(utc_us % us_per_s));
}
