/* SPDX-License-Identifier: Apache-2.0 */
/* Published notes: those of C2SP signed-note, and of the documentation of Go's sumdb/note. */
#include "tests/unit/tlog_kit.h"

#include "base/text.h"
#include "tlog/note.h"

#define DASH        "\xe2\x80\x94 "
#define EXAMPLE_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define EXAMPLE                                                                                 \
	"This is an example message.\n\n" DASH                                                  \
	"example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3m" \
	"FXmRKuwHjG1Yu72IneyaQM=\n"
#define POEM                                     \
	"Ognuno sta solo sul cuor della terra\n" \
	"trafitto da un raggio di sole:\n\n"     \
	"ed \xc3\xa8 subito sera.\n"
#define POEM_NOTE                                                                                  \
	POEM                                                                                       \
	    "\n" DASH                                                                              \
	    "quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKON" \
	    "MrouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
#define PETER_KEY "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define ENOCH_KEY "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
#define PETER_TEXT                                                   \
	"If you think cryptography is the answer to your problem,\n" \
	"then you don't know what your problem is.\n"
#define PETER_LINE                                                                               \
	DASH "PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf" \
	     "qdngotpRZb6KE6RyyBwJnAM=\n"
#define ENOCH_LINE                                                                                \
	DASH "EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTG" \
	     "wnWLox33WWd1RvMc+QQ=\n"
#define PETER_NOTE PETER_TEXT "\n" PETER_LINE

static int parse(struct view text, struct tlog_note *ret_note)
{
	CLEANUP(kit_exact_done) struct view exact = kit_exact(text);

	return tlog_note_parse(exact, ret_note);
}

static struct tlog_verifier *key(const char *text)
{
	struct tlog_verifier *v = NULL;

	assert_ok(tlog_verifier_parse(view_text(text), &v));
	return v;
}

static void open_published_note_with_its_key_succeeds(void **state)
{
	static const struct {
		const char *key, *note, *text;
	} known[] = {{EXAMPLE_KEY, EXAMPLE, "This is an example message.\n"},
		     {PETER_KEY, PETER_NOTE, PETER_TEXT},
		     {PETER_KEY, PETER_NOTE ENOCH_LINE, PETER_TEXT},
		     {ENOCH_KEY, PETER_NOTE ENOCH_LINE, PETER_TEXT}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		CLEANUP(tlog_verifier_free) struct tlog_verifier *v = key(known[i].key);
		CLEANUP(kit_exact_done) struct view bytes = kit_exact(view_text(known[i].note));
		struct tlog_note note;
		assert_ok(tlog_note_open(bytes, &v, 1, &note));
		assert_true(view_is(note.text, known[i].text));
	}
}

static void open_note_of_two_keys_says_which_verified(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *peter = key(PETER_KEY);
	CLEANUP(tlog_verifier_free) struct tlog_verifier *enoch = key(ENOCH_KEY);
	struct tlog_verifier *both[] = {enoch, peter};
	struct tlog_note note;

	(void)state;
	assert_ok(tlog_note_open(view_text(PETER_NOTE ENOCH_LINE), both, 2, &note));
	assert_int_equal(note.n_signatures, 2);
	assert_ptr_equal(note.signature[0].by, peter);
	assert_ptr_equal(note.signature[1].by, enoch);
	assert_ok(tlog_note_open(view_text(PETER_NOTE ENOCH_LINE), &enoch, 1, &note));
	assert_null(note.signature[0].by);
	assert_ptr_equal(note.signature[1].by, enoch);
}

static void parse_text_with_empty_lines_ends_it_at_the_last(void **state)
{
	struct tlog_note note;

	(void)state;
	CLEANUP(kit_exact_done) struct view bytes = kit_exact(view_text(POEM_NOTE));
	assert_ok(tlog_note_parse(bytes, &note));
	assert_true(view_is(note.text, POEM));
	assert_int_equal(note.n_signatures, 1);
	assert_true(view_is(note.signature[0].name, "quasimodo.example/salvatore"));
	assert_true(note.signature[0].id == 0x367ba04b);
	assert_null(note.signature[0].by);
	assert_ok(tlog_note_parse(view_text("\n\n" DASH "a AAAAAAA=\n"), &note));
	assert_true(view_is(note.text, "\n"));
	assert_ok(tlog_note_parse(view_text("a\n\n\n" DASH "a AAAAAAA=\n"), &note));
	assert_true(view_is(note.text, "a\n\n"));
	assert_ok(tlog_note_parse(
	    view_text("DEL \x7f and C1 \xc2\x80 may be\n\n" DASH "a AAAAAAA=\n"), &note));
}

