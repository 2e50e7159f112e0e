/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/trail.h"

#include <stdio.h>

#include "base/text.h"
#include "daemon/keep/lines.h"
#include "keep_kit.h"
#include "tlog/checkpoint.h"
#include "tlog/key.h"

static const char origin[] = "keep.example/log/1";

struct log {
	const struct kit *kit;
	struct secret *seed;
	struct trail *trail;
	struct buf all;         /* every line that was appended */
	struct trail_mark mark; /* of the last append */
	size_t count;
	uint64_t file_max;
	char *key;
};

static int open_at(struct log *l, const struct trail_mark *mark, struct view pending)
{
	trail_free(&l->trail);
	return trail_open(l->kit->fd, origin, l->seed, mark, pending, l->file_max, &l->trail);
}

static struct log new_log(const struct kit *kit, uint64_t file_max)
{
	struct log l = {.kit = kit, .file_max = file_max};
	uint8_t seed[32];

	memset(seed, 7, sizeof seed);
	assert_good(secret_copy(seed, sizeof seed, &l.seed));
	assert_good(trail_create(kit->fd, origin, l.seed));
	tlog_empty_root(&l.mark.root);
	assert_good(open_at(&l, &l.mark, view_of(NULL, 0)));
	l.key = mem_text(trail_key(l.trail));
	return l;
}

static void log_done(struct log *l)
{
	trail_free(&l->trail);
	secret_free(&l->seed);
	buf_done(&l->all);
	free(l->key);
}

#define LOG CLEANUP(log_done) struct log

/* The lines from there on; where there are none there may be no address to add to. */
static struct view lines_from(const struct log *l, size_t start)
{
	if (start == l->all.len)
		return view_of(NULL, 0);
	return view_of(l->all.data + start, l->all.len - start);
}

/* n more lines, as they will be appended; the numbers go on. */
static struct view make_lines(struct log *l, size_t n)
{
	size_t start = l->all.len;

