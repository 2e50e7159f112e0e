/* SPDX-License-Identifier: Apache-2.0 */
#include "client/place.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"

bool name_valid(struct view name)
{
	if (name.len == 0 || name.len > NAME_MAX_BYTES || view_is(name, ".") || view_is(name, ".."))
		return false;
	if (memchr(name.data, '/', name.len) || memchr(name.data, '\0', name.len))
		return false;
	return utf8_valid(name) && !utf8_has_control(name);
}

static bool zone_letter(uint8_t c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return true;
	return !first && (c == '.' || c == '_' || c == '-');
}

bool zone_valid(struct view zone)
{
	if (zone.len == 0 || zone.len > ZONE_MAX_BYTES)
		return false;
	for (size_t i = 0; i < zone.len; i++)
		if (!zone_letter(zone.data[i], i == 0))
			return false;
	return true;
}

bool place_is_meant(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && zone_valid(view_of(text, (size_t)(colon - text)));
}

/* Names between single slashes. */
static bool path_valid(struct view path)
{
	if (path.len > PATH_MAX_BYTES)
		return false;
	while (path.len) {
		const uint8_t *slash = memchr(path.data, '/', path.len);
		size_t len = slash ? (size_t)(slash - path.data) : path.len;

		if (!name_valid(view_of(path.data, len)))
			return false;
		if (slash && len + 1 == path.len)
			return false;
		len += slash != NULL;
		path = view_of(path.data + len, path.len - len);
	}
	return true;
}

int place_parse(const char *text, struct place *ret_place)
{
	const char *colon = strchr(text, ':');
	size_t zone_len = colon ? (size_t)(colon - text) : 0;

	if (!colon || !zone_valid(view_of(text, zone_len)))
		return fail(E_USAGE, "'%s' is not ZONE:PATH", text);
	struct view path = view_text(colon + 1);
	if (path.len && path.data[0] == '/')
		path = view_of(path.data + 1, path.len - 1);
	bool folder = path.len == 0;
	if (path.len && path.data[path.len - 1] == '/') {
		folder = true;
		path.len--;
	}
	if (!path_valid(path))
		return fail(E_USAGE,
			    "'%s' has a name that cannot be (empty, '.', '..', not UTF-8, "
			    "control characters, or too long)",
			    text);
	ret_place->zone = mem_text_n(text, zone_len);
	ret_place->path = mem_text_n(path.data, path.len);
	ret_place->folder = folder;
	return 0;
}

void place_join(const struct place *in, const char *name, bool folder, struct place *ret_place)
{
	struct place made = {.folder = folder};

	if (!in->zone[0]) {
		made.zone = mem_text(name);
		made.path = mem_text("");
		made.folder = true;
	} else {
		made.zone = mem_text(in->zone);
		made.path = mem_printf("%s%s%s", in->path, in->path[0] ? "/" : "", name);
	}
	*ret_place = made;
}

void place_copy(const struct place *from, struct place *ret_place)
{
	*ret_place = (struct place){mem_text(from->zone), mem_text(from->path), from->folder};
}

bool place_parent(const struct place *p, struct place *ret_parent)
{
	const char *slash = strrchr(p->path, '/');

	if (!p->path[0])
		return false;
	ret_parent->zone = mem_text(p->zone);
	ret_parent->path = mem_text_n(p->path, slash ? (size_t)(slash - p->path) : 0);
	ret_parent->folder = true;
	return true;
}

const char *place_name(const struct place *p)
{
	const char *slash = strrchr(p->path, '/');

	if (!p->path[0])
		return p->zone;
	return slash ? slash + 1 : p->path;
}

char *place_text(const struct place *p)
{
	return p->zone[0] ? mem_printf("%s:%s", p->zone, p->path) : mem_text("/");
}

char *place_path(const struct place *p)
{
	return mem_printf("/%s%s%s", p->zone, p->path[0] ? "/" : "", p->path);
}

static bool unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

char *url_encode(const char *text)
{
	size_t len = strlen(text), used = 0;
	char *out = mem_new(len * 3 + 1);

	for (size_t i = 0; i < len; i++) {
		uint8_t c = (uint8_t)text[i];
		if (unreserved(c))
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, 4, "%%%02X", c);
	}
	out[used] = '\0';
	return out;
}

char *place_url(const struct place *p, bool as_folder)
{
	CLEANUP(mem_free) char *path = place_path(p);
	CLEANUP(mem_free) char *encoded = url_encode(path);

	return mem_printf("/files%s%s", encoded, as_folder && strcmp(encoded, "/") != 0 ? "/" : "");
}

void place_done(struct place *p)
{
	mem_free(&p->zone);
	mem_free(&p->path);
}
