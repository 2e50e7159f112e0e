/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key: who signs a note and who is believed (C2SP signed-note, "Signatures" and "Verifier
 * keys"). One signature type: Ed25519, 0x01. A key is known by its name and its 32-bit id.
 *
 * A signer holds its private key inside OpenSSL, in the secure heap; nothing here gives it
 * out. Signers and verifiers are immutable once made and may be used from any thread.
 */
#ifndef DROPKEEP_TLOG_KEY_H
#define DROPKEEP_TLOG_KEY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/secret.h"

enum {
	TLOG_SEED_SIZE = 32, /* an Ed25519 private key, RFC 8032, section 5.1.5 */
	TLOG_PUBLIC_SIZE = 32,
	TLOG_ED25519_SIZE = 64,   /* a signature */
	TLOG_KEY_NAME_MAX = 1024, /* bytes; no such limit is in the specification */
};

struct tlog_verifier;
struct tlog_signer;

/* A key name: not empty, UTF-8 without ASCII control characters (as in all of a note),
 * Unicode spaces and '+'. */
bool tlog_key_name_valid(struct view name);

/* E_INVALID for a name that is not one. public_key has TLOG_PUBLIC_SIZE bytes. */
MUST_USE int tlog_verifier_new(struct view name, const uint8_t *public_key,
			       struct tlog_verifier **ret_verifier);

/* From "name+hex(id)+base64(type || public key)"; E_INVALID also where the id is not that
 * of name and key, E_UNSUPPORTED for other types of signature. */
MUST_USE int tlog_verifier_parse(struct view text, struct tlog_verifier **ret_verifier);

/* Append that text, without a newline. */
MUST_USE int tlog_verifier_text(const struct tlog_verifier *v, struct buf *out);

/* Borrowed from v. */
struct view tlog_verifier_name(const struct tlog_verifier *v);
uint32_t tlog_verifier_id(const struct tlog_verifier *v);

/* 0, or E_INTEGRITY: signature is not one of text under this key. */
MUST_USE int tlog_verifier_check(const struct tlog_verifier *v, struct view text,
				 struct view signature);

void tlog_verifier_free(struct tlog_verifier **v);

/* From TLOG_SEED_SIZE raw bytes, of which it takes a copy. */
MUST_USE int tlog_signer_new(struct view name, const struct secret *seed,
			     struct tlog_signer **ret_signer);

/* Its public half; borrowed from s. */
struct tlog_verifier *tlog_signer_verifier(const struct tlog_signer *s);

MUST_USE int tlog_signer_sign(const struct tlog_signer *s, struct view text,
			      uint8_t ret_signature[TLOG_ED25519_SIZE]);

void tlog_signer_free(struct tlog_signer **s);

#endif
