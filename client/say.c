/* SPDX-License-Identifier: Apache-2.0 */
#include "client/say.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "client/answer.h"
#include "client/safe.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct say_style how;
static bool drawn; /* a progress line stands on the terminal */

void say_setup(struct say_style style)
{
	how = style;
}

bool say_is_json(void)
{
	return how.json;
}

bool say_is_quiet(void)
{
	return how.quiet;
}

bool say_may_draw(void)
{
	const char *term = getenv("TERM");

	return !how.quiet && !how.json && isatty(STDERR_FILENO) && term &&
	       strcmp(term, "dumb") != 0;
}

/* Takes the progress line away; it is drawn again by and by. */
static void clear_line(void)
{
	if (drawn)
		(void)fputs("\r\033[K", stderr);
	drawn = false;
}

void say_data(const char *format, ...)
{
	va_list args;

	(void)pthread_mutex_lock(&lock);
	clear_line();
	va_start(args, format);
	(void)vprintf(format, args);
	va_end(args);
	(void)putchar('\n');
	(void)pthread_mutex_unlock(&lock);
}

void say_json(json_t *object)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	(void)pthread_mutex_lock(&lock);
	clear_line();
	(void)puts(text ? text : "{\"event\":\"error\",\"message\":\"out of memory\"}");
	(void)fflush(stdout); /* who follows events wants them now */
	(void)pthread_mutex_unlock(&lock);
	free(text);
	json_decref(object);
}

void say_note(const char *format, ...)
{
	va_list args;

	if (how.quiet)
		return;
	(void)pthread_mutex_lock(&lock);
	clear_line();
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)putc('\n', stderr);
	(void)pthread_mutex_unlock(&lock);
}

static const char *word_of(int code)
{
	return code == CLIENT_UNREACHABLE ? "not reachable" : err_word(code);
}

void say_error(int code)
{
	CLEANUP(mem_free) char *text = safe_text(err_text()[0] ? err_text() : word_of(code));

	if (how.json)
		say_json(json_pack("{s:s, s:s, s:s, s:i}", "event", "error", "error", word_of(code),
				   "message", text, "status", err_exit_status(code)));
	(void)pthread_mutex_lock(&lock);
	clear_line();
	(void)fprintf(stderr, "dropkeep: %s\n", text);
	(void)pthread_mutex_unlock(&lock);
	err_clear();
}

void say_progress(const char *line)
{
	(void)pthread_mutex_lock(&lock);
	clear_line();
	if (line[0]) {
		(void)fputs(line, stderr);
		drawn = true;
	}
	(void)fflush(stderr);
	(void)pthread_mutex_unlock(&lock);
}

int say_end(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return fail_errno(E_IO, "standard output");
	return 0;
}
