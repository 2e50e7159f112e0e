/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads, from the lease to publication: a gate of ours seals for real. */
#include "keep_asks.h"

static const char path[] = "/acme/incoming/report";

static bool has_ended(void *arg)
{
	return fake_gate_ended(arg);
}

/* The keep has ended the gate for this; sam, who may read, comes over another one. */
static uint64_t another_gate(struct scene *s, const char *reason, const struct user *u)
{
	live_until(&s->live, has_ended, s->gate);
	if (!strstr(s->gate->gate->why, reason))
		print_message("# %s\n", s->gate->gate->why);
	assert_non_null(strstr(s->gate->gate->why, reason));
	fake_gate_free(s->gate);
	assert_int_equal(s->live.keep->sessions.sessions.count, 0);
	assert_int_equal(s->live.keep->sessions.uploads.count, 0);
	s->gate = fake_gate_ready(&s->live);
	return gate_log_in(s->gate, u);
}

/* ---- publication ---- */

static void finish_publishes_whole_files_of_every_size(void **state)
{
	struct scene *s = *state;
	const uint64_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 5 * CHUNK + 77};
	uint64_t reader = session_of_sam(s);

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		put_whole(s->gate, s->session, path, model, sizes[i]);
		expect_file(s->gate, s->session, path, sizes[i]);
		expect_content(s->gate, reader, path, model, sizes[i]);
		assert_int_equal(zone_now(&s->live, "acme").used_bytes, sizes[i]);
		assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
		assert_int_equal(zone_now(&s->live, "acme").files, 1);
	}
	expect_record(&s->live, "upload.complete", "path", "\"/acme/incoming/report\"");
	expect_record(&s->live, "upload.complete", "size", "327757");
	expect_record(&s->live, "upload.complete", "actor", "\"anna\"");
}

static void upload_in_progress_is_seen_by_its_uploader_alone(void **state)
{
	struct scene *s = *state;
	uint64_t reader = session_of_sam(s), other = gate_log_in(s->gate, &s->ben);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_partial(s->gate, s->session, path, 0);
	expect_nothing(s->gate, reader, path);
	expect_nothing(s->gate, other, path);
	expect_answer(ASK(s->gate, get_open, GET_OPEN, reader, .path = view_text(path)), E_GONE,
		      "no such");
	put_seal_all(&u, model, 2 * CHUNK + 1, 2);
	expect_answer(put_finish(&u, model, 2 * CHUNK + 1), 0, "");
	expect_content(s->gate, reader, path, model, 2 * CHUNK + 1);
}

/* The old version stays until the new one is whole; then it is the new one's place. */
static void replacement_keeps_the_old_version_until_it_is_whole(void **state)
{
	struct scene *s = *state;
	uint64_t reader = session_of_sam(s);

	put_whole(s->gate, s->session, path, model, 1000);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE | PUT_TRUNCATE);
	assert_int_equal(u.source, -1);
	expect_file(s->gate, reader, path, 1000);
	expect_partial(s->gate, s->session, path, 0);
	put_seal_all(&u, model + 5, 2000, 0);
	expect_content(s->gate, reader, path, model, 1000);
	expect_answer(put_finish(&u, model + 5, 2000), 0, "");
	expect_content(s->gate, reader, path, model + 5, 2000);
	assert_int_equal(zone_now(&s->live, "acme").used_bytes, 2000);
}

static void append_to_a_finished_file_begins_with_its_content(void **state)
{
	struct scene *s = *state;
	uint64_t reader = session_of_sam(s);
	const uint64_t old = CHUNK + 500, size = 3 * CHUNK + 9;

	put_whole(s->gate, s->session, path, model, old);
	struct upload u = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(u.m.prefix, old);
	assert_int_equal(u.m.size, old);
	assert_int_equal(u.m.source_size, old);
	assert_int_equal(u.m.source_finished, 1);
	assert_int_equal(u.m.sealed, 0);
	assert_true(u.m.granted > old);
	assert_true(u.source >= 0);

	/* The source is what it is said to be. */
	CLEANUP(age_stream_free) struct age_stream *source = NULL;
	uint8_t chunk[500 + AGE_TAG];
	assert_good(age_stream_from_key(view_of(u.m.source_key, sizeof u.m.source_key), &source));
	assert_good(
	    sys_pread_all(u.source, chunk, sizeof chunk, u.m.source_offset + AGE_SEALED_CHUNK));
	assert_good(age_stream_open(source, 1, true, view_of(chunk, sizeof chunk), chunk));
	assert_memory_equal(chunk, model + CHUNK, 500);
	assert_memory_not_equal(u.m.source_key, u.m.payload_key, sizeof u.m.source_key);

	expect_content(s->gate, reader, path, model, old);
	put_seal_all(&u, model, size, 0);
	expect_answer(put_finish(&u, model, size), 0, "");
	expect_content(s->gate, reader, path, model, size);
}

