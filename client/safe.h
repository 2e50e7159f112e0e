/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safe: texts of others (a server, a file system) made fit for a terminal.
 *
 * Whatever could move the cursor, hide text or turn its direction becomes \xNN or \u{N}:
 * control characters, what is not UTF-8, and the marks of bidirectional text.
 */
#ifndef DROPKEEP_CLIENT_SAFE_H
#define DROPKEEP_CLIENT_SAFE_H

#include "base/buf.h"

/* On the heap; the process ends when there is no memory. */
char *safe_text(const char *text) __attribute__((malloc, returns_nonnull));
char *safe_view(struct view text) __attribute__((malloc, returns_nonnull));

#endif
