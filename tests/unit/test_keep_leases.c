/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: who waits for one, who takes it away, and what becomes of it when its gate dies. */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/keep/puts.h"
#include "daemon/keep/resume.h"
#include "daemon/keep/sealed_blob.h"
#include "keep_asks.h"

static const char path[] = "/acme/incoming/report";

/* ---- newcomers ---- */

static void newcomer_waits_until_the_lease_ends(void **state)
{
	struct scene *s = *state;
	uint64_t second = gate_log_in(s->gate, &s->anna);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	uint32_t id = SAY(s->gate, put_open, PUT_OPEN, second, .path = view_text(path),
			  .declared = SIZE_UNKNOWN);
	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	assert_int_equal(order->f.subject, u.m.put);
	live_settle(&s->live);
	HEARD *early = gate_heard(s->gate, is_answer_to, id);
	assert_null(early);
	expect_answer(put_suspend_clean(&u, model, 1, 10), 0, "");
	struct upload v = put_taken(s->gate, second, gate_hear(s->gate, id));
	assert_int_equal(v.m.size, CHUNK + 10);
	put_seal_all(&v, model, CHUNK + 10, 1);
	expect_answer(put_finish(&v, model, CHUNK + 10), 0, "");
	assert_int_equal(count_records(&s->live, "upload.open"), 1);
	assert_int_equal(count_records(&s->live, "upload.resume"), 1);
}

/* Both come before the gate knows of its lease: it is told to let go right behind it. */
static void two_at_once_have_it_one_behind_the_other(void **state)
{
	struct scene *s = *state;
	uint64_t second = gate_log_in(s->gate, &s->anna);
	uint32_t one = SAY(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			   .flags = PUT_CREATE, .declared = SIZE_UNKNOWN);
	uint32_t two = SAY(s->gate, put_open, PUT_OPEN, second, .path = view_text(path),
			   .flags = PUT_CREATE, .declared = SIZE_UNKNOWN);

	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	struct heard *first = gate_heard(s->gate, is_answer_to, one);
	assert_non_null(first); /* the lease came before the order to yield it */
	struct upload u = put_taken(s->gate, s->session, first);
	assert_int_equal(order->f.subject, u.m.put);
	expect_answer(put_suspend_unclean(&u, 0), 0, "");
	struct upload v = put_taken(s->gate, second, gate_hear(s->gate, two));
	put_seal_all(&v, model, 5, 0);
	expect_answer(put_finish(&v, model, 5), 0, "");
	expect_file(s->gate, s->session, path, 5);
}

static void removal_waits_for_the_lease_too(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	uint32_t id = SAY(s->gate, remove, REMOVE, s->session, .path = view_text(path));
	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	assert_int_equal(order->f.subject, u.m.put);
	expect_answer(put_suspend_unclean(&u, CHUNK), 0, "");
	expect_answer(gate_hear(s->gate, id), 0, "");
	expect_nothing(s->gate, s->session, path);
	expect_record(&s->live, "file.remove", "reason", "\"an unfinished upload\"");
}

static void who_waits_too_long_takes_the_lease_away(void **state)
{
	struct scene *s = *state;
	uint64_t second = gate_log_in(s->gate, &s->anna);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = 2 * CHUNK), 0, "");
	uint32_t id = SAY(s->gate, put_open, PUT_OPEN, second, .path = view_text(path),
			  .declared = SIZE_UNKNOWN);
	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	assert_non_null(order);
	puts_watch(s->live.keep, clock_mono_ms());
	live_settle(&s->live);
	assert_null(gate_heard(s->gate, is_answer_to, id));
	puts_watch(s->live.keep, clock_mono_ms() + YIELD_PATIENCE_MS + 1);
	struct upload v = put_taken(s->gate, second, gate_hear(s->gate, id));
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	assert_int_not_equal(v.m.put, u.m.put);

	/* Whatever the old one says now means nothing. */
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = 2 * CHUNK), E_GONE,
		      "taken over");
	put_seal_all(&u, model, 3 * CHUNK, 2);
	expect_answer(put_finish(&u, model, 3 * CHUNK), E_GONE, "taken over");
	reseal(&v, 2);
	put_seal_all(&v, model, 2 * CHUNK + 1, 2);
	expect_answer(put_finish(&v, model, 2 * CHUNK + 1), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 2 * CHUNK + 1);
}

