/* SPDX-License-Identifier: Apache-2.0 */
#include "http_kit.h"

#include "base/err.h"
#include "base/sha256.h"
#include "base/text.h"
#include "daemon/gate/http_tus.h"

static int number_of(const char *value, uint64_t *ret, bool *there)
{
	struct kit_request r = kit_request(value ? "upload-offset" : NULL, value, NULL, NULL);
	int rc = tus_number(&r.head, "upload-offset", ret, there);

	kit_request_done(&r);
	return rc;
}

static void speaks_version_1_alone(void **state)
{
	static const char *const other[] = {"", "1.0", "1.0.0 ", "1.0.1", "0.2.2", "1.0.0, 0.2.2"};
	struct kit_request r = kit_request("tus-resumable", "1.0.0", NULL, NULL);

	(void)state;
	assert_true(tus_speaks(&r.head));
	kit_request_done(&r);
	r = kit_request(NULL, NULL, NULL, NULL);
	assert_false(tus_speaks(&r.head));
	r = kit_request("tus-resumable", "1.0.0", "Tus-Resumable", "1.0.0");
	assert_false(tus_speaks(&r.head));
	kit_request_done(&r);
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		r = kit_request("tus-resumable", other[i], NULL, NULL);
		assert_false(tus_speaks(&r.head));
		kit_request_done(&r);
	}
}

static void number_reads_digits(void **state)
{
	uint64_t n = 7;
	bool there = true;

	(void)state;
	assert_ok(number_of(NULL, &n, &there));
	assert_true(!there && n == 7);
	assert_ok(number_of("0", &n, &there));
	assert_true(there && n == 0);
	assert_ok(number_of("007", &n, &there));
	assert_true(there && n == 7);
	assert_ok(number_of("999999999999999999", &n, &there));
	assert_true(n == 999999999999999999u);
}

static void number_refuses_what_is_none(void **state)
{
	static const char *const bad[] = {"",
					  " ",
					  "-1",
					  "+1",
					  " 1",
					  "1 ",
					  "1,2",
					  "0x1",
					  "1e3",
					  "1.0",
					  "ten",
					  "1\t",
					  "1000000000000000000",
					  "18446744073709551616",
					  "99999999999999999999999999999999"};
	uint64_t n = 7;
	bool there;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(number_of(bad[i], &n, &there), E_INVALID);
	struct kit_request r = kit_request("upload-offset", "1", "Upload-Offset", "1");
	assert_fails(tus_number(&r.head, "upload-offset", &n, &there), E_INVALID);
	kit_request_done(&r);
	assert_true(n == 7);
}

/* *ret is NULL where the key is not there; else to be freed. */
static int metadata_of(const char *value, const char *key, char **ret)
{
	struct kit_request r = kit_request("upload-metadata", value, NULL, NULL);
	CLEANUP(buf_done) struct buf out = {0};
	const char *text = "";
	bool there = false;
	int rc = tus_metadata(&r.head, key, &out, &there);

	*ret = NULL;
	if (!rc && there) {
		assert_ok(buf_text(&out, &text));
		*ret = mem_text(text);
	}
	kit_request_done(&r);
	return rc;
}

static void metadata_finds_its_key(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} cases[] = {
	    {"path L2FjbWUveA==", "path", "/acme/x"},
	    {"filename eA==,path L2FjbWUveA==", "path", "/acme/x"},
	    {"filename eA==, path L2FjbWUveA==", "path", "/acme/x"},
	    {"path L2FjbWUveA== ,filename eA==", "path", "/acme/x"},
	    {"path L2FjbWUveA==,", "path", "/acme/x"},
	    {",,path eA==", "path", "x"},
	    {"is_confidential,path eA==", "path", "x"},
	    {"is_confidential", "is_confidential", ""},
	    {"path ", "path", ""},
	    {"path", "path", ""},
	    {"pathology eA==", "path", NULL},
	    {"pat eA==", "path", NULL},
	    {"Path eA==", "path", NULL},
	    {"other !!!,path eA==", "path", "x"}, /* what is passed over may be anything */
	    {"", "path", NULL},
	    {" ", "path", NULL},
	};
	char *got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(metadata_of(cases[i].text, cases[i].key, &got));
		if (cases[i].value)
			assert_string_equal(got, cases[i].value);
		else
			assert_null(got);
		free(got);
	}
}

