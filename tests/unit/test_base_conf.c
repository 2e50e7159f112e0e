/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "base/conf.h"

struct all {
	char *text, *path, *list;
	struct conf_words paths;
	bool flag;
	uint32_t number, automatic;
	uint64_t size, duration;
	struct conf_addresses listen;
	int choice;
};

static const char *const colours[] = {"red", "green", NULL};
static const char *const automatic[] = {"auto", NULL};

#define ROW(s, k, kind_, field, text)                                                       \
	.section = (s), .key = (k), .kind = (kind_), .offset = offsetof(struct all, field), \
	.fallback = (text)
static const struct conf_row rows[] = {
    {ROW("one", "text", CONF_TEXT, text, "default text")},
    {ROW("one", "path", CONF_PATH, path, "/default")},
    {ROW("one", "list", CONF_LIST, list, "")},
    {ROW("one", "paths", CONF_PATHS, paths, "")},
    {ROW("one", "flag", CONF_BOOL, flag, "on")},
    {ROW("two", "number", CONF_NUMBER, number, "5"), .min = 1, .max = 100},
    {ROW("two", "automatic", CONF_NUMBER, automatic, "auto"), .words = automatic},
    {ROW("two", "size", CONF_SIZE, size, "1M"), .min = 1024, .max = 1ull << 40},
    {ROW("two", "duration", CONF_DURATION, duration, "1m"), .min = 1000, .max = 3600000},
    {ROW("two", "listen", CONF_ADDRESSES, listen, "127.0.0.1:22")},
    {ROW("two", "choice", CONF_CHOICE, choice, "red"), .words = colours},
};
static const struct conf_table table = {rows, ARRAY_LEN(rows), sizeof(struct all)};

static int parse_bytes(const void *content, size_t len, struct all *ret)
{
	EXACT v = kit_exact(content, len);

	return conf_parse(v, "my.conf", &table, ret);
}

static int parse(const char *content, struct all *ret)
{
	return parse_bytes(content, strlen(content), ret);
}

/* A mistake in the configuration, with this sentence, and nothing left in the struct. */
static void assert_mistake(const char *content, const char *sentence)
{
	struct all a = {0}, zero = {0};

	assert_says(parse(content, &a), E_CONFIG, sentence);
	/* numbers may be set already, what is owned may not */
	assert_ptr_equal(a.text, zero.text);
	assert_ptr_equal(a.path, zero.path);
	assert_ptr_equal(a.list, zero.list);
	assert_ptr_equal(a.paths.at, zero.paths.at);
	assert_ptr_equal(a.listen.at, zero.listen.at);
}

static void parse_of_nothing_gives_the_defaults(void **state)
{
	static const char *const nothing[] = {"",
					      "\n",
					      "# comment",
					      "; comment\n",
					      "[one]\n[two]\n[one]",
					      "\r\n\r\n",
					      "\xef\xbb\xbf# with a byte order mark\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(nothing); i++) {
		struct all a = {0};
		assert_ok(parse(nothing[i], &a));
		assert_string_equal(a.text, "default text");
		assert_string_equal(a.path, "/default");
		assert_string_equal(a.list, "");
		assert_int_equal(a.paths.count, 0);
		assert_true(a.flag);
		assert_int_equal(a.number, 5);
		assert_int_equal(a.automatic, 0);
		assert_int_equal(a.size, 1 << 20);
		assert_int_equal(a.duration, 60000);
		assert_int_equal(a.listen.count, 1);
		assert_int_equal(a.choice, 0);
		conf_done(&table, &a);
		assert_null(a.text);
		assert_null(a.listen.at);
	}
}

static const char everything[] = "[one]\n"
				 "text = some text ; a comment\n"
				 "path=/a/b/\n"
				 "  # a comment that is indented\n"
				 "list = x25519, p256  p384,,p521\n"
				 "  more ; comment\n"
				 "\tlast\n"
				 "paths = /k1 /k2\n"
				 "\n"
				 "  /k3/\n"
				 "flag = off\r\n"
				 "[two] # comment\n"
				 "number=100\n"
				 "automatic = 7\n"
				 "size = 64K\n"
				 "duration: 30s\n"
				 "listen = 127.0.0.1:1 [::1]:2\n"
				 "  [::]:3\n"
				 "choice = green";

static void assert_everything(const struct all *a)
{
	assert_string_equal(a->text, "some text");
	assert_string_equal(a->path, "/a/b");
	assert_string_equal(a->list, "x25519,p256,p384,p521,more,last");
	assert_int_equal(a->paths.count, 3);
	assert_string_equal(a->paths.at[0], "/k1");
	assert_string_equal(a->paths.at[2], "/k3");
	assert_false(a->flag);
	assert_int_equal(a->number, 100);
	assert_int_equal(a->automatic, 7);
	assert_int_equal(a->size, 65536);
	assert_int_equal(a->duration, 30000);
	assert_int_equal(a->listen.count, 3);
	assert_int_equal(address_port(&a->listen.at[2]), 3);
	assert_int_equal(a->choice, 1);
}

