/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/host_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "wire/codec.h"

static const char magic[] = "openssh-key-v1"; /* its NUL belongs to it */
static const char algorithm[] = "ssh-ed25519";

enum { SEED = 32, PUBLIC = 32, BLOB = 4 + 11 + 4 + PUBLIC, KEY_MAX = 1024, LINE = 70, BLOCK = 8 };

static void pkey_free(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static int draw(uint8_t seed[SEED], uint8_t public[PUBLIC])
{
	CLEANUP(pkey_free) EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	size_t seed_len = SEED, public_len = PUBLIC;

	if (!key || EVP_PKEY_get_raw_private_key(key, seed, &seed_len) != 1 ||
	    EVP_PKEY_get_raw_public_key(key, public, &public_len) != 1)
		return fail(E_IO, "make an SSH host key");
	return 0;
}

static void write_public(struct writer *w, const uint8_t public[PUBLIC])
{
	write_bytes(w, view_text(algorithm));
	write_bytes(w, view_of(public, PUBLIC));
}

/* Two equal check numbers, the key, its comment, and padding 1, 2, 3 … to a whole block. */
static int write_private(struct writer *w, const uint8_t seed[SEED], const uint8_t public[PUBLIC],
			 const char *comment)
{
	uint8_t check[4], both[SEED + PUBLIC], memory[KEY_MAX];
	struct writer inner = writer_of(memory, sizeof memory);
	int rc = random_bytes(check, sizeof check);

	if (rc)
		return rc;
	memcpy(both, seed, SEED);
	memcpy(both + SEED, public, PUBLIC);
	write_raw(&inner, check, sizeof check);
	write_raw(&inner, check, sizeof check);
	write_public(&inner, public);
	write_bytes(&inner, view_of(both, sizeof both));
	write_bytes(&inner, view_text(comment));
	for (uint8_t pad = 1; !inner.full && inner.len % BLOCK; pad++)
		write_u8(&inner, pad);
	write_bytes(w, view_of(inner.data, inner.len));
	wipe(both, sizeof both);
	wipe(memory, sizeof memory);
	return inner.full ? fail(E_LIMIT, "a comment that is too long") : 0;
}

static int armor(struct view key, struct buf *out)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	int rc = base64_encode(key, BASE64_PADDED, &text);

	if (!rc)
		rc = buf_add_text(out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	for (size_t at = 0; !rc && at < text.len; at += LINE) {
		rc = buf_add(out, text.data + at, text.len - at < LINE ? text.len - at : LINE);
		if (!rc)
			rc = buf_add_text(out, "\n");
	}
	return rc ? rc : buf_add_text(out, "-----END OPENSSH PRIVATE KEY-----\n");
}

static int public_line(const uint8_t public[PUBLIC], const char *comment, struct buf *out)
{
	uint8_t blob[BLOB];
	struct writer w = writer_of(blob, sizeof blob);
	int rc = buf_printf(out, "%s ", algorithm);

	write_public(&w, public);
	if (!rc)
		rc = base64_encode(view_of(w.data, w.len), BASE64_PADDED, out);
	return rc ? rc : buf_printf(out, " %s\n", comment);
}

int host_key_make(const char *comment, struct buf *ret_private, struct buf *ret_public)
{
	uint8_t seed[SEED], public[PUBLIC], memory[KEY_MAX];
	struct writer w = writer_of(memory, sizeof memory);

	if (!utf8_valid(view_text(comment)) || utf8_has_control(view_text(comment)))
		return fail(E_INVALID, "a comment that is no line of text");
	int rc = draw(seed, public);
	if (rc)
		return rc;
	write_raw(&w, magic, sizeof magic);
	write_bytes(&w, view_text("none")); /* cipher, its key derivation, and that one's options */
	write_bytes(&w, view_text("none"));
	write_bytes(&w, view_text(""));
	write_u32(&w, 1);
	uint8_t blob[BLOB];
	struct writer b = writer_of(blob, sizeof blob);
	write_public(&b, public);
	write_bytes(&w, view_of(b.data, b.len));
	rc = write_private(&w, seed, public, comment);
	if (!rc && w.full)
		rc = fail(E_LIMIT, "a comment that is too long");
	if (!rc)
		rc = armor(view_of(w.data, w.len), ret_private);
	if (!rc)
		rc = public_line(public, comment, ret_public);
	wipe(seed, sizeof seed);
	wipe(memory, sizeof memory);
	return rc;
}

/* ---- judging one ---- */

static const char first_line[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
static const char last_line[] = "-----END OPENSSH PRIVATE KEY-----\n";

static int damaged(const char *what)
{
	return fail(E_INTEGRITY, "its %s: it is damaged", what);
}

static bool ends_with(struct view text, const char *end)
{
	size_t len = strlen(end);

	return text.len >= len && memcmp(text.data + text.len - len, end, len) == 0;
}

static int unarmor(struct view pem, struct buf *out)
{
	CLEANUP(buf_wipe) struct buf text = {0};
	size_t end = pem.len - strlen(last_line);
	int rc = 0;

	for (size_t i = strlen(first_line); i < end && !rc; i++)
		if (pem.data[i] != '\n')
			rc = buf_add(&text, pem.data + i, 1);
	if (!rc && base64_decode(view_buf(&text), BASE64_PADDED, out))
		rc = damaged("text is not base64");
	return rc;
}

static bool seed_gives(const uint8_t *seed, const uint8_t *public)
{
	CLEANUP(pkey_free)
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SEED);
	uint8_t found[PUBLIC];
	size_t len = sizeof found;

	return key && EVP_PKEY_get_raw_public_key(key, found, &len) == 1 &&
	       memcmp(found, public, sizeof found) == 0;
}

/* Behind the check numbers. Other algorithms than ours are left to who uses them. */
static int judge_pair(struct reader *r, struct view outer)
{
	struct reader o = reader_of(outer);
	struct view name = read_bytes(r), outer_name = read_bytes(&o);

	if (!view_equal(name, outer_name))
		return damaged("private and public halves do not belong together");
	if (!view_is(name, algorithm))
		return 0;
	struct view outer_public = read_bytes(&o);
	struct view public = read_bytes(r), both = read_bytes(r);
	(void)read_bytes(r); /* its comment */
	if (!reader_ok(r) || !reader_end(&o) || public.len != PUBLIC || both.len != SEED + PUBLIC)
		return damaged("lengths do not fit");
	if (memcmp(public.data, both.data + SEED, PUBLIC) != 0 ||
	    !view_equal(public, outer_public) || !seed_gives(both.data, public.data))
		return damaged("private and public halves do not belong together");
	for (uint8_t pad = 1; r->left; pad++)
		if (read_u8(r) != pad)
			return damaged("padding is wrong");
	return 0;
}

static int judge(struct view key)
{
	struct reader r = reader_of(key);
	struct view head = read_raw(&r, sizeof magic);
	struct view cipher = read_bytes(&r), derivation = read_bytes(&r);

	(void)read_bytes(&r); /* options of the derivation */
	uint32_t count = read_u32(&r);
	struct view outer = read_bytes(&r), inner = read_bytes(&r);
	if (!reader_end(&r) || !view_equal(head, view_of(magic, sizeof magic)) || count != 1)
		return damaged("form is not OpenSSH's");
	if (!view_is(cipher, "none") || !view_is(derivation, "none"))
		return fail(E_CONFIG, "it is encrypted, or damaged");
	r = reader_of(inner);
	if (read_u32(&r) != read_u32(&r))
		return damaged("check numbers differ");
	return judge_pair(&r, outer);
}

static int no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The older forms, which OpenSSL knows. */
static int judge_other(struct view pem)
{
	BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
	CLEANUP(pkey_free)
	EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;

	(void)BIO_free(in);
	ERR_clear_error();
	return key ? 0 : damaged("text is no private key");
}

int host_key_check(struct view pem)
{
	CLEANUP(buf_wipe) struct buf key = {0};

	if (pem.len < strlen(first_line) || memcmp(pem.data, first_line, strlen(first_line)) != 0)
		return judge_other(pem);
	if (pem.len < strlen(first_line) + strlen(last_line) || !ends_with(pem, last_line))
		return damaged("last line is missing");
	int rc = unarmor(pem, &key);
	return rc ? rc : judge(view_buf(&key));
}
