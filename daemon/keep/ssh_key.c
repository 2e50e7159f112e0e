/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/ssh_key.h"

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "wire/codec.h"

enum {
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 16384,   /* what OpenSSL verifies at all */
	RSA_EXPONENT_BITS = 64, /* longer ones are nobody's and slow */
	BLOB_MAX = 4096,        /* RSA of 16384 bits takes 2 KiB */
	APPLICATION_MAX = 255,
	EC_UNCOMPRESSED = 4, /* SEC 1, section 2.3.3 */
};

enum shape { SHAPE_ED25519, SHAPE_ECDSA, SHAPE_RSA };

static const struct kind {
	const char *algorithm;
	enum shape shape;
	const char *curve; /* of SHAPE_ECDSA */
	size_t point;
	bool fido; /* the application's name follows */
} kinds[] = {
    {"ssh-ed25519", SHAPE_ED25519, NULL, 32, false},
    {"ecdsa-sha2-nistp256", SHAPE_ECDSA, "nistp256", 65, false},
    {"ecdsa-sha2-nistp384", SHAPE_ECDSA, "nistp384", 97, false},
    {"ecdsa-sha2-nistp521", SHAPE_ECDSA, "nistp521", 133, false},
    {"ssh-rsa", SHAPE_RSA, NULL, 0, false},
    {"sk-ssh-ed25519@openssh.com", SHAPE_ED25519, NULL, 32, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", SHAPE_ECDSA, "nistp256", 65, true},
};

static const struct kind *kind_of(struct view algorithm)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (view_is(algorithm, kinds[i].algorithm))
			return &kinds[i];
	return NULL;
}

/* ---- the blob ---- */

/*
 * A positive mpint (RFC 4251, section 5) in its one correct form: no surplus zero in front,
 * a zero where the first bit would be the sign. Gives its bits, 0 when it is anything else.
 */
static size_t positive_bits(struct view mpint)
{
	if (mpint.len == 0 || mpint.data[0] & 0x80)
		return 0;
	if (mpint.data[0] == 0) {
		if (mpint.len == 1 || !(mpint.data[1] & 0x80))
			return 0;
		mpint = view_of(mpint.data + 1, mpint.len - 1);
	}
	size_t bits = 8 * mpint.len;
	for (unsigned top = mpint.data[0]; !(top & 0x80); top <<= 1)
		bits--;
	return bits;
}

static bool is_odd(struct view mpint)
{
	return mpint.data[mpint.len - 1] & 1;
}

/* mpint e, mpint n */
static int check_rsa(struct reader *r)
{
	struct view e = read_bytes(r), n = read_bytes(r);
	size_t e_bits = positive_bits(e), n_bits = positive_bits(n);

	if (!reader_ok(r) || e_bits < 2 || !is_odd(e) || n_bits == 0 || !is_odd(n))
		return fail(E_INVALID, "malformed RSA key");
	if (n_bits < RSA_BITS_MIN)
		return fail(E_UNSUPPORTED,
			    "an RSA key of %zu bits is too weak: %d or more are needed", n_bits,
			    RSA_BITS_MIN);
	if (n_bits > RSA_BITS_MAX || e_bits > RSA_EXPONENT_BITS)
		return fail(E_UNSUPPORTED, "an RSA key of unusual size (%zu bits, exponent of %zu)",
			    n_bits, e_bits);
	return 0;
}

/* string curve, string Q */
static int check_ecdsa(struct reader *r, const struct kind *k)
{
	struct view curve = read_bytes(r), point = read_bytes(r);

	if (!reader_ok(r) || !view_is(curve, k->curve))
		return fail(E_INVALID, "malformed ECDSA key: its curve is not %s", k->curve);
	if (point.len != k->point || point.data[0] != EC_UNCOMPRESSED)
		return fail(E_INVALID,
			    "malformed ECDSA key: not an uncompressed point of its curve");
	return 0;
}

static int check_ed25519(struct reader *r, const struct kind *k)
{
	struct view point = read_bytes(r);

	if (!reader_ok(r) || point.len != k->point)
		return fail(E_INVALID, "malformed Ed25519 key");
	return 0;
}

static int check_numbers(struct reader *r, const struct kind *k)
{
	switch (k->shape) {
	case SHAPE_RSA:
		return check_rsa(r);
	case SHAPE_ECDSA:
		return check_ecdsa(r, k);
	case SHAPE_ED25519:
		break;
	}
	return check_ed25519(r, k);
}

static int check_application(struct reader *r)
{
	struct view name = read_bytes(r);

	if (!reader_ok(r) || name.len > APPLICATION_MAX || !utf8_valid(name) ||
	    utf8_has_control(name))
		return fail(E_INVALID, "malformed security key: its application's name");
	return 0;
}

static int fingerprint(struct view blob, char *ret_text, size_t size)
{
	CLEANUP(buf_done) struct buf text = {0};
	uint8_t digest[SHA256_SIZE];
	const char *s = NULL;

	sha256_of(blob, digest);
	int rc = buf_add_text(&text, "SHA256:");
	if (!rc)
		rc = base64_encode(view_of(digest, sizeof digest), BASE64_BARE, &text);
	if (!rc)
		rc = buf_text(&text, &s);
	if (!rc)
		(void)snprintf(ret_text, size, "%s", s);
	return rc;
}

static int refuse_kind(struct view algorithm)
{
	static const char certificate[] = "-cert-v01@openssh.com";
	const size_t len = sizeof certificate - 1;

	if (algorithm.len > len &&
	    memcmp(algorithm.data + algorithm.len - len, certificate, len) == 0)
		return fail(E_UNSUPPORTED, "this is a certificate; a plain public key is needed");
	if (view_is(algorithm, "ssh-dss"))
		return fail(E_UNSUPPORTED, "DSA keys are too weak; use Ed25519");
	return fail(E_UNSUPPORTED, "unknown kind of key; use Ed25519, ECDSA or RSA");
}

