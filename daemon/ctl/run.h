/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: what a command does: ask the keep and show what it answers.
 */
#ifndef DROPKEEP_CTL_RUN_H
#define DROPKEEP_CTL_RUN_H

#include "daemon/ctl/call.h"

/* The whole program but for exit(3): its exit status. Errors go to standard error. */
int ctl_main(int argc, char *const *argv);

/* Of the table: commands that do more than ask. */
int ctl_status(const struct call *call);      /* --wait */
int ctl_zone_remove(const struct call *call); /* asks on a terminal first */
int ctl_verify(const struct call *call);      /* --log: without the keep */

#endif