static void exclusive_open_of_what_is_there_is_refused(void **state)
{
	struct scene *s = *state;

	put_whole(s->gate, s->session, path, model, 10);
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE | PUT_EXCLUSIVE, .declared = SIZE_UNKNOWN),
		      E_EXISTS, "exists");
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session,
			  .path = view_text("/acme/incoming/none"), .declared = SIZE_UNKNOWN),
		      E_GONE, "no such");
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text("/acme/x"),
			  .flags = PUT_CREATE, .declared = SIZE_UNKNOWN),
		      E_DENIED, "use incoming/");
}

static void name_that_another_holds_is_taken(void **state)
{
	struct scene *s = *state;
	uint64_t ben = gate_log_in(s->gate, &s->ben);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	expect_answer(ASK(s->gate, put_open, PUT_OPEN, ben, .path = view_text(path),
			  .flags = PUT_CREATE | PUT_TRUNCATE, .declared = SIZE_UNKNOWN),
		      E_TAKEN, "taken");
	put_seal_all(&u, model, 10, 0);
	expect_answer(put_finish(&u, model, 10), 0, "");
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, ben, .path = view_text(path),
			  .flags = PUT_CREATE | PUT_TRUNCATE, .declared = SIZE_UNKNOWN),
		      E_TAKEN, "taken");
	expect_record(&s->live, "put_open.refused", "actor", "\"ben\"");
}

/* ---- room ---- */

static void extend_reserves_up_to_the_quota(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct answer_put_extend m;

	assert_in_range(u.m.granted, QUOTA / 5, QUOTA / 4 + 1); /* others may come, too */
	HEARD *h = ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .wanted = u.m.granted + 1);
	READ(h, put_extend, &m);
	assert_true(m.granted > u.m.granted);
	HEARD *most = ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .wanted = QUOTA);
	READ(most, put_extend, &m);
	assert_int_equal(m.granted, QUOTA);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .wanted = QUOTA + 1), E_QUOTA,
		      "quota");
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .wanted = UINT64_MAX), E_LIMIT,
		      "that large");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, QUOTA);
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session,
			  .path = view_text("/acme/incoming/other"), .flags = PUT_CREATE,
			  .declared = SIZE_UNKNOWN),
		      E_QUOTA, "quota");
	expect_record(&s->live, "put_open.refused", "reason", "\"the zone's quota is used up\"");
	put_seal_all(&u, model, 10, 0);
	expect_answer(put_finish(&u, model, 10), 0, "");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

static uint64_t reserved(struct scene *s)
{
	return zone_now(&s->live, "acme").reserved_bytes;
}

