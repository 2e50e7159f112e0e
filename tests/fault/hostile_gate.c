/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate that was taken over may say: every verb in every phase with every field wrong. */
#include <limits.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "hostile_asks.h"

#define EACH_VERB(row) \
	for (const struct verb_row *row = verb_row_at(0); row; row = verb_row_at(next_verb(row)))

/* And in each of the ways in which it may be said. */
#define EACH_WISH(row, kind) \
	EACH_VERB(row)       \
	for (unsigned kind = 0; kind < wish_kinds(row); kind++)

static unsigned next_verb(const struct verb_row *row)
{
	unsigned i = 0;

	while (verb_row_at(i) != row)
		i++;
	return i + 1;
}

static uint32_t say(struct siege *s, const struct wish *w)
{
	struct buf body = wish_body(w);
	uint32_t id = hostile_say(s, w->row->number, w->subject, view_buf(&body));

	buf_done(&body);
	return id;
}

/* A gate that has ended, or may have something open that others should not find, is replaced. */
static void tidy(struct siege *s, const struct wish *w)
{
	if (fake_gate_ended(s->hostile) || w->row->phase != PHASE_SESSION ||
	    w->row->number == VERB_PUT_OPEN)
		siege_renew(s);
}

/* Without this the cases below would prove nothing. */
static void unspoilt_ask_of_each_verb_is_answered(void **state)
{
	struct siege *s = *state;
	struct wish w;

	EACH_WISH(row, kind)
	{
		wish_make(s, row, kind, &w);
		int rc = siege_outcome(s, say(s, &w), NULL);
		if (rc)
			print_message("# %s: %d\n", row->name, rc);
		assert_int_equal(rc, 0);
		siege_renew(s);
	}
}

/* ---- phases ---- */

struct ours {
	uint64_t session, knock, ended, put, get;
};

/* Numbers that are out of phase for a verb of each phase: all but its own kind. */
static size_t wrong_subjects(struct siege *s, enum phase phase, uint64_t *ret_list)
{
	uint64_t knock = gate_session(s->hostile, "192.0.2.66");
	uint64_t over = gate_session(s->hostile, "192.0.2.66");
	size_t n = 0;

	expect_answer(ASK(s->hostile, session_close, SESSION_CLOSE, over), 0, "");
	if (phase != PHASE_LINK && phase != PHASE_NEW)
		ret_list[n++] = 0;
	else
		ret_list[n++] = s->of_eve;
	ret_list[n++] = over;
	ret_list[n++] = s->of_anna; /* of the other gate */
	ret_list[n++] = s->of_sam;
	ret_list[n++] = phase == PHASE_KNOCK ? s->of_eve : knock + (UINT64_C(1) << 24);
	if (phase == PHASE_SESSION)
		ret_list[n++] = knock;
	ret_list[n++] = 1;
	ret_list[n++] = UINT32_MAX;
	ret_list[n++] = (UINT64_C(1) << 24) | 0xffffff;
	ret_list[n++] = UINT64_C(1) << 63;
	ret_list[n++] = UINT64_MAX;
	return n;
}

static void every_verb_about_what_is_not_its_own_ends_the_gate(void **state)
{
	struct siege *s = *state;
	uint64_t wrong[16];
	struct wish w;

	EACH_WISH(row, kind)
	{
		size_t count = 1;
		for (size_t i = 0; i < count; i++) {
			if (row->phase == PHASE_NEW) /* once more, after it was answered */
				count = 1, wrong[0] = 0, w = (struct wish){.row = row};
			else
				wish_make(s, row, kind, &w),
				    count = wrong_subjects(s, row->phase, wrong);
			w.subject = wrong[i];
			(void)say(s, &w);
			siege_ends(s, row->phase == PHASE_NEW ? "" : "out of its phase");
		}
	}
}

