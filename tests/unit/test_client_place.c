/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "client/place.h"
#include "client/safe.h"

static void place_of_every_form_is_read(void **state)
{
	static const struct {
		const char *text, *zone, *path, *url;
		bool folder;
	} good[] = {
	    {"acme:", "acme", "", "/files/acme/", true},
	    {"acme:/", "acme", "", "/files/acme/", true},
	    {"acme:incoming", "acme", "incoming", "/files/acme/incoming", false},
	    {"acme:/incoming/", "acme", "incoming", "/files/acme/incoming/", true},
	    {"a.b-c_9:x/y", "a.b-c_9", "x/y", "/files/a.b-c_9/x/y", false},
	    {"a:b:c", "a", "b:c", "/files/a/b%3Ac", false},
	    {"a:x y?#%&\"", "a", "x y?#%&\"", "/files/a/x%20y%3F%23%25%26%22", false},
	    {"a:\xc3\xa4/~._-", "a", "\xc3\xa4/~._-", "/files/a/%C3%A4/~._-", false},
	    {"a:...", "a", "...", "/files/a/...", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CLEANUP(place_done) struct place p = {0};
		assert_ok(place_parse(good[i].text, &p));
		CLEANUP(mem_free) char *url = place_url(&p, p.folder);
		assert_string_equal(p.zone, good[i].zone);
		assert_string_equal(p.path, good[i].path);
		assert_string_equal(url, good[i].url);
		assert_int_equal(p.folder, good[i].folder);
	}
}

static void place_that_leads_elsewhere_is_refused(void **state)
{
	static const char *const bad[] = {
	    "",        "acme",   "/acme/x",      ":x",      "Acme:x",         ".a:x",
	    "a b:x",   "a:..",   "a:../x",       "a:x/..",  "a:x/../y",       "a:.",
	    "a:x/./y", "a://x",  "a:x//y",       "a:x//",   "a:/../x",        "a:\x1b[2J",
	    "a:x\ny",  "a:\xff", "a:\xc0\xae/x", "a:x\x7f", "a:\xed\xa0\x80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct place p = {0};
		if (place_parse(bad[i], &p) != E_USAGE)
			print_error("taken: %s\n", bad[i]);
		assert_fails(place_parse(bad[i], &p), E_USAGE);
		assert_null(p.zone);
	}
}

static void name_that_is_too_long_is_refused(void **state)
{
	char name[300], text[310];

	(void)state;
	memset(name, 'x', sizeof name);
	assert_true(name_valid(view_of(name, 255)));
	assert_false(name_valid(view_of(name, 256)));
	assert_false(name_valid(view_of("a\0b", 3)));
	assert_false(name_valid(view_of("", 0)));
	(void)snprintf(text, sizeof text, "a:%.256s", name);
	struct place p = {0};
	assert_fails(place_parse(text, &p), E_USAGE);
}

static void place_has_parent_and_name(void **state)
{
	CLEANUP(place_done) struct place p = {0}, parent = {0}, zone = {0}, none = {0};

	(void)state;
	assert_ok(place_parse("acme:a/b", &p));
	assert_string_equal(place_name(&p), "b");
	assert_true(place_parent(&p, &parent));
	assert_string_equal(parent.path, "a");
	assert_true(place_parent(&parent, &zone));
	assert_string_equal(zone.path, "");
	assert_false(place_parent(&zone, &none));
	assert_string_equal(place_name(&zone), "acme");
}

static void word_is_meant_as_a_place_only_with_a_zone(void **state)
{
	(void)state;
	assert_true(place_is_meant("acme:x"));
	assert_true(place_is_meant("acme:"));
	assert_false(place_is_meant("./acme:x"));
	assert_false(place_is_meant("acme"));
	assert_false(place_is_meant("C\\x:"));
	assert_false(place_is_meant(":x"));
}

static void text_for_a_terminal_has_no_teeth(void **state)
{
	static const struct {
		const char *raw, *safe;
	} rows[] = {
	    {"plain", "plain"},
	    {"\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac"},
	    {"a\x1b[2Jb", "a\\x1b[2Jb"},
	    {"\r\n\t\x7f", "\\x0d\\x0a\\x09\\x7f"},
	    {"\xc2\x9b"
	     "31m",
	     "\\u{9b}31m"}, /* C1 CSI */
	    {"x\xe2\x80\xae"
	     "fdp.exe",
	     "x\\u{202e}fdp.exe"}, /* right-to-left override */
	    {"\xe2\x81\xa6", "\\u{2066}"},
	    {"\xff\xfe", "\\xff\\xfe"},
	    {"a\xc3", "a\\xc3"},
	    {"\xe2\x82", "\\xe2\\x82"},
	    {"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		EXACT raw = kit_exact(rows[i].raw, strlen(rows[i].raw));
		CLEANUP(mem_free) char *safe = safe_view(raw);
		assert_string_equal(safe, rows[i].safe);
	}
}

/* All bytes, in all pairs: what comes out is printable UTF-8. */
static void text_of_any_bytes_is_made_safe(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++) {
			const uint8_t raw[2] = {(uint8_t)a, (uint8_t)b};
			CLEANUP(mem_free) char *safe = safe_view(view_of(raw, sizeof raw));
			for (const char *c = safe; *c; c++)
				assert_false((unsigned char)*c < 0x20 || *c == 0x7f);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(place_of_every_form_is_read),
	    cmocka_unit_test(place_that_leads_elsewhere_is_refused),
	    cmocka_unit_test(name_that_is_too_long_is_refused),
	    cmocka_unit_test(place_has_parent_and_name),
	    cmocka_unit_test(word_is_meant_as_a_place_only_with_a_zone),
	    cmocka_unit_test(text_for_a_terminal_has_no_teeth),
	    cmocka_unit_test(text_of_any_bytes_is_made_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
