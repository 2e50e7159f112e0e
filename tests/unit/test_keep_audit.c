/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/audit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/log.h"
#include "daemon/keep/chores.h"
#include "keep_live.h"

static int add(struct live *l, const char *name)
{
	struct event e = EVENT(.name = name, .actor = "system");

	return audit_add(l->keep->audit, &e);
}

static void begin(struct live *l)
{
	assert_good(catalog_begin(l->keep->catalog));
}

static void commit(struct live *l)
{
	assert_good(audit_before_commit(l->keep->audit));
	assert_good(catalog_commit(l->keep->catalog));
}

static void tick(struct live *l, const char *name)
{
	begin(l);
	assert_good(add(l, name));
	commit(l);
	audit_after_commit(l->keep->audit);
}

static uint64_t position(const struct live *l)
{
	struct trail_mark at;

	audit_position(l->keep->audit, &at);
	return at.size;
}

/* The events of the log, a blank behind each. Their numbers have no gap (live_records). */
static void expect_log(struct live *l, const char *events)
{
	CLEANUP(buf_done) struct buf found = {0};
	json_t *records = live_records(l), *r;
	const char *text;
	size_t i;

	json_array_foreach(records, i, r)
	    assert_good(buf_printf(&found, "%s ", json_string_value(json_object_get(r, "event"))));
	json_decref(records);
	assert_good(buf_text(&found, &text));
	assert_string_equal(text, events);
	live_check(l);
}

static void log_begins_empty(void **state)
{
	struct live *l = *state;

	assert_int_equal(position(l), 0);
	assert_false(audit_busy(l->keep->audit));
	assert_false(audit_lags_behind(l->keep->audit));
	assert_ptr_equal(strstr(audit_origin(l->keep->audit), "keep.example/dropkeep/"),
			 audit_origin(l->keep->audit));
	expect_log(l, "");
}

static void add_reaches_the_log_after_the_commit(void **state)
{
	struct live *l = *state;

	begin(l);
	assert_good(add(l, "one"));
	commit(l);
	assert_int_equal(position(l), 0);
	audit_after_commit(l->keep->audit);
	assert_true(audit_busy(l->keep->audit));
	live_settle(l);
	assert_int_equal(position(l), 1);
	assert_true(audit_lags_behind(l->keep->audit));
	begin(l);
	commit(l);
	audit_after_commit(l->keep->audit);
	assert_false(audit_lags_behind(l->keep->audit));
	expect_log(l, "one ");
}

static void commits_while_the_log_is_written_follow_it(void **state)
{
	struct live *l = *state;

	for (int i = 0; i < 50; i++)
		tick(l, i % 2 ? "b" : "a");
	live_settle(l);
	assert_int_equal(position(l), 50);
	live_check(l);
}

/* A refused act takes its records with it, wherever it stands in a tick. */
static void revert_takes_back_what_came_since_the_mark(void **state)
{
	struct live *l = *state;
	struct audit *a = l->keep->audit;

	begin(l);
	for (int round = 0; round < 3; round++) {
		size_t mark = audit_mark(a);
		assert_good(catalog_savepoint(l->keep->catalog));
		assert_good(add(l, "undone"));
		assert_good(add(l, "undone.too"));
		assert_good(catalog_rollback_to(l->keep->catalog));
		audit_revert(a, mark);
		audit_revert(a, mark); /* nothing is left to undo */
		assert_good(catalog_savepoint(l->keep->catalog));
		assert_good(add(l, round ? "kept" : "first"));
		assert_good(catalog_release(l->keep->catalog));
	}
	commit(l);
	audit_after_commit(a);
	expect_log(l, "first kept kept ");
}

