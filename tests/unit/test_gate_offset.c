/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long an upload is, as its client is told, and where WRITEs go: from each size that was
 * told, going on there gives the right file, whoever else wrote to it meanwhile.
 */
#include "talk_rig.h"

static void begin_talk(void)
{
	say_init();
	(void)hear(FXP_VERSION, SFTP_VERSION);
}

static void tell_size(uint64_t size)
{
	struct frame ask;

	say_path(FXP_STAT, 1, "f");
	(void)path_asked(VERB_STAT, &ask);
	answer_attrs(&ask, NODE_PARTIAL, size);
	(void)hear(FXP_ATTRS, 1);
}

static struct frame ask_open(uint32_t id, uint32_t flags)
{
	write_bytes(begin(FXP_OPEN, id), view_text("f"));
	write_u32(&request.w, FXF_WRITE | FXF_CREAT | flags);
	write_u32(&request.w, 0);
	say();
	return gate_kit_take(&kit, VERB_PUT_OPEN);
}

static uint64_t hear_handle(uint32_t id)
{
	struct reader r = hear(FXP_HANDLE, id);

	assert_int_equal(read_u32(&r), 8);
	return read_u64(&r);
}

/* An upload that has five bytes. */
static uint64_t open_upload(uint32_t flags)
{
	struct frame ask = ask_open(2, flags);

	answer_lease(&ask, "12345");
	return hear_handle(2);
}

static void write_at(uint64_t handle, uint64_t offset, const char *text)
{
	struct writer *w = begin(FXP_WRITE, 3);

	write_u32(w, 8);
	write_u64(w, handle);
	write_u64(w, offset);
	write_bytes(w, view_text(text));
	say();
	hear_status(3, FX_OK, NULL);
}

static uint64_t size_heard(uint32_t id)
{
	struct reader r = hear(FXP_ATTRS, id);

	(void)read_u32(&r);
	return read_u64(&r);
}

/* FSTAT of a handle; the keep knows less. */
static uint64_t size_of(uint64_t handle)
{
	say_handle(FXP_FSTAT, 4, handle);
	struct frame ask = gate_kit_take(&kit, VERB_STAT);
	answer_attrs(&ask, NODE_PARTIAL, 1);
	return size_heard(4);
}

/* What the upload has, when the conversation leaves it. */
static void leave_with(const char *bytes)
{
	struct ask_put_suspend m;

	talk_end(TAKE(talk), "gone", on_end, NULL);
	struct frame ask = await_suspend();
	assert_ok(ask_put_suspend_read(ask.body, &m));
	assert_true(m.clean && view_is(m.tail, bytes));
	gate_kit_answer(&kit, &ask, view_of(NULL, 0));
}

static void append_from_the_size_that_was_told_goes_on_there(void **state)
{
	(void)state;
	begin_talk();
	tell_size(5);
	uint64_t handle = open_upload(FXF_APPEND);
	write_at(handle, 5, "67");
	write_at(handle, 7, "89");
	assert_int_equal(size_of(handle), 9);
	leave_with("123456789");
}

/* It was still growing when its size was told: what comes twice must not stand in it twice. */
static void append_to_what_has_grown_meanwhile_writes_the_same_again(void **state)
{
	(void)state;
	begin_talk();
	tell_size(3);
	uint64_t handle = open_upload(FXF_APPEND);
	write_at(handle, 3, "4");
	write_at(handle, 4, "567");
	assert_int_equal(size_of(handle), 7);
	leave_with("1234567");
}

static void append_from_nothing_that_has_grown_meanwhile_writes_all_again(void **state)
{
	(void)state;
	begin_talk();
	tell_size(0);
	uint64_t handle = open_upload(FXF_APPEND);
	write_at(handle, 0, "1234");
	write_at(handle, 4, "5678");
	leave_with("12345678");
}

static void append_by_who_asked_for_no_size_goes_to_the_end(void **state)
{
	(void)state;
	begin_talk();
	uint64_t handle = open_upload(FXF_APPEND);
	write_at(handle, 0, "67"); /* curl counts what it sends */
	write_at(handle, 2, "8");
	leave_with("12345678");
}

static void append_elsewhere_than_was_told_goes_to_the_end(void **state)
{
	(void)state;
	begin_talk();
	tell_size(5);
	uint64_t handle = open_upload(FXF_APPEND);
	write_at(handle, 2, "67");
	write_at(handle, 5, "8"); /* the first one has decided */
	leave_with("12345678");
}

static void append_after_fstat_counts_from_there(void **state)
{
	(void)state;
	begin_talk();
	tell_size(2);
	uint64_t handle = open_upload(FXF_APPEND);
	assert_int_equal(size_of(handle), 5);
	write_at(handle, 5, "67");
	write_at(handle, 5, "89"); /* as it says: over what it sent before */
	leave_with("1234589");
}

