/* SPDX-License-Identifier: Apache-2.0 */
/* The log as the keep hands it to gates: who may have which part of it, what is in it, and that
 * every reading is recorded. */
#include "keep_asks.h"

#include "base/clock.h"
#include "base/text.h"
#include "daemon/keep/chores.h"
#include "tlog/checkpoint.h"

/* A user who may read the log of a zone (0: of all). */
static uint64_t auditor(struct scene *s, const char *name, uint64_t zone)
{
	struct user u;
	struct principal_row who;
	struct keep *k = s->live.keep;

	live_user(&s->live, name, ROLE_STAFF, "acme", &u);
	assert_good(catalog_principal_by_name(k->catalog, name, &who));
	assert_good(catalog_begin(k->catalog));
	assert_good(accounts_grant(k->accounts, who.id, zone, "", RIGHT_AUDIT));
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
	uint64_t session = gate_log_in(s->gate, &u);
	user_done(&u);
	return session;
}

static uint64_t zone_id(struct scene *s, const char *name)
{
	return zone_now(&s->live, name).id;
}

static void take_right(struct scene *s, const char *name, uint64_t zone)
{
	struct principal_row who;
	struct keep *k = s->live.keep;

	assert_good(catalog_principal_by_name(k->catalog, name, &who));
	assert_good(catalog_begin(k->catalog));
	assert_good(accounts_revoke(k->accounts, who.id, zone, "", RIGHT_AUDIT));
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
}

/* A file in each of two zones. */
static void two_zones(struct scene *s)
{
	struct user max;

	live_zone(&s->live, "globex", 0);
	live_user(&s->live, "max", ROLE_STAFF, "globex", &max);
	put_whole(s->gate, s->session, "/acme/incoming/hers", model, 1000);
	put_whole(s->gate, gate_log_in(s->gate, &max), "/globex/deliverables/his", model, 2000);
	user_done(&max);
}

/* ---- descriptors ---- */

/* All of it: memory that nobody can change, not even who has it. */
static struct buf content_of(struct heard *h, uint64_t size)
{
	struct buf out = {0};
	uint64_t there = 0;

	assert_int_equal(h->count, 1);
	assert_good(sys_size(h->fds[0], &there));
	assert_int_equal(there, size);
	assert_good(buf_reserve(&out, (size_t)size + 1));
	assert_good(sys_pread_all(h->fds[0], out.data, (size_t)size, 0));
	out.len = (size_t)size;
	assert_true(write(h->fds[0], "x", 1) < 0);
	assert_true(ftruncate(h->fds[0], (off_t)size + 1) < 0);
	return out;
}

static struct buf file_of(struct scene *s, uint64_t session, uint8_t kind, uint8_t level,
			  uint64_t index, uint16_t width)
{
	struct answer_log_file m;
	HEARD *h = ASK(s->gate, log_file, LOG_FILE, session, .kind = kind, .level = level,
		       .index = index, .width = width);

	READ(h, log_file, &m);
	return content_of(h, m.size);
}

static uint64_t checkpoint_size(struct scene *s, uint64_t session, struct tlog_hash *ret_root)
{
	CLEANUP(buf_done) struct buf note = file_of(s, session, LOG_CHECKPOINT, 0, 0, 0);
	const char *key = audit_key(s->live.keep->audit);
	struct tlog_verifier *v = NULL;
	struct tlog_checkpoint c;

	assert_good(tlog_verifier_parse(view_text(key), &v));
	assert_good(tlog_checkpoint_open(view_buf(&note), tlog_verifier_name(v), &v, 1, &c));
	tlog_verifier_free(&v);
	*ret_root = c.root;
	return c.size;
}

/* ---- LOG_FILE ---- */

static void checkpoint_covers_all_that_was_answered(void **state)
{
	struct scene *s = *state;
	struct tlog_hash root;

	for (int i = 0; i < 5; i++) {
		put_whole(s->gate, s->session, "/acme/incoming/file", model, 100);
		uint64_t next = audit_next(s->live.keep->audit);
		assert_true(checkpoint_size(s, s->session, &root) >= next);
	}
}

