/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_fields: arbitrary lines "name: value" as the fields of a request, read by everything
 * that reads fields: conditions, ranges, dates, digests, and those of tus. Each value is in memory
 * of exactly its size. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/gate/http_condition.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_tus.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { FIELDS = 16, UNTOUCHED = 0x5a };
static const int64_t now_s = 1700000000;
static const int64_t modified_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */

/* The content that is there has the hash 000102…1f. */
static void the_hash(uint8_t ret[WIRE_HASH])
{
	for (unsigned i = 0; i < WIRE_HASH; i++)
		ret[i] = (uint8_t)i;
}

static struct view exact(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, data, len);
	return view_of(copy, len);
}

/* As the parser of heads hands them on: without blanks around. */
static void add_line(struct http_head *h, struct view line)
{
	const uint8_t *colon = line.len ? memchr(line.data, ':', line.len) : NULL;

	if (!colon || h->fields == FIELDS)
		return;
	const uint8_t *from = colon + 1, *end = line.data + line.len;
	while (from < end && *from == ' ')
		from++;
	while (end > from && end[-1] == ' ')
		end--;
	h->field[h->fields++] = (struct http_field){view_of(line.data, (size_t)(colon - line.data)),
						    exact(from, (size_t)(end - from))};
}

static void read_lines(struct http_head *h, struct view text)
{
	for (size_t at = 0; at < text.len;) {
		const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
		size_t end = newline ? (size_t)(newline - text.data) : text.len;
		add_line(h, view_of(text.data + at, end - at));
		at = end + 1;
	}
}

static size_t bytes_of(const struct http_head *h, const char *name)
{
	size_t sum = 0;

	for (const struct view *v = NULL; (v = head_next_field(h, name, v));)
		sum += v->len;
	return sum;
}

static void check_get(struct http_head *h, uint64_t size)
{
	uint8_t hash[WIRE_HASH];
	struct range range = {0};

	the_hash(hash);
	struct representation r = {hash, size, modified_s};
	unsigned status = condition_of_get(h, &r, now_s);
	assert(status == 0 || status == 304 || status == 412);
	h->method = METHOD_GET;
	if (range_of_get(h, &r, now_s, &range)) {
		assert(range.first <= size && range.len <= size - range.first);
		assert(range.partial ? range.len > 0 : range.len == size);
	} else {
		assert(head_find_field(h, "range"));
	}
	h->method = METHOD_HEAD;
	bool whole = range_of_get(h, &r, now_s, &range);
	assert(whole && !range.partial && range.len == size);
}

static void check_put(const struct http_head *h)
{
	CLEANUP(buf_done) struct buf hashes = {0};
	bool any = false, fresh = false;
	int rc = conditions_of_put(h, &hashes, &any, &fresh);

	assert(rc == 0 || rc == E_INVALID);
	assert(hashes.len % WIRE_HASH == 0);
	/* No more goes to the keep than has come, but for the one hash that stands for foreign
	 * tags. */
	assert(hashes.len <= bytes_of(h, "if-match") + WIRE_HASH);
	if (rc)
		return;
	assert(!head_find_field(h, "if-match") || any || hashes.len);
	assert(fresh == (head_find_field(h, "if-none-match") != NULL));
}

static void check_digest(const struct http_head *h)
{
	uint8_t sha256[WIRE_HASH] = {0}, again[WIRE_HASH] = {0};
	char text[DIGEST_TEXT];
	bool there = false;
	int rc = digest_of_put(h, sha256, &there);

	assert(rc == 0 || rc == E_INVALID);
	if (rc || !there)
		return;
	digest_write(sha256, text);
	struct http_head written = {.fields = 1};
	written.field[0] = (struct http_field){view_text("Repr-Digest"), view_text(text)};
	rc = digest_of_put(&written, again, &there);
	assert(!rc && there && memcmp(sha256, again, WIRE_HASH) == 0);
}

static void check_tus(const struct http_head *h)
{
	static const char *const numbers[] = {"upload-offset", "upload-length"};
	static const char *const keys[] = {"path", "filename", "mtime"};
	uint8_t sha256[WIRE_HASH];
	bool there = false;
	int rc = 0;

	assert(!tus_speaks(h) || head_find_field(h, "tus-resumable"));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t n = UNTOUCHED;
		rc = tus_number(h, numbers[i], &n, &there);
		assert(rc == 0 || (rc == E_INVALID && n == UNTOUCHED));
		assert(n < 1000000000000000000);
		assert(there == (head_find_field(h, numbers[i]) != NULL));
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		rc = tus_metadata(h, keys[i], &out, &there);
		assert(rc == 0 || rc == E_INVALID);
		assert(out.len <= bytes_of(h, "upload-metadata"));
		assert(rc || there || !out.len);
	}
	rc = tus_checksum(h, sha256, &there);
	assert(rc == 0 || (rc == E_INVALID && there));
}

/* What is read as a time is the same time when it is written and read again. */
static void check_date(struct view v, int64_t now)
{
	int64_t time_s = UNTOUCHED, again = UNTOUCHED;
	char text[HTTP_DATE], iso[HTTP_DATE];

	if (date_read(v, now, &time_s)) {
		assert(time_s == UNTOUCHED);
		return;
	}
	date_write(time_s, text);
	date_write_iso(time_s, iso);
	assert(!text[0] == !iso[0]);
	if (!text[0])
		return;
	int rc = date_read(view_text(text), now, &again);
	assert(!rc && again == time_s);
}

static void check_ticket(struct view v)
{
	uint8_t ticket[WIRE_ID];
	char text[2 * WIRE_ID + 1];

	if (tus_ticket(v, ticket))
		return;
	hex_encode(ticket, sizeof ticket, text);
	assert(view_is(v, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint64_t sizes[] = {0, 1, 65536, UINT64_C(1) << 40, UINT64_MAX};
	struct http_head h = {.method = METHOD_GET};

	read_lines(&h, view_of(data, len));
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
		check_get(&h, sizes[i]);
	check_put(&h);
	check_digest(&h);
	check_tus(&h);
	for (unsigned i = 0; i < h.fields; i++) {
		struct view v = h.field[i].value;
		check_date(v, now_s);
		check_date(v, INT64_MAX);
		check_ticket(v);
		assert(!list_has(v, "close") || v.len >= 5);
		free((void *)(uintptr_t)v.data);
	}
	err_clear();
	return 0;
}
