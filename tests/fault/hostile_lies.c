/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate that was taken over may do with the uploads and downloads that it carries. */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "daemon/keep/check.h"
#include "daemon/keep/puts.h"
#include "hostile_kit.h"

static const char lost[] = "/acme/incoming/eve-lost";

/* Without a blob where the keep gives none. */
static struct upload eve_begins(struct siege *s, const char *path, uint64_t declared)
{
	tally.messages++;
	return put_taken(s->hostile, s->of_eve,
			 ASK(s->hostile, put_open, PUT_OPEN, s->of_eve, .path = view_text(path),
			     .flags = PUT_CREATE, .declared = declared));
}

static struct upload eve_opens(struct siege *s, const char *path, uint64_t declared)
{
	struct upload u = eve_begins(s, path, declared);

	tally.messages++;
	put_store(&u);
	return u;
}

static bool has_ended(void *arg)
{
	return fake_gate_ended(arg);
}

static uint32_t say_content(struct siege *s, const struct upload *u, uint64_t size,
			    struct view content)
{
	struct ask_put_finish m = {.size = size, .mtime_s = TIME_UNKNOWN, .content = content};
	CLEANUP(mem_free) uint8_t *body = mem_new(LINK_MAX);
	struct writer w = writer_of(body, LINK_MAX - LINK_HEADER);

	sha256_of(view_of(model, size < sizeof model ? (size_t)size : 0), m.sha256);
	ask_put_finish_write(&w, &m);
	return hostile_say(s, VERB_PUT_FINISH, u->m.put, view_of(w.data, w.len));
}

static uint32_t say_finish(struct siege *s, const struct upload *u, uint64_t size)
{
	return say_content(s, u, size, view_of(NULL, 0));
}

static uint32_t say_claim(struct siege *s, uint16_t verb, const struct upload *u, uint64_t durable)
{
	uint8_t body[32];
	struct writer w = writer_of(body, sizeof body);

	if (verb == VERB_PUT_REKEY)
		ask_put_rekey_write(&w, &(struct ask_put_rekey){.durable = durable});
	else
		ask_put_extend_write(&w, &(struct ask_put_extend){.durable = durable});
	return hostile_say(s, verb, u->m.put, view_of(w.data, w.len));
}

static uint32_t say_suspend(struct siege *s, const struct upload *u, struct ask_put_suspend m)
{
	CLEANUP(mem_free) uint8_t *body = mem_new(LINK_MAX);
	struct writer w = writer_of(body, LINK_MAX - LINK_HEADER);

	m.mtime_s = TIME_UNKNOWN;
	ask_put_suspend_write(&w, &m);
	return hostile_say(s, VERB_PUT_SUSPEND, u->m.put, view_of(w.data, w.len));
}

/* Nobody but its owner sees it, and to them it is no file; then it goes. */
static void expect_unpublished(struct siege *s, const char *path)
{
	uint8_t kind = 0;
	uint64_t size = 0;

	int rc = stat_path(s->honest, s->of_sam, path, &kind, &size);
	assert_int_equal(rc, E_GONE);
	rc = stat_path(s->hostile, s->of_eve, path, &kind, &size);
	assert_true(rc == E_GONE || (rc == 0 && kind == NODE_PARTIAL));
	if (rc == 0)
		expect_answer(ASK(s->hostile, remove, REMOVE, s->of_eve, .path = view_text(path)),
			      0, "");
}

/* ---- the end of an upload ---- */

static void size_that_is_not_the_blobs_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static const uint64_t sizes[] = {0,
					 1,
					 EVE_SIZE - 1,
					 EVE_SIZE + 1,
					 CHUNK,
					 EVE_SIZE + CHUNK,
					 AGE_PLAIN_MAX,
					 AGE_PLAIN_MAX + 1,
					 UINT64_C(1) << 63,
					 UINT64_MAX};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
		put_seal_all(&u, model, EVE_SIZE, 0);
		upload_done(&u);
		(void)say_finish(s, &u, sizes[i]);
		siege_ends(s, NULL);
		expect_unpublished(s, lost);
	}
}

