/* SPDX-License-Identifier: Apache-2.0 */
/* push: files, folders and standard input to the server. */
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "client/journal.h"
#include "client/log_proof.h"
#include "client/progress.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/source.h"
#include "client/stop.h"
#include "client/tree_local.h"
#include "client/upload.h"
#include "client/work.h"

enum { JOURNAL_DAYS = 60 };

/* What is there in the folders that files go to, for --if-changed. */
struct known {
	char *folder; /* its URL */
	struct listing listing;
};

struct push {
	const struct call *call;
	struct session *s;
	uint64_t jobs;
	struct parcels all;
	size_t *file; /* which items of all are files */
	size_t files;
	struct receipt_tree *tree; /* of each file's receipt; of standard input's, one */
	size_t trees;
	struct known *known;
	size_t n_known;
	struct place stdin_to;
};

/* --- where to ---------------------------------------------------------------------------- */

static int no_default(json_t *zones)
{
	CLEANUP(buf_done) struct buf names = {0};
	const char *text = "";
	json_t *zone;
	size_t i;

	json_array_foreach(zones, i, zone)
	{
		const char *name = json_string_value(json_object_get(zone, "zone"));
		if (buf_printf(&names, "%s%s", i ? ", " : "", name ? name : "?"))
			break;
	}
	if (buf_text(&names, &text))
		text = "?";
	return fail(E_USAGE, "say where to: FILE... ZONE:PATH (your zones: %s)",
		    names.len ? text : "none");
}

/* Clients send to incoming/, staff answer in deliverables/. */
static int default_place(struct session *s, struct place *ret_place)
{
	json_t *account = NULL;
	int rc = session_json(s, "/account", &account);

	if (rc)
		return rc;
	json_t *zones = json_object_get(account, "zones");
	const char *role = json_string_value(json_object_get(account, "role"));
	const char *zone = json_string_value(json_object_get(json_array_get(zones, 0), "zone"));
	bool client = role && strcmp(role, "client") == 0;

	if (json_array_size(zones) != 1 || !zone || !zone_valid(view_text(zone)) || !role ||
	    (!client && strcmp(role, "staff") != 0))
		rc = no_default(zones);
	else
		*ret_place = (struct place){mem_text(zone),
					    mem_text(client ? "incoming" : "deliverables"), true};
	json_decref(account);
	return rc;
}

/* The last operand is the destination if it is written as one. */
static int find_place(const struct push *p, size_t *ret_sources, struct place *ret_place)
{
	size_t n = p->call->operands;
	const char *last = p->call->operand[n - 1];

	*ret_sources = n;
	if (n == 1 && place_is_meant(last) && access(last, F_OK) < 0)
		return fail(E_USAGE, "what shall be sent to %s?", last);
	if (n == 1 || !place_is_meant(last))
		return default_place(p->s, ret_place);
	*ret_sources = n - 1;
	return place_parse(last, ret_place);
}

/* Whether what is sent goes into the place; else it takes its name. */
static int goes_into(const struct push *p, size_t sources, struct place *to, bool *ret_into)
{
	int rc = 0;

	*ret_into = to->folder;
	if (!to->folder)
		rc = session_is_folder(p->s, to, ret_into);
	if (!rc && sources > 1 && !*ret_into)
		rc = fail(E_USAGE,
			  "%s:%s is no folder, so only one file can be sent there (dropkeep "
			  "mkdir makes one)",
			  to->zone, to->path);
	return rc;
}

/* A folder that is sent under another name has made it there, so that the same command, run again,
 * would go on below it: what it was meant as is kept until all of it is sent. */
