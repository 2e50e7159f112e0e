/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/deeds.h"

#include <assert.h>

#include "base/log.h"
#include "keep_live.h"

/* Each stage leaves a letter and the number of its deed: "d1" for the decision of the first. */
static struct buf trace;

struct probe {
	struct deed deed;
	int number;
	int begin, prepare, decide, settle, complete; /* what the stages give */
	int parks;                                    /* how often decide parks first */
	bool record, records_refusal;
	uint64_t meta; /* a value that decide writes */
	struct probe **parked;
	int finished_rc;
	char why[DEED_WHY];
	bool done;
};

static struct probe *probe_of(struct deed *d)
{
	return (struct probe *)(void *)d;
}

static int step(struct deed *d, char letter, int rc)
{
	static uv_mutex_t lock;
	static bool made;

	if (!made)
		made = uv_mutex_init(&lock) == 0;
	uv_mutex_lock(&lock);
	int added = buf_printf(&trace, "%c%d ", letter, probe_of(d)->number);
	uv_mutex_unlock(&lock);
	assert(added == 0);
	return rc < 0 ? fail((enum err)rc, "stage %c said no", letter) : rc;
}

static int begin(struct deed *d)
{
	int rc = probe_of(d)->begin;

	probe_of(d)->begin = 0;
	return step(d, 'b', rc);
}

static int prepare(struct deed *d)
{
	return step(d, 'p', probe_of(d)->prepare);
}

static int record(struct deed *d, const char *name)
{
	struct event e = EVENT(.name = name, .actor = "system");

	return audit_add(d->keep->audit, &e);
}

static int decide(struct deed *d)
{
	struct probe *p = probe_of(d);
	int rc = 0;

	if (p->meta)
		rc = catalog_meta_set_u64(d->keep->catalog, "probe", p->meta);
	if (!rc && p->record)
		rc = record(d, "decided");
	assert(rc == 0);
	if (p->parks) {
		p->parks--;
		*p->parked = p;
		return step(d, 'd', DEED_PARKED);
	}
	return step(d, 'd', p->decide);
}

static void refused(struct deed *d)
{
	(void)step(d, 'r', 0);
	if (probe_of(d)->records_refusal)
		assert(record(d, "refused") == 0);
}

static void settle(struct deed *d)
{
	(void)deed_note(d, step(d, 's', probe_of(d)->settle));
}

static int complete(struct deed *d)
{
	return step(d, 'c', probe_of(d)->complete);
}

static void finish(struct deed *d)
{
	struct probe *p = probe_of(d);

	(void)step(d, 'f', 0);
	p->finished_rc = d->rc;
	memcpy(p->why, d->why, sizeof p->why);
	p->done = true;
}

static const struct deed_row whole = {.name = "whole",
				      .begin = begin,
				      .prepare = prepare,
				      .decide = decide,
				      .refused = refused,
				      .settle = settle,
				      .complete = complete,
				      .finish = finish};
static const struct deed_row quick = {
    .name = "quick", .decide = decide, .refused = refused, .settle = settle, .finish = finish};

static void submit(struct live *l, struct probe *p, const struct deed_row *row)
{
	p->deed = (struct deed){.row = row};
	p->done = false;
	deeds_submit(l->keep->deeds, &p->deed);
}

static bool is_done(void *arg)
{
	return ((struct probe *)arg)->done;
}

static void expect_trace(const char *expected)
{
	const char *text;

	assert_good(buf_text(&trace, &text));
	assert_string_equal(text, expected);
	buf_clear(&trace);
}

static void run(struct live *l, struct probe *p, const struct deed_row *row)
{
	submit(l, p, row);
	live_until(l, is_done, p);
	assert_int_equal(deeds_under_way(l->keep->deeds), 0);
}

static uint64_t meta(struct live *l)
{
	uint64_t value = 0;
	int rc = catalog_meta_get_u64(l->keep->catalog, "probe", &value);

	assert_true(rc == 0 || rc == E_GONE);
	return value;
}

static size_t count(struct live *l, const char *event)
{
	json_t *records = live_records(l);
	size_t n = records_of(records, event, NULL);

	json_decref(records);
	return n;
}

static void stages_come_in_their_order(void **state)
{
	struct live *l = *state;
	struct probe p = {.number = 1, .record = true, .meta = 5};

	run(l, &p, &whole);
	expect_trace("b1 p1 d1 s1 c1 f1 ");
	assert_int_equal(p.finished_rc, 0);
	assert_int_equal(meta(l), 5);
	assert_int_equal(count(l, "decided"), 1);
	run(l, &p, &quick);
	expect_trace("d1 s1 f1 ");
}

static void stages_behind_a_failure_are_passed_over(void **state)
{
	struct live *l = *state;
	struct {
		struct probe probe;
		const char *trace;
	} rows[] = {{{.begin = E_DENIED}, "b0 f0 "},
		    {{.prepare = E_DENIED}, "b0 p0 f0 "},
		    {{.decide = E_DENIED}, "b0 p0 d0 r0 f0 "},
		    {{.settle = E_DENIED}, "b0 p0 d0 s0 f0 "},
		    {{.complete = E_DENIED}, "b0 p0 d0 s0 c0 f0 "}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run(l, &rows[i].probe, &whole);
		expect_trace(rows[i].trace);
		assert_int_equal(rows[i].probe.finished_rc, E_DENIED);
		assert_non_null(strstr(rows[i].probe.why, "said no"));
	}
}

