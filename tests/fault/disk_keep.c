/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A failing disk under the keep: a story of uploads, replacement, renames, removals, uploads that
 * expire and that are resumed, and another one that begins with what a crash has left, are done
 * again and again, each time with another of the keep's calls failing. After each the state opens,
 * nothing that was acknowledged is missing, nothing half-done is seen, one record stands for each
 * change, the log verifies, what is unfinished can be gone on with, and a new upload works.
 *
 * In check a sample of the calls, DROPKEEP_SEED says which; with DROPKEEP_LONG all of them, which
 * takes long: DROPKEEP_TESTS=FIRST-LAST does a part of the tests.
 * The cases are run by a copy of this program beside files that steer the lab (lab.h).
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/fault/disk_story.h"
#include "tests/fault/lab.h"

extern char **environ;

enum { SAMPLE = 5, HANG_S = 100, EXIT_NOT_OPEN = 3, EXIT_KEEP = 74 };

struct fault {
	const char *class, *action, *once;
	enum { HARMLESS, FAILS, CRASHES } kind;
};

static const struct fault faults[] = {
    {"write", "short", "once", HARMLESS},
    {"write", "EINTR", "once", HARMLESS},
    {"open", "EINTR", "once", HARMLESS},
    {"create", "EINTR", "once", HARMLESS},
    {"any", "EIO", "once", FAILS},
    {"any", "EIO", "", FAILS},
    {"write", "ENOSPC", "once", FAILS},
    {"write", "ENOSPC", "", FAILS},
    {"write", "full", "", FAILS},
    {"create", "ENOSPC", "once", FAILS},
    {"sync", "EIO", "once", FAILS},
    {"sync", "ENOSPC", "", FAILS},
    {"any", "crash", "once", CRASHES},
    {"any", "crash-after", "once", CRASHES},
    {"write", "crash-torn", "once", CRASHES},
};

struct scenario {
	const char *name, *template;
	unsigned first, end;
};

static char dir[64], *program;
static struct lab_shared *shared;
static unsigned tests, failures, cases, fired, died, unopened;

/* What the stage needs; outside of cmocka's runner its assertions say nothing. */
#define must(what)                                                                          \
	do {                                                                                \
		if (!(what)) {                                                              \
			printf("Bail out! line %d: %s: %s\n", __LINE__, #what, err_text()); \
			exit(1);                                                            \
		}                                                                           \
	} while (0)

/* ---- programs ---- */

/* The wait status. What it says goes to dir/out. */
static int run(char *const argv[])
{
	CLEANUP(mem_free) char *out = mem_printf("%s/out", dir);
	posix_spawn_file_actions_t files;
	pid_t pid = -1;
	int status = 0;

	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	(void)posix_spawn_file_actions_adddup2(&files, 1, 2);
	must(posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) == 0);
	(void)posix_spawn_file_actions_destroy(&files);
	must(waitpid(pid, &status, 0) == pid);
	return status;
}

#define RUN(...)                                           \
	({                                                 \
		const char *argv_[] = {__VA_ARGS__, NULL}; \
		run((char *const *)(uintptr_t)argv_);      \
	})

static void show_output(void)
{
	CLEANUP(mem_free) char *out = mem_printf("%s/out", dir);
	CLEANUP(buf_done) struct buf text = {0};

	if (sys_read_file(AT_FDCWD, out, 1 << 20, &text) == 0)
		printf("# %.*s\n", (int)text.len, (const char *)text.data);
	err_clear();
}

/* ---- the plan ---- */

static void plan(const char *line)
{
	static unsigned generation;

	memset(shared->seen, 0, sizeof shared->seen);
	memset(shared->fired, 0, sizeof shared->fired);
	memset(shared->plan, 0, sizeof shared->plan);
	memcpy(shared->plan, line, strlen(line));
	(void)snprintf(shared->generation, sizeof shared->generation, "%07u", ++generation);
}

/* ---- cases ---- */

static void copy(const char *from, const char *to)
{
	CLEANUP(mem_free) char *source = mem_printf("%s/%s", dir, from);
	CLEANUP(mem_free) char *target = mem_printf("%s/%s", dir, to);

	must(RUN("rm", "-rf", target) == 0);
	must(RUN("cp", "-a", source, target) == 0);
}

