/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample: conf/dropkeepd.conf, with values in place of its commented-out defaults.
 */
#ifndef DROPKEEP_CTL_SAMPLE_H
#define DROPKEEP_CTL_SAMPLE_H

#include "base/buf.h"

/* The sample as it is. */
MUST_USE int sample_begin(struct buf *out);

/* "#key = …" in [section] becomes "key = value". The sample has each key exactly once. */
MUST_USE int sample_set(struct buf *text, const char *section, const char *key, const char *value);

#endif
