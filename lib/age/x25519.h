/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x25519: the Diffie-Hellman function of RFC 7748, section 5, over OpenSSL. Any thread.
 */
#ifndef DROPKEEP_AGE_X25519_H
#define DROPKEEP_AGE_X25519_H

#include "base/secret.h"

enum { AGE_X25519_SIZE = 32 };

/* X25519(scalar, basepoint). The scalar is 32 bytes, else E_INVALID. */
MUST_USE int age_x25519_public(const struct secret *scalar, uint8_t ret_point[AGE_X25519_SIZE]);

/*
 * X25519(scalar, point), and of the scalar's own public point along the way. E_INVALID for a
 * point of low order, whose product with anything is all zero (RFC 7748, section 6.1).
 */
MUST_USE int age_x25519_shared(const struct secret *scalar, const uint8_t point[AGE_X25519_SIZE],
			       struct secret **ret_shared, uint8_t ret_public[AGE_X25519_SIZE]);

#endif
