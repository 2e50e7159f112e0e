/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tlog_proof: arbitrary bytes as a log proof. It has one form only, so what is accepted
 * must be written again byte for byte; and no key has signed what a fuzzer finds.
 */
#include <assert.h>

#include "base/mem.h"
#include "tlog/proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_proof(struct view bytes, const struct tlog_proof *p)
{
	CLEANUP(buf_done) struct buf again = {0};
	struct tlog_hash leaf = {{0}};
	int rc = tlog_proof_write(view_buf(&p->extra), p->index, &p->path, p->note, &again);

	assert(rc == 0 && view_equal(view_buf(&again), bytes));
	assert(p->index <= TLOG_SIZE_MAX && p->path.len < 64);
	rc = tlog_proof_verify(p, &leaf, p->checkpoint.origin, NULL, 0);
	assert(rc == E_INTEGRITY);
	rc = tlog_verify_inclusion(&leaf, p->index, p->checkpoint.size, &p->checkpoint.root,
				   &p->path);
	assert(rc == 0 || rc == E_INTEGRITY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	int rc = tlog_proof_parse(view_of(data, len), &p);

	assert(rc == 0 || rc == E_INVALID || rc == E_LIMIT);
	if (rc == 0)
		check_proof(view_of(data, len), &p);
	err_clear();
	return 0;
}
