/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/show.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/units.h"

static int add_escaped(struct buf *out, const char *text)
{
	size_t len = strlen(text), cap = 4 * len + 4;
	int rc = buf_reserve(out, cap);

	if (!rc)
		out->len += log_escape(text, len, (char *)out->data + out->len, cap);
	return rc;
}

int show_text(const json_t *value, struct buf *out)
{
	const char *text = json_string_value(value);

	if (text && text[0])
		return add_escaped(out, text);
	if (json_is_integer(value))
		return buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (json_is_boolean(value))
		return show_yes(value, out);
	return buf_add_text(out, "-");
}

static uint64_t amount(const json_t *value)
{
	json_int_t n = json_integer_value(value);

	return n > 0 ? (uint64_t)n : 0;
}

int show_size(const json_t *value, struct buf *out)
{
	char text[UNITS_TEXT];

	if (!json_is_integer(value))
		return buf_add_text(out, "-");
	size_text(amount(value), text);
	return buf_add_text(out, text);
}

int show_limit(const json_t *value, struct buf *out)
{
	return amount(value) ? show_size(value, out) : buf_add_text(out, "-");
}

int show_seconds(const json_t *value, struct buf *out)
{
	char text[UNITS_TEXT];

	if (!amount(value) || amount(value) > INT64_MAX / 1000)
		return buf_add_text(out, "-");
	duration_exact(amount(value) * 1000, text);
	return buf_add_text(out, text);
}

/* Whole seconds, with a blank for the T: a table has no room for more. */
int show_time(const json_t *value, struct buf *out)
{
	const char *text = json_string_value(value);

	if (!text || strlen(text) < 20 || text[10] != 'T')
		return show_text(value, out);
	CLEANUP(mem_free) char *brief = mem_printf("%.10s %.8sZ", text, text + 11);
	return add_escaped(out, brief);
}

int show_yes(const json_t *value, struct buf *out)
{
	if (!json_is_boolean(value))
		return buf_add_text(out, "-");
	return buf_add_text(out, json_is_true(value) ? "yes" : "no");
}

int show_list(const json_t *value, struct buf *out)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < json_array_size(value); i++) {
		rc = i ? buf_add_text(out, ", ") : 0;
		if (!rc)
			rc = show_text(json_array_get(value, i), out);
	}
	return rc || json_array_size(value) ? rc : buf_add_text(out, "-");
}

static int add_member(const char *name, const json_t *value, struct buf *out)
{
	show_value *show = json_is_object(value)  ? show_members
			   : json_is_array(value) ? show_list
						  : show_text;
	int rc = add_escaped(out, name);

	if (!rc)
		rc = buf_add_text(out, "=");
	return rc ? rc : show(value, out);
}

int show_members(const json_t *value, struct buf *out)
{
	json_t *object = (json_t *)(uintptr_t)value, *member; /* walking changes nothing */
	const char *name, *separator = "";
	int rc = 0;

	json_object_foreach(object, name, member)
	{
		if (!rc)
			rc = buf_add_text(out, separator);
		if (!rc)
			rc = add_member(name, member, out);
		separator = " ";
	}
	return rc;
}

int show_count_of(const json_t *value, struct buf *out)
{
	return buf_printf(out, "%zu", json_array_size(value));
}

static const json_t *member_of(const json_t *object, const char *path)
{
	const char *slash = strchr(path, '/');

	if (!slash)
		return json_object_get(object, path);
	CLEANUP(mem_free) char *outer = mem_text_n(path, (size_t)(slash - path));
	return json_object_get(json_object_get(object, outer), slash + 1);
}

/* Characters, so that columns stand in line for UTF-8. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static size_t count_columns(const struct column *columns)
{
	size_t n = 0;

	while (columns[n].title)
		n++;
	return n;
}

/* The text of one value, to be freed. */
static int make_cell(const struct column *c, const json_t *object, char **ret_text)
{
	CLEANUP(buf_done) struct buf out = {0};
	int rc = c->value(member_of(object, c->member), &out);

	if (!rc)
		*ret_text = mem_text_n(out.data, out.len);
	return rc;
}

static void print_row(const struct column *columns, char *const *cells, const size_t *widths)
{
	for (size_t i = 0; columns[i].title; i++) {
		const char *text = cells ? cells[i] : columns[i].title;
		size_t pad = widths[i] - width_of(text);
		bool last = !columns[i + 1].title;
		printf("%s%*s%s%*s", i ? "  " : "", columns[i].right ? (int)pad : 0, "", text,
		       columns[i].right || last ? 0 : (int)pad, "");
	}
	printf("\n");
}

int show_table(const struct column *columns, const json_t *array)
{
	size_t n = count_columns(columns), rows = json_array_size(array), made = 0;
	CLEANUP(mem_free) char **cells = mem_new((rows * n + 1) * sizeof *cells);
	CLEANUP(mem_free) size_t *widths = mem_new((n + 1) * sizeof *widths);
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		widths[i] = width_of(columns[i].title);
	while (!rc && made < rows * n) {
		rc = make_cell(&columns[made % n], json_array_get(array, made / n), &cells[made]);
		if (rc)
			break;
		size_t width = width_of(cells[made]);
		if (width > widths[made % n])
			widths[made % n] = width;
		made++;
	}
	if (!rc && rows)
		print_row(columns, NULL, widths);
	for (size_t i = 0; !rc && i < rows; i++)
		print_row(columns, cells + i * n, widths);
	for (size_t i = 0; i < made; i++)
		mem_free(&cells[i]);
	return rc;
}

int show_fields(const struct column *columns, const json_t *object)
{
	size_t width = 0;

	for (const struct column *c = columns; c->title; c++)
		width = width_of(c->title) > width ? width_of(c->title) : width;
	for (const struct column *c = columns; c->title; c++) {
		CLEANUP(mem_free) char *text = NULL;
		int rc = make_cell(c, object, &text);
		if (rc)
			return rc;
		printf("%s:%*s %s\n", c->title, (int)(width - width_of(c->title)), "", text);
	}
	return 0;
}

int show_json(const json_t *object)
{
	if (json_dumpf(object, stdout, JSON_COMPACT) < 0)
		return fail(E_IO, "write to standard output");
	printf("\n");
	return 0;
}

int show_end(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail(E_IO, "write to standard output");
	return 0;
}
