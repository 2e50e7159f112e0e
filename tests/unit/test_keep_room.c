/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that gets full, as the keep sees it: what it promises to uploads, and the ballast. */
#include "daemon/keep/room.h"

#include <errno.h>
#include <sys/statvfs.h>

#include "keep_asks.h"

enum { MIB = 1 << 20, BALLAST = MIB, LOW = MIB / 2 };

/* What is free, where a test says so; and room that cannot be had. */
static uint64_t free_bytes;
static bool fixed, no_room;

int __real_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v);
int __wrap_fstatvfs(int fd, struct statvfs *v)
{
	int rc = __real_fstatvfs(fd, v);

	if (fixed) {
		v->f_frsize = 1;
		v->f_bavail = free_bytes;
		v->f_blocks = UINT64_C(1) << 40;
	}
	return rc;
}

int __real_posix_fallocate(int fd, off_t from, off_t size);
int __wrap_posix_fallocate(int fd, off_t from, off_t size);
int __wrap_posix_fallocate(int fd, off_t from, off_t size)
{
	return no_room ? ENOSPC : __real_posix_fallocate(fd, from, size);
}

static void say_free(uint64_t bytes)
{
	fixed = true;
	free_bytes = bytes;
}

/* Above the reserve (keep_live has one of 1 MiB) so many bytes of content. */
static void say_room(uint64_t content)
{
	uint64_t bytes = content;

	while (bytes - bytes / (CHUNK / AGE_TAG) < content)
		bytes++;
	say_free(MIB + bytes);
}

static int setup(void **state)
{
	fixed = no_room = false;
	return scene_setup(state);
}

static int teardown(void **state)
{
	fixed = no_room = false;
	return scene_teardown(state);
}

static bool ballast_stat(struct live *l, struct stat *ret_st)
{
	return fstatat(live_state(l), "ballast", ret_st, 0) == 0;
}

static bool has_ballast(struct live *l)
{
	struct stat st;
	bool there = ballast_stat(l, &st);

	if (there) {
		assert_int_equal(st.st_size, BALLAST);
		assert_true(st.st_blocks * 512 >= BALLAST);
	}
	assert_int_equal(room_missing(l->keep->room), there ? 0 : BALLAST);
	return there;
}

static void remove_file(struct scene *s, const char *path)
{
	expect_answer(ASK(s->gate, remove, REMOVE, s->session, .path = view_text(path)), 0, "");
}

/* An upload that was to begin is refused for the disk's sake. */
static void expect_full(struct scene *s, const char *path)
{
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			  .flags = PUT_CREATE, .declared = SIZE_UNKNOWN),
		      E_FULL, "disk full");
}

static struct upload declared(struct scene *s, const char *path, uint64_t size)
{
	return put_taken(s->gate, s->session,
			 ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path),
			     .flags = PUT_CREATE, .declared = size));
}

static uint64_t extended(struct upload *u, uint64_t wanted)
{
	struct answer_put_extend m;
	HEARD *h = ASK(u->gate, put_extend, PUT_EXTEND, u->m.put, .wanted = wanted);

	READ(h, put_extend, &m);
	return m.granted;
}

static void expect_no_extension(struct upload *u, uint64_t wanted)
{
	expect_answer(ASK(u->gate, put_extend, PUT_EXTEND, u->m.put, .wanted = wanted), E_FULL,
		      "disk full");
}

static void drop(struct upload *u)
{
	upload_done(u);
	expect_answer(ASK(u->gate, put_drop, PUT_DROP, u->m.put, .code = 1), 0, "");
}

static void reopen(struct live *l)
{
	live_close(l);
	live_open(l);
}

static const char one[] = "/acme/incoming/one", two[] = "/acme/incoming/two";

/* ---- promises ---- */

