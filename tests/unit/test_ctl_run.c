/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/scripted_keep.h"

#include "base/clock.h"
#include "daemon/ctl/run.h"
#include "daemon/ctl/talk.h"

enum { WORDS_MAX = 16 };

/* What the program printed. */
struct said {
	char *out, *err;
};

static void said_done(struct said *s)
{
	mem_free(&s->out);
	mem_free(&s->err);
}

#define SAID CLEANUP(said_done) struct said

static int divert(const struct kit_folder *f, const char *name, int fd)
{
	CLEANUP(sys_close) int file = -1;
	int saved = dup(fd);

	assert_true(saved >= 0);
	assert_ok(sys_open(f->fd, name, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600, &file));
	assert_true(dup2(file, fd) >= 0);
	return saved;
}

static char *restore(const struct kit_folder *f, const char *name, int fd, int saved)
{
	CLEANUP(buf_done) struct buf b = {0};

	assert_true(dup2(saved, fd) >= 0);
	(void)close(saved);
	assert_ok(sys_read_file(f->fd, name, 1 << 20, &b));
	return mem_text_n(b.data, b.len);
}

/* The words behind "dropkeepctl -c CONFIG", separated by blanks. */
static int run(struct scripted_keep *k, const char *text, struct said *ret_said)
{
	char *argv[WORDS_MAX + 4] = {mem_text("dropkeepctl"), mem_text("-c"), mem_text(k->config)};
	int argc = 3;

	for (; *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");
		assert_true(argc < WORDS_MAX + 3);
		argv[argc++] = mem_text_n(text, len);
		text += len;
	}
	(void)fflush(NULL);
	int out = divert(&k->folder, "out", STDOUT_FILENO);
	int err = divert(&k->folder, "err", STDERR_FILENO);
	int status = ctl_main(argc, argv);
	(void)fflush(NULL);
	ret_said->err = restore(&k->folder, "err", STDERR_FILENO, err);
	ret_said->out = restore(&k->folder, "out", STDOUT_FILENO, out);
	while (argc)
		free(argv[--argc]);
	return status;
}

/* One conversation: what is asked, what is answered, what comes of it. */
static void assert_talk(const char *words, const char *answer, int status, const char *out,
			const char *err)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};

	scripted_keep_begin(&k, answer, 0);
	int got = run(&k, words, &said);
	scripted_keep_end(&k);
	if (got != status)
		print_error("%s: %s%s", words, said.out, said.err);
	assert_int_equal(got, status);
	assert_string_equal(said.out, out);
	if (!strstr(said.err, err))
		print_error("%s: %s", words, said.err);
	assert_non_null(strstr(said.err, err));
	if (!err[0])
		assert_string_equal(said.err, "");
}

#define ZONE                                                                                  \
	"{\"name\":\"acme\",\"quota\":107374182400,\"used\":1536,\"reserved\":0,\"files\":3," \
	"\"retention\":0,\"recovery\":true,\"made\":\"2026-01-31T23:59:59.123456Z\"}"

static void command_is_sent_as_one_line(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};

	(void)state;
	scripted_keep_begin(&k, "{\"ok\":true,\"result\":" ZONE "}\n", 0);
	assert_int_equal(run(&k, "zone add acme --quota 100G", &said), 0);
	scripted_keep_end(&k);
	json_t *asked = json_loads(k.asked, 0, NULL);
	json_t *expected = json_loads(
	    "{\"v\":1,\"command\":\"zone add\",\"args\":{\"name\":\"acme\",\"quota\":107374182400,"
	    "\"retention\":0,\"recovery\":true}}",
	    0, NULL);
	assert_non_null(asked);
	assert_true(json_equal(asked, expected));
	json_decref(asked);
	json_decref(expected);
}

