/* SPDX-License-Identifier: Apache-2.0 */
/* completion: scripts for shells, made from the tables of commands and options. */
#include <stdio.h>

#include "base/mem.h"
#include "client/run.h"

/* The first word of a command, unless the one before began so too. */
static bool first_word(const struct command *c, char *ret_word, size_t room)
{
	size_t len = strcspn(c->words, " ");

	(void)snprintf(ret_word, room, "%.*s", (int)len, c->words);
	return c == commands || strncmp((c - 1)->words, c->words, len) != 0 ||
	       (c - 1)->words[len] != ' ' || c->words[len] != ' ';
}

static void print_words(const char *between)
{
	char word[32];
	bool any = false;

	for (const struct command *c = commands; c->words; c++)
		if (first_word(c, word, sizeof word)) {
			printf("%s%s", any ? between : "", word);
			any = true;
		}
}

static void print_options(const struct command *c)
{
	for (enum opt o = 0; option_is_common(o); o++)
		printf("--%s ", option_rows[o].name);
	for (const enum opt *o = c->options; *o != OPT_COUNT; o++)
		printf("--%s ", option_rows[*o].name);
}

static void print_cases(void)
{
	for (const struct command *c = commands; c->words; c++) {
		printf("\t'%s') words='", c->words);
		print_options(c);
		printf("%s' ;;\n", strcmp(c->words, "completion") == 0 ? "bash zsh fish" : "");
	}
	printf("\treceipt) words='list show verify' ;;\n");
}

/* Files wherever no word fits. */
static void bash(void)
{
	printf("# bash completion for dropkeep: source it, or put it where bash-completion looks\n"
	       "_dropkeep() {\n"
	       "\tlocal current=${COMP_WORDS[COMP_CWORD]} command='' word words=''\n"
	       "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	       "\t\tcase $word in\n"
	       "\t\t-*) ;;\n"
	       "\t\tlist|show|verify) [ \"$command\" != receipt ] || command=\"receipt $word\" ;;\n"
	       "\t\t*) [ -n \"$command\" ] || command=$word ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tcase $command in\n"
	       "\t'') words='");
	print_words(" ");
	printf("' ;;\n");
	print_cases();
	printf("\tesac\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	       "}\n"
	       "complete -o default -F _dropkeep dropkeep\n");
}

static void zsh(void)
{
	printf("#compdef dropkeep\n"
	       "_dropkeep() {\n"
	       "\tlocal command='' word\n"
	       "\tlocal -a words_here\n"
	       "\tfor word in ${words[2,CURRENT-1]}; do\n"
	       "\t\tcase $word in\n"
	       "\t\t-*) ;;\n"
	       "\t\tlist|show|verify) [[ $command != receipt ]] || command=\"receipt $word\" ;;\n"
	       "\t\t*) [[ -n $command ]] || command=$word ;;\n"
	       "\t\tesac\n"
	       "\tdone\n"
	       "\tlocal words=''\n"
	       "\tcase $command in\n"
	       "\t'') words='");
	print_words(" ");
	printf("' ;;\n");
	print_cases();
	printf("\tesac\n"
	       "\twords_here=(${=words})\n"
	       "\tcompadd -- $words_here\n"
	       "\t_files\n"
	       "}\n"
	       "compdef _dropkeep dropkeep\n");
}

/* A text in single quotes of fish. */
static void fish_quote(const char *text)
{
	(void)putchar('\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			(void)putchar('\\');
		(void)putchar(*text);
	}
	(void)putchar('\'');
}

static void fish_describe(const char *text)
{
	printf(" -d ");
	fish_quote(text);
	(void)putchar('\n');
}

static void fish_options(const struct command *c)
{
	size_t len = strcspn(c->words, " ");

	for (const enum opt *o = c->options; *o != OPT_COUNT; o++) {
		const struct option_row *row = &option_rows[*o];
		printf("complete -c dropkeep -n '__fish_seen_subcommand_from %.*s' -l %s%s%.1s%s",
		       (int)len, c->words, row->name, row->letters[0] ? " -s " : "", row->letters,
		       row->value ? " -r" : "");
		fish_describe(row->help);
	}
}

static void fish(void)
{
	char word[32];

	printf("# fish completion for dropkeep\n");
	for (enum opt o = 0; option_is_common(o); o++) {
		printf("complete -c dropkeep -l %s%s", option_rows[o].name,
		       option_rows[o].value ? " -r" : "");
		fish_describe(option_rows[o].help);
	}
	for (const struct command *c = commands; c->words; c++) {
		const char *second = strchr(c->words, ' ');
		if (first_word(c, word, sizeof word)) {
			printf("complete -c dropkeep -n __fish_use_subcommand -a %s", word);
			fish_describe(c->help);
		}
		if (second)
			printf("complete -c dropkeep -n '__fish_seen_subcommand_from %s' -a %s\n",
			       word, second + 1);
		fish_options(c);
	}
	printf("complete -c dropkeep -n '__fish_seen_subcommand_from completion' -a 'bash zsh "
	       "fish'\n");
}

int run_completion(const struct call *call)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < ARRAY_LEN(shells); i++)
		if (strcmp(call->operand[0], shells[i].name) == 0) {
			shells[i].print();
			return 0;
		}
	return fail(E_USAGE, "completion for bash, zsh or fish");
}
