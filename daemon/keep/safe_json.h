/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safe_json: JSON out of bytes and numbers that somebody else chose. jansson makes nothing at all
 * of text that is not UTF-8, and negative numbers of large ones; a record or an answer would lose
 * a member in silence, or would not be written.
 */
#ifndef DROPKEEP_KEEP_SAFE_JSON_H
#define DROPKEEP_KEEP_SAFE_JSON_H

#include <jansson.h>

#include "base/buf.h"

/* Text as it is where it is UTF-8, else with a '?' for each byte beyond ASCII. NULL only when there
 * is no memory. */
json_t *safe_text(struct view text);

/* At most what JSON's readers can hold in 63 bits. */
json_int_t safe_count(uint64_t n);

/* What stands between the blanks of a text, as an array of texts; empty for none. */
json_t *safe_words(const char *text);

#endif
