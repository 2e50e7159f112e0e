/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/keeper.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"

enum {
	MAGIC = 0x6b656570,
	ID_OFFSET = 4,         /* where a frame's id stands (wire/verbs.h) */
	PACKETS_PER_WAKE = 64, /* then the loop's other work gets its turn */
};

struct ask {
	struct keeper *keeper;
	struct ask *next; /* of those not sent yet */
	keeper_answered *done;
	void *arg;
	enum verb verb;
	uint32_t id;
	uint8_t *packet; /* until it is sent */
	size_t len;
};

struct keeper {
	uint32_t magic;
	int socket;
	uv_poll_t poll;
	struct keeper_events events;
	struct ask *under_way[LINK_CREDITS]; /* sent, by the low bits of their id */
	unsigned credits_used;
	uint32_t turn; /* makes ids differ that use the same place */
	struct ask *first, **last;
	bool broken, closing, full; /* full: the socket takes no more for now */
	uint8_t packet[LINK_MAX];   /* received */
	uint8_t draft[LINK_MAX];    /* a body being written */
};

static void ask_free(struct ask *a)
{
	if (a->packet)
		wipe(a->packet, a->len);
	free(a->packet);
	free(a);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct keeper *k, bool full)
{
	int rc = uv_poll_start(&k->poll, UV_READABLE | (full ? UV_WRITABLE : 0), on_poll);

	assert(rc == 0);
	k->full = full;
}

/* The link is of no use any more: said once, from the loop. */
static void broken(struct keeper *k)
{
	if (k->broken || k->closing)
		return;
	k->broken = true;
	(void)uv_poll_stop(&k->poll);
	k->events.on_broken(k->events.arg);
}

static uint32_t take_place(struct keeper *k, struct ask *a)
{
	uint32_t place = 0;

	while (k->under_way[place])
		place++;
	assert(place < LINK_CREDITS);
	k->under_way[place] = a;
	k->credits_used++;
	return ++k->turn * LINK_CREDITS + place;
}

static void leave_place(struct keeper *k, struct ask *a)
{
	k->under_way[a->id % LINK_CREDITS] = NULL;
	k->credits_used--;
}

/* E_AGAIN: the socket is full; anything else breaks the link. */
static int send_one(struct keeper *k, struct ask *a)
{
	struct writer w = {.data = a->packet, .len = a->len, .cap = a->len};

	a->id = take_place(k, a);
	write_u32_at(&w, ID_OFFSET, a->id);
	int rc = link_send(k->socket, view_of(a->packet, a->len), NULL, 0);
	if (rc) {
		leave_place(k, a);
		return rc;
	}
	k->first = a->next;
	if (!k->first)
		k->last = &k->first;
	wipe(a->packet, a->len);
	free(TAKE(a->packet));
	return 0;
}

/* Asks leave in their order. A broken socket is judged where its end is read. */
static void send_all(struct keeper *k)
{
	int rc = 0;

	while (k->first && k->credits_used < LINK_CREDITS && !rc)
		rc = send_one(k, k->first);
	if (rc && rc != E_AGAIN) {
		err_clear();
		(void)shutdown(k->socket, SHUT_RDWR);
	}
	if (k->full != (rc == E_AGAIN))
		watch(k, rc == E_AGAIN);
}

