/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/settings.h"
#include "daemon/ctl/show.h"
#include "daemon/ctl/talk.h"
#include "daemon/ctl/verify_log.h"

enum { RETRY_MS = 100 };

/* What is printed while items come. */
struct printer {
	const struct call *call;
	json_t *items; /* for show(), which wants all of them */
};

static int print_item(void *arg, json_t *item)
{
	struct printer *p = arg;

	if (p->call->json)
		return show_json(item);
	if (p->call->command->show_item)
		return p->call->command->show_item(item);
	if (json_array_append(p->items, item) < 0)
		return fail(E_NOMEM, "keep an item");
	return 0;
}

/* A command whose answer is its items says with its result only how many there were. */
static int print_result(const struct call *call, json_t *items, json_t *result)
{
	int (*show)(json_t *, json_t *) = call->command->show;

	if (call->json)
		return json_object_get(result, "count") ? 0 : show_json(result);
	return show ? show(items, result) : 0;
}

static int load(const struct call *call, struct settings **ret_settings)
{
	const char *path = call->config ? call->config : DEFAULT_CONFIG;

	if (access(path, R_OK) < 0 && errno == EACCES)
		return fail(E_DENIED, "%s: permission denied (be root, or dropkeepd's user)", path);
	return settings_load(path, ret_settings);
}

static int finish(const struct call *call, json_t *items, json_t *result)
{
	int rc = print_result(call, items, result);

	if (!rc)
		rc = show_end();
	return rc || !call->command->judge ? rc : call->command->judge(result);
}

static int ask(const struct call *call, const struct settings *s, int timeout_ms)
{
	struct printer p = {call, json_array()};
	json_t *result = NULL;
	int rc = talk_ask(s->runtime, call->command->words, call->args, timeout_ms, print_item, &p,
			  &result);

	if (!rc)
		rc = finish(call, p.items, result);
	json_decref(result);
	json_decref(p.items);
	return rc;
}

static int ask_keep(const struct call *call)
{
	CLEANUP(settings_free) struct settings *s = NULL;
	int rc = load(call, &s);

	return rc ? rc : ask(call, s, TALK_FOR_EVER);
}

/* The answer of a keep that serves, or NULL. */
static json_t *serving(const char *runtime, json_t *args, int timeout_ms)
{
	json_t *result = NULL;
	int rc = talk_ask(runtime, "status", args, timeout_ms, NULL, NULL, &result);

	if (!rc && json_is_true(json_object_get(result, "serving")))
		return result;
	json_decref(result);
	return NULL;
}

/* Also before there is a socket: the keep may just be starting. */
static json_t *wait_until_serving(const char *runtime, json_t *args, int64_t until_ms)
{
	const struct timespec pause = {0, RETRY_MS * 1000000L};
	json_t *result = NULL;
	int64_t left;

	while (!result && (left = until_ms - clock_mono_ms()) > 0) {
		result = serving(runtime, args, (int)left);
		if (!result)
			(void)nanosleep(&pause, NULL);
	}
	err_clear();
	return result;
}

/* What is shown is the answer that was waited for: another one may tell of gates that died since.
 */
static int status_shown(const struct call *call, json_t *result)
{
	json_t *items = json_array();
	int rc = finish(call, items, result);

	json_decref(items);
	json_decref(result);
	return rc;
}

int ctl_status(const struct call *call)
{
	CLEANUP(settings_free) struct settings *s = NULL;
	json_int_t wait_s = call_number(call, "wait");
	int rc = load(call, &s);

	if (rc)
		return rc;
	if (wait_s == 0)
		return ask(call, s, TALK_FOR_EVER);
	if (wait_s > 24 * 3600)
		return fail(E_USAGE, "--wait: more than a day");
	json_t *result =
	    wait_until_serving(s->runtime, call->args, clock_mono_ms() + wait_s * 1000);
	if (result)
		return status_shown(call, result);
	rc = ask(call, s, 5000);
	if (rc == E_AGAIN)
		rc = TALK_UNAVAILABLE; /* who waits asks for one answer: it serves, or not */
	return rc;
}

static bool confirmed(const char *name)
{
	char line[128];

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	(void)fprintf(stderr,
		      "This destroys the keys of zone '%s': its files are gone for good.\n"
		      "Type its name to go on: ",
		      name);
	if (!fgets(line, sizeof line, stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, name) == 0;
}

int ctl_zone_remove(const struct call *call)
{
	const char *name = json_string_value(json_object_get(call->args, "name"));

	if (!call_flag(call, "yes") && !confirmed(name))
		return fail(E_DENIED, "nothing was removed");
	return ask_keep(call);
}

int ctl_verify(const struct call *call)
{
	const char *dir = call_text(call, "log");
	json_t *result = NULL;

	if (!dir && call_text(call, "key"))
		return fail(E_USAGE, "--key goes with --log; the keep knows its own");
	if (!dir)
		return ask_keep(call);
	int rc = verify_log(dir, call_text(call, "key"), &result);
	if (!rc)
		rc = finish(call, NULL, result);
	json_decref(result);
	return rc;
}

static int run(const struct call *call)
{
	if (call->version) {
		printf("dropkeepctl %s\n", PACKAGE_VERSION);
		return show_end();
	}
	if (call->help) {
		call_help(call->command);
		return show_end();
	}
	return call->command->run ? call->command->run(call) : ask_keep(call);
}

int ctl_main(int argc, char *const *argv)
{
	struct call call = {0};
	int rc = call_parse(argc, argv, &call);

	if (!rc)
		rc = run(&call);
	call_done(&call);
	if (rc)
		(void)fprintf(stderr, "dropkeepctl: %s\n",
			      err_text()[0] ? err_text() : err_word(rc));
	err_clear();
	return err_exit_status(rc);
}