static void more_than_was_granted_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static uint8_t digest[SHA256_STATE_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, model, CHUNK);
	sha256_save(&h, digest);
	struct upload u = eve_opens(s, lost, 10);
	put_seal_all(&u, model, 11, 0);
	upload_done(&u);
	(void)say_finish(s, &u, 11);
	siege_ends(s, "larger than what was granted");
	expect_unpublished(s, lost);
	for (int clean = 0; clean < 2; clean++) {
		u = eve_opens(s, lost, 10);
		put_seal(&u, model, 0, 1);
		upload_done(&u);
		(void)say_suspend(
		    s, &u,
		    (struct ask_put_suspend){.clean = (uint8_t)clean,
					     .durable = CHUNK,
					     .sealed = 1,
					     .digest = view_of(digest, sizeof digest)});
		siege_ends(s, "larger than what was granted");
		expect_unpublished(s, lost);
	}
	u = eve_opens(s, lost, 10);
	put_seal(&u, model, 0, 1);
	upload_done(&u);
	(void)say_claim(s, VERB_PUT_EXTEND, &u, CHUNK);
	siege_ends(s, "larger than what was granted");
	expect_unpublished(s, lost);
}

/* A false hash cannot be told without reading the file: it is believed, and the deep check
 * says so. */
static void false_hash_is_believed_and_found_by_the_deep_check(void **state)
{
	struct siege *s = *state;
	struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
	struct check *check = NULL;
	json_t *found = json_array();

	put_seal_all(&u, model + 1, EVE_SIZE, 0);
	upload_done(&u);
	assert_int_equal(siege_outcome(s, say_finish(s, &u, EVE_SIZE), NULL), 0);
	live_settle(&s->live);
	assert_good(check_new(s->live.keep, true, found, &check));
	assert_good(check_run(check));
	check_free(check);
	assert_int_equal(json_array_size(found), 1);
	json_decref(found);
	expect_answer(ASK(s->hostile, remove, REMOVE, s->of_eve, .path = view_text(lost)), 0, "");
}

/* ---- an upload without a blob ---- */

/* Sealed under its key, as the last chunk, these bytes and no others: all else ends the gate. */
static void content_that_is_not_what_was_said_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static uint8_t content[LINK_MAX];

	for (int how = 0; how < 11; how++) {
		struct upload u = eve_begins(s, lost, SIZE_UNKNOWN);
		uint64_t size = EVE_SIZE;
		const uint8_t *plain = how == 0 ? model + 1 : model;
		bool last = how != 1;
		size_t len = last ? EVE_SIZE : CHUNK;

		assert_int_equal(u.m.bare, 1);
		assert_good(age_stream_seal(u.stream, how == 2 ? 1 : 0, last, view_of(plain, len),
					    content));
		len += AGE_TAG;
		content[how == 3 ? 500 : 0] ^= how == 3 || how == 4;
		len -= how == 5;          /* cut short */
		len += how == 6;          /* something behind it */
		size += how == 7 ? 1 : 0; /* other sizes */
		size -= how == 8 ? 1 : 0;
		size = how == 9 ? UINT64_MAX : size;
		if (how == 10)
			len = 150 * 1024;
		(void)say_content(s, &u, size, view_of(content, len));
		upload_done(&u);
		siege_ends(s, NULL);
		expect_unpublished(s, lost);
	}
}

static void content_of_another_upload_ends_the_gate(void **state)
{
	struct siege *s = *state;
	struct upload one = eve_begins(s, lost, EVE_SIZE);
	struct upload two = eve_begins(s, "/acme/incoming/eve-other", EVE_SIZE);

	put_seal_all(&one, model, EVE_SIZE, 0);
	put_seal_all(&two, model, EVE_SIZE, 0);
	(void)say_content(s, &one, EVE_SIZE, view_of(two.content, two.content_len));
	upload_done(&one);
	upload_done(&two);
	siege_ends(s, "its key does not open");
	expect_unpublished(s, lost);
	expect_unpublished(s, "/acme/incoming/eve-other");
}

static void content_is_for_who_has_no_blob_and_for_nobody_else(void **state)
{
	struct siege *s = *state;
	struct upload u = eve_begins(s, lost, SIZE_UNKNOWN);

	upload_done(&u);
	(void)say_finish(s, &u, 0);
	siege_ends(s, "content");
	expect_unpublished(s, lost);
	u = eve_begins(s, lost, SIZE_UNKNOWN);
	put_seal_all(&u, model, EVE_SIZE, 0);
	put_store(&u);
	(void)say_content(s, &u, EVE_SIZE, view_of(u.content, u.content_len));
	upload_done(&u);
	siege_ends(s, "content");
	expect_unpublished(s, lost);
}

