/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads as HTTPS knows them: found again by their tickets, opened on conditions, kept though
 * there is nothing in them; and the receipts of those that are finished. */
#include "keep_asks.h"

#include "base/clock.h"

#include "base/text.h"
#include "tlog/proof.h"

static const char path[] = "/acme/incoming/file";

static struct view ticket_of(const struct upload *u)
{
	return view_of(u->m.ticket, WIRE_ID);
}

/* UPLOAD by ticket; the sizes and flags of the answer alone. */
static struct answer_upload found(struct scene *s, struct view ticket)
{
	struct answer_upload m;
	HEARD *h = ASK(s->gate, upload, UPLOAD, s->session, .ticket = ticket);

	READ(h, upload, &m);
	assert_memory_equal(m.ticket, ticket.data, WIRE_ID);
	assert_true(view_is(m.path, path));
	m.path = m.sha256 = view_of(NULL, 0);
	return m;
}

static void expect_no_upload(struct scene *s, uint64_t session, struct view ticket)
{
	expect_answer(ASK(s->gate, upload, UPLOAD, session, .ticket = ticket), E_GONE, "");
}

static struct heard *suspend(struct upload *u, uint8_t stay)
{
	upload_done(u);
	return ASK(u->gate, put_suspend, PUT_SUSPEND, u->m.put, .stay = stay,
		   .mtime_s = TIME_UNKNOWN, .reason = view_text("the client left"));
}

static void restart(struct scene *s)
{
	fake_gate_free(s->gate);
	s->gate = NULL;
	live_check(&s->live);
	live_close(&s->live);
	live_open(&s->live);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
}

/* ---- UPLOAD ---- */

static void offset_is_that_of_the_next_lease(void **state)
{
	struct scene *s = *state;
	static const struct {
		uint64_t sealed, said;
		bool clean, restarted;
	} rows[] = {{2, 2 * CHUNK + 50, true, false},
		    {2, 2 * CHUNK + 50, true, true},
		    {0, 50, true, false},
		    {0, 50, true, true},
		    {3, 2 * CHUNK + 7, false, false},
		    {3, 2 * CHUNK + 7, false, true},
		    {3, 3 * CHUNK, false, false},
		    {1, CHUNK - 1, false, false}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE | PUT_TRUNCATE);
		put_seal(&u, model, 0, rows[i].sealed);
		expect_answer(rows[i].clean ? put_suspend_clean(&u, model, rows[i].sealed, 50)
					    : put_suspend_unclean(&u, rows[i].said),
			      0, "");
		if (rows[i].restarted)
			restart(s);
		struct answer_upload m = found(s, ticket_of(&u));
		assert_true(rows[i].clean ? m.offset == rows[i].said
					  : m.offset == rows[i].said / CHUNK * CHUNK);
		assert_true(m.declared == SIZE_UNKNOWN && !m.finished && m.expires_us > 0);
		struct upload v = put_opened(s->gate, s->session, path, 0);
		assert_true(v.m.size == m.offset);
		assert_memory_equal(v.m.ticket, u.m.ticket, WIRE_ID);
		upload_done(&v);
		expect_answer(ASK(s->gate, put_drop, PUT_DROP, v.m.put), 0, "");
		expect_no_upload(s, s->session, ticket_of(&u));
	}
}

/* Also a lease of the very session that asks. */
static void who_asks_takes_the_upload_over(void **state)
{
	struct scene *s = *state;
	struct answer_upload m;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint32_t id = SAY(s->gate, upload, UPLOAD, s->session, .path = view_text(path));

	HEARD *order = gate_hear_order(s->gate, ORDER_YIELD);
	assert_true(order->f.subject == u.m.put);
	assert_null(gate_heard(s->gate, is_answer_to, id));
	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 9), 0, "");
	HEARD *h = gate_hear(s->gate, id);
	READ(h, upload, &m);
	assert_true(m.offset == CHUNK + 9 && view_is(m.path, path));
}

