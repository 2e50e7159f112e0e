/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and fingerprints are ssh-keygen's (OpenSSH 9.2), but for the two of security keys, which
 * were put together of parts of them; their fingerprints are ssh-keygen's too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#undef fail /* cmocka's macro hides the function of base/err.h */

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/ssh_key.h"

struct good {
	const char *line, *algorithm, *fingerprint, *comment;
};

static const struct good good[] = {
    {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtNkW8+zpzfPEMbjcDA/u4xmZ1YIjKYgnkcPYaJtbp2"
     " anna@example.org",
     "ssh-ed25519", "SHA256:MZP08PSsb+lhjDKaASayldmIMMF/kh70DwoVp5rcqXQ", "anna@example.org"},
    {"ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBI/L7GRP"
     "6DMPR3ZeeLLUt379Rh5wL3OMh/P0vfRLF0YkZJQCqDIZuzL09mjP9zwI4txBi5ECAOYeKdUnPp3kO4c="
     " desk 256",
     "ecdsa-sha2-nistp256", "SHA256:apR+HfPqI7yczsScGOugFR073GVZrthle2dQADzbHGk", "desk 256"},
    {"ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBIzISUho"
     "brPSaKQ8WaCEvqgnbBSty/RN0YEU8ang9RaMe3htqsQ5oskMuvjf7IZGsBxnokquTDaxmAL2U6M4QSIg"
     "kCtEIhW3k88qGJXR8ZTEEEJ0FPwjdQhTfmKNXFIPxA== desk 384",
     "ecdsa-sha2-nistp384", "SHA256:2n1manjSpJuuQ4/CwEmIU86tCmRk7Je00wf8bVYtKpQ", "desk 384"},
    {"ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGrkLTr"
     "PnHNvtCpR5UHVSjM2TID24jwUVQMp+ecQfn2OOIoaO3Z+5EF5Cl/tuSOzXZ2eu8HBT2V1wO7nZeFhix8"
     "IwDLmseQK080DNmoIUT/gWPZps1rx3xnfkoYy+wwKxou/NmpgTFVgjjF/D1vFtredZ9YUwIw6/y9GfSu"
     "6qhF8LKqhw== desk 521",
     "ecdsa-sha2-nistp521", "SHA256:x1DvjPhoEw/15+V91CK+4piApppEG2zs6WkETNRgXkI", "desk 521"},
    {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC2oNI52xHEm672ikc8glh0b6EDVnPd0BhwEctuyXEc"
     "8waHzXcTUkHJC/+MbymWxeMPmd0qVbOClSuWpr5SAePZYIRnAJJ8f1//LaLxa+xhTD7agQWdYLj6U7ig"
     "w+ISjgL4mK011lGY6cPMHmXTalIBH7QhBl8x2gUaPCBQ9C06h3Tp+11gSThh201YFCODB1ugOKZeh9B/"
     "6kYfq+XSpJEv5D/EKzOXtDrf08I9qNkbWIkZ8o9mMK4UQifyZnce+1rxfUILcqBLyAysckOc/U8IGe1B"
     "sb6VA7zXvZ/oYmIbrfXLYg5pfGjsOkFce3ovk8m40PpqdLsb99hiVNWTd2gJ ",
     "ssh-rsa", "SHA256:gmfNuZ3sW3MFOEEf0QU/2DN6zxwuk5fhzQ3HcsQgeOk", ""},
    {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQDXlaEx7gz+ZKf1FQ2EhfjiGLgEgjaC/uUmBQ0Wfesc"
     "qXds3wv0d6I2PhRBNxKFxBGISowHXtHi33okllWW2N6cDLwP/A9nkZ7SkWFiP+lJOs7Y63uEgdmWEYTV"
     "JnBpEl7OMIkJVdH9+kDh/qJ0e1pGJ5yjoxIWfHmBleXWrgG3s/8v49+K7igO0iH1e/pqk72pYdwTrZK9"
     "CiPCcaEM3cwPptrlQo8C7Xs/UR4tbuO13aqe5si/dpYg6HZdA/H+zwo5oetlCYkp05FmoB2mPwVQhsrc"
     "aOO3ctNDeqVT134bOrh+8KHpudkMoVU1u+FZJP1Z6RJYe2xNff6jybMs1u6WNtAA1fu8XKKkegQaoSrH"
     "X/WEGhJ4skgCW6dzvpbzM2Qz+J+Z/aCRDOI+UyVExOYUvn8cNT6PdkKKlQ5V1/zH0X92MHmGzC6KwTMZ"
     "73SwW+XuKXx/IuI6VoLtEe9K4enety6KB8TPwPoLhRFUtlg/LLty2FLyUZrcIN/WVJ6bFHU= ",
     "ssh-rsa", "SHA256:UmTtiMFHPyLflXjhNJbf6kssG+ZqZhAs7Gjfv4uvGCA", ""},
    {"sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIHtNkW8+z"
     "pzfPEMbjcDA/u4xmZ1YIjKYgnkcPYaJtbp2AAAABHNzaDo= token",
     "sk-ssh-ed25519@openssh.com", "SHA256:rTQC75KI+XMWMEDkSZLW9EcLX12FXYoOw4CVcFSsy9w", "token"},
    {"sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNza"
     "C5jb20AAAAIbmlzdHAyNTYAAABBBI/L7GRP6DMPR3ZeeLLUt379Rh5wL3OMh/P0vfRLF0YkZJQCqDIZu"
     "zL09mjP9zwI4txBi5ECAOYeKdUnPp3kO4cAAAAKc3NoOm9mZmljZQ== token 2",
     "sk-ecdsa-sha2-nistp256@openssh.com", "SHA256:0Nb5cMAnoTgcNkliBeLph2oNnmmaM9O15pJRlMaLPRU",
     "token 2"},
};