static void what_needs_a_blob_without_one_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static uint8_t digest[SHA256_STATE_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_save(&h, digest);
	for (int how = 0; how < 6; how++) {
		struct upload u = eve_begins(s, lost, SIZE_UNKNOWN);
		upload_done(&u);
		if (how == 0)
			(void)say_claim(s, VERB_PUT_EXTEND, &u, CHUNK);
		else if (how < 3)
			(void)say_claim(s, VERB_PUT_REKEY, &u, how == 1 ? 0 : CHUNK);
		else if (how == 3)
			(void)say_suspend(s, &u, (struct ask_put_suspend){.durable = CHUNK});
		else if (how == 4)
			(void)say_suspend(
			    s, &u,
			    (struct ask_put_suspend){.clean = 1,
						     .digest = view_of(digest, sizeof digest),
						     .tail = view_of(model, 10)});
		else {
			put_store(&u); /* and once more */
			upload_done(&u);
			(void)hostile_say(s, VERB_PUT_STORE, u.m.put, view_of(NULL, 0));
		}
		siege_ends(s, "blob");
		expect_unpublished(s, lost);
	}
}

/* While the keep makes its blob nothing may be said of the upload, least of all its end. */
static void nothing_is_said_of_an_upload_whose_blob_is_being_made(void **state)
{
	struct siege *s = *state;

	for (int verb = 0; verb < 5; verb++) {
		struct upload u = eve_begins(s, lost, SIZE_UNKNOWN);
		put_seal_all(&u, model, EVE_SIZE, 0);
		(void)hostile_say(s, VERB_PUT_STORE, u.m.put, view_of(NULL, 0));
		if (verb == 0)
			(void)say_content(s, &u, EVE_SIZE, view_of(u.content, u.content_len));
		else if (verb == 1)
			(void)say_suspend(s, &u, (struct ask_put_suspend){.clean = 0});
		else if (verb < 4)
			(void)say_claim(s, verb == 2 ? VERB_PUT_EXTEND : VERB_PUT_REKEY, &u, 0);
		else
			(void)hostile_say(s, VERB_PUT_STORE, u.m.put, view_of(NULL, 0));
		upload_done(&u);
		siege_ends(s, "out of its phase");
		expect_unpublished(s, lost);
		siege_check(s);
	}
}

/* ---- who can still write ---- */

static void (*undo)(void);
static int held[2] = {-1, -1};
static void *mapping;
static pid_t child;

static void close_held(void)
{
	sys_close(&held[0]);
	sys_close(&held[1]);
}

static void hold_open(int fd)
{
	held[0] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	undo = close_held;
}

static void hold_in_flight(int fd)
{
	assert_good(link_pair(held));
	assert_good(link_send(held[0], view_text("x"), &fd, 1));
	undo = close_held;
}

static void unmap(void)
{
	assert_int_equal(munmap(mapping, 4096), 0);
}

static void hold_mapped(int fd)
{
	mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(mapping != MAP_FAILED);
	undo = unmap;
}

