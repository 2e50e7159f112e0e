/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_path: arbitrary bytes as a path, as letters of rights and as names, judged against a
 * few grants. libFuzzer and AFL++ entry; replay.c replays.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/text.h"
#include "daemon/keep/access.h"
#include "daemon/keep/catalog.h"
#include "wire/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct grant grants[] = {{1, (char *)"incoming", RIGHT_WRITE},
				{0, (char *)"deliverables/a", RIGHT_LIST},
				{1, (char *)"a/b/c", RIGHT_READ},
				{2, (char *)"", RIGHT_AUDIT}};

/* Put together again it is the text that it came from. */
static void check_parts(const struct path *p, struct view text)
{
	const uint8_t *at = text.data + 1;

	assert(p->depth <= PATH_DEPTH_MAX);
	assert(p->zone.len || (p->depth == 0 && text.len == 1));
	for (unsigned i = 0; p->zone.len && i <= p->depth; i++) {
		struct view name = i ? p->name[i - 1] : p->zone;
		assert(name.len >= 1 && name.len <= NAME_BYTES_MAX);
		assert(name.data == at && !memchr(name.data, '/', name.len));
		assert(utf8_valid(name) && !utf8_has_control(name));
		assert(!view_is(name, ".") && !view_is(name, ".."));
		at += name.len + 1;
		assert(i == p->depth || at[-1] == '/');
	}
	assert(!p->zone.len || at == text.data + text.len + 1);
}

/* Rights only grow on the way down, and what leads somewhere does so from the zone on. */
static void check_rights(const struct path *p)
{
	const struct access a = {grants, ARRAY_LEN(grants)};

	for (uint64_t zone = 1; zone <= 3; zone++) {
		unsigned before = 0;
		bool led = true;
		for (unsigned depth = 0; depth <= p->depth; depth++) {
			unsigned rights = access_rights(&a, zone, p, depth);
			bool leads = access_leads(&a, zone, p, depth);
			assert((rights & before) == before);
			assert(led || !leads);
			before = rights;
			led = leads;
		}
	}
}

static void check_letters(const uint8_t *data, size_t len)
{
	CLEANUP(mem_free) char *text = mem_text_n(data, len);
	uint8_t rights = 0, again = 0;
	char letters[8];

	if (rights_parse(text, &rights))
		return;
	assert(rights != 0 && rights < 128);
	rights_text(rights, letters);
	int rc = rights_parse(letters, &again);
	assert(rc == 0 && again == rights);
	assert(strlen(letters) == strlen(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct view text = view_of(data, len);
	struct path p;
	int rc = path_parse(text, &p);

	assert(rc == 0 || rc == E_INVALID);
	if (rc == 0) {
		check_parts(&p, text);
		check_rights(&p);
	}
	check_letters(data, len);
	assert(!account_name_valid(text) || (len && len <= ACCOUNT_MAX && utf8_valid(text)));
	err_clear();
	return 0;
}
