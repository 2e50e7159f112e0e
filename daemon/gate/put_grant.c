/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "daemon/gate/put_inside.h"

uint64_t put_durable(const struct put *p, uint64_t chunks)
{
	uint64_t counts = spans_run(&p->present, 0) / CHUNK;

	return (counts < chunks ? counts : chunks) * CHUNK;
}

/* Near the end of a quota the steps become small, so that it can be used to its last byte. */
static void step_down(struct put *p)
{
	p->step = p->step / 4 < CHUNK ? 0 : p->step / 4;
}

static void step_up(struct put *p)
{
	uint64_t step = p->step ? p->step * 2 : CHUNK;

	p->step = step < STEP ? step : STEP;
}

static void granted(struct put *p, uint64_t bytes)
{
	p->reported = p->reporting;
	if (bytes > p->granted)
		p->granted = bytes;
	if (p->granted >= p->needed)
		p->needed = 0;
	if (p->wanted)
		step_up(p);
}

static void refused(struct put *p, int rc, const char *text)
{
	if ((rc == E_QUOTA || rc == E_FULL) && p->wanted > p->needed)
		step_down(p); /* that was for later, perhaps for bytes that never come */
	else
		put_refuse(p, rc, text);
}

static void on_extended(void *arg, const struct answer *a)
{
	struct put *p = arg;
	struct answer_put_extend m;

	p->asking = false;
	if (a->status) {
		CLEANUP(mem_free) char *text = put_sentence(a);
		refused(p, a->status, text);
	} else if (answer_put_extend_read(a->body, &m)) {
		err_clear();
		put_refuse(p, E_PROTOCOL, "the storage gave an answer that makes no sense");
	} else if (p->wanted && m.granted < p->wanted) {
		refused(p, E_QUOTA, err_word(E_QUOTA));
	} else {
		granted(p, m.granted);
	}
	p->wanted = 0;
	put_drive(p);
}

static void ask(struct put *p, uint64_t wanted)
{
	if (wanted > AGE_PLAIN_MAX)
		wanted = AGE_PLAIN_MAX;
	struct ask_put_extend m = {.durable = put_durable(p, p->synced), .wanted = wanted};

	p->asking = true;
	p->wanted = wanted;
	p->reporting = p->synced;
	(void)keeper_ask_put_extend(p->keeper, p->number, &m, on_extended, p);
}

bool put_reserve(struct put *p, uint64_t end)
{
	bool announced = p->declared != SIZE_UNKNOWN && end <= p->declared;

	if (end > p->granted) {
		p->needed = end;
		put_grant(p);
		return false;
	}
	p->needed = 0;
	if (!announced && !p->asking && p->granted - end < p->step / 2)
		ask(p, p->granted + p->step);
	return true;
}

void put_grant(struct put *p)
{
	if (p->asking || p->rc)
		return;
	if (p->needed > p->granted)
		ask(p, p->needed + p->step);
	else if (p->synced > p->reported && !p->end)
		ask(p, 0);
}