static void parse_note_cut_anywhere_is_refused(void **state)
{
	struct tlog_note note = {.n_signatures = 77};

	(void)state;
	for (size_t len = 0; len < strlen(EXAMPLE); len++)
		assert_fails(parse(view_of(EXAMPLE, len), &note), E_INVALID);
	for (size_t from = 1; from < strlen(EXAMPLE); from++) {
		CLEANUP(tlog_verifier_free) struct tlog_verifier *v = key(EXAMPLE_KEY);
		int rc = tlog_note_open(view_text(&EXAMPLE[from]), &v, 1, &note);
		assert_true(rc == E_INVALID || rc == E_INTEGRITY);
		err_clear();
	}
	/* between two signatures it is a note again */
	for (size_t len = strlen(PETER_NOTE) + 1; len < strlen(PETER_NOTE ENOCH_LINE); len++)
		assert_fails(parse(view_of(PETER_NOTE ENOCH_LINE, len), &note), E_INVALID);
	assert_int_equal(note.n_signatures, 77);
}

static void open_note_with_any_bit_flipped_is_refused(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = key(EXAMPLE_KEY);
	char bytes[] = EXAMPLE;
	struct tlog_note note = {.n_signatures = 77};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof bytes; i++)
		for (int bit = 1; bit < 256; bit <<= 1) {
			bytes[i] = (char)(bytes[i] ^ bit);
			int rc = tlog_note_open(view_of(bytes, sizeof bytes - 1), &v, 1, &note);
			bytes[i] = (char)(bytes[i] ^ bit);
			assert_true(rc == E_INVALID || rc == E_INTEGRITY);
			err_clear();
		}
	assert_int_equal(note.n_signatures, 77);
}

static void parse_malformed_note_is_refused(void **state)
{
#define SIG DASH "a AAAAAAA=\n"
	static const char *const bad[] = {
	    "",
	    "\n",
	    "\n\n",
	    "text",
	    "text\n",
	    "text\n\n",
	    "text\n\n\n",
	    "text\n" SIG,
	    SIG,
	    "\n" SIG,                            /* no empty line */
	    "text\n\n" SIG "\n",                 /* an empty line behind */
	    "text\n\n" SIG "more\n",             /* not a signature */
	    "text\n\n- a AAAAAAA=\n",            /* hyphen */
	    "text\n\n\xe2\x80\x93 a AAAAAAA=\n", /* en dash */
	    "text\n\n\xe2\x80\x94"
	    "a AAAAAAA=\n", /* no space */
	    "text\n\n" DASH " a AAAAAAA=\n",
	    "text\n\n" DASH "a  AAAAAAA=\n",
	    "text\n\n" DASH "a AAAAAAA= \n",
	    "text\n\n" DASH "a AAAAAAA= b\n",
	    "text\n\n " DASH "a AAAAAAA=\n",
	    "text\n\n" DASH "a\n",
	    "text\n\n" DASH "a \n",
	    "text\n\n" DASH "\n",
	    "text\n\n" DASH " AAAAAAA=\n", /* no name */
	    "text\n\n" DASH "a+b AAAAAAA=\n",
	    "text\n\n" DASH "a\xc2\xa0z AAAAAAA=\n",
	    "text\n\n" DASH "a AAAAAA==\n", /* four bytes: an id alone */
	    "text\n\n" DASH "a AAAA\n",
	    "text\n\n" DASH "a AAAAAAA\n",
	    "text\n\n" DASH "a AAAAAAB=\n", /* trailing bits */
	    "text\n\n" DASH "a AAAAAA_=\n",
	    "text\n\n" DASH "a AAAA\rAAA=\n",
	    "te\txt\n\n" SIG,
	    "text\r\n\n" SIG,
	    "te\x1bxt\n\n" SIG,
	    "te\xffxt\n\n" SIG,
	    "te\xed\xa0\x80xt\n\n" SIG,
	    "te\xc3\n\n" SIG,
	    "text\n\n" DASH "a AAAAAAA=\r\n",
	};
	struct tlog_note note = {.n_signatures = 77};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(parse(view_text(bad[i]), &note), E_INVALID);
	assert_fails(parse(view_of("te\0xt\n\n" SIG, sizeof("te\0xt\n\n" SIG) - 1), &note),
		     E_INVALID);
	assert_int_equal(note.n_signatures, 77);
	assert_ok(
	    parse(view_text("text\n\n" SIG), &note)); /* it is the alterations that are refused */
}

