/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate that was taken over may say of who comes in: certificates, tokens, codes, and the
 * addresses that they come from. */
#include <stdio.h>

#include "hostile_kit.h"

static uint64_t session_of(struct siege *s, const char *protocol, struct view peer)
{
	HEARD *h = ASK(s->hostile, session_open, SESSION_OPEN, 0, .protocol = view_text(protocol),
		       .peer = peer, .peer_port = 4711);
	struct answer_session_open m;

	tally.messages++;
	READ(h, session_open, &m);
	return m.session;
}

static uint32_t say_auth(struct siege *s, uint64_t session, uint8_t step, struct view user,
			 struct view key)
{
	tally.messages++;
	return SAY(s->hostile, auth, AUTH, session, .step = step, .user = user, .key = key,
		   .client = view_text("eve"), .cipher = view_text("none"));
}

static struct view spki_of(const struct siege *s)
{
	return view_of(s->eve_spki, sizeof s->eve_spki);
}

/* The one credential of the step, right in all but what its case is about. */
static struct view key_of(const struct siege *s, unsigned step)
{
	return step == AUTH_CERTIFICATE ? spki_of(s)
	       : step == AUTH_TOKEN     ? view_text(s->eve_token)
					: view_buf(&s->eve.key);
}

static void expect_ended(struct siege *s, const char *protocol, uint8_t step, struct view user,
			 struct view key)
{
	(void)say_auth(s, session_of(s, protocol, view_text(EVE_PEER)), step, user, key);
	siege_ends(s, "'auth' with a value that does not exist");
}

static void step_that_is_none_ends_the_gate(void **state)
{
	struct siege *s = *state;

	for (unsigned step = 0; step < 256; step++) {
		if (step >= AUTH_QUERY && step <= AUTH_TOKEN)
			continue;
		if (step > 12 && step < 250 && !run_long())
			continue;
		expect_ended(s, "sftp", (uint8_t)step, view_text("eve"), key_of(s, AUTH_SIGNED));
		expect_ended(s, "https", (uint8_t)step, view_text(""), key_of(s, AUTH_TOKEN));
	}
}

/* Signatures are SSH's, certificates and tokens those of HTTPS, whatever else is right. */
static void step_of_the_other_protocol_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static const char *const others[] = {"sftp", "", "HTTPS", "https ", "http", "scp"};

	for (unsigned step = AUTH_QUERY; step <= AUTH_SIGNED; step++)
		expect_ended(s, "https", (uint8_t)step, view_text("eve"), key_of(s, step));
	for (unsigned step = AUTH_CERTIFICATE; step <= AUTH_TOKEN; step++)
		for (size_t i = 0; i < ARRAY_LEN(others); i++)
			expect_ended(s, others[i], (uint8_t)step, view_text(""), key_of(s, step));
}

static void certificate_or_token_with_a_name_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static const char *const names[] = {"eve", "anna", "x", "\n"};

	for (unsigned step = AUTH_CERTIFICATE; step <= AUTH_TOKEN; step++)
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			expect_ended(s, "https", (uint8_t)step, view_text(names[i]),
				     key_of(s, step));
}

static void hash_of_another_length_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static uint8_t long_one[100 * 1024];
	static const size_t lengths[] = {0, 1, 16, 31, 33, 64, 4096, sizeof long_one};

	memcpy(long_one, s->eve_spki, sizeof s->eve_spki);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		expect_ended(s, "https", AUTH_CERTIFICATE, view_text(""),
			     view_of(long_one, lengths[i]));
}

/* What a client says is no token is the client's affair, and everybody is told the same. */
static void token_that_is_none_is_refused(void **state)
{
	struct siege *s = *state;
	static char long_one[100 * 1024];
	static const size_t lengths[] = {0, 1, 3, 4, 5, 46, 48, 94, 512, 4096, sizeof long_one};
	uint64_t knock = siege_https(s, EVE_PEER);

	for (size_t i = 0; i < sizeof long_one; i++)
		long_one[i] = s->eve_token[i % TOKEN_LEN];
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		HEARD *h = gate_hear(s->hostile, say_auth(s, knock, AUTH_TOKEN, view_text(""),
							  view_of(long_one, lengths[i])));
		assert_answer(h, E_DENIED, "authentication failed");
		tally.cases++;
	}
	for (size_t i = 0; i < TOKEN_LEN; i++) { /* another character at each place */
		char other[TOKEN_LEN + 1];
		memcpy(other, s->eve_token, sizeof other);
		other[i] = other[i] == 'A' ? 'B' : 'A';
		HEARD *h = gate_hear(
		    s->hostile, say_auth(s, knock, AUTH_TOKEN, view_text(""), view_text(other)));
		assert_answer(h, E_DENIED, "authentication failed");
		other[i] = '\0';
		HEARD *nul = gate_hear(s->hostile, say_auth(s, knock, AUTH_TOKEN, view_text(""),
							    view_of(other, TOKEN_LEN)));
		assert_answer(nul, E_DENIED, "authentication failed");
		tally.cases += 2;
	}
	/* and the right one, in the end */
	assert_int_equal(
	    siege_outcome(s, say_auth(s, knock, AUTH_TOKEN, view_text(""), view_text(s->eve_token)),
			  NULL),
	    0);
}

/* ---- addresses ---- */

