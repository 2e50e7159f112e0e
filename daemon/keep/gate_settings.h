/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_settings: what a gate is told at HELLO and after a reload: limits, algorithms, and the
 * SSH host keys, which it must have to speak SSH at all.
 */
#ifndef DROPKEEP_KEEP_GATE_SETTINGS_H
#define DROPKEEP_KEEP_GATE_SETTINGS_H

#include "base/buf.h"

struct keep;

/* The body of an answer to HELLO or of an order CONFIGURE. The caller wipes it. */
MUST_USE int gate_settings_compose(const struct keep *keep, struct buf *out);

/* Whether it can be composed, before there are gates: host keys that are there and whole. */
MUST_USE int gate_settings_check(const struct keep *keep);

#endif
