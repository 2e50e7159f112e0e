/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"

/* ---- blobs that the pool has in hand ---- */

void blob_pin(struct keep *keep, const uint8_t blob[ID_SIZE], struct blob_pin *pin)
{
	pin->keep = keep;
	memcpy(pin->blob, blob, sizeof pin->blob);
	pin->next = keep->pins;
	keep->pins = pin;
}

void blob_unpin(struct blob_pin *pin)
{
	struct keep *keep = pin->keep;

	if (!keep)
		return;
	for (struct blob_pin **at = &keep->pins; *at; at = &(*at)->next)
		if (*at == pin) {
			*at = pin->next;
			break;
		}
	pin->keep = NULL;
	if (keep->sweep_owed) {
		keep->sweep_owed = false;
		sweep_start(keep);
	}
}

static bool is_pinned(const struct keep *keep, const uint8_t blob[ID_SIZE])
{
	for (const struct blob_pin *pin = keep->pins; pin; pin = pin->next)
		if (memcmp(pin->blob, blob, sizeof pin->blob) == 0)
			return true;
	return false;
}

/* ---- the sweep ---- */

struct sweep {
	struct deed deed;
	uint8_t blob[ID_SIZE];
	bool tried, removed, found;
};

static struct sweep *sweep_of(struct deed *d)
{
	return (struct sweep *)(void *)d;
}

/* The row of a blob that is unlinked goes; the next one is looked up, in order, so that one
 * that stays does not keep the others waiting. */
static int sweep_decide(struct deed *d)
{
	struct sweep *s = sweep_of(d);
	struct keep *keep = d->keep;
	const uint8_t *after = s->tried ? s->blob : NULL;
	int rc = s->removed ? catalog_doomed_remove(keep->catalog, s->blob) : 0;

	if (!rc)
		rc = catalog_doomed_after(keep->catalog, after, s->blob);
	while (!rc && is_pinned(keep, s->blob)) {
		keep->sweep_owed = true;
		rc = catalog_doomed_after(keep->catalog, s->blob, s->blob);
	}
	s->found = rc == 0;
	return rc == E_GONE ? 0 : rc;
}

static int sweep_complete(struct deed *d)
{
	struct sweep *s = sweep_of(d);

	if (!s->found)
		return 0;
	s->tried = true;
	s->removed = blobs_remove(d->keep->blobs, s->blob) == 0;
	if (!s->removed)
		log_failure("a blob that is no longer needed stays for now");
	return 0;
}

static void sweep_finish(struct deed *d);

static const struct deed_row sweep_row = {
    .name = "sweep", .decide = sweep_decide, .complete = sweep_complete, .finish = sweep_finish};

static void sweep_finish(struct deed *d)
{
	struct keep *keep = d->keep;
	struct sweep *s = sweep_of(d);

	if (s->found && d->rc == 0) {
		deeds_submit(keep->deeds, d);
		return;
	}
	free(s);
	keep->sweeping = false;
	if (keep->sweep_again) {
		keep->sweep_again = false;
		sweep_start(keep);
	}
}

void sweep_start(struct keep *keep)
{
	if (keep->sweeping) {
		keep->sweep_again = true;
		return;
	}
	struct sweep *s = mem_new(sizeof *s);
	s->deed.row = &sweep_row;
	keep->sweeping = true;
	deeds_submit(keep->deeds, &s->deed);
}
