/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/disk_story.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/keep/puts.h"

const char *const story_names[NAMES] = {"tiny", "big",  "renamed", "folder",
					"part", "torn", "late",    "old"};
enum { TINY, BIG, RENAMED, DIR_, PARTED, TORN, LATE, OLD };

const struct step story[] = {
    {PART, OLD, 0, 0},
    {EXPIRE, OLD, 0, 0}, /* while nothing else is unfinished */
    {PUT, TINY, 0, 100},
    {PUT, BIG, 0, 3 * CHUNK + 77},
    {PUT, TINY, 0, 5000},
    {RENAME, TINY, RENAMED, 0},
    {MAKE_DIR, DIR_, 0, 0},
    {PART, PARTED, 0, 0},
    {RESUME, PARTED, 0, 3 * CHUNK + 1},
    {REMOVE, BIG, 0, 0},
    {PART, LATE, 0, 0},
    {PART_UNCLEAN, TORN, 0, 0},
    /* another keep */
    {RESUME, TORN, 0, 4 * CHUNK},
    {RESUME, LATE, 0, 2 * CHUNK + TAIL + 1},
    {PUT, BIG, 0, 9},
    {REMOVE, RENAMED, 0, 0},
};
const unsigned story_break = 12, story_end = ARRAY_LEN(story);

struct actor {
	struct live live;
	struct user anna;
	struct fake_gate *gate;
	uint64_t session;
	int journal;
};

/* ---- asks whose answer may not come ---- */

struct wait {
	struct fake_gate *gate;
	uint32_t id;
	struct heard *found;
};

static bool has_come(void *arg)
{
	struct wait *w = arg;

	w->found = gate_heard(w->gate, is_answer_to, w->id);
	return w->found || fake_gate_ended(w->gate);
}

/* NULL: the keep has ended the gate. */
static struct heard *hear(struct fake_gate *g, uint32_t id)
{
	struct wait w = {.gate = g, .id = id};

	live_until(g->live, has_come, &w);
	return w.found;
}

#define TRY(a, name, NAME, subject, ...) \
	(fake_gate_ended((a)->gate)      \
	     ? NULL                      \
	     : hear((a)->gate, SAY((a)->gate, name, NAME, subject, __VA_ARGS__)))

static enum outcome outcome_of(struct heard *h)
{
	HEARD *mine = h;

	return !mine ? CUT_OFF : mine->f.status ? REFUSED : DONE;
}

static const char *path_to(unsigned name, char ret_path[64])
{
	(void)snprintf(ret_path, 64, "/acme/incoming/%s", story_names[name]);
	return ret_path;
}

/* ---- uploads as a gate makes them, on a disk that may fail ---- */

static enum outcome open_it(struct actor *a, unsigned name, uint8_t flags, struct upload *ret_u)
{
	char path[64];
	struct heard *h =
	    TRY(a, put_open, PUT_OPEN, a->session, .path = view_text(path_to(name, path)),
		.flags = flags, .declared = SIZE_UNKNOWN);

	if (!h || h->f.status)
		return outcome_of(h);
	*ret_u = put_taken(a->gate, a->session, h);
	return DONE;
}

static int seal(struct upload *u, uint64_t size, uint64_t first, uint64_t end)
{
	static uint8_t sealed[AGE_SEALED_CHUNK];
	int rc = 0;

	for (uint64_t i = first; i < end && !rc; i++) {
		size_t len = size ? age_chunk_size(size, i) : CHUNK;
		bool last = size && age_chunk_is_last(size, i);
		rc = age_stream_seal(u->stream, i, last, view_of(model + i * CHUNK, len), sealed);
		if (!rc)
			rc = sys_pwrite_all(u->fd, sealed, len + AGE_TAG,
					    u->m.blob_offset + i * AGE_SEALED_CHUNK);
	}
	return rc;
}

uint64_t story_stands(const struct upload *u)
{
	return u->m.prefix ? u->m.prefix / CHUNK : u->m.sealed;
}

void story_reseal(struct upload *u, uint64_t chunks, int *ret_rc)
{
	static uint8_t sealed[AGE_SEALED_CHUNK];
	CLEANUP(age_stream_free) struct age_stream *source = NULL;
	int rc = age_stream_from_key(view_of(u->m.source_key, sizeof u->m.source_key), &source);

	for (uint64_t i = 0; i < chunks && !rc; i++) {
		rc = sys_pread_all(u->source, sealed, sizeof sealed,
				   u->m.source_offset + i * AGE_SEALED_CHUNK);
		if (!rc)
			rc = age_stream_open(source, i, false, view_of(sealed, sizeof sealed),
					     sealed);
		if (!rc)
			assert_memory_equal(sealed, model + i * CHUNK, CHUNK);
	}
	*ret_rc = rc ? rc : seal(u, 0, 0, chunks);
}