static int recall_tree(const struct push *p, const struct place *to, struct journal *ret_journal)
{
	CLEANUP(mem_free) char *path = place_path(to);
	const struct profile *who = p->s->profile;
	struct stat st, tree = {0};

	if (stat(p->call->operand[0], &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	tree.st_dev = st.st_dev; /* what else it has changes with what is in it */
	tree.st_ino = st.st_ino;
	const struct journal_key key = {who->name, who->url, who->user, path, &tree};
	return journal_open(&key, ret_journal);
}

static int name_there(const char *path, const struct place *in, struct place *ret_place)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	CLEANUP(mem_free) char *whole = mem_text_n(path, len);
	const char *slash = strrchr(whole, '/');
	const char *name = slash ? slash + 1 : whole;

	if (!name_valid(view_text(name)))
		return fail(E_USAGE,
			    "'%s': this name cannot be on the server; send it as ZONE:PATH "
			    "with another one",
			    path);
	place_join(in, name, false, ret_place);
	return 0;
}

/* --- one file ----------------------------------------------------------------------------- */

static const struct entry *entry_there(const struct push *p, const struct place *to)
{
	CLEANUP(place_done) struct place folder = {0};
	CLEANUP(mem_free) char *url = NULL;

	if (!place_parent(to, &folder))
		return NULL;
	url = place_url(&folder, true);
	for (size_t i = 0; i < p->n_known; i++)
		if (strcmp(p->known[i].folder, url) == 0)
			return listing_find(&p->known[i].listing, place_name(to));
	return NULL;
}

static int is_unchanged(const struct push *p, const struct parcel *item, bool *ret_yes)
{
	const struct entry *e = entry_there(p, &item->to);
	CLEANUP(source_done) struct source source = {.fd = -1, .dir = -1};
	uint8_t hash[SHA256_SIZE];

	*ret_yes = false;
	if (!e || e->type != ENTRY_FILE || !e->has_hash || e->size != item->size)
		return 0;
	int rc = source_open_found(item->path, item->named, &source);
	if (!rc)
		rc = source_hash_to(&source, source.size);
	if (rc)
		return rc;
	sha256_now(&source.hash, hash);
	*ret_yes = source.size == e->size && memcmp(hash, e->hash, sizeof hash) == 0;
	return 0;
}

static void tell(const char *event, const char *path, const struct place *to,
		 const struct upload *u)
{
	CLEANUP(mem_free) char *from = safe_text(path);
	CLEANUP(mem_free) char *there = place_text(to);
	CLEANUP(mem_free) char *shown = safe_text(there);
	char hash[2 * SHA256_SIZE + 1], size[UNITS_TEXT];

	hex_encode(u->hash, SHA256_SIZE, hash);
	size_text(u->size, size);
	if (say_is_json())
		say_json(json_pack("{s:s, s:s, s:s, s:I, s:s?, s:s?, s:b}", "event", event, "path",
				   from, "to", there, "size", (json_int_t)u->size, "sha256",
				   u->receipt ? hash : NULL, "receipt", u->receipt, "resumed",
				   (int)u->resumed));
	else if (u->receipt)
		say_note("%s %s -> %s (%s)%s", event, from, shown, size,
			 u->resumed ? ", resumed" : "");
	else
		say_note("%s %s -> %s", event, from, shown);
}

static int send_one(void *arg, struct session *s, size_t i)
{
	const struct push *p = arg;
	const struct parcel *item = &p->all.item[p->file[i]];
	struct upload u = {.path = item->path,
			   .named = item->named,
			   .to = &item->to,
			   .adopt = call_has(p->call, OPT_CONTINUE),
			   .delete_after = call_has(p->call, OPT_DELETE_AFTER),
			   .size = item->size};
	CLEANUP(mem_free) char *safe = safe_text(item->path);
	bool unchanged = false;
	int rc = call_has(p->call, OPT_IF_CHANGED) ? is_unchanged(p, item, &unchanged) : 0;

	progress_name(safe);
	if (unchanged) {
		progress_had(item->size);
		tell("unchanged", item->path, &item->to, &u);
		return 0;
	}
	if (!rc)
		rc = upload_file(s, &u);
	if (u.receipt) /* which is there too when the file could not be removed then */
		tell("sent", item->path, &item->to, &u);
	p->tree[i] = u.tree;
	mem_free(&u.receipt);
	return rc ? fail(rc, "%s", item->path) : 0;
}

/* --- all of them ---------------------------------------------------------------------------- */

static int make_folders(const struct push *p)
{
	for (size_t i = 0; i < p->all.count; i++) {
		if (!p->all.item[i].folder)
			continue;
		int rc = session_make_folder(p->s, &p->all.item[i].to);
		if (rc && rc != E_EXISTS)
			return rc;
		err_clear();
	}
	return 0;
}

static int learn_folder(struct push *p, const struct place *to)
{
	CLEANUP(place_done) struct place folder = {0};
	CLEANUP(mem_free) char *url = NULL;

	if (!place_parent(to, &folder))
		return 0;
	url = place_url(&folder, true);
	for (size_t i = p->n_known; i-- > 0;)
		if (strcmp(p->known[i].folder, url) == 0)
			return 0;
	struct known *k = &p->known[p->n_known];
	int rc = session_list(p->s, &folder, &k->listing);
	if (rc == E_GONE) {
		err_clear();
		rc = 0;
	}
	if (!rc) {
		k->folder = TAKE(url);
		p->n_known++;
	}
	return rc;
}

static int learn(struct push *p)
{
	int rc = 0;

	p->known = mem_new((p->files + 1) * sizeof *p->known);
	for (size_t i = 0; !rc && i < p->files; i++)
		rc = learn_folder(p, &p->all.item[p->file[i]].to);
	return rc;
}

static int send_all(struct push *p)
{
	int rc = make_folders(p);

	p->file = mem_new((p->all.count + 1) * sizeof *p->file);
	for (size_t i = 0; i < p->all.count; i++)
		if (!p->all.item[i].folder)
			p->file[p->files++] = i;
	if (!rc && call_has(p->call, OPT_IF_CHANGED))
		rc = learn(p);
	if (rc)
		return rc;
	p->tree = mem_new((p->files + 1) * sizeof *p->tree);
	p->trees = p->files;
	const struct work w = {p->files, send_one, p};
	(void)journal_sweep(p->s->profile->name, JOURNAL_DAYS);
	progress_begin(p->all.files, p->all.bytes);
	rc = work_run(&w, p->s, p->jobs);
	if (rc && stop_wanted())
		say_note("Interrupted. The same command goes on where this one stopped.");
	return rc;
}

static int collect(struct push *p, size_t sources, const struct place *to, bool into)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < sources; i++) {
		CLEANUP(place_done) struct place there = {0};
		const char *path = p->call->operand[i];
		if (strcmp(path, "-") == 0)
			return fail(E_USAGE, "standard input can only be sent alone");
		if (into)
			rc = name_there(path, to, &there);
		else
			place_copy(to, &there);
		if (!rc)
			rc = tree_local_add(&p->all, path, &there, call_has(p->call, OPT_RECURSIVE),
					    p->call->exclude, p->call->excludes);
	}
	return rc;
}