/* A template is the state directory and the journal. */
static void begin_with(const char *template)
{
	CLEANUP(mem_free) char *state = mem_printf("%s/state", template);
	CLEANUP(mem_free) char *journal = mem_printf("%s/journal", template);

	copy(state, "state");
	copy(journal, "journal");
	memset(shared->file, 0, sizeof shared->file);
}

static int act(unsigned first, unsigned end, const char *crash)
{
	CLEANUP(mem_free) char *from = mem_printf("%u", first);
	CLEANUP(mem_free) char *to = mem_printf("%u", end);

	return RUN(program, "act", dir, from, to, crash);
}

static bool all_done(const struct scenario *s)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/journal", dir);
	CLEANUP(buf_done) struct buf text = {0};
	const char *at;
	unsigned done = 0;

	must((sys_read_file(AT_FDCWD, path, 4096, &text)) == 0);
	must((buf_text(&text, &at)) == 0);
	for (; *at; at++)
		done += *at == 'd';
	return done == s->end;
}

static bool expected(const struct scenario *s, const struct fault *f, int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	died += code == EXIT_KEEP;
	unopened += code == EXIT_NOT_OPEN;
	if (f->kind == HARMLESS)
		return code == 0 && all_done(s);
	if (f->kind == CRASHES && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	return code == 0 || code == EXIT_NOT_OPEN || code == EXIT_KEEP;
}

static bool one_case(const struct scenario *s, const struct fault *f, uint64_t number)
{
	CLEANUP(mem_free)
	char *rule = mem_printf("keep %s * %llu %s %s", f->class, (unsigned long long)number,
				f->action, f->once);

	begin_with(s->template);
	plan(rule);
	int status = act(s->first, s->end, "no");
	fired += shared->fired[0] > 0;
	cases++;
	plan("");
	bool good = expected(s, f, status);
	if (!good) {
		printf("# %s, %s: wait status %#x\n", s->name, rule, (unsigned)status);
		show_output();
		return false;
	}
	status = RUN(program, "verify", dir);
	if (status) {
		printf("# %s, %s: afterwards, wait status %#x\n", s->name, rule, (unsigned)status);
		show_output();
	}
	return status == 0;
}

static uint64_t count_calls(const struct scenario *s, const struct fault *f)
{
	CLEANUP(mem_free) char *rule = mem_printf("keep %s * 0 EIO", f->class);

	begin_with(s->template);
	plan(rule);
	int status = act(s->first, s->end, "no");
	if (status)
		show_output();
	must(status == 0);
	must(all_done(s));
	return shared->seen[0];
}

static void try_fault(const struct scenario *s, const struct fault *f)
{
	uint64_t calls = count_calls(s, f), done = 0;
	bool all = getenv("DROPKEEP_LONG") || calls <= SAMPLE, good = true;
	uint64_t stride = all ? 1 : calls / SAMPLE;

	for (uint64_t n = all ? 1 : 1 + (uint64_t)rand() % stride; n <= calls; n += stride) {
		good &= one_case(s, f, n);
		if (++done % 100 == 0)
			printf("# %llu of %llu\n", (unsigned long long)done,
			       (unsigned long long)calls);
	}
	good &= calls > 0;
	failures += !good;
	printf("%s %u - %s: %s %s%s%s at %llu of %llu calls\n", good ? "ok" : "not ok", ++tests,
	       s->name, f->class, f->action, *f->once ? ", " : "", f->once,
	       (unsigned long long)done, (unsigned long long)calls);
	(void)fflush(stdout);
}

/* ---- the stage ---- */

static void keep_key(const struct user *u)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s.key", dir, u->name);

	must((sys_replace_file(AT_FDCWD, path, 0600, view_buf(&u->key))) == 0);
}

static void make_state(void)
{
	struct live l;
	struct user anna, sam;

	live_init(&l, NULL);
	(void)snprintf(dir, sizeof dir, "%s", l.dir);
	live_open(&l);
	live_zone(&l, "acme", QUOTA);
	live_user(&l, "anna", ROLE_CLIENT, "acme", &anna);
	live_user(&l, "sam", ROLE_STAFF, "acme", &sam);
	keep_key(&anna);
	keep_key(&sam);
	user_done(&anna);
	user_done(&sam);
	live_close(&l);
	free(l.conf);
}

