/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replies: answers to SFTP requests, ready to be sent, one behind the other
 * (draft-ietf-secsh-filexfer-02, section 7).
 *
 * They are bounded by whoever makes them: see limits.h. Where memory runs out `lost` is set
 * and the connection has to end, for an answer is missing.
 */
#ifndef DROPKEEP_GATE_SFTP_REPLY_H
#define DROPKEEP_GATE_SFTP_REPLY_H

#include "daemon/gate/sftp.h"
#include "daemon/gate/sftp_attrs.h"

/* Zeroed is empty. */
struct replies {
	struct buf buf;
	bool lost;
};

/* STATUS: from a code of base/err.h; text may be NULL or empty for the code's own words. */
void reply_error(struct replies *q, uint32_t id, int rc, const char *text);
void reply_status(struct replies *q, uint32_t id, uint32_t status, const char *text);
void reply_ok(struct replies *q, uint32_t id);

void reply_handle(struct replies *q, uint32_t id, uint64_t number);
void reply_attrs(struct replies *q, uint32_t id, const struct fxattrs *a);

/* NAME with one path and no attributes: the answer to REALPATH. */
void reply_path(struct replies *q, uint32_t id, struct view path);

/* For answers that are built piece by piece: begin reserves cap bytes for what follows the
 * id and gives a writer for them; end sends what was written. False: lost. */
bool reply_begin(struct replies *q, uint8_t type, uint32_t id, size_t cap, struct writer *ret_w);
void reply_end(struct replies *q, const struct writer *w);

#endif
