/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_client_answer: arbitrary bytes as what a server says to the client: header lines up to
 * an empty one, then a body that is read as a problem and as a listing. Beside not crashing,
 * what is believed must keep its promises.
 */
#include <assert.h>

#include "base/mem.h"
#include "client/answer.h"
#include "client/listing.h"
#include "client/place.h"
#include "client/safe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The lines of the header, each in memory of its own. */
static struct view take_header(struct answer *a, struct view bytes)
{
	while (bytes.len) {
		const uint8_t *end = memchr(bytes.data, '\n', bytes.len);
		size_t n = end ? (size_t)(end - bytes.data) + 1 : bytes.len;
		char *line = mem_text_n(bytes.data, n);

		answer_take_line(a, view_of(line, n));
		mem_free(&line);
		bytes = view_of(bytes.data + n, bytes.len - n);
		if (n <= 2)
			break;
	}
	return bytes;
}

static void check_path(const char *path, const char *prefix)
{
	size_t len = strlen(prefix);

	if (path[0])
		assert(strncmp(path, prefix, len) == 0 && path[len] &&
		       !strpbrk(path + len, "/.%\r\n "));
}

static void check_answer(const struct answer *a)
{
	check_path(a->upload, "/uploads/");
	check_path(a->receipt, "/receipts/");
	assert(!a->has_range || a->range_first < a->range_size);
	assert(a->retry_after_s <= 300);
	int rc = answer_judge(a, "it");
	assert((rc == 0) == (a->status >= 200 && a->status <= 299));
	CLEANUP(mem_free) char *safe = safe_text(err_text());
	for (const char *c = safe; *c; c++)
		assert((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_listing(struct view body)
{
	CLEANUP(listing_done) struct listing l = {0};
	int rc = listing_parse(body, &l);

	assert(rc == 0 || rc == E_PROTOCOL);
	assert(rc == 0 || !l.entry);
	for (size_t i = 0; i < l.count; i++) {
		assert(name_valid(view_text(l.entry[i].name)));
		assert(i == 0 || strcmp(l.entry[i - 1].name, l.entry[i].name) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(answer_done) struct answer a = {0};
	struct view body = take_header(&a, view_of(data, len));
	int rc = buf_add(&a.body, body.data, body.len);

	assert(!rc);
	answer_read_problem(&a);
	check_answer(&a);
	check_listing(body);
	err_clear();
	return 0;
}
