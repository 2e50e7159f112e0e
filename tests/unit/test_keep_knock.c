/* SPDX-License-Identifier: Apache-2.0 */
/* Who comes in from where: source networks of keys, certificates, tokens and enrolment codes; and
 * that whoever comes from elsewhere is told what a stranger is told. */
#include <sys/socket.h>

#include "daemon/keep/catalog_db.h"
#include "daemon/keep/check.h"
#include "daemon/keep/ssh_key.h"
#include "daemon/keep/token.h"
#include "keep_asks.h"

#define HOME  "192.0.2.0/24 2001:db8::/32"
#define STRAY "198.51.100.7"

static uint64_t https_session(struct fake_gate *g, const char *peer)
{
	HEARD *h = ASK(g, session_open, SESSION_OPEN, 0, .protocol = view_text("https"),
		       .peer = view_text(peer), .peer_port = 4711);
	struct answer_session_open m;

	READ(h, session_open, &m);
	return m.session;
}

static uint64_t number_of(struct scene *s, const char *name)
{
	struct principal_row row;

	assert_good(catalog_principal_by_name(s->live.keep->catalog, name, &row));
	return row.id;
}

static void add(struct scene *s, struct credential_row *row, const char *networks)
{
	row->principal = number_of(s, "anna");
	(void)snprintf(row->networks, sizeof row->networks, "%s", networks);
	assert_good(catalog_credential_add(s->live.keep->catalog, row));
}

/* ben's key becomes one of anna's. */
static void add_key(struct scene *s, const char *networks)
{
	struct credential_row row;

	assert_good(ssh_key_of_blob(view_buf(&s->ben.key), &row));
	add(s, &row, networks);
}

struct outcome {
	int status;
	char text[256];
};

static struct outcome outcome_of(struct heard *heard)
{
	HEARD *h = heard;
	struct outcome o = {.status = h->f.status};

	(void)snprintf(o.text, sizeof o.text, "%s", h->text);
	return o;
}

/* The session's end, which is what records its failures. */
static void hang_up(struct scene *s, uint64_t session)
{
	expect_answer(ASK(s->gate, session_close, SESSION_CLOSE, session), 0, "");
}

static struct outcome try_ssh(struct scene *s, const char *peer, uint8_t step,
			      const struct user *key)
{
	uint64_t knock = gate_session(s->gate, peer);
	struct outcome o = outcome_of(ASK(s->gate, auth, AUTH, knock, .step = step,
					  .user = view_text("anna"), .key = view_buf(&key->key)));

	hang_up(s, knock);
	return o;
}

static struct outcome try_https(struct scene *s, const char *peer, uint8_t step, struct view secret)
{
	uint64_t knock = https_session(s->gate, peer);
	struct outcome o = outcome_of(ASK(s->gate, auth, AUTH, knock, .step = step, .key = secret));

	hang_up(s, knock);
	return o;
}

static void same_outcome(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->status, b->status);
	assert_string_equal(a->text, b->text);
}

static const struct {
	const char *peer;
	bool allowed;
} peers[] = {{"192.0.2.1", true},
	     {"192.0.2.255", true},
	     {"::ffff:192.0.2.1", true},
	     {"2001:db8:1::1", true},
	     {"192.0.3.1", false},
	     {"::ffff:192.0.3.1", false},
	     {"2001:db9::1", false},
	     {"127.0.0.1", false},
	     /* what a gate says when it knows no address, and what it may say besides */
	     {"?", false},
	     {"", false},
	     {"192.0.2.1\n", false},
	     {"192.0.2.1 ", false},
	     {"192.0.2.1/24", false},
	     {"192.0.2.0/24 2001:db8::/32", false},
	     {"2001:db8::1%eth0", false},
	     {"192.0.2.100000000000000000000000000000000000000000000000000000", false}};

static void key_is_good_from_its_networks_alone(void **state)
{
	struct scene *s = *state;
	const struct outcome stranger = try_ssh(s, STRAY, AUTH_QUERY, &s->sam);

	assert_int_equal(stranger.status, E_DENIED);
	add_key(s, HOME);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		for (uint8_t step = AUTH_QUERY; step <= AUTH_SIGNED; step++) {
			size_t before = count_records(&s->live, "session.open");
			struct outcome o = try_ssh(s, peers[i].peer, step, &s->ben);
			if ((o.status == 0) != peers[i].allowed)
				print_message("# %s: %d\n", peers[i].peer, o.status);
			assert_true((o.status == 0) == peers[i].allowed);
			if (!peers[i].allowed)
				same_outcome(&o, &stranger);
			assert_int_equal(count_records(&s->live, "session.open") - before,
					 step == AUTH_SIGNED && peers[i].allowed);
		}
	/* one without a list is good from anywhere, her first one */
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		assert_int_equal(try_ssh(s, peers[i].peer, AUTH_SIGNED, &s->anna).status, 0);
}