static const char rsa_1024[] =
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1mvvDunmKhYf4vo0TrlrnDugWU08HDB3ghsoUvFWA"
    "XW9S7KNxdRts6W3bGo5UJo6bqFef37SzWjyrpqFVx/WtOptw0FeXOP2tNltGHOESFWly/dIbhoiFGXwD"
    "FpHZtzBoO2N2fifyCgC6DkyeOX284AeSzNyo/wv7+L6JHuoJwQ== ";

static const char dsa[] =
    "ssh-dss AAAAB3NzaC1kc3MAAACBAPmRlaOUb4PifRJptQSd8vSHMTKY6W4jITR+9vwwQsUxLVlbtsr+"
    "OevxlNtp30zbyNDZq+GH92QY3fMvCvX8l1ECjAbz5KSgUUO0SAAlpCngjbTu73XXqEzN3HCas/3mPsvl"
    "2mFs63SR2P0kMwj7RUvmnvExlXFxM9yqMcyc5hpXAAAAFQCpDSz/Iex5gwulyq5H7w8nK5p7TwAAAIBs"
    "ODT3RT5+50an8Z4S/2v5QcLkUMCMhYNo+hPyZYjTB++qaUpAY+sWTaRxxax6+MmC851u9Z3Wkunnn3vp"
    "nkKm/QDvgDE0sf3LB2+U5+z8d19NwOaTq4SvOqGYRbu2aHzCKAOj9JxIvHT30GFikxxtiYDEGi5WR1jD"
    "2rgjK87IHAAAAIAGdSR0nueGG4eeYTJ52Odq1D9rhnjnV+ulTF4ZxC9iLFlSrmWgSQ+4JmgV3EBSMsd0"
    "JFUkt23z+Hf1tLltxGcZY5ARKPlZFpCf5Mfih+/Q9g07FOGavZThR6iMLGOBLTh2BndRP+am/vT1Oj2B"
    "jefK5MyH+KDn7xtsPKnfb3iZMA== dsa";

