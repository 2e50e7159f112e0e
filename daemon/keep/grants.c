/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/keep/grants.h"

#include <assert.h>

#include "base/mem.h"
#include "daemon/keep/access.h"

static const char purpose[] = "dropkeep grant prefix v1";

enum { PREFIX_MAX = 960 }; /* what grant_row holds, less the slash and what sealing adds */

/* The principal's number, big-endian, as associated data. */
struct about {
	uint8_t bytes[8];
};

static struct about about(uint64_t principal)
{
	struct about b;

	for (int i = 0; i < 8; i++)
		b.bytes[i] = (uint8_t)(principal >> (56 - 8 * i));
	return b;
}

int grant_normal_prefix(const char *prefix, struct buf *out)
{
	CLEANUP(buf_done) struct buf whole = {0};
	struct view v = view_text(prefix);
	struct path path;

	while (v.len && v.data[0] == '/')
		v = view_of(v.data + 1, v.len - 1);
	while (v.len && v.data[v.len - 1] == '/')
		v.len--;
	if (v.len > PREFIX_MAX)
		return fail(E_INVALID, "a prefix of more than %d bytes", PREFIX_MAX);
	int rc = buf_add_text(&whole, v.len ? "/zone/" : "/zone");
	if (!rc)
		rc = buf_add(&whole, v.data, v.len);
	if (!rc)
		rc = path_parse(view_buf(&whole), &path);
	return rc ? rc : buf_add(out, v.data, v.len);
}

static int seal(const struct keys *k, const struct zone_keys *z, uint64_t principal,
		struct view text, struct buf *out)
{
	struct about b = about(principal);

	if (z)
		return zone_keys_seal_name(z, 0, text, out);
	return keys_seal(k, NULL, purpose, view_of(b.bytes, sizeof b.bytes), text, out);
}

int grant_seal_prefix(const struct keys *k, const struct zone_keys *z, struct view prefix,
		      struct grant_row *row)
{
	CLEANUP(buf_done) struct buf text = {0}, sealed = {0};
	int rc = buf_add_text(&text, "/");

	assert(!z == (row->zone == 0));
	if (!rc)
		rc = buf_add(&text, prefix.data, prefix.len);
	if (!rc)
		rc = seal(k, z, row->principal, view_buf(&text), &sealed);
	if (rc)
		return rc;
	if (sealed.len > sizeof row->sealed_prefix)
		return fail(E_INVALID, "a prefix that is too long");
	memcpy(row->sealed_prefix, sealed.data, sealed.len);
	row->sealed_len = sealed.len;
	return 0;
}

static int open_for_all(const struct keys *k, const struct grant_row *row, struct buf *out)
{
	CLEANUP(secret_free) struct secret *plain = NULL;
	struct about b = about(row->principal);
	int rc = keys_open(k, NULL, purpose, view_of(b.bytes, sizeof b.bytes),
			   view_of(row->sealed_prefix, row->sealed_len), &plain);

	if (rc)
		return rc;
	struct view v = secret_view(plain);
	return buf_add(out, v.data, v.len);
}

int grant_open_prefix(const struct keys *k, const struct zone_keys *z, const struct grant_row *row,
		      struct buf *out)
{
	CLEANUP(buf_done) struct buf text = {0};
	int rc;

	assert(!z == (row->zone == 0));
	if (z)
		rc = zone_keys_open_name(z, 0, view_of(row->sealed_prefix, row->sealed_len), &text);
	else
		rc = open_for_all(k, row, &text);
	if (rc)
		return rc;
	if (text.len == 0 || text.data[0] != '/')
		return fail(E_INTEGRITY, "a grant's prefix is malformed");
	return buf_add(out, text.data + 1, text.len - 1);
}