static void append_to_what_is_shorter_than_was_told_is_refused_once(void **state)
{
	(void)state;
	begin_talk();
	tell_size(6);
	struct frame ask = ask_open(2, FXF_APPEND);
	answer_lease(&ask, "12345");
	hear_status(2, FX_FAILURE, "the file is shorter than it was: try again");
	end_of_put();
	assert_int_equal(open_files, 0);
	write_at(open_upload(FXF_APPEND), 6, "6"); /* who has not looked again just appends */
	leave_with("123456");
}

static void append_to_what_begins_anew_has_been_told_nothing(void **state)
{
	(void)state;
	begin_talk();
	tell_size(6);
	struct frame ask = ask_open(2, FXF_APPEND | FXF_TRUNC);
	answer_lease(&ask, "");
	write_at(hear_handle(2), 6, "1");
	leave_with("1");
}

static void write_without_append_goes_where_it_says(void **state)
{
	(void)state;
	begin_talk();
	tell_size(3);
	uint64_t handle = open_upload(0);
	write_at(handle, 1, "23");
	write_at(handle, 5, "6");
	write_at(handle, 5, "x");
	leave_with("12345x");
}

static void stat_behind_an_open_waits_for_it(void **state)
{
	(void)state;
	begin_talk();
	struct frame open = ask_open(2, FXF_APPEND), ask;
	write_bytes(begin(FXP_STAT, 5), view_text("other"));
	say();
	ask = gate_kit_take(&kit, VERB_STAT);
	answer_attrs(&ask, NODE_FILE, 7);
	assert_int_equal(size_heard(5), 7);
	write_bytes(begin(FXP_LSTAT, 6), view_text("f"));
	assert_int_equal(feed(), 0);
	assert_int_equal(talk_stalled(talk), TALK_STALL_TURN);
	assert_true(gate_kit_silent(&kit));
	answer_lease(&open, "12345");
	uint64_t handle = hear_handle(2);
	assert_int_equal(feed(), request.w.len);
	ask = gate_kit_take(&kit, VERB_STAT);
	answer_attrs(&ask, NODE_PARTIAL, 1);
	assert_int_equal(size_heard(6), 5);
	write_at(handle, 5, "6");
	leave_with("123456");
}

static void fstat_of_what_was_taken_over_is_refused(void **state)
{
	(void)state;
	begin_talk();
	uint64_t handle = open_upload(0);
	assert_true(put_yield(&kit.loop, PUT_NUMBER));
	say_handle(FXP_FSTAT, 4, handle);
	hear_status(4, FX_FAILURE, "another connection has taken this upload over");
	end_of_put();
	talk_end(TAKE(talk), "gone", on_end, NULL);
}

static void fstat_of_what_was_renamed_elsewhere_tells_what_is_known(void **state)
{
	(void)state;
	begin_talk();
	uint64_t handle = open_upload(0);
	write_at(handle, 5, "67");
	say_handle(FXP_FSTAT, 4, handle);
	struct frame ask = gate_kit_take(&kit, VERB_STAT);
	gate_kit_refuse(&kit, &ask, E_GONE, "no such file");
	assert_int_equal(size_heard(4), 7);
	leave_with("1234567");
}

static void fstat_that_fails_otherwise_is_refused(void **state)
{
	(void)state;
	begin_talk();
	uint64_t handle = open_upload(0);
	say_handle(FXP_FSTAT, 4, handle);
	struct frame ask = gate_kit_take(&kit, VERB_STAT);
	gate_kit_refuse(&kit, &ask, E_IO, "");
	hear_status(4, FX_FAILURE, NULL);
	leave_with("12345");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    CASE(append_from_the_size_that_was_told_goes_on_there),
	    CASE(append_to_what_has_grown_meanwhile_writes_the_same_again),
	    CASE(append_from_nothing_that_has_grown_meanwhile_writes_all_again),
	    CASE(append_by_who_asked_for_no_size_goes_to_the_end),
	    CASE(append_elsewhere_than_was_told_goes_to_the_end),
	    CASE(append_after_fstat_counts_from_there),
	    CASE(append_to_what_is_shorter_than_was_told_is_refused_once),
	    CASE(append_to_what_begins_anew_has_been_told_nothing),
	    CASE(write_without_append_goes_where_it_says),
	    CASE(stat_behind_an_open_waits_for_it),
	    CASE(fstat_of_what_was_taken_over_is_refused),
	    CASE(fstat_of_what_was_renamed_elsewhere_tells_what_is_known),
	    CASE(fstat_that_fails_otherwise_is_refused),
	};
#undef CASE

	return cmocka_run_group_tests(tests, NULL, NULL);
}
