/* SPDX-License-Identifier: Apache-2.0 */
/* rm, mv and mkdir. */
#include "base/mem.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/session.h"
#include "client/stop.h"

enum { DEEPEST = 100 };

static void tell(const char *event, const struct place *p, const struct place *to)
{
	CLEANUP(mem_free) char *path = place_text(p);
	CLEANUP(mem_free) char *target = to ? place_text(to) : NULL;
	CLEANUP(mem_free) char *shown = safe_text(path);
	CLEANUP(mem_free) char *shown_target = safe_text(target ? target : "");

	if (say_is_json())
		say_json(json_pack("{s:s, s:s, s:s?}", "event", event, "path", path, "to", target));
	else
		say_note("%s %s%s%s", event, shown, to ? " -> " : "", shown_target);
}

/* --- rm --------------------------------------------------------------------------------- */

static int remove_below(struct session *s, const struct place *folder, unsigned depth);

static int remove_one(struct session *s, const struct place *p, bool folder, unsigned depth)
{
	int rc = folder ? remove_below(s, p, depth) : 0;

	if (!rc && stop_wanted())
		rc = fail(E_AGAIN, "interrupted");
	if (!rc)
		rc = session_remove(s, p, folder);
	if (!rc)
		tell("removed", p, NULL);
	return rc;
}

/* What was listed and is gone is as it shall be, whoever removed it. An unfinished upload may
 * hide a file, which goes as well. */
static int remove_listed(struct session *s, const struct place *p, int type, unsigned depth)
{
	int rc = remove_one(s, p, type == ENTRY_FOLDER, depth);

	if (!rc && type == ENTRY_PARTIAL)
		rc = session_remove(s, p, false);
	if (rc != E_GONE)
		return rc;
	err_clear();
	return 0;
}

static int remove_below(struct session *s, const struct place *folder, unsigned depth)
{
	CLEANUP(listing_done) struct listing l = {0};
	int rc = depth < DEEPEST ? session_list(s, folder, &l)
				 : fail(E_LIMIT, "the server's folders have no end");

	for (size_t i = 0; !rc && i < l.count; i++) {
		CLEANUP(place_done) struct place at = {0};
		bool is_folder = l.entry[i].type == ENTRY_FOLDER;
		place_join(folder, l.entry[i].name, is_folder, &at);
		rc = remove_listed(s, &at, l.entry[i].type, depth + 1);
	}
	return rc;
}

static int rm(struct session *s, const struct place *p, bool recursive)
{
	bool folder = p->folder;
	int rc = folder ? 0 : session_is_folder(s, p, &folder);

	if (rc)
		return rc;
	if (!p->path[0])
		return fail(E_USAGE, "a zone is not yours to remove: name what is in it");
	if (recursive)
		return remove_one(s, p, folder, 0);
	rc = session_remove_once(s, p, folder);
	if (rc == E_NOT_EMPTY) {
		err_clear();
		return fail(rc, "%s:%s has something in it: -r removes that too", p->zone, p->path);
	}
	if (!rc)
		tell("removed", p, NULL);
	return rc;
}

int run_rm(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	int rc = session_open(call, 1, &s);

	for (size_t i = 0; !rc && i < call->operands; i++) {
		CLEANUP(place_done) struct place p = {0};
		rc = place_parse(call->operand[i], &p);
		if (!rc)
			rc = rm(s, &p, call_has(call, OPT_RECURSIVE));
	}
	return rc;
}

/* --- mv --------------------------------------------------------------------------------- */

/* Into a folder under the same name, or to another name. */
static int target_of(struct session *s, const struct place *from, const struct place *to,
		     struct place *ret_target)
{
	bool into = to->folder;
	int rc = into ? 0 : session_is_folder(s, to, &into);

	if (rc)
		return rc;
	if (into)
		place_join(to, place_name(from), false, ret_target);
	else
		place_copy(to, ret_target);
	return 0;
}

static int mv(const struct call *call, struct session *s, const struct place *from,
	      const struct place *to)
{
	CLEANUP(place_done) struct place target = {0};
	bool folder = from->folder;
	int rc = folder ? 0 : session_is_folder(s, from, &folder);

	if (!rc && !from->path[0])
		rc = fail(E_USAGE, "a zone is not yours to rename");
	if (!rc && strcmp(from->zone, to->zone) != 0)
		rc = fail(E_USAGE, "nothing moves from one zone to another: pull it, then push it");
	if (!rc)
		rc = target_of(s, from, to, &target);
	if (!rc)
		rc = session_move(s, from, &target, folder, call_has(call, OPT_FORCE));
	if (!rc)
		tell("moved", from, &target);
	return rc;
}

int run_mv(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	CLEANUP(place_done) struct place from = {0}, to = {0};
	int rc = place_parse(call->operand[0], &from);

	if (!rc)
		rc = place_parse(call->operand[1], &to);
	if (!rc)
		rc = session_open(call, 1, &s);
	return rc ? rc : mv(call, s, &from, &to);
}

/* --- mkdir ------------------------------------------------------------------------------ */

/* The folders above it first; those that are there are no error. */
static int make_parents(struct session *s, const struct place *p)
{
	CLEANUP(mem_free) char *path = mem_text(p->path);
	int rc = 0;

	for (char *slash = strchr(path, '/'); !rc && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		const struct place above = {p->zone, path, true};
		rc = session_make_folder(s, &above);
		/* The first ones of a path are not ours to make, and are there. */
		if (rc == E_EXISTS || rc == E_DENIED) {
			err_clear();
			rc = 0;
		}
		*slash = '/';
	}
	return rc;
}

int run_mkdir(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	bool parents = call_has(call, OPT_PARENTS);
	int rc = session_open(call, 1, &s);

	for (size_t i = 0; !rc && i < call->operands; i++) {
		CLEANUP(place_done) struct place p = {0};
		rc = place_parse(call->operand[i], &p);
		if (!rc && !p.path[0])
			rc = fail(E_USAGE, "a zone is made by the operator");
		if (!rc && parents)
			rc = make_parents(s, &p);
		if (!rc)
			rc = session_make_folder(s, &p);
		if (rc == E_EXISTS && parents) {
			err_clear();
			rc = 0;
		} else if (!rc)
			tell("made", &p, NULL);
	}
	return rc;
}
