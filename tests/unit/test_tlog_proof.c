/* SPDX-License-Identifier: Apache-2.0 */
/* The example is that of C2SP tlog-proof, which leaves the middle of its signatures out: here
 * they are filled with other bytes, so it parses and cannot verify. */
#include "tests/unit/tlog_kit.h"

#include "tlog/proof.h"

#define DASH "\xe2\x80\x94 "
#define HEAD "c2sp.org/tlog-proof@v1\n"
#define HASHES                                           \
	"gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n" \
	"B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n" \
	"EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n" \
	"RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n" \
	"AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n"
#define NOTE                                                     \
	"example.com/fancylog\n"                                 \
	"109482\n"                                               \
	"sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n"         \
	"\n" DASH "example.com/fancylog hI2DJwAAA1roloI=\n" DASH \
	"witness1.example mJirIkljAAAAqY9v2B/5bg==\n"
#define EXAMPLE                                                             \
	HEAD "extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n" \
	     "index 73894\n" HASHES "\n" NOTE

static int parse(struct view text, struct tlog_proof *ret_proof)
{
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text);

	return tlog_proof_parse(exact, ret_proof);
}

static void parse_example_of_specification_reads_it(void **state)
{
	CLEANUP(kit_exact_done) struct view bytes = kit_exact(view_text(EXAMPLE));
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	CLEANUP(buf_done) struct buf again = {0};

	(void)state;
	assert_ok(tlog_proof_parse(bytes, &p));
	assert_true(p.index == 73894);
	assert_int_equal(p.path.len, 5);
	assert_int_equal(p.path.hash[0].byte[0], 0x81);
	assert_int_equal(p.path.hash[4].byte[31], 0xf9);
	assert_int_equal(p.extra.len, 39);
	assert_memory_equal(p.extra.data, "age-v1.2.1-darwin-arm64.tar.gz", 30);
	assert_true(view_is(p.note, NOTE));
	assert_true(view_is(p.checkpoint.origin, "example.com/fancylog"));
	assert_true(p.checkpoint.size == 109482);
	assert_ok(tlog_proof_write(view_buf(&p.extra), p.index, &p.path, p.note, &again));
	assert_true(view_is(view_buf(&again), EXAMPLE));
}

static void parse_proof_cut_anywhere_is_refused(void **state)
{
	struct tlog_proof p = {.index = 99};
	/* at the end of a signature it is a proof again, with fewer of them */
	size_t shorter = strlen(EXAMPLE) - strlen(strstr(EXAMPLE, DASH "witness1"));

	(void)state;
	for (size_t len = 0; len < strlen(EXAMPLE); len++)
		if (len != shorter)
			assert_fails(parse(view_of(EXAMPLE, len), &p), E_INVALID);
	assert_true(p.index == 99 && p.extra.data == NULL);
}

static void parse_malformed_proof_is_refused(void **state)
{
#define HASH "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
	static const char *const bad[] = {
	    "",
	    "\n",
	    HEAD,
	    HEAD "\n" NOTE,
	    HEAD NOTE,
	    "c2sp.org/tlog-proof@v2\nindex 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1 \nindex 0\n\n" NOTE,
	    "C2SP.org/tlog-proof@v1\nindex 0\n\n" NOTE,
	    "\n" HEAD "index 0\n\n" NOTE,
	    "c2sp.org/tlog-proof@v1\r\nindex 0\n\n" NOTE,
	    HEAD "index 00\n\n" NOTE,
	    HEAD "index -1\n\n" NOTE,
	    HEAD "index \n\n" NOTE,
	    HEAD "index  0\n\n" NOTE,
	    HEAD "index 0 \n\n" NOTE,
	    HEAD "Index 0\n\n" NOTE,
	    HEAD "index\n\n" NOTE,
	    HEAD "index 9223372036854775808\n\n" NOTE,
	    HEAD "extra \nindex 0\n\n" NOTE, /* to be omitted */
	    HEAD "extra\nindex 0\n\n" NOTE,
	    HEAD "extra AA\nindex 0\n\n" NOTE,
	    HEAD "extra AB==\nindex 0\n\n" NOTE,
	    HEAD "extra A\nindex 0\n\n" NOTE,
	    HEAD "extra  AA==\nindex 0\n\n" NOTE,
	    HEAD "index 0\nextra AA==\n\n" NOTE, /* out of order */
	    HEAD "extra AA==\nextra AA==\nindex 0\n\n" NOTE,
	    HEAD "extra AA==\n\n" NOTE,
	    HEAD "index 0\nindex 0\n\n" NOTE,
	    HEAD "other x\nindex 0\n\n" NOTE,
	    HEAD "index 0\n" NOTE,
	    HEAD "index 0\n" HASH NOTE,
	    HEAD "index 0\n\n\n" NOTE,
	    HEAD "index 0\n\n" HASH "\n" NOTE,
	    HEAD "index 0\n " HASH "\n" NOTE,
	    HEAD "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlR=\n\n" NOTE,
	    HEAD "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ\n\n" NOTE,
	    HEAD "index 0\n" HASH "AA==\n\n" NOTE,
	    HEAD "index 0\n\n",
	    HEAD "index 0\n\nexample.com/fancylog\n",
	    HEAD "index 0\n\n" NOTE "\n",
	    HEAD "index 0\n\nexample.com/fancylog\n109482\n\n" DASH "a AAAAAAA=\n",
	    HEAD "index 0\n\nnot a checkpoint\n\n" DASH "a AAAAAAA=\n",
	};
	struct tlog_proof p = {.index = 99};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(parse(view_text(bad[i]), &p), E_INVALID);
	assert_true(p.index == 99 && p.extra.data == NULL);
	/* It is the alterations that are refused: */
	static const char *const good[] = {HEAD "index 0\n\n" NOTE, HEAD "index 0\n" HASH "\n" NOTE,
					   HEAD "extra AA==\nindex 0\n\n" NOTE};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(parse(view_text(good[i]), &p));
		tlog_proof_done(&p);
	}
}

