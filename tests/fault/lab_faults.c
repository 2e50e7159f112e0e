/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of faults: see lab.sh for its words. */
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/fault/lab.h"

const char *const lab_class_names[LAB_CLASSES] = {
    [LAB_OPEN] = "open",   [LAB_CREATE] = "create",     [LAB_READ] = "read",
    [LAB_WRITE] = "write", [LAB_TRUNCATE] = "truncate", [LAB_SYNC] = "sync",
    [LAB_MKDIR] = "mkdir", [LAB_RENAME] = "rename",     [LAB_UNLINK] = "unlink"};

enum what { FAIL, SHORT, FULL, SKIP, CRASH, CRASH_AFTER, CRASH_TORN };

static const struct {
	const char *word;
	enum what what;
	int error;
} actions[] = {{"ENOSPC", FAIL, ENOSPC},
	       {"EIO", FAIL, EIO},
	       {"EDQUOT", FAIL, EDQUOT},
	       {"EROFS", FAIL, EROFS},
	       {"EMFILE", FAIL, EMFILE},
	       {"EACCES", FAIL, EACCES},
	       {"EINTR", FAIL, EINTR},
	       {"ENOENT", FAIL, ENOENT},
	       {"short", SHORT, 0},
	       {"full", FULL, ENOSPC},
	       {"skip", SKIP, 0},
	       {"crash", CRASH, 0},
	       {"crash-after", CRASH_AFTER, 0},
	       {"crash-torn", CRASH_TORN, 0}};

struct rule {
	char program[8], class[12], glob[LAB_PATH], action[16], once[8];
	unsigned long long number; /* 0: only counts */
	size_t act;
};

static struct rule rules[LAB_RULES];
static size_t rule_count;
static char generation_read[LAB_GENERATION];

static bool word_is_class(const char *word)
{
	for (size_t i = 0; i < LAB_CLASSES; i++)
		if (strcmp(word, lab_class_names[i]) == 0)
			return true;
	return strcmp(word, "any") == 0;
}

static void read_rule(const char *line)
{
	struct rule *r = &rules[rule_count++];

	*r = (struct rule){0};
	int got = sscanf(line, "%7s %11s %71s %llu %15s %7s", r->program, r->class, r->glob,
			 &r->number, r->action, r->once);
	while (got >= 5 && r->act < sizeof actions / sizeof *actions &&
	       strcmp(r->action, actions[r->act].word) != 0)
		r->act++;
	if (got < 5 || r->act == sizeof actions / sizeof *actions || !word_is_class(r->class) ||
	    (*r->once && strcmp(r->once, "once") != 0))
		lab_die("understand a line of the plan of faults");
}

static void read_plan(void)
{
	char text[LAB_PLAN + 1], *rest = text, *line;

	memcpy(generation_read, lab_shared->generation, LAB_GENERATION);
	memcpy(text, lab_shared->plan, LAB_PLAN);
	text[LAB_PLAN] = 0;
	rule_count = 0;
	while ((line = strsep(&rest, "\n")) && *line && rule_count < LAB_RULES)
		read_rule(line);
}

static bool is_about(const struct rule *r, const struct lab_call *c)
{
	if (strcmp(r->program, "any") != 0 &&
	    strcmp(r->program, lab_is_gate ? "gate" : "keep") != 0)
		return false;
	if (strcmp(r->class, "any") != 0 && strcmp(r->class, lab_class_names[c->class]) != 0)
		return false;
	return fnmatch(r->glob, *c->path ? c->path : ".", 0) == 0;
}

static void apply(const struct rule *r, uint64_t seen, struct lab_call *c)
{
	switch (actions[r->act].what) {
	case FULL:
		c->half = seen == r->number && c->class == LAB_WRITE;
		c->error = c->half ? 0 : actions[r->act].error;
		break;
	case FAIL:
		c->error = actions[r->act].error;
		break;
	case SHORT:
		c->half = true;
		break;
	case SKIP:
		c->skip = true;
		break;
	case CRASH:
		(void)kill(getpid(), SIGKILL);
		break;
	case CRASH_TORN:
		c->half = true;
		c->crash_after = true;
		break;
	case CRASH_AFTER:
		c->crash_after = true;
		break;
	}
}

void lab_judge(struct lab_call *c)
{
	bool acted = false;

	if (memcmp(generation_read, lab_shared->generation, LAB_GENERATION) != 0)
		read_plan();
	for (size_t i = 0; i < rule_count; i++) {
		const struct rule *r = &rules[i];
		if (!is_about(r, c))
			continue;
		uint64_t seen = ++lab_shared->seen[i];
		bool due = r->number && (*r->once ? seen == r->number : seen >= r->number);
		if (!due || acted)
			continue;
		lab_shared->fired[i]++;
		apply(r, seen, c);
		acted = true;
	}
}
