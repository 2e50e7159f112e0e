/* SPDX-License-Identifier: Apache-2.0 */
#include "client/session.h"

#include "base/mem.h"
#include "base/units.h"

enum { RETRIES_MOST = 1000 };

static int connect_to(const struct profile *p, struct session *s)
{
	const struct http_peer peer = profile_peer(p);

	s->profile = p;
	return http_new(&peer, &s->http);
}

static int read_options(const struct call *call, uint64_t jobs, struct session *s)
{
	uint64_t retries = 0, rate = 0;
	int rc = call_number(call, OPT_RETRIES, RETRIES_DEFAULT, RETRIES_MOST, &retries);

	if (!rc)
		rc = call_number(call, OPT_LIMIT, 0, UINT64_C(1) << 50, &rate);
	if (!rc && call_has(call, OPT_LIMIT) && rate < jobs)
		rc = fail(E_USAGE, "--limit is too little for anything to move");
	s->retries = (unsigned)retries;
	s->rate = rate / jobs;
	return rc;
}

int session_open(const struct call *call, uint64_t jobs, struct session **ret_session)
{
	CLEANUP(session_free) struct session *s = mem_new(sizeof *s);
	const char *name = NULL;
	int rc = read_options(call, jobs, s);

	if (!rc)
		rc = profile_name(call->option[OPT_PROFILE], &name);
	if (!rc)
		rc = profile_load(name, &s->own);
	if (!rc)
		rc = connect_to(s->own, s);
	if (!rc)
		*ret_session = TAKE(s);
	return rc;
}

int session_another(const struct session *s, struct session **ret_session)
{
	CLEANUP(session_free) struct session *made = mem_new(sizeof *made);

	made->retries = s->retries;
	made->rate = s->rate;
	int rc = connect_to(s->profile, made);
	if (!rc)
		*ret_session = TAKE(made);
	return rc;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	http_free(&(*s)->http);
	profile_free(&(*s)->own);
	mem_free(s);
}

int session_ask(struct session *s, const struct http_request *r, const char *what,
		struct answer *ret_answer)
{
	struct retry retry = {.most = s->retries};
	int rc;

	do {
		rc = http_ask(s->http, r, ret_answer);
		if (!rc)
			rc = answer_judge(ret_answer, what);
		retry.after_s = ret_answer->retry_after_s;
	} while (rc && retry_again(&retry, rc));
	return rc;
}

int session_json(struct session *s, const char *path, json_t **ret_object)
{
	const char *const headers[] = {"Accept: application/json", NULL};
	const struct http_request r = {.method = "GET", .path = path, .headers = headers};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(s, &r, "the server", &a);

	if (rc)
		return rc;
	json_t *root =
	    json_loadb((const char *)a.body.data, a.body.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return fail(E_PROTOCOL, "what the server said is not JSON");
	}
	*ret_object = root;
	return 0;
}

int session_list(struct session *s, const struct place *folder, struct listing *ret_listing)
{
	const char *const headers[] = {"Accept: application/json", NULL};
	CLEANUP(mem_free) char *url = place_url(folder, true);
	CLEANUP(mem_free) char *text = place_text(folder);
	const struct http_request r = {.method = "GET", .path = url, .headers = headers};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(s, &r, text, &a);

	return rc ? rc : listing_parse(view_buf(&a.body), ret_listing);
}

int session_head(struct session *s, const struct place *file, struct answer *ret_answer)
{
	CLEANUP(mem_free) char *url = place_url(file, false);
	CLEANUP(mem_free) char *text = place_text(file);
	const struct http_request r = {.method = "HEAD", .path = url};

	return session_ask(s, &r, text, ret_answer);
}

int session_is_folder(struct session *s, const struct place *p, bool *ret_yes)
{
	CLEANUP(mem_free) char *url = place_url(p, true);
	CLEANUP(mem_free) char *text = place_text(p);
	const struct http_request r = {.method = "HEAD", .path = url};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(s, &r, text, &a);

	*ret_yes = rc == 0;
	if (rc == E_GONE || rc == E_NOT_DIR || rc == E_CONFLICT) {
		err_clear();
		rc = 0;
	}
	return rc;
}

int session_make_folder(struct session *s, const struct place *p)
{
	CLEANUP(mem_free) char *url = place_url(p, true);
	CLEANUP(mem_free) char *path = mem_printf("%s?mkdir", url);
	CLEANUP(mem_free) char *text = place_text(p);
	const struct http_request r = {.method = "POST", .path = path};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(s, &r, text, &a);

	return rc == E_CONFLICT && a.status == 409 && !a.problem ? E_EXISTS : rc;
}

int session_remove(struct session *s, const struct place *p, bool folder)
{
	CLEANUP(mem_free) char *url = place_url(p, folder);
	CLEANUP(mem_free) char *text = place_text(p);
	const struct http_request r = {.method = "DELETE", .path = url};
	CLEANUP(answer_done) struct answer a = {0};

	return session_ask(s, &r, text, &a);
}

/* Not asked again when an answer was lost: a first DELETE may have removed an unfinished upload,
 * and a second one would remove the file that has its name. */
int session_remove_once(struct session *s, const struct place *p, bool folder)
{
	CLEANUP(mem_free) char *url = place_url(p, folder);
	CLEANUP(mem_free) char *text = place_text(p);
	const struct http_request r = {.method = "DELETE", .path = url, .once = true};
	CLEANUP(answer_done) struct answer a = {0};
	struct retry retry = {.most = s->retries};
	int rc;

	do {
		rc = http_ask(s->http, &r, &a);
		if (rc == E_AGAIN)
			return fail(rc, "%s: whether it was removed is not known: see dropkeep ls",
				    text);
		if (!rc)
			rc = answer_judge(&a, text);
		retry.after_s = a.retry_after_s;
	} while (rc && retry_again(&retry, rc));
	return rc;
}

/* Asked once: a second time could find done what the first has done, and take it for lost. */
int session_move(struct session *s, const struct place *from, const struct place *to, bool folder,
		 bool replace)
{
	CLEANUP(mem_free) char *url = place_url(from, folder);
	CLEANUP(mem_free) char *target = place_url(to, folder);
	CLEANUP(mem_free) char *header = mem_printf("Destination: %s", target);
	CLEANUP(mem_free) char *text = place_text(from);
	const char *const headers[] = {header, replace ? "Overwrite: T" : "Overwrite: F", NULL};
	const struct http_request r = {
	    .method = "MOVE", .path = url, .headers = headers, .once = true};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = http_ask(s->http, &r, &a);

	if (!rc)
		rc = answer_judge(&a, text);
	if (a.status == 412)
		return fail(E_EXISTS, "something is there already (--force replaces it)");
	return rc;
}
