/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf: an INI file read into a struct, by a table of rows, one for each key.
 *
 * Splitting into sections, keys and values is inih's work. What is not in the table, comes
 * twice or cannot be meant is an error, E_CONFIG, whose sentence has file, line and key;
 * nothing is guessed or passed over. A value goes on in the next lines when these begin with
 * a blank (as in Python's configparser); the parts are joined by one blank. A comment is a
 * line that begins with ; or #, or the rest of a line behind " ;".
 *
 * Fields, by kind:
 *	CONF_TEXT       char *, owned, never NULL once parsed
 *	CONF_PATH       char *, absolute, or empty where the fallback is
 *	CONF_PATHS      struct conf_words, each absolute
 *	CONF_LIST       char *: names without blanks, joined by commas; written with either
 *	CONF_BOOL       bool: on or off
 *	CONF_NUMBER     uint32_t
 *	CONF_SIZE       uint64_t, bytes (units.h)
 *	CONF_DURATION   uint64_t, milliseconds (units.h)
 *	CONF_ADDRESSES  struct conf_addresses
 *	CONF_CHOICE     int: the index in `words`
 */
#ifndef DROPKEEP_CONF_H
#define DROPKEEP_CONF_H

#include <stdbool.h>

#include "base/address.h"
#include "base/buf.h"

enum { CONF_FILE_MAX = 1 << 20 };

/* inih has 200 bytes for a line with its end (INI_MAX_LINE as all distributions build it). */
enum { CONF_LINE_MAX = 197 };

enum conf_kind {
	CONF_TEXT,
	CONF_PATH,
	CONF_PATHS,
	CONF_LIST,
	CONF_BOOL,
	CONF_NUMBER,
	CONF_SIZE,
	CONF_DURATION,
	CONF_ADDRESSES,
	CONF_CHOICE,
};

struct conf_words {
	char **at;
	size_t count;
};

struct conf_addresses {
	struct address *at;
	size_t count;
};

struct conf_row {
	const char *section, *key;
	enum conf_kind kind;
	size_t offset;            /* of the field */
	const char *fallback;     /* the value where the file has none, as it would stand there */
	uint64_t min, max;        /* numbers, sizes and times; max 0: no bounds */
	const char *const *words; /* choices, NULL-terminated; for numbers: a word that means 0 */
	bool restart;             /* a change counts only after a restart */
};

struct conf_table {
	const struct conf_row *rows;
	size_t count;
	size_t size; /* of the struct */
};

/* Fill a struct whose fields are zero. On failure it is emptied again. `name` stands for the
 * file in error sentences. conf_load() reads the file, of at most CONF_FILE_MAX bytes. */
MUST_USE int conf_parse(struct view content, const char *name, const struct conf_table *table,
			void *target);
MUST_USE int conf_load(const char *path, const struct conf_table *table, void *target);

/* Free what the fields own and zero them. */
void conf_done(const struct conf_table *table, void *target);

/* Whether the field of this row has the same value in both. */
bool conf_same(const struct conf_row *row, const void *a, const void *b);

#endif
