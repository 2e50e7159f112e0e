/* SPDX-License-Identifier: Apache-2.0 */
/* TLS on a socket: a gate's end, and a client that reads as slowly as it likes. */
#include "tls_kit.h"

#include <signal.h>

#include "daemon/gate/http_inside.h"

enum { SOCKET_BUFFER = 16 * 1024, SIP = 16 * 1024 };

struct pair {
	struct gate gate;
	struct connection c;
	struct kit_client client;
};

static void pair_make(struct pair *p)
{
	int rc = E_AGAIN;

	*p = (struct pair){.c.gate = &p->gate};
	assert_int_equal(uv_loop_init(&p->gate.loop), 0);
	p->client = kit_client(SOCKET_BUFFER, &p->c.fd);
	p->gate.tls = kit_tls_context();
	assert_ok(tls_accept_new(p->gate.tls, p->c.fd, &p->c.ssl));
	for (int i = 0; i < 10 && rc; i++) {
		(void)SSL_do_handshake(p->client.ssl);
		p->c.read_waits = p->c.write_waits = false;
		rc = socket_handshake(&p->c);
	}
	assert_int_equal(rc, 0);
}

static void pair_done(struct pair *p)
{
	SSL_free(p->c.ssl);
	tls_context_free(&p->gate.tls);
	buf_done(&p->c.in);
	buf_done(&p->c.out);
	(void)close(p->c.fd);
	kit_client_done(&p->client);
	assert_int_equal(uv_loop_close(&p->gate.loop), 0);
}

static uint8_t byte_at(uint64_t at)
{
	return (uint8_t)(at * 7 + at / 251);
}

/* As an answer does: as much as may wait, as often as there is room for something. */
static uint64_t fill_up(struct connection *c, uint64_t at)
{
	while (c->out.len - c->sent < ANSWER_FILL) {
		const uint8_t byte = byte_at(at++);
		assert_ok(buf_add(&c->out, &byte, 1));
	}
	return at;
}

static uint64_t take_a_sip(struct pair *p, uint64_t at)
{
	uint8_t sip[SIP];
	int n = 0;

	for (uint64_t end = at + SIP; at < end; at += (uint64_t)n) {
		n = SSL_read(p->client.ssl, sip, (int)(end - at));
		assert_true(n > 0);
		for (int i = 0; i < n; i++)
			if (sip[i] != byte_at(at + (uint64_t)i))
				assert_int_equal(sip[i], byte_at(at + (uint64_t)i));
	}
	return at;
}

static void a_slow_reader_of_a_long_answer_costs_no_more_than_what_may_wait(void **state)
{
	const uint64_t total = (uint64_t)8 << 20;
	uint64_t written = 0, read = 0;
	struct pair p;

	(void)state;
	pair_make(&p);
	while (read < total) {
		written = fill_up(&p.c, written);
		p.c.write_waits = false;
		assert_int_equal(socket_flush(&p.c), E_AGAIN); /* it is never all sent */
		assert_true(p.c.out.cap <= 4 * (size_t)ANSWER_FILL);
		read = take_a_sip(&p, read);
	}
	pair_done(&p);
}

static void a_flush_that_sends_all_leaves_nothing_behind(void **state)
{
	uint8_t sip[SIP];
	struct pair p;

	(void)state;
	pair_make(&p);
	assert_ok(buf_add_text(&p.c.out, "all of it"));
	assert_int_equal(socket_flush(&p.c), 0);
	assert_int_equal(p.c.out.len, 0);
	assert_int_equal(p.c.sent, 0);
	assert_int_equal(SSL_read(p.client.ssl, sip, sizeof sip), 9);
	pair_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_slow_reader_of_a_long_answer_costs_no_more_than_what_may_wait),
	    cmocka_unit_test(a_flush_that_sends_all_leaves_nothing_behind),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as a gate does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
