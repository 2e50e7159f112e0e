/* SPDX-License-Identifier: Apache-2.0 */
#include "tlog/key.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"

enum { TYPE_ED25519 = 0x01, ID_SIZE = 4 };

struct tlog_verifier {
	struct view name; /* owned */
	uint32_t id;
	uint8_t material[1 + TLOG_PUBLIC_SIZE]; /* signature type || public key */
	EVP_PKEY *key;
};

struct tlog_signer {
	struct tlog_verifier *public;
	EVP_PKEY *key;
};

/* White_Space of Unicode above the control characters of ASCII. */
static const struct view spaces[] = {
    {(const uint8_t *)" ", 1},
    {(const uint8_t *)"\xc2\x85", 2},
    {(const uint8_t *)"\xc2\xa0", 2},
    {(const uint8_t *)"\xe1\x9a\x80", 3},
    {(const uint8_t *)"\xe2\x80\xa8", 3},
    {(const uint8_t *)"\xe2\x80\xa9", 3},
    {(const uint8_t *)"\xe2\x80\xaf", 3},
    {(const uint8_t *)"\xe2\x81\x9f", 3},
    {(const uint8_t *)"\xe3\x80\x80", 3},
};

static bool space_at(struct view t)
{
	for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
		if (t.len >= spaces[i].len && memcmp(t.data, spaces[i].data, spaces[i].len) == 0)
			return true;
	/* U+2000 to U+200A: the spaces of many widths */
	return t.len >= 3 && t.data[0] == 0xe2 && t.data[1] == 0x80 && t.data[2] >= 0x80 &&
	       t.data[2] <= 0x8a;
}

bool tlog_key_name_valid(struct view name)
{
	if (name.len == 0 || !utf8_valid(name))
		return false;
	/* In valid UTF-8 the bytes of one character never begin inside another. */
	for (size_t i = 0; i < name.len; i++)
		if (name.data[i] < 0x20 || name.data[i] == '+' ||
		    space_at(view_of(name.data + i, name.len - i)))
			return false;
	return true;
}

/* SHA-256(name || 0x0A || type || public key)[:4], big-endian. */
static uint32_t id_of(struct view name, const uint8_t material[1 + TLOG_PUBLIC_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, name.data, name.len);
	sha256_add(&h, "\n", 1);
	sha256_add(&h, material, 1 + TLOG_PUBLIC_SIZE);
	sha256_now(&h, digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
	       digest[3];
}

int tlog_verifier_new(struct view name, const uint8_t *public_key,
		      struct tlog_verifier **ret_verifier)
{
	if (name.len > TLOG_KEY_NAME_MAX || !tlog_key_name_valid(name))
		return fail(E_INVALID, "not a key name");

	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = mem_new(sizeof *v);
	v->name = view_of(mem_text_n(name.data, name.len), name.len);
	v->material[0] = TYPE_ED25519;
	memcpy(v->material + 1, public_key, TLOG_PUBLIC_SIZE);
	v->id = id_of(name, v->material);
	v->key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, TLOG_PUBLIC_SIZE);
	if (!v->key) {
		ERR_clear_error();
		return fail(E_INVALID, "not an Ed25519 public key");
	}
	*ret_verifier = TAKE(v);
	return 0;
}

static bool cut_at_plus(struct view *rest, struct view *ret_part)
{
	const uint8_t *plus = rest->len ? memchr(rest->data, '+', rest->len) : NULL;

	if (!plus)
		return false;
	*ret_part = view_of(rest->data, (size_t)(plus - rest->data));
	*rest = view_of(plus + 1, rest->len - ret_part->len - 1);
	return true;
}

