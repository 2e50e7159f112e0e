/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/values.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "age/key.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/units.h"

/* A request has one line of 64 KiB; some room is left for the rest of it. */
enum { KEYS_MAX = 48 * 1024 };

static int set(json_t *into, const char *member, json_t *value)
{
	/* Steals value, NULL included. */
	if (json_object_set_new(into, member, value) < 0)
		return fail(E_INVALID, "not UTF-8");
	return 0;
}

/* The array of that member, made where there is none. */
static json_t *array_of(json_t *into, const char *member)
{
	json_t *array = json_object_get(into, member);

	if (!array && json_object_set_new(into, member, json_array()) == 0)
		array = json_object_get(into, member);
	return array;
}

static int add(json_t *into, const char *member, struct view text)
{
	json_t *value = json_stringn((const char *)text.data, text.len);

	if (json_array_append_new(array_of(into, member), value) < 0)
		return fail(E_INVALID, "not UTF-8");
	return 0;
}

int take_text(json_t *into, const struct param *p, const char *text)
{
	if (!text[0])
		return fail(E_INVALID, "is empty");
	return set(into, p->member, json_string(text));
}

int take_texts(json_t *into, const struct param *p, const char *text)
{
	if (!text[0])
		return fail(E_INVALID, "is empty");
	return add(into, p->member, view_text(text));
}

int take_yes(json_t *into, const struct param *p, const char *text)
{
	(void)text;
	return set(into, p->member, json_true());
}

int take_no(json_t *into, const struct param *p, const char *text)
{
	(void)text;
	return set(into, p->member, json_false());
}

static int set_number(json_t *into, const struct param *p, uint64_t n)
{
	return set(into, p->member, json_integer((json_int_t)n)); /* parsers stop at INT64_MAX */
}

int take_number(json_t *into, const struct param *p, const char *text)
{
	uint64_t n = 0;
	int rc = number_parse(view_text(text), &n);

	return rc ? rc : set_number(into, p, n);
}

int take_size(json_t *into, const struct param *p, const char *text)
{
	uint64_t n = 0;
	int rc = size_parse(view_text(text), &n);

	return rc ? rc : set_number(into, p, n);
}

int take_seconds(json_t *into, const struct param *p, const char *text)
{
	uint64_t ms = 0;
	int rc = duration_parse(view_text(text), &ms);

	if (rc)
		return rc;
	if (ms % 1000)
		return fail(E_INVALID, "not a whole number of seconds");
	return set_number(into, p, ms / 1000);
}

int take_wait(json_t *into, const struct param *p, const char *text)
{
	uint64_t n = 0;

	if (number_parse(view_text(text), &n)) {
		err_clear();
		return take_seconds(into, p, text);
	}
	return set_number(into, p, n);
}

int take_role(json_t *into, const struct param *p, const char *text)
{
	if (strcmp(text, "client") != 0 && strcmp(text, "staff") != 0 &&
	    strcmp(text, "auditor") != 0)
		return fail(E_INVALID, "not one of client, staff, auditor");
	return set(into, p->member, json_string(text));
}

int take_rights(json_t *into, const struct param *p, const char *text)
{
	for (const char *c = text; *c; c++)
		if (!strchr("lrwodma", *c) || strchr(c + 1, *c))
			return fail(E_INVALID, "not letters of lrwodma, each once at most");
	return take_text(into, p, text);
}

static int take_items(json_t *into, const struct param *p, const char *text, const char *empty)
{
	for (const char *end; text; text = end ? end + 1 : NULL) {
		end = strchr(text, ',');
		size_t len = end ? (size_t)(end - text) : strlen(text);
		if (len == 0)
			return fail(E_INVALID, "%s", empty);
		int rc = add(into, p->member, view_of(text, len));
		if (rc)
			return rc;
	}
	return 0;
}

int take_zones(json_t *into, const struct param *p, const char *text)
{
	return take_items(into, p, text, "the name of a zone is empty");
}

int take_list(json_t *into, const struct param *p, const char *text)
{
	return take_items(into, p, text, "an item is empty");
}

int take_place(json_t *into, const struct param *p, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	const char *prefix = colon ? colon + 1 : "";

	(void)p;
	if (len == 0)
		return fail(E_INVALID, "not ZONE or ZONE:PREFIX");
	while (*prefix == '/')
		prefix++;
	size_t prefix_len = strlen(prefix);
	while (prefix_len && prefix[prefix_len - 1] == '/')
		prefix_len--;
	int rc = set(into, "zone", json_stringn(text, len));
	return rc ? rc : set(into, "prefix", json_stringn(prefix, prefix_len));
}

/* Two digits within bounds, behind a separator (0: none). */
static bool take_part(const char **text, char separator, int low, int high, int *ret_part)
{
	const char *t = *text;

	if (separator && *t++ != separator)
		return false;
	if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
		return false;
	int n = (t[0] - '0') * 10 + t[1] - '0';
	if (n < low || n > high)
		return false;
	*ret_part = n;
	*text = t + 2;
	return true;
}

