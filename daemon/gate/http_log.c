/* SPDX-License-Identifier: Apache-2.0 */
/* GET and HEAD of the log: its checkpoint, tiles and entries as C2SP tlog-tiles wants them, and
 * records as lines of JSON. The keep reads, and hands over memory that is sealed: nothing here
 * waits for a disk. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sys.h"
#include "daemon/gate/http_handlers.h"
#include "daemon/gate/http_log_words.h"

struct reading {
	struct ask *ask;
	struct log_words words; /* of records */
	int fd;
	uint64_t at, size;
};

static void forget(struct exchange *x)
{
	struct reading *r = TAKE(x->state);

	if (!r)
		return;
	log_words_done(&r->words);
	sys_close(&r->fd);
	free(r);
}

static void lost(struct exchange *x, const char *reason)
{
	struct reading *r = x->state;

	(void)reason;
	if (r && r->ask)
		ask_forget(TAKE(r->ask));
	forget(x);
}

static struct reading *reading_of(struct exchange *x)
{
	struct reading *r = mem_new(sizeof *r);

	r->fd = -1;
	x->state = r;
	return r;
}

static void refuse(struct exchange *x, int code, const char *sentence)
{
	forget(x);
	exchange_fail(x, code, sentence);
	err_clear();
}

/* ---- the answer's body ---- */

static void finish(struct exchange *x)
{
	forget(x);
	exchange_finish(x);
}

static void produce(struct exchange *x)
{
	struct reading *r = x->state;
	size_t room = answer_room(x);
	uint64_t left = r->size - r->at;
	size_t n = left < room ? (size_t)left : room;

	if (!answer_has_body(x)) {
		finish(x);
		return;
	}
	uint8_t *into = n ? answer_reserve(x, n) : NULL;
	if (n && (!into || sys_pread_all(r->fd, into, n, r->at))) {
		forget(x);
		exchange_cut(x, "what the keep has handed over cannot be read");
		err_clear();
		return;
	}
	answer_commit(x, n);
	r->at += n;
	if (r->at == r->size)
		finish(x);
}

/* Status and fields are there. */
static void start(struct exchange *x)
{
	struct reading *r = x->state;

	answer_start(x, r->size);
	if (!r->size || !answer_has_body(x)) /* produce() is asked only where there is room */
		finish(x);
}

/* The keep's answer. False: it is a refusal, or makes no sense, which has been told. */
static bool taken(struct exchange *x, const struct answer *a, int malformed)
{
	struct reading *r = x->state;

	r->ask = NULL;
	if (a->status || malformed || a->fd_count != 1) {
		refuse(x, a->status ? a->status : E_IO, a->status ? answer_text(a) : "");
		return false;
	}
	r->fd = TAKE_FD(a->fds[0]);
	return true;
}

/* ---- /log/checkpoint, /log/tile/ ---- */

static const struct {
	const char *type, *cache;
} kinds[] = {
    [LOG_CHECKPOINT] = {"text/plain; charset=utf-8", "private, no-cache"},
    [LOG_TILE] = {"application/octet-stream", "private, max-age=31536000, immutable"},
    [LOG_ENTRIES] = {"application/octet-stream", "private, max-age=31536000, immutable"},
};

/* It is routed by its path: that it has been read once, it can be again. */
static int file_of(const struct exchange *x, struct ask_log_file *ret_ask)
{
	if (x->rest.len)
		return log_tile_read(x->rest, ret_ask);
	*ret_ask = (struct ask_log_file){.kind = LOG_CHECKPOINT};
	return 0;
}

static void on_file(void *arg, const struct answer *a)
{
	struct exchange *x = arg;
	struct ask_log_file asked = {0};
	struct answer_log_file m = {0};
	int rc = a->status ? 0 : answer_log_file_read(a->body, &m);

	if (!rc)
		rc = file_of(x, &asked);
	if (!taken(x, a, rc))
		return;
	struct reading *r = x->state;
	r->size = m.size;
	answer_begin(x, 200);
	answer_field(x, "Content-Type", "%s", kinds[asked.kind].type);
	answer_field(x, "Cache-Control", "%s", kinds[asked.kind].cache);
	start(x);
}

static void log_begin(struct exchange *x)
{
	struct ask_log_file m = {0};

	if (file_of(x, &m))
		exchange_fail(x, E_GONE, "the log has no such part");
	else
		reading_of(x)->ask =
		    keeper_ask_log_file(x->gate->keeper, x->session, &m, on_file, x);
}

const struct http_handler http_log = {
    .name = "log", .begin = log_begin, .produce = produce, .lost = lost};

/* ---- /log/records ---- */

static int add_next(struct exchange *x, const struct answer_log_query *m)
{
	const struct reading *r = x->state;
	CLEANUP(buf_done) struct buf url = {0};
	const char *text = NULL;
	int rc = log_words_next(&r->words, m->cursor, m->before, &url);

	if (!rc)
		rc = buf_text(&url, &text);
	if (!rc)
		answer_field(x, "Link", "<%s>; rel=\"next\"", text);
	return rc;
}

static void on_records(void *arg, const struct answer *a)
{
	struct exchange *x = arg;
	struct answer_log_query m = {0};
	int rc = a->status ? 0 : answer_log_query_read(a->body, &m);

	if (!taken(x, a, rc))
		return;
	struct reading *r = x->state;
	r->size = m.size;
	answer_begin(x, 200);
	answer_field(x, "Content-Type", "application/x-ndjson");
	if (!m.end && add_next(x, &m)) { /* without it the page would be taken for the last one */
		forget(x);
		exchange_cut(x, "no memory");
		err_clear();
		return;
	}
	start(x);
}

static void records_begin(struct exchange *x)
{
	struct reading *r = reading_of(x);

	if (log_words_read(x->head->query, &r->words)) {
		CLEANUP(mem_free) char *why = mem_text(err_cause());
		refuse(x, E_INVALID, why);
		return;
	}
	r->ask = keeper_ask_log_query(x->gate->keeper, x->session, &r->words.ask, on_records, x);
}

const struct http_handler http_records = {
    .name = "records", .begin = records_begin, .produce = produce, .lost = lost};