static const char certificate[] =
    "ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29"
    "tAAAAICNGEwVxaOX6oKotMrMPbYAb71EpcK8b7n/PEIICMvJiAAAAIHtNkW8+zpzfPEMbjcDA/u4xmZ1"
    "YIjKYgnkcPYaJtbp2AAAAAAAAAAAAAAABAAAAAmlkAAAACAAAAARhbm5hAAAAAAAAAAD//////////wA"
    "AAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmR"
    "pbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnB"
    "lcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILIRELcid2EqnqeSn+1FNuM"
    "cOKOoTPmyJYNvpjy6GkmCAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEABXq7iC+ZofdduEo8JguJEUsOE9Ik"
    "4tc26AQ8e5bRthgj6L3fSKs/X1D8nRpreHkPnYYCHkRRcIXSH79S6VFEH anna@example.org";

/* ---- helpers ---- */

static int parse_exact(const void *text, size_t len, struct credential_row *ret_row)
{
	CLEANUP(mem_free) uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	if (len)
		memcpy(exact, text, len);
	return ssh_key_parse(view_of(exact, len), ret_row);
}

static int blob_exact(const void *blob, size_t len, struct credential_row *ret_row)
{
	CLEANUP(mem_free) uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	if (len)
		memcpy(exact, blob, len);
	return ssh_key_of_blob(view_of(exact, len), ret_row);
}

/* The refusal names what it is about and leaves the row alone. */
static void expect_refused(const void *line, size_t len, int code, const char *about)
{
	struct credential_row row, untouched;

	memset(&row, 0xa5, sizeof row);
	untouched = row;
	int rc = parse_exact(line, len, &row);
	if (rc != code || !strstr(err_cause(), about))
		print_error("%d '%s' for '%.*s'\n", rc, err_cause(), (int)len, (const char *)line);
	assert_int_equal(rc, code);
	assert_non_null(strstr(err_cause(), about));
	assert_memory_equal(&row, &untouched, sizeof row);
	err_clear();
}

static void expect_line_refused(const char *line, int code, const char *about)
{
	expect_refused(line, strlen(line), code, about);
}

static void decode(const char *line, struct buf *ret_blob)
{
	const char *start = strchr(line, ' ') + 1;
	size_t len = strcspn(start, " ");

	assert_int_equal(base64_decode(view_of(start, len), BASE64_PADDED, ret_blob), 0);
}

/* A blob under construction: strings of RFC 4251, section 5. */
static void put_string(struct buf *b, const void *data, size_t len)
{
	uint8_t n[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
			(uint8_t)len};

	assert_int_equal(buf_add(b, n, sizeof n), 0);
	assert_int_equal(buf_add(b, data, len), 0);
}

static void put_text(struct buf *b, const char *text)
{
	put_string(b, text, strlen(text));
}

static void expect_blob(const struct buf *b, int code)
{
	struct credential_row row = {0};
	int rc = blob_exact(b->data, b->len, &row);

	assert_int_equal(rc, code);
	err_clear();
}

/* ---- keys that are taken ---- */

static void parse_every_kind_gives_ssh_keygens_fingerprint(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct credential_row row = {0};
		assert_int_equal(parse_exact(good[i].line, strlen(good[i].line), &row), 0);
		assert_int_equal(row.kind, CREDENTIAL_SSH_KEY);
		assert_string_equal(row.algorithm, good[i].algorithm);
		assert_string_equal(row.fingerprint, good[i].fingerprint);
		assert_string_equal(row.comment, good[i].comment);
		assert_int_equal(row.id, 0);
		assert_int_equal(row.principal, 0);
		assert_int_equal(row.expires_us, 0);
	}
}

static void blob_gives_the_same_without_comment(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(buf_done) struct buf blob = {0};
		struct credential_row row = {0};
		decode(good[i].line, &blob);
		assert_int_equal(blob_exact(blob.data, blob.len, &row), 0);
		assert_string_equal(row.algorithm, good[i].algorithm);
		assert_string_equal(row.fingerprint, good[i].fingerprint);
		assert_string_equal(row.comment, "");
	}
}

