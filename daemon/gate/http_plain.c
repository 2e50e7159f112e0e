/* SPDX-License-Identifier: Apache-2.0 */
/* What the keep answers with a text: the account, an enrolment, a receipt. And the gate's health.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "daemon/gate/http_handlers.h"

/* An ask under way; its exchange forgets it when the connection is lost. */
struct plain {
	struct ask *ask;
};

static void lost(struct exchange *x, const char *reason)
{
	struct plain *p = x->state;

	(void)reason;
	if (p && p->ask)
		ask_forget(p->ask);
	mem_free(&x->state);
}

static struct plain *plain_of(struct exchange *x)
{
	struct plain *p = mem_new(sizeof *p);

	x->state = p;
	return p;
}

/* The answer has come; true: it is a refusal, which has been told. */
static bool refused(struct exchange *x, const struct answer *a)
{
	mem_free(&x->state);
	if (a->status)
		exchange_fail(x, a->status, answer_text(a));
	return a->status != 0;
}

static void malformed(struct exchange *x)
{
	exchange_fail(x, E_IO, "");
	err_clear();
}

/* ---- /healthz ---- */

/* That a gate answers is what this says; a keep that cannot record ends, and its gates with it. */
static void health_begin(struct exchange *x)
{
	if (x->gate->draining)
		exchange_problem(x, PROBLEM_TRY_LATER, view_text("the server is stopping"));
	else
		exchange_answer(x, 200, "text/plain", view_text("ok\n"));
}

const struct http_handler http_health = {.name = "health", .begin = health_begin, .lost = lost};

/* ---- /account ---- */

static void on_account(void *arg, const struct answer *a)
{
	struct exchange *x = arg;
	struct answer_account m;

	if (refused(x, a))
		return;
	if (answer_account_read(a->body, &m))
		malformed(x);
	else
		exchange_answer(x, 200, "application/json", m.json);
}

static void account_begin(struct exchange *x)
{
	const struct ask_account m = {};

	plain_of(x)->ask = keeper_ask_account(x->gate->keeper, x->session, &m, on_account, x);
}

const struct http_handler http_account = {.name = "account", .begin = account_begin, .lost = lost};

/* ---- /enroll/ ---- */

static int enrolled_json(const struct answer_enroll *m, struct buf *out)
{
	const uint8_t *plus = memchr(m->key.data, '+', m->key.len);
	struct view origin = view_of(m->key.data, plus ? (size_t)(plus - m->key.data) : m->key.len);
	int rc = buf_add_text(out, "{\"user\":");

	if (!rc)
		rc = json_string_write(m->name, out);
	if (!rc)
		rc = buf_add_text(out, ",\"home\":");
	if (!rc)
		rc = json_string_write(m->home, out);
	if (!rc)
		rc = buf_add_text(out, ",\"log\":{\"origin\":");
	if (!rc)
		rc = json_string_write(origin, out);
	if (!rc)
		rc = buf_add_text(out, ",\"key\":");
	if (!rc)
		rc = json_string_write(m->key, out);
	return rc ? rc : buf_add_text(out, "}}\n");
}

static void on_enrolled(void *arg, const struct answer *a)
{
	CLEANUP(buf_done) struct buf json = {0};
	struct exchange *x = arg;
	struct answer_enroll m;

	if (refused(x, a))
		return;
	if (answer_enroll_read(a->body, &m) || enrolled_json(&m, &json))
		malformed(x);
	else
		exchange_answer(x, 200, "application/json", view_buf(&json));
}

enum { CODE_MAX = 128 };

static void enroll_begin(struct exchange *x)
{
	const struct view *agent = exchange_field(x, "user-agent");
	struct ask_enroll m = {.code = x->rest, .client = agent ? *agent : view_text("")};

	if (!x->peer_key) {
		exchange_problem(x, PROBLEM_CERTIFICATE_NEEDED,
				 view_text("show the certificate that is to be enrolled"));
		return;
	}
	if (m.code.len > CODE_MAX) {
		exchange_fail(x, E_GONE, "there is no such code");
		return;
	}
	if (m.client.len > CODE_MAX)
		m.client.len = CODE_MAX;
	memcpy(m.spki, x->peer_key, sizeof m.spki);
	plain_of(x)->ask = keeper_ask_enroll(x->gate->keeper, x->session, &m, on_enrolled, x);
}

const struct http_handler http_enroll = {.name = "enroll", .begin = enroll_begin, .lost = lost};

/* ---- /receipts/ ---- */

static void on_receipt(void *arg, const struct answer *a)
{
	struct exchange *x = arg;
	struct answer_receipt m;

	if (refused(x, a))
		return;
	if (answer_receipt_read(a->body, &m)) {
		malformed(x);
		return;
	}
	exchange_add_field(x, "Content-Disposition",
			   "attachment; filename=\"receipt-%.*s.tlog-proof\"", (int)x->rest.len,
			   (const char *)x->rest.data);
	exchange_answer(x, 200, "text/plain; charset=utf-8", m.receipt);
}

static int read_record(struct view text, uint64_t *ret_record)
{
	uint64_t n = 0;

	if (!text.len || text.len > 18)
		return E_GONE;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return E_GONE;
		n = n * 10 + (uint64_t)(text.data[i] - '0');
	}
	*ret_record = n;
	return 0;
}

static void receipt_begin(struct exchange *x)
{
	struct ask_receipt m;

	if (read_record(x->rest, &m.record))
		exchange_fail(x, E_GONE, "there is no such receipt");
	else
		plain_of(x)->ask =
		    keeper_ask_receipt(x->gate->keeper, x->session, &m, on_receipt, x);
}

const struct http_handler http_receipt = {.name = "receipt", .begin = receipt_begin, .lost = lost};