static void begin_again(struct scene *s)
{
	if (s->gate)
		fake_gate_free(s->gate);
	s->gate = NULL;
	live_check(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

static void unfinished_upload_has_reserved_what_stands_of_it(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	assert_true(reserved(s) > 2 * CHUNK + 9);
	expect_answer(put_suspend_clean(&u, model, 2, 9), 0, "");
	assert_int_equal(reserved(s), 2 * CHUNK + 9);
	u = put_opened(s->gate, s->session, path, 0);
	assert_true(reserved(s) > 2 * CHUNK + 9);
	put_seal(&u, model, 2, 4);
	expect_answer(put_suspend_unclean(&u, 4 * CHUNK), 0, "");
	assert_int_equal(reserved(s), 4 * CHUNK);
	u = put_opened(s->gate, s->session, path, 0);
	upload_done(&u);
	begin_again(s); /* the gate has died */
	assert_int_equal(reserved(s), 4 * CHUNK);
	expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0, "");
	assert_int_equal(reserved(s), 0);
}

static void unfinished_upload_has_reserved_what_was_declared(void **state)
{
	struct scene *s = *state;
	struct upload u =
	    put_taken(s->gate, s->session,
		      ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = 3 * CHUNK));

	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 9), 0, "");
	assert_int_equal(reserved(s), 3 * CHUNK);
	u = put_opened(s->gate, s->session, path, 0);
	HEARD *h = ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = CHUNK,
		       .wanted = 3 * CHUNK + 1);
	assert_answer(h, 0, "");
	assert_true(reserved(s) > 3 * CHUNK);
	upload_done(&u);
	begin_again(s);
	assert_int_equal(reserved(s), 3 * CHUNK);
}

static void who_declares_more_than_there_is_gets_no_more_than_others(void **state)
{
	struct scene *s = *state;
	struct upload u =
	    put_taken(s->gate, s->session,
		      ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = QUOTA + 1));

	assert_in_range(u.m.granted, QUOTA / 5, QUOTA / 4 + 1);
	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 9), 0, "");
	assert_int_equal(reserved(s), CHUNK + 9);
}

/* Uploads stop above the reserve; what makes room goes on. */
static void disk_reserve_stops_uploads_alone(void **state)
{
	struct scene *s = *state;
	uint64_t reserve = s->live.keep->settings->disk_reserve_bytes;
	struct answer_space space;

	put_whole(s->gate, s->session, path, model, 10);
	struct upload u = put_opened(s->gate, s->session, "/acme/incoming/other", PUT_CREATE);
	s->live.keep->settings->disk_reserve_bytes = UINT64_MAX;
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session,
			  .path = view_text("/acme/incoming/x"), .flags = PUT_CREATE,
			  .declared = SIZE_UNKNOWN),
		      E_FULL, "disk");
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .wanted = u.m.granted + 1),
		      E_FULL, "disk");
	HEARD *h = ASK(s->gate, space, SPACE, s->session, .path = view_text("/acme/incoming"));
	READ(h, space, &space);
	assert_int_equal(space.free, 0);
	put_seal_all(&u, model, 10, 0);
	expect_answer(put_finish(&u, model, 10), 0, ""); /* what was granted is */
	expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0, "");
	s->live.keep->settings->disk_reserve_bytes = reserve;
	expect_record(&s->live, "put_open.refused", "outcome", "\"failed\"");
}

static void declared_size_is_reserved_at_once(void **state)
{
	struct scene *s = *state;
	struct upload u =
	    put_taken(s->gate, s->session,
		      ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = 5000));

	assert_int_equal(u.m.granted, 5000);
	put_seal_all(&u, model, 5000, 0);
	expect_answer(put_finish(&u, model, 5000), 0, "");
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session,
			  .path = view_text("/acme/incoming/other"), .flags = PUT_CREATE,
			  .declared = UINT64_C(1) << 63),
		      E_INVALID, "");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

static void size_beyond_the_grant_ends_the_gate(void **state)
{
	struct scene *s = *state;
	struct upload u =
	    put_taken(s->gate, s->session,
		      ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = 10));

	put_seal_all(&u, model, 11, 0);
	upload_done(&u);
	(void)put_say_finish(&u, model, 11);
	s->session = another_gate(s, "larger than what was granted", &s->anna);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(count_records(&s->live, "upload.complete"), 0);
	expect_record(&s->live, "upload.suspend", "reason", "\"the gate ended\"");
}

/* ---- no writer survives ---- */

