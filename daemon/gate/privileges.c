/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/privileges.h"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

/*
 * The list of its own descriptors is a directory that no other process can put anything
 * into, and that is shut to a process which cannot be traced and is not root: an empty root
 * that needs nothing on disk. The leak checker of sanitized builds needs /proc and tracing.
 */
static int lock_in(void)
{
#ifndef SANITIZED
	if (chroot("/proc/self/fdinfo") == 0)
		return chdir("/") == 0 ? 0 : fail_errno(E_IO, "enter the empty root");
	log_debug("no empty root directory to be had");
#endif
	return 0;
}

static int become(uid_t uid, gid_t gid)
{
	if (uid == 0 || gid == 0)
		return fail(E_DENIED, "a gate does not run as root");
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return fail_errno(E_DENIED, "become user %u", (unsigned)uid);
	if (setuid(0) == 0 || seteuid(0) == 0)
		return fail(E_DENIED, "root came back");
	return 0;
}

static int change_user(uid_t uid, gid_t gid)
{
	if (geteuid() != 0) {
		if (geteuid() != uid || getegid() != gid)
			return fail(E_DENIED, "only root can change the user");
		return 0;
	}
	int rc = lock_in();
	return rc ? rc : become(uid, gid);
}

/* The kernel forgets the death signal when the user changes, so it is asked for last; the
 * parent may have died before. */
static int tie_to(pid_t parent)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fail_errno(E_DENIED, "give up new privileges");
	if (setrlimit(RLIMIT_CORE, &none))
		return fail_errno(E_DENIED, "give up core dumps");
#ifndef SANITIZED
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail_errno(E_DENIED, "hide from tracers");
#endif
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return fail_errno(E_DENIED, "die with the keep");
	if (getppid() != parent)
		return fail(E_GONE, "the keep is gone");
	return 0;
}

int privileges_drop(uid_t uid, gid_t gid, pid_t parent)
{
	int rc = change_user(uid, gid);

	return rc ? rc : tie_to(parent);
}
