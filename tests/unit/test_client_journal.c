/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/journal.h"

#define UPLOAD "/uploads/0123456789abcdef0123456789abcdef"

static struct stat some_file(void)
{
	struct stat st = {.st_dev = 1, .st_ino = 2, .st_size = 3};

	st.st_mtim = (struct timespec){4, 5};
	return st;
}

static struct journal_key some_key(const struct stat *st)
{
	return (struct journal_key){"default", "https://h", "anna", "/acme/incoming/x", st};
}

/* A home of its own for a test; the folder goes at its end. */
static struct kit_folder home(void)
{
	struct kit_folder f = kit_folder();

	setenv("XDG_STATE_HOME", f.path, 1);
	return f;
}

static void save(const struct journal_key *key, const char *upload, const char *receipt)
{
	CLEANUP(journal_done) struct journal j = {.dir = -1, .lock = -1};

	assert_ok(journal_open(key, &j));
	(void)snprintf(j.upload, sizeof j.upload, "%s", upload);
	(void)snprintf(j.receipt, sizeof j.receipt, "%s", receipt);
	assert_ok(journal_save(&j));
}

static bool is_known(const struct journal_key *key)
{
	CLEANUP(journal_done) struct journal j = {.dir = -1, .lock = -1};

	assert_ok(journal_open(key, &j));
	return j.upload[0] != '\0';
}

static void entry_comes_back_and_goes(void **state)
{
	FOLDER f = home();
	const struct stat st = some_file();
	const struct journal_key key = some_key(&st);
	CLEANUP(journal_done) struct journal j = {.dir = -1, .lock = -1};

	(void)state;
	assert_false(is_known(&key));
	save(&key, UPLOAD, "/receipts/7");
	assert_ok(journal_open(&key, &j));
	assert_string_equal(j.upload, UPLOAD);
	assert_string_equal(j.receipt, "/receipts/7");
	assert_ok(journal_forget(&j));
	assert_ok(journal_forget(&j));
	journal_done(&j);
	assert_false(is_known(&key));
}

/* Another file, another time, another place, another server: never the same upload. */
static void entry_of_another_is_not_found(void **state)
{
	FOLDER f = home();
	struct stat st = some_file();
	struct journal_key key = some_key(&st);

	(void)state;
	save(&key, UPLOAD, "");
	st.st_ino++;
	assert_false(is_known(&key));
	st = some_file();
	st.st_dev++;
	assert_false(is_known(&key));
	st = some_file();
	st.st_size++;
	assert_false(is_known(&key));
	st = some_file();
	st.st_mtim.tv_nsec++;
	assert_false(is_known(&key));
	st = some_file();
	st.st_ctim.tv_nsec++;
	assert_false(is_known(&key));
	st = some_file();
	key.to = "/acme/incoming/xx";
	assert_false(is_known(&key));
	key = some_key(&st);
	key.user = "bob";
	assert_false(is_known(&key));
	key = some_key(&st);
	key.url = "https://h2";
	assert_false(is_known(&key));
	key = some_key(&st);
	assert_true(is_known(&key));
}

/* Where one part ends and the next begins counts. */
static void entry_of_shifted_parts_is_not_found(void **state)
{
	FOLDER f = home();
	const struct stat st = some_file();
	struct journal_key key = some_key(&st);

	(void)state;
	save(&key, UPLOAD, "");
	key.user = "ann";
	key.to = "a/acme/incoming/x";
	assert_false(is_known(&key));
}

static void entry_is_locked_while_it_is_open(void **state)
{
	FOLDER f = home();
	const struct stat st = some_file();
	const struct journal_key key = some_key(&st);
	struct journal j = {.dir = -1, .lock = -1}, other = {.dir = -1, .lock = -1};

	(void)state;
	assert_ok(journal_open(&key, &j));
	assert_fails(journal_open(&key, &other), E_TAKEN);
	/* The refused one must not have removed the lock of the first. */
	assert_fails(journal_open(&key, &other), E_TAKEN);
	journal_done(&j);
	assert_ok(journal_open(&key, &other));
	journal_done(&other);
}

/* A process that is killed leaves its entry, and no lock. */
static void entry_of_a_killed_process_is_taken_up(void **state)
{
	FOLDER f = home();
	const struct stat st = some_file();
	const struct journal_key key = some_key(&st);
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct journal j = {.dir = -1, .lock = -1};
		if (journal_open(&key, &j))
			_exit(1);
		(void)snprintf(j.upload, sizeof j.upload, "%s", UPLOAD);
		if (journal_save(&j))
			_exit(1);
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(is_known(&key));
}

