/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: the commands, each a function of its own; see commands.c for the table.
 */
#ifndef DROPKEEP_CLIENT_RUN_H
#define DROPKEEP_CLIENT_RUN_H

#include "client/call.h"

/* The whole program but for exit(3): its exit status. */
int client_main(int argc, char *const *argv);

int run_enroll(const struct call *call);
int run_push(const struct call *call);
int run_pull(const struct call *call);
int run_ls(const struct call *call);
int run_stat(const struct call *call);
int run_rm(const struct call *call);
int run_mv(const struct call *call);
int run_mkdir(const struct call *call);
int run_status(const struct call *call);
int run_receipt_list(const struct call *call);
int run_receipt_show(const struct call *call);
int run_receipt_verify(const struct call *call);
int run_completion(const struct call *call);

#endif
