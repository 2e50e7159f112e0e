/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: the state directory, made once by `dropkeepd --init`.
 */
#ifndef DROPKEEP_KEEP_STATE_H
#define DROPKEEP_KEEP_STATE_H

/* Names of values in the catalog that several parts of the keep read. */
#define STATE_META_RECOVERY "recovery.recipient"

#endif
