/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/gate/http_log_words.h"

#include <inttypes.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/gate/http_date.h"
#include "daemon/gate/http_path.h"

/* ---- paths of tiles ---- */

static bool skip(struct view *at, const char *word)
{
	size_t len = strlen(word);

	if (at->len < len || memcmp(at->data, word, len) != 0)
		return false;
	*at = view_of(at->data + len, at->len - len);
	return true;
}

/* Decimal, without needless zeroes, up to most. */
static bool take_number(struct view *at, unsigned most, unsigned *ret)
{
	unsigned n = 0;
	size_t i = 0;

	for (; i < at->len && at->data[i] >= '0' && at->data[i] <= '9'; i++) {
		n = n * 10 + (unsigned)(at->data[i] - '0');
		if (n > most)
			return false;
	}
	if (!i || (i > 1 && at->data[0] == '0'))
		return false;
	*ret = n;
	*at = view_of(at->data + i, at->len - i);
	return true;
}

static bool take_group(struct view *at, uint64_t *n)
{
	uint64_t group = 0;

	if (at->len < 3)
		return false;
	for (int i = 0; i < 3; i++) {
		if (at->data[i] < '0' || at->data[i] > '9')
			return false;
		group = group * 10 + (uint64_t)(at->data[i] - '0');
	}
	if (*n > (INT64_MAX - group) / 1000)
		return false;
	*n = *n * 1000 + group;
	*at = view_of(at->data + 3, at->len - 3);
	return true;
}

/* Groups of three digits, all but the last after an x; the first is 000 only where it is all. */
static bool take_index(struct view *at, uint64_t *ret)
{
	uint64_t n = 0;

	for (bool first = true; skip(at, "x"); first = false)
		if (!take_group(at, &n) || !skip(at, "/") || (first && !n))
			return false;
	*ret = n;
	return take_group(at, ret);
}

int log_tile_read(struct view rest, struct ask_log_file *ret_ask)
{
	struct ask_log_file m = {.kind = LOG_TILE};
	unsigned level = 0, width = LOG_TILE_WIDTH;

	if (skip(&rest, "entries/"))
		m.kind = LOG_ENTRIES;
	else if (!take_number(&rest, LOG_LEVEL_MAX, &level) || !skip(&rest, "/"))
		return E_GONE;
	if (!take_index(&rest, &m.index))
		return E_GONE;
	if (skip(&rest, ".p/") && (!take_number(&rest, LOG_TILE_WIDTH - 1, &width) || !width))
		return E_GONE;
	if (rest.len)
		return E_GONE;
	m.level = (uint8_t)level;
	m.width = (uint16_t)width;
	*ret_ask = m;
	return 0;
}

/* ---- words of a query ---- */

static int take_text(struct view v, struct view *ret)
{
	if (!utf8_valid(v) || utf8_has_control(v))
		return E_INVALID;
	*ret = v;
	return 0;
}

static int take_count(struct view v, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < v.len; i++) {
		if (v.data[i] < '0' || v.data[i] > '9' || i >= 18)
			return E_INVALID;
		n = n * 10 + (uint64_t)(v.data[i] - '0');
	}
	*ret = n;
	return 0;
}

static int read_since(struct view v, struct ask_log_query *m)
{
	return date_read_iso(v, &m->since_us);
}

static int read_until(struct view v, struct ask_log_query *m)
{
	return date_read_iso(v, &m->until_us);
}

static int read_zone(struct view v, struct ask_log_query *m)
{
	return take_text(v, &m->zone);
}

static int read_user(struct view v, struct ask_log_query *m)
{
	return take_text(v, &m->user);
}

static int read_event(struct view v, struct ask_log_query *m)
{
	return take_text(v, &m->event);
}

static int read_outcome(struct view v, struct ask_log_query *m)
{
	m->outcome = v;
	return view_is(v, "ok") || view_is(v, "refused") || view_is(v, "failed") ? 0 : E_INVALID;
}

static int read_object(struct view v, struct ask_log_query *m)
{
	char text[2 * WIRE_ID + 1];
	uint8_t id[WIRE_ID];

	m->object = v;
	if (hex_decode(v, id, sizeof id))
		return E_INVALID;
	hex_encode(id, sizeof id, text);
	return view_is(v, text) ? 0 : E_INVALID; /* as records have it: in small letters */
}

