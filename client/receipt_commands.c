/* SPDX-License-Identifier: Apache-2.0 */
/* receipt list, show and verify. */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "base/units.h"
#include "client/dirs.h"
#include "client/log_proof.h"
#include "client/receipts.h"
#include "client/run.h"
#include "client/safe.h"
#include "client/say.h"

static const char suffix[] = ".tlog-proof";

/* Who is believed: the profile's log, or the key of the command line, whose name is the
 * origin then. */
struct trust {
	struct profile *profile; /* NULL with --key and without a profile */
	char *origin;
	const char *key;
	char *folder; /* of the receipts; NULL without a profile */
};

static int origin_of(const char *key, char **ret_origin)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	int rc = tlog_verifier_parse(view_text(key), &v);

	if (rc)
		return fail(E_USAGE, "--key wants the log's verifier key: NAME+ID+KEY");
	struct view name = tlog_verifier_name(v);
	*ret_origin = mem_text_n(name.data, name.len);
	return 0;
}

static int trust_open(const struct call *call, struct trust *t)
{
	const char *name = NULL, *key = call->option[OPT_KEY];
	int rc = profile_name(call->option[OPT_PROFILE], &name);

	if (!rc)
		rc = profile_load(name, &t->profile);
	if (rc && key) {
		err_clear();
		rc = 0;
	}
	if (rc)
		return rc;
	CLEANUP(mem_free) char *below = mem_printf("%s/receipts", name);
	if (t->profile)
		rc = dirs_path(DIRS_DATA, below, &t->folder);
	t->key = key ? key : t->profile->log_key;
	if (!rc && key)
		rc = origin_of(key, &t->origin);
	else if (!rc)
		t->origin = mem_text(t->profile->log_origin);
	return rc;
}

static void trust_done(struct trust *t)
{
	profile_free(&t->profile);
	mem_free(&t->origin);
	mem_free(&t->folder);
}

static bool is_number(const char *text)
{
	return text[0] && !text[strspn(text, "0123456789")];
}

/* The receipt of a number in this log: another that the profile knew may have the same. */
static int find_number(const struct trust *t, const char *number, char **ret_path)
{
	uint64_t record = 0;
	CLEANUP(mem_free) char *name = NULL;

	if (number_parse(view_text(number), &record) || !t->folder)
		return fail(E_GONE, "there is no receipt %s of this profile", number);
	name = receipt_name(t->origin, record);
	*ret_path = mem_printf("%s/%s", t->folder, name);
	if (access(*ret_path, F_OK) == 0)
		return 0;
	mem_free(ret_path);
	return fail(E_GONE, "there is no receipt %s of this profile's log", number);
}

static int load(const struct trust *t, const char *path, struct receipt_facts *ret_facts)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc = sys_read_file(AT_FDCWD, path, TLOG_PROOF_MAX, &text);

	return rc ? rc : receipt_open(view_buf(&text), t->origin, t->key, ret_facts);
}

/* RECEIPT is a file, or the number of one in the profile's folder. */
static int load_operand(const struct trust *t, const char *operand, struct receipt_facts *ret_facts)
{
	CLEANUP(mem_free) char *path = NULL;
	int rc = 0;

	if (is_number(operand) && access(operand, F_OK) < 0)
		rc = find_number(t, operand, &path);
	if (!rc)
		rc = load(t, path ? path : operand, ret_facts);
	return rc ? fail(rc, "receipt '%s'", operand) : 0;
}

static json_t *facts_json(const struct receipt_facts *f)
{
	char hash[2 * SHA256_SIZE + 1];

	hex_encode(f->hash, SHA256_SIZE, hash);
	return json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:s, s:I}", "record",
			 (json_int_t)f->record, "time", f->time, "user", f->user, "path", f->path,
			 "size", (json_int_t)f->size, "sha256", hash, "log", f->origin, "tree_size",
			 (json_int_t)f->tree_size);
}

static void show(const struct receipt_facts *f)
{
	CLEANUP(mem_free) char *path = safe_text(f->path);
	CLEANUP(mem_free) char *user = safe_text(f->user);
	CLEANUP(mem_free) char *when = safe_text(f->time);
	CLEANUP(mem_free) char *log = safe_text(f->origin);
	char hash[2 * SHA256_SIZE + 1], size[UNITS_TEXT];

	hex_encode(f->hash, SHA256_SIZE, hash);
	size_text(f->size, size);
	say_data("record    %llu of %s", (unsigned long long)f->record, log);
	say_data("path      %s", path);
	say_data("size      %llu (%s)", (unsigned long long)f->size, size);
	say_data("sha256    %s", hash);
	say_data("sent by   %s", user);
	say_data("time      %s", when);
}

/* --- list ------------------------------------------------------------------------------- */

static int list_one(const struct trust *t, const char *name)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", t->folder, name);
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};
	int rc = load(t, path, &f);

	if (rc)
		return fail(rc, "receipt '%s'", name);
	if (say_is_json()) {
		say_json(facts_json(&f));
		return 0;
	}
	CLEANUP(mem_free) char *shown = safe_text(f.path);
	CLEANUP(mem_free) char *when = safe_text(f.time);
	char size[UNITS_TEXT];
	size_text(f.size, size);
	say_data("%-8llu %.19s %10s  %s", (unsigned long long)f.record, when, size, shown);
	return 0;
}