static void no_verb_but_hello_comes_before_hello(void **state)
{
	struct siege *s = *state;
	struct wish w;

	EACH_WISH(row, kind)
	{
		if (row->phase == PHASE_NEW)
			continue;
		wish_make(s, row, kind, &w);
		const uint64_t subjects[] = {w.subject, 0, s->of_anna};
		for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
			fake_gate_free(s->hostile);
			s->hostile = fake_gate_new(&s->live);
			w.subject = subjects[i];
			(void)say(s, &w);
			siege_ends(s, "out of its phase");
		}
	}
}

/* Uploads and downloads of the honest gate, by their true numbers. */
static void uploads_and_downloads_of_others_cannot_be_touched(void **state)
{
	struct siege *s = *state;
	struct upload u =
	    put_opened(s->honest, s->of_anna, "/honestzone/incoming/honest-own", PUT_CREATE);
	HEARD *h = ASK(s->honest, get_open, GET_OPEN, s->of_sam,
		       .path = view_text("/acme/deliverables/open"));
	struct answer_get_open get;
	struct wish w;

	READ(h, get_open, &get);
	put_seal_all(&u, model, 777, 0);
	EACH_VERB(row)
	{
		if (row->phase != PHASE_PUT && row->phase != PHASE_GET)
			continue;
		wish_make(s, row, 0, &w);
		w.subject = row->phase == PHASE_PUT ? u.m.put : get.get;
		(void)say(s, &w);
		live_settle(&s->live);
		assert_true(fake_gate_ended(s->hostile));
		assert_non_null(strstr(s->hostile->gate->why, "out of its phase"));
		siege_renew(s);
	}
	expect_answer(put_finish(&u, model, 777), 0, "");
	expect_answer(ASK(s->honest, get_close, GET_CLOSE, get.get), 0, "");
	expect_content(s->honest, s->of_sam, "/honestzone/incoming/honest-own", model, 777);
	expect_answer(ASK(s->honest, remove, REMOVE, s->of_anna,
			  .path = view_text("/honestzone/incoming/honest-own")),
		      0, "");
}

/* The last word about something is the last one; also when both come at once. */
static void every_last_word_is_said_once(void **state)
{
	static const uint16_t last[] = {VERB_SESSION_CLOSE, VERB_PUT_SUSPEND, VERB_PUT_FINISH,
					VERB_PUT_DROP, VERB_GET_CLOSE};
	struct siege *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(last); i++)
		for (size_t k = 0; k < ARRAY_LEN(last); k++)
			for (int at_once = 0; at_once < 2; at_once++) {
				struct wish w, again;
				wish_make(s, verb_find(last[i]), 0, &w);
				wish_make(s, verb_find(last[k]), 0, &again);
				if (w.row->phase != again.row->phase)
					continue;
				again.subject = w.subject;
				if (last[i] == VERB_PUT_FINISH || at_once)
					(void)say(s, &w);
				else
					assert_int_equal(siege_outcome(s, say(s, &w), NULL), 0);
				(void)say(s, &again);
				siege_ends(s, "out of its phase");
			}
}

/* ---- fields ---- */

static const uint64_t numbers[] = {0,
				   1,
				   2,
				   3,
				   4,
				   7,
				   8,
				   0x7f,
				   0x80,
				   0xff,
				   0x100,
				   CHUNK - 1,
				   CHUNK,
				   CHUNK + 1,
				   2 * CHUNK - 1,
				   2 * CHUNK + 1,
				   3 * CHUNK,
				   0xffff,
				   0x7fffffff,
				   0x80000000,
				   0xffffffff,
				   UINT64_C(64) << 20,
				   (UINT64_C(64) << 20) + 1,
				   UINT64_C(1) << 48,
				   (UINT64_C(1) << 62) - 1,
				   UINT64_C(1) << 62,
				   (UINT64_C(1) << 62) + 1,
				   (UINT64_C(1) << 63) - CHUNK,
				   INT64_MAX,
				   UINT64_C(1) << 63,
				   (UINT64_C(1) << 63) + 1,
				   UINT64_MAX - CHUNK + 1,
				   UINT64_MAX - 1,
				   UINT64_MAX};