static void key_from_elsewhere_is_recorded_with_its_reason(void **state)
{
	struct scene *s = *state;
	struct credential_row row;
	size_t before = count_records(&s->live, "auth.fail");

	add_key(s, HOME);
	assert_good(ssh_key_of_blob(view_buf(&s->ben.key), &row));
	(void)try_ssh(s, STRAY, AUTH_SIGNED, &s->ben);
	assert_int_equal(count_records(&s->live, "auth.fail"), before + 1);
	expect_record(&s->live, "auth.fail", "reason", "\"network\"");
	expect_record(&s->live, "auth.fail", "outcome", "\"refused\"");
	expect_record(&s->live, "auth.fail", "source", "\"" STRAY "\"");
	CLEANUP(mem_free)
	char *detail = mem_printf("{\"user\":\"anna\",\"tries\":1,\"others_passed_over\":0,"
				  "\"key\":\"%s\"}",
				  row.fingerprint);
	expect_record(&s->live, "auth.fail", "detail", detail);
	(void)try_ssh(s, STRAY, AUTH_QUERY, &s->sam);
	expect_record(&s->live, "auth.fail", "reason", "\"authentication failed\"");
	expect_record(&s->live, "auth.fail", "detail",
		      "{\"user\":\"anna\",\"tries\":1,\"others_passed_over\":0}");
}

/* Whatever is tried before and after it. */
static void reason_of_one_try_outlives_the_others(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, STRAY);
	const struct user *const keys[] = {&s->sam, &s->ben, &s->sam};

	add_key(s, HOME);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		expect_answer(ASK(s->gate, auth, AUTH, knock, .step = AUTH_QUERY,
				  .user = view_text(i == 2 ? "root" : "anna"),
				  .key = view_buf(&keys[i]->key)),
			      E_DENIED, "authentication failed");
	hang_up(s, knock);
	expect_record(&s->live, "auth.fail", "reason", "\"network\"");
	json_t *all = live_records(&s->live), *last = NULL;
	(void)records_of(all, "auth.fail", &last);
	const json_t *detail = json_object_get(last, "detail");
	assert_string_equal(json_string_value(json_object_get(detail, "user")), "anna");
	assert_int_equal(json_integer_value(json_object_get(detail, "tries")), 3);
	json_decref(all);
}

static void token_and_certificate_are_good_from_their_networks_alone(void **state)
{
	struct scene *s = *state;
	static const uint8_t spki[WIRE_HASH] = {1, 2, 3}, other[WIRE_HASH] = {3, 2, 1};
	char token[TOKEN_LEN + 1], unknown[TOKEN_LEN + 1];
	struct credential_row row;

	assert_good(token_make(token));
	assert_good(token_make(unknown));
	const struct {
		uint8_t step;
		struct view secret, stranger;
	} kinds[] = {{AUTH_TOKEN, view_text(token), view_text(unknown)},
		     {AUTH_CERTIFICATE, view_of(spki, sizeof spki), view_of(other, sizeof other)}};

	assert_good(token_credential(view_text(token), &row));
	add(s, &row, HOME);
	assert_good(certificate_credential(view_of(spki, sizeof spki), &row));
	add(s, &row, HOME);
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		const struct outcome stranger =
		    try_https(s, STRAY, kinds[k].step, kinds[k].stranger);
		assert_int_equal(stranger.status, E_DENIED);
		for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
			struct outcome o =
			    try_https(s, peers[i].peer, kinds[k].step, kinds[k].secret);
			assert_true((o.status == 0) == peers[i].allowed);
			if (peers[i].allowed)
				continue;
			same_outcome(&o, &stranger);
			expect_record(&s->live, "auth.fail", "reason", "\"network\"");
		}
	}
}