static void finish_with_an_open_descriptor_ends_the_gate(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal_all(&u, model, 2 * CHUNK, 0);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = CHUNK), 0, "");
	(void)SAY(s->gate, put_finish, PUT_FINISH, u.m.put, .size = 2 * CHUNK,
		  .mtime_s = TIME_UNKNOWN);
	s->session = another_gate(s, "still has a writer", &s->anna);
	expect_partial(s->gate, s->session, path, CHUNK);
	assert_int_equal(count_records(&s->live, "upload.complete"), 0);
	expect_record(&s->live, "upload.suspend", "size", "65536");
	upload_done(&u);

	/* What was sealed goes on in another blob, which that writer does not have. */
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.prefix, CHUNK);
	assert_int_equal(v.m.source_finished, 0);
	put_seal_all(&v, model, 2 * CHUNK, 0);
	expect_answer(put_finish(&v, model, 2 * CHUNK), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 2 * CHUNK);
}

static void finish_of_another_size_than_the_blob_ends_the_gate(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_store(&u);
	put_seal_all(&u, model, 1000, 0);
	upload_done(&u);
	(void)SAY(s->gate, put_finish, PUT_FINISH, u.m.put, .size = 999, .mtime_s = TIME_UNKNOWN);
	s->session = another_gate(s, "bytes instead of", &s->anna);
	expect_nothing(s->gate, s->session, path);
}

static void suspension_that_contradicts_itself_ends_the_gate(void **state)
{
	struct scene *s = *state;
	static const uint8_t digest[SHA256_STATE_SIZE], tail[CHUNK + 1];
	const struct ask_put_suspend lies[] = {
	    {.clean = 1, .durable = 1, .digest = view_of(digest, sizeof digest)},
	    {.clean = 1, .durable = CHUNK, .digest = view_of(digest, sizeof digest)},
	    {.clean = 1, .sealed = 1, .digest = view_of(digest, sizeof digest)},
	    {.clean = 1, .sealed = 1, .durable = CHUNK, .digest = view_of(digest, sizeof digest)},
	    {.clean = 1, .digest = view_of(digest, sizeof digest - 1)},
	    {.clean = 1,
	     .digest = view_of(digest, sizeof digest),
	     .tail = view_of(tail, sizeof tail)},
	    {.clean = 1,
	     .sealed = UINT64_MAX / CHUNK + 2,
	     .durable = CHUNK,
	     .digest = view_of(digest, sizeof digest)},
	};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
		uint8_t *body = mem_new(2 * CHUNK);
		struct writer w = writer_of(body, 2 * CHUNK);
		ask_put_suspend_write(&w, &lies[i]);
		upload_done(&u);
		(void)gate_say(s->gate, VERB_PUT_SUSPEND, u.m.put, view_of(w.data, w.len));
		free(body);
		s->session = another_gate(s, "", &s->anna);
		expect_nothing(s->gate, s->session, path);
	}
}

/* ---- suspension and resumption ---- */

static void clean_end_resumes_exactly(void **state)
{
	struct scene *s = *state;
	static const struct {
		uint64_t sealed;
		size_t tail;
	} rows[] = {{0, 1}, {0, CHUNK}, {1, 1}, {2, 100}, {2, CHUNK}, {3, CHUNK - 1}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t stands = rows[i].sealed * CHUNK + rows[i].tail, size = 4 * CHUNK + 5;
		struct sha256 h;
		uint8_t digest[SHA256_STATE_SIZE];
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE | PUT_TRUNCATE);
		put_seal(&u, model, 0, rows[i].sealed);
		expect_answer(put_suspend_clean(&u, model, rows[i].sealed, rows[i].tail), 0, "");
		expect_partial(s->gate, s->session, path, stands);

		struct upload v = put_opened(s->gate, s->session, path, PUT_CREATE);
		assert_int_equal(v.m.sealed, rows[i].sealed);
		assert_int_equal(v.m.size, stands);
		assert_int_equal(v.m.prefix, 0);
		assert_int_equal(v.source, -1);
		assert_int_equal(v.tail_len, rows[i].tail);
		assert_memory_equal(v.tail, model + rows[i].sealed * CHUNK, v.tail_len);
		assert_memory_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
		sha256_init(&h);
		sha256_add(&h, model, (size_t)rows[i].sealed * CHUNK);
		sha256_save(&h, digest);
		assert_memory_equal(v.digest, digest, sizeof digest);
		put_seal_all(&v, model, size, rows[i].sealed);
		expect_answer(put_finish(&v, model, size), 0, "");
		expect_content(s->gate, session_of_sam(s), path, model, size);
		expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0,
			      "");
	}
	expect_record(&s->live, "upload.complete", "resumed", "true");
	expect_record(&s->live, "upload.suspend", "reason", "\"the client left\"");
}

