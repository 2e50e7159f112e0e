/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/access.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/catalog.h"
#include "wire/messages.h"

/* In the order of their bits. */
static const char letters_of_rights[] = "lrwodma";

/* ---- paths ---- */

static int check_name(struct view name)
{
	if (name.len == 0)
		return fail(E_INVALID, "a path with an empty name in it");
	if (name.len > NAME_BYTES_MAX)
		return fail(E_INVALID, "a name of more than %d bytes", NAME_BYTES_MAX);
	if (view_is(name, ".") || view_is(name, ".."))
		return fail(E_INVALID, "'.' and '..' are no names");
	if (!utf8_valid(name))
		return fail(E_INVALID, "a name that is not valid UTF-8");
	if (utf8_has_control(name))
		return fail(E_INVALID, "a name with a control character in it");
	return 0;
}

/* The name up to the next slash; at moves behind that slash, *ret_last says there was none. */
static struct view take_name(struct view *at, bool *ret_last)
{
	const uint8_t *slash = at->len ? memchr(at->data, '/', at->len) : NULL;
	struct view name = view_of(at->data, slash ? (size_t)(slash - at->data) : at->len);

	*ret_last = !slash;
	if (slash)
		*at = view_of(slash + 1, at->len - name.len - 1);
	return name;
}

int path_parse(struct view text, struct path *ret_path)
{
	struct path p = {.depth = 0};
	bool last = false;

	if (text.len == 0 || text.data[0] != '/')
		return fail(E_INVALID, "a path that does not begin with '/'");
	if (text.len > PATH_BYTES_MAX)
		return fail(E_INVALID, "a path of more than %d bytes", PATH_BYTES_MAX);

	struct view at = view_of(text.data + 1, text.len - 1);
	for (unsigned n = 0; at.len && !last; n++) {
		struct view name = take_name(&at, &last);
		int rc = check_name(name);
		if (rc)
			return rc;
		if (n > PATH_DEPTH_MAX)
			return fail(E_INVALID, "a path of more than %d folders", PATH_DEPTH_MAX);
		if (n == 0)
			p.zone = name;
		else
			p.name[p.depth++] = name;
	}
	if (p.zone.len && !last)
		return fail(E_INVALID, "a path with an empty name in it"); /* a slash at its end */
	*ret_path = p;
	return 0;
}

bool path_is_reserved(struct view name)
{
	return view_is(name, ".receipts");
}

static bool is_small_alnum(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool account_name_valid(struct view name)
{
	if (name.len == 0 || name.len > ACCOUNT_MAX || !is_small_alnum(name.data[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!is_small_alnum(name.data[i]) && !memchr("._-", name.data[i], 3))
			return false;
	return true;
}

/* ---- grants ---- */

void access_done(struct access *a)
{
	for (size_t i = 0; i < a->count; i++)
		free(a->grants[i].prefix);
	free(a->grants);
	*a = (struct access){0};
}

/* How the first `depth` names of p stand to a prefix. */
struct standing {
	bool covered; /* the prefix is an ancestor of the path, or the path itself */
	bool leads;   /* the path is an ancestor of the prefix, or the prefix itself */
};

static struct standing compare(const char *prefix, const struct path *p, unsigned depth)
{
	struct view at = view_text(prefix);
	bool last = at.len == 0;
	unsigned n = 0;

	while (!last && n < depth)
		if (!view_equal(take_name(&at, &last), p->name[n++]))
			return (struct standing){0};
	return (struct standing){.covered = last, .leads = n == depth};
}

static bool concerns(const struct grant *g, uint64_t zone)
{
	return g->zone == 0 || g->zone == zone;
}

uint8_t access_rights(const struct access *a, uint64_t zone, const struct path *p, unsigned depth)
{
	unsigned rights = 0;

	for (size_t i = 0; i < a->count; i++)
		if (concerns(&a->grants[i], zone) && compare(a->grants[i].prefix, p, depth).covered)
			rights |= a->grants[i].rights;
	return (uint8_t)rights;
}

bool access_audits(const struct access *a, uint64_t zone)
{
	static const struct path top;

	/* Zones count from 1: only a grant on all of them concerns number 0. */
	return access_rights(a, zone, &top, 0) & RIGHT_AUDIT;
}

bool access_leads(const struct access *a, uint64_t zone, const struct path *p, unsigned depth)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct grant *g = &a->grants[i];
		if (concerns(g, zone) && (g->rights & ~(unsigned)RIGHT_AUDIT) &&
		    compare(g->prefix, p, depth).leads)
			return true;
	}
	return false;
}

/* ---- letters ---- */

int rights_parse(const char *letters, uint8_t *ret_rights)
{
	unsigned rights = 0;

	if (!*letters)
		return fail(E_INVALID, "no rights; they are letters out of '%s'",
			    letters_of_rights);
	for (; *letters; letters++) {
		const char *found = strchr(letters_of_rights, *letters);
		if (!found)
			return fail(E_INVALID, "'%c' is no right; they are letters out of '%s'",
				    *letters, letters_of_rights);
		unsigned bit = 1u << (found - letters_of_rights);
		if (rights & bit)
			return fail(E_INVALID, "right '%c' is there twice", *letters);
		rights |= bit;
	}
	*ret_rights = (uint8_t)rights;
	return 0;
}

void rights_text(uint8_t rights, char ret_letters[8])
{
	for (unsigned i = 0; letters_of_rights[i]; i++)
		if (rights & 1u << i)
			*ret_letters++ = letters_of_rights[i];
	*ret_letters = '\0';
}
