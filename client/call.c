/* SPDX-License-Identifier: Apache-2.0 */
#include "client/call.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

const struct option_row option_rows[OPT_COUNT] = {
    [OPT_PROFILE] = {"p", "profile", "NAME",
		     "which server and account (DROPKEEP_PROFILE; default)"},
    [OPT_JSON] = {"", "json", NULL, "what comes out is JSON, an object on a line"},
    [OPT_QUIET] = {"q", "quiet", NULL, "no progress and no notes, only errors"},
    [OPT_HELP] = {"", "help", NULL, "this"},
    [OPT_VERSION] = {"", "version", NULL, "print the version"},
    [OPT_FORCE] = {"f", "force", NULL, "replace what is there"},
    [OPT_RECURSIVE] = {"rR", "recursive", NULL, "folders with all that is in them"},
    [OPT_NAME] = {"n", "name", "NAME", "what standard input shall be called"},
    [OPT_JOBS] = {"j", "jobs", "N", "so many files at a time (default: 1)"},
    [OPT_LIMIT] = {"", "limit", "SIZE", "bytes a second, at most: 10M"},
    [OPT_RETRIES] = {"", "retries", "N", "tries without progress before it gives up (default: 8)"},
    [OPT_DELETE_AFTER] = {"", "delete-after", NULL,
			  "remove a file here once its receipt is verified"},
    [OPT_IF_CHANGED] = {"", "if-changed", NULL, "pass over what is there with the same content"},
    [OPT_EXCLUDE] = {"x", "exclude", "GLOB", "pass over these names in folders; may be repeated"},
    [OPT_CONTINUE] = {"", "continue", NULL, "go on with an upload that another program began"},
    [OPT_OUTPUT] = {"o", "output", "FILE", "write to this file; -: standard output"},
    [OPT_LONG] = {"l", "long", NULL, "rights, owner, size and time as well"},
    [OPT_HUMAN] = {"h", "human", NULL, "sizes as 1.5 GiB"},
    [OPT_PARENTS] = {"", "parents", NULL, "folders on the way as well; no error where it exists"},
    [OPT_OFFLINE] = {"", "offline", NULL, "ask no server"},
    [OPT_KEY] = {"k", "key", "VKEY", "believe this key of a log instead of the profile's"},
};

/* Where parsing stands. */
struct parse {
	int argc, at;
	char *const *argv;
	char words[64]; /* of the command, as far as they have come */
	bool only_operands;
	struct call call;
};

bool option_is_common(enum opt o)
{
	return o <= OPT_VERSION;
}

static const struct command *find_command(const char *words)
{
	for (const struct command *c = commands; c->words; c++)
		if (strcmp(c->words, words) == 0)
			return c;
	return NULL;
}

static bool is_group(const char *words)
{
	size_t len = strlen(words);

	for (const struct command *c = commands; c->words; c++)
		if (strncmp(c->words, words, len) == 0 && c->words[len] == ' ')
			return true;
	return false;
}

static int take_word(struct parse *p, const char *word)
{
	size_t used = strlen(p->words);
	int n = snprintf(p->words + used, sizeof p->words - used, "%s%s", used ? " " : "", word);

	if (n < 0 || (size_t)n >= sizeof p->words - used || strchr(word, ' '))
		return fail(E_USAGE, "unknown command (see dropkeep --help)");
	p->call.command = find_command(p->words);
	if (p->call.command || is_group(p->words))
		return 0;
	return fail(E_USAGE, "unknown command '%s' (see dropkeep --help)", p->words);
}

static bool takes(const struct command *c, enum opt o)
{
	if (option_is_common(o))
		return true;
	for (const enum opt *own = c ? c->options : NULL; own && *own != OPT_COUNT; own++)
		if (*own == o)
			return true;
	return false;
}

static enum opt find_name(const struct command *c, const char *name, size_t len)
{
	for (enum opt o = 0; o < OPT_COUNT; o++)
		if (takes(c, o) && strlen(option_rows[o].name) == len &&
		    memcmp(option_rows[o].name, name, len) == 0)
			return o;
	return OPT_COUNT;
}

static enum opt find_letter(const struct command *c, char letter)
{
	for (enum opt o = 0; o < OPT_COUNT; o++)
		if (takes(c, o) && strchr(option_rows[o].letters, letter))
			return o;
	return OPT_COUNT;
}

static int put(struct parse *p, enum opt o, const char *text)
{
	p->call.option[o] = text;
	if (o == OPT_EXCLUDE)
		p->call.exclude[p->call.excludes++] = text;
	return 0;
}

static int unknown(const struct parse *p, const char *option, size_t len)
{
	const char *words = p->call.command ? p->call.command->words : "";

	return fail(E_USAGE, "unknown option '%.*s' (see dropkeep %s%s--help)", (int)len, option,
		    words, words[0] ? " " : "");
}