	for (size_t i = 0; i < n; i++, l->count++)
		assert_good(
		    buf_printf(&l->all, "{\"v\":1,\"seq\":%zu,\"text\":\"%.*s\"}\n", l->count,
			       (int)(l->count * 7 % 60),
			       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz01234567"));
	return lines_from(l, start);
}

static void append(struct log *l, size_t n)
{
	assert_good(trail_append(l->trail, make_lines(l, n)));
	trail_mark(l->trail, &l->mark);
	assert_int_equal(l->mark.size, l->count);
}

static int collect(void *arg, uint64_t seq, struct view line)
{
	struct buf *out = arg;

	(void)seq;
	assert_good(buf_add(out, line.data, line.len));
	return buf_add_text(out, "\n");
}

/* The root of lines, by a way of its own. */
static void root_of(struct view lines, struct tlog_hash *ret_root)
{
	struct tlog_hash leaf[4096];
	size_t n = 0;

	while (lines.len) {
		const uint8_t *newline = memchr(lines.data, '\n', lines.len);
		size_t len = (size_t)(newline - lines.data);
		tlog_leaf_hash(view_of(lines.data, len), &leaf[n++]);
		lines = view_of(newline + 1, lines.len - len - 1);
	}
	for (size_t width = n; width > 1;) {
		size_t next = 0;
		for (size_t i = 0; i < width; i += 2) {
			if (i + 1 < width)
				tlog_node_hash(&leaf[i], &leaf[i + 1], &leaf[next++]);
			else
				leaf[next++] = leaf[i];
		}
		width = next;
	}
	if (n)
		*ret_root = leaf[0];
	else
		tlog_empty_root(ret_root);
}

static size_t problems_of(struct log *l, const char *expected)
{
	CLEANUP(buf_done) struct buf found = {0};
	const char *text = "";
	size_t n = 0;

	assert_good(trail_verify(l->kit->fd, origin, l->key, &l->mark, &found));
	assert_good(buf_text(&found, &text));
	if (expected && !strstr(text, expected))
		print_message("# '%s' is not in: %s\n", expected, text);
	if (expected)
		assert_non_null(strstr(text, expected));
	for (size_t i = 0; i < found.len; i++)
		n += found.data[i] == '\n';
	if (!expected && n)
		print_message("# %s\n", text);
	return n;
}

/* All lines are there, and what the mark says of them is so. */
static void expect_whole(struct log *l)
{
	CLEANUP(buf_done) struct buf got = {0};
	struct tlog_hash root;

	assert_good(trail_read(l->kit->fd, &l->mark, collect, &got));
	assert_true(view_equal(view_buf(&got), view_buf(&l->all)));
	root_of(view_buf(&l->all), &root);
	assert_memory_equal(root.byte, l->mark.root.byte, sizeof root.byte);
	assert_int_equal(problems_of(l, NULL), 0);
}

static uint64_t size_of(const struct kit *kit, const char *name)
{
	struct stat st;

	return fstatat(kit->fd, name, &st, 0) ? UINT64_MAX : (uint64_t)st.st_size;
}

static void mark_survives_being_written_down(void **state)
{
	struct trail_mark m = {.size = 1, .file = UINT64_MAX, .bytes = 1234567890123}, got;
	uint8_t bytes[TRAIL_MARK_SIZE + 1];

	(void)state;
	memset(m.root.byte, 0xab, sizeof m.root.byte);
	trail_mark_write(&m, bytes);
	assert_good(trail_mark_read(view_of(bytes, TRAIL_MARK_SIZE), &got));
	assert_int_equal(got.size, m.size);
	assert_int_equal(got.file, m.file);
	assert_int_equal(got.bytes, m.bytes);
	assert_memory_equal(got.root.byte, m.root.byte, sizeof m.root.byte);
	for (size_t len = 0; len < TRAIL_MARK_SIZE; len++) {
		uint8_t *exact = kit_exact(view_of(bytes, len));
		assert_refused(trail_mark_read(view_of(exact, len), &got), E_INTEGRITY);
		free(exact);
	}
	assert_refused(trail_mark_read(view_of(bytes, sizeof bytes), &got), E_INTEGRITY);
}

static void create_twice_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	append(&l, 1);
	assert_refused(trail_create(l.kit->fd, origin, l.seed), E_EXISTS);
	expect_whole(&l);
}

static void append_is_read_back_and_verifies_at_every_size(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	expect_whole(&l);
	for (size_t n = 1; n <= 20; n++) {
		append(&l, 1);
		expect_whole(&l);
	}
	append(&l, 300);
	expect_whole(&l);
	append(&l, 2000);
	expect_whole(&l);
}

static void append_of_a_torn_line_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	assert_refused(trail_append(l.trail, view_text("{}\n{")), E_INVALID);
}

static void checkpoint_is_signed_over_what_is_there(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(buf_done) struct buf note = {0}, key = {0};
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	struct tlog_checkpoint c;

	append(&l, 5);
	assert_good(sys_read_file(l.kit->fd, "log/key.vkey", 1000, &key));
	assert_int_equal(key.data[key.len - 1], '\n');
	assert_true(view_equal(view_of(key.data, key.len - 1), view_text(l.key)));
	assert_good(tlog_verifier_parse(view_of(key.data, key.len - 1), &v));
	assert_good(sys_read_file(l.kit->fd, "log/checkpoint", 10000, &note));
	assert_good(tlog_checkpoint_open(view_buf(&note), view_text(origin), &v, 1, &c));
	assert_int_equal(c.size, 5);
	assert_memory_equal(c.root.byte, l.mark.root.byte, sizeof c.root.byte);
}

static void reopen_goes_on_where_it_was(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	for (size_t n = 0; n < 12; n++) {
		append(&l, n * 3);
		assert_good(open_at(&l, &l.mark, view_of(NULL, 0)));
		assert_string_equal(trail_key(l.trail), l.key);
	}
	append(&l, 2);
	expect_whole(&l);
}

