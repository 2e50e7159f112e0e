/* SPDX-License-Identifier: Apache-2.0 */
#include "client/upload.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"
#include "client/journal.h"
#include "client/progress.h"
#include "client/receipts.h"
#include "client/source.h"
#include "client/stop.h"

enum { RESTARTS_MOST = 2 };

static const char tus[] = "Tus-Resumable: 1.0.0";

/* An upload while it runs. */
struct run {
	struct session *s;
	struct upload *u;
	struct source source;
	struct journal journal;
	uint64_t begin;      /* of the request that runs */
	uint64_t at;         /* the next byte to be sent */
	uint64_t furthest;   /* that the server has ever said to have */
	bool length_is_said; /* the server knows how long it will be */
	bool done;           /* it is published */
	bool adopted;        /* it is one that another program began */
	unsigned restarts;   /* so often it had to begin anew */
	struct answer answer;
};

static int body_read(void *arg, void *room, size_t room_len, size_t *ret_len)
{
	struct run *r = arg;
	int rc = source_read(&r->source, r->at, room, room_len, ret_len);

	if (!rc) {
		r->at += *ret_len;
		progress_moved(*ret_len);
	}
	return rc;
}

static int body_rewind(void *arg)
{
	struct run *r = arg;

	progress_back(r->at - r->begin);
	r->at = r->begin;
	return 0;
}

/* The server has so much: the progress follows. */
static void go_to(struct run *r, uint64_t offset)
{
	if (offset > r->at)
		progress_had(offset - r->at);
	else
		progress_back(r->at - offset);
	r->at = r->begin = offset;
}

/* A server may lose an upload (it expired, or came from a backup), but not for ever. */
static int begin_anew(struct run *r)
{
	if (++r->restarts > RESTARTS_MOST)
		return fail(E_PROTOCOL, "the server loses the upload again and again");
	go_to(r, 0);
	r->furthest = 0;
	return journal_forget(&r->journal);
}

/* --- an upload that there is ---------------------------------------------------------- */

/* HEAD: how far it is. E_GONE where there is none any more. */
static int ask_offset(struct run *r)
{
	const char *const headers[] = {tus, NULL};
	const struct http_request q = {
	    .method = "HEAD", .path = r->journal.upload, .headers = headers};
	struct answer *a = &r->answer;
	int rc = http_ask(r->s->http, &q, a);

	if (!rc)
		rc = answer_judge(a, "the upload");
	if (rc)
		return rc;
	r->length_is_said = a->has_length;
	if (!a->has_offset || a->offset > r->source.size ||
	    (a->has_length && a->length != r->source.size))
		return fail(E_GONE, "the server says that the upload is where it cannot be");
	r->done = a->has_length && a->offset == a->length && a->receipt[0];
	go_to(r, a->offset);
	return 0;
}

/* Whether another program of this user has begun to send something to that name. */
static int find_begun(struct run *r, char ret_upload[80])
{
	CLEANUP(mem_free) char *path = place_path(r->u->to);
	CLEANUP(mem_free) char *encoded = url_encode(path);
	CLEANUP(mem_free) char *query = mem_printf("/uploads?path=%s", encoded);
	const char *const headers[] = {tus, NULL};
	const struct http_request q = {.method = "GET", .path = query, .headers = headers};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = http_ask(r->s->http, &q, &a);

	if (!rc)
		rc = answer_judge(&a, "the upload");
	if (rc)
		return rc;
	json_t *root =
	    json_loadb((const char *)a.body.data, a.body.len, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(root, "upload"));
	if (!id || strncmp(id, "/uploads/", 9) != 0 || strlen(id) >= 80 || !id[9] ||
	    id[9 + strspn(id + 9, "0123456789abcdef")])
		rc = fail(E_PROTOCOL, "the server does not say which upload it is");
	else
		(void)snprintf(ret_upload, 80, "%s", id);
	json_decref(root);
	return rc;
}

