/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be asked for by HTTPS, and who answers (doc/PROTOCOL.https.md). */
#include <stdio.h>

#include "base/mem.h"
#include "daemon/gate/http_handlers.h"
#include "daemon/gate/http_inside.h"

static const struct route routes[] = {
    {"/healthz", false, METHOD_GET | METHOD_HEAD, ROUTE_OPEN, &http_health},
    {"/enroll/", false, METHOD_POST, ROUTE_KNOCK, &http_enroll},
    {"/account", false, METHOD_GET | METHOD_HEAD, ROUTE_SESSION, &http_account},
    {"/receipts/", false, METHOD_GET | METHOD_HEAD, ROUTE_SESSION, &http_receipt},
};

static bool begins_with(struct view path, const char *prefix)
{
	size_t len = strlen(prefix);

	return path.len >= len && memcmp(path.data, prefix, len) == 0;
}

static bool fits(const struct route *r, struct view path)
{
	size_t len = strlen(r->prefix);

	return begins_with(path, r->prefix) &&
	       (r->prefix[len - 1] == '/' ? path.len > len || r->bare : path.len == len);
}

const struct route *route_find(struct view path, struct view *ret_rest)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		const struct route *r = &routes[i];
		size_t len = strlen(r->prefix);
		if (!fits(r, path))
			continue;
		*ret_rest = view_of(path.data + len, path.len - len);
		return r;
	}
	return NULL;
}

void route_allow(const struct route *r, char text[ROUTE_ALLOW])
{
	static const struct {
		enum http_method method;
		const char *name;
	} names[] = {
	    {METHOD_GET, "GET"},   {METHOD_HEAD, "HEAD"},   {METHOD_PUT, "PUT"},
	    {METHOD_POST, "POST"}, {METHOD_PATCH, "PATCH"}, {METHOD_DELETE, "DELETE"},
	    {METHOD_MOVE, "MOVE"},
	};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (r->methods & names[i].method)
			len +=
			    (size_t)snprintf(text + len, ROUTE_ALLOW - len, "%s, ", names[i].name);
	(void)snprintf(text + len, ROUTE_ALLOW - len, "OPTIONS");
}
