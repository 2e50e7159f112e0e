/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /uploads: resumable uploads (tus 1.0.0).
 *
 * Each request asks the keep how far the upload is, which makes whoever still holds it let go; a
 * lease is taken for the time of one PATCH, and given back whole, so that what a client is told is
 * what it will find, and stays so.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_files.h"
#include "daemon/gate/http_path.h"
#include "daemon/gate/http_tus.h"

/* A PATCH with a checksum is held back until that is known to be right. */
enum { CHECKED_MAX = 4 << 20, PIECE = 64 * 1024 };

struct tus {
	struct exchange *x; /* NULL: it is lost */
	enum http_method method;
	struct ask *ask; /* UPLOAD */
	struct put *put;
	bool opening, ending; /* the put's callbacks are due */
	bool done;            /* the body's bytes are with the put */

	uint8_t ticket[WIRE_ID];
	struct buf path;
	uint64_t at, declared;

	bool checked;
	uint8_t checksum[WIRE_HASH];
	struct buf held;
	size_t written; /* of held */
	struct put_result result;
};

static void tus_free(struct tus *t)
{
	if (t->x)
		t->x->state = NULL;
	buf_done(&t->path);
	buf_done(&t->held);
	free(t);
}

/* ---- answers ---- */

static void refuse(struct tus *t, enum http_problem p, const char *detail)
{
	struct exchange *x = t->x;
	CLEANUP(mem_free) char *kept = mem_text(detail);

	if (t->put)
		put_abandon(TAKE(t->put), "refused", NULL, NULL);
	tus_free(t);
	exchange_problem(x, p, view_text(kept));
}

static void refuse_code(struct tus *t, int code, const char *detail)
{
	refuse(t, problem_of(code), detail);
}

static void say_where(struct exchange *x, const uint8_t ticket[WIRE_ID])
{
	char hex[2 * WIRE_ID + 1];

	hex_encode(ticket, WIRE_ID, hex);
	exchange_add_field(x, "Location", "/uploads/%s", hex);
}

static void say_expiry(struct exchange *x, int64_t expires_us)
{
	char text[HTTP_DATE];

	date_write(expires_us / 1000000, text);
	if (expires_us && text[0])
		exchange_add_field(x, "Upload-Expires", "%s", text);
}

static void say_length(struct exchange *x, uint64_t declared)
{
	if (declared == SIZE_UNKNOWN)
		exchange_add_field(x, "Upload-Defer-Length", "1");
	else
		exchange_add_field(x, "Upload-Length", "%" PRIu64, declared);
}

static void say_receipt(struct exchange *x, uint64_t record)
{
	exchange_add_field(x, "Link", "</receipts/%" PRIu64 ">; rel=\"receipt\"", record);
}

/* ---- how far is it? ---- */

static void ask_upload(struct tus *t, keeper_answered *done)
{
	const struct ask_upload m = {.ticket = view_of(t->ticket, sizeof t->ticket)};

	t->ask = keeper_ask_upload(t->x->gate->keeper, t->x->session, &m, done, t);
}

/* False: refused. */
static bool read_upload(struct tus *t, const struct answer *a, struct answer_upload *ret)
{
	t->ask = NULL;
	if (a->status) {
		refuse_code(t, a->status, answer_text(a));
		return false;
	}
	if (answer_upload_read(a->body, ret)) {
		refuse_code(t, E_IO, "");
		err_clear();
		return false;
	}
	return true;
}

/* ---- the end of a PATCH or a creation ---- */

static void finish(struct tus *t, uint64_t offset)
{
	struct exchange *x = t->x;
	unsigned status = t->method == METHOD_POST ? 201 : 204;

	if (t->method == METHOD_POST)
		say_where(x, t->ticket);
	exchange_add_field(x, "Upload-Offset", "%" PRIu64, offset);
	tus_free(t);
	exchange_answer_empty(x, status);
}

static void on_head(void *arg, const struct answer *a);

static void on_published(void *arg, int rc, const char *text)
{
	struct tus *t = arg;

	t->ending = false;
	if (!t->x) {
		tus_free(t);
	} else if (rc || !t->result.published) {
		refuse_code(t, rc ? rc : E_IO, text);
	} else if (t->method == METHOD_HEAD) {
		ask_upload(t, on_head);
	} else {
		answer_published(t->x, &t->result);
		finish(t, t->result.size);
	}
}

