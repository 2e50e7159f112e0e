/* SPDX-License-Identifier: Apache-2.0 */
/* pull: files and folders from the server. */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/units.h"
#include "client/download.h"
#include "client/progress.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/stop.h"
#include "client/target.h"
#include "client/tree_remote.h"
#include "client/work.h"

struct pull {
	const struct call *call;
	struct session *s;
	uint64_t jobs;
	struct items all;
	size_t *file; /* which items of all are files */
	size_t files;
	int root; /* the folder that all goes below */
};

static void tell(const struct item *item, const struct download *d)
{
	CLEANUP(mem_free) char *from = place_text(&item->from);
	CLEANUP(mem_free) char *shown = safe_text(from);
	CLEANUP(mem_free) char *to = safe_text(item->to);
	const char *event = d->was_there ? "unchanged" : "fetched";
	char hash[2 * SHA256_SIZE + 1], size[UNITS_TEXT];

	hex_encode(d->hash, SHA256_SIZE, hash);
	size_text(d->size, size);
	if (say_is_json())
		say_json(json_pack("{s:s, s:s, s:s, s:I, s:s, s:b}", "event", event, "from", from,
				   "path", to, "size", (json_int_t)d->size, "sha256", hash,
				   "resumed", (int)d->resumed));
	else
		say_note("%s %s -> %s (%s)%s", event, shown, to, size,
			 d->resumed ? ", resumed" : "");
}

static int fetch(const struct pull *p, struct session *s, const struct item *item,
		 struct download *d)
{
	const char *slash = strrchr(item->to, '/');
	CLEANUP(mem_free)
	char *folder = mem_text_n(item->to, slash ? (size_t)(slash - item->to) : 0);
	int dir = -1;
	int rc = target_folder(p->root, folder, &dir);

	return rc ? rc : download_file(s, d, dir, slash ? slash + 1 : item->to);
}

static int fetch_one(void *arg, struct session *s, size_t i)
{
	const struct pull *p = arg;
	const struct item *item = &p->all.item[p->file[i]];
	struct download d = {.from = &item->from,
			     .size = item->size,
			     .modified_s = item->modified_s,
			     .has_hash = item->has_hash,
			     .replace = call_has(p->call, OPT_FORCE)};
	CLEANUP(mem_free) char *name = safe_text(item->to);

	memcpy(d.hash, item->hash, sizeof d.hash);
	progress_name(name);
	int rc = fetch(p, s, item, &d);
	if (!rc)
		tell(item, &d);
	return rc ? fail(rc, "%s:%s", item->from.zone, item->from.path) : 0;
}

static int make_folders(const struct pull *p)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < p->all.count; i++) {
		CLEANUP(sys_close) int dir = -1;
		if (p->all.item[i].folder)
			rc = target_folder(p->root, p->all.item[i].to, &dir);
	}
	return rc;
}

static int fetch_all(struct pull *p)
{
	int rc = make_folders(p);

	if (rc)
		return rc;
	p->file = mem_new((p->all.count + 1) * sizeof *p->file);
	for (size_t i = 0; i < p->all.count; i++)
		if (!p->all.item[i].folder)
			p->file[p->files++] = i;
	const struct work w = {p->files, fetch_one, p};
	progress_begin(p->all.files, p->all.bytes);
	rc = work_run(&w, p->s, p->jobs);
	if (rc && stop_wanted())
		say_note("Interrupted. The same command goes on where this one stopped.");
	return rc;
}

/* --- where to ------------------------------------------------------------------------------ */

static int collect(struct pull *p, size_t sources)
{
	const struct tree_options o = {call_has(p->call, OPT_RECURSIVE), p->call->exclude,
				       p->call->excludes};
	int rc = 0;

	for (size_t i = 0; !rc && i < sources; i++) {
		CLEANUP(place_done) struct place from = {0};
		rc = place_parse(p->call->operand[i], &from);
		if (!rc)
			rc = tree_remote_add(p->s, &from, &o, &p->all);
	}
	return rc;
}

static int by_target(const void *a, const void *b)
{
	const struct item *one = *(const struct item *const *)a;
	const struct item *other = *(const struct item *const *)b;

	return strcmp(one->to, other->to);
}