static void parse_white_space_around_changes_nothing(void **state)
{
	static const char *const around[][3] = {
	    {"", " ", ""}, {"  ", "\t", "\n"}, {"", "  ", "  \r\n"}, {"\t", " \t ", "\t\n"}};
	const char *key = strchr(good[0].line, ' ') + 1;
	int len = (int)strcspn(key, " ");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		CLEANUP(mem_free)
		char *line = mem_printf("%sssh-ed25519%s%.*s%s", around[i][0], around[i][1], len,
					key, around[i][2]);
		struct credential_row row = {0};
		assert_int_equal(parse_exact(line, strlen(line), &row), 0);
		assert_string_equal(row.fingerprint, good[0].fingerprint);
		assert_string_equal(row.comment, "");
	}
}

static void parse_comment(const char *comment, struct credential_row *ret_row)
{
	const char *key = strchr(good[0].line, ' ') + 1;
	CLEANUP(mem_free)
	char *line = mem_printf("ssh-ed25519 %.*s %s\n", (int)strcspn(key, " "), key, comment);

	assert_int_equal(parse_exact(line, strlen(line), ret_row), 0);
}

static void parse_long_comment_cuts_between_characters(void **state)
{
	struct credential_row row = {0};
	char comment[300];

	(void)state;
	memset(comment, 'c', sizeof comment);
	comment[127] = '\0';
	parse_comment(comment, &row);
	assert_string_equal(row.comment, comment);
	comment[127] = 'c';
	comment[299] = '\0';
	parse_comment(comment, &row);
	assert_int_equal(strlen(row.comment), 127);

	/* 126 bytes, then a character of three: it does not go in by half. */
	memcpy(comment + 126, "\xe2\x82\xac", 3);
	parse_comment(comment, &row);
	assert_int_equal(strlen(row.comment), 126);
	memset(comment, 0x80, 299); /* nothing but middles */
	parse_comment(comment, &row);
	assert_string_equal(row.comment, "");
}

static void parse_comment_that_cannot_be_shown_is_masked(void **state)
{
	struct credential_row row = {0};

	(void)state;
	parse_comment("J\xc3\xbcrgen  at work", &row);
	assert_string_equal(row.comment, "J\xc3\xbcrgen  at work");
	parse_comment("J\xfcrgen", &row); /* Latin-1 */
	assert_string_equal(row.comment, "J?rgen");
	parse_comment("a\x1b[31mred", &row);
	assert_string_equal(row.comment, "a?[31mred");
}

/* ---- lines that are refused ---- */

static void parse_every_cut_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const char *key = strchr(good[i].line, ' ') + 1;
		size_t whole = (size_t)(key - good[i].line) + strcspn(key, " ");
		for (size_t len = 0; len < whole; len++) {
			struct credential_row row = {0};
			assert_int_not_equal(parse_exact(good[i].line, len, &row), 0);
			assert_true(*err_cause() != '\0');
			err_clear();
		}
	}
}

static void parse_what_is_no_key_says_what_it_is(void **state)
{
	(void)state;
	expect_line_refused("", E_INVALID, "no public key");
	expect_line_refused("\n", E_INVALID, "no public key");
	expect_line_refused("# my keys\n", E_INVALID, "no public key");
	expect_line_refused("hello world", E_INVALID, "not an SSH public key");
	expect_line_refused("-----BEGIN OPENSSH PRIVATE KEY-----\n", E_INVALID, ".pub");
	expect_line_refused("---- BEGIN SSH2 PUBLIC KEY ----\n", E_INVALID, "RFC 4716");
	expect_line_refused("PuTTY-User-Key-File-3: ssh-ed25519\n", E_INVALID, "PuTTY");
	expect_line_refused("ssh-ed25519", E_INVALID, "malformed");
	expect_line_refused("ssh-ed25519 ", E_INVALID, "malformed");
	expect_line_refused("ssh-ed25519 AAAA!", E_INVALID, "not base64");
	expect_line_refused("SSH-ED25519 AAAA", E_INVALID, "not an SSH public key");
	expect_line_refused("ssh-ed448 AAAA", E_UNSUPPORTED, "unknown kind");
	expect_line_refused("ecdsa-sha2-nistp192 AAAA", E_UNSUPPORTED, "unknown kind");
}

