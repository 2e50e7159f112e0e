/* SPDX-License-Identifier: Apache-2.0 */
#include "age/header.h"

#include <assert.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "age/aead.h"
#include "age/x25519.h"
#include "base/mem.h"
#include "base/text.h"

_Static_assert(AGE_WRAPPED == AGE_FILE_KEY + AGE_AEAD_TAG, "a wrapped file key is sealed");

static const char version_line[] = "age-encryption.org/v1\n";
static const char mac_mark[] = "---";
static const char x25519_type[] = "X25519";

/* age.md, "The X25519 recipient type" and "Header MAC". */
static const char wrap_info[] = "age-encryption.org/v1/X25519";
static const char mac_info[] = "header";

enum {
	VERSION_LEN = sizeof version_line - 1,
	COLUMNS = 64,    /* of a full line of a stanza's body */
	MAC_DIGITS = 43, /* base64 of AGE_MAC bytes, without padding */
	MAC_LINE = 4 + MAC_DIGITS
};

/* The key is used for one body only (the share is fresh), hence the fixed nonce. */
static const uint8_t wrap_nonce[AGE_AEAD_NONCE];

int age_file_key_new(struct secret **ret_file_key)
{
	return secret_random(AGE_FILE_KEY, ret_file_key);
}

static int check_file_key(const struct secret *file_key)
{
	size_t len = secret_view(file_key).len;

	return len == AGE_FILE_KEY ? 0 : fail(E_INVALID, "a file key of %zu bytes", len);
}

static int compute_mac(const struct secret *file_key, struct view covered, uint8_t ret_mac[AGE_MAC])
{
	CLEANUP(secret_free) struct secret *key = NULL;
	size_t len = 0;
	int rc = secret_derive(secret_view(file_key), view_of(NULL, 0), mac_info, AGE_MAC, &key);

	if (rc)
		return rc;
	struct view k = secret_view(key);
	if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, k.data, k.len, covered.data, covered.len,
		       ret_mac, AGE_MAC, &len) ||
	    len != AGE_MAC) {
		ERR_clear_error();
		return fail(E_IO, "compute the MAC of a header");
	}
	return 0;
}

/* Writing. */

/* salt = ephemeral share || recipient */
static int wrap_key(const struct secret *shared, const uint8_t share[AGE_KEY_SIZE],
		    const uint8_t recipient[AGE_KEY_SIZE], struct secret **ret_key)
{
	uint8_t salt[2 * AGE_KEY_SIZE];

	memcpy(salt, share, AGE_KEY_SIZE);
	memcpy(salt + AGE_KEY_SIZE, recipient, AGE_KEY_SIZE);
	return secret_derive(secret_view(shared), view_of(salt, sizeof salt), wrap_info,
			     AGE_AEAD_KEY, ret_key);
}

static int wrap(const struct secret *file_key, const struct age_recipient *recipient,
		struct age_x25519_stanza *ret_stanza)
{
	CLEANUP(secret_free) struct secret *ephemeral = NULL, *shared = NULL, *key = NULL;
	int rc = secret_random(AGE_KEY_SIZE, &ephemeral);

	if (!rc)
		rc = age_x25519_shared(ephemeral, recipient->bytes, &shared, ret_stanza->share);
	if (!rc)
		rc = wrap_key(shared, ret_stanza->share, recipient->bytes, &key);
	return rc ? rc
		  : age_aead_seal(secret_view(key).data, wrap_nonce, secret_view(file_key),
				  ret_stanza->body);
}

/* A body of 32 bytes is one line of 43 digits: shorter than 64, so it is the final one. */
static int add_stanza(const struct age_x25519_stanza *stanza, struct buf *out)
{
	int rc = buf_printf(out, "-> %s ", x25519_type);

	if (!rc)
		rc = base64_encode(view_of(stanza->share, AGE_KEY_SIZE), BASE64_BARE, out);
	if (!rc)
		rc = buf_add_text(out, "\n");
	if (!rc)
		rc = base64_encode(view_of(stanza->body, AGE_WRAPPED), BASE64_BARE, out);
	return rc ? rc : buf_add_text(out, "\n");
}

static int add_mac(const struct secret *file_key, size_t begin, struct buf *out)
{
	uint8_t mac[AGE_MAC];
	int rc = buf_add_text(out, mac_mark);

	if (!rc)
		rc = compute_mac(file_key, view_of(out->data + begin, out->len - begin), mac);
	if (!rc)
		rc = buf_add_text(out, " ");
	if (!rc)
		rc = base64_encode(view_of(mac, sizeof mac), BASE64_BARE, out);
	return rc ? rc : buf_add_text(out, "\n");
}

int age_header_write(const struct secret *file_key, const struct age_recipient *recipients,
		     size_t count, struct buf *out)
{
	size_t begin = out->len;
	int rc = check_file_key(file_key);

	if (rc)
		return rc;
	if (count == 0)
		return fail(E_INVALID, "a header without recipients");
	if (count > AGE_STANZAS_MAX)
		return fail(E_LIMIT, "%zu recipients of one file", count);
	rc = buf_add_text(out, version_line);
	for (size_t i = 0; i < count && !rc; i++) {
		struct age_x25519_stanza stanza;
		rc = wrap(file_key, &recipients[i], &stanza);
		if (!rc)
			rc = add_stanza(&stanza, out);
	}
	if (!rc)
		rc = add_mac(file_key, begin, out);
	if (rc)
		out->len = begin;
	return rc;
}

