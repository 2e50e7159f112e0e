/* SPDX-License-Identifier: Apache-2.0 */
#include "age_test.h"

#include "age/header.h"

#define V1_LINE "age-encryption.org/v1\n"
#define SHARE   "TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc"
#define BODY    "hjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FLE"
#define MAC     "WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcNg"
#define STANZA  "-> X25519 " SHARE "\n" BODY "\n"
#define END     "--- " MAC "\n"
#define LINE64  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct age_header header; /* 16 KiB: not on the stack of each case */

/* The whole in a buffer of exactly its size. */
static int parse_n(const void *bytes, size_t len)
{
	uint8_t *exact = exact_copy(bytes, len);
	int rc = age_header_parse(view_of(exact, len), &header);

	header.mac_part = view_of(NULL, 0); /* it pointed into exact */
	free(exact);
	return rc;
}

static int parse(const char *text)
{
	return parse_n(text, strlen(text));
}

/* Bytes that make a header: each shorter run of them asks for more, and more change nothing. */
static void parse_at_every_length(const void *bytes, size_t len)
{
	for (size_t n = 0; n < len; n++)
		assert_code(parse_n(bytes, n), E_AGAIN);
	assert_good(parse_n(bytes, len));
	assert_int_equal(header.len, len);

	CLEANUP(buf_done) struct buf more = {0};
	assert_good(buf_add(&more, bytes, len));
	assert_good(buf_add_text(&more, "--- \n-> payload may be anything"));
	assert_good(parse_n(more.data, more.len));
	assert_int_equal(header.len, len);
}

/* No run of bytes that begins a malformed header is ever taken for a complete one, and once
 * refused it stays refused. */
static void refuse_at_every_length(const char *text)
{
	size_t len = strlen(text);
	bool refused = false;

	for (size_t n = 0; n <= len; n++) {
		int rc = parse_n(text, n);
		err_clear();
		assert_true(rc == E_INVALID || (rc == E_AGAIN && !refused));
		refused = rc == E_INVALID;
	}
	if (!refused)
		print_error("never refused: %s\n", text);
	assert_true(refused);
}

static void write_into(const struct secret *file_key, size_t count, struct buf *out)
{
	CLEANUP(mem_free) struct age_recipient *recipients = mem_new(count * sizeof *recipients);

	for (size_t i = 0; i < count; i++)
		assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &recipients[i]));
	assert_good(age_header_write(file_key, recipients, count, out));
}

static void write_header_and_unwrap_gives_the_file_key(void **state)
{
	static const size_t counts[] = {1, 2, 3, AGE_STANZAS_MAX};
	CLEANUP(secret_free) struct secret *identity = example_identity();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		CLEANUP(secret_free) struct secret *file_key = NULL, *got = NULL;
		CLEANUP(buf_done) struct buf out = {0};
		assert_good(age_file_key_new(&file_key));
		write_into(file_key, counts[i], &out);
		assert_good(age_header_parse(view_buf(&out), &header));
		assert_int_equal(header.len, out.len);
		assert_int_equal(header.x25519_count, counts[i]);
		assert_int_equal(header.stanza_count, counts[i]);
		assert_good(age_header_unwrap(&header, identity, &got));
		assert_true(view_equal(secret_view(got), secret_view(file_key)));
	}
}

static void write_header_is_read_at_every_split(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	write_into(file_key, 2, &out);
	parse_at_every_length(out.data, out.len);
}

static void write_header_appends(void **state)
{
	CLEANUP(secret_free)
	struct secret *file_key = NULL, *identity = example_identity(), *got = NULL;
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	assert_good(buf_add_text(&out, "before"));
	write_into(file_key, 1, &out);
	assert_good(age_header_parse(view_of(out.data + 6, out.len - 6), &header));
	assert_good(age_header_unwrap(&header, identity, &got));
}