static const char *const texts[] = {
    "",
    "/",
    "//",
    "/.",
    "/..",
    "acme",
    "/acme",
    "/acme/",
    "/acme/.",
    "/acme/..",
    "/acme/../acme/incoming",
    "/acme//incoming",
    "/acme/incoming/",
    "/acme/incoming/.",
    "/acme/incoming/eve\n",
    "/acme/incoming/\x7f",
    "/acme/incoming/\xff\xfe",
    "/acme/incoming/\xc0\xaf",
    "/acme/incoming/\xed\xa0\x80",
    "/acme/incoming/\xc2\x85",
    "/acme/incoming/.receipts",
    "/acme/.receipts",
    "/acme/nowhere/eve",
    "/honestzone",
    "/honestzone/incoming/eve",
    "/nosuchzone/eve",
    "/acme/deliverables/open",
    "/acme/deliverables/eve",
    "/acme/deliverables/open/eve",
    "/ACME/incoming",
    "anna",
    "sam",
    "..",
    "%s%n%x",
    "\xe2\x80\xae",
};

/* False hashes are believed (doc/SECURITY.md), and the deep check that ends each test would show
 * them: what was published with one goes. */
static void remove_eves_files(struct siege *s)
{
	char path[64];

	siege_renew(s); /* its uploads would be waited for */
	while (s->removed < s->files) {
		(void)snprintf(path, sizeof path, "/acme/incoming/eve-%u", ++s->removed);
		for (int status = 0; status == 0;) { /* what is unfinished goes first */
			HEARD *h =
			    ASK(s->hostile, remove, REMOVE, s->of_eve, .path = view_text(path));
			assert_true(h->f.status <= 0);
			status = h->f.status;
		}
	}
}

/* Whether the case of a field was answered, refused, or ended the gate, is its verb's affair; that
 * all else stays right is siege_outcome()'s. */
static void try_value(struct siege *s, const struct verb_row *row, unsigned kind, unsigned field,
		      const struct value *value)
{
	struct wish w;

	wish_make(s, row, kind, &w);
	w.value[field] = *value;
	(void)siege_outcome(s, say(s, &w), NULL);
	tidy(s, &w);
	if (s->files - s->removed > 16)
		remove_eves_files(s);
}

static void spoil_number(struct siege *s, const struct verb_row *row, unsigned kind, unsigned field)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		try_value(s, row, kind, field, &(struct value){.n = numbers[i]});
	for (uint64_t n = 0; run_long() && n < 256; n++)
		try_value(s, row, kind, field, &(struct value){.n = n});
}

static void spoil_bytes(struct siege *s, const struct verb_row *row, unsigned kind, unsigned field)
{
	static uint8_t many[LINK_MAX];
	static const size_t lengths[] = {1,     64,    255,       256,       4096,
					 65535, 65536, 65536 + 1, 96 * 1024, 159 * 1024};
	static const char nul[] = "/acme/incoming/eve\0honest";

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		try_value(s, row, kind, field, &(struct value){.bytes = view_text(texts[i])});
	try_value(s, row, kind, field, &(struct value){.bytes = view_of(nul, sizeof nul - 1)});
	for (int fill = 0; fill < 4; fill++) {
		memset(many, "a/\0\xff"[fill], sizeof many);
		if (fill == 0)
			memcpy(many, "/acme/incoming/", 15);
		for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
			try_value(s, row, kind, field,
				  &(struct value){.bytes = view_of(many, lengths[i])});
	}
}

/* A length that is not what follows: what comes behind is missing, or too much. */
static void spoil_length(struct siege *s, const struct verb_row *row, unsigned kind, unsigned field)
{
	static const uint32_t lies[] = {1,       (uint32_t)-1, 4,          0x100,
					0x10000, 0x7fffffff,   0x80000000, 0xfffffff0};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct wish w;
		wish_make(s, row, kind, &w);
		w.value[field].lie = lies[i];
		(void)say(s, &w);
		siege_ends(s, NULL);
	}
}

static void spoil_hash(struct siege *s, const struct verb_row *row, unsigned kind, unsigned field)
{
	struct value v = {0};

	try_value(s, row, kind, field, &v);
	memset(v.hash, 0xff, sizeof v.hash);
	try_value(s, row, kind, field, &v);
}

