/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dropkeep-gate: the process that speaks to the network. Started by dropkeepd alone:
 *
 *	dropkeep-gate --uid N --gid N --parent PID
 *
 * with /dev/null as descriptors 0 and 1, log lines going to 2, the link to the keep as 3, the
 * state's lock as 4 (held open, so that no successor begins while a gate lives), and an empty
 * environment.
 */
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <libssh/libssh.h>
#include <openssl/crypto.h>

#include "base/log.h"
#include "base/secret.h"
#include "daemon/gate/gate.h"
#include "daemon/gate/privileges.h"

enum { LINK_FD = 3, LOCK_FD = 4 };

struct arguments {
	long uid, gid, parent;
};

static int take_number(const char *text, long *ret_number)
{
	char *end = NULL;

	if (!text || *text < '0' || *text > '9')
		return fail(E_USAGE, "a number is missing");
	long number = strtol(text, &end, 10);
	if (*end || number > INT_MAX)
		return fail(E_USAGE, "not a number: '%s'", text);
	*ret_number = number;
	return 0;
}

static int take_arguments(int argc, char **argv, struct arguments *ret)
{
	static const struct option options[] = {
	    {"uid", required_argument, NULL, 'u'},
	    {"gid", required_argument, NULL, 'g'},
	    {"parent", required_argument, NULL, 'p'},
	    {0},
	};
	struct arguments a = {-1, -1, -1};
	int option, rc = 0;

	while (!rc && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u')
			rc = take_number(optarg, &a.uid);
		else if (option == 'g')
			rc = take_number(optarg, &a.gid);
		else if (option == 'p')
			rc = take_number(optarg, &a.parent);
		else
			rc = fail(E_USAGE, "unknown option");
	}
	if (!rc && (optind < argc || a.uid < 0 || a.gid < 0 || a.parent <= 0))
		rc = fail(E_USAGE,
			  "--uid, --gid and --parent are needed; dropkeepd starts this program");
	if (!rc)
		*ret = a;
	return rc;
}

/* The keep decides when a gate ends: it may be draining it. */
static void ignore_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP};

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
}

static int check_descriptors(void)
{
	if (fcntl(LINK_FD, F_GETFD) < 0)
		return fail(E_USAGE, "no link on descriptor %d; dropkeepd starts this program",
			    LINK_FD);
	(void)fcntl(LINK_FD, F_SETFD, FD_CLOEXEC);
	(void)fcntl(LOCK_FD, F_SETFD, FD_CLOEXEC);
	(void)close_range(LOCK_FD + 1, UINT_MAX, 0); /* whatever else was left open for us */
	return 0;
}

/* What libraries read from disk they read now: afterwards there is no disk. */
static int set_up_libraries(void)
{
	int rc = secret_setup();

	if (rc)
		return rc;
	if (OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS,
				NULL) != 1)
		return fail(E_IO, "set up OpenSSL");
	if (ssh_init() != SSH_OK)
		return fail(E_IO, "set up libssh");
	return 0;
}

static int prepare(int argc, char **argv)
{
	struct arguments a;
	int rc = take_arguments(argc, argv, &a);

	if (!rc)
		rc = check_descriptors();
	if (!rc)
		rc = set_up_libraries();
	if (!rc)
		rc = privileges_drop((uid_t)a.uid, (gid_t)a.gid, (pid_t)a.parent);
	return rc;
}

int main(int argc, char **argv)
{
	log_start("dropkeep-gate", LEVEL_INFO);
	ignore_signals();
	int rc = prepare(argc, argv);
	if (rc) {
		log_failure("cannot start");
		return err_exit_status(rc);
	}
	int status = gate_run(LINK_FD);
	(void)ssh_finalize();
	return status;
}
