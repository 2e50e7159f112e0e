/* SPDX-License-Identifier: Apache-2.0 */
/* The example is that of C2SP tlog-checkpoint. */
#include "tests/unit/tlog_kit.h"

#include "tlog/checkpoint.h"

#define DASH    "\xe2\x80\x94 "
#define ROOT    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define EXAMPLE "example.com/behind-the-sofa\n20852163\n" ROOT
#define EXAMPLE_NOTE                                                                         \
	EXAMPLE                                                                              \
	"\n" DASH                                                                            \
	"example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7" \
	"u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"

static int parse(struct view text, struct tlog_checkpoint *ret_checkpoint)
{
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text);

	return tlog_checkpoint_parse(exact, ret_checkpoint);
}

static void parse_example_of_specification_reads_it(void **state)
{
	CLEANUP(kit_exact_done) struct view bytes = kit_exact(view_text(EXAMPLE_NOTE));
	struct tlog_hash root =
	    kit_hash("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
	CLEANUP(buf_done) struct buf again = {0};
	struct tlog_note note;
	struct tlog_checkpoint c;

	(void)state;
	assert_ok(tlog_note_parse(bytes, &note));
	assert_ok(tlog_checkpoint_parse(note.text, &c));
	assert_true(view_is(c.origin, "example.com/behind-the-sofa"));
	assert_true(c.size == 20852163);
	assert_hash_equal(&c.root, &root);
	assert_int_equal(c.extensions.len, 0);
	assert_ok(tlog_checkpoint_write(&c, &again));
	assert_true(view_is(view_buf(&again), EXAMPLE));
}

static void parse_extension_lines_keeps_them(void **state)
{
	static const char text[] = "a\n0\n" ROOT "one\ntwo words\n";
	CLEANUP(buf_done) struct buf again = {0};
	struct tlog_checkpoint c;

	(void)state;
	assert_ok(tlog_checkpoint_parse(view_text(text), &c));
	assert_true(view_is(c.extensions, "one\ntwo words\n"));
	assert_ok(tlog_checkpoint_write(&c, &again));
	assert_true(view_is(view_buf(&again), text));
}

static void parse_text_cut_anywhere_is_refused(void **state)
{
	struct tlog_checkpoint c = {.size = 99};

	(void)state;
	for (size_t len = 0; len < strlen(EXAMPLE); len++)
		assert_fails(parse(view_of(EXAMPLE, len), &c), E_INVALID);
	assert_true(c.size == 99);
}

static void parse_malformed_text_is_refused(void **state)
{
	static const char *const bad[] = {
	    "\n5\n" ROOT, /* no origin */
	    "a\n\n" ROOT,
	    "a\n05\n" ROOT,
	    "a\n-5\n" ROOT,
	    "a\n 5\n" ROOT,
	    "a\n5 \n" ROOT,
	    "a\n0x5\n" ROOT,
	    "a\n9223372036854775808\n" ROOT,
	    "a\n18446744073709551621\n" ROOT,
	    "a\n5\n\n",
	    "a\n5\n\n" ROOT,
	    "a\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
	    "a\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",
	    "a\n5\n0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62\n",
	    "a\n5\n" ROOT "\n", /* extension lines are not empty */
	    "a\n5\n" ROOT "one\n\n",
	    "a\n5\n" ROOT "\none\n",
	    "a\n5\n" ROOT "one",
	    "5\na\n" ROOT,
	    "a 5\n" ROOT,
	    "\xef\xbb\xbf",
	};
	struct tlog_checkpoint c = {.size = 99};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(parse(view_text(bad[i]), &c), E_INVALID);
	assert_true(c.size == 99);
	assert_ok(parse(view_text("a\n5\n" ROOT "one\n"),
			&c)); /* it is the alterations that are refused */
}

static void write_what_cannot_be_read_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf out = {0};
	struct tlog_checkpoint good = {.origin = view_text("a"), .size = 5}, c;

	(void)state;
	assert_ok(buf_add_text(&out, "before"));
	c = good;
	c.origin = view_text("");
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	c.origin = view_text("a\nb");
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	c.origin = view_text("a\n5\n" ROOT); /* a whole checkpoint for an origin */
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	c = good;
	c.size = TLOG_SIZE_MAX + 1;
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	c = good;
	c.extensions = view_text("one");
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	c.extensions = view_text("\n");
	assert_fails(tlog_checkpoint_write(&c, &out), E_INVALID);
	assert_true(view_is(view_buf(&out), "before"));
	assert_ok(tlog_checkpoint_write(&good, &out));
}

