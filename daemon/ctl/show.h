/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show: JSON values as people read them, on standard output.
 *
 * Text from the keep goes through log_escape(): what a client calls itself cannot move the
 * cursor of an operator's terminal.
 */
#ifndef DROPKEEP_CTL_SHOW_H
#define DROPKEEP_CTL_SHOW_H

#include <jansson.h>

#include "base/buf.h"

/* Append a value; NULL and JSON's null included. */
typedef int show_value(const json_t *value, struct buf *out);

show_value show_text;     /* of any kind; "-" for none and for "" */
show_value show_size;     /* "1.5 GiB" */
show_value show_limit;    /* the same, "-" for 0 */
show_value show_seconds;  /* "90d", "-" for 0 */
show_value show_time;     /* "2026-01-31 23:59:59Z" */
show_value show_yes;      /* yes, no */
show_value show_list;     /* texts of an array, joined by commas */
show_value show_members;  /* of an object: "user=alice zones=a,b" */
show_value show_count_of; /* how many an array has */

struct column {
	const char *title;
	const char *member; /* "log/size": of an object in an object */
	show_value *value;
	bool right; /* numbers */
};

/* Columns until one without a title. A table with its titles and a line for each object of
 * an array; nothing at all for none. Or a line for each column: "title: value". */
MUST_USE int show_table(const struct column *columns, const json_t *array);
MUST_USE int show_fields(const struct column *columns, const json_t *object);

/* The object on one line. */
MUST_USE int show_json(const json_t *object);

/* What was printed has arrived: E_IO if not. */
MUST_USE int show_end(void);

#endif
