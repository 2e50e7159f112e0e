/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tlog_checkpoint: arbitrary bytes as the text of a checkpoint. A checkpoint has one
 * form only, so what is accepted must be written again byte for byte.
 */
#include <assert.h>

#include "base/mem.h"
#include "tlog/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_done) struct buf again = {0};
	struct tlog_checkpoint c = {.size = 0};
	int rc = tlog_checkpoint_parse(view_of(data, len), &c);

	assert(rc == 0 || rc == E_INVALID);
	if (rc == 0) {
		assert(c.origin.len > 0 && c.size <= TLOG_SIZE_MAX);
		rc = tlog_checkpoint_write(&c, &again);
		assert(rc == 0 && view_equal(view_buf(&again), view_of(data, len)));
	}
	err_clear();
	return 0;
}
