/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf_value: one value of a configuration: text in, typed field out. For conf.c alone;
 * conf_done() and conf_same() of conf.h are here too.
 */
#ifndef DROPKEEP_CONF_VALUE_H
#define DROPKEEP_CONF_VALUE_H

#include "base/conf.h"

/* E_INVALID with a sentence about the value; the field (zero before) stays zero then. */
MUST_USE int conf_set(const struct conf_row *row, struct view text, void *target);

/* Whether values of this kind are lists, which may go on in further lines. */
bool conf_is_list(enum conf_kind kind);

#endif
