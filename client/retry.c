/* SPDX-License-Identifier: Apache-2.0 */
#include "client/retry.h"

#include "base/mem.h"
#include "client/safe.h"
#include "client/say.h"
#include "client/stop.h"

enum { FIRST_MS = 500, LONGEST_MS = 30000 };

uint64_t retry_pause_ms(const struct retry *r)
{
	uint64_t pause = FIRST_MS;

	for (unsigned i = 1; i < r->failed && pause < LONGEST_MS; i++)
		pause *= 2;
	if (pause > LONGEST_MS)
		pause = LONGEST_MS;
	return r->after_s * 1000ULL > pause ? r->after_s * 1000ULL : pause;
}

bool retry_again(struct retry *r, int code)
{
	if (!worth_a_retry(code) || stop_wanted() || r->failed >= r->most)
		return false;
	if (r->failed++) {
		CLEANUP(mem_free) char *why = safe_text(err_text());
		say_note("dropkeep: %s; trying again", why);
	}
	stop_wait_ms(retry_pause_ms(r));
	r->after_s = 0;
	if (stop_wanted())
		return false;
	err_clear();
	return true;
}
