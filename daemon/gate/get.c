/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/get.h"

#include <assert.h>

#include "base/mem.h"
#include "daemon/gate/buffers.h"
#include "daemon/gate/job.h"
#include "daemon/gate/payload.h"
#include "daemon/gate/spans.h"

enum {
	CHUNK = AGE_CHUNK,
	BATCH = GET_WINDOW / 2, /* one half is read while the other is fetched */
	JOBS = 2,
	NEAR = 2 * CHUNK, /* clients that keep several reads in flight may mix them up so far */
	IDLE_MS = 3000
};

/* BAD: could not be fetched; an error only when somebody reads there. */
enum slot_state { SLOT_FREE, SLOT_LOADING, SLOT_READY, SLOT_BAD };
struct slot {
	enum slot_state state;
	uint64_t index;
	uint64_t used; /* by which read the last time */
	uint8_t *data; /* stays while FREE, to be used again */
	size_t len;
};

struct fetch {
	struct job job;
	unsigned count, fetched;
	struct slot *slot[BATCH];
};

#define MAGIC 0x47455421u
struct get {
	uint32_t magic;
	struct get *prev, *next;
	uv_loop_t *loop;
	struct keeper *keeper;
	get_opened *opened;
	void *opened_arg;
	void (*on_ready)(void *arg);
	void *listener;
	get_done *done;
	void *done_arg;

	uint64_t number;
	struct payload blob;
	struct attrs attrs;
	char *owner_name;          /* attrs.owner_name borrows from it */
	uint8_t sha256[WIRE_HASH]; /* and attrs.sha256 */

	struct slot slot[GET_WINDOW];
	struct fetch fetch[JOBS];
	unsigned busy;     /* jobs */
	bool hungry;       /* was told E_AGAIN */
	uint64_t reads;    /* so far */
	uint64_t expected; /* where a sequential reader goes on */
	unsigned ahead;    /* chunks to fetch behind what is read */
	uint64_t last_ms;  /* the last read, in the loop's time */
	uv_timer_t idle;

	uint64_t bytes;
	struct spans ranges;

	int rc; /* final */
	char text[256], bad_text[256];
	int bad_rc;
	bool ending;
	int code; /* for the keep */
	struct job close_job;
};

static struct get *all;

static struct get *new_get(uv_loop_t *loop, struct keeper *keeper)
{
	struct get *g = mem_new(sizeof *g);

	g->magic = MAGIC;
	g->loop = loop;
	g->keeper = keeper;
	g->blob = PAYLOAD_NONE;
	g->ranges = spans_of(GET_RANGES_MAX + 1);
	g->next = all;
	if (all)
		all->prev = g;
	all = g;
	return g;
}

static void free_get(struct get *g)
{
	assert(!g->busy && g->blob.fd < 0);
	*(g->prev ? &g->prev->next : &all) = g->next;
	if (g->next)
		g->next->prev = g->prev;
	spans_done(&g->ranges);
	free(g->owner_name);
	g->magic = 0;
	free(g);
}

static struct get *get_of(void *arg)
{
	struct get *g = arg;

	assert(g->magic == MAGIC);
	return g;
}

unsigned get_count(void)
{
	unsigned n = 0;

	for (const struct get *g = all; g; g = g->next)
		n++;
	return n;
}

static void set_error(struct get *g, int rc, const char *text)
{
	g->rc = rc;
	(void)snprintf(g->text, sizeof g->text, "%s", *text ? text : err_word(rc));
}

static void set_keeps_error(struct get *g, const struct answer *a)
{
	struct reader r = reader_of(a->body);
	struct view v = read_bytes(&r);

	g->rc = a->status;
	(void)snprintf(g->text, sizeof g->text, "%.*s", (int)v.len, (const char *)v.data);
	if (!v.len)
		set_error(g, a->status, "");
}

/* --- the end --- */

static void drop_buffers(struct get *g)
{
	for (unsigned i = 0; i < GET_WINDOW; i++) {
		if (g->slot[i].state == SLOT_LOADING)
			continue;
		buffer_give(&g->slot[i].data);
		g->slot[i].state = SLOT_FREE;
	}
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct get *g = get_of(handle->data);
	get_done *done = TAKE(g->done);

	if (done)
		done(g->done_arg, g->rc, g->text);
	free_get(g);
}

