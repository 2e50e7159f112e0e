/* SPDX-License-Identifier: Apache-2.0 */
/* Unfinished uploads that nobody goes on with, by clocks of ours: what goes, and what stops it. */
#include <dirent.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "daemon/keep/chores.h"
#include "daemon/keep/control.h"
#include "daemon/keep/gates.h"
#include "keep_asks.h"
#include "keep_operator.h"

static const char path[] = "/acme/incoming/report";
static const int64_t second = 1000000, minute = INT64_C(60) * 1000000,
		     hour = INT64_C(3600) * 1000000, day = INT64_C(86400) * 1000000;

/* ---- the clocks: they go on by themselves, and by what is said here ---- */

int64_t __real_clock_utc_us(void);
int64_t __real_clock_boot_us(void);
int64_t __wrap_clock_utc_us(void);
int64_t __wrap_clock_boot_us(void);

static int64_t utc_on, boot_on;

int64_t __wrap_clock_utc_us(void)
{
	return __real_clock_utc_us() + utc_on;
}

int64_t __wrap_clock_boot_us(void)
{
	return __real_clock_boot_us() + boot_on;
}

static void pass(int64_t us)
{
	utc_on += us;
	boot_on += us;
}

static void set_clock_on(int64_t us)
{
	utc_on += us;
}

/* ---- the scene ---- */

static void open_control(struct scene *s)
{
	assert_good(control_new(s->live.keep, &s->live.keep->control));
	assert_good(gates_new(s->live.keep, &s->live.keep->gates)); /* none is started */
}

static void close_control(struct scene *s)
{
	control_stop(s->live.keep->control);
	live_settle(&s->live);
	control_free(s->live.keep->control);
	gates_free(s->live.keep->gates);
}

static int setup(void **state)
{
	utc_on = boot_on = 0;
	int rc = scene_setup(state);

	open_control(*state);
	return rc;
}

static int teardown(void **state)
{
	close_control(*state);
	return scene_teardown(state);
}

/* The keep, and with `boots` the machine, is away for so long. */
static void restart(struct scene *s, int64_t away, bool boots)
{
	fake_gate_free(s->gate);
	close_control(s);
	live_check(&s->live);
	live_close(&s->live);
	pass(away);
	if (boots)
		boot_on -= 300 * day;
	live_open(&s->live);
	open_control(s);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

static bool is_done(void *arg)
{
	const struct keep *keep = arg;

	return !keep->expiry.busy && !keep->sweeping;
}

/* What the timer does. */
static void look(struct scene *s)
{
	expiry_watch(s->live.keep);
	live_until(&s->live, is_done, s->live.keep);
	live_settle(&s->live);
}

/* A clean end with two chunks and a tail. */
static struct upload begun(struct scene *s, const char *name)
{
	struct upload u = put_opened(s->gate, s->session, name, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 50), 0, "");
	return u;
}

static void begun_many(struct scene *s, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		CLEANUP(mem_free) char *name = mem_printf("/acme/incoming/%u", i);
		(void)begun(s, name);
	}
}

static uint64_t uploads(struct scene *s)
{
	PEER p = {.fd = -1};

	return (uint64_t)number(result(&s->live, &p, "status", "{}"), "uploads");
}

static size_t files_in(struct scene *s, const char *name)
{
	CLEANUP(mem_free) char *dir = mem_printf("%s/state/%s", s->live.dir, name);
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static size_t stored_blobs(struct scene *s)
{
	size_t n = 0;

	for (unsigned i = 0; i < 256; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "blobs/%02x", i);
		n += files_in(s, name);
	}
	return n;
}

static void expect_alert(struct scene *s, const char *kind, const char *sentence)
{
	PEER p = said(&s->live, "{\"v\":1,\"command\":\"alerts\",\"args\":{}}\n");
	PEER status = {.fd = -1};
	const json_t *problems =
	    json_object_get(result(&s->live, &status, "status", "{}"), "problems");
	char *text = json_dumps(problems, JSON_COMPACT);

	assert_int_equal(json_array_size(p.items), kind ? 1 : 0);
	assert_int_equal(strstr(text, "dropkeepctl alerts") != NULL, kind != NULL);
	free(text);
	if (!kind)
		return;
	const json_t *item = json_array_get(p.items, 0);
	assert_string_equal(json_string_value(json_object_get(item, "kind")), kind);
	const char *said = json_string_value(json_object_get(item, "text"));
	if (!strstr(said, sentence))
		print_message("# %s\n", said);
	assert_non_null(strstr(said, sentence));
	assert_true(json_is_string(json_object_get(item, "raised")));
}

