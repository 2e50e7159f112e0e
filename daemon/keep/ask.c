/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/ask.h"

#include <assert.h>
#include <stdlib.h>

#include "age/stream.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "daemon/keep/audit.h"
#include "daemon/keep/gates.h"

enum {
	REFUSALS_RECORDED = 100, /* of one session; further ones are counted */
	REFUSALS_A_MINUTE = 600, /* of one gate */
	/* Of all gates together, to each its share. Each upload has a key in the secure heap,
	 * which has room for twice as many. */
	PUTS_MAX = 32768,
	GETS_MAX = 262144,
};

#define VERB(number, NAME, name, phase, fds)                         \
	static int read_##name(struct ask *a)                        \
	{                                                            \
		return ask_##name##_read(a->frame.body, &a->m.name); \
	}
WIRE_ASKS(VERB)
#undef VERB

static const struct {
	uint16_t verb;
	int (*read)(struct ask *a);
	const struct deed_row *deed;
} rows[] = {
#define VERB(number, NAME, name, phase, fds) {number, read_##name, &answer_##name},
    WIRE_ASKS(VERB)
#undef VERB
};

struct put *ask_put(const struct ask *a)
{
	struct put *p = slots_find(&a->gate->keep->sessions.uploads, a->frame.subject);

	return p && p->gate == a->gate ? p : NULL;
}

struct get *ask_get(const struct ask *a)
{
	struct get *g = slots_find(&a->gate->keep->sessions.downloads, a->frame.subject);

	return g && g->gate == a->gate ? g : NULL;
}

/* Numbers of sessions, puts and gets are counted apart: whose number the subject is, the verb's
 * phase says. */
struct session *ask_session(const struct ask *a)
{
	const struct verb_row *row = verb_find(a->frame.verb);
	const struct put *p = row->phase == PHASE_PUT ? ask_put(a) : NULL;
	const struct get *g = row->phase == PHASE_GET ? ask_get(a) : NULL;
	uint64_t number = p ? p->session : g ? g->session : a->frame.subject;
	struct session *s = NULL;

	if (p || g || (row->phase != PHASE_PUT && row->phase != PHASE_GET))
		s = slots_find(&a->gate->keep->sessions.sessions, number);
	return s && s->gate == a->gate ? s : NULL;
}

/* Asks that end their subject: one that is told so twice is being lied to. */
static bool *ending_of(const struct ask *a)
{
	struct session *s;
	struct put *p;
	struct get *g;

	switch (a->frame.verb) {
	case VERB_SESSION_CLOSE:
		s = ask_session(a);
		return s ? &s->ending : NULL;
	case VERB_PUT_SUSPEND:
	case VERB_PUT_FINISH:
	case VERB_PUT_DROP:
		p = ask_put(a);
		return p ? &p->ending : NULL;
	case VERB_GET_CLOSE:
		g = ask_get(a);
		return g ? &g->ending : NULL;
	default:
		return NULL;
	}
}

static bool in_phase(const struct ask *a, enum phase phase)
{
	const struct session *s = ask_session(a);
	const struct put *p = ask_put(a);
	const struct get *g = ask_get(a);

	switch (phase) {
	case PHASE_NEW:
		return !a->gate->ready && !a->gate->greeting && a->frame.subject == 0;
	case PHASE_LINK:
		return a->gate->ready && a->frame.subject == 0;
	case PHASE_KNOCK:
		return s && !s->ending && !s->authenticated;
	case PHASE_ANY:
		return s && !s->ending;
	case PHASE_SESSION:
		return s && !s->ending && s->authenticated;
	case PHASE_PUT:
		return p && !p->ending && p->lent;
	case PHASE_GET:
		return g && !g->ending && g->lent;
	}
	return false;
}

/* Signatures come over SSH, certificates and tokens over TLS, where nobody says a name. */
static bool auth_makes_sense(const struct ask *a)
{
	const struct ask_auth *m = &a->m.auth;
	const struct session *s = ask_session(a);
	bool https = s && session_is_https(s);

	if (m->step == AUTH_QUERY || m->step == AUTH_SIGNED)
		return !https;
	return https && !m->user.len &&
	       ((m->step == AUTH_CERTIFICATE && m->key.len == WIRE_HASH) || m->step == AUTH_TOKEN);
}

static bool put_makes_sense(const struct ask_put_open *m)
{
	return m->flags <= (PUT_CREATE | PUT_EXCLUSIVE | PUT_TRUNCATE | PUT_EXISTING) &&
	       m->match.len % WIRE_HASH == 0 && (!m->ticket.len || m->ticket.len == WIRE_ID);
}

