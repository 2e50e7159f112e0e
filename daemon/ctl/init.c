/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/init.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "age/key.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/settings.h"
#include "base/sys.h"
#include "daemon/ctl/sample.h"
#include "daemon/ctl/show.h"

struct init {
	const struct call *call;
	char *config, *state, *runtime, *recovery; /* absolute; recovery NULL: not asked for */
	struct secret *identity;                   /* NULL: the recipient was given */
	char recipient[AGE_RECIPIENT_TEXT];
	struct settings *settings; /* what the configuration says in the end */
	bool made_config, made_recovery;
	char *made_dir; /* of the configuration */
};

static void init_done(struct init *i)
{
	mem_free(&i->config);
	mem_free(&i->state);
	mem_free(&i->runtime);
	mem_free(&i->recovery);
	mem_free(&i->made_dir);
	secret_free(&i->identity);
	settings_free(&i->settings);
}

static void undo(struct init *i)
{
	if (i->made_recovery)
		(void)unlink(i->recovery);
	if (i->made_config)
		(void)unlink(i->config);
	if (i->made_dir)
		(void)rmdir(i->made_dir);
}

/* A configuration is read from other folders than it was written in. */
static int absolute(const char *path, char **ret_path)
{
	char here[PATH_MAX];

	if (path[0] == '/') {
		*ret_path = mem_text(path);
		return 0;
	}
	if (!getcwd(here, sizeof here))
		return fail_errno(E_IO, "find the working directory");
	while (strncmp(path, "./", 2) == 0)
		path += 2 + strspn(path + 2, "/");
	*ret_path = mem_printf("%s/%s", strcmp(here, "/") ? here : "", path);
	return 0;
}

static int find_places(struct init *i)
{
	const char *config = i->call->config, *state = call_text(i->call, "state");
	const char *recovery = call_text(i->call, "recovery");
	int rc = absolute(config ? config : DEFAULT_CONFIG, &i->config);

	if (!rc)
		rc = absolute(state ? state : DEFAULT_STATE, &i->state);
	if (!rc && recovery)
		rc = absolute(recovery, &i->recovery);
	if (rc)
		return rc;
	for (size_t n = strlen(i->state); n > 1 && i->state[n - 1] == '/'; n--)
		i->state[n - 1] = '\0';
	/* An instance of its own needs no root, so its socket cannot be in /run. */
	bool standard = strcmp(i->state, DEFAULT_STATE) == 0;
	i->runtime = standard ? mem_text(DEFAULT_RUNTIME) : mem_printf("%s/run", i->state);
	return 0;
}

static int find_recovery(struct init *i)
{
	const char *given = call_text(i->call, "recipient");
	struct age_recipient recipient;

	if (given && i->recovery)
		return fail(E_USAGE,
			    "--recovery makes an identity, --recovery-recipient has one: not both");
	if (given) {
		int rc = age_recipient_from_text(view_text(given), &recipient);
		if (!rc)
			age_recipient_text(&recipient, i->recipient);
		return rc;
	}
	int rc = secret_setup();
	if (!rc)
		rc = age_identity_new(&i->identity);
	if (!rc)
		rc = age_identity_recipient(i->identity, &recipient);
	if (!rc)
		age_recipient_text(&recipient, i->recipient);
	return rc;
}

static int set_addresses(const struct init *i, struct buf *text, const char *member,
			 const char *section)
{
	const json_t *list = json_object_get(i->call->local, member);
	CLEANUP(buf_done) struct buf value = {0};
	const char *joined = "";
	int rc = 0;

	if (!list)
		return 0;
	for (size_t k = 0; !rc && k < json_array_size(list); k++)
		rc = buf_printf(&value, "%s%s", k ? " " : "",
				json_string_value(json_array_get(list, k)));
	if (!rc)
		rc = buf_text(&value, &joined);
	return rc ? rc : sample_set(text, section, "listen", joined);
}

static int make_config(const struct init *i, struct buf *text)
{
	int rc = sample_begin(text);

	if (!rc)
		rc = sample_set(text, "daemon", "state", i->state);
	if (!rc)
		rc = sample_set(text, "daemon", "runtime", i->runtime);
	if (!rc)
		rc = set_addresses(i, text, "sftp", "sftp");
	return rc ? rc : set_addresses(i, text, "https", "https");
}

