/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include <curl/curl.h>

#include "client/answer.h"
#include "client/http.h"
#include "client/retry.h"

#define HEX "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define B64 "n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg="

static void take(struct answer *a, const char *line)
{
	EXACT exact = kit_exact(line, strlen(line));

	answer_take_line(a, exact);
}

static void header_of_every_kind_is_read(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	take(&a, "HTTP/1.1 201 Created\r\n");
	take(&a, "ETag: \"" HEX "\"\r\n");
	take(&a, "repr-digest:sha-512=:AAAA:, sha-256=:" B64 ":\r\n");
	take(&a, "Upload-Offset: 65536\r\n");
	take(&a, "Upload-Length: 9223372036854775807\r\n");
	take(&a, "Content-Length: 0\r\n");
	take(&a, "Content-Range: bytes 100-199/200\r\n");
	take(&a, "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n");
	take(&a, "Retry-After: 7\r\n");
	take(&a, "Location: /uploads/0123456789abcdef0123456789abcdef\r\n");
	take(&a, "Link: </a>; rel=\"next\", </receipts/4711>; title=x; rel=\"receipt\"\r\n");
	take(&a, "Content-Type: application/problem+json; charset=utf-8\r\n");
	take(&a, "\r\n");
	assert_int_equal(a.status, 201);
	assert_true(a.has_etag && a.has_digest && answer_hash(&a, hash));
	assert_int_equal(a.offset, 65536);
	assert_int_equal(a.length, INT64_MAX);
	assert_true(a.has_size && a.size == 0);
	assert_true(a.has_range && a.range_first == 100 && a.range_size == 200);
	assert_true(a.has_modified && a.modified_s == 1700000000);
	assert_int_equal(a.retry_after_s, 7);
	assert_string_equal(a.upload, "/uploads/0123456789abcdef0123456789abcdef");
	assert_string_equal(a.receipt, "/receipts/4711");
	assert_true(a.is_problem);
}

static void header_that_is_none_is_not_there(void **state)
{
	static const char *const bad[] = {
	    "ETag: W/\"" HEX "\"",
	    "ETag: " HEX,
	    "ETag: \"" HEX "00\"",
	    "ETag: \"zz86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
	    "ETag: \"",
	    "Repr-Digest: sha-256=" B64,
	    "Repr-Digest: sha-256=:AAAA:",
	    "Repr-Digest: sha-256=:",
	    "Repr-Digest: sha-256=::",
	    "Repr-Digest: x-sha-256=:" B64 ":",
	    "Upload-Offset: -1",
	    "Upload-Offset: 1 2",
	    "Upload-Offset: 99999999999999999999999",
	    "Upload-Offset:",
	    "Upload-Length: 0x10",
	    "Content-Range: bytes 100-99/200",
	    "Content-Range: bytes 100-200/200",
	    "Content-Range: bytes */200",
	    "Content-Range: bytes 1-2/*",
	    "Content-Range: bytes 1/2-3",
	    "Content-Range: items 1-2/3",
	    "Content-Range: bytes ",
	    "Last-Modified: yesterday",
	    "Location: https://evil.example/uploads/00",
	    "Location: /uploads/../files/acme",
	    "Location: /uploads/",
	    "Location: //uploads/00",
	    "Location: /uploads/00%0d",
	    "Location: /uploads/00000000000000000000000000000000000000000000000000000000000000000"
	    "00000000000000000000000000",
	    "Link: </receipts/1/../2>; rel=\"receipt\"",
	    "Link: <https://evil.example/receipts/1>; rel=\"receipt\"",
	    "Link: </receipts/1>; rel=\"next\"",
	    "Link: </receipts/1>",
	    "Link: </receipts/1; rel=\"receipt\"",
	    "Link: /receipts/1; rel=\"receipt\"",
	    "Link: </receipts/>; rel=\"receipt\"",
	    "Link: <>; rel=\"receipt\"",
	    "Link: <",
	    ": /uploads/00",
	    "no colon",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(answer_done) struct answer a = {0};
		take(&a, "HTTP/1.1 200 OK");
		take(&a, bad[i]);
		if (a.has_etag || a.has_digest || a.has_offset || a.has_length || a.has_range ||
		    a.has_modified || a.upload[0] || a.receipt[0])
			print_error("believed: %s\n", bad[i]);
		assert_false(a.has_etag || a.has_digest || a.has_offset || a.has_length ||
			     a.has_range || a.has_modified || a.upload[0] || a.receipt[0]);
	}
}

/* Each header cut short anywhere, in memory that ends there. */
static void header_that_is_cut_is_read_without_harm(void **state)
{
	static const char *const lines[] = {
	    "HTTP/1.1 201 Created\r\n",
	    "ETag: \"" HEX "\"\r\n",
	    "Repr-Digest: sha-512=:AAAA:, sha-256=:" B64 ":\r\n",
	    "Content-Range: bytes 100-199/200\r\n",
	    "Link: </a>; rel=\"next\", </receipts/4711>; title=x; rel=\"receipt\"\r\n",
	    "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
	    "Location: /uploads/0123456789abcdef0123456789abcdef\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		for (size_t len = 0; len <= strlen(lines[i]); len++) {
			CLEANUP(answer_done) struct answer a = {0};
			EXACT cut = kit_exact(lines[i], len);
			answer_take_line(&a, cut);
			if (len + 2 < strlen(lines[i]))
				assert_false(a.has_etag || a.has_digest);
		}
}