static void end_child(void)
{
	int status = 0;

	close_held();
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* The child has all descriptors of ours, until the pipe ends. */
static void hold_in_a_child(int fd)
{
	char byte;

	(void)fd;
	assert_int_equal(pipe(held), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sys_close(&held[1]);
		while (read(held[0], &byte, 1) > 0)
			;
		_exit(0);
	}
	sys_close(&held[0]);
	undo = end_child;
}

static void (*const holds[])(int fd) = {hold_open, hold_in_flight, hold_mapped, hold_in_a_child};

static void whoever_can_still_write_publishes_nothing(void **state)
{
	struct siege *s = *state;

	for (size_t i = 0; i < ARRAY_LEN(holds); i++) {
		struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
		put_seal_all(&u, model, EVE_SIZE, 0);
		holds[i](u.fd);
		upload_done(&u);
		(void)say_finish(s, &u, EVE_SIZE);
		/* No honest work beside it: what the child holds is everybody's. */
		live_until(&s->live, has_ended, s->hostile);
		assert_non_null(strstr(s->hostile->gate->why, "still has a writer"));
		undo();
		siege_ends(s, "still has a writer");
		expect_unpublished(s, lost);
	}
}

static void whoever_can_still_write_suspends_nothing_cleanly(void **state)
{
	struct siege *s = *state;
	static uint8_t digest[SHA256_STATE_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_save(&h, digest);
	for (size_t i = 0; i < ARRAY_LEN(holds); i++) {
		struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
		holds[i](u.fd);
		upload_done(&u);
		(void)say_suspend(s, &u,
				  (struct ask_put_suspend){.clean = 1,
							   .digest = view_of(digest, sizeof digest),
							   .tail = view_of(model, 10)});
		live_until(&s->live, has_ended, s->hostile);
		undo();
		siege_ends(s, "still has a writer");
		expect_unpublished(s, lost);
	}
}

/* What is handed out of a published blob cannot be written through. */
static void descriptor_of_a_download_is_for_reading(void **state)
{
	struct siege *s = *state;
	HEARD *h = ASK(s->hostile, get_open, GET_OPEN, s->of_eve,
		       .path = view_text("/acme/deliverables/open"));

	assert_int_equal(h->count, 1);
	assert_int_equal(write(h->fds[0], "x", 1), -1);
	assert_int_equal(ftruncate(h->fds[0], 0), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, h->fds[0], 0), MAP_FAILED);
	expect_content(s->honest, s->of_anna, "/acme/deliverables/open", model, OPEN_SIZE);
	tally.cases++;
	tally.messages++;
}

/* ---- false claims ---- */

static void suspended_upload_that_contradicts_itself_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static uint8_t digest[SHA256_STATE_SIZE + 1];
	const struct view good = view_of(digest, SHA256_STATE_SIZE);
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, model, 2 * CHUNK);
	sha256_save(&h, digest);
	const struct ask_put_suspend lies[] = {
	    {.clean = 1, .durable = 2 * CHUNK, .sealed = 1, .digest = good},
	    {.clean = 1, .durable = CHUNK, .sealed = 1, .digest = good},
	    {.clean = 1, .durable = 3 * CHUNK, .sealed = 3, .digest = good},
	    {.clean = 1, .durable = 2 * CHUNK + 1, .sealed = 2, .digest = good},
	    {.clean = 1, .durable = 0, .sealed = UINT64_C(1) << 48, .digest = good},
	    {.clean = 1, .durable = 0, .sealed = UINT64_MAX, .digest = good},
	    {.clean = 1, .durable = 2 * CHUNK, .sealed = 2},
	    {.clean = 1,
	     .durable = 2 * CHUNK,
	     .sealed = 2,
	     .digest = view_of(digest, SHA256_STATE_SIZE - 1)},
	    {.clean = 1,
	     .durable = 2 * CHUNK,
	     .sealed = 2,
	     .digest = view_of(digest, SHA256_STATE_SIZE + 1)},
	    {.clean = 1,
	     .durable = 2 * CHUNK,
	     .sealed = 2,
	     .digest = good,
	     .tail = view_of(model, CHUNK + 1)},
	    {.durable = 3 * CHUNK},
	    {.durable = UINT64_C(1) << 62},
	    {.durable = UINT64_C(1) << 63},
	    {.durable = UINT64_MAX},
	};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
		put_seal(&u, model, 0, 2);
		upload_done(&u);
		(void)say_suspend(s, &u, lies[i]);
		siege_ends(s, NULL);
		expect_unpublished(s, lost);
	}
}

/* The form of a digest is all that can be seen: whoever goes on from it ends with a false hash. */
static void false_digest_and_tail_harm_their_own_upload_alone(void **state)
{
	struct siege *s = *state;
	static uint8_t digest[SHA256_STATE_SIZE], tail[CHUNK];
	struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);

	memset(digest, 0xa5, sizeof digest);
	memset(tail, 0x5a, sizeof tail);
	put_seal(&u, model, 0, 1);
	upload_done(&u);
	int rc = siege_outcome(
	    s,
	    say_suspend(s, &u,
			(struct ask_put_suspend){.clean = 1,
						 .durable = CHUNK,
						 .sealed = 1,
						 .digest = view_of(digest, sizeof digest),
						 .tail = view_of(tail, sizeof tail)}),
	    NULL);
	assert_true(rc == 0 || rc == E_PROTOCOL);
	if (rc)
		siege_renew(s);
	expect_unpublished(s, lost);
}