/* After a clean end and a restart of the keep nothing is different. */
/* The offset does, the file key does not. */
static void clean_end_survives_a_restart(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 50), 0, "");
	fake_gate_free(s->gate);
	s->gate = NULL;
	live_check(&s->live);
	live_close(&s->live);
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.size, 2 * CHUNK + 50);
	assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
	reseal(&v, 2);
	put_seal_all(&v, model, 3 * CHUNK, 2);
	expect_answer(put_finish(&v, model, 3 * CHUNK), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 3 * CHUNK);
}

/* Another blob under another key; what stood is re-sealed from the old one, which then goes. */
static void unclean_end_goes_on_in_another_blob(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 3);
	expect_answer(put_suspend_unclean(&u, 2 * CHUNK + 7), 0, "");
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	assert_int_equal(v.m.size, 2 * CHUNK);
	assert_int_equal(v.m.source_size, 2 * CHUNK);
	assert_int_equal(v.m.source_finished, 0);
	assert_memory_equal(v.m.source_key, u.m.payload_key, sizeof u.m.payload_key);
	assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
	reseal(&v, 2);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, v.m.put, .durable = 2 * CHUNK), 0, "");
	put_seal_all(&v, model, 4 * CHUNK, 2);
	expect_answer(put_finish(&v, model, 4 * CHUNK), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 4 * CHUNK);
}

/* A second unclean end before the prefix was copied: the source is still the first blob. */
static void source_stays_until_all_of_it_is_copied(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 3);
	expect_answer(put_suspend_unclean(&u, 3 * CHUNK), 0, "");
	for (int round = 0; round < 3; round++) {
		struct upload v = put_opened(s->gate, s->session, path, 0);
		assert_int_equal(v.m.prefix, 3 * CHUNK);
		assert_memory_equal(v.m.source_key, u.m.payload_key, sizeof u.m.payload_key);
		reseal(&v, 1);
		expect_answer(put_suspend_unclean(&v, CHUNK), 0, "");
		expect_partial(s->gate, s->session, path, 3 * CHUNK);
		live_check(&s->live);
	}
	struct upload w = put_opened(s->gate, s->session, path, 0);
	reseal(&w, 3);
	put_seal_all(&w, model, 3 * CHUNK + 1, 3);
	expect_answer(put_finish(&w, model, 3 * CHUNK + 1), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 3 * CHUNK + 1);
}

static void suspension_of_nothing_leaves_nothing(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	expect_answer(put_suspend_unclean(&u, 0), 0, "");
	expect_nothing(s->gate, s->session, path);
	struct upload v = put_opened(s->gate, s->session, path, PUT_CREATE);
	expect_answer(put_suspend_clean(&v, model, 0, 0), 0, "");
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

static void truncating_open_discards_a_partial(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 9), 0, "");
	struct upload v = put_opened(s->gate, s->session, path, PUT_CREATE | PUT_TRUNCATE);
	assert_int_equal(v.m.size, 0);
	assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
	put_seal_all(&v, model, 3, 0);
	expect_answer(put_finish(&v, model, 3), 0, "");
	expect_file(s->gate, s->session, path, 3);
}

/* The state of a clean end is damaged: this opening fails, the next one goes on with what is
 * sealed. */
static void damaged_resume_state_costs_the_tail_alone(void **state)
{
	struct scene *s = *state;
	struct upload_row row;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, CHUNK), 0, "");
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_good(blobs_save_state(s->live.keep->blobs, row.blob, view_text("damage")));
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .declared = SIZE_UNKNOWN),
		      E_INTEGRITY, "");
	expect_partial(s->gate, s->session, path, 2 * CHUNK);
	expect_record(&s->live, "upload.suspend", "reason", "\"does not verify\"");
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	reseal(&v, 2);
	put_seal_all(&v, model, 3 * CHUNK, 2);
	expect_answer(put_finish(&v, model, 3 * CHUNK), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 3 * CHUNK);
}