int ssh_key_of_blob(struct view blob, struct credential_row *ret_row)
{
	struct credential_row row = {.kind = CREDENTIAL_SSH_KEY};
	struct reader r = reader_of(blob);
	struct view algorithm = read_bytes(&r);
	const struct kind *k = kind_of(algorithm);

	if (!reader_ok(&r) || blob.len > BLOB_MAX)
		return fail(E_INVALID, "malformed public key");
	if (!k)
		return refuse_kind(algorithm);
	int rc = check_numbers(&r, k);
	if (!rc && k->fido)
		rc = check_application(&r);
	if (rc)
		return rc;
	if (!reader_end(&r))
		return fail(E_INVALID, "malformed public key: bytes behind its end");
	(void)snprintf(row.algorithm, sizeof row.algorithm, "%s", k->algorithm);
	rc = fingerprint(blob, row.fingerprint, sizeof row.fingerprint);
	if (!rc)
		*ret_row = row;
	return rc;
}

/* ---- the line ---- */

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct view skip_blanks(struct view v)
{
	while (v.len && is_blank(v.data[0]))
		v = view_of(v.data + 1, v.len - 1);
	return v;
}

/* One line ends in "\n" or "\r\n"; blanks around it do not matter. */
static struct view trim(struct view v)
{
	if (v.len && v.data[v.len - 1] == '\n')
		v.len--;
	if (v.len && v.data[v.len - 1] == '\r')
		v.len--;
	while (v.len && is_blank(v.data[v.len - 1]))
		v.len--;
	return skip_blanks(v);
}

static struct view take_word(struct view *rest)
{
	size_t n = 0;

	while (n < rest->len && !is_blank(rest->data[n]))
		n++;
	struct view word = view_of(rest->data, n);
	*rest = skip_blanks(view_of(rest->data + n, rest->len - n));
	return word;
}

static bool begins(struct view v, const char *text)
{
	size_t len = strlen(text);

	return v.len >= len && memcmp(v.data, text, len) == 0;
}

/* authorized_keys(5) allows options in front of a key. Ours live in the catalog, so a line with
 * options is refused: what it means to forbid would be allowed in silence. */
static bool has_options(struct view line)
{
	while (line.len)
		if (kind_of(take_word(&line)))
			return true;
	return false;
}

static int refuse_line(struct view line)
{
	struct view rest = line;
	struct view word = take_word(&rest);

	if (line.len == 0 || line.data[0] == '#')
		return fail(E_INVALID, "no public key in this line");
	if (begins(line, "-----BEGIN"))
		return fail(E_INVALID,
			    "not a public key in OpenSSH's form; give the file that ends in .pub");
	if (begins(line, "---- BEGIN SSH2"))
		return fail(E_INVALID, "an RFC 4716 file; convert it with 'ssh-keygen -i -f FILE' "
				       "and give the result");
	if (begins(line, "PuTTY-User-Key-File"))
		return fail(E_INVALID,
			    "a PuTTY private key; give the public key that PuTTYgen shows for "
			    "pasting into authorized_keys");
	if (has_options(rest))
		return fail(E_UNSUPPORTED,
			    "options in front of a key are not supported; remove them");
	if (begins(word, "ssh-") || begins(word, "ecdsa-") || begins(word, "sk-"))
		return refuse_kind(word);
	return fail(E_INVALID, "not an SSH public key");
}

static void take_comment(struct view text, char *ret_comment, size_t size)
{
	size_t len = text.len < size ? text.len : size - 1;
	bool readable = utf8_valid(text) && !utf8_has_control(text);

	while (len && len < text.len && (text.data[len] & 0xc0) == 0x80)
		len--; /* not through the middle of a character */
	for (size_t i = 0; i < len; i++)
		ret_comment[i] =
		    (char)(readable || (text.data[i] >= ' ' && text.data[i] <= '~') ? text.data[i]
										    : '?');
	ret_comment[len] = '\0';
}

/* The blob says itself what it is; the name outside must say the same. */
static int check_name(struct view algorithm, const struct credential_row *row)
{
	if (view_is(algorithm, row->algorithm))
		return 0;
	return fail(E_INVALID, "the key's name and its content are of two kinds");
}

int ssh_key_parse(struct view line, struct credential_row *ret_row)
{
	CLEANUP(buf_done) struct buf blob = {0};
	struct credential_row row = {0};

	line = trim(line);
	if (line.len && memchr(line.data, '\n', line.len))
		return fail(E_INVALID, "more than one line; give one key at a time");
	struct view rest = line;
	struct view algorithm = take_word(&rest), text = take_word(&rest);
	if (!kind_of(algorithm))
		return refuse_line(line);
	if (text.len > 4 * (size_t)BLOB_MAX / 3 + 4)
		return fail(E_INVALID, "malformed public key: too long");
	int rc = base64_decode(text, BASE64_PADDED, &blob);
	if (rc == E_INVALID) {
		err_clear(); /* its sentence means nothing to an operator */
		return fail(E_INVALID, "malformed public key: damaged or cut off (not base64)");
	}
	if (!rc)
		rc = ssh_key_of_blob(view_buf(&blob), &row);
	if (!rc)
		rc = check_name(algorithm, &row);
	if (rc)
		return rc;
	take_comment(rest, row.comment, sizeof row.comment);
	*ret_row = row;
	return 0;
}
