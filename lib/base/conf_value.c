/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf_value.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/units.h"

/* The next run of bytes without blanks (and commas, if they separate too). */
static bool next_word(struct view *rest, const char *separators, struct view *ret_word)
{
	size_t i = 0;

	if (rest->len == 0)
		return false;
	while (i < rest->len && strchr(separators, rest->data[i]))
		i++;
	size_t start = i;
	while (i < rest->len && !strchr(separators, rest->data[i]))
		i++;
	*ret_word = view_of(rest->data + start, i - start);
	*rest = view_of(rest->data + i, rest->len - i);
	return ret_word->len > 0;
}

static const char blanks[] = " \t";
static const char blanks_commas[] = " \t,";

static size_t count_words(struct view text)
{
	struct view word;
	size_t n = 0;

	while (next_word(&text, blanks, &word))
		n++;
	return n;
}

static int set_text(const struct conf_row *row, struct view text, void *field)
{
	(void)row;
	*(char **)field = mem_text_n(text.data, text.len);
	return 0;
}

/* A slash at the end says nothing; without it paths can be compared and continued. */
static int take_path(struct view text, char **ret_path)
{
	if (text.len == 0 || text.data[0] != '/')
		return fail(E_INVALID, "not a path that begins with /");
	while (text.len > 1 && text.data[text.len - 1] == '/')
		text.len--;
	*ret_path = mem_text_n(text.data, text.len);
	return 0;
}

static int set_path(const struct conf_row *row, struct view text, void *field)
{
	if (text.len == 0 && row->fallback[0] == '\0')
		return set_text(row, text, field);
	return take_path(text, field);
}

static void done_text(void *field)
{
	mem_free(field);
}

static bool same_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b) == 0;
}

static void done_words(void *field)
{
	struct conf_words *w = field;

	for (size_t i = 0; i < w->count; i++)
		free(w->at[i]);
	free(w->at);
	*w = (struct conf_words){0};
}

static int set_paths(const struct conf_row *row, struct view text, void *field)
{
	struct conf_words w = {mem_new((count_words(text) + 1) * sizeof(char *)), 0};
	struct view word;
	int rc = 0;

	(void)row;
	while (!rc && next_word(&text, blanks, &word)) {
		rc = take_path(word, &w.at[w.count]);
		w.count += rc == 0;
	}
	if (rc)
		done_words(&w);
	else
		*(struct conf_words *)field = w;
	return rc;
}

static bool same_words(const void *a, const void *b)
{
	const struct conf_words *x = a, *y = b;

	if (x->count != y->count)
		return false;
	for (size_t i = 0; i < x->count; i++)
		if (strcmp(x->at[i], y->at[i]) != 0)
			return false;
	return true;
}

/* Names of algorithms: what else is printable would surprise a library that splits them. */
static bool is_name(struct view word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] < '!' || word.data[i] > '~')
			return false;
	return true;
}

static int set_list(const struct conf_row *row, struct view text, void *field)
{
	CLEANUP(buf_done) struct buf joined = {0};
	struct view word;
	int rc = 0;

	while (!rc && next_word(&text, blanks_commas, &word)) {
		if (!is_name(word))
			return fail(E_INVALID, "not a list of names");
		rc = joined.len ? buf_add_text(&joined, ",") : 0;
		if (!rc)
			rc = buf_add(&joined, word.data, word.len);
	}
	return rc ? rc : set_text(row, view_buf(&joined), field);
}

static int set_bool(const struct conf_row *row, struct view text, void *field)
{
	(void)row;
	if (!view_is(text, "on") && !view_is(text, "off"))
		return fail(E_INVALID, "neither on nor off");
	*(bool *)field = view_is(text, "on");
	return 0;
}

