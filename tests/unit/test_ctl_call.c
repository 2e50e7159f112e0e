/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/base_kit.h"

#include "daemon/ctl/call.h"

enum { ARGS_MAX = 24 };

/* Words separated by blanks, each in memory of exactly its size; "~" stands for a blank. */
struct line {
	char *argv[ARGS_MAX + 1];
	int argc;
};

static struct line line_of(const char *text)
{
	struct line l = {{NULL}, 0};

	l.argv[l.argc++] = mem_text("dropkeepctl");
	while (*text) {
		size_t len = strcspn(text, " ");
		assert_true(l.argc < ARGS_MAX);
		char *word = mem_text_n(text, len);
		for (char *c = word; *c; c++)
			*c = *c == '~' ? ' ' : *c;
		l.argv[l.argc++] = word;
		text += len + strspn(text + len, " ");
	}
	return l;
}

static void line_done(struct line *l)
{
	for (int i = 0; i < l->argc; i++)
		free(l->argv[i]);
}

#define LINE CLEANUP(line_done) struct line
#define CALL CLEANUP(call_done) struct call

/* The command, and exactly these arguments for the keep. */
static void assert_asks(const char *text, const char *words, const char *args)
{
	LINE l = line_of(text);
	CALL c = {0};
	json_t *expected = json_loads(args, 0, NULL);

	assert_non_null(expected);
	assert_ok(call_parse(l.argc, l.argv, &c));
	assert_string_equal(c.command->words, words);
	if (!json_equal(c.args, expected)) {
		char *got = json_dumps(c.args, JSON_SORT_KEYS);
		print_error("%s: %s\n", text, got);
		free(got);
	}
	assert_true(json_equal(c.args, expected));
	json_decref(expected);
}

static void assert_refused(const char *text, int code, const char *sentence)
{
	LINE l = line_of(text);
	struct call c = {.json = true};

	assert_says(call_parse(l.argc, l.argv, &c), code, sentence);
	assert_null(c.command);
	assert_true(c.json);
}

static void zone_commands_become_arguments(void **state)
{
	(void)state;
	assert_asks("zone add acme", "zone add",
		    "{\"name\":\"acme\",\"quota\":0,\"retention\":0,\"recovery\":true}");
	assert_asks(
	    "zone add --quota 100G acme --retention=90d --no-recovery", "zone add",
	    "{\"name\":\"acme\",\"quota\":107374182400,\"retention\":7776000,\"recovery\":false}");
	assert_asks("zone list", "zone list", "{}");
	assert_asks("zone show acme", "zone show", "{\"name\":\"acme\"}");
	assert_asks("zone set acme --quota 0", "zone set", "{\"name\":\"acme\",\"quota\":0}");
	assert_asks("zone remove acme", "zone remove", "{\"name\":\"acme\"}");
}

static void user_commands_become_arguments(void **state)
{
	(void)state;
	assert_asks("user add alice --role client --zone acme", "user add",
		    "{\"name\":\"alice\",\"role\":\"client\",\"zones\":[\"acme\"]}");
	assert_asks("user add bob --role staff --zone a,b --zone c", "user add",
		    "{\"name\":\"bob\",\"role\":\"staff\",\"zones\":[\"a\",\"b\",\"c\"]}");
	assert_asks("user add eve --role=auditor --zone=*", "user add",
		    "{\"name\":\"eve\",\"role\":\"auditor\",\"zones\":[\"*\"]}");
	assert_asks("user list", "user list", "{}");
	assert_asks("user show alice", "user show", "{\"name\":\"alice\"}");
	assert_asks("user disable alice", "user disable", "{\"name\":\"alice\"}");
	assert_asks("user enable alice", "user enable", "{\"name\":\"alice\"}");
	assert_asks("user remove alice", "user remove", "{\"name\":\"alice\"}");
	assert_asks("credential list", "credential list", "{}");
	assert_asks("credential list alice", "credential list", "{\"user\":\"alice\"}");
	assert_asks("credential remove 17", "credential remove", "{\"id\":17}");
}

static void credential_commands_become_arguments(void **state)
{
	(void)state;
	assert_asks("token add alice --expires 30d", "token add",
		    "{\"user\":\"alice\",\"expires\":2592000}");
	assert_asks("token add alice --from 192.0.2.0/24,::/0 --from 10.0.0.0/8", "token add",
		    "{\"user\":\"alice\",\"from\":[\"192.0.2.0/24\",\"::/0\",\"10.0.0.0/8\"]}");
	assert_asks("user enroll --from=10.0.0.0/8 alice --expires 1h", "user enroll",
		    "{\"name\":\"alice\",\"expires\":3600,\"from\":[\"10.0.0.0/8\"]}");
	/* what a network is, the keep says */
	assert_asks("user enroll alice --from x", "user enroll",
		    "{\"name\":\"alice\",\"from\":[\"x\"]}");
	assert_refused("token add alice --from 10.0.0.0/8,,::/0", E_USAGE, "an item is empty");
	assert_refused("token add alice --from=", E_USAGE, "an item is empty");
	assert_refused("token add alice --from", E_USAGE, "--from");
}

