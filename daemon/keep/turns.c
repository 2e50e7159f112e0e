/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/turns.h"

#include "daemon/keep/deeds.h"

bool turns_take(struct turns *t, struct deed *d)
{
	if (!t->holder)
		t->holder = d;
	if (t->holder == d)
		return true;
	if (!t->first)
		t->last = &t->first;
	d->next = NULL;
	*t->last = d;
	t->last = &d->next;
	return false;
}

void turns_leave(struct turns *t, struct deeds *q, struct deed *d)
{
	struct deed *next = t->first;

	if (t->holder != d)
		return;
	t->holder = next;
	if (!next)
		return;
	t->first = next->next;
	next->next = NULL;
	deeds_restart(q, next);
}