static bool same_bool(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

/* The bounds in the units that the value is written in. */
static int out_of_bounds(const struct conf_row *row)
{
	char low[UNITS_TEXT], high[UNITS_TEXT];
	void (*print)(uint64_t, char *) = row->kind == CONF_DURATION ? duration_exact : size_exact;

	if (row->kind == CONF_NUMBER)
		return fail(E_INVALID, "not within %llu and %llu", (unsigned long long)row->min,
			    (unsigned long long)row->max);
	print(row->min, low);
	print(row->max, high);
	return fail(E_INVALID, "not within %s and %s", low, high);
}

static int set_number(const struct conf_row *row, struct view text, void *field)
{
	uint64_t n = 0;
	int rc = row->words && view_is(text, row->words[0]) ? 0 : number_parse(text, &n);

	if (rc)
		return rc;
	assert(row->max <= UINT32_MAX);
	if ((row->max && (n < row->min || n > row->max)) || n > UINT32_MAX)
		return out_of_bounds(row);
	*(uint32_t *)field = (uint32_t)n;
	return 0;
}

static bool same_number(const void *a, const void *b)
{
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static int set_amount(const struct conf_row *row, struct view text, void *field)
{
	uint64_t n = 0;
	int rc = row->kind == CONF_SIZE ? size_parse(text, &n) : duration_parse(text, &n);

	if (rc)
		return rc;
	if (row->max && (n < row->min || n > row->max))
		return out_of_bounds(row);
	*(uint64_t *)field = n;
	return 0;
}

static bool same_amount(const void *a, const void *b)
{
	return *(const uint64_t *)a == *(const uint64_t *)b;
}

static void done_addresses(void *field)
{
	struct conf_addresses *l = field;

	free(l->at);
	*l = (struct conf_addresses){0};
}

static int set_addresses(const struct conf_row *row, struct view text, void *field)
{
	struct conf_addresses l = {mem_new((count_words(text) + 1) * sizeof *l.at), 0};
	struct view word;
	int rc = 0;

	(void)row;
	while (!rc && next_word(&text, blanks, &word)) {
		rc = address_parse(word, &l.at[l.count]);
		l.count += rc == 0;
	}
	if (rc)
		done_addresses(&l);
	else
		*(struct conf_addresses *)field = l;
	return rc;
}

/* address_parse() fills unused bytes with zeroes, so that memory can be compared. */
static bool same_addresses(const void *a, const void *b)
{
	const struct conf_addresses *x = a, *y = b;

	return x->count == y->count &&
	       (x->count == 0 || memcmp(x->at, y->at, x->count * sizeof *x->at) == 0);
}

static int set_choice(const struct conf_row *row, struct view text, void *field)
{
	CLEANUP(buf_done) struct buf words = {0};
	const char *all = "";
	int rc = 0;

	for (int i = 0; row->words[i]; i++) {
		if (view_is(text, row->words[i])) {
			*(int *)field = i;
			return 0;
		}
		if (!rc)
			rc = buf_printf(&words, "%s%s", i ? ", " : "", row->words[i]);
	}
	if (!rc)
		rc = buf_text(&words, &all);
	return rc ? rc : fail(E_INVALID, "not one of %s", all);
}

static bool same_choice(const void *a, const void *b)
{
	return *(const int *)a == *(const int *)b;
}

static const struct kind {
	int (*set)(const struct conf_row *row, struct view text, void *field);
	bool (*same)(const void *a, const void *b);
	void (*done)(void *field); /* NULL: owns nothing */
	bool list;
} kinds[] = {
    [CONF_TEXT] = {set_text, same_text, done_text, false},
    [CONF_PATH] = {set_path, same_text, done_text, false},
    [CONF_PATHS] = {set_paths, same_words, done_words, true},
    [CONF_LIST] = {set_list, same_text, done_text, true},
    [CONF_BOOL] = {set_bool, same_bool, NULL, false},
    [CONF_NUMBER] = {set_number, same_number, NULL, false},
    [CONF_SIZE] = {set_amount, same_amount, NULL, false},
    [CONF_DURATION] = {set_amount, same_amount, NULL, false},
    [CONF_ADDRESSES] = {set_addresses, same_addresses, done_addresses, true},
    [CONF_CHOICE] = {set_choice, same_choice, NULL, false},
};

static void *field_of(const struct conf_row *row, void *target)
{
	return (char *)target + row->offset;
}

int conf_set(const struct conf_row *row, struct view text, void *target)
{
	return kinds[row->kind].set(row, text, field_of(row, target));
}

bool conf_is_list(enum conf_kind kind)
{
	return kinds[kind].list;
}

bool conf_same(const struct conf_row *row, const void *a, const void *b)
{
	return kinds[row->kind].same((const char *)a + row->offset, (const char *)b + row->offset);
}

void conf_done(const struct conf_table *table, void *target)
{
	for (size_t i = 0; i < table->count; i++)
		if (kinds[table->rows[i].kind].done)
			kinds[table->rows[i].kind].done(field_of(&table->rows[i], target));
}
