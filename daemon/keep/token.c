/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/token.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "base/text.h"

static const char prefix[] = "dk1_";

enum { PREFIX = sizeof prefix - 1, RANDOM = 32 };

/* RFC 4648, section 5: two characters stand for others. */
static void to_url(uint8_t *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
}

int base64url_encode(struct view bytes, struct buf *out)
{
	size_t from = out->len;
	int rc = base64_encode(bytes, BASE64_BARE, out);

	if (!rc)
		to_url(out->data + from, out->len - from);
	return rc;
}

static bool is_base64url(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

int enrolment_make(char ret_code[ENROLMENT_LEN + 1])
{
	CLEANUP(buf_wipe) struct buf text = {0};
	uint8_t random[ENROLMENT_LEN / 4 * 3];
	int rc = random_bytes(random, sizeof random);

	if (!rc)
		rc = base64url_encode(view_of(random, sizeof random), &text);
	wipe(random, sizeof random);
	if (rc)
		return rc;
	memcpy(ret_code, text.data, ENROLMENT_LEN);
	ret_code[ENROLMENT_LEN] = '\0';
	return 0;
}

int enrolment_hash(struct view code, uint8_t ret_hash[ENROLMENT_HASH])
{
	if (code.len != ENROLMENT_LEN)
		return fail(E_INVALID, "no code");
	for (size_t i = 0; i < code.len; i++)
		if (!is_base64url(code.data[i]))
			return fail(E_INVALID, "no code");
	sha256_of(code, ret_hash);
	return 0;
}

int token_make(char ret_token[TOKEN_LEN + 1])
{
	CLEANUP(buf_wipe) struct buf text = {0};
	uint8_t random[RANDOM];
	int rc = random_bytes(random, sizeof random);

	if (!rc)
		rc = buf_add_text(&text, prefix);
	if (!rc)
		rc = base64url_encode(view_of(random, sizeof random), &text);
	wipe(random, sizeof random);
	if (rc)
		return rc;
	memcpy(ret_token, text.data, TOKEN_LEN);
	ret_token[TOKEN_LEN] = '\0';
	return 0;
}

static int by_hash(const uint8_t hash[SHA256_SIZE], enum credential_kind kind,
		   const char *algorithm, struct credential_row *ret_row)
{
	CLEANUP(buf_done) struct buf text = {0};
	const char *c = NULL;
	int rc = buf_add_text(&text, "SHA256:");

	if (!rc)
		rc = base64_encode(view_of(hash, SHA256_SIZE), BASE64_BARE, &text);
	if (!rc)
		rc = buf_text(&text, &c);
	if (rc)
		return rc;
	*ret_row = (struct credential_row){.kind = kind};
	(void)snprintf(ret_row->fingerprint, sizeof ret_row->fingerprint, "%s", c);
	(void)snprintf(ret_row->algorithm, sizeof ret_row->algorithm, "%s", algorithm);
	return 0;
}

int token_credential(struct view token, struct credential_row *ret_row)
{
	uint8_t hash[SHA256_SIZE];

	if (token.len != TOKEN_LEN || memcmp(token.data, prefix, PREFIX) != 0)
		return fail(E_INVALID, "no token");
	for (size_t i = PREFIX; i < token.len; i++)
		if (!is_base64url(token.data[i]))
			return fail(E_INVALID, "no token");
	sha256_of(token, hash);
	return by_hash(hash, CREDENTIAL_TOKEN, "bearer", ret_row);
}

int certificate_credential(struct view spki, struct credential_row *ret_row)
{
	if (spki.len != SHA256_SIZE)
		return fail(E_INVALID, "no hash of a key");
	return by_hash(spki.data, CREDENTIAL_CERTIFICATE, "x509", ret_row);
}