static int read_after(struct view v, struct ask_log_query *m)
{
	int rc = take_count(v, &m->from);

	m->from++;
	return rc;
}

static int read_before(struct view v, struct ask_log_query *m)
{
	int rc = take_count(v, &m->before);

	return rc || m->before ? rc : E_INVALID;
}

static int read_limit(struct view v, struct ask_log_query *m)
{
	uint64_t n = 0;
	int rc = take_count(v, &n);

	if (rc || n < 1 || n > LOG_RECORDS_MAX)
		return E_INVALID;
	m->limit = (uint32_t)n;
	return 0;
}

enum { WORD_AFTER = 7, WORD_BEFORE = 8 };

static const struct {
	const char *name, *what;
	int (*read)(struct view v, struct ask_log_query *m);
} words[LOG_WORDS] = {
    {"since", "a time (2026-01-31T23:59:59Z, 2026-01-31)", read_since},
    {"until", "a time (2026-01-31T23:59:59Z, 2026-01-31)", read_until},
    {"zone", "a zone's name", read_zone},
    {"user", "a user's name", read_user},
    {"event", "an event's name", read_event},
    {"outcome", "ok, refused or failed", read_outcome},
    {"object", "32 hexadecimal digits, in small letters", read_object},
    [WORD_AFTER] = {"after", "a record's number", read_after},
    [WORD_BEFORE] = {"before", "a record's number, from 1 on", read_before},
    {"limit", "a number from 1 to 10000", read_limit},
};

static int read_one(struct view one, struct log_words *w)
{
	const uint8_t *is = one.len ? memchr(one.data, '=', one.len) : NULL;
	size_t len = is ? (size_t)(is - one.data) : one.len;

	for (size_t i = 0; is && i < LOG_WORDS; i++) {
		if (!view_is(view_of(one.data, len), words[i].name))
			continue;
		if (w->said[i])
			return fail(E_INVALID, "'%s' is there twice", words[i].name);
		w->said[i] = true;
		int rc =
		    percent_decode(view_of(one.data + len + 1, one.len - len - 1), &w->value[i]);
		struct view v = view_buf(&w->value[i]);
		if (!rc && (!v.len || v.len > LOG_FILTER_MAX || words[i].read(v, &w->ask))) {
			err_clear();
			rc = fail(E_INVALID, "'%s' wants %s", words[i].name, words[i].what);
		}
		return rc;
	}
	return fail(E_INVALID, "records are asked for by since=, until=, zone=, user=, event=, "
			       "outcome=, object=, after=, before= and limit=");
}

int log_words_read(struct view query, struct log_words *ret_words)
{
	struct log_words *w = ret_words;
	int rc = 0;

	*w = (struct log_words){.ask = {.since_us = TIME_UNKNOWN,
					.until_us = TIME_UNKNOWN,
					.limit = LOG_LIMIT_DEFAULT}};
	for (size_t at = 0; at < query.len && !rc;) {
		const uint8_t *amp = memchr(query.data + at, '&', query.len - at);
		size_t end = amp ? (size_t)(amp - query.data) : query.len;
		rc = read_one(view_of(query.data + at, end - at), w);
		at = end + 1;
	}
	return rc;
}

void log_words_done(struct log_words *w)
{
	for (size_t i = 0; i < LOG_WORDS; i++)
		buf_done(&w->value[i]);
}

int log_words_next(const struct log_words *w, uint64_t from, uint64_t before, struct buf *out)
{
	int rc = buf_add_text(out, "/log/records?");

	for (size_t i = 0; i < LOG_WORDS && !rc; i++) {
		if (!w->said[i] || i == WORD_AFTER || i == WORD_BEFORE)
			continue;
		rc = buf_printf(out, "%s=", words[i].name);
		if (!rc)
			rc = percent_encode(view_buf(&w->value[i]), out);
		if (!rc)
			rc = buf_add_text(out, "&");
	}
	/* A page that has ended before the first record begins with it again. */
	if (!rc && from)
		rc = buf_printf(out, "after=%" PRIu64 "&", from - 1);
	return rc ? rc : buf_printf(out, "before=%" PRIu64, before);
}