static void drop_leaves_nothing(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	upload_done(&u);
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, u.m.put, .code = (uint8_t)-E_IO,
			  .reason = view_text("a sync failed")),
		      0, "");
	expect_nothing(s->gate, s->session, path);
	expect_record(&s->live, "upload.abort", "reason", "\"a sync failed\"");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

static void drop_beside_a_version_leaves_the_version(void **state)
{
	struct scene *s = *state;

	put_whole(s->gate, s->session, path, model, 1000);
	struct upload u = put_opened(s->gate, s->session, path, 0);
	upload_done(&u);
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, u.m.put), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 1000);
}

/* ---- other bytes over sealed ones ---- */

static void rekey_gives_another_blob_with_the_prefix_of_the_old_one(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint64_t put = u.m.put;

	put_seal(&u, model, 0, 3);
	assert_good(sys_sync_data(u.fd));
	sys_close(&u.fd);
	struct upload v = put_taken(s->gate, s->session,
				    ASK(s->gate, put_rekey, PUT_REKEY, put, .durable = 2 * CHUNK));
	assert_int_equal(v.m.put, put);
	assert_int_equal(v.m.prefix, 2 * CHUNK);
	assert_memory_equal(v.m.source_key, u.m.payload_key, sizeof u.m.payload_key);
	assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
	upload_done(&u);
	reseal(&v, 2);
	put_seal_all(&v, model, 2 * CHUNK + 5, 2);
	expect_answer(put_finish(&v, model, 2 * CHUNK + 5), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 2 * CHUNK + 5);
}

static void rekey_without_end_is_refused(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint64_t put = u.m.put;

	put_store(&u);
	for (int i = 0; i < 128; i++) {
		upload_done(&u);
		u = put_taken(s->gate, s->session, ASK(s->gate, put_rekey, PUT_REKEY, put));
	}
	upload_done(&u);
	expect_answer(ASK(s->gate, put_rekey, PUT_REKEY, put), E_LIMIT, "too often");
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, put), 0, "");
	expect_nothing(s->gate, s->session, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(finish_publishes_whole_files_of_every_size),
	    IN_A_SCENE(upload_in_progress_is_seen_by_its_uploader_alone),
	    IN_A_SCENE(replacement_keeps_the_old_version_until_it_is_whole),
	    IN_A_SCENE(append_to_a_finished_file_begins_with_its_content),
	    IN_A_SCENE(exclusive_open_of_what_is_there_is_refused),
	    IN_A_SCENE(name_that_another_holds_is_taken),
	    IN_A_SCENE(extend_reserves_up_to_the_quota),
	    IN_A_SCENE(unfinished_upload_has_reserved_what_stands_of_it),
	    IN_A_SCENE(unfinished_upload_has_reserved_what_was_declared),
	    IN_A_SCENE(who_declares_more_than_there_is_gets_no_more_than_others),
	    IN_A_SCENE(disk_reserve_stops_uploads_alone),
	    IN_A_SCENE(declared_size_is_reserved_at_once),
	    IN_A_SCENE(size_beyond_the_grant_ends_the_gate),
	    IN_A_SCENE(finish_with_an_open_descriptor_ends_the_gate),
	    IN_A_SCENE(finish_of_another_size_than_the_blob_ends_the_gate),
	    IN_A_SCENE(suspension_that_contradicts_itself_ends_the_gate),
	    IN_A_SCENE(clean_end_resumes_exactly),
	    IN_A_SCENE(clean_end_survives_a_restart),
	    IN_A_SCENE(unclean_end_goes_on_in_another_blob),
	    IN_A_SCENE(source_stays_until_all_of_it_is_copied),
	    IN_A_SCENE(suspension_of_nothing_leaves_nothing),
	    IN_A_SCENE(truncating_open_discards_a_partial),
	    IN_A_SCENE(damaged_resume_state_costs_the_tail_alone),
	    IN_A_SCENE(drop_leaves_nothing),
	    IN_A_SCENE(drop_beside_a_version_leaves_the_version),
	    IN_A_SCENE(rekey_gives_another_blob_with_the_prefix_of_the_old_one),
	    IN_A_SCENE(rekey_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
