/* SPDX-License-Identifier: Apache-2.0 */
/* dropkeepd: the keep. See dropkeepd(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <uv.h>

#include "base/log.h"
#include "daemon/keep/keep.h"

enum { OPT_INIT = 256, OPT_RECOVERY, OPT_NAME, OPT_VERSION, OPT_HELP };

enum { FILES_WANTED = 65536 };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"init", no_argument, NULL, OPT_INIT},
    {"recovery-recipient", required_argument, NULL, OPT_RECOVERY},
    {"name", required_argument, NULL, OPT_NAME},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: dropkeepd [-c FILE]\n"
    "       dropkeepd [-c FILE] --init [--recovery-recipient age1...] [--name HOST]...\n"
    "       dropkeepd --version\n";

struct wish {
	const char *config;
	bool init;
	struct init_options o;
};

/* Negative: go on; else the exit status. */
static int parse(int argc, char **argv, struct wish *w)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			w->config = optarg;
			break;
		case OPT_INIT:
			w->init = true;
			break;
		case OPT_RECOVERY:
			w->o.recovery_recipient = optarg;
			break;
		case OPT_NAME:
			if (w->o.names == sizeof w->o.name / sizeof *w->o.name) {
				(void)fputs("dropkeepd: too many names\n", stderr);
				return err_exit_status(E_USAGE);
			}
			w->o.name[w->o.names++] = optarg;
			break;
		case OPT_VERSION:
			(void)puts("dropkeepd " PACKAGE_VERSION);
			return 0;
		case OPT_HELP:
			(void)fputs(usage, stdout);
			return 0;
		default:
			(void)fputs(usage, stderr);
			return err_exit_status(E_USAGE);
		}
	}
	if (optind == argc && (w->init || (!w->o.names && !w->o.recovery_recipient)))
		return -1;
	(void)fputs(usage, stderr);
	return err_exit_status(E_USAGE);
}

/* What gates leave unread holds descriptors, up to 512 for each gate; a soft limit of 1024, which
 * is many a shell's, would let one gate starve the others. The gates inherit it. */
static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur >= FILES_WANTED)
		return;
	files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

int main(int argc, char **argv)
{
	struct rlimit no_core = {0, 0};
	struct wish w = {.config = DEFAULT_CONFIG};

	/* Before the first secret: no core dumps, no looking on by processes of the same user. */
	(void)setrlimit(RLIMIT_CORE, &no_core);
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)umask(077);
	raise_files();
	log_start("dropkeepd", LEVEL_INFO);
	int status = parse(argc, argv, &w);
	if (status >= 0)
		return status;
	status = w.init ? keep_init(w.config, &w.o) : keep_run(w.config);
	/* The pool's threads end before OpenSSL does, which has something for each of them. */
	uv_library_shutdown();
	return status;
}
