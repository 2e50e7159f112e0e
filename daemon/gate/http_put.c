/* SPDX-License-Identifier: Apache-2.0 */
/* PUT: an upload in one request. What can refuse it is asked before its body may come; the answer
 * comes when the file is stored, recorded and published. A body that breaks off leaves an
 * unfinished upload. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "daemon/gate/http_condition.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_files.h"
#include "daemon/gate/http_path.h"

struct upload {
	struct exchange *x; /* NULL: it is lost */
	struct buf path;
	struct put *put; /* until it is closed, abandoned or yielded */
	bool opening, closing, fresh;
	bool expects;
	uint8_t expected[WIRE_HASH];
	uint64_t at;
	struct put_result result;
};

static void upload_free(struct upload *u)
{
	if (u->x)
		u->x->state = NULL;
	buf_done(&u->path);
	free(u);
}

static void refuse(struct upload *u, int code, const char *sentence)
{
	struct exchange *x = u->x;
	CLEANUP(mem_free) char *kept = mem_text(sentence); /* it may be the upload's */

	if (u->put)
		put_abandon(TAKE(u->put), kept, NULL, NULL);
	upload_free(u);
	exchange_fail(x, code, kept);
}

void answer_published(struct exchange *x, const struct put_result *r)
{
	char tag[ETAG], digest[DIGEST_TEXT];

	etag_write(r->sha256, tag);
	digest_write(r->sha256, digest);
	exchange_add_field(x, "ETag", "%s", tag);
	exchange_add_field(x, "Repr-Digest", "%s", digest);
	exchange_add_field(x, "Link", "</receipts/%" PRIu64 ">; rel=\"receipt\"", r->record);
}

/* ---- the end ---- */

static void on_closed(void *arg, int rc, const char *text)
{
	struct upload *u = arg;
	struct exchange *x = u->x;
	struct put_result result = u->result;
	CLEANUP(buf_done) struct buf where = {0};
	const char *location = NULL;

	u->closing = false;
	if (!x) {
		upload_free(u);
		return;
	}
	if (!rc && result.published && !path_to_url(view_buf(&u->path), &where) &&
	    !buf_text(&where, &location))
		exchange_add_field(x, "Location", "%s", location);
	upload_free(u);
	if (result.mismatch) {
		exchange_problem(x, PROBLEM_DIGEST_MISMATCH, view_text(text));
	} else if (rc || !result.published) {
		exchange_fail(x, rc ? rc : E_IO, text);
	} else {
		answer_published(x, &result);
		exchange_answer_empty(x, result.replaced ? 204 : 201);
	}
}

static void body_end(struct exchange *x)
{
	struct upload *u = x->state;

	u->closing = true;
	put_tell(u->put, &u->result);
	put_close(TAKE(u->put), on_closed, u);
}

/* ---- the body ---- */

static int body(struct exchange *x, struct view piece)
{
	struct upload *u = x->state;
	int rc = put_write(u->put, u->at, piece);

	if (rc == E_AGAIN)
		return E_AGAIN;
	if (rc) {
		refuse(u, rc, err_cause());
		err_clear();
		return 0;
	}
	u->at += piece.len;
	return 0;
}

static void on_room(void *arg)
{
	struct upload *u = arg;

	if (u->x)
		exchange_wake(u->x);
}

static void on_yielded(void *arg)
{
	struct upload *u = arg;

	u->put = NULL;
	if (u->x)
		refuse(u, E_TAKEN, "another connection took the upload over");
}

/* ---- the beginning ---- */

static void on_opened(void *arg, int rc, const char *text, struct put *p)
{
	struct upload *u = arg;
	const struct view *modified;
	int64_t mtime_s;

	u->opening = false;
	if (!u->x) {
		if (p)
			put_abandon(p, "the connection was lost", NULL, NULL);
		upload_free(u);
		return;
	}
	if (rc) {
		refuse(u, rc == E_EXISTS && u->fresh ? E_CONFLICT : rc, text);
		return;
	}
	u->put = p;
	put_listen(p, on_room, on_yielded, u);
	if (u->expects)
		put_expect(p, u->expected);
	modified = exchange_field(u->x, "last-modified");
	if (modified && date_read(*modified, (int64_t)time(NULL), &mtime_s) == 0)
		put_set_mtime(p, mtime_s);
	exchange_want_body(u->x);
}

static void ask_lease(struct upload *u)
{
	struct exchange *x = u->x;
	CLEANUP(buf_done) struct buf hashes = {0};
	bool any = false;
	int rc = conditions_of_put(x->head, &hashes, &any, &u->fresh);

	if (!rc)
		rc = digest_of_put(x->head, u->expected, &u->expects);
	if (rc) {
		refuse(u, rc, err_cause());
		err_clear();
		return;
	}
	const struct put_wish wish = {
	    .flags = (uint8_t)(PUT_CREATE | PUT_TRUNCATE | (u->fresh ? PUT_EXCLUSIVE : 0) |
			       (any ? PUT_EXISTING : 0)),
	    .declared = x->head->chunked ? SIZE_UNKNOWN : x->head->length,
	    .match = view_buf(&hashes),
	};
	u->opening = true;
	put_open_as(&x->gate->loop, x->gate->keeper, x->session, view_buf(&u->path), &wish,
		    on_opened, u);
}

static void put_begin(struct exchange *x)
{
	const struct view *coding = exchange_field(x, "content-encoding");
	struct place_asked place = {0};

	if (exchange_field(x, "content-range")) {
		exchange_fail(x, E_INVALID, "a part of a file is not a file: use /uploads");
		return;
	}
	if (coding && !view_is_word(*coding, "identity")) {
		exchange_problem(x, PROBLEM_MEDIA_TYPE, view_text("Content-Encoding: identity"));
		return;
	}
	if (!place_take(x, &place))
		return;
	if (place.folder) {
		buf_done(&place.path);
		exchange_fail(x, E_IS_DIR, "this names a folder: POST ?mkdir makes one");
		return;
	}
	struct upload *u = mem_new(sizeof *u);
	*u = (struct upload){.x = x, .path = place.path};
	x->state = u;
	ask_lease(u);
}

static void lost(struct exchange *x, const char *reason)
{
	struct upload *u = x->state;

	if (!u)
		return;
	u->x = NULL;
	if (u->put)
		put_abandon(TAKE(u->put), reason, NULL, NULL);
	if (!u->opening && !u->closing)
		upload_free(u);
}

const struct http_handler http_put = {
    .name = "put", .begin = put_begin, .body = body, .body_end = body_end, .lost = lost};