/* Two that would be written to the same file: the second would destroy the first. */
static int check_names(const struct pull *p)
{
	CLEANUP(mem_free)
	const struct item **sorted = mem_new((p->all.count + 1) * sizeof *sorted);

	for (size_t i = 0; i < p->all.count; i++)
		sorted[i] = &p->all.item[i];
	qsort(sorted, p->all.count, sizeof *sorted, by_target);
	for (size_t i = 1; i < p->all.count; i++)
		if (by_target(&sorted[i - 1], &sorted[i]) == 0)
			return fail(E_USAGE,
				    "two of these would become '%s': fetch them one by one with -o",
				    sorted[i]->to);
	return 0;
}

static int into_folder(struct pull *p, size_t sources, const char *folder)
{
	int rc = sys_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, &p->root);

	if (rc)
		return fail(rc == E_GONE ? E_GONE : E_NOT_DIR, "the folder to fetch into");
	rc = collect(p, sources);
	if (!rc)
		rc = check_names(p);
	return rc ? rc : fetch_all(p);
}

/* -o: one file, under another name. */
static int into_file(struct pull *p, const char *file)
{
	const char *slash = strrchr(file, '/');
	CLEANUP(mem_free)
	char *folder = slash ? mem_text_n(file, (size_t)(slash - file) + 1) : mem_text(".");
	const char *name = slash ? slash + 1 : file;

	if (!name_valid(view_text(name)))
		return fail(E_USAGE, "-o wants the name of a file");
	int rc = sys_open(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0, &p->root);
	if (!rc)
		rc = collect(p, 1);
	if (!rc && (p->all.count != 1 || p->all.item[0].folder))
		rc = fail(E_USAGE, "-o is for one file");
	if (rc)
		return rc;
	mem_free(&p->all.item[0].to);
	p->all.item[0].to = mem_text(name);
	return fetch_all(p);
}

/* One after the other, as one piece of work: what comes behind one that failed is not wanted. */
static int fetch_to_stdout(void *arg, struct session *s, size_t nothing)
{
	const struct pull *p = arg;
	int rc = 0;

	(void)nothing;
	for (size_t i = 0; !rc && i < p->all.count; i++) {
		const struct item *item = &p->all.item[i];
		CLEANUP(mem_free) char *name = safe_text(item->to);
		struct download d = {
		    .from = &item->from, .size = item->size, .has_hash = item->has_hash};
		memcpy(d.hash, item->hash, sizeof d.hash);
		progress_name(name);
		if (i)
			progress_file_done();
		rc = download_stream(s, &d, STDOUT_FILENO);
	}
	return rc;
}

static int into_stdout(struct pull *p, size_t sources)
{
	const struct work w = {1, fetch_to_stdout, p};
	int rc = collect(p, sources);

	if (!rc && p->all.files != p->all.count)
		rc = fail(E_USAGE, "a folder cannot be written to standard output");
	if (!rc && say_is_json())
		rc = fail(E_USAGE, "standard output is for the file: --json does not go with it");
	if (rc)
		return rc;
	/* No line is drawn into what is shown on the same terminal. */
	if (isatty(STDOUT_FILENO))
		return fetch_to_stdout(p, p->s, 0);
	progress_begin(p->all.files, p->all.bytes);
	rc = work_run(&w, p->s, 1);
	if (rc && stop_wanted())
		say_note("Interrupted. What came is not the whole file.");
	return rc;
}

static int pull(struct pull *p)
{
	const char *output = p->call->option[OPT_OUTPUT];
	size_t n = p->call->operands;
	const char *last = p->call->operand[n - 1];
	bool dash = strcmp(last, "-") == 0;

	if (output && (n != 1 || dash))
		return fail(E_USAGE, "-o is for one file");
	if (output && strcmp(output, "-") != 0)
		return into_file(p, output);
	if (output)
		return into_stdout(p, n);
	if (n > 1 && dash)
		return into_stdout(p, n - 1);
	if (n > 1 && !place_is_meant(last))
		return into_folder(p, n - 1, last);
	return into_folder(p, n, ".");
}

int run_pull(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	struct pull p = {.call = call, .root = -1};
	int rc = work_jobs(call, &p.jobs);

	if (!rc)
		rc = session_open(call, p.jobs, &s);
	p.s = s;
	target_setup();
	if (!rc)
		rc = pull(&p);
	items_done(&p.all);
	mem_free(&p.file);
	sys_close(&p.root);
	return rc;
}