static void spoil_fields_of(struct siege *s, const struct verb_row *row, unsigned kind)
{
	struct wish w;

	wish_make(s, row, kind, &w);
	siege_renew(s);
	for (unsigned i = 0; i < w.fields; i++) {
		if (w.field[i].kind == KIND_bytes) {
			spoil_bytes(s, row, kind, i);
			spoil_length(s, row, kind, i);
		} else if (w.field[i].kind == KIND_hash) {
			spoil_hash(s, row, kind, i);
		} else {
			spoil_number(s, row, kind, i);
		}
	}
	remove_eves_files(s);
	siege_check(s);
}

static void fields_of_sessions_are_spoilt_one_by_one(void **state)
{
	EACH_WISH(row, kind)
	if (row->phase < PHASE_SESSION)
		spoil_fields_of(*state, row, kind);
}

static void fields_of_names_are_spoilt_one_by_one(void **state)
{
	EACH_WISH(row, kind)
	if (row->phase == PHASE_SESSION)
		spoil_fields_of(*state, row, kind);
}

static void fields_of_transfers_are_spoilt_one_by_one(void **state)
{
	EACH_WISH(row, kind)
	if (row->phase > PHASE_SESSION)
		spoil_fields_of(*state, row, kind);
}

/* ---- packets ---- */

static void every_ask_cut_short_or_lengthened_ends_the_gate(void **state)
{
	struct siege *s = *state;
	struct wish w;

	EACH_WISH(row, kind)
	{
		size_t len = 0, step = 1;
		for (size_t cut = 0; cut <= len; cut += step) {
			wish_make(s, row, kind, &w);
			struct buf body = wish_body(&w);
			len = body.len;
			step = len > 80 && !run_long() ? 13 : 1;
			if (cut == len)
				assert_good(buf_add(&body, "", 1)); /* one byte more */
			else
				body.len = cut;
			(void)hostile_say(s, row->number, w.subject, view_buf(&body));
			buf_done(&body);
			siege_ends(s, "malformed message");
		}
	}
}

static void say_frame(struct siege *s, const struct frame *f, size_t surplus)
{
	static uint8_t packet[2 * LINK_MAX];
	struct writer w = writer_of(packet, sizeof packet);

	frame_write(&w, f);
	tally.messages++;
	/* Not link_send(), which sends nothing that is too long. */
	assert_true(send(s->hostile->socket, packet, w.len + surplus, MSG_NOSIGNAL) > 0);
}

static void half_a_header_ends_the_gate(void **state)
{
	struct siege *s = *state;
	uint8_t packet[LINK_HEADER] = {0, FRAME_ASK, 0, VERB_STAT};

	for (size_t len = 1; len < LINK_HEADER; len++) {
		hostile_raw(s, view_of(packet, len), NULL, 0);
		siege_ends(s, "no room for its header");
	}
}

static void unknown_verbs_kinds_and_statuses_end_the_gate(void **state)
{
	struct siege *s = *state;

	for (unsigned verb = 0; verb < 300; verb++) {
		if (verb_find((uint16_t)verb))
			continue;
		say_frame(s, &(struct frame){.kind = FRAME_ASK, .verb = (uint16_t)verb}, 0);
		siege_ends(s, "no ask");
	}
	EACH_VERB(row)
	for (uint16_t kind = 0; kind < 6; kind++) {
		if (kind == FRAME_ASK)
			continue;
		say_frame(s, &(struct frame){.kind = kind, .verb = row->number}, 0);
		siege_ends(s, "no ask");
	}
	static const int32_t statuses[] = {1, -1, E_LAST, E_LAST - 1, INT32_MAX, INT32_MIN};
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		say_frame(s,
			  &(struct frame){.kind = FRAME_ASK,
					  .verb = VERB_STAT,
					  .subject = s->of_eve,
					  .status = statuses[i]},
			  0);
		siege_ends(s, "status");
	}
}

