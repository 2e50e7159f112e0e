/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/host_key.h"

#include <openssl/evp.h>

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
