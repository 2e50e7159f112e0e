/* SPDX-License-Identifier: Apache-2.0 */
#include "base/conf.h"

#include <assert.h>
#include <stdlib.h>

#include <ini.h>

#include "base/conf_value.h"
#include "base/mem.h"
#include "base/sys.h"

/* Of one row: its value so far, and the line it began in (0: not in the file). */
struct found {
	struct buf value;
	unsigned line;
};

/* inih tells its handler no line (it can be built to, but is not), passes over sections that
 * have no keys and cuts long lines: so the reader that feeds it counts and judges lines. */
struct parse {
	const struct conf_table *table;
	const char *name;
	struct view rest;
	unsigned line;
	bool indented, wants_value; /* of the line that inih has: its value is still to come */
	struct found *last;         /* what an indented line continues */
	struct found *found;        /* one for each row */
	int rc;                     /* after the first mistake nothing more is read */
};

#define mistake(p, ...)                                \
	do {                                           \
		(p)->rc = fail(E_CONFIG, __VA_ARGS__); \
	} while (0)

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct view trim(struct view v)
{
	while (v.len && is_blank(v.data[0]))
		v = view_of(v.data + 1, v.len - 1);
	while (v.len && is_blank(v.data[v.len - 1]))
		v.len--;
	return v;
}

static bool section_known(const struct conf_table *table, struct view name)
{
	for (size_t i = 0; i < table->count; i++)
		if (view_is(name, table->rows[i].section))
			return true;
	return false;
}

/* "[name]", with nothing but a comment behind it. */
static void judge_section(struct parse *p, struct view line)
{
	const uint8_t *end = memchr(line.data, ']', line.len);

	p->last = NULL;
	if (p->indented || !end) {
		mistake(p, "%s:%u: a section is written [name], from the first column on", p->name,
			p->line);
		return;
	}
	struct view name = view_of(line.data + 1, (size_t)(end - line.data) - 1);
	struct view behind = trim(view_of(end + 1, line.len - name.len - 2));
	if (!section_known(p->table, name))
		mistake(p, "%s:%u: unknown section [%.*s]", p->name, p->line, (int)name.len,
			(const char *)name.data);
	else if (behind.len && behind.data[0] != ';' && behind.data[0] != '#')
		mistake(p, "%s:%u: text behind the section's name", p->name, p->line);
}

static void judge_line(struct parse *p, struct view line)
{
	struct view text = trim(line);

	p->indented = line.len && (line.data[0] == ' ' || line.data[0] == '\t');
	p->wants_value = false;
	if (text.len == 0 || text.data[0] == ';' || text.data[0] == '#')
		return;
	if (text.data[0] == '[') {
		/* What would be a list's next line ("[::1]:22") is in brackets too. */
		if (!(p->indented && p->last)) {
			judge_section(p, text);
			return;
		}
	}
	if (p->indented && !p->last)
		mistake(p,
			"%s:%u: begins with a blank, but there is no list that it could continue",
			p->name, p->line);
	p->wants_value = true;
}

static bool has_control(struct view line)
{
	for (size_t i = 0; i < line.len; i++) {
		bool end = i + 1 == line.len && line.data[i] == '\r';
		if ((line.data[i] < ' ' && line.data[i] != '\t' && !end) || line.data[i] == 0x7f)
			return true;
	}
	return false;
}

/* What the last line should have been, if inih made nothing of it. */
static void judge_silence(struct parse *p)
{
	if (!p->rc && p->wants_value)
		mistake(p, "%s:%u: neither [section] nor KEY = VALUE", p->name, p->line);
	p->wants_value = false;
}

static char *next_line(char *line, int size, void *arg)
{
	struct parse *p = arg;

	judge_silence(p);
	if (p->rc || p->rest.len == 0)
		return NULL;
	const uint8_t *end = memchr(p->rest.data, '\n', p->rest.len);
	size_t len = end ? (size_t)(end - p->rest.data) : p->rest.len;
	struct view text = view_of(p->rest.data, len);

	p->line++;
	if (len > CONF_LINE_MAX || size < 0 || len + 3 > (size_t)size)
		mistake(p, "%s:%u: a line of more than %d bytes", p->name, p->line, CONF_LINE_MAX);
	else if (has_control(text))
		mistake(p, "%s:%u: a control character", p->name, p->line);
	else
		judge_line(p, text);
	if (p->rc)
		return NULL;
	p->rest = view_of(p->rest.data + len, p->rest.len - len);
	if (p->rest.len)
		p->rest = view_of(p->rest.data + 1, p->rest.len - 1);
	if (len)
		memcpy(line, text.data, len);
	line[len] = '\n';
	line[len + 1] = '\0';
	return line;
}