static void zones_are_shown_for_people_and_for_programs(void **state)
{
	(void)state;
	assert_talk(
	    "zone list", "{\"item\":" ZONE "}\n{\"ok\":true,\"result\":{\"count\":1}}\n", 0,
	    "ZONE  FILES     USED  RESERVED    QUOTA  RETENTION  RECOVERY  MADE\n"
	    "acme      3  1.5 KiB         -  100 GiB          -  yes       2026-01-31 23:59:59Z\n",
	    "");
	assert_talk("zone list --json",
		    "{\"item\":" ZONE "}\n{\"ok\":true,\"result\":{\"count\":1}}\n", 0, ZONE "\n",
		    "");
	assert_talk("zone list", "{\"ok\":true,\"result\":{\"count\":0}}\n", 0, "", "");
	assert_talk("zone list --json", "{\"ok\":true,\"result\":{\"count\":0}}\n", 0, "", "");
	assert_talk("zone show acme --json", "{\"ok\":true,\"result\":" ZONE "}\n", 0, ZONE "\n",
		    "");
	assert_talk("zone show acme", "{\"ok\":true,\"result\":" ZONE "}\n", 0,
		    "zone:                acme\n"
		    "files:               3\n"
		    "used:                1.5 KiB\n"
		    "reserved by uploads: 0 B\n"
		    "quota:               100 GiB\n"
		    "retention:           -\n"
		    "recovery:            yes\n"
		    "made:                2026-01-31 23:59:59Z\n",
		    "");
}

#define CREDENTIAL                                                                         \
	"{\"id\":7,\"user\":\"alice\",\"kind\":\"ssh-key\",\"algorithm\":\"ssh-ed25519\"," \
	"\"fingerprint\":\"SHA256:abc\",\"comment\":\"a\\u001b[31m\",\"made\":"            \
	"\"2026-01-31T23:59:59.123456Z\",\"expires\":null,"                                \
	"\"from\":[\"192.0.2.0/24\",\"::1/128\"]}"

static void users_are_shown_with_what_they_have(void **state)
{
	(void)state;
	assert_talk(
	    "user show alice",
	    "{\"ok\":true,\"result\":{\"name\":\"alice\",\"role\":\"client\",\"disabled\":false,"
	    "\"made\":\"2026-01-31T23:59:59.123456Z\",\"credentials\":[" CREDENTIAL
	    "],\"grants\":[{\"user\":\"alice\",\"zone\":\"acme\",\"prefix\":\"\",\"rights\":\"lr\"}"
	    "]}}\n",
	    0,
	    "user:     alice\n"
	    "role:     client\n"
	    "disabled: no\n"
	    "made:     2026-01-31 23:59:59Z\n"
	    "\n"
	    "ID  USER   KIND     ALGORITHM    FINGERPRINT  EXPIRES  FROM                   "
	    "COMMENT\n"
	    " 7  alice  ssh-key  ssh-ed25519  SHA256:abc   -        192.0.2.0/24, ::1/128  "
	    "a\\x1b[31m\n"
	    "\n"
	    "ZONE  PREFIX  RIGHTS\n"
	    "acme  -       lr\n",
	    "");
	assert_talk("user list",
		    "{\"item\":{\"name\":\"alice\",\"role\":\"client\",\"disabled\":true,"
		    "\"credentials\":[1,2],"
		    "\"grants\":[]}}\n{\"ok\":true,\"result\":{\"count\":1}}\n",
		    0,
		    "USER   ROLE    DISABLED  CREDENTIALS  GRANTS  MADE\n"
		    "alice  client  yes                 2       0  -\n",
		    "");
	assert_talk("credential remove 7", "{\"ok\":true,\"result\":" CREDENTIAL "}\n", 0,
		    "id:          7\n"
		    "user:        alice\n"
		    "kind:        ssh-key\n"
		    "algorithm:   ssh-ed25519\n"
		    "fingerprint: SHA256:abc\n"
		    "expires:     -\n"
		    "from:        192.0.2.0/24, ::1/128\n"
		    "comment:     a\\x1b[31m\n",
		    "");
}

static void alerts_are_a_table(void **state)
{
	(void)state;
	assert_talk("alerts",
		    "{\"item\":{\"id\":3,\"kind\":\"clock\",\"raised\":"
		    "\"2026-01-31T23:59:59.123456Z\",\"text\":\"it jumped\"}}\n"
		    "{\"ok\":true,\"result\":{\"count\":1}}\n",
		    0,
		    "ID  KIND   RAISED                WHAT\n"
		    " 3  clock  2026-01-31 23:59:59Z  it jumped\n",
		    "");
	assert_talk("alerts ack", "{\"ok\":true,\"result\":{\"count\":0}}\n", 0, "", "");
	assert_talk("alerts ack 5",
		    "{\"ok\":false,\"code\":-3,\"error\":\"there is no alert 5\"}\n", 66, "",
		    "dropkeepctl: there is no alert 5\n");
}

