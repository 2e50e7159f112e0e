/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory is made once, whole or not at all. */
#include <dirent.h>
#include <stdio.h>

#include "base/log.h"
#include "daemon/keep/deeds.h"
#include "daemon/keep/keep.h"
#include "daemon/keep/state.h"
#include "keep_kit.h"

static char *configured(const struct kit *kit)
{
	CLEANUP(mem_free)
	char *text = mem_printf("[daemon]\nstate = %s/state\nruntime = %s/run\nlog = %s/log\n",
				kit->dir, kit->dir, kit->dir);

	log_set_level(LEVEL_ERROR);
	assert_good(log_to_file("/dev/null"));
	assert_good(sys_replace_file(kit->fd, "conf", 0600, view_text(text)));
	return mem_printf("%s/conf", kit->dir);
}

static bool is_there(const struct kit *kit, const char *name)
{
	return faccessat(kit->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static unsigned mode_of(const struct kit *kit, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(kit->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

static size_t count_in(const struct kit *kit, const char *name)
{
	int fd = openat(kit->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fdopendir(fd);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n - 2;
}

static void opened(const char *conf)
{
	struct keep *keep = NULL;

	assert_good(keep_open(conf, &keep));
	deeds_close(keep->deeds);
	while (uv_run(&keep->loop, UV_RUN_NOWAIT))
		;
	keep_close(keep);
	assert_good(log_to_file("/dev/null"));
}

static void init_makes_what_a_keep_opens(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	struct init_options o = {.name = {"keep.example"}, .names = 1};

	assert_int_equal(keep_init(conf, &o), 0);
	assert_int_equal(mode_of(kit, "state"), 0700);
	assert_int_equal(mode_of(kit, "state/keys"), 0700);
	assert_int_equal(mode_of(kit, "state/keys/master.key"), 0400);
	assert_int_equal(mode_of(kit, "state/keys/ssh_host_ed25519_key"), 0400);
	assert_int_equal(mode_of(kit, "state/catalog.db"), 0600);
	assert_int_equal(mode_of(kit, "state/log/records-000000.jsonl"), 0600);
	assert_true(kit_file_has(kit, "state/log/key.vkey", view_text("keep.example/dropkeep/")));
	assert_true(
	    kit_file_has(kit, "state/keys/ssh_host_ed25519_key.pub", view_text(" keep.example\n")));
	opened(conf);
	opened(conf);
}

static void init_of_what_is_there_touches_nothing(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	struct init_options o = {.names = 0};
	CLEANUP(buf_done) struct buf before = {0}, after = {0};

	assert_int_equal(keep_init(conf, &o), 0);
	assert_good(sys_read_file(kit->fd, "state/keys/master.key", 1000, &before));
	assert_int_equal(keep_init(conf, &o), err_exit_status(E_EXISTS));
	assert_good(sys_read_file(kit->fd, "state/keys/master.key", 1000, &after));
	assert_true(view_equal(view_buf(&before), view_buf(&after)));
	opened(conf);
}

static void init_leaves_foreign_files_alone(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	struct init_options o = {.names = 0};

	assert_good(sys_mkdir(kit->fd, "state", 0755));
	assert_good(sys_replace_file(kit->fd, "state/mine", 0600, view_text("x")));
	assert_int_equal(keep_init(conf, &o), err_exit_status(E_EXISTS));
	assert_int_equal(count_in(kit, "state"), 1);
	assert_good(sys_unlink(kit->fd, "state/mine"));
	assert_int_equal(keep_init(conf, &o),
			 0); /* an empty folder is filled, and closed to others */
	assert_int_equal(mode_of(kit, "state"), 0700);
}

static void init_that_fails_leaves_nothing_in_the_way(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	CLEANUP(mem_free) char *name = mem_new(2001);
	struct init_options o = {.name = {name}, .names = 1};

	memset(name, 'n', 2000);
	assert_int_not_equal(keep_init(conf, &o), 0);
	assert_false(is_there(kit, "state"));
	o.name[0] = "keep\nexample";
	assert_int_not_equal(keep_init(conf, &o), 0);
	assert_false(is_there(kit, "state"));
	assert_good(sys_mkdir(kit->fd, "state", 0700)); /* as a service manager leaves it */
	assert_int_not_equal(keep_init(conf, &o), 0);
	assert_int_equal(count_in(kit, "state"), 0);
	o.name[0] = "keep.example";
	assert_int_equal(keep_init(conf, &o), 0);
	opened(conf);
}

static void init_with_a_recovery_recipient_keeps_it(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	CLEANUP(secret_free) struct secret *identity = NULL;
	struct age_recipient recipient;
	char text[AGE_RECIPIENT_TEXT];
	struct init_options o = {.recovery_recipient = text};
	struct keep *keep = NULL;

	assert_good(age_identity_new(&identity));
	assert_good(age_identity_recipient(identity, &recipient));
	age_recipient_text(&recipient, text);
	text[10] ^= 1;
	assert_int_equal(keep_init(conf, &o), err_exit_status(E_USAGE));
	assert_false(is_there(kit, "state"));
	text[10] ^= 1;
	assert_int_equal(keep_init(conf, &o), 0);
	assert_good(keep_open(conf, &keep));
	assert_true(keep->has_recovery);
	assert_memory_equal(keep->recovery.bytes, recipient.bytes, sizeof recipient.bytes);
	deeds_close(keep->deeds);
	while (uv_run(&keep->loop, UV_RUN_NOWAIT))
		;
	keep_close(keep);
	assert_good(log_to_file("/dev/null"));
}

static void open_before_init_is_refused(void **state)
{
	const struct kit *kit = *state;
	CLEANUP(mem_free) char *conf = configured(kit);
	struct keep *keep = NULL;

	assert_refused(keep_open(conf, &keep), E_CONFIG);
	assert_null(keep);
	assert_good(log_to_file("/dev/null"));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(init_makes_what_a_keep_opens),
	    CASE(init_of_what_is_there_touches_nothing),
	    CASE(init_leaves_foreign_files_alone),
	    CASE(init_that_fails_leaves_nothing_in_the_way),
	    CASE(init_with_a_recovery_recipient_keeps_it),
	    CASE(open_before_init_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