static void files_are_begun_when_they_are_full(void **state)
{
	LOG l = new_log(*state, 500);

	for (size_t n = 0; n < 30; n++)
		append(&l, 3);
	assert_true(l.mark.file > 5);
	expect_whole(&l);
	assert_true(size_of(l.kit, "log/records-000000.jsonl") >= 500);
	assert_true(size_of(l.kit, "log/records-000000.jsonl") < 1000);
	assert_good(open_at(&l, &l.mark, view_of(NULL, 0)));
	append(&l, 1);
	expect_whole(&l);
}

/* What is behind the mark is cut off, and comes again from the outbox, byte for byte; also where
 * a crash tore the last line, wherever files began and ended. */
static void reopen_completes_the_log_from_the_outbox(void **state)
{
	LOG l = new_log(*state, 400);

	for (size_t round = 0; round < 20; round++) {
		append(&l, round % 4);
		struct trail_mark old = l.mark;
		size_t start = l.all.len, batches = round % 5;
		for (size_t i = 0; i < batches; i++)
			append(&l, 1 + round % 3);
		if (round % 2) { /* torn */
			char name[RECORDS_NAME + 4] = "log/";
			CLEANUP(sys_close) int fd = -1;
			lines_file_name(l.mark.file, name + 4);
			assert_good(sys_open(l.kit->fd, name, O_RDWR, 0, &fd));
			assert_good(sys_pwrite_all(fd, "{\"seq\":", 7, l.mark.bytes));
		}
		(void)make_lines(&l, round % 2); /* one that never reached the log */
		assert_good(open_at(&l, &old, lines_from(&l, start)));
		trail_mark(l.trail, &l.mark);
		assert_int_equal(l.mark.size, l.count);
		expect_whole(&l);
	}
}

/* The records alone were written; tree and checkpoint were not. */
static void reopen_after_a_crash_between_records_and_tree_is_whole(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(sys_close) int fd = -1;

	append(&l, 3);
	size_t start = l.all.len;
	struct view more = make_lines(&l, 2);
	assert_good(sys_open(l.kit->fd, "log/records-000000.jsonl", O_RDWR, 0, &fd));
	assert_good(sys_pwrite_all(fd, more.data, more.len - 3, l.mark.bytes));
	assert_good(open_at(&l, &l.mark, view_of(l.all.data + start, more.len)));
	trail_mark(l.trail, &l.mark);
	expect_whole(&l);
}

static void copy_of(const struct kit *kit, const char *name, struct buf *out)
{
	buf_clear(out);
	assert_good(sys_read_file(kit->fd, name, 1 << 20, out));
}

/* The catalog forgot what the log has shown to the world: nothing is cut. */
static void outbox_that_lacks_what_a_checkpoint_covers_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(buf_done) struct buf before = {0}, after = {0};

	append(&l, 10);
	struct trail_mark old = l.mark;
	size_t start = l.all.len;
	append(&l, 3);
	copy_of(l.kit, "log/records-000000.jsonl", &before);
	for (size_t lines = 0; lines < 3; lines++) {
		const uint8_t *end = l.all.data + start;
		for (size_t i = 0; i < lines; i++)
			end = (const uint8_t *)memchr(end, '\n', 1000) + 1;
		struct view pending =
		    view_of(l.all.data + start, (size_t)(end - (l.all.data + start)));
		err_clear();
		assert_int_equal(open_at(&l, &old, pending), E_INTEGRITY);
		assert_non_null(strstr(err_text(), "the catalog was rolled back"));
		copy_of(l.kit, "log/records-000000.jsonl", &after);
		assert_true(view_equal(view_buf(&before), view_buf(&after)));
	}
	assert_good(open_at(&l, &old, lines_from(&l, start)));
	expect_whole(&l);
}

static void outbox_that_is_another_than_a_checkpoint_covers_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	append(&l, 10);
	struct trail_mark old = l.mark;
	size_t start = l.all.len;
	append(&l, 3);
	for (size_t i = start; i < l.all.len; i += 11) {
		if (l.all.data[i] == '\n')
			continue;
		l.all.data[i] ^= 1;
		assert_refused(open_at(&l, &old, lines_from(&l, start)), E_INTEGRITY);
		l.all.data[i] ^= 1;
	}
	assert_good(open_at(&l, &old, lines_from(&l, start)));
	expect_whole(&l);
}