static void expect_no_alert(struct scene *s)
{
	expect_alert(s, NULL, NULL);
}

/* ---- what goes ---- */

static void upload_goes_when_its_time_is_over_and_not_before(void **state)
{
	struct scene *s = *state;
	struct answer_upload m;
	struct upload u = begun(s, path);
	HEARD *h = ASK(s->gate, upload, UPLOAD, s->session, .path = view_text(path));

	READ(h, upload, &m);
	assert_true(m.expires_us > clock_utc_us() + 7 * day - minute);
	assert_true(zone_now(&s->live, "acme").reserved_bytes == 2 * CHUNK + 50);
	assert_int_equal(files_in(s, "uploads"), 1);
	pass(m.expires_us - clock_utc_us() - second);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	assert_int_equal(stored_blobs(s), 1);
	pass(second + 1);
	look(s);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
	assert_int_equal(files_in(s, "uploads"), 0);
	assert_int_equal(stored_blobs(s), 0);
	expect_answer(ASK(s->gate, upload, UPLOAD, s->session, .path = view_text(path)), E_GONE,
		      "there is no such upload");
	expect_answer(
	    ASK(s->gate, upload, UPLOAD, s->session, .ticket = view_of(u.m.ticket, WIRE_ID)),
	    E_GONE, "there is no such upload");
	expect_no_alert(s);
	look(s);
	assert_int_equal(count_records(&s->live, "upload.expire"), 1);

	struct upload again = put_opened(s->gate, s->session, path, PUT_CREATE);
	assert_int_equal(again.m.size, 0);
	put_seal_all(&again, model, 10, 0);
	expect_answer(put_finish(&again, model, 10), 0, "");
}

static void record_says_whose_it_was_and_what(void **state)
{
	struct scene *s = *state;
	char last[CLOCK_TEXT];
	struct upload_row row = {0};
	struct node_row node;
	char object[2 * ID_SIZE + 3] = "\"";

	(void)begun(s, path);
	assert_good(catalog_upload_next(s->live.keep->catalog, 0, &row));
	assert_good(catalog_node_by_id(s->live.keep->catalog, row.node, &node));
	hex_encode(node.object, ID_SIZE, object + 1);
	object[2 * ID_SIZE + 1] = '"';
	clock_text(row.touched_us, last);
	CLEANUP(mem_free)
	char *detail = mem_printf("{\"user\":\"anna\",\"last\":\"%s\",\"reserved\":131122}", last);
	pass(8 * day);
	look(s);
	expect_record(&s->live, "upload.expire", "actor", "\"system\"");
	expect_record(&s->live, "upload.expire", "outcome", "\"ok\"");
	expect_record(&s->live, "upload.expire", "zone", "\"acme\"");
	expect_record(&s->live, "upload.expire", "object", object);
	expect_record(&s->live, "upload.expire", "path", "\"/acme/incoming/report\"");
	expect_record(&s->live, "upload.expire", "size", "131122");
	expect_record(&s->live, "upload.expire", "detail", detail);

	(void)begun(s, path);
	ok(&s->live, "user remove", "{\"name\":\"anna\"}");
	pass(8 * day);
	look(s);
	json_t *records = live_records(&s->live), *record = NULL;
	assert_int_equal(records_of(records, "upload.expire", &record), 2);
	assert_int_equal(text(json_object_get(record, "detail"), "user")[0], '#');
	json_decref(records);
}

