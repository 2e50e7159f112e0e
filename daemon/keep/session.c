/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/session.h"

#include <assert.h>
#include <stdlib.h>

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

void session_free(struct sessions *s, struct session *session)
{
	slots_remove(&s->sessions, session->number);
	free(session);
}

void put_free(struct sessions *s, struct put *p)
{
	assert(!p->waiting);
	slots_remove(&s->uploads, p->number);
	zone_keys_unref(&p->zone_keys);
	secret_free(&p->file_key);
	free(p);
}

void get_free(struct sessions *s, struct get *g)
{
	slots_remove(&s->downloads, g->number);
	free(g);
}