static void on_told_again(void *arg, const struct answer *a)
{
	struct tus *t = arg;
	struct answer_upload m;

	if (!read_upload(t, a, &m))
		return;
	say_expiry(t->x, m.expires_us);
	finish(t, m.offset);
}

/* It is suspended: now the keep says how far it is. */
static void on_left(void *arg, int rc, const char *text)
{
	struct tus *t = arg;

	t->ending = false;
	if (!t->x)
		tus_free(t);
	else if (rc)
		refuse_code(t, rc, text);
	else
		ask_upload(t, on_told_again);
}

static void conclude(struct tus *t)
{
	t->ending = true;
	if (t->at == t->declared) {
		put_tell(t->put, &t->result);
		put_close(TAKE(t->put), on_published, t);
	} else {
		put_abandon(TAKE(t->put), "left for now", on_left, t);
	}
}

/* ---- bytes ---- */

static int write_piece(struct tus *t, struct view piece)
{
	int rc = put_write(t->put, t->at, piece);

	if (rc == E_AGAIN)
		return E_AGAIN;
	if (rc) {
		refuse_code(t, rc, err_cause());
		err_clear();
		return rc;
	}
	t->at += piece.len;
	return 0;
}

/* All of what was held back, as there is room. */
static void write_held(struct tus *t)
{
	while (t->written < t->held.len) {
		size_t left = t->held.len - t->written, n = left < PIECE ? left : PIECE;
		if (write_piece(t, view_of(t->held.data + t->written, n)))
			return;
		t->written += n;
	}
	t->done = false;
	conclude(t);
}

static int body(struct exchange *x, struct view piece)
{
	struct tus *t = x->state;
	uint64_t come = t->at + t->held.len;

	if (t->declared != SIZE_UNKNOWN && piece.len > t->declared - come) {
		refuse(t, PROBLEM_TOO_LARGE, "more than the upload's length");
		return 0;
	}
	if (!t->checked) {
		int rc = write_piece(t, piece);
		return rc == E_AGAIN ? E_AGAIN : 0;
	}
	if (piece.len > CHECKED_MAX - t->held.len) {
		refuse(t, PROBLEM_TOO_LARGE, "with a checksum 4 MiB may come at a time");
		return 0;
	}
	if (buf_add(&t->held, piece.data, piece.len)) {
		refuse_code(t, E_NOMEM, "");
		err_clear();
	}
	return 0;
}

static void body_end(struct exchange *x)
{
	struct tus *t = x->state;
	uint8_t hash[WIRE_HASH];

	if (!t->checked) {
		conclude(t);
		return;
	}
	sha256_of(view_buf(&t->held), hash);
	if (memcmp(hash, t->checksum, sizeof hash) != 0) {
		refuse(t, PROBLEM_CHECKSUM_MISMATCH, "nothing of this PATCH is kept");
		return;
	}
	t->done = true;
	write_held(t);
}

static void on_room(void *arg)
{
	struct tus *t = arg;

	if (t->x && t->done)
		write_held(t);
	else if (t->x)
		exchange_wake(t->x);
}

static void on_yielded(void *arg)
{
	struct tus *t = arg;

	t->put = NULL;
	if (t->x)
		refuse(t, PROBLEM_NAME_TAKEN, "another connection took the upload over");
}

/* ---- the lease ---- */

static void on_opened(void *arg, int rc, const char *text, struct put *p)
{
	struct tus *t = arg;

	t->opening = false;
	if (!t->x) {
		if (p) {
			put_stay(p);
			put_abandon(p, "the connection was lost", NULL, NULL);
		}
		tus_free(t);
		return;
	}
	if (rc) {
		refuse_code(t, rc, text);
		return;
	}
	t->put = p;
	memcpy(t->ticket, put_ticket(p).data, sizeof t->ticket);
	put_stay(p);
	put_listen(p, on_room, on_yielded, t);
	if (put_size(p) != t->at)
		refuse(t, PROBLEM_OFFSET, "the upload is not there any more");
	else
		exchange_want_body(t->x);
}

static void open_put(struct tus *t, uint8_t flags, uint64_t declared, struct view ticket,
		     put_opened *opened)
{
	struct exchange *x = t->x;
	const struct put_wish wish = {.flags = flags, .declared = declared, .ticket = ticket};

	t->opening = true;
	put_open_as(&x->gate->loop, x->gate->keeper, x->session, view_buf(&t->path), &wish, opened,
		    t);
}

/* ---- POST ---- */