/* Parsing. */

struct cursor {
	struct view rest;
	struct buf scratch; /* the decoded body of the stanza at hand */
	unsigned scrypt_count;
	struct age_header *header;
};

/* Without its line feed. E_AGAIN without a frame: that is no failure. */
static int next_line(struct cursor *c, struct view *ret_line)
{
	const uint8_t *end = c->rest.len ? memchr(c->rest.data, '\n', c->rest.len) : NULL;

	if (!end)
		return E_AGAIN;
	size_t len = (size_t)(end - c->rest.data);
	*ret_line = view_of(c->rest.data, len);
	c->rest = view_of(end + 1, c->rest.len - len - 1);
	return 0;
}

static bool begins_with(struct view bytes, const char *text)
{
	size_t len = strlen(text);

	return bytes.len >= len && memcmp(bytes.data, text, len) == 0;
}

/* Judged byte by byte, so that a stream that is no age file at all is refused at once. */
static int parse_version(struct cursor *c)
{
	size_t len = c->rest.len < VERSION_LEN ? c->rest.len : VERSION_LEN;

	if (len && memcmp(c->rest.data, version_line, len) != 0) {
		if (begins_with(c->rest, "age-encryption.org/"))
			return fail(E_INVALID, "not version 1 of the age format");
		if (begins_with(c->rest, "-----BEGIN"))
			return fail(E_INVALID,
				    "an age file in ASCII armor, which is not read here");
		return fail(E_INVALID, "not an age file");
	}
	if (len < VERSION_LEN)
		return E_AGAIN;
	c->rest = view_of(c->rest.data + len, c->rest.len - len);
	return 0;
}

/* argument = 1*VCHAR: printable ASCII, no space. */
static int next_argument(struct view *rest, struct view *ret_argument)
{
	size_t len = 0;

	while (len < rest->len && rest->data[len] > ' ' && rest->data[len] < 0x7f)
		len++;
	if (len == 0)
		return fail(E_INVALID, "a stanza with an empty argument");
	if (len < rest->len && rest->data[len] != ' ')
		return fail(E_INVALID, "a stanza with a byte that no argument may have");
	*ret_argument = view_of(rest->data, len);
	*rest = view_of(rest->data + len, rest->len - len);
	return 0;
}

struct arguments {
	struct view type, first;
	unsigned count; /* of those behind the type */
};

/* arg-line = "-> " argument *(SP argument) */
static int parse_arguments(struct view line, struct arguments *ret_arguments)
{
	struct arguments a = {0};

	if (!begins_with(line, "-> "))
		return fail(E_INVALID, "a line that begins no stanza");
	struct view rest = view_of(line.data + 3, line.len - 3);
	int rc = next_argument(&rest, &a.type);
	for (; !rc && rest.len; a.count++) {
		struct view argument = {0};
		rest = view_of(rest.data + 1, rest.len - 1); /* the space that ended the last one */
		rc = next_argument(&rest, &argument);
		if (a.count == 0)
			a.first = argument;
	}
	if (!rc)
		*ret_arguments = a;
	return rc;
}

/* *full-line final-line; each line is whole groups of base64, so it decodes on its own. */
static int parse_body(struct cursor *c)
{
	struct view line = {0};

	c->scratch.len = 0;
	do {
		int rc = next_line(c, &line);
		if (rc)
			return rc;
		if (line.len > COLUMNS)
			return fail(E_INVALID, "a stanza with a line of more than %d columns",
				    COLUMNS);
		rc = base64_decode(line, BASE64_BARE, &c->scratch);
		if (rc)
			return fail(rc, "the body of a stanza");
	} while (line.len == COLUMNS);
	return 0;
}

/* Base64 of exactly len bytes, or E_INVALID. */
static int decode_exactly(struct view text, size_t len, uint8_t *ret_bytes)
{
	CLEANUP(buf_done) struct buf bytes = {0};
	int rc = base64_decode(text, BASE64_BARE, &bytes);

	if (!rc && bytes.len != len)
		rc = fail(E_INVALID, "%zu bytes where %zu belong", bytes.len, len);
	if (!rc)
		memcpy(ret_bytes, bytes.data, len);
	return rc;
}

/* age.md, "X25519 recipient stanza": what an identity MUST reject. */
static int note_x25519(const struct arguments *a, struct cursor *c)
{
	struct age_header *h = c->header;
	struct age_x25519_stanza *stanza = &h->x25519[h->x25519_count];

	if (a->count != 1)
		return fail(E_INVALID, "an X25519 stanza with %u arguments behind its type",
			    a->count);
	int rc = decode_exactly(a->first, AGE_KEY_SIZE, stanza->share);
	if (rc)
		return fail(rc, "the share of an X25519 stanza");
	if (c->scratch.len != AGE_WRAPPED)
		return fail(E_INVALID, "an X25519 stanza with a body of %zu bytes", c->scratch.len);
	memcpy(stanza->body, c->scratch.data, AGE_WRAPPED);
	h->x25519_count++;
	return 0;
}