/* After another enrolment there may be receipts of another log, which this key cannot verify. */
static bool is_of_log(const struct trust *t, const char *name)
{
	uint64_t record = 0;
	CLEANUP(mem_free) char *ours = NULL;

	if (number_parse(view_of(name, strcspn(name, "-")), &record)) {
		err_clear();
		return false;
	}
	ours = receipt_name(t->origin, record);
	return strcmp(ours, name) == 0;
}

static int is_receipt(const struct dirent *e)
{
	return e->d_name[0] != '.' && strstr(e->d_name, suffix) && !strstr(e->d_name, ".new");
}

int run_receipt_list(const struct call *call)
{
	CLEANUP(trust_done) struct trust t = {0};
	struct dirent **entry = NULL;
	int rc = trust_open(call, &t), worst = 0, others = 0;
	int n = rc ? 0 : scandir(t.folder, &entry, is_receipt, versionsort);

	/* One that is damaged hides no other. */
	for (int i = 0; i < n; i++) {
		bool ours = is_of_log(&t, entry[i]->d_name);
		int failed = ours ? list_one(&t, entry[i]->d_name) : 0;
		others += !ours;
		if (failed)
			say_error(failed);
		worst = worst ? worst : failed;
		free(entry[i]);
	}
	free(entry);
	if (others)
		say_note("%d more in %s are of another log: dropkeep receipt verify --key verifies "
			 "them.",
			 others, t.folder);
	if (!rc && n <= 0)
		say_note("No receipts yet: push stores one for each file.");
	return rc ? rc : worst ? fail(worst, "some receipts do not verify") : 0;
}

int run_receipt_show(const struct call *call)
{
	CLEANUP(trust_done) struct trust t = {0};
	int rc = trust_open(call, &t);

	for (size_t i = 0; !rc && i < call->operands; i++) {
		CLEANUP(receipt_facts_done) struct receipt_facts f = {0};
		rc = load_operand(&t, call->operand[i], &f);
		if (!rc && say_is_json())
			say_json(facts_json(&f));
		else if (!rc)
			show(&f);
	}
	return rc;
}

/* --- verify ----------------------------------------------------------------------------- */

static void tell_verified(const char *operand, const struct receipt_facts *f,
			  const struct log_today *log)
{
	CLEANUP(mem_free) char *shown = safe_text(operand);
	CLEANUP(mem_free) char *path = safe_text(f->path);
	json_t *object;

	if (!say_is_json()) {
		say_data("%s: verified: record %llu, %s%s", shown, (unsigned long long)f->record,
			 path, log ? "; the log of today continues it" : "");
		return;
	}
	object = facts_json(f);
	(void)json_object_set_new(object, "verified", json_true());
	(void)json_object_set_new(object, "consistent_with",
				  log ? json_integer((json_int_t)log_today_size(log))
				      : json_null());
	say_json(object);
}

static int verify_one(const struct trust *t, const char *operand, struct log_today *log)
{
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};
	int rc = load_operand(t, operand, &f);

	if (!rc && log)
		rc = log_today_covers(log, f.tree_size, &f.tree_root);
	if (!rc)
		tell_verified(operand, &f, log);
	return rc;
}

/* Without a server a receipt is still a proof; what is missing then is said. A server that can be
 * reached has no reason not to show its log. */
static int ask_server(const struct call *call, const struct trust *t, struct session **ret_session,
		      struct log_today **ret_log)
{
	if (call_has(call, OPT_OFFLINE) || !t->profile ||
	    strcmp(t->origin, t->profile->log_origin) != 0 ||
	    strcmp(t->key, t->profile->log_key) != 0)
		return 0;
	int rc = session_open(call, 1, ret_session);
	if (!rc)
		rc = log_today_open(*ret_session, ret_log);
	if (rc == E_INTEGRITY)
		say_note("dropkeep: --offline verifies the receipts by themselves");
	if (rc != CLIENT_UNREACHABLE)
		return rc;
	err_clear();
	say_note("dropkeep: the server cannot be reached: whether its log still has these records "
		 "was not verified");
	return 0;
}

int run_receipt_verify(const struct call *call)
{
	CLEANUP(session_free) struct session *s = NULL;
	CLEANUP(log_today_free) struct log_today *log = NULL;
	CLEANUP(trust_done) struct trust t = {0};
	int rc = trust_open(call, &t), worst = 0;

	if (!rc)
		rc = ask_server(call, &t, &s, &log);
	for (size_t i = 0; !rc && i < call->operands; i++) {
		int failed = verify_one(&t, call->operand[i], log);
		if (failed && call->operands > 1)
			say_error(failed);
		worst = worst ? worst : failed;
	}
	if (!rc && worst && call->operands > 1)
		return fail(worst, "some receipts do not verify");
	return rc ? rc : worst;
}