static void tiles_have_the_root_of_the_checkpoint(void **state)
{
	struct scene *s = *state;
	struct tlog_hash root, node[2];

	for (int i = 0; checkpoint_size(s, s->session, &root) % 4 != 3; i++)
		expect_answer(ASK(s->gate, make_dir, MAKE_DIR, s->session,
				  .path = i % 2 ? view_text("/acme/incoming/b")
						: view_text("/acme/incoming/a")),
			      i < 2 ? 0 : E_EXISTS, "");
	uint64_t size = checkpoint_size(s, s->session, &root);
	assert_in_range(size, 3, 7);
	CLEANUP(buf_done) struct buf tile = file_of(s, s->session, LOG_TILE, 0, 0, (uint16_t)size);
	assert_int_equal(tile.len, size * sizeof *node);
	const struct tlog_hash *leaf = (const void *)tile.data;
	tlog_node_hash(&leaf[0], &leaf[1], &node[0]);
	if (size == 7) {
		tlog_node_hash(&leaf[2], &leaf[3], &node[1]);
		tlog_node_hash(&node[0], &node[1], &node[0]);
		tlog_node_hash(&leaf[4], &leaf[5], &node[1]);
		tlog_node_hash(&node[1], &leaf[6], &node[1]);
	} else {
		node[1] = leaf[2];
	}
	tlog_node_hash(&node[0], &node[1], &node[0]);
	assert_true(tlog_hash_equal(&node[0], &root));
}

static void entries_hash_to_the_leaves(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	struct tlog_hash root, leaf;

	two_zones(s);
	uint64_t size = checkpoint_size(s, all, &root);
	CLEANUP(buf_done) struct buf tile = file_of(s, all, LOG_TILE, 0, 0, (uint16_t)size);
	CLEANUP(buf_done) struct buf bundle = file_of(s, all, LOG_ENTRIES, 0, 0, (uint16_t)size);
	size_t at = 0;
	for (uint64_t i = 0; i < size; i++) {
		assert_true(at + 2 <= bundle.len);
		size_t len = (size_t)bundle.data[at] << 8 | bundle.data[at + 1];
		assert_true(at + 2 + len <= bundle.len);
		tlog_leaf_hash(view_of(bundle.data + at + 2, len), &leaf);
		assert_memory_equal(&leaf, tile.data + i * sizeof leaf, sizeof leaf);
		at += 2 + len;
	}
	assert_int_equal(at, bundle.len);
}

static void entries_are_for_auditors_of_all_alone(void **state)
{
	struct scene *s = *state;
	const uint64_t others[] = {s->session, session_of_sam(s),
				   auditor(s, "zoe", zone_id(s, "acme"))};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		expect_answer(
		    ASK(s->gate, log_file, LOG_FILE, others[i], .kind = LOG_ENTRIES, .width = 1),
		    E_GONE, "no such thing");
	CLEANUP(buf_done) struct buf one = file_of(s, auditor(s, "alma", 0), LOG_ENTRIES, 0, 0, 1);
	assert_true(one.len > 2);
	assert_int_equal(count_records(&s->live, "audit.entries"), 1);
	expect_record(&s->live, "audit.entries", "detail", "{\"first\":0,\"count\":1}");
	expect_record(&s->live, "audit.entries", "actor", "\"alma\"");
}

static void what_the_log_has_not_is_not_there(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	static const struct ask_log_file asks[] = {
	    {LOG_TILE, 0, 0, 200},
	    {LOG_TILE, 0, 0, 256},
	    {LOG_TILE, 0, 1, 1},
	    {LOG_TILE, 1, 0, 1},
	    {LOG_TILE, 7, 0, 1},
	    {LOG_TILE, 8, 0, 1},
	    {LOG_TILE, 63, 0, 1},
	    {LOG_TILE, 0, UINT64_MAX, 256},
	    {LOG_TILE, 0, UINT64_MAX / 256, 1},
	    {LOG_TILE, 63, UINT64_MAX, 256},
	    {LOG_ENTRIES, 0, 0, 256},
	    {LOG_ENTRIES, 0, 1, 1},
	    {LOG_ENTRIES, 0, UINT64_MAX, 1},
	    {LOG_ENTRIES, 0, UINT64_C(1) << 56, 1}, /* times 256 it were the first */
	};

	for (size_t i = 0; i < ARRAY_LEN(asks); i++)
		expect_answer(ASK(s->gate, log_file, LOG_FILE, all, asks[i].kind, asks[i].level,
				  asks[i].index, asks[i].width),
			      E_GONE, "no such thing");
	assert_int_equal(count_records(&s->live, "audit.entries"), 0);
	assert_int_equal(count_records(&s->live, "audit.tree"), 0);
}