static void rights_become_arguments(void **state)
{
	(void)state;
	assert_asks("grant alice acme lr", "grant",
		    "{\"user\":\"alice\",\"zone\":\"acme\",\"prefix\":\"\",\"rights\":\"lr\"}");
	assert_asks(
	    "grant alice acme:/a/b/ lrwodma", "grant",
	    "{\"user\":\"alice\",\"zone\":\"acme\",\"prefix\":\"a/b\",\"rights\":\"lrwodma\"}");
	assert_asks("grant alice *:x:y w", "grant",
		    "{\"user\":\"alice\",\"zone\":\"*\",\"prefix\":\"x:y\",\"rights\":\"w\"}");
	assert_asks("revoke alice acme:a", "revoke",
		    "{\"user\":\"alice\",\"zone\":\"acme\",\"prefix\":\"a\"}");
	assert_asks("revoke alice acme: d", "revoke",
		    "{\"user\":\"alice\",\"zone\":\"acme\",\"prefix\":\"\",\"rights\":\"d\"}");
}

static void other_commands_become_arguments(void **state)
{
	(void)state;
	assert_asks("status", "status", "{}");
	assert_asks("sessions", "sessions", "{}");
	assert_asks("kick 5", "kick", "{\"id\":5}");
	assert_asks("reload", "reload", "{}");
	assert_asks("alerts", "alerts", "{}");
	assert_asks("alerts --json ack", "alerts ack", "{}");
	assert_asks("alerts ack 7", "alerts ack", "{\"id\":7}");
	assert_refused("alerts acknowledge", E_USAGE, "one argument too many");
	assert_refused("alerts -- ack", E_USAGE, "one argument too many");
	assert_refused("alerts ack x", E_USAGE, "ID");
	assert_asks("check", "check", "{\"deep\":false}");
	assert_asks("check --deep", "check", "{\"deep\":true}");
	assert_asks("audit verify", "audit verify", "{}");
	assert_asks("audit query", "audit query", "{}");
	assert_asks(
	    "audit query --since 2026-01-31 --until 2026-02-01T00:00Z --zone acme --user alice "
	    "--event upload.complete --outcome ok --object 00ff --limit 10",
	    "audit query",
	    "{\"since\":1769817600000000,\"until\":1769904000000000,\"zone\":\"acme\","
	    "\"user\":\"alice\",\"event\":\"upload.complete\",\"outcome\":\"ok\","
	    "\"object\":\"00ff\",\"limit\":10}");
}

static void options_of_all_commands_stand_anywhere(void **state)
{
	static const char *const lines[] = {
	    "-c /etc/x --json zone list",       "zone -c /etc/x list --json",
	    "--json zone --config /etc/x list", "zone list --config=/etc/x --json",
	    "zone --json list -c /etc/x",       "zone list -c=/etc/x --json",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		LINE l = line_of(lines[i]);
		CALL c = {0};
		assert_ok(call_parse(l.argc, l.argv, &c));
		assert_string_equal(c.command->words, "zone list");
		assert_string_equal(c.config, "/etc/x");
		assert_true(c.json);
		assert_false(c.help);
	}
}

static void options_for_this_program_stay_here(void **state)
{
	LINE l = line_of("status --wait 10s");
	LINE m = line_of("status --wait 7");
	LINE n = line_of("zone remove acme --yes");
	LINE o = line_of("audit verify --log /x --key k+1+2");
	CALL c = {0};
	CALL d = {0};
	CALL e = {0};
	CALL f = {0};

	(void)state;
	assert_ok(call_parse(l.argc, l.argv, &c));
	assert_int_equal(call_number(&c, "wait"), 10);
	assert_int_equal(json_object_size(c.args), 0);
	assert_ok(call_parse(m.argc, m.argv, &d));
	assert_int_equal(call_number(&d, "wait"), 7);
	assert_ok(call_parse(n.argc, n.argv, &e));
	assert_true(call_flag(&e, "yes"));
	assert_int_equal(json_object_size(e.args), 1);
	assert_ok(call_parse(o.argc, o.argv, &f));
	assert_string_equal(call_text(&f, "log"), "/x");
	assert_string_equal(call_text(&f, "key"), "k+1+2");
	assert_null(call_text(&f, "none"));
}