static void packets_that_are_too_long_end_the_gate(void **state)
{
	struct siege *s = *state;
	static const size_t surplus[] = {LINK_MAX - LINK_HEADER + 1, LINK_MAX, 200 * 1024};
	struct frame f = {.kind = FRAME_ASK, .verb = VERB_STAT};

	for (size_t i = 0; i < ARRAY_LEN(surplus); i++) {
		f.subject = s->of_eve;
		say_frame(s, &f, surplus[i]);
		siege_ends(s, "too long");
	}
	f.subject = s->of_eve;
	say_frame(s, &f, LINK_MAX - LINK_HEADER); /* as long as it may be, and no ask */
	siege_ends(s, "malformed");
}

/* Nobody can tell it from the end of a link; of a gate that stays, see gate_watch(). */
static void empty_packet_is_the_end_of_the_link(void **state)
{
	struct siege *s = *state;

	tally.messages++;
	assert_int_equal(send(s->hostile->socket, "", 0, MSG_NOSIGNAL), 0);
	siege_ends(s, "");
	tally.messages++;
	assert_int_equal(shutdown(s->hostile->socket, SHUT_WR), 0);
	siege_ends(s, "");
}

static void descriptors_with_any_verb_end_the_gate(void **state)
{
	struct siege *s = *state;
	struct wish w;

	EACH_VERB(row)
	for (unsigned count = 1; count <= LINK_FDS_MAX; count += 15) {
		int fds[LINK_FDS_MAX];
		wish_make(s, row, 0, &w);
		struct buf body = wish_body(&w), packet = {0};
		uint8_t head[LINK_HEADER];
		struct writer h = writer_of(head, sizeof head);
		frame_write(&h, &(struct frame){
				    .kind = FRAME_ASK, .verb = row->number, .subject = w.subject});
		assert_good(buf_add(&packet, head, h.len));
		assert_good(buf_add(&packet, body.data, body.len));
		for (unsigned i = 0; i < count; i++)
			fds[i] = s->hostile->socket;
		hostile_raw(s, view_buf(&packet), fds, count);
		buf_done(&body);
		buf_done(&packet);
		siege_ends(s, "carries too much");
	}
}

/* Ids are the gate's own affair. */
static void ids_may_be_used_again(void **state)
{
	struct siege *s = *state;

	for (int i = 0; i < 50; i++) {
		s->hostile->id = i % 2 ? 0 : UINT32_MAX - 1;
		uint32_t one = SAY(s->hostile, stat, STAT, s->of_eve, .path = view_text("/"));
		s->hostile->id--;
		assert_int_equal(siege_outcome(s, one, NULL), 0);
	}
}

/* ---- floods ---- */

/* Without a word of the keep in between: in one go up to what may wait, and then one more. */
static void flood_of_each_verb_ends_the_gate(void **state)
{
	struct siege *s = *state;

	EACH_VERB(row)
	{
		struct wish w;
		wish_make(s, row, 0, &w);
		struct buf body = wish_body(&w);
		for (unsigned i = 0; i < LINK_CREDITS + 1 && !fake_gate_ended(s->hostile); i++) {
			(void)hostile_say(s, row->number, w.subject, view_buf(&body));
			if (i % 32 == 0)
				while (gate_receive(s->hostile->gate))
					;
		}
		while (gate_receive(s->hostile->gate))
			;
		buf_done(&body);
		siege_ends(s, NULL);
	}
	siege_check(s);
}