/* Without a path the name goes to where clients send. */
static int read_path(struct tus *t)
{
	CLEANUP(buf_done) struct buf name = {0};
	struct exchange *x = t->x;
	bool there = false;
	int rc = tus_metadata(x->head, "path", &t->path, &there);

	if (rc || there)
		return rc ? rc
		       : t->path.len && t->path.data[0] == '/'
			   ? 0
			   : fail(E_INVALID, "Upload-Metadata: path does not begin with a slash");
	rc = tus_metadata(x->head, "filename", &name, &there);
	if (!rc && !there)
		rc = fail(E_INVALID, "Upload-Metadata needs path, or filename");
	if (!rc && (!name.len || memchr(name.data, '/', name.len)))
		rc = fail(E_INVALID, "Upload-Metadata: filename is no name");
	if (!rc && strcmp(x->home, "/") == 0)
		rc = fail(E_INVALID, "who may enter several zones says path, not filename");
	if (!rc)
		rc = buf_printf(&t->path, "%s/incoming/", x->home);
	return rc ? rc : buf_add(&t->path, name.data, name.len);
}

static int read_length(struct tus *t)
{
	const struct view *defer = exchange_field(t->x, "upload-defer-length");
	bool there = false;
	int rc = tus_number(t->x->head, "upload-length", &t->declared, &there);

	if (rc)
		return rc;
	if (there == (defer != NULL) || (defer && !view_is(*defer, "1")))
		return fail(E_INVALID, "Upload-Length, or Upload-Defer-Length: 1");
	if (!there)
		t->declared = SIZE_UNKNOWN;
	return 0;
}

static bool has_right_type(const struct exchange *x)
{
	const struct view *type = exchange_field(x, "content-type");

	return type && view_is_word(*type, TUS_CONTENT_TYPE);
}

static int read_mtime(struct tus *t, int64_t *ret_mtime_s)
{
	CLEANUP(buf_done) struct buf text = {0};
	bool there = false;
	const char *c = NULL;
	char *end = NULL;
	int rc = tus_metadata(t->x->head, "mtime", &text, &there);

	if (!rc && there)
		rc = buf_text(&text, &c);
	if (rc || !there)
		return rc;
	long long n = strtoll(c, &end, 10);
	if (!text.len || text.len > 15 || *end)
		return fail(E_INVALID, "Upload-Metadata: mtime is no number of seconds");
	*ret_mtime_s = n;
	return 0;
}

static void on_created(void *arg, int rc, const char *text, struct put *p)
{
	struct tus *t = arg;
	int64_t mtime_s = TIME_UNKNOWN;

	if (!rc && t->x && !read_mtime(t, &mtime_s) && mtime_s != TIME_UNKNOWN)
		put_set_mtime(p, mtime_s);
	on_opened(arg, rc, text, p);
}

static void create(struct tus *t)
{
	int64_t mtime_s;
	int rc = read_path(t);

	if (!rc)
		rc = read_length(t);
	if (!rc)
		rc = read_mtime(t, &mtime_s);
	if (!rc)
		rc = tus_checksum(t->x->head, t->checksum, &t->checked);
	if (rc) {
		refuse_code(t, rc, err_cause());
		err_clear();
	} else if (exchange_has_body(t->x) && !has_right_type(t->x)) {
		refuse(t, PROBLEM_MEDIA_TYPE, "Content-Type: " TUS_CONTENT_TYPE);
	} else {
		open_put(t, PUT_CREATE | PUT_TRUNCATE, t->declared, view_text(""), on_created);
	}
}

/* ---- PATCH ---- */

static int take_length(struct tus *t, const struct answer_upload *m, uint64_t *ret_declare)
{
	bool there = false;
	uint64_t length = 0;
	int rc = tus_number(t->x->head, "upload-length", &length, &there);

	*ret_declare = SIZE_UNKNOWN;
	t->declared = m->declared;
	if (rc || !there)
		return rc;
	if (m->declared != SIZE_UNKNOWN && m->declared != length)
		return fail(E_CONFLICT, "the upload has another length");
	t->declared = *ret_declare = length;
	return 0;
}

static void patch_finished(struct tus *t, const struct answer_upload *m, uint64_t offset)
{
	if (offset != m->offset || exchange_has_body(t->x)) {
		refuse(t, PROBLEM_OFFSET, "the upload is finished");
		return;
	}
	say_receipt(t->x, m->record);
	finish(t, m->offset);
}

