/* SPDX-License-Identifier: Apache-2.0 */
/* GET and HEAD of a file. What only asks whether something has changed is answered without opening
 * it: an opening is a record in the log. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "daemon/gate/get.h"
#include "daemon/gate/http_condition.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_files.h"
#include "daemon/gate/http_path.h"

struct download {
	struct exchange *x; /* NULL: it is lost */
	struct buf path;
	struct ask *ask; /* STAT */
	struct get *get;
	bool opening;
	uint64_t at, end;
};

static void download_free(struct download *d)
{
	buf_done(&d->path);
	free(d);
}

/* The exchange is answered, or lost, and nothing is under way any more. */
static void forget(struct download *d)
{
	if (d->x)
		d->x->state = NULL;
	download_free(d);
}

static void refuse(struct download *d, int code, const char *sentence)
{
	struct exchange *x = d->x;

	if (d->get)
		get_close(TAKE(d->get), code, NULL, NULL);
	forget(d);
	exchange_fail(x, code, sentence);
}

/* ---- the head of the answer ---- */

static void common_fields(struct exchange *x, const struct download *d, const struct attrs *a)
{
	CLEANUP(buf_done) struct buf disposition = {0};
	char tag[ETAG], digest[DIGEST_TEXT], date[HTTP_DATE];
	const char *text = NULL;

	if (a->sha256.len == WIRE_HASH) {
		etag_write(a->sha256.data, tag);
		digest_write(a->sha256.data, digest);
		answer_field(x, "ETag", "%s", tag);
		answer_field(x, "Repr-Digest", "%s", digest);
	}
	date_write(a->mtime_s, date);
	if (date[0])
		answer_field(x, "Last-Modified", "%s", date);
	answer_field(x, "Accept-Ranges", "bytes");
	answer_field(x, "Cache-Control", "private, no-cache");
	answer_field(x, "Content-Type", "%s", media_type_of(view_buf(&d->path)));
	if (!disposition_write(view_buf(&d->path), &disposition) && !buf_text(&disposition, &text))
		answer_field(x, "Content-Disposition", "%s", text);
	err_clear();
}

/* True: the request is answered by what is there, without its content. */
static bool answered_by_conditions(struct download *d, const struct attrs *a)
{
	struct exchange *x = d->x;
	const struct representation r = {a->sha256.data, a->size, a->mtime_s};

	if (a->sha256.len != WIRE_HASH)
		return false;
	unsigned status = condition_of_get(x->head, &r, (int64_t)time(NULL));
	if (!status)
		return false;
	if (d->get)
		get_close(TAKE(d->get), 0, NULL, NULL);
	if (status == 304) {
		answer_begin(x, 304);
		common_fields(x, d, a);
		answer_start(x, 0);
		forget(d);
		exchange_finish(x);
	} else {
		forget(d);
		exchange_problem(x, PROBLEM_PRECONDITION, view_text(""));
	}
	return true;
}

/* ---- the content ---- */

static void out_of_range(struct download *d, uint64_t size)
{
	struct exchange *x = d->x;

	get_close(TAKE(d->get), 0, NULL, NULL);
	forget(d);
	exchange_add_field(x, "Content-Range", "bytes */%" PRIu64, size);
	exchange_problem(x, PROBLEM_RANGE, view_text(""));
}

/* All of it has been handed over. */
static void finish(struct download *d)
{
	struct exchange *x = d->x;

	get_close(TAKE(d->get), 0, NULL, NULL);
	forget(d);
	exchange_finish(x);
}

static void start(struct download *d)
{
	struct exchange *x = d->x;
	const struct attrs *a = get_attrs(d->get);
	const struct representation r = {a->sha256.data, a->size, a->mtime_s};
	struct range range = {0, a->size, false};

	if (answered_by_conditions(d, a))
		return;
	if (a->sha256.len == WIRE_HASH && !range_of_get(x->head, &r, (int64_t)time(NULL), &range)) {
		out_of_range(d, a->size);
		return;
	}
	d->at = range.first;
	d->end = range.first + range.len;
	answer_begin(x, range.partial ? 206 : 200);
	common_fields(x, d, a);
	if (range.partial)
		answer_field(x, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, d->at,
			     d->end - 1, a->size);
	answer_start(x, range.len);
	if (!range.len) /* produce() is asked only while there is room for something */
		finish(d);
}

