/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/blobs.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/text.h"
#include "keep_kit.h"
#include "wire/link.h"

static const uint8_t id[BLOB_ID] = {0xab, 0xcd, 1, 2, 3};
static const char path[] = "blobs/ab/abcd0102030000000000000000000000";
static const char state_path[] = "uploads/abcd0102030000000000000000000000";

#define BLOBS CLEANUP(blobs_free) struct blobs

static struct blobs *opened(const struct kit *kit)
{
	struct blobs *b = NULL;

	assert_good(blobs_create(kit->fd));
	assert_good(blobs_open(kit->fd, true, &b));
	return b;
}

static int made(struct blobs *b, const uint8_t which[BLOB_ID], const char *content)
{
	int fd = -1;

	assert_good(blobs_make(b, which, view_text(content), &fd));
	return fd;
}

static bool is_there(const struct kit *kit, const char *name)
{
	return faccessat(kit->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void create_makes_all_folders_and_only_once(void **state)
{
	const struct kit *kit = *state;
	struct stat st;

	assert_good(blobs_create(kit->fd));
	for (unsigned i = 0; i < 256; i++) {
		char name[16];
		(void)snprintf(name, sizeof name, "blobs/%02x", i);
		assert_int_equal(fstatat(kit->fd, name, &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_true(is_there(kit, "uploads"));
	assert_true(is_there(kit, "lost+found"));
	assert_refused(blobs_create(kit->fd), E_EXISTS);
}

static void open_without_folders_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = NULL;

	assert_refused(blobs_open(kit->fd, true, &b), E_GONE);
	assert_null(b);
}

static void open_leaves_no_probe_behind(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);

	assert_false(is_there(kit, "uploads/lease-probe"));
}

static void make_writes_head_in_a_file_of_its_own(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");
	CLEANUP(sys_close) int again = -1;
	struct stat st;

	assert_true(kit_file_has(kit, path, view_text("head")));
	assert_int_equal(fstatat(kit->fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_good(sys_pwrite_all(fd, "more", 4, 4));
	char read_back[8];
	assert_good(sys_pread_all(fd, read_back, 8, 0));
	assert_memory_equal(read_back, "headmore", 8);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_refused(blobs_make(b, id, view_text("head"), &again), E_EXISTS);
	assert_int_equal(again, -1);
}

static void read_gives_a_descriptor_that_cannot_write(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int writer = made(b, id, "head");
	CLEANUP(sys_close) int fd = -1;

	assert_good(blobs_read(b, id, &fd));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(write(fd, "x", 1), -1);
	sys_close(&fd);
	assert_good(blobs_write(b, id, &fd));
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

static void read_of_what_is_not_there_is_gone(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = -1;

	assert_refused(blobs_read(b, id, &fd), E_GONE);
	assert_refused(blobs_write(b, id, &fd), E_GONE);
	assert_int_equal(fd, -1);
}

static void symbolic_link_is_never_followed(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = -1;

	assert_int_equal(symlinkat("/etc/passwd", kit->fd, path), 0);
	assert_refused(blobs_read(b, id, &fd), E_IO);
	assert_refused(blobs_write(b, id, &fd), E_IO);
	assert_refused(blobs_make(b, id, view_text("x"), &fd), E_EXISTS);
	assert_refused(blobs_seal_off(b, id, 1), E_IO);
}

/* ---- nobody may write to what is published ---- */

static void seal_off_with_an_open_writer_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");
	CLEANUP(sys_close) int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	assert_refused(blobs_seal_off(b, id, 4), E_PROTOCOL);
	sys_close(&fd);
	assert_refused(blobs_seal_off(b, id, 4), E_PROTOCOL);
	sys_close(&copy);
	assert_good(blobs_seal_off(b, id, 4));
	assert_good(blobs_seal_off(b, id, 4)); /* its lease is released */
	assert_good(blobs_write(b, id, &fd));  /* at once, too */
}

static void seal_off_with_a_descriptor_in_flight_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");
	CLEANUP(sys_close) int one = -1;
	CLEANUP(sys_close) int other = -1;
	int fds[2];

	assert_good(link_pair(fds));
	one = fds[0];
	other = fds[1];
	assert_good(link_send(one, view_text("x"), &fd, 1));
	sys_close(&fd);
	assert_refused(blobs_seal_off(b, id, 4), E_PROTOCOL);
	sys_close(&other); /* nobody will ever receive it */
	sys_close(&one);
	assert_good(blobs_seal_off(b, id, 4));
}

static void seal_off_with_a_shared_mapping_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");
	void *map = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	sys_close(&fd);
	assert_refused(blobs_seal_off(b, id, 4), E_PROTOCOL);
	assert_int_equal(munmap(map, 4), 0);
	assert_good(blobs_seal_off(b, id, 4));
}

static void seal_off_with_readers_is_fine(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");
	CLEANUP(sys_close) int reader = -1;

	assert_good(blobs_read(b, id, &reader));
	sys_close(&fd);
	assert_good(blobs_seal_off(b, id, 4));
}

static void seal_off_of_another_size_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");

	sys_close(&fd);
	assert_refused(blobs_seal_off(b, id, 3), E_PROTOCOL);
	assert_refused(blobs_seal_off(b, id, 5), E_PROTOCOL);
	assert_refused(blobs_seal_off(b, id, UINT64_MAX), E_PROTOCOL);
	assert_good(blobs_seal_off(b, id, 4));
}

static void seal_off_of_nothing_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);

	assert_refused(blobs_seal_off(b, id, 0), E_GONE);
}