static void every_kind_of_unfinished_upload_goes(void **state)
{
	struct scene *s = *state;
	uint64_t sam = session_of_sam(s);

	/* Nothing in it, but it stays. */
	struct upload bare = put_opened(s->gate, s->session, "/acme/incoming/a", PUT_CREATE);
	upload_done(&bare);
	expect_answer(
	    ASK(s->gate, put_suspend, PUT_SUSPEND, bare.m.put, .stay = 1, .mtime_s = TIME_UNKNOWN),
	    0, "");
	/* Unclean; and one that has begun to move to another blob. */
	struct upload unclean = put_opened(s->gate, s->session, "/acme/incoming/b", PUT_CREATE);
	put_seal(&unclean, model, 0, 3);
	expect_answer(put_suspend_unclean(&unclean, 3 * CHUNK), 0, "");
	unclean = put_opened(s->gate, s->session, "/acme/incoming/b", 0);
	assert_true(unclean.m.prefix == 3 * CHUNK);
	expect_answer(put_suspend_unclean(&unclean, 0), 0, "");
	/* Beside a published version, a large one and a tiny one, that it goes on from. */
	put_whole(s->gate, s->session, "/acme/incoming/c", model, 2 * CHUNK + 1);
	put_whole(s->gate, s->session, "/acme/incoming/d", model, 100);
	for (const char *name = "cd"; *name; name++) {
		CLEANUP(mem_free) char *file = mem_printf("/acme/incoming/%c", *name);
		struct upload more = put_opened(s->gate, s->session, file, 0);
		expect_answer(put_suspend_unclean(&more, 0), 0, "");
	}
	/* Its gate has died. */
	struct upload orphan = put_opened(s->gate, s->session, "/acme/incoming/e", PUT_CREATE);
	put_seal(&orphan, model, 0, 1);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, orphan.m.put, .durable = CHUNK), 0, "");
	upload_done(&orphan);
	assert_int_equal(uploads(s), 5);
	restart(s, minute, false);
	sam = session_of_sam(s);
	assert_int_equal(uploads(s), 5);
	pass(8 * day);
	look(s);
	assert_int_equal(uploads(s), 0);
	assert_int_equal(count_records(&s->live, "upload.expire"), 5);
	expect_nothing(s->gate, s->session, "/acme/incoming/a");
	expect_nothing(s->gate, s->session, "/acme/incoming/b");
	expect_file(s->gate, s->session, "/acme/incoming/c", 2 * CHUNK + 1);
	expect_content(s->gate, sam, "/acme/incoming/c", model, 2 * CHUNK + 1);
	expect_content(s->gate, sam, "/acme/incoming/d", model, 100);
	expect_nothing(s->gate, s->session, "/acme/incoming/e");
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
	assert_int_equal(zone_now(&s->live, "acme").files, 2);
	assert_int_equal(stored_blobs(s), 1);
}

/* However long nothing is heard of it; its time begins when it is let go. */
static void upload_that_is_open_does_not_expire(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	pass(30 * day);
	look(s);
	expect_partial(s->gate, s->session, path, 0);
	expect_answer(put_suspend_clean(&u, model, 2, 50), 0, "");
	pass(7 * day - minute);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	pass(2 * minute);
	look(s);
	expect_nothing(s->gate, s->session, path);
}

static void whoever_goes_on_has_all_the_time_again(void **state)
{
	struct scene *s = *state;

	(void)begun(s, path);
	for (int i = 0; i < 3; i++) {
		pass(6 * day);
		look(s);
		struct upload u = put_opened(s->gate, s->session, path, 0);
		assert_true(u.m.size == 2 * CHUNK + 50);
		expect_answer(put_suspend_clean(&u, model, 2, 50), 0, "");
	}
	struct upload u = put_opened(s->gate, s->session, path, 0);
	pass(6 * day);
	expect_answer(ASK(s->gate, put_extend, PUT_EXTEND, u.m.put, .durable = 2 * CHUNK), 0, "");
	upload_done(&u);
	look(s);
	restart(s, day, false); /* when something was made durable last counts after a crash */
	look(s);
	pass(5 * day);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	pass(3 * day);
	look(s);
	expect_nothing(s->gate, s->session, path);
}

/* Leases that have been quiet for long stand before it in the order; a tick looks at some only. */
static void leases_do_not_hide_those_behind_them(void **state)
{
	struct scene *s = *state;
	enum { OPEN = 200, SESSIONS = 4 };
	static struct upload open[OPEN];

	for (unsigned i = 0; i < OPEN; i++) {
		CLEANUP(mem_free) char *name = mem_printf("/acme/incoming/open%u", i);
		if (i && i % (OPEN / SESSIONS) == 0)
			s->session = gate_log_in(s->gate, &s->anna);
		open[i] =
		    put_taken(s->gate, s->session,
			      ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(name),
				  .flags = PUT_CREATE, .declared = 10));
	}
	pass(minute);
	(void)begun(s, path);
	assert_int_equal(uploads(s), OPEN + 1);
	pass(8 * day);
	look(s);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(uploads(s), OPEN);
	for (unsigned i = 0; i < OPEN; i++) {
		upload_done(&open[i]);
		expect_answer(ASK(s->gate, put_drop, PUT_DROP, open[i].m.put), 0, "");
	}
}

