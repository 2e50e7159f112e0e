/* SPDX-License-Identifier: Apache-2.0 */
/* Files of one chunk, from the lease to the catalog and back. */
#include "base/text.h"
#include "daemon/keep/check.h"
#include "keep_asks.h"

static const char path[] = "/acme/incoming/report";

static struct catalog *catalog_of(struct scene *s)
{
	return s->live.keep->catalog;
}

static struct version_row only_version(struct scene *s)
{
	struct version_row v, next;

	assert_good(catalog_version_next(catalog_of(s), 0, &v));
	assert_int_equal(catalog_version_next(catalog_of(s), v.id, &next), E_GONE);
	return v;
}

static int count_blob(void *arg, const uint8_t id[ID_SIZE], uint64_t size)
{
	(void)id;
	(void)size;
	++*(unsigned *)arg;
	return 0;
}

static unsigned blobs(struct scene *s)
{
	unsigned n = 0;

	live_settle(&s->live);
	assert_good(blobs_each(s->live.keep->blobs, count_blob, &n));
	return n;
}

static bool in_catalog(struct scene *s, const uint8_t blob[ID_SIZE])
{
	CLEANUP(buf_done) struct buf file = {0};
	int rc = catalog_tiny_get(catalog_of(s), blob, &file);

	assert_true(rc == 0 || rc == E_GONE);
	assert_true(rc || file.len > AGE_TAG);
	return rc == 0;
}

static size_t problems(struct scene *s)
{
	struct check *check = NULL;
	json_t *found = json_array();
	size_t n;

	live_settle(&s->live);
	assert_good(check_new(s->live.keep, true, found, &check));
	assert_good(check_run(check));
	n = json_array_size(found);
	check_free(check);
	json_decref(found);
	return n;
}

static void restart(struct scene *s)
{
	fake_gate_free(s->gate);
	live_close(&s->live);
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

static void file_of_one_chunk_has_no_blob(void **state)
{
	struct scene *s = *state;
	static const uint64_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		bool tiny = sizes[i] <= CHUNK;
		put_whole(s->gate, s->session, path, model, sizes[i]);
		struct version_row v = only_version(s);
		assert_int_equal(v.tiny, tiny);
		assert_int_equal(in_catalog(s, v.blob), tiny);
		assert_int_equal(blobs(s), !tiny);
		restart(s);
		expect_content(s->gate, session_of_sam(s), path, model, sizes[i]);
		assert_int_equal(problems(s), 0);
	}
}

/* Each replaces the one before, which goes with the very commit, and leaves nothing. */
static void small_and_large_replace_each_other(void **state)
{
	struct scene *s = *state;
	static const uint64_t sizes[] = {10, 2 * CHUNK, 20, 30, 3 * CHUNK, 0};
	struct version_row old = {0};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		put_whole(s->gate, s->session, path, model, sizes[i]);
		assert_false(in_catalog(s, old.blob));
		old = only_version(s);
		assert_int_equal(blobs(s), sizes[i] > CHUNK);
		assert_int_equal(zone_now(&s->live, "acme").used_bytes, sizes[i]);
	}
	expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0, "");
	assert_false(in_catalog(s, old.blob));
	assert_int_equal(problems(s), 0);
}

/* It begins with the content as its tail, under another key, and needs no descriptor. */
static void append_to_a_tiny_file_begins_with_its_content(void **state)
{
	struct scene *s = *state;
	static const uint64_t sizes[] = {0, 1, CHUNK - 10, CHUNK};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		for (uint64_t more = 0; more < 30; more += 7) {
			put_whole(s->gate, s->session, path, model, sizes[i]);
			struct upload u = put_opened(s->gate, s->session, path, 0);
			assert_true(u.m.bare && u.fd < 0 && u.source < 0 && !u.m.prefix);
			assert_int_equal(u.m.size, sizes[i]);
			assert_int_equal(u.tail_len, sizes[i]);
			assert_memory_equal(u.tail, model, u.tail_len);
			expect_partial(s->gate, s->session, path, sizes[i]);
			put_seal_all(&u, model, sizes[i] + more, 0);
			expect_answer(put_finish(&u, model, sizes[i] + more), 0, "");
			expect_content(s->gate, session_of_sam(s), path, model, sizes[i] + more);
			assert_int_equal(blobs(s), sizes[i] + more > CHUNK);
		}
}

/* Until it is published, or left cleanly, every other end leads back to the old content. */
static void append_that_ends_otherwise_leads_back(void **state)
{
	struct scene *s = *state;

	for (int how = 0; how < 4; how++) {
		put_whole(s->gate, s->session, path, model, 5000);
		struct upload u = put_opened(s->gate, s->session, path, 0);
		if (how == 0) {
			expect_answer(put_suspend_unclean(&u, 0), 0, "");
		} else if (how == 1) {
			put_store(&u);
			upload_done(&u);
			restart(s);
		} else {
			upload_done(&u);
			restart(s);
		}
		if (how == 3) /* what is gone on from outlives its version */
			expect_answer(ASK(s->gate, remove, REMOVE, session_of_sam(s),
					  .path = view_text(path)),
				      E_DENIED, "");
		expect_partial(s->gate, s->session, path, 5000);
		struct upload v = put_opened(s->gate, s->session, path, 0);
		assert_int_equal(v.tail_len, 5000);
		assert_memory_equal(v.tail, model, 5000);
		assert_memory_not_equal(v.m.payload_key, u.m.payload_key, sizeof u.m.payload_key);
		put_seal_all(&v, model, 6000, 0);
		expect_answer(put_finish(&v, model, 6000), 0, "");
		expect_content(s->gate, session_of_sam(s), path, model, 6000);
		assert_int_equal(blobs(s), 0);
		assert_int_equal(problems(s), 0);
	}
}