/* A gate knows what the paths of tiles can say (C2SP tlog-tiles). */
static bool file_makes_sense(const struct ask_log_file *m)
{
	switch (m->kind) {
	case LOG_CHECKPOINT:
		return !m->level && !m->index && !m->width;
	case LOG_ENTRIES:
		return !m->level && m->width >= 1 && m->width <= LOG_TILE_WIDTH;
	case LOG_TILE:
		return m->level <= LOG_LEVEL_MAX && m->width >= 1 && m->width <= LOG_TILE_WIDTH;
	default:
		return false;
	}
}

/* What no gate says, whoever its client is. Sizes, times, names and what else comes from
 * clients is refused, if it is, by those who use it. */
static bool makes_sense(const struct ask *a)
{
	switch (a->frame.verb) {
	case VERB_AUTH:
		return auth_makes_sense(a);
	case VERB_ENROLL: /* of the certificate in a TLS handshake */
		return ask_session(a) && session_is_https(ask_session(a));
	case VERB_SESSION_NOTE:
		return a->m.session_note.refused <= 1;
	case VERB_LIST:
		return a->m.list.hashes <= 1;
	case VERB_RENAME:
		return a->m.rename.replace <= 1;
	case VERB_PUT_OPEN:
		return put_makes_sense(&a->m.put_open);
	case VERB_PUT_EXTEND:
		return a->m.put_extend.durable % AGE_CHUNK == 0;
	case VERB_PUT_REKEY:
		return a->m.put_rekey.durable % AGE_CHUNK == 0;
	case VERB_PUT_SUSPEND:
		return a->m.put_suspend.clean <= 1 && a->m.put_suspend.stay <= 1;
	case VERB_UPLOAD:
		return a->m.upload.ticket.len == (a->m.upload.path.len ? 0 : WIRE_ID);
	case VERB_PUT_DROP:
		return a->m.put_drop.code <= -E_LAST;
	case VERB_GET_CLOSE:
		return a->m.get_close.code <= -E_LAST;
	case VERB_LOG_FILE:
		return file_makes_sense(&a->m.log_file);
	case VERB_LOG_QUERY:
		return a->m.log_query.limit >= 1 && a->m.log_query.limit <= LOG_RECORDS_MAX;
	default:
		return true;
	}
}

static int read_body(struct ask *a)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].verb != a->frame.verb)
			continue;
		a->deed.row = rows[i].deed;
		int rc = rows[i].read(a);
		if (!rc && !makes_sense(a))
			rc = fail(E_PROTOCOL, "'%s' with a value that does not exist",
				  verb_find(a->frame.verb)->name);
		return rc;
	}
	return fail(E_PROTOCOL, "a verb without an answer");
}

static int check(struct ask *a)
{
	const struct verb_row *row = verb_find(a->frame.verb);

	if (a->frame.kind != FRAME_ASK || !row)
		return fail(E_PROTOCOL, "something that is no ask (verb %u)", a->frame.verb);
	if (!in_phase(a, row->phase))
		return fail(E_PROTOCOL, "'%s' out of its phase", row->name);
	if (a->gate->asks >= LINK_CREDITS)
		return fail(E_PROTOCOL, "more than %d asks at once", LINK_CREDITS);
	return read_body(a);
}

/* What the ask stands in the way of from now on, until its answer: nothing may be said of what
 * the gate does not have. */
static void take_hold(struct ask *a)
{
	bool *ending = ending_of(a);

	if (ending)
		*ending = true;
	if (a->frame.verb == VERB_HELLO)
		a->gate->greeting = true;
	if (a->frame.verb == VERB_PUT_REKEY || a->frame.verb == VERB_PUT_STORE)
		ask_put(a)->lent = false;
}

static void ask_free(struct ask **ask)
{
	struct ask *a = *ask;

	if (!a)
		return;
	for (unsigned i = 0; i < a->fd_count; i++)
		sys_close(&a->fds[i]);
	if (a->work)
		a->drop_work(a->work);
	if (a->out.data)
		wipe(a->out.data, a->out.len); /* leases and downloads carry keys */
	free(a->out.data);
	wipe(a->packet, a->size); /* a suspended upload brings its tail along */
	free(a->packet);
	free(a);
	*ask = NULL;
}

int ask_receive(struct gate *g, struct view packet)
{
	CLEANUP(ask_free) struct ask *a = mem_new(sizeof *a);

	a->gate = g;
	a->packet = mem_text_n(packet.data, packet.len);
	a->size = packet.len;
	int rc = frame_read(view_of(a->packet, packet.len), &a->frame);
	if (!rc)
		rc = check(a);
	if (rc)
		return rc;
	take_hold(a);
	g->asks++;
	gate_ref(g);
	deeds_submit(g->keep->deeds, &a->deed);
	a = NULL;
	return 0;
}

struct writer *ask_out(struct ask *a, size_t cap)
{
	free(a->out.data);
	a->out = writer_of(mem_new(cap), cap);
	return &a->out;
}

/* Over HTTPS a credential counts request by request, whatever connection they come on; who has
 * logged in over SSH stays. */