int tlog_verifier_parse(struct view text, struct tlog_verifier **ret_verifier)
{
	CLEANUP(buf_done) struct buf material = {0};
	CLEANUP(tlog_verifier_free) struct tlog_verifier *v = NULL;
	struct view name = {0}, hex = {0}, rest = text;
	uint8_t id[ID_SIZE] = {0};

	/* Names have no plus; base64 may. */
	if (text.len > 2 * TLOG_KEY_NAME_MAX || !cut_at_plus(&rest, &name) ||
	    !cut_at_plus(&rest, &hex))
		return fail(E_INVALID, "not a verifier key: name+id+key");
	int rc = hex_decode(hex, id, sizeof id);
	if (!rc)
		rc = base64_decode(rest, BASE64_PADDED, &material);
	if (rc)
		return fail(rc, "not a verifier key: name+id+key");
	if (material.len == 0 || material.data[0] != TYPE_ED25519)
		return fail(E_UNSUPPORTED, "a verifier key that is not for Ed25519");
	if (material.len != 1 + TLOG_PUBLIC_SIZE)
		return fail(E_INVALID, "a verifier key of the wrong length");
	rc = tlog_verifier_new(name, material.data + 1, &v);
	if (rc)
		return rc;
	uint32_t said =
	    (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | id[3];
	if (said != v->id)
		return fail(E_INVALID, "a verifier key whose id is not that of its name and key");
	*ret_verifier = TAKE(v);
	return 0;
}

int tlog_verifier_text(const struct tlog_verifier *v, struct buf *out)
{
	size_t before = out->len;
	int rc = buf_add(out, v->name.data, v->name.len);

	if (!rc)
		rc = buf_printf(out, "+%08x+", v->id);
	if (!rc)
		rc = base64_encode(view_of(v->material, sizeof v->material), BASE64_PADDED, out);
	if (rc)
		out->len = before;
	return rc;
}

struct view tlog_verifier_name(const struct tlog_verifier *v)
{
	return v->name;
}

uint32_t tlog_verifier_id(const struct tlog_verifier *v)
{
	return v->id;
}

int tlog_verifier_check(const struct tlog_verifier *v, struct view text, struct view signature)
{
	if (signature.len != TLOG_ED25519_SIZE)
		return fail(E_INTEGRITY, "a signature of the wrong length");

	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (!ctx)
		return fail(E_NOMEM, "verify a signature");
	bool ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, v->key) == 1 &&
		  EVP_DigestVerify(ctx, signature.data, signature.len, text.data, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok ? 0 : fail(E_INTEGRITY, "a signature that does not verify");
}

void tlog_verifier_free(struct tlog_verifier **v)
{
	if (!*v)
		return;
	EVP_PKEY_free((*v)->key);
	free((void *)(uintptr_t)(*v)->name.data);
	mem_free(v);
}

int tlog_signer_new(struct view name, const struct secret *seed, struct tlog_signer **ret_signer)
{
	CLEANUP(tlog_signer_free) struct tlog_signer *s = mem_new(sizeof *s);
	struct view raw = secret_view(seed);
	uint8_t public_key[TLOG_PUBLIC_SIZE] = {0};
	size_t len = sizeof public_key;

	if (raw.len != TLOG_SEED_SIZE)
		return fail(E_INVALID, "an Ed25519 seed has %d bytes", TLOG_SEED_SIZE);
	s->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, raw.data, raw.len);
	if (!s->key || EVP_PKEY_get_raw_public_key(s->key, public_key, &len) != 1) {
		ERR_clear_error();
		return fail(E_INVALID, "not an Ed25519 private key");
	}
	int rc = tlog_verifier_new(name, public_key, &s->public);
	if (!rc)
		*ret_signer = TAKE(s);
	return rc;
}

struct tlog_verifier *tlog_signer_verifier(const struct tlog_signer *s)
{
	return s->public;
}

int tlog_signer_sign(const struct tlog_signer *s, struct view text,
		     uint8_t ret_signature[TLOG_ED25519_SIZE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t len = TLOG_ED25519_SIZE;

	if (!ctx)
		return fail(E_NOMEM, "sign");
	bool ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, s->key) == 1 &&
		  EVP_DigestSign(ctx, ret_signature, &len, text.data, text.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok && len == TLOG_ED25519_SIZE ? 0 : fail(E_IO, "sign");
}

void tlog_signer_free(struct tlog_signer **s)
{
	if (!*s)
		return;
	tlog_verifier_free(&(*s)->public);
	EVP_PKEY_free((*s)->key);
	mem_free(s);
}