/* A clean end has its blob, and the old content is needed no more. */
static void append_that_ends_cleanly_lets_go(void **state)
{
	struct scene *s = *state;

	put_whole(s->gate, s->session, path, model, 5000);
	struct upload u = put_opened(s->gate, s->session, path, 0);
	expect_answer(put_suspend_clean(&u, model, 0, 5500), 0, "");
	expect_partial(s->gate, s->session, path, 5500);
	restart(s);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	assert_int_equal(v.tail_len, 5500);
	put_store(&v);
	put_seal_all(&v, model, 5600, 0);
	expect_answer(put_finish(&v, model, 5600), 0, "");
	expect_content(s->gate, session_of_sam(s), path, model, 5600);
	assert_false(only_version(s).tiny);
	assert_int_equal(problems(s), 0);
}

static void upload_that_never_had_a_blob_leaves_nothing(void **state)
{
	struct scene *s = *state;

	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	expect_answer(put_suspend_unclean(&u, 0), 0, "");
	u = put_opened(s->gate, s->session, path, PUT_CREATE);
	upload_done(&u);
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, u.m.put, .code = (uint8_t)-E_IO), 0, "");
	u = put_opened(s->gate, s->session, path, PUT_CREATE);
	upload_done(&u);
	fake_gate_free(s->gate);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(blobs(s), 0);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
	assert_int_equal(problems(s), 0);
}

static void removal_of_a_zone_takes_its_contents_along(void **state)
{
	struct scene *s = *state;
	struct catalog *c = catalog_of(s);
	struct upload_row u;

	put_whole(s->gate, s->session, path, model, 100);
	put_whole(s->gate, s->session, "/acme/incoming/other", model, 200);
	struct upload up = put_opened(s->gate, s->session, path, 0); /* one is a source, too */
	expect_answer(put_suspend_unclean(&up, 0), 0, "");
	live_settle(&s->live);
	assert_good(catalog_upload_next(c, 0, &u));
	assert_true(u.has_source && u.source_tiny);
	assert_good(catalog_begin(c));
	assert_good(catalog_zone_remove(c, zone_now(&s->live, "acme").id));
	assert_false(in_catalog(s, u.source_blob));
	catalog_rollback(c);
	assert_true(in_catalog(s, u.source_blob));
}

/* As with a blob: the opening is in the log, so its end is; and its owner gets rid of it. */
static void content_that_is_lost_or_another_is_refused_and_recorded(void **state)
{
	struct scene *s = *state;
	uint64_t sam = session_of_sam(s);

	for (int how = 0; how < 3; how++) {
		CLEANUP(buf_done) struct buf file = {0};
		put_whole(s->gate, s->session, path, model, 1000);
		struct version_row v = only_version(s);
		assert_good(catalog_tiny_get(catalog_of(s), v.blob, &file));
		assert_good(catalog_tiny_remove(catalog_of(s), v.blob));
		file.data[how == 1 ? 40 : file.len - 20] ^= 1;
		if (how)
			assert_good(catalog_tiny_add(catalog_of(s), v.blob, view_buf(&file)));
		assert_in_range(problems(s), 1, 2);
		HEARD *h = ASK(s->gate, get_open, GET_OPEN, sam, .path = view_text(path));
		if (how < 2) { /* the chunk itself its reader opens */
			assert_answer(h, E_INTEGRITY, "");
			expect_record(&s->live, "download.abort", "outcome", "\"failed\"");
		} else {
			assert_int_equal(h->f.status, 0);
		}
		HEARD *up = ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
				.declared = SIZE_UNKNOWN);
		assert_answer(up, E_INTEGRITY, "");
		live_settle(&s->live);
		for (int i = 0; i < 2; i++) { /* the unfinished upload, then the file */
			HEARD *gone =
			    ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path));
			assert_true(gone->f.status == 0 || gone->f.status == E_GONE);
		}
		expect_nothing(s->gate, s->session, path);
		assert_int_equal(problems(s), 0);
	}
}

static void check_finds_contents_without_a_file(void **state)
{
	struct scene *s = *state;
	static const uint8_t id[ID_SIZE] = {1, 2, 3};

	assert_good(catalog_tiny_add(catalog_of(s), id, view_text("whose?")));
	assert_int_equal(problems(s), 1);
	assert_int_equal(catalog_tiny_add(catalog_of(s), id, view_text("again")), E_EXISTS);
	err_clear();
	assert_good(catalog_tiny_remove(catalog_of(s), id));
	assert_int_equal(catalog_tiny_remove(catalog_of(s), id), E_GONE);
	assert_int_equal(problems(s), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(file_of_one_chunk_has_no_blob),
	    IN_A_SCENE(small_and_large_replace_each_other),
	    IN_A_SCENE(append_to_a_tiny_file_begins_with_its_content),
	    IN_A_SCENE(append_that_ends_otherwise_leads_back),
	    IN_A_SCENE(append_that_ends_cleanly_lets_go),
	    IN_A_SCENE(upload_that_never_had_a_blob_leaves_nothing),
	    IN_A_SCENE(removal_of_a_zone_takes_its_contents_along),
	    IN_A_SCENE(content_that_is_lost_or_another_is_refused_and_recorded),
	    IN_A_SCENE(check_finds_contents_without_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