/* Fresh ephemeral secrets: two headers for one file key and recipient have nothing in common. */
static void write_header_twice_gives_two(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	CLEANUP(buf_done) struct buf out = {0};
	struct age_x25519_stanza first;

	(void)state;
	assert_good(age_file_key_new(&file_key));
	write_into(file_key, 2, &out);
	assert_good(age_header_parse(view_buf(&out), &header));
	first = header.x25519[0];
	assert_memory_not_equal(first.share, header.x25519[1].share, sizeof first.share);
	assert_memory_not_equal(first.body, header.x25519[1].body, sizeof first.body);
	out.len = 0;
	write_into(file_key, 2, &out);
	assert_good(age_header_parse(view_buf(&out), &header));
	assert_memory_not_equal(first.share, header.x25519[0].share, sizeof first.share);
}

static void write_header_that_nobody_could_read_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL, *odd = NULL;
	CLEANUP(buf_done) struct buf out = {0};
	static struct age_recipient many[AGE_STANZAS_MAX + 1];
	struct age_recipient pair[2] = {{{0}}, {{0}}};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	assert_good(secret_random(32, &odd));
	assert_good(age_recipient_from_text(view_text(EXAMPLE_RECIPIENT), &pair[0]));
	assert_good(buf_add_text(&out, "before"));
	assert_code(age_header_write(file_key, pair, 0, &out), E_INVALID);
	assert_code(age_header_write(odd, pair, 1, &out), E_INVALID);
	assert_code(age_header_write(file_key, pair, 2, &out), E_INVALID); /* of low order */
	assert_code(age_header_write(file_key, many, ARRAY_LEN(many), &out), E_LIMIT);
	assert_int_equal(out.len, 6);
}

