/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_journal: choosing where log lines go, the systemd journal among the places.
 *
 * For the keep. A gate, which links no libsystemd, writes to the descriptor that it got.
 */
#ifndef DROPKEEP_LOG_JOURNAL_H
#define DROPKEEP_LOG_JOURNAL_H

#include "base/log.h"

/* "stderr", "journal", or the path of a file. In a build without libsystemd, and where no
 * journal answers, "journal" means standard error. */
MUST_USE int log_to(const char *where);

#endif