static void metadata_refuses_what_is_no_value(void **state)
{
	static const char *const bad[] = {
	    "path eA",        "path eA=",    "path eA===", "path eB==",           "path  eA==",
	    "path eA== eA==", "path e A==",  "path *",     "path eA==,path eA==", "path eA==,path",
	    "path eA_-",      "path \teA==",
	};
	struct kit_request r =
	    kit_request("upload-metadata", "path eA==", "upload-metadata", "filename eA==");
	CLEANUP(buf_done) struct buf out = {0};
	bool there;
	char *got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(metadata_of(bad[i], "path", &got), E_INVALID);
		free(got);
	}
	assert_fails(tus_metadata(&r.head, "path", &out, &there), E_INVALID);
	kit_request_done(&r);
}

static int checksum_of(const char *value, uint8_t ret[WIRE_HASH], bool *there)
{
	struct kit_request r = kit_request(value ? "upload-checksum" : NULL, value, NULL, NULL);
	int rc = tus_checksum(&r.head, ret, there);

	kit_request_done(&r);
	return rc;
}

#define OF_ABC "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="

static void checksum_is_a_sha256(void **state)
{
	uint8_t hash[WIRE_HASH], expected[WIRE_HASH];
	bool there = true;

	(void)state;
	assert_ok(checksum_of(NULL, hash, &there));
	assert_false(there);
	assert_ok(checksum_of("sha256 " OF_ABC, hash, &there));
	sha256_of(view_text("abc"), expected);
	assert_true(there);
	assert_memory_equal(hash, expected, sizeof hash);
}

static void checksum_refuses_all_else(void **state)
{
	static const char *const bad[] = {
	    "",
	    "sha256",
	    "sha256 ",
	    OF_ABC,
	    "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
	    "SHA256 " OF_ABC,
	    "sha-256 " OF_ABC,
	    "sha256  " OF_ABC,
	    "sha256 " OF_ABC " ",
	    "sha256 " OF_ABC "=",
	    "sha256 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
	    "sha256 " OF_ABC "," OF_ABC,
	    "sha256 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	};
	uint8_t hash[WIRE_HASH];
	bool there;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(checksum_of(bad[i], hash, &there), E_INVALID);
	struct kit_request r =
	    kit_request("upload-checksum", "sha256 " OF_ABC, "upload-checksum", "sha256 " OF_ABC);
	assert_fails(tus_checksum(&r.head, hash, &there), E_INVALID);
	kit_request_done(&r);
}

static void ticket_has_one_form_alone(void **state)
{
	static const char *const bad[] = {"",
					  "0",
					  "0123456789abcdef0123456789abcde",
					  "0123456789abcdef0123456789abcdef0",
					  "0123456789ABCDEF0123456789abcdef",
					  "0123456789abcdef0123456789abcdeg",
					  "0123456789abcdef/123456789abcdef",
					  "%30123456789abcdef0123456789abcd",
					  "0123456789abcdef0123456789abcdef/"};
	uint8_t ticket[WIRE_ID];
	char back[2 * WIRE_ID + 1];

	(void)state;
	struct view v = kit_exact("0123456789abcdef0123456789abcdef", 32);
	assert_int_equal(tus_ticket(v, ticket), 0);
	kit_exact_done(&v);
	hex_encode(ticket, WIRE_ID, back);
	assert_string_equal(back, "0123456789abcdef0123456789abcdef");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		v = kit_exact(bad[i], strlen(bad[i]));
		assert_int_equal(tus_ticket(v, ticket), E_GONE);
		kit_exact_done(&v);
	}
	assert_string_equal(err_cause(), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(speaks_version_1_alone),
	    cmocka_unit_test(number_reads_digits),
	    cmocka_unit_test(number_refuses_what_is_none),
	    cmocka_unit_test(metadata_finds_its_key),
	    cmocka_unit_test(metadata_refuses_what_is_no_value),
	    cmocka_unit_test(checksum_is_a_sha256),
	    cmocka_unit_test(checksum_refuses_all_else),
	    cmocka_unit_test(ticket_has_one_form_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