/* Take up what another program began, if there is something. */
static int adopt(struct run *r)
{
	int rc = find_begun(r, r->journal.upload);

	if (rc == E_GONE) {
		err_clear();
		return 0;
	}
	r->adopted = !rc;
	return rc ? rc : journal_save(&r->journal);
}

/* What was to be gone on with was meant by the user, so it is not given up unasked. */
static int refuse_adopted(struct run *r)
{
	int rc = journal_forget(&r->journal);

	return rc ? rc
		  : fail(E_CONFLICT,
			 "the unfinished upload of that name cannot be one of this file; without "
			 "--continue it is given up, and the file sent from its beginning");
}

/* What stands in the way is our own unfinished upload: a new one of that name takes its
 * place, as a PUT would. */
static int clear_way(struct run *r)
{
	char upload[80] = "";
	const char *const headers[] = {tus, NULL};
	const struct http_request q = {.method = "DELETE", .path = upload, .headers = headers};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = find_begun(r, upload);

	if (!rc)
		rc = http_ask(r->s->http, &q, &a);
	return rc ? rc : answer_judge(&a, "the upload in the way");
}

/* --- one try ---------------------------------------------------------------------------- */

static int create(struct run *r)
{
	struct answer *a = &r->answer;
	int64_t mtime_s = r->source.st.st_mtim.tv_sec;
	int rc = upload_create(r->s, r->u, &r->source.size, mtime_s, a);

	if (rc == E_UNFINISHED || rc == E_TAKEN) {
		struct err_kept error;
		err_keep(&error);
		bool clear = clear_way(r) == 0;
		if (clear)
			rc = upload_create(r->s, r->u, &r->source.size, mtime_s, a);
		else
			err_bring_back(&error);
	}
	if (rc)
		return rc;
	r->length_is_said = true;
	go_to(r, 0);
	(void)snprintf(r->journal.upload, sizeof r->journal.upload, "%s", a->upload);
	return journal_save(&r->journal);
}

/* PATCH of all that is left. */
static int send_rest(struct run *r)
{
	CLEANUP(mem_free)
	char *offset = mem_printf("Upload-Offset: %llu", (unsigned long long)r->at);
	CLEANUP(mem_free)
	char *length = mem_printf("Upload-Length: %llu", (unsigned long long)r->source.size);
	const char *const headers[] = {tus, offset, "Content-Type: application/offset+octet-stream",
				       r->length_is_said ? NULL : length, NULL};
	const struct http_body body = {body_read, body_rewind, r, r->source.size - r->at};
	const struct http_request q = {.method = "PATCH",
				       .path = r->journal.upload,
				       .headers = headers,
				       .body = &body,
				       .rate = r->s->rate};
	CLEANUP(mem_free) char *text = place_text(r->u->to);
	struct answer *a = &r->answer;
	int rc = http_ask(r->s->http, &q, a);

	if (!rc)
		rc = answer_judge(a, text);
	if (rc == E_CONFLICT || rc == E_GONE)
		return fail(E_AGAIN, "the upload is not where it was");
	if (!rc && (!a->has_offset || a->offset != r->source.size))
		return fail(E_AGAIN, "the server has not taken all of it");
	r->done = !rc;
	return rc;
}

static int try_once(struct run *r)
{
	int rc = 0;

	if (!r->journal.upload[0] && r->u->adopt)
		rc = adopt(r);
	if (!rc && r->journal.upload[0]) {
		rc = ask_offset(r);
		if (rc == E_GONE) {
			err_clear();
			rc = r->adopted ? refuse_adopted(r) : begin_anew(r);
		} else if (!rc && r->at)
			r->u->resumed = true;
	}
	if (!rc && !r->journal.upload[0])
		rc = create(r);
	/* What is not sent is hashed before anybody waits for what comes behind it. */
	if (!rc)
		rc = source_hash_to(&r->source, r->at);
	return rc || r->done ? rc : send_rest(r);
}

/* The server has got further than ever before, or that was a try for nothing. */
static void count(struct run *r, struct retry *retry)
{
	retry->after_s = r->answer.retry_after_s;
	if (r->begin > r->furthest) {
		r->furthest = r->begin;
		retry_progress(retry);
	}
}