/* The check is one of coming in. */
static void open_session_goes_on_and_the_next_one_is_refused(void **state)
{
	struct scene *s = *state;
	uint64_t knock = gate_session(s->gate, "192.0.2.1");

	add_key(s, HOME);
	expect_answer(ASK(s->gate, auth, AUTH, knock, .step = AUTH_SIGNED,
			  .user = view_text("anna"), .key = view_buf(&s->ben.key)),
		      0, "");
	assert_int_equal(sqlite3_exec(s->live.keep->catalog->db,
				      "UPDATE credentials SET networks = '10.0.0.0/8' "
				      "WHERE networks <> ''",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	expect_answer(ASK(s->gate, stat, STAT, knock, .path = view_text("/")), 0, "");
	assert_int_equal(try_ssh(s, "192.0.2.1", AUTH_SIGNED, &s->ben).status, E_DENIED);
	assert_int_equal(try_ssh(s, "10.0.0.1", AUTH_SIGNED, &s->ben).status, 0);
}

static void list_that_cannot_be_read_lets_nobody_in_and_is_found(void **state)
{
	struct scene *s = *state;
	const struct outcome stranger = try_ssh(s, STRAY, AUTH_QUERY, &s->sam);
	struct check *check = NULL;
	json_t *found = json_array();

	add_key(s, "192.0.2.0/24 rubbish");
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		struct outcome o = try_ssh(s, peers[i].peer, AUTH_SIGNED, &s->ben);
		same_outcome(&o, &stranger);
		expect_record(&s->live, "auth.fail", "reason", "\"network\"");
	}
	live_settle(&s->live);
	assert_good(check_new(s->live.keep, false, found, &check));
	assert_good(check_run(check));
	check_free(check);
	assert_int_equal(json_array_size(found), 1);
	const json_t *problem = json_object_get(json_array_get(found, 0), "problem");
	assert_non_null(strstr(json_string_value(problem), "its source networks are damaged"));
	json_decref(found);
	assert_int_equal(sqlite3_exec(s->live.keep->catalog->db,
				      "DELETE FROM credentials WHERE networks <> ''", NULL, NULL,
				      NULL),
			 SQLITE_OK);
}

/* ---- enrolment ---- */

static void make_code(struct scene *s, const char *networks, char ret_code[ENROLMENT_LEN + 1])
{
	struct enrolment_row row = {
	    .principal = number_of(s, "anna"), .made_us = 1, .expires_us = INT64_MAX};

	(void)snprintf(row.networks, sizeof row.networks, "%s", networks);
	assert_good(enrolment_make(ret_code));
	assert_good(enrolment_hash(view_text(ret_code), row.code_hash));
	assert_good(catalog_enrolment_add(s->live.keep->catalog, &row));
}

static struct outcome try_code(struct scene *s, const char *peer, const char *code, uint8_t spki)
{
	uint64_t knock = https_session(s->gate, peer);
	struct outcome o = outcome_of(ASK(s->gate, enroll, ENROLL, knock, .code = view_text(code),
					  .spki = {spki}, .client = view_text("curl/8\n")));

	hang_up(s, knock);
	return o;
}

static void code_is_good_from_its_networks_alone_and_so_is_what_it_makes(void **state)
{
	struct scene *s = *state;
	char code[ENROLMENT_LEN + 1], wrong[ENROLMENT_LEN + 1];
	static const uint8_t spki[WIRE_HASH] = {7};

	make_code(s, HOME, code);
	assert_good(enrolment_make(wrong));
	const struct outcome stranger = try_code(s, STRAY, wrong, 7);
	assert_int_equal(stranger.status, E_GONE);
	for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
		if (peers[i].allowed)
			continue;
		struct outcome o = try_code(s, peers[i].peer, code, 7);
		same_outcome(&o, &stranger);
		expect_record(&s->live, "auth.fail", "reason", "\"network\"");
		expect_record(&s->live, "auth.fail", "detail",
			      "{\"user\":\"anna\",\"tries\":1,\"others_passed_over\":0}");
	}
	assert_int_equal(count_records(&s->live, "credential.add"), 0);
	/* nobody elsewhere has used it up */
	assert_int_equal(try_code(s, "192.0.2.9", code, 7).status, 0);
	assert_int_equal(try_code(s, "192.0.2.9", code, 8).status, E_GONE);
	struct view shown = view_of(spki, sizeof spki);
	assert_int_equal(try_https(s, "2001:db8::1", AUTH_CERTIFICATE, shown).status, 0);
	assert_int_equal(try_https(s, STRAY, AUTH_CERTIFICATE, shown).status, E_DENIED);
	expect_record(&s->live, "auth.fail", "reason", "\"network\"");
}

