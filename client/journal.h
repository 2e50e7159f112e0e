/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal: what is needed to go on with an upload after this program was killed: one small
 * file for each in $XDG_STATE_HOME/dropkeep/PROFILE/uploads/.
 *
 * An entry is found by server, user, destination and the local file's identity (device, inode,
 * size, times): a file that was changed meanwhile finds none and is sent from its beginning. The
 * time of its last change (ctime) is among them, as that of its last writing can be set back:
 * so another name or mode begins anew too.
 * Entries are replaced atomically; one that cannot be read counts as none. While a file is
 * sent its entry is locked, so that two programs do not send it at once.
 */
#ifndef DROPKEEP_CLIENT_JOURNAL_H
#define DROPKEEP_CLIENT_JOURNAL_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/buf.h"

struct journal_key {
	const char *profile, *url, *user; /* the first names the folder, the others the entry */
	const char *to;                   /* "/acme/incoming/plan.pdf" */
	const struct stat *st;
};

struct journal {
	int dir, lock;
	char name[72];    /* of the entry; the lock's has ".lock" behind it */
	char upload[80];  /* "/uploads/ID"; "" for a new one */
	char receipt[48]; /* "/receipts/N" of an upload that is finished; else "" */
	bool tree;        /* a folder is being sent under another name, which it has made there */
};

/* E_TAKEN when another process sends this file there. */
MUST_USE int journal_open(const struct journal_key *key, struct journal *ret_journal);

/* Write down what upload, receipt and tree say; durable when it returns 0. */
MUST_USE int journal_save(const struct journal *j);

/* The upload is done, or cannot be gone on with: there is no entry any more. */
MUST_USE int journal_forget(struct journal *j);

/* Unlock; the entry stays. For CLEANUP. */
void journal_done(struct journal *j);

/* Remove entries that nobody has come back to for `days`. Their number. */
unsigned journal_sweep(const char *profile, unsigned days);

#endif