static void parse_proof_beyond_its_limits_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf text = {0}, extra = {0};
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	struct tlog_path path = {.len = 64};

	(void)state;
	for (size_t n = 63; n <= 64; n++) {
		buf_clear(&text);
		assert_ok(buf_add_text(&text, HEAD "index 0\n"));
		for (size_t i = 0; i < n; i++)
			assert_ok(buf_add_text(&text, HASH));
		assert_ok(buf_add_text(&text, "\n" NOTE));
		if (n == 63)
			assert_ok(parse(view_buf(&text), &p));
		else
			assert_fails(parse(view_buf(&text), &p), E_INVALID);
	}
	buf_clear(&text);
	assert_fails(tlog_proof_write(view_of(NULL, 0), 0, &path, view_text(NOTE), &text), E_LIMIT);
	path.len = 0;
	assert_ok(buf_reserve(&extra, TLOG_EXTRA_MAX + 1));
	memset(extra.data, 1, TLOG_EXTRA_MAX + 1);
	extra.len = TLOG_EXTRA_MAX;
	assert_ok(tlog_proof_write(view_buf(&extra), 0, &path, view_text(NOTE), &text));
	extra.len++;
	assert_fails(tlog_proof_write(view_buf(&extra), 0, &path, view_text(NOTE), &text), E_LIMIT);
	buf_clear(&text);
	assert_ok(buf_add_text(&text, HEAD "extra "));
	for (size_t i = 0; i < TLOG_EXTRA_MAX / 3 + 2; i++)
		assert_ok(buf_add_text(&text, "AAAA"));
	assert_ok(buf_add_text(&text, "\nindex 0\n\n" NOTE));
	assert_fails(tlog_proof_parse(view_buf(&text), &p), E_LIMIT);
	assert_ok(buf_reserve(&text, TLOG_PROOF_MAX + 1));
	memset(text.data + text.len, '\n', TLOG_PROOF_MAX + 1 - text.len);
	assert_fails(tlog_proof_parse(view_of(text.data, TLOG_PROOF_MAX + 1), &p), E_LIMIT);
}

static void write_what_cannot_be_read_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf out = {0};
	struct tlog_path path = {.len = 0};

	(void)state;
	assert_ok(buf_add_text(&out, "before"));
	assert_fails(
	    tlog_proof_write(view_of(NULL, 0), TLOG_SIZE_MAX + 1, &path, view_text(NOTE), &out),
	    E_INVALID);
	assert_fails(tlog_proof_write(view_of(NULL, 0), 0, &path, view_text("x\n"), &out),
		     E_INVALID);
	assert_fails(tlog_proof_write(view_of(NULL, 0), 0, &path, view_text(""), &out), E_INVALID);
	assert_true(view_is(view_buf(&out), "before"));
}

/* A log of n leaves, its signed checkpoint, and the proof of one leaf as text. */
struct receipt {
	struct tlog_hash *leaves;
	struct tlog_signer *signer;
	struct buf note, text;
};

static void receipt_done(struct receipt *r)
{
	free(r->leaves);
	tlog_signer_free(&r->signer);
	buf_done(&r->note);
	buf_done(&r->text);
}