/* The text of an option that takes one: what is joined to it, or the next argument. */
static int option_text(struct parse *p, enum opt o, const char *joined, const char **ret_text)
{
	if (joined)
		*ret_text = joined;
	else if (p->at < p->argc)
		*ret_text = p->argv[p->at++];
	else
		return fail(E_USAGE, "option --%s wants a value", option_rows[o].name);
	return 0;
}

static int take_long(struct parse *p, const char *option)
{
	const char *equals = strchr(option, '='), *text = "";
	size_t len = equals ? (size_t)(equals - option) : strlen(option);
	enum opt o = find_name(p->call.command, option + 2, len - 2);
	int rc = 0;

	if (o == OPT_COUNT)
		return unknown(p, option, len);
	if (option_rows[o].value)
		rc = option_text(p, o, equals ? equals + 1 : NULL, &text);
	else if (equals)
		rc = fail(E_USAGE, "option --%s takes no value", option_rows[o].name);
	return rc ? rc : put(p, o, text);
}

/* "-rl", "-j4", "-j 4". */
static int take_letters(struct parse *p, const char *option)
{
	for (const char *at = option + 1; *at; at++) {
		enum opt o = find_letter(p->call.command, *at);
		const char *text = "";
		int rc = 0;

		if (o == OPT_COUNT)
			return unknown(p, option, strlen(option));
		if (option_rows[o].value)
			rc = option_text(p, o, at[1] ? at + 1 : NULL, &text);
		if (!rc)
			rc = put(p, o, text);
		if (rc || option_rows[o].value)
			return rc;
	}
	return 0;
}

static int take_argument(struct parse *p, const char *text)
{
	if (!p->only_operands && strcmp(text, "--") == 0) {
		p->only_operands = true;
		return 0;
	}
	if (!p->only_operands && strncmp(text, "--", 2) == 0)
		return take_long(p, text);
	if (!p->only_operands && text[0] == '-' && text[1])
		return take_letters(p, text);
	if (!p->call.command)
		return take_word(p, text);
	p->call.operand[p->call.operands++] = text;
	return 0;
}

static int check(const struct parse *p)
{
	const struct command *c = p->call.command;

	if (call_has(&p->call, OPT_HELP) || call_has(&p->call, OPT_VERSION))
		return 0;
	if (!c && p->words[0])
		return fail(E_USAGE, "%s what? (see dropkeep --help)", p->words);
	if (!c)
		return fail(E_USAGE, "no command (see dropkeep --help)");
	if (p->call.operands < c->least)
		return fail(E_USAGE, "usage: dropkeep %s %s (see dropkeep %s --help)", c->words,
			    c->operands, c->words);
	if (p->call.operands > c->most)
		return fail(E_USAGE, "one argument too many (see dropkeep %s --help)", c->words);
	return 0;
}

int call_parse(int argc, char *const *argv, struct call *ret_call)
{
	struct parse p = {.argc = argc, .at = 1, .argv = argv};
	size_t room = sizeof *p.call.operand * (size_t)(argc + 1);
	int rc = 0;

	p.call.operand = mem_new(room);
	p.call.exclude = mem_new(room);
	while (!rc && p.at < argc) {
		const char *text = argv[p.at++];
		rc = take_argument(&p, text);
	}
	if (!rc)
		rc = check(&p);
	if (rc)
		call_done(&p.call);
	else
		*ret_call = p.call;
	return rc;
}

void call_done(struct call *c)
{
	mem_free(&c->operand);
	mem_free(&c->exclude);
	*c = (struct call){0};
}

int call_number(const struct call *c, enum opt o, uint64_t fallback, uint64_t most,
		uint64_t *ret_number)
{
	uint64_t n = fallback;

	if (!c->option[o])
		*ret_number = n;
	else if (size_parse(view_text(c->option[o]), &n) || n > most)
		return fail(E_USAGE, "option --%s wants a number up to %llu", option_rows[o].name,
			    (unsigned long long)most);
	*ret_number = n;
	return 0;
}

static void option_help(enum opt o)
{
	const struct option_row *row = &option_rows[o];
	CLEANUP(mem_free)
	char *left = mem_printf("%s%.1s%s--%s%s%s", row->letters[0] ? "-" : "", row->letters,
				row->letters[0] ? ", " : "", row->name, row->value ? " " : "",
				row->value ? row->value : "");

	printf("  %-26s %s\n", left, row->help);
}

static void program_help(void)
{
	printf("usage: dropkeep [OPTION...] COMMAND ...\n\n");
	for (const struct command *c = commands; c->words; c++)
		printf("  %-16s %s\n", c->words, c->help);
	printf("\nOptions of every command:\n");
	for (enum opt o = 0; option_is_common(o); o++)
		option_help(o);
	printf("\nManual: dropkeep(1)\n");
}

void call_help(const struct command *command)
{
	if (!command) {
		program_help();
		return;
	}
	printf("usage: dropkeep %s [OPTION...] %s\n%s\n", command->words, command->operands,
	       command->help);
	for (enum opt o = 0; o < OPT_COUNT; o++)
		if (takes(command, o))
			option_help(o);
}