static void sign_and_open_gives_the_same_checkpoint(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *signer = kit_signer("log.example", 3);
	struct tlog_verifier *v = tlog_signer_verifier(signer);
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_checkpoint c = {.origin = view_text("log.example"), .size = TLOG_SIZE_MAX}, got;

	(void)state;
	tlog_leaf_hash(view_text("x"), &c.root);
	assert_ok(tlog_checkpoint_sign(&c, signer, &note));
	CLEANUP(kit_exact_done) struct view bytes = kit_exact(view_buf(&note));
	assert_ok(tlog_checkpoint_open(bytes, view_text("log.example"), &v, 1, &got));
	assert_true(view_equal(got.origin, c.origin) && got.size == c.size);
	assert_hash_equal(&got.root, &c.root);
	assert_int_equal(got.extensions.len, 0);
}

static void open_checkpoint_of_other_origin_or_key_is_refused(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *a = kit_signer("log.example", 3);
	CLEANUP(tlog_signer_free) struct tlog_signer *b = kit_signer("log.example", 4);
	struct tlog_verifier *va = tlog_signer_verifier(a), *vb = tlog_signer_verifier(b);
	CLEANUP(buf_done) struct buf note = {0}, text = {0};
	struct tlog_checkpoint c = {.origin = view_text("log.example"), .size = 7},
			       got = {.size = 99};

	(void)state;
	assert_ok(tlog_checkpoint_sign(&c, a, &note));
	assert_fails(tlog_checkpoint_open(view_buf(&note), view_text("log.exampl"), &va, 1, &got),
		     E_INTEGRITY);
	assert_fails(tlog_checkpoint_open(view_buf(&note), view_text(""), &va, 1, &got),
		     E_INTEGRITY);
	assert_fails(tlog_checkpoint_open(view_buf(&note), c.origin, &vb, 1, &got), E_INTEGRITY);
	assert_fails(tlog_checkpoint_open(view_buf(&note), c.origin, NULL, 0, &got), E_INTEGRITY);
	/* signed, but no checkpoint */
	assert_ok(tlog_note_sign(view_text("log.example\n7\n"), a, &text));
	assert_fails(tlog_checkpoint_open(view_buf(&text), c.origin, &va, 1, &got), E_INVALID);
	/* another size under the same signature */
	note.data[strlen("log.example\n")] = '8';
	assert_fails(tlog_checkpoint_open(view_buf(&note), c.origin, &va, 1, &got), E_INTEGRITY);
	assert_true(got.size == 99);
}

static void sign_checkpoint_with_control_character_is_refused(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *a = kit_signer("log.example", 3);
	CLEANUP(buf_done) struct buf note = {0};
	struct tlog_checkpoint c = {.origin = view_text("log\texample"), .size = 7};

	(void)state;
	assert_fails(tlog_checkpoint_sign(&c, a, &note), E_INVALID);
	c.origin = view_text("log\xff");
	assert_fails(tlog_checkpoint_sign(&c, a, &note), E_INVALID);
	assert_int_equal(note.len, 0);
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
	    cmocka_unit_test(parse_extension_lines_keeps_them),
	    cmocka_unit_test(parse_text_cut_anywhere_is_refused),
	    cmocka_unit_test(parse_malformed_text_is_refused),
	    cmocka_unit_test(write_what_cannot_be_read_is_refused),
	    cmocka_unit_test(sign_and_open_gives_the_same_checkpoint),
	    cmocka_unit_test(open_checkpoint_of_other_origin_or_key_is_refused),
	    cmocka_unit_test(sign_checkpoint_with_control_character_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_checkpoint", tests, set_up, NULL);
}