static void parse_note_beyond_its_limits_is_refused(void **state)
{
	CLEANUP(buf_done) struct buf many = {0}, large = {0};
	struct tlog_note note;

	(void)state;
	assert_ok(buf_add_text(&many, "text\n\n"));
	for (size_t i = 0; i < TLOG_SIGNATURES_MAX; i++)
		assert_ok(buf_add_text(&many, SIG));
	assert_ok(parse(view_buf(&many), &note));
	assert_int_equal(note.n_signatures, TLOG_SIGNATURES_MAX);
	assert_ok(buf_add_text(&many, SIG));
	assert_fails(parse(view_buf(&many), &note), E_LIMIT);

	assert_ok(buf_reserve(&large, TLOG_NOTE_MAX + 1));
	memset(large.data, 'x', TLOG_NOTE_MAX + 1);
	large.len = TLOG_NOTE_MAX - strlen("\n\n" SIG);
	assert_ok(buf_add_text(&large, "\n\n" SIG));
	assert_int_equal(large.len, TLOG_NOTE_MAX);
	assert_ok(parse(view_buf(&large), &note));
	memmove(large.data + 1, large.data, large.len++);
	assert_fails(parse(view_buf(&large), &note), E_LIMIT);
}

static void open_note_without_known_key_is_refused(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *enoch = key(ENOCH_KEY);
	CLEANUP(tlog_signer_free) struct tlog_signer *impostor = kit_signer("PeterNeumann", 1);
	struct tlog_verifier *same_name = tlog_signer_verifier(impostor);
	struct tlog_note note;

	(void)state;
	assert_fails(tlog_note_open(view_text(PETER_NOTE), NULL, 0, &note), E_INTEGRITY);
	assert_fails(tlog_note_open(view_text(PETER_NOTE), &enoch, 1, &note), E_INTEGRITY);
	assert_fails(tlog_note_open(view_text(PETER_NOTE), &same_name, 1, &note), E_INTEGRITY);
}

/* Of one known key verified and another's signature wrong, the wrong one decides. */
static void open_note_with_one_wrong_signature_is_refused(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *peter = key(PETER_KEY);
	CLEANUP(tlog_verifier_free) struct tlog_verifier *enoch = key(ENOCH_KEY);
	struct tlog_verifier *both[] = {peter, enoch};
	CLEANUP(buf_done) struct buf bytes = {0};
	struct tlog_note note;

	(void)state;
	assert_ok(buf_add_text(&bytes, PETER_NOTE ENOCH_LINE));
	bytes.data[bytes.len - 40] = bytes.data[bytes.len - 40] == 'A' ? 'B' : 'A';
	assert_fails(tlog_note_open(view_buf(&bytes), both, 2, &note), E_INTEGRITY);
	assert_ok(tlog_note_open(view_buf(&bytes), &peter, 1, &note)); /* enoch is unknown here */
	/* A second, wrong line of a key whose first line verifies: */
	buf_clear(&bytes);
	assert_ok(buf_add_text(&bytes, PETER_NOTE PETER_LINE));
	assert_ok(tlog_note_open(view_buf(&bytes), &peter, 1, &note));
	bytes.data[bytes.len - 40] = bytes.data[bytes.len - 40] == 'A' ? 'B' : 'A';
	assert_fails(tlog_note_open(view_buf(&bytes), &peter, 1, &note), E_INTEGRITY);
	/* A signature of a known key that is too short or too long: */
	static const char *const odd[] = {"PeterNeumann x08goww=\n", "PeterNeumann x08gow==\n"};
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		buf_clear(&bytes);
		assert_ok(buf_add_text(&bytes, PETER_NOTE DASH));
		assert_ok(buf_add_text(&bytes, odd[i]));
		int rc = tlog_note_open(view_buf(&bytes), &peter, 1, &note);
		assert_fails(rc, i == 0 ? E_INTEGRITY : E_INVALID);
	}
}