static void init_takes_its_options(void **state)
{
	LINE l =
	    line_of("init --state /s --config /c --recovery /r --sftp 127.0.0.1:1~[::1]:2 --sftp "
		    "0.0.0.0:3 --https 127.0.0.1:4 --name a.example --name b.example");
	CALL c = {0};

	(void)state;
	assert_ok(call_parse(l.argc, l.argv, &c));
	assert_string_equal(c.command->words, "init");
	assert_string_equal(c.config, "/c");
	assert_string_equal(call_text(&c, "state"), "/s");
	assert_string_equal(call_text(&c, "recovery"), "/r");
	assert_int_equal(json_array_size(json_object_get(c.local, "sftp")), 3);
	assert_int_equal(json_array_size(json_object_get(c.local, "https")), 1);
	assert_int_equal(json_array_size(json_object_get(c.local, "names")), 2);
}

static void help_and_version_need_no_arguments(void **state)
{
	static const char *const lines[] = {"--help", "-h", "zone --help", "zone add --help",
					    "--version"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		LINE l = line_of(lines[i]);
		CALL c = {0};
		assert_ok(call_parse(l.argc, l.argv, &c));
		assert_true(c.help || c.version);
	}
}

static void operands_behind_two_dashes_are_no_options(void **state)
{
	(void)state;
	assert_asks("zone show -- --json", "zone show", "{\"name\":\"--json\"}");
	assert_asks("zone show -- -- ", "zone show", "{\"name\":\"--\"}");
	assert_refused("zone show --", E_USAGE, "NAME is missing");
}

static void commands_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_refused("", E_USAGE, "no command");
	assert_refused("--json", E_USAGE, "no command");
	assert_refused("zon", E_USAGE, "unknown command 'zon'");
	assert_refused("zones list", E_USAGE, "unknown command 'zones'");
	assert_refused("zone", E_USAGE, "zone what? There are: add, list, show, set, remove");
	assert_refused("user", E_USAGE, "add, list, show, disable, enable, remove");
	assert_refused("zone frob", E_USAGE,
		       "unknown command 'zone frob' (see dropkeepctl --help)");
	assert_refused("zone~add acme", E_USAGE, "unknown command 'zone add'");
	assert_refused("averyveryveryveryveryveryveryveryveryveryveryveryveryveryverylongword",
		       E_USAGE, "unknown command");
}

