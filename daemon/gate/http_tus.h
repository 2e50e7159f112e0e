/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_tus: what requests of the tus protocol (1.0.0) say in their fields. Pure.
 */
#ifndef DROPKEEP_GATE_HTTP_TUS_H
#define DROPKEEP_GATE_HTTP_TUS_H

#include "daemon/gate/http_head.h"
#include "wire/messages.h"

#define TUS_VERSION "1.0.0"
#define TUS_EXTENSIONS \
	"creation,creation-with-upload,creation-defer-length,termination,checksum,expiration"
#define TUS_CONTENT_TYPE "application/offset+octet-stream"

/* Tus-Resumable is there, once, and ours. */
bool tus_speaks(const struct http_head *h);

/* Upload-Offset, Upload-Length: *ret_there; E_INVALID for what is no number, or is there twice. */
MUST_USE int tus_number(const struct http_head *h, const char *field, uint64_t *ret_number,
			bool *ret_there);

/* Upload-Metadata: the value of one key, decoded and appended; *ret_there. E_INVALID. */
MUST_USE int tus_metadata(const struct http_head *h, const char *key, struct buf *out,
			  bool *ret_there);

/* Upload-Checksum: "sha256 base64". E_INVALID for another algorithm or form. */
MUST_USE int tus_checksum(const struct http_head *h, uint8_t ret_sha256[WIRE_HASH],
			  bool *ret_there);

/* "0123456789abcdef0123456789abcdef", in lower case alone. E_GONE without an error frame. */
MUST_USE int tus_ticket(struct view text, uint8_t ret_ticket[WIRE_ID]);

#endif
