/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"

struct unit {
	const char *name;
	uint64_t value;
};

/* Both from large to small: printing takes the first that divides. */
static const struct unit sizes[] = {
    {"T", 1ull << 40}, {"G", 1ull << 30}, {"M", 1ull << 20}, {"K", 1ull << 10}, {"", 1},
};

/* "w" reads but is not written: days say the same in a more usual way. */
static const struct unit times[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}, {"w", 604800000},
};
enum { TIMES_WRITTEN = 5 };

/* Takes the digits off the front of *text. */
static int take_digits(struct view *text, uint64_t *ret_number)
{
	uint64_t n = 0;
	size_t i = 0;

	for (; i < text->len && text->data[i] >= '0' && text->data[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(text->data[i] - '0');
		if (n > (INT64_MAX - digit) / 10)
			return fail(E_LIMIT, "a number that is too large");
		n = n * 10 + digit;
	}
	if (i == 0)
		return fail(E_INVALID, "not a number");
	*text = view_of(text->data + i, text->len - i);
	*ret_number = n;
	return 0;
}

static int multiply(uint64_t number, uint64_t unit, uint64_t *ret_product)
{
	if (number > INT64_MAX / unit)
		return fail(E_LIMIT, "a value that is too large");
	*ret_product = number * unit;
	return 0;
}

static const struct unit *find_unit(const struct unit *units, size_t count, struct view name)
{
	for (size_t i = 0; i < count; i++)
		if (view_is(name, units[i].name))
			return &units[i];
	return NULL;
}

int number_parse(struct view text, uint64_t *ret_number)
{
	uint64_t n = 0;
	int rc = take_digits(&text, &n);

	if (!rc && text.len)
		rc = fail(E_INVALID, "not a number");
	if (!rc)
		*ret_number = n;
	return rc;
}

int size_parse(struct view text, uint64_t *ret_bytes)
{
	uint64_t n = 0;
	int rc = take_digits(&text, &n);

	if (rc)
		return rc;
	const struct unit *unit = find_unit(sizes, ARRAY_LEN(sizes), text);
	if (!unit)
		return fail(E_INVALID, "not a size such as 512M or 100G (K, M, G, T)");
	return multiply(n, unit->value, ret_bytes);
}

int duration_parse(struct view text, uint64_t *ret_ms)
{
	uint64_t n = 0;
	int rc = take_digits(&text, &n);

	if (rc)
		return rc;
	const struct unit *unit = find_unit(times, ARRAY_LEN(times), text);
	if (!unit && !(n == 0 && text.len == 0))
		return fail(E_INVALID, "not a time such as 30s or 7d (ms, s, m, h, d, w)");
	return multiply(n, unit ? unit->value : 1, ret_ms);
}

static void exact(const struct unit *units, size_t count, uint64_t value, char *ret_text)
{
	size_t i = 0;

	while (i + 1 < count && (value == 0 || value % units[i].value))
		i++;
	(void)snprintf(ret_text, UNITS_TEXT, "%" PRIu64 "%s", value / units[i].value,
		       value ? units[i].name : "");
}

void size_exact(uint64_t bytes, char *ret_text)
{
	exact(sizes, ARRAY_LEN(sizes), bytes, ret_text);
}

void duration_exact(uint64_t ms, char *ret_text)
{
	exact(times, TIMES_WRITTEN, ms, ret_text);
}

/* One digit after the point while there are fewer than three before it. Rounding down keeps
 * "1023.9 GiB" from becoming "1024.0 GiB". */
void size_text(uint64_t bytes, char *ret_text)
{
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(sizes) && bytes < sizes[i].value)
		i++;
	uint64_t unit = sizes[i].value, whole = bytes / unit;
	uint64_t tenths = unit == 1 ? 0 : bytes % unit * 10 / unit;
	const char *tail = unit == 1 ? "B" : "iB";
	if (tenths && whole < 100)
		(void)snprintf(ret_text, UNITS_TEXT, "%" PRIu64 ".%" PRIu64 " %s%s", whole, tenths,
			       sizes[i].name, tail);
	else
		(void)snprintf(ret_text, UNITS_TEXT, "%" PRIu64 " %s%s", whole, sizes[i].name,
			       tail);
}