static void log_that_is_shorter_than_the_mark_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(sys_close) int fd = -1;

	append(&l, 5);
	assert_good(sys_open(l.kit->fd, "log/records-000000.jsonl", O_RDWR, 0, &fd));
	assert_good(sys_truncate(fd, l.mark.bytes - 1));
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
	assert_int_equal(problems_of(&l, "cannot be read"), 1);
	assert_good(sys_unlink(l.kit->fd, "log/records-000000.jsonl"));
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
	assert_int_equal(problems_of(&l, "cannot be read"), 1);
}

static void checkpoint_that_is_older_than_the_mark_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(buf_done) struct buf old = {0};

	append(&l, 5);
	copy_of(l.kit, "log/checkpoint", &old);
	append(&l, 1);
	assert_good(sys_replace_file(l.kit->fd, "log/checkpoint", 0600, view_buf(&old)));
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
	assert_int_equal(problems_of(&l, "older"), 1);
}

static void checkpoint_that_is_missing_or_altered_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(buf_done) struct buf good = {0};

	append(&l, 5);
	copy_of(l.kit, "log/checkpoint", &good);
	for (size_t i = 0; i < good.len; i++) {
		kit_flip(l.kit, "log/checkpoint", i);
		assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
		assert_int_equal(problems_of(&l, "checkpoint does not verify"), 1);
		kit_flip(l.kit, "log/checkpoint", i);
	}
	assert_good(open_at(&l, &l.mark, view_of(NULL, 0)));
	assert_good(sys_unlink(l.kit->fd, "log/checkpoint"));
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
	assert_int_equal(problems_of(&l, "checkpoint does not verify"), 1);
}

/* A checkpoint by the log's own key, over other records of the same number. */
static void forked_root_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(tlog_signer_free) struct tlog_signer *signer = NULL;
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_checkpoint c = {.origin = view_text(origin), .size = 5};

	append(&l, 5);
	assert_good(tlog_signer_new(view_text(origin), l.seed, &signer));
	c.root = l.mark.root;
	c.root.byte[31] ^= 1;
	assert_good(tlog_checkpoint_sign(&c, signer, &note));
	assert_good(sys_replace_file(l.kit->fd, "log/checkpoint", 0600, view_buf(&note)));
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
	assert_int_equal(problems_of(&l, "different roots"), 1);
}

static void foreign_key_or_origin_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(secret_free) struct secret *other = NULL;
	struct trail *t = NULL;

	append(&l, 5);
	assert_good(secret_random(32, &other));
	assert_refused(
	    trail_open(l.kit->fd, origin, other, &l.mark, view_of(NULL, 0), TRAIL_FILE_MAX, &t),
	    E_INTEGRITY);
	assert_refused(trail_open(l.kit->fd, "keep.example/log/2", l.seed, &l.mark,
				  view_of(NULL, 0), TRAIL_FILE_MAX, &t),
		       E_INTEGRITY);
	assert_null(t);
}

static void mark_with_another_root_is_refused(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	append(&l, 300);
	struct trail_mark wrong = l.mark;
	wrong.root.byte[0] ^= 1;
	assert_refused(open_at(&l, &wrong, view_of(NULL, 0)), E_INTEGRITY);
	wrong = l.mark;
	wrong.size--;
	assert_refused(open_at(&l, &wrong, view_of(NULL, 0)), E_INTEGRITY);
}

static void verify_finds_every_changed_byte_of_the_records(void **state)
{
	LOG l = new_log(*state, 300);
	char name[RECORDS_NAME + 4] = "log/";

	for (size_t n = 0; n < 6; n++)
		append(&l, 4);
	assert_true(l.mark.file >= 2);
	for (uint64_t file = 0; file <= l.mark.file; file++) {
		lines_file_name(file, name + 4);
		for (uint64_t i = 0; i < size_of(l.kit, name); i++) {
			kit_flip(l.kit, name, i);
			assert_int_not_equal(problems_of(&l, name + 4), 0);
			kit_flip(l.kit, name, i);
		}
	}
	assert_int_equal(problems_of(&l, NULL), 0);
}