/* Another node is said to have it: then nothing is right, and nothing is removed. */
static void upload_that_contradicts_itself_stays_and_others_go(void **state)
{
	struct scene *s = *state;
	struct catalog *c = s->live.keep->catalog;
	struct upload_row row = {0}, wrong;
	struct node_row node;

	begun_many(s, 3);
	assert_good(catalog_upload_next(c, 0, &row));
	assert_good(catalog_node_by_id(c, row.node, &node));
	wrong = row;
	wrong.node = node.parent;
	assert_good(catalog_upload_set(c, &wrong));
	pass(8 * day);
	look(s);
	assert_int_equal(uploads(s), 1);
	assert_int_equal(count_records(&s->live, "upload.expire"), 2);
	assert_good(catalog_upload_by_id(c, row.id, &wrong));
	assert_good(catalog_upload_set(c, &row));
	look(s); /* not yet: what failed is not tried all the time */
	assert_int_equal(uploads(s), 1);
}

/* ---- the clock ---- */

static void clock_that_jumps_stops_all_until_it_is_confirmed(void **state)
{
	struct scene *s = *state;

	look(s);
	(void)begun(s, path);
	set_clock_on(30 * day);
	look(s);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	expect_alert(s, "clock", "the clock is 30 d 0 h 0 min ahead");
	assert_int_equal(count_records(&s->live, "alert.raise"), 1);
	expect_record(&s->live, "alert.raise", "detail", "{\"alert\":1,\"kind\":\"clock\"}");
	expect_record(&s->live, "alert.raise", "actor", "\"system\"");
	restart(s, hour, true);
	look(s);
	expect_alert(s, "clock", "30 d");
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	assert_int_equal(count_records(&s->live, "alert.raise"), 1);

	refused(&s->live, "alerts ack", "{\"id\":2}", E_GONE);
	refused(&s->live, "alerts ack", "{\"id\":0}", E_GONE);
	refused(&s->live, "alerts ack", "{\"id\":-1}", E_GONE);
	assert_int_equal(count_records(&s->live, "alert.ack"), 0);
	ok(&s->live, "alerts ack", "{\"id\":1}");
	expect_no_alert(s);
	json_t *records = live_records(&s->live), *ack = NULL;
	assert_int_equal(records_of(records, "alert.ack", &ack), 1);
	assert_int_equal(strncmp(text(ack, "actor"), "operator:", 9), 0);
	assert_string_equal(text(json_object_get(ack, "detail"), "kind"), "clock");
	json_decref(records);
	look(s);
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(count_records(&s->live, "alert.raise"), 1);
	ok(&s->live, "alerts ack", "{}"); /* nothing stands, nothing happens */
	assert_int_equal(count_records(&s->live, "alert.ack"), 1);
}

/* The alert stands also when the clock is right again, for somebody has played with it. */
static void clock_that_is_put_right_must_be_confirmed_all_the_same(void **state)
{
	struct scene *s = *state;

	look(s);
	(void)begun(s, path);
	set_clock_on(30 * day);
	look(s);
	set_clock_on(-30 * day);
	pass(8 * day);
	look(s);
	expect_alert(s, "clock", "ahead");
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	ok(&s->live, "alerts ack", "{}");
	look(s);
	expect_no_alert(s);
	expect_nothing(s->gate, s->session, path);
}

/* What was sent while the clock was ahead has its time from when that is known. */
static void clock_that_goes_back_stops_all_and_later_uploads_count_from_now(void **state)
{
	struct scene *s = *state;

	look(s);
	(void)begun(s, "/acme/incoming/before");
	set_clock_on(3 * day + hour);
	pass(hour);
	(void)begun(s, path);
	set_clock_on(-3 * day - 3 * hour);
	look(s);
	expect_alert(s, "clock", "behind");
	ok(&s->live, "alerts ack", "{\"id\":1}");
	look(s);
	pass(7 * day - minute);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	pass(2 * minute);
	look(s);
	assert_int_equal(uploads(s), 0);
	expect_no_alert(s);
}

static void small_steps_and_long_days_are_no_alert(void **state)
{
	struct scene *s = *state;

	for (int i = 0; i < 20; i++) {
		look(s);
		pass(40 * day);
		set_clock_on(i % 2 ? 20 * minute : -20 * minute);
	}
	expect_no_alert(s);
	assert_int_equal(count_records(&s->live, "alert.raise"), 0);
}

