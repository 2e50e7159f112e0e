/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be asked for by HTTPS, and who answers (doc/PROTOCOL.https.md). */
#include <stdio.h>

#include "base/mem.h"
#include "daemon/gate/http_handlers.h"
#include "daemon/gate/http_inside.h"

#define READ (METHOD_GET | METHOD_HEAD)

static const struct route routes[] = {
    {.prefix = "/files/",
     .bare = true,
     .methods = READ | METHOD_PUT | METHOD_DELETE | METHOD_POST | METHOD_MOVE,
     .needs = ROUTE_SESSION,
     .handler = &http_files},
    {.prefix = "/uploads",
     .methods = METHOD_GET | METHOD_POST,
     .needs = ROUTE_SESSION,
     .handler = &http_uploads,
     .tus = true},
    {.prefix = "/uploads/",
     .methods = METHOD_HEAD | METHOD_PATCH | METHOD_DELETE | METHOD_POST,
     .needs = ROUTE_SESSION,
     .handler = &http_upload,
     .tus = true},
    {.prefix = "/receipts/", .methods = READ, .needs = ROUTE_SESSION, .handler = &http_receipt},
    {.prefix = "/account", .methods = READ, .needs = ROUTE_SESSION, .handler = &http_account},
    {.prefix = "/enroll/", .methods = METHOD_POST, .needs = ROUTE_KNOCK, .handler = &http_enroll},
    {.prefix = "/log/checkpoint", .methods = READ, .needs = ROUTE_SESSION, .handler = &http_log},
    {.prefix = "/log/tile/", .methods = READ, .needs = ROUTE_SESSION, .handler = &http_log},
    {.prefix = "/log/records", .methods = READ, .needs = ROUTE_SESSION, .handler = &http_records},
    {.prefix = "/healthz", .methods = READ, .needs = ROUTE_OPEN, .handler = &http_health},
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
