/* SPDX-License-Identifier: Apache-2.0 */
/* ls and stat: what is on the server. */
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/session.h"

enum { DEEPEST = 100, TIME_TEXT = 24 };

/* "2026-11-27T09:03:05Z" for programs, "2026-11-27 09:03" for people. */
static void time_text(int64_t seconds, bool exact, char ret_text[TIME_TEXT])
{
	time_t when = (time_t)seconds;
	struct tm tm = {0};
	size_t len = 0;

	if (seconds && gmtime_r(&when, &tm))
		len = exact ? strftime(ret_text, TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm)
			    : strftime(ret_text, TIME_TEXT, "%Y-%m-%d %H:%M", &tm);
	if (!len)
		memcpy(ret_text, "-", 2);
}

static const char *type_word(int type)
{
	return type == ENTRY_FOLDER ? "folder" : type == ENTRY_PARTIAL ? "partial" : "file";
}

static json_t *entry_json(const struct place *at, const struct entry *e)
{
	CLEANUP(mem_free) char *path = place_text(at);
	char hash[2 * SHA256_SIZE + 1], when[TIME_TEXT];

	hex_encode(e->hash, SHA256_SIZE, hash);
	time_text(e->modified_s, true, when);
	return json_pack("{s:s, s:s, s:s, s:o, s:s?, s:s?, s:s, s:s}", "name", e->name, "path",
			 path, "type", type_word(e->type), "size",
			 e->type == ENTRY_FOLDER ? json_null() : json_integer((json_int_t)e->size),
			 "modified", e->modified_s ? when : NULL, "sha256",
			 e->has_hash ? hash : NULL, "owner", e->owner, "rights", e->rights);
}

static void entry_size(const struct entry *e, bool human, char ret_text[UNITS_TEXT])
{
	if (e->type == ENTRY_FOLDER)
		memcpy(ret_text, "-", 2);
	else if (human)
		size_text(e->size, ret_text);
	else
		(void)snprintf(ret_text, UNITS_TEXT, "%llu", (unsigned long long)e->size);
}

/* shown: the name, or where it is below what was asked for. */
static void show_entry(const struct call *call, const struct place *at, const char *shown,
		       const struct entry *e)
{
	CLEANUP(mem_free) char *name = safe_text(shown);
	CLEANUP(mem_free) char *owner = safe_text(e->owner[0] ? e->owner : "-");
	CLEANUP(mem_free) char *rights = safe_text(e->rights[0] ? e->rights : "-");
	char size[UNITS_TEXT], when[TIME_TEXT];

	if (say_is_json()) {
		say_json(entry_json(at, e));
		return;
	}
	entry_size(e, call_has(call, OPT_HUMAN), size);
	time_text(e->modified_s, false, when);
	const char *mark = e->type == ENTRY_FOLDER    ? "/"
			   : e->type == ENTRY_PARTIAL ? " (unfinished)"
						      : "";
	if (call_has(call, OPT_LONG))
		say_data("%c %-7s %-12s %12s  %-16s  %s%s",
			 e->type == ENTRY_FOLDER    ? 'd'
			 : e->type == ENTRY_PARTIAL ? 'p'
						    : '-',
			 rights, owner, size, when, name, mark);
	else
		say_data("%s%s", name, mark);
}

static int list_folder(const struct call *call, struct session *s, const struct place *folder,
		       const char *below, unsigned depth)
{
	CLEANUP(listing_done) struct listing l = {0};
	int rc = depth < DEEPEST ? session_list(s, folder, &l)
				 : fail(E_LIMIT, "the server's folders have no end");

	for (size_t i = 0; !rc && i < l.count; i++) {
		const struct entry *e = &l.entry[i];
		CLEANUP(place_done) struct place at = {0};
		CLEANUP(mem_free)
		char *shown = mem_printf("%s%s%s", below, below[0] ? "/" : "", e->name);
		place_join(folder, e->name, e->type == ENTRY_FOLDER, &at);
		show_entry(call, &at, shown, e);
		if (e->type == ENTRY_FOLDER && call_has(call, OPT_RECURSIVE))
			rc = list_folder(call, s, &at, shown, depth + 1);
	}
	return rc;
}