static void record_that_is_too_long_fails_its_act_and_leaves_no_gap(void **state)
{
	struct live *l = *state;
	CLEANUP(mem_free) char *text = mem_new(70000);
	struct event e = EVENT(.name = "long", .actor = "system");

	memset(text, 'x', 69999);
	begin(l);
	assert_good(add(l, "before"));
	event_detail(&e, json_pack("{s:s}", "text", text));
	assert_refused(audit_add(l->keep->audit, &e), E_LIMIT);
	event_detail(&e, json_pack("{s:s}", "text", "\xff"));
	assert_refused(audit_add(l->keep->audit, &e), E_NOMEM);
	text[60000] = '\0';
	event_detail(&e, json_pack("{s:s}", "text", text));
	assert_good(audit_add(l->keep->audit, &e));
	assert_good(add(l, "after"));
	commit(l);
	audit_after_commit(l->keep->audit);
	expect_log(l, "before long after ");
}

static void path_without_a_key_for_it_is_left_out(void **state)
{
	struct live *l = *state;
	static const uint8_t object[ID_SIZE] = {1, 2, 3};
	const struct zone *zone = NULL;
	uint8_t nobody[ID_SIZE] = {9};

	live_zone(l, "acme", 0);
	begin(l);
	assert_good(accounts_zone_by_name(l->keep->accounts, view_text("acme"), &zone));
	struct event e = EVENT(.name = "known", .zone = zone->row.id, .zone_name = "acme",
			       .path = view_text("/acme/incoming/x"));
	assert_good(audit_add(l->keep->audit, &e)); /* under the key of the zone's folder */
	e.name = "erased";
	e.object = nobody;
	assert_good(audit_add(l->keep->audit, &e));
	e.name = "gone";
	e.zone = 999;
	e.object = object;
	assert_good(audit_add(l->keep->audit, &e));
	commit(l);
	audit_after_commit(l->keep->audit);
	live_settle(l);
	CLEANUP(buf_done) struct buf lines = {0};
	assert_good(sys_read_file(live_state(l), "log/records-000000.jsonl", 1 << 20, &lines));
	const char *text;
	assert_good(buf_text(&lines, &text));
	assert_non_null(strstr(text, "\"event\":\"known\",\"outcome\":\"ok\",\"zone\":\"acme\","
				     "\"path\":{"));
	assert_null(strstr(strstr(text, "erased"), "\"path\""));
}

/* ---- crashes ---- */

enum moment { BEFORE_COMMIT, AFTER_COMMIT, IN_THE_LOG, WHILE_WRITING, AT_ANY_TIME };

static void die(void)
{
	(void)kill(getpid(), SIGKILL);
}

static void acknowledge(struct keep *keep)
{
	(void)keep;
	(void)!write(STDOUT_FILENO, "a", 1);
}

static bool never(void *arg)
{
	struct live *l = arg;

	if (!deeds_under_way(l->keep->deeds))
		chore_record(l->keep, "act", NULL, acknowledge);
	return false;
}

static void child(struct live *l, enum moment when)
{
	live_open(l);
	tick(l, "old");
	live_settle(l);
	tick(l, "noted");
	live_settle(l);
	if (when == AT_ANY_TIME)
		live_until(l, never, l);
	begin(l);
	assert_good(add(l, "last"));
	assert_good(add(l, "very.last"));
	if (when == BEFORE_COMMIT)
		die();
	commit(l);
	if (when == AFTER_COMMIT)
		die();
	audit_after_commit(l->keep->audit);
	if (when == IN_THE_LOG)
		live_settle(l);
	die();
}