static void on_told(void *arg, const struct answer *a)
{
	struct get *g = get_of(arg);

	g->rc = 0; /* what went wrong before was said when it did */
	g->text[0] = '\0';
	if (a->status)
		set_keeps_error(g, a);
	uv_close((uv_handle_t *)&g->idle, on_idle_closed);
}

static void tell_keep(struct get *g)
{
	uint8_t ranges[GET_RANGES_MAX * 2 * sizeof(uint64_t)];
	struct writer w = writer_of(ranges, sizeof ranges);

	for (unsigned i = 0; i < g->ranges.count; i++) {
		write_u64(&w, g->ranges.at[i].from);
		write_u64(&w, g->ranges.at[i].to);
	}
	struct ask_get_close m = {
	    .bytes = g->bytes, .ranges = view_of(ranges, w.len), .code = (uint8_t)-g->code};
	(void)keeper_ask_get_close(g->keeper, g->number, &m, on_told, g);
}

static int close_work(struct job *j)
{
	struct get *g = j->owner;

	payload_close(&g->blob);
	return 0;
}

static void close_done(struct job *j)
{
	struct get *g = get_of(j->owner);

	g->busy--;
	tell_keep(g);
}

static void start(struct get *g, struct job *j, int (*work)(struct job *),
		  void (*done)(struct job *))
{
	j->owner = g;
	j->work = work;
	j->done = done;
	g->busy++;
	job_start(g->loop, j);
}

static void end_when_quiet(struct get *g)
{
	if (!g->ending || g->busy)
		return;
	(void)uv_timer_stop(&g->idle);
	drop_buffers(g);
	start(g, &g->close_job, close_work, close_done);
}

void get_close(struct get *g, int code, get_done *done, void *arg)
{
	assert(!g->ending);
	g->ending = true;
	g->code = code ? code : g->bad_rc; /* of damage the client knows nothing but an error */
	g->done = done;
	g->done_arg = arg;
	end_when_quiet(g);
}

/* --- opening --- */

static int adopt(struct get *g, const struct answer_get_open *m, const struct answer *a)
{
	if (a->fd_count < 1 || m->size > AGE_PLAIN_MAX)
		return fail(E_PROTOCOL, "a download that makes no sense");
	int rc =
	    payload_open(&a->fds[0], m->blob_offset, view_of(m->payload_key, WIRE_HASH), &g->blob);
	if (rc)
		return rc;
	g->blob.finished = true;
	g->blob.size = m->size;
	g->owner_name = mem_text_n(m->owner_name.data, m->owner_name.len);
	g->attrs = (struct attrs){.kind = m->kind,
				  .rights = m->rights,
				  .size = m->size,
				  .mtime_s = m->mtime_s,
				  .owner = m->owner,
				  .owner_name = view_of(g->owner_name, m->owner_name.len)};
	if (m->sha256.len == WIRE_HASH) {
		memcpy(g->sha256, m->sha256.data, WIRE_HASH);
		g->attrs.sha256 = view_of(g->sha256, WIRE_HASH);
	}
	return 0;
}

/* The keep has recorded a download that cannot begin: it must hear of its end. */
static void give_up(struct get *g, int rc)
{
	char text[sizeof g->text];

	set_error(g, rc, err_cause());
	err_clear();
	memcpy(text, g->text, sizeof text);
	g->opened(g->opened_arg, rc, text, NULL);
	get_close(g, rc, NULL, NULL);
}

static void on_opened(void *arg, const struct answer *a)
{
	struct get *g = get_of(arg);
	struct answer_get_open m;
	int rc = a->status;

	if (rc)
		set_keeps_error(g, a);
	else if (answer_get_open_read(a->body, &m)) {
		err_clear();
		set_error(g, E_PROTOCOL, "");
	}
	if (g->rc) {
		g->opened(g->opened_arg, g->rc, g->text, NULL);
		free_get(g);
		return;
	}
	g->number = m.get;
	(void)uv_timer_init(g->loop, &g->idle);
	g->idle.data = g;
	rc = adopt(g, &m, a);
	wipe(m.payload_key, sizeof m.payload_key);
	if (rc)
		give_up(g, rc);
	else
		g->opened(g->opened_arg, 0, "", g);
}