static void parse_weak_or_foreign_keys_refuses(void **state)
{
	(void)state;
	expect_line_refused(rsa_1024, E_UNSUPPORTED, "1024 bits");
	expect_line_refused(dsa, E_UNSUPPORTED, "DSA");
	expect_line_refused(certificate, E_UNSUPPORTED, "certificate");
}

static void parse_options_in_front_refuses(void **state)
{
	static const char *const options[] = {"restrict", "from=\"10.0.0.0/8\"",
					      "no-pty,command=\"ls -l /\"",
					      "command=\"echo \\\"ssh\\\"\"", "ssh-key"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		CLEANUP(mem_free) char *line = mem_printf("%s %s", options[i], good[0].line);
		expect_line_refused(line, E_UNSUPPORTED, "options in front");
	}
}

static void parse_two_lines_refuses(void **state)
{
	CLEANUP(mem_free) char *two = mem_printf("%s\n%s\n", good[0].line, good[1].line);
	CLEANUP(mem_free) char *blank = mem_printf("%s\n\n", good[0].line);

	(void)state;
	expect_line_refused(two, E_INVALID, "more than one line");
	expect_line_refused(blank, E_INVALID, "more than one line");
}

static void parse_name_unlike_content_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		for (size_t k = 0; k < ARRAY_LEN(good); k++) {
			CLEANUP(mem_free)
			char *line =
			    mem_printf("%s%s", good[i].algorithm, strchr(good[k].line, ' '));
			if (i != k && strcmp(good[i].algorithm, good[k].algorithm) != 0)
				expect_line_refused(line, E_INVALID, "two kinds");
		}
	}
}

static void parse_nul_bytes_refuses(void **state)
{
	static const char line[] = "ssh-ed25519\0 AAAA";

	(void)state;
	expect_refused(line, sizeof line - 1, E_UNSUPPORTED, "unknown kind");
	expect_refused("\0", 1, E_INVALID, "not an SSH public key");
}

static void parse_endless_line_refuses(void **state)
{
	CLEANUP(mem_free) char *line = mem_new(1 << 20);
	size_t len = (1 << 20) - 1;

	(void)state;
	memset(line, 'A', len);
	memcpy(line, "ssh-rsa ", 8);
	expect_refused(line, len, E_INVALID, "too long");
}

/* ---- blobs that are refused ---- */

static void blob_every_cut_and_surplus_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(buf_done) struct buf blob = {0};
		struct credential_row row = {0};
		decode(good[i].line, &blob);
		for (size_t len = 0; len < blob.len; len++) {
			assert_int_not_equal(blob_exact(blob.data, len, &row), 0);
			err_clear();
		}
		assert_int_equal(buf_add(&blob, "", 1), 0);
		expect_blob(&blob, E_INVALID);
	}
}