static void records_are_shown_as_they_come(void **state)
{
	(void)state;
	assert_talk(
	    "audit query",
	    "{\"item\":{\"seq\":5,\"time\":\"2026-01-31T23:59:59.123456Z\",\"event\":\"upload."
	    "complete\","
	    "\"outcome\":\"ok\",\"actor\":\"alice\",\"zone\":\"acme\",\"path\":\"/acme/incoming/"
	    "a\\nb\","
	    "\"size\":1048576,\"source\":\"127.0.0.1\"}}\n{\"ok\":true,\"result\":{\"count\":1}}\n",
	    0,
	    "5       2026-01-31 23:59:59Z  upload.complete     ok        alice         acme  "
	    "/acme/incoming/a\\x0ab  size 1 MiB  from 127.0.0.1\n",
	    "");
	assert_talk("audit query --json",
		    "{\"item\":{\"seq\":5}}\n{\"ok\":true,\"result\":{\"count\":1}}\n", 0,
		    "{\"seq\":5}\n", "");
}

static void problems_end_with_their_status(void **state)
{
	(void)state;
	assert_talk(
	    "audit verify",
	    "{\"ok\":true,\"result\":{\"origin\":\"o\",\"size\":3,\"root\":\"r\",\"key\":\"k\","
	    "\"checkpoint\":\"\",\"problems\":[]}}\n",
	    0, "origin: o\nsize:   3\nroot:   r\nkey:    k\nthe log verifies\n", "");
	assert_talk(
	    "audit verify",
	    "{\"ok\":true,\"result\":{\"origin\":\"o\",\"size\":3,\"root\":\"r\",\"key\":\"k\","
	    "\"checkpoint\":\"\",\"problems\":[\"bad leaf\"]}}\n",
	    65,
	    "origin: o\nsize:   3\nroot:   r\nkey:    k\nproblem: bad leaf\nthe log does NOT "
	    "verify\n",
	    "does not verify: 1 problem");
	assert_talk("check --json",
		    "{\"item\":{\"what\":\"blob\",\"id\":\"00\",\"problem\":\"p\"}}\n"
		    "{\"ok\":true,\"result\":{\"blobs\":9,\"bytes\":5,\"problems\":1}}\n",
		    65,
		    "{\"what\":\"blob\",\"id\":\"00\",\"problem\":\"p\"}\n{\"blobs\":9,\"bytes\":5,"
		    "\"problems\":1}\n",
		    "1 problem");
	assert_talk("check", "{\"ok\":true,\"result\":{\"blobs\":9,\"bytes\":5,\"problems\":0}}\n",
		    0, "blobs:    9\nbytes:    5 B\nproblems: 0\n", "");
}

static void refusals_end_with_their_status(void **state)
{
	(void)state;
	assert_talk("zone add acme",
		    "{\"ok\":false,\"code\":-4,\"error\":\"zone 'acme' exists already\"}\n", 73, "",
		    "dropkeepctl: zone 'acme' exists already\n");
	assert_talk("zone show x", "{\"ok\":false,\"code\":-3,\"error\":\"no such zone\"}\n", 66,
		    "", "no such zone");
	assert_talk("zone list", "{\"ok\":false,\"code\":-5,\"error\":\"not for you\"}\n", 77, "",
		    "not for you");
}

