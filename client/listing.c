/* SPDX-License-Identifier: Apache-2.0 */
#include "client/listing.h"

#include <jansson.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "client/place.h"

int moment_parse(const char *text, int64_t *ret_seconds)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (!end || strcmp(end, "Z") != 0)
		return fail(E_PROTOCOL, "a time that is none");
	*ret_seconds = timegm(&tm);
	return 0;
}

static int type_of(const char *text, int *ret_type)
{
	static const char *const words[] = {
	    [ENTRY_FILE] = "file", [ENTRY_FOLDER] = "folder", [ENTRY_PARTIAL] = "partial"};

	for (size_t i = 0; text && i < ARRAY_LEN(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*ret_type = (int)i;
			return 0;
		}
	return fail(E_PROTOCOL, "an entry of a listing is neither file nor folder");
}

static char *text_of(json_t *from, const char *member)
{
	const char *text = json_string_value(json_object_get(from, member));

	return mem_text(text ? text : "");
}

static int read_details(json_t *from, struct entry *e)
{
	json_t *size = json_object_get(from, "size");
	const char *modified = json_string_value(json_object_get(from, "modified"));
	const char *hash = json_string_value(json_object_get(from, "sha256"));
	int rc = 0;

	if (e->type != ENTRY_FOLDER && (!json_is_integer(size) || json_integer_value(size) < 0))
		return fail(E_PROTOCOL, "a listing has a file without a size");
	e->size = e->type == ENTRY_FOLDER ? 0 : (uint64_t)json_integer_value(size);
	if (modified)
		rc = moment_parse(modified, &e->modified_s);
	if (!rc && hash) {
		e->has_hash = true;
		rc = hex_decode(view_text(hash), e->hash, SHA256_SIZE);
	}
	return rc ? fail(E_PROTOCOL, "an entry of a listing is malformed") : 0;
}

static int read_entry(json_t *from, struct entry *e)
{
	json_t *name = json_object_get(from, "name");
	struct view text = json_is_string(name)
			       ? view_of(json_string_value(name), json_string_length(name))
			       : view_of("", 0);
	int rc = type_of(json_string_value(json_object_get(from, "type")), &e->type);

	if (!rc && !name_valid(text))
		rc = fail(E_PROTOCOL, "the server lists a name that no file can have");
	if (rc)
		return rc;
	e->name = mem_text_n(text.data, text.len);
	e->owner = text_of(from, "owner");
	e->rights = text_of(from, "rights");
	return read_details(from, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int read_entries(json_t *entries, struct listing *l)
{
	size_t n = json_array_size(entries);

	if (!json_is_array(entries))
		return fail(E_PROTOCOL, "what came is no listing");
	l->entry = mem_try((n + 1) * sizeof *l->entry);
	if (!l->entry)
		return fail(E_NOMEM, "no memory for a listing");
	for (size_t i = 0; i < n; i++) {
		l->count = i + 1;
		int rc = read_entry(json_array_get(entries, i), &l->entry[i]);
		if (rc)
			return rc;
	}
	qsort(l->entry, n, sizeof *l->entry, by_name);
	for (size_t i = 1; i < n; i++)
		if (strcmp(l->entry[i - 1].name, l->entry[i].name) == 0)
			return fail(E_PROTOCOL, "the server lists the same name twice");
	return 0;
}

int listing_parse(struct view json, struct listing *ret_listing)
{
	CLEANUP(listing_done) struct listing l = {0};
	json_t *root = json_loadb((const char *)json.data, json.len,
				  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	int rc = read_entries(json_object_get(root, "entries"), &l);

	json_decref(root);
	if (!rc) {
		*ret_listing = l;
		l = (struct listing){0};
	}
	return rc;
}

const struct entry *listing_find(const struct listing *l, const char *name)
{
	struct entry key = {.name = (char *)(uintptr_t)name};

	return l->count ? bsearch(&key, l->entry, l->count, sizeof *l->entry, by_name) : NULL;
}

void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		mem_free(&l->entry[i].name);
		mem_free(&l->entry[i].owner);
		mem_free(&l->entry[i].rights);
	}
	mem_free(&l->entry);
	l->count = 0;
}