void get_open(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
	      get_opened *opened, void *arg)
{
	struct get *g = new_get(loop, keeper);
	struct ask_get_open m = {.path = path};

	g->opened = opened;
	g->opened_arg = arg;
	(void)keeper_ask_get_open(keeper, session, &m, on_opened, g);
}

void get_listen(struct get *g, void (*on_ready)(void *arg), void *arg)
{
	g->on_ready = on_ready;
	g->listener = arg;
}

uint64_t get_size(const struct get *g)
{
	return g->attrs.size;
}

const struct attrs *get_attrs(const struct get *g)
{
	return &g->attrs;
}

/* --- idleness --- */

static void on_idle(uv_timer_t *timer)
{
	struct get *g = get_of(timer->data);
	uint64_t quiet_ms = uv_now(g->loop) - g->last_ms;

	if (g->busy || quiet_ms < IDLE_MS)
		(void)uv_timer_start(timer, on_idle, g->busy ? IDLE_MS : IDLE_MS - quiet_ms, 0);
	else
		drop_buffers(g);
}

static void not_idle(struct get *g)
{
	g->last_ms = uv_now(g->loop);
	if (!uv_is_active((uv_handle_t *)&g->idle))
		(void)uv_timer_start(&g->idle, on_idle, IDLE_MS, 0);
}

/* --- fetching --- */

static int fetch_work(struct job *j)
{
	struct fetch *f = CONTAINER_OF(j, struct fetch, job);
	const struct get *g = j->owner;
	int rc = 0;

	for (f->fetched = 0; f->fetched < f->count; f->fetched++) {
		struct slot *s = f->slot[f->fetched];
		rc = payload_fetch(&g->blob, s->index, s->data, &s->len);
		if (rc)
			break;
	}
	return rc;
}

static void fetch_done(struct job *j)
{
	struct fetch *f = CONTAINER_OF(j, struct fetch, job);
	struct get *g = get_of(j->owner);

	g->busy--;
	for (unsigned i = 0; i < f->count; i++)
		f->slot[i]->state = i < f->fetched ? SLOT_READY : SLOT_FREE;
	if (j->rc) {
		f->slot[f->fetched]->state = SLOT_BAD;
		g->bad_rc = j->rc;
		memcpy(g->bad_text, j->text, sizeof g->bad_text);
	}
	if (g->hungry && !g->ending) {
		g->hungry = false;
		if (g->on_ready)
			g->on_ready(g->listener); /* may close g, which then frees it later */
	}
	end_when_quiet(g);
}

static struct slot *find(struct get *g, uint64_t index)
{
	for (unsigned i = 0; i < GET_WINDOW; i++)
		if (g->slot[i].state != SLOT_FREE && g->slot[i].index == index)
			return &g->slot[i];
	return NULL;
}

/* A slot for a chunk, out of those that are not wanted (first … last) now. */
static struct slot *take(struct get *g, uint64_t first, uint64_t last)
{
	struct slot *best = NULL;

	for (unsigned i = 0; i < GET_WINDOW; i++) {
		struct slot *s = &g->slot[i];
		bool wanted = s->state != SLOT_FREE && s->index >= first && s->index <= last;
		if (s->state == SLOT_LOADING || wanted)
			continue;
		if (!best || s->state == SLOT_FREE || s->used < best->used)
			best = s;
		if (best->state == SLOT_FREE)
			break;
	}
	if (best && !best->data && buffer_take(&best->data)) {
		err_clear();
		return NULL;
	}
	return best;
}

static void fetch_run(struct get *g, struct fetch *f, uint64_t *at, uint64_t first, uint64_t last)
{
	f->count = 0;
	for (; *at <= last && f->count < BATCH; (*at)++) {
		struct slot *s = find(g, *at) ? NULL : take(g, first, last);
		if (!s)
			continue;
		s->state = SLOT_LOADING;
		s->index = *at;
		s->used = g->reads;
		f->slot[f->count++] = s;
	}
	if (f->count)
		start(g, &f->job, fetch_work, fetch_done);
}