static void parse_good_headers_at_every_split(void **state)
{
	static const char *const good[] = {
	    V1_LINE STANZA END,
	    V1_LINE STANZA STANZA END,
	    V1_LINE "-> grease\n\n" STANZA "-> x ! ~ \"\n\n" END,
	    V1_LINE "-> X25519x " SHARE "\n\n" END,
	    V1_LINE "-> x25519 a b c\n" LINE64 "\n\n" END,
	    V1_LINE "-> scrypt bBjlhJVYZeE4aqUdmtRHfw 10\n" BODY "\n" END,
	    V1_LINE "-> a\n" LINE64 "\n" LINE64 "\nAA\n" END,
	    V1_LINE "-> a\nAAA\n" END,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		parse_at_every_length(good[i], strlen(good[i]));
}

static const char *const malformed[] = {
    /* the version line */
    "\n",
    "age-encryption.org/v2\n" STANZA END,
    "age-encryption.org/v1\r\n" STANZA END,
    "age-encryption.org/v1 \n" STANZA END,
    "age-encryption.org/v11\n" STANZA END,
    "Age-encryption.org/v1\n" STANZA END,
    " " V1_LINE STANZA END,
    "\n" V1_LINE STANZA END,
    "-----BEGIN AGE ENCRYPTED FILE-----\n",
    /* no stanza, or what is none */
    V1_LINE END,
    V1_LINE "\n" STANZA END,
    V1_LINE "->\n" BODY "\n" END,
    V1_LINE "-> \n" BODY "\n" END,
    V1_LINE "->X25519 " SHARE "\n" BODY "\n" END,
    V1_LINE "->  X25519 " SHARE "\n" BODY "\n" END,
    V1_LINE "-> X25519  " SHARE "\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE " \n" BODY "\n" END,
    V1_LINE "-> X25519\t" SHARE "\n" BODY "\n" END,
    V1_LINE "-> a\x7f\n\n" END,
    V1_LINE "-> a\x1f\n\n" END,
    V1_LINE "-> \xc3\xa4\n\n" END,
    V1_LINE "-> a\r\n\n" END,
    V1_LINE "- > a\n\n" END,
    V1_LINE " -> a\n\n" END,
    V1_LINE "=> a\n\n" END,
    /* bodies */
    V1_LINE "-> a\n" END,
    V1_LINE "-> a\n" LINE64 "\n" END,
    V1_LINE "-> a\n" LINE64 "A\n\n" END,
    V1_LINE "-> a\n" LINE64 LINE64 "\n\n" END,
    V1_LINE "-> a\n" LINE64 LINE64 "\n" END,
    V1_LINE "-> a\n" LINE64 "AAAA\n" END,
    V1_LINE "-> a\nAA\nAA\n" END,
    V1_LINE "-> a\nA\n" END,
    V1_LINE "-> a\nAB\n" END,
    V1_LINE "-> a\nAAB\n" END,
    V1_LINE "-> a\nAA==\n" END,
    V1_LINE "-> a\nAA-_\n" END,
    V1_LINE "-> a\nAA A\n" END,
    V1_LINE "-> a\nAAAA\r\n" END,
    V1_LINE "-> a\n\n\n" END,
    /* X25519 */
    V1_LINE "-> X25519\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE " " SHARE "\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE " 1\n" BODY "\n" END,
    V1_LINE "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOC\n" BODY "\n" END,
    V1_LINE "-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCd\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE "=\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE "AA\n" BODY "\n" END,
    V1_LINE "-> X25519 " SHARE "\n\n" END,
    V1_LINE "-> X25519 " SHARE "\nhjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FL\n" END,
    V1_LINE "-> X25519 " SHARE "\n" BODY "A\n" END,
    V1_LINE "-> X25519 " SHARE "\n" LINE64 "\n\n" END,
    V1_LINE STANZA "-> X25519 AAAA\n" BODY "\n" END, /* behind a good one */
    /* scrypt */
    V1_LINE "-> scrypt AA 10\n" BODY "\n" STANZA END,
    V1_LINE STANZA "-> scrypt AA 10\n" BODY "\n" END,
    V1_LINE "-> scrypt AA 10\n" BODY "\n-> scrypt AA 10\n" BODY "\n" END,
    /* the MAC line */
    V1_LINE STANZA "---\n",
    V1_LINE STANZA "--- \n",
    V1_LINE STANZA "---" MAC "\n",
    V1_LINE STANZA "---  " MAC "\n",
    V1_LINE STANZA "--- " MAC " \n",
    V1_LINE STANZA "--- " MAC "\r\n",
    V1_LINE STANZA "--- " MAC "=\n",
    V1_LINE STANZA "--- " MAC "A\n",
    V1_LINE STANZA "--- WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcN\n",
    V1_LINE STANZA "--- WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcNh\n",
    V1_LINE STANZA "---- " MAC "\n",
    V1_LINE STANZA "-- " MAC "\n",
};

static void parse_malformed_headers_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		refuse_at_every_length(malformed[i]);
}

static void parse_nul_bytes_refuses(void **state)
{
	char text[] = V1_LINE STANZA END;
	size_t len = sizeof text - 1;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char was = text[i];
		text[i] = '\0';
		int rc = parse_n(text, len);
		err_clear();
		assert_true(rc == E_INVALID || (rc == E_AGAIN && was == '\n'));
		text[i] = was;
	}
}

static void parse_other_bytes_refuses_from_the_first_on(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;
		assert_code(parse_n(&byte, 1), c == 'a' ? E_AGAIN : E_INVALID);
	}
}

static void parse_keeps_what_it_does_not_know_apart(void **state)
{
	(void)state;
	assert_good(
	    parse(V1_LINE "-> grease a b\n\n" STANZA "-> x25519 " SHARE "\n" BODY "\n" END));
	assert_int_equal(header.stanza_count, 3);
	assert_int_equal(header.x25519_count, 1);
	assert_good(parse(V1_LINE "-> scrypt AA 10\n" BODY "\n" END));
	assert_int_equal(header.x25519_count, 0);
}

static void fill(struct buf *out, const char *text, size_t times)
{
	while (times--)
		assert_good(buf_add_text(out, text));
}