static void parse_of_every_kind_fills_the_fields(void **state)
{
	struct all a = {0};

	(void)state;
	assert_ok(parse(everything, &a));
	assert_everything(&a);
	conf_done(&table, &a);
}

/* Each end is either a configuration or a mistake that names file and line. */
static void parse_cut_at_every_byte_is_valid_or_explained(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof everything - 1; len++) {
		struct all a = {0};
		int rc = parse_bytes(everything, len, &a);
		assert_true(rc == 0 || (rc == E_CONFIG && strstr(err_text(), "my.conf:")));
		err_clear();
		conf_done(&table, &a);
	}
}

static void parse_with_any_byte_altered_is_valid_or_explained(void **state)
{
	static const char others[] = {'\0', '\n', '\r', ' ', '\t',   '[',    ']',
				      '=',  ';',  '#',  'x', '\x7f', '\x80', '\xff'};

	(void)state;
	for (size_t i = 0; i < sizeof everything - 1; i++)
		for (size_t k = 0; k < sizeof others; k++) {
			char copy[sizeof everything];
			struct all a = {0};
			memcpy(copy, everything, sizeof copy);
			copy[i] = others[k];
			int rc = parse_bytes(copy, sizeof copy - 1, &a);
			assert_true(rc == 0 || (rc == E_CONFIG && strstr(err_text(), "my.conf:")));
			err_clear();
			conf_done(&table, &a);
		}
}

static void unknown_sections_and_keys_are_named(void **state)
{
	(void)state;
	assert_mistake("[one]\n[three]\n", "my.conf:2: unknown section [three]");
	assert_mistake("[One]\n", "my.conf:1: unknown section [One]");
	assert_mistake("[one ]\n", "unknown section [one ]");
	assert_mistake("[]\n", "unknown section []");
	assert_mistake("[one]\n\n# c\ncolour = red\n",
		       "my.conf:4: unknown key 'colour' in section [one]");
	assert_mistake("[one]\nnumber = 5\n", "my.conf:2: unknown key 'number' in section [one]");
	assert_mistake("[one]\nTEXT = a\n", "unknown key 'TEXT'");
	assert_mistake("[one]\n= a\n", "unknown key ''");
	assert_mistake("text = a\n[one]\n", "my.conf:1: key 'text' before any section");
}

static void keys_set_twice_are_named_with_both_lines(void **state)
{
	(void)state;
	assert_mistake("[one]\ntext = a\ntext = a\n",
		       "my.conf:3: text is set a second time (first in line 2)");
	assert_mistake("[one]\ntext = a\n[two]\n[one]\ntext = b\n",
		       "my.conf:5: text is set a second time");
}

static void lines_that_are_nothing_are_named(void **state)
{
	(void)state;
	assert_mistake("[one]\nhello\n", "my.conf:2: neither [section] nor KEY = VALUE");
	assert_mistake("[one]\nhello", "my.conf:2: neither");
	assert_mistake("[one\ntext = a\n", "my.conf:1: a section is written [name]");
	assert_mistake("[one] text = a\n", "my.conf:1: text behind the section's name");
	assert_mistake(" [one]\ntext = a\n",
		       "my.conf:1: a section is written [name], from the first column");
	assert_mistake("[one]\n text = a\n", "my.conf:2: begins with a blank");
	assert_mistake("[one]\ntext = a\n b\n", "my.conf:3: begins with a blank");
	assert_mistake("[one]\nlist = a\n[two]\n b\n", "my.conf:4: begins with a blank");
	/* The first mistake is the one that is told. */
	assert_mistake("[one]\nhello\nbad = 1\n[three]\n", "my.conf:2: neither");
}