static void newcomer_whose_gate_dies_while_waiting_is_forgotten(void **state)
{
	struct scene *s = *state;
	struct fake_gate *other = fake_gate_ready(&s->live);
	uint64_t second = gate_log_in(other, &s->anna);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	(void)SAY(other, put_open, PUT_OPEN, second, .path = view_text(path),
		  .declared = SIZE_UNKNOWN);
	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	assert_non_null(order);
	fake_gate_free(other);
	expect_answer(put_suspend_clean(&u, model, 1, 1), 0, "");
	live_settle(&s->live);
	assert_int_equal(s->live.keep->sessions.uploads.count, 0);
	expect_partial(s->gate, s->session, path, CHUNK + 1);
}

/* ---- a gate dies ---- */

static void death_of_a_gate_leaves_uploads_that_can_be_resumed(void **state)
{
	struct scene *s = *state;
	uint64_t reader = session_of_sam(s);
	struct answer_get_open get;

	put_whole(s->gate, s->session, "/acme/incoming/old", model, 10);
	HEARD *h =
	    ASK(s->gate, get_open, GET_OPEN, reader, .path = view_text("/acme/incoming/old"));
	READ(h, get_open, &get);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct upload none = put_opened(s->gate, s->session, "/acme/incoming/none", PUT_CREATE);
	put_seal(&u, model, 0, 3);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = 2 * CHUNK), 0, "");
	upload_done(&u);
	upload_done(&none);
	fake_gate_free(s->gate);
	assert_int_equal(s->live.keep->sessions.sessions.count, 0);
	assert_int_equal(s->live.keep->sessions.uploads.count, 0);
	assert_int_equal(s->live.keep->sessions.downloads.count, 0);
	expect_record(&s->live, "session.close", "reason", "\"the gate ended\"");
	expect_record(&s->live, "download.abort", "actor", "\"sam\"");
	assert_int_equal(count_records(&s->live, "upload.suspend"), 2);
	live_check(&s->live);

	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	expect_nothing(s->gate, s->session, "/acme/incoming/none");
	expect_partial(s->gate, s->session, path, 2 * CHUNK);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	reseal(&v, 2);
	put_seal_all(&v, model, 3 * CHUNK, 2);
	expect_answer(put_finish(&v, model, 3 * CHUNK), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 3 * CHUNK);
}

