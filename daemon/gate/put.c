/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/put.h"

#include <assert.h>

#include "base/mem.h"
#include "daemon/gate/put_inside.h"

#define MAGIC 0x50555421u

static struct put *all; /* all of this gate, for YIELD and for the count */
static bool hurry;

/* --- errors --- */

static void set_error(struct put *p, int rc, const char *text)
{
	if (p->rc)
		return;
	p->rc = rc;
	p->text = mem_text(text && *text ? text : err_word(rc));
}

void put_refuse(struct put *p, int rc, const char *text)
{
	set_error(p, rc, text);
}

void put_poison(struct put *p, int rc, const char *text)
{
	set_error(p, rc, text);
	p->poisoned = true;
}

int put_error(const struct put *p)
{
	return fail(p->rc, "%s", p->text);
}

void put_failed(struct put *p, int rc)
{
	set_error(p, rc, err_cause());
	err_clear();
}

char *put_sentence(const struct answer *a)
{
	struct reader r = reader_of(a->body);
	struct view text = read_bytes(&r);

	if (!reader_end(&r) || text.len == 0)
		return mem_text(err_word(a->status));
	return mem_text_n(text.data, text.len);
}

/* --- making and unmaking --- */

static struct put *new_put(uv_loop_t *loop, struct keeper *keeper)
{
	struct put *p = mem_new(sizeof *p);

	p->magic = MAGIC;
	p->loop = loop;
	p->keeper = keeper;
	p->blob = p->source = PAYLOAD_NONE;
	p->declared = p->before = SIZE_UNKNOWN;
	p->mtime_s = TIME_UNKNOWN;
	p->step = STEP;
	(void)uv_timer_init(loop, &p->sync_timer);
	uv_unref((uv_handle_t *)&p->sync_timer); /* nobody's loop goes on for it */
	p->sync_timer.data = p;
	p->copy = p->carry = p->claimed = p->sealed = p->present = spans_of(RUNS_MAX);
	p->check.chunks = spans_of(RUNS_MAX);
	for (unsigned i = 0; i < PUT_WINDOW; i++)
		p->slot[i].have = spans_of(PIECES_MAX);
	sha256_init(&p->hash);
	p->next = all;
	if (all)
		all->prev = p;
	all = p;
	return p;
}

static void on_closed(uv_handle_t *timer)
{
	free(timer->data);
}

static void free_put(struct put *p)
{
	assert(put_idle(p) && p->blob.fd < 0 && p->source.fd < 0);
	*(p->prev ? &p->prev->next : &all) = p->next;
	if (p->next)
		p->next->prev = p->prev;
	payload_close(&p->blob);
	payload_close(&p->source);
	put_empty(p);
	free(p->reason);
	free(p->text);
	p->magic = 0;
	uv_close((uv_handle_t *)&p->sync_timer, on_closed);
}

static struct put *put_of(void *arg)
{
	struct put *p = arg;

	assert(p->magic == MAGIC);
	return p;
}

bool put_idle(const struct put *p)
{
	return p->busy == 0 && !p->asking;
}

unsigned put_count(void)
{
	unsigned n = 0;

	for (const struct put *p = all; p; p = p->next)
		n++;
	return n;
}

/* --- what the owner hears --- */

void put_synced(struct put *p)
{
	put_done *done = TAKE(p->synced_done);

	if (done)
		done(p->synced_arg, p->rc, p->rc ? p->text : "");
}

/* After this the owner may have called anything of put.h. */
static void wake_owner(struct put *p)
{
	if (!p->hungry || p->called || p->end || (p->at != AT_FLOW && !p->rc))
		return;
	p->hungry = false;
	if (p->on_room)
		p->on_room(p->listener);
}

static void tell_end(struct put *p)
{
	put_done *done = TAKE(p->done);
	int rc = p->rc;
	const char *text = rc ? p->text : p->last_word ? p->last_word : "";

	put_synced(p);
	if (done)
		done(p->done_arg, rc, text);
}

/* --- opening --- */

static void tell_opened(struct put *p, struct put *opened)
{
	put_opened *tell = TAKE(p->opened);

	tell(p->opened_arg, p->rc, p->rc ? p->text : "", opened);
}