static void asks_that_no_path_can_say_end_the_gate(void **state)
{
	struct scene *s = *state;
	static const struct ask_log_file asks[] = {
	    {0, 0, 0, 0},
	    {4, 0, 0, 1},
	    {LOG_CHECKPOINT, 1, 0, 0},
	    {LOG_CHECKPOINT, 0, 1, 0},
	    {LOG_CHECKPOINT, 0, 0, 1},
	    {LOG_TILE, 0, 0, 0},
	    {LOG_TILE, 0, 0, 257},
	    {LOG_TILE, 64, 0, 1},
	    {LOG_ENTRIES, 1, 0, 1},
	    {LOG_ENTRIES, 0, 0, 0},
	    {LOG_ENTRIES, 0, 0, 257},
	};

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct fake_gate *g = fake_gate_ready(&s->live);
		(void)SAY(g, log_file, LOG_FILE, gate_log_in(g, &s->anna), asks[i].kind,
			  asks[i].level, asks[i].index, asks[i].width);
		live_settle(&s->live);
		assert_true(fake_gate_ended(g));
		fake_gate_free(g);
	}
	for (uint32_t limit = 0; limit < 20000; limit += 10001) {
		struct fake_gate *g = fake_gate_ready(&s->live);
		(void)SAY(g, log_query, LOG_QUERY, gate_log_in(g, &s->anna), .limit = limit);
		live_settle(&s->live);
		assert_true(fake_gate_ended(g));
		fake_gate_free(g);
	}
}

static void tree_is_recorded_once_for_each_session(void **state)
{
	struct scene *s = *state;
	uint64_t of_sam = session_of_sam(s);
	struct tlog_hash root;

	for (int i = 0; i < 3; i++) {
		(void)checkpoint_size(s, s->session, &root);
		CLEANUP(buf_done) struct buf tile = file_of(s, s->session, LOG_TILE, 0, 0, 1);
	}
	assert_int_equal(count_records(&s->live, "audit.tree"), 1);
	expect_record(&s->live, "audit.tree", "actor", "\"anna\"");
	(void)checkpoint_size(s, of_sam, &root);
	assert_int_equal(count_records(&s->live, "audit.tree"), 2);
	expect_answer(
	    ASK(s->gate, session_close, SESSION_CLOSE, s->session, .bytes_in = 1, .bytes_out = 2),
	    0, "");
	expect_record(&s->live, "session.close", "detail",
		      "{\"in\":1,\"out\":2,\"refusals\":0,\"tree_reads\":6}");
	s->session = 0;
}

/* ---- LOG_QUERY ---- */

/* The lines of a page as an array. */
static json_t *page_of(struct heard *h, struct answer_log_query *ret)
{
	json_t *list = json_array();

	READ(h, log_query, ret);
	CLEANUP(buf_done) struct buf text = content_of(h, ret->size);
	for (size_t at = 0; at < text.len;) {
		const uint8_t *newline = memchr(text.data + at, '\n', text.len - at);
		assert_non_null(newline);
		size_t len = (size_t)(newline - text.data) - at;
		json_t *record = json_loadb((const char *)text.data + at, len, 0, NULL);
		assert_non_null(record);
		json_array_append_new(list, record);
		at += len + 1;
	}
	return list;
}

