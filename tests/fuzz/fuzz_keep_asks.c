/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_keep_asks: arbitrary packets of one gate to a real keep in this process, which has a zone,
 * a user, a file and a folder. libFuzzer and AFL++ entry; replay.c replays.
 *
 * An input is a row of packets: a byte of hints, two bytes of length, the packet. The hints fill in
 * what nobody could guess:
 *
 *	bits 0-2  subject: 0 as it stands, 1 knocking session, 2 authenticated session, 3 latest
 *	          put, 4 latest get, 5 and up: zero
 *	bit 3     kind and status of an ask, and a verb of the table by its place
 *	bit 4     the loop runs until all is quiet before the next packet
 *	bit 5     the user's key takes the place of the field `key` of an AUTH
 *	bit 6     all descriptors that came are closed
 *	bit 7     blocks are written to the latest put's descriptor
 *
 * However it ends, the keep must be quiet afterwards, with nothing of that gate left in it.
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>

#include "age/stream.h"
#include "base/clock.h"
#include "daemon/keep/puts.h"
#include "keep_asks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { PACKETS_MAX = 24, FDS_MAX = 64, AGAIN_AFTER = 2000 };

static struct live live;
static struct user eve, sam;
static unsigned runs;

/* One input's gate. */
struct gateway {
	struct fake_gate *g;
	uint64_t knock, session, put, get;
	int fds[FDS_MAX];
	unsigned fd_count;
	int blob;
};

static void tear_down(void)
{
	live_check(&live);
	live_close(&live);
	user_done(&eve);
	user_done(&sam);
	live_done(&live);
}

static void at_exit(void)
{
	tear_down();
	uv_library_shutdown();
}

/* So that queries of the log find something. */
static void grant_log(void)
{
	struct keep *k = live.keep;
	struct principal_row who;

	assert(catalog_principal_by_name(k->catalog, "eve", &who) == 0);
	assert(catalog_begin(k->catalog) == 0);
	assert(accounts_grant(k->accounts, who.id, 1, "", RIGHT_AUDIT) == 0);
	assert(catalog_commit(k->catalog) == 0);
	accounts_forget(k->accounts);
}

static void set_up(void)
{
	if (runs)
		tear_down(); /* catalog and log must not grow for ever */
	live_init(&live, NULL);
	live_open(&live);
	live_zone(&live, "acme", 64 << 20);
	live_user(&live, "eve", ROLE_CLIENT, "acme", &eve);
	live_user(&live, "sam", ROLE_STAFF, "acme", &sam);
	grant_log();
	struct fake_gate *g = fake_gate_ready(&live);
	put_whole(g, gate_log_in(g, &sam), "/acme/deliverables/open", model, 1000);
	fake_gate_free(g);
}

/* ---- what the keep says ---- */

static void keep_fds(struct gateway *w, struct heard *h)
{
	for (unsigned i = 0; i < h->count; i++) {
		if (w->fd_count == FDS_MAX) {
			sys_close(&h->fds[i]);
			continue;
		}
		w->fds[w->fd_count++] = h->fds[i];
		if (h->f.verb == VERB_PUT_OPEN || h->f.verb == VERB_PUT_REKEY)
			w->blob = w->fds[w->fd_count - 1 - i];
	}
	h->count = 0;
}

static void note(struct gateway *w, const struct heard *h)
{
	struct answer_session_open s;
	struct answer_get_open g;
	struct lease p;

	if (h->f.status || h->f.kind != FRAME_ANSWER)
		return;
	if (h->f.verb == VERB_SESSION_OPEN && !answer_session_open_read(h->f.body, &s))
		w->knock = s.session;
	else if (h->f.verb == VERB_AUTH && w->knock)
		w->session = h->f.subject;
	else if (h->f.verb == VERB_PUT_OPEN && !lease_read(h->f.body, &p))
		w->put = p.put;
	else if (h->f.verb == VERB_GET_OPEN && !answer_get_open_read(h->f.body, &g))
		w->get = g.get;
}

static bool anything(const struct heard *h, uint32_t n)
{
	(void)h;
	(void)n;
	return true;
}

static void hear_all(struct gateway *w)
{
	struct heard *h;

	while (w->g->socket >= 0 && (h = gate_heard(w->g, anything, 0))) {
		note(w, h);
		keep_fds(w, h);
		heard_free(&h);
	}
}