/* What is not read counts as if it were not answered: memory and descriptors are bounded. */
static void answers_that_are_not_read_use_up_the_credits(void **state)
{
	struct siege *s = *state;
	int size = 32768; /* of a page or two */

	for (unsigned i = 0; i < 300; i++)
		expect_answer(
		    ASK(s->hostile, make_dir, MAKE_DIR, s->of_eve, .path = view_text(eve_path(s))),
		    0, "");
	assert_int_equal(
	    setsockopt(s->hostile->gate->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	unsigned said = 0;
	for (; !fake_gate_ended(s->hostile) && said < 4 * LINK_CREDITS; said++) {
		(void)SAY(s->hostile, list, LIST, s->of_eve, .path = view_text("/acme/incoming"));
		tally.messages++;
		if (!fake_gate_ended(s->hostile))
			live_settle(&s->live);
	}
	assert_in_range(said, LINK_CREDITS, LINK_CREDITS + 64);
	siege_ends(s, "more than 256 asks");
	for (unsigned i = 1; i <= 300; i++) {
		char path[64];
		(void)snprintf(path, sizeof path, "/acme/incoming/eve-%u", i);
		expect_answer(
		    ASK(s->hostile, remove_dir, REMOVE_DIR, s->of_eve, .path = view_text(path)), 0,
		    "");
	}
}

static void stall_ends_the_gate_after_its_time(void **state)
{
	struct siege *s = *state;
	int size = 4608;
	struct gate *g = s->hostile->gate;

	assert_int_equal(setsockopt(g->socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
	for (unsigned i = 0; i < 200; i++)
		(void)hostile_say(s, VERB_SPACE, s->of_eve, view_of("\0\0\0\5/acme", 9));
	live_settle(&s->live);
	assert_true(g->stalled_since_ms);
	gate_watch(g, g->stalled_since_ms + STALL_MAX_MS);
	assert_false(fake_gate_ended(s->hostile));
	siege_work(s);
	gate_watch(g, g->stalled_since_ms + STALL_MAX_MS + 1);
	siege_ends(s, "does not read");
}

static void gate_that_never_says_hello_is_ended(void **state)
{
	struct siege *s = *state;
	struct fake_gate *g = fake_gate_new(&s->live);

	gate_watch(g->gate, g->gate->started_ms + HELLO_MAX_MS);
	assert_false(fake_gate_ended(g));
	gate_watch(g->gate, g->gate->started_ms + HELLO_MAX_MS + 1);
	assert_true(fake_gate_ended(g));
	assert_non_null(strstr(g->gate->why, "did not say"));
	fake_gate_free(g);
}

static void notes_beyond_a_number_a_minute_are_counted(void **state)
{
	struct siege *s = *state;
	size_t before = count_records(&s->live, "session.note");

	for (unsigned i = 0; i < 600; i++) {
		if (i % 20 == 0)
			s->of_eve = gate_log_in(s->hostile, &s->eve);
		expect_answer(ASK(s->hostile, session_note, SESSION_NOTE, s->of_eve, .refused = 1,
				  .text = view_text("a shell")),
			      0, "");
		tally.messages++;
	}
	assert_in_range(count_records(&s->live, "session.note") - before, 120, 240);
	tally.cases++;
}

static void sessions_and_handles_have_an_end(void **state)
{
	struct siege *s = *state;
	struct settings *limits = s->live.keep->settings;
	uint32_t sessions = limits->sessions;
	unsigned n = 0;
	int rc = 0;

	limits->sessions = 3;
	for (; !rc && n < 1000; n++) {
		HEARD *h = ASK(s->hostile, session_open, SESSION_OPEN, 0, .peer = view_text("x"));
		rc = h->f.status;
		tally.messages++;
	}
	assert_int_equal(rc, E_LIMIT);
	assert_int_equal(n, 3 + LINK_CREDITS);
	limits->sessions = sessions;
	siege_renew(s);
	uint32_t handles = limits->handles_per_session;
	limits->handles_per_session = 1;
	for (n = 0, rc = 0; !rc && n < 1000; n++) {
		HEARD *h =
		    n % 2 ? ASK(s->hostile, get_open, GET_OPEN, s->of_eve,
				.path = view_text("/acme/deliverables/open"))
			  : ASK(s->hostile, put_open, PUT_OPEN, s->of_eve,
				.path = view_text(eve_path(s)), .flags = PUT_CREATE, .declared = 1);
		rc = h->f.status;
		tally.messages++;
	}
	assert_int_equal(rc, E_LIMIT);
	assert_int_equal(n - 1, 2 + LINK_CREDITS);
	limits->handles_per_session = handles;
	tally.cases += 2;
	siege_work(s);
}

/* ---- anything at all ---- */

static uint32_t lot(uint32_t *seed, uint32_t n)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)*seed * n) >> 32);
}