/* It dies before it gets its lease: nobody has the blob, and none is left. */
static void death_while_the_blob_is_made_leaves_none(void **state)
{
	struct scene *s = *state;

	for (int round = 0; round < 40; round++) {
		if (round % 2) {
			struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
			(void)SAY(s->gate, put_store, PUT_STORE, u.m.put);
			upload_done(&u);
		} else {
			(void)SAY(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
				  .flags = PUT_CREATE, .declared = SIZE_UNKNOWN);
		}
		for (int i = 0; i < round % 4; i++)
			(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
		fake_gate_free(s->gate);
		live_check(&s->live);
		s->gate = fake_gate_ready(&s->live);
		s->session = gate_log_in(s->gate, &s->anna);
		expect_nothing(s->gate, s->session, path);
	}
}

/* What it said before it died counts, and is recorded once. */
static void last_words_of_a_gate_count(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct ask_put_finish m = {.size = 10, .mtime_s = TIME_UNKNOWN};
	uint8_t body[64];
	struct writer w = writer_of(body, sizeof body);

	put_seal_all(&u, model, 10, 0);
	sha256_of(view_of(model, 10), m.sha256);
	ask_put_finish_write(&w, &m);
	upload_done(&u);
	(void)gate_say(s->gate, VERB_PUT_FINISH, u.m.put, view_of(w.data, w.len));
	(void)SAY(s->gate, session_close, SESSION_CLOSE, s->session);
	fake_gate_free(s->gate);
	assert_int_equal(count_records(&s->live, "session.close"), 1);
	assert_int_equal(count_records(&s->live, "upload.complete") +
			     count_records(&s->live, "upload.suspend"),
			 1);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

/* The same for what is decided in the very tick in which its death is. */
static void last_words_are_recorded_once(void **state)
{
	struct scene *s = *state;
	struct answer_get_open get;

	put_whole(s->gate, s->session, "/acme/incoming/old", model, 10);
	uint64_t reader = session_of_sam(s);
	HEARD *h =
	    ASK(s->gate, get_open, GET_OPEN, reader, .path = view_text("/acme/incoming/old"));
	READ(h, get_open, &get);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	upload_done(&u);
	live_settle(&s->live);
	(void)SAY(s->gate, put_drop, PUT_DROP, u.m.put, .code = (uint8_t)-E_IO);
	(void)SAY(s->gate, get_close, GET_CLOSE, get.get, .bytes = 10);
	(void)SAY(s->gate, session_close, SESSION_CLOSE, reader);
	fake_gate_free(s->gate);
	assert_int_equal(count_records(&s->live, "upload.abort"), 1);
	assert_int_equal(count_records(&s->live, "upload.suspend"), 0);
	assert_int_equal(count_records(&s->live, "download.close"), 1);
	assert_int_equal(count_records(&s->live, "download.abort"), 0);
	assert_int_equal(count_records(&s->live, "session.close"), 2);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

/* What cannot be written down costs the tail; what is sealed stands. */
static void state_that_cannot_be_saved_costs_the_tail_alone(void **state)
{
	struct scene *s = *state;
	struct upload_row row;
	char name[64] = "uploads/";
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	hex_encode(row.blob, ID_SIZE, name + 8);
	memcpy(name + 8 + 2 * ID_SIZE, ".new", 5);
	assert_good(sys_mkdir(live_state(&s->live), name, 0700)); /* in the way */
	expect_answer(put_suspend_clean(&u, model, 2, 100), 0, "");
	expect_partial(s->gate, s->session, path, 2 * CHUNK);
	assert_good(sys_rmdir(live_state(&s->live), name));
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	reseal(&v, 2);
	put_seal_all(&v, model, 2 * CHUNK + 100, 2);
	expect_answer(put_finish(&v, model, 2 * CHUNK + 100), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 2 * CHUNK + 100);
}

/* The session may end before its upload does. */
static void upload_outlives_its_session(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 1);
	expect_answer(ASK(s->gate, session_close, SESSION_CLOSE, s->session), 0, "");
	expect_answer(put_suspend_clean(&u, model, 1, 3), 0, "");
	expect_record(&s->live, "upload.suspend", "actor", "\"anna\"");
	s->session = gate_log_in(s->gate, &s->anna);
	expect_partial(s->gate, s->session, path, CHUNK + 3);
}

/* No blob can be made while its folders are elsewhere. */
static void move_folders(const struct live *l, bool away)
{
	CLEANUP(sys_close) int dir = -1;

	assert_good(sys_open(live_state(l), "blobs", O_RDONLY | O_DIRECTORY, 0, &dir));
	for (unsigned i = 0; i < 256; i++) {
		char name[8], other[16];
		(void)snprintf(name, sizeof name, "%02x", i);
		(void)snprintf(other, sizeof other, "../%02x", i);
		assert_good(sys_rename(dir, away ? name : other, away ? other : name));
	}
}

/* The refusal is recorded and nothing of the upload stays. */
static void blob_that_cannot_be_made_leaves_nothing(void **state)
{
	struct scene *s = *state;

	put_whole(s->gate, s->session, "/acme/incoming/old", model, 2 * CHUNK);
	move_folders(&s->live, true);
	/* A bare lease asks for its blob later; an upload with a source needs it at once. */
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint32_t one = SAY(s->gate, put_store, PUT_STORE, u.m.put);
	uint32_t two = SAY(s->gate, put_open, PUT_OPEN, s->session,
			   .path = view_text("/acme/incoming/old"), .declared = SIZE_UNKNOWN);
	HEARD *h = gate_hear(s->gate, one);
	assert_int_not_equal(h->f.status, 0);
	HEARD *k = gate_hear(s->gate, two);
	assert_int_not_equal(k->f.status, 0);
	live_settle(&s->live);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(count_records(&s->live, "upload.abort"), 1);
	assert_int_equal(count_records(&s->live, "upload.suspend"), 1);
	expect_answer(put_suspend_unclean(&u, 0), E_GONE, "taken over or removed");
	move_folders(&s->live, false);
	expect_answer(
	    ASK(s->gate, remove, REMOVE, s->session, .path = view_text("/acme/incoming/old")), 0,
	    "");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
	put_whole(s->gate, s->session, path, model, 2 * CHUNK);
}

/* Every opening in the log has one end there, whenever the gate dies. */
static void blob_that_cannot_be_made_for_a_dying_gate_ends_once(void **state)
{
	struct scene *s = *state;

	move_folders(&s->live, true);
	for (int round = 0; round < 40; round++) {
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
		(void)SAY(s->gate, put_store, PUT_STORE, u.m.put);
		upload_done(&u);
		for (int i = 0; i < round % 5; i++)
			(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
		if (round % 2)
			(void)poll(NULL, 0, 1);
		fake_gate_free(s->gate);
		s->gate = fake_gate_ready(&s->live);
		s->session = gate_log_in(s->gate, &s->anna);
		expect_nothing(s->gate, s->session, path);
		assert_int_equal(count_records(&s->live, "upload.open"),
				 count_records(&s->live, "upload.abort") +
				     count_records(&s->live, "upload.suspend"));
	}
	move_folders(&s->live, false);
}

/* ---- what the pool has in hand is not swept away ---- */

enum { POOL = 4 };

struct blocker {
	uv_work_t work;
	uv_sem_t *until;
};

static void block(uv_work_t *work)
{
	uv_sem_wait(((struct blocker *)work->data)->until);
}

static void unblocked(uv_work_t *work, int status)
{
	(void)status;
	free(work->data);
}

/* Nothing is done by the pool until the semaphore is posted POOL times. */
static void block_pool(struct live *l, uv_sem_t *until)
{
	assert_int_equal(uv_sem_init(until, 0), 0);
	for (int i = 0; i < POOL; i++) {
		struct blocker *b = mem_new(sizeof *b);
		b->until = until;
		b->work.data = b;
		assert_int_equal(uv_queue_work(&l->keep->loop, &b->work, block, unblocked), 0);
	}
}

static bool is_downloading(void *arg)
{
	return ((struct live *)arg)->keep->sessions.downloads.count > 0;
}

static bool is_owed(void *arg)
{
	return ((struct live *)arg)->keep->sweep_owed;
}

static void download_that_is_being_opened_keeps_its_blob(void **state)
{
	struct scene *s = *state;
	struct live *l = &s->live;
	struct answer_get_open get;
	uint64_t sam = session_of_sam(s);
	uint8_t blob[ID_SIZE];
	CLEANUP(sys_close) int fd = -1;
	uv_sem_t until;

	put_whole(s->gate, s->session, path, model, CHUNK + 10);
	live_settle(l);
	block_pool(l, &until);
	uint32_t one = SAY(s->gate, get_open, GET_OPEN, sam, .path = view_text(path));
	live_until(l, is_downloading, l);
	assert_non_null(l->keep->pins);
	memcpy(blob, l->keep->pins->blob, sizeof blob);
	uint32_t two = SAY(s->gate, remove, REMOVE, s->session, .path = view_text(path));
	live_until(l, is_owed, l);
	for (int i = 0; i < POOL; i++)
		uv_sem_post(&until);
	expect_answer(gate_hear(s->gate, two), 0, "");
	HEARD *h = gate_hear(s->gate, one);
	READ(h, get_open, &get);
	assert_int_equal(h->count, 1);
	live_settle(l);
	assert_null(l->keep->pins);
	assert_int_equal(blobs_read(l->keep->blobs, blob, &fd), E_GONE);
	expect_answer(ASK(s->gate, get_close, GET_CLOSE, get.get), 0, "");
	uv_sem_destroy(&until);
}

/* ---- a restart ---- */

static void begin(struct scene *s)
{
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

static void restart(struct scene *s)
{
	fake_gate_free(s->gate);
	live_close(&s->live);
	begin(s);
}

/* A keep of another process does that and is killed. */
static void crash_after(struct scene *s, void (*act)(struct scene *s))
{
	int status = 0;

	fake_gate_free(s->gate);
	live_close(&s->live);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		begin(s);
		act(s);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	begin(s);
}

/* What a clean end left is exact to the byte, comes from where it is, and stays there until the
 * new blob has it. */
static void clean_end_of_an_earlier_run_goes_on_in_another_blob(void **state)
{
	static const struct {
		uint64_t sealed;
		size_t tail;
	} ends[] = {{0, 1}, {0, CHUNK}, {1, 0}, {2, 100}, {2, CHUNK}};
	struct scene *s = *state;
	struct upload_row row;

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		uint64_t size = ends[i].sealed * CHUNK + ends[i].tail;
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
		put_seal(&u, model, 0, ends[i].sealed);
		expect_answer(put_suspend_clean(&u, model, ends[i].sealed, ends[i].tail), 0, "");
		restart(s);
		expect_partial(s->gate, s->session, path, size);
		struct upload v = put_opened(s->gate, s->session, path, 0);
		assert_int_equal(v.m.size, size);
		assert_int_equal(v.m.sealed, 0);
		assert_int_equal(v.m.prefix, ends[i].sealed * CHUNK);
		assert_int_equal(v.source >= 0, ends[i].sealed > 0);
		assert_int_equal(v.tail_len, ends[i].tail);
		assert_memory_equal(v.tail, model + ends[i].sealed * CHUNK, v.tail_len);
		assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
		reseal(&v, ends[i].sealed);
		put_seal_all(&v, model, size + 5, ends[i].sealed);
		expect_answer(put_finish(&v, model, size + 5), 0, "");
		expect_content(s->gate, session_of_sam(s), path, model, size + 5);
		expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0,
			      "");
		live_settle(&s->live);
		live_check(&s->live);
	}
	assert_int_equal(catalog_upload_next(s->live.keep->catalog, 0, &row), E_GONE);
}

/* Told once; from then on the offset is what is left, and what a stat says. */
static void tail_of_an_earlier_run_that_is_damaged_costs_the_tail_alone(void **state)
{
	struct scene *s = *state;

	for (uint64_t sealed = 0; sealed < 3; sealed++) {
		struct upload_row row;
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
		put_seal(&u, model, 0, sealed);
		expect_answer(put_suspend_clean(&u, model, sealed, 100), 0, "");
		assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
		restart(s);
		if (sealed == 1)
			assert_good(blobs_forget_state(s->live.keep->blobs, row.blob));
		else
			assert_good(
			    blobs_save_state(s->live.keep->blobs, row.blob, view_text("damage")));
		expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
				  .declared = SIZE_UNKNOWN),
			      E_INTEGRITY, "");
		live_check(&s->live);
		if (!sealed) {
			expect_nothing(s->gate, s->session, path);
			continue;
		}
		expect_partial(s->gate, s->session, path, sealed * CHUNK);
		struct upload v = put_opened(s->gate, s->session, path, 0);
		assert_int_equal(v.m.prefix, sealed * CHUNK);
		reseal(&v, sealed);
		put_seal_all(&v, model, 3 * CHUNK, sealed);
		expect_answer(put_finish(&v, model, 3 * CHUNK), 0, "");
		expect_content(s->gate, session_of_sam(s), path, model, 3 * CHUNK);
		expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0,
			      "");
	}
}