static void on_opened(void *arg, const struct answer *a)
{
	struct put *p = put_of(arg);
	struct lease l = {0};
	int rc = a->status;

	p->asking = false;
	if (rc) {
		CLEANUP(mem_free) char *text = put_sentence(a);
		put_refuse(p, rc, text);
		p->at = AT_OVER;
	} else if (lease_read(a->body, &l)) {
		put_failed(p, E_PROTOCOL);
		p->at = AT_OVER; /* there is nothing that could be given back */
	} else {
		rc = put_adopt(p, &l, a);
		if (rc)
			put_failed(p, rc);
		p->at = AT_FLOW;
	}
	put_wipe_lease(&l);
	if (p->rc) {
		p->end = END_LEAVE;
		p->spoilt = true;
		p->reason = mem_text(p->text);
	}
	tell_opened(p, p->rc ? NULL : p);
	put_drive(p);
}

void put_open(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
	      uint8_t flags, uint64_t declared, put_opened *opened, void *arg)
{
	const struct put_wish wish = {.flags = flags, .declared = declared};

	put_open_as(loop, keeper, session, path, &wish, opened, arg);
}

void put_open_as(uv_loop_t *loop, struct keeper *keeper, uint64_t session, struct view path,
		 const struct put_wish *wish, put_opened *opened, void *arg)
{
	struct put *p = new_put(loop, keeper);
	struct ask_put_open m = {.path = path,
				 .flags = wish->flags,
				 .declared = wish->declared,
				 .match = wish->match,
				 .ticket = wish->ticket};

	p->declared = wish->declared;
	p->opened = opened;
	p->opened_arg = arg;
	p->asking = true;
	(void)keeper_ask_put_open(keeper, session, &m, on_opened, p);
}

void put_listen(struct put *p, void (*on_room)(void *arg), void (*on_yielded)(void *arg), void *arg)
{
	p->on_room = on_room;
	p->on_yielded = on_yielded;
	p->listener = arg;
}

uint64_t put_number(const struct put *p)
{
	return p->number;
}

struct view put_ticket(const struct put *p)
{
	return view_of(p->ticket, sizeof p->ticket);
}

void put_tell(struct put *p, struct put_result *ret_result)
{
	*ret_result = (struct put_result){0};
	p->result = ret_result;
}

void put_expect(struct put *p, const uint8_t sha256[WIRE_HASH])
{
	p->expects = true;
	memcpy(p->expected, sha256, sizeof p->expected);
}

void put_stay(struct put *p)
{
	p->stays = true;
}

void put_set_mtime(struct put *p, int64_t mtime_s)
{
	p->mtime_s = mtime_s;
}

void put_sync(struct put *p, put_done *done, void *arg)
{
	assert(!p->synced_done && !p->end);
	p->hold = false;
	p->synced_done = done;
	p->synced_arg = arg;
	put_drive(p);
}

/* --- states --- */

bool put_clean(const struct put *p)
{
	uint64_t run = put_stored_run(p);

	return !p->bare && !p->spoilt && spans_end(&p->claimed) == run && p->copy.count == 0 &&
	       spans_have(&p->present, 0, run * CHUNK);
}

/* A client that has gone comes back: what it has sent since it went on counts only when all
 * before it has been brought over. There is time for it until somebody waits. */
bool put_copies_on(const struct put *p)
{
	return p->end == END_LEAVE && !p->hurried && !hurry && !p->rc && !p->spoilt && p->writes &&
	       p->copy.count && spans_end(&p->claimed) * CHUNK <= spans_run(&p->present, 0);
}

static enum put_next at_asked(struct put *p)
{
	(void)p;
	return NEXT_WAIT;
}

static enum put_next at_flow(struct put *p)
{
	if (p->end)
		return put_to(p, AT_DRAIN);
	put_pump(p);
	if (p->rc)
		p->rekey = false;
	return p->rekey ? put_to(p, AT_SETTLE) : NEXT_WAIT;
}

/* A finished upload may not have been sealed up to its end or behind it: that happens where it
 * was shortened and sent again. */
static bool ends_in_sealed(const struct put *p)
{
	uint64_t last = p->size ? (p->size - 1) / CHUNK : 0;

	return spans_end(&p->claimed) > last;
}

static bool is_whole(const struct put *p)
{
	uint64_t last = p->size ? (p->size - 1) / CHUNK : 0;

	return p->copy.count == 0 && p->hashed == last && put_stored_run(p) == last;
}

