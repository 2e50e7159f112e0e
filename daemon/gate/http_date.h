/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_date: times as HTTP tells them (RFC 9110, section 5.6.7): written as IMF-fixdate, read in
 * all three forms. Seconds since 1970, UTC.
 */
#ifndef DROPKEEP_GATE_HTTP_DATE_H
#define DROPKEEP_GATE_HTTP_DATE_H

#include "base/buf.h"

enum { HTTP_DATE = 40 };

/* "Sun, 06 Nov 1994 08:49:37 GMT"; "" for a year that has not four digits. */
void date_write(int64_t time_s, char ret_text[HTTP_DATE]);

/* E_INVALID without an error frame: a field with a date that is none counts as not sent. now_s: to
 * tell the century of two digits. */
MUST_USE int date_read(struct view text, int64_t now_s, int64_t *ret_time_s);

/* RFC 3339, in seconds, for JSON: "1994-11-06T08:49:37Z". */
void date_write_iso(int64_t time_s, char ret_text[HTTP_DATE]);

/* RFC 3339 ("1994-11-06T08:49:37.5Z", "…+01:00"), or a date alone: its beginning in UTC. In
 * microseconds; what is finer is passed over. E_INVALID without an error frame; also before 1970.
 */
MUST_USE int date_read_iso(struct view text, int64_t *ret_time_us);

#endif