/* A configuration that is there stays as it is; what was asked for must stand in it. */
struct compare {
	const struct call *call;
	const char *differs;
};

static void visit_difference(void *arg, const char *key, bool restart)
{
	static const struct {
		const char *key, *member, *option;
	} rows[] = {
	    {"daemon.state", "state", "--state"},
	    {"sftp.listen", "sftp", "--sftp"},
	    {"https.listen", "https", "--https"},
	};
	struct compare *c = arg;

	(void)restart;
	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		if (strcmp(key, rows[k].key) == 0 &&
		    json_object_get(c->call->local, rows[k].member))
			c->differs = rows[k].option;
}

static int use_config(struct init *i)
{
	CLEANUP(settings_free) struct settings *wanted = TAKE(i->settings);
	struct compare c = {i->call, NULL};
	int rc = settings_load(i->config, &i->settings);

	if (rc)
		return rc;
	settings_compare(i->settings, wanted, visit_difference, &c);
	if (c.differs)
		return fail(E_EXISTS,
			    "%s exists already and says otherwise than %s: change or remove it",
			    i->config, c.differs);
	return 0;
}

static int make_config_dir(struct init *i)
{
	const char *slash = strrchr(i->config, '/');
	CLEANUP(mem_free) char *dir = mem_text_n(i->config, (size_t)(slash - i->config));

	if (slash == i->config || access(dir, F_OK) == 0)
		return 0;
	int rc = sys_mkdir(AT_FDCWD, dir, 0755);
	if (!rc)
		i->made_dir = TAKE(dir);
	return rc;
}

/* Never over a file that is there. What is written stays only as a whole. */
static int write_new(const char *path, mode_t mode, struct view content, bool *ret_made)
{
	CLEANUP(sys_close) int fd = -1;
	int rc = sys_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, mode, &fd);

	if (rc)
		return rc;
	*ret_made = true;
	if (fchmod(fd, mode) < 0) /* whatever the umask: the daemon's user must read it */
		return fail_errno(E_IO, "set the mode of '%s'", path);
	rc = sys_write_all(fd, content.data, content.len);
	if (!rc)
		rc = sys_sync(fd);
	return rc ? fail(rc, "write '%s'", path) : 0;
}

static int write_config(struct init *i)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc = make_config(i, &text);

	if (!rc)
		rc = settings_parse(view_buf(&text), i->config, &i->settings);
	if (rc)
		return rc;
	if (access(i->config, F_OK) == 0)
		return use_config(i);
	rc = make_config_dir(i);
	return rc ? rc : write_new(i->config, 0644, view_buf(&text), &i->made_config);
}

/* As age-keygen writes it. */
static int identity_file(const struct init *i, struct buf *out)
{
	char text[AGE_IDENTITY_TEXT], now[CLOCK_TEXT];
	int rc = age_identity_text(i->identity, text);

	clock_text(clock_utc_us(), now);
	if (!rc)
		rc = buf_reserve(out, 512); /* at once: growing would leave a copy behind */
	if (!rc)
		rc = buf_printf(
		    out,
		    "# dropkeep recovery identity: opens every file of zones with recovery\n"
		    "# created: %.19sZ\n# public key: %s\n%s\n",
		    now, i->recipient, text);
	wipe(text, sizeof text);
	return rc;
}

static int write_recovery(struct init *i)
{
	CLEANUP(buf_wipe) struct buf text = {0};

	if (!i->recovery)
		return 0;
	int rc = identity_file(i, &text);
	return rc ? rc : write_new(i->recovery, 0600, view_buf(&text), &i->made_recovery);
}

/* Beside this program, as in a build tree and where both are installed; else where the
 * build was told to install it. */
static char *find_daemon(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (n > 0) {
		self[n] = '\0';
		char *slash = strrchr(self, '/');
		CLEANUP(mem_free)
		char *beside = mem_printf("%.*s/dropkeepd", (int)(slash ? slash - self : 0), self);
		if (access(beside, X_OK) == 0)
			return TAKE(beside);
	}
	return mem_text(SBINDIR "/dropkeepd");
}