static void blob_every_bit_of_the_frame_matters(void **state)
{
	CLEANUP(buf_done) struct buf blob = {0};
	size_t frame = 0;

	(void)state;
	decode(good[1].line, &blob); /* P-256: name, curve, length and form of the point */
	frame = 4 + 19 + 4 + 8 + 4 + 1;
	for (size_t i = 0; i < 8 * frame; i++) {
		struct credential_row row = {0};
		blob.data[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(blob_exact(blob.data, blob.len, &row), 0);
		blob.data[i / 8] ^= (uint8_t)(1u << i % 8);
		err_clear();
	}
	expect_blob(&blob, 0);
}

static void blob_foreign_curve_refuses(void **state)
{
	CLEANUP(buf_done) struct buf b = {0};
	uint8_t point[97] = {4};

	(void)state;
	put_text(&b, "ecdsa-sha2-nistp256");
	put_text(&b, "nistp384");
	put_string(&b, point, 97);
	expect_blob(&b, E_INVALID);
}

static void blob_point_of_other_length_or_form_refuses(void **state)
{
	static const uint8_t forms[] = {0, 2, 3, 5, 6};
	uint8_t point[67] = {4};

	(void)state;
	for (size_t len = 0; len < sizeof point; len++) {
		CLEANUP(buf_done) struct buf b = {0};
		put_text(&b, "ecdsa-sha2-nistp256");
		put_text(&b, "nistp256");
		put_string(&b, point, len);
		expect_blob(&b, len == 65 ? 0 : E_INVALID);
	}
	for (size_t i = 0; i < sizeof forms; i++) {
		CLEANUP(buf_done) struct buf b = {0};
		point[0] = forms[i];
		put_text(&b, "ecdsa-sha2-nistp256");
		put_text(&b, "nistp256");
		put_string(&b, point, 65);
		expect_blob(&b, E_INVALID);
	}
}

static void blob_ed25519_of_other_length_refuses(void **state)
{
	uint8_t point[64] = {9};

	(void)state;
	for (size_t len = 0; len <= sizeof point; len++) {
		CLEANUP(buf_done) struct buf b = {0};
		put_text(&b, "ssh-ed25519");
		put_string(&b, point, len);
		expect_blob(&b, len == 32 ? 0 : E_INVALID);
	}
}

static void blob_security_key_application_is_checked(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		int code;
	} applications[] = {{"ssh:", 4, 0},
			    {"", 0, 0},
			    {"a\nb", 3, E_INVALID},
			    {"a\0b", 3, E_INVALID},
			    {"\xff", 1, E_INVALID}};
	uint8_t point[32] = {1};
	char longest[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(applications); i++) {
		CLEANUP(buf_done) struct buf b = {0};
		put_text(&b, "sk-ssh-ed25519@openssh.com");
		put_string(&b, point, 32);
		put_string(&b, applications[i].name, applications[i].len);
		expect_blob(&b, applications[i].code);
	}
	memset(longest, 'a', sizeof longest);
	for (size_t len = 255; len <= 256; len++) {
		CLEANUP(buf_done) struct buf b = {0};
		put_text(&b, "sk-ssh-ed25519@openssh.com");
		put_string(&b, point, 32);
		put_string(&b, longest, len);
		expect_blob(&b, len == 255 ? 0 : E_INVALID);
	}
	CLEANUP(buf_done) struct buf without = {0};
	put_text(&without, "sk-ssh-ed25519@openssh.com");
	put_string(&without, point, 32);
	expect_blob(&without, E_INVALID);
}

/* ---- RSA numbers ---- */

/* n of so many bits, odd unless told otherwise, with `zeros` surplus zeroes in front. */
static int rsa_of(const void *e, size_t e_len, size_t bits, bool odd, size_t zeros)
{
	CLEANUP(buf_done) struct buf b = {0};
	CLEANUP(mem_free) uint8_t *n = mem_new(bits / 8 + 16 + zeros);
	size_t len = (bits + 7) / 8, sign = bits % 8 == 0;
	struct credential_row row = {0};

	memset(n + zeros + sign, 0xff, len);
	if (bits % 8)
		n[zeros] = (uint8_t)(0xff >> (8 - bits % 8));
	if (!odd)
		n[zeros + sign + len - 1] = 0xfe;
	put_text(&b, "ssh-rsa");
	put_string(&b, e, e_len);
	put_string(&b, n, zeros + sign + len);
	int rc = blob_exact(b.data, b.len, &row);
	err_clear();
	return rc;
}

static void blob_rsa_size_is_counted_in_bits(void **state)
{
	(void)state;
	assert_int_equal(rsa_of("\3", 1, 2048, true, 0), 0);
	assert_int_equal(rsa_of("\3", 1, 2047, true, 0), E_UNSUPPORTED);
	assert_int_equal(rsa_of("\3", 1, 2041, true, 0), E_UNSUPPORTED);
	assert_int_equal(rsa_of("\3", 1, 2049, true, 0), 0);
	assert_int_equal(rsa_of("\3", 1, 3072, true, 0), 0);
	assert_int_equal(rsa_of("\3", 1, 16384, true, 0), 0);
	assert_int_equal(rsa_of("\3", 1, 16385, true, 0), E_UNSUPPORTED);
	assert_int_equal(rsa_of("\3", 1, 40000, true, 0), E_INVALID); /* over the blob's limit */
}