static void zones_place(struct place *ret_place)
{
	*ret_place = (struct place){mem_text(""), mem_text(""), true};
}

/* "acme" is "acme:" where only a place can be meant. */
static int any_place(const char *text, struct place *ret_place)
{
	if (!strchr(text, ':') && zone_valid(view_text(text))) {
		*ret_place = (struct place){mem_text(text), mem_text(""), true};
		return 0;
	}
	return place_parse(text, ret_place);
}

/* The entry of a place in its folder's listing; l holds it. */
static int find_entry(struct session *s, const struct place *p, struct listing *l,
		      const struct entry **ret_entry)
{
	CLEANUP(place_done) struct place folder = {0};
	CLEANUP(mem_free) char *text = place_text(p);

	if (!place_parent(p, &folder))
		zones_place(&folder);
	int rc = session_list(s, &folder, l);
	if (rc)
		return rc == E_GONE ? fail(rc, "%s", text) : rc;
	*ret_entry = listing_find(l, place_name(p));
	return *ret_entry ? 0 : fail(E_GONE, "%s: no such file", text);
}

static int list_one(const struct call *call, struct session *s, const char *text)
{
	CLEANUP(place_done) struct place p = {0};
	CLEANUP(listing_done) struct listing l = {0};
	const struct entry *e = NULL;
	int rc = any_place(text, &p);

	if (!rc && !p.folder)
		rc = session_is_folder(s, &p, &p.folder);
	if (rc)
		return rc;
	if (p.folder)
		return list_folder(call, s, &p, "", 0);
	rc = find_entry(s, &p, &l, &e);
	if (!rc)
		show_entry(call, &p, text, e);
	return rc;
}

int run_ls(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	CLEANUP(place_done) struct place zones = {0};
	int rc = session_open(call, 1, &s);

	zones_place(&zones);
	if (!rc && call->operands == 0)
		rc = list_folder(call, s, &zones, "", 0);
	for (size_t i = 0; !rc && i < call->operands; i++) {
		if (call->operands > 1 && !say_is_json()) {
			CLEANUP(mem_free) char *head = safe_text(call->operand[i]);
			say_data("%s%s:", i ? "\n" : "", head);
		}
		rc = list_one(call, s, call->operand[i]);
	}
	return rc;
}

static void show_all(const struct place *p, const struct entry *e)
{
	CLEANUP(mem_free) char *path = place_text(p);
	CLEANUP(mem_free) char *shown = safe_text(path);
	CLEANUP(mem_free) char *owner = safe_text(e->owner);
	CLEANUP(mem_free) char *rights = safe_text(e->rights);
	char hash[2 * SHA256_SIZE + 1], when[TIME_TEXT], size[UNITS_TEXT];

	say_data("path      %s", shown);
	say_data("type      %s", type_word(e->type));
	if (e->type != ENTRY_FOLDER) {
		size_text(e->size, size);
		say_data("size      %llu (%s)", (unsigned long long)e->size, size);
	}
	time_text(e->modified_s, true, when);
	say_data("modified  %s", when);
	say_data("owner     %s", owner);
	say_data("rights    %s", rights);
	hex_encode(e->hash, SHA256_SIZE, hash);
	if (e->has_hash)
		say_data("sha256    %s", hash);
}

static int stat_one(struct session *s, const char *text)
{
	CLEANUP(place_done) struct place p = {0};
	CLEANUP(listing_done) struct listing l = {0};
	const struct entry *e = NULL;
	int rc = any_place(text, &p);

	if (!rc)
		rc = find_entry(s, &p, &l, &e);
	if (rc)
		return rc;
	if (say_is_json())
		say_json(entry_json(&p, e));
	else
		show_all(&p, e);
	return 0;
}

int run_stat(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	int rc = session_open(call, 1, &s);

	for (size_t i = 0; !rc && i < call->operands; i++) {
		if (i && !say_is_json())
			say_data(" ");
		rc = stat_one(s, call->operand[i]);
	}
	return rc;
}
