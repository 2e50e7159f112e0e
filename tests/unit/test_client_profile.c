/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/identity.h"
#include "client/profile.h"

static struct kit_folder home(void)
{
	struct kit_folder f = kit_folder();

	setenv("XDG_CONFIG_HOME", f.path, 1);
	unsetenv("DROPKEEP_PROFILE");
	return f;
}

static struct profile some(char *pin)
{
	static char url[] = "https://h:1", user[] = "anna", place[] = "/acme", origin[] = "o",
		    key[] = "k";

	return (struct profile){.url = url,
				.pin = pin,
				.user = user,
				.home = place,
				.log_origin = origin,
				.log_key = key};
}

static int begin(const char *name, bool force, struct profile_draft *d)
{
	return profile_draft_begin(name, force, view_text("key"), view_text("cert"), d);
}

static int make(const char *name, bool force, char *url, char *pin)
{
	CLEANUP(profile_draft_done) struct profile_draft d = {.root = -1, .dir = -1};
	struct profile p = some(pin);
	int rc = begin(name, force, &d);

	p.url = url;
	return rc ? rc : profile_draft_commit(&d, name, force, &p);
}

static unsigned count(const struct kit_folder *f)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/dropkeep", f->path);
	DIR *d = opendir(path);
	const struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	if (d)
		(void)closedir(d);
	return n;
}

static void profile_comes_back(void **state)
{
	FOLDER f = home();
	CLEANUP(profile_free) struct profile *p = NULL;
	struct stat st;

	(void)state;
	assert_ok(make("work", false, (char[]){"https://h:1"}, (char[]){"pin="}));
	assert_ok(profile_load("work", &p));
	assert_string_equal(p->url, "https://h:1");
	assert_string_equal(p->pin, "pin=");
	assert_string_equal(p->user, "anna");
	assert_string_equal(p->log_key, "k");
	assert_int_equal(stat(p->key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count(&f), 1);
}

static void profile_that_others_have_access_to_is_refused(void **state)
{
	static const struct {
		const char *file;
		mode_t mode;
		bool good;
	} cases[] = {{"key.pem", 0640, false},      {"key.pem", 0604, false},
		     {"key.pem", 0400, true},       {"profile.json", 0620, false},
		     {"profile.json", 0602, false}, {"profile.json", 0644, true}};
	FOLDER f = home();

	(void)state;
	assert_ok(make("work", false, (char[]){"https://h"}, NULL));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(profile_free) struct profile *p = NULL;
		CLEANUP(mem_free)
		char *path = mem_printf("%s/dropkeep/work/%s", f.path, cases[i].file);
		assert_int_equal(chmod(path, cases[i].mode), 0);
		if (cases[i].good)
			assert_ok(profile_load("work", &p));
		else
			assert_fails(profile_load("work", &p), E_CONFIG);
		assert_int_equal(chmod(path, 0600), 0);
	}
}

static void profile_is_replaced_only_by_force(void **state)
{
	FOLDER f = home();
	CLEANUP(profile_free) struct profile *p = NULL;

	(void)state;
	assert_ok(make("work", false, (char[]){"https://one"}, NULL));
	assert_fails(make("work", false, (char[]){"https://two"}, NULL), E_EXISTS);
	assert_ok(make("work", true, (char[]){"https://two"}, NULL));
	assert_ok(profile_load("work", &p));
	assert_string_equal(p->url, "https://two");
	assert_null(p->pin);
	assert_int_equal(count(&f), 1);
}

/* Two enrolments at a time: the second that commits must not take the first one's place. */
static void profile_that_came_meanwhile_stays(void **state)
{
	FOLDER f = home();
	CLEANUP(profile_draft_done) struct profile_draft d = {.root = -1, .dir = -1};
	const struct profile p = some(NULL);

	(void)state;
	assert_ok(begin("work", false, &d));
	assert_ok(make("work", false, (char[]){"https://one"}, NULL));
	assert_fails(profile_draft_commit(&d, "work", false, &p), E_EXISTS);
	profile_draft_done(&d);
	assert_int_equal(count(&f), 1);
}

static void draft_that_is_given_up_leaves_nothing(void **state)
{
	FOLDER f = home();
	struct profile_draft d = {.root = -1, .dir = -1};
	struct profile *p = NULL;

	(void)state;
	assert_ok(begin("work", false, &d));
	assert_int_equal(count(&f), 1);
	assert_fails(profile_load("work", &p), E_CONFIG);
	profile_draft_done(&d);
	assert_int_equal(count(&f), 0);
}

