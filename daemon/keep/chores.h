/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chores: the keep's own deeds that only add a record.
 */
#ifndef DROPKEEP_KEEP_CHORES_H
#define DROPKEEP_KEEP_CHORES_H

#include <jansson.h>

struct keep;

/* Record an event of the system in the next tick; then is called after its commit (may be
 * NULL). detail is taken and may be NULL; event is not copied. */
void chore_record(struct keep *keep, const char *event, json_t *detail,
		  void (*then)(struct keep *keep));

/* A tick without anything to decide: lets the catalog note how far the log has come. */
void chore_note(struct keep *keep, void (*then)(struct keep *keep));

#endif
