/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/chores.h"

#include <stdlib.h>

#include "base/mem.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"

struct chore {
	struct deed deed;
	const char *event; /* NULL: nothing to record */
	json_t *detail;
	void (*then)(struct keep *keep);
};

static int decide(struct deed *d)
{
	struct chore *c = (struct chore *)(void *)d;

	if (!c->event)
		return 0;
	struct event e =
	    EVENT(.name = c->event, .actor = "system", .detailed = c->detail, .detail = c->detail);
	c->detail = NULL;
	return audit_add(d->keep->audit, &e);
}

static void finish(struct deed *d)
{
	struct chore *c = (struct chore *)(void *)d;
	struct keep *keep = d->keep;
	void (*then)(struct keep *) = c->then;

	if (d->rc)
		keep_die(keep, "record what the system did");
	free(c);
	if (then)
		then(keep);
}

static const struct deed_row row = {.name = "chore", .decide = decide, .finish = finish};

void chore_record(struct keep *keep, const char *event, json_t *detail,
		  void (*then)(struct keep *keep))
{
	struct chore *c = mem_new(sizeof *c);

	c->deed.row = &row;
	c->event = event;
	c->detail = detail;
	c->then = then;
	deeds_submit(keep->deeds, &c->deed);
}

void chore_note(struct keep *keep, void (*then)(struct keep *keep))
{
	chore_record(keep, NULL, NULL, then);
}