/* A process of its own runs into the moment; what it has acknowledged is counted. */
static size_t crash(struct live *l, enum moment when, int after_ms)
{
	int fds[2], status = 0;
	size_t acknowledged = 0;
	char bytes[256];

	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(fds[1], STDOUT_FILENO);
		child(l, when);
		_exit(1);
	}
	(void)close(fds[1]);
	if (when == AT_ANY_TIME) {
		ssize_t n = read(fds[0], bytes, 1); /* it is at work */
		assert_int_equal(n, 1);
		acknowledged++;
		(void)poll(NULL, 0, after_ms);
		assert_int_equal(kill(pid, SIGKILL), 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	for (ssize_t n; (n = read(fds[0], bytes, sizeof bytes)) > 0;)
		acknowledged += (size_t)n;
	(void)close(fds[0]);
	return acknowledged;
}

/* What the catalog's outbox holds, before anybody has looked at it. */
static uint64_t outbox(const struct live *l, struct buf *out)
{
	CLEANUP(catalog_close) struct catalog *c = NULL;
	CLEANUP(buf_done) struct buf noted = {0};
	CLEANUP(keys_free) struct keys *keys = NULL;
	CLEANUP(sys_close) int state_fd = -1;
	CLEANUP(mem_free) char *dir = mem_printf("%s/state", l->dir);
	struct trail_mark mark;
	int rc;

	assert_good(sys_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0, &state_fd));
	assert_good(keys_load(state_fd, KEYS_MASTER_FILE, &keys));
	assert_good(catalog_open(dir, keys_catalog(keys), false, &c));
	assert_good(catalog_meta_get(c, "log.noted", &noted));
	assert_good(trail_mark_read(view_buf(&noted), &mark));
	for (uint64_t seq = mark.size; (rc = catalog_outbox_get(c, seq, out)) == 0; seq++)
		assert_good(buf_add_text(out, "\n"));
	assert_int_equal(rc, E_GONE);
	return mark.size;
}

struct tail {
	uint64_t from;
	struct buf text;
};

static int collect(void *arg, uint64_t seq, struct view line)
{
	struct tail *t = arg;

	if (seq >= t->from) {
		assert_good(buf_add(&t->text, line.data, line.len));
		assert_good(buf_add_text(&t->text, "\n"));
	}
	return 0;
}

/* The log is completed to the very bytes of the outbox. */
static void recover(struct live *l)
{
	CLEANUP(buf_done) struct buf pending = {0};
	struct tail t = {.from = outbox(l, &pending)};
	struct trail_mark at;

	live_open(l);
	audit_position(l->keep->audit, &at);
	assert_good(trail_read(live_state(l), &at, collect, &t));
	assert_true(view_equal(view_buf(&pending), view_buf(&t.text)));
	buf_done(&t.text);
	live_check(l);
}

static int init_only(void **state)
{
	struct live *l = mem_new(sizeof *l);

	live_init(l, NULL);
	*state = l;
	return 0;
}

static void crash_before_the_commit_leaves_nothing_of_the_act(void **state)
{
	struct live *l = *state;

	(void)crash(l, BEFORE_COMMIT, 0);
	recover(l);
	expect_log(l, "old noted ");
}

static void crash_after_the_commit_is_completed_from_the_outbox(void **state)
{
	struct live *l = *state;

	(void)crash(l, AFTER_COMMIT, 0);
	recover(l);
	expect_log(l, "old noted last very.last ");
	tick(l, "next");
	expect_log(l, "old noted last very.last next ");
}

static void crash_before_the_log_is_noted_repeats_it(void **state)
{
	struct live *l = *state;

	(void)crash(l, IN_THE_LOG, 0);
	recover(l);
	expect_log(l, "old noted last very.last ");
}

static void crash_while_the_log_is_written_is_completed(void **state)
{
	struct live *l = *state;

	(void)crash(l, WHILE_WRITING, 0);
	recover(l);
	expect_log(l, "old noted last very.last ");
}

/* As above with a log that a power loss has torn at every byte behind the mark. */
static void torn_tail_is_completed_wherever_it_is_torn(void **state)
{
	struct live *l = *state;
	CLEANUP(buf_done) struct buf whole = {0}, pending = {0};
	CLEANUP(mem_free) char *path = mem_printf("%s/state/log/records-000000.jsonl", l->dir);

	(void)crash(l, IN_THE_LOG, 0);
	(void)outbox(l, &pending);
	assert_good(sys_read_file(AT_FDCWD, path, 1 << 20, &whole));
	for (size_t cut = 0; cut < pending.len; cut += 29) {
		assert_good(
		    sys_replace_file(AT_FDCWD, path, 0600, view_of(whole.data, whole.len - cut)));
		live_open(l); /* and it is left open as by another crash: nothing is noted */
		assert_int_equal(position(l), 4);
		live_check(l);
		live_close(l);
	}
	live_open(l);
}

