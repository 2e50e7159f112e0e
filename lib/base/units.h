/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units: sizes and lengths of time as people write them.
 *
 * A size is digits and one of K M G T (1024 and its powers), or bytes alone: "100G".
 * A length of time is digits and one of ms s m h d w: "30s"; only 0 goes without a unit.
 * Nothing else is read: no sign, no fraction, no blanks, nothing behind. E_INVALID for what
 * is malformed, E_LIMIT for what does not fit (or is above INT64_MAX, which JSON and SQLite
 * could not hold).
 */
#ifndef DROPKEEP_UNITS_H
#define DROPKEEP_UNITS_H

#include <stdint.h>

#include "base/buf.h"

MUST_USE int number_parse(struct view text, uint64_t *ret_number); /* decimal digits alone */
MUST_USE int size_parse(struct view text, uint64_t *ret_bytes);
MUST_USE int duration_parse(struct view text, uint64_t *ret_ms);

/* For people, rounded: "1.5 GiB", "100 GiB", "512 B". And so that it reads back exactly:
 * "100G", "1536M", "7d", "90s". ret_text takes UNITS_TEXT bytes. */
enum { UNITS_TEXT = 24 };
void size_text(uint64_t bytes, char *ret_text);
void size_exact(uint64_t bytes, char *ret_text);
void duration_exact(uint64_t ms, char *ret_text);

#endif
