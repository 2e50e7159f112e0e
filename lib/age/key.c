/* SPDX-License-Identifier: Apache-2.0 */
#include "age/key.h"

#include <assert.h>

#include "age/x25519.h"
#include "base/mem.h"

/* The case of a prefix is the case of the whole text. */
static const char identity_hrp[] = "AGE-SECRET-KEY-";
static const char recipient_hrp[] = "age";

_Static_assert(sizeof identity_hrp - 1 == 15 && sizeof recipient_hrp - 1 == 3,
	       "the sizes of the header");
_Static_assert(AGE_KEY_SIZE == (int)AGE_X25519_SIZE, "keys are X25519's");

int age_identity_new(struct secret **ret_identity)
{
	return secret_random(AGE_KEY_SIZE, ret_identity);
}

int age_identity_from_bytes(struct view bytes, struct secret **ret_identity)
{
	if (bytes.len != AGE_KEY_SIZE)
		return fail(E_INVALID, "an identity of %zu bytes", bytes.len);
	return secret_copy(bytes.data, bytes.len, ret_identity);
}

/* The prefix is told in errors (it names the kind of key), the rest never. */
static int decode(struct view text, const char *hrp, const char *what, uint8_t *ret_key)
{
	char got[AGE_BECH32_HRP_MAX + 1];
	uint8_t key[AGE_BECH32_TEXT_MAX * 5 / 8];
	size_t len = 0;
	int rc = age_bech32_decode(text, sizeof key, got, key, &len);

	if (rc)
		return fail(rc, "not an X25519 %s", what);
	if (strcmp(got, hrp) != 0)
		rc = fail(E_INVALID, "not an X25519 %s: it begins with '%s1'", what, got);
	else if (len != AGE_KEY_SIZE)
		rc = fail(E_INVALID, "an X25519 %s of %zu bytes", what, len);
	else
		memcpy(ret_key, key, AGE_KEY_SIZE);
	wipe(key, sizeof key);
	return rc;
}

int age_identity_from_text(struct view text, struct secret **ret_identity)
{
	uint8_t key[AGE_KEY_SIZE];
	int rc = decode(text, identity_hrp, "identity", key);

	if (rc)
		return rc;
	rc = secret_copy(key, sizeof key, ret_identity);
	wipe(key, sizeof key);
	return rc;
}

int age_identity_text(const struct secret *identity, char ret_text[AGE_IDENTITY_TEXT])
{
	struct view key = secret_view(identity);

	if (key.len != AGE_KEY_SIZE)
		return fail(E_INVALID, "an identity of %zu bytes", key.len);
	return age_bech32_encode(identity_hrp, key, ret_text);
}

int age_identity_recipient(const struct secret *identity, struct age_recipient *ret_recipient)
{
	return age_x25519_public(identity, ret_recipient->bytes);
}

/* Clamping makes every scalar a multiple of 8, so that any one of them turns every point of
 * low order into zero, and none else. */
static int check_order(const struct age_recipient *recipient)
{
	static const uint8_t one[AGE_KEY_SIZE] = {1};
	CLEANUP(secret_free) struct secret *scalar = NULL, *shared = NULL;
	uint8_t ignored[AGE_KEY_SIZE];
	int rc = secret_copy(one, sizeof one, &scalar);

	return rc ? rc : age_x25519_shared(scalar, recipient->bytes, &shared, ignored);
}

int age_recipient_from_text(struct view text, struct age_recipient *ret_recipient)
{
	struct age_recipient recipient;
	int rc = decode(text, recipient_hrp, "recipient", recipient.bytes);

	if (!rc)
		rc = check_order(&recipient);
	if (!rc)
		*ret_recipient = recipient;
	return rc;
}

void age_recipient_text(const struct age_recipient *recipient, char ret_text[AGE_RECIPIENT_TEXT])
{
	int rc =
	    age_bech32_encode(recipient_hrp, view_of(recipient->bytes, AGE_KEY_SIZE), ret_text);

	assert(rc == 0); /* prefix and length are ours */
	(void)rc;
}

static struct view next_line(struct view *rest)
{
	const uint8_t *end = rest->len ? memchr(rest->data, '\n', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : rest->len, skip = end ? len + 1 : len;
	struct view line = view_of(rest->data, len);

	*rest = view_of(rest->data + skip, rest->len - skip);
	if (line.len && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static int parse_lines(struct view rest, size_t room, struct secret **identities, size_t *count)
{
	for (size_t number = 1; rest.len; number++) {
		struct view line = next_line(&rest);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (*count == room)
			return fail(E_LIMIT, "more than %zu identities", room);
		int rc = age_identity_from_text(line, &identities[*count]);
		if (rc)
			return fail(rc, "line %zu", number);
		(*count)++;
	}
	return *count ? 0 : fail(E_INVALID, "no identity in it");
}

int age_identities_parse(struct view content, size_t room, struct secret **ret_identities,
			 size_t *ret_count)
{
	size_t count = 0;
	int rc = parse_lines(content, room, ret_identities, &count);

	if (!rc)
		*ret_count = count;
	for (size_t i = 0; rc && i < count; i++)
		secret_free(&ret_identities[i]);
	return rc;
}