static bool has_expired(const struct session *s)
{
	return s->expires_us && session_is_https(s) && s->expires_us <= clock_utc_us();
}

int ask_principal(const struct ask *a, const struct principal **ret_principal)
{
	const struct session *s = ask_session(a);
	const struct principal *p = NULL;
	int rc = s && s->authenticated
		     ? accounts_principal(a->gate->keep->accounts, s->principal, &p)
		     : E_DENIED;

	if (rc || p->row.disabled) {
		err_clear();
		return fail(E_DENIED, "this account may not do anything any more");
	}
	if (has_expired(s))
		return fail(E_DENIED, "this credential has expired");
	*ret_principal = p;
	return 0;
}

int ask_may_open(const struct ask *a)
{
	const struct gate *g = a->gate;
	const struct session *s = ask_session(a);
	unsigned handles = g->keep->settings->handles_per_session;
	unsigned gates = g->keep->gates ? gates_count(g->keep->gates) : 1;

	if (g->ended || !s || s->over)
		return fail(E_GONE, "the session has ended");
	if (s->handles >= 2 * handles + LINK_CREDITS || g->uploads >= PUTS_MAX / gates ||
	    g->downloads >= GETS_MAX / gates)
		return fail(E_LIMIT, "too many files are open");
	return 0;
}

static struct view path_of(const struct ask *a)
{
	switch (a->frame.verb) {
	case VERB_STAT:
		return a->m.stat.path;
	case VERB_LIST:
		return a->m.list.path;
	case VERB_MAKE_DIR:
		return a->m.make_dir.path;
	case VERB_REMOVE_DIR:
		return a->m.remove_dir.path;
	case VERB_REMOVE:
		return a->m.remove.path;
	case VERB_RENAME:
		return a->m.rename.from;
	case VERB_SET_ATTRS:
		return a->m.set_attrs.path;
	case VERB_SPACE:
		return a->m.space.path;
	case VERB_PUT_OPEN:
		return a->m.put_open.path;
	case VERB_GET_OPEN:
		return a->m.get_open.path;
	default:
		return view_of(NULL, 0);
	}
}

struct event ask_event(const struct ask *a, const char *name, struct view path)
{
	return EVENT(.name = name, .session = ask_session(a), .path = path);
}

static bool worth_a_record(int rc)
{
	return rc == E_DENIED || rc == E_TAKEN || rc == E_QUOTA || rc == E_FULL || rc == E_LIMIT ||
	       rc == E_HELD;
}

/* The zone named by a path, where there is one: its key covers the path in the record. */
static void place_event(struct keep *keep, struct view path, struct event *e)
{
	struct path parsed;
	const struct zone *zone = NULL;

	if (path.len && !path_parse(path, &parsed) && parsed.zone.len &&
	    !accounts_zone_by_name(keep->accounts, parsed.zone, &zone)) {
		e->zone = zone->row.id;
		e->zone_name = zone->row.name;
		e->path = path;
	}
	err_clear();
}

void ask_refused(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct session *s = ask_session(a);

	unsigned passed_over = 0;

	if (!s || !s->authenticated || !worth_a_record(d->rc))
		return;
	if (s->refusals++ >= REFUSALS_RECORDED ||
	    !flood_passes(&a->gate->refusals, REFUSALS_A_MINUTE, &passed_over))
		return;
	CLEANUP(mem_free) char *name = mem_printf("%s.refused", d->row->name);
	struct event e = EVENT(.name = name, .code = d->rc, .reason = d->why, .session = s);
	if (passed_over)
		event_detail(&e, json_pack("{s:i}", "others_passed_over", (int)passed_over));
	place_event(d->keep, path_of(a), &e);
	if (audit_add(d->keep->audit, &e))
		keep_die(d->keep, "record a refusal");
}

static void send_answer(struct ask *a)
{
	struct deed *d = &a->deed;
	struct frame f = {.kind = FRAME_ANSWER,
			  .verb = a->frame.verb,
			  .id = a->frame.id,
			  .subject = a->frame.subject,
			  .status = d->rc};
	uint8_t text[4 + DEED_WHY];
	struct writer w = writer_of(text, sizeof text);

	if (d->rc) {
		write_bytes(&w, view_text(*d->why ? d->why : err_word(d->rc)));
		f.body = view_of(w.data, w.len);
		gate_send(a->gate, &f, NULL, 0);
		return;
	}
	assert(!a->out.full);
	f.body = view_of(a->out.data, a->out.len);
	gate_send(a->gate, &f, a->fds, a->fd_count);
	a->fd_count = 0;
}

void ask_finish(struct deed *d)
{
	struct ask *a = ask_of(d);
	struct gate *g = a->gate;

	if (g->ended)
		g->asks--;
	else
		send_answer(a);
	ask_free(&a);
	gate_unref(g);
}
