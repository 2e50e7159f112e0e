/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: messages for the operator, one line each; not the audit log.
 *
 * For boundaries only (a dispatcher, an engine's end, main): everything else returns errors.
 * Lines go to standard error, with the <N> prefixes of sd-daemon(3) where that is the
 * journal; to a file, which is opened again by log_reopen(); or to the journal with fields
 * of its own (log_journal.h, apart so that a program without it does not link libsystemd).
 * Whatever a peer sends cannot forge or break a line: control characters, bytes that are not
 * UTF-8 and backslashes come out as \xNN. Never logs secrets, contents or names of files.
 * Thread-safe; before log_start() messages go to standard error.
 */
#ifndef DROPKEEP_LOG_H
#define DROPKEEP_LOG_H

#include <stdbool.h>

#include "base/err.h"

/* Values go over the gate-keep protocol. The names keep clear of syslog.h. */
enum log_level { LEVEL_ERROR = 0, LEVEL_WARNING = 1, LEVEL_INFO = 2, LEVEL_DEBUG = 3 };

enum { LOG_LINE_MAX = 4096 }; /* bytes of a message as it comes out; a longer one ends in "..." */

/* program is kept, not copied. */
void log_start(const char *program, enum log_level level);
void log_set_level(enum log_level level);
bool log_wants(enum log_level level);

/* Append to a file (mode 0640, made when missing). On failure all stays as it was. */
MUST_USE int log_to_file(const char *path);
void log_to_stderr(void);

/* Open the file again under its name, after a rotation; 0 where no file is in use. */
MUST_USE int log_reopen(void);

/* Where the lines go now, to be handed to a child as its standard error; borrowed. */
int log_fd(void);

void log_write(enum log_level level, const char *format, ...) PRINTF(2, 3);

/* At level error: the sentence, ": ", and the calling thread's err_text(), which is cleared. */
void log_failure(const char *format, ...) PRINTF(1, 2);

#define log_error(...)   log_write(LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_write(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                       \
	do {                                                 \
		if (log_wants(LEVEL_DEBUG))                  \
			log_write(LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

/* Text with what could forge a line escaped, as described above; cut at cap - 1 bytes with
 * "..." as its end. Returns the length written. */
size_t log_escape(const char *text, size_t len, char *ret_text, size_t cap);

/* For log_journal.c: every line goes to sink (under the lock) instead; false from it, or a
 * NULL sink: to standard error. */
typedef bool log_sink(enum log_level level, const char *program, const char *text);
void log_to_sink(log_sink *sink);

#endif