static void claims_beyond_what_was_written_end_the_gate(void **state)
{
	struct siege *s = *state;
	static const uint16_t verbs[] = {VERB_PUT_EXTEND, VERB_PUT_REKEY};
	static const uint64_t claims[] = {1,
					  CHUNK - 1,
					  CHUNK + 1,
					  3 * CHUNK,
					  UINT64_C(1) << 40,
					  UINT64_C(1) << 62,
					  (UINT64_C(1) << 62) + CHUNK,
					  UINT64_C(1) << 63,
					  UINT64_MAX - CHUNK + 1,
					  UINT64_MAX};

	for (size_t v = 0; v < ARRAY_LEN(verbs); v++)
		for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
			struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
			put_seal(&u, model, 0, 2);
			upload_done(&u);
			(void)say_claim(s, verbs[v], &u, claims[i]);
			siege_ends(s, NULL);
			expect_unpublished(s, lost);
		}
}

/* The blob is as long as claimed, but for a hole: whoever resumes it finds that out. */
static void hole_in_what_is_claimed_is_never_taken_for_content(void **state)
{
	struct siege *s = *state;
	static uint8_t sealed[AGE_SEALED_CHUNK];
	CLEANUP(age_stream_free) struct age_stream *source = NULL;
	struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);

	put_seal(&u, model, 0, 1);
	assert_int_equal(ftruncate(u.fd, (off_t)(u.m.blob_offset + 3 * AGE_SEALED_CHUNK)), 0);
	upload_done(&u);
	assert_int_equal(siege_outcome(s, say_claim(s, VERB_PUT_EXTEND, &u, 3 * CHUNK), NULL), 0);
	siege_renew(s);
	struct upload v = eve_opens(s, lost, SIZE_UNKNOWN);
	assert_int_equal(v.m.prefix, 3 * CHUNK);
	assert_good(age_stream_from_key(view_of(v.m.source_key, sizeof v.m.source_key), &source));
	for (uint64_t i = 0; i < 3; i++) {
		assert_good(sys_pread_all(v.source, sealed, sizeof sealed,
					  v.m.source_offset + i * AGE_SEALED_CHUNK));
		int rc = age_stream_open(source, i, false, view_of(sealed, sizeof sealed), sealed);
		assert_int_equal(rc, i ? E_INTEGRITY : 0);
	}
	err_clear();
	upload_done(&v);
	siege_renew(s);
	expect_unpublished(s, lost);
}

/* ---- one upload in many hands ---- */

static void rekeying_ends_after_some_times(void **state)
{
	struct siege *s = *state;
	struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
	int rc = 0, n = 0;

	put_seal(&u, model, 0, 2);
	for (; !rc; n++) {
		uint32_t id = say_claim(s, VERB_PUT_REKEY, &u, 2 * CHUNK);
		struct heard *h = gate_hear(s->hostile, id);
		rc = h->f.status;
		if (rc) {
			heard_free(&h);
			break;
		}
		upload_done(&u);
		u = put_taken(s->hostile, s->of_eve, h);
		reseal(&u, 2);
		siege_work(s);
	}
	assert_int_equal(rc, E_LIMIT);
	assert_in_range(n, 3, 128);
	put_seal_all(&u, model, 2 * CHUNK + 5, 2);
	upload_done(&u);
	assert_int_equal(siege_outcome(s, say_finish(s, &u, 2 * CHUNK + 5), NULL), 0);
	expect_content(s->honest, s->of_sam, lost, model, 2 * CHUNK + 5);
}

/* While the keep makes another blob for it, nothing may be said of the upload: what was meant for
 * one blob would be done to another. */