static struct receipt receipt_of(size_t index, size_t size, const char *extra)
{
	struct receipt r = {.leaves = kit_leaves(size), .signer = kit_signer("log.example", 5)};
	struct tlog_checkpoint c = {.origin = view_text("log.example"), .size = size};
	struct kit_memory memory = {r.leaves, size};
	struct tlog_source from = kit_source(&memory);
	struct tlog_path path;

	c.root = kit_root(r.leaves, size);
	assert_ok(tlog_checkpoint_sign(&c, r.signer, &r.note));
	assert_ok(tlog_prove_inclusion(&from, index, size, &path));
	assert_ok(tlog_proof_write(view_text(extra), index, &path, view_buf(&r.note), &r.text));
	return r;
}

static int verify(const struct receipt *r, struct view text, const struct tlog_hash *leaf,
		  const char *origin)
{
	struct tlog_verifier *v = tlog_signer_verifier(r->signer);
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text);
	int rc = tlog_proof_parse(exact, &p);

	return rc ? rc : tlog_proof_verify(&p, leaf, view_text(origin), &v, 1);
}

static void verify_proof_of_every_leaf_succeeds(void **state)
{
	(void)state;
	for (size_t size = 1; size < 20; size++)
		for (size_t index = 0; index < size; index++) {
			CLEANUP(receipt_done)
			struct receipt r = receipt_of(index, size, index % 2 ? "salt" : "");
			assert_ok(verify(&r, view_buf(&r.text), &r.leaves[index], "log.example"));
		}
}

static void verify_proof_of_other_leaf_origin_or_key_is_refused(void **state)
{
	CLEANUP(receipt_done) struct receipt r = receipt_of(5, 11, "salt");
	CLEANUP(tlog_signer_free) struct tlog_signer *other = kit_signer("log.example", 6);
	CLEANUP(tlog_proof_done) struct tlog_proof p = {.index = 0};
	struct tlog_verifier *v = tlog_signer_verifier(other);

	(void)state;
	for (size_t i = 0; i < 11; i++)
		if (i != 5)
			assert_fails(verify(&r, view_buf(&r.text), &r.leaves[i], "log.example"),
				     E_INTEGRITY);
	assert_fails(verify(&r, view_buf(&r.text), &r.leaves[5], "other.example"), E_INTEGRITY);
	assert_ok(tlog_proof_parse(view_buf(&r.text), &p));
	assert_fails(tlog_proof_verify(&p, &r.leaves[5], view_text("log.example"), &v, 1),
		     E_INTEGRITY);
	assert_fails(tlog_proof_verify(&p, &r.leaves[5], view_text("log.example"), NULL, 0),
		     E_INTEGRITY);
	p.index = 11;
	v = tlog_signer_verifier(r.signer);
	assert_fails(tlog_proof_verify(&p, &r.leaves[5], view_text("log.example"), &v, 1),
		     E_INTEGRITY);
}

/* Nothing in it may change but the extra data, which is said to prove nothing. */
static void verify_proof_with_any_bit_flipped_is_refused(void **state)
{
	CLEANUP(receipt_done) struct receipt r = receipt_of(5, 11, "salt");
	size_t from = strlen(HEAD "extra "), to = from + strlen("c2FsdA==");

	(void)state;
	for (size_t i = 0; i < r.text.len; i++)
		for (unsigned bit = 1; bit < 256; bit <<= 1) {
			if (i >= from && i < to)
				continue;
			r.text.data[i] ^= (uint8_t)bit;
			int rc = verify(&r, view_buf(&r.text), &r.leaves[5], "log.example");
			r.text.data[i] ^= (uint8_t)bit;
			assert_true(rc == E_INVALID || rc == E_INTEGRITY);
			err_clear();
		}
	assert_ok(verify(&r, view_buf(&r.text), &r.leaves[5], "log.example"));
}

static int set_up(void **state)
{
	(void)state;
	return secret_setup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_example_of_specification_reads_it),
	    cmocka_unit_test(parse_proof_cut_anywhere_is_refused),
	    cmocka_unit_test(parse_malformed_proof_is_refused),
	    cmocka_unit_test(parse_proof_beyond_its_limits_is_refused),
	    cmocka_unit_test(write_what_cannot_be_read_is_refused),
	    cmocka_unit_test(verify_proof_of_every_leaf_succeeds),
	    cmocka_unit_test(verify_proof_of_other_leaf_origin_or_key_is_refused),
	    cmocka_unit_test(verify_proof_with_any_bit_flipped_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_proof", tests, set_up, NULL);
}