static int send_one_stdin(void *arg, struct session *s, size_t i)
{
	const struct push *p = arg;
	struct upload u = {.path = "-", .to = &p->stdin_to};
	CLEANUP(mem_free) char *name = safe_text(p->stdin_to.path);

	progress_name(name);
	int rc = upload_stream(s, &u, STDIN_FILENO);
	if (!rc)
		tell("sent", "-", u.to, &u);
	p->tree[i] = u.tree;
	mem_free(&u.receipt);
	return rc;
}

static int send_stdin(struct push *p, const struct place *to, bool into)
{
	const char *name = p->call->option[OPT_NAME];
	const struct work w = {1, send_one_stdin, p};

	if (into && !name)
		return fail(E_USAGE,
			    "what shall standard input be called? --name NAME, or ZONE:PATH "
			    "with the name");
	if (name && !name_valid(view_text(name)))
		return fail(E_USAGE, "--name is no name that a file can have");
	if (name)
		place_join(to, name, false, &p->stdin_to);
	else
		place_copy(to, &p->stdin_to);
	progress_begin(1, 0);
	p->tree = mem_new(sizeof *p->tree);
	p->trees = 1;
	int rc = work_run(&w, p->s, 1);
	if (rc && stop_wanted())
		say_note("Interrupted. What came from standard input has to be sent again from its "
			 "beginning.");
	return rc;
}

