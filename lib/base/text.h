/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: encodings of bytes as text, strict in what they accept.
 */
#ifndef DROPKEEP_TEXT_H
#define DROPKEEP_TEXT_H

#include <stdbool.h>

#include "base/buf.h"

/* Lower-case hexadecimal. ret_text takes 2 * len + 1 bytes. */
void hex_encode(const void *bytes, size_t len, char *ret_text);
MUST_USE int hex_decode(struct view text, void *ret_bytes, size_t len);

/* Base64 (RFC 4648, section 4). Decoding refuses every non-canonical form: foreign
 * characters, white space, set trailing bits, padding missing or too much. */
enum base64_padding { BASE64_PADDED, BASE64_BARE };
MUST_USE int base64_encode(struct view bytes, enum base64_padding padding, struct buf *out);
MUST_USE int base64_decode(struct view text, enum base64_padding padding, struct buf *out);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool utf8_valid(struct view text);

/* Whether any of it is a control character (C0, DEL, C1). For valid UTF-8 only. */
bool utf8_has_control(struct view text);

#endif