static void upload_is_there_for_its_uploader_alone(void **state)
{
	struct scene *s = *state;
	uint64_t ben = gate_log_in(s->gate, &s->ben), sam = session_of_sam(s);
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	uint8_t other[WIRE_ID];

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 1), 0, "");
	expect_no_upload(s, ben, ticket_of(&u));
	expect_no_upload(s, sam, ticket_of(&u));
	for (size_t i = 0; i < WIRE_ID; i++) {
		memcpy(other, u.m.ticket, sizeof other);
		other[i] ^= 1;
		expect_no_upload(s, s->session, view_of(other, sizeof other));
	}
	expect_answer(ASK(s->gate, upload, UPLOAD, ben, .path = view_text(path)), E_GONE, "");
	expect_answer(
	    ASK(s->gate, upload, UPLOAD, s->session, .path = view_text("/acme/incoming/none")),
	    E_GONE, "");
	expect_answer(ASK(s->gate, upload, UPLOAD, s->session, .path = view_text("/acme/incoming")),
		      E_GONE, "");
	assert_true(found(s, ticket_of(&u)).offset == 2 * CHUNK + 1);
}

static void renamed_upload_is_found_where_it_is(void **state)
{
	struct scene *s = *state;
	struct answer_upload m;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal(&u, model, 0, 2);
	expect_answer(put_suspend_clean(&u, model, 2, 1), 0, "");
	expect_answer(ASK(s->gate, rename, RENAME, s->session, .from = view_text(path),
			  .to = view_text("/acme/incoming/moved")),
		      0, "");
	HEARD *h = ASK(s->gate, upload, UPLOAD, s->session, .ticket = ticket_of(&u));
	READ(h, upload, &m);
	assert_true(view_is(m.path, "/acme/incoming/moved") && m.offset == 2 * CHUNK + 1);
}

static void finished_upload_is_known_as_long_as_its_version_stands(void **state)
{
	struct scene *s = *state;
	struct answer_put_finish end;
	struct answer_upload m;
	uint8_t hash[SHA256_SIZE];
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	put_seal_all(&u, model, 1000, 0);
	HEARD *h = put_finish(&u, model, 1000);
	READ(h, put_finish, &end);
	assert_int_equal(end.replaced, 0);
	HEARD *again = ASK(s->gate, upload, UPLOAD, s->session, .ticket = ticket_of(&u));
	READ(again, upload, &m);
	sha256_of(view_of(model, 1000), hash);
	assert_true(m.finished && m.offset == 1000 && m.declared == 1000);
	assert_true(m.record == end.record && m.expires_us == 0);
	assert_true(view_equal(m.sha256, view_of(hash, sizeof hash)));
	expect_no_upload(s, gate_log_in(s->gate, &s->ben), ticket_of(&u));

	struct upload v = put_opened(s->gate, s->session, path, PUT_TRUNCATE);
	put_seal_all(&v, model, 7, 0);
	HEARD *second = put_finish(&v, model, 7);
	READ(second, put_finish, &end);
	assert_int_equal(end.replaced, 1);
	expect_no_upload(s, s->session, ticket_of(&u));
	assert_true(found(s, ticket_of(&v)).record == end.record);
}

/* ---- conditions ---- */

static struct heard *open_on(struct scene *s, uint8_t flags, struct view match, struct view ticket,
			     uint64_t declared)
{
	return ASK(s->gate, put_open, PUT_OPEN, s->session, .path = view_text(path), .flags = flags,
		   .declared = declared, .match = match, .ticket = ticket);
}

