/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, and how the program runs one. */
#include <stdio.h>

#include "base/secret.h"
#include "client/http.h"
#include "client/run.h"
#include "client/say.h"
#include "client/stop.h"

#define MANY SIZE_MAX

static const enum opt no_opts[] = {OPT_COUNT};
static const enum opt enroll_opts[] = {OPT_FORCE, OPT_COUNT};
static const enum opt push_opts[] = {OPT_RECURSIVE, OPT_NAME,         OPT_JOBS,       OPT_LIMIT,
				     OPT_RETRIES,   OPT_DELETE_AFTER, OPT_IF_CHANGED, OPT_EXCLUDE,
				     OPT_CONTINUE,  OPT_COUNT};
static const enum opt pull_opts[] = {OPT_RECURSIVE, OPT_OUTPUT,  OPT_FORCE,   OPT_JOBS,
				     OPT_LIMIT,     OPT_RETRIES, OPT_EXCLUDE, OPT_COUNT};
static const enum opt ls_opts[] = {OPT_LONG, OPT_HUMAN, OPT_RECURSIVE, OPT_RETRIES, OPT_COUNT};
static const enum opt ask_opts[] = {OPT_RETRIES, OPT_COUNT};
static const enum opt rm_opts[] = {OPT_RECURSIVE, OPT_RETRIES, OPT_COUNT};
static const enum opt mv_opts[] = {OPT_FORCE, OPT_RETRIES, OPT_COUNT};
static const enum opt mkdir_opts[] = {OPT_PARENTS, OPT_RETRIES, OPT_COUNT};
static const enum opt verify_opts[] = {OPT_OFFLINE, OPT_KEY, OPT_RETRIES, OPT_COUNT};

const struct command commands[] = {
    {"enroll", "URL", "make a key and become known to a server", 1, 1, enroll_opts, run_enroll},
    {"push", "FILE... [ZONE:PATH]", "send files; - is standard input", 1, MANY, push_opts,
     run_push},
    {"pull", "ZONE:PATH... [DIR]", "fetch files; - is standard output", 1, MANY, pull_opts,
     run_pull},
    {"ls", "[ZONE:PATH...]", "list zones or folders", 0, MANY, ls_opts, run_ls},
    {"stat", "ZONE:PATH...", "show all that is known of files and folders", 1, MANY, ask_opts,
     run_stat},
    {"rm", "ZONE:PATH...", "remove files and empty folders", 1, MANY, rm_opts, run_rm},
    {"mv", "ZONE:PATH ZONE:PATH", "rename a file or folder, or move it within its zone", 2, 2,
     mv_opts, run_mv},
    {"mkdir", "ZONE:PATH...", "make folders", 1, MANY, mkdir_opts, run_mkdir},
    {"status", "", "show who you are there, what you may do, and how much room is left", 0, 0,
     ask_opts, run_status},
    {"receipt list", "", "list the receipts of what was sent", 0, 0, no_opts, run_receipt_list},
    {"receipt show", "RECEIPT...", "show what receipts say", 1, MANY, no_opts, run_receipt_show},
    {"receipt verify", "RECEIPT...", "verify receipts, and that the log still has what they say", 1,
     MANY, verify_opts, run_receipt_verify},
    {"completion", "bash|zsh|fish", "print a script that completes commands and options", 1, 1,
     no_opts, run_completion},
    {0},
};

static int run(const struct call *call)
{
	int rc = 0;

	if (call_has(call, OPT_HELP))
		call_help(call->command);
	else if (call_has(call, OPT_VERSION))
		printf("dropkeep %s\n", PACKAGE_VERSION);
	else
		rc = call->command->run(call);
	int end = say_end();
	return rc ? rc : end;
}

int client_main(int argc, char *const *argv)
{
	struct call call = {0};
	int rc = call_parse(argc, argv, &call);

	if (!rc) {
		say_setup(
		    (struct say_style){call_has(&call, OPT_JSON), call_has(&call, OPT_QUIET)});
		stop_setup();
		http_setup();
		rc = run(&call);
	}
	if (rc && !stop_wanted())
		say_error(rc);
	call_done(&call);
	return rc && stop_wanted() ? EXIT_INTERRUPTED : err_exit_status(rc);
}