static void verify_finds_altered_tiles(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);

	append(&l, 200);
	kit_flip(l.kit, "log/tile/0/000.p/200", 3000);
	assert_int_equal(problems_of(&l, "tiles"), 1);
	assert_refused(open_at(&l, &l.mark, view_of(NULL, 0)), E_INTEGRITY);
}

static void read_stops_where_the_visitor_says(void **state)
{
	LOG l = new_log(*state, 100);
	CLEANUP(buf_done) struct buf got = {0};
	struct trail_mark part;

	append(&l, 2);
	part = l.mark;
	append(&l, 50);
	assert_good(trail_read(l.kit->fd, &part, collect, &got)); /* and nothing behind it */
	size_t n = 0;
	for (size_t i = 0; i < got.len; i++)
		n += got.data[i] == '\n';
	assert_int_equal(n, 2);
}

/* A log that grows under the feet of who reads it, up to the mark that they have. */
static void verify_at_an_old_mark_of_a_log_that_grew_is_content(void **state)
{
	LOG l = new_log(*state, 300);
	struct trail_mark old;

	append(&l, 10);
	old = l.mark;
	append(&l, 300);
	l.mark = old;
	assert_int_equal(problems_of(&l, NULL), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)

/* ---- what verifiers elsewhere get ---- */

struct stretch {
	uint64_t next, left;
	struct buf text;
};

static int stretch_visit(void *arg, uint64_t seq, struct view line)
{
	struct stretch *s = arg;

	assert_int_equal(seq, s->next++);
	assert_good(buf_add(&s->text, line.data, line.len));
	assert_good(buf_add_text(&s->text, "\n"));
	return --s->left ? 0 : 7;
}

/* Where the line of a number begins in all of them. */
static size_t start_of(const struct log *l, uint64_t seq)
{
	size_t at = 0;

	for (; seq; seq--)
		at = (size_t)((const uint8_t *)memchr(l->all.data + at, '\n', l->all.len - at) -
			      l->all.data) +
		     1;
	return at;
}

static void read_begins_at_any_record(void **state)
{
	LOG l = new_log(*state, 700); /* many files */

	for (int i = 0; i < 20; i++)
		append(&l, 5);
	for (uint64_t from = 0; from < l.count; from++) {
		struct stretch s = {.next = from, .left = from % 2 ? 3 : UINT64_MAX};
		int rc = trail_read_from(l.kit->fd, &l.mark, from, stretch_visit, &s);
		bool stops = from % 2 && l.count - from >= 3;
		assert_int_equal(rc, stops ? 7 : 0);
		assert_int_equal(s.next, stops ? from + 3 : l.count);
		size_t start = start_of(&l, from);
		assert_true(s.text.len <= l.all.len - start);
		assert_memory_equal(s.text.data, l.all.data + start, s.text.len);
		buf_done(&s.text);
	}
	struct stretch none = {.next = 0};
	assert_good(trail_read_from(l.kit->fd, &l.mark, l.count, stretch_visit, &none));
	assert_good(trail_read_from(l.kit->fd, &l.mark, UINT64_MAX, stretch_visit, &none));
	assert_int_equal(none.next, 0);
}

static void bundles_hold_the_lines_with_their_lengths(void **state)
{
	LOG l = new_log(*state, 900);

	append(&l, 300);
	for (uint64_t first = 0; first < l.count; first += 37) {
		CLEANUP(buf_done) struct buf bundle = {0};
		uint64_t count = l.count - first < 100 ? l.count - first : 100;
		size_t at = 0, line = start_of(&l, first);
		assert_good(trail_bundle(l.kit->fd, &l.mark, first, count, &bundle));
		for (uint64_t i = 0; i < count; i++) {
			size_t len = (size_t)bundle.data[at] << 8 | bundle.data[at + 1];
			assert_true(at + 2 + len <= bundle.len);
			assert_memory_equal(bundle.data + at + 2, l.all.data + line, len);
			assert_int_equal(l.all.data[line + len], '\n');
			line += len + 1;
			at += 2 + len;
		}
		assert_int_equal(at, bundle.len);
	}
	CLEANUP(buf_done) struct buf none = {0};
	assert_gone(trail_bundle(l.kit->fd, &l.mark, 0, 0, &none));
	assert_gone(trail_bundle(l.kit->fd, &l.mark, 0, 301, &none));
	assert_gone(trail_bundle(l.kit->fd, &l.mark, 300, 1, &none));
	assert_gone(trail_bundle(l.kit->fd, &l.mark, UINT64_MAX, 256, &none));
	assert_int_equal(none.len, 0);
}

static void tiles_are_those_of_the_mark_at_any_width(void **state)
{
	LOG l = new_log(*state, TRAIL_FILE_MAX);
	CLEANUP(buf_done) struct buf full = {0};
	struct trail_mark before;

	append(&l, 3);
	append(&l, 90); /* no tree had a size in between */
	before = l.mark;
	append(&l, 207);
	assert_good(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){0, 0, 256}, &full));
	assert_int_equal(full.len, 256 * 32);
	for (unsigned width = 1; width < 256; width++) {
		CLEANUP(buf_done) struct buf part = {0};
		const struct tlog_tile tile = {0, 0, width};
		assert_good(trail_tile(l.kit->fd, &l.mark, &tile, &part));
		assert_int_equal(part.len, width * 32);
		assert_memory_equal(part.data, full.data, part.len);
		buf_clear(&part);
		if (width > before.size)
			assert_gone(trail_tile(l.kit->fd, &before, &tile, &part));
	}
	CLEANUP(buf_done) struct buf none = {0};
	assert_gone(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){0, 1, 45}, &none));
	assert_gone(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){1, 0, 2}, &none));
	assert_gone(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){63, 0, 1}, &none));
	assert_good(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){1, 0, 1}, &none));
	assert_int_equal(none.len, 32);
	assert_good(sys_unlink(l.kit->fd, "log/tile/0/000"));
	assert_refused(trail_tile(l.kit->fd, &l.mark, &(struct tlog_tile){0, 0, 9}, &none),
		       E_INTEGRITY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(mark_survives_being_written_down),
	    CASE(create_twice_is_refused),
	    CASE(append_is_read_back_and_verifies_at_every_size),
	    CASE(append_of_a_torn_line_is_refused),
	    CASE(checkpoint_is_signed_over_what_is_there),
	    CASE(reopen_goes_on_where_it_was),
	    CASE(files_are_begun_when_they_are_full),
	    CASE(reopen_completes_the_log_from_the_outbox),
	    CASE(reopen_after_a_crash_between_records_and_tree_is_whole),
	    CASE(outbox_that_lacks_what_a_checkpoint_covers_is_refused),
	    CASE(outbox_that_is_another_than_a_checkpoint_covers_is_refused),
	    CASE(log_that_is_shorter_than_the_mark_is_refused),
	    CASE(checkpoint_that_is_older_than_the_mark_is_refused),
	    CASE(checkpoint_that_is_missing_or_altered_is_refused),
	    CASE(forked_root_is_refused),
	    CASE(foreign_key_or_origin_is_refused),
	    CASE(mark_with_another_root_is_refused),
	    CASE(verify_finds_every_changed_byte_of_the_records),
	    CASE(verify_finds_altered_tiles),
	    CASE(read_stops_where_the_visitor_says),
	    CASE(verify_at_an_old_mark_of_a_log_that_grew_is_content),
	    CASE(read_begins_at_any_record),
	    CASE(bundles_hold_the_lines_with_their_lengths),
	    CASE(tiles_are_those_of_the_mark_at_any_width),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
