/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock: time as the program counts it: microseconds since 1970 in UTC for what is
 * recorded, monotonic milliseconds for what is waited for, and microseconds since the machine
 * was started, its sleep included, by which the first can be checked: nobody sets that clock.
 */
#ifndef DROPKEEP_CLOCK_H
#define DROPKEEP_CLOCK_H

#include <stdint.h>

int64_t clock_utc_us(void);
int64_t clock_mono_ms(void);
int64_t clock_boot_us(void);

/* "2026-01-31T23:59:59.123456Z" (RFC 3339); ret_text takes CLOCK_TEXT bytes. */
enum { CLOCK_TEXT = 28 };
void clock_text(int64_t utc_us, char *ret_text);

#endif