static void nothing_is_said_of_an_upload_that_is_being_rekeyed(void **state)
{
	struct siege *s = *state;

	for (int verb = 0; verb < 5; verb++)
		for (int turns = 0; turns < 4; turns++) {
			struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
			put_seal_all(&u, model, EVE_SIZE, 0);
			upload_done(&u);
			(void)say_claim(s, VERB_PUT_REKEY, &u, 0);
			for (int i = 0; i < turns && !s->hostile->gate->ended; i++)
				if (s->hostile->gate->asks) /* not answered yet */
					(void)uv_run(&s->live.keep->loop, UV_RUN_NOWAIT);
			bool answered = turns && !s->hostile->gate->asks;
			if (verb == 0)
				(void)say_finish(s, &u, EVE_SIZE);
			else if (verb == 1)
				(void)say_suspend(s, &u, (struct ask_put_suspend){.clean = 0});
			else if (verb < 4)
				(void)say_claim(s, verb == 2 ? VERB_PUT_EXTEND : VERB_PUT_REKEY, &u,
						0);
			else
				(void)hostile_say(s, VERB_PUT_DROP, u.m.put,
						  view_of("\1\0\0\0\0", 5));
			if (answered) { /* then it is an ordinary ask about the new blob */
				(void)siege_outcome(s, s->hostile->id, NULL);
				siege_renew(s);
			} else {
				siege_ends(s, "'put_");
			}
			expect_unpublished(s, lost);
			siege_check(s);
		}
}

static bool is_registered(void *arg)
{
	const struct gate *g = arg;

	return g->uploads || g->ended;
}

/* Numbers can be guessed. What they stand for is not the gate's before it is told. */
static void nothing_is_said_of_a_lease_that_has_not_come(void **state)
{
	struct siege *s = *state;
	unsigned caught = 0;

	for (int i = 0; i < 40; i++) {
		struct ask_put_open m = {
		    .path = view_text(lost), .flags = PUT_CREATE, .declared = 9};
		struct upload u = {.fd = -1, .source = -1};
		uint8_t body[128];
		struct writer w = writer_of(body, sizeof body);
		const struct put *p = NULL;
		size_t cursor = 0;
		ask_put_open_write(&w, &m);
		uint32_t id = hostile_say(s, VERB_PUT_OPEN, s->of_eve, view_of(w.data, w.len));
		live_until(&s->live, is_registered, s->hostile->gate);
		while ((p = slots_next(&s->live.keep->sessions.uploads, &cursor)))
			if (p->gate == s->hostile->gate)
				break;
		assert_non_null(p);
		u.m.put = p->number;
		bool early = !p->lent;
		caught += early;
		if (i % 2)
			(void)say_finish(s, &u, 0);
		else
			(void)say_claim(s, VERB_PUT_REKEY, &u, 0);
		if (early) {
			while (gate_receive(s->hostile->gate))
				; /* at once, before the pool is ready */
			siege_ends(s, "out of its phase");
		} else {
			(void)siege_outcome(s, id, NULL);
			siege_renew(s);
		}
		expect_unpublished(s, lost);
	}
	print_message("# %u of 40 came before their lease\n", caught);
}

static void upload_in_two_gates_belongs_to_the_one_that_lets_go_last(void **state)
{
	struct siege *s = *state;
	struct fake_gate *other = fake_gate_ready(&s->live);
	uint64_t there = gate_log_in(other, &s->eve);
	struct upload u = eve_opens(s, lost, SIZE_UNKNOWN);
	int kept;

	put_seal(&u, model, 0, 3);
	kept = fcntl(u.fd, F_DUPFD_CLOEXEC, 0);
	assert_int_equal(siege_outcome(s, say_claim(s, VERB_PUT_EXTEND, &u, 2 * CHUNK), NULL), 0);
	uint32_t id = SAY(other, put_open, PUT_OPEN, there, .path = view_text(lost),
			  .declared = SIZE_UNKNOWN);
	HEARD *order = gate_hear_order(s->hostile, ORDER_YIELD);
	assert_int_equal(order->f.subject, u.m.put);
	puts_watch(s->live.keep, clock_mono_ms() + YIELD_PATIENCE_MS + 1); /* it does not yield */
	struct upload v = put_taken(other, there, gate_hear(other, id));
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	reseal(&v, 2);
	/* The old one seals on, over what is there and behind it, in vain. */
	put_seal(&u, model + CHUNK, 0, 4);
	put_seal_all(&v, model, 3 * CHUNK + 3, 2);
	upload_done(&u);
	assert_int_equal(siege_outcome(s, say_claim(s, VERB_PUT_EXTEND, &u, 2 * CHUNK), NULL),
			 E_GONE);
	assert_int_equal(siege_outcome(s, say_claim(s, VERB_PUT_REKEY, &u, 2 * CHUNK), NULL),
			 E_GONE);
	assert_int_equal(siege_outcome(s, say_finish(s, &u, 4 * CHUNK), NULL), E_GONE);
	expect_answer(put_finish(&v, model, 3 * CHUNK + 3), 0, "");
	expect_content(s->honest, s->of_sam, lost, model, 3 * CHUNK + 3);
	assert_true(pwrite(kept, "over", 4, 300) == 4); /* into a blob that nobody has any more */
	expect_content(s->honest, s->of_sam, lost, model, 3 * CHUNK + 3);
	sys_close(&kept);
	fake_gate_free(other);
}

