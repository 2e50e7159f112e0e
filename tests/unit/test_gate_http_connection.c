/* SPDX-License-Identifier: Apache-2.0 */
/* Connections in a gate without a keep: what they do to each other, and how long they last. */
#include "tls_kit.h"

#include <signal.h>

#include "daemon/gate/http_connection.h"

enum {
	GATE_MAGIC = 0x67617465,
	SOCKET_BUFFER = 256 * 1024,
	GRACE_MS = 500,
	IDLE_MS = 60000,
	TURNS_MAX = 1000,
};

static const char request[] = "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n";

struct rig {
	struct gate gate;
	struct policy policy;
	struct kit_client client;
	struct buf got;
};

static void turn(struct rig *r)
{
	(void)uv_run(&r->gate.loop, UV_RUN_NOWAIT);
}

static void rig_make(struct rig *r)
{
	struct peer peer = {.port = 4711};
	int fd = -1, rc = 0;

	*r = (struct rig){.policy = {.login_grace_ms = GRACE_MS}};
	r->gate.magic = GATE_MAGIC;
	r->gate.policy = &r->policy;
	r->gate.https_idle_ms = IDLE_MS;
	assert_int_equal(uv_loop_init(&r->gate.loop), 0);
	assert_int_equal(uv_idle_init(&r->gate.loop, &r->gate.turn), 0);
	r->gate.turn.data = &r->gate;
	r->gate.tls = kit_tls_context();
	r->client = kit_client(SOCKET_BUFFER, &fd);
	connection_begin(&r->gate, fd, &peer);
	for (int i = 0; i < TURNS_MAX && rc != 1; i++) {
		rc = SSL_do_handshake(r->client.ssl);
		turn(r);
	}
	assert_int_equal(rc, 1);
	turn(r);
}

/* The client goes, and its connection with it. */
static void rig_done(struct rig *r)
{
	kit_client_done(&r->client);
	for (int i = 0; i < TURNS_MAX && r->gate.session_count; i++)
		turn(r);
	assert_int_equal(r->gate.session_count, 0);
	uv_close((uv_handle_t *)&r->gate.turn, NULL);
	turn(r);
	tls_context_free(&r->gate.tls);
	buf_done(&r->got);
	assert_int_equal(uv_loop_close(&r->gate.loop), 0);
}

static void say(struct rig *r, const char *text)
{
	assert_int_equal(SSL_write(r->client.ssl, text, (int)strlen(text)), (int)strlen(text));
}

static unsigned count(const struct rig *r, const char *text)
{
	struct view rest = view_buf(&r->got);
	unsigned n = 0;

	for (const uint8_t *at; rest.len && (at = memmem(rest.data, rest.len, text, strlen(text)));
	     n++)
		rest = view_of(at + 1, rest.len - (size_t)(at + 1 - rest.data));
	return n;
}

/* How often the text stands in all that has come by now. */
static unsigned come(struct rig *r, const char *text)
{
	uint8_t bytes[4096];
	int n;

	while ((n = SSL_read(r->client.ssl, bytes, sizeof bytes)) > 0)
		assert_ok(buf_add(&r->got, bytes, (size_t)n));
	return count(r, text);
}

static void requests_that_come_at_once_are_answered_with_turns_for_others_between(void **state)
{
	enum { REQUESTS = 100 };
	struct rig r;
	unsigned before = 0;

	(void)state;
	rig_make(&r);
	for (int i = 0; i < REQUESTS; i++)
		say(&r, request);
	for (int i = 0; i < TURNS_MAX && before < REQUESTS; i++) {
		turn(&r);
		unsigned now = come(&r, "HTTP/1.1 404 ");
		assert_true(now - before <= 2);
		before = now;
	}
	assert_int_equal(before, REQUESTS);
	rig_done(&r);
}

/* True: so much of it has come in that time. */
static bool comes_in_time(struct rig *r, const char *text, unsigned times, unsigned ms)
{
	uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

	while (uv_hrtime() < end) {
		turn(r);
		if (come(r, text) == times)
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void the_head_of_a_further_request_has_its_time_from_its_first_byte(void **state)
{
	struct rig r;

	(void)state;
	rig_make(&r);
	say(&r, request);
	assert_true(comes_in_time(&r, "HTTP/1.1 404 ", 1, 10 * GRACE_MS));
	assert_false(comes_in_time(&r, "HTTP/1.1 408 ", 1, 2 * GRACE_MS)); /* it may be idle */
	say(&r, "GET / HT");
	assert_false(comes_in_time(&r, "HTTP/1.1 408 ", 1, GRACE_MS / 4));
	assert_true(comes_in_time(&r, "HTTP/1.1 408 ", 1, 10 * GRACE_MS));
	rig_done(&r);
}

static void address_has_no_more_connections_that_ask_for_nothing_than_may_be(void **state)
{
	enum { MORE = 5, MOST = 3 };
	struct kit_client more[MORE];
	const struct peer same = {.address = "192.0.2.1"}, other = {.address = "192.0.2.2"};
	struct rig r;
	int fd = -1;

	(void)state;
	rig_make(&r);
	r.gate.strangers = MOST;
	for (int i = 0; i < MORE; i++) {
		more[i] = kit_client(SOCKET_BUFFER, &fd);
		connection_begin(&r.gate, fd, i < MORE - 1 ? &same : &other);
	}
	assert_int_equal(r.gate.session_count, 1 + MOST + 1);
	assert_int_equal(read(more[MOST].fd, &fd, 1), 0); /* closed at once */
	for (int i = 0; i < MORE; i++)
		kit_client_done(&more[i]);
	rig_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_that_come_at_once_are_answered_with_turns_for_others_between),
	    cmocka_unit_test(the_head_of_a_further_request_has_its_time_from_its_first_byte),
	    cmocka_unit_test(address_has_no_more_connections_that_ask_for_nothing_than_may_be),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as a gate does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
