/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init: a new instance: its configuration, its recovery identity, and, by way of
 * `dropkeepd --init`, its state directory.
 *
 * What it made it removes again when a later step fails, so that a second try finds
 * nothing in its way; what was there before it never touches.
 */
#ifndef DROPKEEP_CTL_INIT_H
#define DROPKEEP_CTL_INIT_H

#include "daemon/ctl/call.h"

int ctl_init(const struct call *call);

#endif