#define QUERY(s, session, ...)                                                  \
	ASK((s)->gate, log_query, LOG_QUERY, session, .since_us = TIME_UNKNOWN, \
	    .until_us = TIME_UNKNOWN, .limit = LOG_RECORDS_MAX, ##__VA_ARGS__)

/* How many records that gives, all of them with that member, if it is not NULL. */
static size_t found_by(struct heard *heard, const char *member, const char *text)
{
	HEARD *h = heard;
	struct answer_log_query m;
	json_t *page = page_of(h, &m), *record;
	size_t n = json_array_size(page), i;

	assert_int_equal(m.end, 1);
	json_array_foreach(page, i, record) if (member)
	{
		const char *there = json_string_value(json_object_get(record, member));
		assert_non_null(there);
		assert_string_equal(there, text);
	}
	json_decref(page);
	return n;
}

static void records_are_for_who_may_read_the_log(void **state)
{
	struct scene *s = *state;
	const uint64_t nobody[] = {s->session, session_of_sam(s)};

	two_zones(s);
	for (size_t i = 0; i < ARRAY_LEN(nobody); i++) {
		expect_answer(QUERY(s, nobody[i]), E_GONE, "no such thing");
		expect_answer(QUERY(s, nobody[i], .zone = view_text("acme")), E_GONE,
			      "no such thing");
	}
	assert_int_equal(count_records(&s->live, "audit.query"), 0);

	uint64_t one = auditor(s, "zoe", zone_id(s, "globex"));
	size_t his = found_by(QUERY(s, one), "zone", "globex");
	assert_true(his > 0);
	assert_int_equal(found_by(QUERY(s, one, .zone = view_text("globex")), "zone", "globex"),
			 his); /* the record of the first has no zone */
	assert_int_equal(found_by(QUERY(s, one, .zone = view_text("globex")), "zone", "globex"),
			 his + 1);
	expect_answer(QUERY(s, one, .zone = view_text("acme")), E_GONE, "no such thing");
	expect_answer(QUERY(s, one, .zone = view_text("none")), E_GONE, "no such thing");

	uint64_t all = auditor(s, "alma", 0);
	uint64_t size = audit_next(s->live.keep->audit);
	assert_int_equal(found_by(QUERY(s, all, .before = size), NULL, NULL), size);
	assert_int_equal(found_by(QUERY(s, all, .zone = view_text("none")), NULL, NULL), 0);
}

static void a_right_to_a_folder_is_none_to_the_log(void **state)
{
	struct scene *s = *state;
	struct principal_row who;
	struct keep *k = s->live.keep;

	assert_good(catalog_principal_by_name(k->catalog, "anna", &who));
	assert_good(catalog_begin(k->catalog));
	assert_good(
	    accounts_grant(k->accounts, who.id, zone_id(s, "acme"), "incoming", RIGHT_AUDIT));
	assert_good(catalog_commit(k->catalog));
	accounts_forget(k->accounts);
	expect_answer(QUERY(s, s->session), E_GONE, "no such thing");
}

static void what_is_sealed_is_opened(void **state)
{
	struct scene *s = *state;
	struct answer_log_query m;
	char hex[2 * SHA256_SIZE + 1];
	uint8_t hash[SHA256_SIZE];

	two_zones(s);
	HEARD *h =
	    QUERY(s, auditor(s, "zoe", zone_id(s, "acme")), .event = view_text("upload.complete"));
	json_t *page = page_of(h, &m), *record = json_array_get(page, 0);
	sha256_of(view_of(model, 1000), hash);
	hex_encode(hash, sizeof hash, hex);
	assert_int_equal(json_array_size(page), 1);
	assert_string_equal(json_string_value(json_object_get(record, "path")),
			    "/acme/incoming/hers");
	assert_string_equal(json_string_value(json_object_get(record, "sha256")), hex);
	json_decref(page);
}

static void filters_find_what_they_say(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);

	two_zones(s);
	assert_int_equal(found_by(QUERY(s, all, .event = view_text("upload.complete")), "event",
				  "upload.complete"),
			 2);
	assert_int_equal(found_by(QUERY(s, all, .event = view_text("upload")), NULL, NULL), 4);
	assert_int_equal(found_by(QUERY(s, all, .event = view_text("up")), NULL, NULL), 0);
	assert_int_equal(
	    found_by(QUERY(s, all, .event = view_text("upload"), .user = view_text("max"),
			   .outcome = view_text("ok"), .zone = view_text("globex")),
		     "actor", "max"),
	    2);
	assert_int_equal(found_by(QUERY(s, all, .outcome = view_text("refused")), NULL, NULL), 0);
	int64_t now = clock_utc_us();
	assert_int_equal(found_by(QUERY(s, all, .since_us = now + 1000000), NULL, NULL), 0);
	assert_int_equal(found_by(QUERY(s, all, .until_us = 0), NULL, NULL), 0);
	assert_true(found_by(QUERY(s, all, .since_us = 0, .until_us = now), NULL, NULL) > 4);
	(void)found_by(QUERY(s, all, .since_us = 0, .zone = view_text("acme"), .from = 2), NULL,
		       NULL);
	expect_record(&s->live, "audit.query", "zone", "\"acme\"");
	assert_int_equal(
	    found_by(QUERY(s, all, .since_us = 0, .user = view_text("nobody"), .from = 2), NULL,
		     NULL),
	    0);
	expect_record(&s->live, "audit.query", "detail",
		      "{\"filter\":{\"since\":\"1970-01-01T00:00:00.000000Z\",\"user\":\"nobody\"},"
		      "\"from\":2,\"count\":0}");
}