static void opening_on_a_condition_that_does_not_hold_changes_nothing(void **state)
{
	struct scene *s = *state;
	uint8_t hashes[2 * SHA256_SIZE] = {1};
	const struct view none = {0}, one = view_of(hashes, SHA256_SIZE);
	enum { NEW = PUT_CREATE | PUT_TRUNCATE };

	expect_answer(open_on(s, NEW | PUT_EXISTING, none, none, 5), E_CONFLICT, "not there");
	expect_answer(open_on(s, NEW, one, none, 5), E_CONFLICT, "not there");
	expect_answer(open_on(s, NEW, none, view_of(hashes, WIRE_ID), 5), E_GONE, "");
	expect_nothing(s->gate, s->session, path);
	put_whole(s->gate, s->session, path, model, 1000);
	expect_answer(open_on(s, NEW | PUT_EXISTING, one, none, 5), E_CONFLICT, "another version");
	expect_answer(open_on(s, NEW | PUT_EXCLUSIVE, none, none, 5), E_EXISTS, "");
	expect_answer(open_on(s, 0, none, view_of(hashes, WIRE_ID), 5), E_GONE, "");
	expect_file(s->gate, s->session, path, 1000);
	assert_int_equal(count_records(&s->live, "upload.open"), 1);

	sha256_of(view_of(model, 1000), hashes + SHA256_SIZE);
	struct upload u =
	    put_taken(s->gate, s->session,
		      open_on(s, NEW | PUT_EXISTING, view_of(hashes, sizeof hashes), none, 5));
	assert_true(u.m.declared == 5);
	put_seal_all(&u, model, 5, 0);
	expect_answer(put_finish(&u, model, 5), 0, "");
	expect_file(s->gate, s->session, path, 5);
}

/* As if this session had come over HTTPS. */
static void be_https(struct scene *s)
{
	struct session *mine = slots_find(&s->live.keep->sessions.sessions, s->session);

	(void)snprintf(mine->protocol, sizeof mine->protocol, "https");
}

/* What SFTP says of lengths is a hint, what HTTP says is what comes. */
static void length_is_declared_once(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct view none = {0}, ticket = ticket_of(&u);

	be_https(s);
	put_seal(&u, model, 0, 1);
	expect_answer(put_suspend_clean(&u, model, 1, 10), 0, "");
	expect_answer(open_on(s, 0, none, ticket, CHUNK + 9), E_INVALID, "");
	expect_answer(open_on(s, 0, none, ticket, QUOTA + 1), E_QUOTA, "");
	assert_true(found(s, ticket).declared == SIZE_UNKNOWN);
	struct upload v = put_taken(s->gate, s->session, open_on(s, 0, none, ticket, 2 * CHUNK));
	assert_true(v.m.declared == 2 * CHUNK);
	expect_answer(put_suspend_clean(&v, model, 1, 10), 0, "");
	expect_answer(open_on(s, 0, none, ticket, 2 * CHUNK + 1), E_CONFLICT, "another length");
	assert_true(found(s, ticket).declared == 2 * CHUNK);
}

/* Who is logged in over SSH stays so. */
static void credential_that_has_expired_counts_no_more_over_https(void **state)
{
	struct scene *s = *state;
	struct session *mine = slots_find(&s->live.keep->sessions.sessions, s->session);
	struct view root = view_text("/");

	mine->expires_us = clock_utc_us() - 1;
	expect_answer(ASK(s->gate, stat, STAT, s->session, .path = root), 0, "");
	be_https(s);
	expect_answer(ASK(s->gate, stat, STAT, s->session, .path = root), E_DENIED, "has expired");
	mine->expires_us = clock_utc_us() + (int64_t)3600 * 1000000;
	expect_answer(ASK(s->gate, stat, STAT, s->session, .path = root), 0, "");
}

/* ---- uploads that stay ---- */