static void room_is_promised_once(void **state)
{
	struct scene *s = *state;

	say_room(10 * MIB);
	struct upload a = declared(s, one, 6 * MIB);
	assert_int_equal(a.m.granted, 6 * MIB);
	struct upload b = declared(s, two, 6 * MIB); /* for which there is no room */
	assert_in_range(b.m.granted, MIB - 100, MIB + 100);
	assert_in_range(extended(&b, 4 * MIB - 100), 4 * MIB - 100, 4 * MIB + 100);
	expect_no_extension(&b, 6 * MIB);
	say_room(10 * MIB - 64 * 1024); /* the blobs' headers have taken something */
	expect_full(s, "/acme/incoming/three");
	say_room(10 * MIB);
	drop(&a);
	assert_int_equal(extended(&b, 5 * MIB), 6 * MIB);
	assert_in_range(s->live.keep->sessions.promised, 6 * MIB - 4096, 6 * MIB);
	drop(&b);
	assert_int_equal(s->live.keep->sessions.promised, 0);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

/* Nobody takes all that is left for bytes that may never come. */
static void steps_leave_room_for_others(void **state)
{
	struct scene *s = *state;

	say_room(16 * MIB);
	struct upload a = declared(s, one, SIZE_UNKNOWN), b = declared(s, two, SIZE_UNKNOWN);
	assert_in_range(a.m.granted, 4 * MIB - 100, 4 * MIB + 100);
	assert_in_range(b.m.granted, 3 * MIB - 100, 3 * MIB + 100);
	assert_in_range(extended(&b, 6 * MIB), 7 * MIB - 100, 8 * MIB);
	drop(&a);
	drop(&b);
}

static void published_upload_keeps_no_promise(void **state)
{
	struct scene *s = *state;

	say_room(8 * MIB);
	put_whole(s->gate, s->session, one, model, 3 * CHUNK);
	assert_int_equal(s->live.keep->sessions.promised, 0);
	struct upload a = declared(s, two, 8 * MIB);
	assert_in_range(a.m.granted, 8 * MIB - 100, 8 * MIB);
	put_seal(&a, model, 0, 2);
	expect_answer(put_suspend_clean(&a, model, 2, 100), 0, "");
	assert_int_equal(s->live.keep->sessions.promised, 0);
}

/* Between its reports a blob grows, and what it holds is counted as used by the disk, too. */
static void stored_bytes_are_not_counted_twice(void **state)
{
	struct scene *s = *state;

	say_room(10 * CHUNK);
	struct upload a = declared(s, one, 6 * CHUNK);
	put_seal(&a, model, 0, 5);
	say_room(5 * CHUNK);
	struct upload b = declared(s, two, 4 * CHUNK);
	assert_in_range(b.m.granted, 4 * CHUNK - 4096, 4 * CHUNK);
	assert_in_range(s->live.keep->sessions.promised, 5 * CHUNK - 4096, 5 * CHUNK);
	drop(&b);
	/* A report adds nothing to what was seen. */
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, a.m.put, .durable = 2 * CHUNK), 0, "");
	assert_in_range(s->live.keep->sessions.promised, 0, CHUNK);
	drop(&a);
}

static void resumed_upload_gets_what_is_left_by_now(void **state)
{
	struct scene *s = *state;

	say_room(8 * MIB);
	struct upload a = declared(s, one, 8 * MIB);
	put_seal(&a, model, 0, 2);
	expect_answer(put_suspend_clean(&a, model, 2, 100), 0, "");
	say_room(0);
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(one),
			  .declared = SIZE_UNKNOWN),
		      E_FULL, "disk full");
	expect_partial(s->gate, s->session, one, 2 * CHUNK + 100);
	say_room(MIB);
	struct upload b = put_opened(s->gate, s->session, one, 0);
	assert_int_equal(b.m.size, 2 * CHUNK + 100);
	assert_in_range(b.m.granted, 2 * CHUNK + MIB - 100, 2 * CHUNK + 100 + MIB + 100);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, b.m.granted);
	put_seal_all(&b, model, 3 * CHUNK, 2);
	expect_answer(put_finish(&b, model, 3 * CHUNK), 0, "");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

/* What another blob will hold once more needs room once more. */
static void unclean_upload_is_resumed_where_its_beginning_fits_again(void **state)
{
	struct scene *s = *state;
	struct upload a = declared(s, one, 8 * MIB);

	put_seal(&a, model, 0, 4);
	expect_answer(put_suspend_unclean(&a, 4 * CHUNK), 0, "");
	say_room(4 * CHUNK - 4096);
	expect_answer(ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(one),
			  .declared = SIZE_UNKNOWN),
		      E_FULL, "disk full");
	say_room(5 * CHUNK);
	struct upload b = put_opened(s->gate, s->session, one, 0);
	assert_int_equal(b.m.prefix, 4 * CHUNK);
	assert_in_range(b.m.granted, 5 * CHUNK - 100, 5 * CHUNK + 100);
	reseal(&b, 4);
	put_seal_all(&b, model, 4 * CHUNK + 9, 4);
	expect_answer(put_finish(&b, model, 4 * CHUNK + 9), 0, "");
}

static void rekey_needs_room_for_what_is_stored(void **state)
{
	struct scene *s = *state;
	struct upload a = declared(s, one, 5 * CHUNK);

	put_seal(&a, model, 0, 4);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, a.m.put, .durable = 4 * CHUNK), 0, "");
	say_room(4 * CHUNK);
	expect_answer(ASK(s->gate, put_rekey, PUT_REKEY, a.m.put, .durable = 4 * CHUNK), E_FULL,
		      "disk full");
	say_room(6 * CHUNK);
	upload_done(&a);
	struct upload b = put_taken(
	    s->gate, s->session, ASK(s->gate, put_rekey, PUT_REKEY, a.m.put, .durable = 4 * CHUNK));
	assert_int_equal(s->live.keep->sessions.promised, 5 * CHUNK);
	reseal(&b, 4);
	put_seal_all(&b, model, 5 * CHUNK, 4);
	expect_answer(put_finish(&b, model, 5 * CHUNK), 0, "");
}

/* ---- the ballast ---- */