static void writer_check_off_looks_at_the_size_alone(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = NULL;

	assert_good(blobs_create(kit->fd));
	assert_good(blobs_open(kit->fd, false, &b));
	CLEANUP(sys_close) int fd = made(b, id, "head");
	assert_good(blobs_seal_off(b, id, 4));
	assert_refused(blobs_seal_off(b, id, 5), E_PROTOCOL);
}

/* ---- state, removal, walks ---- */

static void state_is_replaced_read_and_forgotten(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(buf_done) struct buf got = {0};

	assert_refused(blobs_load_state(b, id, &got), E_GONE);
	assert_good(blobs_save_state(b, id, view_text("one")));
	assert_good(blobs_save_state(b, id, view_text("another")));
	assert_good(blobs_load_state(b, id, &got));
	assert_true(view_is(view_buf(&got), "another"));
	assert_true(is_there(kit, state_path));
	assert_good(blobs_forget_state(b, id));
	assert_good(blobs_forget_state(b, id));
	assert_false(is_there(kit, state_path));
}

static void state_that_is_too_large_is_refused(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(buf_done) struct buf got = {0};
	CLEANUP(mem_free) uint8_t *much = mem_new(1 << 20);

	assert_good(sys_replace_file(kit->fd, state_path, 0600, view_of(much, 1 << 20)));
	assert_refused(blobs_load_state(b, id, &got), E_LIMIT);
	assert_int_equal(got.len, 0);
}

static void remove_takes_blob_and_state_and_may_be_repeated(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	CLEANUP(sys_close) int fd = made(b, id, "head");

	assert_good(blobs_save_state(b, id, view_text("one")));
	/* What a crash within the saving of a state leaves. */
	assert_good(sys_replace_file(kit->fd, "uploads/abcd0102030000000000000000000000.new", 0600,
				     view_text("half")));
	for (int i = 0; i < 2; i++) {
		assert_good(blobs_remove(b, id));
		assert_false(is_there(kit, path));
		assert_false(is_there(kit, state_path));
		assert_false(is_there(kit, "uploads/abcd0102030000000000000000000000.new"));
	}
	assert_good(sys_pwrite_all(fd, "x", 1, 0)); /* who has it open still may */
}

struct walk {
	uint8_t seen[512][BLOB_ID];
	uint64_t bytes;
	size_t count, stop_at;
};

static int visit(void *arg, const uint8_t which[BLOB_ID], uint64_t size)
{
	struct walk *w = arg;

	memcpy(w->seen[w->count++], which, BLOB_ID);
	w->bytes += size;
	return w->count == w->stop_at ? 42 : 0;
}

