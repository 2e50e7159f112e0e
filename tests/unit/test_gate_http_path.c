/* SPDX-License-Identifier: Apache-2.0 */
#include "base_kit.h"

#include "base/err.h"
#include "daemon/gate/http_path.h"

/* The text, to be freed; NULL where it is refused. */
static char *from_url(const char *url, size_t len, bool *folder)
{
	struct view v = kit_exact(url, len);
	CLEANUP(buf_done) struct buf out = {0};
	const char *text = NULL;
	int rc = path_from_url(v, &out, folder);

	kit_exact_done(&v);
	if (rc)
		assert_int_equal(rc, E_INVALID);
	else
		assert_ok(buf_text(&out, &text));
	err_clear();
	return text ? mem_text(text) : NULL;
}

static void url_becomes_a_path(void **state)
{
	static const struct {
		const char *url, *path;
		bool folder;
	} cases[] = {
	    {"", "/", true},
	    {"acme", "/acme", false},
	    {"acme/", "/acme", true},
	    {"acme/incoming/a%20b", "/acme/incoming/a b", false},
	    {"acme/%C3%A4/", "/acme/\xc3\xa4", true},
	    {"acme/%c3%a4", "/acme/\xc3\xa4", false},
	    {"acme/a+b", "/acme/a+b", false}, /* a plus is a plus */
	    {"acme/...", "/acme/...", false},
	    {"acme/.hidden", "/acme/.hidden", false},
	    {"acme/a%2525", "/acme/a%25", false}, /* decoded once */
	    {"acme/a%252F", "/acme/a%2F", false},
	    {"acme/%3Fx", "/acme/?x", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool folder = !cases[i].folder;
		char *path = from_url(cases[i].url, strlen(cases[i].url), &folder);
		assert_non_null(path);
		assert_string_equal(path, cases[i].path);
		assert_true(folder == cases[i].folder);
		free(path);
	}
}

static void url_that_means_another_place_is_refused(void **state)
{
	static const char *const bad[] = {"/",
					  "//",
					  "/acme",
					  "acme//",
					  "acme//x",
					  "acme/./x",
					  "acme/../x",
					  "..",
					  ".",
					  "../",
					  "./",
					  "acme/..",
					  "acme/../",
					  "acme/%2e",
					  "acme/%2e%2e",
					  "acme/.%2e/",
					  "acme/%2E./x",
					  "acme/a%2fb",
					  "acme/a%2Fb",
					  "%2F",
					  "acme/a%00b",
					  "acme/%00",
					  "acme/%",
					  "acme/%2",
					  "acme/%2g",
					  "acme/%g0",
					  "acme/%%20",
					  "acme/% 20",
					  "acme/%+2",
					  "acme/%-1",
					  "acme/%ff",
					  "acme/%c3",
					  "acme/%c0%af",
					  "acme/%c3/%a4",
					  "acme/%ed%a0%80",
					  "acme/\xff",
					  "acme/%f5%80%80%80"};
	bool folder;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *path = from_url(bad[i], strlen(bad[i]), &folder);
		if (path)
			print_error("%s is taken for %s\n", bad[i], path);
		assert_null(path);
	}
	assert_null(from_url("acme/a\0b", 8, &folder));
}

/* A percent sign at the very end of its memory. */
static void every_beginning_of_a_url_is_read_within_it(void **state)
{
	static const char url[] = "acme/%C3%A4%20/%E2%82%AC";
	bool folder;

	(void)state;
	for (size_t len = 0; len < sizeof url; len++)
		free(from_url(url, len, &folder));
}

static int reference(const char *text, const char *host, char **ret_rest)
{
	struct view v = kit_exact(text, strlen(text)), rest = {0};
	int rc = path_from_reference(v, view_text(host), &rest);

	*ret_rest = rc ? NULL : mem_text_n(rest.data, rest.len);
	kit_exact_done(&v);
	return rc;
}

static void destination_is_a_path_or_a_url_of_this_host(void **state)
{
	static const struct {
		const char *text, *rest;
	} cases[] = {{"/files/acme/x", "acme/x"},
		     {"https://h:8443/files/acme/x", "acme/x"},
		     {"HTTPS://H:8443/files/acme/x%20y/", "acme/x%20y/"}};
	char *rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(reference(cases[i].text, "h:8443", &rest));
		assert_string_equal(rest, cases[i].rest);
		free(rest);
	}
}

static void destination_elsewhere_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "/",
					  "acme/x",
					  "/files",
					  "/files/",
					  "/uploads/x",
					  "/Files/acme/x",
					  "//h:8443/files/acme/x",
					  "http://h:8443/files/acme/x",
					  "https://h/files/acme/x",
					  "https://h:8443",
					  "https://h:8443/",
					  "https://h:8443/uploads/x",
					  "https://h:8443@evil/files/acme/x",
					  "https://u@h:8443/files/acme/x",
					  "https://h:84430/files/acme/x",
					  "https:///files/acme/x",
					  "/files/acme/x?mkdir",
					  "/files/acme/x#y"};
	char *rest;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(reference(bad[i], "h:8443", &rest), E_INVALID);
}