/* As the gate does: what a full disk has cut short may be gone on with, after anything else
 * nothing may be kept. The upload was not finished. */
static enum outcome give_up(struct actor *a, struct upload *u, int rc)
{
	uint64_t put = u->m.put;
	enum outcome o;

	upload_done(u);
	if (rc == E_FULL)
		o = outcome_of(TRY(a, put_suspend, PUT_SUSPEND, put, .mtime_s = TIME_UNKNOWN,
				   .reason = view_text(err_word(rc))));
	else
		o = outcome_of(TRY(a, put_drop, PUT_DROP, put, .code = (uint8_t)-rc,
				   .reason = view_text(err_word(rc))));
	err_clear();
	return o == CUT_OFF ? CUT_OFF : REFUSED;
}

/* What outgrows a chunk, or is to be left unfinished, needs its blob. */
static enum outcome need_blob(struct actor *a, struct upload *u)
{
	struct answer_put_store m;

	if (!u->m.bare)
		return DONE;
	HEARD *h = TRY(a, put_store, PUT_STORE, u->m.put);
	if (h && !h->f.status) {
		READ(h, put_store, &m);
		u->m.bare = 0;
		u->m.blob_offset = m.blob_offset;
		u->fd = TAKE_FD(h->fds[0]);
		return DONE;
	}
	enum outcome end = give_up(a, u, E_FULL);
	return h ? end : CUT_OFF;
}

static int seal_tiny(struct upload *u, uint64_t size)
{
	u->content_len = (size_t)size + AGE_TAG;
	return age_stream_seal(u->stream, 0, true, view_of(model, (size_t)size), u->content);
}

/* From chunk `first` to the end, and publication. */
static enum outcome finish(struct actor *a, struct upload *u, uint64_t size, uint64_t first)
{
	uint64_t put = u->m.put, chunks = age_chunk_count(size), half = chunks / 2;
	enum outcome blob = size > CHUNK ? need_blob(a, u) : DONE;
	if (blob != DONE)
		return blob;
	int rc = first < half ? seal(u, size, first, half) : 0;

	if (!rc && half > first)
		rc = sys_sync_data(u->fd);
	if (!rc && half > first) {
		enum outcome o =
		    outcome_of(TRY(a, put_extend, PUT_EXTEND, put, .durable = half * CHUNK));
		if (o != DONE) {
			enum outcome end = give_up(a, u, E_FULL);
			return o == CUT_OFF ? CUT_OFF : end;
		}
	}
	if (!rc && u->m.bare)
		rc = seal_tiny(u, size);
	else if (!rc)
		rc = seal(u, size, half > first ? half : first, chunks);
	if (!rc && !u->m.bare)
		rc = sys_sync_data(u->fd);
	if (rc)
		return give_up(a, u, rc);
	upload_done(u);
	if (fake_gate_ended(a->gate))
		return CUT_OFF;
	return outcome_of(hear(a->gate, put_say_finish(u, model, size)));
}

static enum outcome do_put(struct actor *a, const struct step *s)
{
	struct upload u;
	enum outcome o = open_it(a, s->name, PUT_CREATE | PUT_TRUNCATE, &u);

	return o == DONE ? finish(a, &u, s->size, 0) : o;
}

static enum outcome do_part(struct actor *a, const struct step *s)
{
	struct upload u;
	struct sha256 hash;
	uint8_t digest[SHA256_STATE_SIZE];
	bool clean = s->act == PART;
	enum outcome o = open_it(a, s->name, PUT_CREATE | PUT_TRUNCATE, &u);

	if (o != DONE)
		return o;
	o = need_blob(a, &u);
	if (o != DONE)
		return o;
	int rc = seal(&u, 0, 0, 2);
	if (!rc)
		rc = sys_sync_data(u.fd);
	if (rc)
		return give_up(a, &u, rc);
	uint64_t put = u.m.put;
	upload_done(&u);
	sha256_init(&hash);
	sha256_add(&hash, model, 2 * CHUNK);
	sha256_save(&hash, digest);
	return outcome_of(TRY(a, put_suspend, PUT_SUSPEND, put, .clean = clean,
			      .durable = 2 * CHUNK, .sealed = clean ? 2 : 0,
			      .digest = view_of(digest, clean ? sizeof digest : 0),
			      .tail = view_of(model + 2 * CHUNK, clean ? TAIL : 0),
			      .mtime_s = TIME_UNKNOWN, .reason = view_text("the client left")));
}

static enum outcome do_resume(struct actor *a, const struct step *s)
{
	struct upload u;
	enum outcome o = open_it(a, s->name, 0, &u);
	int rc = 0;

	if (o != DONE)
		return o;
	assert_true(u.m.size <= s->size);
	assert_memory_equal(u.tail, model + story_stands(&u) * CHUNK, u.tail_len);
	if (u.m.prefix)
		story_reseal(&u, u.m.prefix / CHUNK, &rc);
	if (rc)
		return give_up(a, &u, rc);
	return finish(a, &u, s->size, story_stands(&u));
}