static unsigned missing(struct get *g, uint64_t first, uint64_t last)
{
	unsigned n = 0;

	for (uint64_t i = first; i <= last; i++)
		n += !find(g, i);
	return n;
}

/*
 * Fetch chunks first … last, and so many behind them as the reader's habits deserve. A read
 * that waits begins at once; reading ahead goes in batches.
 */
static void fetch(struct get *g, uint64_t first, uint64_t last)
{
	uint64_t end = age_chunk_count(g->attrs.size) - 1, want = last + g->ahead;
	uint64_t at = first;

	if (want >= first + GET_WINDOW)
		want = first + GET_WINDOW - 1;
	if (want > end)
		want = end;
	unsigned n = missing(g, first, want);
	if (n == 0 || (!missing(g, first, last) && n < BATCH && (g->busy || want < end)))
		return;
	for (unsigned i = 0; i < JOBS; i++)
		if (!g->fetch[i].job.busy)
			fetch_run(g, &g->fetch[i], &at, first, want);
}

/* --- reading --- */

/* 0, E_AGAIN, or what is wrong with one of the chunks. */
static int look(struct get *g, uint64_t first, uint64_t last)
{
	int rc = 0;

	for (uint64_t i = first; i <= last; i++) {
		struct slot *s = find(g, i);
		if (!s || s->state == SLOT_LOADING)
			rc = E_AGAIN;
		else if (s->state == SLOT_BAD)
			return g->bad_rc;
		else
			s->used = g->reads;
	}
	return rc;
}

static void copy_out(struct get *g, uint64_t offset, uint8_t *to, size_t len)
{
	while (len) {
		const struct slot *s = find(g, offset / CHUNK);
		size_t from = (size_t)(offset % CHUNK);
		assert(s && s->state == SLOT_READY && from < s->len);
		size_t n = s->len - from < len ? s->len - from : len;

		memcpy(to, s->data + from, n);
		to += n;
		offset += n;
		len -= n;
	}
}

/* Reading ahead doubles with every chunk that a sequential reader finishes, and ends with the
 * first jump. */
static void learn(struct get *g, uint64_t offset, size_t len)
{
	uint64_t end = offset + len;
	uint64_t off = offset > g->expected ? offset - g->expected : g->expected - offset;

	if (off > NEAR)
		g->ahead = 0;
	else if (off == 0 && offset / CHUNK != end / CHUNK && g->ahead < GET_WINDOW)
		g->ahead = g->ahead * 2 + 1;
	g->expected = end;
}

static int note_range(struct get *g, uint64_t offset, size_t len)
{
	int rc = spans_add(&g->ranges, offset, offset + len);

	spans_squeeze(&g->ranges, GET_RANGES_MAX);
	g->bytes += len;
	return rc;
}

static int read_there(struct get *g, uint64_t offset, void *memory, size_t len)
{
	uint64_t first = offset / CHUNK, last = (offset + len - 1) / CHUNK;

	g->reads++;
	not_idle(g);
	int rc = look(g, first, last);
	if (rc == E_AGAIN) {
		if (offset != g->expected)
			learn(g, offset, 0);
		fetch(g, first, last);
		g->hungry = true;
		return g->busy ? E_AGAIN : fail(E_NOMEM, "no memory to read the file");
	}
	if (rc)
		return fail(rc, "%s", g->bad_text);
	rc = note_range(g, offset, len);
	if (rc)
		return rc;
	copy_out(g, offset, memory, len);
	learn(g, offset, len);
	fetch(g, last, last);
	return 0;
}

int get_read(struct get *g, uint64_t offset, void *memory, size_t len, size_t *ret_len)
{
	uint64_t size = g->attrs.size;

	assert(!g->ending);
	if (g->rc)
		return fail(g->rc, "%s", g->text);
	if (len > GET_READ_MAX)
		return fail(E_LIMIT, "a read of %zu bytes", len);
	if (offset >= size)
		len = 0;
	else if (len > size - offset)
		len = (size_t)(size - offset);
	int rc = len ? read_there(g, offset, memory, len) : 0;
	if (!rc)
		*ret_len = len;
	else if (rc != E_AGAIN)
		set_error(g, rc, err_cause());
	return rc;
}