static void answers_that_are_none_are_a_breach(void **state)
{
	static const char *const bad[] = {
	    "\n",
	    "hello\n",
	    "[]\n",
	    "{}\n",
	    "{\"ok\":true}\n",
	    "{\"ok\":true,\"result\":5}\n",
	    "{\"ok\":1,\"result\":{}}\n",
	    "{\"item\":5}\n",
	    "{\"ok\":true,\"ok\":true,\"result\":{}}\n",
	    "{\"ok\":true,\"result\":{}} x\n",
	    "{\"ok\":true,\"result\":{\"a\":\"\xff\"}}\n",
	};
	static const char *const refusals[] = {
	    "{\"ok\":false}\n",
	    "{\"ok\":false,\"code\":0,\"error\":\"x\"}\n",
	    "{\"ok\":false,\"code\":-1000,\"error\":\"x\"}\n",
	    "{\"ok\":false,\"code\":5,\"error\":\"x\"}\n",
	    "{\"ok\":false,\"code\":-4}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_talk("zone list", bad[i], 76, "", "an answer");
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
		assert_talk("zone list", refusals[i], 76, "", "a refusal without");
}

static void answers_cut_at_every_byte_are_no_answers(void **state)
{
	static const char whole[] =
	    "{\"item\":{\"name\":\"a\"}}\n{\"ok\":true,\"result\":{\"count\":1}}\n";

	(void)state;
	for (size_t len = 0; len < sizeof whole - 1; len++) {
		CLEANUP(mem_free) char *part = mem_text_n(whole, len);
		assert_talk("zone show a", part, 75, "", "without an answer");
	}
}

static void answers_in_single_bytes_are_put_together(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};

	(void)state;
	scripted_keep_begin(&k,
			    "{\"item\":" ZONE "}\n{\"item\":" ZONE
			    "}\n{\"ok\":true,\"result\":{\"count\":2}}\n",
			    1);
	assert_int_equal(run(&k, "zone list --json", &said), 0);
	scripted_keep_end(&k);
	assert_string_equal(said.out, ZONE "\n" ZONE "\n");
}

static void answers_too_long_are_refused(void **state)
{
	CLEANUP(mem_free) char *line = mem_new(TALK_LINE_MAX + 200001);

	(void)state;
	memset(line, ' ', TALK_LINE_MAX + 200000);
	assert_talk("zone list", line, 76, "", "more than 1048576 bytes");
}

static void nobody_there_says_what_to_do(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	SAID again = {NULL, NULL};

	(void)state;
	sys_close(&k.listener);
	assert_int_equal(run(&k, "zone list", &said), 69);
	assert_non_null(strstr(said.err, "start dropkeepd"));
	assert_ok(sys_unlink(k.folder.fd, "control.sock"));
	assert_int_equal(run(&k, "zone list", &again), 69);
	assert_non_null(strstr(again.err, "start dropkeepd"));
}

static void mistakes_of_the_configuration_end_with_78(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};

	(void)state;
	kit_write(&k.folder, "d.conf", "[daemon]\njail = x\n");
	assert_int_equal(run(&k, "zone list", &said), 78);
	assert_non_null(strstr(said.err, "d.conf:2: jail = x"));
}

#define STATUS(serving)                                                                          \
	"{\"ok\":true,\"result\":{\"serving\":" serving                                          \
	",\"version\":\"0\",\"gates\":[{\"number\":0,\"pid\":9,\"sessions\":1,\"restarts\":0}]," \
	"\"log\":{\"origin\":\"o\"},\"problems\":[\"clock\"]}}\n"

static void status_says_whether_it_serves(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	SAID not_yet = {NULL, NULL};

	(void)state;
	scripted_keep_begin(&k, STATUS("true"), 0);
	assert_int_equal(run(&k, "status", &said), 0);
	scripted_keep_end(&k);
	assert_non_null(strstr(said.out, "serving:       yes\n"));
	assert_non_null(strstr(said.out, "log origin:    o\n"));
	assert_non_null(strstr(said.out, "GATE  PROCESS  SESSIONS  RESTARTS\n   0        9"));
	assert_non_null(strstr(said.out, "problem: clock\n"));
	scripted_keep_begin(&k, STATUS("false"), 0);
	assert_int_equal(run(&k, "status", &not_yet), 69);
	scripted_keep_end(&k);
	assert_non_null(strstr(not_yet.err, "does not serve"));
}

static void *serve_late(void *arg)
{
	struct scripted_keep *k = arg;

	/* not there, not ready, ready: this answer is shown, and none is asked for behind it */
	(void)usleep(300000);
	scripted_keep_begin(k, STATUS("false"), 0);
	scripted_keep_end(k);
	scripted_keep_begin(k, STATUS("true"), 0);
	scripted_keep_end(k);
	return NULL;
}

static void wait_ends_as_soon_as_it_serves(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	pthread_t thread;
	int64_t begun = clock_mono_ms();

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, serve_late, &k), 0);
	assert_int_equal(run(&k, "status --wait 20", &said), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(clock_mono_ms() - begun < 10000);
	assert_non_null(strstr(said.out, "serving:       yes\n"));
}