/* inih of some versions leaves " ; comment" in a continued line. */
static size_t without_comment(const char *value)
{
	const char *c = value;

	while ((c = strchr(c, ';')) && c > value && c[-1] != ' ' && c[-1] != '\t')
		c++;
	return c && c > value ? (size_t)(c - value) : strlen(value);
}

static const struct conf_row *find_row(struct parse *p, const char *section, const char *key)
{
	for (size_t i = 0; i < p->table->count; i++) {
		const struct conf_row *row = &p->table->rows[i];
		if (strcmp(row->section, section) == 0 && strcmp(row->key, key) == 0)
			return row;
	}
	if (section[0])
		mistake(p, "%s:%u: unknown key '%s' in section [%s]", p->name, p->line, key,
			section);
	else
		mistake(p, "%s:%u: key '%s' before any section", p->name, p->line, key);
	return NULL;
}

static void first_value(struct parse *p, const char *section, const char *key, const char *value)
{
	const struct conf_row *row = find_row(p, section, key);

	if (!row)
		return;
	struct found *f = &p->found[row - p->table->rows];
	if (f->line) {
		mistake(p, "%s:%u: %s is set a second time (first in line %u)", p->name, p->line,
			key, f->line);
		return;
	}
	f->line = p->line;
	p->last = conf_is_list(row->kind) ? f : NULL;
	p->rc = buf_add_text(&f->value, value);
}

/* The handler of inih: zero would only make it count on. */
static int take_value(void *arg, const char *section, const char *key, const char *value)
{
	struct parse *p = arg;

	p->wants_value = false;
	if (!p->indented) {
		first_value(p, section, key, value);
	} else {
		assert(p->last);
		p->rc = buf_add_text(&p->last->value, " ");
		if (!p->rc)
			p->rc = buf_add(&p->last->value, value, without_comment(value));
	}
	return 1;
}

static int set_fields(struct parse *p, void *target)
{
	for (size_t i = 0; i < p->table->count; i++) {
		const struct conf_row *row = &p->table->rows[i];
		struct found *f = &p->found[i];
		struct view text = f->line ? trim(view_buf(&f->value)) : view_text(row->fallback);
		int rc = conf_set(row, text, target);
		if (rc)
			return fail(rc == E_NOMEM ? E_NOMEM : E_CONFIG, "%s:%u: %s = %.*s", p->name,
				    f->line, row->key, text.len > 64 ? 64 : (int)text.len,
				    (const char *)text.data);
	}
	return 0;
}

static struct view without_mark(struct view content)
{
	bool mark = content.len >= 3 && memcmp(content.data, "\xef\xbb\xbf", 3) == 0;

	return mark ? view_of(content.data + 3, content.len - 3) : content;
}

int conf_parse(struct view content, const char *name, const struct conf_table *table, void *target)
{
	struct parse p = {.table = table, .name = name, .rest = without_mark(content)};

	p.found = mem_new(table->count * sizeof *p.found);
	int got = ini_parse_stream(next_line, &p, take_value, &p);
	judge_silence(&p);
	if (!p.rc && got != 0)
		p.rc = fail(got < 0 ? E_NOMEM : E_CONFIG, "%s: the parser gave up (%d)", name, got);
	if (!p.rc)
		p.rc = set_fields(&p, target);
	if (p.rc)
		conf_done(table, target);
	for (size_t i = 0; i < table->count; i++)
		buf_done(&p.found[i].value);
	free(p.found);
	return p.rc;
}

int conf_load(const char *path, const struct conf_table *table, void *target)
{
	CLEANUP(buf_done) struct buf content = {0};
	int rc = sys_read_file(AT_FDCWD, path, CONF_FILE_MAX, &content);

	if (rc)
		return fail(E_CONFIG, "read the configuration");
	return conf_parse(view_buf(&content), path, table, target);
}
