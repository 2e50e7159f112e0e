/* SPDX-License-Identifier: Apache-2.0 */
/* Of its own accord sd_journal_send() adds file, line and function of its caller, which
 * here would always be this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log_journal.h"

#include <string.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-journal.h>
#include <unistd.h>

static bool send_to_journal(enum log_level level, const char *program, const char *text)
{
	static const int priority[] = {[LEVEL_ERROR] = LOG_ERR,
				       [LEVEL_WARNING] = LOG_WARNING,
				       [LEVEL_INFO] = LOG_INFO,
				       [LEVEL_DEBUG] = LOG_DEBUG};

	return sd_journal_send("MESSAGE=%s", text, "PRIORITY=%i", priority[level],
			       "SYSLOG_IDENTIFIER=%s", program, NULL) >= 0;
}

/* Where no journal runs, sd_journal_send() drops the message and says that all is well. */
static void to_journal(void)
{
	bool there = access("/run/systemd/journal/socket", W_OK) == 0;

	log_to_sink(there ? send_to_journal : NULL);
}
#else
static void to_journal(void)
{
	log_to_stderr();
}
#endif

int log_to(const char *where)
{
	if (strcmp(where, "stderr") == 0)
		log_to_stderr();
	else if (strcmp(where, "journal") == 0)
		to_journal();
	else
		return log_to_file(where);
	return 0;
}
