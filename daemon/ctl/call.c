/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ctl/call.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Where parsing stands. */
struct parse {
	int argc, at;
	char *const *argv;
	char words[64]; /* of the command, as far as they have come */
	bool only_operands;
	size_t operands; /* so many were taken */
	struct call call;
};

static bool is_option(const struct param *p)
{
	return p->name[0] == '-';
}

static const struct command *find_command(const char *words)
{
	for (const struct command *c = commands; c->words; c++)
		if (strcmp(c->words, words) == 0)
			return c;
	return NULL;
}

/* Whether words are the first of some command; its others that are in this version: "add,
 * list". */
static bool find_group(const char *words, char *ret_others, size_t cap)
{
	size_t len = strlen(words), used = 0;
	bool found = false;

	ret_others[0] = '\0';
	for (const struct command *c = commands; c->words; c++) {
		if (strncmp(c->words, words, len) != 0 || c->words[len] != ' ')
			continue;
		found = true;
		if (c->later)
			continue;
		int n = snprintf(ret_others + used, cap - used, "%s%s", used ? ", " : "",
				 c->words + len + 1);
		assert(n > 0 && (size_t)n < cap - used);
		used += (size_t)n;
	}
	return found;
}

static int take_word(struct parse *p, const char *word)
{
	char others[256];
	size_t used = strlen(p->words);
	int n = snprintf(p->words + used, sizeof p->words - used, "%s%s", used ? " " : "", word);

	if (n < 0 || (size_t)n >= sizeof p->words - used || strchr(word, ' '))
		return fail(E_USAGE, "unknown command '%s' (see dropkeepctl --help)", word);
	const struct command *c = find_command(p->words);
	if (!c) {
		if (find_group(p->words, others, sizeof others))
			return 0;
		return fail(E_USAGE, "unknown command '%s' (see dropkeepctl --help)", p->words);
	}
	if (c->later)
		return fail(E_UNSUPPORTED, "'%s' is not in this version", c->words);
	p->call.command = c;
	json_decref(p->call.args);
	p->call.args = c->preset ? json_loads(c->preset, 0, NULL) : json_object();
	assert(p->call.args);
	return 0;
}

static const struct param *find_option(const struct command *c, const char *name, size_t len)
{
	for (const struct param *p = c ? c->params : NULL; p && p->name; p++)
		if (is_option(p) && strlen(p->name) == len && strncmp(p->name, name, len) == 0)
			return p;
	return NULL;
}

static int apply(struct parse *p, const struct param *param, const char *text)
{
	json_t *into = param->flags & PARAM_LOCAL ? p->call.local : p->call.args;

	if (param->flags & PARAM_LATER)
		return fail(E_UNSUPPORTED, "'%s' is not in this version", param->name);
	int rc = param->take(into, param, text);
	if (rc == E_INVALID || rc == E_LIMIT)
		rc = E_USAGE;
	return rc ? fail(rc, "%s", param->name) : 0;
}

/* The text of an option that takes one: behind '=' or the next argument. */
static int option_text(struct parse *p, const char *equals, const char *name, const char **ret_text)
{
	if (equals)
		*ret_text = equals + 1;
	else if (p->at < p->argc)
		*ret_text = p->argv[p->at++];
	else
		return fail(E_USAGE, "option '%s' wants a value", name);
	return 0;
}

/* The options that every command has. ret_known stays false for others. */
static int take_global(struct parse *p, const char *option, size_t len, bool *ret_known)
{
	const char *equals = option[len] ? option + len : NULL;

	*ret_known = true;
	if (len == 2 && strncmp(option, "-c", 2) == 0)
		return option_text(p, equals, option, &p->call.config);
	if (len == 8 && strncmp(option, "--config", 8) == 0)
		return option_text(p, equals, option, &p->call.config);
	if (strcmp(option, "--json") == 0)
		p->call.json = true;
	else if (strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0)
		p->call.help = true;
	else if (strcmp(option, "--version") == 0)
		p->call.version = true;
	else
		*ret_known = false;
	return 0;
}

/* Values may be secret one day: messages name the option, never its text. */
static int take_option(struct parse *p, const char *option)
{
	const char *equals = strchr(option, '='), *text = "";
	size_t len = equals ? (size_t)(equals - option) : strlen(option);
	const char *words = p->call.command ? p->call.command->words : "";
	bool known = false;
	int rc = take_global(p, option, len, &known);

	if (rc || known)
		return rc;
	const struct param *param = find_option(p->call.command, option, len);
	if (!param)
		return fail(E_USAGE, "unknown option '%.*s' (see dropkeepctl %s%s--help)", (int)len,
			    option, words, words[0] ? " " : "");
	if (param->value)
		rc = option_text(p, equals, param->name, &text);
	else if (equals)
		rc = fail(E_USAGE, "option '%s' takes no value", param->name);
	return rc ? rc : apply(p, param, text);
}