static bool has_expired(void *arg)
{
	const struct keep *keep = arg;

	return !keep->expiry.busy && !keep->sweeping;
}

/* DONE: nothing is unfinished; REFUSED: something is; CUT_OFF: it cannot be known. */
static enum outcome nothing_unfinished(struct actor *a)
{
	struct upload_row row;
	int rc = catalog_upload_next(a->live.keep->catalog, 0, &row);

	err_clear();
	return rc == E_GONE ? DONE : rc ? CUT_OFF : REFUSED;
}

static enum outcome do_expire(struct actor *a)
{
	uint64_t expiry_ms = a->live.keep->settings->upload_expiry_ms;

	live_settle(&a->live); /* what was refused may still be about to be put aside */
	enum outcome before = nothing_unfinished(a);
	if (before != REFUSED)
		return before == DONE ? REFUSED : before;
	a->live.keep->settings->upload_expiry_ms = 0;
	expiry_watch(a->live.keep);
	live_until(&a->live, has_expired, a->live.keep);
	a->live.keep->settings->upload_expiry_ms = expiry_ms;
	return nothing_unfinished(a);
}

static enum outcome do_step(struct actor *a, const struct step *s)
{
	char path[64], to[64];
	struct view name = view_text(path_to(s->name, path));

	switch (s->act) {
	case PUT:
		return do_put(a, s);
	case PART:
	case PART_UNCLEAN:
		return do_part(a, s);
	case RESUME:
		return do_resume(a, s);
	case RENAME:
		return outcome_of(TRY(a, rename, RENAME, a->session, .from = name,
				      .to = view_text(path_to(s->to, to))));
	case MAKE_DIR:
		return outcome_of(TRY(a, make_dir, MAKE_DIR, a->session, .path = name));
	case EXPIRE:
		return do_expire(a);
	case REMOVE:
		return outcome_of(TRY(a, remove, REMOVE, a->session, .path = name));
	}
	return REFUSED;
}

/* ---- the case ---- */

struct live story_live(const char *dir)
{
	struct live l = {.conf = mem_printf("%s/conf", dir)};

	(void)snprintf(l.dir, sizeof l.dir, "%s", dir);
	for (size_t i = 0; i < sizeof model; i++)
		model[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	return l;
}

struct user story_user(const char *dir, const char *name)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s.key", dir, name);
	struct user u = {.name = ""};

	(void)snprintf(u.name, sizeof u.name, "%s", name);
	assert_good(sys_read_file(AT_FDCWD, path, 4096, &u.key));
	return u;
}

/* A client may well be told at once that nothing goes. */
static bool log_in(struct actor *a)
{
	struct answer_session_open m;

	a->gate = fake_gate_new(&a->live);
	if (outcome_of(TRY(a, hello, HELLO, 0, .version = WIRE_VERSION)) != DONE)
		return false;
	HEARD *h = TRY(a, session_open, SESSION_OPEN, 0, .protocol = view_text("sftp"),
		       .peer = view_text("192.0.2.1"), .peer_port = 4711);
	if (!h || h->f.status)
		return false;
	READ(h, session_open, &m);
	a->session = m.session;
	return outcome_of(TRY(a, auth, AUTH, a->session, .step = AUTH_SIGNED,
			      .user = view_text(a->anna.name), .key = view_buf(&a->anna.key),
			      .client = view_text("SSH-2.0-test"),
			      .cipher = view_text("aes256-gcm@openssh.com"))) == DONE;
}

static void note(const struct actor *a, unsigned step, char what)
{
	char line[16];
	int len = snprintf(line, sizeof line, "%u %c\n", step, what);

	assert_good(sys_write_all(a->journal, line, (size_t)len));
}

int story_act(const char *dir, unsigned first, unsigned end, bool crash)
{
	struct actor a = {.live = story_live(dir), .anna = story_user(dir, "anna")};
	CLEANUP(mem_free) char *journal = mem_printf("%s/journal", dir);

	assert_good(sys_open(AT_FDCWD, journal, O_WRONLY | O_CREAT | O_APPEND, 0600, &a.journal));
	if (keep_open(a.live.conf, &a.live.keep)) {
		print_message("# %s\n", err_text());
		return *err_text() ? 3 : 1;
	}
	sweep_start(a.live.keep);
	bool in = log_in(&a);
	for (unsigned i = first; in && i < end; i++) {
		note(&a, i, 'b');
		enum outcome o = do_step(&a, &story[i]);
		if (o == CUT_OFF)
			break;
		note(&a, i, o == DONE ? 'd' : 'r');
	}
	if (crash)
		(void)kill(getpid(), SIGKILL);
	fake_gate_free(a.gate);
	live_close(&a.live);
	return 0;
}