static void upload_that_stays_outlives_gate_and_keep(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);
	struct view ticket = ticket_of(&u);

	expect_answer(suspend(&u, 1), 0, "");
	expect_partial(s->gate, s->session, path, 0);
	struct upload v = put_opened(s->gate, s->session, path, 0);
	upload_done(&v);
	fake_gate_die(s->gate);
	live_settle(&s->live);
	fake_gate_free(s->gate);
	s->gate = fake_gate_ready(&s->live);
	s->session = gate_log_in(s->gate, &s->anna);
	assert_true(found(s, ticket).offset == 0);
	struct upload w = put_opened(s->gate, s->session, path, 0);
	expect_answer(suspend(&w, 0), 0, ""); /* nobody asks for it again, and it does */
	restart(s);
	assert_true(found(s, ticket).offset == 0);
	struct upload x = put_opened(s->gate, s->session, path, 0);
	assert_memory_equal(x.m.ticket, u.m.ticket, WIRE_ID);
	upload_done(&x);
	expect_answer(ASK(s->gate, put_drop, PUT_DROP, x.m.put, .reason = view_text("given up")), 0,
		      "");
	expect_record(&s->live, "upload.abort", "outcome", "\"ok\"");
	expect_nothing(s->gate, s->session, path);
	assert_int_equal(zone_now(&s->live, "acme").reserved_bytes, 0);
}

static void finished_upload_stays_no_longer(void **state)
{
	struct scene *s = *state;
	struct upload u = put_opened(s->gate, s->session, path, PUT_CREATE);

	expect_answer(suspend(&u, 1), 0, "");
	struct upload v = put_opened(s->gate, s->session, path, 0);
	put_seal_all(&v, model, 9, 0);
	expect_answer(put_finish(&v, model, 9), 0, "");
	struct upload w = put_opened(s->gate, s->session, "/acme/incoming/other", PUT_CREATE);
	expect_answer(suspend(&w, 0), 0, "");
	expect_nothing(s->gate, s->session, "/acme/incoming/other");
	expect_file(s->gate, s->session, path, 9);
}

/* ---- receipts ---- */

static uint64_t send_file(struct scene *s, const char *to, uint64_t size)
{
	struct answer_put_finish end;
	struct upload u = put_opened(s->gate, s->session, to, PUT_CREATE);

	put_seal_all(&u, model, size, 0);
	HEARD *h = put_finish(&u, model, size);
	READ(h, put_finish, &end);
	return end.record;
}

static void expect_opens(const json_t *record, const json_t *extra, const char *name,
			 struct view value)
{
	CLEANUP(buf_done) struct buf all = {0}, digest = {0};
	const json_t *opened = json_object_get(extra, name);
	const char *salt = json_string_value(json_object_get(opened, "salt"));
	const char *text = json_string_value(json_object_get(opened, "value"));
	const char *commitment =
	    json_string_value(json_object_get(json_object_get(record, name), "commitment"));
	uint8_t found_digest[SHA256_SIZE];

	assert_true(salt && text && commitment);
	assert_good(base64_decode(view_text(salt), BASE64_BARE, &all));
	assert_int_equal(all.len, RECORD_SALT);
	assert_good(base64_decode(view_text(text), BASE64_BARE, &all));
	assert_true(view_equal(view_of(all.data + RECORD_SALT, all.len - RECORD_SALT), value));
	sha256_of(view_buf(&all), found_digest);
	assert_good(base64_decode(view_text(commitment), BASE64_BARE, &digest));
	assert_true(view_equal(view_buf(&digest), view_of(found_digest, sizeof found_digest)));
}