static void parse_too_many_stanzas_refuses(void **state)
{
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	fill(&out, V1_LINE, 1);
	fill(&out, "-> a\n\n", AGE_STANZAS_MAX);
	size_t most = out.len;
	fill(&out, END, 1);
	assert_good(parse_n(out.data, out.len));
	out.len = most;
	fill(&out, "-> a\n\n" END, 1);
	assert_code(parse_n(out.data, out.len), E_INVALID);
}

/* A header of this size: a stanza with as many full lines as go in, its argument the rest. */
static void fill_header(struct buf *out, size_t size)
{
	size_t rest = size - strlen(V1_LINE "-> a\n\n" END);

	out->len = 0;
	fill(out, V1_LINE "-> a", 1);
	fill(out, "b", rest % 65);
	fill(out, "\n", 1);
	fill(out, LINE64 "\n", rest / 65);
	fill(out, "\n" END, 1);
	assert_int_equal(out->len, size);
}

static void parse_header_of_the_largest_size_and_no_more(void **state)
{
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	fill_header(&out, AGE_HEADER_MAX);
	assert_good(parse_n(out.data, out.len));
	assert_code(parse_n(out.data, out.len - 1), E_AGAIN);
	fill_header(&out, AGE_HEADER_MAX + 1);
	assert_code(parse_n(out.data, out.len), E_INVALID);
}

static void parse_endless_line_is_given_up_at_the_limit(void **state)
{
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	fill(&out, V1_LINE "-> a", 1);
	fill(&out, "b", AGE_HEADER_MAX - out.len - 1);
	assert_code(parse_n(out.data, out.len), E_AGAIN);
	fill(&out, "b", 1);
	assert_code(parse_n(out.data, out.len), E_INVALID);
	fill(&out, "b", 1000);
	assert_code(parse_n(out.data, out.len), E_INVALID);
}

static void unwrap_with_another_identity_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL, *other = NULL, *got = NULL;
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	assert_good(age_identity_new(&other));
	write_into(file_key, 3, &out);
	assert_good(age_header_parse(view_buf(&out), &header));
	assert_code(age_header_unwrap(&header, other, &got), E_DENIED);
	assert_null(got);
}

static void unwrap_without_x25519_stanzas_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *identity = example_identity(), *got = NULL;
	static const char text[] = V1_LINE "-> scrypt AA 10\n" BODY "\n" END;

	(void)state;
	assert_good(age_header_parse(view_text(text), &header));
	assert_code(age_header_unwrap(&header, identity, &got), E_DENIED);
}

static void unwrap_share_of_low_order_aborts(void **state)
{
	CLEANUP(secret_free)
	struct secret *file_key = NULL, *identity = example_identity(), *got = NULL;
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	write_into(file_key, 2, &out);
	assert_good(age_header_parse(view_buf(&out), &header));
	memset(header.x25519[0].share, 0, AGE_KEY_SIZE);
	assert_code(age_header_unwrap(&header, identity, &got), E_INVALID);
	assert_null(got);
}

/* Any byte of a header for us alone: whatever the change, no file key comes out. */
static void unwrap_with_any_byte_changed_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL, *identity = example_identity();
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	write_into(file_key, 1, &out);
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		CLEANUP(secret_free) struct secret *got = NULL;
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		int rc = age_header_parse(view_buf(&out), &header);
		if (!rc)
			rc = age_header_unwrap(&header, identity, &got);
		err_clear();
		assert_true(rc == E_AGAIN || rc == E_INVALID || rc == E_DENIED ||
			    rc == E_INTEGRITY);
		assert_null(got);
		out.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* What the MAC is for: stanzas added, taken away or put in another order by somebody else. */