static void answer_behind_a_100_begins_anew(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};

	(void)state;
	take(&a, "HTTP/1.1 100 Continue");
	take(&a, "Upload-Offset: 7");
	take(&a, "HTTP/1.1 204 No Content");
	assert_int_equal(a.status, 204);
	assert_false(a.has_offset);
}

static void hashes_that_differ_are_none(void **state)
{
	CLEANUP(answer_done) struct answer a = {0};
	uint8_t hash[SHA256_SIZE];

	(void)state;
	assert_false(answer_hash(&a, hash));
	take(&a, "ETag: \"" HEX "\"");
	assert_true(answer_hash(&a, hash));
	take(&a, "Repr-Digest: sha-256=:" B64 ":");
	assert_true(answer_hash(&a, hash));
	a.digest[0] ^= 1;
	assert_false(answer_hash(&a, hash));
}

static int judge(unsigned status, const char *type, const char *body)
{
	CLEANUP(answer_done) struct answer a = {0};
	char line[64];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %u x", status);
	take(&a, line);
	if (type)
		take(&a, type);
	if (body)
		assert_ok(buf_add_text(&a.body, body));
	answer_read_problem(&a);
	return answer_judge(&a, "it");
}

static void problem_decides_before_the_status(void **state)
{
	static const char json[] = "Content-Type: application/problem+json";

	(void)state;
	assert_ok(judge(204, NULL, NULL));
	assert_says(judge(507, json,
			  "{\"type\":\"urn:dropkeep:problem:quota\",\"title\":\"quota exceeded\","
			  "\"detail\":\"3 left\"}"),
		    E_QUOTA, "it: quota exceeded: 3 left");
	assert_fails(judge(409, json, "{\"type\":\"urn:dropkeep:problem:held\",\"title\":\"x\"}"),
		     E_HELD);
	assert_fails(judge(409, json, "{\"type\":\"urn:dropkeep:problem:name-taken\"}"), E_TAKEN);
	assert_fails(judge(400, json, "{\"type\":\"urn:dropkeep:problem:digest-mismatch\"}"),
		     E_INTEGRITY);
	/* What is not known, or no problem at all, leaves the status. */
	assert_fails(judge(403, json, "{\"type\":\"urn:dropkeep:problem:unheard-of\"}"), E_DENIED);
	assert_fails(judge(404, json, "{\"type\":7}"), E_GONE);
	assert_fails(judge(403, json, "[["), E_DENIED);
	assert_fails(judge(403, json, "\"urn:dropkeep:problem:try-later\""), E_DENIED);
	assert_fails(
	    judge(403, "Content-Type: text/html", "{\"type\":\"urn:dropkeep:problem:held\"}"),
	    E_DENIED);
	assert_fails(judge(302, NULL, NULL), E_PROTOCOL);
	assert_fails(judge(405, NULL, NULL), E_PROTOCOL);
	assert_fails(judge(401, NULL, NULL), E_DENIED);
	assert_fails(judge(503, NULL, NULL), E_AGAIN);
	assert_fails(judge(0, NULL, NULL), E_PROTOCOL);
}

static void retry_is_for_what_may_pass(void **state)
{
	(void)state;
	for (int code = E_LAST; code <= 0; code++)
		assert_int_equal(worth_a_retry(code),
				 code == E_AGAIN || code == CLIENT_UNREACHABLE);
	assert_true(worth_a_retry(http_judge(CURLE_COULDNT_CONNECT, "x")));
	assert_true(worth_a_retry(http_judge(CURLE_RECV_ERROR, "x")));
	assert_true(worth_a_retry(http_judge(CURLE_PARTIAL_FILE, "x")));
	assert_false(worth_a_retry(http_judge(CURLE_SSL_PINNEDPUBKEYNOTMATCH, "x")));
	assert_false(worth_a_retry(http_judge(CURLE_PEER_FAILED_VERIFICATION, "x")));
	assert_false(worth_a_retry(http_judge(CURLE_SSL_CERTPROBLEM, "x")));
	assert_false(worth_a_retry(http_judge(CURLE_UNSUPPORTED_PROTOCOL, "x")));
	err_clear();
}

static void retry_pauses_longer_and_longer(void **state)
{
	struct retry r = {.most = 100};
	static const uint64_t ms[] = {500, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ms); i++) {
		r.failed = (unsigned)i;
		assert_int_equal(retry_pause_ms(&r), ms[i]);
	}
	r.after_s = 60;
	assert_int_equal(retry_pause_ms(&r), 60000);
	r = (struct retry){.most = 0};
	assert_false(retry_again(&r, E_AGAIN));
	r.most = 5;
	assert_false(retry_again(&r, E_DENIED));
	assert_int_equal(r.failed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_of_every_kind_is_read),
	    cmocka_unit_test(header_that_is_none_is_not_there),
	    cmocka_unit_test(header_that_is_cut_is_read_without_harm),
	    cmocka_unit_test(answer_behind_a_100_begins_anew),
	    cmocka_unit_test(hashes_that_differ_are_none),
	    cmocka_unit_test(problem_decides_before_the_status),
	    cmocka_unit_test(retry_is_for_what_may_pass),
	    cmocka_unit_test(retry_pauses_longer_and_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