static void on_patch(void *arg, const struct answer *a)
{
	struct tus *t = arg;
	struct answer_upload m;
	uint64_t offset = 0, declare = SIZE_UNKNOWN;
	bool there = false;

	if (!read_upload(t, a, &m))
		return;
	int rc = tus_number(t->x->head, "upload-offset", &offset, &there);
	if (!rc && !there)
		rc = fail(E_INVALID, "PATCH needs Upload-Offset");
	if (!rc)
		rc = tus_checksum(t->x->head, t->checksum, &t->checked);
	if (!rc)
		rc = take_length(t, &m, &declare);
	if (!rc)
		rc = buf_add(&t->path, m.path.data, m.path.len);
	if (rc) {
		refuse_code(t, rc, err_cause());
		err_clear();
	} else if (m.finished) {
		patch_finished(t, &m, offset);
	} else if (offset != m.offset) {
		exchange_add_field(t->x, "Upload-Offset", "%" PRIu64, m.offset);
		refuse(t, PROBLEM_OFFSET, "the upload is not there");
	} else if (t->declared != SIZE_UNKNOWN &&
		   (m.offset > t->declared || t->x->head->length > t->declared - m.offset)) {
		refuse(t, PROBLEM_TOO_LARGE, "more than the upload's length");
	} else {
		t->at = m.offset;
		open_put(t, 0, declare, view_of(t->ticket, sizeof t->ticket), on_opened);
	}
}

/* ---- HEAD ---- */

static int say_path(struct exchange *x, struct view path)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *c = NULL;
	int rc = base64_encode(path, BASE64_PADDED, &text);

	if (!rc)
		rc = buf_text(&text, &c);
	if (!rc)
		exchange_add_field(x, "Upload-Metadata", "path %s", c);
	return rc;
}

/* All of it is there, but a connection was lost, or a PATCH refused, before it was published. Who
 * hears that offset and length are the same takes it for done: so first it is. */
static void complete(struct tus *t, const struct answer_upload *m)
{
	t->at = t->declared = m->offset;
	if (buf_add(&t->path, m->path.data, m->path.len))
		refuse_code(t, E_NOMEM, "");
	else
		open_put(t, 0, SIZE_UNKNOWN, view_of(t->ticket, sizeof t->ticket), on_opened);
}

static void on_head(void *arg, const struct answer *a)
{
	struct tus *t = arg;
	struct answer_upload m;

	if (!read_upload(t, a, &m))
		return;
	if (!m.finished && m.offset == m.declared) {
		complete(t, &m);
		return;
	}
	struct exchange *x = t->x;
	exchange_add_field(x, "Upload-Offset", "%" PRIu64, m.offset);
	say_length(x, m.declared);
	if (m.finished)
		say_receipt(x, m.record);
	else
		say_expiry(x, m.expires_us);
	if (say_path(x, m.path))
		err_clear();
	tus_free(t);
	exchange_answer_empty(x, 200);
}

/* ---- DELETE ---- */

static void on_given_up(void *arg, int rc, const char *text)
{
	struct tus *t = arg;
	struct exchange *x = t->x;

	t->ending = false;
	if (!x || rc) {
		if (x)
			refuse_code(t, rc, text);
		else
			tus_free(t);
		return;
	}
	tus_free(t);
	exchange_answer_empty(x, 204);
}

static void on_doomed(void *arg, int rc, const char *text, struct put *p)
{
	struct tus *t = arg;

	t->opening = false;
	if (rc && t->x) {
		refuse_code(t, rc, text);
	} else if (rc) {
		tus_free(t);
	} else {
		t->ending = true;
		put_give_up(p, "its sender has given it up", on_given_up, t);
	}
}

static void on_delete(void *arg, const struct answer *a)
{
	struct tus *t = arg;
	struct answer_upload m;

	if (!read_upload(t, a, &m))
		return;
	if (m.finished)
		refuse(t, PROBLEM_NOT_FOUND, "the upload is finished: DELETE its file");
	else if (buf_add(&t->path, m.path.data, m.path.len))
		refuse_code(t, E_NOMEM, "");
	else
		open_put(t, 0, SIZE_UNKNOWN, view_of(t->ticket, sizeof t->ticket), on_doomed);
}

/* ---- GET ?path= ---- */