static void unwrap_with_stanzas_tampered_with_refuses(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL, *identity = example_identity();
	CLEANUP(buf_done) struct buf out = {0};
	static const char extra[] = "-> grease\n\n";
	size_t stanza = strlen(STANZA), begin = strlen(V1_LINE);

	(void)state;
	assert_good(age_file_key_new(&file_key));
	write_into(file_key, 2, &out);
	for (int kind = 0; kind < 3; kind++) {
		CLEANUP(secret_free) struct secret *got = NULL;
		CLEANUP(buf_done) struct buf bent = {0};
		assert_good(buf_add(&bent, out.data, begin));
		if (kind == 0)
			assert_good(buf_add_text(&bent, extra));
		if (kind == 2)
			assert_good(buf_add(&bent, out.data + begin + stanza, stanza));
		if (kind != 1)
			assert_good(buf_add(&bent, out.data + begin, stanza));
		if (kind != 2)
			assert_good(buf_add(&bent, out.data + begin + stanza, stanza));
		assert_good(
		    buf_add(&bent, out.data + begin + 2 * stanza, out.len - begin - 2 * stanza));
		assert_good(age_header_parse(view_buf(&bent), &header));
		assert_code(age_header_unwrap(&header, identity, &got), E_INTEGRITY);
		assert_null(got);
	}
}

static void verify_with_the_file_key_alone(void **state)
{
	CLEANUP(secret_free) struct secret *file_key = NULL, *other = NULL, *odd = NULL;
	CLEANUP(buf_done) struct buf out = {0};

	(void)state;
	assert_good(age_file_key_new(&file_key));
	assert_good(age_file_key_new(&other));
	assert_good(secret_random(15, &odd));
	write_into(file_key, 1, &out);
	assert_good(age_header_parse(view_buf(&out), &header));
	assert_good(age_header_verify(&header, file_key));
	assert_code(age_header_verify(&header, other), E_INTEGRITY);
	assert_code(age_header_verify(&header, odd), E_INVALID);
	header.mac[31] ^= 1;
	assert_code(age_header_verify(&header, file_key), E_INTEGRITY);
}

/* The published vector x25519 (C2SP/CCTV, age): a header that another program wrote. */
static void unwrap_published_header_gives_its_file_key(void **state)
{
	static const char identity_text[] =
	    "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
	CLEANUP(secret_free) struct secret *identity = NULL, *got = NULL;
	static const char text[] = V1_LINE STANZA END;

	(void)state;
	assert_good(age_identity_from_text(view_text(identity_text), &identity));
	assert_good(age_header_parse(view_text(text), &header));
	assert_good(age_header_unwrap(&header, identity, &got));
	assert_true(view_is(secret_view(got), "YELLOW SUBMARINE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unwrap_published_header_gives_its_file_key),
	    cmocka_unit_test(write_header_and_unwrap_gives_the_file_key),
	    cmocka_unit_test(write_header_is_read_at_every_split),
	    cmocka_unit_test(write_header_appends),
	    cmocka_unit_test(write_header_twice_gives_two),
	    cmocka_unit_test(write_header_that_nobody_could_read_refuses),
	    cmocka_unit_test(parse_good_headers_at_every_split),
	    cmocka_unit_test(parse_malformed_headers_refuses),
	    cmocka_unit_test(parse_nul_bytes_refuses),
	    cmocka_unit_test(parse_other_bytes_refuses_from_the_first_on),
	    cmocka_unit_test(parse_keeps_what_it_does_not_know_apart),
	    cmocka_unit_test(parse_too_many_stanzas_refuses),
	    cmocka_unit_test(parse_header_of_the_largest_size_and_no_more),
	    cmocka_unit_test(parse_endless_line_is_given_up_at_the_limit),
	    cmocka_unit_test(unwrap_with_another_identity_refuses),
	    cmocka_unit_test(unwrap_without_x25519_stanzas_refuses),
	    cmocka_unit_test(unwrap_share_of_low_order_aborts),
	    cmocka_unit_test(unwrap_with_any_byte_changed_refuses),
	    cmocka_unit_test(unwrap_with_stanzas_tampered_with_refuses),
	    cmocka_unit_test(verify_with_the_file_key_alone),
	};

	return cmocka_run_group_tests_name("age/header", tests, set_up_secrets, NULL);
}