/* What happened inside is for the log, not for who asked. */
static void faults_of_ours_are_not_told(void **state)
{
	struct live *l = *state;
	const int codes[] = {E_IO, E_INTEGRITY, E_NOMEM, E_FULL};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct probe p = {.complete = codes[i]};
		run(l, &p, &whole);
		assert_string_equal(p.why, err_word(codes[i]));
	}
	buf_clear(&trace);
}

static void refusal_undoes_its_own_act_alone(void **state)
{
	struct live *l = *state;
	struct probe one = {.number = 1, .record = true, .meta = 1};
	struct probe two = {
	    .number = 2, .record = true, .meta = 2, .decide = E_QUOTA, .records_refusal = true};
	struct probe three = {.number = 3, .record = true};

	submit(l, &one, &quick);
	submit(l, &two, &quick);
	submit(l, &three, &quick);
	live_settle(l);
	expect_trace("d1 d2 r2 d3 s1 f1 f2 s3 f3 ");
	assert_int_equal(meta(l), 1);
	assert_int_equal(count(l, "decided"), 2);
	assert_int_equal(count(l, "refused"), 1);
	assert_int_equal(one.finished_rc, 0);
	assert_int_equal(two.finished_rc, E_QUOTA);
	assert_int_equal(three.finished_rc, 0);
	live_check(l);
}

/* All that wait are decided before the commit, and all of memory changes after it. */
static void tick_takes_what_waits_in_one_commit(void **state)
{
	struct live *l = *state;
	struct probe p[3] = {{.number = 1}, {.number = 2}, {.number = 3}};

	for (size_t i = 0; i < ARRAY_LEN(p); i++)
		submit(l, &p[i], &quick);
	assert_int_equal(deeds_under_way(l->keep->deeds), 3);
	live_settle(l);
	expect_trace("d1 d2 d3 s1 f1 s2 f2 s3 f3 ");
}

static void tick_is_bounded(void **state)
{
	struct live *l = *state;
	struct probe *p = mem_new(1000 * sizeof *p);
	const char *text;

	for (int i = 0; i < 1000; i++) {
		p[i].number = i;
		submit(l, &p[i], &quick);
	}
	live_settle(l);
	for (int i = 0; i < 1000; i++)
		assert_true(p[i].done);
	assert_good(buf_text(&trace, &text));
	assert_true(strstr(text, "s0 ") < strstr(text, "d999 "));
	assert_true(strstr(text, "s0 ") > strstr(text, "d500 "));
	buf_clear(&trace);
	free(p);
}

/* What was parked has changed nothing, waits without holding up others, and is decided anew. */
static void parked_deed_comes_back(void **state)
{
	struct live *l = *state;
	struct probe *parked = NULL;
	struct probe one = {.number = 1, .record = true, .meta = 7, .parks = 2, .parked = &parked};
	struct probe two = {.number = 2, .record = true};

	submit(l, &one, &whole);
	for (int i = 0; i < 2; i++) {
		while (!parked)
			(void)uv_run(&l->keep->loop, UV_RUN_ONCE);
		submit(l, &two, &quick);
		live_until(l, is_done, &two);
		assert_int_equal(meta(l), 0);
		assert_false(one.done);
		assert_int_equal(deeds_under_way(l->keep->deeds), 1);
		parked = NULL;
		deeds_resubmit(l->keep->deeds, &one.deed);
	}
	live_until(l, is_done, &one);
	expect_trace("b1 p1 d1 d2 s2 f2 d1 d2 s2 f2 d1 s1 c1 f1 ");
	assert_int_equal(meta(l), 7);
	assert_int_equal(count(l, "decided"), 3);
	live_check(l);
}

static void deed_parked_at_its_beginning_begins_again(void **state)
{
	struct live *l = *state;
	struct probe p = {.number = 1, .begin = DEED_PARKED};

	submit(l, &p, &whole);
	for (int i = 0; i < 5; i++)
		(void)uv_run(&l->keep->loop, UV_RUN_NOWAIT);
	assert_false(p.done);
	assert_int_equal(deeds_under_way(l->keep->deeds), 1);
	deeds_restart(l->keep->deeds, &p.deed);
	live_until(l, is_done, &p);
	expect_trace("b1 b1 p1 d1 s1 c1 f1 ");
	assert_int_equal(p.finished_rc, 0);
}

static int setup(void **state)
{
	int rc = live_setup(state);

	log_set_level(LEVEL_ERROR);
	return rc;
}

static int teardown(void **state)
{
	buf_done(&trace);
	return live_teardown(state);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(stages_come_in_their_order),
	    CASE(stages_behind_a_failure_are_passed_over),
	    CASE(faults_of_ours_are_not_told),
	    CASE(refusal_undoes_its_own_act_alone),
	    CASE(tick_takes_what_waits_in_one_commit),
	    CASE(tick_is_bounded),
	    CASE(parked_deed_comes_back),
	    CASE(deed_parked_at_its_beginning_begins_again),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