static void close_fds(struct gateway *w)
{
	while (w->fd_count)
		sys_close(&w->fds[--w->fd_count]);
	w->blob = -1;
}

static void settle(struct gateway *w)
{
	for (int i = 0; i < 3; i++) {
		live_settle(&live);
		if (!fake_gate_ended(w->g))
			hear_all(w);
		puts_watch(live.keep, clock_mono_ms() + YIELD_PATIENCE_MS + 1);
	}
}

/* ---- what the gate says ---- */

static unsigned verbs(void)
{
	unsigned n = 0;

	while (verb_row_at(n))
		n++;
	return n;
}

static void fill_in(const struct gateway *w, uint8_t hints, struct buf *packet)
{
	const uint64_t numbers[] = {0, w->knock, w->session, w->put, w->get, 0, 0, 0};
	uint8_t head[LINK_HEADER];
	struct writer out = writer_of(head, sizeof head);
	struct frame f;

	if (packet->len < LINK_HEADER)
		return;
	if (hints & 8) {
		const struct verb_row *row = verb_row_at(packet->data[3] % verbs());
		memset(packet->data + 16, 0, 4);
		packet->data[0] = 0;
		packet->data[1] = FRAME_ASK;
		packet->data[2] = 0;
		packet->data[3] = (uint8_t)row->number;
	}
	if (frame_read(view_buf(packet), &f)) {
		err_clear();
		return;
	}
	if (hints & 7)
		f.subject = numbers[hints & 7];
	frame_write(&out, &f);
	memcpy(packet->data, head, sizeof head);
}

static void put_key_in(uint8_t hints, struct buf *packet)
{
	struct frame f;
	struct ask_auth m;
	uint8_t body[2048];
	struct writer w = writer_of(body, sizeof body);

	if (!(hints & 32) || frame_read(view_buf(packet), &f) || f.verb != VERB_AUTH ||
	    ask_auth_read(f.body, &m) || f.body.len > 1024) {
		err_clear();
		return;
	}
	m.user = view_text("eve");
	m.key = view_buf(&eve.key);
	ask_auth_write(&w, &m);
	packet->len = LINK_HEADER;
	assert(!w.full && buf_add(packet, body, w.len) == 0);
}

static void say_one(struct gateway *w, uint8_t hints, struct view bytes)
{
	struct buf packet = {0};

	assert(buf_add(&packet, bytes.data, bytes.len) == 0);
	fill_in(w, hints, &packet);
	put_key_in(hints, &packet);
	if (!fake_gate_ended(w->g) && packet.len)
		gate_say_raw(w->g, view_buf(&packet), NULL, 0);
	buf_done(&packet);
	if (hints & 128 && w->blob >= 0)
		(void)!ftruncate(w->blob, 200 + 2 * AGE_SEALED_CHUNK);
	if (hints & 64)
		close_fds(w);
	if (hints & 16)
		settle(w);
}

static void log_in(struct gateway *w)
{
	w->session = gate_log_in(w->g, &eve);
	w->knock = gate_session(w->g, "192.0.2.66");
}

static void end(struct gateway *w)
{
	settle(w);
	close_fds(w);
	fake_gate_die(w->g);
	assert(w->g->gate->asks == 0 && w->g->gate->refs == 1);
	assert(live.keep->sessions.sessions.count == 0);
	assert(live.keep->sessions.uploads.count == 0);
	assert(live.keep->sessions.downloads.count == 0);
	assert(*err_text() == '\0');
	fake_gate_free(w->g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct gateway w = {.blob = -1};
	struct reader r = reader_of(view_of(data, len));

	if (runs % AGAIN_AFTER == 0)
		set_up();
	if (runs == 0)
		(void)atexit(at_exit); /* behind OpenSSL's, hence before it */
	runs++;
	bool greeted = read_u8(&r) % 8 != 0;
	w.g = greeted ? fake_gate_ready(&live) : fake_gate_new(&live);
	if (greeted)
		log_in(&w);
	for (unsigned i = 0; i < PACKETS_MAX && r.left >= 3 && !fake_gate_ended(w.g); i++) {
		uint8_t hints = read_u8(&r);
		size_t size = read_u16(&r);
		say_one(&w, hints, read_raw(&r, size < r.left ? size : r.left));
	}
	err_clear();
	end(&w);
	return 0;
}