static void close_all(int *fds, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static struct ask *find_ask(const struct keeper *k, const struct frame *f)
{
	struct ask *a = k->under_way[f->id % LINK_CREDITS];

	return a && a->id == f->id && a->verb == f->verb ? a : NULL;
}

static int take_answer(struct keeper *k, const struct frame *f, int *fds, unsigned count)
{
	struct ask *a = find_ask(k, f);

	if (!a)
		return fail(E_PROTOCOL, "an answer to what was never asked");
	if (count > verb_find(f->verb)->fds || (f->status && count))
		return fail(E_PROTOCOL, "an answer with too many descriptors");
	leave_place(k, a);
	if (a->done) {
		struct answer answer = {f->status, f->body, fds, count};
		a->done(a->arg, &answer);
	}
	ask_free(a);
	return 0;
}

static int take_frame(struct keeper *k, struct view packet, int *fds, unsigned count)
{
	struct frame f = {0};
	int rc = frame_read(packet, &f);

	if (rc)
		return rc;
	if (f.kind == FRAME_ANSWER)
		return take_answer(k, &f, fds, count);
	if (f.kind != FRAME_ORDER || count)
		return fail(E_PROTOCOL, "neither an answer nor an order");
	k->events.on_order(k->events.arg, &f);
	return 0;
}

/* E_AGAIN when nothing more waits. Answers carry payload keys: the packet is wiped. */
static int receive_one(struct keeper *k)
{
	struct view packet = {0};
	int fds[LINK_FDS_MAX];
	unsigned count = 0;
	int rc = link_receive(k->socket, k->packet, sizeof k->packet, &packet, fds, LINK_FDS_MAX,
			      &count);

	if (rc)
		return rc;
	rc = take_frame(k, packet, fds, count);
	close_all(fds, count);
	wipe(k->packet, packet.len);
	return rc;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct keeper *k = poll->data;
	int rc = 0;

	(void)events;
	assert(k->magic == MAGIC);
	if (status < 0)
		rc = fail(E_GONE, "poll the link: %s", uv_strerror(status));
	for (int i = 0; i < PACKETS_PER_WAKE && !rc && !k->closing; i++)
		rc = receive_one(k);
	if (rc && rc != E_AGAIN)
		broken(k);
	else if (!k->closing)
		send_all(k);
}

int keeper_new(uv_loop_t *loop, int socket, const struct keeper_events *events,
	       struct keeper **ret_keeper)
{
	struct keeper *k = mem_new(sizeof *k);
	int rc = uv_poll_init(loop, &k->poll, socket);

	if (rc) {
		free(k);
		(void)close(socket);
		return fail(E_IO, "watch the link: %s", uv_strerror(rc));
	}
	k->magic = MAGIC;
	k->socket = socket;
	k->events = *events;
	k->poll.data = k;
	k->last = &k->first;
	watch(k, false);
	*ret_keeper = k;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct keeper *k = handle->data;

	assert(k->magic == MAGIC);
	for (unsigned i = 0; i < LINK_CREDITS; i++)
		if (k->under_way[i])
			ask_free(k->under_way[i]);
	for (struct ask *a = k->first, *next; a; a = next) {
		next = a->next;
		ask_free(a);
	}
	(void)close(k->socket);
	k->magic = 0;
	free(k);
}

void keeper_close(struct keeper *k)
{
	assert(!k->closing);
	k->closing = true;
	uv_close((uv_handle_t *)&k->poll, on_closed);
}

struct ask *keeper_ask(struct keeper *k, enum verb verb, uint64_t subject, struct view body,
		       keeper_answered *done, void *arg)
{
	const struct frame f = {.kind = FRAME_ASK, .verb = (uint16_t)verb, .subject = subject};
	struct ask *a = mem_new(sizeof *a);

	assert(body.len <= LINK_MAX - LINK_HEADER);
	*a = (struct ask){.keeper = k, .done = done, .arg = arg, .verb = verb};
	a->len = LINK_HEADER + body.len;
	a->packet = mem_new(a->len);
	struct writer w = writer_of(a->packet, a->len);
	frame_write(&w, &f);
	write_raw(&w, body.data, body.len);
	assert(!w.full && w.len == a->len);
	*k->last = a;
	k->last = &a->next;
	if (!k->broken && !k->closing)
		send_all(k);
	return a;
}

void ask_forget(struct ask *a)
{
	a->done = NULL;
}

const char *answer_text(const struct answer *a)
{
	static _Thread_local char text[256];
	struct reader r = reader_of(a->body);
	struct view sentence = read_bytes(&r);

	if (!a->status || !reader_end(&r) || !sentence.len)
		return err_word(a->status);
	size_t len = sentence.len < sizeof text ? sentence.len : sizeof text - 1;
	memcpy(text, sentence.data, len);
	text[len] = '\0';
	return text;
}

/* Every body fits LINK_MAX: what is long in it (paths, tails) is bounded by its makers. */
#define VERB(number, NAME, name, phase, fds)                                                \
	struct ask *keeper_ask_##name(struct keeper *k, uint64_t subject,                   \
				      const struct ask_##name *m, keeper_answered *done,    \
				      void *arg)                                            \
	{                                                                                   \
		struct writer w = writer_of(k->draft, sizeof k->draft - LINK_HEADER);       \
		ask_##name##_write(&w, m);                                                  \
		assert(!w.full);                                                            \
		struct ask *a =                                                             \
		    keeper_ask(k, VERB_##NAME, subject, view_of(w.data, w.len), done, arg); \
		wipe(k->draft, w.len);                                                      \
		return a;                                                                   \
	}
WIRE_ASKS(VERB)
#undef VERB
