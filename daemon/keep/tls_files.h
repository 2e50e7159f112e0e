/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_files: the certificate and private key that gates show to HTTPS clients: made, judged, named
 * by a fingerprint. Certificates alone: the keep speaks no TLS.
 */
#ifndef DROPKEEP_KEEP_TLS_FILES_H
#define DROPKEEP_KEEP_TLS_FILES_H

#include "base/buf.h"

/*
 * A fresh P-256 key (PKCS #8) and a certificate that it has signed itself, both PEM, for ten years:
 * for localhost, 127.0.0.1, ::1 and these names, of which those that are addresses become such
 * (RFC 5280, section 4.2.1.6). The caller wipes ret_key. E_INVALID for a name that is none.
 */
MUST_USE int tls_files_make(const char *const *names, unsigned count, struct buf *ret_certificate,
			    struct buf *ret_key);

/* Whether gates can use them: a certificate (and what it was signed by, behind it), and its private
 * key without a pass phrase. E_CONFIG. */
MUST_USE int tls_files_check(struct view certificate, struct view key);

/* SHA-256 of the first certificate's SubjectPublicKeyInfo: what clients pin. E_CONFIG. */
enum { TLS_SPKI = 32 };
MUST_USE int tls_files_spki(struct view certificate, uint8_t ret_hash[TLS_SPKI]);

/* SHA-256 of the first certificate as a whole, as `openssl x509 -fingerprint -sha256` and browsers
 * show it: "AB:CD:…". E_CONFIG. */
enum { TLS_FINGERPRINT_TEXT = 3 * 32 };
MUST_USE int tls_files_fingerprint(struct view certificate, char ret_text[TLS_FINGERPRINT_TEXT]);

/* The host of a URL by the first common name of the certificate, appended. E_CONFIG, with a
 * sentence for the operator: one for many hosts (*.example.org), or of a person, names none. */
MUST_USE int tls_files_host(struct view certificate, struct buf *out);

/* Make both below STATE/keys/tls/, where they are not there, and make them durable; the key first,
 * so that no certificate is there without it. */
MUST_USE int tls_files_init(int state_fd, const char *const *names, unsigned count);

#endif