static int push_files(struct push *p, size_t sources, const struct place *to, bool into)
{
	CLEANUP(journal_done) struct journal journal = {.dir = -1, .lock = -1};
	int rc = sources == 1 && !to->folder ? recall_tree(p, to, &journal) : 0;

	into = into && !journal.tree;
	if (!rc)
		rc = collect(p, sources, to, into);
	if (!rc)
		rc = parcels_check(&p->all);
	if (rc)
		return rc;
	if (journal.dir >= 0 && !into) {
		journal.tree = true;
		rc = journal_save(&journal);
	}
	if (!rc)
		rc = send_all(p);
	if (!rc && journal.tree)
		rc = journal_forget(&journal);
	return rc;
}

static int push(struct push *p)
{
	CLEANUP(place_done) struct place to = {0};
	size_t sources = 0;
	bool into = false;
	int rc = find_place(p, &sources, &to);

	if (!rc)
		rc = goes_into(p, sources, &to, &into);
	if (rc)
		return rc;
	if (sources == 1 && strcmp(p->call->operand[0], "-") == 0)
		return send_stdin(p, &to, into);
	if (call_has(p->call, OPT_NAME))
		return fail(E_USAGE, "--name is for standard input alone");
	return push_files(p, sources, &to, into);
}

/* --- and is the log that has recorded it the one of before? --------------------------------- */

/* Where the server cannot be asked, nothing is wrong: the receipts are there, and the next push or
 * receipt verify asks for them too. */
static int compare_log(const struct push *p, bool *ret_asked)
{
	CLEANUP(log_today_free) struct log_today *log = NULL;
	int rc = log_today_open(p->s, &log);

	*ret_asked = rc == 0 || rc == E_INTEGRITY;
	for (size_t i = 0; !rc && i < p->trees; i++)
		if (p->tree[i].size)
			rc = log_today_covers(log, p->tree[i].size, &p->tree[i].root);
	*ret_asked = *ret_asked && (rc == 0 || rc == E_INTEGRITY);
	return rc;
}

static bool has_receipts(const struct push *p)
{
	for (size_t i = 0; i < p->trees; i++)
		if (p->tree[i].size)
			return true;
	return false;
}

/* What was sent stays sent; what went wrong with it comes first. */
static int check_log(const struct push *p, int sent)
{
	bool asked = false;

	if (!has_receipts(p) || stop_wanted())
		return sent;
	CLEANUP(mem_free) char *failure = mem_text(err_text());
	err_clear();
	int rc = compare_log(p, &asked);
	if (rc && asked)
		rc = fail(rc, "it was sent, and its receipts are kept");
	if (rc && !asked)
		say_note("dropkeep: the server's log was not compared with what was seen of it "
			 "before; receipt verify does that");
	if (rc && asked && !sent)
		return rc;
	if (rc && asked)
		say_error(rc);
	err_clear();
	return sent ? fail(sent, "%s", failure) : 0;
}

int run_push(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	struct push p = {.call = call};
	int rc = work_jobs(call, &p.jobs);

	if (!rc)
		rc = session_open(call, p.jobs, &s);
	p.s = s;
	if (!rc)
		rc = check_log(&p, push(&p));
	for (size_t i = 0; i < p.n_known; i++) {
		mem_free(&p.known[i].folder);
		listing_done(&p.known[i].listing);
	}
	mem_free(&p.known);
	place_done(&p.stdin_to);
	mem_free(&p.file);
	mem_free(&p.tree);
	parcels_done(&p.all);
	return rc;
}