/* A folder's own URL ends with a slash. */
static void redirect(struct download *d)
{
	struct exchange *x = d->x;

	exchange_add_field(x, "Location", "%.*s/", (int)x->head->path.len,
			   (const char *)x->head->path.data);
	forget(d);
	exchange_answer_empty(x, 308);
}

static void on_ready(void *arg)
{
	struct download *d = arg;

	if (d->x)
		exchange_wake(d->x);
}

static void on_opened(void *arg, int rc, const char *text, struct get *g)
{
	struct download *d = arg;

	d->opening = false;
	d->get = g;
	if (!d->x) {
		if (g)
			get_close(TAKE(d->get), E_GONE, NULL, NULL);
		download_free(d);
	} else if (rc == E_IS_DIR) {
		redirect(d);
	} else if (rc) {
		refuse(d, rc, text);
	} else {
		get_listen(g, on_ready, d);
		start(d);
	}
}

static void open_it(struct download *d)
{
	struct exchange *x = d->x;

	d->opening = true;
	get_open(&x->gate->loop, x->gate->keeper, x->session, view_buf(&d->path), on_opened, d);
}

/* All that there is room for. False: nothing more for now, or for ever. */
static bool produce_some(struct download *d)
{
	struct exchange *x = d->x;
	size_t room = answer_room(x), got = 0;

	if (!room || d->at == d->end)
		return false;
	size_t want = room < GET_READ_MAX ? room : GET_READ_MAX;
	uint8_t *into = answer_reserve(x, want);
	int rc = into ? get_read(d->get, d->at, into, want, &got) : E_NOMEM;
	if (rc == E_AGAIN)
		return false;
	if (!rc && !got)
		rc = E_IO;
	if (rc) { /* what has been sent is good, and less than was promised */
		get_close(TAKE(d->get), rc, NULL, NULL);
		forget(d);
		exchange_cut(x, "a stored file cannot be read");
		err_clear();
		return false;
	}
	answer_commit(x, got);
	d->at += got;
	return true;
}

static void produce(struct exchange *x)
{
	struct download *d = x->state;

	while (produce_some(d))
		;
	if (x->open && d->at == d->end)
		finish(d);
}

/* ---- what is there? ---- */

static void on_stat(void *arg, const struct answer *answer)
{
	struct download *d = arg;
	struct exchange *x = d->x;
	struct attrs a;

	d->ask = NULL;
	if (answer->status) {
		refuse(d, answer->status, answer_text(answer));
	} else if (attrs_read(answer->body, &a)) {
		refuse(d, E_IO, "");
		err_clear();
	} else if (a.kind == NODE_DIR) {
		redirect(d);
	} else if (a.kind == NODE_PARTIAL) {
		refuse(d, E_UNFINISHED, "this upload is not finished");
	} else if (answered_by_conditions(d, &a)) {
		return;
	} else if (exchange_is(x, METHOD_GET)) {
		open_it(d);
	} else {
		answer_begin(x, 200);
		common_fields(x, d, &a);
		answer_start(x, a.size);
		forget(d);
		exchange_finish(x);
	}
}

static bool is_conditional(const struct http_head *h)
{
	static const char *const fields[] = {"if-match", "if-none-match", "if-modified-since",
					     "if-unmodified-since"};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (head_find_field(h, fields[i]))
			return true;
	return false;
}

static void download_begin(struct exchange *x)
{
	struct place_asked place = {0};

	if (!place_take(x, &place))
		return;
	struct download *d = mem_new(sizeof *d);
	*d = (struct download){.x = x, .path = place.path};
	x->state = d;
	if (exchange_is(x, METHOD_GET) && !is_conditional(x->head)) {
		open_it(d);
		return;
	}
	const struct ask_stat m = {view_buf(&d->path)};
	d->ask = keeper_ask_stat(x->gate->keeper, x->session, &m, on_stat, d);
}

static void lost(struct exchange *x, const char *reason)
{
	struct download *d = x->state;

	(void)reason;
	if (!d)
		return;
	d->x = NULL;
	if (d->ask)
		ask_forget(TAKE(d->ask));
	if (d->get)
		get_close(TAKE(d->get), E_GONE, NULL, NULL);
	if (!d->opening)
		download_free(d);
}

const struct http_handler http_download = {
    .name = "download", .begin = download_begin, .produce = produce, .lost = lost};
