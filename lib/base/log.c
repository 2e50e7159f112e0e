/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/sys.h"
#include "base/text.h"

enum { HEAD_MAX = 128 };

static atomic_int wanted = LEVEL_INFO;

static struct {
	pthread_mutex_t lock; /* over all below, and over each line's way out */
	const char *program;
	char *path; /* of the file in use; NULL: standard error */
	int file;
	bool to_journal; /* standard error is the journal's stream */
	log_sink *sink;
} out = {.lock = PTHREAD_MUTEX_INITIALIZER, .program = "dropkeep", .file = -1};

static const struct {
	const char *word;
	char priority; /* of syslog(3), as sd-daemon(3) wants it */
} level_row[] = {
    [LEVEL_ERROR] = {"error", '3'},
    [LEVEL_WARNING] = {"warning", '4'},
    [LEVEL_INFO] = {"info", '6'},
    [LEVEL_DEBUG] = {"debug", '7'},
};

static void take_lock(void)
{
	int rc = pthread_mutex_lock(&out.lock);

	assert(rc == 0);
}

static void drop_lock(void)
{
	int rc = pthread_mutex_unlock(&out.lock);

	assert(rc == 0);
}

/* systemd.exec(5): JOURNAL_STREAM has device and inode of the stream, in decimal; a program
 * whose standard error went elsewhere since inherits the variable all the same. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev,
		       (unsigned long long)st.st_ino);
	return strcmp(stream, here) == 0;
}

void log_start(const char *program, enum log_level level)
{
	take_lock();
	out.program = program;
	out.to_journal = stderr_is_journal();
	drop_lock();
	log_set_level(level);
}

void log_set_level(enum log_level level)
{
	atomic_store(&wanted, (int)level);
}

bool log_wants(enum log_level level)
{
	return (int)level <= atomic_load(&wanted);
}

static int open_file(const char *path, int *ret_fd)
{
	return sys_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0640, ret_fd);
}

int log_to_file(const char *path)
{
	int fd = -1;
	int rc = open_file(path, &fd);

	if (rc)
		return fail(rc, "open the log file");
	take_lock();
	char *old = out.path;
	out.path = mem_text(path);
	sys_close(&out.file);
	out.file = fd;
	out.sink = NULL;
	drop_lock();
	mem_free(&old);
	return 0;
}

void log_to_sink(log_sink *sink)
{
	take_lock();
	mem_free(&out.path);
	sys_close(&out.file);
	out.sink = sink;
	drop_lock();
}

void log_to_stderr(void)
{
	log_to_sink(NULL);
}

int log_reopen(void)
{
	int fd = -1, rc = 0;

	take_lock();
	if (out.path)
		rc = open_file(out.path, &fd);
	if (!rc && fd >= 0) {
		sys_close(&out.file);
		out.file = fd;
	}
	drop_lock();
	return rc ? fail(rc, "open the log file again") : 0;
}

int log_fd(void)
{
	take_lock();
	int fd = out.file >= 0 ? out.file : STDERR_FILENO;
	drop_lock();
	return fd;
}

/* Length of the character at the start of text, or 0 for a byte that is not UTF-8. */
static size_t utf8_length(const char *text, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++)
		if (utf8_valid(view_of(text, n)))
			return n;
	return 0;
}

size_t log_escape(const char *text, size_t len, char *ret_text, size_t cap)
{
	static const char cut[] = "...";
	size_t used = 0, safe = 0;

	assert(cap >= sizeof cut);
	for (size_t i = 0; i < len;) {
		char piece[8];
		size_t n = utf8_length(text + i, len - i);
		bool plain = n && text[i] != '\\' && !utf8_has_control(view_of(text + i, n));
		n = n && plain ? n : 1;
		if (plain)
			memcpy(piece, text + i, n);
		size_t size = n;
		if (!plain)
			size = (size_t)snprintf(piece, sizeof piece, "\\x%02x", (uint8_t)text[i]);
		if (used + size >= cap) {
			memcpy(ret_text + safe, cut, sizeof cut);
			return safe + sizeof cut - 1;
		}
		memcpy(ret_text + used, piece, size);
		used += size;
		if (used + sizeof cut <= cap)
			safe = used; /* so far the mark of a cut still fits behind */
		i += n;
	}
	ret_text[used] = '\0';
	return used;
}

static size_t write_head(enum log_level level, char *ret_head)
{
	char now[CLOCK_TEXT];
	int n;

	if (out.file < 0 && out.to_journal) {
		n = snprintf(ret_head, HEAD_MAX, "<%c>", level_row[level].priority);
	} else {
		clock_text(clock_utc_us(), now);
		n = snprintf(ret_head, HEAD_MAX, "%s %.32s[%d] %s: ", now, out.program,
			     (int)getpid(), level_row[level].word);
	}
	assert(n > 0 && n < HEAD_MAX);
	return (size_t)n;
}

/* One write(2) for each line, so that lines of several processes do not mix. A log that
 * cannot be written has nobody left to tell. */
static void put_line(enum log_level level, const char *message)
{
	char line[HEAD_MAX + LOG_LINE_MAX + 1];

	take_lock();
	size_t head = write_head(level, line);
	size_t len = log_escape(message, strlen(message), line + head, LOG_LINE_MAX);
	if (!out.sink || !out.sink(level, out.program, line + head)) {
		line[head + len] = '\n';
		ssize_t n = write(out.file >= 0 ? out.file : STDERR_FILENO, line, head + len + 1);
		(void)n;
	}
	drop_lock();
}

PRINTF(2, 0) static void put_formatted(enum log_level level, const char *format, va_list args)
{
	char message[LOG_LINE_MAX];

	if (vsnprintf(message, sizeof message, format, args) < 0)
		message[0] = '\0';
	put_line(level, message);
}

void log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	if (!log_wants(level))
		return;
	va_start(args, format);
	put_formatted(level, format, args);
	va_end(args);
}

void log_failure(const char *format, ...)
{
	char message[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	int n = vsnprintf(message, sizeof message, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof message)
		(void)snprintf(message + n, sizeof message - (size_t)n, ": %s", err_text());
	err_clear();
	put_line(LEVEL_ERROR, message);
}