static uint64_t copied; /* chunks */

/* Opens the upload of three chunks and 100 bytes, and seals some of it again. */
static void seal_again(struct scene *s)
{
	struct upload v = put_opened(s->gate, s->session, path, 0);

	assert_int_equal(v.m.size, 3 * CHUNK + 100);
	assert_int_equal(v.m.prefix, 3 * CHUNK);
	assert_int_equal(v.tail_len, 100);
	assert_memory_equal(v.tail, model + 3 * CHUNK, 100);
	reseal(&v, copied);
	if (copied)
		expect_answer(
		    ASK(s->gate, put_extend, PUT_EXTEND, v.m.put, .durable = copied * CHUNK), 0,
		    "");
	upload_done(&v);
	expect_partial(s->gate, s->session, path, 3 * CHUNK + 100);
}

/* However often it ends uncleanly while it goes on: each time the same is there. */
static void crashes_while_it_is_sealed_again_lose_nothing(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint8_t first[ID_SIZE];
	struct upload_row row;

	put_seal(&u, model, 0, 3);
	expect_answer(put_suspend_clean(&u, model, 3, 100), 0, "");
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	memcpy(first, row.blob, sizeof first);
	restart(s);
	for (int round = 0; round < 8; round++) {
		copied = (uint64_t)round % 4;
		if (round % 2) {
			crash_after(s, seal_again);
		} else {
			seal_again(s);
			restart(s);
		}
		expect_partial(s->gate, s->session, path, 3 * CHUNK + 100);
		assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
		assert_true(row.has_source && row.source_clean && !row.clean);
		assert_memory_equal(row.source_blob, first, sizeof first);
		live_check(&s->live);
	}
}