static void keep_that_was_away_too_long_asks_first(void **state)
{
	struct scene *s = *state;

	look(s);
	(void)begun(s, path);
	restart(s, 3 * day, true);
	look(s);
	expect_no_alert(s);
	restart(s, 5 * day, true);
	look(s);
	expect_partial(s->gate, s->session, path, 2 * CHUNK + 50);
	expect_alert(s, "clock", "the clock is 5 d 0 h 0 min ahead");
	ok(&s->live, "alerts ack", "{}");
	look(s);
	expect_nothing(s->gate, s->session, path);
	restart(s, -5 * day, true);
	look(s);
	expect_alert(s, "clock", "behind");
}

/* Written once a minute, whatever happens in between. */
static void time_is_noted_once_a_minute(void **state)
{
	struct scene *s = *state;
	uint64_t first = 0, then = 0;

	look(s);
	assert_good(catalog_meta_get_u64(s->live.keep->catalog, "clock.seen", &first));
	assert_true((int64_t)first <= clock_utc_us() && (int64_t)first > clock_utc_us() - minute);
	pass(30 * second);
	look(s);
	assert_good(catalog_meta_get_u64(s->live.keep->catalog, "clock.seen", &then));
	assert_true(then == first);
	pass(31 * second);
	look(s);
	assert_good(catalog_meta_get_u64(s->live.keep->catalog, "clock.seen", &then));
	assert_true(then >= first + 61 * (uint64_t)second);
}

/* ---- the cap ---- */

static void within_an_hour_only_so_many_go(void **state)
{
	struct scene *s = *state;

	s->live.keep->settings->expiry_cap = 2;
	begun_many(s, 7);
	pass(8 * day);
	look(s);
	look(s);
	assert_int_equal(uploads(s), 5);
	expect_alert(s, "expiry-cap", "2 expired uploads were removed within an hour");
	restart(s, minute, true); /* which does not begin another one */
	s->live.keep->settings->expiry_cap = 2;
	look(s);
	assert_int_equal(uploads(s), 5);
	pass(hour);
	look(s);
	assert_int_equal(uploads(s), 3);
	assert_int_equal(count_records(&s->live, "alert.raise"), 1);
	ok(&s->live, "alerts ack", "{}");
	look(s);
	assert_int_equal(uploads(s), 1);
	expect_alert(s, "expiry-cap", "the others wait");
	pass(hour);
	look(s);
	assert_int_equal(uploads(s), 0);
	assert_int_equal(count_records(&s->live, "upload.expire"), 7);
	assert_int_equal(count_records(&s->live, "alert.raise"), 2);
	expect_alert(s, "expiry-cap", ""); /* it happened; somebody is to know */
}

/* Else the hour that began by the wrong clock would last until that clock was right. */
static void hour_that_began_by_a_wrong_clock_ends_with_it(void **state)
{
	struct scene *s = *state;

	s->live.keep->settings->expiry_cap = 2;
	begun_many(s, 2);
	set_clock_on(300 * day);
	look(s);
	ok(&s->live, "alerts ack", "{}");
	look(s);
	assert_int_equal(uploads(s), 0);
	set_clock_on(-300 * day);
	begun_many(s, 1);
	look(s);
	expect_alert(s, "clock", "behind");
	ok(&s->live, "alerts ack", "{}");
	look(s);
	pass(8 * day);
	look(s);
	assert_int_equal(uploads(s), 0);
	expect_no_alert(s);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(upload_goes_when_its_time_is_over_and_not_before),
	    CASE(record_says_whose_it_was_and_what),
	    CASE(every_kind_of_unfinished_upload_goes),
	    CASE(upload_that_is_open_does_not_expire),
	    CASE(whoever_goes_on_has_all_the_time_again),
	    CASE(leases_do_not_hide_those_behind_them),
	    CASE(upload_that_contradicts_itself_stays_and_others_go),
	    CASE(clock_that_jumps_stops_all_until_it_is_confirmed),
	    CASE(clock_that_is_put_right_must_be_confirmed_all_the_same),
	    CASE(clock_that_goes_back_stops_all_and_later_uploads_count_from_now),
	    CASE(small_steps_and_long_days_are_no_alert),
	    CASE(keep_that_was_away_too_long_asks_first),
	    CASE(time_is_noted_once_a_minute),
	    CASE(within_an_hour_only_so_many_go),
	    CASE(hour_that_began_by_a_wrong_clock_ends_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
