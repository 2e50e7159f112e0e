/* SPDX-License-Identifier: Apache-2.0 */
/*
 * talk: one command to the keep over RUNTIME/control.sock, as doc/PROTOCOL.control.md says.
 */
#ifndef DROPKEEP_CTL_TALK_H
#define DROPKEEP_CTL_TALK_H

#include <stdint.h>

#include <jansson.h>

#include "base/err.h"

/* Exit status 69, "unavailable", is that of E_UNSUPPORTED. */
#define TALK_UNAVAILABLE E_UNSUPPORTED

enum { TALK_LINE_MAX = 1 << 20, TALK_REQUEST_MAX = 64 * 1024, TALK_FOR_EVER = -1 };

/*
 * Send command and args (borrowed), call on_item for each item (borrowed) until it gives
 * non-zero, which is returned, then give the result, which the caller releases.
 *
 * TALK_UNAVAILABLE: nobody listens. E_DENIED: it may not be spoken to. E_AGAIN: nothing came
 * within timeout_ms, or the connection ended first. E_PROTOCOL: an answer that is none.
 * Else the keep's own code and sentence.
 */
MUST_USE int talk_ask(const char *runtime, const char *command, json_t *args, int timeout_ms,
		      int (*on_item)(void *arg, json_t *item), void *arg, json_t **ret_result);

#endif
