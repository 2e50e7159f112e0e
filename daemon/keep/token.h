/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token: bearer tokens (RFC 6750): "dk1_" and 32 random bytes in base64url. They are shown once,
 * when they are made; what is stored is their SHA-256, which finds them again. Nobody can guess
 * one, so that needs no salt.
 */
#ifndef DROPKEEP_KEEP_TOKEN_H
#define DROPKEEP_KEEP_TOKEN_H

#include "base/buf.h"
#include "daemon/keep/catalog.h"

enum { TOKEN_LEN = 4 + 43 };

/* The caller wipes ret_token, which has a NUL behind it. */
MUST_USE int token_make(char ret_token[TOKEN_LEN + 1]);

/* Kind, algorithm and fingerprint of the credential that a token is. E_INVALID for what is none. */
MUST_USE int token_credential(struct view token, struct credential_row *ret_row);

/* The same of a certificate by the SHA-256 of its SubjectPublicKeyInfo. */
MUST_USE int certificate_credential(struct view spki, struct credential_row *ret_row);

/* A code for one enrolment: 24 random bytes in base64url; and what is stored of it. */
enum { ENROLMENT_LEN = 32 };
MUST_USE int enrolment_make(char ret_code[ENROLMENT_LEN + 1]); /* the caller wipes it */
MUST_USE int enrolment_hash(struct view code, uint8_t ret_hash[ENROLMENT_HASH]); /* E_INVALID */

/* base64url without padding (RFC 4648, section 5), appended. */
MUST_USE int base64url_encode(struct view bytes, struct buf *out);

#endif
