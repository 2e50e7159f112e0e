/* SPDX-License-Identifier: Apache-2.0 */
/* A gate has ended: its sessions, uploads and downloads end with it, in one transaction. */
#include "daemon/keep/puts.h"

#include <stdlib.h>

#include "base/mem.h"

static const char the_gate_ended[] = "the gate ended";

struct loss {
	struct deed deed;
	struct gate *gate;
};

static struct gate *gate_of(struct deed *d)
{
	return ((struct loss *)(void *)d)->gate;
}

static int loss_decide(struct deed *d)
{
	struct keep *keep = d->keep;
	const struct gate *gate = gate_of(d);
	const struct session *s;
	struct put *p;
	const struct get *g;
	size_t cursor = 0;
	int rc = 0;

	while (!rc && (p = slots_next(&keep->sessions.uploads, &cursor)))
		if (p->gate == gate && !p->over && !p->revoked)
			rc = put_lose(keep, p, "upload.suspend", E_AGAIN, the_gate_ended);
	cursor = 0;
	while (!rc && (g = slots_next(&keep->sessions.downloads, &cursor)))
		if (g->gate == gate && !g->over)
			rc = get_record_end(keep, g, E_AGAIN, 0, view_of(NULL, 0));
	cursor = 0;
	while (!rc && (s = slots_next(&keep->sessions.sessions, &cursor)))
		if (s->gate == gate && !s->over)
			rc = session_record_end(keep, s, the_gate_ended);
	return rc;
}

static void loss_settle(struct deed *d)
{
	struct sessions *all = &d->keep->sessions;
	const struct gate *gate = gate_of(d);
	struct session *s;
	struct put *p;
	struct get *g;
	size_t cursor = 0;

	while ((p = slots_next(&all->uploads, &cursor)))
		if (p->gate == gate) {
			puts_wake(d->keep, p);
			put_free(all, p);
		}
	cursor = 0;
	while ((g = slots_next(&all->downloads, &cursor)))
		if (g->gate == gate)
			get_free(all, g);
	cursor = 0;
	while ((s = slots_next(&all->sessions, &cursor)))
		if (s->gate == gate)
			session_free(all, s);
}

static void loss_finish(struct deed *d)
{
	struct gate *g = gate_of(d);

	if (d->rc)
		keep_die(d->keep, "write down what a gate left behind");
	sweep_start(d->keep);
	gate_unref(g);
	free(d);
}

static const struct deed_row loss_row = {
    .name = "gate_lost", .decide = loss_decide, .settle = loss_settle, .finish = loss_finish};

void gate_lost(struct gate *g)
{
	struct loss *l = mem_new(sizeof *l);

	l->deed.row = &loss_row;
	l->gate = g;
	gate_ref(g);
	deeds_submit(g->keep->deeds, &l->deed);
}
