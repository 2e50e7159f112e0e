/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "daemon/gate/put_inside.h"

static int place(struct put *p, const struct answer *a)
{
	struct answer_put_store m;
	int rc = answer_put_store_read(a->body, &m);

	if (!rc && a->fd_count < 1)
		rc = fail(E_PROTOCOL, "a blob came without its descriptor");
	return rc ? rc : payload_place(&p->blob, &a->fds[0], m.blob_offset);
}

/* Without a blob nothing of it can be kept: all that it has is in slots. */
static void on_stored(void *arg, const struct answer *a)
{
	struct put *p = arg;
	int rc = 0;

	p->asking = false;
	if (a->status) {
		CLEANUP(mem_free) char *text = put_sentence(a);
		put_refuse(p, a->status, text);
	} else {
		rc = place(p, a);
		if (rc)
			put_failed(p, rc);
	}
	p->bare = p->spoilt = a->status || rc;
	put_drive(p);
}

bool put_wants_blob(const struct put *p)
{
	bool leaves = p->end == END_LEAVE || p->end == END_PARTIAL;

	return p->bare && !p->spoilt && leaves && spans_run(&p->present, 0) > 0;
}

void put_ask_store(struct put *p)
{
	struct ask_put_store nothing;

	assert(p->bare && !p->spoilt);
	if (p->asking)
		return; /* what it waits for will drive it here again */
	p->asking = true;
	(void)keeper_ask_put_store(p->keeper, p->number, &nothing, on_stored, p);
}
