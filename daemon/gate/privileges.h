/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges: what a gate gives away before it reads the first byte of anybody.
 */
#ifndef DROPKEEP_GATE_PRIVILEGES_H
#define DROPKEEP_GATE_PRIVILEGES_H

#include <sys/types.h>

#include "base/err.h"

/*
 * Started as root: no groups, an empty root directory where /proc allows it, this user and
 * group for good. Else uid and gid must be what the process has. Then: no new privileges, no
 * core dumps, not to be traced, and death with the parent, which must still be `parent`.
 */
MUST_USE int privileges_drop(uid_t uid, gid_t gid, pid_t parent);

#endif