static void wait_for_nobody_ends_in_time(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	SAID mute = {NULL, NULL};
	int64_t begun = clock_mono_ms();

	(void)state;
	assert_ok(sys_rename(k.folder.fd, "control.sock", "elsewhere.sock"));
	assert_int_equal(run(&k, "status --wait 1", &said), 69);
	assert_true(clock_mono_ms() - begun >= 1000 && clock_mono_ms() - begun < 5000);
	assert_ok(sys_rename(k.folder.fd, "elsewhere.sock", "control.sock"));
	/* it listens, but never answers */
	assert_int_equal(run(&k, "status --wait 1", &mute), 69);
	assert_true(clock_mono_ms() - begun < 15000);
}

static void long_runtime_paths_work(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	CLEANUP(mem_free) char *name = mem_printf("%0110d", 1);
	CLEANUP(mem_free) char *from = mem_printf("%s/control.sock", k.folder.path);
	CLEANUP(mem_free) char *to = mem_printf("%s/%s/control.sock", k.folder.path, name);
	CLEANUP(mem_free)
	char *text = mem_printf("[daemon]\nruntime = %s/%s\n", k.folder.path, name);

	(void)state;
	assert_true(strlen(to) > sizeof((struct sockaddr_un *)NULL)->sun_path);
	assert_ok(sys_mkdir(k.folder.fd, name, 0700));
	assert_int_equal(rename(from, to), 0);
	kit_write(&k.folder, "d.conf", text);
	scripted_keep_begin(&k, "{\"ok\":true,\"result\":{\"count\":0}}\n", 0);
	assert_int_equal(run(&k, "zone list", &said), 0);
	scripted_keep_end(&k);
}

static void help_names_every_command_of_this_version(void **state)
{
	KEEP k = scripted_keep_new();
	SAID said = {NULL, NULL};
	SAID version = {NULL, NULL};

	(void)state;
	assert_int_equal(run(&k, "--help", &said), 0);
	for (const struct command *c = commands; c->words; c++) {
		CLEANUP(mem_free) char *line = mem_printf("\n  %s ", c->words);
		SAID own = {NULL, NULL};
		CLEANUP(mem_free) char *words = mem_printf("%s --help", c->words);
		assert_int_equal(strstr(said.out, line) != NULL, !c->later);
		assert_int_equal(run(&k, words, &own), c->later ? 69 : 0);
		assert_int_equal(strncmp(own.out, "usage: ", 7) == 0, !c->later);
	}
	assert_int_equal(run(&k, "--version", &version), 0);
	assert_string_equal(version.out, "dropkeepctl " PACKAGE_VERSION "\n");
}

static void output_that_does_not_arrive_is_an_error(void **state)
{
	int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
	char *argv[] = {mem_text("dropkeepctl"), mem_text("--version"), NULL};

	(void)state;
	assert_true(saved >= 0 && full >= 0);
	(void)fflush(NULL);
	assert_true(dup2(full, STDOUT_FILENO) >= 0);
	int status = ctl_main(2, argv);
	clearerr(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(saved);
	(void)close(full);
	free(argv[0]);
	free(argv[1]);
	assert_int_equal(status, 74);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(command_is_sent_as_one_line),
	    cmocka_unit_test(zones_are_shown_for_people_and_for_programs),
	    cmocka_unit_test(users_are_shown_with_what_they_have),
	    cmocka_unit_test(alerts_are_a_table),
	    cmocka_unit_test(records_are_shown_as_they_come),
	    cmocka_unit_test(problems_end_with_their_status),
	    cmocka_unit_test(refusals_end_with_their_status),
	    cmocka_unit_test(answers_that_are_none_are_a_breach),
	    cmocka_unit_test(answers_cut_at_every_byte_are_no_answers),
	    cmocka_unit_test(answers_in_single_bytes_are_put_together),
	    cmocka_unit_test(answers_too_long_are_refused),
	    cmocka_unit_test(nobody_there_says_what_to_do),
	    cmocka_unit_test(mistakes_of_the_configuration_end_with_78),
	    cmocka_unit_test(status_says_whether_it_serves),
	    cmocka_unit_test(wait_ends_as_soon_as_it_serves),
	    cmocka_unit_test(wait_for_nobody_ends_in_time),
	    cmocka_unit_test(long_runtime_paths_work),
	    cmocka_unit_test(help_names_every_command_of_this_version),
	    cmocka_unit_test(output_that_does_not_arrive_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