/* ---- downloads ---- */

static void ranges_that_cannot_be_end_the_gate(void **state)
{
	struct siege *s = *state;
	static const struct {
		uint64_t at[6];
		unsigned n;
	} lies[] = {
	    {{0, 0}, 2},
	    {{5, 4}, 2},
	    {{0, OPEN_SIZE + 1}, 2},
	    {{OPEN_SIZE, OPEN_SIZE + 1}, 2},
	    {{UINT64_MAX, 0}, 2},
	    {{0, UINT64_MAX}, 2},
	    {{10, 20, 0, 5}, 4},
	    {{0, 10, 5, 20}, 4},
	    {{0, 10, 0, 10}, 4},
	    {{0}, 1},
	    {{0, 1, 2}, 3},
	    {{0, 1, 2, 3, 4}, 5},
	};

	for (size_t i = 0; i <= ARRAY_LEN(lies); i++) {
		CLEANUP(mem_free) uint8_t *body = mem_new(4096);
		struct writer w = writer_of(body, 4096);
		HEARD *h = ASK(s->hostile, get_open, GET_OPEN, s->of_eve,
			       .path = view_text("/acme/deliverables/open"));
		struct answer_get_open m;
		READ(h, get_open, &m);
		unsigned n = i < ARRAY_LEN(lies) ? lies[i].n : 2 * (GET_RANGES_MAX + 1);
		write_u64(&w, 1);
		write_u32(&w, 8 * n);
		for (unsigned k = 0; k < n; k++)
			write_u64(&w, i < ARRAY_LEN(lies) ? lies[i].at[k] : k);
		write_u8(&w, 0);
		(void)hostile_say(s, VERB_GET_CLOSE, m.get, view_of(w.data, w.len));
		siege_ends(s, "ranges");
		expect_record(&s->live, "download.abort", "actor", "\"eve\"");
	}
}

static int end_of_all(void **state)
{
	tally_print();
	return live_end(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SIEGE(size_that_is_not_the_blobs_ends_the_gate),
	    IN_A_SIEGE(more_than_was_granted_ends_the_gate),
	    IN_A_SIEGE(false_hash_is_believed_and_found_by_the_deep_check),
	    IN_A_SIEGE(content_that_is_not_what_was_said_ends_the_gate),
	    IN_A_SIEGE(content_of_another_upload_ends_the_gate),
	    IN_A_SIEGE(content_is_for_who_has_no_blob_and_for_nobody_else),
	    IN_A_SIEGE(what_needs_a_blob_without_one_ends_the_gate),
	    IN_A_SIEGE(nothing_is_said_of_an_upload_whose_blob_is_being_made),
	    IN_A_SIEGE(whoever_can_still_write_publishes_nothing),
	    IN_A_SIEGE(whoever_can_still_write_suspends_nothing_cleanly),
	    IN_A_SIEGE(descriptor_of_a_download_is_for_reading),
	    IN_A_SIEGE(suspended_upload_that_contradicts_itself_ends_the_gate),
	    IN_A_SIEGE(false_digest_and_tail_harm_their_own_upload_alone),
	    IN_A_SIEGE(claims_beyond_what_was_written_end_the_gate),
	    IN_A_SIEGE(hole_in_what_is_claimed_is_never_taken_for_content),
	    IN_A_SIEGE(rekeying_ends_after_some_times),
	    IN_A_SIEGE(nothing_is_said_of_an_upload_that_is_being_rekeyed),
	    IN_A_SIEGE(nothing_is_said_of_a_lease_that_has_not_come),
	    IN_A_SIEGE(upload_in_two_gates_belongs_to_the_one_that_lets_go_last),
	    IN_A_SIEGE(ranges_that_cannot_be_end_the_gate),
	};

	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, end_of_all);
}