/* The parameter for the next operand; the last one may be given again if it says so. */
static const struct param *next_operand(const struct parse *p)
{
	const struct param *last = NULL;
	size_t n = 0;

	for (const struct param *q = p->call.command->params; q && q->name; q++) {
		if (is_option(q))
			continue;
		if (n++ == p->operands)
			return q;
		last = q;
	}
	return last && last->flags & PARAM_MANY ? last : NULL;
}

static int take_operand(struct parse *p, const char *text)
{
	const struct param *param = next_operand(p);

	if (!param)
		return fail(E_USAGE, "one argument too many (see dropkeepctl %s --help)",
			    p->call.command->words);
	p->operands++;
	return apply(p, param, text);
}

/* "alerts" is a command, and so is "alerts ack". */
static bool is_longer_command(const struct parse *p, const char *text)
{
	char words[sizeof p->words];
	const struct command *c = p->call.command;
	int n = snprintf(words, sizeof words, "%s %s", p->words, text);

	return !c->params && !p->only_operands && n > 0 && (size_t)n < sizeof words &&
	       find_command(words);
}

static int take_argument(struct parse *p, const char *text)
{
	if (!p->only_operands && strcmp(text, "--") == 0) {
		p->only_operands = true;
		return 0;
	}
	if (!p->only_operands && text[0] == '-' && text[1])
		return take_option(p, text);
	if (p->call.command && !is_longer_command(p, text))
		return take_operand(p, text);
	return take_word(p, text);
}

static int check_operands(const struct parse *p)
{
	size_t n = 0;

	for (const struct param *q = p->call.command->params; q && q->name; q++) {
		if (!is_option(q))
			n++;
		bool given = is_option(q) ? json_object_get(q->flags & PARAM_LOCAL ? p->call.local
										   : p->call.args,
							    q->member) != NULL
					  : n <= p->operands;
		if (q->flags & PARAM_NEEDED && !given)
			return fail(E_USAGE, "%s is missing (see dropkeepctl %s --help)", q->name,
				    p->call.command->words);
	}
	return 0;
}

static int check(const struct parse *p)
{
	char others[256];

	if (p->call.help || p->call.version)
		return 0;
	if (p->call.command)
		return check_operands(p);
	if (p->words[0] && find_group(p->words, others, sizeof others))
		return others[0] ? fail(E_USAGE, "%s what? There are: %s", p->words, others)
				 : fail(E_UNSUPPORTED, "'%s' is not in this version", p->words);
	return fail(E_USAGE, "no command (see dropkeepctl --help)");
}

int call_parse(int argc, char *const *argv, struct call *ret_call)
{
	struct parse p = {.argc = argc, .at = 1, .argv = argv};
	int rc = 0;

	p.call.args = json_object();
	p.call.local = json_object();
	assert(p.call.args && p.call.local);
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
	json_decref(c->args);
	json_decref(c->local);
	*c = (struct call){0};
}

const char *call_text(const struct call *c, const char *member)
{
	return json_string_value(json_object_get(c->local, member));
}

json_int_t call_number(const struct call *c, const char *member)
{
	return json_integer_value(json_object_get(c->local, member));
}

bool call_flag(const struct call *c, const char *member)
{
	return json_is_true(json_object_get(c->local, member));
}

static void usage_line(const struct command *c)
{
	printf("dropkeepctl %s", c->words);
	for (const struct param *p = c->params; p && p->name; p++) {
		bool needed = p->flags & PARAM_NEEDED;
		if (p->flags & PARAM_LATER)
			continue;
		printf(" %s%s%s%s%s%s", needed ? "" : "[", p->name, p->value ? " " : "",
		       p->value ? p->value : "", needed ? "" : "]",
		       p->flags & PARAM_MANY ? "..." : "");
	}
	printf("\n");
}

static void program_help(void)
{
	printf("usage: dropkeepctl [-c FILE] [--json] COMMAND ...\n\n");
	for (const struct command *c = commands; c->words; c++)
		if (!c->later)
			printf("  %-18s %s\n", c->words, c->help);
	printf("\n  -c FILE            configuration of the instance (default: %s)\n"
	       "  --json             what comes out is JSON\n"
	       "  --help             of the program, or of the command before it\n"
	       "  --version\n\nManual: dropkeepctl(8)\n",
	       DEFAULT_CONFIG);
}

void call_help(const struct command *command)
{
	if (!command) {
		program_help();
		return;
	}
	printf("usage: ");
	usage_line(command);
	printf("%s\n", command->help);
	for (const struct param *p = command->params; p && p->name; p++) {
		CLEANUP(mem_free)
		char *left =
		    mem_printf("%s%s%s", p->name, p->value ? " " : "", p->value ? p->value : "");
		if (!(p->flags & PARAM_LATER))
			printf("  %-26s %s\n", left, p->help);
	}
}