/* To be freed; what it points to is borrowed. */
static char **daemon_arguments(const struct init *i, char *program)
{
	const json_t *names = json_object_get(i->call->local, "names");
	size_t count = json_array_size(names), n = 0;
	const char **args = mem_new((2 * count + 7) * sizeof *args);

	args[n++] = program;
	args[n++] = "-c";
	args[n++] = i->config;
	args[n++] = "--init";
	args[n++] = "--recovery-recipient";
	args[n++] = i->recipient;
	for (size_t k = 0; k < count; k++) {
		args[n++] = "--name";
		args[n++] = json_string_value(json_array_get(names, k));
	}
	return (char **)(uintptr_t)args;
}

/* Our standard output is for the identity alone. */
static void exec_daemon(char *const *args)
{
	if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		(void)execv(args[0], args);
	(void)fprintf(stderr, "dropkeepctl: cannot start %s: %s\n", args[0], strerror(errno));
	_exit(errno == ENOENT ? err_exit_status(E_UNSUPPORTED) : err_exit_status(E_IO));
}

/* The code that ends this program with the same exit status. */
static int code_of_status(int status)
{
	for (int code = -1; code >= E_LAST; code--)
		if (err_exit_status(code) == status)
			return code;
	return E_IO;
}

static int run_daemon(const struct init *i)
{
	CLEANUP(mem_free) char *program = find_daemon();
	CLEANUP(mem_free) char **args = daemon_arguments(i, program);
	int status = 0;

	(void)fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		return fail_errno(E_IO, "start %s", program);
	if (child == 0)
		exec_daemon(args);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return fail_errno(E_IO, "wait for %s", program);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return fail((enum err)code_of_status(WEXITSTATUS(status)),
			    "%s --init ended with status %d", program, WEXITSTATUS(status));
	return fail(E_IO, "%s --init ended by signal %d", program, WTERMSIG(status));
}

static int show_as_json(const struct init *i, const char *identity)
{
	json_t *result = json_pack("{s:s, s:s, s:s, s:s?, s:s*}", "config", i->config, "state",
				   i->settings->state, "recovery_recipient", i->recipient,
				   "recovery_file", i->recovery, "recovery_identity", identity);
	int rc = result ? show_json(result) : fail(E_NOMEM, "write a result");

	json_decref(result);
	return rc;
}

static int show_result(const struct init *i)
{
	bool shown = i->identity && !i->recovery;
	CLEANUP(buf_wipe) struct buf text = {0};
	const char *identity = NULL;
	int rc = shown ? identity_file(i, &text) : 0;

	if (!rc && shown)
		rc = buf_text(&text, &identity);
	if (!rc && i->call->json)
		rc = show_as_json(i, identity);
	else if (!rc && shown)
		(void)fputs(identity, stdout);
	if (!rc)
		rc = show_end();
	if (rc && shown)
		return fail(rc,
			    "the recovery identity could not be shown and is lost: remove %s and "
			    "begin again",
			    i->settings->state);
	return rc;
}

static void say_what_next(const struct init *i)
{
	const char *config = i->config;

	(void)fprintf(stderr, "state:         %s\nconfiguration: %s%s\n", i->settings->state,
		      config, i->made_config ? "" : " (was there, unchanged)");
	if (i->recovery)
		(void)fprintf(stderr, "recovery:      %s\n", i->recovery);
	if (i->identity)
		(void)fprintf(stderr,
			      "The recovery identity%s opens all files of zones with recovery: "
			      "keep it off this host.\n",
			      i->recovery ? "" : " above");
	(void)fprintf(stderr,
		      "Next: start dropkeepd -c %s (or the service), then\n"
		      "  dropkeepctl -c %s zone add ZONE\n"
		      "  dropkeepctl -c %s user add USER --role client --zone ZONE\n"
		      "  dropkeepctl -c %s key add USER FILE.pub\n",
		      config, config, config, config);
}

static int make_all(struct init *i)
{
	int rc = find_places(i);

	if (!rc)
		rc = find_recovery(i);
	if (!rc)
		rc = write_config(i);
	if (!rc)
		rc = write_recovery(i);
	if (!rc)
		rc = run_daemon(i);
	return rc;
}

int ctl_init(const struct call *call)
{
	CLEANUP(init_done) struct init i = {.call = call};
	int rc = make_all(&i);

	if (rc) {
		undo(&i);
		return rc;
	}
	rc = show_result(&i);
	if (!rc)
		say_what_next(&i);
	return rc;
}
