/* SPDX-License-Identifier: Apache-2.0 */
/* Of an upload: the requests that files and streams have in common. */
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "client/progress.h"
#include "client/upload.h"

enum { DROP_MS = 5000 };

/* Memory as the body of a request. */
struct from_memory {
	struct view content;
	size_t at;
};

static int memory_read(void *arg, void *room, size_t room_len, size_t *ret_len)
{
	struct from_memory *m = arg;
	size_t len = m->content.len - m->at < room_len ? m->content.len - m->at : room_len;

	if (len)
		memcpy(room, m->content.data + m->at, len);
	m->at += len;
	progress_moved(len);
	*ret_len = len;
	return 0;
}

static int memory_rewind(void *arg)
{
	struct from_memory *m = arg;

	progress_back(m->at);
	m->at = 0;
	return 0;
}

/* RFC 9110, section 5.6.7; the words are English whatever the locale. */
static char *http_date(int64_t seconds)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t when = (time_t)seconds;
	struct tm tm = {0};

	if (!gmtime_r(&when, &tm))
		return mem_text("Thu, 01 Jan 1970 00:00:00 GMT");
	return mem_printf("%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday,
			  months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int digest_header(const uint8_t hash[SHA256_SIZE], struct buf *out, const char **ret_text)
{
	int rc = buf_add_text(out, "Repr-Digest: sha-256=:");

	if (!rc)
		rc = base64_encode(view_of(hash, SHA256_SIZE), BASE64_PADDED, out);
	if (!rc)
		rc = buf_add_text(out, ":");
	return rc ? rc : buf_text(out, ret_text);
}

void upload_drop(struct session *s, const char *upload)
{
	const char *const headers[] = {"Tus-Resumable: 1.0.0", NULL};
	const struct http_request q = {
	    .method = "DELETE", .path = upload, .headers = headers, .most_ms = DROP_MS};
	CLEANUP(answer_done) struct answer a = {0};
	struct err_kept error;

	err_keep(&error);
	(void)!http_ask(s->http, &q, &a);
	err_bring_back(&error);
}

int upload_compare(const struct answer *a, const struct upload *u)
{
	uint8_t theirs[SHA256_SIZE];

	if (!answer_hash(a, theirs)) {
		if (a->has_etag && a->has_digest)
			return fail(E_PROTOCOL, "the server says two different SHA-256");
		return a->receipt[0] ? 0 : fail(E_PROTOCOL, "the server says no SHA-256");
	}
	if (memcmp(theirs, u->hash, SHA256_SIZE) != 0)
		return fail(E_INTEGRITY, "what the server has is not what was sent: its SHA-256 is "
					 "another; send it again, or remove it there");
	return 0;
}

/* What the server says of a folder that is missing is as short for all that is. */
static int explain(int rc)
{
	return rc == E_GONE
		   ? fail(rc, "the folder is not there (dropkeep mkdir --parents makes it), "
			      "or not for you to see")
		   : rc;
}

static int put_once(struct session *s, struct upload *u, const struct http_request *r,
		    struct from_memory *m, struct answer *a)
{
	CLEANUP(mem_free) char *text = place_text(u->to);
	int rc = memory_rewind(m);

	if (!rc)
		rc = http_ask(s->http, r, a);
	return rc ? rc : answer_judge(a, text);
}

int upload_put(struct session *s, struct upload *u, struct view content, int64_t mtime_s,
	       char ret_receipt[48])
{
	CLEANUP(mem_free) char *url = place_url(u->to, false);
	CLEANUP(mem_free) char *date = http_date(mtime_s);
	CLEANUP(mem_free) char *modified = mem_printf("Last-Modified: %s", date);
	CLEANUP(buf_done) struct buf header = {0};
	CLEANUP(answer_done) struct answer a = {0};
	struct from_memory m = {.content = content};
	const struct http_body body = {memory_read, memory_rewind, &m, content.len};
	const char *headers[3] = {NULL, modified, NULL};
	const struct http_request r = {
	    .method = "PUT", .path = url, .headers = headers, .body = &body, .rate = s->rate};
	struct retry retry = {.most = s->retries};
	int rc = digest_header(u->hash, &header, &headers[0]);

	if (rc)
		return rc;
	do {
		rc = put_once(s, u, &r, &m, &a);
		retry.after_s = a.retry_after_s;
	} while (rc && retry_again(&retry, rc));
	rc = rc ? explain(rc) : upload_compare(&a, u);
	if (!rc)
		(void)snprintf(ret_receipt, 48, "%s", a.receipt);
	return rc;
}

static int add_value(struct buf *out, const char *key, const char *value)
{
	int rc = buf_add_text(out, key);

	return rc ? rc : base64_encode(view_text(value), BASE64_PADDED, out);
}

/* "Upload-Metadata: path L2Fj…,mtime MTcw…" (tus 1.0.0, creation) */
static int metadata_header(const struct upload *u, int64_t mtime_s, struct buf *out,
			   const char **ret_text)
{
	CLEANUP(mem_free) char *path = place_path(u->to);
	char seconds[24];
	int rc = add_value(out, "Upload-Metadata: path ", path);

	(void)snprintf(seconds, sizeof seconds, "%lld", mtime_s < 0 ? 0LL : (long long)mtime_s);
	if (!rc)
		rc = add_value(out, ",mtime ", seconds);
	return rc ? rc : buf_text(out, ret_text);
}

int upload_create(struct session *s, const struct upload *u, const uint64_t *size, int64_t mtime_s,
		  struct answer *ret_answer)
{
	CLEANUP(buf_done) struct buf metadata = {0};
	CLEANUP(mem_free) char *text = place_text(u->to);
	CLEANUP(mem_free)
	char *length = size ? mem_printf("Upload-Length: %llu", (unsigned long long)*size)
			    : mem_text("Upload-Defer-Length: 1");
	const char *headers[] = {"Tus-Resumable: 1.0.0", length, NULL, NULL};
	const struct http_request r = {.method = "POST", .path = "/uploads", .headers = headers};
	int rc = metadata_header(u, mtime_s, &metadata, &headers[2]);

	if (!rc)
		rc = http_ask(s->http, &r, ret_answer);
	if (!rc)
		rc = explain(answer_judge(ret_answer, text));
	if (!rc && !ret_answer->upload[0])
		rc = fail(E_PROTOCOL, "the server began an upload and does not say which");
	return rc;
}
