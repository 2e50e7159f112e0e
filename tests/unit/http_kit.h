/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_kit: a request's head for tests of what reads its fields, each in memory of exactly its
 * size.
 */
#ifndef DROPKEEP_TESTS_HTTP_KIT_H
#define DROPKEEP_TESTS_HTTP_KIT_H

#include "base_kit.h"

#include "daemon/gate/http_head.h"

struct kit_request {
	struct http_head head;
	unsigned values;
	struct view value[8];
};

static inline void kit_field(struct kit_request *r, const char *name, const char *value)
{
	struct view v = kit_exact(value, strlen(value));

	assert_true(r->values < ARRAY_LEN(r->value));
	r->value[r->values++] = v;
	r->head.field[r->head.fields++] = (struct http_field){view_text(name), v};
}

/* Up to two fields; NULL: none. */
static inline struct kit_request kit_request(const char *name, const char *value, const char *name2,
					     const char *value2)
{
	struct kit_request r = {.head = {.method = METHOD_GET}};

	if (name)
		kit_field(&r, name, value);
	if (name2)
		kit_field(&r, name2, value2);
	return r;
}

static inline void kit_request_done(struct kit_request *r)
{
	for (unsigned i = 0; i < r->values; i++)
		kit_exact_done(&r->value[i]);
}

#endif