static void crashes_at_any_time_lose_nothing_acknowledged(void **state)
{
	struct live *l = *state;
	size_t acknowledged = 0, starts = 0;

	for (int round = 0; round < 12; round++) {
		acknowledged += crash(l, AT_ANY_TIME, round * 7 % 40);
		starts++;
		recover(l);
		json_t *records = live_records(l);
		assert_true(records_of(records, "act", NULL) >= acknowledged);
		assert_int_equal(records_of(records, "old", NULL), starts);
		json_decref(records);
		live_close(l);
	}
	live_open(l);
}

/* ---- contradictions ---- */

static void copy_file(const struct live *l, const char *from, const char *to)
{
	CLEANUP(buf_done) struct buf content = {0};
	CLEANUP(mem_free) char *source = mem_printf("%s/%s", l->dir, from);
	CLEANUP(mem_free) char *target = mem_printf("%s/%s", l->dir, to);

	assert_good(sys_read_file(AT_FDCWD, source, 64 << 20, &content));
	assert_good(sys_replace_file(AT_FDCWD, target, 0600, view_buf(&content)));
}

static int reopened(struct live *l)
{
	struct keep *keep = NULL;
	int rc = keep_open(l->conf, &keep);

	if (rc)
		return rc;
	l->keep = keep;
	return 0;
}

static void catalog_taken_back_beside_a_newer_log_is_refused(void **state)
{
	struct live *l = *state;

	live_open(l);
	tick(l, "one");
	live_close(l);
	copy_file(l, "state/catalog.db", "old.db");
	live_open(l);
	tick(l, "two");
	live_close(l);
	copy_file(l, "state/catalog.db", "new.db");
	copy_file(l, "old.db", "state/catalog.db");
	assert_refused(reopened(l), E_INTEGRITY);
	assert_refused(reopened(l), E_INTEGRITY); /* and is still: nothing was repaired away */
	copy_file(l, "new.db", "state/catalog.db");
	live_open(l);
	expect_log(l, "one two ");
}

static void log_taken_back_beside_a_newer_catalog_is_refused(void **state)
{
	struct live *l = *state;

	live_open(l);
	tick(l, "one");
	live_settle(l);
	tick(l, "two");
	live_close(l);
	copy_file(l, "state/log/checkpoint", "old");
	live_open(l);
	tick(l, "three");
	live_settle(l);
	tick(l, "four"); /* notes the one before */
	live_close(l);
	copy_file(l, "old", "state/log/checkpoint");
	assert_refused(reopened(l), E_INTEGRITY);
	assert_null(l->keep);
}

static int done_only(void **state)
{
	struct live *l = *state;

	if (l->keep)
		live_close(l);
	live_done(l);
	free(l);
	return 0;
}

#define LIVE(test)  cmocka_unit_test_setup_teardown(test, live_setup, live_teardown)
#define CRASH(test) cmocka_unit_test_setup_teardown(test, init_only, done_only)

int main(void)
{
	/* Those that fork come first: a child has no threads of its parent's. */
	const struct CMUnitTest tests[] = {
	    CRASH(crash_before_the_commit_leaves_nothing_of_the_act),
	    CRASH(crash_after_the_commit_is_completed_from_the_outbox),
	    CRASH(crash_before_the_log_is_noted_repeats_it),
	    CRASH(crash_while_the_log_is_written_is_completed),
	    CRASH(torn_tail_is_completed_wherever_it_is_torn),
	    CRASH(crashes_at_any_time_lose_nothing_acknowledged),
	    CRASH(catalog_taken_back_beside_a_newer_log_is_refused),
	    CRASH(log_taken_back_beside_a_newer_catalog_is_refused),
	    LIVE(log_begins_empty),
	    LIVE(add_reaches_the_log_after_the_commit),
	    LIVE(commits_while_the_log_is_written_follow_it),
	    LIVE(revert_takes_back_what_came_since_the_mark),
	    LIVE(record_that_is_too_long_fails_its_act_and_leaves_no_gap),
	    LIVE(path_without_a_key_for_it_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