/* As soon as more stands in the new blob than the old one had, that is what counts. */
static void old_blob_goes_when_the_new_one_has_more(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct upload_row row;

	put_seal(&u, model, 0, 3);
	expect_answer(put_suspend_clean(&u, model, 3, 100), 0, "");
	restart(s);
	struct upload w = put_opened(s->gate, s->session, path, 0);
	reseal(&w, 3);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, w.m.put, .durable = 3 * CHUNK), 0, "");
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_true(row.has_source); /* the tail is in the old one alone */
	put_seal(&w, model, 3, 4);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, w.m.put, .durable = 4 * CHUNK), 0, "");
	upload_done(&w);
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_false(row.has_source);
	restart(s);
	expect_partial(s->gate, s->session, path, 4 * CHUNK);
	struct upload x = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(x.m.prefix, 4 * CHUNK);
	assert_int_equal(x.tail_len, 0);
	reseal(&x, 4);
	expect_answer(put_suspend_clean(&x, model, 4, 7), 0, "");
	expect_partial(s->gate, s->session, path, 4 * CHUNK + 7);
}

/* ---- a lease that goes on, in the same run, from a clean end ---- */

/* Two chunks and a tail of 100 bytes, and a lease that goes on from there. */
static struct upload gone_on(struct scene *s)
{
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 100), 0, "");
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.sealed, 2);
	assert_int_equal(v.tail_len, 100);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 100);
	return v;
}

