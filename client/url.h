/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url: what `dropkeepctl user enroll` prints, taken apart:
 * https://HOST[:PORT]/enroll/CODE[#spki=BASE64URL].
 *
 * The fragment names the server's public key and stays here: nothing of it is sent.
 */
#ifndef DROPKEEP_CLIENT_URL_H
#define DROPKEEP_CLIENT_URL_H

#include "base/buf.h"

struct enroll_url {
	char *base; /* "https://drop.example.org:8443" */
	char *path; /* "/enroll/CODE" */
	char *pin;  /* base64 as libcurl wants it; NULL where the URL has none */
};

/* E_USAGE with a sentence that does not hold the code. */
MUST_USE int enroll_url_parse(const char *text, struct enroll_url *ret_url);

/* For CLEANUP; wipes the code. */
void enroll_url_done(struct enroll_url *u);

#endif