static void filters_that_cannot_be_are_refused(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	static const int64_t times[] = {-1, INT64_MIN + 1, INT64_MAX,
					INT64_C(253402300800) * 1000000};
	static const char nul[] = "ac\0me";
	char many[LOG_FILTER_MAX + 2];

	memset(many, 'a', sizeof many);
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		expect_answer(QUERY(s, all, .since_us = times[i]), E_INVALID, "1970 to 9999");
		expect_answer(QUERY(s, all, .until_us = times[i]), E_INVALID, "1970 to 9999");
	}
	expect_answer(QUERY(s, all, .user = view_of(nul, 5)), E_INVALID, "nothing can match");
	expect_answer(QUERY(s, all, .event = view_of(many, LOG_FILTER_MAX + 1)), E_INVALID,
		      "nothing can match");
	assert_int_equal(
	    found_by(QUERY(s, all, .event = view_of(many, LOG_FILTER_MAX)), NULL, NULL), 0);
	assert_int_equal(found_by(QUERY(s, all, .user = view_of("\xff\n", 2)), NULL, NULL), 0);
}

static void pages_have_each_record_once(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	struct answer_log_query m = {.end = 0};
	uint64_t next = 0, pages = 0;

	two_zones(s);
	uint64_t before = audit_next(s->live.keep->audit);
	for (uint64_t bound = 0; !m.end; pages++, bound = m.before) {
		HEARD *h = ASK(s->gate, log_query, LOG_QUERY, all, .since_us = TIME_UNKNOWN,
			       .until_us = TIME_UNKNOWN, .limit = 3, .from = next, .before = bound);
		json_t *page = page_of(h, &m), *record;
		size_t i;
		json_array_foreach(page, i, record)
		    assert_int_equal(json_integer_value(json_object_get(record, "seq")), next++);
		assert_true(m.end || m.cursor == next);
		assert_int_equal(m.before, before); /* though each page is a record more */
		json_decref(page);
	}
	assert_int_equal(next, before);
	assert_int_equal(pages, (before + 2) / 3);
	assert_int_equal(count_records(&s->live, "audit.query"), pages);
}

static void a_page_that_ends_with_the_last_match_is_the_last(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	struct answer_log_query m;

	two_zones(s);
	HEARD *h = ASK(s->gate, log_query, LOG_QUERY, all, .since_us = TIME_UNKNOWN,
		       .until_us = TIME_UNKNOWN, .event = view_text("upload.complete"), .limit = 2);
	json_t *page = page_of(h, &m);
	assert_int_equal(json_array_size(page), 2);
	assert_int_equal(m.end, 1);
	json_decref(page);
	assert_int_equal(found_by(QUERY(s, all, .from = UINT64_MAX), NULL, NULL), 0);
	assert_int_equal(found_by(QUERY(s, all, .from = 5, .before = 5), NULL, NULL), 0);
	assert_int_equal(found_by(QUERY(s, all, .from = 5, .before = 3), NULL, NULL), 0);
	assert_int_equal(found_by(QUERY(s, all, .from = 3, .before = 5), NULL, NULL), 2);
}

/* Records as long as they can be, more than a page holds. */
static void a_page_ends_before_it_is_too_long(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);
	struct answer_log_query m = {.end = 0};
	char long_text[60000];
	size_t found = 0, pages = 0;

	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	for (int i = 0; i < 100; i++)
		chore_record(s->live.keep, "test.long", json_pack("{s:s}", "text", long_text),
			     NULL);
	live_settle(&s->live);
	while (!m.end) {
		HEARD *h = QUERY(s, all, .event = view_text("test"), .from = m.cursor);
		json_t *page = page_of(h, &m);
		assert_true(m.size <= (4 << 20) + 65536);
		found += json_array_size(page);
		json_decref(page);
		pages++;
	}
	assert_int_equal(found, 100);
	assert_int_equal(pages, 2);
	CLEANUP(buf_done) struct buf bundle = file_of(s, all, LOG_ENTRIES, 0, 0, 100);
	assert_true(bundle.len > 80 * sizeof long_text);
}