/* It is exact, under another key, and can be finished. */
static void expect_to_go_on(struct scene *s, uint64_t size)
{
	struct upload_row row;

	expect_partial(s->gate, s->session, path, size);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, size);
	live_check(&s->live);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.size, size);
	assert_int_equal(v.m.sealed, 0);
	assert_int_equal(v.m.prefix + v.tail_len, size);
	assert_memory_equal(v.tail, model + v.m.prefix, v.tail_len);
	reseal(&v, v.m.prefix / CHUNK);
	put_seal_all(&v, model, size + 9, v.m.prefix / CHUNK);
	expect_answer(put_finish(&v, model, size + 9), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, size + 9);
	live_settle(&s->live);
	assert_int_equal(catalog_upload_next(s->live.keep->catalog, 0, &row), E_GONE);
}

static void go_on(struct scene *s)
{
	struct upload v = gone_on(s);

	upload_done(&v);
}

/* The gate has sealed, and said, less than what the clean end had left. */
static void go_on_and_extend_little(struct scene *s)
{
	struct upload v = gone_on(s);

	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, v.m.put, .durable = 2 * CHUNK), 0, "");
	put_seal(&v, model, 2, 4);
	upload_done(&v);
}

static void go_on_and_end_unclean(struct scene *s)
{
	struct upload v = gone_on(s);

	expect_answer(put_suspend_unclean(&v, 2 * CHUNK), 0, "");
}

/* The next state was written, but its commit never came. */
static void go_on_and_write_the_next_state(struct scene *s)
{
	struct upload v = gone_on(s);
	struct upload_row row;
	CLEANUP(sealed_blob_done) struct sealed_blob b = SEALED_BLOB_NONE;
	const struct keep *k = s->live.keep;
	const struct zone *zone = NULL;
	uint8_t digest[SHA256_STATE_SIZE] = {0};
	const struct resume_state next = {.sealed = 3,
					  .digest = view_of(digest, sizeof digest),
					  .tail = view_of(model + 3 * CHUNK, 7)};

	put_seal(&v, model, 2, 3);
	assert_good(catalog_upload_next(k->catalog, 0, &row));
	assert_good(accounts_zone_by_name(k->accounts, view_text("acme"), &zone));
	assert_good(sealed_blob_open(k->blobs, row.blob, false, zone_keys_identity(zone->keys),
				     row.pin, &b));
	assert_good(resume_save(k->blobs, k->keys, row.blob, b.file_key, &next));
	upload_done(&v);
}

static void crash_after_a_lease_went_on_leaves_the_clean_end_before(void **state)
{
	void (*const acts[])(struct scene *) = {
	    go_on, go_on_and_extend_little, go_on_and_end_unclean, go_on_and_write_the_next_state};
	struct scene *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(acts); i++) {
		crash_after(s, acts[i]);
		expect_to_go_on(s, 2 * CHUNK + 100);
		expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0,
			      "");
		live_settle(&s->live);
	}
}