static void blob_rsa_padded_even_or_negative_refuses(void **state)
{
	(void)state;
	assert_int_equal(rsa_of("\3", 1, 2048, false, 0), E_INVALID);
	assert_int_equal(rsa_of("\3", 1, 2048, true, 1), E_INVALID);
	assert_int_equal(rsa_of("\3", 1, 2047, true, 1), E_INVALID);
	assert_int_equal(rsa_of("\3", 1, 1024, true, 200), E_INVALID); /* zeroes add no strength */
	CLEANUP(buf_done) struct buf b = {0};
	uint8_t negative[256];
	memset(negative, 0xff, sizeof negative);
	put_text(&b, "ssh-rsa");
	put_string(&b, "\3", 1);
	put_string(&b, negative, sizeof negative);
	expect_blob(&b, E_INVALID);
}

static void blob_rsa_exponent_is_checked(void **state)
{
	(void)state;
	assert_int_equal(rsa_of("\1\0\1", 3, 2048, true, 0), 0);
	assert_int_equal(rsa_of("\x23", 1, 2048, true, 0), 0);
	assert_int_equal(rsa_of("\0\x81", 2, 2048, true, 0), 0);
	assert_int_equal(rsa_of("\0\xff\xff\xff\xff\xff\xff\xff\xff", 9, 2048, true, 0), 0);
	assert_int_equal(rsa_of("\1\xff\xff\xff\xff\xff\xff\xff\xff", 9, 2048, true, 0),
			 E_UNSUPPORTED);
	assert_int_equal(rsa_of("", 0, 2048, true, 0), E_INVALID);
	assert_int_equal(rsa_of("\0", 1, 2048, true, 0), E_INVALID);
	assert_int_equal(rsa_of("\1", 1, 2048, true, 0), E_INVALID);
	assert_int_equal(rsa_of("\2", 1, 2048, true, 0), E_INVALID);
	assert_int_equal(rsa_of("\0\3", 2, 2048, true, 0), E_INVALID);
	assert_int_equal(rsa_of("\x81", 1, 2048, true, 0), E_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_every_kind_gives_ssh_keygens_fingerprint),
	    cmocka_unit_test(blob_gives_the_same_without_comment),
	    cmocka_unit_test(parse_white_space_around_changes_nothing),
	    cmocka_unit_test(parse_long_comment_cuts_between_characters),
	    cmocka_unit_test(parse_comment_that_cannot_be_shown_is_masked),
	    cmocka_unit_test(parse_every_cut_refuses),
	    cmocka_unit_test(parse_what_is_no_key_says_what_it_is),
	    cmocka_unit_test(parse_weak_or_foreign_keys_refuses),
	    cmocka_unit_test(parse_options_in_front_refuses),
	    cmocka_unit_test(parse_two_lines_refuses),
	    cmocka_unit_test(parse_name_unlike_content_refuses),
	    cmocka_unit_test(parse_nul_bytes_refuses),
	    cmocka_unit_test(parse_endless_line_refuses),
	    cmocka_unit_test(blob_every_cut_and_surplus_refuses),
	    cmocka_unit_test(blob_every_bit_of_the_frame_matters),
	    cmocka_unit_test(blob_foreign_curve_refuses),
	    cmocka_unit_test(blob_point_of_other_length_or_form_refuses),
	    cmocka_unit_test(blob_ed25519_of_other_length_refuses),
	    cmocka_unit_test(blob_security_key_application_is_checked),
	    cmocka_unit_test(blob_rsa_size_is_counted_in_bits),
	    cmocka_unit_test(blob_rsa_padded_even_or_negative_refuses),
	    cmocka_unit_test(blob_rsa_exponent_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