static void commands_of_later_versions_say_so(void **state)
{
	static const char *const lines[] = {
	    "password set alice",
	    "totp set a",
	    "top",
	    "bans",
	    "rotate zone acme",
	    "audit report",
	    "audit review",
	    "audit export /x",
	    "audit prove 5",
	    "hold add acme",
	    "erase acme:/x",
	    "retention x",
	    "backup /x",
	    "restore /x",
	    "recover --identity f",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_refused(lines[i], E_UNSUPPORTED, "is not in this version");
	assert_refused("zone add acme --sealed --recipient age1x", E_UNSUPPORTED,
		       "'--sealed' is not in this version");
	assert_refused("check --jail", E_UNSUPPORTED, "'--jail' is not in this version");
	assert_refused("rotate", E_UNSUPPORTED, "'rotate' is not in this version");
}

static void options_that_are_none_are_refused(void **state)
{
	(void)state;
	assert_refused("zone list --all", E_USAGE,
		       "unknown option '--all' (see dropkeepctl zone list --help)");
	assert_refused("--quota 5 zone add a", E_USAGE,
		       "unknown option '--quota' (see dropkeepctl --help)");
	assert_refused("zone add a --quot 5", E_USAGE, "unknown option '--quot'");
	assert_refused("zone add a --quotas 5", E_USAGE, "unknown option '--quotas'");
	assert_refused("zone add a -q", E_USAGE, "unknown option '-q'");
	assert_refused("zone add a --quota", E_USAGE, "option '--quota' wants a value");
	assert_refused("zone list -c", E_USAGE, "option '-c' wants a value");
	assert_refused("check --deep=yes", E_USAGE, "option '--deep' takes no value");
	assert_refused("zone list --json=yes", E_USAGE, "unknown option '--json'");
}

static void arguments_too_few_or_too_many_are_refused(void **state)
{
	(void)state;
	assert_refused("zone add", E_USAGE, "NAME is missing (see dropkeepctl zone add --help)");
	assert_refused("zone add a b", E_USAGE, "one argument too many");
	assert_refused("zone list a", E_USAGE, "one argument too many");
	assert_refused("user add alice --zone a", E_USAGE, "--role is missing");
	assert_refused("user add alice --role staff", E_USAGE, "--zone is missing");
	assert_refused("grant alice acme", E_USAGE, "RIGHTS is missing");
	assert_refused("revoke alice", E_USAGE, "ZONE[:PREFIX] is missing");
	assert_refused("kick", E_USAGE, "ID is missing");
	assert_refused("key add alice", E_USAGE, "FILE is missing");
}

static void values_that_cannot_be_meant_are_refused(void **state)
{
	(void)state;
	assert_refused("zone add a --quota 100X", E_USAGE, "--quota: not a size");
	assert_refused("zone add a --retention 90", E_USAGE, "--retention: not a time");
	assert_refused("zone add a --retention 90ms", E_USAGE, "not a whole number of seconds");
	assert_refused("user add a --role admin --zone z", E_USAGE,
		       "--role: not one of client, staff, auditor");
	assert_refused("user add a --role staff --zone a,,b", E_USAGE,
		       "--zone: the name of a zone is empty");
	assert_refused("user add a --role staff --zone a,", E_USAGE,
		       "--zone: the name of a zone is empty");
	assert_refused("user add a --role staff --zone=", E_USAGE,
		       "--zone: the name of a zone is empty");
	assert_refused("grant a :x lr", E_USAGE, "not ZONE or ZONE:PREFIX");
	assert_refused("grant a z xyz", E_USAGE, "not letters of lrwodma");
	assert_refused("grant a z ll", E_USAGE, "not letters of lrwodma");
	assert_refused("kick five", E_USAGE, "ID: not a number");
	assert_refused("kick 99999999999999999999", E_USAGE, "too large");
	assert_refused("audit query --since yesterday", E_USAGE, "--since: not a time");
	assert_refused("audit query --limit -1", E_USAGE, "--limit: not a number");
	assert_refused("status --wait soon", E_USAGE, "--wait: not a number");
	assert_refused("init --sftp localhost:22", E_USAGE, "--sftp");
	assert_refused("init --sftp=", E_USAGE, "--sftp: is empty");
	assert_refused("init --recovery-recipient age1x", E_USAGE, "--recovery-recipient");
	assert_refused("zone show \xff", E_USAGE, "NAME: not UTF-8");
	assert_refused("user add a --role staff --zone a,\xff", E_USAGE, "--zone: not UTF-8");
	assert_refused("key add a /no/such/file", E_GONE, "FILE: open '/no/such/file'");
}

/* Every line cut after every byte: it parses or it says why not. */
static void line_cut_at_every_byte_is_taken_or_refused(void **state)
{
	static const char *const lines[] = {
	    "zone add acme --quota 100G --retention=90d --no-recovery --json -c /x",
	    "user add alice --role client --zone a,b --zone c",
	    "audit query --since 2026-01-31T10:00:59Z --until 5h --limit 3",
	    "grant alice acme:a/b lrw",
	    "init --sftp 127.0.0.1:22~[::1]:2022 --name h",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		for (size_t len = 0; len <= strlen(lines[i]); len++) {
			CLEANUP(mem_free) char *text = mem_text_n(lines[i], len);
			LINE l = line_of(text);
			CALL c = {0};
			int rc = call_parse(l.argc, l.argv, &c);
			assert_true(rc == 0 || rc == E_USAGE);
			assert_true(rc == 0 || err_text()[0]);
			err_clear();
		}
}

static void table_of_commands_is_sound(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->words; c++) {
		for (const struct command *d = commands; d < c; d++)
			assert_string_not_equal(c->words, d->words);
		assert_true(c->later || c->help);
		assert_true(c->later || c->run || c->show || c->show_item);
		for (const struct param *p = c->params; p && p->name; p++) {
			assert_non_null(p->take);
			assert_non_null(p->member);
			assert_non_null(p->help);
			/* an operand that may be left out comes last, and so does one of many */
			if (p->name[0] != '-' &&
			    (!(p->flags & PARAM_NEEDED) || p->flags & PARAM_MANY))
				for (const struct param *q = p + 1; q->name; q++)
					assert_int_equal(q->name[0], '-');
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zone_commands_become_arguments),
	    cmocka_unit_test(user_commands_become_arguments),
	    cmocka_unit_test(credential_commands_become_arguments),
	    cmocka_unit_test(rights_become_arguments),
	    cmocka_unit_test(other_commands_become_arguments),
	    cmocka_unit_test(options_of_all_commands_stand_anywhere),
	    cmocka_unit_test(options_for_this_program_stay_here),
	    cmocka_unit_test(init_takes_its_options),
	    cmocka_unit_test(help_and_version_need_no_arguments),
	    cmocka_unit_test(operands_behind_two_dashes_are_no_options),
	    cmocka_unit_test(commands_that_are_none_are_refused),
	    cmocka_unit_test(commands_of_later_versions_say_so),
	    cmocka_unit_test(options_that_are_none_are_refused),
	    cmocka_unit_test(arguments_too_few_or_too_many_are_refused),
	    cmocka_unit_test(values_that_cannot_be_meant_are_refused),
	    cmocka_unit_test(line_cut_at_every_byte_is_taken_or_refused),
	    cmocka_unit_test(table_of_commands_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
