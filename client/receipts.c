/* SPDX-License-Identifier: Apache-2.0 */
#include "client/receipts.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"
#include "client/dirs.h"
#include "client/upload.h"

static int compare(const struct receipt_facts *f, const struct receipt_want *want, const char *user)
{
	if (strcmp(f->path, want->path) != 0)
		return fail(E_INTEGRITY, "the receipt is about another path");
	if (f->size != want->size || memcmp(f->hash, want->hash, SHA256_SIZE) != 0)
		return fail(E_INTEGRITY, "the receipt is about another content");
	if (strcmp(f->user, user) != 0)
		return fail(E_INTEGRITY, "the receipt is about another user's upload");
	return 0;
}

/* Records of two logs may have the same number: the log is in the name too. */
char *receipt_name(const char *origin, uint64_t record)
{
	uint8_t digest[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	sha256_of(view_text(origin), digest);
	hex_encode(digest, sizeof digest, hex);
	return mem_printf("%llu-%.8s.tlog-proof", (unsigned long long)record, hex);
}

static int store(const struct session *s, const struct receipt_facts *f, struct view text,
		 char **ret_file)
{
	CLEANUP(mem_free) char *below = mem_printf("%s/receipts", s->profile->name);
	CLEANUP(mem_free) char *name = receipt_name(f->origin, f->record);
	CLEANUP(mem_free) char *folder = NULL;
	CLEANUP(sys_close) int dir = -1;
	int rc = dirs_path(DIRS_DATA, below, &folder);

	if (!rc)
		rc = dirs_open(DIRS_DATA, below, &dir);
	if (!rc)
		rc = sys_replace_file(dir, name, 0600, text);
	if (rc)
		return fail(rc, "store the receipt");
	*ret_file = mem_printf("%s/%s", folder, name);
	return 0;
}

int receipts_fetch(struct session *s, const char *receipt, const struct receipt_want *want,
		   struct upload *ret_upload)
{
	const struct http_request q = {.method = "GET", .path = receipt};
	CLEANUP(receipt_facts_done) struct receipt_facts f = {0};
	CLEANUP(answer_done) struct answer a = {0};
	int rc = session_ask(s, &q, "the receipt", &a);

	if (!rc)
		rc = receipt_open(view_buf(&a.body), s->profile->log_origin, s->profile->log_key,
				  &f);
	if (!rc)
		rc = compare(&f, want, s->profile->user);
	if (!rc)
		rc = store(s, &f, view_buf(&a.body), &ret_upload->receipt);
	if (!rc)
		ret_upload->tree = (struct receipt_tree){f.tree_size, f.tree_root};
	return rc ? fail(rc, "it was sent, but its receipt cannot be had") : 0;
}
