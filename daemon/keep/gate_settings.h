/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_settings: what a gate is told at HELLO and after a reload: limits, algorithms, and the
 * SSH host keys, which it must have to speak SSH at all.
 */
#ifndef DROPKEEP_KEEP_GATE_SETTINGS_H
#define DROPKEEP_KEEP_GATE_SETTINGS_H

#include "base/buf.h"

struct keep;
struct settings;

/* The body of an answer to HELLO or of an order CONFIGURE. The caller wipes it. */
MUST_USE int gate_settings_compose(const struct keep *keep, const struct settings *s,
				   struct buf *out);

/* Whether it can be composed, before there are gates, and before settings are in force: host keys
 * that are there and whole, a certificate and its key. */
MUST_USE int gate_settings_check(const struct keep *keep, const struct settings *s);

#endif