static void ballast_goes_before_catalog_and_log_lack_room(void **state)
{
	struct scene *s = *state;

	put_whole(s->gate, s->session, one, model, 10);
	assert_true(has_ballast(&s->live));
	say_free(LOW);
	remove_file(s, one);
	assert_true(has_ballast(&s->live));
	say_free(LOW - 1);
	expect_nothing(s->gate, s->session, one);
	assert_false(has_ballast(&s->live));
	expect_record(&s->live, "disk.low", "detail", "{\"free\":524287}");
	/* What it gave is not for uploads. */
	say_free(2 * MIB);
	expect_full(s, one);
	say_free(2 * MIB + 2 * CHUNK);
	put_whole(s->gate, s->session, one, model, 10);
	say_free(0);
	remove_file(s, one);
	assert_int_equal(count_records(&s->live, "disk.low"), 1);
}

static void ballast_comes_back_with_room_to_spare(void **state)
{
	struct scene *s = *state;

	say_free(0);
	expect_nothing(s->gate, s->session, one);
	assert_false(has_ballast(&s->live));
	say_free(2 * BALLAST - 1);
	room_watch(s->live.keep);
	live_settle(&s->live);
	assert_false(has_ballast(&s->live));
	say_free(2 * BALLAST);
	no_room = true;
	room_watch(s->live.keep);
	live_settle(&s->live);
	assert_false(has_ballast(&s->live));
	assert_int_equal(count_records(&s->live, "disk.ok"), 0);
	no_room = false;
	room_watch(s->live.keep); /* not again at once */
	live_settle(&s->live);
	assert_false(has_ballast(&s->live));
	fake_gate_free(s->gate);
	s->gate = NULL;
	reopen(&s->live);
	assert_true(has_ballast(&s->live));
}

static void ballast_that_came_back_is_recorded(void **state)
{
	struct scene *s = *state;

	say_free(0);
	expect_full(s, one);
	say_free(100 * MIB);
	room_watch(s->live.keep);
	room_watch(s->live.keep);
	live_settle(&s->live);
	assert_true(has_ballast(&s->live));
	assert_int_equal(count_records(&s->live, "disk.ok"), 1);
	put_whole(s->gate, s->session, one, model, 10);
	say_free(0);
	remove_file(s, one);
	assert_false(has_ballast(&s->live));
	assert_int_equal(count_records(&s->live, "disk.low"), 2);
}

/* ---- opening ---- */

static void start_on_a_full_disk_gives_the_ballast_up(void **state)
{
	struct live *l = *state;

	fixed = false;
	assert_true(has_ballast(l));
	say_free(LOW - 1);
	reopen(l);
	assert_false(has_ballast(l));
	say_free(2 * BALLAST - 1);
	reopen(l);
	assert_false(has_ballast(l));
	fixed = false;
	no_room = true;
	reopen(l);
	assert_false(has_ballast(l));
	no_room = false;
	reopen(l);
	assert_true(has_ballast(l));
}

static void start_fills_up_a_short_ballast(void **state)
{
	struct live *l = *state;
	CLEANUP(sys_close) int fd = -1;

	fixed = no_room = false;
	assert_good(sys_open(live_state(l), "ballast", O_RDWR, 0, &fd));
	assert_good(sys_truncate(fd, 5));
	reopen(l);
	assert_true(has_ballast(l));
	assert_good(sys_truncate(fd, 0));
	assert_good(sys_truncate(fd, BALLAST)); /* of one hole */
	reopen(l);
	assert_true(has_ballast(l));
	assert_good(sys_truncate(fd, 2 * BALLAST));
	reopen(l);
	assert_true(has_ballast(l));
}

static void ballast_of_nothing_is_none(void **state)
{
	struct room *r;
	struct live *l = *state;
	struct stat st;

	fixed = no_room = false;
	r = room_open(live_state(l), 0, MIB);
	assert_int_equal(room_missing(r), 0);
	room_free(&r);
	assert_false(ballast_stat(l, &st));
	reopen(l);
	assert_true(has_ballast(l));
}

int main(void)
{
#define FULL(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    FULL(room_is_promised_once),
	    FULL(steps_leave_room_for_others),
	    FULL(published_upload_keeps_no_promise),
	    FULL(stored_bytes_are_not_counted_twice),
	    FULL(resumed_upload_gets_what_is_left_by_now),
	    FULL(unclean_upload_is_resumed_where_its_beginning_fits_again),
	    FULL(rekey_needs_room_for_what_is_stored),
	    FULL(ballast_goes_before_catalog_and_log_lack_room),
	    FULL(ballast_comes_back_with_room_to_spare),
	    FULL(ballast_that_came_back_is_recorded),
	    cmocka_unit_test_setup_teardown(start_on_a_full_disk_gives_the_ballast_up, live_setup,
					    live_teardown),
	    cmocka_unit_test_setup_teardown(start_fills_up_a_short_ballast, live_setup,
					    live_teardown),
	    cmocka_unit_test_setup_teardown(ballast_of_nothing_is_none, live_setup, live_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
