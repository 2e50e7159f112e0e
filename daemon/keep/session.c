/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/session.h"

#include <assert.h>
#include <stdlib.h>

#include "daemon/keep/gate_link.h"

void view_to_text(struct view v, char *ret_text, size_t size)
{
	size_t n = v.len < size - 1 ? v.len : size - 1;

	for (size_t i = 0; i < n; i++)
		ret_text[i] = v.data[i] >= 0x20 && v.data[i] < 0x7f ? (char)v.data[i] : '?';
	ret_text[n] = '\0';
}

struct put *sessions_put_of_upload(const struct sessions *s, uint64_t upload)
{
	size_t cursor = 0;
	struct put *p;

	while ((p = slots_next(&s->uploads, &cursor)))
		if (p->upload == upload && !p->revoked)
			return p;
	return NULL;
}

int session_add(struct sessions *s, struct session *session)
{
	int rc = slots_add(&s->sessions, session, &session->number);

	if (!rc)
		session->gate->sessions++;
	return rc;
}

void session_free(struct sessions *s, struct session *session)
{
	slots_remove(&s->sessions, session->number);
	session->gate->sessions--;
	free(session);
}

void put_promise(struct sessions *s, struct put *p, uint64_t granted, uint64_t stored)
{
	assert(s->promised >= p->granted - p->stored);
	s->promised -= p->granted - p->stored;
	p->granted = granted;
	p->stored = stored < granted ? stored : granted;
	s->promised += p->granted - p->stored;
}

/* Its session may be gone before a put or get. */
static void count_handle(const struct sessions *s, uint64_t session, bool more)
{
	struct session *owner = slots_find(&s->sessions, session);

	if (!owner)
		return;
	assert(more || owner->handles);
	owner->handles = more ? owner->handles + 1 : owner->handles - 1;
}

int put_add(struct sessions *s, struct put *p)
{
	int rc = slots_add(&s->uploads, p, &p->number);

	if (!rc) {
		p->gate->uploads++;
		count_handle(s, p->session, true);
	}
	return rc;
}

int get_add(struct sessions *s, struct get *g)
{
	int rc = slots_add(&s->downloads, g, &g->number);

	if (!rc) {
		g->gate->downloads++;
		count_handle(s, g->session, true);
	}
	return rc;
}

void put_free(struct sessions *s, struct put *p)
{
	assert(!p->waiting);
	put_promise(s, p, 0, 0);
	slots_remove(&s->uploads, p->number);
	p->gate->uploads--;
	count_handle(s, p->session, false);
	zone_keys_unref(&p->zone_keys);
	secret_free(&p->file_key);
	free(p);
}

void get_take(struct sessions *s, struct get *g)
{
	slots_remove(&s->downloads, g->number);
	g->gate->downloads--;
	count_handle(s, g->session, false);
}

void get_free(struct sessions *s, struct get *g)
{
	get_take(s, g);
	free(g);
}