static char *entry_path(const struct kit_folder *f)
{
	CLEANUP(mem_free) char *dir = mem_printf("%s/dropkeep/default/uploads", f->path);
	DIR *d = opendir(dir);
	const struct dirent *e;
	char *path = NULL;

	while (d && (e = readdir(d)))
		if (e->d_name[0] != '.' && !strchr(e->d_name, '.'))
			path = mem_printf("%s/%s", dir, e->d_name);
	if (d)
		(void)closedir(d);
	assert_non_null(path);
	return path;
}

static void entry_that_says_nonsense_counts_as_none(void **state)
{
	static const char *const bad[] = {
	    "",
	    "{",
	    "[]",
	    "7",
	    "{\"upload\":7}",
	    "{\"upload\":\"\"}",
	    "{\"upload\":\"/uploads/\"}",
	    "{\"upload\":\"/files/acme/x\"}",
	    "{\"upload\":\"/uploads/../files/x\"}",
	    "{\"upload\":\"/uploads/ab\\r\\nX: y\"}",
	    "{\"upload\":\"https://evil/uploads/ab\"}",
	    ("{\"upload\":\"/uploads/00000000000000000000000000000000000000000000000000000000000000"
	     "0000000000000000000000000000000\"}"),
	};
	FOLDER f = home();
	const struct stat st = some_file();
	const struct journal_key key = some_key(&st);

	(void)state;
	save(&key, UPLOAD, "");
	CLEANUP(mem_free) char *path = entry_path(&f);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_ok(sys_replace_file(AT_FDCWD, path, 0600, view_text(bad[i])));
		if (is_known(&key))
			print_error("believed: %s\n", bad[i]);
		assert_false(is_known(&key));
	}
}

/* What a crash can leave: the file of a replacement that did not come to its rename. */
static void entry_survives_a_torn_replacement(void **state)
{
	FOLDER f = home();
	const struct stat st = some_file();
	const struct journal_key key = some_key(&st);

	(void)state;
	save(&key, UPLOAD, "");
	CLEANUP(mem_free) char *path = entry_path(&f);
	CLEANUP(mem_free) char *torn = mem_printf("%s.new", path);
	assert_ok(sys_replace_file(AT_FDCWD, torn, 0600, view_text("{\"upl")));
	assert_true(is_known(&key));
	save(&key, UPLOAD, "/receipts/1");
	assert_true(is_known(&key));
}

/* A killed program has left it, and another one holds it now. */
static void lock_that_is_held_is_not_swept(void **state)
{
	FOLDER f = home();
	struct stat st = some_file();
	const struct journal_key key = some_key(&st);
	const struct timespec old[2] = {{1000, 0}, {1000, 0}};
	CLEANUP(journal_done) struct journal j = {.dir = -1, .lock = -1};
	CLEANUP(sys_close) int fd = -1;

	(void)state;
	assert_ok(journal_open(&key, &j));
	CLEANUP(mem_free)
	char *path = mem_printf("%s/dropkeep/default/uploads/%s.lock", f.path, j.name);
	journal_done(&j);
	assert_ok(sys_open(AT_FDCWD, path, O_RDWR | O_CREAT, 0600, &fd));
	assert_int_equal(futimens(fd, old), 0);
	assert_ok(journal_open(&key, &j));
	assert_int_equal(journal_sweep("default", 60), 0);
	assert_int_equal(access(path, F_OK), 0);
}

static void entries_that_nobody_wants_are_swept(void **state)
{
	FOLDER f = home();
	struct stat st = some_file();
	const struct journal_key key = some_key(&st);
	const struct timespec old[2] = {{1000, 0}, {1000, 0}};

	(void)state;
	save(&key, UPLOAD, "");
	assert_int_equal(journal_sweep("default", 60), 0);
	assert_true(is_known(&key));
	CLEANUP(mem_free) char *path = entry_path(&f);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(journal_sweep("default", 60), 1);
	assert_false(is_known(&key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entry_comes_back_and_goes),
	    cmocka_unit_test(entry_of_another_is_not_found),
	    cmocka_unit_test(entry_of_shifted_parts_is_not_found),
	    cmocka_unit_test(entry_is_locked_while_it_is_open),
	    cmocka_unit_test(entry_of_a_killed_process_is_taken_up),
	    cmocka_unit_test(entry_that_says_nonsense_counts_as_none),
	    cmocka_unit_test(entry_survives_a_torn_replacement),
	    cmocka_unit_test(lock_that_is_held_is_not_swept),
	    cmocka_unit_test(entries_that_nobody_wants_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