static void expect_receipt(struct scene *s, uint64_t session, uint64_t number, uint64_t size)
{
	CLEANUP(tlog_proof_done) struct tlog_proof proof = {0};
	CLEANUP(tlog_verifier_free) struct tlog_verifier *key = NULL;
	const struct audit *audit = s->live.keep->audit;
	struct answer_receipt m;
	struct tlog_hash leaf;
	uint8_t hash[SHA256_SIZE];
	HEARD *h = ASK(s->gate, receipt, RECEIPT, session, .record = number);

	READ(h, receipt, &m);
	assert_good(tlog_proof_parse(m.receipt, &proof));
	json_t *extra = json_loadb((const char *)proof.extra.data, proof.extra.len,
				   JSON_REJECT_DUPLICATES, NULL);
	const char *line = json_string_value(json_object_get(extra, "record"));
	assert_non_null(line);
	tlog_leaf_hash(view_text(line), &leaf);
	assert_good(tlog_verifier_parse(view_text(audit_key(audit)), &key));
	assert_true(proof.index == number);
	assert_good(tlog_proof_verify(&proof, &leaf, view_text(audit_origin(audit)), &key, 1));
	json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_integer_value(json_object_get(record, "seq")), number);
	assert_int_equal(json_integer_value(json_object_get(record, "size")), size);
	assert_string_equal(json_string_value(json_object_get(record, "event")), "upload.complete");
	sha256_of(view_of(model, size), hash);
	expect_opens(record, extra, "path", view_text(path));
	expect_opens(record, extra, "sha256", view_of(hash, sizeof hash));
	json_decref(record);
	json_decref(extra);
}

/* At once: the log is waited for. And again when it has grown, beyond a tile and over a restart. */
static void receipt_proves_the_upload(void **state)
{
	struct scene *s = *state;
	uint64_t number = send_file(s, path, 3 * CHUNK);

	expect_receipt(s, s->session, number, 3 * CHUNK);
	for (int i = 0; i < 150; i++)
		(void)send_file(s, "/acme/incoming/other", 1);
	expect_receipt(s, s->session, number, 3 * CHUNK);
	restart(s);
	expect_receipt(s, s->session, number, 3 * CHUNK);
}

static void receipt_is_for_uploader_and_auditors_alone(void **state)
{
	struct scene *s = *state;
	struct user eve, max, una;
	uint64_t number = send_file(s, path, 1000);

	live_zone(&s->live, "other", 0);
	live_user(&s->live, "max", ROLE_AUDITOR, "acme", &max);
	live_user(&s->live, "eve", ROLE_AUDITOR, "other", &eve);
	live_user(&s->live, "una", ROLE_CLIENT, "other", &una);
	const uint64_t others[] = {gate_log_in(s->gate, &s->ben), session_of_sam(s),
				   gate_log_in(s->gate, &eve), gate_log_in(s->gate, &una)};
	expect_receipt(s, s->session, number, 1000);
	expect_receipt(s, gate_log_in(s->gate, &max), number, 1000);
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		expect_answer(ASK(s->gate, receipt, RECEIPT, others[i], .record = number), E_GONE,
			      "no such receipt");
	user_done(&eve);
	user_done(&max);
	user_done(&una);
}

/* Whoever asks: the answer is one and the same. */
static void other_records_have_no_receipt(void **state)
{
	struct scene *s = *state;
	uint64_t number = send_file(s, path, 1000);

	for (uint64_t i = 0; i < number + 3; i++)
		if (i != number)
			expect_answer(ASK(s->gate, receipt, RECEIPT, s->session, .record = i),
				      E_GONE, "no such receipt");
	expect_answer(ASK(s->gate, receipt, RECEIPT, s->session, .record = UINT64_MAX), E_GONE,
		      "no such receipt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(offset_is_that_of_the_next_lease),
	    IN_A_SCENE(who_asks_takes_the_upload_over),
	    IN_A_SCENE(upload_is_there_for_its_uploader_alone),
	    IN_A_SCENE(renamed_upload_is_found_where_it_is),
	    IN_A_SCENE(finished_upload_is_known_as_long_as_its_version_stands),
	    IN_A_SCENE(opening_on_a_condition_that_does_not_hold_changes_nothing),
	    IN_A_SCENE(length_is_declared_once),
	    IN_A_SCENE(credential_that_has_expired_counts_no_more_over_https),
	    IN_A_SCENE(upload_that_stays_outlives_gate_and_keep),
	    IN_A_SCENE(finished_upload_stays_no_longer),
	    IN_A_SCENE(receipt_proves_the_upload),
	    IN_A_SCENE(receipt_is_for_uploader_and_auditors_alone),
	    IN_A_SCENE(other_records_have_no_receipt),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