/* The ends 1: all that can still be stored and hashed. */
static enum put_next at_drain(struct put *p)
{
	if (p->poisoned)
		p->end = END_DROP;
	else if (p->rc && p->end != END_DROP)
		p->end = END_LEAVE;
	if (p->end != END_DROP)
		put_pump(p);
	if (p->rc && (p->end == END_PUBLISH || p->end == END_PARTIAL))
		return put_to(p, AT_DRAIN);
	if (put_idle(p) && put_wants_blob(p))
		put_ask_store(p);
	if (!put_idle(p))
		return NEXT_WAIT;
	if (p->end != END_PUBLISH)
		return put_to(p, AT_LAST);
	if (ends_in_sealed(p)) {
		if (!put_may_rekey(p))
			put_refuse(p, E_LIMIT, "changed too often: send the file again as a whole");
		p->rekey = true;
		p->rekey_chunk = NO_CHUNK;
		return put_to(p, p->rc ? AT_DRAIN : AT_SETTLE);
	}
	if (is_whole(p))
		return put_to(p, AT_LAST);
	put_refuse(p, E_IO, "the upload could not be completed");
	return put_to(p, AT_DRAIN);
}

/* The ends 2: the last chunk, the sync, the descriptors. */
static enum put_next at_last(struct put *p)
{
	put_part(p, p->end == END_PUBLISH, p->end != END_DROP);
	return put_to(p, AT_SEALED);
}

static void on_told(void *arg, const struct answer *a)
{
	struct put *p = put_of(arg);

	p->asking = false;
	if (a->status) {
		CLEANUP(mem_free) char *text = put_sentence(a);
		put_refuse(p, a->status, text);
	}
	put_drive(p);
}

static void on_finished(void *arg, const struct answer *a)
{
	struct put *p = put_of(arg);
	struct answer_put_finish m;

	if (!a->status && answer_put_finish_read(a->body, &m))
		put_failed(p, E_PROTOCOL);
	else if (!a->status && p->result) {
		p->result->published = true;
		p->result->record = m.record;
		p->result->replaced = m.replaced;
		p->result->size = p->size;
		sha256_now(&p->hash, p->result->sha256);
	}
	on_told(p, a);
}

static void ask_finish(struct put *p)
{
	struct ask_put_finish m = {.size = p->size, .mtime_s = p->mtime_s};

	sha256_now(&p->hash, m.sha256);
	if (p->part.keep)
		m.content = view_of(p->part.scratch, p->part.last_len + AGE_TAG);
	(void)keeper_ask_put_finish(p->keeper, p->number, &m, on_finished, p);
}

static bool as_expected(const struct put *p)
{
	uint8_t hash[WIRE_HASH];

	sha256_now(&p->hash, hash);
	return !p->expects || memcmp(hash, p->expected, sizeof hash) == 0;
}

static void ask_drop(struct put *p)
{
	struct ask_put_drop m = {.code = (uint8_t)-p->rc,
				 .reason = view_text(p->rc ? p->text : p->reason)};

	(void)keeper_ask_put_drop(p->keeper, p->number, &m, on_told, p);
}

static void ask_suspend(struct put *p)
{
	uint8_t state[SHA256_STATE_SIZE];
	uint64_t stored = put_stored_run(p);
	struct slot *tail = put_find(p, stored);
	struct ask_put_suspend m = {.stay = p->stays,
				    .durable = put_durable(p, p->synced),
				    .mtime_s = p->mtime_s,
				    .reason = view_text(p->rc ? p->text : p->reason)};

	if (put_clean(p)) {
		assert(p->hashed == stored && p->synced == stored);
		sha256_save(&p->hash, state);
		m.clean = 1;
		m.sealed = stored;
		m.digest = view_of(state, sizeof state);
		if (tail && tail->state == SLOT_OPEN)
			m.tail = view_of(tail->data, (size_t)spans_run(&tail->have, 0));
	}
	(void)keeper_ask_put_suspend(p->keeper, p->number, &m, on_told, p);
	wipe(state, sizeof state);
}

