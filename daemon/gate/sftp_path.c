/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/sftp_path.h"

static int add_component(struct path *p, struct view name)
{
	if (name.len >= PATH_LIMIT - p->len)
		return fail(E_INVALID, "the path is too long");
	p->text[p->len++] = '/';
	memcpy(p->text + p->len, name.data, name.len);
	p->len += name.len;
	return 0;
}

static void drop_component(struct path *p)
{
	while (p->len && p->text[--p->len] != '/')
		;
}

static int add_all(struct path *p, struct view path)
{
	int rc = 0;

	for (size_t at = 0; at < path.len && !rc;) {
		const uint8_t *slash = memchr(path.data + at, '/', path.len - at);
		size_t end = slash ? (size_t)(slash - path.data) : path.len;
		struct view name = view_of(path.data + at, end - at);
		if (view_is(name, ".."))
			drop_component(p);
		else if (name.len && !view_is(name, "."))
			rc = add_component(p, name);
		at = end + 1;
	}
	return rc;
}

int path_resolve(struct view home, struct view path, struct path *ret_path)
{
	struct path p = {0};
	int rc = 0;

	if (path.len && memchr(path.data, '\0', path.len))
		return fail(E_INVALID, "a path with a NUL byte");
	if (!path.len || path.data[0] != '/')
		rc = add_all(&p, home);
	if (!rc)
		rc = add_all(&p, path);
	if (rc)
		return rc;
	if (!p.len)
		p.text[p.len++] = '/';
	p.text[p.len] = '\0';
	*ret_path = p;
	return 0;
}

bool path_is_below(struct view path, struct view dir)
{
	if (path.len < dir.len || !view_equal(view_of(path.data, dir.len), dir))
		return false;
	return path.len == dir.len || view_is(dir, "/") || path.data[dir.len] == '/';
}
