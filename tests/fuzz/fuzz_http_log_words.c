/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_log_words: arbitrary bytes as the path of a tile and as the query of /log/records. A
 * path that is one has no other spelling; the next page's query is understood as what was asked.
 * libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>

#include "base/mem.h"
#include "daemon/gate/http_log_words.h"
#include "tlog/tile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_tile(struct view text)
{
	static const char entries[] = "tile/entries/", level_0[] = "tile/0/";
	char path[TLOG_TILE_PATH_SIZE];
	struct ask_log_file m = {0};

	if (log_tile_read(text, &m)) {
		assert(*err_text() == '\0');
		return;
	}
	assert(m.width >= 1 && m.width <= LOG_TILE_WIDTH && m.level <= LOG_LEVEL_MAX);
	assert(m.kind == LOG_TILE || (m.kind == LOG_ENTRIES && m.level == 0));
	const struct tlog_tile tile = {m.level, m.index, m.width};
	tlog_tile_path(&tile, path);
	size_t skip = m.kind == LOG_ENTRIES ? sizeof level_0 - 1 : sizeof "tile/" - 1;
	if (m.kind == LOG_ENTRIES) {
		size_t word = sizeof entries - sizeof "tile/";
		assert(text.len > word && memcmp(text.data, entries + 5, word) == 0);
		text = view_of(text.data + word, text.len - word);
	}
	assert(view_is(text, path + skip));
}

static void try_query(struct view text)
{
	struct log_words w, again;
	struct buf next = {0};

	if (log_words_read(text, &w) == 0) {
		assert(w.ask.limit >= 1 && w.ask.limit <= LOG_RECORDS_MAX);
		assert(w.ask.zone.len <= LOG_FILTER_MAX && w.ask.user.len <= LOG_FILTER_MAX);
		assert(log_words_next(&w, 5, 9, &next) == 0);
		size_t skip = sizeof "/log/records?" - 1;
		assert(next.len > skip && next.len < 1500);
		assert(log_words_read(view_of(next.data + skip, next.len - skip), &again) == 0);
		assert(again.ask.from == 5 && again.ask.before == 9);
		assert(again.ask.since_us == w.ask.since_us && again.ask.limit == w.ask.limit);
		assert(view_equal(again.ask.zone, w.ask.zone));
		assert(view_equal(again.ask.object, w.ask.object));
		log_words_done(&again);
	} else {
		assert(*err_text() != '\0');
	}
	err_clear();
	log_words_done(&w);
	buf_done(&next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	try_tile(view_of(data, len));
	try_query(view_of(data, len));
	return 0;
}