/* Including such as would be in every network, if they were read with less care. */
static void address_that_is_none_is_in_no_network(void **state)
{
	struct siege *s = *state;
	static char long_one[8192];
	static const char nul[] = "192.0.2.66\0";
	const struct view peers[] = {
	    view_text(""),
	    view_text("?"),
	    view_text("eve"),
	    view_text("192.0.2"),
	    view_text("192.0.2.066"),
	    view_text("192.0.2.66 "),
	    view_text(" 192.0.2.66"),
	    view_text("192.0.2.66\n"),
	    view_text("192.0.2.66/26"),
	    view_text("192.0.2.64/26 2001:db8:66::/48"),
	    view_text("0.0.0.0/0"),
	    view_text("::/0"),
	    view_text("*"),
	    view_text("[2001:db8:66::1]"),
	    view_text("2001:db8:66::1%eth0"),
	    view_text("2001:db8:66::1:22:33:44:55:66"),
	    view_text("::ffff:192.0.2.300"),
	    view_text("\xff\xfe"),
	    view_of(nul, sizeof nul - 1),
	    view_of(long_one, sizeof long_one),
	    /* these are addresses, of others */
	    view_text("192.0.2.63"),
	    view_text("192.0.2.128"),
	    view_text("::192.0.2.66"),
	    view_text("64:ff9b::192.0.2.66"),
	    view_text("2001:db8:67::"),
	};

	memset(long_one, ' ', sizeof long_one);
	memcpy(long_one, EVE_PEER, strlen(EVE_PEER));
	for (size_t i = 0; i < ARRAY_LEN(peers); i++)
		for (unsigned step = AUTH_CERTIFICATE; step <= AUTH_TOKEN; step++) {
			uint64_t knock = session_of(s, "https", peers[i]);
			HEARD *h = gate_hear(s->hostile, say_auth(s, knock, (uint8_t)step,
								  view_text(""), key_of(s, step)));
			assert_answer(h, E_DENIED, "authentication failed");
			expect_answer(ASK(s->hostile, session_close, SESSION_CLOSE, knock), 0, "");
			tally.cases++;
		}
	/* one connection has one address, which no later word changes; an honest one is taken */
	static const char *const good[] = {EVE_PEER, "::ffff:192.0.2.66", "2001:db8:66:ffff::1"};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		uint64_t knock = siege_https(s, good[i]);
		assert_int_equal(
		    siege_outcome(
			s, say_auth(s, knock, AUTH_CERTIFICATE, view_text(""), spki_of(s)), NULL),
		    0);
	}
}

/* ---- codes ---- */

static void make_code(struct siege *s, char ret_code[ENROLMENT_LEN + 1])
{
	struct enrolment_row row = {.principal = s->eve_id,
				    .made_us = 1,
				    .expires_us = INT64_MAX,
				    .networks = EVE_NETWORKS};

	assert_good(enrolment_make(ret_code));
	assert_good(enrolment_hash(view_text(ret_code), row.code_hash));
	assert_good(catalog_enrolment_add(s->live.keep->catalog, &row));
}

static uint32_t say_enroll(struct siege *s, uint64_t session, struct view code)
{
	tally.messages++;
	return SAY(s->hostile, enroll, ENROLL, session, .code = code, .spki = {6, 6, 6},
		   .client = view_text("eve"));
}

static void code_over_another_protocol_ends_the_gate(void **state)
{
	struct siege *s = *state;
	static const char *const others[] = {"sftp", "", "HTTPS", "http"};
	char code[ENROLMENT_LEN + 1];

	make_code(s, code);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		(void)say_enroll(s, session_of(s, others[i], view_text(EVE_PEER)), view_text(code));
		siege_ends(s, "'enroll' with a value that does not exist");
	}
	assert_int_equal(
	    siege_outcome(s, say_enroll(s, siege_https(s, EVE_PEER), view_text(code)), NULL), 0);
}

static void code_that_is_none_makes_nothing(void **state)
{
	struct siege *s = *state;
	static char long_one[100 * 1024];
	static const size_t lengths[] = {0, 1, 31, 33, 64, 128, 4096, sizeof long_one};
	size_t before = count_records(&s->live, "credential.add");
	char code[ENROLMENT_LEN + 1];

	make_code(s, code);
	for (size_t i = 0; i < sizeof long_one; i++)
		long_one[i] = code[i % ENROLMENT_LEN];
	uint64_t knock = siege_https(s, EVE_PEER);
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		expect_answer(
		    gate_hear(s->hostile, say_enroll(s, knock, view_of(long_one, lengths[i]))),
		    E_GONE, "this code is not good");
		tally.cases++;
	}
	/* right, but from where it may not come */
	expect_answer(gate_hear(s->hostile, say_enroll(s, siege_https(s, "?"), view_text(code))),
		      E_GONE, "this code is not good");
	assert_int_equal(count_records(&s->live, "credential.add"), before);
	/* twice at once: it is good for one */
	uint32_t one = say_enroll(s, knock, view_text(code));
	uint32_t two = say_enroll(s, knock, view_text(code));
	expect_answer(gate_hear(s->hostile, one), 0, "");
	expect_answer(gate_hear(s->hostile, two), E_GONE, "this code is not good");
	assert_int_equal(count_records(&s->live, "credential.add"), before + 1);
	expect_record(&s->live, "credential.add", "actor", "\"eve\"");
	tally.cases += 3;
}

static int end_of_all(void **state)
{
	tally_print();
	return live_end(state);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    IN_A_SIEGE(step_that_is_none_ends_the_gate),
	    IN_A_SIEGE(step_of_the_other_protocol_ends_the_gate),
	    IN_A_SIEGE(certificate_or_token_with_a_name_ends_the_gate),
	    IN_A_SIEGE(hash_of_another_length_ends_the_gate),
	    IN_A_SIEGE(token_that_is_none_is_refused),
	    IN_A_SIEGE(address_that_is_none_is_in_no_network),
	    IN_A_SIEGE(code_over_another_protocol_ends_the_gate),
	    IN_A_SIEGE(code_that_is_none_makes_nothing),
	};

	if (argc == 2)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, end_of_all);
}