static void make_program(void)
{
	CLEANUP(mem_free) char *bin = mem_printf("%s/bin", dir);
	CLEANUP(mem_free) char *state_file = mem_printf("%s/bin/state", dir);
	CLEANUP(mem_free) char *shared_file = mem_printf("%s/bin/shared", dir);
	CLEANUP(mem_free) char *state = mem_printf("%s/state\n", dir);
	CLEANUP(sys_close) int fd = -1;
	char self[4096] = "";

	program = mem_printf("%s/bin/case", dir);
	must((sys_mkdir(AT_FDCWD, bin, 0700)) == 0);
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	must(len > 0 && (size_t)len < sizeof self - 1);
	must(RUN("cp", self, program) == 0);
	must((sys_replace_file(AT_FDCWD, state_file, 0600, view_text(state))) == 0);
	must((sys_open(AT_FDCWD, shared_file, O_RDWR | O_CREAT, 0600, &fd)) == 0);
	must((sys_truncate(fd, sizeof *shared)) == 0);
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(shared != MAP_FAILED);
}

static void make_template(const char *name)
{
	CLEANUP(mem_free) char *path = mem_printf("%s/%s", dir, name);
	CLEANUP(mem_free) char *state = mem_printf("%s/state", name);
	CLEANUP(mem_free) char *journal = mem_printf("%s/journal", name);

	must((sys_mkdir(AT_FDCWD, path, 0700)) == 0);
	copy("state", state);
	copy("journal", journal);
}

static void make_templates(void)
{
	CLEANUP(mem_free) char *journal = mem_printf("%s/journal", dir);

	must((sys_replace_file(AT_FDCWD, journal, 0600, view_text(""))) == 0);
	make_template("fresh");
	int status = act(0, story_break, "crash");
	must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	make_template("broken");
}

static void some_tests(unsigned *first, unsigned *last)
{
	const char *wish = getenv("DROPKEEP_TESTS");

	if (wish)
		must(sscanf(wish, "%u-%u", first, last) == 2);
}

static int drive(void)
{
	const struct scenario scenarios[] = {{"a fresh start", "fresh", 0, story_break},
					     {"after a crash", "broken", story_break, story_end}};
	const char *seed = getenv("DROPKEEP_SEED");
	unsigned random = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
	unsigned first = 1, last = ARRAY_LEN(scenarios) * ARRAY_LEN(faults), number = 0;

	(void)setvbuf(stdout, NULL, _IOLBF, 0); /* whoever ends it early has heard so much */
	printf("# DROPKEEP_SEED=%u\n", random);
	srand(random);
	some_tests(&first, &last);
	make_state();
	make_program();
	make_templates();
	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
		for (size_t k = 0; k < ARRAY_LEN(faults); k++)
			if (++number >= first && number <= last)
				try_fault(&scenarios[i], &faults[k]);
	printf("# %u cases, in %u a call failed; %u keeps died of it, %u did not open\n", cases,
	       fired, died, unopened);
	printf("1..%u\n", tests);
	if (!getenv("KEEP_WORK"))
		(void)RUN("rm", "-rf", dir);
	return failures ? 1 : 0;
}

/* ---- a case ---- */

static char **given;
static int result;

/* In cmocka's runner, which says what was asserted. */
static void case_goes_as_it_must(void **state)
{
	(void)state;
	if (strcmp(given[1], "verify") == 0)
		result = story_verify(given[2]);
	else
		result = story_act(given[2], (unsigned)strtoul(given[3], NULL, 10),
				   (unsigned)strtoul(given[4], NULL, 10),
				   strcmp(given[5], "crash") == 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests_of_case[] = {cmocka_unit_test(case_goes_as_it_must)};

	if (argc == 1)
		return drive();
	given = argv;
	(void)alarm(HANG_S);
	int wrong = cmocka_run_group_tests(tests_of_case, NULL, NULL);
	(void)fflush(stdout);
	_exit(wrong ? 1 : result); /* what is left in memory is not looked at */
}