static void draft_of_a_killed_process_is_swept(void **state)
{
	FOLDER f = home();
	CLEANUP(profile_draft_done) struct profile_draft d = {.root = -1, .dir = -1};
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct profile_draft mine = {.root = -1, .dir = -1};
		if (begin("work", false, &mine) == 0)
			(void)kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(count(&f), 1);
	assert_ok(begin("work", false, &d)); /* sweeps, and makes its own */
	assert_int_equal(count(&f), 1);
	assert_ok(make("other", false, (char[]){"https://one"}, NULL)); /* not the one that lives */
	assert_int_equal(count(&f), 2);
}

static void profile_that_is_broken_is_refused(void **state)
{
#define REST "\"user\":\"u\",\"home\":\"/\",\"log\":{\"origin\":\"o\",\"key\":\"k\"}"
	static const char *const bad[] = {
	    "",
	    "{",
	    "[]",
	    "{\"version\":2,\"url\":\"https://h\",\"pin\":null," REST "}",
	    "{\"version\":1,\"pin\":null," REST "}",
	    "{\"version\":1,\"url\":\"http://h\",\"pin\":null," REST "}",
	    "{\"version\":1,\"url\":\"https://h\",\"pin\":null,\"user\":\"u\",\"home\":\"/\"}",
	    /* A pin that was lost must not turn into none. */
	    "{\"version\":1,\"url\":\"https://h\"," REST "}",
	    "{\"version\":1,\"url\":\"https://h\",\"pin\":7," REST "}",
	    "{\"version\":1,\"url\":\"https://h\",\"pin\":null,\"pin\":null," REST "}",
	};
	FOLDER f = home();
	struct profile *p = NULL;

	(void)state;
	assert_ok(make("default", false, (char[]){"https://h"}, NULL));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		kit_write(&f, "dropkeep/default/profile.json", bad[i]);
		if (profile_load("default", &p) != E_CONFIG)
			print_error("taken: %s\n", bad[i]);
		assert_fails(profile_load("default", &p), E_CONFIG);
		assert_null(p);
	}
}

static void name_comes_from_option_or_environment(void **state)
{
	static const char *const bad[] = {"",    ".",    "..",  ".new-1",
					  "a/b", "../x", "a b", "\xc3\xa4"};
	const char *name = NULL;
	FOLDER f = home();

	(void)state;
	assert_ok(profile_name(NULL, &name));
	assert_string_equal(name, "default");
	setenv("DROPKEEP_PROFILE", "from-env", 1);
	assert_ok(profile_name(NULL, &name));
	assert_string_equal(name, "from-env");
	assert_ok(profile_name("opt", &name));
	assert_string_equal(name, "opt");
	setenv("DROPKEEP_PROFILE", "../x", 1);
	assert_fails(profile_name(NULL, &name), E_USAGE);
	unsetenv("DROPKEEP_PROFILE");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(profile_name(bad[i], &name), E_USAGE);
}

static void identity_is_another_each_time(void **state)
{
	CLEANUP(buf_wipe) struct buf key = {0}, other = {0};
	CLEANUP(buf_done) struct buf certificate = {0}, another = {0};

	(void)state;
	assert_ok(identity_make(&key, &certificate));
	assert_ok(identity_make(&other, &another));
	assert_non_null(strstr((const char *)key.data, "PRIVATE KEY"));
	assert_memory_equal(certificate.data, "-----BEGIN CERTIFICATE-----", 27);
	assert_false(view_equal(view_buf(&key), view_buf(&other)));
	assert_false(view_equal(view_buf(&certificate), view_buf(&another)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profile_comes_back),
	    cmocka_unit_test(profile_that_others_have_access_to_is_refused),
	    cmocka_unit_test(profile_is_replaced_only_by_force),
	    cmocka_unit_test(profile_that_came_meanwhile_stays),
	    cmocka_unit_test(draft_that_is_given_up_leaves_nothing),
	    cmocka_unit_test(draft_of_a_killed_process_is_swept),
	    cmocka_unit_test(profile_that_is_broken_is_refused),
	    cmocka_unit_test(name_comes_from_option_or_environment),
	    cmocka_unit_test(identity_is_another_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