static int found_json(const struct answer_upload *m, struct buf *out)
{
	char hex[2 * WIRE_ID + 1], when[HTTP_DATE];
	int rc;

	hex_encode(m->ticket, WIRE_ID, hex);
	rc = buf_printf(out, "{\"upload\":\"/uploads/%s\",\"path\":", hex);
	if (!rc)
		rc = json_string_write(m->path, out);
	if (!rc)
		rc = buf_printf(out, ",\"offset\":%" PRIu64, m->offset);
	if (!rc)
		rc = m->declared == SIZE_UNKNOWN
			 ? buf_add_text(out, ",\"length\":null")
			 : buf_printf(out, ",\"length\":%" PRIu64, m->declared);
	date_write_iso(m->expires_us / 1000000, when);
	if (!rc)
		rc = m->expires_us ? buf_printf(out, ",\"expires\":\"%s\"", when)
				   : buf_add_text(out, ",\"expires\":null");
	return rc ? rc : buf_add_text(out, "}\n");
}

static void on_found(void *arg, const struct answer *a)
{
	CLEANUP(buf_done) struct buf json = {0};
	struct tus *t = arg;
	struct answer_upload m;

	if (!read_upload(t, a, &m))
		return;
	if (found_json(&m, &json)) {
		refuse_code(t, E_NOMEM, "");
		err_clear();
		return;
	}
	struct exchange *x = t->x;
	tus_free(t);
	exchange_answer(x, 200, "application/json", view_buf(&json));
}

static void find(struct tus *t)
{
	bool there = false;
	int rc = query_find(t->x->head->query, "path", &t->path, &there);

	if (!rc && (!there || !t->path.len || t->path.data[0] != '/'))
		rc = fail(E_INVALID, "which upload? ?path=/ZONE/path");
	if (rc) {
		refuse_code(t, rc, err_cause());
		err_clear();
		return;
	}
	const struct ask_upload m = {.path = view_buf(&t->path)};
	t->ask = keeper_ask_upload(t->x->gate->keeper, t->x->session, &m, on_found, t);
}

/* ---- which of them? ---- */

static enum http_method method_of(const struct exchange *x)
{
	const struct view *other = exchange_field(x, "x-http-method-override");

	if (other && exchange_is(x, METHOD_POST) && view_is(*other, "PATCH"))
		return METHOD_PATCH;
	if (other && exchange_is(x, METHOD_POST) && view_is(*other, "DELETE"))
		return METHOD_DELETE;
	return x->head->method;
}

static bool speaks(struct exchange *x)
{
	exchange_add_field(x, "Tus-Resumable", TUS_VERSION);
	if (tus_speaks(x->head))
		return true;
	exchange_add_field(x, "Tus-Version", TUS_VERSION);
	exchange_problem(x, PROBLEM_PRECONDITION, view_text("Tus-Resumable: " TUS_VERSION));
	return false;
}

static struct tus *tus_new(struct exchange *x)
{
	struct tus *t = mem_new(sizeof *t);

	*t = (struct tus){.x = x, .method = METHOD_POST, .declared = SIZE_UNKNOWN};
	x->state = t;
	return t;
}

/* /uploads */
static void uploads_begin(struct exchange *x)
{
	if (exchange_is(x, METHOD_GET))
		find(tus_new(x));
	else if (speaks(x))
		create(tus_new(x));
}

/* /uploads/ID */
static void upload_begin(struct exchange *x)
{
	enum http_method method = method_of(x);

	if (!speaks(x))
		return;
	if (method == METHOD_POST) {
		exchange_problem(x, PROBLEM_METHOD, view_text("POST makes an upload at /uploads"));
		return;
	}
	struct tus *t = tus_new(x);
	t->method = method;
	if (tus_ticket(x->rest, t->ticket))
		refuse(t, PROBLEM_NOT_FOUND, "there is no such upload");
	else if (method == METHOD_PATCH && !has_right_type(x))
		refuse(t, PROBLEM_MEDIA_TYPE, "Content-Type: " TUS_CONTENT_TYPE);
	else
		ask_upload(t, method == METHOD_PATCH    ? on_patch
			      : method == METHOD_DELETE ? on_delete
							: on_head);
}

static void lost(struct exchange *x, const char *reason)
{
	struct tus *t = x->state;

	if (!t)
		return;
	t->x = NULL;
	if (t->ask)
		ask_forget(TAKE(t->ask));
	if (t->put)
		put_abandon(TAKE(t->put), reason, NULL, NULL);
	if (!t->opening && !t->ending)
		tus_free(t);
}

const struct http_handler http_uploads = {
    .name = "uploads", .begin = uploads_begin, .body = body, .body_end = body_end, .lost = lost};
const struct http_handler http_upload = {
    .name = "upload", .begin = upload_begin, .body = body, .body_end = body_end, .lost = lost};