static void spoil_somehow(uint32_t *seed, struct wish *w)
{
	unsigned i = lot(seed, w->fields);
	struct value *v = &w->value[i];

	v->n = numbers[lot(seed, ARRAY_LEN(numbers))];
	v->bytes = view_text(texts[lot(seed, ARRAY_LEN(texts))]);
	memset(v->hash, (int)lot(seed, 256), sizeof v->hash);
}

/* Several fields at once, and several asks at once about the same thing: what contradicts itself,
 * and what overtakes each other. */
static void any_asks_at_once_break_nothing(void **state)
{
	struct siege *s = *state;
	uint32_t seed = 20240607;

	for (unsigned round = 0; round < (run_long() ? 20000u : 400u); round++) {
		struct wish w[6];
		unsigned count = 1 + lot(&seed, ARRAY_LEN(w));
		uint32_t last = 0;
		for (unsigned i = 0; i < count; i++) {
			const struct verb_row *row = verb_row_at(1 + lot(&seed, 20));
			assert_non_null(row);
			wish_make(s, row, lot(&seed, wish_kinds(row)), &w[i]);
			for (unsigned k = lot(&seed, 3); k; k--)
				spoil_somehow(&seed, &w[i]);
			for (unsigned k = 0; k < i; k++) /* about one thing, where that can be */
				if (w[k].row->phase == row->phase)
					w[i].subject = w[k].subject;
		}
		for (unsigned i = 0; i < count && !fake_gate_ended(s->hostile); i++) {
			last = say(s, &w[i]);
			if (lot(&seed, 4) == 0)
				(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
		}
		if (fake_gate_ended(s->hostile))
			siege_ends(s, NULL);
		else
			(void)siege_outcome(s, last, NULL);
		siege_renew(s);
		remove_eves_files(s);
		/* All of the log is looked at, which grows. */
		if (round % (run_long() ? 2000 : 100) == 99)
			siege_check(s);
		if (round % 1000 == 999)
			print_message("# %u rounds\n", round + 1);
	}
	remove_eves_files(s);
}

static int end_of_all(void **state)
{
	tally_print();
	return live_end(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SIEGE(unspoilt_ask_of_each_verb_is_answered),
	    IN_A_SIEGE(every_verb_about_what_is_not_its_own_ends_the_gate),
	    IN_A_SIEGE(no_verb_but_hello_comes_before_hello),
	    IN_A_SIEGE(uploads_and_downloads_of_others_cannot_be_touched),
	    IN_A_SIEGE(every_last_word_is_said_once),
	    IN_A_SIEGE(fields_of_sessions_are_spoilt_one_by_one),
	    IN_A_SIEGE(fields_of_names_are_spoilt_one_by_one),
	    IN_A_SIEGE(fields_of_transfers_are_spoilt_one_by_one),
	    IN_A_SIEGE(every_ask_cut_short_or_lengthened_ends_the_gate),
	    IN_A_SIEGE(half_a_header_ends_the_gate),
	    IN_A_SIEGE(unknown_verbs_kinds_and_statuses_end_the_gate),
	    IN_A_SIEGE(packets_that_are_too_long_end_the_gate),
	    IN_A_SIEGE(empty_packet_is_the_end_of_the_link),
	    IN_A_SIEGE(descriptors_with_any_verb_end_the_gate),
	    IN_A_SIEGE(ids_may_be_used_again),
	    IN_A_SIEGE(flood_of_each_verb_ends_the_gate),
	    IN_A_SIEGE(answers_that_are_not_read_use_up_the_credits),
	    IN_A_SIEGE(stall_ends_the_gate_after_its_time),
	    IN_A_SIEGE(gate_that_never_says_hello_is_ended),
	    IN_A_SIEGE(notes_beyond_a_number_a_minute_are_counted),
	    IN_A_SIEGE(sessions_and_handles_have_an_end),
	    IN_A_SIEGE(any_asks_at_once_break_nothing),
	};

	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, end_of_all);
}