static int send_resumably(struct run *r)
{
	struct retry retry = {.most = r->s->retries};
	int rc;

	do {
		rc = try_once(r);
		count(r, &retry);
	} while (rc && retry_again(&retry, rc));
	if (rc)
		return rc;
	(void)snprintf(r->journal.receipt, sizeof r->journal.receipt, "%s", r->answer.receipt);
	rc = source_hash_to(&r->source, r->source.size);
	if (!rc) {
		sha256_now(&r->source.hash, r->u->hash);
		rc = upload_compare(&r->answer, r->u);
	}
	/* From here on only the receipt is missing. */
	return rc ? rc : journal_save(&r->journal);
}

static int send_small(struct run *r)
{
	CLEANUP(buf_done) struct buf content = {0};
	size_t len = 0;
	int rc = buf_reserve(&content, (size_t)r->source.size + 1);

	while (!rc && content.len < r->source.size) {
		rc = source_read(&r->source, content.len, content.data + content.len,
				 (size_t)r->source.size - content.len, &len);
		content.len += len;
	}
	if (rc)
		return rc;
	sha256_now(&r->source.hash, r->u->hash);
	return upload_put(r->s, r->u, view_buf(&content), r->source.st.st_mtim.tv_sec,
			  r->journal.receipt);
}

/* --- and what comes after --------------------------------------------------------------- */

static int take_receipt(struct run *r)
{
	CLEANUP(mem_free) char *path = place_path(r->u->to);
	const struct receipt_want want = {path, r->source.size, r->u->hash};
	int rc = source_hash_to(&r->source, r->source.size);

	if (rc)
		return rc;
	sha256_now(&r->source.hash, r->u->hash);
	r->u->size = r->source.size;
	if (!r->journal.receipt[0])
		return fail(E_PROTOCOL, "it was sent, but the server names no receipt");
	return receipts_fetch(r->s, r->journal.receipt, &want, r->u);
}

static int finish(struct run *r)
{
	int rc = take_receipt(r);

	/* A receipt that is none will not become one by asking again. */
	if (!rc || rc == E_INTEGRITY || rc == E_GONE) {
		int forgot = journal_forget(&r->journal);
		rc = rc ? rc : forgot;
	}
	if (!rc && r->u->delete_after)
		rc = source_remove(&r->source);
	return rc;
}

/* What cannot become good is not left on the server; the error stays the one that it is. */
static int give_up(struct run *r, int rc)
{
	struct err_kept error;

	if (r->journal.upload[0] && !r->done) {
		upload_drop(r->s, r->journal.upload);
		progress_back(r->at);
	}
	err_keep(&error);
	(void)!journal_forget(&r->journal);
	err_bring_back(&error);
	return rc;
}

static int send_file(struct run *r)
{
	int rc = 0;

	if (r->journal.receipt[0])
		progress_had(r->source.size);
	else if (r->source.size <= UPLOAD_SMALL && !r->journal.upload[0] && !r->u->adopt)
		rc = send_small(r);
	else
		rc = send_resumably(r);
	if (rc == E_INTEGRITY)
		rc = give_up(r, rc);
	return rc ? rc : finish(r);
}

int upload_file(struct session *s, struct upload *u)
{
	CLEANUP(source_done) struct source source = {.fd = -1, .dir = -1};
	CLEANUP(journal_done) struct journal journal = {.dir = -1, .lock = -1};
	CLEANUP(mem_free) char *to = place_path(u->to);
	int rc = source_open_found(u->path, u->named, &source);

	if (rc)
		return rc;
	const struct journal_key key = {s->profile->name, s->profile->url, s->profile->user, to,
					&source.st};
	rc = journal_open(&key, &journal);
	if (rc)
		return rc;
	struct run r = {.s = s, .u = u, .source = source, .journal = journal};
	rc = send_file(&r);
	answer_done(&r.answer);
	return rc;
}