static void each_gives_every_blob_once_until_it_is_stopped(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	struct walk w = {.count = 0};

	assert_good(blobs_each(b, visit, &w));
	assert_int_equal(w.count, 0);
	for (int i = 0; i < 300; i++) {
		uint8_t one[BLOB_ID] = {(uint8_t)(i * 37), (uint8_t)(i >> 8), (uint8_t)i};
		CLEANUP(sys_close) int fd = made(b, one, "12345");
	}
	assert_good(blobs_each(b, visit, &w));
	assert_int_equal(w.count, 300);
	assert_int_equal(w.bytes, 1500);
	for (size_t i = 0; i < w.count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(w.seen[i], w.seen[j], BLOB_ID);
	w = (struct walk){.stop_at = 3};
	assert_int_equal(blobs_each(b, visit, &w), 42);
	assert_int_equal(w.count, 3);
}

static void each_finds_foreign_names(void **state)
{
	static const char *const foreign[] = {
	    "blobs/ab/note.txt",
	    "blobs/ab/abcd010203000000000000000000000",   /* too short */
	    "blobs/ab/abcd01020300000000000000000000000", /* too long */
	    "blobs/ab/ABCD0102030000000000000000000000",  /* not in our letters */
	    "blobs/ac/abcd0102030000000000000000000000",  /* in another's folder */
	    "blobs/ff/.hidden",
	};
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		struct walk w = {.count = 0};
		assert_good(sys_replace_file(kit->fd, foreign[i], 0600, view_text("x")));
		assert_refused(blobs_each(b, visit, &w), E_INTEGRITY);
		assert_good(sys_unlink(kit->fd, foreign[i]));
	}
	struct walk w = {.count = 0};
	assert_good(blobs_each(b, visit, &w));
}

static void space_is_that_of_the_file_system(void **state)
{
	const struct kit *kit = *state;
	BLOBS *b = opened(kit);
	uint64_t free_bytes = 0, total = 0;

	assert_good(blobs_space(b, &free_bytes, &total));
	assert_true(free_bytes > 0 && free_bytes <= total);
}

/* The folder's sync fails once; what the disk says afterwards is not believed. */
static bool sync_fails;
int __real_sys_sync(int fd);
int __wrap_sys_sync(int fd);
int __wrap_sys_sync(int fd)
{
	if (!sync_fails)
		return __real_sys_sync(fd);
	sync_fails = false;
	return fail(E_IO, "fsync");
}

static void folder_that_failed_to_sync_breaks_the_store(void **state)
{
	static const uint8_t other[BLOB_ID] = {0x12};
	BLOBS *b = opened(*state);
	int fd = made(b, id, "x"), fd2 = made(b, other, "y");

	sys_close(&fd);
	sys_close(&fd2);
	assert_good(blobs_sync_name(b, id));
	assert_false(blobs_broken(b));
	sync_fails = true;
	assert_refused(blobs_seal_off(b, id, 1), E_IO);
	assert_true(blobs_broken(b));
	assert_refused(blobs_seal_off(b, id, 1), E_IO);
	assert_refused(blobs_sync_name(b, other), E_IO);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(create_makes_all_folders_and_only_once),
	    CASE(open_without_folders_is_refused),
	    CASE(open_leaves_no_probe_behind),
	    CASE(make_writes_head_in_a_file_of_its_own),
	    CASE(read_gives_a_descriptor_that_cannot_write),
	    CASE(read_of_what_is_not_there_is_gone),
	    CASE(symbolic_link_is_never_followed),
	    CASE(seal_off_with_an_open_writer_is_refused),
	    CASE(seal_off_with_a_descriptor_in_flight_is_refused),
	    CASE(seal_off_with_a_shared_mapping_is_refused),
	    CASE(seal_off_with_readers_is_fine),
	    CASE(seal_off_of_another_size_is_refused),
	    CASE(seal_off_of_nothing_is_refused),
	    CASE(writer_check_off_looks_at_the_size_alone),
	    CASE(state_is_replaced_read_and_forgotten),
	    CASE(state_that_is_too_large_is_refused),
	    CASE(remove_takes_blob_and_state_and_may_be_repeated),
	    CASE(each_gives_every_blob_once_until_it_is_stopped),
	    CASE(each_finds_foreign_names),
	    CASE(space_is_that_of_the_file_system),
	    CASE(folder_that_failed_to_sync_breaks_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