static int parse_stanza(struct view line, struct cursor *c)
{
	struct arguments a = {0};
	int rc = parse_arguments(line, &a);

	if (!rc && c->header->stanza_count == AGE_STANZAS_MAX)
		rc = fail(E_INVALID, "more than %d stanzas", AGE_STANZAS_MAX);
	if (!rc)
		rc = parse_body(c);
	if (rc)
		return rc;
	c->header->stanza_count++;
	c->scrypt_count += view_is(a.type, "scrypt");
	return view_is(a.type, x25519_type) ? note_x25519(&a, c) : 0;
}

/* end = "--- " 43base64char */
static int parse_end(struct view line, struct cursor *c)
{
	struct age_header *h = c->header;

	if (line.len != MAC_LINE || line.data[3] != ' ')
		return fail(E_INVALID, "a malformed MAC line");
	int rc = decode_exactly(view_of(line.data + 4, MAC_DIGITS), AGE_MAC, h->mac);
	if (rc)
		return fail(rc, "the MAC");
	if (h->stanza_count == 0)
		return fail(E_INVALID, "a header without stanzas");
	/* age.md, "The scrypt recipient type": it MUST be alone. */
	if (c->scrypt_count && h->stanza_count > 1)
		return fail(E_INVALID, "an scrypt stanza that is not alone");
	return 0;
}

static int parse_lines(struct view bytes, struct cursor *c)
{
	struct view line = {0};
	int rc = parse_version(c);

	while (!rc) {
		rc = next_line(c, &line);
		if (rc || begins_with(line, mac_mark))
			break;
		rc = parse_stanza(line, c);
	}
	if (!rc)
		rc = parse_end(line, c);
	if (!rc) {
		size_t covered = (size_t)(line.data - bytes.data) + strlen(mac_mark);
		c->header->mac_part = view_of(bytes.data, covered);
		c->header->len = bytes.len - c->rest.len;
	}
	return rc;
}

int age_header_parse(struct view bytes, struct age_header *ret_header)
{
	struct view within =
	    view_of(bytes.data, bytes.len < AGE_HEADER_MAX ? bytes.len : AGE_HEADER_MAX);
	CLEANUP(mem_free) struct age_header *header = mem_try(sizeof *header);
	struct cursor c = {.rest = within, .header = header};

	if (!header)
		return fail(E_NOMEM, "no memory for a header");
	int rc = parse_lines(within, &c);
	buf_done(&c.scratch);
	if (rc == E_AGAIN && within.len == AGE_HEADER_MAX)
		rc = fail(E_INVALID, "a header of more than %d bytes", AGE_HEADER_MAX);
	if (!rc)
		*ret_header = *header;
	return rc;
}

/* Unwrapping. */

/* E_INTEGRITY without a frame: the stanza is somebody else's. */
static int unwrap(const struct age_x25519_stanza *stanza, const struct secret *identity,
		  struct secret **ret_file_key)
{
	CLEANUP(secret_free) struct secret *shared = NULL, *key = NULL;
	uint8_t recipient[AGE_KEY_SIZE], file_key[AGE_FILE_KEY];
	int rc = age_x25519_shared(identity, stanza->share, &shared, recipient);

	if (!rc)
		rc = wrap_key(shared, stanza->share, recipient, &key);
	if (!rc)
		rc = age_aead_open(secret_view(key).data, wrap_nonce,
				   view_of(stanza->body, AGE_WRAPPED), file_key);
	if (!rc)
		rc = secret_copy(file_key, sizeof file_key, ret_file_key);
	wipe(file_key, sizeof file_key);
	return rc;
}

int age_header_unwrap(const struct age_header *header, const struct secret *identity,
		      struct secret **ret_file_key)
{
	CLEANUP(secret_free) struct secret *file_key = NULL;
	int rc = E_INTEGRITY;

	assert(header->x25519_count <= AGE_STANZAS_MAX);
	for (unsigned i = 0; i < header->x25519_count && rc == E_INTEGRITY; i++)
		rc = unwrap(&header->x25519[i], identity, &file_key);
	if (rc == E_INTEGRITY)
		return fail(E_DENIED, "no stanza is for this identity");
	if (!rc)
		rc = age_header_verify(header, file_key);
	if (!rc)
		*ret_file_key = TAKE(file_key);
	return rc;
}

int age_header_verify(const struct age_header *header, const struct secret *file_key)
{
	uint8_t mac[AGE_MAC];
	int rc = check_file_key(file_key);

	if (!rc)
		rc = compute_mac(file_key, header->mac_part, mac);
	if (!rc && !equal_secret(mac, header->mac, sizeof mac))
		rc = fail(E_INTEGRITY, "the MAC of the header is wrong");
	return rc;
}
