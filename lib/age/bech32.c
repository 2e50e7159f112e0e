/* SPDX-License-Identifier: Apache-2.0 */
#include "age/bech32.h"

#include "base/mem.h"
#include "base/secret.h"

/* BIP-173, "Bech32": the value of a character is its index. */
static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

enum { CHECKSUM = 6, CASE_BIT = 0x20 };

/* One step of BIP-173's polymod, without a branch on the data: it may be an identity. */
static uint32_t checksum_add(uint32_t sum, unsigned value)
{
	static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
					     0x2a1462b3};
	uint32_t top = sum >> 25;

	sum = (sum & 0x1ffffff) << 5 ^ value;
	for (unsigned i = 0; i < ARRAY_LEN(generator); i++)
		sum ^= generator[i] & (0u - (top >> i & 1));
	return sum;
}

static bool is_upper(uint8_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(uint8_t c)
{
	return c >= 'a' && c <= 'z';
}

static uint8_t to_lower(uint8_t c)
{
	return is_upper(c) ? c | CASE_BIT : c;
}

/* The checksum is always over the lower-case form. */
static uint32_t checksum_hrp(struct view hrp)
{
	uint32_t sum = 1;

	for (size_t i = 0; i < hrp.len; i++)
		sum = checksum_add(sum, to_lower(hrp.data[i]) >> 5);
	sum = checksum_add(sum, 0);
	for (size_t i = 0; i < hrp.len; i++)
		sum = checksum_add(sum, to_lower(hrp.data[i]) & 31u);
	return sum;
}

/* Printable ASCII without space, in one case. */
static int check_characters(struct view text, bool *ret_upper)
{
	bool upper = false, lower = false;

	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < 33 || text.data[i] > 126)
			return fail(E_INVALID,
				    "a key with a character that is not printable ASCII");
		upper |= is_upper(text.data[i]);
		lower |= is_lower(text.data[i]);
	}
	if (upper && lower)
		return fail(E_INVALID, "a key in mixed case");
	*ret_upper = upper;
	return 0;
}

/* Group i of 5 bits, the last one filled up with zero bits. */
static unsigned group_of(struct view bytes, size_t i)
{
	size_t bit = 5 * i, at = bit / 8;
	unsigned window = (unsigned)bytes.data[at] << 8;

	if (at + 1 < bytes.len)
		window |= bytes.data[at + 1];
	return window >> (11 - bit % 8) & 31;
}

static char digit(unsigned value, bool upper)
{
	char c = digits[value];

	return upper && is_lower((uint8_t)c) ? (char)(c & ~CASE_BIT) : c;
}

int age_bech32_encode(const char *hrp, struct view bytes, char *ret_text)
{
	struct view prefix = view_text(hrp);
	bool upper = false;

	if (prefix.len == 0 || prefix.len > AGE_BECH32_HRP_MAX || bytes.len > AGE_BECH32_TEXT_MAX ||
	    AGE_BECH32_TEXT(prefix.len, bytes.len) > AGE_BECH32_TEXT_MAX)
		return fail(E_INVALID, "a key of impossible length");
	int rc = check_characters(prefix, &upper);
	if (rc)
		return rc;

	uint32_t sum = checksum_hrp(prefix);
	char *out = ret_text;
	memcpy(out, prefix.data, prefix.len);
	out += prefix.len;
	*out++ = '1';
	for (size_t i = 0; 5 * i < 8 * bytes.len; i++) {
		unsigned value = group_of(bytes, i);
		sum = checksum_add(sum, value);
		*out++ = digit(value, upper);
	}
	for (int i = 0; i < CHECKSUM; i++)
		sum = checksum_add(sum, 0);
	sum ^= 1;
	for (int i = CHECKSUM - 1; i >= 0; i--)
		*out++ = digit(sum >> (5 * i) & 31, upper);
	*out = '\0';
	return 0;
}

/* The prefix ends at the last '1': BIP-173 has no such digit. */
static int split(struct view text, struct view *ret_hrp, struct view *ret_data)
{
	if (text.len > AGE_BECH32_TEXT_MAX)
		return fail(E_INVALID, "a key of more than %d characters", AGE_BECH32_TEXT_MAX);

	size_t one = text.len;
	while (one > 0 && text.data[one - 1] != '1')
		one--;
	if (one < 2 || one - 1 > AGE_BECH32_HRP_MAX || text.len - one < CHECKSUM)
		return fail(E_INVALID, "not a key: its prefix or checksum is missing");
	*ret_hrp = view_of(text.data, one - 1);
	*ret_data = view_of(text.data + one, text.len - one);
	return 0;
}

/* The digit's value, or -1. */
static int value_of(uint8_t c)
{
	const char *at = c ? strchr(digits, to_lower(c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* All of data counts in the checksum, and all must be bech32 digits. */
static int check_sum(struct view hrp, struct view data)
{
	uint32_t sum = checksum_hrp(hrp);

	for (size_t i = 0; i < data.len; i++) {
		int value = value_of(data.data[i]);
		if (value < 0)
			return fail(E_INVALID, "a key with a character that is not bech32");
		sum = checksum_add(sum, (unsigned)value);
	}
	return sum == 1 ? 0 : fail(E_INVALID, "a key with a wrong checksum");
}

/* 8 bits from each 5, of digits that check_sum() has seen. */
static void regroup(struct view data, uint8_t *ret_bytes)
{
	unsigned bits = 0, held = 0;

	for (size_t i = 0; i < data.len; i++) {
		bits = (bits << 5 | (unsigned)value_of(data.data[i])) & 0xfff;
		held += 5;
		if (held >= 8) {
			held -= 8;
			*ret_bytes++ = (uint8_t)(bits >> held);
		}
	}
	wipe(&bits, sizeof bits);
}

/* What is left over behind the last byte must be fewer than 5 bits, all zero. */
static int check_length(struct view data, size_t room)
{
	size_t len = data.len * 5 / 8, left = data.len * 5 % 8;

	if (left >= 5)
		return fail(E_INVALID, "a key of a length that no bytes have");
	if (left && value_of(data.data[data.len - 1]) & ((1 << left) - 1))
		return fail(E_INVALID, "a key with bits left over");
	if (len > room)
		return fail(E_INVALID, "a key of %zu bytes, more than the %zu expected", len, room);
	return 0;
}

int age_bech32_decode(struct view text, size_t room, char *ret_hrp, uint8_t *ret_bytes,
		      size_t *ret_len)
{
	struct view hrp = {0}, data = {0};
	bool upper = false;
	int rc = check_characters(text, &upper);

	if (!rc)
		rc = split(text, &hrp, &data);
	if (!rc)
		rc = check_sum(hrp, data);
	if (rc)
		return rc;

	data.len -= CHECKSUM;
	rc = check_length(data, room);
	if (rc)
		return rc;
	regroup(data, ret_bytes);
	memcpy(ret_hrp, hrp.data, hrp.len);
	ret_hrp[hrp.len] = '\0';
	*ret_len = data.len * 5 / 8;
	return 0;
}
