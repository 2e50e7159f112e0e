/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry: how often, and how long between. The pause doubles from half a second to 30 s;
 * what brought something along begins anew; a server that says Retry-After is heeded.
 */
#ifndef DROPKEEP_CLIENT_RETRY_H
#define DROPKEEP_CLIENT_RETRY_H

#include <stdbool.h>

#include "client/answer.h"

enum { RETRIES_DEFAULT = 8 };

struct retry {
	unsigned most; /* tries without progress */
	unsigned failed;
	unsigned after_s; /* what the server asked for; used once */
};

/* The pause before the next try, in milliseconds. Pure. */
uint64_t retry_pause_ms(const struct retry *r);

/* After a failure with this code: true when the same shall be tried again, after the pause
 * and with the chain of errors forgotten. False when that makes no sense, when it has been
 * tried often enough, and when somebody wants to stop. */
bool retry_again(struct retry *r, int code);

static inline void retry_progress(struct retry *r)
{
	r->failed = 0;
}

#endif
