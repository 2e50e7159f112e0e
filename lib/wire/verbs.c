/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/verbs.h"

#include <stddef.h>

static const struct verb_row rows[] = {
#define VERB(number, NAME, name, phase, fds) {number, phase, fds, #name},
    WIRE_ASKS(VERB)
#undef VERB
};

enum { ROWS = sizeof rows / sizeof *rows };

const struct verb_row *verb_row_at(unsigned i)
{
	return i < ROWS ? &rows[i] : NULL;
}

const struct verb_row *verb_find(uint16_t number)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}