static void lines_too_long_and_control_characters_are_named(void **state)
{
	CLEANUP(mem_free) char *fits = mem_printf("[one]\ntext = %0*d\n", CONF_LINE_MAX - 7, 1);
	CLEANUP(mem_free) char *over = mem_printf("[one]\ntext = %0*d\n", CONF_LINE_MAX - 6, 1);
	CLEANUP(mem_free) char *comment = mem_printf("#%0*d\n", 5000, 1);
	struct all a = {0};

	(void)state;
	assert_ok(parse(fits, &a));
	assert_int_equal(strlen(a.text), CONF_LINE_MAX - 7);
	conf_done(&table, &a);
	assert_mistake(over, "my.conf:2: a line of more than 197 bytes");
	assert_mistake(comment, "my.conf:1: a line of more than");
	assert_mistake("[one]\ntext = a\033[31m\n", "my.conf:2: a control character");
	assert_mistake("[one]\ntext = a\rb\n", "my.conf:2: a control character");
	assert_mistake("[one]\ntext = a\x7f\n", "my.conf:2: a control character");
	assert_says(parse_bytes("[one]\ntext = a\0b\n", 17, &a), E_CONFIG,
		    "my.conf:2: a control character");
	assert_says(parse_bytes("\0", 1, &a), E_CONFIG, "my.conf:1: a control character");
}

static void values_that_cannot_be_meant_are_named(void **state)
{
	(void)state;
	assert_mistake("[one]\nflag = yes\n", "my.conf:2: flag = yes: neither on nor off");
	assert_mistake("[one]\nflag =\n", "my.conf:2: flag = : neither on nor off");
	assert_mistake("[one]\npath = etc\n",
		       "my.conf:2: path = etc: not a path that begins with /");
	assert_mistake("[one]\npath =\n", "not a path");
	assert_mistake("[one]\npaths = /a b\n", "my.conf:2: paths = /a b: not a path");
	assert_mistake("[one]\nlist = a \xc3\xa4\n", "not a list of names");
	assert_mistake("[two]\nnumber = x\n", "my.conf:2: number = x: not a number");
	assert_mistake("[two]\nnumber = 5 apples\n", "not a number");
	assert_mistake("[two]\nnumber = -1\n", "not a number");
	assert_mistake("[two]\nnumber = auto\n", "not a number");
	assert_mistake("[two]\nnumber = 0\n", "number = 0: not within 1 and 100");
	assert_mistake("[two]\nnumber = 101\n", "not within 1 and 100");
	assert_mistake("[two]\nautomatic = 4294967296\n", "not within");
	assert_mistake("[two]\nautomatic = 99999999999999999999\n", "too large");
	assert_mistake("[two]\nsize = 1X\n", "size = 1X: not a size");
	assert_mistake("[two]\nsize = 1023\n", "not within 1K and 1T");
	assert_mistake("[two]\nsize = 2T\n", "not within 1K and 1T");
	assert_mistake("[two]\nduration = 30\n", "duration = 30: not a time");
	assert_mistake("[two]\nduration = 2h\n", "not within 1s and 1h");
	assert_mistake("[two]\n\nlisten = localhost:22\n", "my.conf:3: listen = localhost:22");
	assert_mistake("[two]\nlisten = 127.0.0.1:1\n  127.0.0.1\n", "without a port");
	assert_mistake("[two]\nchoice = blue\n", "choice = blue: not one of red, green");
}

static void load_of_files_that_cannot_be_read_is_a_configuration_error(void **state)
{
	FOLDER f = kit_folder();
	CLEANUP(mem_free) char *path = mem_printf("%s/my.conf", f.path);
	struct all a = {0};

	(void)state;
	assert_says(conf_load(path, &table, &a), E_CONFIG, "my.conf");
	assert_says(conf_load(f.path, &table, &a), E_CONFIG, "read the configuration");
	kit_write(&f, "my.conf", everything);
	assert_ok(conf_load(path, &table, &a));
	assert_everything(&a);
	conf_done(&table, &a);
}

static void same_sees_a_difference_in_every_kind(void **state)
{
	struct all a = {0}, b = {0}, c = {0};

	(void)state;
	assert_ok(parse(everything, &a));
	assert_ok(parse(everything, &b));
	assert_ok(parse("", &c));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(conf_same(&rows[i], &a, &b));
		assert_false(conf_same(&rows[i], &a, &c));
	}
	conf_done(&table, &a);
	conf_done(&table, &b);
	conf_done(&table, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parse_of_nothing_gives_the_defaults),
	    cmocka_unit_test(parse_of_every_kind_fills_the_fields),
	    cmocka_unit_test(parse_cut_at_every_byte_is_valid_or_explained),
	    cmocka_unit_test(parse_with_any_byte_altered_is_valid_or_explained),
	    cmocka_unit_test(unknown_sections_and_keys_are_named),
	    cmocka_unit_test(keys_set_twice_are_named_with_both_lines),
	    cmocka_unit_test(lines_that_are_nothing_are_named),
	    cmocka_unit_test(lines_too_long_and_control_characters_are_named),
	    cmocka_unit_test(values_that_cannot_be_meant_are_named),
	    cmocka_unit_test(load_of_files_that_cannot_be_read_is_a_configuration_error),
	    cmocka_unit_test(same_sees_a_difference_in_every_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