static void path_comes_back_as_it_went(void **state)
{
	CLEANUP(buf_done) struct buf url = {0}, back = {0};
	uint8_t name[300] = "/acme/";
	size_t len = 6;
	bool folder;

	(void)state;
	for (unsigned c = 1; c < 128; c++)
		if (c != '/')
			name[len++] = (uint8_t)c;
	memcpy(name + len, "\xc3\xa4\xe2\x82\xac", 5);
	len += 5;
	assert_ok(path_to_url(view_of(name, len), &url));
	for (size_t i = 0; i < url.len; i++)
		assert_true(url.data[i] > ' ' && url.data[i] < 0x7f &&
			    !strchr("\"<>?#\\^`{|}&+", url.data[i]));
	assert_memory_equal(url.data, "/files/", 7);
	assert_ok(path_from_url(view_of(url.data + 7, url.len - 7), &back, &folder));
	assert_true(view_equal(view_buf(&back), view_of(name, len)) && !folder);
}

static void disposition_names_the_file_in_both_ways(void **state)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
	    {"/acme/plan.pdf", "attachment; filename=\"plan.pdf\"; filename*=UTF-8''plan.pdf"},
	    {"/acme/a b", "attachment; filename=\"a b\"; filename*=UTF-8''a%20b"},
	    {"/acme/\xe2\x82\xac.txt",
	     "attachment; filename=\"___.txt\"; filename*=UTF-8''%E2%82%AC.txt"},
	    {"/acme/a\"b\\c%d", "attachment; filename=\"a_b_c_d\"; "
				"filename*=UTF-8''a%22b%5Cc%25d"},
	    {"/acme/a\r\nSet-Cookie: x", "attachment; filename=\"a__Set-Cookie: x\"; "
					 "filename*=UTF-8''a%0D%0ASet-Cookie%3A%20x"},
	    {"/acme/a;b=c'd", "attachment; filename=\"a;b=c'd\"; filename*=UTF-8''a%3Bb%3Dc%27d"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		const char *text = NULL;
		assert_ok(disposition_write(view_text(cases[i].path), &out));
		assert_ok(buf_text(&out, &text));
		assert_string_equal(text, cases[i].text);
	}
}

/* Nothing that a browser would run. */
static void media_type_goes_by_the_ending(void **state)
{
	static const char *const binary[] = {"/acme/x",       "/acme/pdf",   "/acme/x.html",
					     "/acme/x.svg",   "/acme/x.js",  "/acme/x.pdf.exe",
					     "/acme/x.xhtml", "/acme/x.htm", ""};

	(void)state;
	assert_string_equal(media_type_of(view_text("/acme/x.pdf")), "application/pdf");
	assert_string_equal(media_type_of(view_text("/acme/X.PDF")), "application/pdf");
	assert_string_equal(media_type_of(view_text("/acme/x.tar.gz")), "application/gzip");
	for (size_t i = 0; i < ARRAY_LEN(binary); i++)
		assert_string_equal(media_type_of(view_text(binary[i])),
				    "application/octet-stream");
}

static void query_is_looked_through(void **state)
{
	static const struct {
		const char *query, *value; /* NULL: not there */
	} cases[] = {{"", NULL},
		     {"path=/acme/x", "/acme/x"},
		     {"path=%2Facme%2Fx", "/acme/x"},
		     {"a=b&path=x", "x"},
		     {"path", ""},
		     {"path=", ""},
		     {"path&x", ""},
		     {"xpath=1", NULL},
		     {"pathx=1", NULL},
		     {"PATH=1", NULL},
		     {"x=path", NULL},
		     {"&&path=1&", "1"},
		     {"path=a=b", "a=b"},
		     {"path=a+b", "a+b"}};
	static const char *const bad[] = {"path=%", "path=%2", "path=%zz", "a=b&path=x%0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		struct view v = kit_exact(cases[i].query, strlen(cases[i].query));
		bool there = !cases[i].value;
		assert_ok(query_find(v, "path", &out, &there));
		assert_true(there == (cases[i].value != NULL));
		if (cases[i].value)
			assert_true(view_is(view_buf(&out), cases[i].value));
		kit_exact_done(&v);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(buf_done) struct buf out = {0};
		struct view v = kit_exact(bad[i], strlen(bad[i]));
		bool there;
		assert_fails(query_find(v, "path", &out, &there), E_INVALID);
		kit_exact_done(&v);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(url_becomes_a_path),
	    cmocka_unit_test(url_that_means_another_place_is_refused),
	    cmocka_unit_test(every_beginning_of_a_url_is_read_within_it),
	    cmocka_unit_test(destination_is_a_path_or_a_url_of_this_host),
	    cmocka_unit_test(destination_elsewhere_is_refused),
	    cmocka_unit_test(path_comes_back_as_it_went),
	    cmocka_unit_test(disposition_names_the_file_in_both_ways),
	    cmocka_unit_test(media_type_goes_by_the_ending),
	    cmocka_unit_test(query_is_looked_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