static void queries_take_turns(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0), one = auditor(s, "zoe", zone_id(s, "acme"));
	uint32_t id[12];

	for (size_t i = 0; i < ARRAY_LEN(id); i++)
		id[i] =
		    i % 3 ? SAY(s->gate, log_query, LOG_QUERY, i % 2 ? all : one,
				.since_us = TIME_UNKNOWN, .until_us = TIME_UNKNOWN, .limit = 9)
			  : SAY(s->gate, log_file, LOG_FILE, all, .kind = LOG_ENTRIES, .width = 1);
	for (size_t i = 0; i < ARRAY_LEN(id); i++)
		expect_answer(gate_hear(s->gate, id[i]), 0, "");
	assert_int_equal(count_records(&s->live, "audit.query"), 8);
	assert_int_equal(count_records(&s->live, "audit.entries"), 4);
	assert_null(s->live.keep->log_turns.holder);
	assert_null(s->live.keep->log_turns.first);
}

/* Somebody else has the turn, so they wait, with their rights looked at already. */
static void rights_that_go_while_one_waits_are_gone(void **state)
{
	struct scene *s = *state;
	struct keep *k = s->live.keep;
	uint64_t all = auditor(s, "alma", 0), one = auditor(s, "zoe", zone_id(s, "acme"));
	struct deed other = {.keep = k};

	assert_true(turns_take(&k->log_turns, &other));
	uint32_t of_all = SAY(s->gate, log_query, LOG_QUERY, all, .since_us = TIME_UNKNOWN,
			      .until_us = TIME_UNKNOWN, .limit = 9);
	uint32_t of_one = SAY(s->gate, log_query, LOG_QUERY, one, .since_us = TIME_UNKNOWN,
			      .until_us = TIME_UNKNOWN, .limit = 9);
	uint32_t entries = SAY(s->gate, log_file, LOG_FILE, all, .kind = LOG_ENTRIES, .width = 1);
	expect_answer(ASK(s->gate, stat, STAT, s->session, .path = view_text("/acme")), 0, "");
	assert_non_null(k->log_turns.first);
	take_right(s, "alma", 0);
	take_right(s, "zoe", zone_id(s, "acme"));
	turns_leave(&k->log_turns, k->deeds, &other);
	expect_answer(gate_hear(s->gate, of_all), E_GONE, "no such thing");
	expect_answer(gate_hear(s->gate, of_one), E_GONE, "no such thing");
	expect_answer(gate_hear(s->gate, entries), E_GONE, "no such thing");
	assert_int_equal(count_records(&s->live, "audit.query"), 0);
	assert_int_equal(count_records(&s->live, "audit.entries"), 0);
}

static void a_gate_that_dies_leaves_its_turn(void **state)
{
	struct scene *s = *state;
	uint64_t all = auditor(s, "alma", 0);

	for (int i = 0; i < 5; i++)
		(void)SAY(s->gate, log_query, LOG_QUERY, all, .since_us = TIME_UNKNOWN,
			  .until_us = TIME_UNKNOWN, .limit = 9);
	fake_gate_die(s->gate);
	live_settle(&s->live);
	assert_null(s->live.keep->log_turns.holder);
	fake_gate_free(s->gate);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(checkpoint_covers_all_that_was_answered),
	    IN_A_SCENE(tiles_have_the_root_of_the_checkpoint),
	    IN_A_SCENE(entries_hash_to_the_leaves),
	    IN_A_SCENE(entries_are_for_auditors_of_all_alone),
	    IN_A_SCENE(what_the_log_has_not_is_not_there),
	    IN_A_SCENE(asks_that_no_path_can_say_end_the_gate),
	    IN_A_SCENE(tree_is_recorded_once_for_each_session),
	    IN_A_SCENE(records_are_for_who_may_read_the_log),
	    IN_A_SCENE(a_right_to_a_folder_is_none_to_the_log),
	    IN_A_SCENE(what_is_sealed_is_opened),
	    IN_A_SCENE(filters_find_what_they_say),
	    IN_A_SCENE(filters_that_cannot_be_are_refused),
	    IN_A_SCENE(pages_have_each_record_once),
	    IN_A_SCENE(a_page_that_ends_with_the_last_match_is_the_last),
	    IN_A_SCENE(a_page_ends_before_it_is_too_long),
	    IN_A_SCENE(queries_take_turns),
	    IN_A_SCENE(rights_that_go_while_one_waits_are_gone),
	    IN_A_SCENE(a_gate_that_dies_leaves_its_turn),
	};

	return cmocka_run_group_tests_name("keep_log", tests, NULL, live_end);
}