static void enrolment_is_recorded_as_the_users_own(void **state)
{
	struct scene *s = *state;
	char code[ENROLMENT_LEN + 1];
	struct credential_row row;
	static const uint8_t spki[WIRE_HASH] = {9};

	make_code(s, "192.0.2.0/24", code);
	assert_int_equal(try_code(s, "192.0.2.9", code, 9).status, 0);
	assert_good(certificate_credential(view_of(spki, sizeof spki), &row));
	expect_record(&s->live, "credential.add", "actor", "\"anna\"");
	expect_record(&s->live, "credential.add", "role", "\"client\"");
	expect_record(&s->live, "credential.add", "method", "\"code\"");
	expect_record(&s->live, "credential.add", "client", "\"curl/8?\"");
	expect_record(&s->live, "credential.add", "source", "\"192.0.2.9\"");
	expect_record(&s->live, "credential.add", "reason", "\"enrolled with a code\"");
	CLEANUP(mem_free)
	char *detail = mem_printf("{\"user\":\"anna\",\"kind\":\"certificate\",\"key\":\"%s\","
				  "\"from\":[\"192.0.2.0/24\"]}",
				  row.fingerprint);
	expect_record(&s->live, "credential.add", "detail", detail);
	make_code(s, "", code);
	assert_int_equal(try_code(s, "?", code, 10).status, 0);
	json_t *all = live_records(&s->live), *last = NULL;
	assert_int_equal(records_of(all, "credential.add", &last), 2);
	assert_null(json_object_get(json_object_get(last, "detail"), "from"));
	json_decref(all);
}

static void wrong_code_is_recorded_and_makes_nothing(void **state)
{
	struct scene *s = *state;
	static const char *const codes[] = {"",
					    "x",
					    "0123456789012345678901234567890",
					    "01234567890123456789012345678901",
					    "0123456789012345678901234567890/",
					    "012345678901234567890123456789012"};
	size_t before = count_records(&s->live, "auth.fail");

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		struct outcome o = try_code(s, STRAY, codes[i], 1);
		assert_int_equal(o.status, E_GONE);
		assert_string_equal(o.text, "this code is not good, or not any more");
	}
	assert_int_equal(count_records(&s->live, "auth.fail") - before, ARRAY_LEN(codes));
	expect_record(&s->live, "auth.fail", "reason",
		      "\"this code is not good, or not any more\"");
	expect_record(&s->live, "auth.fail", "outcome", "\"refused\"");
	expect_record(&s->live, "auth.fail", "source", "\"" STRAY "\"");
	expect_record(&s->live, "auth.fail", "detail",
		      "{\"user\":\"\",\"tries\":1,\"others_passed_over\":0}");
	assert_int_equal(count_records(&s->live, "credential.add"), 0);
}

static bool has_ended(void *arg)
{
	return fake_gate_ended(arg);
}

/* No gate of ours says it elsewhere: there is no certificate. */
static void code_over_anything_but_https_ends_the_gate(void **state)
{
	struct scene *s = *state;
	char code[ENROLMENT_LEN + 1];

	make_code(s, "", code);
	uint64_t knock = gate_session(s->gate, "192.0.2.1");
	(void)SAY(s->gate, enroll, ENROLL, knock, .code = view_text(code), .spki = {1});
	live_until(&s->live, has_ended, s->gate);
	assert_non_null(strstr(s->gate->gate->why, "'enroll' with a value that does not exist"));
	live_settle(&s->live);
	fake_gate_free(s->gate);
	s->gate = fake_gate_ready(&s->live);
	assert_int_equal(count_records(&s->live, "credential.add"), 0);
	assert_int_equal(try_code(s, "192.0.2.1", code, 1).status, 0); /* it is good still */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SCENE(key_is_good_from_its_networks_alone),
	    IN_A_SCENE(key_from_elsewhere_is_recorded_with_its_reason),
	    IN_A_SCENE(reason_of_one_try_outlives_the_others),
	    IN_A_SCENE(token_and_certificate_are_good_from_their_networks_alone),
	    IN_A_SCENE(open_session_goes_on_and_the_next_one_is_refused),
	    IN_A_SCENE(list_that_cannot_be_read_lets_nobody_in_and_is_found),
	    IN_A_SCENE(code_is_good_from_its_networks_alone_and_so_is_what_it_makes),
	    IN_A_SCENE(enrolment_is_recorded_as_the_users_own),
	    IN_A_SCENE(wrong_code_is_recorded_and_makes_nothing),
	    IN_A_SCENE(code_over_anything_but_https_ends_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, live_end);
}