/* The same where the gate alone ends. */
static void unclean_end_of_a_lease_that_went_on_leaves_the_one_before(void **state)
{
	struct scene *s = *state;

	go_on_and_end_unclean(s);
	expect_to_go_on(s, 2 * CHUNK + 100);
}

static void go_on_and_extend_more(struct scene *s)
{
	struct upload v = gone_on(s);

	put_seal(&v, model, 2, 3);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, v.m.put, .durable = 3 * CHUNK), 0, "");
	upload_done(&v);
}

static void more_that_is_durable_takes_the_place_of_the_clean_end(void **state)
{
	struct scene *s = *state;

	crash_after(s, go_on_and_extend_more);
	expect_to_go_on(s, 3 * CHUNK);
}

/* Other bytes for the tail: nobody is led back to the old ones. */
static void go_on_and_rekey(struct scene *s)
{
	struct upload v = gone_on(s);

	expect_answer(ASK(s->gate, put_rekey, PUT_REKEY, v.m.put, .durable = 2 * CHUNK), 0, "");
	upload_done(&v);
}

static void other_bytes_for_a_tail_end_what_was_kept_of_it(void **state)
{
	struct scene *s = *state;

	crash_after(s, go_on_and_rekey);
	expect_to_go_on(s, 2 * CHUNK);
}

/* Told once, as after a restart; what is sealed stands. */
static void tail_that_is_damaged_costs_the_tail_alone(void **state)
{
	struct scene *s = *state;
	struct upload_row row;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 100), 0, "");
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_good(blobs_save_state(s->live.keep->blobs, row.blob, view_text("damage")));
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .declared = SIZE_UNKNOWN),
		      E_INTEGRITY, "");
	expect_to_go_on(s, 2 * CHUNK);
}

/* Nothing of it stands, not even its blob: it is there and begins anew. */
static void open_and_lose_the_blob(struct scene *s)
{
	struct upload_row row;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	upload_done(&u);
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_good(blobs_remove(s->live.keep->blobs, row.blob));
}

static void upload_without_a_blob_begins_anew(void **state)
{
	struct scene *s = *state;

	crash_after(s, open_and_lose_the_blob);
	expect_partial(s->gate, s->session, path, 0);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.size, 0);
	put_seal_all(&v, model, 10, 0);
	expect_answer(put_finish(&v, model, 10), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(newcomer_waits_until_the_lease_ends),
	    IN_A_SCENE(two_at_once_have_it_one_behind_the_other),
	    IN_A_SCENE(removal_waits_for_the_lease_too),
	    IN_A_SCENE(who_waits_too_long_takes_the_lease_away),
	    IN_A_SCENE(newcomer_whose_gate_dies_while_waiting_is_forgotten),
	    IN_A_SCENE(death_of_a_gate_leaves_uploads_that_can_be_resumed),
	    IN_A_SCENE(death_while_the_blob_is_made_leaves_none),
	    IN_A_SCENE(last_words_of_a_gate_count),
	    IN_A_SCENE(last_words_are_recorded_once),
	    IN_A_SCENE(state_that_cannot_be_saved_costs_the_tail_alone),
	    IN_A_SCENE(upload_outlives_its_session),
	    IN_A_SCENE(blob_that_cannot_be_made_leaves_nothing),
	    IN_A_SCENE(blob_that_cannot_be_made_for_a_dying_gate_ends_once),
	    IN_A_SCENE(download_that_is_being_opened_keeps_its_blob),
	    IN_A_SCENE(clean_end_of_an_earlier_run_goes_on_in_another_blob),
	    IN_A_SCENE(tail_of_an_earlier_run_that_is_damaged_costs_the_tail_alone),
	    IN_A_SCENE(crashes_while_it_is_sealed_again_lose_nothing),
	    IN_A_SCENE(old_blob_goes_when_the_new_one_has_more),
	    IN_A_SCENE(crash_after_a_lease_went_on_leaves_the_clean_end_before),
	    IN_A_SCENE(unclean_end_of_a_lease_that_went_on_leaves_the_one_before),
	    IN_A_SCENE(more_that_is_durable_takes_the_place_of_the_clean_end),
	    IN_A_SCENE(other_bytes_for_a_tail_end_what_was_kept_of_it),
	    IN_A_SCENE(tail_that_is_damaged_costs_the_tail_alone),
	    IN_A_SCENE(upload_without_a_blob_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
