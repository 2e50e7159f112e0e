/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_networks: a line of networks as they are typed, with commas, and behind it an address; and
 * both as if they had been stored. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "daemon/keep/networks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void add_typed(struct view line, struct buf *list)
{
	while (line.len) {
		const uint8_t *comma = memchr(line.data, ',', line.len);
		size_t len = comma ? (size_t)(comma - line.data) : line.len;
		size_t before = list->len;
		int rc = network_add(view_of(line.data, len), list);
		assert(rc == 0 || rc == E_INVALID || rc == E_LIMIT);
		assert(rc == 0 || list->len == before);
		assert(rc == 0 || strlen(err_text()) < 256);
		err_clear();
		line = view_of(line.data + len + (comma != NULL), line.len - len - (comma != NULL));
	}
}

/* What was made of it is a list, and the same when it is made of that again. */
static void check_made(const struct buf *list, const char *address)
{
	CLEANUP(buf_done) struct buf again = {0};
	CLEANUP(mem_free) char *text = mem_text_n(list->data, list->len);
	bool allowed = false;
	int rc = networks_allow(text, address, &allowed);

	assert(rc == 0 && list->len < NETWORKS_TEXT);
	assert(!allowed || !list->len || strpbrk(address, ".:"));
	for (char *c = text; *c; c++)
		if (*c == ' ')
			*c = ',';
	add_typed(view_text(text), &again);
	assert(view_equal(view_buf(&again), view_buf(list)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_done) struct buf list = {0};
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;
	size_t line = end ? (size_t)(end - data) : len;
	CLEANUP(mem_free) char *address = end ? mem_text_n(end + 1, len - line - 1) : mem_text("");
	CLEANUP(mem_free) char *stored = mem_text_n(data, line);
	bool allowed = false;

	add_typed(view_of(data, line), &list);
	check_made(&list, address);
	int rc = networks_allow(stored, address, &allowed);
	assert(rc == 0 || (rc == E_INTEGRITY && !allowed));
	err_clear();
	return 0;
}