static void open_note_with_key_known_twice_is_refused(void **state)
{
	CLEANUP(tlog_verifier_free) struct tlog_verifier *a = key(PETER_KEY);
	CLEANUP(tlog_verifier_free) struct tlog_verifier *b = key(PETER_KEY);
	struct tlog_verifier *twice[] = {a, b};
	struct tlog_note note;

	(void)state;
	assert_fails(tlog_note_open(view_text(PETER_NOTE), twice, 2, &note), E_INVALID);
}

static void sign_with_published_seed_gives_the_published_note(void **state)
{
	CLEANUP(buf_wipe) struct buf seed = {0};
	CLEANUP(buf_done) struct buf out = {0};
	CLEANUP(secret_free) struct secret *s = NULL;
	CLEANUP(tlog_signer_free) struct tlog_signer *signer = NULL;

	(void)state;
	assert_ok(base64_decode(view_text("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"),
				BASE64_PADDED, &seed));
	assert_ok(secret_copy(seed.data + 1, TLOG_SEED_SIZE, &s));
	assert_ok(tlog_signer_new(view_text("PeterNeumann"), s, &signer));
	assert_ok(tlog_note_sign(view_text(PETER_TEXT), signer, &out));
	assert_true(view_is(view_buf(&out), PETER_NOTE));
}

static void sign_and_cosign_opens_with_both_keys(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *a = kit_signer("log.example", 1);
	CLEANUP(tlog_signer_free) struct tlog_signer *b = kit_signer("log.example", 2);
	struct tlog_verifier *known[] = {tlog_signer_verifier(a), tlog_signer_verifier(b)};
	CLEANUP(buf_done) struct buf out = {0};
	struct tlog_note note;

	(void)state;
	assert_ok(tlog_note_sign(view_text("old and new\n"), a, &out));
	assert_ok(tlog_note_parse(view_buf(&out), &note));
	assert_ok(tlog_note_add_signature(note.text, b, &out));
	assert_ok(tlog_note_open(view_buf(&out), known, 2, &note));
	assert_int_equal(note.n_signatures, 2);
	assert_ptr_equal(note.signature[0].by, known[0]);
	assert_ptr_equal(note.signature[1].by, known[1]);
}

static void sign_text_that_no_note_can_hold_is_refused(void **state)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *a = kit_signer("log.example", 1);
	static const char *const bad[] = {"",      "no newline", "a\tb\n",
					  "a\r\n", "\xff\n",     "\x7f\x1f\n"};
	CLEANUP(buf_done) struct buf out = {0}, large = {0};

	(void)state;
	assert_ok(buf_add_text(&out, "before"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_fails(tlog_note_sign(view_text(bad[i]), a, &out), E_INVALID);
		assert_fails(tlog_note_add_signature(view_text(bad[i]), a, &out), E_INVALID);
	}
	assert_ok(buf_reserve(&large, TLOG_NOTE_MAX));
	memset(large.data, '\n', TLOG_NOTE_MAX);
	large.len = TLOG_NOTE_MAX;
	assert_fails(tlog_note_sign(view_buf(&large), a, &out), E_LIMIT);
	assert_true(view_is(view_buf(&out), "before"));
}

static int set_up(void **state)
{
	(void)state;
	return secret_setup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(open_published_note_with_its_key_succeeds),
	    cmocka_unit_test(open_note_of_two_keys_says_which_verified),
	    cmocka_unit_test(parse_text_with_empty_lines_ends_it_at_the_last),
	    cmocka_unit_test(parse_note_cut_anywhere_is_refused),
	    cmocka_unit_test(open_note_with_any_bit_flipped_is_refused),
	    cmocka_unit_test(parse_malformed_note_is_refused),
	    cmocka_unit_test(parse_note_beyond_its_limits_is_refused),
	    cmocka_unit_test(open_note_without_known_key_is_refused),
	    cmocka_unit_test(open_note_with_one_wrong_signature_is_refused),
	    cmocka_unit_test(open_note_with_key_known_twice_is_refused),
	    cmocka_unit_test(sign_with_published_seed_gives_the_published_note),
	    cmocka_unit_test(sign_and_cosign_opens_with_both_keys),
	    cmocka_unit_test(sign_text_that_no_note_can_hold_is_refused),
	};

	return cmocka_run_group_tests_name("tlog_note", tests, set_up, NULL);
}
