/* SPDX-License-Identifier: Apache-2.0 */
#include "client/tree_remote.h"

#include <fnmatch.h>

#include "base/mem.h"
#include "client/stop.h"
#include "client/tree_local.h"

enum { DEEPEST = 100, MOST = 10000000 };

struct walk {
	struct session *s;
	const struct tree_options *o;
	struct items *into;
	unsigned depth;
};

static int push_item(struct items *into, const struct place *from, const char *to,
		     const struct entry *e)
{
	if (into->count == into->room) {
		size_t room = into->room ? into->room * 2 : 64;
		struct item *larger = room > MOST ? NULL : mem_try(room * sizeof *larger);
		if (!larger)
			return fail(E_LIMIT, "the server lists more files than can be held");
		if (into->count)
			memcpy(larger, into->item, into->count * sizeof *larger);
		mem_free(&into->item);
		into->item = larger;
		into->room = room;
	}
	struct item *one = &into->item[into->count++];
	*one = (struct item){.to = mem_text(to),
			     .folder = e->type == ENTRY_FOLDER,
			     .size = e->size,
			     .modified_s = e->modified_s,
			     .has_hash = e->has_hash};
	memcpy(one->hash, e->hash, sizeof one->hash);
	place_copy(from, &one->from);
	into->files += !one->folder;
	into->bytes += one->size;
	return 0;
}

static int add_entry(struct walk *w, const struct place *at, const char *to, const struct entry *e);

static int add_below(struct walk *w, const struct place *folder, const char *to)
{
	CLEANUP(listing_done) struct listing l = {0};
	int rc = w->depth < DEEPEST ? session_list(w->s, folder, &l)
				    : fail(E_LIMIT, "the server's folders have no end");

	w->depth++;
	for (size_t i = 0; !rc && i < l.count; i++) {
		CLEANUP(place_done) struct place at = {0};
		CLEANUP(mem_free) char *below = mem_printf("%s/%s", to, l.entry[i].name);
		if (glob_any(w->o->exclude, w->o->excludes, l.entry[i].name))
			continue;
		place_join(folder, l.entry[i].name, l.entry[i].type == ENTRY_FOLDER, &at);
		rc = stop_wanted() ? fail(E_AGAIN, "interrupted")
				   : add_entry(w, &at, below, &l.entry[i]);
	}
	w->depth--;
	return rc;
}

static int add_entry(struct walk *w, const struct place *at, const char *to, const struct entry *e)
{
	if (e->type == ENTRY_PARTIAL)
		return 0;
	if (e->type == ENTRY_FOLDER && !w->o->recursive)
		return fail(E_USAGE, "%s:%s is a folder: -r fetches it with all that is in it",
			    at->zone, at->path);
	int rc = push_item(w->into, at, to, e);
	return rc || e->type != ENTRY_FOLDER ? rc : add_below(w, at, to);
}

static bool is_glob(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* A place without globs: asked for as it is, as its folder may not be listed. */
static int add_plain(struct walk *w, const struct place *p)
{
	struct entry e = {.type = ENTRY_FILE};
	CLEANUP(answer_done) struct answer a = {0};
	bool folder = p->folder;
	int rc = folder ? 0 : session_is_folder(w->s, p, &folder);

	if (rc)
		return rc;
	if (folder) {
		e.type = ENTRY_FOLDER;
		return add_entry(w, p, place_name(p), &e);
	}
	rc = session_head(w->s, p, &a);
	if (rc)
		return rc;
	if (!a.has_size || !answer_hash(&a, e.hash))
		return fail(E_PROTOCOL, "the server says neither size nor SHA-256 of a file");
	e.size = a.size;
	e.has_hash = true;
	e.modified_s = a.has_modified ? a.modified_s : 0;
	return add_entry(w, p, place_name(p), &e);
}

/* rest: the names that are still to be matched, in `folder`. */
static int add_matches(struct walk *w, const struct place *folder, const char *rest, size_t *found);

static int add_match(struct walk *w, const struct place *folder, const struct entry *e,
		     const char *more, size_t *found)
{
	CLEANUP(place_done) struct place at = {0};

	place_join(folder, e->name, e->type == ENTRY_FOLDER, &at);
	if (more)
		return e->type == ENTRY_FOLDER ? add_matches(w, &at, more, found) : 0;
	if (e->type == ENTRY_FOLDER && !w->o->recursive)
		return 0;
	++*found;
	return add_entry(w, &at, e->name, e);
}

static int add_matches(struct walk *w, const struct place *folder, const char *rest, size_t *found)
{
	const char *slash = strchr(rest, '/');
	CLEANUP(mem_free)
	char *glob = mem_text_n(rest, slash ? (size_t)(slash - rest) : strlen(rest));
	CLEANUP(listing_done) struct listing l = {0};

	if (slash && !is_glob(glob)) {
		CLEANUP(place_done) struct place at = {0};
		place_join(folder, glob, true, &at);
		return add_matches(w, &at, slash + 1, found);
	}
	int rc = session_list(w->s, folder, &l);
	for (size_t i = 0; !rc && i < l.count; i++)
		if (fnmatch(glob, l.entry[i].name, FNM_PERIOD) == 0)
			rc = add_match(w, folder, &l.entry[i], slash ? slash + 1 : NULL, found);
	return rc;
}

int tree_remote_add(struct session *s, const struct place *p, const struct tree_options *o,
		    struct items *into)
{
	struct walk w = {s, o, into, 0};
	struct place zone = {p->zone, (char[]){""}, true};
	size_t found = 0;

	if (!is_glob(p->path))
		return add_plain(&w, p);
	int rc = add_matches(&w, &zone, p->path, &found);
	if (!rc && !found)
		rc = fail(E_GONE, "nothing matches %s:%s", p->zone, p->path);
	return rc;
}

void items_done(struct items *i)
{
	for (size_t n = 0; n < i->count; n++) {
		mem_free(&i->item[n].to);
		place_done(&i->item[n].from);
	}
	mem_free(&i->item);
	*i = (struct items){0};
}
