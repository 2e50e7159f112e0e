/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fxattrs: SFTP's file attributes (draft-ietf-secsh-filexfer-02, section 5), read, written
 * and made from what the keep says of a file; and the line that `ls -l` would print.
 *
 * Modes are cosmetic: they show what the asker may do here, under "owner". Times are UTC: the
 * gate has no file system to read a time zone from.
 */
#ifndef DROPKEEP_GATE_SFTP_ATTRS_H
#define DROPKEEP_GATE_SFTP_ATTRS_H

#include "wire/messages.h"

struct fxattrs {
	uint32_t flags; /* which of the fields count */
	uint64_t size;
	uint32_t uid, gid, permissions, atime, mtime;
};

/* Extended pairs are skipped. What is cut off marks the reader as bad. */
struct fxattrs fxattrs_read(struct reader *r);
void fxattrs_write(struct writer *w, const struct fxattrs *a);

struct fxattrs fxattrs_of(const struct attrs *a);

/* As OpenSSH's ls_file() does it: mode, links, owner, group, size, date, name. ret_line takes
 * cap bytes with a NUL; too long a line is cut. Returns its length. */
enum { LONGNAME_HEAD = 192 }; /* more than what stands before the name */
size_t fxattrs_line(const struct attrs *a, struct view name, int64_t now_s, char *ret_line,
		    size_t cap);

#endif