/* The ends 3: the keep hears of it. */
static enum put_next at_sealed(struct put *p)
{
	if (p->busy)
		return NEXT_WAIT;
	if (p->poisoned)
		p->end = END_DROP;
	else if (p->rc && p->end == END_PUBLISH)
		p->end = END_LEAVE;
	if (p->end == END_PUBLISH && !as_expected(p)) {
		put_refuse(p, E_INTEGRITY, "the content is not what its digest says");
		p->end = END_DROP;
		if (p->result)
			p->result->mismatch = true;
	}
	p->asking = true;
	if (p->end == END_PUBLISH)
		ask_finish(p);
	else if (p->end == END_DROP)
		ask_drop(p);
	else
		ask_suspend(p);
	if (p->end == END_PARTIAL)
		p->last_word = "left unfinished, to be resumed";
	return put_to(p, AT_TOLD);
}

static enum put_next at_told(struct put *p)
{
	return p->asking ? NEXT_WAIT : put_to(p, AT_OVER);
}

static enum put_next at_over(struct put *p)
{
	tell_end(p);
	return NEXT_END;
}

static const struct {
	const char *name;
	enum put_next (*run)(struct put *p);
} put_row[] = {
    [AT_ASKED] = {"asked", at_asked},
    [AT_FLOW] = {"flow", at_flow},
    [AT_SETTLE] = {"settle", put_at_settle},
    [AT_RECALL] = {"recall", put_at_recall},
    [AT_PART] = {"part", put_at_part},
    [AT_PARTED] = {"parted", put_at_parted},
    [AT_REKEYED] = {"rekeyed", put_at_rekeyed},
    [AT_DRAIN] = {"drain", at_drain},
    [AT_LAST] = {"last", at_last},
    [AT_SEALED] = {"sealed", at_sealed},
    [AT_TOLD] = {"told", at_told},
    [AT_OVER] = {"over", at_over},
};

enum put_next put_to(struct put *p, enum put_at at) /* the only writer of p->at but for birth */
{
	p->at = at;
	return NEXT_GO;
}

void put_drive(struct put *p)
{
	enum put_next n = NEXT_GO;

	p->again = true;
	if (p->driving)
		return; /* a callback of ours called us: the loop below goes on */
	p->driving = true;
	while (n != NEXT_END && p->again) {
		p->again = false;
		do
			n = put_row[p->at].run(p);
		while (n == NEXT_GO);
		if (n == NEXT_WAIT)
			wake_owner(p);
	}
	p->driving = false;
	if (n == NEXT_END)
		free_put(p);
	else if (p->busy == 0)
		put_rest(p);
}

/* --- the ends --- */

/* A partial keeps what a shrink just before the end has cut off. */
static void undo_shrink(struct put *p)
{
	if (p->before != SIZE_UNKNOWN)
		p->size = p->before;
	p->before = SIZE_UNKNOWN;
}

static void end(struct put *p, enum put_end how, const char *reason, put_done *done, void *arg)
{
	assert(!p->end);
	p->end = how;
	p->needed = 0;
	p->hold = false;
	p->reason = mem_text(reason);
	p->done = done;
	p->done_arg = arg;
	if (how != END_PUBLISH) {
		undo_shrink(p);
		put_drop_islands(p);
	}
	put_drive(p);
}

void put_close(struct put *p, put_done *done, void *arg)
{
	if (put_publishable(p))
		end(p, END_PUBLISH, "closed", done, arg);
	else
		end(p, END_PARTIAL, "closed before its end", done, arg);
}

void put_abandon(struct put *p, const char *reason, put_done *done, void *arg)
{
	p->synced_done = NULL; /* whoever asked is gone */
	end(p, END_LEAVE, reason, done, arg);
}

void put_give_up(struct put *p, const char *reason, put_done *done, void *arg)
{
	p->synced_done = NULL;
	end(p, END_DROP, reason, done, arg);
}

void put_hurry(void)
{
	struct put *next;

	hurry = true;
	for (struct put *p = all; p; p = next) {
		next = p->next;
		if (p->end)
			put_drive(p);
	}
}

bool put_yield(uv_loop_t *loop, uint64_t number)
{
	for (struct put *p = all; p; p = p->next) {
		if (p->loop != loop || p->number != number || p->at == AT_ASKED)
			continue;
		if (p->end) { /* it is on its way out */
			p->hurried = true;
			put_drive(p);
			return true;
		}
		if (p->on_yielded)
			p->on_yielded(p->listener);
		p->hurried = true;
		put_abandon(p, "another session took the upload over", NULL, NULL);
		return true;
	}
	return false;
}