static bool parse_date(const char *t, int64_t *ret_us)
{
	struct tm tm = {0};
	int century = 0, year = 0;

	if (!take_part(&t, 0, 19, 99, &century) || !take_part(&t, 0, 0, 99, &year) ||
	    !take_part(&t, '-', 1, 12, &tm.tm_mon) || !take_part(&t, '-', 1, 31, &tm.tm_mday))
		return false;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon--;
	if (*t == 'T' || *t == ' ') {
		if (!take_part(&t, *t, 0, 23, &tm.tm_hour) ||
		    !take_part(&t, ':', 0, 59, &tm.tm_min))
			return false;
		if (*t == ':' && !take_part(&t, ':', 0, 60, &tm.tm_sec))
			return false;
		if (*t == 'Z')
			t++;
	}
	int month = tm.tm_mon, day = tm.tm_mday;
	time_t seconds = timegm(&tm);
	if (*t || (tm.tm_sec < 60 && (tm.tm_mon != month || tm.tm_mday != day)))
		return false; /* something behind it, or the 31st of a shorter month */
	*ret_us = (int64_t)seconds * 1000000;
	return true;
}

int time_parse(const char *text, int64_t now_us, int64_t *ret_us)
{
	uint64_t ms = 0;

	if (parse_date(text, ret_us))
		return 0;
	if (duration_parse(view_text(text), &ms) || (int64_t)ms > now_us / 1000) {
		err_clear();
		return fail(E_INVALID,
			    "not a time (2026-01-31T23:59Z, 2026-01-31) or how long ago (24h)");
	}
	*ret_us = now_us - (int64_t)ms * 1000;
	return 0;
}

int take_time(json_t *into, const struct param *p, const char *text)
{
	int64_t us = 0;
	int rc = time_parse(text, clock_utc_us(), &us);

	return rc ? rc : set(into, p->member, json_integer(us));
}

int take_recipient(json_t *into, const struct param *p, const char *text)
{
	struct age_recipient r;
	int rc = age_recipient_from_text(view_text(text), &r);

	return rc ? rc : take_text(into, p, text);
}

int take_addresses(json_t *into, const struct param *p, const char *text)
{
	for (const char *t = text; *t;) {
		size_t len = strcspn(t, " ");
		struct address a;
		int rc = address_parse(view_of(t, len), &a);
		if (!rc)
			rc = add(into, p->member, view_of(t, len));
		if (rc)
			return rc;
		t += len + strspn(t + len, " ");
	}
	return text[0] ? 0 : fail(E_INVALID, "is empty");
}

static int read_all(const char *path, struct buf *out)
{
	if (strcmp(path, "-") != 0)
		return sys_read_file(AT_FDCWD, path, KEYS_MAX, out);
	int rc = buf_reserve(out, KEYS_MAX + 1);
	while (!rc && out->len <= KEYS_MAX) {
		ssize_t n = read(STDIN_FILENO, out->data + out->len, KEYS_MAX + 1 - out->len);
		if (n < 0)
			return fail_errno(E_IO, "read standard input");
		if (n == 0)
			return 0;
		out->len += (size_t)n;
	}
	return rc ? rc : fail(E_LIMIT, "standard input has more than %d bytes", KEYS_MAX);
}

static int add_keys(json_t *into, const char *member, struct view all)
{
	size_t count = 0;

	while (all.len) {
		const uint8_t *end = memchr(all.data, '\n', all.len);
		size_t len = end ? (size_t)(end - all.data) : all.len;
		struct view line = view_of(all.data, len);
		all = view_of(all.data + len + (end != NULL), all.len - len - (end != NULL));
		while (line.len &&
		       (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' '))
			line.len--;
		if (line.len == 0 || line.data[0] == '#')
			continue;
		int rc = add(into, member, line);
		if (rc)
			return rc;
		count++;
	}
	return count ? 0 : fail(E_INVALID, "no key is in it");
}

int take_keys(json_t *into, const struct param *p, const char *text)
{
	CLEANUP(buf_wipe) struct buf content = {0}; /* somebody may have named a private key */
	static const char mark[] = "PRIVATE KEY";
	int rc = read_all(text, &content);

	if (rc)
		return rc;
	if (content.len && memmem(content.data, content.len, mark, sizeof mark - 1))
		return fail(E_INVALID,
			    "is a private key: never send it anywhere; name its .pub file");
	return add_keys(into, p->member, view_buf(&content));
}

int take_certificate(json_t *into, const struct param *p, const char *text)
{
	CLEANUP(buf_wipe) struct buf content = {0};
	static const char secret[] = "PRIVATE KEY", mark[] = "BEGIN CERTIFICATE";
	int rc = read_all(text, &content);

	if (rc)
		return rc;
	if (content.len && memmem(content.data, content.len, secret, sizeof secret - 1))
		return fail(E_INVALID, "has a private key in it: name the certificate alone");
	if (!content.len || !memmem(content.data, content.len, mark, sizeof mark - 1))
		return fail(E_INVALID, "no certificate is in it (PEM)");
	return set(into, p->member, json_stringn((const char *)content.data, content.len));
}
